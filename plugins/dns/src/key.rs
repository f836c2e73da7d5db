//! Keys that requests are signed with (TSIG, RFC 8945).
//!
//! A secret stands in a file or an environment variable, never in the configuration; it is in no text
//! and in no `Debug`.

mod file;
mod knot;

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::base::name::ToName as _;
use domain::tsig;
use janitor_plugin_api::Error;
use janitor_plugin_api::dns::{Name, NameError};
use janitor_plugin_api::settings::{Part, SettingType};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use self::file::{KeyFileFault, Statement};
use crate::file::{FileFault, read_secret};
use crate::message::wire_name;

/// A key: in a file of its own, or put together from its parts.
#[janitor_plugin_api::settings]
#[derive(Clone, Debug)]
pub(crate) struct KeySettings {
    /// File that holds the key as `tsig-keygen` of BIND or `keymgr -t` of Knot DNS prints it.
    #[setting(example = "janitor.key")]
    file: Option<PathBuf>,
    /// Name of the key; with a file that holds several, the one to take.
    name: Option<String>,
    /// Algorithm of the key, hmac-sha256 if nothing is said; a file says it itself.
    algorithm: Option<KeyAlgorithm>,
    /// File that holds nothing but the secret, in base64.
    secret_file: Option<PathBuf>,
    /// Environment variable that holds the secret, in base64.
    secret_env: Option<String>,
    /// Refused: a secret does not stand in the configuration.
    #[setting(secret)]
    secret: Option<Inline>,
}

/// A secret in the wrong place: known so that it can be refused, and forgotten at once.
#[derive(Clone, Debug)]
struct Inline;

impl<'de> Deserialize<'de> for Inline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IgnoredAny).map(|_| Self)
    }
}

impl SettingType for Inline {
    const SCHEMA: &'static [Part] = String::SCHEMA;
}

/// The algorithms that can be had (RFC 8945, section 6, without MD5 and those that truncate).
#[janitor_plugin_api::settings]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyAlgorithm {
    HmacSha1,
    HmacSha256,
    HmacSha384,
    HmacSha512,
}

/// A key. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Key(Arc<tsig::Key>);

impl Key {
    /// The key that `settings` describe; `setting` is what they are called in messages, and `resolve` makes
    /// paths absolute.
    ///
    /// A file that others than its owner and its group can read is used, with a warning.
    ///
    /// # Errors
    ///
    /// [`Error::config`] for whatever keeps the key from being used.
    pub(crate) fn load(
        settings: &KeySettings,
        setting: &str,
        resolve: impl Fn(&Path) -> PathBuf,
    ) -> Result<Self, Error> {
        Self::read(settings, resolve).map_err(|fault| {
            let hint = fault.hint();
            let error = Error::config(format!("cannot use `{setting}`"), fault);
            match hint {
                Some(hint) => error.hint(hint),
                None => error,
            }
        })
    }

    fn read(settings: &KeySettings, resolve: impl Fn(&Path) -> PathBuf) -> Result<Self, KeyFault> {
        if settings.secret.is_some() {
            return Err(KeyFault::SecretInline);
        }
        let name = settings.name.as_deref().map(key_name).transpose()?;
        if let Some(path) = &settings.file {
            let excess = [
                ("algorithm", settings.algorithm.is_some()),
                ("secret_file", settings.secret_file.is_some()),
                ("secret_env", settings.secret_env.is_some()),
            ];
            if let Some((excess, _)) = excess.iter().find(|(_, is_there)| *is_there) {
                return Err(KeyFault::BesideFile(excess));
            }
            let path = resolve(path);
            let text = read_file(&path)?;
            let statement = file::find(&text, name.as_ref())
                .map_err(|fault| KeyFault::InFile(path.clone(), fault))?;
            return Self::of_statement(&statement, &path);
        }
        let name = name.ok_or(match (&settings.secret_file, &settings.secret_env) {
            (None, None) => KeyFault::Nothing,
            _ => KeyFault::NoName,
        })?;
        let (secret, place) = match (&settings.secret_file, &settings.secret_env) {
            (Some(_), Some(_)) => return Err(KeyFault::TwoSecrets),
            (None, None) => return Err(KeyFault::NoSecret),
            (Some(path), None) => {
                let path = resolve(path);
                (read_file(&path)?, SecretPlace::File(path))
            }
            (None, Some(variable)) => (read_variable(variable)?, SecretPlace::Variable),
        };
        let secret = decode(&secret).map_err(|fault| KeyFault::Secret(place, fault))?;
        let algorithm = settings.algorithm.unwrap_or(KeyAlgorithm::HmacSha256);
        Ok(Self::new(&name, algorithm, &secret))
    }

    fn of_statement(statement: &Statement<'_>, path: &Path) -> Result<Self, KeyFault> {
        let at = |fault| KeyFault::InFile(path.to_owned(), fault);
        let algorithm = statement.algorithm().map_err(at)?;
        let secret = statement.secret().map_err(at)?;
        Ok(Self::new(statement.name(), algorithm, &secret))
    }

    /// A key from its parts.
    pub(crate) fn new(name: &Name, algorithm: KeyAlgorithm, secret: &[u8]) -> Self {
        let name = wire_name(name.as_ref())
            .try_to_name()
            .expect("255 octets hold every name");
        let key = tsig::Key::new(algorithm.of_library(), secret, name, None, None)
            .expect("signatures that are not shortened have a length that fits");
        Self(Arc::new(key))
    }

    /// Tells this key from all others of the process, also from those of the same name.
    pub(crate) fn number(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// The name of the key, without its final dot.
    pub(crate) fn name(&self) -> String {
        self.0.name().to_string()
    }
}

impl AsRef<tsig::Key> for Key {
    fn as_ref(&self) -> &tsig::Key {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} {})", self.0.name(), self.0.algorithm())
    }
}

impl KeyAlgorithm {
    fn of_library(self) -> tsig::Algorithm {
        match self {
            Self::HmacSha1 => tsig::Algorithm::Sha1,
            Self::HmacSha256 => tsig::Algorithm::Sha256,
            Self::HmacSha384 => tsig::Algorithm::Sha384,
            Self::HmacSha512 => tsig::Algorithm::Sha512,
        }
    }

    /// The algorithm with this name, in any letter case.
    fn from_text(text: &str) -> Option<Self> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let known = [
            ("hmac-sha1", Self::HmacSha1),
            ("hmac-sha256", Self::HmacSha256),
            ("hmac-sha384", Self::HmacSha384),
            ("hmac-sha512", Self::HmacSha512),
        ];
        let found = known
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text));
        found.map(|(_, algorithm)| *algorithm)
    }
}

fn key_name(text: &str) -> Result<Name, KeyFault> {
    text.parse()
        .map_err(|error| KeyFault::Name(text.to_owned(), error))
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, KeyFault> {
    let octets = read_secret(path)?;
    let text = str::from_utf8(&octets).or(Err(KeyFault::NoText(path.to_owned())))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn read_variable(variable: &str) -> Result<Zeroizing<String>, KeyFault> {
    match env::var(variable) {
        Ok(secret) if !secret.trim().is_empty() => Ok(Zeroizing::new(secret)),
        _ => Err(KeyFault::Variable),
    }
}

fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, SecretFault> {
    // `openssl rand -base64 64` prints two lines.
    let text: String = text.split_ascii_whitespace().collect();
    match STANDARD.decode(Zeroizing::new(text)).map(Zeroizing::new) {
        Ok(secret) if secret.is_empty() => Err(SecretFault::Empty),
        Ok(secret) => Ok(secret),
        // The library's own text shows an octet of the secret.
        Err(_) => Err(SecretFault::NotBase64),
    }
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyFault {
    #[error("it names neither a `file` nor a `name` with a `secret_file` or a `secret_env`")]
    Nothing,
    #[error("the secret stands in the configuration itself, as `secret`")]
    SecretInline,
    #[error("`{0}` stands beside `file`, which holds the whole key")]
    BesideFile(&'static str),
    #[error("its `name` is missing")]
    NoName,
    #[error("its secret is missing")]
    NoSecret,
    #[error("`secret_file` and `secret_env` are both given")]
    TwoSecrets,
    #[error("its name `{0}` is none")]
    Name(String, #[source] NameError),
    #[error(transparent)]
    File(#[from] FileFault),
    #[error("`{}` is no text", .0.display())]
    NoText(PathBuf),
    #[error("cannot take a key from `{}`", .0.display())]
    InFile(PathBuf, #[source] KeyFileFault),
    #[error("the environment variable that `secret_env` names is not set, or empty, or no text")]
    Variable,
    #[error("cannot take the secret from {0}")]
    Secret(SecretPlace, #[source] SecretFault),
}

impl KeyFault {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::SecretInline => Some(
                "write it to a file that only the janitor's user can read, name that file in \
                 `secret_file`, and make a new secret if the configuration was ever shared",
            ),
            Self::Nothing => Some("make a key with `tsig-keygen NAME > FILE` and set `file` to it"),
            Self::NoSecret => Some("set `secret_file` or `secret_env`"),
            Self::InFile(_, fault) => fault.hint(),
            _ => None,
        }
    }
}

/// Where a secret is.
#[derive(Debug)]
pub(crate) enum SecretPlace {
    File(PathBuf),
    Variable,
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "`{}`", path.display()),
            // Its name is covered in messages, being the value of a setting that is called a secret.
            Self::Variable => f.write_str("the environment variable that `secret_env` names"),
        }
    }
}

/// Why a text is no secret. It never shows the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SecretFault {
    #[error("the secret is empty")]
    Empty,
    #[error("the secret is no base64")]
    NotBase64,
}

#[cfg(test)]
mod tests;
