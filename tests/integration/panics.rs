//! Plugins that panic, in every place where code of theirs runs: the others go on, and the run says
//! which one it was and where.

use insta::assert_snapshot;

use crate::janitor::{Janitor, Run};

/// Where the villains panic on purpose.
const PLACE: &str = " at tests/misbehaving/villain/src/tricks.rs:";

/// A deployment in which something is to be added, updated and deleted.
fn deployment() -> Janitor {
    Janitor::new()
        .desired("example.com", "new A 192.0.2.1\nwww A 192.0.2.2")
        .served("example.com", "old A 192.0.2.1\nwww A 192.0.2.1")
        .served("other.test", "old A 192.0.2.1")
        .settings("[villain]\nzones = ['other.test']")
}

/// What the only failure of a run says, without the number of the line.
fn failure(run: &Run) -> String {
    let failures = run.failures();
    let [failure] = failures.as_slice() else {
        panic!("{failures:#?}");
    };
    let (text, line) = failure
        .split_once(PLACE)
        .unwrap_or_else(|| panic!("{failure}"));
    assert!(line.parse::<u32>().is_ok(), "{failure}");
    text.to_owned()
}

/// Owners of the addresses that are served.
fn owners(janitor: &Janitor, zone: &str) -> Vec<String> {
    let file = janitor.served_file(zone);
    let suffix = format!(".{zone}.");
    let owners = file.lines().filter(|line| line.contains(" A "));
    let owners = owners.filter_map(|line| line.split_whitespace().next());
    owners
        .map(|owner| owner.trim_end_matches(&suffix).to_owned())
        .collect()
}

#[test]
fn in_new_nothing_runs() {
    for (role, others) in [
        ("authority", ["publisher.behaves", "reconciler.behaves"]),
        ("reconciler", ["publisher.behaves", "authority.behaves"]),
        ("publisher", ["reconciler.behaves", "authority.behaves"]),
    ] {
        let key = format!("villain.{role}.panics-in-new");
        let of = |wanted: &str| {
            let other = others.iter().find(|other| other.starts_with(wanted));
            other.map_or_else(|| key.clone(), |other| format!("villain.{other}"))
        };
        let janitor = deployment()
            .authorities(&[&of("authority")])
            .reconcilers(&[&of("reconciler")])
            .publishers(&[&of("publisher")]);
        let run = janitor.run();

        assert_eq!(
            (run.exit_code(), run.status().as_str()),
            (1, "unexpected-error")
        );
        let first = format!(
            "error[GJ501]: plugin \"{key}\" panicked while being created: on purpose, in new{PLACE}"
        );
        assert!(run.errors().starts_with(&first), "{}", run.errors());
        // The others were created, never run, and dropped in peace.
        assert_eq!(run.log_with("running"), [""; 0]);
        for other in others {
            let dropped = format!("INFO: dropped plugin=villain.{other}");
            assert_eq!(run.log_with(&dropped).len(), 1, "{:#?}", run.log());
        }
        assert_eq!(run.abandoned(), [""; 0]);
    }
}

#[test]
fn in_new_the_error_says_whose_fault_it_is() {
    let run = deployment()
        .authorities(&["villain.authority.panics-in-new"])
        .run();
    let told = run.errors();
    let (text, rest) = told.split_once(PLACE).expect("the place is named");
    let (_, rest) = rest.split_once('\n').expect("more lines follow");
    // The library is a link to where cargo built it, which is another place for everyone.
    let (before, file) = rest.split_once("where: ").expect("the file is named");
    let (_, file) = file.split_once("/libjanitor").expect("by its path");
    assert_snapshot!(format!("{text}\n{before}where: […]/libjanitor{file}"), @r#"
    error[GJ501]: plugin "villain.authority.panics-in-new" panicked while being created: on purpose, in new
      where: […]/libjanitor_misbehaving_villain.so 0.0.0
      because: this is a fault in the plugin; gordon-janitor caught it and is intact
      help: report it to whoever made the plugin
    error: 1 error; nothing was run
    "#);
}

#[test]
fn in_new_with_debug_the_others_run_and_delete_nothing() {
    let janitor = deployment()
        .authorities(&["files.zones", "villain.authority.panics-in-new"])
        .settings("[core]\ndebug = true");
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.status().as_str()), (3, "incomplete"));
    let told = run.errors();
    assert!(told.starts_with("warning[GJ501]: "), "{told}");
    assert_eq!(owners(&janitor, "example.com"), ["new", "old", "www"]);
    assert!(
        janitor
            .served_file("example.com")
            .contains("www.example.com. 300 IN A 192.0.2.1\n")
    );
}

#[test]
fn in_run_of_an_authority_the_zones_of_the_others_only_gain() {
    let janitor = deployment().authorities(&["files.zones", "villain.authority.panics-in-run"]);
    let run = janitor.run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    assert_eq!(
        failure(&run),
        "plugin `villain.authority.panics-in-run` panicked: on purpose, in run"
    );
    assert_eq!(owners(&janitor, "example.com"), ["new", "old", "www"]);
    // What it has sent stands. It may name any zone, also one that has `old`.
    assert_eq!(owners(&janitor, "other.test"), ["old", "www"]);
    // After a panic nothing of an instance is called but its drop.
    assert_eq!(run.log_with("cleaned up"), [""; 0]);
    assert_eq!(run.log_with("dropped").len(), 1);
}

#[test]
fn in_run_of_a_reconciler_nothing_is_published() {
    let janitor = deployment()
        .reconcilers(&["villain.reconciler.panics-in-run"])
        .publishers(&["villain.publisher.behaves"]);
    let run = janitor.run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    assert_eq!(
        failure(&run),
        "plugin `villain.reconciler.panics-in-run` panicked: on purpose, in run"
    );
    assert_eq!(run.given(), [""; 0]);
    assert_eq!(run.log_with("cleaned up plugin=villain.publisher").len(), 1);
}

#[test]
fn in_run_of_a_publisher_its_changes_are_unknown_and_the_other_publishers_go_on() {
    let janitor = deployment().publishers(&["villain.publisher.panics-in-run", "files.apply"]);
    let run = janitor.run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    assert_eq!(
        failure(&run),
        "plugin `villain.publisher.panics-in-run` panicked: on purpose, in run"
    );
    assert_eq!(
        run.log_with("changes may or may not"),
        [
            "ERROR: changes may or may not have been applied zone=example.com. publisher=villain.publisher.panics-in-run refused=0 unknown=3 reason=\"the publisher did not report on them; look at the servers before the next run\""
        ]
    );
    assert_eq!(owners(&janitor, "example.com"), ["new", "www"]);
}

#[test]
fn in_a_task_that_nobody_waits_for() {
    let janitor = deployment().authorities(&["files.zones", "villain.authority.panics-in-a-task"]);
    let run = janitor.run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    assert_eq!(
        failure(&run),
        "plugin `villain.authority.panics-in-a-task` panicked: a task that the plugin had spawned panicked: on purpose, in a task"
    );
    assert_eq!(run.log_with("cleaned up").len(), 1);
    // What the task would have sent is missing, so nothing is deleted.
    assert_eq!(owners(&janitor, "example.com"), ["new", "old", "www"]);

    let janitor = deployment().reconcilers(&["villain.reconciler.panics-in-a-task"]);
    let run = janitor.run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    assert_eq!(owners(&janitor, "example.com"), ["old", "www"]);
}

#[test]
fn with_a_payload_that_panics_when_it_is_dropped() {
    let janitor =
        deployment().authorities(&["files.zones", "villain.authority.panics-with-a-bomb"]);
    let run = janitor.run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    assert_eq!(
        failure(&run),
        "plugin `villain.authority.panics-with-a-bomb` panicked: a panic without a text"
    );
}

#[test]
fn in_drop() {
    for (janitor, role) in [
        (
            deployment().authorities(&["files.zones", "villain.authority.panics-in-drop"]),
            "authority",
        ),
        (
            deployment().publishers(&["files.apply", "villain.publisher.panics-in-drop"]),
            "publisher",
        ),
        (
            deployment().reconcilers(&["villain.reconciler.panics-in-drop"]),
            "reconciler",
        ),
    ] {
        let run = janitor.run();
        assert_eq!(
            (run.exit_code(), run.status().as_str()),
            (1, "unexpected-error"),
            "{role}"
        );
        let told = run.failures().join("\n");
        let expected =
            format!("plugin `villain.{role}.panics-in-drop` panicked: on purpose, in drop");
        assert!(told.starts_with(&expected), "{told}");
    }
}

#[test]
fn in_cleanup() {
    let janitor = deployment().authorities(&["files.zones", "villain.authority.panics-in-cleanup"]);
    let run = janitor.run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    assert_eq!(
        failure(&run),
        "plugin `villain.authority.panics-in-cleanup` panicked: on purpose, in cleanup"
    );
}

#[test]
fn the_place_is_logged_when_it_happens() {
    let run = deployment()
        .authorities(&["villain.authority.panics-in-run"])
        .run();
    let logged = run.log_with("ERROR: a plugin panicked");
    let [line] = logged.as_slice() else {
        panic!("{logged:#?}");
    };
    assert!(
        line.starts_with(&format!(
            "ERROR: a plugin panicked panic=\"on purpose, in run{PLACE}"
        )) && line.ends_with(" plugin=villain.authority.panics-in-run"),
        "{line}"
    );
}

#[test]
fn memory_goes_back_to_the_side_that_it_came_from() {
    // The allocator of the villains ends the process when it is given what it has not given out.
    // Zones, answers, changes, reports, settings, log lines, measurements and errors cross in both
    // directions here, to and from a library with the system's allocator as well.
    let run = deployment()
        .authorities(&[
            "files.zones",
            "villain.authority.behaves",
            "villain.authority.talks",
            "villain.authority.measures",
            "villain.authority.leaves-out",
            "villain.authority.fails",
            "villain.authority.panics-in-run",
        ])
        .reconcilers(&["villain.reconciler.behaves"])
        .publishers(&[
            "villain.publisher.behaves",
            "villain.publisher.refuses",
            "files.changes",
        ])
        .run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (1, "unexpected-error")
    );
    assert_eq!(run.failures().len(), 2, "{:#?}", run.failures());
    assert!(!run.errors().contains("GJ504"), "{}", run.errors());
}
