//! Zones that a reconciler reads at the same time, and the serial that publishers are told.

use std::fs;

use rustix::process::Signal;

use crate::janitor::{FICKLE, FILES, HEAD, Janitor, Run, VILLAIN};

const ZONES: [&str; 7] = [
    "a.test", "b.test", "c.test", "d.test", "e.test", "f.test", "g.test",
];

/// Seven zones to change, read by a reconciler that has `settings`.
fn deployment(settings: &str) -> Janitor {
    let janitor = Janitor::new()
        .libraries(&[FILES, FICKLE, VILLAIN])
        .reconcilers(&["fickle.served"])
        .publishers(&["villain.publisher.behaves"])
        .settings(&format!(
            "[fickle.served]\ndirectory = 'served'\n{settings}\n[core]\ngrace = 600"
        ));
    ZONES.into_iter().fold(janitor, |janitor, zone| {
        janitor.desired(zone, "www A 192.0.2.1").served(zone, "")
    })
}

/// How many zones were read at the same time at most, as the plugin counted.
fn most_at_once(run: &Run) -> String {
    let lines = run.log_with("zones were read at once");
    let [line] = lines.as_slice() else {
        panic!("the plugin counts once:\n{}", run.stderr());
    };
    let (_, most) = line.split_once("most=").expect("it counts");
    most.split(' ').next().unwrap_or_default().to_owned()
}

#[test]
fn as_many_zones_are_read_at_once_as_the_reconciler_says_and_no_more() {
    for (at_once, most) in [(0, "1"), (1, "1"), (3, "3"), (7, "7"), (100, "7")] {
        let run = deployment(&format!("at_once = {at_once}\ntogether = {most}")).run();
        assert_eq!(
            (run.exit_code(), run.given().len()),
            (0, 7),
            "{}",
            run.stderr()
        );
        assert_eq!(most_at_once(&run), most);
        assert_eq!(run.log_with("ends reading").len(), ZONES.len());
    }
}

#[test]
fn a_zone_that_cannot_be_read_holds_up_no_other() {
    let janitor = deployment("at_once = 4\ntogether = 4");
    fs::remove_file(janitor.path("served/c.test.zone")).expect("it is there");
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.given().len()), (3, 6));
    let [left_out] = run.left_out().try_into().expect("one zone is left out");
    assert!(
        left_out.starts_with("c.test. plugin=fickle.served"),
        "{left_out}"
    );
}

#[test]
fn a_zone_that_is_not_read_to_the_end_does_not_keep_the_others_from_being_answered() {
    // The first six are asked for; two of them are read, and then the others are dropped.
    for (by, failure) in [
        ("fail", "cannot go on: it stops here"),
        ("panic", "it panicked: it stops here at "),
    ] {
        let run = deployment(&format!(
            "at_once = 6\ntogether = 6\nstops_after = 2\nby = '{by}'"
        ))
        .run();
        if by == "fail" {
            // `Error::retry` is about its zone.
            assert_eq!((run.exit_code(), run.given().len()), (3, 2));
            assert_eq!(run.left_out().len(), 5);
            assert!(run.left_out()[0].contains(failure), "{:?}", run.left_out());
        } else {
            assert_eq!((run.exit_code(), run.given().len()), (1, 0));
            let failures = run.failures();
            assert!(failures[0].contains("it stops here at "), "{failures:?}");
        }
        let (begun, ended) = ("begins to read", "ends reading");
        assert_eq!(run.log_with(begun).len(), run.log_with(ended).len());
    }
}

#[test]
fn a_run_that_is_cancelled_drops_every_read_at_once() {
    // They wait for an eighth that never comes. The grace is ten minutes: whoever waited for it, or
    // for the reads, would not be back in the time of this test.
    let janitor = deployment("at_once = 7\ntogether = 8");
    let mut running = janitor.start(&["run"]);
    running.wait_for("begins to read zone=g.test.");
    running.signal(Signal::TERM);
    let run = running.finish();
    assert_eq!((run.exit_code(), run.status().as_str()), (1, "cancelled"));
    assert_eq!(run.abandoned(), [""; 0]);
    assert_eq!(run.log_with("ends reading").len(), ZONES.len());
    assert_eq!(most_at_once(&run), "7");
}

/// Whole zones change here.
const FREE: &str = "[core.guard]\ndeletions_percent = 'off'\nupdates_percent = 'off'\n";

fn serials(run: &Run) -> Vec<String> {
    let lines = run.log_with("computed from ");
    let said = |line: &String| {
        line.split_once("computed from ")?
            .1
            .split_once(" zone=")
            .map(|(said, _)| said.to_owned())
    };
    lines.iter().filter_map(said).collect()
}

#[test]
fn a_publisher_is_told_the_serial_that_the_changes_were_computed_from() {
    let head = |serial: &str| HEAD.replace(" 1 3600", &format!(" {serial} 3600"));
    let janitor = Janitor::new()
        .publishers(&["villain.publisher.behaves"])
        .settings(FREE)
        .desired("a.test", "www A 192.0.2.1")
        .file(
            "served/a.test.zone",
            format!("{}www A 192.0.2.9\n", head("4294967295")),
        );
    assert_eq!(serials(&janitor.run()), ["serial 4294967295"]);

    // A plan fits although the serial has moved since, and with it what the publisher is told.
    let plan = janitor.path("plan").display().to_string();
    assert_eq!(janitor.plan(&["--out", &plan]).exit_code(), 0);
    let janitor = janitor.file(
        "served/a.test.zone",
        format!("{}www A 192.0.2.9\n", head("7")),
    );
    let applied = janitor.command(&["apply", &plan]);
    assert_eq!(serials(&applied), ["serial 7"], "{}", applied.stderr());

    // The way back is computed from what is served when it is applied.
    let janitor = janitor.file(
        "served/a.test.zone",
        format!("{}www A 192.0.2.1\n", head("8")),
    );
    let undone = janitor.command(&["undo", "2", "--out", &plan]);
    assert_eq!(undone.exit_code(), 0, "{}", undone.stderr());
    let applied = janitor.command(&["apply", &plan]);
    assert_eq!(serials(&applied), ["serial 8"], "{}", applied.stderr());
}

#[test]
fn a_publisher_is_told_of_no_serial_where_nobody_gave_the_actual_zone() {
    let run = Janitor::new()
        .reconcilers(&["villain.reconciler.hides-what-is-served"])
        .publishers(&["villain.publisher.behaves"])
        .desired("a.test", "www A 192.0.2.1")
        .settings(FREE)
        .run();
    assert_eq!(serials(&run), ["no serial"], "{}", run.stderr());
}
