//! Libraries of another compiler: the compiler's version plays no part.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use janitor_plugin_api::manifest::RUSTC;

use crate::janitor::{FILES, Janitor, VILLAIN, cargo};
use crate::peers::say_skipped;

/// Names the toolchain to use, as rustup knows it; else the first one that is another compiler.
const TOOLCHAIN: &str = "JANITOR_SECOND_TOOLCHAIN";

/// A toolchain whose compiler is not the one of this test.
fn second_toolchain() -> Option<String> {
    let is_another = |toolchain: &String| {
        let rustc = rustup(&["run", toolchain, "rustc", "--version"]);
        rustc.is_some_and(|rustc| rustc.trim() != RUSTC)
    };
    if let Ok(given) = env::var(TOOLCHAIN) {
        assert!(
            is_another(&given),
            "{TOOLCHAIN} = {given} is no other compiler"
        );
        return Some(given);
    }
    let list = rustup(&["toolchain", "list", "--quiet"])?;
    list.lines().map(str::to_owned).find(is_another)
}

fn rustup(arguments: &[&str]) -> Option<String> {
    let output = Command::new("rustup").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}

/// Builds the villains with `toolchain`, in a target directory of its own.
fn build(toolchain: &str) -> PathBuf {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("villain-{toolchain}"));
    let mut cargo = cargo("rustup");
    cargo
        .args(["run", toolchain, "cargo", "build", "--locked", "--package"])
        .args(["janitor-misbehaving-villain", "--target-dir"])
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = cargo.output().expect("rustup can be run");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{toolchain} cannot build the villains:\n{stderr}"
    );
    target.join(format!("debug/lib{VILLAIN}.so"))
}

#[test]
fn a_library_of_another_compiler_works() {
    let Some(toolchain) = second_toolchain() else {
        return say_skipped("needs a second Rust toolchain (rustup toolchain install nightly)");
    };
    let library = build(&toolchain);
    let deployment = |authority: &str| {
        let janitor = Janitor::new()
            .libraries(&[FILES])
            .authorities(&["files.zones", authority])
            .publishers(&["files.apply", "villain.publisher.behaves"])
            .desired("example.com", "www A 192.0.2.1")
            .served("example.com", "old A 192.0.2.1")
            .served("other.test", "")
            .settings("[villain]\nzones = ['other.test']");
        std::fs::copy(&library, janitor.path("plugins/libvillain.so"))
            .expect("a library can be copied");
        janitor
    };

    let run = deployment("villain.authority.behaves").run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (0, "success"),
        "{}",
        run.errors()
    );
    assert_eq!(
        run.given(),
        [
            "+ www.example.com. 300 IN A 192.0.2.1",
            "- old.example.com. 300 IN A 192.0.2.1",
            "+ www.other.test. 300 IN A 192.0.2.1",
        ]
    );

    // Its panics unwind through a `std` that is not the host's.
    for authority in [
        "villain.authority.panics-in-run",
        "villain.authority.panics-with-a-bomb",
        "villain.authority.panics-in-drop",
    ] {
        let run = deployment(authority).run();
        assert_eq!(
            (run.exit_code(), run.status().as_str()),
            (1, "unexpected-error"),
            "{authority}"
        );
        let failures = run.failures();
        let named = format!("plugin `{authority}` panicked: ");
        assert!(
            failures.len() == 1 && failures[0].starts_with(&named),
            "{failures:#?}"
        );
    }
    let run = deployment("villain.authority.talks").run();
    assert_eq!(
        run.log_with("a sentence"),
        ["INFO: a sentence cups=2 plugin=villain.authority.talks"]
    );
}
