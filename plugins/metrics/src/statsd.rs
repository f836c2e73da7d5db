//! The relay for statsd: each measurement as a line, several to a datagram.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use janitor_plugin_api::{Error, Host, MeasurementReceiver, MetricsRelay, tracing};

use crate::is_of_a_zone;
use crate::line::{Lines, TagFormat};
use crate::sink::{Sink, Target};

/// The `[metrics.statsd]` table of the configuration.
#[janitor_plugin_api::settings]
#[derive(Debug)]
pub(crate) struct Config {
    /// Where the statsd listens for UDP, as HOST:PORT; 127.0.0.1:8125 unless socket is set.
    #[setting(example = "127.0.0.1:8125")]
    address: Option<String>,

    /// The Unix datagram socket where it listens instead.
    #[setting(example = "/run/statsd.sock")]
    socket: Option<PathBuf>,

    /// How labels are written.
    #[setting(default = "datadog")]
    tag_format: TagFormat,

    /// Labels that every metric has.
    #[setting(default)]
    labels: BTreeMap<String, String>,

    /// What the names of all metrics begin with.
    #[setting(default = "gordon-janitor.")]
    prefix: String,

    /// Whether to tell what is measured of single zones, some ten metrics for each.
    #[setting(default = true)]
    zones: bool,

    /// Largest datagram; the default goes through an Ethernet in one piece, with room for tunnels.
    #[setting(default = 1432, unit = "octets", min = 64, max = 65_000)]
    max_octets: usize,
}

/// How long measurements wait for more of them to come.
const LINGER: Duration = Duration::from_secs(1);

/// The metrics relay `metrics.statsd`.
pub(crate) struct Statsd {
    target: Target,
    lines: Lines,
    zones: bool,
    max_octets: usize,
}

impl MetricsRelay for Statsd {
    type Config = Config;

    fn new(config: Config, host: Host) -> Result<Self, Error> {
        let target = match (config.address, config.socket) {
            (Some(_), Some(_)) => {
                let why = "both address and socket are set";
                return Err(Error::config("cannot tell where the statsd is", why)
                    .hint("remove one of them"));
            }
            (None, Some(socket)) => Target::Socket(host.resolve(socket)),
            (address, None) => {
                let address = address.unwrap_or_else(|| "127.0.0.1:8125".to_owned());
                Target::Address(checked_address(address)?)
            }
        };
        Ok(Self {
            target,
            lines: Lines::new(config.prefix, config.tag_format, config.labels),
            zones: config.zones,
            max_octets: config.max_octets,
        })
    }

    async fn run(&mut self, measurements: &mut MeasurementReceiver) -> Result<(), Error> {
        let mut batch = Batch::new(Sink::new(self.target.clone()), self.max_octets);
        loop {
            match tokio::time::timeout(LINGER, measurements.receive()).await {
                Ok(Some(measurement)) if !self.zones && is_of_a_zone(&measurement) => {}
                Ok(Some(measurement)) => {
                    if let Some(line) = self.lines.of(&measurement) {
                        batch.push(&line);
                    }
                }
                Ok(None) => break,
                Err(_nothing_came) => batch.send(),
            }
        }
        batch.send();
        batch.tell(&self.target);
        Ok(())
    }
}

fn checked_address(address: String) -> Result<String, Error> {
    let port = address
        .rsplit_once(':')
        .map(|(host, port)| (host, port.parse()));
    match port {
        Some((host, Ok(1_u16..))) if !host.is_empty() => Ok(address),
        _ => {
            let why = "it is not of the form HOST:PORT";
            Err(Error::config(
                format!("cannot use address `{address}`"),
                why,
            ))
        }
    }
}

/// Lines that go out together.
struct Batch {
    sink: Sink,
    max_octets: usize,
    text: String,
    waiting: usize,
    lost: usize,
    reason: Option<String>,
}

impl Batch {
    fn new(sink: Sink, max_octets: usize) -> Self {
        Self {
            sink,
            max_octets,
            text: String::new(),
            waiting: 0,
            lost: 0,
            reason: None,
        }
    }

    fn push(&mut self, line: &str) {
        if self.text.len() + 1 + line.len() > self.max_octets {
            self.send();
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(line);
        self.waiting += 1;
    }

    fn send(&mut self) {
        if self.text.is_empty() {
            return;
        }
        if let Err(error) = self.sink.send(self.text.as_bytes()) {
            self.lost += self.waiting;
            self.reason.get_or_insert_with(|| error.to_string());
        }
        self.text.clear();
        self.waiting = 0;
    }

    /// Says what was lost. That is no error: nobody who chose datagrams wants to be kept from work by
    /// a statsd that starts anew.
    fn tell(&self, target: &Target) {
        if let Some(reason) = &self.reason {
            tracing::warn!(
                to = %target, lost = self.lost, reason,
                "measurements cannot be sent to the statsd"
            );
        }
    }
}
