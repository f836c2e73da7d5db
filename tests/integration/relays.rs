//! Where measurements go: the metrics relays, built in and as plugins, and what becomes of the run when
//! a relay misbehaves.

use std::net::UdpSocket;

use insta::assert_snapshot;
use rustix::process::Signal;

use crate::janitor::Janitor;

/// `a.test` is to change.
fn deployment() -> Janitor {
    Janitor::new()
        .desired("a.test", "new A 192.0.2.1")
        .served("a.test", "old A 192.0.2.1")
}

/// The same with the metrics relay `key`.
fn relayed_by(key: &str) -> Janitor {
    deployment().settings(&format!("[core]\nmetrics = '{key}'\ngrace = 0.3\n[{key}]"))
}

fn is_changed(janitor: &Janitor) -> bool {
    janitor.served_file("a.test").contains("new.")
}

#[test]
fn a_relay_is_given_everything_from_the_first_to_the_last() {
    let janitor = relayed_by("villain.relay.meddles")
        .authorities(&["files.zones", "villain.authority.measures"]);
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    let measured = run.log_with("INFO: measured: ");
    let shown = measured.iter().map(|line| {
        let line = line.strip_prefix("INFO: measured: ").expect("it has it");
        line.trim_end_matches(" plugin=villain.relay.meddles")
    });
    let mut shown = shown.collect::<Vec<_>>();
    // It is the first that is created and the last that ends.
    assert_eq!(
        shown.first(),
        Some(&"Value libraries state=loaded: 2 files")
    );
    assert_eq!(
        shown.last(),
        Some(&"Increment run-ended status=success: 1 runs")
    );
    // The authorities run side by side.
    shown.sort_unstable();
    assert_snapshot!(shown.join("\n"), @r"
    Increment change-message plugin=files.apply action=additions result=published: 1 RRsets
    Increment change-message plugin=files.apply action=deletions result=published: 1 RRsets
    Increment cups cup=blue full=true: 1 of something
    Increment cups: 2 of something
    Increment run-ended status=success: 1 runs
    Timer channel-wait plugin=files.apply direction=receive: some seconds
    Timer channel-wait plugin=files.served direction=receive: some seconds
    Timer channel-wait plugin=files.served direction=send: some seconds
    Timer channel-wait plugin=files.zones direction=send: some seconds
    Timer channel-wait plugin=villain.authority.measures direction=send: some seconds
    Timer plugin-runtime plugin=files.apply: some seconds
    Timer plugin-runtime plugin=files.served: some seconds
    Timer plugin-runtime plugin=files.zones: some seconds
    Timer plugin-runtime plugin=villain.authority.measures: some seconds
    Timer run-duration: some seconds
    Timer tea-time: some of something
    Value libraries state=loaded: 2 files
    Value libraries state=refused: 0 files
    Value rrsets plugin=files.zones zone=a.test.: 3 RRsets
    Value rrsets-handled plugin=files.served action=additions source=files.zones: 1 RRsets
    Value rrsets-handled plugin=files.served action=deletions source=files.served: 1 RRsets
    Value sugar lumps=3: 2.5 of something
    Value zone-changes zone=a.test. plugin=files.apply outcome=accepted: 0 changes
    Value zone-changes zone=a.test. plugin=files.apply outcome=applied: 2 changes
    Value zone-changes zone=a.test. plugin=files.apply outcome=refused: 0 changes
    Value zone-changes zone=a.test. plugin=files.apply outcome=unknown: 0 changes
    Value zone-drift zone=a.test. kind=addition: 1 RRsets
    Value zone-drift zone=a.test. kind=deletion: 1 RRsets
    Value zone-drift zone=a.test. kind=held-back: 0 RRsets
    Value zone-drift zone=a.test. kind=update: 0 RRsets
    Value zone-rrsets zone=a.test. state=actual: 3 RRsets
    Value zone-rrsets zone=a.test. state=desired: 3 RRsets
    Value zones outcome=changed: 1 zones
    Value zones outcome=failed: 0 zones
    Value zones outcome=in-sync: 0 zones
    Value zones outcome=left-out: 0 zones
    Value zones outcome=pending: 0 zones
    Value zones outcome=withheld: 0 zones
    ");
    // What it measures itself, and wants to leave out, is nothing to anybody.
    assert_eq!(run.log_with("measured measured"), [""; 0]);
    assert!(is_changed(&janitor));
}

#[test]
fn a_relay_lives_longer_than_the_others() {
    let run = relayed_by("villain.relay.meddles")
        .settings("zones = ['a.test']")
        .run();
    assert_eq!(run.exit_code(), 0);
    assert_eq!(run.left_out(), [""; 0]);
    let steps = run.log();
    let steps = steps.iter().filter(|line| {
        line.contains("plugin=villain.relay.meddles") && !line.contains("measured: ")
            || line.contains("run report")
    });
    assert_snapshot!(steps.cloned().collect::<Vec<_>>().join("\n"), @r"
    INFO: created plugin=villain.relay.meddles
    INFO: running plugin=villain.relay.meddles
    WARNING: a metrics relay wants to leave something out, which it cannot what=a.test. plugin=villain.relay.meddles
    INFO: run report zones=1 additions=1 updates=0 deletions=1 published=true left_out=0 failures=0 abandoned=0 passed_over=0
    INFO: the stream has ended, and the run is over plugin=villain.relay.meddles
    INFO: cleaned up plugin=villain.relay.meddles
    INFO: dropped plugin=villain.relay.meddles
    ");
}

#[test]
fn a_relay_that_fails_leaves_the_run_alone_and_makes_it_incomplete() {
    for (key, reason) in [
        (
            "villain.relay.fails",
            "plugin `villain.relay.fails` failed: cannot reach the moon: no rocket",
        ),
        (
            "villain.relay.panics-in-run",
            "plugin `villain.relay.panics-in-run` panicked: on purpose, in run at",
        ),
        (
            "villain.relay.hangs",
            "plugin `villain.relay.hangs` failed: the plugin did not end within the grace and was stopped",
        ),
    ] {
        let janitor = relayed_by(key);
        let run = janitor.run();
        assert_eq!(run.exit_code(), 3, "{key}: {}", run.errors());
        let told = format!("ERROR: measurements are not known to everybody: {reason}");
        assert_eq!(run.log_with(&told).len(), 1, "{key}: {:#?}", run.log());
        // It is no failure of the run: the zone is as it should be, and the run says so.
        assert_eq!(run.failures(), [""; 0], "{key}");
        assert_eq!(run.log_with("INFO: Gordon-janitor run complete.").len(), 1);
        assert!(is_changed(&janitor), "{key}");
    }
}

#[test]
fn a_relay_that_blocks_is_abandoned_by_name() {
    let janitor = relayed_by("villain.relay.blocks");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 3);
    assert_eq!(run.abandoned(), ["villain.relay.blocks"]);
    assert!(is_changed(&janitor));
}

#[test]
fn what_a_relay_does_not_take_in_time_is_lost_and_counted() {
    let janitor = relayed_by("villain.relay.blocks")
        .authorities(&["files.zones", "villain.authority.measures-a-lot"]);
    let run = janitor.run();
    assert_eq!(run.exit_code(), 3);
    let lost = run.log_with("WARNING: measurements were lost");
    let [line] = lost.as_slice() else {
        panic!("{lost:?}");
    };
    assert!(
        line.contains(" code=GJ703 plugin=villain.relay.blocks lost="),
        "{line}"
    );
    let number = line.split("lost=").nth(1).and_then(|rest| {
        let digits = rest.split(' ').next()?;
        digits.parse::<u32>().ok()
    });
    // All but those that fit into the queue and those it had in its hands.
    assert!(
        number.is_some_and(|number| (4_000..5_000).contains(&number)),
        "{line}"
    );
    assert!(is_changed(&janitor));
}

#[test]
fn measurements_for_a_relay_that_has_left_are_lost_and_counted() {
    let janitor = relayed_by("villain.relay.leaves-early");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0);
    assert_eq!(run.log_with("WARNING: measurements were lost").len(), 1);
    assert!(is_changed(&janitor));
}

#[test]
fn a_relay_that_cannot_be_created_stops_the_run_before_it_starts() {
    let told = |key: &str, code: i32| {
        let janitor = relayed_by(key);
        let run = janitor.run();
        assert_eq!(run.exit_code(), code, "{key}: {}", run.errors());
        assert!(!is_changed(&janitor), "{key}");
        assert_eq!(run.log_with("running plugin="), [""; 0], "{key}");
        assert_eq!(run.status(), "unexpected-error", "{key}");
        run.errors()
    };
    assert_snapshot!(told("villain.relay.refuses-to-start", 2), @r#"
    error[GJ409]: plugin "villain.relay.refuses-to-start" does not accept its configuration: cannot work by this light
      where: <root>/gordon-janitor-user.toml:4:16, [villain.relay.refuses-to-start]
      4 | [villain.relay.refuses-to-start]
        |                ^^^^^^^^^^^^^^^^
      because: the moon is not full
      help: wait for the full moon
    error: 1 error; nothing was run
    "#);
    let panicked = told("villain.relay.panics-in-new", 1);
    assert!(
        panicked.starts_with(
            "error[GJ501]: plugin \"villain.relay.panics-in-new\" panicked while being created"
        ),
        "{panicked}"
    );
}

#[test]
fn a_relay_that_is_not_created_in_time_is_not_waited_for() {
    let janitor = relayed_by("villain.relay.waits-in-new").gate();
    let run = janitor.run();
    assert_eq!(run.exit_code(), 1);
    assert_snapshot!(run.errors().lines().next().expect("a line"), @r#"error[GJ503]: plugin "villain.relay.waits-in-new" cannot be created: it was not there within core.grace, 0.3 s"#);
    assert!(!is_changed(&janitor));
}

#[test]
fn a_signal_is_heard_while_the_relay_is_being_created() {
    let janitor = deployment()
        .gate()
        .settings("[core]\nmetrics = 'villain.relay.waits-in-new'\n[villain.relay.waits-in-new]");
    let mut running = janitor.start(&["run"]);
    running.wait_for("waiting at the gate");
    running.signal(Signal::TERM);
    let run = running.finish();
    assert_eq!((run.exit_code(), run.status().as_str()), (1, "cancelled"));
    assert!(!is_changed(&janitor));
}

#[test]
fn a_relay_measures_a_run_that_is_cancelled_to_its_end() {
    let janitor = relayed_by("villain.relay.meddles").authorities(&["villain.authority.waits"]);
    let mut running = janitor.start(&["run"]);
    running.wait_for("INFO: waiting plugin=villain.authority.waits");
    running.signal(Signal::INT);
    let run = running.finish();
    assert_eq!(run.exit_code(), 1);
    let last = "measured: Increment run-ended status=cancelled: 1 runs";
    assert_eq!(run.log_with(last).len(), 1, "{:#?}", run.log());
}

#[test]
fn with_debug_measurements_go_to_the_log_if_the_relay_cannot_be_had() {
    for key in ["villain.relay.panics-in-new", "villain.relay.none"] {
        let janitor =
            deployment().settings(&format!("[core]\nmetrics = '{key}'\ndebug = true\n[{key}]"));
        let run = janitor.run();
        assert_eq!(run.exit_code(), 3, "{key}: {}", run.errors());
        assert_eq!(run.status(), "incomplete", "{key}");
        assert!(is_changed(&janitor), "{key}");
        assert!(run.errors().starts_with("warning[GJ"), "{}", run.errors());
    }
}

#[test]
fn the_relay_is_listed_as_enabled() {
    let run = relayed_by("villain.relay.fails").command(&["plugins", "list"]);
    let line = |key: &str| {
        let stdout = run.stdout();
        let mut lines = stdout
            .lines()
            .filter(|line| line.starts_with(&format!("{key} ")));
        let words = lines.next().expect("it is listed").split_whitespace();
        words
            .skip(1)
            .step_by(3)
            .take(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(line("villain.relay.fails"), ["metrics-relay", "enabled"]);
    assert_eq!(line("villain.relay.hangs"), ["metrics-relay", "available"]);
}

#[test]
fn a_plan_and_a_dry_run_measure_for_the_log_alone() {
    let janitor = relayed_by("villain.relay.fails");
    for arguments in [&["plan"][..], &["run", "--dry-run"]] {
        let run = janitor.command(arguments);
        assert_eq!(run.exit_code(), 0, "{}", run.errors());
        assert_eq!(run.log_with("villain.relay.fails"), [""; 0]);
        assert_eq!(run.status(), "success");
    }
}

#[test]
fn a_relay_that_there_is_not_gets_the_nearest_name_and_the_list() {
    let run = deployment().settings("[core]\nmetrics = 'ffwb'").run();
    assert_eq!(run.exit_code(), 2);
    assert_snapshot!(run.errors(), @r#"
    error[GJ702]: core.metrics names a metrics relay that there is not: "ffwb"
      where: <root>/gordon-janitor-user.toml:2:11, core.metrics
      2 | metrics = 'ffwb'
        |           ^^^^^^
      found: metrics relays: metrics-logger, ffwd (both built in), villain.relay.blocks, villain.relay.fails, villain.relay.hangs, villain.relay.leaves-early, villain.relay.meddles, villain.relay.panics-in-new, villain.relay.panics-in-run, villain.relay.refuses-to-start, villain.relay.waits-in-new
      help: write metrics = "ffwd"
    error: 1 error; nothing was run
    "#);
    let run = deployment()
        .settings("[core]\nmetrics = 'files.zones'")
        .run();
    assert_eq!(run.exit_code(), 2);
    assert_snapshot!(run.errors().lines().next().expect("a line"), @r#"error[GJ702]: core.metrics names "files.zones", which is no metrics relay but has the role authority"#);
    let run = deployment()
        .settings("[core]\nmetrics = 'villain.relay.fails'")
        .run();
    assert_eq!(run.exit_code(), 2);
    assert_snapshot!(run.errors(), @r#"
    error[GJ402]: plugin "villain.relay.fails" is listed in core.metrics but no configuration was found for it
      where: <root>/gordon-janitor-user.toml:2:11, core.metrics
      2 | metrics = 'villain.relay.fails'
        |           ^^^^^^^^^^^^^^^^^^^^^
      found: no table [villain.relay.fails] in gordon-janitor.toml or gordon-janitor-user.toml
      because: it requires nothing, but runs only if it has a table
      help: add:  [villain.relay.fails]
    error: 1 error; nothing was run
    "#);
}

#[test]
fn the_table_of_a_relay_is_found_in_both_spellings() {
    // In the original a dotted relay needed the quoted one, and plugins the other.
    for table in ["[villain.relay.meddles]", "['villain.relay.meddles']"] {
        let janitor = deployment().settings(&format!(
            "[core]\nmetrics = 'villain.relay.meddles'\n{table}\nno-such-setting = 1"
        ));
        let run = janitor.run();
        assert_eq!(run.exit_code(), 2);
        let first = "error[GJ401]: [villain.relay.meddles] has no setting \"no-such-setting\"";
        assert!(run.errors().starts_with(first), "{}", run.errors());
    }
}

#[test]
fn ffwd_is_sent_a_datagram_for_each_measurement() {
    let daemon = UdpSocket::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = daemon.local_addr().expect("it is bound").port();
    let janitor = deployment().settings(&format!(
        "[core]\nmetrics = 'ffwd'\n[ffwd]\nkey = 'test'\nffwd_port = '{port}'\ntime_unit = 0"
    ));
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    assert_eq!(run.log_with("[run-ended]"), [""; 0]);
    let mut received = Vec::new();
    let mut datagram = [0; 2048];
    // The last one is known, so that nobody has to wait for more.
    while !received
        .last()
        .is_some_and(|text: &String| text.contains("run-ended"))
    {
        let octets = daemon.recv(&mut datagram).expect("a datagram comes");
        let text = String::from_utf8_lossy(&datagram[..octets]);
        received.push(text.into_owned());
    }
    assert_eq!(
        received.last().map(String::as_str),
        Some(
            r#"{"key": "test", "attributes": {"what": "run-ended", "metric_type": "meter", "status": "success"}, "value": 1, "type": "metric"}"#
        )
    );
    let rrsets = r#"{"key": "test", "attributes": {"what": "rrsets", "metric_type": "meter", "plugin": "files.zones", "zone": "a.test."}, "value": 3, "type": "metric"}"#;
    assert!(received.iter().any(|text| text == rrsets), "{received:#?}");
    let runtime = r#"{"key": "test", "attributes": {"what": "plugin-runtime", "metric_type": "timer", "plugin": "files.apply"}, "value": 0.0, "type": "metric"}"#;
    assert!(received.iter().any(|text| text == runtime), "{received:#?}");
}

#[test]
fn measurements_are_logged_at_the_level_that_is_asked_for() {
    for level in ["debug", "WARNING", "error", "critical"] {
        let run = deployment()
            .settings(&format!(
                "[core.logging]\nlevel = '{level}'\n[metrics-logger]\nlog_level = '{level}'"
            ))
            .run();
        let line = format!("{}: [run-ended] value: 1", level.to_uppercase());
        assert_eq!(run.log_with(&line).len(), 1, "{}", run.stderr());
    }
}

#[test]
fn a_time_unit_is_a_finite_number() {
    for (relay, unit) in [("metrics-logger", "nan"), ("ffwd", "-inf")] {
        let run = deployment()
            .settings(&format!("[{relay}]\ntime_unit = {unit}"))
            .run();
        assert_eq!(run.exit_code(), 2);
        let told = format!("error[GJ404]: {relay}.time_unit must be a finite number");
        assert!(run.errors().starts_with(&told), "{}", run.errors());
    }
}

#[test]
fn an_ffwd_that_is_not_there_is_noticed_once() {
    let daemon = UdpSocket::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = daemon.local_addr().expect("it is bound").port();
    drop(daemon);
    let run = deployment()
        .settings(&format!(
            "[core]\nmetrics = 'ffwd'\n[ffwd]\nport = {port}\nip = '127.0.0.1'"
        ))
        .run();
    assert_eq!(run.exit_code(), 0);
    let noticed = run.log_with("code=GJ703");
    assert_eq!(noticed.len(), 1, "{:#?}", run.log());
    let told = run.errors().replace(&port.to_string(), "<port>");
    assert_snapshot!(told, @r#"
    warning[GJ401]: [ffwd] calls the setting "ffwd_ip" "ip"
      where: <root>/gordon-janitor-user.toml:5:6, ffwd.ip
      5 | ip = '127.0.0.1'
        |      ^^^^^^^^^^^
      because: documents of the Python original did, which read the other name
      help: call it "ffwd_ip"; it counts under this name as well
    warning[GJ401]: [ffwd] calls the setting "ffwd_port" "port"
      where: <root>/gordon-janitor-user.toml:4:8, ffwd.port
      4 | port = <port>
        |        ^^^^^
      because: documents of the Python original did, which read the other name
      help: call it "ffwd_port"; it counts under this name as well
    "#);
}
