//! The handler `syslog` and a real rsyslog.

use std::fs;
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::janitor::Janitor;
use crate::peers::skipped;

/// How long rsyslogd may take for anything. It takes a hundredth of it.
const LIMIT: Duration = Duration::from_secs(60);

/// An rsyslogd that writes what it understood of each message as a line of JSON.
struct Rsyslog {
    directory: tempfile::TempDir,
    port: u16,
    child: Child,
}

impl Rsyslog {
    /// Starts one; none if it is not installed, which is said loudly.
    fn start() -> Option<Self> {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let port = free_port();
        fs::write(
            directory.path().join("conf"),
            configuration(directory.path(), port),
        )
        .expect("a file can be written");
        let child = spawn(directory.path())?;
        let rsyslog = Self {
            directory,
            port,
            child,
        };
        rsyslog.wait_until_it_listens();
        Some(rsyslog)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn wait_until_it_listens(&self) {
        eventually("rsyslogd listens", || {
            let socket = UnixDatagram::unbound().expect("a socket can be made");
            let is_local = socket.connect(self.path("log")).is_ok();
            (is_local && TcpStream::connect(("127.0.0.1", self.port)).is_ok()).then_some(())
        });
    }

    /// Ends it in good order, so that everything received is written.
    fn stop(&mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("it is there");
        self.child.wait().expect("it can be waited for");
    }

    fn restart(&mut self) {
        self.stop();
        self.child = spawn(self.directory.path()).expect("it was there before");
        self.wait_until_it_listens();
    }

    /// What it made of the messages of a run, once the last of the run is among them.
    fn messages(&self) -> Vec<Value> {
        let file = self.path("messages.jsonl");
        eventually("the messages arrive", || {
            let text = fs::read_to_string(&file).ok()?;
            let lines = text.lines().map(serde_json::from_str::<Value>);
            // The last line may not be whole yet.
            let messages = lines.collect::<Result<Vec<_>, _>>().ok()?;
            let is_last = |message: &Value| text_of(message, "raw").contains("[run-ended]");
            messages.iter().any(is_last).then_some(messages)
        })
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        // Whether it had ended by itself makes no difference any more.
        let _killed = self.child.kill().is_ok();
        let _waited = self.child.wait().is_ok();
    }
}

fn spawn(directory: &Path) -> Option<Child> {
    // Debian has it where only root looks.
    let path = std::env::var("PATH").unwrap_or_default();
    let program = ["/usr/sbin", "/sbin"]
        .into_iter()
        .chain(path.split(':'))
        .map(|directory| Path::new(directory).join("rsyslogd"))
        .find(|program| program.is_file());
    let Some(program) = program else {
        skipped("needs rsyslogd (Debian: rsyslog)");
        return None;
    };
    let child = Command::new(program)
        .args(["-n", "-C", "-i"])
        .arg(directory.join("pid"))
        .arg("-f")
        .arg(directory.join("conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Some(child.expect("rsyslogd can be started"))
}

/// A port that nobody has: for TCP and for UDP.
fn free_port() -> u16 {
    eventually("a port is free", || {
        let udp = UdpSocket::bind("127.0.0.1:0").ok()?;
        let port = udp.local_addr().ok()?.port();
        std::net::TcpListener::bind(("127.0.0.1", port)).ok()?;
        Some(port)
    })
}

/// As Debian configures it on its local socket: with the parser for what programs on the same machine
/// send. On the network, with the one for everything else.
fn configuration(directory: &Path, port: u16) -> String {
    let directory = directory.display();
    let fields = [
        ("pri", "pri"),
        ("severity", "syslogseverity-text"),
        ("facility", "syslogfacility-text"),
        ("host", "hostname"),
        ("tag", "syslogtag"),
        ("program", "app-name"),
        ("process", "procid"),
        ("kind", "msgid"),
        ("version", "protocol-version"),
        ("data", "structured-data"),
        ("text", "msg"),
        ("raw", "rawmsg"),
    ];
    let fields = fields.map(|(name, property)| {
        format!("  property(outname=\"{name}\" name=\"{property}\" format=\"jsonf\")\n")
    });
    format!(
        "global(workDirectory=\"{directory}\")\n\
         module(load=\"imuxsock\" SysSock.Use=\"off\")\n\
         module(load=\"imudp\")\n\
         module(load=\"imtcp\")\n\
         template(name=\"json\" type=\"list\" option.jsonf=\"on\") {{\n{}}}\n\
         ruleset(name=\"all\") {{\n  action(type=\"omfile\" file=\"{directory}/messages.jsonl\" template=\"json\" \
         asyncWriting=\"off\" flushOnTXEnd=\"on\")\n}}\n\
         input(type=\"imuxsock\" Socket=\"{directory}/log\" RateLimit.Interval=\"0\" ruleset=\"all\")\n\
         input(type=\"imudp\" address=\"127.0.0.1\" port=\"{port}\" RateLimit.Interval=\"0\" ruleset=\"all\")\n\
         input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{port}\" ruleset=\"all\")\n",
        fields.concat()
    )
}

/// What `find` finds, as soon as it does.
fn eventually<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + LIMIT;
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(Instant::now() < limit, "waited in vain: {what}");
        thread::yield_now();
    }
}

fn text_of<'a>(message: &'a Value, field: &str) -> &'a str {
    message[field].as_str().unwrap_or_default()
}

fn deployment(settings: &str) -> Janitor {
    Janitor::new()
        .desired("a.test", "new A 192.0.2.1")
        .served("a.test", "old A 192.0.2.1")
        .settings(&format!(
            "[core.logging]\nhandlers = ['syslog']\n{settings}"
        ))
}

/// The messages of a run that has nothing to say on standard error.
fn messages_of(janitor: &Janitor, rsyslog: &Rsyslog) -> Vec<Value> {
    let run = janitor.run();
    assert_eq!((run.exit_code(), run.stderr()), (0, String::new()));
    rsyslog.messages()
}

fn with<'a>(messages: &'a [Value], text: &str) -> &'a Value {
    let mut found = messages
        .iter()
        .filter(|message| text_of(message, "text").contains(text));
    match (found.next(), found.next()) {
        (Some(message), None) => message,
        _ => panic!("`{text}` is not there once: {messages:#?}"),
    }
}

#[test]
fn the_local_system_log_reads_time_and_program() {
    let Some(rsyslog) = Rsyslog::start() else {
        return;
    };
    let address = rsyslog.path("log");
    let messages = messages_of(
        &deployment(&format!("address = '{}'", address.display())),
        &rsyslog,
    );
    let last = with(&messages, "Gordon-janitor run complete.");
    assert_eq!(text_of(last, "severity"), "info");
    assert_eq!(text_of(last, "facility"), "local0");
    assert_eq!(text_of(last, "pri"), "134");
    assert_eq!(text_of(last, "program"), "gordon-janitor", "{last}");
    assert!(text_of(last, "process").parse::<u32>().is_ok(), "{last}");
    let text = text_of(last, "text");
    // The text is the line of the original.
    assert!(
        text.contains("Z gordon-janitor (") && text.ends_with("): Gordon-janitor run complete."),
        "{text}"
    );
    // Nothing at the end that a receiver would have to take away, or would show.
    for message in &messages {
        assert!(!text_of(message, "raw").contains("#000"), "{message}");
    }
}

#[test]
fn datagrams_reach_a_host() {
    let Some(rsyslog) = Rsyslog::start() else {
        return;
    };
    let port = rsyslog.port;
    let settings = format!("address = ['127.0.0.1', '{port}']\nfacility = 3\nlevel = 'debug'");
    let messages = messages_of(&deployment(&settings), &rsyslog);
    let last = with(&messages, "Gordon-janitor run complete.");
    assert_eq!(text_of(last, "facility"), "daemon");
    let uname = rustix::system::uname();
    assert_eq!(text_of(last, "host"), uname.nodename().to_string_lossy());
    assert_eq!(text_of(last, "program"), "gordon-janitor", "{last}");
    let severities = messages.iter().map(|message| text_of(message, "severity"));
    assert!(
        severities.clone().any(|severity| severity == "debug"),
        "{messages:#?}"
    );
}

#[test]
fn a_connection_carries_one_line_after_the_other() {
    let Some(rsyslog) = Rsyslog::start() else {
        return;
    };
    let settings = format!("address = ['127.0.0.1', {}]\nproto = 1", rsyslog.port);
    let messages = messages_of(&deployment(&settings), &rsyslog);
    assert!(messages.len() > 3, "{messages:#?}");
    with(&messages, "Gordon-janitor run complete.");
}

#[test]
fn the_newer_form_is_read_whole_over_udp_and_tcp() {
    for protocol in ["udp", "tcp"] {
        let Some(rsyslog) = Rsyslog::start() else {
            return;
        };
        let janitor = deployment(&format!(
            "address = ['127.0.0.1', {}]\nproto = '{protocol}'\nsyslog_format = 'rfc5424'\n",
            rsyslog.port
        ))
        .authorities(&["files.zones", "villain.authority.talks"]);
        let messages = messages_of(&janitor, &rsyslog);
        let report = with(&messages, "run report");
        assert_eq!(text_of(report, "text").trim_start(), "run report");
        assert_eq!(text_of(report, "version"), "1");
        assert_eq!(text_of(report, "program"), "gordon-janitor");
        assert_eq!(text_of(report, "kind"), "gordon_janitor::report");
        assert!(
            text_of(report, "process").parse::<u32>().is_ok(),
            "{report}"
        );
        let data = text_of(report, "data");
        assert!(
            data.starts_with("[gordon-janitor@32473 zones=\"1\" "),
            "{data}"
        );
        let uname = rustix::system::uname();
        assert_eq!(text_of(report, "host"), uname.nodename().to_string_lossy());
        // What a plugin says cannot end the message, or begin another.
        let cry = with(&messages, "a cry");
        assert_eq!(text_of(cry, "severity"), "err");
        assert_eq!(
            text_of(cry, "data"),
            "[gordon-janitor@32473 level=\"1.5\" plugin=\"villain.authority.talks\"]"
        );
        assert!(
            text_of(cry, "text").ends_with(r"a cry\n1970-01-01T00:00:00.000Z forged\x1b[2J"),
            "{cry}"
        );
    }
}

#[test]
fn a_long_line_arrives_cut_and_says_so() {
    for most in [2048, 8096] {
        let Some(rsyslog) = Rsyslog::start() else {
            return;
        };
        let address = match most {
            2048 => format!("['127.0.0.1', {}]", rsyslog.port),
            _ => format!("'{}'", rsyslog.path("log").display()),
        };
        let janitor = deployment(&format!("address = {address}\nfmt = '%(message)s'"))
            .authorities(&["files.zones", "villain.authority.shouts"]);
        let run = janitor.run();
        assert_eq!(run.exit_code(), 0, "{}", run.stderr());
        let sent = eventually("the shout arrives", || {
            let text = fs::read_to_string(rsyslog.path("messages.jsonl")).ok()?;
            let line = text.lines().find(|line| line.contains("AAAA"))?;
            serde_json::from_str::<Value>(line).ok()
        });
        let raw = text_of(&sent, "raw");
        assert!(
            raw.len() <= most && raw.len() > most - 100,
            "{} octets",
            raw.len()
        );
        assert!(raw.ends_with(" octets left out)"), "{most}");
    }
}

#[test]
fn a_restart_of_the_system_log_loses_nothing_that_is_said_after_it() {
    for settings in ["unix", "udp", "tcp"] {
        let Some(mut rsyslog) = Rsyslog::start() else {
            return;
        };
        let address = match settings {
            "unix" => format!("address = '{}'", rsyslog.path("log").display()),
            protocol => format!(
                "address = ['127.0.0.1', {}]\nproto = '{protocol}'",
                rsyslog.port
            ),
        };
        let janitor = deployment(&address)
            .authorities(&["files.zones", "villain.authority.talks-at-the-gate"])
            .gate();
        let running = janitor.start(&["run"]);
        let before = rsyslog.path("messages.jsonl");
        eventually("the plugin stands at the gate", || {
            let text = fs::read_to_string(&before).ok()?;
            text.contains("waiting at the gate").then_some(())
        });
        rsyslog.restart();
        janitor.open_gate();
        let run = running.finish();
        assert_eq!(
            (run.exit_code(), run.stderr()),
            (0, String::new()),
            "{settings}"
        );
        let messages = rsyslog.messages();
        with(&messages, "before the gate");
        with(&messages, "behind the gate");
    }
}

#[test]
fn a_system_log_that_goes_away_is_told_once_and_the_rest_is_on_standard_error() {
    for protocol in ["unix", "tcp"] {
        let Some(mut rsyslog) = Rsyslog::start() else {
            return;
        };
        let address = match protocol {
            "unix" => format!("address = '{}'", rsyslog.path("log").display()),
            protocol => format!(
                "address = ['127.0.0.1', {}]\nproto = '{protocol}'",
                rsyslog.port
            ),
        };
        let janitor = deployment(&address)
            .authorities(&["files.zones", "villain.authority.talks-at-the-gate"])
            .gate();
        let running = janitor.start(&["run"]);
        eventually("the plugin stands at the gate", || {
            let text = fs::read_to_string(rsyslog.path("messages.jsonl")).ok()?;
            text.contains("waiting at the gate").then_some(())
        });
        rsyslog.stop();
        janitor.open_gate();
        let run = running.finish();
        assert_eq!(run.exit_code(), 0);
        let warnings = run.errors().matches("warning[GJ701]").count();
        assert_eq!(warnings, 1, "{protocol}: {}", run.stderr());
        assert_eq!(run.log_with("behind the gate").len(), 1, "{}", run.stderr());
        assert!(run.log_with("before the gate").is_empty());
        assert_eq!(run.status(), "success");
    }
}
