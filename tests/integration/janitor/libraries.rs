//! Where cargo has put the libraries.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The path of the library `lib<name>.so`, built by cargo for this test.
///
/// # Panics
///
/// If cargo has not built it and cannot.
pub(crate) fn library(name: &str) -> PathBuf {
    let file = format!("lib{name}.so");
    // Dependencies of a test lie beside it.
    let executable = env::current_exe().expect("a program knows its path");
    let beside = executable.with_file_name(&file);
    if beside.is_file() {
        return beside;
    }
    let built = built_now().iter().find(|path| path.ends_with(&file));
    built
        .unwrap_or_else(|| panic!("cargo builds no {file}; it belongs to [dev-dependencies]"))
        .clone()
}

/// The libraries that a nested cargo builds and names: other layouts of its target directory have no
/// place where all of them lie together.
fn built_now() -> &'static [PathBuf] {
    static BUILT: OnceLock<Vec<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(|| {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--workspace", "--lib", "--message-format=json"])
            .stderr(Stdio::inherit());
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        let output = build.output().expect("cargo can be started");
        assert!(output.status.success(), "cargo cannot build the libraries");
        let messages = serde_json::Deserializer::from_slice(&output.stdout);
        messages
            .into_iter::<serde_json::Value>()
            .map(|message| message.expect("cargo writes JSON"))
            .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default())
            .filter_map(|path| Some(Path::new(path.as_str()?).to_owned()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "so"))
            .collect()
    })
}

/// `program`, which starts another cargo, without what this cargo tells its tests: the other would
/// take that for orders.
pub(crate) fn cargo(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let is_cargos =
            name.starts_with("CARGO") && !["CARGO_HOME", "CARGO_NET_OFFLINE"].contains(&&*name);
        if is_cargos || name.starts_with("RUSTC") || name == "RUSTUP_TOOLCHAIN" || name == "RUSTDOC"
        {
            command.env_remove(name);
        }
    }
    command
}

/// What is told of a library, without the number of its plugins: a villain more or less is nothing to
/// most tests.
pub(crate) fn uncounted(told: &str) -> String {
    let lines = told.lines().map(|line| {
        let split = line.split_once(" and ").zip(line.split_once(" more; "));
        match split {
            Some(((before, _), (_, after))) => format!("{before} and <n> more; {after}\n"),
            None => format!("{line}\n"),
        }
    });
    lines.collect()
}
