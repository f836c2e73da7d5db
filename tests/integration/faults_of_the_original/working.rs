//! What is done about zones, in what order, and at what cost.

use std::fs;

use super::{deployment, is_corrected};
use crate::janitor::Janitor;

/// B22: the order of changes differed from run to run.
#[test]
fn changes_come_in_the_same_order_in_every_run_and_whatever_the_order_of_the_input() {
    let owners = (0..64).map(|number| format!("host-{number} A 192.0.2.{number}"));
    let owners = owners.collect::<Vec<_>>();
    let zone = |owners: &[String], is_backwards: bool| {
        let mut owners = owners.to_vec();
        if is_backwards {
            owners.reverse();
        }
        owners.join("\n")
    };
    let given = [false, false, true].map(|is_backwards| {
        let run = Janitor::new()
            .publishers(&["villain.publisher.behaves"])
            .desired("example.com", &zone(&owners[..48], is_backwards))
            .served("example.com", &zone(&owners[16..], is_backwards))
            .settings(
                "[core.guard]\ndeletions_percent = 50\n[core.guard.run]\ndeletions_percent = 50",
            )
            .run();
        assert_eq!(run.exit_code(), 0);
        run.given()
    });
    assert_eq!(given[0].len(), 32);
    assert!(given.iter().all(|others| *others == given[0]), "{given:#?}");
}

/// B26: the records of a source that could not be asked were deleted.
#[test]
fn what_a_source_cannot_say_is_not_deleted() {
    let janitor = deployment()
        .authorities(&["files.zones", "villain.authority.is-unsure"])
        .desired("unsure.test", "")
        .served("unsure.test", "old A 192.0.2.1")
        .settings("[villain]\nzones = ['unsure.test']");
    fs::remove_file(janitor.path("desired/unsure.test.zone")).expect("the file is there");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0);
    let served = janitor.served_file("unsure.test");
    assert!(
        served.contains("old A") || served.contains("old.unsure.test."),
        "{served}"
    );
    assert!(served.contains("www.unsure.test."), "{served}");
    assert_eq!(
        run.log_with("WARNING: differences are left as they are")
            .len(),
        1
    );
}

/// B36: what was never published counted as published, and the run as a success.
#[test]
fn a_change_that_was_not_published_is_measured_as_an_error_and_fails_the_run() {
    for key in ["villain.publisher.refuses", "villain.publisher.is-silent"] {
        let run = deployment().publishers(&[key]).run();
        let ended = (run.exit_code(), run.status());
        assert_eq!(ended, (1, "unexpected-error".to_owned()), "{key}");
        assert_eq!(run.log_with("'result': 'published'"), [""; 0], "{key}");
        assert_eq!(run.log_with("'result': 'error'").len(), 2, "{key}");
    }
}

/// B37: a patience that was no multiple of half a second never ran out.
#[test]
fn a_fraction_of_a_second_runs_out() {
    let janitor = deployment()
        .publishers(&["files.apply", "villain.publisher.hangs-in-cleanup"])
        .settings("[core]\ngrace = 0.7");
    let run = janitor.run();
    assert_eq!(
        run.failures(),
        [
            "plugin `villain.publisher.hangs-in-cleanup` failed: cleaning up took longer than the grace"
        ]
    );
    assert!(is_corrected(&janitor));

    let janitor = deployment()
        .publishers(&["villain.publisher.hangs"])
        .settings("[core]\ngrace = 0.3\ndeadline = 0.7");
    assert_eq!(janitor.run().exit_code(), 1);
}

/// B38: when one plugin failed the others were dropped where they were, with complaints about what they
/// had not finished.
#[test]
fn the_others_clean_up_when_one_fails() {
    for (authority, reconciler, failing) in [
        ("waits", "fails", "villain.reconciler.fails"),
        ("fails", "behaves", "villain.authority.fails"),
    ] {
        let keys = [
            format!("villain.authority.{authority}"),
            format!("villain.reconciler.{reconciler}"),
            "villain.publisher.behaves".to_owned(),
        ];
        let run = deployment()
            .authorities(&[&keys[0]])
            .reconcilers(&[&keys[1]])
            .publishers(&[&keys[2]])
            .settings("[villain]\nzones = ['example.com']")
            .run();
        assert_eq!(run.exit_code(), 1);
        for key in keys {
            for step in ["cleaned up", "dropped"] {
                let line = format!("INFO: {step} plugin={key}");
                assert_eq!(run.log_with(&line), [line]);
            }
        }
        assert_eq!(
            run.failures(),
            [format!(
                "plugin `{failing}` failed: cannot reach the moon: no rocket"
            )]
        );
        assert_eq!(run.errors(), "");
    }
}

/// B39: a fault inside a plugin was reported as a plugin without `run`.
#[test]
fn a_fault_inside_a_plugin_is_reported_as_what_it_is() {
    let run = deployment()
        .authorities(&["files.zones", "villain.authority.panics-in-run"])
        .run();
    let failures = run.failures();
    let [failure] = failures.as_slice() else {
        panic!("{failures:#?}");
    };
    let told = "plugin `villain.authority.panics-in-run` panicked: on purpose, in run at tests/misbehaving/villain/src/tricks.rs:";
    assert!(failure.starts_with(told), "{failure}");
    assert_eq!(run.log_with("missing required"), [""; 0]);
}

/// B40: both sides of a zone were held as lists and again as sets: about two KiB for each record.
#[test]
fn a_large_zone_takes_a_fraction_of_the_memory() {
    const RECORDS: usize = 100_000;
    let mut zone = String::new();
    for number in 0..RECORDS {
        let [_, a, b, c] = u32::try_from(number).expect("it is small").to_be_bytes();
        zone.push_str(&format!("host-{number} A 10.{a}.{b}.{c}\n"));
    }
    let janitor = Janitor::new()
        .publishers(&["villain.publisher.waits-after-the-first"])
        .gate()
        .desired("example.com", &format!("{zone}new A 192.0.2.1"))
        .served("example.com", &zone);
    let mut running = janitor.start(&["run"]);
    // The whole plan is made by now, and the changes are handed out.
    running.wait_for("waiting at the gate");
    let path = format!("/proc/{}/status", running.worker());
    let status = fs::read_to_string(path).expect("the program runs");
    janitor.open_gate();
    assert_eq!(running.finish().exit_code(), 0);
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    let peak = peak.and_then(|peak| peak.parse::<usize>().ok());
    let peak = peak.expect("the kernel tells the peak");
    assert!(
        peak < RECORDS,
        "{peak} KiB for {RECORDS} records on each side"
    );
}
