//! What a plugin can be told, described once.
//!
//! [`#[settings]`](macro@crate::settings) on a struct makes it a plugin's configuration: values are read
//! into it, and a schema of it stands in the library's manifest, where the host reads it without
//! running anything. With it the host checks a configuration before it opens a library, and shows
//! operators what they can write: names, types, units, defaults, and the doc comments as help.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::net::SocketAddr;
//! use std::path::PathBuf;
//!
//! /// The `[example.fetch]` table of the configuration.
//! #[janitor_plugin_api::settings]
//! #[derive(Debug)]
//! struct Config {
//!     /// The server to ask.
//!     #[setting(example = "192.0.2.53:53")]
//!     server: SocketAddr,
//!     /// Seconds to wait for an answer.
//!     #[setting(default = 5.0, unit = "seconds", min = 0.1, max = 600)]
//!     timeout: f64,
//!     /// What to do with a zone that does not answer.
//!     #[setting(default = "leave-out")]
//!     on_silence: OnSilence,
//!     /// The file that holds the key.
//!     key_file: Option<PathBuf>,
//!     /// Password of the archive.
//!     #[setting(secret, deprecated_alias = "pass")]
//!     password: Option<String>,
//!     /// Where each zone goes.
//!     #[setting(default)]
//!     routes: BTreeMap<String, Route>,
//! }
//!
//! #[janitor_plugin_api::settings]
//! #[derive(Debug)]
//! enum OnSilence {
//!     LeaveOut,
//!     Fail,
//! }
//!
//! /// A table below another one.
//! #[janitor_plugin_api::settings]
//! #[derive(Debug)]
//! struct Route {
//!     /// The view to ask for.
//!     view: String,
//! }
//! ```
//!
//! # What can be said of a setting
//!
//! | in `#[setting(…)]` | meaning |
//! | --- | --- |
//! | `default` | not required; `Default::default()` of its type stands in its place |
//! | `default = 5` | not required; this value stands in its place, and in the schema |
//! | `secret` | its value is never shown |
//! | `unit = "seconds"` | what a number counts |
//! | `min = 1`, `max = 600` | the least and the largest number |
//! | `example = "db.{zone}"` | a value as somebody might write it |
//! | `rename = "type"` | its name, in the place of the field's |
//! | `alias = "colour"` | a second name, as good as the first |
//! | `deprecated_alias = "color"` | an old name: understood, with a warning |
//!
//! A setting of the type `Option` is not required. An enum without fields is one of several texts,
//! in kebab case unless `rename` says otherwise. Settings that are not there are refused.
//!
//! What is written is of the crate's own name: where `Cargo.toml` gives it another, such as `sdk`, the
//! library's root says `extern crate sdk as janitor_plugin_api;`.
//!
//! # Types
//!
//! Texts, paths, booleans, numbers of up to 64 bits, IP addresses and socket addresses, lists, sets,
//! maps with text as their key, `Option`, and what has `#[settings]` itself, unless it holds itself. A
//! type of your own implements `Deserialize` and [`SettingType`]:
//!
//! ```
//! use janitor_plugin_api::settings::{Part, SettingType};
//! use serde::Deserialize;
//!
//! /// A colour, written as `#rrggbb`.
//! #[derive(Deserialize)]
//! #[serde(try_from = "String")]
//! struct Colour(String);
//!
//! impl TryFrom<String> for Colour {
//!     type Error = &'static str;
//!
//!     fn try_from(text: String) -> Result<Self, Self::Error> {
//!         if text.len() == 7 && text.starts_with('#') { Ok(Self(text)) } else { Err("#rrggbb") }
//!     }
//! }
//!
//! impl SettingType for Colour {
//!     const SCHEMA: &'static [Part] = String::SCHEMA;
//! }
//! ```
//!
//! # What does not compile
//!
//! A type that has no form in a configuration:
//!
//! ```compile_fail,E0277
//! #[janitor_plugin_api::settings]
//! struct Config {
//!     started: std::time::Instant,
//! }
//! ```
//!
//! Fields without names, attributes of serde, and a bound that is no value of the type:
//!
//! ```compile_fail
//! #[janitor_plugin_api::settings]
//! struct Config(String);
//! ```
//! ```compile_fail
//! #[janitor_plugin_api::settings]
//! struct Config {
//!     #[serde(default)]
//!     level: u8,
//! }
//! ```
//! ```compile_fail,E0080
//! #[janitor_plugin_api::settings]
//! struct Config {
//!     #[setting(max = 3)]
//!     level: String,
//! }
//! ```
//! ```compile_fail,E0080
//! #[janitor_plugin_api::settings]
//! struct Config {
//!     #[setting(max = 3.5)]
//!     level: u8,
//! }
//! ```
//!
//! A default or an example of another type or out of bounds, a default that makes an `Option` of no
//! use, and a name that two settings have:
//!
//! ```compile_fail,E0080
//! #[janitor_plugin_api::settings]
//! struct Config {
//!     #[setting(default = [1, 300])]
//!     levels: Vec<u8>,
//! }
//! ```
//! ```compile_fail,E0080
//! #[janitor_plugin_api::settings]
//! struct Config {
//!     #[setting(default = "loud")]
//!     mood: Mood,
//! }
//!
//! #[janitor_plugin_api::settings]
//! enum Mood {
//!     Calm,
//! }
//! ```
//! ```compile_fail
//! #[janitor_plugin_api::settings]
//! struct Config {
//!     #[setting(default = "localhost")]
//!     server: std::net::IpAddr,
//! }
//! ```
//! ```compile_fail,E0080
//! #[janitor_plugin_api::settings]
//! struct Config {
//!     #[setting(example = 5)]
//!     directory: std::path::PathBuf,
//! }
//! ```
//! ```compile_fail,E0080
//! #[janitor_plugin_api::settings]
//! struct Config {
//!     #[setting(default, min = 1)]
//!     level: u8,
//! }
//! ```
//! ```compile_fail,E0080
//! #[janitor_plugin_api::settings]
//! struct Config {
//!     #[setting(default = 5)]
//!     level: Option<u8>,
//! }
//! ```
//! ```compile_fail
//! #[janitor_plugin_api::settings]
//! struct Config {
//!     #[setting(default = 5, max = 3)]
//!     level: u8,
//! }
//! ```
//! ```compile_fail
//! #[janitor_plugin_api::settings]
//! struct Config {
//!     #[setting(alias = "grade")]
//!     level: u8,
//!     grade: u8,
//! }
//! ```
//!
//! An enum whose variants hold something or share a text, a setting that only some builds have, and a
//! word that nobody knows:
//!
//! ```compile_fail
//! #[janitor_plugin_api::settings]
//! enum Level {
//!     High,
//!     #[setting(rename = "high")]
//!     Higher,
//! }
//! ```
//! ```compile_fail
//! #[janitor_plugin_api::settings]
//! struct Config {
//!     #[cfg(unix)]
//!     level: u8,
//! }
//! ```
//! ```compile_fail
//! #[janitor_plugin_api::settings]
//! enum Level {
//!     Number(u8),
//! }
//! ```
//! ```compile_fail
//! #[janitor_plugin_api::settings]
//! struct Config {
//!     #[setting(defualt = 3)]
//!     level: u8,
//! }
//! ```
//!
//! # The schema
//!
//! It is a subset of JSON Schema (2020-12), written as TOML: `type`, `format`, `properties`,
//! `required`, `additionalProperties`, `items`, `uniqueItems`, `enum`, `minimum`, `maximum`,
//! `default`, `examples`, `description`, `writeOnly`. Keywords of ours are `unit`, `aliases`,
//! `deprecatedAliases` and `enumDescriptions`. Formats tell apart what TOML does not: `path`, the
//! types of addresses (`ip`, `ipv4`, `ipv6`, `socket`), and the size of a number (`uint16`).

mod literal;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use serde::de::value::Error as ValueError;
use serde::de::{DeserializeOwned, IntoDeserializer};

#[doc(hidden)]
pub use self::literal::{Literal, fits, is_nought};
pub use crate::manifest::Part;

/// A plugin's table of the configuration. Implemented by [`#[settings]`](macro@crate::settings).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no table of settings",
    note = "put `#[janitor_plugin_api::settings]` on the struct; `NoSettings` is for none"
)]
pub trait Settings: DeserializeOwned {
    /// Its schema: the inside of an inline table of TOML.
    const SCHEMA: &'static [Part];
}

/// A type that a setting can have.
#[diagnostic::on_unimplemented(
    message = "a setting cannot have the type `{Self}`",
    note = "put `#[janitor_plugin_api::settings]` on it, or implement `SettingType` for it by hand"
)]
pub trait SettingType: DeserializeOwned {
    /// Its schema: the inside of an inline table of TOML, such as `type = "string"`. What stands at
    /// the field comes behind it: `description`, `default`, `minimum` and `maximum`, `writeOnly`,
    /// `unit`, `examples` and the aliases do not belong here.
    const SCHEMA: &'static [Part];

    /// `Default::default()` as TOML; nothing if it is not known at compile time.
    const DEFAULT: &'static [Part] = &[];

    /// Whether it can be left out.
    const IS_OPTIONAL: bool = false;
}

/// The configuration of a plugin that needs none.
#[crate::settings]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoSettings {}

macro_rules! plain {
    ($($of_type:ty = $schema:literal, $default:expr;)+) => {
        $(impl SettingType for $of_type {
            const SCHEMA: &'static [Part] = &[Part::Plain($schema)];
            const DEFAULT: &'static [Part] = $default;
        })+
    };
}

plain! {
    String = "type = \"string\"", &[Part::Plain("\"\"")];
    PathBuf = "type = \"string\", format = \"path\"", &[];
    IpAddr = "type = \"string\", format = \"ip\"", &[];
    Ipv4Addr = "type = \"string\", format = \"ipv4\"", &[];
    Ipv6Addr = "type = \"string\", format = \"ipv6\"", &[];
    SocketAddr = "type = \"string\", format = \"socket\"", &[];
    bool = "type = \"boolean\"", &[Part::Plain("false")];
    u8 = "type = \"integer\", format = \"uint8\"", &[Part::Plain("0")];
    u16 = "type = \"integer\", format = \"uint16\"", &[Part::Plain("0")];
    u32 = "type = \"integer\", format = \"uint32\"", &[Part::Plain("0")];
    u64 = "type = \"integer\", format = \"uint64\"", &[Part::Plain("0")];
    usize = "type = \"integer\", format = \"uint64\"", &[Part::Plain("0")];
    i8 = "type = \"integer\", format = \"int8\"", &[Part::Plain("0")];
    i16 = "type = \"integer\", format = \"int16\"", &[Part::Plain("0")];
    i32 = "type = \"integer\", format = \"int32\"", &[Part::Plain("0")];
    i64 = "type = \"integer\", format = \"int64\"", &[Part::Plain("0")];
    isize = "type = \"integer\", format = \"int64\"", &[Part::Plain("0")];
    f32 = "type = \"number\", format = \"float\"", &[Part::Plain("0.0")];
    f64 = "type = \"number\", format = \"double\"", &[Part::Plain("0.0")];
}

impl<T: SettingType> SettingType for Option<T> {
    const SCHEMA: &'static [Part] = T::SCHEMA;
    const IS_OPTIONAL: bool = true;
}

impl<T: SettingType> SettingType for Box<T> {
    const SCHEMA: &'static [Part] = T::SCHEMA;
    const DEFAULT: &'static [Part] = T::DEFAULT;
    const IS_OPTIONAL: bool = T::IS_OPTIONAL;
}

impl<T: SettingType> SettingType for Vec<T> {
    const SCHEMA: &'static [Part] = &[
        Part::Plain("type = \"array\", items = { "),
        Part::Nested(T::SCHEMA),
        Part::Plain(" }"),
    ];
    const DEFAULT: &'static [Part] = &[Part::Plain("[]")];
}

macro_rules! sets {
    ($($set:ty, $($bound:path),+;)+) => {
        $(impl<T: SettingType $(+ $bound)+> SettingType for $set {
            const SCHEMA: &'static [Part] = &[
                Part::Nested(Vec::<T>::SCHEMA),
                Part::Plain(", uniqueItems = true"),
            ];
            const DEFAULT: &'static [Part] = &[Part::Plain("[]")];
        })+
    };
}

sets! {
    BTreeSet<T>, Ord;
    HashSet<T>, Eq, std::hash::Hash;
}

macro_rules! maps {
    ($($map:ty;)+) => {
        $(impl<T: SettingType> SettingType for $map {
            const SCHEMA: &'static [Part] = &[
                Part::Plain("type = \"object\", additionalProperties = { "),
                Part::Nested(T::SCHEMA),
                Part::Plain(" }"),
            ];
            const DEFAULT: &'static [Part] = &[Part::Plain("{}")];
        }

        impl<T: SettingType> Settings for $map {
            const SCHEMA: &'static [Part] = <Self as SettingType>::SCHEMA;
        })+
    };
}

maps! {
    BTreeMap<String, T>;
    HashMap<String, T>;
}

/// For `#[settings]`: a default, read as if it stood in the configuration.
///
/// # Panics
///
/// If it is no value of the type. Most of that is found at compile time ([`fits`]); what only the
/// `Deserialize` of an author's own type knows, the plugin's tests find.
#[doc(hidden)]
pub fn default_of<'de, T, L>(name: &str, literal: L) -> T
where
    T: serde::Deserialize<'de>,
    L: IntoDeserializer<'de, ValueError>,
{
    match T::deserialize(literal.into_deserializer()) {
        Ok(value) => value,
        #[expect(
            clippy::panic,
            reason = "the author's own literal; the panic barrier reports it"
        )]
        Err(error) => panic!("the default of `{name}` is no value of its type: {error}"),
    }
}

#[cfg(test)]
mod tests;
