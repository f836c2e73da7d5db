//! What a library says of itself, read before it runs.
//!
//! The SDK writes the manifest into an ELF note: the name `GordonJanitor`,
//! type 1, and a descriptor of TOML text.

use std::fmt;

use serde::{Deserialize, Deserializer};

use janitor_plugin_api::manifest::{API_VERSION, HOST_TABLES, MAX_OCTETS};

use crate::schema::Accepts;

/// The format of manifests that this host reads.
const FORMAT: i64 = 1;

/// The manifest of a library.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The version of the plugin API that the library was built with.
    pub api: ApiVersion,
    /// The compiler, for display; it never decides anything.
    pub rustc: String,
    /// What a panic does in the library.
    pub panic: PanicStrategy,
    /// The package that the library was built from.
    pub package: String,
    /// The version of that package.
    pub version: String,
    /// The plugins in the library, by key; at least one.
    pub plugins: Vec<Plugin>,
}

/// One plugin of a library.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Plugin {
    /// What `core.plugins` lists.
    pub key: String,
    /// Its place in a run.
    pub role: Role,
    /// One line about it.
    #[serde(default)]
    pub summary: String,
    /// Whether it is a publisher that writes a change only where it finds what was planned for.
    #[serde(default)]
    pub conditional: bool,
    /// What it accepts in its table.
    #[serde(default, deserialize_with = "settings")]
    pub settings: Accepts,
}

fn settings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Accepts, D::Error> {
    toml::Value::deserialize(deserializer).map(|value| Accepts::read(&value))
}

/// The place of a plugin in a run, in the order of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Says what should be served.
    Authority,
    /// Reads what is served and compares.
    Reconciler,
    /// Sends corrections.
    Publisher,
    /// Takes measurements.
    #[serde(alias = "metrics_relay")]
    MetricsRelay,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Authority => "authority",
            Self::Reconciler => "reconciler",
            Self::Publisher => "publisher",
            Self::MetricsRelay => "metrics-relay",
        })
    }
}

/// What a panic does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PanicStrategy {
    /// It can be caught and reported.
    Unwind,
    /// It ends the process.
    Abort,
}

/// A version of the plugin API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion {
    /// Must be equal on both sides.
    pub major: u32,
    /// May differ in both directions.
    pub minor: u32,
    /// Says nothing about compatibility.
    pub patch: u32,
}

impl ApiVersion {
    /// The version that this host offers.
    #[must_use]
    pub fn of_host() -> Self {
        Self::parse(API_VERSION).unwrap_or(Self {
            major: 0,
            minor: 0,
            patch: 0,
        })
    }

    /// Whether libraries built with this version can be loaded by a host that
    /// offers `host`.
    #[must_use]
    pub fn fits(self, host: Self) -> bool {
        self.major == host.major
    }

    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.splitn(3, '.').map(|number| number.parse().ok());
        let mut next = || numbers.next().flatten();
        Some(Self {
            major: next()?,
            minor: next()?,
            patch: next()?,
        })
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Why a manifest cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestFault {
    /// Longer than [`MAX_OCTETS`].
    #[error("it has {0} octets, more than {MAX_OCTETS}")]
    TooLong(usize),
    /// Not text.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// Not TOML, or a field is missing or of another type.
    #[error("{0}")]
    Malformed(String),
    /// Of another format.
    #[error("it has format {0}, this host reads format {FORMAT}")]
    Format(i64),
    /// The API version is none.
    #[error("`{0}` is not an API version")]
    Api(String),
    /// A key is not of the form that keys have.
    #[error(
        "`{0}` is not a plugin key: 1 to 64 of a-z, 0-9, `.`, `_` and `-`, in no table of the host's own"
    )]
    Key(String),
    /// A key stands twice.
    #[error("it holds the key `{0}` twice")]
    DuplicateKey(String),
    /// There is no plugin.
    #[error("it lists no plugins")]
    NoPlugins,
}

impl Manifest {
    /// Reads the descriptor of the note.
    ///
    /// Fields that this host does not know are accepted: a newer SDK wrote them.
    ///
    /// # Errors
    ///
    /// When it is not a manifest of the format that this host reads.
    pub fn parse(descriptor: &[u8]) -> Result<Self, ManifestFault> {
        #[derive(Deserialize)]
        struct Raw {
            api: String,
            #[serde(default)]
            rustc: String,
            panic: PanicStrategy,
            package: String,
            version: String,
            #[serde(default, rename = "plugin")]
            plugins: Vec<Plugin>,
        }
        /// Read first: the other fields belong to the format.
        #[derive(Deserialize)]
        struct Format {
            format: i64,
        }

        if descriptor.len() > MAX_OCTETS {
            return Err(ManifestFault::TooLong(descriptor.len()));
        }
        // The SDK may fill a fixed array up with zeros.
        let end = descriptor
            .iter()
            .rposition(|octet| *octet != 0)
            .map_or(0, |last| last + 1);
        let Ok(text) = std::str::from_utf8(&descriptor[..end]) else {
            return Err(ManifestFault::NotUtf8);
        };
        let malformed =
            |error: &toml::de::Error| ManifestFault::Malformed(error.message().trim().to_owned());
        let Format { format } = toml::from_str(text).map_err(|error| malformed(&error))?;
        if format != FORMAT {
            return Err(ManifestFault::Format(format));
        }
        let raw: Raw = toml::from_str(text).map_err(|error| malformed(&error))?;
        let Some(api) = ApiVersion::parse(&raw.api) else {
            return Err(ManifestFault::Api(raw.api));
        };
        let mut plugins = raw.plugins;
        plugins.sort_by(|a, b| a.key.cmp(&b.key));
        if let Some(plugin) = plugins.iter().find(|plugin| !is_key(&plugin.key)) {
            return Err(ManifestFault::Key(plugin.key.clone()));
        }
        if let Some(pair) = plugins.windows(2).find(|pair| pair[0].key == pair[1].key) {
            return Err(ManifestFault::DuplicateKey(pair[0].key.clone()));
        }
        if plugins.is_empty() {
            return Err(ManifestFault::NoPlugins);
        }
        Ok(Self {
            api,
            rustc: raw.rustc,
            panic: raw.panic,
            package: raw.package,
            version: raw.version,
            plugins,
        })
    }
}

/// Whether `key` has the form of a plugin's key, and its table is none of the host's own.
#[must_use]
pub fn is_key(key: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    (1..=64).contains(&key.len())
        && key.bytes().all(allowed)
        && key.split('.').all(|part| !part.is_empty())
        && !key
            .split('.')
            .next()
            .is_some_and(|table| HOST_TABLES.contains(&table))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = concat!(
        "format = 1\napi = \"1.2.3\"\nrustc = \"1.95.0\"\npanic = \"unwind\"\npackage = \"acme\"\nversion = \"0.1.0\"\n",
        "[[plugin]]\nkey = \"acme.b\"\nrole = \"publisher\"\nsummary = \"Sends.\"\n",
        "[[plugin]]\nkey = \"acme.a\"\nrole = \"metrics-relay\"\n",
    );

    fn fault(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from));
        Manifest::parse(GOOD.replace(from, to).as_bytes())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_manifest_gives_its_plugins_by_key() {
        let manifest = Manifest::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(
            manifest.api,
            ApiVersion {
                major: 1,
                minor: 2,
                patch: 3
            }
        );
        assert_eq!(manifest.panic, PanicStrategy::Unwind);
        let plugins: Vec<_> = manifest
            .plugins
            .iter()
            .map(|plugin| (plugin.key.as_str(), plugin.role))
            .collect();
        assert_eq!(
            plugins,
            [("acme.a", Role::MetricsRelay), ("acme.b", Role::Publisher)]
        );
    }

    #[test]
    fn a_publisher_that_does_not_say_so_is_not_conditional() {
        let conditional = |text: &str| {
            let manifest = Manifest::parse(text.as_bytes()).unwrap();
            manifest.plugins.last().unwrap().conditional
        };
        assert!(!conditional(GOOD));
        assert!(conditional(
            &GOOD.replace("summary = \"Sends.\"", "conditional = true")
        ));
    }

    #[test]
    fn padding_and_unknown_fields_are_accepted() {
        let text = format!(
            "{}homepage = \"x\"\n\0\0\0",
            GOOD.replace("api =", "target = 'y'\napi =")
        );
        assert_eq!(
            Manifest::parse(text.as_bytes()),
            Manifest::parse(GOOD.as_bytes())
        );
    }

    #[test]
    fn every_fault_is_named() {
        assert_eq!(
            fault("format = 1", "format = 2"),
            "it has format 2, this host reads format 1"
        );
        assert_eq!(fault("format = 1", "formal = 1"), "missing field `format`");
        assert_eq!(fault("1.2.3", "1.2"), "`1.2` is not an API version");
        assert_eq!(fault("acme.a", "acme.b"), "it holds the key `acme.b` twice");
        assert!(fault("acme.a", "Acme").starts_with("`Acme` is not a plugin key"));
        assert!(fault("acme.a", "core.a").starts_with("`core.a` is not a plugin key"));
        assert!(fault("metrics-relay", "witness").contains("unknown variant"));
        assert_eq!(
            Manifest::parse(&[b'x'; MAX_OCTETS + 1]),
            Err(ManifestFault::TooLong(MAX_OCTETS + 1))
        );
        assert_eq!(Manifest::parse(&[0xff]), Err(ManifestFault::NotUtf8));
        let without_plugins = GOOD.split("[[plugin]]").next().unwrap();
        assert_eq!(
            Manifest::parse(without_plugins.as_bytes()),
            Err(ManifestFault::NoPlugins)
        );
        assert!(matches!(
            Manifest::parse(b""),
            Err(ManifestFault::Malformed(_))
        ));
    }

    #[test]
    fn keys_have_1_to_64_characters_and_no_empty_part() {
        for key in ["a", "files.zones", "a-b_c.0", &"x".repeat(64)] {
            assert!(is_key(key), "{key}");
        }
        for key in [
            "",
            ".",
            "a..b",
            ".a",
            "a.",
            "A",
            "a b",
            "é",
            "core",
            "core.x",
            "ffwd",
            "metrics-logger.x",
            &"x".repeat(65),
        ] {
            assert!(!is_key(key), "{key}");
        }
        assert!(is_key("corex.a"));
    }

    #[test]
    fn only_the_major_version_has_to_be_equal() {
        let version = |text| ApiVersion::parse(text).unwrap();
        assert!(version("1.0.0").fits(version("1.9.1")) && version("1.9.1").fits(version("1.0.0")));
        assert!(
            !version("2.0.0").fits(version("1.0.0")) && !version("0.9.0").fits(version("1.0.0"))
        );
    }
}
