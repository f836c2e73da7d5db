//! The relay `ffwd`: each measurement as a JSON object in a UDP datagram.
//!
//! The text is that of Python's `json.dumps`, octet by octet, as the original sent it. Of a counter
//! the step is sent, not the sum.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};

use super::python::{self, Number, Value};
use super::{Kind, Measurement};
use crate::config::Ffwd as Settings;
use crate::problem::Code;

/// The built-in relay for ffwd daemons.
#[derive(Debug)]
pub(super) struct Ffwd {
    settings: Settings,
    socket: io::Result<UdpSocket>,
    has_warned: AtomicBool,
}

impl Ffwd {
    /// A relay to the daemon of `settings`, which need not be there.
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            socket: connect(settings.address),
            settings,
            has_warned: AtomicBool::new(false),
        }
    }

    /// Sends one measurement. Never waits; what cannot be sent is lost, and the log says so once.
    pub(super) fn take(&self, measurement: &Measurement<'_>) {
        let datagram = datagram(&self.settings, measurement);
        let sent = match &self.socket {
            Ok(socket) => send(socket, datagram.as_bytes()).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(reason) = sent
            && !self.has_warned.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                code = %Code::MeasurementsLost, address = %self.settings.address, reason,
                hint = "look at ffwd_ip, ffwd_port and the daemon there",
                "a measurement cannot be sent to ffwd; further ones are lost without a word",
            );
        }
    }
}

fn connect(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)),
    }?;
    socket.set_nonblocking(true)?;
    socket.connect(address)?;
    Ok(socket)
}

fn send(socket: &UdpSocket, datagram: &[u8]) -> io::Result<()> {
    match socket.send(datagram) {
        // The answer to an earlier datagram, and this one was not sent for it.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            let _sent = socket.send(datagram).is_ok();
            Err(error)
        }
        sent => sent.map(drop),
    }
}

fn datagram(settings: &Settings, measurement: &Measurement<'_>) -> String {
    let (kind, value) = match measurement.kind {
        Kind::Increment | Kind::Value => ("meter", measurement.value),
        Kind::Timer => {
            let seconds = measurement.value.as_f64();
            ("timer", Number::Float(seconds * settings.time_unit))
        }
    };
    let mut attributes = vec![
        ("what", text(measurement.name)),
        ("metric_type", text(kind)),
    ];
    // As in a Python dict: what is there already keeps its place and gets the other value.
    for (name, value) in measurement.context {
        let value = scalar(value);
        match attributes.iter_mut().find(|(there, _)| there == name) {
            Some((_, there)) => *there = value,
            None => attributes.push((name, value)),
        }
    }
    let attributes = attributes
        .iter()
        .map(|(name, value)| format!("{}: {value}", text(name)))
        .collect::<Vec<_>>()
        .join(", ");
    format!(
        "{{\"key\": {}, \"attributes\": {{{attributes}}}, \"value\": {}, \"type\": \"metric\"}}",
        text(&settings.key),
        number(value),
    )
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Text(value) => text(value),
        Value::Number(value) => number(*value),
        Value::Boolean(value) => value.to_string(),
        Value::None => "null".to_owned(),
    }
}

/// As Python writes it: not JSON where the number is not one.
fn number(number: Number) -> String {
    match number {
        Number::Integer(number) => number.to_string(),
        Number::Float(number) if number.is_nan() => "NaN".to_owned(),
        Number::Float(f64::INFINITY) => "Infinity".to_owned(),
        Number::Float(f64::NEG_INFINITY) => "-Infinity".to_owned(),
        Number::Float(number) => python::float(number),
    }
}

/// A string in ASCII.
fn text(text: &str) -> String {
    let mut out = String::from('"');
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(b'"') => out.push_str("\\\""),
            Ok(b'\\') => out.push_str("\\\\"),
            Ok(b'\n') => out.push_str("\\n"),
            Ok(b'\r') => out.push_str("\\r"),
            Ok(b'\t') => out.push_str("\\t"),
            Ok(0x08) => out.push_str("\\b"),
            Ok(0x0c) => out.push_str("\\f"),
            Ok(octet @ 0x20..0x80) => out.push(octet.into()),
            _ => out.push_str(&format!("\\u{unit:04x}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::vectors::{self, context};
    use super::*;
    use crate::config::Config;

    /// The settings that a configuration with the table `config` gives.
    fn settings(config: &serde_json::Value) -> Settings {
        let root = tempfile::tempdir().unwrap();
        let table: toml::Table = serde_json::from_value(config.clone()).unwrap();
        fs::write(
            root.path().join("gordon-janitor.toml"),
            format!("[core]\n[ffwd]\n{table}"),
        )
        .unwrap();
        let config = Config::load(root.path()).unwrap();
        config.core().ffwd.clone()
    }

    #[test]
    fn datagrams_are_those_of_the_vectors() {
        let mut checked = 0;
        for case in vectors::of("ffwd") {
            let (id, input) = (case["id"].as_str().unwrap(), &case["input"]);
            let settings = settings(&input["config"]);
            let [ip, port] = [0, 1].map(|index| &case["expect"]["to"][index]);
            let port = port.as_str().map_or(port.to_string(), str::to_owned);
            let to = format!("{}:{port}", ip.as_str().unwrap());
            assert_eq!(settings.address.to_string(), to, "{id}");
            let expected = case["expect"]["datagrams"].as_array().unwrap();
            let calls = input["calls"].as_array().unwrap();
            assert_eq!(calls.len(), expected.len(), "{id}");
            for (call, expected) in calls.iter().zip(expected) {
                let expected = expected.as_str().unwrap();
                let position = |name: &str| expected.find(&format!("{name:?}:"));
                let (kind, value) = match call["do"].as_str().unwrap() {
                    "incr" => (Kind::Increment, call.get("value")),
                    "set" => (Kind::Value, call.get("value")),
                    "timer" => (Kind::Timer, call.get("seconds")),
                    other => panic!("{id}: {other}"),
                };
                let measurement = Measurement {
                    kind,
                    name: call["name"].as_str().unwrap(),
                    value: vectors::number(value),
                    context: &context(&call["context"], position),
                };
                assert_eq!(datagram(&settings, &measurement), expected, "{id}");
                checked += 1;
            }
        }
        assert_eq!(checked, 4);
    }

    fn sent(value: Number, context: &[(&str, Value)]) -> String {
        let measurement = Measurement {
            kind: Kind::Value,
            name: "m",
            value,
            context,
        };
        datagram(&Settings::default(), &measurement)
    }

    #[test]
    fn a_datagram_that_nobody_takes_is_noticed_once() {
        let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let ffwd = Ffwd::new(Settings {
            address: daemon.local_addr().unwrap(),
            ..Settings::default()
        });
        let measurement = Measurement {
            kind: Kind::Increment,
            name: "m",
            value: Number::Integer(2),
            context: &[],
        };
        ffwd.take(&measurement);
        let mut datagram = [0; 512];
        let octets = daemon.recv(&mut datagram).unwrap();
        let text = std::str::from_utf8(&datagram[..octets]).unwrap();
        assert!(
            text.ends_with("\"value\": 2, \"type\": \"metric\"}"),
            "{text}"
        );
        assert!(!ffwd.has_warned.load(Ordering::Relaxed));
        drop(daemon);
        // The kernel tells that nobody listens with the answer to the first.
        for _ in 0..3 {
            ffwd.take(&measurement);
        }
        assert!(ffwd.has_warned.load(Ordering::Relaxed));
    }

    #[test]
    fn a_context_may_say_otherwise_what_is_measured() {
        let context = [("a", Value::None), ("what", "else".into())];
        assert_eq!(
            sent(Number::Float(f64::NAN), &context),
            "{\"key\": \"gordon-service\", \"attributes\": {\"what\": \"else\", \
             \"metric_type\": \"meter\", \"a\": null}, \"value\": NaN, \"type\": \"metric\"}"
        );
    }

    #[test]
    fn texts_are_ascii_as_python_writes_them() {
        assert_eq!(
            text("a\"\\\n\r\t\u{8}\u{c}\u{1}\u{7f}é😀"),
            "\"a\\\"\\\\\\n\\r\\t\\b\\f\\u0001\u{7f}\\u00e9\\ud83d\\ude00\""
        );
    }
}
