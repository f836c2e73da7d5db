//! How log lines look and where they go, whatever a plugin says.

use std::io::Read;
use std::net::UdpSocket;
use std::os::unix::net::UnixListener;

use insta::assert_snapshot;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::janitor::{Janitor, Run, SystemLog};

fn deployment(settings: &str) -> Janitor {
    Janitor::new()
        .desired("a.test", "new A 192.0.2.1")
        .served("a.test", "old A 192.0.2.1")
        .settings(&format!("[core.logging]\n{settings}"))
}

/// The lines of standard error whose message is the last of every good run.
fn last_lines(run: &Run) -> Vec<String> {
    let stderr = run.stderr();
    let lines = stderr
        .lines()
        .filter(|line| line.contains("Gordon-janitor run complete."));
    lines.map(str::to_owned).collect()
}

#[test]
fn a_configured_format_takes_the_place_of_the_whole_line() {
    let run = deployment(
        "fmt = '%(levelname)-8s|%(levelno)03d|%(name)s|%(filename)s|%(threadName)s|%(message)s'\n\
         datefmt = '%H:%M'",
    )
    .run();
    assert_eq!(
        last_lines(&run),
        ["INFO    |020|gordon_janitor::run|run.rs|main|Gordon-janitor run complete."]
    );
}

#[test]
fn a_date_format_changes_only_the_date() {
    let run = deployment("datefmt = 'on %a'").run();
    let lines = last_lines(&run);
    let (date, rest) = lines[0].split_once('.').expect("milliseconds follow");
    assert!(
        date.starts_with("on ") && date.len() == "on Mon".len(),
        "{date}"
    );
    assert!(rest.contains("Z gordon-janitor ("), "{rest}");
}

#[test]
fn formats_that_cannot_be_used_are_refused_at_their_place() {
    let run = deployment("fmt = '%(levelnam)s'\ndatefmt = '%!'").run();
    assert_eq!(run.exit_code(), 2);
    assert_snapshot!(run.errors(), @r#"
    error[GJ404]: core.logging.fmt must be a pattern of Python's logging, such as "%(asctime)s %(levelname)s: %(message)s"
      where: <root>/gordon-janitor-user.toml:2:7, core.logging.fmt
      2 | fmt = '%(levelnam)s'
        |       ^^^^^^^^^^^^^^
      because: it has no attribute `levelnam`; did you mean `levelname`?
    error[GJ404]: core.logging.datefmt must be a format of strftime, such as "%Y-%m-%dT%H:%M:%S"
      where: <root>/gordon-janitor-user.toml:3:11, core.logging.datefmt
      3 | datefmt = '%!'
        |           ^^^^
      because: strftime formatting failed: found unrecognized specifier directive `!`
    error: 2 errors; nothing was run
    "#);
}

#[test]
fn options_without_effect_say_why() {
    let run =
        deployment("credentials = 'x.json'\ndebug_thread_worker = true\ndate_fmt = '%H'").run();
    assert_eq!(run.exit_code(), 0);
    assert_snapshot!(run.errors(), @r#"
    warning[GJ401]: core.logging.credentials has no effect
      where: <root>/gordon-janitor-user.toml:2:15, core.logging.credentials
      2 | credentials = "***"
        |               ^^^^^
      because: entries are written to a stream for the collector of the machine, which has credentials of its own
      help: remove it
    warning[GJ401]: core.logging.debug_thread_worker has no effect
      where: <root>/gordon-janitor-user.toml:3:23, core.logging.debug_thread_worker
      3 | debug_thread_worker = true
        |                       ^^^^
      because: entries are written to a stream; no thread sends them
      help: remove it
    warning[GJ401]: core.logging.date_fmt is read by nothing
      where: <root>/gordon-janitor-user.toml:4:12, core.logging.date_fmt
      4 | date_fmt = '%H'
        |            ^^^^
      help: the option's name is datefmt
    "#);
}

#[test]
fn a_system_log_that_is_not_there_is_told_once_and_its_lines_are_on_standard_error() {
    // Fault B13 of the original: a complaint for every line, and none of them kept.
    let janitor = deployment("handlers = ['syslog']\naddress = 'no/log'");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0);
    assert_snapshot!(run.errors(), @r#"
    warning[GJ701]: syslog at <root>/no/log cannot be reached; its log lines go to standard error
      where: <root>/gordon-janitor-user.toml:3:11, core.logging.address
      3 | address = 'no/log'
        |           ^^^^^^^^
      because: No such file or directory (os error 2)
      help: start the system log there, name another with core.logging.address, or write core.logging.handlers = ["stream"]
    "#);
    assert_eq!(run.log_with("INFO: Gordon-janitor run complete.").len(), 1);
    assert_eq!(run.status(), "success");
}

#[test]
fn a_host_that_refuses_datagrams_is_told_once_and_its_lines_are_on_standard_error() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket can be bound");
    let port = socket.local_addr().expect("it has an address").port();
    drop(socket);
    let run = deployment(&format!(
        "handlers = ['syslog']\naddress = ['127.0.0.1', {port}]"
    ))
    .run();
    assert_eq!(run.exit_code(), 0);
    let told = run.errors().replace(&port.to_string(), "<port>");
    let told = told.replace(&"^".repeat(15 + port.to_string().len()), "^^^^");
    // The answer comes after the first datagram, which nobody can call back.
    assert_snapshot!(told, @r#"
    warning[GJ701]: syslog at 127.0.0.1 port <port> (UDP) cannot be reached; its log lines go to standard error
      where: <root>/gordon-janitor-user.toml:3:11, core.logging.address
      3 | address = ['127.0.0.1', <port>]
        |           ^^^^
      because: Connection refused (os error 111)
      help: start the system log there, name another with core.logging.address, or write core.logging.handlers = ["stream"]
    warning[GJ701]: 1 log line did not reach syslog at 127.0.0.1 port <port> (UDP)
      where: <root>/gordon-janitor-user.toml:3:11, core.logging.address
      3 | address = ['127.0.0.1', <port>]
        |           ^^^^
      because: nobody took them, or not as fast as they came, and the program did not wait for it
    "#);
    assert_eq!(run.log_with("INFO: Gordon-janitor run complete.").len(), 1);
}

#[test]
fn with_a_stream_beside_it_no_line_of_an_absent_system_log_is_written_twice() {
    let run = deployment("handlers = ['stream', 'syslog', 'syslog']\naddress = 'no/log'").run();
    assert_eq!(run.log_with("Gordon-janitor run complete.").len(), 1);
    let warnings = run
        .errors()
        .matches("its log lines are on standard error only")
        .count();
    assert_eq!(warnings, 2, "once for each handler: {}", run.errors());
}

#[test]
fn a_configuration_that_is_refused_is_told_to_the_system_log_as_well() {
    let janitor = deployment("handlers = ['syslog']\naddress = './log'").authorities(&["gcp.gce"]);
    let log = SystemLog::start(&janitor.path("log"));
    let run = janitor.run();
    assert_eq!(run.exit_code(), 2);
    let messages = log.finish();
    let told = messages.iter().find(|message| message.contains("GJ202"));
    let told = told.expect("the problem is told");
    assert!(
        told.starts_with("<131>") && told.contains("Plugin \"gcp.gce\" not installed code=GJ202"),
        "{told}"
    );
    assert!(
        messages
            .iter()
            .any(|message| message.ends_with(": 1 error; nothing was run")),
        "{messages:?}"
    );
}

#[test]
fn the_environment_names_the_receiver_unless_the_configuration_does() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket can be bound");
    let port = socket.local_addr().expect("it has an address").port();
    let run = deployment("handlers = ['syslog']\nfacility = 'daemon'")
        .environment("SYSLOG_HOST", "127.0.0.1")
        .environment("SYSLOG_PORT", &port.to_string())
        .run();
    assert_eq!((run.exit_code(), run.stderr()), (0, String::new()));
    socket
        .set_nonblocking(true)
        .expect("a socket need not wait");
    let mut octets = [0; 4096];
    let length = socket.recv(&mut octets).expect("a message has come");
    let message = String::from_utf8_lossy(&octets[..length]);
    assert!(
        message.starts_with("<30>") && message.contains("Z gordon-janitor ("),
        "{message}"
    );

    let run = deployment("handlers = ['syslog']")
        .environment("SYSLOG_HOST", "127.0.0.1")
        .environment("SYSLOG_PORT", "many")
        .run();
    let told = run.errors();
    // Nobody may listen at the port that is taken in its place.
    let told = told.split("warning[GJ701]").next().unwrap_or_default();
    assert_snapshot!(told, @r#"
    error[GJ404]: SYSLOG_PORT must be a port from 1 to 65535, not "many"
      where: the environment of this process
      help: correct it, or name the receiver in core.logging.address
    error: 1 error; nothing was run
    "#);
}

#[test]
fn a_local_stream_takes_messages_that_end_with_nul() {
    let janitor = deployment("handlers = ['syslog']\naddress = './log'");
    let listener = UnixListener::bind(janitor.path("log")).expect("a socket can be bound");
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.stderr()), (0, String::new()));
    // What was sent waits here, as the connection does.
    listener.set_nonblocking(true).expect("it need not wait");
    let (mut connection, _) = listener.accept().expect("the program has connected");
    let mut text = String::new();
    connection
        .read_to_string(&mut text)
        .expect("it has sent text");
    let messages = text.split_terminator('\0').collect::<Vec<_>>();
    assert!(messages.len() > 3, "{messages:?}");
    assert!(
        messages.iter().all(|message| message.starts_with("<13")),
        "{messages:?}"
    );
    assert!(
        messages
            .last()
            .is_some_and(|last| last.contains("[run-ended]")),
        "{messages:?}"
    );
}

#[test]
fn entries_for_google_are_one_json_object_a_line_on_standard_output() {
    let run = deployment("handlers = ['stackdriver']\nproject_id = 'dns-prod'").run();
    assert_eq!((run.exit_code(), run.stderr()), (0, String::new()));
    let stdout = run.stdout();
    let entries = stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"));
    let entries = entries.collect::<Vec<Value>>();
    let report = entries
        .iter()
        .find(|entry| entry["message"] == "run report");
    let report = report.expect("the report is logged");
    assert_eq!(report["severity"], "INFO");
    assert_eq!(report["fields"]["zones"], 1);
    assert_eq!(
        report["logging.googleapis.com/sourceLocation"]["file"],
        "host/report.rs"
    );
    assert_eq!(
        report["logging.googleapis.com/labels"]["resource_project"],
        "dns-prod"
    );
    let ids = entries
        .iter()
        .map(|entry| entry["logging.googleapis.com/insertId"].as_str());
    assert!(ids.clone().all(|id| id.is_some()) && ids.is_sorted_by(|a, b| a < b));
}

#[test]
fn entries_for_google_do_not_stand_in_a_plan() {
    for arguments in [["plan", "--format=json"].as_slice(), &["run", "--dry-run"]] {
        let run = deployment("handlers = ['stackdriver']").command(arguments);
        assert_eq!(run.exit_code(), 0);
        assert!(!run.stdout().contains("insertId"), "{}", run.stdout());
        assert!(run.json().iter().all(|entry| entry["severity"].is_string()));
    }
    let run = deployment("handlers = ['stackdriver']\nstackdriver_output = 'stderr'").run();
    assert_eq!(run.stdout(), "");
    assert!(!run.json().is_empty());
}

#[test]
fn a_good_run_in_json_is_log_lines_alone() {
    let run = deployment("").command(&["run", "--log-format", "json"]);
    assert_eq!(run.exit_code(), 0);
    let lines = run.json();
    assert!(lines.iter().all(|line| line["kind"] == "log"), "{lines:?}");
    let report = lines.iter().find(|line| line["message"] == "run report");
    let report = report.expect("the report is logged");
    assert_eq!(report["level"], "INFO");
    assert_eq!(report["target"], "gordon_janitor::report");
    assert_eq!(report["fields"]["published"], true);
    assert!(report["process"].is_number() && report["time"].is_string());
}

#[test]
fn a_progress_report_in_json_is_an_object_as_well() {
    let janitor = Janitor::new()
        .authorities(&["villain.authority.waits"])
        .settings("[villain]\nzones = ['a.test']");
    let mut running = janitor.start(&["run", "--log-format", "json"]);
    running.wait_for("running");
    running.signal(Signal::USR1);
    running.wait_for("\"kind\":\"progress\"");
    running.signal(Signal::TERM);
    let stderr = running.finish().stderr();
    let lines = stderr.lines().map(serde_json::from_str::<Value>);
    let lines = lines.collect::<Result<Vec<_>, _>>().expect(&stderr);
    let report = lines.iter().find(|line| line["kind"] == "progress");
    let report = report.expect("it is there")["lines"].to_string();
    assert!(
        report.contains("villain.authority.waits (authority): running"),
        "{report}"
    );
}

#[test]
fn a_configuration_that_is_refused_in_json_has_the_same_as_fields() {
    let janitor = deployment("levle = 'info'")
        .authorities(&["files.zone"])
        .environment("GORDON_JANITOR_LOG_FORMAT", "json");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 2);
    let mut lines = run.json();
    for line in &mut lines {
        let time = line.as_object_mut().expect("an object").remove("time");
        assert!(time.is_some_and(|time| time.is_string()));
    }
    lines.retain(|line| line["kind"] != "log");
    let files_zone = json!({
        "kind": "problem",
        "severity": "error",
        "code": "GJ201",
        "summary": "Plugin \"files.zone\" not installed",
        "where": [{
            "file": "<root>/gordon-janitor.toml",
            "line": 2,
            "column": 43,
            "setting": "core.plugins",
            "excerpt": "plugins = [\"files.apply\", \"files.served\", \"files.zone\"]",
        }],
    });
    let [misspelt, missing, end] = lines.as_slice() else {
        panic!("{lines:#?}");
    };
    assert_eq!(
        misspelt,
        &json!({
            "kind": "problem",
            "severity": "error",
            "code": "GJ401",
            "summary": "[core.logging] has no setting \"levle\"; did you mean \"level\"?",
            "where": [{
                "file": "<root>/gordon-janitor-user.toml",
                "line": 2,
                "column": 1,
                "setting": "[core.logging]",
                "excerpt": "levle = 'info'",
            }],
            "found": ["settings of [core.logging]: address, credentials, datefmt, debug_thread_worker, facility, fmt, handlers, level, project_id, proto, stackdriver_output, syslog_format"],
        })
    );
    for (name, value) in files_zone.as_object().expect("an object") {
        assert_eq!(&missing[name], value);
    }
    assert!(missing["found"][0].is_string() && missing["help"][0].is_string());
    assert_eq!(
        end,
        &json!({ "kind": "error", "severity": "error", "summary": "2 errors; nothing was run" })
    );
}

#[test]
fn a_failed_run_in_json_says_why_whatever_the_handlers() {
    let janitor = deployment("handlers = ['syslog']\naddress = './log'")
        .authorities(&["files.zones", "villain.authority.fails"]);
    let log = SystemLog::start(&janitor.path("log"));
    let run = janitor.command(&["run", "--log-format=json"]);
    let messages = log.finish();
    let told = messages
        .iter()
        .filter(|message| message.contains("build a rocket"));
    assert_eq!(told.count(), 1);
    assert_eq!(run.exit_code(), 1);
    let lines = run.json();
    let [line] = lines.as_slice() else {
        panic!("{lines:#?}");
    };
    assert_eq!(line["kind"], "error");
    assert_eq!(
        line["summary"],
        "plugin `villain.authority.fails` failed: cannot reach the moon: no rocket"
    );
    assert_eq!(line["help"], json!(["build a rocket"]));
}

#[test]
fn a_plugin_that_talks_without_end_buries_nobody() {
    let run = deployment("level = 'debug'")
        .authorities(&["files.zones", "villain.authority.talks-without-end"])
        .run();
    assert_eq!(run.exit_code(), 0);
    let log = run.log();
    assert!(
        log.contains(
            &"WARNING: this matters plugin=villain.authority.talks-without-end".to_owned()
        )
    );
    assert_eq!(run.status(), "success");
    // It said as much on its own thread as on the 64 others. How many windows of time that takes
    // depends on the machine; nothing is lost without a word.
    for (whose, mark) in [
        (
            "plugin villain.authority.talks-without-end",
            "DEBUG: bla of its own",
        ),
        ("threads that plugins have started", "INFO: bla number="),
    ] {
        let written = log.iter().filter(|line| line.starts_with(mark)).count();
        let left_out = log.iter().filter_map(|line| {
            let (lines, _) = line.strip_prefix("WARNING: ")?.split_once(&format!(
                " log lines of {whose} left out: more than 10000 in 10 seconds"
            ))?;
            lines.parse::<usize>().ok()
        });
        let left_out = left_out.sum::<usize>();
        assert!(left_out > 0, "{whose}");
        // The plugin's own lines are also `created` and the like.
        let others = log
            .iter()
            .filter(|line| {
                line.starts_with("INFO: ")
                    && line.ends_with("plugin=villain.authority.talks-without-end")
            })
            .count();
        let said = written + left_out;
        assert!(
            (256_000..=256_000 + 4).contains(&said),
            "{whose}: {written} + {left_out}, {others}"
        );
    }
}
