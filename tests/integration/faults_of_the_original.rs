//! The Python program that this one follows had faults, numbered B1 to B40. Here is one test for each
//! that could come back: the whole program, in a situation where the original went wrong.
//!
//! B23 to B36 are faults of its plugins for Google Cloud and are tested with ours, once there are any;
//! what the host alone has to say about B26 and B36 is here.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::process::{Child, Command, Output, Stdio};

use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::janitor::{FILES, Janitor};

/// A zone in which something is to be added, updated and deleted.
fn deployment() -> Janitor {
    Janitor::new()
        .desired("example.com", "new A 192.0.2.1\nwww A 192.0.2.2")
        .served("example.com", "old A 192.0.2.1\nwww A 192.0.2.1")
}

fn is_corrected(janitor: &Janitor) -> bool {
    let served = janitor.served_file("example.com");
    served.contains("new.example.com.") && !served.contains("old.example.com.")
}

fn is_untouched(janitor: &Janitor) -> bool {
    let served = janitor.served_file("example.com");
    served.contains("old A") && !served.contains("new")
}

/// What the plugin `key` receives of a configuration.
fn received(config: &str, key: &str) -> Value {
    let run = Janitor::new()
        .config(config)
        .command(&["config", key, "--json"]);
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    serde_json::from_str(&run.stdout()).expect("what a plugin receives is JSON")
}

/// The program on the files that stand in the root of `janitor`.
fn program(janitor: &Janitor, command: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_gordon-janitor"));
    program
        .args([command, "--config-root"])
        .arg(janitor.path(""))
        .arg("--plugin-dir")
        .arg(janitor.path("plugins"))
        .env("STATE_DIRECTORY", janitor.path("state"))
        .stdin(Stdio::null());
    program
}

fn texts(output: &Output) -> (String, String) {
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).expect("output is UTF-8");
    (text(&output.stdout), text(&output.stderr))
}

/// B1: the prefix was cut off letter by letter. `[gcp.gce.eggs]` leaked, and the option `s` was lost.
#[test]
fn a_table_of_a_sibling_stays_with_it_and_an_option_that_resembles_its_end_is_kept() {
    let config = "
        [core]
        plugins = ['gcp.gce.a', 'gcp.gce.eggs']
        [gcp.gce]
        s = 'kept'
        [gcp.gce.a]
        own = 1
        [gcp.gce.eggs]
        yolk = 2
    ";
    let a = received(config, "gcp.gce.a");
    assert_eq!(a, json!({ "own": 1, "s": "kept" }));
    let eggs = received(config, "gcp.gce.eggs");
    assert_eq!(eggs, json!({ "yolk": 2, "s": "kept" }));
}

/// B2: `gcpx.foo` was taken for a child of `gcp`, whose options `x` and `foo` vanished.
#[test]
fn a_key_that_begins_with_the_same_letters_is_no_child() {
    let config = "
        [core]
        plugins = ['gcp', 'gcpx.foo']
        [gcp]
        x = 1
        foo = 2
        [gcpx.foo]
    ";
    assert_eq!(received(config, "gcp"), json!({ "x": 1, "foo": 2 }));
}

/// B2a: every part of a deeper key was removed from the parent.
#[test]
fn an_option_may_be_called_like_the_last_part_of_another_plugins_key() {
    let config = "
        [core]
        plugins = ['gcp.gce', 'gcp.tools.project']
        [gcp]
        project = 'p'
        [gcp.gce]
        [gcp.tools.project]
    ";
    assert_eq!(received(config, "gcp.gce"), json!({ "project": "p" }));
}

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

/// B5: a plugin without a table crashed with an unrelated error; the words for it were never reached.
#[test]
fn a_plugin_without_a_table_is_named_or_skipped() {
    let janitor = |debug: bool| {
        deployment().config(&format!(
            "[core]\nplugins = ['files.zones', 'files.served', 'files.apply', 'files.changes']\ndebug = {debug}\n\
             [core.logging]\nhandlers = ['stream']\n\
             [files]\n[files.zones]\ndirectory = 'desired'\n[files.served]\ndirectory = 'served'\n[files.apply]\ndirectory = 'served'\n"
        ))
    };
    let run = janitor(false).run();
    let told = "error[GJ402]: plugin \"files.changes\" is listed in core.plugins but no configuration was found for it\n";
    assert_eq!(run.exit_code(), 2);
    assert!(run.errors().starts_with(told), "{}", run.errors());

    let janitor = janitor(true);
    let run = janitor.run();
    let told = "warning[GJ402]: Skipped loading plugin \"files.changes\" because no configuration was found.\n";
    assert_eq!(run.exit_code(), 3);
    assert!(run.errors().starts_with(told), "{}", run.errors());
    assert!(is_corrected(&janitor));
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

/// B9: configuration files were read in the encoding of the locale.
#[test]
fn configuration_files_are_utf8_whatever_the_locale() {
    for locale in ["C", "POSIX", "en_US.ISO-8859-1"] {
        let janitor = Janitor::new().file(
            "gordon-janitor.toml",
            "[core]\nplugins = []\n[a]\nb = 'Zürich'\n",
        );
        let mut command = program(&janitor, "config");
        let output = command
            .env("LC_ALL", locale)
            .output()
            .expect("it can be started");
        let (stdout, stderr) = texts(&output);
        assert!(stdout.contains("b = \"Zürich\"\n"), "{stdout}{stderr}");
    }
    let run = Janitor::new()
        .file(
            "gordon-janitor.toml",
            b"[core]\nplugins = []\n# Z\xfcrich\n",
        )
        .config("")
        .run();
    assert_eq!(run.exit_code(), 2);
    assert!(
        run.errors().contains(": line 3 is not UTF-8\n"),
        "{}",
        run.errors()
    );
}

/// B10: a text in the place of a list was taken letter by letter: `Plugin "p" not installed`.
#[test]
fn a_text_in_the_place_of_a_list_is_named_as_what_it_is() {
    let run = Janitor::new()
        .config("[core]\nplugins = 'plugin'\n[core.logging]\nhandlers = 'stream'\n")
        .run();
    assert_eq!(run.exit_code(), 2);
    let errors = run.errors();
    for setting in ["core.plugins", "core.logging.handlers"] {
        let told =
            format!("error[GJ403]: {setting} must be a list of texts, in brackets, not a text\n");
        assert!(errors.contains(&told), "{errors}");
    }
    assert!(
        !errors.contains("\"p\"") && !errors.contains("\"s\""),
        "{errors}"
    );
}

/// B12: lines had the local time and called it UTC.
#[test]
fn a_time_with_a_z_is_utc() {
    let times = ["UTC0", "AAA-12", "BBB+11"].map(|zone| {
        let janitor = Janitor::new().file(
            "gordon-janitor.toml",
            "[core]\nplugins = []\n[core.logging]\nhandlers = ['stream']\n",
        );
        let output = program(&janitor, "run").env("TZ", zone).output();
        let (_, stderr) = texts(&output.expect("it can be started"));
        let line = stderr.lines().find(|line| line.contains(" ERROR: "));
        let time = line.and_then(|line| line.split(' ').next());
        let time = time.expect("the run logs that it has no plugins");
        time.parse::<Timestamp>().expect("lines begin with a time")
    });
    for time in times {
        // An hour is more than three short runs take, and less than the zones are apart.
        let apart = time.duration_since(times[0]).abs();
        assert!(apart < SignedDuration::from_hours(1), "{times:?}");
    }
}

/// B14: plugins shared the lists and tables that they inherited; one that changed them changed them
/// for all.
#[test]
fn what_one_plugin_does_to_an_inherited_list_no_other_plugin_sees() {
    let janitor = deployment()
        .authorities(&[
            "villain.authority.spends-its-list",
            "villain.authority.behaves",
        ])
        .settings("[villain]\nzones = ['example.com']");
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.status().as_str()), (0, "success"));
    assert_eq!(run.log_with("[rrsets] value: 1 ").len(), 1);
    assert!(!janitor.served_file("example.com").contains("old."));
}

/// B15: the table of a plugin that is not listed reached its siblings.
#[test]
fn the_table_of_a_sibling_that_is_switched_off_stays_with_it() {
    let janitor = deployment().settings("[files.changes]\npath = 'changes.jsonl'");
    let run = janitor.command(&["config", "files.zones", "--json"]);
    let received: Value = serde_json::from_str(&run.stdout()).expect("it is JSON");
    assert_eq!(received, json!({ "directory": "desired" }));
    assert_eq!(janitor.run().exit_code(), 0);
}

/// B16: the tables of its documentation crashed, and its example was no TOML.
#[test]
fn a_quoted_table_is_the_same_and_the_example_can_be_read() {
    let janitor = deployment().config(
        "[core]\nplugins = ['files.zones', 'files.served', 'files.apply']\n\
         [core.logging]\nhandlers = ['stream']\n\
         ['files.zones']\ndirectory = 'desired'\n[\"files.served\"]\ndirectory = 'served'\n\
         [files.apply]\ndirectory = 'served'\n",
    );
    assert_eq!(janitor.run().exit_code(), 0);
    assert!(is_corrected(&janitor));

    let example = include_str!("../../gordon-janitor.toml.example");
    let janitor = deployment()
        .config(example)
        .settings("[core.logging]\nhandlers = ['stream']");
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.errors().as_str()), (0, ""));
    assert!(is_corrected(&janitor));
}

/// B17: the table of a metrics relay of others was only found if its dotted name stood in quotes, and it
/// inherited nothing.
#[test]
fn a_metrics_relay_is_configured_like_any_plugin() {
    for table in ["villain.relay.meddles", "'villain.relay.meddles'"] {
        let janitor = deployment().settings(&format!(
            "[core]\nmetrics = 'villain.relay.meddles'\n[villain]\nzones = ['inherited.test']\n[{table}]"
        ));
        let run = janitor.run();
        assert_eq!((run.exit_code(), run.errors().as_str()), (0, ""), "{table}");
        let ended = "INFO: measured: Increment run-ended status=success: 1 runs";
        assert_eq!(run.log_with(ended).len(), 1, "{:#?}", run.log());
        let inherited = run.log_with("what=inherited.test");
        assert_eq!(inherited.len(), 1, "{:#?}", run.log());
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
            .contains("  + new.example.com. 300 IN A 192.0.2.1\n")
    );
    assert!(is_untouched(&janitor));
}

/// B20: a counter was summed up over all contexts: two deletions and then two additions read 2 and 4. The
/// lines of `metrics-logger` still do, for programs that read them; a relay is given each step by itself.
#[test]
fn a_counter_of_one_context_counts_nothing_of_another() {
    let run = deployment()
        .settings("[core]\nmetrics = 'villain.relay.meddles'\n[villain.relay.meddles]")
        .run();
    for (action, steps) in [("additions", 2), ("deletions", 2)] {
        let counted = format!(
            "INFO: measured: Increment change-message plugin=files.apply action={action} result=published: {steps} RRsets"
        );
        assert_eq!(run.log_with(&counted).len(), 1, "{:#?}", run.log());
    }
}

/// B21: its documents called the settings of `[ffwd]` `ip` and `port`, which it never read.
#[test]
fn ffwd_is_found_under_the_names_that_the_documents_gave() {
    let daemon = UdpSocket::bind(("127.0.0.2", 0)).expect("a port is free");
    let port = daemon.local_addr().expect("it is bound").port();
    let run = deployment()
        .settings(&format!(
            "[core]\nmetrics = 'ffwd'\n[ffwd]\nip = '127.0.0.2'\nport = {port}"
        ))
        .run();
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    let mut datagram = [0; 2048];
    let octets = daemon.recv(&mut datagram).expect("a datagram has come");
    let first = String::from_utf8_lossy(&datagram[..octets]).into_owned();
    assert!(
        first.starts_with(r#"{"key": "gordon-service", "#),
        "{first}"
    );
    for (wrong, right) in [("ip", "ffwd_ip"), ("port", "ffwd_port")] {
        let told = format!("warning[GJ401]: [ffwd] calls the setting \"{right}\" \"{wrong}\"\n");
        assert!(run.errors().contains(&told), "{}", run.errors());
    }
}

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
    // Writes the configuration.
    assert_eq!(janitor.command(&["config"]).exit_code(), 0);
    let mut child = program(&janitor, "run")
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let lines = BufReader::new(child.stderr.take().expect("standard error is a pipe")).lines();
    let mut lines = lines.map(|line| line.expect("lines are UTF-8"));
    // The whole plan is made by now, and the changes are handed out.
    let is_there = lines.any(|line| line.contains("waiting at the gate"));
    let peak = peak_kib(&child);
    janitor.open_gate();
    let rest = lines.collect::<Vec<_>>();
    assert!(is_there, "{rest:#?}");
    assert!(child.wait().expect("it ends").success(), "{rest:#?}");
    assert!(
        peak < RECORDS,
        "{peak} KiB for {RECORDS} records on each side"
    );
}

/// The most memory that a process and those that it started have held so far.
fn peak_kib(child: &Child) -> usize {
    let mut family = vec![child.id().to_string()];
    let mut peak = 0;
    while let Some(process) = family.pop() {
        let read = |name: &str| {
            let path = format!("/proc/{process}/{name}");
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
        };
        let status = read("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let held = line.and_then(|line| line.trim().strip_suffix(" kB"));
        peak += held
            .and_then(|held| held.parse::<usize>().ok())
            .expect("the kernel tells the peak");
        let children = read(&format!("task/{process}/children"));
        family.extend(children.split_whitespace().map(str::to_owned));
    }
    peak
}
