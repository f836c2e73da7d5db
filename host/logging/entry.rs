//! One log event on its way to the handlers.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::Metadata;
use tracing::field::{Field, Visit};

use super::level::{CRITICAL, Severity};
use crate::problem::{is_hidden, push_escaped};
use crate::secrets::Secrets;

/// Octets of a message, and of all fields of an event together, that are written. A longer one
/// comes from a plugin that logs what it should not, and would flood whoever reads it.
const MAX_OCTETS: usize = 16 << 10;

/// The field that names a plugin.
const PLUGIN: &str = "plugin";
/// What that field of a library's own is called: whose a line is, the host says.
const OWN_PLUGIN: &str = "plugin_";

/// An event with all that a handler may say of it.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    pub(super) time: Timestamp,
    pub(super) severity: Severity,
    /// As it was logged: whoever writes it escapes it.
    pub(super) message: Cow<'a, str>,
    pub(super) fields: Vec<(Cow<'a, str>, Value)>,
    /// The plugin that it comes from or is about.
    pub(super) plugin: Option<Cow<'a, str>>,
    /// The part of the program: the name of the original's logger, or a module's path.
    pub(super) target: Cow<'a, str>,
    pub(super) module: Option<&'a str>,
    pub(super) file: Option<&'a str>,
    pub(super) line: Option<u32>,
}

impl<'a> Entry<'a> {
    /// An entry of the host's own making, outside of any event.
    pub(super) fn new(severity: Severity, message: impl Into<Cow<'a, str>>) -> Self {
        Self {
            time: Timestamp::now(),
            severity,
            message: message.into(),
            fields: Vec::new(),
            plugin: None,
            target: Cow::Borrowed("gordon_janitor"),
            module: None,
            file: None,
            line: None,
        }
    }

    /// The entry of an event with this metadata; its message and fields are what `parts` collected.
    pub(super) fn of_event(
        metadata: &Metadata<'a>,
        parts: Parts<'a>,
        plugin: Option<&'a str>,
    ) -> Self {
        // An event about a plugin names it itself; one that comes from a plugin is in its span, and has
        // been disowned.
        let named = parts.fields.iter().find_map(|(name, value)| match value {
            Value::String(key) if name == PLUGIN => Some(Cow::Owned(key.clone())),
            _ => None,
        });
        Self {
            time: Timestamp::now(),
            severity: Severity::of(metadata),
            message: Cow::Owned(parts.message),
            plugin: named.or(plugin.map(Cow::Borrowed)),
            fields: parts.fields,
            target: Cow::Borrowed(metadata.target()),
            module: metadata.module_path(),
            file: metadata.file(),
            line: metadata.line(),
        }
    }

    /// Message and fields as one line of safe text: `zone left out zone=example.com.`
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(self.message.len() + 32 * self.fields.len());
        push_all(&mut text, &self.message);
        for (name, value) in self.all_fields() {
            push_field(&mut text, name, &value);
        }
        text
    }

    /// All fields as texts: that of the plugin last, unless the event has one of its own.
    pub(super) fn all_fields(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        let fields = self.fields.iter();
        let fields = fields.map(|(name, value)| (name.as_ref(), plain(value)));
        let has_plugin = self.fields.iter().any(|(name, _)| name == PLUGIN);
        let plugin = self.plugin.as_deref().filter(|_| !has_plugin);
        fields.chain(plugin.map(|key| (PLUGIN, key.into())))
    }

    /// The fields as values, without that of the plugin.
    pub(super) fn other_fields(&self) -> Map<String, Value> {
        let fields = self.fields.iter().filter(|(name, _)| name != PLUGIN);
        fields
            .map(|(name, value)| (name.clone().into_owned(), value.clone()))
            .collect()
    }
}

/// A field's value as text, without the quotes of JSON.
pub(super) fn plain(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

fn push_all(out: &mut String, text: &str) {
    text.chars()
        .for_each(|character| push_escaped(out, character));
}

/// Adds ` name=value`. A value that would not read as one word is quoted.
fn push_field(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    // A library's field may be named anything, also in a way that reads as two fields.
    let odd = |c: char| is_hidden(c) || c.is_whitespace() || c == '=' || c == '"';
    out.extend(name.chars().map(|c| if odd(c) { '_' } else { c }));
    out.push('=');
    let is_word = !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || c == '"');
    // What `Debug` made of a text or a list already has its own bounds.
    let has_bounds =
        [('"', '"'), ('[', ']'), ('{', '}'), ('(', ')')]
            .iter()
            .any(|(open, close)| {
                value.len() > 1 && value.starts_with(*open) && value.ends_with(*close)
            });
    if is_word || has_bounds {
        push_all(out, value);
        return;
    }
    out.push('"');
    for character in value.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            _ => push_escaped(out, character),
        }
    }
    out.push('"');
}

/// Message and fields of an event, as they are collected from it.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    message: String,
    fields: Vec<(Cow<'a, str>, Value)>,
}

impl Parts<'_> {
    /// Covers secrets, then shortens what is too long to be read, and says so. In this order: half
    /// a secret is one that nobody would find.
    pub(super) fn tidy(&mut self, secrets: &[Arc<Secrets>]) {
        for secrets in secrets {
            secrets.cover(&mut self.message);
        }
        shorten(&mut self.message, MAX_OCTETS);
        let mut left = MAX_OCTETS;
        for (_, value) in &mut self.fields {
            if let Value::String(text) = value {
                for secrets in secrets {
                    secrets.cover(text);
                }
                let kept = text.len().min(left);
                shorten(text, left);
                left -= kept;
            }
        }
    }

    /// Keeps a library's event from passing for that of another plugin.
    pub(super) fn disown(&mut self) {
        for (name, _) in &mut self.fields {
            if name == PLUGIN {
                *name = Cow::Borrowed(OWN_PLUGIN);
            }
        }
    }

    fn add(&mut self, field: &Field, value: Value) {
        if field.name() != CRITICAL {
            self.fields.push((Cow::Borrowed(field.name()), value));
        }
    }
}

/// Cuts `text` behind `most` octets at the latest, and says how much is left out.
pub(super) fn shorten(text: &mut String, most: usize) {
    if text.len() <= most {
        return;
    }
    let end = text.floor_char_boundary(most);
    let rest = text.len() - end;
    text.truncate(end);
    text.push_str(&format!("… ({rest} octets left out)"));
}

impl Visit for Parts<'_> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has neither infinity nor NaN.
        let number = serde_json::Number::from_f64(value).map(Value::Number);
        self.add(field, number.unwrap_or_else(|| value.to_string().into()));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.add(field, value.into());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        if write!(text, "{value:?}").is_err() {
            text.push_str("(a value that cannot be written)");
        }
        if field.name() == "message" {
            self.message = text;
        } else {
            self.add(field, text.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_not_one_word_are_quoted() {
        let mut entry = Entry::new(Severity::Info, "m");
        for (name, value) in [
            ("a", "b"),
            ("c", "d e"),
            ("f", ""),
            ("g", "h\"i\\"),
            ("k", "[\"l m\"]"),
            ("n", "\n"),
            ("p=q r\u{202e}", "s"),
        ] {
            entry.fields.push((name.into(), value.into()));
        }
        entry.fields.push(("o".into(), 3.into()));
        entry.plugin = Some("p.q".into());
        assert_eq!(
            entry.text(),
            "m a=b c=\"d e\" f=\"\" g=\"h\\\"i\\\\\" k=[\"l m\"] n=\"\\n\" p_q_r_=s o=3 plugin=p.q"
        );
    }

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        let mut parts = Parts {
            message: "é".repeat(MAX_OCTETS),
            fields: vec![
                ("a".into(), "b".into()),
                ("c".into(), "d".repeat(MAX_OCTETS).into()),
                ("e".into(), "f".into()),
            ],
        };
        parts.tidy(&[]);
        let expected = format!(
            "{}… ({MAX_OCTETS} octets left out)",
            "é".repeat(MAX_OCTETS / 2)
        );
        assert_eq!(parts.message, expected);
        let kept = "d".repeat(MAX_OCTETS - 1);
        let fields = parts.fields.iter().map(|(_, value)| plain(value));
        let expected = [
            "b",
            &format!("{kept}… (1 octets left out)"),
            "… (1 octets left out)",
        ];
        assert_eq!(fields.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_secret_is_covered_before_a_long_text_is_cut() {
        let mut parts = Parts {
            message: format!("{}hunter2", "x".repeat(MAX_OCTETS - 3)),
            fields: Vec::new(),
        };
        parts.tidy(&[Arc::new(Secrets::new(["hunter2"]))]);
        assert!(!parts.message.contains("hun"), "{}", parts.message);
    }
}
