//! Plugins that cannot be used, each in every way and in every role: without `core.debug` nothing
//! runs; with it, what is left does, says what is missing, and deletes nothing that an authority might
//! have spoken for.

use std::fs;

use insta::assert_snapshot;
use memchr::memmem;
use rustix::process::Signal;

use crate::janitor::{FILES, Janitor, Run, VILLAIN, library};

/// A way in which a plugin is of no use.
struct Fault {
    name: &'static str,
    /// The code it is told with.
    code: &'static str,
    /// The exit code without `core.debug`.
    exit_code: i32,
    /// Whether it shows before any plugin is created.
    is_early: bool,
    /// Whether its role can be told.
    is_known: bool,
}

const FAULTS: [Fault; 11] = [
    Fault {
        is_known: false,
        ..early("not installed", "GJ202")
    },
    early("in a library that was refused", "GJ108"),
    early("in a library that cannot be opened", "GJ107"),
    early("in a library that promises more than it has", "GJ109"),
    early("in two libraries", "GJ203"),
    early("without a table", "GJ402"),
    early("with a number in the place of its table", "GJ403"),
    early("with a setting that it does not know", "GJ401"),
    late("with a configuration that it refuses", "GJ409", 2),
    late("failing while it is created", "GJ503", 1),
    late("panicking while it is created", "GJ501", 1),
];

const fn early(name: &'static str, code: &'static str) -> Fault {
    Fault {
        name,
        code,
        exit_code: 2,
        is_early: true,
        is_known: true,
    }
}

const fn late(name: &'static str, code: &'static str, exit_code: i32) -> Fault {
    Fault {
        name,
        code,
        exit_code,
        is_early: false,
        is_known: true,
    }
}

impl Fault {
    /// The key of the plugin that has this fault.
    fn key(&self, role: &str) -> String {
        match self.code {
            "GJ202" => format!("gone.{role}"),
            // As long as the key in whose place it stands.
            "GJ109" => format!("villain.{role}.behaved"),
            "GJ409" => format!("villain.{role}.refuses-to-start"),
            "GJ503" => format!("villain.{role}.trips-in-new"),
            "GJ501" => format!("villain.{role}.panics-in-new"),
            _ => format!("villain.{role}.behaves"),
        }
    }

    /// A run with `core.plugins = keys`, of which the one in `role` has this fault.
    fn run(&self, role: &str, others: &[&str], debug: bool) -> (Janitor, Run) {
        let faulty = self.key(role);
        let keys = others.iter().map(ToString::to_string);
        let keys = keys.chain([faulty.clone()]).collect::<Vec<_>>();
        let janitor = Janitor::new()
            .libraries(&[FILES])
            .config(&self.configuration(&keys, &faulty, debug))
            .desired("example.com", "new A 192.0.2.1\nwww A 192.0.2.2")
            .served("example.com", "old A 192.0.2.1\nwww A 192.0.2.1");
        self.install(&janitor, role);
        let run = janitor.run();
        (janitor, run)
    }

    /// The line that it is told with.
    fn told(&self, run: &Run, severity: &str) -> String {
        let errors = run.errors();
        let begin = format!("{severity}[{}]: ", self.code);
        let line = errors.lines().find(|line| line.starts_with(&begin));
        line.unwrap_or_else(|| panic!("{}: no {begin}in\n{errors}", self.name))
            .to_owned()
    }

    /// Puts the library of the plugin into its place.
    fn install(&self, janitor: &Janitor, role: &str) {
        let library = || fs::read(library(VILLAIN)).expect("the library can be read");
        let octets = match self.code {
            "GJ202" => return,
            "GJ108" => replaced(library(), "panic = \"unwind\"\n", "panic = \"abort\" \n"),
            // The name of a function that it needs from the C library.
            "GJ107" => replaced(library(), "\0pthread_", "\0qthread_"),
            // Only the note: the code's own table of keys keeps the old one.
            "GJ109" => replaced(
                library(),
                &format!("\n[[plugin]]\nkey = \"villain.{role}.behaves\""),
                &format!("\n[[plugin]]\nkey = \"villain.{role}.behaved\""),
            ),
            _ => library(),
        };
        if self.code == "GJ203" {
            fs::write(janitor.path("plugins/libtwin.so"), &octets).expect("a file can be written");
        }
        fs::write(janitor.path("plugins/libodd.so"), &octets).expect("a file can be written");
    }

    /// The configuration with `keys`, the one of this fault among them.
    fn configuration(&self, keys: &[String], faulty: &str, debug: bool) -> String {
        let mut toml = format!(
            "[core]\nplugins = {keys:?}\ndebug = {debug}\n[core.logging]\nhandlers = ['stream']\n"
        );
        for key in keys {
            let settings = match (key.as_str(), self.code) {
                ("files.zones", _) => "directory = 'desired'",
                ("files.served" | "files.apply", _) => "directory = 'served'",
                (key, "GJ402") if key == faulty => continue,
                (key, "GJ403") if key == faulty => {
                    let (parent, name) = key.rsplit_once('.').expect("the key has parts");
                    toml.push_str(&format!("[{parent}]\n{name} = 3\n"));
                    continue;
                }
                (key, "GJ401") if key == faulty => "spoons = 3",
                _ => "",
            };
            toml.push_str(&format!("[{key}]\n{settings}\n"));
        }
        toml
    }
}

/// `octets` with the first `old` replaced by `new`, of the same length; all of them for a manifest.
fn replaced(mut octets: Vec<u8>, old: &str, new: &str) -> Vec<u8> {
    assert_eq!(old.len(), new.len(), "offsets stay as they are");
    let places = memmem::find_iter(&octets, old).collect::<Vec<_>>();
    assert!(!places.is_empty(), "`{old}` is not in the library");
    for at in places {
        octets[at..at + new.len()].copy_from_slice(new.as_bytes());
    }
    octets
}

/// Owners of the addresses that are served, and the address of `www`.
fn served(janitor: &Janitor) -> String {
    let file = janitor.served_file("example.com");
    let lines = file.lines().filter(|line| line.contains(" A "));
    let lines = lines.filter_map(|line| {
        let words = line.split_whitespace().collect::<Vec<_>>();
        let owner = words.first()?.trim_end_matches(".example.com.");
        Some(match owner {
            "www" => format!("www={}", words.last()?),
            owner => owner.to_owned(),
        })
    });
    lines.collect::<Vec<_>>().join(" ")
}

const BEFORE: &str = "old www=192.0.2.1";
/// With what may be done while an authority is missing.
const ONLY_MORE: &str = "new old www=192.0.2.1";
const AFTER: &str = "new www=192.0.2.2";

/// The role of the faulty plugin and the others of the run: alone in its role, or beside another.
type Slot = (&'static str, &'static [&'static str]);

const SLOTS: [Slot; 5] = [
    ("authority", &["files.served", "files.apply"]),
    ("authority", &["files.served", "files.apply", "files.zones"]),
    ("reconciler", &["files.apply", "files.zones"]),
    ("publisher", &["files.served", "files.zones"]),
    ("publisher", &["files.served", "files.zones", "files.apply"]),
];

#[test]
fn without_debug_nothing_runs() {
    for fault in FAULTS {
        for (role, others) in SLOTS {
            let (janitor, run) = fault.run(role, others, false);
            let case = format!("{role} {} beside {others:?}\n{}", fault.name, run.errors());
            fault.told(&run, "error");
            let ended = (run.exit_code(), run.status());
            let expected = (fault.exit_code, "unexpected-error".to_owned());
            assert_eq!(ended, expected, "{case}");
            assert_eq!(served(&janitor), BEFORE, "{case}");
            assert_eq!(run.stdout(), "", "{case}");
            assert_eq!(run.log_with("INFO: running"), [""; 0], "{case}");
        }
    }
}

#[test]
fn with_debug_the_other_authorities_run_and_nothing_is_deleted() {
    let others = ["files.served", "files.apply", "files.zones"];
    for fault in FAULTS {
        let (janitor, run) = fault.run("authority", &others, true);
        let case = format!("{}\n{}", fault.name, run.errors());
        fault.told(&run, "warning");
        goes_on(&run, &case);
        assert_eq!(served(&janitor), ONLY_MORE, "{case}");
        let why = if fault.is_known {
            "  note: nothing is deleted in this run: it is an authority\n"
        } else {
            "  note: nothing is deleted in this run: it may be an authority\n"
        };
        assert!(run.errors().contains(why), "{case}");
    }
}

#[test]
fn with_debug_the_other_publishers_run() {
    let others = ["files.served", "files.zones", "files.apply"];
    for fault in FAULTS {
        let (janitor, run) = fault.run("publisher", &others, true);
        let case = format!("{}\n{}", fault.name, run.errors());
        fault.told(&run, "warning");
        goes_on(&run, &case);
        let expected = if fault.is_known { AFTER } else { ONLY_MORE };
        assert_eq!(served(&janitor), expected, "{case}");
        assert_eq!(run.stdout(), "", "{case}");
    }
}

#[test]
fn with_debug_and_no_publisher_left_the_changes_are_shown_and_not_published() {
    let others = ["files.served", "files.zones"];
    for fault in FAULTS {
        let (janitor, run) = fault.run("publisher", &others, true);
        let case = format!("{}\n{}\n{}", fault.name, run.errors(), run.stdout());
        fault.told(&run, "warning");
        goes_on(&run, &case);
        assert_eq!(served(&janitor), BEFORE, "{case}");
        let missing = "warning[GJ204]: A provider for \"publisher\" interface is not configured";
        assert_eq!(run.errors().matches(missing).count(), 1, "{case}");
        let shown = "  + new.example.com.  300  A  192.0.2.1\n";
        assert!(run.stdout().contains(shown), "{case}");
        assert_eq!(
            run.log_with("nothing is published"),
            ["WARNING: no publisher can be used: the changes are shown, and nothing is published"],
            "{case}"
        );
    }
}

#[test]
fn with_debug_and_nothing_left_to_compare_the_run_ends_with_an_error() {
    for fault in FAULTS {
        for (role, others) in [SLOTS[0], SLOTS[2]] {
            let (janitor, run) = fault.run(role, others, true);
            let case = format!("{role} {}\n{}", fault.name, run.errors());
            if fault.is_early {
                fault.told(&run, "warning");
                let missing = format!("error[GJ204]: A provider for \"{role}\" interface");
                assert!(run.errors().contains(&missing), "{case}");
            } else {
                fault.told(&run, "error");
            }
            let ended = (run.exit_code(), run.status());
            let expected = (fault.exit_code, "unexpected-error".to_owned());
            assert_eq!(ended, expected, "{case}");
            assert_eq!(served(&janitor), BEFORE, "{case}");
            assert_eq!(run.log_with("INFO: running"), [""; 0], "{case}");
        }
    }
}

#[test]
fn with_debug_and_no_plugin_left_there_is_nothing_to_run() {
    for fault in FAULTS.iter().filter(|fault| fault.is_early) {
        let others: &[&str] = match fault.code {
            // The whole library is lost.
            "GJ107" => &["villain.reconciler.behaves", "villain.publisher.behaves"],
            // Roles are looked at before these show.
            "GJ109" | "GJ401" => continue,
            _ => &[],
        };
        let (_, run) = fault.run("authority", others, true);
        let case = format!("{}\n{}", fault.name, run.errors());
        fault.told(&run, "warning");
        let ended = (run.exit_code(), run.status());
        assert_eq!(ended, (2, "no-plugin-error".to_owned()), "{case}");
        assert!(
            run.errors()
                .contains("error: No plugins to run, exiting.\n"),
            "{case}"
        );
    }
}

#[test]
fn with_debug_a_reconciler_takes_the_place_of_one_that_is_not_installed() {
    let janitor = Janitor::new()
        .reconcilers(&["gone.reconciler", "files.served"])
        .desired("example.com", "new A 192.0.2.1")
        .served("example.com", "")
        .settings("[core]\ndebug = true");
    let run = janitor.run();
    goes_on(&run, &run.errors());
    assert_eq!(served(&janitor), "new");
}

#[test]
fn with_debug_a_setting_that_only_a_missing_plugin_knows_is_in_nobodys_way() {
    // All others of the family run, and none of them knows it.
    let janitor = Janitor::new()
        .libraries(&[FILES])
        .authorities(&["files.zones", "files.gone"])
        .publishers(&["files.apply", "files.changes"])
        .settings("[core]\ndebug = true\n[files]\nspoons = 3")
        .desired("example.com", "new A 192.0.2.1")
        .served("example.com", "");
    let run = janitor.run();
    goes_on(&run, &run.errors());
}

#[test]
fn a_plan_with_debug_says_what_is_missing_and_is_not_whole() {
    let janitor = Janitor::new()
        .authorities(&["files.zones", "gone.authority"])
        .publishers(&[])
        .desired("example.com", "new A 192.0.2.1\nwww A 192.0.2.2")
        .served("example.com", "old A 192.0.2.1\nwww A 192.0.2.1")
        .settings("[core]\ndebug = true");
    let run = janitor.plan(&[]);
    let dry_run = janitor.command(&["run", "--dry-run"]);
    assert_eq!(run.stdout(), dry_run.stdout());
    for run in [&run, &dry_run] {
        goes_on(run, &run.errors());
        // Publishers have no place in a plan, so none is missing.
        assert!(!run.errors().contains("GJ204"), "{}", run.errors());
    }
    assert_snapshot!(run.stdout(), @"
        example.com. 1 addition
          ! only additions because the desired zone is incomplete: 2 differences stay as they are
          + new.example.com.  300  A  192.0.2.1
        desired by files.zones, compared by files.served, published by nobody
        1 zone compared, 1 to change, 0 as desired, 0 left out: 1 addition
        2 differences in 1 zone left as they are: what is desired or served there is not fully known
        ");
}

#[test]
fn every_warning_has_its_place_and_what_follows_from_it() {
    let janitor = Janitor::new()
        .libraries(&[FILES])
        .authorities(&["files.zones", "gcp.gce"])
        .publishers(&[])
        .desired("example.com", "new A 192.0.2.1")
        .served("example.com", "")
        .settings("[core]\ndebug = true");
    let run = janitor.run();
    goes_on(&run, &run.errors());
    assert_snapshot!(run.errors(), @r#"
    warning[GJ202]: Plugin "gcp.gce" not installed
      where: <root>/gordon-janitor.toml:2:43, core.plugins
      2 | plugins = ["files.served", "files.zones", "gcp.gce"]
        |                                           ^^^^^^^^^
      found: plugins in <root>/plugins: files.apply, files.changes, files.served, files.zones; nothing resembles "gcp.gce"
      help: gordon-janitor plugins list; another directory: --plugin-dir, GORDON_JANITOR_PLUGIN_DIR or core.plugin_dir
      note: continuing without it because core.debug = true
      note: nothing is deleted in this run: it may be an authority
    warning[GJ204]: A provider for "publisher" interface is not configured for the Janitor service or is not implemented.
      where: <root>/gordon-janitor.toml:2:11, core.plugins
      2 | plugins = ["files.served", "files.zones", "gcp.gce"]
        |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      found: listed, but of no use: gcp.gce
      help: mend what the warnings say, or add another to core.plugins
      note: continuing without it because core.debug = true
      note: the changes are shown as with --dry-run; nothing is published
    "#);
}

#[test]
fn what_cannot_be_created_is_told_before_the_others_run() {
    let janitor = Janitor::new()
        .authorities(&["villain.authority.trips-in-new", "villain.authority.waits"])
        .settings("[core]\ndebug = true");
    let mut running = janitor.start(&["run"]);
    running.wait_for("waiting plugin=villain.authority.waits");
    // The run does not come to its end by itself.
    running.wait_for("warning[GJ503]: ");
    running.signal(Signal::TERM);
    let run = running.finish();
    assert_eq!((run.exit_code(), run.status().as_str()), (1, "cancelled"));
    let told = run.errors();
    assert_eq!(told.matches("warning[GJ503]").count(), 1, "{told}");
    let logged = run.log_with("WARNING: Plugin was not loaded: villain.authority.trips-in-new");
    assert_eq!(logged.len(), 1, "{:#?}", run.log());
}

#[test]
fn without_an_authority_or_a_reconciler_debug_changes_nothing() {
    let without = [
        ("an authority", Janitor::new().authorities(&[])),
        ("a reconciler", Janitor::new().reconcilers(&[])),
    ];
    for (role, janitor) in without {
        let run = janitor.settings("[core]\ndebug = true").run();
        let ended = (run.exit_code(), run.status());
        assert_eq!(ended, (2, "unexpected-error".to_owned()), "{role}");
        let because = format!("  because: without {role} nothing ");
        assert!(run.errors().contains(&because), "{}", run.errors());
    }
}

/// Whether the run went on to its end and says that it was not whole.
fn goes_on(run: &Run, case: &str) {
    let ended = (run.exit_code(), run.status());
    assert_eq!(ended, (3, "incomplete".to_owned()), "{case}");
    assert!(!run.errors().contains("error["), "{case}");
    let note = "  note: continuing without it because core.debug = true\n";
    assert!(run.errors().contains(note), "{case}");
    assert_eq!(run.log_with("run complete").len(), 1, "{case}");
}
