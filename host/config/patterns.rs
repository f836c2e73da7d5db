//! Patterns of names as they stand in the configuration.

use std::collections::BTreeMap;

use super::source::Origin;
use super::value::{Table, Value};
use crate::pattern::{Pattern, Patterns};
use crate::problem::{Code, Problem};
use janitor_plugin_api::dns::NameRef;

/// A list of patterns of names, each with its place.
#[derive(Clone, Debug, Default)]
pub struct PatternList {
    listed: Vec<(String, Origin)>,
    /// Each pattern with its position in the list.
    patterns: Patterns<usize>,
}

impl PatternList {
    /// Reads the list that the setting `path` has. What is no pattern is a problem.
    pub(super) fn read(
        texts: Vec<(&str, &Value)>,
        path: &str,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut listed = Vec::new();
        let mut patterns = Vec::new();
        for (text, value) in texts {
            if let Some(pattern) = read(text, &value.origin, path, problems) {
                patterns.push((pattern, listed.len()));
                listed.push((text.to_owned(), value.origin.clone()));
            }
        }
        Self {
            listed,
            patterns: patterns.into_iter().collect(),
        }
    }

    /// Whether one of them stands for `name`.
    #[must_use]
    pub fn contain(&self, name: NameRef<'_>) -> bool {
        self.patterns.find(name).is_some()
    }

    /// The positions of all that stand for `name`.
    pub fn matching(&self, name: NameRef<'_>) -> impl Iterator<Item = usize> {
        self.patterns.matching(name).map(|(_, at)| *at)
    }

    /// All of them as they are written, each with its place.
    #[must_use]
    pub fn listed(&self) -> &[(String, Origin)] {
        &self.listed
    }
}

/// Reads a pattern; what is none is a problem of the setting `path`.
pub(super) fn read(
    text: &str,
    origin: &Origin,
    path: &str,
    problems: &mut Vec<Problem>,
) -> Option<Pattern> {
    text.parse()
        .map_err(|fault| {
            problems.push(
                Problem::error(
                    Code::WrongValue,
                    format!("{path}: \"{text}\" is no pattern of names"),
                )
                .at(origin, path)
                .because(fault)
                .help("write a name, such as \"example.com\", or one with asterisks, such as \"*.example.com\""),
            );
        })
        .ok()
}

/// Reads the tables of `value`, which have patterns as names, with `read`.
pub(super) fn read_tables<'a, T>(
    value: &'a Value,
    path: &str,
    problems: &mut Vec<Problem>,
    mut read_table: impl FnMut(&str, &'a Value, &mut Vec<Problem>) -> Option<T>,
) -> Patterns<T> {
    let Some(table) = value.as_table() else {
        problems.push(super::fields::wrong_type(value, path, "a table"));
        return Patterns::default();
    };
    let mut known = BTreeMap::new();
    let mut entries = Vec::new();
    for (text, origin, value) in table.iter() {
        let full = format!("{path}.\"{text}\"");
        if let Some((inner, place)) = value.as_table().and_then(inner_table) {
            problems.push(
                Problem::error(
                    Code::UnknownSetting,
                    format!("[{full}] has no setting \"{inner}\""),
                )
                .at(place, format!("[{path}.{text}.{inner}]"))
                .help(format!(
                    "a pattern with dots stands in quotes: [{path}.\"{text}.{inner}\"]"
                )),
            );
            continue;
        }
        let Some(pattern) = read(text, origin, path, problems) else {
            continue;
        };
        let plain = text.to_ascii_lowercase();
        let plain = plain.strip_suffix('.').unwrap_or(&plain).to_owned();
        if let Some(first) = known.insert(plain, origin) {
            problems.push(
                Problem::error(
                    Code::Conflict,
                    format!("[{path}] has the pattern \"{text}\" twice"),
                )
                .at(origin, path)
                .found(format!("the first time at {first}"))
                .because("letter case and a final dot make no difference")
                .help("remove one of the two"),
            );
        }
        if let Some(value) = read_table(&full, value, problems) {
            entries.push((pattern, value));
        }
    }
    entries.into_iter().collect()
}

/// The first table inside `table`, and its place.
fn inner_table(table: &Table) -> Option<(&str, &Origin)> {
    table
        .iter()
        .find(|(_, _, value)| value.as_table().is_some())
        .map(|(name, origin, _)| (name, origin))
}
