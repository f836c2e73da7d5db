//! Lines as a statsd reads them.

use std::collections::BTreeMap;
use std::fmt::Write;

use janitor_plugin_api::{Measurement, MeasurementKind, Scalar};

/// How labels are written.
#[janitor_plugin_api::settings]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TagFormat {
    /// Behind the value, `|#name:value`: DogStatsD, and what understands it.
    Datadog,
    /// Behind the name, `;name=value`: Graphite.
    Graphite,
    /// Behind the name, `,name=value`: InfluxDB and Telegraf.
    Influx,
    /// Not at all: their values become parts of the name.
    None,
}

/// Writes measurements as lines.
pub(crate) struct Lines {
    prefix: String,
    format: TagFormat,
    labels: BTreeMap<String, String>,
}

impl Lines {
    pub(crate) fn new(prefix: String, format: TagFormat, labels: BTreeMap<String, String>) -> Self {
        Self {
            prefix,
            format,
            labels,
        }
    }

    /// The line of a measurement, or the two lines of a negative gauge; none if it has no number that
    /// a statsd understands.
    pub(crate) fn of(&self, measurement: &Measurement) -> Option<String> {
        let own = measurement.labels();
        let mut labels = own
            .map(|(name, value)| (name, value.to_string()))
            .collect::<Vec<_>>();
        // A measurement's own label is nearer to the truth than that of all.
        for (name, value) in &self.labels {
            if !labels.iter().any(|(taken, _)| taken == name) {
                labels.push((name, value.clone()));
            }
        }
        let (name, tags) = self.name_and_tags(measurement.name(), &labels);
        let value = number(measurement)?;
        let line = |value: &str, kind: &str| format!("{name}:{value}|{kind}{tags}");
        Some(match measurement.kind() {
            MeasurementKind::Increment => line(&value, "c"),
            MeasurementKind::Timer => line(&value, "ms"),
            // A sign would take it from what is there, so that has to be nought first.
            MeasurementKind::Value if value.starts_with('-') => {
                format!("{}\n{}", line("0", "g"), line(&value, "g"))
            }
            MeasurementKind::Value => line(&value, "g"),
        })
    }

    fn name_and_tags(&self, name: &str, labels: &[(&str, String)]) -> (String, String) {
        let mut name = format!("{}{}", self.prefix, word(name, "._-"));
        let mut tags = String::new();
        for (label, value) in labels {
            let label = word(label, "._-");
            let value = match word(value, "._-/") {
                empty if empty.is_empty() => "_".to_owned(),
                value => value,
            };
            // Writing to a text cannot fail.
            let _written = match self.format {
                TagFormat::Datadog => {
                    let open = if tags.is_empty() { "|#" } else { "," };
                    write!(tags, "{open}{label}:{value}")
                }
                TagFormat::Graphite => write!(name, ";{label}={value}"),
                TagFormat::Influx => write!(name, ",{label}={value}"),
                // The dots of a zone's name would become levels of the metric's.
                TagFormat::None => {
                    let value = value.trim_end_matches('.').replace(['.', '/'], "_");
                    write!(name, ".{value}")
                }
            };
        }
        (name, tags)
    }
}

/// `text` with a `_` for everything that could be read as something else.
fn word(text: &str, allowed: &str) -> String {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || allowed.contains(c);
    let replaced = text.chars().map(|c| if is_allowed(c) { c } else { '_' });
    replaced.collect()
}

/// The number; times are in milliseconds, to the microsecond.
fn number(measurement: &Measurement) -> Option<String> {
    match (measurement.kind(), measurement.value()) {
        (MeasurementKind::Timer, _) => {
            let millis = measurement.as_f64() * 1000.0;
            let text = format!("{millis:.3}");
            let text = text.trim_end_matches('0').trim_end_matches('.');
            millis.is_finite().then(|| text.to_owned())
        }
        (_, Scalar::Float(float)) => float.is_finite().then(|| float.to_string()),
        (_, whole) => Some(whole.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(format: TagFormat, measurement: &Measurement) -> String {
        let labels = BTreeMap::from([("site".to_owned(), "a b".to_owned())]);
        let lines = Lines::new("p.".to_owned(), format, labels);
        lines.of(measurement).unwrap()
    }

    #[test]
    fn labels_are_written_in_the_way_that_is_asked_for() {
        let measurement = Measurement::new(MeasurementKind::Increment, "run-ended", 1_i64)
            .label("zone", "example.com.".into())
            .label("is:odd", true.into());
        for (format, expected) in [
            (
                TagFormat::Datadog,
                "p.run-ended:1|c|#zone:example.com.,is_odd:true,site:a_b",
            ),
            (
                TagFormat::Graphite,
                "p.run-ended;zone=example.com.;is_odd=true;site=a_b:1|c",
            ),
            (
                TagFormat::Influx,
                "p.run-ended,zone=example.com.,is_odd=true,site=a_b:1|c",
            ),
            (TagFormat::None, "p.run-ended.example_com.true.a_b:1|c"),
        ] {
            assert_eq!(line(format, &measurement), expected);
        }
    }

    #[test]
    fn numbers_are_those_that_a_statsd_reads() {
        let lines = Lines::new(String::new(), TagFormat::Datadog, BTreeMap::new());
        let line = |kind, value: Scalar<'static>| lines.of(&Measurement::new(kind, "m", value));
        for (kind, value, expected) in [
            (MeasurementKind::Value, 5_i64.into(), Some("m:5|g")),
            (
                MeasurementKind::Value,
                (-5_i64).into(),
                Some("m:0|g\nm:-5|g"),
            ),
            (MeasurementKind::Value, 0.25.into(), Some("m:0.25|g")),
            (MeasurementKind::Value, f64::NAN.into(), None),
            (MeasurementKind::Increment, (-2_i64).into(), Some("m:-2|c")),
            (MeasurementKind::Timer, 1.5.into(), Some("m:1500|ms")),
            (
                MeasurementKind::Timer,
                0.000_123_4.into(),
                Some("m:0.123|ms"),
            ),
            (MeasurementKind::Timer, 0.0.into(), Some("m:0|ms")),
            (MeasurementKind::Timer, f64::INFINITY.into(), None),
        ] {
            assert_eq!(line(kind, value).as_deref(), expected, "{value:?}");
        }
    }
}
