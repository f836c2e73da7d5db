//! The commands of the README do what it shows.
//!
//! A `console` block holds commands after `$ ` and what they print. A line `…` stands for any lines;
//! times are compared by their form.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn the_commands_of_the_readme_print_what_it_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let copy = tempfile::tempdir().unwrap();
    copy_tree(&root.join("examples"), &copy.path().join("examples"));
    let mut executed = 0;
    for session in sessions(&readme) {
        let Some(arguments) = session.command.strip_prefix("cargo run --release -- ") else {
            assert_eq!(
                session.command, "tests/run",
                "a command this test does not know"
            );
            continue;
        };
        let output = Command::new(env!("CARGO_BIN_EXE_gordon-janitor"))
            .args(arguments.split(' '))
            .env("GORDON_JANITOR_PLUGIN_DIR", libraries())
            .current_dir(copy.path())
            .output()
            .unwrap();
        // On a terminal both appear, so both have to be what is shown.
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8(printed).unwrap();
        assert!(output.status.success(), "{arguments}: {printed}");
        assert_shown(&session, &printed);
        executed += 1;
    }
    assert_eq!(executed, 3);
}

#[test]
fn the_served_zones_of_the_example_are_as_files_apply_writes_them() {
    // Otherwise `git diff` after the first run would show more than what changed.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
    let copy = tempfile::tempdir().unwrap();
    copy_tree(&root, copy.path());
    let status = Command::new(env!("CARGO_BIN_EXE_gordon-janitor"))
        .args(["run", "-c"])
        .arg(copy.path())
        .env("GORDON_JANITOR_PLUGIN_DIR", libraries())
        .output()
        .unwrap()
        .status;
    assert!(status.success());
    let lines = |root: &Path| {
        let text = fs::read_to_string(root.join("served/example.com.zone")).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (before, after) = (lines(&root), lines(copy.path()));
    let kept = after.iter().filter(|line| before.contains(line)).count();
    let unchanged_rrs = 10;
    assert_eq!(kept, unchanged_rrs, "{after:#?}");
    let order = after.iter().filter(|line| before.contains(line));
    let order_before = before.iter().filter(|line| after.contains(line));
    assert!(order.eq(order_before), "the order of lines changed");
}

struct Session {
    command: String,
    shown: Vec<String>,
}

fn sessions(readme: &str) -> Vec<Session> {
    let mut sessions: Vec<Session> = Vec::new();
    let mut is_console = false;
    for line in readme.lines() {
        if line.starts_with("```") {
            is_console = line == "```console";
        } else if is_console {
            match line.strip_prefix("$ ") {
                Some(command) => sessions.push(Session {
                    command: command.to_owned(),
                    shown: Vec::new(),
                }),
                None => sessions
                    .last_mut()
                    .expect("a console block starts with a command")
                    .shown
                    .push(line.to_owned()),
            }
        }
    }
    sessions
}

fn assert_shown(session: &Session, printed: &str) {
    let printed = printed.lines().map(without_time).collect::<Vec<_>>();
    let shown = session.shown.iter().map(|line| without_time(line));
    let shown = shown.collect::<Vec<_>>();
    match shown.iter().position(|line| line == "…") {
        None => assert_eq!(printed, shown, "$ {}", session.command),
        Some(gap) => {
            let (before, after) = (&shown[..gap], &shown[gap + 1..]);
            assert!(printed.len() > before.len() + after.len(), "{printed:#?}");
            assert_eq!(printed[..gap], *before, "$ {}", session.command);
            assert_eq!(printed[printed.len() - after.len()..], *after);
        }
    }
}

/// A line of JSON without the moment that it was written at.
fn without_time(line: &str) -> String {
    match line.split_once(", \"timestamp\": \"") {
        Some((before, _)) => before.to_owned(),
        None => line.to_owned(),
    }
}

/// Where cargo leaves the plugin libraries of this build: beside the tests.
fn libraries() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().to_owned()
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
