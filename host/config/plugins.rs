//! Which part of the configuration a plugin gets.
//!
//! A plugin `a.b.c` gets its own table over those of its parents, `[a]` and
//! `[a.b]`: nearer wins, key by key, on the top level only. Of its parents' settings it gets those
//! that it knows; they may be meant for its siblings. The tables of other installed plugins, active or
//! not, stay with them.

use std::collections::BTreeSet;

use super::render::{Rendered, Secrets as Show, json};
use super::secret;
use super::source::Origin;
use super::value::{Key, Kind, Table, Value};
use crate::problem::{Code, Problem};
use crate::schema::{Accepts, Entry};
use crate::secrets::Secrets;

/// The keys of the plugins whose tables are nobody else's.
#[derive(Clone, Debug, Default)]
pub struct InstalledKeys {
    /// Every key, and every parent of one.
    families: BTreeSet<String>,
}

impl InstalledKeys {
    /// Every key, and every parent of one.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.families.iter().map(String::as_str)
    }

    /// Whether the table `path` belongs to a plugin or to a family of plugins.
    pub(super) fn owns(&self, path: &str) -> bool {
        self.families.contains(path)
    }
}

impl<K: AsRef<str>> FromIterator<K> for InstalledKeys {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        let mut families = BTreeSet::new();
        for key in keys {
            let key = key.as_ref();
            let parents = key.match_indices('.').map(|(dot, _)| &key[..dot]);
            families.extend(parents.chain([key]).map(str::to_owned));
        }
        Self { families }
    }
}

/// What one plugin receives.
#[derive(Clone, Debug)]
pub struct PluginTable {
    /// The plugin's key.
    pub key: String,
    /// Where its own table stands.
    pub origin: Origin,
    /// The settings of its own table.
    pub own: Vec<(Key, Value)>,
    /// The settings of its parents' tables that its own does not have.
    pub inherited: Vec<Inherited>,
}

/// A setting that stands in the table of a parent.
#[derive(Clone, Debug)]
pub struct Inherited {
    /// The path of that table.
    pub from: String,
    /// Its name.
    pub key: Key,
    /// Its value.
    pub value: Value,
}

impl PluginTable {
    /// Takes what the plugin `key` gets out of the whole configuration; `None`
    /// if it has no table of its own.
    ///
    /// # Errors
    ///
    /// When the plugin's table is something else than a table, or when a table
    /// on its line is written in both spellings, `[a.b]` and `["a.b"]`.
    pub(super) fn select(
        config: &Table,
        key: &str,
        installed: &InstalledKeys,
    ) -> Result<Option<Self>, Problem> {
        let parts: Vec<&str> = key.split('.').collect();
        let Some((own, origin)) = level(config, &parts, key, installed)? else {
            return Ok(None);
        };
        let inherited = Self::inherited(config, &parts, &own, installed)?;
        Ok(Some(Self {
            key: key.to_owned(),
            origin,
            own,
            inherited,
        }))
    }

    /// What a plugin would inherit that has no table of its own.
    pub(super) fn inheritance(
        config: &Table,
        key: &str,
        installed: &InstalledKeys,
    ) -> Result<Vec<Inherited>, Problem> {
        let parts: Vec<&str> = key.split('.').collect();
        Self::inherited(config, &parts, &[], installed)
    }

    fn inherited(
        config: &Table,
        parts: &[&str],
        own: &[(Key, Value)],
        installed: &InstalledKeys,
    ) -> Result<Vec<Inherited>, Problem> {
        let key = parts.join(".");
        let mut inherited: Vec<Inherited> = Vec::new();
        for count in (1..parts.len()).rev() {
            let Some((table, _)) = level(config, &parts[..count], &key, installed)? else {
                continue;
            };
            let from = parts[..count].join(".");
            for (key, value) in table {
                let is_own = own.iter().any(|(nearer, _)| nearer.name == key.name);
                if !is_own && !inherited.iter().any(|nearer| nearer.key.name == key.name) {
                    let from = from.clone();
                    inherited.push(Inherited { from, key, value });
                }
            }
        }
        Ok(inherited)
    }

    /// Leaves behind what the plugin inherits and does not know, and returns it. What it knows under
    /// two names it inherits once, from the nearest table.
    pub fn restrict(&mut self, accepts: &Accepts) -> Vec<Inherited> {
        let Accepts::Settings(settings) = accepts else {
            return Vec::new();
        };
        let of = |name: &str| settings.find(name).map(|setting| setting.name.as_str());
        let mut taken: BTreeSet<_> = self
            .own
            .iter()
            .filter_map(|(key, _)| of(&key.name))
            .collect();
        let mut unknown = Vec::new();
        for inherited in std::mem::take(&mut self.inherited) {
            match of(&inherited.key.name) {
                None => unknown.push(inherited),
                Some(name) if taken.insert(name) => self.inherited.push(inherited),
                Some(_) => {}
            }
        }
        unknown
    }

    /// What the plugin is given, as TOML with one setting a line.
    #[must_use]
    pub fn given(&self) -> Rendered {
        Rendered::new(self.entries(), Show::Shown)
    }

    /// Every setting: name, place of the name, value, and the path of the table that it stands in.
    pub fn located(&self) -> Vec<Entry<'_>> {
        let own = self.own.iter();
        let own = own.map(|(key, value)| (&*key.name, &key.origin, value, &*self.key));
        let inherited = self.inherited.iter().map(|inherited| {
            let Inherited { from, key, value } = inherited;
            (&*key.name, &key.origin, value, &**from)
        });
        own.chain(inherited).collect()
    }

    fn entries(&self) -> impl Iterator<Item = (&str, &Origin, &Value)> {
        self.located()
            .into_iter()
            .map(|(name, origin, value, _)| (name, origin, value))
    }

    /// All settings, the plugin's own first, for people: secrets are masked.
    #[must_use]
    pub fn shown(&self) -> Rendered {
        Rendered::new(self.entries(), Show::Masked)
    }

    /// All settings as JSON.
    #[must_use]
    pub fn json(&self, secrets: Show) -> serde_json::Value {
        json(
            self.entries().map(|(name, _, value)| (name, value)),
            secrets,
        )
    }

    /// Turns what the plugin says of its configuration into a problem at the
    /// place in the user's file. `at` is line and column in `given`, the text
    /// that the plugin got.
    #[must_use]
    pub fn refused(&self, given: &Rendered, message: &str, at: Option<(usize, usize)>) -> Problem {
        let place = at
            .and_then(|(line, column)| given.origin(line, column))
            .unwrap_or(&self.origin);
        let message = self.without_secrets(message.trim());
        let table = format!("[{}]", self.key);
        Problem::error(
            Code::Refused,
            format!(
                "plugin \"{}\" does not accept its configuration: {message}",
                self.key
            ),
        )
        .at(place, table)
    }

    /// The secret values of the table.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        let mut secrets = BTreeSet::new();
        for (_, _, value) in self.entries() {
            collect_secrets(value, &mut secrets);
        }
        Secrets::new(secrets)
    }

    /// Covers every secret of the table that `message` repeats.
    pub(crate) fn without_secrets(&self, message: &str) -> String {
        let mut message = message.to_owned();
        self.secrets().cover(&mut message);
        message
    }
}

fn collect_secrets(value: &Value, out: &mut BTreeSet<String>) {
    match &value.kind {
        Kind::Array(values) => values.iter().for_each(|value| collect_secrets(value, out)),
        Kind::Table(table) => table
            .iter()
            .for_each(|(_, _, value)| collect_secrets(value, out)),
        _ if !value.secret => {}
        Kind::Text(text) => {
            out.extend(secret::in_url(text).into_iter().map(str::to_owned));
            out.insert(text.clone());
        }
        Kind::Integer(number) => {
            out.insert(number.to_string());
        }
        Kind::Float(number) => {
            out.insert(number.to_string());
        }
        Kind::Datetime(datetime) => {
            out.insert(datetime.to_string());
        }
        Kind::Boolean(_) => {}
    }
}

/// Own settings of one table, and its place.
type Level = (Vec<(Key, Value)>, Origin);

/// Finds the table `parts` and takes what belongs to no other plugin.
fn level(
    config: &Table,
    parts: &[&str],
    key: &str,
    installed: &InstalledKeys,
) -> Result<Option<Level>, Problem> {
    let path = parts.join(".");
    let mut found: Vec<Level> = Vec::new();
    for value in spellings(config, parts) {
        let Some(table) = value.as_table() else {
            if path == key {
                return Err(Problem::error(
                    Code::WrongType,
                    format!(
                        "the configuration of plugin \"{key}\" must be a table, not {}",
                        value.describe()
                    ),
                )
                .at(&value.origin, path)
                .help(format!("write its settings below a line [{key}]")));
            }
            continue;
        };
        let mut own = Vec::new();
        for (name, origin, value) in table.iter() {
            let inner = format!("{path}.{name}");
            let foreign = value.as_table().is_some()
                && (installed.owns(&inner) || is_on_the_line(&inner, key));
            // A scalar in the place of the plugin's own table is reported above, not inherited.
            if !foreign && inner != key {
                own.push((
                    Key {
                        name: name.to_owned(),
                        origin: origin.clone(),
                    },
                    value.clone(),
                ));
            }
        }
        found.push((own, value.origin.clone()));
    }
    let filled = found.iter().filter(|(own, _)| !own.is_empty()).count();
    if filled > 1 {
        let places: Vec<_> = found.iter().map(|(_, origin)| origin).collect();
        return Err(Problem::error(
            Code::BothSpellings,
            format!(
                "the table of \"{path}\" is written in two spellings, which gives it two meanings"
            ),
        )
        .at(places[0], path.as_str())
        .found(format!(
            "the other one: {}",
            places[1..]
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        ))
        .help(format!("write all of it below [{path}]")));
    }
    // A table without settings of its own may only be there for the tables inside it.
    found.sort_by_key(|(own, _)| own.is_empty());
    Ok(found.into_iter().next())
}

/// Makes secrets of what `heirs` say are secrets in the table `parts`, in every spelling, and of what
/// none of them knows where one of them has secrets. What is `foreign` is a table of other plugins.
pub(super) fn hide(
    table: &mut Table,
    parts: &[&str],
    heirs: &[&Accepts],
    foreign: &dyn Fn(&str) -> bool,
) {
    for count in 1..=parts.len() {
        let Some(value) = table.get_mut(&parts[..count].join(".")) else {
            continue;
        };
        let Kind::Table(inner) = &mut value.kind else {
            continue;
        };
        if count < parts.len() {
            hide(inner, &parts[count..], heirs, foreign);
            continue;
        }
        let is_wary = heirs.iter().any(|accepts| accepts.has_secrets());
        let names: Vec<_> = inner.iter().map(|(name, ..)| name.to_owned()).collect();
        for name in names {
            let Some(value) = inner.get_mut(&name) else {
                continue;
            };
            if value.as_table().is_some() && foreign(&name) {
                continue;
            }
            let known = heirs.iter().filter_map(|accepts| accepts.schema_of(&name));
            let known: Vec<_> = known.collect();
            // Where a plugin takes it that does not say what it is, its name alone tells.
            let takers = heirs.iter().filter(|accepts| accepts.knows(&name));
            if !known.is_empty() && takers.count() == known.len() {
                value.reveal(&name, &known);
            }
            for schema in &known {
                value.hide(schema, is_wary);
            }
            if known.is_empty() && is_wary {
                value.hide_all();
            }
        }
    }
}

/// Whether `path` is `key` or one of its parents.
fn is_on_the_line(path: &str, key: &str) -> bool {
    key.strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Returns what stands under `parts`, in every spelling: `[a.b]`, `["a.b"]`.
fn spellings<'a>(table: &'a Table, parts: &[&str]) -> Vec<&'a Value> {
    let mut found = Vec::new();
    for count in 1..=parts.len() {
        let Some(value) = table.get(&parts[..count].join(".")) else {
            continue;
        };
        if count == parts.len() {
            found.push(value);
        } else if let Some(inner) = value.as_table() {
            found.extend(spellings(inner, &parts[count..]));
        }
    }
    found
}

/// The paths of all tables, as a plugin's key would name them, with their places.
pub(super) fn table_paths(config: &Table) -> Vec<(String, Origin)> {
    fn walk(table: &Table, path: &str, out: &mut Vec<(String, Origin)>) {
        for (name, _, value) in table.iter() {
            if let Some(inner) = value.as_table() {
                let path = if path.is_empty() {
                    name.to_owned()
                } else {
                    format!("{path}.{name}")
                };
                walk(inner, &path, out);
                out.push((path, value.origin.clone()));
            }
        }
    }
    let mut out = Vec::new();
    walk(config, "", &mut out);
    out.retain(|(path, _)| !is_on_the_line("core", path));
    out
}
