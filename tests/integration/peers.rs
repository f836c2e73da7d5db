//! Programs of others that are asked for their judgement where they are installed.

mod daemon;
mod browser;
mod port;
pub(crate) mod dns_client;
pub(crate) mod name_server;
pub(crate) mod proxy;
pub(crate) mod pubsub;

use std::collections::BTreeSet;
use std::env;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

pub(crate) use self::browser::Browser;
pub(crate) use self::daemon::{Daemon, get};

/// What a name server makes of the zone file `text`: one RR a line, in an order of its own.
///
/// None if there is no such name server, which is said loudly once.
///
/// # Panics
///
/// If the name server would not load the zone.
pub(crate) fn records(zone: &str, text: &str) -> Option<Vec<String>> {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file = directory.path().join("zone");
    std::fs::write(&file, text).expect("a file can be written");
    let mut compile = Command::new("named-compilezone");
    // What the names in rdata lead to, and what is only unusual, is not asked for.
    for check in ["-i", "-k", "-m", "-M", "-n", "-r", "-S", "-T", "-W"] {
        compile.args([check, if check == "-i" { "none" } else { "ignore" }]);
    }
    let compile = compile.args(["-s", "full", "-o", "-", zone]).arg(&file);
    let output = match compile.output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            skipped("needs named-compilezone (Debian: bind9-utils)");
            return None;
        }
        output => output.expect("named-compilezone can be run"),
    };
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "no name server loads {zone}: {stderr}\n{text}"
    );
    // What is behind a semicolon at the start of a line is about signatures, for the server itself.
    let records = stdout.lines().filter(|line| !line.starts_with(';'));
    let lines = records.map(|line| {
        let words = line.split_whitespace().collect::<Vec<_>>();
        words.join(" ")
    });
    Some(lines.collect())
}

/// Whether each of `instances`, which are JSON, fits the JSON Schema at `schema`. They are laid out in
/// `room`.
///
/// None if there is nobody to judge, which is said loudly once.
///
/// # Panics
///
/// If no verdict can be found, as for a schema that is none.
pub(crate) fn fit_schema(
    schema: &Path,
    room: &Path,
    instances: &[impl AsRef<str>],
) -> Option<Vec<bool>> {
    // One call for all: each takes Python a second to start.
    let mut jsonschema = Command::new("jsonschema");
    jsonschema.args(["--output", "pretty"]);
    for (number, instance) in instances.iter().enumerate() {
        let file = room.join(format!("instance-{number}.json"));
        std::fs::write(&file, instance.as_ref()).expect("a file can be written");
        jsonschema.arg("-i").arg(file);
    }
    let output = match jsonschema.arg(schema).output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            skipped("needs jsonschema (Debian: python3-jsonschema)");
            return None;
        }
        output => output.expect("jsonschema can be run"),
    };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let verdicts = (0..instances.len()).map(|number| {
        let is_its = |line: &&str| line.contains(&format!("/instance-{number}.json)"));
        let verdict = said.lines().find(is_its);
        let verdict = verdict.unwrap_or_else(|| panic!("no verdict on {number}:\n{said}"));
        verdict.contains("[SUCCESS]")
    });
    Some(verdicts.collect())
}

/// What `command` prints and how it ends. None if it is not installed, which is said loudly with the
/// Debian `package`.
pub(crate) fn output(command: &mut Command, package: &str) -> Option<Output> {
    match command.output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let program = command.get_program().to_string_lossy();
            skipped(&format!("needs {program} (Debian: {package})"));
            None
        }
        output => Some(output.expect("a command can be run")),
    }
}

/// The environment of a program whose clock is off, as `faketime -f` reads it: `-1h`.
///
/// None if there is no faketime, which is said loudly.
pub(crate) fn clock_off(by: &str) -> Option<Vec<(String, String)>> {
    let output = output(Command::new("faketime").args(["-f", by, "env"]), "faketime")?;
    let environment = String::from_utf8_lossy(&output.stdout);
    let of_clock = environment.lines().filter_map(|line| line.split_once('='));
    let of_clock =
        of_clock.filter(|(name, _)| *name == "LD_PRELOAD" || name.starts_with("FAKETIME"));
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Some(of_clock.map(owned).collect())
}

/// Says that something was not tested, each reason once; a failure where everything that could be
/// installed is.
pub(crate) fn skipped(why: &str) {
    assert!(
        env::var_os("JANITOR_TESTS_NO_SKIP").is_none(),
        "skipping is a failure here: {why}"
    );
    say_once(why);
}

/// Says that something was not tested for want of a right, which nobody can install; each reason once.
pub(crate) fn not_permitted(why: &str) {
    say_once(why);
}

/// Says that something was not tested for want of a program that is in no registry, so that nobody's script
/// can install it; each reason once.
pub(crate) fn not_to_be_had(why: &str) {
    say_once(why);
}

fn say_once(why: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.insert(why.to_owned()) {
        say_skipped(why);
    }
}

/// Says that something was not tested, past the harness, which would keep it to itself.
pub(crate) fn say_skipped(why: &str) {
    say(&format!("skipped: {why}"));
}

/// Writes a line past the harness.
pub(crate) fn say(line: &str) {
    let line = format!("{line}\n");
    io::stderr()
        .write_all(line.as_bytes())
        .expect("standard error can be written to");
}
