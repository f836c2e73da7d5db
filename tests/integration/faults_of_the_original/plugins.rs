//! Plugins that are missing or one too many, and how a run without them ends.

use rustix::process::Signal;

use super::{deployment, is_corrected, is_untouched};
use crate::janitor::{FILES, Janitor};

/// B3: what was not installed, or could not be imported, ended the run with debug as well.
#[test]
fn debug_goes_on_without_plugins_that_are_not_installed_or_cannot_be_loaded() {
    for key in ["gcp.gce", "villain.authority.behaves"] {
        let janitor = deployment()
            .libraries(&[FILES])
            .file("plugins/libodd.so", "<html>not here</html>")
            .authorities(&["files.zones", key])
            .settings("[core]\ndebug = true");
        let run = janitor.run();
        assert_eq!((run.exit_code(), run.status().as_str()), (3, "incomplete"));
        let first = format!("warning[GJ202]: Plugin \"{key}\" not installed\n");
        assert!(run.errors().starts_with(&first), "{}", run.errors());
        assert!(janitor.served_file("example.com").contains("new."));
    }
}

/// B4: without any plugin it crashed with an unrelated error, and never sent its metric.
#[test]
fn no_plugin_at_all_is_said_in_so_many_words_and_measured() {
    for plugins in ["", "plugins = []"] {
        let stream = "[core.logging]\nhandlers = ['stream']";
        let config = format!("[core]\n{plugins}\n{stream}\n");
        let run = Janitor::new().config(&config).run();
        let ended = (run.exit_code(), run.status());
        assert_eq!(ended, (2, "no-plugin-error".to_owned()));
        assert_eq!(
            run.log_with("ERROR"),
            ["ERROR: No plugins to run, exiting."]
        );
    }
}

/// B6: with debug, a run without a single plugin that could be created exited with 0.
#[test]
fn a_run_in_which_nothing_ran_is_no_success() {
    let run = deployment()
        .authorities(&["villain.authority.trips-in-new"])
        .reconcilers(&["villain.reconciler.trips-in-new"])
        .publishers(&["villain.publisher.trips-in-new"])
        .settings("[core]\ndebug = true")
        .run();
    let ended = (run.exit_code(), run.status());
    assert_eq!(ended, (1, "unexpected-error".to_owned()));
    let errors = run.errors();
    assert_eq!(errors.matches("error[GJ503]: ").count(), 3, "{errors}");
}

/// B7: a missing role exited with 1 and measured `success`.
#[test]
fn a_missing_role_is_no_success_in_any_respect() {
    for janitor in [
        deployment().authorities(&[]),
        deployment().reconcilers(&[]),
        deployment().publishers(&[]),
    ] {
        let run = janitor.run();
        let ended = (run.exit_code(), run.status());
        assert_eq!(ended, (2, "unexpected-error".to_owned()));
        assert!(is_untouched(&janitor));
    }
}

/// B8: Ctrl-C measured `success`, and SIGTERM nothing at all.
#[test]
fn a_signal_is_measured_as_a_cancellation() {
    for signal in [Signal::INT, Signal::TERM] {
        let janitor = deployment().authorities(&["villain.authority.waits"]);
        let mut running = janitor.start(&["run"]);
        running.wait_for("INFO: waiting");
        running.signal(signal);
        let run = running.finish();
        let ended = (run.exit_code(), run.status());
        assert_eq!(ended, (1, "cancelled".to_owned()));
        assert!(is_untouched(&janitor));
    }
}

/// B18: the second plugin of a role took the place of the first without a word.
#[test]
fn all_authorities_and_publishers_run_and_two_reconcilers_are_an_error() {
    let janitor = deployment()
        .authorities(&["files.zones", "villain.authority.behaves"])
        .publishers(&["files.apply", "villain.publisher.behaves"])
        .served("other.test", "")
        .settings("[villain]\nzones = ['other.test']");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0);
    assert!(is_corrected(&janitor));
    assert!(janitor.served_file("other.test").contains("www."));
    // The second publisher was given what the first was.
    assert!(
        run.given()
            .contains(&"- old.example.com. 300 IN A 192.0.2.1".to_owned())
    );
    assert!(
        run.given()
            .contains(&"+ www.other.test. 300 IN A 192.0.2.1".to_owned())
    );

    let janitor = deployment().reconcilers(&["files.served", "villain.reconciler.behaves"]);
    let run = janitor.run();
    assert_eq!(run.exit_code(), 2);
    assert!(
        run.errors().starts_with("error[GJ205]: "),
        "{}",
        run.errors()
    );
    assert!(is_untouched(&janitor));
}

/// B19: with debug and without an authority or a reconciler it waited for ever.
#[test]
fn with_debug_a_run_ends_whatever_role_is_missing() {
    for janitor in [deployment().authorities(&[]), deployment().reconcilers(&[])] {
        let janitor = janitor.settings("[core]\ndebug = true");
        assert_eq!(janitor.run().exit_code(), 2);
        assert!(is_untouched(&janitor));
    }
    let janitor = deployment()
        .publishers(&[])
        .settings("[core]\ndebug = true");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 3);
    assert!(
        run.stdout()
            .contains("  + new.example.com.  300  A  192.0.2.1\n")
    );
    assert!(is_untouched(&janitor));
}
