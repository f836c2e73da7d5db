//! The relay for Prometheus: adds up a run, and makes it known once, at its end.
//!
//! A process that lives for one run has no counters in the sense of Prometheus, which would have to
//! go on where the last run stopped. So everything is a gauge that describes the last run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use janitor_plugin_api::{Error, Host, Measurement, MeasurementReceiver, MetricsRelay, tracing};

use crate::exposition::{Exposition, is_free_label, is_metric_name};
use crate::pushgateway::Pushgateway;
use crate::{is_of_a_zone, textfile};

/// The `[metrics.prometheus]` table of the configuration.
#[janitor_plugin_api::settings]
#[derive(Debug)]
pub(crate) struct Config {
    /// Directory of node_exporter's textfile collector; the file there is named after the job.
    #[setting(example = "/var/lib/prometheus/node-exporter")]
    textfile: Option<PathBuf>,

    /// URL of a Pushgateway.
    #[setting(example = "http://127.0.0.1:9091")]
    pushgateway: Option<String>,

    /// Names this janitor among others: the file, and the group at the Pushgateway.
    #[setting(default = "gordon-janitor")]
    job: String,

    /// Names the group at the Pushgateway further.
    #[setting(example = "ns1.example.com")]
    instance: Option<String>,

    /// Labels that every metric has.
    #[setting(default)]
    labels: BTreeMap<String, String>,

    /// What the names of all metrics begin with.
    #[setting(default = "gordon_janitor_")]
    prefix: String,

    /// Whether to tell what is measured of single zones, some ten series for each.
    #[setting(default = true)]
    zones: bool,
}

/// The words of `run-ended`, so that each has a series, whatever the last run was.
const STATUSES: [&str; 5] = [
    "success",
    "incomplete",
    "cancelled",
    "no-plugin-error",
    "unexpected-error",
];

/// The metrics relay `metrics.prometheus`.
pub(crate) struct Prometheus {
    textfile: Option<PathBuf>,
    pushgateway: Option<Pushgateway>,
    metrics: Exposition,
    zones: bool,
    status: Option<String>,
    memory: PathBuf,
}

impl MetricsRelay for Prometheus {
    type Config = Config;

    fn new(mut config: Config, host: Host) -> Result<Self, Error> {
        const CANNOT: &str = "cannot tell Prometheus anything";
        check_word("job", &config.job)?;
        if let Some(instance) = &config.instance {
            check_word("instance", instance)?;
        }
        if !config.prefix.is_empty() && !is_metric_name(&config.prefix) {
            let why =
                "a prefix is made of letters, digits and `_`, and does not begin with a digit";
            return Err(Error::config(
                format!("cannot use prefix `{}`", config.prefix),
                why,
            ));
        }
        if let Some(name) = config.labels.keys().find(|name| !is_free_label(name)) {
            let why = "a label is made of letters, digits and `_`, begins with none of the digits nor with `__`, and is none of job, instance, le and quantile";
            return Err(Error::config(format!("cannot use label `{name}`"), why));
        }
        let textfile = match config.textfile.map(|directory| host.resolve(directory)) {
            Some(directory) if !directory.is_dir() => {
                let why = format!(
                    "textfile names `{}`, which is no directory",
                    directory.display()
                );
                let hint =
                    "name the directory that node_exporter has as --collector.textfile.directory";
                return Err(Error::config(CANNOT, why).hint(hint));
            }
            directory => directory.map(|directory| directory.join(format!("{}.prom", config.job))),
        };
        let pushgateway = config.pushgateway.map(|url| {
            Pushgateway::new(&url, &config.job, config.instance.as_deref(), host.grace())
        });
        let pushgateway = pushgateway.transpose()?;
        if textfile.is_none() && pushgateway.is_none() {
            let why = "neither textfile nor pushgateway is set";
            return Err(Error::config(CANNOT, why).hint("set one of them, or both"));
        }
        // Without them, two janitors of one machine would tell node_exporter different things under the
        // same name, and it takes the first alone.
        config.labels.insert("job".to_owned(), config.job);
        let instance = config.instance.map(|name| ("instance".to_owned(), name));
        config.labels.extend(instance);
        Ok(Self {
            textfile,
            pushgateway,
            metrics: Exposition::new(&config.prefix, config.labels),
            zones: config.zones,
            status: None,
            memory: host.state_directory().join("last-success"),
        })
    }

    async fn run(&mut self, measurements: &mut MeasurementReceiver) -> Result<(), Error> {
        while let Some(measurement) = measurements.receive().await {
            self.take(&measurement);
        }
        self.conclude(SystemTime::now());
        self.tell()
    }
}

/// Checks a name that becomes part of a URL and of a file's name.
fn check_word(setting: &str, word: &str) -> Result<(), Error> {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"-._:".contains(&octet);
    if word.bytes().all(allowed) && word.bytes().any(|octet| octet != b'.') {
        return Ok(());
    }
    let why = "it is made of ASCII letters, digits, `-`, `.`, `_` and `:`";
    Err(Error::config(format!("cannot use {setting} `{word}`"), why))
}

impl Prometheus {
    fn take(&mut self, measurement: &Measurement) {
        if measurement.name() == "run-ended" {
            let status = measurement.labels().find(|(name, _)| *name == "status");
            self.status = status.map(|(_, status)| status.to_string());
        }
        if self.zones || !is_of_a_zone(measurement) {
            self.metrics.take(measurement);
        }
    }

    /// Adds what people alert on.
    fn conclude(&mut self, now: SystemTime) {
        let now = now
            .duration_since(UNIX_EPOCH)
            .map_or(0.0, |elapsed| elapsed.as_secs_f64());
        let metrics = &mut self.metrics;
        metrics.set(
            "last_run_timestamp_seconds",
            "When the last run ended, in seconds since 1970.",
            &[],
            now,
        );
        let ended = self.status.as_deref().unwrap_or("unknown");
        let others = STATUSES.into_iter().filter(|status| *status != ended);
        for (status, value) in others.map(|status| (status, 0.0)).chain([(ended, 1.0)]) {
            metrics.set(
                "last_run_status",
                "How the last run ended: 1 for the status that it had.",
                &[("status", status)],
                value,
            );
        }
        let success = if ended == "success" {
            remember(&self.memory, now);
            Some(now)
        } else {
            recall(&self.memory)
        };
        if let Some(success) = success {
            metrics.set(
                "last_success_timestamp_seconds",
                "When a run last ended with success, in seconds since 1970.",
                &[],
                success,
            );
        }
    }

    fn tell(&self) -> Result<(), Error> {
        let text = self.metrics.to_string();
        let written = match &self.textfile {
            Some(path) => textfile::write(path, &text)
                .map_err(|e| Error::retry(format!("cannot write `{}`", path.display()), e)),
            None => Ok(()),
        };
        // One that fails does not keep the other from knowing.
        let pushed = match &self.pushgateway {
            Some(pushgateway) => pushgateway.push(&text),
            None => Ok(()),
        };
        match (written, pushed) {
            (Err(written), Err(pushed)) => {
                tracing::error!("{pushed}: {}", causes(&pushed));
                Err(written)
            }
            (written, pushed) => written.and(pushed),
        }
    }
}

fn causes(error: &Error) -> String {
    let first = std::error::Error::source(error);
    let causes = std::iter::successors(first, |error| error.source());
    let causes = causes.map(ToString::to_string).collect::<Vec<_>>();
    causes.join(": ")
}

/// Keeps the time of a success for runs that have none.
fn remember(path: &Path, now: f64) {
    let directory = path.parent().unwrap_or(Path::new("."));
    let kept = fs::create_dir_all(directory).and_then(|()| fs::write(path, format!("{now}\n")));
    if let Err(error) = kept {
        tracing::warn!(
            path = %path.display(), reason = %error,
            "cannot keep the time of this success for the runs to come"
        );
    }
}

fn recall(path: &Path) -> Option<f64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}
