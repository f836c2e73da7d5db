//! Runs that are cancelled, by a signal or their own deadline, and plugins that do not care.

use std::io::{BufRead, BufReader};

use rustix::process::{Pid, Signal, kill_process};

use crate::janitor::Janitor;

/// `a.test` and `b.test` are to change.
fn deployment() -> Janitor {
    Janitor::new()
        .desired("a.test", "new A 192.0.2.1")
        .served("a.test", "old A 192.0.2.1")
        .desired("b.test", "new A 192.0.2.1")
        .served("b.test", "old A 192.0.2.1")
}

const SIGNALS: [(Signal, &str); 2] = [(Signal::INT, "SIGINT"), (Signal::TERM, "SIGTERM")];

#[test]
fn a_signal_before_the_plugins_run_keeps_them_from_it() {
    for (signal, name) in SIGNALS {
        let janitor = deployment()
            .authorities(&["files.zones", "villain.authority.waits-in-new"])
            .publishers(&["villain.publisher.behaves"])
            .settings("[core]\ngrace = 10")
            .gate();
        let mut running = janitor.start(&["run"]);
        running.wait_for("waiting at the gate");
        running.signal(signal);
        running.wait_for("the run is cancelled");
        janitor.open_gate();
        let run = running.finish();

        assert_eq!((run.exit_code(), run.status().as_str()), (1, "cancelled"));
        assert_eq!(run.given(), [""; 0]);
        assert_eq!(run.abandoned(), [""; 0]);
        assert_eq!(
            run.log_with("WARNING"),
            [format!(
                "WARNING: the run is cancelled; plugins have the grace to end signal={name}"
            )]
        );
    }
}

#[test]
fn a_signal_while_zones_are_planned_publishes_nothing() {
    for (signal, _) in SIGNALS {
        let janitor = deployment()
            .authorities(&["villain.authority.waits"])
            .settings("[core]\ngrace = 10\n[villain]\nzones = ['a.test']");
        let served = janitor.served_file("a.test");
        let mut running = janitor.start(&["run"]);
        // By now everything there is to plan is planned, and nobody knows that it is everything.
        running.wait_for("'action': 'deletions', 'source': 'files.served'");
        running.signal(signal);
        let run = running.finish();

        assert_eq!((run.exit_code(), run.status().as_str()), (1, "cancelled"));
        assert_eq!(run.failures(), [""; 0]);
        assert_eq!(run.abandoned(), [""; 0]);
        assert_eq!(run.log_with("cleaned up plugin=villain").len(), 1);
        assert_eq!(janitor.served_file("a.test"), served);
        assert_eq!(run.log_with("run complete"), [""; 0]);
    }
}

#[test]
fn a_signal_while_changes_are_published_leaves_no_zone_half_changed() {
    let janitor = deployment().publishers(&["villain.publisher.waits", "files.apply"]);
    let before = ["a.test", "b.test"].map(|zone| janitor.served_file(zone));
    let mut running = janitor.start(&["run"]);
    running.wait_for("waiting");
    running.signal(Signal::TERM);
    let run = running.finish();

    assert_eq!((run.exit_code(), run.status().as_str()), (1, "cancelled"));
    for (zone, before) in ["a.test", "b.test"].into_iter().zip(before) {
        let now = janitor.served_file(zone);
        let is_whole = now.contains("new.") && !now.contains("old.");
        assert!(now == before || is_whole, "{now}");
    }
    // What the one that waited has done with its changes nobody knows.
    let unknown = run.log_with("publisher=villain.publisher.waits refused=0 unknown=2");
    assert_eq!(unknown.len(), 2, "{:#?}", run.log());
}

#[test]
fn a_second_signal_ends_the_grace() {
    let janitor = deployment()
        .authorities(&["villain.authority.hangs"])
        .settings("[core]\ngrace = 3600");
    let mut running = janitor.start(&["run"]);
    running.wait_for("hanging");
    running.signal(Signal::TERM);
    running.wait_for("the run is cancelled");
    running.insist(Signal::INT, "the grace is over");
    let run = running.finish();
    assert_eq!((run.exit_code(), run.status().as_str()), (1, "cancelled"));
    assert_eq!(
        run.log_with("WARNING: the grace"),
        ["WARNING: the grace is over; what has not stopped is left behind signal=SIGINT"]
    );
    let abandoned = run.abandoned();
    assert!(
        abandoned.contains(&"villain.authority.hangs".to_owned()),
        "{abandoned:?}"
    );
    assert!(
        run.errors()
            .contains("because: a second signal ended the grace")
    );
}

#[test]
fn a_plugin_that_does_not_heed_the_cancellation_is_stopped_after_the_grace() {
    let janitor = deployment()
        .authorities(&["villain.authority.hangs"])
        .settings("[core]\ngrace = 0.2");
    let mut running = janitor.start(&["run"]);
    running.wait_for("hanging");
    running.signal(Signal::TERM);
    let run = running.finish();
    assert_eq!((run.exit_code(), run.status().as_str()), (1, "cancelled"));
    // Its future was dropped, the rest of it had its turn.
    assert_eq!(run.log_with("cleaned up plugin=villain").len(), 1);
    assert_eq!(run.log_with("dropped plugin=villain").len(), 1);
    assert_eq!(run.abandoned(), [""; 0]);
}

#[test]
fn the_deadline_cancels_a_run_and_names_who_did_not_stop() {
    for (role, janitor) in [
        (
            "authority",
            deployment().authorities(&["files.zones", "villain.authority.blocks"]),
        ),
        (
            "reconciler",
            deployment().reconcilers(&["villain.reconciler.blocks"]),
        ),
        (
            "publisher",
            deployment().publishers(&["villain.publisher.blocks"]),
        ),
    ] {
        let run = janitor
            .settings("[core]\ndeadline = 1.5\ngrace = 0.1")
            .run();
        assert_eq!(
            (run.exit_code(), run.status().as_str()),
            (1, "unexpected-error"),
            "{role}"
        );
        assert_eq!(
            run.log_with("core.deadline"),
            ["ERROR: the run reached core.deadline and is cancelled"]
        );
        assert_eq!(run.abandoned(), [format!("villain.{role}.blocks")]);
    }
}

#[test]
fn the_deadline_holds_while_plugins_are_created() {
    let janitor = deployment()
        .authorities(&["files.zones", "villain.authority.waits-in-new"])
        .settings("[core]\ndeadline = 1.5\ngrace = 1")
        .gate();
    let run = janitor.run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    assert_eq!(run.abandoned(), ["villain.authority.waits-in-new"]);
}

#[test]
fn the_deadline_stops_a_publisher_and_its_changes_are_unknown() {
    let janitor = deployment()
        .publishers(&["villain.publisher.hangs"])
        .settings("[core]\ndeadline = 1.5\ngrace = 0.1");
    let run = janitor.run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    assert_eq!(run.log_with("unknown=2").len(), 2, "{:#?}", run.log());
}

#[test]
fn a_deadline_that_is_not_reached_changes_nothing() {
    let run = deployment().settings("[core]\ndeadline = 3600").run();
    assert_eq!((run.exit_code(), run.status().as_str()), (0, "success"));
}

#[test]
fn cleaning_up_has_the_grace_and_no_more() {
    for (janitor, key) in [
        (
            deployment().authorities(&["files.zones", "villain.authority.hangs-in-cleanup"]),
            "villain.authority.hangs-in-cleanup",
        ),
        (
            deployment().publishers(&["files.apply", "villain.publisher.hangs-in-cleanup"]),
            "villain.publisher.hangs-in-cleanup",
        ),
    ] {
        let janitor = janitor.settings("[core]\ngrace = 0.2");
        let run = janitor.run();
        assert_eq!(
            (run.exit_code(), run.status().as_str()),
            (1, "unexpected-error")
        );
        assert_eq!(
            run.failures(),
            [format!(
                "plugin `{key}` failed: cleaning up took longer than the grace"
            )]
        );
        assert!(janitor.served_file("a.test").contains("new."));
    }
}

#[test]
fn an_authority_that_stays_behind_its_finished_stream_is_abandoned_in_the_end() {
    let janitor = deployment()
        .authorities(&["files.zones", "liar.authority.stays"])
        .served("honest.test", "")
        .settings("[core]\ngrace = 0.1");
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.status().as_str()), (3, "incomplete"));
    assert_eq!(run.abandoned(), ["liar.authority.stays"]);
    assert!(janitor.served_file("a.test").contains("new."));
    assert!(
        janitor
            .served_file("honest.test")
            .contains("www.honest.test.")
    );
}

#[test]
fn a_signal_while_changes_are_published_stops_at_the_next_zone_and_says_what_was_not_done() {
    let janitor = deployment()
        .publishers(&["villain.publisher.waits-after-the-first"])
        .settings("[core]\ngrace = 10")
        .gate();
    let mut running = janitor.start(&["run"]);
    running.wait_for("waiting at the gate");
    running.signal(Signal::TERM);
    running.wait_for("the run is cancelled");
    janitor.open_gate();
    let run = running.finish();

    assert_eq!((run.exit_code(), run.status().as_str()), (1, "cancelled"));
    assert!(
        run.given().iter().all(|rr| rr.contains("a.test.")),
        "{:?}",
        run.given()
    );
    assert_eq!(
        run.log_with("ERROR: changes "),
        [
            "ERROR: changes were not applied zone=b.test. publisher=villain.publisher.waits-after-the-first \
          refused=2 unknown=0 reason=\"the run was cancelled before their turn\""
        ]
    );
}

#[test]
fn a_publisher_that_is_stuck_does_not_keep_the_end_of_the_stream_from_the_others() {
    let janitor = deployment()
        .publishers(&["villain.publisher.blocks", "villain.publisher.behaves"])
        .settings("[core]\ngrace = 1\nchannel_capacity = 1");
    let mut running = janitor.start(&["run"]);
    running.wait_for("dropped plugin=villain.publisher.behaves");
    running.signal(Signal::TERM);
    let run = running.finish();

    assert_eq!(run.abandoned(), ["villain.publisher.blocks"]);
    assert_eq!(run.given().len(), 4);
}

#[test]
fn a_signal_is_heard_although_nobody_reads_standard_error() {
    for arguments in [["run"].as_slice(), &["run", "--in-process"]] {
        let janitor = deployment()
            .authorities(&["files.zones", "villain.authority.talks-without-end"])
            .settings("[core]\ngrace = 1");
        let mut child = janitor.start_unread(arguments);
        let stderr = child.stderr.take().expect("standard error is a pipe");
        let mut lines = BufReader::with_capacity(64, stderr).lines();
        let talks = lines.any(|line| line.is_ok_and(|line| line.contains("INFO: bla")));
        assert!(talks, "{arguments:?}");
        // From here on nobody reads, and the plugin has far more to say than a pipe holds.
        kill_process(Pid::from_child(&child), Signal::TERM).expect("it is there");
        let status = child.wait().expect("it can be waited for");
        assert_eq!(status.code(), Some(1), "{arguments:?}");
        drop(lines);
    }
}

#[test]
fn a_signal_ends_a_plan_that_nobody_reads() {
    for format in ["text", "json"] {
        let records = (0..3000).map(|n| format!("new-{n} A 192.0.2.1\n"));
        let janitor = Janitor::new()
            .desired("a.test", &records.collect::<String>())
            .served("a.test", "");
        // The reader is there and does not read.
        let (_reader, writer) = std::io::pipe().expect("a pipe can be made");
        let mut running = janitor.start_into(&["plan", "--format", format], writer);
        running.wait_for("[run-ended]");
        running.insist(
            Signal::TERM,
            "the run was over, and a signal cut off what it had to show",
        );
        let run = running.finish();
        assert_eq!(run.exit_code(), 1, "{format}");
        assert!(!run.errors().contains("GJ506"), "{}", run.errors());
    }
}

#[test]
fn a_signal_while_plugins_clean_up_is_heard_and_a_second_one_too() {
    let janitor = deployment()
        .authorities(&["files.zones", "villain.authority.hangs-in-cleanup"])
        .settings("[core]\ngrace = 3600");
    let mut running = janitor.start(&["run"]);
    running.wait_for("cleaning up plugin=villain");
    running.signal(Signal::TERM);
    running.wait_for("the run is cancelled");
    running.insist(Signal::TERM, "the grace is over");
    let run = running.finish();
    assert_eq!((run.exit_code(), run.status().as_str()), (1, "cancelled"));
    assert_eq!(
        run.log_with("WARNING: the grace is over"),
        ["WARNING: the grace is over; what has not stopped is left behind signal=SIGTERM"]
    );
}
