//! Log lines and measurements.

use std::net::UdpSocket;

use jiff::{SignedDuration, Timestamp};

use super::deployment;
use crate::janitor::Janitor;

/// B11: its examples said `date_fmt`, and it read `datefmt`.
#[test]
fn the_format_of_times_has_an_effect_and_its_wrong_name_a_warning() {
    let logged = |settings: &str| {
        let config = format!(
            "[core]\nplugins = []\n[core.logging]\nhandlers = ['stream']\nfmt = '%(asctime)s|%(message)s'\n{settings}\n"
        );
        Janitor::new().config(&config).run().stderr()
    };
    // Letters that no time has, so that it is this format and no other.
    let told = logged("datefmt = 'year %Y'");
    let line = told
        .lines()
        .find(|line| line.contains("|No plugins to run"));
    let year = line.and_then(|line| line.strip_prefix("year ")?.split('|').next());
    assert!(
        year.is_some_and(|year| year.parse::<u16>().is_ok()),
        "{told}"
    );

    let told = logged("date_fmt = 'year %Y'");
    assert!(
        told.contains("warning[GJ401]: core.logging.date_fmt "),
        "{told}"
    );
    assert!(
        told.contains("datefmt\n") && !told.contains("year 2"),
        "{told}"
    );
}

/// B12: lines had the local time and called it UTC.
#[test]
fn a_time_with_a_z_is_utc() {
    let times = ["UTC0", "AAA-12", "BBB+11"].map(|zone| {
        let run = deployment().environment("TZ", zone).run();
        let line = run.raw_log().next().expect("a run logs something");
        let time = line.split(' ').next().expect("it begins with the time");
        time.parse::<Timestamp>().expect("it is one")
    });
    for time in times {
        // An hour is more than three short runs take, and less than the zones are apart.
        let apart = time.duration_since(times[0]).abs();
        assert!(apart < SignedDuration::from_hours(1), "{times:?}");
    }
}

/// B13: with the default handler and no syslog socket every line became a traceback.
#[test]
fn without_a_syslog_socket_there_is_one_warning_and_the_lines_themselves() {
    let janitor = deployment();
    let socket = janitor.path("no-such-socket");
    let run = janitor
        .config(&format!(
            "[core]\nplugins = ['files.zones', 'files.served', 'files.apply']\n\
             [core.logging]\naddress = {socket:?}\n\
             [files.zones]\ndirectory = 'desired'\n[files.served]\ndirectory = 'served'\n\
             [files.apply]\ndirectory = 'served'\n"
        ))
        .run();
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    let stderr = run.stderr();
    assert_eq!(stderr.matches("warning[GJ701]: ").count(), 1, "{stderr}");
    for line in ["Starting gordon janitor v", "Gordon-janitor run complete."] {
        assert_eq!(stderr.matches(line).count(), 1, "{stderr}");
    }
    // Lines, the warning, and nothing about each of them.
    let others = stderr
        .lines()
        .filter(|line| !line.contains(" gordon-janitor ("));
    assert!(others.count() < 10, "{stderr}");
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
