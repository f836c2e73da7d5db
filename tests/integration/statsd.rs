//! The metrics relay `metrics.statsd`, and what its datagrams are to a statsd.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use insta::assert_snapshot;

use crate::janitor::{FILES, Janitor, METRICS};
use crate::peers::{Daemon, skipped};

/// `a.test` is to change.
fn relayed(settings: &str) -> Janitor {
    Janitor::new()
        .libraries(&[FILES, METRICS])
        .desired("a.test", "new A 192.0.2.1")
        .served("a.test", "old A 192.0.2.1")
        .settings(&format!(
            "[core]\nmetrics = 'metrics.statsd'\n[metrics.statsd]\n{settings}"
        ))
}

/// Datagrams up to the one with the end of the run.
fn received(mut receive: impl FnMut(&mut [u8]) -> std::io::Result<usize>) -> Vec<String> {
    let mut datagrams = Vec::new();
    let mut octets = [0; 65_536];
    loop {
        let length = receive(&mut octets).expect("a datagram comes");
        let text = String::from_utf8_lossy(&octets[..length]).into_owned();
        let is_last = text.contains("run-ended");
        datagrams.push(text);
        if is_last {
            return datagrams;
        }
    }
}

#[test]
fn several_measurements_share_a_datagram_up_to_its_size() {
    let statsd = UdpSocket::bind(("127.0.0.1", 0)).expect("a port is free");
    let address = statsd.local_addr().expect("it is bound");
    let janitor = relayed(&format!(
        "address = '{address}'\nmax_octets = 200\nlabels = {{ site = 'a' }}"
    ));
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{:#?}", run.log());
    let datagrams = received(|octets| statsd.recv(octets));
    assert!(
        datagrams.iter().all(|text| text.len() <= 200),
        "{datagrams:#?}"
    );
    let lines = datagrams.iter().flat_map(|text| text.lines());
    let lines = lines.filter(|line| !line.contains("|ms"));
    let lines = lines.collect::<Vec<_>>();
    assert!(lines.len() > datagrams.len() * 3 / 2, "{datagrams:#?}");
    assert_snapshot!(lines.join("\n"), @r"
    gordon-janitor.libraries:2|g|#state:loaded,site:a
    gordon-janitor.libraries:0|g|#state:refused,site:a
    gordon-janitor.rrsets:3|g|#plugin:files.zones,zone:a.test.,site:a
    gordon-janitor.rrsets-handled:1|g|#plugin:files.served,action:additions,source:files.zones,site:a
    gordon-janitor.rrsets-handled:1|g|#plugin:files.served,action:deletions,source:files.served,site:a
    gordon-janitor.change-message:1|c|#plugin:files.apply,action:deletions,result:published,site:a
    gordon-janitor.change-message:1|c|#plugin:files.apply,action:additions,result:published,site:a
    gordon-janitor.zone-rrsets:3|g|#zone:a.test.,state:desired,site:a
    gordon-janitor.zone-rrsets:3|g|#zone:a.test.,state:actual,site:a
    gordon-janitor.zone-drift:1|g|#zone:a.test.,kind:addition,site:a
    gordon-janitor.zone-drift:0|g|#zone:a.test.,kind:update,site:a
    gordon-janitor.zone-drift:1|g|#zone:a.test.,kind:deletion,site:a
    gordon-janitor.zone-drift:0|g|#zone:a.test.,kind:held-back,site:a
    gordon-janitor.zone-changes:2|g|#zone:a.test.,plugin:files.apply,outcome:applied,site:a
    gordon-janitor.zone-changes:0|g|#zone:a.test.,plugin:files.apply,outcome:accepted,site:a
    gordon-janitor.zone-changes:0|g|#zone:a.test.,plugin:files.apply,outcome:refused,site:a
    gordon-janitor.zone-changes:0|g|#zone:a.test.,plugin:files.apply,outcome:unknown,site:a
    gordon-janitor.zones:0|g|#outcome:in-sync,site:a
    gordon-janitor.zones:1|g|#outcome:changed,site:a
    gordon-janitor.zones:0|g|#outcome:pending,site:a
    gordon-janitor.zones:0|g|#outcome:withheld,site:a
    gordon-janitor.zones:0|g|#outcome:failed,site:a
    gordon-janitor.zones:0|g|#outcome:left-out,site:a
    gordon-janitor.run-ended:1|c|#status:success,site:a
    ");
}

#[test]
fn a_unix_socket_will_do() {
    let janitor = relayed("socket = 'statsd'\ntag_format = 'none'\nprefix = ''\nzones = false");
    let statsd = UnixDatagram::bind(janitor.path("statsd")).expect("a socket can be made");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{:#?}", run.log());
    let text = received(|octets| statsd.recv(octets)).join("\n");
    for line in ["zones.changed:1|g", "run-ended.success:1|c"] {
        assert!(text.lines().any(|other| other == line), "{text}");
    }
    assert!(!text.contains("a_test"), "{text}");
}

#[test]
fn a_statsd_that_is_not_there_or_takes_nothing_is_one_warning() {
    let missing = relayed("socket = 'statsd'");
    let run = missing.run();
    assert_eq!(run.exit_code(), 0);
    let warnings = run.log_with("WARNING: measurements cannot be sent");
    assert_eq!(warnings.len(), 1, "{:#?}", run.log());
    assert!(warnings[0].contains("to=<root>/statsd"), "{warnings:?}");

    // One datagram each, to fill its queue.
    let idle = relayed("socket = 'statsd'\nmax_octets = 64");
    let statsd = UnixDatagram::bind(idle.path("statsd")).expect("a socket can be made");
    let run = (0..200)
        .fold(idle, |janitor, n| {
            janitor
                .desired(&format!("z{n}.test"), "")
                .served(&format!("z{n}.test"), "")
        })
        .run();
    assert_eq!(run.exit_code(), 0);
    let warnings = run.log_with("WARNING: measurements cannot be sent");
    assert_eq!(warnings.len(), 1, "{:#?}", run.log());
    assert!(
        warnings[0].contains("it takes nothing for 1 s"),
        "{warnings:?}"
    );
    drop(statsd);
}

#[test]
fn settings_that_cannot_work_are_refused_before_anything_runs() {
    let told = |settings: &str| {
        let run = relayed(settings).run();
        assert_eq!(run.exit_code(), 2, "{settings}");
        run.errors()
    };
    assert_snapshot!(told("address = 'localhost'"), @r#"
    error[GJ409]: plugin "metrics.statsd" does not accept its configuration: cannot use address `localhost`
      where: <root>/gordon-janitor-user.toml:3:10, [metrics.statsd]
      3 | [metrics.statsd]
        |          ^^^^^^
      because: it is not of the form HOST:PORT
    error: 1 error; nothing was run
    "#);
    assert_snapshot!(told("address = '127.0.0.1:8125'\nsocket = 's'"), @r#"
    error[GJ409]: plugin "metrics.statsd" does not accept its configuration: cannot tell where the statsd is
      where: <root>/gordon-janitor-user.toml:3:10, [metrics.statsd]
      3 | [metrics.statsd]
        |          ^^^^^^
      because: both address and socket are set
      help: remove one of them
    error: 1 error; nothing was run
    "#);
    assert_snapshot!(told("max_octets = 63"), @r"
    error[GJ404]: metrics.statsd.max_octets must be a whole number of octets from 64 to 65000, not 63
      where: <root>/gordon-janitor-user.toml:4:14, metrics.statsd.max_octets
      4 | max_octets = 63
        |              ^^
      help: gordon-janitor plugins show metrics.statsd
    error: 1 error; nothing was run
    ");
    assert_snapshot!(told("tag_format = 'xml'"), @r#"
    error[GJ404]: metrics.statsd.tag_format must be one of "datadog", "graphite", "influx", "none", not "xml"
      where: <root>/gordon-janitor-user.toml:4:14, metrics.statsd.tag_format
      4 | tag_format = 'xml'
        |              ^^^^^
      help: gordon-janitor plugins show metrics.statsd
    error: 1 error; nothing was run
    "#);
}

/// Where tests/run installs the original statsd.
const STATSD: &str = concat!(
    env!("CARGO_TARGET_TMPDIR"),
    "/statsd/node_modules/statsd/stats.js"
);

/// The original statsd, and where it listens for datagrams and for questions.
fn original(janitor: &Janitor) -> Option<(Daemon, SocketAddr, SocketAddr)> {
    if !Path::new(STATSD).exists() {
        skipped("needs statsd from npm (npm install --prefix target/tmp/statsd statsd@0.9.0)");
        return None;
    }
    // It cannot choose ports itself. These are free, and nobody else is given them so soon again.
    let [datagrams, questions] = {
        let datagrams = UdpSocket::bind(("127.0.0.1", 0)).expect("a port is free");
        let questions = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        [datagrams.local_addr(), questions.local_addr()]
    }
    .map(|address| address.expect("it is bound"));
    let config = format!(
        "{{ address: '127.0.0.1', port: {}, mgmt_address: '127.0.0.1', mgmt_port: {}, \
         backends: ['./backends/console'], flushInterval: 3600000, dumpMessages: true }}",
        datagrams.port(),
        questions.port()
    );
    let path = janitor.path("statsd.js");
    fs::write(&path, config).expect("a file can be written");
    let mut statsd = Daemon::start(Command::new("node").arg(STATSD).arg(path), "nodejs")?;
    statsd.wait_for("server is up");
    // It says so before it listens.
    let probe = UdpSocket::bind(("127.0.0.1", 0)).expect("a port is free");
    let heard = (0..600).any(|_| {
        // Refused while it does not listen yet.
        let _sent = probe.send_to(b"probe:1|c", datagrams).is_ok();
        statsd
            .says("probe:1|c", Duration::from_millis(100))
            .is_some()
    });
    assert!(heard, "it never listens");
    Some((statsd, datagrams, questions))
}

/// What the original statsd answers at its administration port.
fn asked(address: SocketAddr, question: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it can be reached");
    writeln!(stream, "{question}").expect("it can be asked");
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let answer = lines.take_while(|line| line != "END");
    answer.map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_original_statsd_understands_every_line() {
    // Of InfluxDB's commas it makes nothing at all.
    for tag_format in ["datadog", "graphite", "none"] {
        let janitor = relayed("");
        let Some((mut statsd, address, questions)) = original(&janitor) else {
            return;
        };
        let janitor = janitor.settings(&format!(
            "address = '{address}'\ntag_format = '{tag_format}'"
        ));
        let run = janitor.run();
        assert_eq!(run.exit_code(), 0, "{:#?}", run.log());
        statsd.wait_for("run-ended");
        let told = |question: &str| asked(questions, question);
        let (stats, counters, gauges, timers) = (
            told("stats"),
            told("counters"),
            told("gauges"),
            told("timers"),
        );
        assert!(stats.contains("messages.bad_lines_seen: 0"), "{stats}");
        // DogStatsD's tags it keeps in Graphite's form.
        let (ended, drift) = match tag_format {
            "none" => ("run-ended.success", "zone-drift.a_test.addition"),
            _ => (
                "run-ended;status=success",
                "zone-drift;zone=a.test.;kind=addition",
            ),
        };
        let has = |text: &str, name: &str| text.contains(&format!("'gordon-janitor.{name}': 1"));
        assert!(has(&counters, ended), "{counters}");
        assert!(has(&gauges, drift), "{gauges}");
        assert!(timers.contains("plugin-runtime"), "{timers}");
    }
}
