//! Files with credentials as Google's tools write them: JSON with a `type`.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::address::{self, AddressFault, Clear};
use super::file::{self, FileFault};
use super::impersonation::{self, Impersonation};
use super::secret::Secret;
use super::service_account::{PrivateKeyFault, ServiceAccount, private_key};
use super::source::{Key, Kind};
use super::user::User;
use crate::http::Url;

mod federation;

/// Where tokens are had if a file of Google's does not say it.
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// Where Google's services are, unless a file says otherwise.
const UNIVERSE: &str = "googleapis.com";

/// Credentials from a file.
#[derive(Debug)]
pub(super) struct KeyFile {
    pub(super) kind: Kind,
    pub(super) quota_project: Option<String>,
    /// Where the services are that take these tokens, if not at googleapis.com.
    pub(super) universe: Option<String>,
}

/// What files of all types have.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    file_type: Option<String>,
    quota_project_id: Option<String>,
    universe_domain: Option<String>,
    /// What the console gives for a program that people log in with is no credentials.
    installed: Option<IgnoredAny>,
    web: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct ServiceAccountFile {
    client_email: Option<String>,
    private_key_id: Option<String>,
    private_key: Option<Secret>,
    token_uri: Option<String>,
}

#[derive(Deserialize)]
struct UserFile {
    client_id: Option<String>,
    client_secret: Option<Secret>,
    refresh_token: Option<Secret>,
    token_uri: Option<String>,
}

#[derive(Deserialize)]
struct ImpersonatedFile<'a> {
    service_account_impersonation_url: Option<String>,
    #[serde(default)]
    delegates: Vec<String>,
    #[serde(borrow)]
    source_credentials: Option<&'a RawValue>,
}

/// Reads the file at `path`. Paths in it are made absolute by `resolve`.
///
/// # Errors
///
/// [`KeyFileFault`], which shows nothing secret of it.
pub(super) fn read(
    path: &Path,
    resolve: &dyn Fn(&Path) -> PathBuf,
) -> Result<KeyFile, KeyFileFault> {
    let content = file::read(path)?;
    let head: Head = parsed(&content.octets)?;
    if head.installed.is_some() || head.web.is_some() {
        return Err(KeyFileFault::ClientId);
    }
    let universe = head.universe_domain.filter(|universe| universe != UNIVERSE);
    let kind = match head.file_type.as_deref() {
        Some("impersonated_service_account") => impersonated(&content.octets, resolve)?,
        Some(file_type) => Kind::Own(key(file_type, &content.octets, resolve)?),
        None => return Err(KeyFileFault::Missing("type")),
    };
    if kind.has_secret() {
        content.warn_if_open(path);
    }
    Ok(KeyFile {
        kind,
        quota_project: head.quota_project_id.filter(|project| !project.is_empty()),
        universe,
    })
}

fn key(
    file_type: &str,
    json: &[u8],
    resolve: &dyn Fn(&Path) -> PathBuf,
) -> Result<Key, KeyFileFault> {
    match file_type {
        "service_account" => service_account(json).map(Key::ServiceAccount),
        "authorized_user" => user(json).map(Key::User),
        "external_account" => federation::read(json, resolve).map(Key::Federation),
        other => Err(KeyFileFault::Type(other.to_owned())),
    }
}

fn service_account(json: &[u8]) -> Result<ServiceAccount, KeyFileFault> {
    let file: ServiceAccountFile = parsed(json)?;
    let pem = required(file.private_key, "private_key")?;
    Ok(ServiceAccount {
        email: required(file.client_email, "client_email")?,
        key_id: file.private_key_id,
        key: private_key(pem.reveal()).map_err(KeyFileFault::PrivateKey)?,
        token_uri: token_uri(file.token_uri)?,
    })
}

fn user(json: &[u8]) -> Result<User, KeyFileFault> {
    let file: UserFile = parsed(json)?;
    Ok(User {
        client_id: required(file.client_id, "client_id")?,
        client_secret: required(file.client_secret, "client_secret")?,
        refresh_token: required(file.refresh_token, "refresh_token")?,
        token_uri: token_uri(file.token_uri)?,
    })
}

fn impersonated(json: &[u8], resolve: &dyn Fn(&Path) -> PathBuf) -> Result<Kind, KeyFileFault> {
    let file: ImpersonatedFile<'_> = parsed(json)?;
    let source = required(file.source_credentials, "source_credentials")?;
    let source = source.get().as_bytes();
    let head: Head = parsed(source)?;
    let source_type = required(head.file_type, "source_credentials.type")?;
    let url = required(
        file.service_account_impersonation_url,
        "service_account_impersonation_url",
    )?;
    Ok(Kind::Impersonated {
        by: key(&source_type, source, resolve)?,
        account: Impersonation {
            url: url_of(&url, "service_account_impersonation_url", Clear::Machine)?,
            delegates: file.delegates,
            lifetime: impersonation::LIFETIME,
        },
    })
}

fn token_uri(text: Option<String>) -> Result<Url, KeyFileFault> {
    let text = text.unwrap_or_else(|| TOKEN_URI.to_owned());
    url_of(&text, "token_uri", Clear::Machine)
}

fn url_of(text: &str, field: &'static str, clear: Clear) -> Result<Url, KeyFileFault> {
    address::checked(text, clear).map_err(|fault| KeyFileFault::Address(field, fault))
}

fn required<T>(value: Option<T>, field: &'static str) -> Result<T, KeyFileFault> {
    value.ok_or(KeyFileFault::Missing(field))
}

fn parsed<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, KeyFileFault> {
    serde_json::from_slice(json).map_err(|error| KeyFileFault::Json {
        // The library's own text may show a value, and a value may be a secret.
        what: match error.classify() {
            serde_json::error::Category::Data => "has a value of another type than it should",
            _ => "is no JSON",
        },
        line: error.line(),
        column: error.column(),
    })
}

/// Why a file has no credentials that can be used. None of it shows a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyFileFault {
    #[error(transparent)]
    File(#[from] FileFault),
    #[error("line {line}, column {column} {what}")]
    Json {
        what: &'static str,
        line: usize,
        column: usize,
    },
    #[error("it has no `{0}`")]
    Missing(&'static str),
    #[error("credentials of the type `{0}` are not known here")]
    Type(String),
    #[error("it is the client ID of a program that people log in with, which is no credentials")]
    ClientId,
    #[error("its `private_key` cannot be used")]
    PrivateKey(#[source] PrivateKeyFault),
    #[error("its `{0}` cannot be used")]
    Address(&'static str, #[source] AddressFault),
    #[error("its `credential_source` is {0}, which is not supported")]
    SubjectSource(&'static str),
    #[error("its `credential_source.headers` has `{0}`, which is no header")]
    Header(String),
    #[error(
        "its `credential_source.format` is neither `text`, nor `json` with a `subject_token_field_name`"
    )]
    Format,
    #[error("its `token_lifetime_seconds` is not between 600 and 43200")]
    Lifetime,
    #[error("its `universe_domain` is `{0}`, while one of `endpoints` is at googleapis.com")]
    Universe(String),
}

impl KeyFileFault {
    pub(super) const fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Type(_) => {
                "known are `service_account`, `authorized_user`, `external_account` and \
                 `impersonated_service_account`"
            }
            Self::ClientId => {
                "make a key of a service account: `gcloud iam service-accounts keys create FILE --iam-account EMAIL`"
            }
            Self::PrivateKey(_) => {
                "download the key again, whole: the private key is one line with `\\n` for its line breaks"
            }
            Self::SubjectSource(_) => {
                "have the workload's token written to a file, or served by HTTP on this machine, and make the \
                 configuration with `gcloud iam workload-identity-pools create-cred-config` and \
                 `--credential-source-file` or `--credential-source-url`"
            }
            Self::Universe(_) => "set all four `endpoints` to the services of that universe",
            Self::File(_)
            | Self::Json { .. }
            | Self::Missing(_)
            | Self::Address(..)
            | Self::Header(_)
            | Self::Format
            | Self::Lifetime => return None,
        })
    }
}

#[cfg(test)]
mod tests;
