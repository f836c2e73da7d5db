//! Runs whose process is killed: at every step of the way, and at every step that SQLite takes in
//! between.

use std::cell::Cell;
use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use janitor_plugin_api::abi::abi_stable::std_types::RStr;
use janitor_plugin_api::abi::channel::RawReports as _;
use janitor_plugin_api::abi::values::OutcomeCode;
use rusqlite::Connection;
use rustix::process::{Signal, getpid, kill_process};

use super::reading::State;
use super::recorder::Step;
use super::tests::{ending, life, planned, recorder, report};
use super::{Access, FILE, Record, prepare, schema};
use crate::stations::outcomes::Outcomes;

const STEPS: [Step; 5] = [
    Step::Begun,
    Step::Intended,
    Step::Noted,
    Step::Ended,
    Step::Pruned,
];

/// Which directory a child has, and where it is killed: a step, or a number of steps of SQLite.
const CHILD: [&str; 2] = ["JANITOR_TESTS_KILLED_DIRECTORY", "JANITOR_TESTS_KILLED_AT"];

/// What a child has done, in a file that SQLite has nothing to do with.
const MARKS: &str = "marks";

/// How many steps of SQLite are tried, of those that there are.
const KILLS: &str = "JANITOR_TESTS_KILLS";

thread_local! {
    static END: Cell<Option<Step>> = const { Cell::new(None) };
}

pub(super) fn reached(step: Step) {
    if END.get() == Some(step) {
        end();
    }
}

fn end() {
    kill_process(getpid(), Signal::KILL).unwrap();
}

#[test]
fn a_child_runs_until_it_is_killed() {
    let [Some(root), Some(at)] = CHILD.map(env::var_os) else {
        return;
    };
    let (root, at) = (Path::new(&root), at.to_str().unwrap());
    END.set(STEPS.into_iter().find(|step| at == format!("{step:?}")));
    let path = root.join(FILE);
    prepare(&path).unwrap();
    let mut connection = Connection::open(&path).unwrap();
    if let Ok(mut left) = at.parse::<u64>() {
        let handler = move || {
            left = left.saturating_sub(1);
            if left == 0 {
                end();
            }
            false
        };
        connection.progress_handler(1, Some(handler)).unwrap();
    }
    schema::for_writing(&mut connection, &path).unwrap();
    let mark = |text: &str| {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(root.join(MARKS));
        file.unwrap().write_all(text.as_bytes()).unwrap();
    };
    let recorder = recorder(Record { connection, path }, root);
    mark("begun ");
    let plan = [
        planned("a.test", &["new"], &["old"]),
        planned("b.test", &["b"], &["b"]),
    ];
    let report = report(&plan);
    let outcomes = Outcomes::new("a.publisher".into());
    recorder
        .intend(&plan, &report, &[], |_| vec![outcomes.publisher()])
        .unwrap();
    mark("intended ");
    let ticket = outcomes.expect(2);
    outcomes.report(ticket, 0, 2, OutcomeCode::APPLIED, RStr::from(""));
    recorder.note(&[outcomes]).unwrap();
    mark("noted ");
    recorder.end(&ending(0), &plan, &report).unwrap();
    mark("ended ");
}

/// Lets a child run in `root` until it is killed at `at`. False if it has come to its end.
fn killed(root: &Path, at: &str) -> bool {
    let status = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "record::kill_tests::a_child_runs_until_it_is_killed",
        ])
        .envs(CHILD.into_iter().zip([root.as_os_str(), at.as_ref()]))
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(
        status.success() || status.signal() == Some(9),
        "{at}: {status}"
    );
    !status.success()
}

/// The history opens, says no more and no less than what happened, and goes on.
fn tells_the_truth(root: &Path, at: &str) {
    let marks = fs::read_to_string(root.join(MARKS)).unwrap_or_default();
    let marked = |word: &str| marks.split(' ').any(|mark| mark == word);
    if let Some(record) = Record::open(root, Access::Read).unwrap() {
        let check: String = record
            .connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(check, "ok", "{at}");
        let runs = record.runs(9).unwrap();
        assert!(runs.len() <= 1, "{at}: {runs:?}");
        assert!(!runs.is_empty() || !marked("begun"), "{at}");
        for run in runs {
            let zones = record.zones_of(run.id).unwrap();
            let is_ended = matches!(run.state, State::Ended { .. });
            assert!(is_ended || run.state == State::Died, "{at}: {run:?}");
            assert!(is_ended || !marked("ended"), "{at}");
            // All zones are there, or none: and if any publisher could have been given anything, all.
            assert!(zones.is_empty() || zones.len() == 2, "{at}");
            assert!(zones.len() == 2 || !marked("intended"), "{at}");
            if let Some(zone) = zones.first() {
                let changes = record.changes(zone).unwrap().unwrap();
                assert_eq!(changes.len(), 2);
                let outcome = &zone.outcomes[0];
                assert!(outcome.each.is_some() || !marked("noted"), "{at}");
                let applied = [OutcomeCode::APPLIED; 2];
                assert!(
                    outcome.each.as_ref().is_none_or(|each| *each == applied),
                    "{at}"
                );
            }
            let memories = record.memories().unwrap();
            let good = memories
                .values()
                .filter(|memory| memory.last_good.is_some());
            assert_eq!(good.count() > 0, is_ended, "{at}");
        }
    } else {
        assert_eq!(marks, "", "{at}");
    }
    let plan = [planned("a.test", &["new"], &["new"])];
    let next = life(root, &plan, OutcomeCode::APPLIED);
    let record = Record::open(root, Access::Read).unwrap().unwrap();
    let run = record.run(next).unwrap().unwrap();
    assert!(
        matches!(run.state, State::Ended { exit_code: 0, .. }),
        "{at}"
    );
}

#[test]
fn a_run_that_is_killed_at_any_step_leaves_a_history_that_tells_the_truth() {
    for step in STEPS {
        let root = tempfile::tempdir().unwrap();
        let at = format!("{step:?}");
        assert!(killed(root.path(), &at), "{at}");
        tells_the_truth(root.path(), &at);
    }
}

#[test]
fn a_run_that_is_killed_within_any_step_of_sqlite_leaves_a_history_that_tells_the_truth() {
    let kills = env::var(KILLS).map_or(24, |number| number.parse().unwrap());
    // How many there are: they are tried one distance apart, another part of it for each seed.
    let survives = |at: u64| {
        let root = tempfile::tempdir().unwrap();
        !killed(root.path(), &at.to_string())
    };
    let mut all = 1024;
    while !survives(all) {
        all *= 2;
    }
    let seed: u64 = env::var("JANITOR_TESTS_SEED").map_or(1, |seed| seed.parse().unwrap());
    let distance = (all / kills).max(1);
    let mut tried = 0;
    for at in (1 + seed % distance..all).step_by(usize::try_from(distance).unwrap()) {
        let root = tempfile::tempdir().unwrap();
        if !killed(root.path(), &at.to_string()) {
            break;
        }
        tells_the_truth(root.path(), &at.to_string());
        tried += 1;
    }
    assert!(tried * 2 + 2 > kills.min(all), "{tried} of {all}");
}
