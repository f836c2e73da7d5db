use std::path::PathBuf;

use super::super::source::Source;
use super::super::value::parse;
use super::*;

fn read(text: &str) -> (Logging, Vec<String>) {
    let source = Source::new(PathBuf::from("x.toml"), format!("[logging]\n{text}\n"));
    let table = parse(&source).unwrap();
    let mut problems = Vec::new();
    let logging = Logging::read(table.get("logging"), Path::new("/root"), &mut problems);
    let problems = problems.iter().map(|problem| problem.summary().to_owned());
    (logging, problems.collect())
}

#[test]
fn an_address_is_a_path_or_a_host() {
    let host = |name: &str, port| Receiver::Host(name.to_owned(), port);
    for (address, expected) in [
        ("'/run/log'", Receiver::Socket("/run/log".into())),
        ("'run/log'", Receiver::Socket("/root/run/log".into())),
        ("['192.0.2.1', 6514]", host("192.0.2.1", 6514)),
        ("['::1', '6514']", host("::1", 6514)),
        ("['log.example.com']", host("log.example.com", 514)),
    ] {
        let (logging, problems) = read(&format!("address = {address}"));
        assert_eq!(logging.syslog.receiver, expected, "{address}");
        assert!(problems.is_empty(), "{problems:?}");
    }
    for address in [
        "'log.example.com'",
        "[]",
        "['a', 'b']",
        "['a', 0]",
        "['', 1]",
        "['a', 1, 2]",
        "514",
    ] {
        let (_, problems) = read(&format!("address = {address}"));
        let [problem] = problems.as_slice() else {
            panic!("{address}: {problems:?}");
        };
        assert!(
            problem.starts_with("core.logging.address must be the path of a socket"),
            "{problem}"
        );
    }
}

#[test]
fn the_newer_form_is_warned_of_where_it_is_misread() {
    let newer = "syslog_format = 'rfc5424'";
    for (text, is_misread) in [
        (newer.to_owned(), true),
        (format!("{newer}\naddress = '/dev/log'"), true),
        (format!("{newer}\naddress = '/run/rfc5424.sock'"), false),
        (format!("{newer}\naddress = ['192.0.2.1']"), false),
        (format!("{newer}\nhandlers = ['stream']"), false),
        ("syslog_format = 'rfc3164'".to_owned(), false),
    ] {
        let (_, problems) = read(&text);
        let warning = "core.logging.syslog_format = \"rfc5424\" is misread at /dev/log";
        assert_eq!(problems == [warning], is_misread, "{text}: {problems:?}");
    }
}

#[test]
fn facility_and_protocol_have_numbers_and_names() {
    for (text, facility, protocol) in [
        ("", 16, Protocol::Udp),
        ("facility = 3\nproto = 1", 3, Protocol::Tcp),
        ("facility = 'DAEMON'\nproto = 'tcp'", 3, Protocol::Tcp),
        ("facility = 23\nproto = 2", 23, Protocol::Udp),
        ("facility = 'local7'\nproto = 'UDP'", 23, Protocol::Udp),
    ] {
        let (logging, problems) = read(text);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(
            (logging.syslog.facility, logging.syslog.protocol),
            (facility, protocol),
            "{text}"
        );
    }
    for text in [
        "facility = 24",
        "facility = -1",
        "facility = 'local8'",
        "proto = 3",
        "proto = 'quic'",
        "syslog_format = 'bsd'",
        "stackdriver_output = 'file'",
    ] {
        assert_eq!(read(text).1.len(), 1, "{text}");
    }
}

#[test]
fn options_of_the_original_that_have_no_effect_are_named() {
    let (_, problems) = read("credentials = {}\ndebug_thread_worker = true\ndate_fmt = '%H'");
    assert_eq!(
        problems,
        [
            "core.logging.credentials has no effect",
            "core.logging.debug_thread_worker has no effect",
            "core.logging.date_fmt is read by nothing",
        ]
    );
}
