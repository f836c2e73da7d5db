//! Stamps the commit and the target into the binary.
//!
//! Without git, or outside a checkout (a source tarball), the commit is
//! `GORDON_JANITOR_COMMIT` from the environment, else `unknown`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=GORDON_JANITOR_COMMIT");
    let given = env::var("GORDON_JANITOR_COMMIT")
        .ok()
        .filter(|commit| !commit.is_empty());
    let commit = given.or_else(head).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=GORDON_JANITOR_COMMIT={commit}");
    let target = env::var("TARGET").unwrap_or_else(|_| "unknown".to_owned());
    println!("cargo::rustc-env=GORDON_JANITOR_TARGET={target}");
}

/// Returns the commit that is checked out, if the sources are this
/// repository's own and not a copy inside another one.
fn head() -> Option<String> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?);
    if Path::new(&git(&["rev-parse", "--show-toplevel"])?)
        .canonicalize()
        .ok()?
        != root.canonicalize().ok()?
    {
        return None;
    }
    // HEAD changes when a branch is checked out, its log whenever it moves.
    // Only files that are there may be named: cargo takes a missing one for changed.
    for name in ["HEAD", "logs/HEAD"] {
        let path = root.join(git(&["rev-parse", "--git-path", name])?);
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output
        .status
        .success()
        .then(|| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}
