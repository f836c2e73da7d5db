//! The tables of the built-in metrics relays.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::core::level;
use super::fields::Fields;
use super::value::{Kind, Value};
use crate::logging::Level;
use crate::problem::{Code, Problem};

/// The relay that writes measurements to the log, and its table.
pub const METRICS_LOGGER: &str = "metrics-logger";
/// The relay that sends measurements to an ffwd daemon, and its table.
pub const FFWD: &str = "ffwd";

/// The `[metrics-logger]` table.
#[derive(Clone, Debug)]
pub struct MetricsLogger {
    /// The level of the lines.
    pub level: Level,
    /// What a time in seconds is multiplied with.
    pub time_unit: f64,
}

impl Default for MetricsLogger {
    fn default() -> Self {
        Self {
            level: Level::Info,
            time_unit: 1.0,
        }
    }
}

impl MetricsLogger {
    pub(super) fn read(value: Option<&Value>, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::new(value, METRICS_LOGGER, problems);
        let default = Self::default();
        let level = level(&mut fields, "log_level").unwrap_or(default.level);
        let time_unit = time_unit(&mut fields).unwrap_or(default.time_unit);
        fields.finish();
        Self { level, time_unit }
    }
}

/// The `[ffwd]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct Ffwd {
    /// What every metric is filed under.
    pub key: String,
    /// Where the daemon listens.
    pub address: SocketAddr,
    /// What a time in seconds is multiplied with.
    pub time_unit: f64,
}

impl Default for Ffwd {
    fn default() -> Self {
        Self {
            key: "gordon-service".to_owned(),
            address: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 19_000),
            time_unit: 1.0,
        }
    }
}

impl Ffwd {
    pub(super) fn read(value: Option<&Value>, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::new(value, FFWD, problems);
        let default = Self::default();
        let key = fields.text("key").map(str::to_owned).unwrap_or(default.key);
        let ip = named(&mut fields, "ffwd_ip", "ip");
        let ip = ip.and_then(|name| read_ip(&mut fields, name));
        let port = named(&mut fields, "ffwd_port", "port");
        let port = port.and_then(|name| read_port(&mut fields, name));
        let time_unit = time_unit(&mut fields).unwrap_or(default.time_unit);
        fields.finish();
        let address = SocketAddr::new(
            ip.unwrap_or(default.address.ip()),
            port.unwrap_or(default.address.port()),
        );
        Self {
            key,
            address,
            time_unit,
        }
    }
}

/// Which of both names a setting has: the right one, or the one that documents of the Python original
/// gave it and that the original never read.
fn named(
    fields: &mut Fields<'_, '_>,
    name: &'static str,
    documented: &'static str,
) -> Option<&'static str> {
    let right = fields.any(name).map(|_| name);
    let Some(wrong) = fields.any(documented) else {
        return right;
    };
    let problem = Problem::warning(
        Code::UnknownSetting,
        format!("[{FFWD}] calls the setting \"{name}\" \"{documented}\""),
    )
    .at(&wrong.origin, format!("{FFWD}.{documented}"))
    .because("documents of the Python original did, which read the other name");
    fields.report(match right {
        Some(_) => problem.help(format!(
            "remove it; \"{name}\" is there as well, and counts"
        )),
        None => problem.help(format!(
            "call it \"{name}\"; it counts under this name as well"
        )),
    });
    right.or(Some(documented))
}

/// What times are multiplied with: neither infinite nor NaN, which would leave nothing of any.
fn time_unit(fields: &mut Fields<'_, '_>) -> Option<f64> {
    const EXPECTED: &str = "a finite number";
    let unit = fields.number("time_unit", EXPECTED)?;
    if !unit.is_finite() {
        fields.refuse("time_unit", EXPECTED);
    }
    Some(unit).filter(|unit| unit.is_finite())
}

fn read_ip(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<IpAddr> {
    let ip = fields.text(name)?.parse().ok();
    if ip.is_none() {
        fields.refuse(
            name,
            "an IP address; a name would have to be looked up, and measuring would wait for DNS",
        );
    }
    ip
}

/// A port, as a number or as a text, which the original took as well.
fn read_port(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<u16> {
    let port = fields.read(name, "a port, from 1 to 65535", |kind| match kind {
        Kind::Integer(number) => Some(u16::try_from(*number).ok()),
        Kind::Text(text) => Some(text.parse().ok()),
        _ => None,
    })?;
    let port = port.filter(|port| *port > 0);
    if port.is_none() {
        fields.refuse(name, "a port, from 1 to 65535");
    }
    port
}
