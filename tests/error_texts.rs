//! Every error code has a test that shows its whole text.
//!
//! A text that nobody has looked at is one that an operator is the first to read. What counts is the
//! first line of a problem in an inline snapshot, a snapshot file or an expected text.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};

use gordon_janitor::problem::Code;

#[test]
fn every_error_code_is_shown_in_a_test() {
    let texts = tests()
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect::<String>();
    // What only the log says has its code as a field.
    let forms = |code: Code| {
        [
            format!("error[{code}]: "),
            format!("warning[{code}]: "),
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

/// The files that hold tests of the host, and their snapshots.
fn tests() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut directories = vec![root.join("tests/integration"), root.join("host")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.starts_with(root.join("tests")) || is_test(&path) {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 20, "{found:?}");
    found
}

fn is_test(path: &Path) -> bool {
    let is_snapshot = path
        .extension()
        .is_some_and(|extension| extension == "snap");
    is_snapshot || path.file_name().is_some_and(|name| name == "tests.rs")
}
