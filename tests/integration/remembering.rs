//! What is kept from one run to the next is a help: a state directory that cannot be used, and two
//! runs at once, stop nobody.

use std::fs;
use std::process::Output;

use crate::janitor::{EARLY, FILES, Janitor, with_mount};

fn deployment() -> Janitor {
    Janitor::new()
        .libraries(&[FILES, EARLY])
        .authorities(&["files.zones", "early.zones"])
        .desired("a.test", "new A 192.0.2.1")
        .served("a.test", "old A 192.0.2.1")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_state_directory_that_takes_nothing_is_in_nobodys_way() {
    let full = "while head -c 4096 /dev/zero >>rest 2>/dev/null; do :; done";
    for (options, prepare, reason) in [
        ("ro", ":", "Read-only file system (os error 30)"),
        ("size=4k", full, "No space left on device (os error 28)"),
    ] {
        let run = |misdeed: &str| {
            let janitor = deployment().environment("JANITOR_EARLY", misdeed);
            let output = with_mount(&janitor, "state", options, prepare, &["run"])?;
            Some((output, janitor.served_file("a.test")))
        };
        let Some((good, served)) = run("") else {
            return;
        };
        assert_eq!(good.status.code(), Some(0), "{}", told(&good));
        assert!(!told(&good).contains("crashes.json"), "{}", told(&good));
        assert!(served.contains("new."), "{served}");
        // Only who has something to write says that it cannot, and says first what there was to tell.
        let Some((crashed, served)) = run("aborts") else {
            return;
        };
        let told = told(&crashed);
        assert_eq!(crashed.status.code(), Some(1), "{told}");
        assert!(
            told.contains("error[GJ504]: libjanitor_misbehaving_early.so crashed"),
            "{told}"
        );
        let note = told
            .lines()
            .find(|line| line.contains("the next run will not know of it"));
        assert!(note.is_some_and(|note| note.ends_with(reason)), "{told}");
        assert!(!served.contains("new."), "{served}");
    }
}

#[test]
fn two_runs_at_once_take_turns() {
    let janitor = deployment();
    let both = [janitor.start(&["run"]), janitor.start(&["run"])];
    let runs = both.map(crate::janitor::Running::finish);
    // The second one finds nothing to do.
    for run in &runs {
        assert!(!run.stderr().contains("crashes.json"), "{}", run.stderr());
        assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    }
    assert!(janitor.served_file("a.test").contains("new."));

    // Both crash: whatever the order, the file is whole and the next run warns.
    let janitor = deployment().environment("JANITOR_EARLY", "aborts");
    let both = [janitor.start(&["run"]), janitor.start(&["run"])];
    for run in both.map(crate::janitor::Running::finish) {
        assert_eq!(run.exit_code(), 1);
        assert!(
            !run.errors().contains("the next run will not know"),
            "{}",
            run.errors()
        );
    }
    let text = fs::read_to_string(janitor.path("state/crashes.json")).expect("it is written");
    let file: serde_json::Value = serde_json::from_str(&text).expect("the file is whole");
    assert_eq!(file["crashes"].as_array().map(Vec::len), Some(2), "{text}");
    let run = janitor.environment("JANITOR_EARLY", "").run();
    assert_eq!(run.exit_code(), 0);
    assert!(
        run.errors().starts_with("warning[GJ502]: "),
        "{}",
        run.errors()
    );
}
