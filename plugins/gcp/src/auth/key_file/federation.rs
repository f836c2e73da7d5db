//! Files of the type `external_account` (AIP-4117).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{KeyFileFault, parsed, required, url_of};
use crate::auth::address::Clear;
use crate::auth::federation::{Client, Federation};
use crate::auth::impersonation::{self, Impersonation};
use crate::auth::secret::Secret;
use crate::auth::subject::{Format, Place, Subject};

#[derive(Deserialize)]
struct ExternalAccountFile {
    audience: Option<String>,
    subject_token_type: Option<String>,
    token_url: Option<String>,
    credential_source: Option<SourceFile>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    workforce_pool_user_project: Option<String>,
    service_account_impersonation_url: Option<String>,
    service_account_impersonation: Option<ImpersonationFile>,
}

#[derive(Deserialize)]
struct SourceFile {
    environment_id: Option<IgnoredAny>,
    executable: Option<IgnoredAny>,
    certificate: Option<IgnoredAny>,
    file: Option<PathBuf>,
    url: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, Secret>,
    format: Option<FormatFile>,
}

#[derive(Deserialize)]
struct FormatFile {
    #[serde(rename = "type")]
    format_type: Option<String>,
    subject_token_field_name: Option<String>,
}

#[derive(Deserialize)]
struct ImpersonationFile {
    token_lifetime_seconds: Option<u64>,
}

/// The identity that `json` describes.
pub(super) fn read(
    json: &[u8],
    resolve: &dyn Fn(&Path) -> PathBuf,
) -> Result<Federation, KeyFileFault> {
    let file: ExternalAccountFile = parsed(json)?;
    let token_url = required(file.token_url, "token_url")?;
    let source = required(file.credential_source, "credential_source")?;
    let lifetime = lifetime(file.service_account_impersonation.as_ref())?;
    let impersonation = match file.service_account_impersonation_url {
        None => None,
        Some(url) => Some(Impersonation {
            url: url_of(&url, "service_account_impersonation_url", Clear::Machine)?,
            delegates: Vec::new(),
            lifetime,
        }),
    };
    Ok(Federation {
        audience: required(file.audience, "audience")?,
        subject_token_type: required(file.subject_token_type, "subject_token_type")?,
        subject: subject(source, resolve)?,
        token_url: url_of(&token_url, "token_url", Clear::Machine)?,
        client: match (file.client_id, file.client_secret) {
            (Some(id), Some(secret)) => Some(Client { id, secret }),
            _ => None,
        },
        user_project: file.workforce_pool_user_project,
        impersonation,
    })
}

fn subject(
    source: SourceFile,
    resolve: &dyn Fn(&Path) -> PathBuf,
) -> Result<Subject, KeyFileFault> {
    let unsupported = [
        (
            source.environment_id.is_some(),
            "an identity of AWS (`environment_id`)",
        ),
        (
            source.executable.is_some(),
            "the output of a program (`executable`)",
        ),
        (
            source.certificate.is_some(),
            "a certificate (`certificate`)",
        ),
    ];
    if let Some((_, what)) = unsupported.iter().find(|(is_there, _)| *is_there) {
        return Err(KeyFileFault::SubjectSource(what));
    }
    let place = match (source.file, source.url) {
        // AIP-4117: the file takes precedence.
        (Some(path), _) => Place::File(resolve(&path)),
        (None, Some(url)) => {
            let url = url_of(&url, "credential_source.url", Clear::Link)?;
            Place::Url(url, headers(&source.headers)?)
        }
        (None, None) => return Err(KeyFileFault::Missing("credential_source.file")),
    };
    let format = match source.format {
        None => Format::Text,
        Some(format) => match (
            format.format_type.as_deref(),
            format.subject_token_field_name,
        ) {
            (None | Some("text"), _) => Format::Text,
            (Some("json"), Some(field)) => Format::Json(field),
            _ => return Err(KeyFileFault::Format),
        },
    };
    Ok(Subject { place, format })
}

fn headers(headers: &BTreeMap<String, Secret>) -> Result<HeaderMap, KeyFileFault> {
    let headers = headers.iter().map(|(name, value)| {
        let header = HeaderName::try_from(name).ok();
        let value = HeaderValue::from_str(value.reveal()).ok();
        header
            .zip(value)
            .ok_or_else(|| KeyFileFault::Header(name.clone()))
    });
    headers.collect()
}

/// What IAM allows: `service_account_impersonation.token_lifetime_seconds` of AIP-4117.
fn lifetime(file: Option<&ImpersonationFile>) -> Result<Duration, KeyFileFault> {
    match file.and_then(|file| file.token_lifetime_seconds) {
        None => Ok(impersonation::LIFETIME),
        Some(seconds @ 600..=43200) => Ok(Duration::from_secs(seconds)),
        Some(_) => Err(KeyFileFault::Lifetime),
    }
}
