//! What happens to the plugin directory while a run goes on, from the same octets once more to none.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use insta::assert_snapshot;

use crate::janitor::{FILES, Janitor, LIAR, Run, VILLAIN, library};

/// A deployment whose second authority waits at a gate, from a library that is a file of its own.
fn deployment() -> Janitor {
    Janitor::new()
        .libraries(&[FILES, VILLAIN])
        .authorities(&["files.zones", "villain.authority.waits-in-new"])
        .with_copy_of(VILLAIN)
        .desired("a.test", "new A 192.0.2.1")
        .served("a.test", "old A 192.0.2.1")
        // What wrong code does nobody knows; it could go on for ever.
        .settings("[core]\ndeadline = 10\ngrace = 0.5")
        .gate()
}

/// A run during which `misdeed` happens, with a plugin of the library half created.
fn during(janitor: &Janitor, misdeed: impl FnOnce()) -> Run {
    let mut running = janitor.start(&["run"]);
    running.wait_for("waiting at the gate");
    misdeed();
    // Open for both, it opens without waiting for a plugin that may be gone by now.
    let gate = fs::File::options()
        .read(true)
        .write(true)
        .open(janitor.path("gate"))
        .expect("the gate can be opened");
    let run = running.finish();
    drop(gate);
    run
}

#[test]
fn whatever_is_written_over_a_library_nothing_is_published_and_the_cause_is_named() {
    let whole = fs::read(library(VILLAIN)).expect("the library can be read");
    let zeroes = vec![0; whole.len()];
    let other = fs::read(library(LIAR)).expect("the library can be read");
    for (what, octets) in [
        ("the same build", &whole[..]),
        ("another library", &other[..]),
        ("a text", b"Not yet uploaded.\n"),
        ("zeroes", &zeroes[..]),
        ("nothing", b""),
    ] {
        let janitor = deployment();
        let served = janitor.served_file("a.test");
        let path = janitor.path(&format!("plugins/lib{VILLAIN}.so"));
        let run = during(&janitor, || {
            fs::write(&path, octets).expect("the copy of a library can be written to");
        });
        assert_eq!(
            (run.exit_code(), run.status().as_str()),
            (1, "unexpected-error"),
            "{what}"
        );
        assert_eq!(janitor.served_file("a.test"), served, "{what}");
        // Seen in time, or found when it had crashed.
        let told = run.errors();
        let name = format!("lib{VILLAIN}.so was written over while it was loaded\n");
        let is_named = told.contains(&format!("error[GJ303]: {name}"))
            || (told.contains("error[GJ50") && told.contains(&format!("  found: {name}")));
        assert!(is_named, "{what}: {told}");
    }
}

#[test]
fn a_plugin_directory_that_becomes_a_link_does_not_disturb_a_run() {
    let janitor = deployment();
    let plugins = janitor.path("plugins");
    let run = during(&janitor, || {
        fs::rename(&plugins, janitor.path("elsewhere")).expect("a directory can be renamed");
        symlink("elsewhere", &plugins).expect("a link can be made");
    });
    assert_eq!((run.exit_code(), run.status().as_str()), (0, "success"));
    assert!(janitor.served_file("a.test").contains("new."));
}

#[test]
fn a_plugin_directory_that_becomes_writable_is_judged_by_the_next_run() {
    let janitor = deployment();
    let plugins = janitor.path("plugins");
    let run = during(&janitor, || {
        fs::set_permissions(&plugins, Permissions::from_mode(0o777)).expect("a mode can be set");
    });
    assert_eq!((run.exit_code(), run.status().as_str()), (0, "success"));
    let next = janitor.run();
    assert_eq!(next.exit_code(), 2);
    let told = next.errors();
    assert_snapshot!(told.lines().next().unwrap_or_default(), @"error[GJ301]: <root>/plugins is writable by everyone (mode 0777); no plugin was loaded from it");
    assert_eq!(next.log_with("created"), [""; 0]);
}
