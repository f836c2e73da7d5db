//! The `[core.logging]` table.

use std::env;
use std::path::{Path, PathBuf};

use super::core::level;
use super::fields::Fields;
use super::source::Origin;
use super::value::{Kind, Value};
use crate::logging::{DateFormat, Level, Pattern};
use crate::problem::{Code, Problem};

/// Where log lines go and how they look.
#[derive(Clone, Debug)]
pub struct Logging {
    /// The least level that is written.
    pub level: Level,
    /// Where to, in the order written; one named twice writes every line twice.
    pub handlers: Vec<Handler>,
    /// How a line looks, in the place of the handler's own form.
    pub fmt: Option<Pattern>,
    /// How the time looks in it.
    pub datefmt: Option<DateFormat>,
    /// Of the handler `syslog`.
    pub syslog: Syslog,
    /// Of the handler `stackdriver`.
    pub stackdriver: Stackdriver,
}

impl Default for Logging {
    /// As the Python original: `info`, to syslog.
    fn default() -> Self {
        Self {
            level: Level::Info,
            handlers: vec![Handler::Syslog],
            fmt: None,
            datefmt: None,
            syslog: Syslog::default(),
            stackdriver: Stackdriver::default(),
        }
    }
}

/// Somewhere log lines can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handler {
    /// Standard error.
    Stream,
    /// The system log.
    Syslog,
    /// Google Cloud Logging.
    Stackdriver,
}

impl Handler {
    /// Its name in `core.logging.handlers`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Syslog => "syslog",
            Self::Stackdriver => "stackdriver",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Stream, Self::Syslog, Self::Stackdriver]
            .into_iter()
            .find(|handler| handler.name() == name)
    }
}

/// The options of the handler `syslog`.
#[derive(Clone, Debug)]
pub struct Syslog {
    /// Who takes the messages.
    pub receiver: Receiver,
    /// What names the receiver: `core.logging.address`, a variable of the environment, or nothing.
    pub chosen_by: &'static str,
    /// Where `address` stands.
    pub origin: Option<Origin>,
    /// How messages travel to a host.
    pub protocol: Protocol,
    /// The number of the facility, 0 to 23.
    pub facility: u8,
    /// How messages are built.
    pub form: SyslogForm,
}

impl Default for Syslog {
    fn default() -> Self {
        Self {
            receiver: Receiver::Socket("/dev/log".into()),
            chosen_by: "default",
            origin: None,
            protocol: Protocol::Udp,
            facility: LOCAL0,
            form: SyslogForm::Rfc3164,
        }
    }
}

/// Who takes the messages of the handler `syslog`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// A Unix socket, absolute.
    Socket(PathBuf),
    /// A host and its port.
    Host(String, u16),
}

/// How messages travel to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// One after the other, in one connection.
    Tcp,
    /// One datagram each.
    Udp,
}

/// How messages are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyslogForm {
    /// A header that receivers read, and the original's line.
    Rfc3164,
    /// With a header, and the fields as structured data.
    Rfc5424,
}

/// The options of the handler `stackdriver`.
#[derive(Clone, Debug, Default)]
pub struct Stackdriver {
    /// The project that entries belong to, where a collector is to know.
    pub project_id: Option<String>,
    /// Where entries are written, unless a command's product goes there.
    pub output: Output,
}

/// A stream of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// Standard output.
    #[default]
    Stdout,
    /// Standard error.
    Stderr,
}

/// The port of syslog, unless another is named.
const PORT: u16 = 514;
/// The facility, unless another is named.
const LOCAL0: u8 = 16;

/// Names of the facilities, by their numbers, as rsyslog writes them.
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];

/// Options of the original that are accepted, and why they have no effect.
const WITHOUT_EFFECT: [(&str, &str); 2] = [
    (
        "credentials",
        "entries are written to a stream for the collector of the machine, which has credentials of its own",
    ),
    (
        "debug_thread_worker",
        "entries are written to a stream; no thread sends them",
    ),
];
/// Options that examples of the original show and that nothing ever read.
const DEAD_OPTIONS: [(&str, &str); 3] = [
    ("format", "fmt"),
    ("date_format", "datefmt"),
    ("date_fmt", "datefmt"),
];

impl Logging {
    /// Reads the table; relative paths start at `root`.
    pub(super) fn read(value: Option<&Value>, root: &Path, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::new(value, "core.logging", problems);
        let default = Self::default();
        let level = level(&mut fields, "level").unwrap_or(default.level);
        let mut handlers = handlers(&mut fields);
        if handlers.is_empty() {
            handlers = default.handlers;
        }
        let uses_syslog = handlers.contains(&Handler::Syslog);
        let logging = Self {
            level,
            handlers,
            fmt: fmt(&mut fields),
            datefmt: datefmt(&mut fields),
            syslog: Syslog::read(&mut fields, root, uses_syslog),
            stackdriver: Stackdriver::read(&mut fields),
        };
        for (name, reason) in WITHOUT_EFFECT {
            if let Some(value) = fields.any(name) {
                let problem = without_effect(value, name).because(reason);
                fields.report(problem.help("remove it"));
            }
        }
        for (name, meant) in DEAD_OPTIONS {
            if let Some(value) = fields.any(name) {
                fields.report(
                    Problem::warning(
                        Code::UnknownSetting,
                        format!("core.logging.{name} is read by nothing"),
                    )
                    .at(&value.origin, format!("core.logging.{name}"))
                    .help(format!("the option's name is {meant}")),
                );
            }
        }
        fields.finish();
        logging
    }
}

fn without_effect(value: &Value, name: &str) -> Problem {
    Problem::warning(
        Code::UnknownSetting,
        format!("core.logging.{name} has no effect"),
    )
    .at(&value.origin, format!("core.logging.{name}"))
}

fn handlers(fields: &mut Fields<'_, '_>) -> Vec<Handler> {
    let mut handlers = Vec::new();
    for (name, value) in fields.texts("handlers").unwrap_or_default() {
        match Handler::from_name(name) {
            Some(handler) => handlers.push(handler),
            None => fields.report(
                Problem::error(
                    Code::WrongValue,
                    format!("Unsupported log handler: \"{name}\"."),
                )
                .at(&value.origin, "core.logging.handlers")
                .found("handlers: stream (standard error), syslog, stackdriver"),
            ),
        }
    }
    handlers
}

fn fmt(fields: &mut Fields<'_, '_>) -> Option<Pattern> {
    let text = fields.text("fmt")?;
    let read = Pattern::read(text);
    refused(
        fields,
        "fmt",
        read,
        "a pattern of Python's logging, such as \"%(asctime)s %(levelname)s: %(message)s\"",
    )
}

fn datefmt(fields: &mut Fields<'_, '_>) -> Option<DateFormat> {
    let text = fields.text("datefmt")?;
    let read = DateFormat::read(text);
    refused(
        fields,
        "datefmt",
        read,
        "a format of strftime, such as \"%Y-%m-%dT%H:%M:%S\"",
    )
}

/// The value, or a problem that says why there is none.
fn refused<T, E: std::fmt::Display>(
    fields: &mut Fields<'_, '_>,
    name: &'static str,
    read: Result<T, E>,
    expected: &str,
) -> Option<T> {
    let origin = fields.any(name).map(|value| value.origin.clone())?;
    match read {
        Ok(value) => Some(value),
        Err(error) => {
            fields.report(
                Problem::error(
                    Code::WrongValue,
                    format!("core.logging.{name} must be {expected}"),
                )
                .at(&origin, format!("core.logging.{name}"))
                .because(error),
            );
            None
        }
    }
}

impl Syslog {
    fn read(fields: &mut Fields<'_, '_>, root: &Path, is_used: bool) -> Self {
        let default = Self::default();
        let origin = fields.any("address").map(|value| value.origin.clone());
        let protocol = fields.any("proto").map(|value| &value.kind);
        let protocol = match protocol {
            None => Some(default.protocol),
            Some(Kind::Integer(1)) => Some(Protocol::Tcp),
            Some(Kind::Integer(2)) => Some(Protocol::Udp),
            Some(Kind::Text(name)) if name.eq_ignore_ascii_case("tcp") => Some(Protocol::Tcp),
            Some(Kind::Text(name)) if name.eq_ignore_ascii_case("udp") => Some(Protocol::Udp),
            Some(_) => None,
        };
        if protocol.is_none() {
            fields.refuse("proto", "1 or \"tcp\", or 2 or \"udp\"");
        }
        let facility = fields.any("facility").map(|value| &value.kind);
        let facility = match facility {
            None => Some(default.facility),
            Some(Kind::Integer(number)) => u8::try_from(*number).ok().filter(|number| *number < 24),
            Some(Kind::Text(name)) => {
                let name = name.to_ascii_lowercase();
                let found = FACILITIES.iter().position(|known| *known == name);
                found.and_then(|number| u8::try_from(number).ok())
            }
            Some(_) => None,
        };
        if facility.is_none() {
            let names = FACILITIES.join(", ");
            fields.refuse(
                "facility",
                &format!("a number from 0 to 23, or one of {names}"),
            );
        }
        let form = match fields.text("syslog_format") {
            None => Some(default.form),
            Some("rfc3164") => Some(SyslogForm::Rfc3164),
            Some("rfc5424") => Some(SyslogForm::Rfc5424),
            Some(_) => None,
        };
        if form.is_none() {
            fields.refuse("syslog_format", "\"rfc3164\" or \"rfc5424\"");
        }
        let form = form.unwrap_or(default.form);
        let (receiver, chosen_by) = match address(fields, root) {
            Some(receiver) => (receiver, "core.logging.address"),
            None => match is_used.then(|| environment(fields)).flatten() {
                Some(receiver) => (receiver, "the environment variable SYSLOG_HOST"),
                None => (default.receiver, default.chosen_by),
            },
        };
        if is_used
            && form == SyslogForm::Rfc5424
            && receiver == Self::default().receiver
            && let Some(value) = fields.any("syslog_format")
        {
            fields.report(misread(&value.origin));
        }
        Self {
            receiver,
            chosen_by,
            origin,
            protocol: protocol.unwrap_or(default.protocol),
            facility: facility.unwrap_or(default.facility),
            form,
        }
    }
}

/// A form that most who listen at `/dev/log` do not know. Whoever has made a socket for it has given it
/// another name.
fn misread(origin: &Origin) -> Problem {
    Problem::warning(
        Code::WrongValue,
        "core.logging.syslog_format = \"rfc5424\" is misread at /dev/log",
    )
    .at(origin, "core.logging.syslog_format")
    .because(
        "rsyslog, journald and BusyBox take what comes there for the older form, and the header for text",
    )
    .help("remove it, or name another receiver with core.logging.address, such as [\"127.0.0.1\", 514]")
}

/// What `address` names: the path of a socket, or a host and perhaps a port.
fn address(fields: &mut Fields<'_, '_>, root: &Path) -> Option<Receiver> {
    let receiver = match &fields.any("address")?.kind {
        Kind::Text(path) if path.contains('/') => Some(Receiver::Socket(root.join(path))),
        Kind::Array(parts) => match parts.iter().map(|part| &part.kind).collect::<Vec<_>>()[..] {
            [Kind::Text(host)] => Some(Receiver::Host(host.clone(), PORT)),
            [Kind::Text(host), Kind::Text(port)] => port
                .parse()
                .ok()
                .map(|port| Receiver::Host(host.clone(), port)),
            [Kind::Text(host), Kind::Integer(port)] => u16::try_from(*port)
                .ok()
                .map(|port| Receiver::Host(host.clone(), port)),
            _ => None,
        },
        _ => None,
    };
    let receiver = receiver.filter(
        |receiver| !matches!(receiver, Receiver::Host(host, port) if host.is_empty() || *port == 0),
    );
    if receiver.is_none() {
        fields.refuse(
            "address",
            "the path of a socket, with a slash in it, or a host and a port from 1 to 65535 in brackets, \
             such as [\"log.example.com\", 514]",
        );
    }
    receiver
}

/// What the environment names, as in the original.
fn environment(fields: &mut Fields<'_, '_>) -> Option<Receiver> {
    let host = env::var("SYSLOG_HOST")
        .ok()
        .filter(|host| !host.is_empty())?;
    let port = env::var("SYSLOG_PORT").ok().filter(|port| !port.is_empty());
    let port = match port {
        None => Some(PORT),
        Some(text) => {
            let port = text.parse().ok().filter(|port| *port > 0);
            if port.is_none() {
                fields.report(
                    Problem::error(
                        Code::WrongValue,
                        format!("SYSLOG_PORT must be a port from 1 to 65535, not \"{text}\""),
                    )
                    .place("the environment of this process")
                    .help("correct it, or name the receiver in core.logging.address"),
                );
            }
            port
        }
    };
    Some(Receiver::Host(host, port.unwrap_or(PORT)))
}

impl Stackdriver {
    fn read(fields: &mut Fields<'_, '_>) -> Self {
        let output = match fields.text("stackdriver_output") {
            None | Some("stdout") => Output::Stdout,
            Some("stderr") => Output::Stderr,
            Some(_) => {
                fields.refuse("stackdriver_output", "\"stdout\" or \"stderr\"");
                Output::default()
            }
        };
        Self {
            project_id: fields.text("project_id").map(str::to_owned),
            output,
        }
    }
}

#[cfg(test)]
mod tests;
