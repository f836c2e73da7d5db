//! Every error code has a test that shows its whole text.
//!
//! A text that nobody has looked at is one that an operator is the first to read. What counts is the
//! first line of a problem in an inline snapshot, a snapshot file or an expected text.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::Path;

use gordon_janitor::problem::Code;

#[test]
fn every_error_code_is_shown_in_a_test() {
    let texts = tests();
    // A list of files has the code before the text; a log line has it as a field.
    let forms = |code: Code| {
        [
            format!("error[{code}]: "),
            format!("warning[{code}]: "),
            format!("    {code}: "),
            format!("code={code} "),
        ]
    };
    let missing = Code::ALL
        .iter()
        .filter(|code| !forms(**code).iter().any(|form| texts.contains(form)))
        .map(|code| code.as_str())
        .collect::<Vec<_>>();
    assert!(
        missing.is_empty(),
        "no test shows the text of {missing:?}; add one with an inline snapshot"
    );
}

/// All that tests of the host hold, and their snapshots.
fn tests() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = String::new();
    let mut files = 0;
    let mut directories = vec![root.join("tests/integration"), root.join("host")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let is_test = path.starts_with(root.join("tests"))
                || path.ends_with("tests.rs")
                || path
                    .extension()
                    .is_some_and(|extension| extension == "snap");
            let part = if is_test {
                Some(text.as_str())
            } else {
                text.split_once("#[cfg(test)]\nmod tests {")
                    .map(|(_, tests)| tests)
            };
            files += usize::from(part.is_some());
            texts.push_str(part.unwrap_or_default());
        }
    }
    assert!(files > 50, "{files} files");
    texts
}
