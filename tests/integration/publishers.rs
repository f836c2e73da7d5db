//! What publishers can say became of their changes, and what a run makes of it.

use crate::janitor::{Janitor, Run};

/// Two zones: one with an addition, an update and a deletion, one with an addition.
fn run_with(publishers: &[&str]) -> Run {
    deployment(publishers).run()
}

fn deployment(publishers: &[&str]) -> Janitor {
    Janitor::new()
        .publishers(publishers)
        .desired("a.test", "new A 192.0.2.1\nwww A 192.0.2.2")
        .served("a.test", "old A 192.0.2.1\nwww A 192.0.2.1")
        .desired("b.test", "new A 192.0.2.1")
        .served("b.test", "")
}

fn outcome(run: &Run) -> (i32, String) {
    (run.exit_code(), run.status())
}

/// What the log says of changes that did not come about.
fn not_applied(run: &Run) -> Vec<String> {
    let lines = run.log_with("ERROR: changes ");
    let lines = lines
        .iter()
        .map(|line| line.trim_start_matches("ERROR: changes "));
    lines.map(str::to_owned).collect()
}

/// The measurements of changes.
fn measured(run: &Run) -> Vec<String> {
    let lines = run.log_with("[change-message]");
    let lines = lines
        .iter()
        .map(|line| line.trim_start_matches("INFO: [change-message] "));
    lines.map(str::to_owned).collect()
}

#[test]
fn applied_and_accepted_are_both_success() {
    for key in ["villain.publisher.behaves", "villain.publisher.accepts"] {
        let run = run_with(&[key]);
        assert_eq!(outcome(&run), (0, "success".to_owned()));
        assert_eq!(not_applied(&run), [""; 0]);
        assert_eq!(
            measured(&run),
            [
                format!(
                    "value: 2 context: {{'plugin': '{key}', 'action': 'deletions', 'result': 'published'}}"
                ),
                format!(
                    "value: 5 context: {{'plugin': '{key}', 'action': 'additions', 'result': 'published'}}"
                ),
            ]
        );
    }
}

#[test]
fn changes_without_a_report_are_unknown() {
    let run = run_with(&["villain.publisher.is-silent"]);
    assert_eq!(outcome(&run), (1, "unexpected-error".to_owned()));
    assert_eq!(
        not_applied(&run),
        [
            "may or may not have been applied zone=a.test. publisher=villain.publisher.is-silent refused=0 unknown=3 reason=\"the publisher did not report on them; look at the servers before the next run\"",
            "may or may not have been applied zone=b.test. publisher=villain.publisher.is-silent refused=0 unknown=1 reason=\"the publisher did not report on them; look at the servers before the next run\"",
        ]
    );
}

#[test]
fn changes_that_were_never_received_are_unknown() {
    let run = run_with(&["villain.publisher.leaves-early"]);
    assert_eq!(outcome(&run), (1, "unexpected-error".to_owned()));
    assert_eq!(not_applied(&run).len(), 2);
}

#[test]
fn refused_changes_fail_the_run_with_their_reason() {
    let run = run_with(&["villain.publisher.refuses"]);
    assert_eq!(outcome(&run), (1, "unexpected-error".to_owned()));
    assert_eq!(
        not_applied(&run),
        [
            "were not applied zone=a.test. publisher=villain.publisher.refuses refused=3 unknown=0 reason=\"the servers are asleep\"",
            "were not applied zone=b.test. publisher=villain.publisher.refuses refused=1 unknown=0 reason=\"the servers are asleep\"",
        ]
    );
    assert!(
        measured(&run)
            .iter()
            .all(|line| line.ends_with("'result': 'error'}"))
    );
}

#[test]
fn one_refused_change_is_enough() {
    let run = run_with(&["villain.publisher.refuses-one"]);
    assert_eq!(outcome(&run), (1, "unexpected-error".to_owned()));
    assert_eq!(
        not_applied(&run)[0],
        "were not applied zone=a.test. publisher=villain.publisher.refuses-one refused=1 unknown=0 reason=\"the first is always refused\""
    );
}

#[test]
fn an_error_ends_one_publisher_and_not_the_others() {
    let janitor = deployment(&["villain.publisher.fails", "files.apply"]);
    let run = janitor.run();
    assert_eq!(outcome(&run), (1, "unexpected-error".to_owned()));
    assert_eq!(
        run.failures(),
        ["plugin `villain.publisher.fails` failed: cannot reach the moon: no rocket"]
    );
    assert!(janitor.served_file("a.test").contains("new.a.test."));
    assert!(janitor.served_file("b.test").contains("new.b.test."));
}

#[test]
fn reports_on_what_was_not_given_count_for_nothing() {
    let run = run_with(&["liar.publisher.boasts"]);
    assert_eq!(outcome(&run), (1, "unexpected-error".to_owned()));
    assert_eq!(
        not_applied(&run),
        [
            "may or may not have been applied zone=a.test. publisher=liar.publisher.boasts refused=0 unknown=3 reason=\"beyond words\"",
            "may or may not have been applied zone=b.test. publisher=liar.publisher.boasts refused=0 unknown=1 reason=\"beyond words\"",
        ]
    );
    let told = run.log_with("ERROR: a publisher reported on changes that it was not given");
    assert_eq!(told.len(), 10);
}

#[test]
fn every_publisher_gets_every_change() {
    let janitor = deployment(&["files.apply", "villain.publisher.behaves", "files.changes"]);
    let run = janitor.run();
    assert_eq!(outcome(&run), (0, "success".to_owned()));
    assert_eq!(run.given().len(), 5);
    let lines = std::fs::read_to_string(janitor.path("changes.jsonl")).expect("there are changes");
    assert_eq!(lines.lines().count(), 5);
    assert!(
        janitor
            .served_file("a.test")
            .contains("www.a.test. 300 IN A 192.0.2.2\n")
    );
}

#[test]
fn without_changes_nothing_is_given_to_anybody() {
    let janitor = Janitor::new()
        .publishers(&["villain.publisher.behaves", "files.changes"])
        .desired("a.test", "www A 192.0.2.1")
        .served("a.test", "www A 192.0.2.1");
    let run = janitor.run();
    assert_eq!(outcome(&run), (0, "success".to_owned()));
    assert_eq!(run.given(), [""; 0]);
    assert!(!janitor.path("changes.jsonl").exists());
}

#[test]
fn nothing_is_published_before_every_zone_is_planned() {
    let run = run_with(&["villain.publisher.behaves"]);
    let log = run.log();
    let last_planned = log
        .iter()
        .rposition(|line| line.contains("[rrsets-handled]"));
    let first_given = log.iter().position(|line| line.contains("given: "));
    assert!(
        last_planned.is_some() && last_planned < first_given,
        "{log:#?}"
    );
}
