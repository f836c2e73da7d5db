use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use janitor_plugin_api::abi::abi_stable::std_types::RStr;
use janitor_plugin_api::abi::channel::RawReports as _;
use janitor_plugin_api::abi::values::OutcomeCode;
use janitor_plugin_api::dns::{LeftAlone, Name, Ttl, ZoneBuilder, diff};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use super::reading::{PastRun, PastZone, State};
use super::*;
use crate::config::History;
use crate::problem::Code;
use crate::report::{LeftOut, LeftOutKind, Report, ZoneReport};
use crate::resolve::Deployment;
use crate::stations::convergence::Settings;
use crate::stations::outcomes::Outcomes;
use crate::stations::planned::PlannedZone;
use crate::stations::route::{Publishers, Route};
use crate::stations::survey::Survey;

/// The changes from `actual` to `desired`, addresses of names below `apex`.
pub(super) fn planned(apex: &str, desired: &[&str], actual: &[&str]) -> PlannedZone {
    let apex: Name = apex.parse().unwrap();
    let build = |owners: &[&str]| {
        let mut builder = ZoneBuilder::new(apex.clone());
        for owner in owners {
            builder
                .push_text(owner, Ttl::default(), "A", "192.0.2.1")
                .unwrap();
        }
        builder
    };
    let mut wanted = build(desired);
    wanted.set_complete();
    let wanted = wanted.build_desired().unwrap();
    let served = build(actual).build_actual().unwrap();
    let changes = diff(&wanted, &served, &LeftAlone::default()).unwrap();
    let mut zone = PlannedZone::new(changes, Arc::new(Route::to_all("a.reconciler".into())));
    zone.desired = desired.len();
    zone.actual = Some(Survey {
        rrsets: 7,
        ..Survey::default()
    });
    zone
}

pub(super) fn report(plan: &[PlannedZone]) -> Report {
    let zones = plan.iter().map(|zone| ZoneReport {
        actual: Some(7),
        ..ZoneReport::of(zone, Some("an.authority".into()))
    });
    Report {
        zones: zones.collect(),
        ..Report::default()
    }
}

pub(super) fn settings() -> History {
    History {
        enabled: true,
        keep_days: 90,
        keep_runs: 3,
        wait: Duration::ZERO,
    }
}

pub(super) fn deployment() -> Deployment {
    Deployment {
        plugins: Vec::new(),
        passed_over: Vec::new(),
        missing_authorities: Vec::new(),
        warnings: Vec::new(),
    }
}

pub(super) fn recorder(record: Record, root: &Path) -> Recorder {
    let turn = Turn::take(root, Duration::ZERO, &mut |_| {}).unwrap();
    let start = Start {
        kind: Kind::Run,
        made_at: moment(),
        deployment: &deployment(),
        policy: None,
        undoes: None,
    };
    Recorder::new(record, turn, settings(), &start).unwrap()
}

fn moment() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

pub(super) fn ending(code: u8) -> Ending<'static> {
    Ending {
        exit_code: code,
        status: "success",
        causes: Vec::new(),
    }
}

/// A run with this plan, in which `publisher` reports `outcome` for every change. Returns its number.
pub(super) fn life(root: &Path, plan: &[PlannedZone], outcome: OutcomeCode) -> u64 {
    let record = Record::open(root, Access::Write).unwrap().unwrap();
    let recorder = recorder(record, root);
    let mut report = report(plan);
    let outcomes = Outcomes::new("a.publisher".into());
    recorder
        .intend(plan, &report, &[], |_| vec![outcomes.publisher()])
        .unwrap();
    for (zone, told) in plan.iter().zip(&mut report.zones) {
        let number = zone.changes().len();
        let ticket = outcomes.expect(number);
        if number > 0 {
            let count = u32::try_from(number).unwrap();
            outcomes.report(ticket, 0, count, outcome, RStr::from("because"));
            let tally = outcomes.tally(ticket);
            told.published
                .push((Arc::clone(outcomes.publisher()), tally));
        }
    }
    recorder.note(&[outcomes]).unwrap();
    recorder
        .end(&ending(report.exit_code()), plan, &report)
        .unwrap();
    recorder.run()
}

fn read(root: &Path) -> Record {
    Record::open(root, Access::Read).unwrap().unwrap()
}

fn zones(root: &Path, run: u64) -> Vec<PastZone> {
    read(root).zones_of(run).unwrap()
}

fn run(root: &Path, id: u64) -> PastRun {
    read(root).run(id).unwrap().unwrap()
}

fn rows(root: &Path, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    read(root)
        .connection
        .query_row(&sql, [], |row| row.get(0))
        .unwrap()
}

#[test]
fn what_a_run_did_is_read_as_it_was_written() {
    let root = tempfile::tempdir().unwrap();
    let plan = [
        planned("a.test", &["new"], &["old"]),
        planned("b.test", &["same"], &["same"]),
    ];
    let id = life(root.path(), &plan, OutcomeCode::ACCEPTED);

    let run = run(root.path(), id);
    assert!(matches!(run.state, State::Ended { exit_code: 0, .. }));
    assert_eq!(
        (run.zones, run.changes.total(), run.published),
        (2, 2, true)
    );
    let record = read(root.path());
    let zones = record.zones_of(id).unwrap();
    let names = zones
        .iter()
        .map(|zone| zone.apex.clone().unwrap().to_string());
    assert_eq!(names.collect::<Vec<_>>(), ["a.test.", "b.test."]);
    let changes = record.changes(&zones[0]).unwrap().unwrap();
    assert_eq!(changes.octets(), plan[0].changes().octets());
    assert_eq!(zones[0].outcome(1), Some(OutcomeCode::ACCEPTED));
    assert_eq!(zones[0].outcomes[0].reasons, ["because"]);
    assert!(record.changes(&zones[1]).unwrap().is_none());
    assert!(zones[1].outcomes.is_empty());
    assert_eq!(zones[1].facts.reconciler.as_deref(), Some("a.reconciler"));
}

#[test]
fn a_zone_that_stays_as_it_is_needs_no_further_row() {
    let root = tempfile::tempdir().unwrap();
    let plan = [planned("a.test", &["same"], &["same"])];
    let runs = [(); 3].map(|()| life(root.path(), &plan, OutcomeCode::APPLIED));

    assert_eq!(rows(root.path(), "zones"), 1);
    for run in runs {
        assert_eq!(zones(root.path(), run).len(), 1, "{run}");
    }
    // It changes, and a run in which it took no part lies between.
    life(
        root.path(),
        &[planned("a.test", &["x", "y"], &["x", "y"])],
        OutcomeCode::APPLIED,
    );
    let without = life(root.path(), &[], OutcomeCode::APPLIED);
    life(root.path(), &plan, OutcomeCode::APPLIED);
    assert_eq!(rows(root.path(), "zones"), 3);
    assert!(zones(root.path(), without).is_empty());
}

#[test]
fn changes_that_are_sent_again_and_again_are_kept_once() {
    let root = tempfile::tempdir().unwrap();
    let plan = [planned("a.test", &["new"], &["old"])];
    for _ in 0..3 {
        life(root.path(), &plan, OutcomeCode::REFUSED);
    }
    assert_eq!(
        (rows(root.path(), "zones"), rows(root.path(), "contents")),
        (3, 1)
    );
}

#[test]
fn only_a_zone_in_which_all_is_well_is_remembered_as_good() {
    let root = tempfile::tempdir().unwrap();
    let good = [
        planned("changed.test", &["new"], &["old"]),
        planned("same.test", &["same"], &["same"]),
    ];
    life(root.path(), &good, OutcomeCode::APPLIED);
    let mut incomplete = planned("incomplete.test", &["same"], &["same"]);
    incomplete.complete = false;
    life(
        root.path(),
        &[planned("refused.test", &["new"], &[]), incomplete],
        OutcomeCode::REFUSED,
    );
    life(
        root.path(),
        &[planned("lost.test", &["new"], &[])],
        OutcomeCode::UNKNOWN,
    );

    let memories = read(root.path()).memories().unwrap();
    let good = memories
        .iter()
        .filter(|(_, memory)| memory.last_good.is_some());
    let good = good.map(|(apex, _)| apex.to_string()).collect::<Vec<_>>();
    assert_eq!(good, ["changed.test.", "same.test."]);
    let changed: Name = "changed.test".parse().unwrap();
    let last_good = memories[&changed].last_good.unwrap();
    assert_eq!(
        (last_good.desired, last_good.actual, last_good.run),
        (1, Some(7), 1)
    );
    // Whatever came of it, nothing older than what was sent may be sent again.
    let refused: Name = "refused.test".parse().unwrap();
    let applied = memories[&refused].applied.unwrap();
    assert_eq!((applied.made_at, applied.run), (moment(), 2));
}

#[test]
fn what_is_forgotten_is_how_large_a_zone_was_and_not_what_was_applied() {
    let root = tempfile::tempdir().unwrap();
    life(
        root.path(),
        &[planned("a.test", &["new"], &["old"])],
        OutcomeCode::APPLIED,
    );
    let apex: Name = "a.test".parse().unwrap();
    let mut record = Record::open(root.path(), Access::Write).unwrap().unwrap();
    assert!(record.forget(&apex).unwrap());
    assert!(!record.forget(&apex).unwrap());
    let memory = record.memories().unwrap().remove(&apex).unwrap();
    assert!(memory.last_good.is_none());
    assert!(memory.applied.is_some());
    assert_eq!(record.history_of(&apex, 9).unwrap().len(), 1);
}

#[test]
fn what_is_left_out_is_kept_with_its_reason() {
    let root = tempfile::tempdir().unwrap();
    let record = Record::open(root.path(), Access::Write).unwrap().unwrap();
    let recorder = recorder(record, root.path());
    let left_out = |zone: Option<&str>| LeftOut {
        zone: zone.map(|zone| zone.parse().unwrap()),
        what: "a file".to_owned(),
        plugin: Some("p".into()),
        kind: LeftOutKind::Reported,
        reason: vec!["cannot read it".to_owned()],
        hint: None,
    };
    let mut report = report(&[]);
    let first = [left_out(Some("a.test"))];
    recorder
        .intend(&[], &report, &first, |_| Vec::new())
        .unwrap();
    // A publisher has left something out meanwhile.
    report.left_out = vec![left_out(Some("a.test")), left_out(None)];
    recorder.end(&ending(3), &[], &report).unwrap();

    let zones = zones(root.path(), recorder.run());
    assert_eq!(zones.len(), 2);
    assert_eq!(zones[0].apex, None);
    let absence = zones[0].facts.left_out.as_ref().unwrap();
    assert_eq!(
        (&*absence.what, &*absence.reason[0]),
        ("a file", "cannot read it")
    );
    assert_eq!(run(root.path(), recorder.run()).left_out, 2);
}

#[test]
fn old_runs_go_and_the_latest_stay_however_old_they_are() {
    let root = tempfile::tempdir().unwrap();
    let changing = [planned("a.test", &["new"], &["old"])];
    life(root.path(), &changing, OutcomeCode::APPLIED);
    let same = [planned("b.test", &["same"], &["same"])];
    for _ in 0..5 {
        life(root.path(), &same, OutcomeCode::APPLIED);
    }
    assert_eq!(read(root.path()).bounds().unwrap(), Some((1, 6)));
    let mut record = Record::open(root.path(), Access::Write).unwrap().unwrap();
    let later = Timestamp::now() + SignedDuration::from_hours(24 * 91);
    keeping::prune(&mut record.connection, &settings(), later).unwrap();

    // As many as `keep_runs`, and what they share with older ones is whole.
    assert_eq!(record.bounds().unwrap(), Some((4, 6)));
    assert_eq!(record.zones_of(4).unwrap().len(), 1);
    assert_eq!(
        (rows(root.path(), "contents"), rows(root.path(), "parts")),
        (0, 0)
    );
    let a: Name = "a.test".parse().unwrap();
    assert!(record.memories().unwrap().contains_key(&a));
}

#[test]
fn what_is_taken_out_gives_its_room_back_to_the_file_system() {
    let root = tempfile::tempdir().unwrap();
    let many = (0..20_000).map(|n| format!("name{n}")).collect::<Vec<_>>();
    let many = many.iter().map(|name| &**name).collect::<Vec<_>>();
    life(
        root.path(),
        &[planned("a.test", &many, &[])],
        OutcomeCode::APPLIED,
    );
    for _ in 0..5 {
        life(root.path(), &[], OutcomeCode::APPLIED);
    }
    let size = || fs::metadata(root.path().join(FILE)).unwrap().len();
    let before = size();
    let mut record = Record::open(root.path(), Access::Write).unwrap().unwrap();
    let later = Timestamp::now() + SignedDuration::from_hours(24 * 91);
    keeping::prune(&mut record.connection, &settings(), later).unwrap();
    assert!(size() < before / 2, "{before} before, {} after", size());
}

/// The history as each version wrote it, oldest first.
const VERSIONS: &[&str] = &[include_str!("../../tests/vectors/history/1.sql")];

fn of_version(version: usize) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let connection = Connection::open(root.path().join(FILE)).unwrap();
    connection.execute_batch(VERSIONS[version - 1]).unwrap();
    root
}

#[test]
fn the_history_of_every_older_version_is_read_and_goes_on() {
    assert_eq!(VERSIONS.len() + 1, schema::STEPS.len(), "a dump of each");
    for version in 1..=VERSIONS.len() {
        let root = of_version(version);
        // Whoever only looks leaves the file as it is.
        let before = fs::read(root.path().join(FILE)).unwrap();
        let record = read(root.path());
        let known = record.run(1).unwrap().unwrap();
        assert_eq!((known.user.as_str(), known.changes.total()), ("gordon", 2));
        let zone = &record.zones_of(1).unwrap()[0];
        let changes = record.changes(zone).unwrap().unwrap();
        assert_eq!(
            changes.octets(),
            planned("a.test", &["new"], &["old"]).changes().octets()
        );
        let a: Name = "a.test".parse().unwrap();
        assert_eq!(record.memories().unwrap()[&a].last_good.unwrap().desired, 1);
        drop(record);
        assert_eq!(fs::read(root.path().join(FILE)).unwrap(), before);

        let next = life(
            root.path(),
            &[planned("a.test", &["new"], &["new"])],
            OutcomeCode::APPLIED,
        );
        assert_eq!(next, 2);
        assert_eq!(run(root.path(), 1).user, "gordon");
    }
}

fn refused(root: &Path) -> String {
    let texts = [Access::Read, Access::Write].map(|access| {
        let problem = Record::open(root, access)
            .and_then(|record| record.unwrap().memories())
            .err()
            .unwrap();
        problem
            .to_string()
            .replace(&root.display().to_string(), "<root>")
    });
    assert_eq!(texts[0], texts[1]);
    let [text, _] = texts;
    text
}

#[test]
fn a_history_from_the_future_is_refused_and_stays_as_it_is() {
    let root = tempfile::tempdir().unwrap();
    life(root.path(), &[], OutcomeCode::APPLIED);
    let connection = Connection::open(root.path().join(FILE)).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = fs::read(root.path().join(FILE)).unwrap();
    insta::assert_snapshot!(refused(root.path()), @r"
    error[GJ802]: the history is from the future: a newer gordon-janitor wrote it
      where: <root>/history.sqlite
      found: it has version 99, and this gordon-janitor knows 2
      because: what it remembers of the zones cannot be read, and limits would compare with nothing
      help: run the newer gordon-janitor, or move the file away to begin a new history
    ");
    assert_eq!(fs::read(root.path().join(FILE)).unwrap(), before);
}

#[test]
fn what_is_no_history_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join(FILE);
    fs::write(
        &path,
        "these are no tables at all, but more than a header is long".repeat(99),
    )
    .unwrap();
    insta::assert_snapshot!(refused(root.path()), @r"
    error[GJ804]: the history is damaged
      where: <root>/history.sqlite
      found: file is not a database
      because: what it remembers of the zones cannot be trusted, and limits would compare with nothing
      help: move the file away to begin a new history, or put a copy back
      help: sqlite3 can often save most of what a damaged file holds: .recover
    ");

    fs::remove_file(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE songs (title TEXT)")
        .unwrap();
    drop(other);
    insta::assert_snapshot!(refused(root.path()), @r"
    error[GJ804]: the history is damaged
      where: <root>/history.sqlite
      found: it is a database of another program
      because: what it remembers of the zones cannot be trusted, and limits would compare with nothing
      help: move the file away to begin a new history, or put a copy back
      help: sqlite3 can often save most of what a damaged file holds: .recover
    ");
}

#[test]
fn what_is_no_file_in_the_place_of_one_is_neither_waited_for_nor_written_over() {
    use std::os::unix::fs::symlink;

    let pipe = |path: &Path| {
        let fifo = rustix::fs::FileType::Fifo;
        let mode = rustix::fs::Mode::RWXU;
        rustix::fs::mknodat(rustix::fs::CWD, path, fifo, mode, 0).unwrap();
    };
    let root = tempfile::tempdir().unwrap();
    life(root.path(), &[], OutcomeCode::APPLIED);
    // SQLite would wait for ever for somebody to write into it.
    let journal = root.path().join("history.sqlite-journal");
    pipe(&journal);
    insta::assert_snapshot!(refused(root.path()), @r"
    error[GJ801]: cannot use the history
      where: <root>/history.sqlite
      found: <root>/history.sqlite-journal is not a regular file
      help: a directory that this user can write to: core.state_dir, or StateDirectory= of the service manager
      help: [core.history] enabled = false does without a history
    ");
    fs::remove_file(journal).unwrap();

    // A history on a disk that is not mounted is not the same as none.
    let path = root.path().join(FILE);
    let elsewhere = root.path().join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    life(root.path(), &[], OutcomeCode::APPLIED);
    fs::rename(&elsewhere, root.path().join("unmounted")).unwrap();
    let text = refused(root.path());
    let found = "found: <root>/history.sqlite is a link to what is not there\n";
    assert!(text.contains(found), "{text}");
    assert!(!elsewhere.exists());

    let lock = root.path().join("lock");
    let precious = root.path().join("precious");
    fs::write(&precious, "not ours").unwrap();
    fs::remove_file(&lock).unwrap();
    symlink(&precious, &lock).unwrap();
    let turn = Turn::take(root.path(), Duration::ZERO, &mut |_| {});
    assert!(turn.is_err(), "{turn:?}");
    assert_eq!(fs::read_to_string(precious).unwrap(), "not ours");
}

#[test]
fn a_history_that_is_cut_short_or_written_over_is_never_taken_for_a_good_one() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join(FILE);
    let zones = (0..40).map(|n| planned(&format!("z{n}.test"), &["new"], &["old"]));
    life(
        root.path(),
        &zones.collect::<Vec<_>>(),
        OutcomeCode::APPLIED,
    );
    let whole = fs::read(&path).unwrap();
    let expected = read(root.path()).memories().unwrap().len();
    for cut in (1..whole.len()).step_by(whole.len() / 40) {
        let mut zeroed = whole.clone();
        zeroed[cut..].fill(0);
        for damaged in [&whole[..cut], &zeroed] {
            fs::write(&path, damaged).unwrap();
            // Whatever is found missing is an error; what is not, was not damaged.
            if let Ok(Some(record)) = Record::open(root.path(), Access::Read)
                && let Ok(memories) = record.memories()
            {
                assert_eq!(memories.len(), expected, "{cut}");
            }
        }
    }
}

#[test]
fn nobody_else_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = tempfile::tempdir().unwrap();
    life(root.path(), &[], OutcomeCode::APPLIED);
    let mode = fs::metadata(root.path().join(FILE))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let names = fs::read_dir(root.path()).unwrap();
    let mut names = names
        .map(|entry| entry.unwrap().file_name())
        .collect::<Vec<_>>();
    names.sort();
    assert_eq!(names, [FILE, "lock"]);
}

#[test]
fn what_cannot_be_written_is_an_error_before_anything_is_published() {
    let root = tempfile::tempdir().unwrap();
    let record = Record::open(root.path(), Access::Write).unwrap().unwrap();
    let recorder = recorder(record, root.path());
    // Somebody else writes for longer than anybody has patience.
    let other = Connection::open(root.path().join(FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    recorder
        .state()
        .record
        .connection
        .busy_timeout(Duration::ZERO)
        .unwrap();
    let plan = [planned("a.test", &["new"], &["old"])];
    let problem = recorder
        .intend(&plan, &report(&plan), &[], |_| Vec::new())
        .unwrap_err();
    assert_eq!(problem.code(), Code::NotRecorded);
    let text = problem
        .to_string()
        .replace(&root.path().display().to_string(), "<root>");
    insta::assert_snapshot!(text, @r"
    error[GJ805]: cannot record what is about to be published; nothing is published
      where: <root>/history.sqlite
      found: another program has locked it
      because: a run that dies while it publishes would leave no trace of what it did
      help: make room, or mend what is in the way, and run again
    ");
}

#[test]
fn a_change_is_only_applied_if_every_publisher_of_its_route_says_so() {
    for (keys, is_applied) in [
        (&["a.publisher"][..], true),
        (&["a.publisher", "gone.publisher"], false),
    ] {
        let root = tempfile::tempdir().unwrap();
        let record = Record::open(root.path(), Access::Write).unwrap().unwrap();
        let recorder = recorder(record, root.path());
        let keys = keys.iter().map(|key| Arc::from(*key));
        let mut plan = [planned("a.test", &["new"], &["old"])];
        plan[0].route = Arc::new(Route {
            reconciler: "a.reconciler".into(),
            publishers: Publishers::Only(keys.collect()),
        });
        let report = report(&plan);
        let outcomes = [Outcomes::new("a.publisher".into())];
        recorder
            .intend(&plan, &report, &[], |_| vec![outcomes[0].publisher()])
            .unwrap();
        let ticket = outcomes[0].expect(2);
        outcomes[0].report(ticket, 0, 2, OutcomeCode::APPLIED, RStr::from(""));
        recorder.settle(&plan, &outcomes, &BTreeMap::new(), &Settings::default());
        recorder.end(&ending(0), &plan, &report).unwrap();
        drop(recorder);
        let memories = read(root.path()).memories().unwrap();
        let memory = memories.values().next();
        let unsettled = memory.and_then(|memory| memory.unsettled.as_ref());
        assert_eq!(unsettled.is_some(), is_applied);
    }
}

#[test]
fn an_outcome_that_cannot_be_written_is_a_warning_and_the_intent_stays() {
    let root = tempfile::tempdir().unwrap();
    let record = Record::open(root.path(), Access::Write).unwrap().unwrap();
    let recorder = recorder(record, root.path());
    let plan = [planned("a.test", &["new"], &["old"])];
    let outcomes = Outcomes::new("a.publisher".into());
    recorder
        .intend(&plan, &report(&plan), &[], |_| vec![outcomes.publisher()])
        .unwrap();
    let other = Connection::open(root.path().join(FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    recorder
        .state()
        .record
        .connection
        .busy_timeout(Duration::ZERO)
        .unwrap();
    let ticket = outcomes.expect(2);
    outcomes.report(ticket, 0, 2, OutcomeCode::APPLIED, RStr::from(""));
    let problem = recorder.note(&[outcomes]).unwrap_err();
    let text = problem
        .to_string()
        .replace(&root.path().display().to_string(), "<root>");
    insta::assert_snapshot!(text, @r"
    warning[GJ806]: cannot record what became of the run
      where: <root>/history.sqlite
      found: another program has locked it
      because: the history knows what run 1 was about to do, and not what came of it
      help: make room, or mend what is in the way; the next run finds out what is served
    ");
    let zone = &zones(root.path(), 1)[0];
    assert_eq!(zone.outcomes[0].each, None);
    assert_eq!(zone.outcome(0), Some(OutcomeCode::UNKNOWN));
}
