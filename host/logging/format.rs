//! One log line.

use std::fmt::{self, Write as _};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tracing::field::{Field, Visit};

use super::level;
use crate::problem::push_escaped;

/// The name under which the lines appear.
const PROGRAM: &str = "gordon-janitor";

/// Octets of a message, and of all fields of an event together, that are written. A longer one
/// comes from a plugin that logs what it should not, and would flood whoever reads it.
const MAX_OCTETS: usize = 16 << 10;

/// How a line looks. `fmt` and `datefmt` will choose among more than the default.
#[derive(Clone, Debug)]
pub(super) struct Format {
    process: u32,
}

/// What a line says.
#[derive(Clone, Debug)]
pub(super) struct Record<'a> {
    pub(super) time: Timestamp,
    pub(super) level: tracing::Level,
    pub(super) message: &'a str,
    /// The fields, each as ` key=value`.
    pub(super) fields: &'a str,
}

impl Format {
    /// The default: `<time>.<ms>Z gordon-janitor (<pid>) <LEVEL>: <message>`.
    pub(super) fn new(process: u32) -> Self {
        Self { process }
    }

    /// Returns the line with its newline.
    pub(super) fn line(&self, record: &Record<'_>) -> String {
        let time = record.time.to_zoned(TimeZone::UTC).datetime();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z {PROGRAM} ({}) {}: {}{}\n",
            time.year(),
            time.month(),
            time.day(),
            time.hour(),
            time.minute(),
            time.second(),
            time.millisecond(),
            self.process,
            level::printed(record.level),
            record.message,
            record.fields,
        )
    }
}

/// Collects an event's message and fields as safe text.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) message: String,
    pub(super) fields: String,
}

impl Text {
    /// Whether a field of this name was recorded.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains(&format!(" {name}="))
    }

    /// Shortens what is too long to be read, and says so.
    pub(super) fn shorten(&mut self) {
        for text in [&mut self.message, &mut self.fields] {
            if text.len() > MAX_OCTETS {
                let end = text.floor_char_boundary(MAX_OCTETS);
                let rest = text.len() - end;
                text.truncate(end);
                text.push_str(&format!("… ({rest} octets left out)"));
            }
        }
    }

    /// Adds a field. A value that would not read as one word is quoted.
    pub(super) fn field(&mut self, name: &str, value: &str) {
        self.fields.push(' ');
        self.fields
            .extend(name.chars().filter(|character| !character.is_control()));
        self.fields.push('=');
        let is_word = !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || c == '"');
        // What `Debug` made of a text or a list already has its own bounds.
        let has_bounds =
            [('"', '"'), ('[', ']'), ('{', '}'), ('(', ')')]
                .iter()
                .any(|(open, close)| {
                    value.len() > 1 && value.starts_with(*open) && value.ends_with(*close)
                });
        if is_word || has_bounds {
            value
                .chars()
                .for_each(|character| push_escaped(&mut self.fields, character));
            return;
        }
        self.fields.push('"');
        for character in value.chars() {
            match character {
                '"' => self.fields.push_str("\\\""),
                '\\' => self.fields.push_str("\\\\"),
                _ => push_escaped(&mut self.fields, character),
            }
        }
        self.fields.push('"');
    }
}

/// Escapes what is written into it.
struct Escaping<'a>(&'a mut String);

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars()
            .for_each(|character| push_escaped(self.0, character));
        Ok(())
    }
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            if write!(Escaping(&mut self.message), "{value:?}").is_err() {
                self.message.push_str("(a value that cannot be written)");
            }
        } else {
            self.field(field.name(), &format!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value
                .chars()
                .for_each(|character| push_escaped(&mut self.message, character));
        } else {
            self.field(field.name(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(name: &str) -> Option<tracing::Level> {
        Some(match name {
            "DEBUG" => tracing::Level::DEBUG,
            "INFO" => tracing::Level::INFO,
            _ => return None,
        })
    }

    #[test]
    fn default_lines_are_those_of_the_original() {
        let text = include_str!("../../tests/vectors/log-format.json");
        let document: serde_json::Value = serde_json::from_str(text).unwrap();
        let mut checked = 0;
        for case in document["vectors"].as_array().unwrap() {
            let input = &case["input"];
            // The other handlers, their options and CRITICAL come with syslog.
            let ours = input["handler"] == "stream"
                && input.get("options").is_none()
                && input.get("tz").is_none();
            let Some(level) = levels(input["level"].as_str().unwrap()).filter(|_| ours) else {
                continue;
            };
            #[expect(
                clippy::cast_possible_truncation,
                reason = "milliseconds of a date in 2017"
            )]
            let milliseconds = (input["epoch"].as_f64().unwrap() * 1000.0).round() as i64;
            let record = Record {
                time: Timestamp::from_millisecond(milliseconds).unwrap(),
                level,
                message: input["message"].as_str().unwrap(),
                fields: "",
            };
            let line = Format::new(63_079).line(&record);
            assert_eq!(
                line.trim_end(),
                case["expect"]["text"].as_str().unwrap(),
                "{}",
                case["id"]
            );
            checked += 1;
        }
        assert_eq!(checked, 2);
    }

    #[test]
    fn values_that_are_not_one_word_are_quoted() {
        let mut text = Text::default();
        for (name, value) in [
            ("a", "b"),
            ("c", "d e"),
            ("f", ""),
            ("g", "h\"i\\"),
            ("k", "[\"l m\"]"),
            ("n", "\n"),
        ] {
            text.field(name, value);
        }
        assert_eq!(
            text.fields,
            " a=b c=\"d e\" f=\"\" g=\"h\\\"i\\\\\" k=[\"l m\"] n=\"\\n\""
        );
    }

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        let mut text = Text {
            message: "é".repeat(MAX_OCTETS),
            fields: " a=b".to_owned(),
        };
        text.shorten();
        let expected = format!(
            "{}… ({MAX_OCTETS} octets left out)",
            "é".repeat(MAX_OCTETS / 2)
        );
        assert_eq!((text.message, text.fields), (expected, " a=b".to_owned()));
    }

    #[test]
    fn presence_of_a_field_is_known() {
        let mut text = Text::default();
        text.field("plugin", "x");
        assert!(text.has("plugin") && !text.has("lug"));
    }
}
