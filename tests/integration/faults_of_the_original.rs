//! The faults of the Python original, none of which is repeated here.
//!
//! One test each, under the number that it has in the study of the original's behaviour. Each would
//! fail if the program did what the original does. B23 to B36 are faults of its Google plugins, and
//! belong to the library that takes their place.

use std::collections::BTreeSet;
use std::fs;

use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;

use crate::janitor::{Janitor, Run};

fn deployment() -> Janitor {
    Janitor::new()
        .desired("a.test", "new A 192.0.2.1")
        .served("a.test", "old A 192.0.2.1")
}

fn outcome(run: &Run) -> (i32, String) {
    (run.exit_code(), run.status())
}

/// What the plugin `key` receives of `config`, as JSON.
fn given(config: &str, key: &str) -> serde_json::Value {
    let janitor = Janitor::new().config(config);
    let run = janitor.command(&["config", key, "--json"]);
    let text = run.stdout();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}{}", run.errors()))
}

// B1
#[test]
fn tables_of_siblings_with_common_letters_do_not_leak_and_no_option_vanishes() {
    let config = "[core]\nplugins = ['gcp.gce.a', 'gcp.gce.eggs']\n\
                  [gcp.gce]\ns = 1\n[gcp.gce.a]\nown = 2\n[gcp.gce.eggs]\nx = 3\n";
    let expected = serde_json::json!({"s": 1, "own": 2});
    assert_eq!(given(config, "gcp.gce.a"), expected);
    let expected = serde_json::json!({"s": 1, "x": 3});
    assert_eq!(given(config, "gcp.gce.eggs"), expected);
}

// B2
#[test]
fn a_plugin_whose_name_only_starts_alike_is_no_child() {
    let config = "[core]\nplugins = ['gcpx.foo', 'gcp.gce']\n\
                  [gcp]\nx = 1\nfoo = 2\n[gcp.gce]\n[gcpx.foo]\n";
    let expected = serde_json::json!({"x": 1, "foo": 2});
    assert_eq!(given(config, "gcp.gce"), expected);
}

// B2a
#[test]
fn an_option_named_like_a_part_of_a_deeper_plugin_stays() {
    let config = "[core]\nplugins = ['gcp.tools.project', 'gcp.gce']\n\
                  [gcp]\nproject = 'p'\n[gcp.gce]\n[gcp.tools.project]\n";
    let expected = serde_json::json!({"project": "p"});
    assert_eq!(given(config, "gcp.gce"), expected);
}

// B3
#[test]
fn with_debug_a_plugin_that_is_not_installed_or_cannot_be_loaded_is_passed_over() {
    for make in [
        (|janitor: Janitor| janitor) as fn(Janitor) -> Janitor,
        |janitor| janitor.file("plugins/libbroken.so", "no library at all"),
    ] {
        let janitor = deployment().authorities(&["files.zones", "no.such.plugin"]);
        let janitor = make(janitor.settings("[core]\ndebug = true"));
        let run = janitor.run();
        assert_eq!(outcome(&run), (0, "success".to_owned()));
        assert!(
            run.errors().contains("warning[GJ202]: "),
            "{}",
            run.errors()
        );
        assert!(janitor.served_file("a.test").contains("new."));
    }
}

// B4, B6
#[test]
fn without_an_active_plugin_the_run_fails_with_its_own_words_and_metric() {
    for config in [
        "[core]\nplugins = []\n",
        "[core]\n",
        "[core]\nplugins = ['no.such.plugin']\ndebug = true\n",
    ] {
        let config = format!("{config}[core.logging]\nhandlers = ['stream']\n");
        let run = Janitor::new().config(&config).run();
        assert_eq!(outcome(&run), (2, "no-plugin-error".to_owned()), "{config}");
        assert!(
            run.errors()
                .contains("error: No plugins to run, exiting.\n")
        );
    }
}

// B5
#[test]
fn a_plugin_without_a_table_is_named_or_skipped() {
    let config = "[core]\nplugins = ['villain.authority.is-choosy', 'files.served', 'files.apply']\n\
                  [core.logging]\nhandlers = ['stream']\n\
                  [files.served]\ndirectory = 'served'\n[files.apply]\ndirectory = 'served'\n";
    let run = Janitor::new().config(config).run();
    assert_eq!(run.exit_code(), 2);
    let told = run.errors();
    assert!(
        told.starts_with("error[GJ402]: plugin \"villain.authority.is-choosy\" is listed in core.plugins but no configuration was found for it\n"),
        "{told}"
    );
    let janitor = deployment().config(&config.replace(
        "[core]\nplugins = [",
        "[core]\ndebug = true\nplugins = ['files.zones', ",
    ));
    let run = janitor
        .settings("[files.zones]\ndirectory = 'desired'")
        .run();
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    let told = run.errors();
    assert!(
        told.contains("Skipped loading plugin \"villain.authority.is-choosy\" because no configuration was found."),
        "{told}"
    );
}

// B7
#[test]
fn a_missing_role_is_no_success() {
    for (janitor, role) in [
        (deployment().authorities(&[]), "authority"),
        (deployment().reconcilers(&[]), "reconciler"),
        (deployment().publishers(&[]), "publisher"),
    ] {
        let run = janitor.run();
        assert_eq!(outcome(&run), (2, "unexpected-error".to_owned()), "{role}");
    }
}

// B8
#[test]
fn a_signal_is_reported_as_a_cancellation() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let janitor = deployment().authorities(&["villain.authority.waits"]);
        let mut running = janitor.start(&["run"]);
        running.wait_for("waiting");
        running.signal(signal);
        let run = running.finish();
        assert_eq!(outcome(&run), (1, "cancelled".to_owned()), "{signal:?}");
    }
}

// B9
#[test]
fn the_configuration_is_utf_8_whatever_the_locale() {
    let janitor = Janitor::new()
        .served("a.test", "old A 192.0.2.1")
        .environment("LC_ALL", "C");
    fs::create_dir(janitor.path("désiré")).expect("a directory can be made");
    let zone = format!("{}new A 192.0.2.1\n", crate::janitor::HEAD);
    let janitor = janitor
        .file("désiré/a.test.zone", zone)
        .settings("[files.zones]\ndirectory = 'désiré'");
    let run = janitor.run();
    assert_eq!(outcome(&run), (0, "success".to_owned()));
    assert!(janitor.served_file("a.test").contains("new."));
}

// B10
#[test]
fn a_text_where_a_list_is_meant_is_an_error_of_its_own() {
    for (setting, name) in [
        ("[core]\nplugins = 'files.zones'", "core.plugins"),
        (
            "[core.logging]\nhandlers = 'stream'",
            "core.logging.handlers",
        ),
    ] {
        let run = deployment().settings(setting).run();
        assert_eq!(run.exit_code(), 2);
        let first =
            format!("error[GJ403]: {name} must be a list of texts, in brackets, not a text\n");
        assert!(run.errors().contains(&first), "{}", run.errors());
    }
}

// B11
#[test]
fn a_date_format_under_the_name_that_was_documented_is_not_silently_lost() {
    let run = deployment()
        .settings("[core.logging]\ndate_fmt = '%Y'")
        .run();
    assert!(run.errors().contains("datefmt"), "{}", run.errors());
}

// B12
#[test]
fn a_time_with_a_z_is_utc_wherever_it_is_printed() {
    // Local times of the two differ by a day.
    let times = ["<+12>-12", "<-12>12"].map(|zone| {
        let run = deployment().environment("TZ", zone).run();
        let line = run.raw_log().next().expect("there is a log").to_owned();
        let (time, _) = line.split_once(' ').expect("it begins with the time");
        time.parse::<Timestamp>().expect("it is one")
    });
    let apart = times[1].duration_since(times[0]);
    assert!(apart < SignedDuration::from_hours(1), "{times:?}");
}

// B14
#[test]
fn what_two_plugins_inherit_is_not_shared() {
    // One takes the zones it inherited apart; the other still has them.
    let config = "[core]\nplugins = ['gcp.one', 'gcp.two']\n\
                  [gcp]\nzones = ['a', 'b']\n[gcp.one]\nzones = ['c']\n[gcp.two]\n";
    let expected = serde_json::json!({"zones": ["c"]});
    assert_eq!(given(config, "gcp.one"), expected);
    let expected = serde_json::json!({"zones": ["a", "b"]});
    assert_eq!(given(config, "gcp.two"), expected);
}

// B15
#[test]
fn the_table_of_a_sibling_that_is_not_active_does_not_leak() {
    let config = "[core]\nplugins = ['files.zones']\n\
                  [files.zones]\ndirectory = 'desired'\n[files.served]\ndirectory = 'served'\n";
    let expected = serde_json::json!({"directory": "desired"});
    assert_eq!(given(config, "files.zones"), expected);
}

// B16
#[test]
fn tables_may_be_quoted() {
    let janitor = deployment().config(
        "[core]\nplugins = ['files.zones', 'files.served', 'files.apply']\n\
         [core.logging]\nhandlers = ['stream']\n\
         ['files.zones']\ndirectory = 'desired'\n['files.served']\ndirectory = 'served'\n\
         ['files.apply']\ndirectory = 'served'\n",
    );
    assert_eq!(outcome(&janitor.run()), (0, "success".to_owned()));
    assert!(janitor.served_file("a.test").contains("new."));
}

// B17
#[test]
fn the_table_of_a_metrics_relay_is_found_like_any_other() {
    for table in ["[villain.relay.meddles]", "['villain.relay.meddles']"] {
        let janitor = deployment();
        let settings = format!("[core]\nmetrics = 'villain.relay.meddles'\n{table}");
        let run = janitor.settings(&settings).run();
        assert_eq!(run.exit_code(), 0, "{}", run.errors());
        assert!(!run.log_with("INFO: measured: ").is_empty());
    }
}

// B18
#[test]
fn no_plugin_is_silently_replaced_by_a_second_of_its_role() {
    let run = deployment()
        .authorities(&["files.zones", "villain.authority.behaves"])
        .publishers(&["files.apply", "villain.publisher.behaves"])
        .run();
    assert_eq!(outcome(&run), (0, "success".to_owned()));
    assert_eq!(run.log_with("running plugin=villain").len(), 2);
    let run = deployment()
        .reconcilers(&["files.served", "villain.reconciler.behaves"])
        .run();
    assert_eq!(run.exit_code(), 2);
    assert!(run.errors().contains("error[GJ205]: "), "{}", run.errors());
}

// B19
#[test]
fn with_debug_a_missing_role_is_told_and_hangs_nobody() {
    for (janitor, role) in [
        (deployment().authorities(&[]), "authority"),
        (deployment().reconcilers(&[]), "reconciler"),
        (deployment().publishers(&[]), "publisher"),
    ] {
        let run = janitor.settings("[core]\ndebug = true").run();
        assert_eq!(run.exit_code(), 2, "{role}");
        let first = format!(
            "error[GJ204]: A provider for \"{role}\" interface is not configured for the Janitor service or is not implemented.\n"
        );
        assert!(run.errors().contains(&first), "{}", run.errors());
    }
}

// B20
#[test]
fn a_relay_that_can_tell_contexts_apart_is_given_each_step_with_its_own() {
    // The line of the log has the sum over all contexts, as users search for it.
    let measuring = || deployment().authorities(&["files.zones", "villain.authority.measures"]);
    let run = measuring().run();
    assert_eq!(
        run.log_with("[cups]"),
        [
            "INFO: [cups] value: 1 context: {'cup': 'blue', 'full': True} plugin=villain.authority.measures",
            "INFO: [cups] value: 3 plugin=villain.authority.measures",
        ]
    );
    let run = measuring()
        .settings("[core]\nmetrics = 'villain.relay.meddles'\n[villain.relay.meddles]")
        .run();
    let steps = run.log_with("measured: Increment cups");
    let steps = steps.iter().map(|line| line.split(" plugin=").next());
    assert_eq!(
        steps.collect::<Option<BTreeSet<_>>>(),
        Some(BTreeSet::from([
            "INFO: measured: Increment cups cup=blue full=true: 1 of something",
            "INFO: measured: Increment cups: 2 of something",
        ]))
    );
}

// B21
#[test]
fn the_address_of_ffwd_has_the_names_that_were_documented_and_those_that_worked() {
    for (ip, port) in [("ip", "port"), ("ffwd_ip", "ffwd_port")] {
        let receiver = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket can be bound");
        let address = receiver.local_addr().expect("it has an address");
        let settings = format!(
            "[core]\nmetrics = 'ffwd'\n[ffwd]\n{ip} = '127.0.0.1'\n{port} = {}",
            address.port()
        );
        let run = deployment().settings(&settings).run();
        assert_eq!(run.exit_code(), 0, "{}", run.errors());
        let mut datagram = [0; 2048];
        let octets = receiver.recv(&mut datagram).expect("something was sent");
        assert!(datagram[..octets].starts_with(b"{\"key\": \"gordon-service\""));
    }
}

// B22
#[test]
fn changes_come_in_the_same_order_in_every_run() {
    let owners = (0..50).map(|n| format!("h{n} A 192.0.2.1\nh{n} TXT x\n"));
    let janitor = deployment().desired("a.test", &owners.collect::<String>());
    let first = janitor.plan(&["--format", "json"]).stdout();
    assert!(first.contains("h49.a.test."));
    for _ in 0..3 {
        assert_eq!(janitor.plan(&["--format", "json"]).stdout(), first);
    }
}

// B37
#[test]
fn a_time_to_clean_up_below_a_second_comes_to_its_end() {
    let janitor = deployment()
        .publishers(&["villain.publisher.hangs"])
        .settings("[core]\ngrace = 0.7");
    let mut running = janitor.start(&["run"]);
    running.wait_for("hanging");
    running.signal(Signal::TERM);
    assert_eq!(outcome(&running.finish()), (1, "cancelled".to_owned()));
}

// B38
#[test]
fn when_one_plugin_fails_the_others_are_cleaned_up_and_nobody_makes_noise() {
    let run = deployment()
        .reconcilers(&["villain.reconciler.fails"])
        .publishers(&["villain.publisher.behaves"])
        .authorities(&["villain.authority.behaves"])
        .settings("[villain]\nzones = ['a.test']")
        .run();
    assert_eq!(outcome(&run), (1, "unexpected-error".to_owned()));
    for key in ["villain.publisher.behaves", "villain.authority.behaves"] {
        for step in ["cleaned up", "dropped"] {
            let line = format!("INFO: {step} plugin={key}");
            assert_eq!(run.log_with(&line).len(), 1, "{line}: {:#?}", run.log());
        }
    }
    assert_eq!(run.errors(), "");
}

// B39
#[test]
fn a_fault_inside_run_is_told_as_what_it_is() {
    let run = deployment()
        .authorities(&["files.zones", "villain.authority.fails"])
        .run();
    assert_eq!(
        run.failures(),
        ["plugin `villain.authority.fails` failed: cannot reach the moon: no rocket"]
    );
}

// B40
#[test]
fn a_zone_takes_a_fraction_of_the_memory() {
    const OWNERS: u32 = 100_000;
    let records = (0..OWNERS).map(|n| format!("h{n} A 192.0.2.{}\n", n % 256));
    let records = records.collect::<String>();
    let janitor = Janitor::new()
        .desired("a.test", &records)
        .served("a.test", &format!("{records}old A 192.0.2.1\n"))
        .publishers(&["villain.publisher.waits-after-the-first"])
        .gate();
    let mut running = janitor.start(&["run"]);
    running.wait_for("waiting at the gate");
    let worker = running.worker();
    let status = fs::read_to_string(format!("/proc/{worker}/status")).expect("it still runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    let peak = peak.and_then(|peak| peak.parse::<u32>().ok());
    janitor.open_gate();
    assert_eq!(running.finish().exit_code(), 0);
    // The original takes two kilobytes for each record, that is, 200 MB here.
    let peak = peak.expect("the kernel tells it");
    assert!(peak < 64 << 10, "{peak} kB");
}

/// Ways in which the plugin `key` cannot be used; each with a text that names the cause.
fn unusable(role: &str) -> Vec<(String, &'static str, &'static str)> {
    let key = |trick: &str| format!("villain.{role}.{trick}");
    vec![
        ("no.such.plugin".to_owned(), "", "warning[GJ202]: "),
        (key("panics-in-new"), "[KEY]", "warning[GJ501]: "),
        (
            key("behaves"),
            "[KEY]\nno_such_setting = 1",
            "warning[GJ401]: ",
        ),
        (
            key("behaves"),
            "[KEY]\nzones = 'no list'",
            "warning[GJ403]: ",
        ),
    ]
}

// B3, B5, B19 for every role
#[test]
fn with_debug_the_run_goes_on_without_what_cannot_be_used_says_why_and_ends() {
    for role in ["authority", "publisher"] {
        for (key, table, cause) in unusable(role) {
            let janitor = match role {
                "authority" => deployment().authorities(&["files.zones", &key]),
                _ => deployment().publishers(&["files.apply", &key]),
            };
            let table = table.replace("KEY", &key);
            let run = janitor
                .settings(&format!("[core]\ndebug = true\n{table}"))
                .run();
            let told = run.errors();
            assert_eq!(run.exit_code(), 0, "{key} {table}: {told}");
            assert!(told.contains(cause), "{key} {table}: {told}");
            let note = "  note: continuing without it because core.debug = true\n";
            assert!(told.contains(note), "{key} {table}: {told}");
        }
    }
    // Alone in its role it leaves nothing to go on with.
    for role in ["authority", "reconciler", "publisher"] {
        for (key, table, cause) in unusable(role) {
            let janitor = match role {
                "authority" => deployment().authorities(&[&key]),
                "reconciler" => deployment().reconcilers(&[&key]),
                _ => deployment().publishers(&[&key]),
            };
            let table = table.replace("KEY", &key);
            let run = janitor
                .settings(&format!("[core]\ndebug = true\n{table}"))
                .run();
            let told = run.errors();
            assert!(run.exit_code() > 0, "{key} {table}: {told}");
            let code = cause.trim_start_matches("warning");
            assert!(told.contains(code), "{key} {table}: {told}");
        }
    }
}
