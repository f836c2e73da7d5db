//! Metrics in the text format of Prometheus, version 0.0.4.
//!
//! The crate `prometheus-client` writes OpenMetrics, and its metrics are known when a program is
//! compiled; here any plugin may measure anything.

use std::collections::BTreeMap;
use std::fmt;

use janitor_plugin_api::{Measurement, MeasurementKind};

/// Everything that was measured, by name and labels.
pub(crate) struct Exposition {
    prefix: String,
    /// Labels that every metric has.
    labels: BTreeMap<String, String>,
    families: BTreeMap<String, Family>,
}

struct Family {
    help: String,
    samples: BTreeMap<Labels, f64>,
}

type Labels = Vec<(String, String)>;

impl Exposition {
    /// Nothing so far.
    pub(crate) fn new(prefix: &str, labels: BTreeMap<String, String>) -> Self {
        Self {
            prefix: prefix.to_owned(),
            labels,
            families: BTreeMap::new(),
        }
    }

    /// Takes a measurement: increments and times add up, values replace what was there.
    pub(crate) fn take(&mut self, measurement: &Measurement) {
        let mut name = sanitised(measurement.name());
        if measurement.kind() == MeasurementKind::Timer && !name.ends_with("_seconds") {
            name.push_str("_seconds");
        }
        let help = match measurement.help() {
            Some(help) => help.to_owned(),
            None => {
                let name = measurement.name().escape_debug();
                format!("What a plugin measures as `{name}`.")
            }
        };
        let labels = measurement.labels();
        let labels = labels.map(|(name, value)| (sanitised(name), value.to_string()));
        let value = measurement.as_f64();
        let sample = self.sample(&name, help, labels.collect());
        match measurement.kind() {
            MeasurementKind::Value => *sample = value,
            MeasurementKind::Increment | MeasurementKind::Timer => *sample += value,
        }
    }

    /// Sets a metric of the relay's own.
    pub(crate) fn set(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        let labels = labels.iter();
        let labels = labels.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        *self.sample(name, help.to_owned(), labels.collect()) = value;
    }

    fn sample(&mut self, name: &str, help: String, own: Labels) -> &mut f64 {
        let mut labels = Labels::new();
        for (name, value) in own {
            labels.push((free_name(name, &labels), value));
        }
        // A measurement's own label is nearer to the truth than that of all.
        for (name, value) in &self.labels {
            if !labels.iter().any(|(taken, _)| taken == name) {
                labels.push((name.clone(), value.clone()));
            }
        }
        // Two samples that differ in the order of their labels alone would be one to Prometheus, which
        // then takes none of the whole text.
        labels.sort();
        let mut name = format!("{}{name}", self.prefix);
        if !is_metric_name(&name) {
            name.insert(0, '_');
        }
        let family = self.families.entry(name).or_insert_with(|| Family {
            help,
            samples: BTreeMap::new(),
        });
        family.samples.entry(labels).or_default()
    }
}

/// A label name that can be used and is not among `taken`.
fn free_name(mut name: String, taken: &Labels) -> String {
    if !is_label_name(&name) {
        name.insert_str(0, "label");
    }
    match name.as_str() {
        // These have a meaning of their own in histograms and summaries.
        "le" | "quantile" => name.push('_'),
        // These say who tells, and whoever takes them sets them. Prometheus renames them in the same way;
        // a Pushgateway would write over them, so that several samples become one and all are refused.
        "job" | "instance" => name.insert_str(0, "exported_"),
        _ => {}
    }
    while taken.iter().any(|(other, _)| *other == name) {
        name.push('_');
    }
    name
}

/// `name` with a `_` for everything that names cannot have.
fn sanitised(name: &str) -> String {
    let allowed = |character: char| character.is_ascii_alphanumeric();
    name.chars()
        .map(|character| if allowed(character) { character } else { '_' })
        .collect()
}

/// Whether a metric can have this name. Colons are for rules.
pub(crate) fn is_metric_name(name: &str) -> bool {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_';
    name.bytes().all(allowed)
        && name
            .bytes()
            .next()
            .is_some_and(|octet| !octet.is_ascii_digit())
}

/// Whether a label can have this name. What begins with two underscores is Prometheus's own.
fn is_label_name(name: &str) -> bool {
    is_metric_name(name) && !name.starts_with("__")
}

/// Whether a label that every metric has can have this name, and would keep it.
pub(crate) fn is_free_label(name: &str) -> bool {
    free_name(name.to_owned(), &Labels::new()) == name
}

impl fmt::Display for Exposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, family) in &self.families {
            writeln!(f, "# HELP {name} {}", escaped(&family.help, false))?;
            writeln!(f, "# TYPE {name} gauge")?;
            for (labels, value) in &family.samples {
                f.write_str(name)?;
                for (index, (label, value)) in labels.iter().enumerate() {
                    let open = if index == 0 { '{' } else { ',' };
                    write!(f, "{open}{label}=\"{}\"", escaped(value, true))?;
                }
                let close = if labels.is_empty() { "" } else { "}" };
                writeln!(f, "{close} {}", number(*value))?;
            }
        }
        Ok(())
    }
}

fn escaped(text: &str, is_quoted: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if is_quoted => out.push_str("\\\""),
            other => out.push(other),
        }
    }
    out
}

fn number(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(measurements: &[Measurement]) -> String {
        let labels = [("site".to_owned(), "a \"b\"\n".to_owned())];
        let mut exposition = Exposition::new("p_", BTreeMap::from(labels));
        for measurement in measurements {
            exposition.take(measurement);
        }
        exposition.to_string()
    }

    #[test]
    fn increments_and_times_add_up_and_values_do_not() {
        let measure = |kind, name, value: f64| Measurement::new(kind, name, value);
        let text = written(&[
            measure(MeasurementKind::Increment, "ended", 1.0).described("Ends.", "runs"),
            measure(MeasurementKind::Increment, "ended", 2.0),
            measure(MeasurementKind::Timer, "run-time", 0.5),
            measure(MeasurementKind::Timer, "run-time", 0.25),
            measure(MeasurementKind::Value, "level", 5.0),
            measure(MeasurementKind::Value, "level", -1.5),
        ]);
        let site = "{site=\"a \\\"b\\\"\\n\"}";
        assert_eq!(
            text,
            format!(
                "# HELP p_ended Ends.\n# TYPE p_ended gauge\np_ended{site} 3\n\
                 # HELP p_level What a plugin measures as `level`.\n# TYPE p_level gauge\np_level{site} -1.5\n\
                 # HELP p_run_time_seconds What a plugin measures as `run-time`.\n# TYPE p_run_time_seconds gauge\n\
                 p_run_time_seconds{site} 0.75\n"
            )
        );
    }

    #[test]
    fn whatever_a_plugin_measures_is_valid() {
        let wild = Measurement::new(MeasurementKind::Value, "é\n9 {}", f64::NEG_INFINITY)
            .label("le", 1_i64.into())
            .label("__name__", "x\\y".into())
            .label("9", true.into())
            .label("9", false.into())
            .label("site", "own".into());
        let text = written(&[wild]);
        let (_, sample) = text.trim_end().rsplit_once('\n').unwrap();
        assert_eq!(
            sample,
            "p___9___{label9=\"true\",label9_=\"false\",label__name__=\"x\\\\y\",le_=\"1\",site=\"own\"} -Inf"
        );
        assert_eq!(text.lines().count(), 3, "{text}");
    }

    #[test]
    fn the_order_of_labels_makes_no_other_sample() {
        let measured = |first: (&str, i64), second: (&str, i64)| {
            Measurement::new(MeasurementKind::Increment, "m", 1_i64)
                .label(first.0, first.1.into())
                .label(second.0, second.1.into())
        };
        let text = written(&[
            measured(("a", 1), ("b", 2)),
            measured(("b", 2), ("a", 1)),
            measured(("instance", 1), ("job", 2)),
        ]);
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let site = "site=\"a \\\"b\\\"\\n\"";
        assert_eq!(
            samples.collect::<Vec<_>>(),
            [
                format!("p_m{{a=\"1\",b=\"2\",{site}}} 2"),
                format!("p_m{{exported_instance=\"1\",exported_job=\"2\",{site}}} 1"),
            ]
        );
    }
}
