//! The relay `metrics-logger`: measurements as log lines, in the words of the Python original, which
//! users search for.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::catalogue;
use super::python;
use super::{Context, Kind, Measurement, Number};
use crate::config::MetricsLogger as Settings;
use crate::logging::Level;

/// The built-in metrics relay.
#[derive(Debug)]
pub(super) struct MetricsLogger {
    settings: Settings,
    /// Sums per name, over all contexts, as in the original.
    sums: Mutex<BTreeMap<String, Number>>,
}

impl MetricsLogger {
    /// A relay without sums.
    #[must_use]
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            sums: Mutex::new(BTreeMap::new()),
        }
    }

    /// Logs one measurement. What the original did not measure is logged with the level debug at
    /// most, so that the log of a run has the lines that it always had.
    pub(super) fn take(&self, measurement: &Measurement<'_>) {
        let Measurement {
            name,
            value,
            context,
            ..
        } = *measurement;
        let level = match catalogue::find(name) {
            Some(described) if !described.original => self.settings.level.min(Level::Debug),
            _ => self.settings.level,
        };
        match measurement.kind {
            Kind::Increment => emit(level, &self.incr_line(name, value, context)),
            _ if !is_enabled(level) => {}
            Kind::Value => emit(level, &line(name, value, context)),
            Kind::Timer => emit(level, &self.timer_line(name, value, context)),
        }
    }

    fn incr_line(&self, name: &str, value: Number, context: Context<'_>) -> String {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = sums.get(name).map_or(value, |sum| sum.plus(value));
        sums.insert(name.to_owned(), sum);
        line(name, sum, context)
    }

    fn timer_line(&self, name: &str, seconds: Number, context: Context<'_>) -> String {
        let value = Number::Float(seconds.as_f64() * self.settings.time_unit);
        line(name, value, context)
    }
}

const TARGET: &str = "gordon.metrics-logger";

/// Logs `line` as the original's logger did, which users filter by. What is not set is traced.
fn emit(level: Level, line: &str) {
    match level {
        Level::NotSet => tracing::trace!(target: TARGET, "{line}"),
        Level::Debug => tracing::debug!(target: TARGET, "{line}"),
        Level::Info => tracing::info!(target: TARGET, "{line}"),
        Level::Warning => tracing::warn!(target: TARGET, "{line}"),
        Level::Error => tracing::error!(target: TARGET, "{line}"),
        Level::Critical => tracing::error!(target: TARGET, critical = true, "{line}"),
    }
}

/// Whether anybody reads a line of this level. Zones have many measurements, so none is put into words
/// in vain.
fn is_enabled(level: Level) -> bool {
    match level {
        Level::NotSet => tracing::enabled!(target: TARGET, tracing::Level::TRACE),
        Level::Debug => tracing::enabled!(target: TARGET, tracing::Level::DEBUG),
        _ => true,
    }
}

/// The text of one measurement.
fn line(name: &str, value: Number, context: Context<'_>) -> String {
    if context.is_empty() {
        format!("[{name}] value: {value}")
    } else {
        format!(
            "[{name}] value: {value} context: {}",
            python::dictionary(context)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::vectors::{self, context, number};
    use super::*;

    #[test]
    fn lines_are_those_of_the_vectors() {
        let mut checked = 0;
        for case in vectors::of("log") {
            let (id, input) = (case["id"].as_str().unwrap(), &case["input"]);
            let level = input["config"]["log_level"]
                .as_str()
                .map_or(Level::Info, |name| Level::from_name(name).unwrap());
            let relay = MetricsLogger::new(Settings {
                level,
                time_unit: 1.0,
            });
            let expected = case["expect"]["lines"].as_array().unwrap();
            let calls = input["calls"].as_array().unwrap();
            assert_eq!(calls.len(), expected.len(), "{id}");
            for (call, line) in calls.iter().zip(expected) {
                let expected = line[1].as_str().unwrap();
                let context = context(&call["context"], |name| {
                    expected.find(&format!("'{name}':"))
                });
                let name = call["name"].as_str().unwrap();
                let value = number(call.get("value"));
                let line_given = match call["do"].as_str().unwrap() {
                    "incr" => relay.incr_line(name, value, &context),
                    "set" => super::line(name, value, &context),
                    other => panic!("{id}: {other}"),
                };
                assert_eq!(line_given, expected, "{id}");
                assert_eq!(
                    relay.settings.level,
                    Level::from_name(line[0].as_str().unwrap()).unwrap(),
                    "{id}"
                );
                checked += 1;
            }
        }
        assert_eq!(checked, 17);
    }

    #[test]
    fn timers_report_seconds_times_the_unit() {
        let line = |unit| {
            let relay = MetricsLogger::new(Settings {
                level: Level::Info,
                time_unit: unit,
            });
            relay.timer_line(
                "plugin-runtime",
                Number::Float(1.5),
                &[("plugin", "reconciler".into())],
            )
        };
        assert_eq!(
            line(1.0),
            "[plugin-runtime] value: 1.5 context: {'plugin': 'reconciler'}"
        );
        assert_eq!(
            line(1000.0),
            "[plugin-runtime] value: 1500.0 context: {'plugin': 'reconciler'}"
        );
    }

    #[test]
    fn sums_of_whole_numbers_and_fractions_are_fractions() {
        let relay = MetricsLogger::new(Settings::default());
        relay.incr_line("m", Number::Integer(1), &[]);
        assert_eq!(
            relay.incr_line("m", Number::Float(0.5), &[]),
            "[m] value: 1.5"
        );
        assert_eq!(
            relay.incr_line("n", Number::from(i64::MAX), &[]),
            "[n] value: 9223372036854775807"
        );
        assert_eq!(
            relay.incr_line("n", Number::Integer(1), &[]),
            "[n] value: 9223372036854775808"
        );
    }
}
