//! What settings there are: their types, units, defaults and meanings.
//!
//! A library's manifest has a schema of each plugin's table: a subset of JSON Schema in TOML, which
//! `janitor_plugin_api::settings` describes. It is read tolerantly: keywords that are not known here
//! say nothing, and a type that is not known here takes any value. A later SDK may say more than this
//! host understands, and the plugin itself reads its settings after all.

mod words;
mod check;
mod sample;
mod json;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use toml::Value;

pub use self::check::{Entry, Place, assignment, check, missing};
pub(crate) use self::json::json_value;
pub use self::json::{Shape, json};
pub use self::sample::{placeholder, sample};
pub use self::words::toml_text;

/// What one setting can be.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// Its type, and the limits of that.
    pub kind: Kind,
    /// What it means; empty if nobody says.
    pub description: String,
    /// What stands in its place when it is not there, if that is known.
    pub default: Option<Value>,
    /// How somebody might write it.
    pub example: Option<Value>,
    /// Whether its value is never shown.
    pub secret: bool,
    /// What a number counts.
    pub unit: Option<String>,
}

/// The type of a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Whatever the plugin makes of it.
    Any,
    /// A text.
    Text(Format),
    /// One of these texts.
    Choice(Vec<Choice>),
    /// True or false.
    Boolean,
    /// A whole number from the one to the other.
    Integer(i64, i64),
    /// A number from the one to the other.
    Number(f64, f64),
    /// A list.
    List(Box<Schema>),
    /// A table with settings of its own.
    Table(Table),
    /// A table with any names.
    Map(Box<Schema>),
}

/// What a text has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Anything.
    Any,
    /// The path of a file or directory.
    Path,
    /// An address, IPv4 or IPv6.
    Ip,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// An address and a port.
    Socket,
}

impl Format {
    /// Whether `text` is of this format.
    #[must_use]
    pub fn fits(self, text: &str) -> bool {
        match self {
            Self::Any | Self::Path => true,
            Self::Ip => text.parse::<IpAddr>().is_ok(),
            Self::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
            Self::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
            Self::Socket => text.parse::<SocketAddr>().is_ok(),
        }
    }
}

/// One text that a setting can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The text.
    pub text: String,
    /// What it means; empty if nobody says.
    pub description: String,
}

/// The settings of a table, in the order in which their author wrote them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The settings.
    pub settings: Vec<Setting>,
}

/// One setting of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Whether it has to be there.
    pub required: bool,
    /// Other names of it, as good as the first.
    pub aliases: Vec<String>,
    /// Names that it once had.
    pub deprecated_aliases: Vec<String>,
    /// What it can be.
    pub schema: Schema,
}

impl Setting {
    /// Every name that it can be given by, its own first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [&self.name]
            .into_iter()
            .chain(&self.aliases)
            .chain(&self.deprecated_aliases)
            .map(String::as_str)
    }
}

impl Table {
    /// The setting that `name` stands for.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Setting> {
        let mut settings = self.settings.iter();
        settings.find(|setting| setting.names().any(|known| known == name))
    }
}

/// What a plugin accepts in its table.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Accepts {
    /// Anything: its library says nothing about it.
    #[default]
    Anything,
    /// Any name, with such values.
    Map(Box<Schema>),
    /// These settings.
    Settings(Table),
}

impl Accepts {
    /// Reads the `settings` of a plugin in a manifest.
    #[must_use]
    pub fn read(settings: &Value) -> Self {
        match Schema::read(settings).kind {
            Kind::Table(table) => Self::Settings(table),
            Kind::Map(values) => Self::Map(values),
            _ => Self::Anything,
        }
    }

    /// Whether it knows a setting of this name.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        match self {
            Self::Anything | Self::Map(_) => true,
            Self::Settings(table) => table.find(name).is_some(),
        }
    }

    /// Whether any of it is a secret.
    #[must_use]
    pub fn has_secrets(&self) -> bool {
        match self {
            Self::Anything => false,
            Self::Map(values) => values.has_secrets(),
            Self::Settings(table) => table.has_secrets(),
        }
    }

    /// The settings, if they have names.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        match self {
            Self::Settings(table) => &table.settings,
            Self::Anything | Self::Map(_) => &[],
        }
    }

    /// What the values of the setting `name` can be, if that is known.
    #[must_use]
    pub fn schema_of(&self, name: &str) -> Option<&Schema> {
        match self {
            Self::Settings(table) => table.find(name).map(|setting| &setting.schema),
            Self::Map(values) => Some(values),
            Self::Anything => None,
        }
    }
}

impl Table {
    fn has_secrets(&self) -> bool {
        self.settings
            .iter()
            .any(|setting| setting.schema.has_secrets())
    }
}

impl Schema {
    fn has_secrets(&self) -> bool {
        self.secret
            || match &self.kind {
                Kind::List(item) | Kind::Map(item) => item.has_secrets(),
                Kind::Table(table) => table.has_secrets(),
                _ => false,
            }
    }

    /// Whether its values are tables.
    #[must_use]
    pub fn is_table(&self) -> bool {
        matches!(self.kind, Kind::Table(_) | Kind::Map(_))
    }

    /// The table that the setting is, or that each of its values is.
    #[must_use]
    pub fn table(&self) -> Option<&Table> {
        match &self.kind {
            Kind::Table(table) => Some(table),
            Kind::List(item) | Kind::Map(item) => item.table(),
            _ => None,
        }
    }

    /// A setting of which nothing is known but its type.
    #[must_use]
    pub fn of(kind: Kind) -> Self {
        Self {
            kind,
            description: String::new(),
            default: None,
            example: None,
            secret: false,
            unit: None,
        }
    }

    /// Reads a schema; what cannot be understood says nothing.
    #[must_use]
    pub fn read(value: &Value) -> Self {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let examples = value.get("examples").and_then(Value::as_array);
        Self {
            kind: Kind::read(value),
            description: text("description").unwrap_or_default().trim().to_owned(),
            default: value.get("default").cloned(),
            example: examples.and_then(|examples| examples.first()).cloned(),
            secret: value.get("writeOnly").and_then(Value::as_bool) == Some(true),
            unit: text("unit").map(str::to_owned),
        }
    }
}

impl Kind {
    fn read(schema: &Value) -> Self {
        let text = |name: &str| schema.get(name).and_then(Value::as_str);
        let format = text("format").unwrap_or_default();
        match text("type").unwrap_or_default() {
            "string" => match choices(schema) {
                Some(choices) => Self::Choice(choices),
                None => Self::Text(match format {
                    "path" => Format::Path,
                    "ip" => Format::Ip,
                    "ipv4" => Format::Ipv4,
                    "ipv6" => Format::Ipv6,
                    "socket" => Format::Socket,
                    _ => Format::Any,
                }),
            },
            "boolean" => Self::Boolean,
            "integer" => {
                let (least, most) = range_of(format);
                let bound = |name| schema.get(name).and_then(Value::as_integer);
                let least = bound("minimum").map_or(least, |bound| bound.max(least));
                let most = bound("maximum").map_or(most, |bound| bound.min(most));
                Self::Integer(least, most)
            }
            "number" => Self::Number(
                number(schema.get("minimum")).unwrap_or(f64::NEG_INFINITY),
                number(schema.get("maximum")).unwrap_or(f64::INFINITY),
            ),
            "array" => Self::List(Box::new(match schema.get("items") {
                Some(items) => Schema::read(items),
                None => Schema::of(Self::Any),
            })),
            "object" => Self::read_object(schema),
            _ => Self::Any,
        }
    }

    fn read_object(schema: &Value) -> Self {
        let Some(properties) = schema.get("properties").and_then(Value::as_table) else {
            return match schema.get("additionalProperties") {
                Some(values) if values.is_table() => Self::Map(Box::new(Schema::read(values))),
                Some(Value::Boolean(false)) => Self::Table(Table::default()),
                _ => Self::Map(Box::new(Schema::of(Self::Any))),
            };
        };
        // A table that takes more than it says cannot be checked for names.
        if schema.get("additionalProperties") != Some(&Value::Boolean(false)) {
            return Self::Map(Box::new(Schema::of(Self::Any)));
        }
        let required = texts(schema, "required");
        let settings = properties.iter().map(|(name, property)| Setting {
            name: name.clone(),
            required: required.contains(name),
            aliases: texts(property, "aliases"),
            deprecated_aliases: texts(property, "deprecatedAliases"),
            schema: Schema::read(property),
        });
        Self::Table(Table {
            settings: settings.collect(),
        })
    }
}

fn choices(schema: &Value) -> Option<Vec<Choice>> {
    let texts = schema.get("enum")?.as_array()?;
    let descriptions = schema.get("enumDescriptions").and_then(Value::as_array);
    let described = |index: usize| {
        let description = descriptions.and_then(|list| list.get(index));
        description.and_then(Value::as_str).unwrap_or_default()
    };
    let choices = texts.iter().enumerate().map(|(index, text)| {
        Some(Choice {
            text: text.as_str()?.to_owned(),
            description: described(index).to_owned(),
        })
    });
    choices.collect()
}

/// What a whole number of a format can be. TOML has none beyond 64 bits with a sign.
fn range_of(format: &str) -> (i64, i64) {
    match format {
        "uint8" => (0, u8::MAX.into()),
        "uint16" => (0, u16::MAX.into()),
        "uint32" => (0, u32::MAX.into()),
        "uint64" => (0, i64::MAX),
        "int8" => (i8::MIN.into(), i8::MAX.into()),
        "int16" => (i16::MIN.into(), i16::MAX.into()),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a bound beyond 2^53 may be inexact"
)]
fn number(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::Integer(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

fn texts(schema: &Value, name: &str) -> Vec<String> {
    let list = schema.get(name).and_then(Value::as_array);
    let texts = list.into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
