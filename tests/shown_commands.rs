//! Every command that the documents show runs, and prints what they show.
//!
//! A `console` block holds commands after `$ ` and what they print; what follows `# ` is for people
//! alone. The commands of one document are carried out one after the other: those of the README in a
//! copy of the sources' examples, those of `docs/` in a copy of `examples/quickstart`, with the
//! plugins for zone files in `plugins/`, and the metrics relays still to be installed. A command has
//! to succeed, unless the next one is `echo $?`. A line `…` stands for any lines; times, digests and
//! the version are not compared.
//!
//! All other commands, inside of a line or of a unit, have to be ones that the program understands.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

#[path = "support/trees.rs"]
mod trees;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use trees::copy_tree;

/// The libraries of plugins that people use.
const LIBRARIES: [&str; 1] = ["libjanitor_plugin_files.so"];
/// The library that `examples/try` needs besides.
const OF_NAME_SERVERS: &str = "libjanitor_plugin_dns.so";
/// A library that is there to be installed.
const TO_INSTALL: &str = "libjanitor_plugin_metrics.so";
/// What installed documents call the configuration root and the plugin directory.
const INSTALLED: [(&str, &str); 2] = [
    ("plugins", "/usr/lib/gordon-janitor"),
    ("", "/etc/gordon-janitor"),
];
/// What a document may call something that the reader has to put in.
const PLACEHOLDERS: [(&str, &str); 8] = [
    ("DIR", "."),
    ("FILE", "libacme.so"),
    ("KEY", "files.zones"),
    ("NAME", "root"),
    ("RUN", "1"),
    ("SHELL", "bash"),
    ("ZONE", "example.com"),
    ("…", ""),
];

#[test]
fn the_commands_of_the_readme_print_what_it_shows() {
    let place = Place::new();
    let executed = place.carry_out("README.md", place.root.path());
    assert!(executed >= 3, "{executed} commands");
}

#[test]
fn the_commands_of_the_documents_print_what_they_show() {
    for document in documents() {
        let place = Place::new();
        place.carry_out(&document, &place.configuration());
    }
}

#[test]
fn commands_that_are_not_carried_out_are_ones_that_the_program_understands() {
    let mut understood = 0;
    for document in documents().into_iter().chain(["README.md".to_owned()]) {
        let text = text(&document);
        let inside_of_lines = text.split('`').skip(1).step_by(2);
        let inside_of_lines = inside_of_lines.filter(|code| !code.contains('\n'));
        // Of units, of tables of cron, of what only people can carry out.
        let blocks = text.split("```").skip(1).step_by(2);
        let lines = blocks.flat_map(str::lines).filter_map(|line| {
            let at = line.rfind("gordon-janitor ")?;
            let is_a_command = line[..at].is_empty()
                || ["/usr/bin/", "# ", "$ ", "/run/lock/gordon-janitor "]
                    .iter()
                    .any(|before| line[..at].ends_with(before));
            is_a_command.then(|| &line[at..])
        });
        for command in inside_of_lines.chain(lines) {
            let Some(arguments) = command.strip_prefix("gordon-janitor ") else {
                continue;
            };
            assert_understood(&document, arguments);
            understood += 1;
        }
    }
    assert!(understood >= 30, "{understood} commands");
}

fn assert_understood(document: &str, arguments: &str) {
    let words = arguments.split("  #").next().unwrap().split_whitespace();
    let words = words.map(|word| {
        let known = PLACEHOLDERS.iter().find(|(name, _)| *name == word);
        known.map_or(word, |(_, meaning)| meaning)
    });
    // The directory of a document's configuration is not here.
    let words = words.map(|word| word.replace("/etc/gordon-janitor", "."));
    let line = ["gordon-janitor".to_owned()]
        .into_iter()
        .chain(words.filter(|word| !word.is_empty()));
    if let Err(error) = gordon_janitor::args::declared().try_get_matches_from(line) {
        // Help and version end the program, too.
        assert_eq!(error.exit_code(), 0, "{document}: `{arguments}`: {error}");
    }
}

#[test]
fn both_name_servers_are_tried_with_the_same_result() {
    let place = Place::new();
    let Some((code, bind)) = place.try_example("bind") else {
        return;
    };
    assert_eq!(code, Some(0), "{bind}");
    let Some((code, knot)) = place.try_example("knot") else {
        return;
    };
    assert_eq!(code, Some(0), "{knot}");
    let plans = |printed: &str| {
        let lines = printed
            .split("==> ")
            .filter(|part| !part.starts_with("It is corrected"));
        lines.collect::<String>()
    };
    assert_eq!(
        plans(&bind.replace("bind serves", "knot serves")),
        plans(&knot)
    );
}

/// Where the commands of one document are carried out.
struct Place {
    root: TempDir,
}

impl Place {
    fn new() -> Self {
        // Whatever the user's own: others must not be able to write to libraries.
        rustix::process::umask(0o022.into());
        let root = tempfile::tempdir().unwrap();
        copy_tree(&sources().join("examples"), &root.path().join("examples"));
        let place = Self { root };
        // What somebody's own runs have left there.
        fs::remove_dir_all(place.state()).ok();
        let plugins = place.configuration().join("plugins");
        fs::create_dir(&plugins).unwrap();
        for library in LIBRARIES {
            let octets = fs::read(built().join(library)).unwrap();
            fs::write(plugins.join(library), octets).unwrap();
        }
        let to_install = place.configuration().join(TO_INSTALL);
        fs::copy(built().join(TO_INSTALL), to_install).unwrap();
        place
    }

    fn state(&self) -> PathBuf {
        self.configuration().join("state")
    }

    fn configuration(&self) -> PathBuf {
        self.root.path().join("examples/quickstart")
    }

    /// Carries out what `document` shows, and returns the number of commands.
    fn carry_out(&self, document: &str, directory: &Path) -> usize {
        let mut executed = 0;
        let sessions = sessions(&text(document));
        for (index, session) in sessions.iter().enumerate() {
            let shown = &session.command;
            if let Some(server) = shown.strip_prefix("examples/try ") {
                let Some((code, printed)) = self.try_example(server) else {
                    continue;
                };
                let told = format!("{document}: $ {shown}\n{printed}");
                assert_eq!(code, Some(0), "{told}");
                self.assert_shown(&session.shown, &printed, &told);
                executed += 1;
                continue;
            }
            let arguments = ["cargo run --release --", "gordon-janitor"]
                .iter()
                .find_map(|program| shown.strip_prefix(program))
                .filter(|rest| rest.is_empty() || rest.starts_with(' '));
            let Some(arguments) = arguments else {
                assert!(
                    ["tests/run", "echo $?"].contains(&shown.as_str()),
                    "{document}: a command this test does not know: {shown}"
                );
                continue;
            };
            let output = Command::new(env!("CARGO_BIN_EXE_gordon-janitor"))
                .args(arguments.split_whitespace())
                .env(
                    "GORDON_JANITOR_PLUGIN_DIR",
                    self.configuration().join("plugins"),
                )
                .current_dir(directory)
                .output()
                .unwrap();
            // On a terminal both appear, so both have to be what is shown.
            let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            let told = format!("{document}: $ {shown}\n{printed}");
            let code = match sessions.get(index + 1) {
                Some(next) if next.command == "echo $?" => next.shown.join("").parse().unwrap(),
                _ => 0,
            };
            assert_eq!(output.status.code(), Some(code), "{told}");
            if !session.shown.is_empty() {
                self.assert_shown(&session.shown, &printed, &told);
            }
            executed += 1;
        }
        executed
    }

    /// The exit code of `examples/try` and what it prints; None if there is no such server here, which is
    /// said loudly, and a failure where everything that could be installed is.
    fn try_example(&self, server: &str) -> Option<(Option<i32>, String)> {
        let plugins = self.root.path().join("plugins");
        fs::create_dir_all(&plugins).unwrap();
        for library in [LIBRARIES[0], OF_NAME_SERVERS] {
            fs::copy(built().join(library), plugins.join(library)).unwrap();
        }
        let output = Command::new(self.root.path().join("examples/try"))
            .arg(server)
            .env("GORDON_JANITOR", env!("CARGO_BIN_EXE_gordon-janitor"))
            .env("GORDON_JANITOR_PLUGIN_DIR", plugins)
            .output()
            .unwrap();
        let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let is_missing = output.status.code() == Some(77);
        if is_missing {
            assert!(
                std::env::var_os("JANITOR_TESTS_NO_SKIP").is_none(),
                "{printed}"
            );
            // Past the harness, which would keep it to itself.
            let said = format!("skipped: {printed}");
            io::stderr().write_all(said.as_bytes()).unwrap();
        }
        (!is_missing).then_some((output.status.code(), printed))
    }

    fn assert_shown(&self, shown: &[String], printed: &str, told: &str) {
        let mut printed = printed.to_owned();
        let state = self.state().to_str().unwrap().to_owned();
        printed = printed.replace(&state, "/var/lib/gordon-janitor");
        for (directory, installed) in INSTALLED {
            let directory = self.configuration().join(directory);
            let directory = directory.to_str().unwrap().trim_end_matches('/').to_owned();
            printed = printed.replace(&directory, installed);
        }
        let printed = printed.lines().map(comparable).collect::<Vec<_>>();
        let shown = shown
            .iter()
            .map(|line| comparable(line))
            .collect::<Vec<_>>();
        let mut rest = printed.as_slice();
        let mut pieces = shown.split(|line| line == "…");
        let first = pieces.next().unwrap();
        assert!(
            rest.starts_with(first),
            "{first:#?} is not how it begins: {told}"
        );
        rest = &rest[first.len()..];
        let pieces = pieces.collect::<Vec<_>>();
        let Some((last, between)) = pieces.split_last() else {
            assert!(rest.is_empty(), "there is more than is shown: {told}");
            return;
        };
        for piece in between {
            let at = rest.windows(piece.len()).position(|lines| lines == *piece);
            let at = at.unwrap_or_else(|| panic!("{piece:#?} is missing: {told}"));
            rest = &rest[at + piece.len()..];
        }
        assert!(rest.ends_with(last), "{last:#?} is not how it ends: {told}");
    }
}

/// A command, and what it prints.
struct Session {
    command: String,
    shown: Vec<String>,
}

fn sessions(document: &str) -> Vec<Session> {
    let mut sessions: Vec<Session> = Vec::new();
    let mut is_console = false;
    let mut is_for_people = false;
    for line in document.lines() {
        if line.starts_with("```") {
            is_console = line == "```console";
            is_for_people = false;
        } else if !is_console {
            continue;
        } else if let Some(command) = line.strip_prefix("$ ") {
            is_for_people = false;
            sessions.push(Session {
                command: command.split("  #").next().unwrap().trim_end().to_owned(),
                shown: Vec::new(),
            });
        } else if line.starts_with("# ") {
            is_for_people = true;
        } else if !is_for_people {
            let session = sessions.last_mut();
            let session = session.expect("a console block starts with a command");
            session.shown.push(line.to_owned());
        }
    }
    sessions
}

/// A line without what differs from build to build and from moment to moment.
fn comparable(line: &str) -> String {
    let line = match line.split_once(", \"timestamp\": \"") {
        Some((before, _)) => before,
        None => line,
    };
    let digits = |word: &str| {
        let hex = word.trim_end_matches('…');
        hex.len() >= 8 && hex.chars().all(|c| c.is_ascii_hexdigit()) || is_date(word)
    };
    let words = line.split(' ');
    let words = words.map(|word| if digits(word) { "<varies>" } else { word });
    // Columns are as wide as their widest cell.
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    let indent = line.len() - line.trim_start_matches(' ').len();
    format!("{}{}", " ".repeat(indent), words.join(" "))
}

fn is_date(word: &str) -> bool {
    let shape = word
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c });
    shape.collect::<String>().starts_with("0000-00-00")
}

/// The pages for operators and authors, and those for contributors.
fn documents() -> Vec<String> {
    let mut documents = Vec::new();
    for directory in ["docs", "docs/plugins"] {
        for entry in fs::read_dir(sources().join(directory)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                documents.push(format!("{directory}/{name}"));
            }
        }
    }
    documents.sort();
    documents
}

fn text(document: &str) -> String {
    fs::read_to_string(sources().join(document)).unwrap()
}

fn sources() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where cargo leaves the plugin libraries of this build: beside the tests.
fn built() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().to_owned()
}
