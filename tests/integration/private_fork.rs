//! A library built with an SDK that somebody changed without giving it another version.

use std::fs;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;

use crate::janitor::{FILES, Janitor, cargo};

/// What the fork has in another order than the SDK.
const ORIGINAL: &str = "pub integer: i64,\n    /// For [`ScalarKind::FLOAT`].\n    pub float: f64,";
const FORKED: &str = "pub float: f64,\n    /// Moved.\n    pub integer: i64,";

/// Builds the plugins for zone files with the changed SDK.
fn build() -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fork = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fork");
    fs::create_dir_all(&fork).expect("a directory can be made");
    for part in [
        "Cargo.toml",
        "Cargo.lock",
        "build.rs",
        "host",
        "plugin-api",
        "plugins",
        "tests",
        "benches",
        "docs",
    ] {
        copy(&sources.join(part), &fork.join(part));
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fork-target");
    let output = cargo("cargo")
        .args(["build", "--locked", "--package", "janitor-plugin-files"])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(&fork)
        .output()
        .expect("cargo can be run");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "the fork cannot be built:\n{stderr}"
    );
    target.join(format!("debug/lib{FILES}.so"))
}

/// Copies what is not there yet: cargo takes a file that was written anew for a changed one.
fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).expect("a directory can be made");
        for entry in fs::read_dir(from).expect("the sources can be listed") {
            let entry = entry.expect("the sources can be listed");
            copy(&entry.path(), &to.join(entry.file_name()));
        }
        return;
    }
    let mut octets = fs::read(from).expect("the sources can be read");
    if from.ends_with("abi/values.rs") {
        let text = String::from_utf8(octets).expect("sources are UTF-8");
        assert!(
            text.contains(ORIGINAL),
            "what the fork changes is elsewhere"
        );
        octets = text.replace(ORIGINAL, FORKED).into_bytes();
    }
    if !fs::read(to).is_ok_and(|there| there == octets) {
        fs::write(to, octets).expect("a copy can be written");
    }
}

#[test]
fn a_type_of_the_boundary_that_was_changed_without_a_version_is_named() {
    let janitor = Janitor::new()
        .libraries(&[])
        .desired("example.com", "www A 192.0.2.1")
        .served("example.com", "");
    fs::copy(build(), janitor.path("plugins/libforked.so")).expect("a library can be copied");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 2, "{}", run.errors());
    assert_snapshot!(run.errors(), @"
    error[GJ104]: libforked.so declares plugin API 1.0.0, but its types differ from this host's at AbiOwnedScalar: the host has `integer: i64` where the library has `float: f64`
      where: <root>/plugins/libforked.so
      because: the SDK that it was built with was changed without getting another version
      help: install a build of this plugin made with a released SDK
      note: listed in core.plugins: files.zones, files.served, files.apply
    error: 1 error; nothing was run
    ");
}
