//! Which part of the configuration a plugin gets.
//!
//! A plugin `a.b.c` gets its own table over those of its parents, `[a]` and
//! `[a.b]`: nearer wins, key by key, on the top level only. The tables of other
//! installed plugins, active or not, stay with them.

use std::collections::BTreeSet;

use super::nearest::nearest;
use super::render::{Rendered, Secrets as Show, json};
use super::secret;
use super::source::Origin;
use super::value::{Key, Kind, Table, Value};
use crate::problem::{Code, Problem};
use crate::secrets::Secrets;

/// The keys of the plugins whose tables are nobody else's.
#[derive(Clone, Debug, Default)]
pub struct InstalledKeys {
    /// Every key, and every parent of one.
    families: BTreeSet<String>,
}

impl InstalledKeys {
    /// Whether the table `path` belongs to a plugin or to a family of plugins.
    fn owns(&self, path: &str) -> bool {
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
    pub inherited: Vec<(Key, Value)>,
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
        let mut inherited: Vec<(Key, Value)> = Vec::new();
        for count in (1..parts.len()).rev() {
            let Some((table, _)) = level(config, &parts[..count], key, installed)? else {
                continue;
            };
            for (name, value) in table {
                let taken = |entries: &[(Key, Value)]| {
                    entries.iter().any(|(nearer, _)| nearer.name == name.name)
                };
                if !taken(&own) && !taken(&inherited) {
                    inherited.push((name, value));
                }
            }
        }
        Ok(Some(Self {
            key: key.to_owned(),
            origin,
            own,
            inherited,
        }))
    }

    /// What the plugin is given: all of its own settings, and those inherited ones that it knows,
    /// as TOML with one of them a line. A plugin without `known` names takes any.
    #[must_use]
    pub fn given(&self, known: Option<&[String]>) -> Rendered {
        let inherited = entries(&self.inherited)
            .filter(|(name, ..)| known.is_none_or(|known| known.iter().any(|known| known == name)));
        Rendered::new(entries(&self.own).chain(inherited), Show::Shown)
    }

    /// The problem that the plugin does not know its own setting `wrong`.
    #[must_use]
    pub fn unknown_setting<K: AsRef<str>>(
        &self,
        wrong: &str,
        known: &[K],
        place: &Origin,
    ) -> Problem {
        let table = format!("[{}]", self.key);
        let known = known.iter().map(AsRef::as_ref).collect::<Vec<&str>>();
        let suggestion = nearest(wrong, known.iter().copied())
            .map(|name| format!("; did you mean \"{name}\"?"))
            .unwrap_or_default();
        let problem = Problem::error(
            Code::UnknownSetting,
            format!("{table} has no setting \"{wrong}\"{suggestion}"),
        )
        .at(place, table.as_str());
        if known.is_empty() {
            problem.found(format!("{table} has no settings at all"))
        } else {
            problem.found(format!("settings of {table}: {}", known.join(", ")))
        }
    }

    /// All settings, the plugin's own first, for people: secrets are masked.
    #[must_use]
    pub fn shown(&self) -> Rendered {
        Rendered::new(
            entries(&self.own).chain(entries(&self.inherited)),
            Show::Masked,
        )
    }

    /// All settings as JSON.
    #[must_use]
    pub fn json(&self, secrets: Show) -> serde_json::Value {
        json(
            entries(&self.own)
                .chain(entries(&self.inherited))
                .map(|(name, _, value)| (name, value)),
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
        if let Some((wrong, known)) = unknown_field(&message) {
            return self.unknown_setting(wrong, &known, place);
        }
        let missing = message
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split_once('`'));
        if let Some((name, _)) = missing {
            return Problem::error(
                Code::Refused,
                format!("{table} lacks the setting \"{name}\""),
            )
            .at(&self.origin, table.as_str())
            .help(format!("add {name} = … to {table}"));
        }
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
        for (_, value) in self.own.iter().chain(&self.inherited) {
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

fn entries(list: &[(Key, Value)]) -> impl Iterator<Item = (&str, &Origin, &Value)> {
    list.iter()
        .map(|(key, value)| (key.name.as_str(), &key.origin, value))
}

/// Splits serde's sentence on an unknown field into the field and the known ones.
fn unknown_field(message: &str) -> Option<(&str, Vec<&str>)> {
    let (wrong, rest) = message.strip_prefix("unknown field `")?.split_once('`')?;
    // What stands between backticks, every other piece, is a name.
    Some((wrong, rest.split('`').skip(1).step_by(2).collect()))
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
