//! The metrics relay `metrics.prometheus`, alone and with what it is made for.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};

use insta::assert_snapshot;

use crate::janitor::{FILES, Janitor, METRICS, Run};
use crate::peers::{Daemon, get, skipped};

/// `a.test` is to change; there is a directory `textfile`.
fn relayed(settings: &str) -> Janitor {
    relayed_within(10.0, settings)
}

/// The same with another grace.
fn relayed_within(grace: f64, settings: &str) -> Janitor {
    let janitor = Janitor::new()
        .libraries(&[FILES, METRICS])
        .desired("a.test", "new A 192.0.2.1")
        .served("a.test", "old A 192.0.2.1")
        .settings(&format!(
            "[core]\nmetrics = 'metrics.prometheus'\ngrace = {grace}\n[metrics.prometheus]\n{settings}"
        ));
    fs::create_dir(janitor.path("textfile")).expect("a directory can be made");
    janitor
}

fn textfile(janitor: &Janitor) -> String {
    let path = janitor.path("textfile/gordon-janitor.prom");
    fs::read_to_string(path).expect("the text file is there")
}

/// The value of a sample.
fn value(text: &str, sample: &str) -> Option<f64> {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '))?;
    value.parse().ok()
}

/// A sample's name with the value of `job`, which is always the same, and quotes around all others.
fn quoted(sample: &str) -> String {
    let Some((name, labels)) = sample.split_once('{') else {
        return sample.to_owned();
    };
    let labels = labels.trim_end_matches('}').split(',');
    let labels = labels.map(|label| match label.split_once('=') {
        Some((name, value)) => format!("{name}=\"{value}\""),
        None => format!("{label}=\"gordon-janitor\""),
    });
    format!("{name}{{{}}}", labels.collect::<Vec<_>>().join(","))
}

/// `text` with `<s>` for every time, long or short.
fn without_times(text: &str) -> String {
    let lines = text.lines().map(|line| match line.rsplit_once(' ') {
        Some((sample, _)) if !line.starts_with('#') && sample.contains("_seconds") => {
            format!("{sample} <s>\n")
        }
        _ => format!("{line}\n"),
    });
    lines.collect()
}

/// Whether promtool has nothing to say against `text`, where it is installed.
fn assert_promtool_is_content(text: &str) {
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else {
        skipped("needs promtool (Debian: prometheus)");
        return;
    };
    let mut stdin = promtool.stdin.take().expect("standard input is a pipe");
    stdin.write_all(text.as_bytes()).expect("promtool reads");
    drop(stdin);
    let output = promtool.wait_with_output().expect("promtool ends");
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    assert!(output.status.success() && told.is_empty(), "{told}\n{text}");
}

#[test]
fn the_text_file_has_the_whole_run() {
    let janitor = relayed("textfile = 'textfile'\nlabels = { site = 'a' }");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    let text = textfile(&janitor);
    assert_promtool_is_content(&text);
    assert_snapshot!(without_times(&text), @r#"
    # HELP gordon_janitor_change_message RRsets by what became of their changes at one publisher.
    # TYPE gordon_janitor_change_message gauge
    gordon_janitor_change_message{action="additions",job="gordon-janitor",plugin="files.apply",result="published",site="a"} 1
    gordon_janitor_change_message{action="deletions",job="gordon-janitor",plugin="files.apply",result="published",site="a"} 1
    # HELP gordon_janitor_channel_wait_seconds Time that a plugin waited for others, to send or to receive.
    # TYPE gordon_janitor_channel_wait_seconds gauge
    gordon_janitor_channel_wait_seconds{direction="receive",job="gordon-janitor",plugin="files.apply",site="a"} <s>
    gordon_janitor_channel_wait_seconds{direction="receive",job="gordon-janitor",plugin="files.served",site="a"} <s>
    gordon_janitor_channel_wait_seconds{direction="send",job="gordon-janitor",plugin="files.served",site="a"} <s>
    gordon_janitor_channel_wait_seconds{direction="send",job="gordon-janitor",plugin="files.zones",site="a"} <s>
    # HELP gordon_janitor_last_run_status How the last run ended: 1 for the status that it had.
    # TYPE gordon_janitor_last_run_status gauge
    gordon_janitor_last_run_status{job="gordon-janitor",site="a",status="cancelled"} 0
    gordon_janitor_last_run_status{job="gordon-janitor",site="a",status="incomplete"} 0
    gordon_janitor_last_run_status{job="gordon-janitor",site="a",status="no-plugin-error"} 0
    gordon_janitor_last_run_status{job="gordon-janitor",site="a",status="success"} 1
    gordon_janitor_last_run_status{job="gordon-janitor",site="a",status="unexpected-error"} 0
    # HELP gordon_janitor_last_run_timestamp_seconds When the last run ended, in seconds since 1970.
    # TYPE gordon_janitor_last_run_timestamp_seconds gauge
    gordon_janitor_last_run_timestamp_seconds{job="gordon-janitor",site="a"} <s>
    # HELP gordon_janitor_last_success_timestamp_seconds When a run last ended with success, in seconds since 1970.
    # TYPE gordon_janitor_last_success_timestamp_seconds gauge
    gordon_janitor_last_success_timestamp_seconds{job="gordon-janitor",site="a"} <s>
    # HELP gordon_janitor_libraries Plugin libraries that were loaded for this run, and files of the plugin directory that were refused.
    # TYPE gordon_janitor_libraries gauge
    gordon_janitor_libraries{job="gordon-janitor",site="a",state="loaded"} 2
    gordon_janitor_libraries{job="gordon-janitor",site="a",state="refused"} 0
    # HELP gordon_janitor_plugin_runtime_seconds Time from the start of a plugin's work to its end.
    # TYPE gordon_janitor_plugin_runtime_seconds gauge
    gordon_janitor_plugin_runtime_seconds{job="gordon-janitor",plugin="files.apply",site="a"} <s>
    gordon_janitor_plugin_runtime_seconds{job="gordon-janitor",plugin="files.served",site="a"} <s>
    gordon_janitor_plugin_runtime_seconds{job="gordon-janitor",plugin="files.zones",site="a"} <s>
    # HELP gordon_janitor_rrsets RRsets of a desired zone that went to the reconciler.
    # TYPE gordon_janitor_rrsets gauge
    gordon_janitor_rrsets{job="gordon-janitor",plugin="files.zones",site="a",zone="a.test."} 3
    # HELP gordon_janitor_rrsets_handled RRsets that the reconciler found to change in one zone.
    # TYPE gordon_janitor_rrsets_handled gauge
    gordon_janitor_rrsets_handled{action="additions",job="gordon-janitor",plugin="files.served",site="a",source="files.zones"} 1
    gordon_janitor_rrsets_handled{action="deletions",job="gordon-janitor",plugin="files.served",site="a",source="files.served"} 1
    # HELP gordon_janitor_run_duration_seconds Time from the start of the run to its end.
    # TYPE gordon_janitor_run_duration_seconds gauge
    gordon_janitor_run_duration_seconds{job="gordon-janitor",site="a"} <s>
    # HELP gordon_janitor_run_ended Runs by how they ended.
    # TYPE gordon_janitor_run_ended gauge
    gordon_janitor_run_ended{job="gordon-janitor",site="a",status="success"} 1
    # HELP gordon_janitor_zone_changes Changes of a zone by what became of them at one publisher.
    # TYPE gordon_janitor_zone_changes gauge
    gordon_janitor_zone_changes{job="gordon-janitor",outcome="accepted",plugin="files.apply",site="a",zone="a.test."} 0
    gordon_janitor_zone_changes{job="gordon-janitor",outcome="applied",plugin="files.apply",site="a",zone="a.test."} 2
    gordon_janitor_zone_changes{job="gordon-janitor",outcome="refused",plugin="files.apply",site="a",zone="a.test."} 0
    gordon_janitor_zone_changes{job="gordon-janitor",outcome="unknown",plugin="files.apply",site="a",zone="a.test."} 0
    # HELP gordon_janitor_zone_drift Differences between the desired and the actual zone.
    # TYPE gordon_janitor_zone_drift gauge
    gordon_janitor_zone_drift{job="gordon-janitor",kind="addition",site="a",zone="a.test."} 1
    gordon_janitor_zone_drift{job="gordon-janitor",kind="deletion",site="a",zone="a.test."} 1
    gordon_janitor_zone_drift{job="gordon-janitor",kind="held-back",site="a",zone="a.test."} 0
    gordon_janitor_zone_drift{job="gordon-janitor",kind="update",site="a",zone="a.test."} 0
    # HELP gordon_janitor_zone_rrsets RRsets that a zone ought to hold, and that it was found to hold.
    # TYPE gordon_janitor_zone_rrsets gauge
    gordon_janitor_zone_rrsets{job="gordon-janitor",site="a",state="actual",zone="a.test."} 3
    gordon_janitor_zone_rrsets{job="gordon-janitor",site="a",state="desired",zone="a.test."} 3
    # HELP gordon_janitor_zones Zones by what became of them.
    # TYPE gordon_janitor_zones gauge
    gordon_janitor_zones{job="gordon-janitor",outcome="changed",site="a"} 1
    gordon_janitor_zones{job="gordon-janitor",outcome="failed",site="a"} 0
    gordon_janitor_zones{job="gordon-janitor",outcome="in-sync",site="a"} 0
    gordon_janitor_zones{job="gordon-janitor",outcome="left-out",site="a"} 0
    gordon_janitor_zones{job="gordon-janitor",outcome="pending",site="a"} 0
    gordon_janitor_zones{job="gordon-janitor",outcome="withheld",site="a"} 0
    "#);

    // Everybody may read it, and nothing is left beside it.
    let directory = janitor.path("textfile");
    let files = fs::read_dir(&directory).expect("it can be listed");
    assert_eq!(files.count(), 1);
    let file = fs::metadata(directory.join("gordon-janitor.prom")).expect("it is there");
    assert_eq!(file.permissions().mode() & 0o777, 0o644);
}

#[test]
fn the_last_success_is_remembered_by_runs_that_have_none() {
    let janitor = relayed("textfile = 'textfile'\nprefix = 'p_'");
    assert_eq!(janitor.run().exit_code(), 0);
    let first = textfile(&janitor);
    let success =
        value(&first, &quoted("p_last_success_timestamp_seconds{job}")).expect("it is there");
    let ended = value(&first, &quoted("p_last_run_timestamp_seconds{job}")).expect("it is there");
    assert_eq!(success.to_bits(), ended.to_bits());

    let janitor = janitor.file("desired/b.test.zone", "what is this");
    assert_eq!(janitor.run().exit_code(), 3);
    let second = textfile(&janitor);
    assert_promtool_is_content(&second);
    let kept =
        value(&second, &quoted("p_last_success_timestamp_seconds{job}")).expect("it is there");
    assert_eq!(kept.to_bits(), success.to_bits());
    let ended_again =
        value(&second, &quoted("p_last_run_timestamp_seconds{job}")).expect("it is there");
    assert!(ended_again > ended);
    for (labels, expected) in [
        ("p_last_run_status{job,status=success}", 0.0),
        ("p_last_run_status{job,status=incomplete}", 1.0),
        ("p_zones{job,outcome=left-out}", 1.0),
        ("p_zones{job,outcome=in-sync}", 1.0),
        (
            "p_zones_left_out{job,kind=reported,plugin=files.zones}",
            1.0,
        ),
        ("p_zone_drift{job,kind=addition,zone=a.test.}", 0.0),
    ] {
        let sample = quoted(labels);
        assert_eq!(
            value(&second, &sample),
            Some(expected),
            "{sample}: {second}"
        );
    }
}

#[test]
fn single_zones_can_be_left_out() {
    let janitor = relayed("textfile = 'textfile'\nzones = false");
    assert_eq!(janitor.run().exit_code(), 0);
    let text = textfile(&janitor);
    assert!(!text.contains("zone="), "{text}");
    let changed = quoted("gordon_janitor_zones{job,outcome=changed}");
    assert_eq!(value(&text, &changed), Some(1.0), "{text}");
}

#[test]
fn what_a_plugin_measures_is_told_as_it_can_be() {
    let janitor = relayed("textfile = 'textfile'")
        .libraries(&[FILES, METRICS, crate::janitor::VILLAIN])
        .authorities(&["files.zones", "villain.authority.measures"]);
    assert_eq!(janitor.run().exit_code(), 0);
    let text = textfile(&janitor);
    assert_promtool_is_content(&text);
    for (sample, expected) in [
        ("gordon_janitor_cups{cup=blue,full=true,job}", 1.0),
        ("gordon_janitor_cups{job}", 2.0),
        ("gordon_janitor_sugar{job,lumps=3}", 2.5),
    ] {
        let sample = quoted(sample);
        assert_eq!(value(&text, &sample), Some(expected), "{sample}: {text}");
    }
}

#[test]
fn a_pushgateway_shows_what_was_pushed_and_prometheus_scrapes_it() {
    let mut pushgateway = Command::new("prometheus-pushgateway");
    pushgateway.arg("--web.listen-address=127.0.0.1:0");
    let Some(mut pushgateway) = Daemon::start(&mut pushgateway, "prometheus-pushgateway") else {
        return;
    };
    let gateway = pushgateway.address("Listening on");
    let janitor = relayed(&format!(
        "pushgateway = 'http://{gateway}/'\ninstance = 'ns1.example.com:53'"
    ));
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{:#?}", run.log());

    let page = get(gateway, "/metrics");
    let ours = page.lines().filter(|line| line.contains("gordon_janitor_"));
    let ours = ours.map(|line| format!("{line}\n")).collect::<String>();
    assert_promtool_is_content(&ours);
    let group = "instance=\"ns1.example.com:53\",job=\"gordon-janitor\"";
    let sample =
        format!("gordon_janitor_zone_rrsets{{{group},state=\"desired\",zone=\"a.test.\"}}");
    assert_eq!(value(&ours, &sample), Some(3.0), "{ours}");

    // A zone that is gone is gone there, too.
    fs::remove_file(janitor.path("desired/a.test.zone")).expect("it can be removed");
    let janitor = janitor
        .desired("b.test", "same A 192.0.2.1")
        .served("b.test", "same A 192.0.2.1");
    janitor.command(&["history", "forget", "a.test"]);
    assert_eq!(janitor.run().exit_code(), 0);
    let page = get(gateway, "/metrics");
    assert!(!page.contains("zone=\"a.test.\""), "{page}");
    let query = "gordon_janitor_zone_rrsets%7Bzone%3D%22b.test.%22%2Cstate%3D%22actual%22%7D";
    let Some(answer) = scraped(&janitor, gateway, query) else {
        return;
    };
    for part in [
        "\"job\":\"gordon-janitor\"",
        "\"instance\":\"ns1.example.com:53\"",
        "\"3\"]",
    ] {
        assert!(answer.contains(part), "{part} is not in {answer}");
    }
}

/// What a Prometheus that scrapes `gateway` answers to a query, as soon as it knows an answer.
fn scraped(janitor: &Janitor, gateway: SocketAddr, query: &str) -> Option<String> {
    // It scrapes us as well, so that we know when to ask again.
    let scrapes = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let own = scrapes.local_addr().expect("it is bound");
    let config = format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\nscrape_configs:\n\
         - {{ job_name: gateway, honor_labels: true, static_configs: [ {{ targets: ['{gateway}'] }} ] }}\n\
         - {{ job_name: test, static_configs: [ {{ targets: ['{own}'] }} ] }}\n"
    );
    let file = janitor.path("prometheus.yml");
    fs::write(&file, config).expect("a file can be written");
    let mut prometheus = Command::new("prometheus");
    prometheus
        .arg("--web.listen-address=127.0.0.1:0")
        .arg(format!("--config.file={}", file.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            janitor.path("tsdb").display()
        ));
    let mut prometheus = Daemon::start(&mut prometheus, "prometheus")?;
    let address = prometheus.address("Listening on");
    // It says both, in either order.
    prometheus.wait_until_said("Server is ready");
    for _ in 0..60 {
        let (stream, _) = scrapes.accept().expect("it scrapes");
        answer(stream, "200 OK", "up_to_now 1\n");
        let told = get(address, &format!("/api/v1/query?query={query}"));
        if told.contains("\"value\":") {
            return Some(told);
        }
    }
    panic!("a minute of scraping finds nothing for {query}");
}

/// Reads a request with its body and answers it; returns the request's first line.
fn answer(stream: TcpStream, status: &str, body: &str) -> String {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).expect("a request comes");
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a head comes");
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(octets) = line.strip_prefix("content-length: ") {
            length = octets.parse().expect("a length is a number");
        }
    }
    let mut request = vec![0; length];
    reader.read_exact(&mut request).expect("a body comes");
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    reader
        .into_inner()
        .write_all(answer.as_bytes())
        .expect("an answer can be sent");
    first.trim().to_owned()
}

/// A Pushgateway that answers once, with `status`.
fn gateway(status: &'static str, body: &'static str) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let answering = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("somebody pushes");
        answer(stream, status, body)
    });
    (address, answering)
}

/// What the log says of a run whose measurements did not arrive.
fn complaint(run: &Run, address: SocketAddr) -> String {
    let lines = run.log_with("ERROR: measurements are not known to everybody");
    lines.join("\n").replace(&address.to_string(), "<gateway>")
}

#[test]
fn what_a_pushgateway_refuses_makes_the_run_incomplete() {
    let (address, answering) = gateway("400 Bad Request", "text format parsing error\nmore");
    let janitor = relayed(&format!(
        "pushgateway = 'http://{address}'\ntextfile = 'textfile'\njob = 'a.b'"
    ));
    let run = janitor.run();
    assert_eq!(run.exit_code(), 3);
    assert_snapshot!(complaint(&run, address), @"ERROR: measurements are not known to everybody: plugin `metrics.prometheus` failed: cannot push to http://<gateway>/metrics/job/a.b: it answers 400 Bad Request: text format parsing error");
    let request = answering.join().expect("it has answered");
    assert_eq!(request, "PUT /metrics/job/a.b HTTP/1.1");
    // The other way was not affected, nor were the zones.
    let text = fs::read_to_string(janitor.path("textfile/a.b.prom")).expect("it is there");
    assert_promtool_is_content(&text);
    assert!(janitor.served_file("a.test").contains("new."));
}

#[test]
fn a_pushgateway_elsewhere_is_not_taken_for_told() {
    // Whoever follows such an answer asks there to read, and is answered well.
    let (elsewhere, _reading) = gateway("200 OK", "a page");
    let location = format!("http://{elsewhere}/metrics");
    let head = format!("302 Found\r\nLocation: {location}");
    let (address, answering) = gateway(String::leak(head), "");
    let run = relayed(&format!("pushgateway = 'http://{address}'")).run();
    assert_eq!(run.exit_code(), 3);
    let complaint = complaint(&run, address).replace(&location, "<elsewhere>");
    assert_snapshot!(complaint, @"ERROR: measurements are not known to everybody: plugin `metrics.prometheus` failed: cannot push to http://<gateway>/metrics/job/gordon-janitor: it answers 302 Found and points to <elsewhere>, which is not followed");
    answering.join().expect("it has answered");
}

#[test]
fn two_janitors_of_one_machine_tell_nothing_under_the_same_name() {
    let samples = |job: &str| {
        let janitor = relayed(&format!(
            "textfile = 'textfile'\njob = '{job}'\ninstance = 'i'"
        ));
        assert_eq!(janitor.run().exit_code(), 0);
        let path = janitor.path(&format!("textfile/{job}.prom"));
        let text = fs::read_to_string(path).expect("the text file is there");
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let names = lines.filter_map(|line| line.rsplit_once(' '));
        names
            .map(|(sample, _)| sample.to_owned())
            .collect::<Vec<_>>()
    };
    let (one, two) = (samples("one"), samples("two"));
    assert!(one.iter().all(|sample| sample.contains("instance=\"i\"")));
    assert!(one.iter().all(|sample| !two.contains(sample)), "{one:#?}");
}

#[test]
fn a_pushgateway_that_is_not_there_makes_the_run_incomplete() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    drop(listener);
    let run = relayed(&format!("pushgateway = 'http://{address}'")).run();
    assert_eq!(run.exit_code(), 3);
    assert_snapshot!(complaint(&run, address), @"ERROR: measurements are not known to everybody: plugin `metrics.prometheus` failed: cannot push to http://<gateway>/metrics/job/gordon-janitor: Connection refused (os error 111)");
}

#[test]
fn a_pushgateway_that_never_answers_holds_up_the_end_for_the_grace() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let run = relayed_within(0.5, &format!("pushgateway = 'http://{address}'")).run();
    assert_eq!(run.exit_code(), 3);
    assert_snapshot!(complaint(&run, address), @"ERROR: measurements are not known to everybody: plugin `metrics.prometheus` failed: cannot push to http://<gateway>/metrics/job/gordon-janitor: it did not answer within 0.5 s");
    drop(listener);
}

#[test]
fn settings_that_cannot_work_are_refused_before_anything_runs() {
    let told = |settings: &str| {
        let run = relayed(settings).run();
        assert_eq!(run.exit_code(), 2, "{settings}");
        run.errors()
    };
    assert_snapshot!(told(""), @r#"
    error[GJ409]: plugin "metrics.prometheus" does not accept its configuration: cannot tell Prometheus anything
      where: <root>/gordon-janitor-user.toml:4:10, [metrics.prometheus]
      4 | [metrics.prometheus]
        |          ^^^^^^^^^^
      because: neither textfile nor pushgateway is set
      help: set one of them, or both
    error: 1 error; nothing was run
    "#);
    assert_snapshot!(told("textfile = 'nowhere'"), @r#"
    error[GJ409]: plugin "metrics.prometheus" does not accept its configuration: cannot tell Prometheus anything
      where: <root>/gordon-janitor-user.toml:4:10, [metrics.prometheus]
      4 | [metrics.prometheus]
        |          ^^^^^^^^^^
      because: textfile names `<root>/nowhere`, which is no directory
      help: name the directory that node_exporter has as --collector.textfile.directory
    error: 1 error; nothing was run
    "#);
    assert_snapshot!(told("pushgateway = 'https://metrics.example.com'"), @r#"
    error[GJ409]: plugin "metrics.prometheus" does not accept its configuration: cannot use pushgateway
      where: <root>/gordon-janitor-user.toml:4:10, [metrics.prometheus]
      4 | [metrics.prometheus]
        |          ^^^^^^^^^^
      because: this plugin has no TLS
      help: push to one on this machine or in a network of your own, put a proxy that adds TLS in between, or use textfile
    error: 1 error; nothing was run
    "#);
    assert_snapshot!(told("pushgateway = 'http://anna:hush@metrics.example.com'"), @r#"
    error[GJ409]: plugin "metrics.prometheus" does not accept its configuration: cannot use pushgateway
      where: <root>/gordon-janitor-user.toml:4:10, [metrics.prometheus]
      4 | [metrics.prometheus]
        |          ^^^^^^^^^^
      because: it has more than host, port and path; without TLS a password would be for all to read
      help: write it as http://HOST:PORT
    error: 1 error; nothing was run
    "#);
    assert_snapshot!(told("textfile = 'textfile'\njob = 'a/b'"), @r#"
    error[GJ409]: plugin "metrics.prometheus" does not accept its configuration: cannot use job `a/b`
      where: <root>/gordon-janitor-user.toml:4:10, [metrics.prometheus]
      4 | [metrics.prometheus]
        |          ^^^^^^^^^^
      because: it is made of ASCII letters, digits, `-`, `.`, `_` and `:`
    error: 1 error; nothing was run
    "#);
    assert_snapshot!(told("textfile = 'textfile'\nprefix = '9'"), @r#"
    error[GJ409]: plugin "metrics.prometheus" does not accept its configuration: cannot use prefix `9`
      where: <root>/gordon-janitor-user.toml:4:10, [metrics.prometheus]
      4 | [metrics.prometheus]
        |          ^^^^^^^^^^
      because: a prefix is made of letters, digits and `_`, and does not begin with a digit
    error: 1 error; nothing was run
    "#);
    assert_snapshot!(told("textfile = 'textfile'\nlabels = { 'a-b' = 'c' }"), @r#"
    error[GJ409]: plugin "metrics.prometheus" does not accept its configuration: cannot use label `a-b`
      where: <root>/gordon-janitor-user.toml:4:10, [metrics.prometheus]
      4 | [metrics.prometheus]
        |          ^^^^^^^^^^
      because: a label is made of letters, digits and `_`, begins with none of the digits nor with `__`, and is none of job, instance, le and quantile
    error: 1 error; nothing was run
    "#);
}
