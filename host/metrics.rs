//! Hands measurements to the metrics relay.
//!
//! The relay `metrics-logger`, the only one so far, writes them as log lines
//! in the words of the Python original, which users search for.

mod python;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub use self::python::{Number, Value};

use crate::config::MetricsLogger as Settings;
use crate::logging::Level;

/// What a measurement is about: names and values, in the order given.
pub type Context<'a> = &'a [(&'a str, Value)];

/// The built-in metrics relay.
#[derive(Debug)]
pub struct MetricsLogger {
    settings: Settings,
    /// Sums per name, over all contexts, as in the original.
    sums: Mutex<BTreeMap<String, Number>>,
}

impl MetricsLogger {
    /// A relay without sums.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            sums: Mutex::new(BTreeMap::new()),
        }
    }

    /// Adds `value` to the sum of `name`, and reports the sum.
    pub fn incr(&self, name: &str, value: Number, context: Context<'_>) {
        self.emit(&self.incr_line(name, value, context));
    }

    /// Reports `value`.
    pub fn set(&self, name: &str, value: Number, context: Context<'_>) {
        self.emit(&line(name, value, context));
    }

    /// Reports a duration, in seconds times `time_unit`.
    pub fn timer(&self, name: &str, elapsed: Duration, context: Context<'_>) {
        self.emit(&self.timer_line(name, elapsed, context));
    }

    fn incr_line(&self, name: &str, value: Number, context: Context<'_>) -> String {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = sums.get(name).map_or(value, |sum| sum.plus(value));
        sums.insert(name.to_owned(), sum);
        line(name, sum, context)
    }

    fn timer_line(&self, name: &str, elapsed: Duration, context: Context<'_>) -> String {
        line(
            name,
            Number::Float(elapsed.as_secs_f64() * self.settings.time_unit),
            context,
        )
    }

    /// Logs `line` as the original's logger did, which users filter by. There
    /// is no level above error, and what is not set is traced.
    fn emit(&self, line: &str) {
        const TARGET: &str = "gordon.metrics-logger";
        match self.settings.level {
            Level::NotSet => tracing::trace!(target: TARGET, "{line}"),
            Level::Debug => tracing::debug!(target: TARGET, "{line}"),
            Level::Info => tracing::info!(target: TARGET, "{line}"),
            Level::Warning => tracing::warn!(target: TARGET, "{line}"),
            Level::Error | Level::Critical => tracing::error!(target: TARGET, "{line}"),
        }
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
    use super::*;

    fn number(json: Option<&serde_json::Value>) -> Number {
        match json {
            None => Number::Integer(1),
            Some(json) => json
                .as_i64()
                .map_or_else(|| Number::Float(json.as_f64().unwrap()), Number::from),
        }
    }

    fn value(json: &serde_json::Value) -> Value {
        match json {
            serde_json::Value::Null => Value::None,
            serde_json::Value::Bool(boolean) => Value::Boolean(*boolean),
            serde_json::Value::String(text) => Value::Text(text.clone()),
            other => Value::Number(number(Some(other))),
        }
    }

    /// Reads the context in the order of the file, which `serde_json`'s map does not keep.
    fn context<'a>(case: &str, json: &'a serde_json::Value) -> Vec<(&'a str, Value)> {
        let mut context: Vec<_> = json
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, json)| (name.as_str(), value(json)))
            .collect();
        context.sort_by_key(|(name, _)| case.find(&format!("'{name}':")));
        context
    }

    #[test]
    fn lines_are_those_of_the_vectors() {
        let text = include_str!("../tests/vectors/metrics-relays.json");
        let document: serde_json::Value = serde_json::from_str(text).unwrap();
        let mut later = Vec::new();
        let mut checked = 0;
        for case in document["vectors"].as_array().unwrap() {
            let (id, input) = (case["id"].as_str().unwrap(), &case["input"]);
            if input["relay"] != "log" {
                later.push(id);
                continue;
            }
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
                let context = context(expected, &call["context"]);
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
        // The relay ffwd comes with the next version.
        assert!(later.iter().all(|id| id.contains("/ffwd-")), "{later:?}");
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
                Duration::from_millis(1500),
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
