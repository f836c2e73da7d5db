//! Configured values, each with its place.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeFloat, DeInteger, DeTable, DeValue};
use toml::value::Datetime;

use super::secret;
use super::source::{Origin, Source};
use crate::problem::{Code, Problem};
use crate::schema::{Format, Kind as Type, Schema};

/// A value and where it was written.
#[derive(Clone)]
pub struct Value {
    /// What it is.
    pub kind: Kind,
    /// Where it stands; for a table, its header.
    pub origin: Origin,
    /// Whether it is never shown.
    pub secret: bool,
}

/// What a value is.
#[derive(Clone)]
pub enum Kind {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction, infinity or NaN.
    Float(f64),
    /// True or false.
    Boolean(bool),
    /// A date, a time, or both.
    Datetime(Datetime),
    /// A list.
    Array(Vec<Value>),
    /// A table, inline or with a header of its own.
    Table(Table),
}

/// A key and where it was written.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its name, without quotes.
    pub name: String,
    /// Where it stands.
    pub origin: Origin,
}

/// Keys and their values, sorted by the keys' names.
#[derive(Clone, Default)]
pub struct Table {
    entries: BTreeMap<String, (Origin, Value)>,
}

impl Table {
    /// The value under `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries.get(name).map(|(_, value)| value)
    }

    /// The value under `name`, to be changed.
    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.entries.get_mut(name).map(|(_, value)| value)
    }

    /// Where the key `name` stands.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&Origin> {
        self.entries.get(name).map(|(origin, _)| origin)
    }

    /// Every name, key and value, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Origin, &Value)> {
        self.entries
            .iter()
            .map(|(name, (origin, value))| (name.as_str(), origin, value))
    }

    /// Whether there is no key at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Puts `value` under `key`, in the place of what was there.
    pub fn insert(&mut self, key: Key, value: Value) {
        self.entries.insert(key.name, (key.origin, value));
    }

    /// Lays `other` over this table: tables merge key by key, as deep as they
    /// go; everything else is replaced whole, whatever its type.
    pub fn merge(&mut self, other: Self) {
        for (name, (origin, value)) in other.entries {
            match (self.entries.get_mut(&name), value) {
                (
                    Some((
                        _,
                        Value {
                            kind: Kind::Table(under),
                            ..
                        },
                    )),
                    Value {
                        kind: Kind::Table(over),
                        ..
                    },
                ) => under.merge(over),
                (_, value) => {
                    self.entries.insert(name, (origin, value));
                }
            }
        }
    }
}

impl Value {
    /// The table, if it is one.
    #[must_use]
    pub fn as_table(&self) -> Option<&Table> {
        match &self.kind {
            Kind::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Makes a secret of what `schema` says is one, at any depth; if `is_wary`, also of what it does
    /// not know.
    pub(super) fn hide(&mut self, schema: &Schema, is_wary: bool) {
        if schema.secret {
            self.hide_all();
            return;
        }
        match (&mut self.kind, &schema.kind) {
            (Kind::Array(values), Type::List(item)) => {
                values
                    .iter_mut()
                    .for_each(|value| value.hide(item, is_wary));
            }
            (Kind::Table(table), Type::Map(values)) => {
                for (_, value) in table.entries.values_mut() {
                    value.hide(values, is_wary);
                }
            }
            (Kind::Table(table), Type::Table(settings)) => {
                for (name, (_, value)) in &mut table.entries {
                    match settings.find(name) {
                        Some(setting) => value.hide(&setting.schema, is_wary),
                        None if is_wary => value.hide_all(),
                        None => {}
                    }
                }
            }
            _ => {}
        }
    }

    /// Takes for no secret what only the name of a table around it, or a name such as `key_file`, has made
    /// one, where all of `schemas` describe it: a path is none, and in a table that says of one of its
    /// settings that it is the secret, each setting's own name says more than the table's.
    pub(super) fn reveal(&mut self, name: &str, schemas: &[&Schema]) {
        let is_said = schemas.iter().any(|schema| schema.secret);
        match &mut self.kind {
            Kind::Table(table) => {
                let says_which = |schema: &&Schema| match &schema.kind {
                    Type::Table(table) => table.settings.iter().any(|known| known.schema.secret),
                    _ => false,
                };
                let is_judged = !secret::is_secret(name) || schemas.iter().all(says_which);
                for (own, (_, value)) in &mut table.entries {
                    let of_member = schemas.iter().filter_map(|schema| match &schema.kind {
                        Type::Table(settings) => settings.find(own).map(|found| &found.schema),
                        Type::Map(values) => Some(&**values),
                        _ => None,
                    });
                    let of_member: Vec<_> = of_member.collect();
                    if of_member.len() == schemas.len() {
                        value.reveal(if is_judged { own } else { name }, &of_member);
                    }
                }
                let is_table =
                    |schema: &&Schema| matches!(schema.kind, Type::Table(_) | Type::Map(_));
                // Each of its values says for itself whether it is one.
                if is_judged && schemas.iter().all(is_table) {
                    self.secret &= is_said;
                }
            }
            Kind::Array(values) => {
                let of_items = schemas.iter().filter_map(|schema| match &schema.kind {
                    Type::List(item) => Some(&**item),
                    _ => None,
                });
                let of_items: Vec<_> = of_items.collect();
                if of_items.len() < schemas.len() || secret::is_secret(name) || is_said {
                    return;
                }
                for value in values.iter_mut() {
                    value.reveal(name, &of_items);
                }
                if self.secret && values.iter().all(|value| !value.secret) {
                    self.secret = false;
                    self.origin.show();
                }
            }
            kind => {
                let is_path = |schema: &&Schema| schema.kind == Type::Text(Format::Path);
                let is_plain = !secret::is_secret(name) || schemas.iter().all(is_path);
                let is_url = matches!(kind, Kind::Text(text) if !secret::in_url(text).is_empty());
                if self.secret && is_plain && !is_url && !is_said {
                    self.secret = false;
                    self.origin.show();
                }
            }
        }
    }

    pub(super) fn hide_all(&mut self) {
        self.secret = true;
        match &mut self.kind {
            Kind::Array(values) => {
                self.origin.hide();
                values.iter_mut().for_each(Self::hide_all);
            }
            // Its place is that of its name.
            Kind::Table(table) => {
                for (_, value) in table.entries.values_mut() {
                    value.hide_all();
                }
            }
            _ => self.origin.hide(),
        }
    }

    /// What it is, in words an operator uses: `a text`.
    #[must_use]
    pub fn describe(&self) -> &'static str {
        match self.kind {
            Kind::Text(_) => "a text",
            Kind::Integer(_) => "a whole number",
            Kind::Float(_) => "a number",
            Kind::Boolean(_) => "a boolean",
            Kind::Datetime(_) => "a date or time",
            Kind::Array(_) => "a list",
            Kind::Table(_) => "a table",
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.secret {
            return f.write_str("***");
        }
        match &self.kind {
            Kind::Text(text) => write!(f, "{text:?}"),
            Kind::Integer(number) => write!(f, "{number}"),
            Kind::Float(number) => write!(f, "{number:?}"),
            Kind::Boolean(boolean) => write!(f, "{boolean}"),
            Kind::Datetime(datetime) => write!(f, "{datetime}"),
            Kind::Array(values) => f.debug_list().entries(values).finish(),
            Kind::Table(table) => table.fmt(f),
        }
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(name, _, value)| (name, value)))
            .finish()
    }
}

/// Reads the TOML text of `source`.
///
/// # Errors
///
/// What breaks the rules of TOML, and numbers that do not fit in 64 bits; all of it.
pub(super) fn parse(source: &Arc<Source>) -> Result<Table, Vec<Problem>> {
    let (document, errors) = DeTable::parse_recoverable(source.text());
    if !errors.is_empty() {
        return Err(syntax(source, &errors));
    }
    let mut reader = Reader {
        source,
        secrets: Vec::new(),
        problems: Vec::new(),
    };
    let table = reader.table(document.into_inner(), false);
    source.parsed(reader.secrets);
    if reader.problems.is_empty() {
        Ok(table)
    } else {
        Err(reader.problems)
    }
}

/// Turns what the parser says into problems: one per line, because the others
/// on a line come from the first.
fn syntax(source: &Arc<Source>, errors: &[toml::de::Error]) -> Vec<Problem> {
    let mut by_line = BTreeMap::new();
    for error in errors {
        let place = Origin::new(source, error.span().unwrap_or(0..0));
        by_line
            .entry(place.line())
            .or_insert((place, error.message().trim()));
    }
    let problems = by_line.into_values().map(|(place, message)| {
        let path = source.path().display();
        let problem = |message: &str| {
            Problem::error(Code::Syntax, format!("{path} is not valid TOML: {message}")).at(&place, "")
        };
        match message {
            "duplicate key" => problem("a key or a table stands twice")
                .help("keep one of them; what gordon-janitor-user.toml says replaces what gordon-janitor.toml says"),
            _ if message.starts_with("string values must be quoted") => {
                problem("a text without quotes").help("write it in quotes: key = \"text\"")
            }
            _ => problem(message),
        }
    });
    problems.collect()
}

/// Turns what the parser gives into values with places.
struct Reader<'a> {
    source: &'a Arc<Source>,
    secrets: Vec<Range<usize>>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn table(&mut self, table: DeTable<'_>, secret: bool) -> Table {
        let mut out = Table::default();
        for (name, value) in table {
            let origin = Origin::new(self.source, name.span());
            let name = name.into_inner().into_owned();
            let named_secret = secret::is_secret(&name);
            let is_table = value.get_ref().is_table();
            if named_secret && !secret && !is_table {
                self.secrets.push(value.span());
            }
            let mut value = self.value(value, secret || named_secret);
            if is_table {
                // A table made by the dotted key of another one has that one's
                // header for a span; its own name says more.
                value.origin = origin.clone();
            }
            out.insert(Key { name, origin }, value);
        }
        out
    }

    fn value(&mut self, value: Spanned<DeValue<'_>>, secret: bool) -> Value {
        let origin = Origin::new(self.source, value.span());
        let span = value.span();
        let kind = match value.into_inner() {
            DeValue::String(text) => Kind::Text(text.into_owned()),
            DeValue::Integer(number) => Kind::Integer(self.integer(&number, &origin)),
            DeValue::Float(number) => Kind::Float(self.float(&number, &origin)),
            DeValue::Boolean(boolean) => Kind::Boolean(boolean),
            DeValue::Datetime(datetime) => Kind::Datetime(datetime),
            DeValue::Array(values) => Kind::Array(
                values
                    .into_iter()
                    .map(|value| self.value(value, secret))
                    .collect(),
            ),
            DeValue::Table(table) => Kind::Table(self.table(table, secret)),
        };
        // A password in a URL makes all of it secret: what is left of it says little.
        let secret =
            secret || matches!(&kind, Kind::Text(text) if !secret::in_url(text).is_empty());
        if secret && !matches!(kind, Kind::Array(_) | Kind::Table(_)) {
            self.secrets.push(span);
        }
        Value {
            kind,
            origin,
            secret,
        }
    }

    fn integer(&mut self, number: &DeInteger<'_>, origin: &Origin) -> i64 {
        i64::from_str_radix(number.as_str(), number.radix()).unwrap_or_else(|_| {
            self.problems.push(
                Problem::error(Code::Syntax, "a whole number does not fit in 64 bits")
                    .at(origin, "")
                    .help(format!("write a number from {} to {}", i64::MIN, i64::MAX)),
            );
            0
        })
    }

    fn float(&mut self, number: &DeFloat<'_>, origin: &Origin) -> f64 {
        number.as_str().parse().unwrap_or_else(|_| {
            self.problems
                .push(Problem::error(Code::Syntax, "a number cannot be read").at(origin, ""));
            0.0
        })
    }
}
