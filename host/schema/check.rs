//! Compares a table with its schema, before anything that belongs to it runs.

use std::collections::{BTreeMap, BTreeSet};

use super::{Accepts, Kind, Schema, Setting, Table, placeholder};
use crate::config::{Kind as Found, Origin, Value, nearest};
use crate::problem::{Code, Problem};

/// Where a table stands, and whose it is.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// Its path, such as `files.zones`.
    pub path: String,
    /// Its header; `None` if there is none.
    pub origin: Option<&'a Origin>,
    /// Whose settings they are: `files.zones 0.1.0`.
    pub owner: String,
    /// What tells more about them.
    pub help: Option<String>,
}

/// One setting as it was found: name, place of the name, value, and the path of its table.
pub type Entry<'a> = (&'a str, &'a Origin, &'a Value, &'a str);

/// Everything wrong with the settings of a table.
#[must_use]
pub fn check(entries: &[Entry<'_>], accepts: &Accepts, place: &Place<'_>) -> Vec<Problem> {
    let mut check = Check {
        place,
        from: None,
        problems: Vec::new(),
    };
    match accepts {
        Accepts::Anything => {}
        Accepts::Map(values) => {
            for (name, _, value, table) in entries {
                check.entry(name, value, table, values);
            }
        }
        Accepts::Settings(table) => check.table(entries, table, &place.path, place.origin),
    }
    check.problems
}

/// The settings that have to be there and are not in `given`.
pub fn missing<'a>(table: &'a Table, given: &[&str]) -> impl Iterator<Item = &'a Setting> {
    let is_given = |setting: &Setting| setting.names().any(|name| given.contains(&name));
    let required = table.settings.iter().filter(|setting| setting.required);
    let missing: Vec<_> = required.filter(|setting| !is_given(setting)).collect();
    missing.into_iter()
}

struct Check<'a> {
    place: &'a Place<'a>,
    /// The table of a parent that the value in question is inherited from.
    from: Option<String>,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn table(
        &mut self,
        entries: &[Entry<'_>],
        schema: &Table,
        path: &str,
        origin: Option<&Origin>,
    ) {
        // In the order of the file: whoever mends it reads it from above.
        let mut entries = entries.to_vec();
        entries.sort_by_key(|(_, key, ..)| (key.path(), key.offset()));
        let given: Vec<_> = entries.iter().map(|(name, ..)| *name).collect();
        let missing: Vec<_> = missing(schema, &given).collect();
        // Settings that are missing because of how others are spelled.
        let mut explained = BTreeSet::new();
        let mut seen: BTreeMap<&str, (&str, &Origin)> = BTreeMap::new();
        for (name, key, value, table) in &entries {
            let Some(setting) = schema.find(name) else {
                self.unknown(name, key, schema, &missing, &mut explained, path);
                continue;
            };
            if let Some((other, earlier)) = seen.insert(&setting.name, (name, key)) {
                self.problems.push(
                    Problem::error(
                        Code::Conflict,
                        format!(
                            "{} has both \"{other}\" and \"{name}\", which are one setting",
                            shown(path)
                        ),
                    )
                    .at(key, shown(path))
                    .found(format!("\"{other}\" at {earlier}"))
                    .help(format!("keep {}", setting.name)),
                );
            } else if setting.deprecated_aliases.iter().any(|old| old == name) {
                self.problems.push(
                    Problem::warning(
                        Code::UnknownSetting,
                        format!("{} is an old name of {}", join(table, name), setting.name),
                    )
                    .at(key, shown(table))
                    .help(format!("write {} in its place", setting.name)),
                );
            }
            self.entry(name, value, table, &setting.schema);
        }
        let missing = missing
            .iter()
            .filter(|s| !explained.contains(s.name.as_str()));
        let missing: Vec<_> = missing.copied().collect();
        if !missing.is_empty() {
            self.missing(&missing, path, origin);
        }
    }

    fn unknown<'s>(
        &mut self,
        name: &str,
        key: &Origin,
        schema: &'s Table,
        missing: &[&'s Setting],
        explained: &mut BTreeSet<&'s str>,
        path: &str,
    ) {
        let names = schema.settings.iter().flat_map(Setting::names);
        let near = nearest(name, names);
        let meant = near.map(|near| format!("; did you mean \"{near}\"?"));
        let problem = Problem::error(
            Code::UnknownSetting,
            format!(
                "{} has no setting \"{name}\"{}",
                shown(path),
                meant.unwrap_or_default()
            ),
        )
        .at(key, shown(path));
        let lost = missing
            .iter()
            .find(|setting| near.is_some_and(|near| setting.names().any(|name| name == near)));
        let problem = match lost {
            Some(setting) if explained.insert(&setting.name) => problem.also(format!(
                "the required setting \"{}\" ({}) is missing, which this spelling mistake explains",
                setting.name,
                setting.schema.type_name()
            )),
            _ => problem,
        };
        let of = if path == self.place.path {
            self.place.owner.clone()
        } else {
            shown(path)
        };
        let problem = if schema.settings.is_empty() {
            problem.found(format!("{of} has no settings at all"))
        } else {
            let known: Vec<_> = schema.settings.iter().map(Setting::summary).collect();
            problem.found(format!("settings of {of}: {}", known.join(", ")))
        };
        self.problems.push(self.helped(problem));
    }

    fn missing(&mut self, missing: &[&Setting], path: &str, origin: Option<&Origin>) {
        let names = missing
            .iter()
            .map(|setting| format!("\"{}\" ({})", setting.name, setting.schema.type_name()));
        let names: Vec<_> = names.collect();
        let plural = if names.len() == 1 { "" } else { "s" };
        let problem = Problem::error(
            Code::MissingSetting,
            format!(
                "{} lacks the required setting{plural} {}",
                shown(path),
                names.join(", ")
            ),
        );
        let problem = match origin {
            Some(origin) => problem.at(origin, shown(path)),
            None => problem,
        };
        let problem = missing.iter().fold(problem, |problem, setting| {
            problem.help(format!("add:  {}", assignment(setting)))
        });
        self.problems.push(problem);
    }

    /// Checks a setting of the table `table`, which may be that of a parent.
    fn entry(&mut self, name: &str, value: &Value, table: &str, schema: &Schema) {
        let outer = self.from.clone();
        if outer.is_none() && !is_within(table, &self.place.path) {
            self.from = Some(table.to_owned());
        }
        self.value(&join(table, name), value, schema);
        self.from = outer;
    }

    fn value(&mut self, path: &str, value: &Value, schema: &Schema) {
        match (&schema.kind, &value.kind) {
            (Kind::Any, _) | (Kind::Boolean, Found::Boolean(_)) => {}
            (Kind::Text(format), Found::Text(text)) => {
                if !format.fits(text) {
                    self.refuse(path, value, schema, None);
                }
            }
            (Kind::Choice(choices), Found::Text(text)) => {
                if !choices.iter().any(|choice| choice.text == *text) {
                    let known = choices.iter().map(|choice| choice.text.as_str());
                    let near = nearest(text, known).map(str::to_owned);
                    self.refuse(path, value, schema, near);
                }
            }
            (Kind::Integer(least, most), Found::Integer(number)) => {
                if !(least..=most).contains(&number) {
                    self.refuse(path, value, schema, None);
                }
            }
            (Kind::Number(least, most), Found::Integer(_) | Found::Float(_)) => {
                if !as_float(&value.kind).is_some_and(|number| number >= *least && number <= *most)
                {
                    self.refuse(path, value, schema, None);
                }
            }
            (Kind::List(item), Found::Array(values)) => {
                for (index, value) in values.iter().enumerate() {
                    self.value(&format!("{path}[{index}]"), value, item);
                }
            }
            (Kind::Table(inner), Found::Table(table)) => {
                let entries: Vec<Entry<'_>> = table
                    .iter()
                    .map(|(name, key, value)| (name, key, value, path))
                    .collect();
                self.table(&entries, inner, path, Some(&value.origin));
            }
            (Kind::Map(values), Found::Table(table)) => {
                for (name, _, value) in table.iter() {
                    self.value(&join(path, name), value, values);
                }
            }
            _ => {
                let problem = Problem::error(
                    Code::WrongType,
                    format!(
                        "{path} must be {}, not {}",
                        schema.demand(),
                        value.describe()
                    ),
                );
                self.problems
                    .push(self.helped(problem.at(&value.origin, path)));
            }
        }
    }

    /// Complains about a value of the right type.
    fn refuse(&mut self, path: &str, value: &Value, schema: &Schema, near: Option<String>) {
        let is = match &value.kind {
            _ if value.secret || schema.secret => String::new(),
            Found::Text(text) => format!(", not {:?}", shortened(text)),
            Found::Integer(number) => format!(", not {number}"),
            Found::Float(number) => format!(", not {number}"),
            _ => String::new(),
        };
        let meant = near.map(|near| format!("; did you mean \"{near}\"?"));
        let problem = Problem::error(
            Code::WrongValue,
            format!(
                "{path} must be {}{is}{}",
                schema.demand(),
                meant.unwrap_or_default()
            ),
        );
        self.problems
            .push(self.helped(problem.at(&value.origin, path)));
    }

    fn helped(&self, problem: Problem) -> Problem {
        let own = &self.place.path;
        let problem = match &self.from {
            Some(from) => problem.note(format!(
                "{own} inherits it from [{from}]; one of its own in [{own}] would count in its place"
            )),
            None => problem,
        };
        match &self.place.help {
            Some(help) => problem.help(help),
            None => problem,
        }
    }
}

/// A line that could be added to a table: `directory = "…"   # Where it is.`
#[must_use]
pub fn assignment(setting: &Setting) -> String {
    let value = super::toml_text(&placeholder(&setting.schema));
    let comment = setting
        .schema
        .description
        .lines()
        .next()
        .unwrap_or_default();
    let name = super::words::key(&setting.name);
    if comment.is_empty() {
        format!("{name} = {value}")
    } else {
        format!("{name} = {value}   # {comment}")
    }
}

/// How a table is named: with its header, unless it is an item of a list.
fn shown(path: &str) -> String {
    if path.ends_with(']') {
        path.to_owned()
    } else {
        format!("[{path}]")
    }
}

/// Whether `path` is the table `own` or inside it.
fn is_within(path: &str, own: &str) -> bool {
    path.strip_prefix(own)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn join(path: &str, name: &str) -> String {
    format!("{path}.{}", super::words::key(name))
}

fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "bounds are far below 2^53 or not exact anyway"
)]
fn as_float(kind: &Found) -> Option<f64> {
    match kind {
        Found::Integer(number) => Some(*number as f64),
        Found::Float(number) => Some(*number),
        _ => None,
    }
}
