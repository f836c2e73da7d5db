//! Every source file is a module of the one above it. The compiler says nothing about a file that nobody
//! names, and tests in it never fail.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn no_source_file_is_left_behind() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for room in [
        "host",
        "plugin-api/src",
        "plugins",
        "tests/integration",
        "tests/google/src",
    ] {
        collect(&root.join(room), &mut sources);
    }
    assert!(sources.len() > 500, "{} files", sources.len());
    let forgotten = sources.iter().filter(|source| !is_named(source));
    let forgotten = forgotten.collect::<Vec<_>>();
    assert!(forgotten.is_empty(), "no `mod` line for {forgotten:#?}");
}

fn collect(directory: &Path, sources: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        // Cargo finds these by itself.
        if ["benches", "bin", "examples", "tests"]
            .iter()
            .any(|name| path.ends_with(name))
            && path.parent().unwrap().join("Cargo.toml").exists()
            || path.ends_with("src/bin")
        {
            continue;
        }
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
}

/// Whether the file's parent has a `mod` line for it.
fn is_named(source: &Path) -> bool {
    let is = |name: &str| source.file_name().is_some_and(|file| file == name);
    if ["lib.rs", "main.rs", "build.rs"].into_iter().any(is) {
        return true;
    }
    let module = if is("mod.rs") {
        source.parent().unwrap()
    } else {
        source
    };
    let name = module.file_stem().unwrap().to_str().unwrap();
    let line = format!("mod {name};");
    let above = module.parent().unwrap();
    let parents = ["mod.rs", "lib.rs", "main.rs"].map(|file| above.join(file));
    let beside = above.with_extension("rs");
    parents.iter().chain([&beside]).any(|parent| {
        let text = fs::read_to_string(parent).unwrap_or_default();
        text.lines().any(|at| at.trim_end().ends_with(&line))
    })
}
