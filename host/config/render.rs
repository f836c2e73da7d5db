//! Values as TOML and JSON text, for plugins and for people.

use std::fmt::Write as _;

use super::secret::MASK;
use super::source::Origin;
use super::value::{Kind, Table, Value};
use crate::problem::is_hidden;

/// Whether secrets are written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// As they are: for the plugin that they belong to.
    Shown,
    /// As `"***"`: for everybody else.
    Masked,
}

/// TOML text made of values, and where each part of it came from.
#[derive(Clone, Default)]
pub struct Rendered {
    text: String,
    /// For each octet at which a key or a value begins, its place; ascending.
    places: Vec<(usize, Origin)>,
}

impl Rendered {
    /// Renders `entries`, one line each, in the order given.
    #[must_use]
    pub fn new<'a>(
        entries: impl IntoIterator<Item = (&'a str, &'a Origin, &'a Value)>,
        secrets: Secrets,
    ) -> Self {
        let mut rendered = Self::default();
        for (name, origin, value) in entries {
            rendered.entry(name, origin, value, secrets);
            rendered.text.push('\n');
        }
        rendered
    }

    /// The text: valid TOML, one top-level key per line.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns where the key or value at `line` and `column` of the text came
    /// from. Both count from 1, the column in characters.
    #[must_use]
    pub fn origin(&self, line: usize, column: usize) -> Option<&Origin> {
        let start = match line.checked_sub(2) {
            None => 0,
            Some(newlines) => self.text.match_indices('\n').nth(newlines)?.0 + 1,
        };
        let within = self.text[start..]
            .char_indices()
            .nth(column.saturating_sub(1));
        let offset = start + within.map_or(0, |(offset, _)| offset);
        let after = self.places.partition_point(|(begin, _)| *begin <= offset);
        self.places[..after].last().map(|(_, origin)| origin)
    }

    fn entry(&mut self, name: &str, origin: &Origin, value: &Value, secrets: Secrets) {
        self.places.push((self.text.len(), origin.clone()));
        push_key(&mut self.text, name);
        self.text.push_str(" = ");
        self.value(value, secrets);
    }

    fn value(&mut self, value: &Value, secrets: Secrets) {
        self.places.push((self.text.len(), value.origin.clone()));
        if value.secret && secrets == Secrets::Masked {
            self.text.push_str(MASK);
            return;
        }
        match &value.kind {
            Kind::Array(values) => {
                self.text.push('[');
                for (index, value) in values.iter().enumerate() {
                    self.text.push_str(if index == 0 { "" } else { ", " });
                    self.value(value, secrets);
                }
                self.text.push(']');
            }
            Kind::Table(table) => {
                self.text.push('{');
                for (index, (name, origin, value)) in table.iter().enumerate() {
                    self.text.push_str(if index == 0 { " " } else { ", " });
                    self.entry(name, origin, value, secrets);
                }
                self.text
                    .push_str(if table.is_empty() { "}" } else { " }" });
            }
            scalar => push_scalar(&mut self.text, scalar),
        }
    }
}

/// Renders a whole configuration as a person would write it, with headers.
#[must_use]
pub(super) fn document(table: &Table, secrets: Secrets) -> String {
    let mut out = String::new();
    section(&mut out, &mut Vec::new(), table, secrets);
    out
}

fn section<'a>(out: &mut String, path: &mut Vec<&'a str>, table: &'a Table, secrets: Secrets) {
    let hidden = |value: &Value| value.secret && secrets == Secrets::Masked;
    let is_section = |value: &&Value| value.as_table().is_some() && !hidden(value);
    let plain: Vec<_> = table
        .iter()
        .filter(|(_, _, value)| !is_section(value))
        .collect();
    let has_sections = table.iter().any(|(_, _, value)| is_section(&value));
    if !path.is_empty() && (!plain.is_empty() || !has_sections) {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push('[');
        for (index, name) in path.iter().enumerate() {
            out.push_str(if index == 0 { "" } else { "." });
            push_key(out, name);
        }
        out.push_str("]\n");
    }
    out.push_str(Rendered::new(plain, secrets).text());
    for (name, _, value) in table.iter() {
        if let Some(inner) = value.as_table().filter(|_| !hidden(value)) {
            path.push(name);
            section(out, path, inner, secrets);
            path.pop();
        }
    }
}

/// Turns values into JSON. Dates and times become texts, as do infinity and
/// NaN, which JSON does not have.
pub(super) fn json<'a>(
    entries: impl IntoIterator<Item = (&'a str, &'a Value)>,
    secrets: Secrets,
) -> serde_json::Value {
    entries
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json_value(value, secrets)))
        .collect()
}

fn json_value(value: &Value, secrets: Secrets) -> serde_json::Value {
    if value.secret && secrets == Secrets::Masked {
        return "***".into();
    }
    match &value.kind {
        Kind::Text(text) => text.as_str().into(),
        Kind::Integer(number) => (*number).into(),
        Kind::Float(number) if number.is_finite() => (*number).into(),
        Kind::Float(number) => number.to_string().into(),
        Kind::Boolean(boolean) => (*boolean).into(),
        Kind::Datetime(datetime) => datetime.to_string().into(),
        Kind::Array(values) => values
            .iter()
            .map(|value| json_value(value, secrets))
            .collect(),
        Kind::Table(table) => json(table.iter().map(|(name, _, value)| (name, value)), secrets),
    }
}

/// Writes a name as it stands before ` = `.
pub(crate) fn push_key(out: &mut String, name: &str) {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !name.is_empty() && name.bytes().all(is_bare) {
        out.push_str(name);
    } else {
        push_text(out, name);
    }
}

fn push_scalar(out: &mut String, kind: &Kind) {
    // Writing to a `String` cannot fail.
    let written = match kind {
        Kind::Text(text) => {
            push_text(out, text);
            Ok(())
        }
        Kind::Integer(number) => write!(out, "{number}"),
        Kind::Float(number) if number.is_nan() => write!(out, "nan"),
        Kind::Float(number) => write!(out, "{number:?}"),
        Kind::Boolean(boolean) => write!(out, "{boolean}"),
        Kind::Datetime(datetime) => write!(out, "{datetime}"),
        Kind::Array(_) | Kind::Table(_) => Ok(()),
    };
    debug_assert!(written.is_ok(), "a string takes everything");
}

/// Writes a basic string on one line, whatever it holds.
pub(crate) fn push_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // None of them needs more than four digits.
            _ if is_hidden(character) => {
                out.push_str(&format!("\\u{:04X}", u32::from(character)));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::collection::{btree_map, vec};
    use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

    use super::super::source::Source;
    use super::super::value::parse;
    use super::*;

    const TEXT: &str = concat!(
        "n = 1_000\nhex = 0xff\nf = 1e3\nb = true\nwhen = 2026-01-02T03:04:05Z\n",
        "text = \"\"\"a\n\"b\" \\\\ \\u007f é\"\"\"\nlist = [1, [2]]\n\"odd key\" = ''\n",
        "[t]\nu = { v = 2, api_token = 'hush' }\n[t.keys]\na = 'hush'\n[empty]\n",
    );

    fn table() -> Table {
        parse(&Source::new(PathBuf::from("x.toml"), TEXT.to_owned())).unwrap()
    }

    #[test]
    fn text_for_plugins_has_one_key_per_line_and_reads_back() {
        let table = table();
        let rendered = Rendered::new(table.iter(), Secrets::Shown);
        assert_eq!(rendered.text().lines().count(), table.iter().count());
        assert_eq!(
            rendered.text().parse::<toml::Table>().unwrap(),
            TEXT.parse::<toml::Table>().unwrap()
        );
    }

    #[test]
    fn documents_read_back() {
        let text = document(&table(), Secrets::Shown);
        assert_eq!(
            text.parse::<toml::Table>().unwrap(),
            TEXT.parse::<toml::Table>().unwrap()
        );
    }

    #[test]
    fn secrets_are_masked_at_any_depth() {
        let table = table();
        let entries = table.iter().map(|(name, _, value)| (name, value));
        for text in [
            document(&table, Secrets::Masked),
            json(entries, Secrets::Masked).to_string(),
            format!("{table:?}"),
        ] {
            assert!(!text.contains("hush"), "{text}");
            assert!(text.contains("***"), "{text}");
        }
    }

    #[test]
    fn every_key_and_value_leads_back_to_its_place() {
        let table = table();
        let rendered = Rendered::new(table.iter(), Secrets::Shown);
        for (number, line) in rendered.text().lines().enumerate() {
            let (name, _) = line.split_once(" = ").unwrap();
            let place = |column| rendered.origin(number + 1, column).unwrap();
            let (_, key, value) = table.iter().nth(number).unwrap();
            assert_eq!(place(1).to_string(), key.to_string(), "{line}");
            assert_eq!(
                place(name.chars().count() + 4).to_string(),
                value.origin.to_string(),
                "{line}"
            );
        }
        let nested = rendered
            .text()
            .lines()
            .position(|line| line.starts_with("list"))
            .unwrap();
        let column = "list = [1, [2".chars().count();
        assert_eq!(
            rendered.origin(nested + 1, column).unwrap().to_string(),
            "x.toml:8:13"
        );
    }

    #[test]
    fn a_place_past_the_text_is_none() {
        assert!(Rendered::default().origin(1, 1).is_none());
        assert!(
            Rendered::new(table().iter(), Secrets::Shown)
                .origin(99, 1)
                .is_none()
        );
    }

    fn any_value() -> impl Strategy<Value = toml::Value> {
        let scalar = prop_oneof![
            any::<String>().prop_map(toml::Value::String),
            any::<i64>().prop_map(toml::Value::Integer),
            any::<f64>()
                .prop_filter("NaN is not itself", |f| !f.is_nan())
                .prop_map(toml::Value::Float),
            any::<bool>().prop_map(toml::Value::Boolean),
        ];
        scalar.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(toml::Value::Array),
                btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| toml::Value::Table(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_configured_reads_back_from_what_a_plugin_gets(map in btree_map(any::<String>(), any_value(), 0..6)) {
            let given: toml::Table = map.into_iter().collect();
            let source = Source::new(PathBuf::from("x.toml"), given.to_string());
            let table = parse(&source).unwrap();
            let rendered = Rendered::new(table.iter(), Secrets::Shown);
            prop_assert_eq!(rendered.text().lines().count(), given.len());
            prop_assert_eq!(&rendered.text().parse::<toml::Table>().unwrap(), &given);
            prop_assert_eq!(&document(&table, Secrets::Shown).parse::<toml::Table>().unwrap(), &given);
        }

        #[test]
        fn any_place_in_any_text_can_be_shown(text in any::<String>(), start in 0..40_usize, end in 0..40_usize) {
            let source = Source::new(PathBuf::from("x.toml"), text);
            let place = Origin::new(&source, start..end);
            prop_assert_eq!(place.excerpt().lines().count(), 2);
            prop_assert!(place.line() >= 1 && place.column() >= 1);
        }
    }
}
