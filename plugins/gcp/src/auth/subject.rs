//! Tokens of other identity providers: where a workload finds its own.

use std::fmt;
use std::path::PathBuf;

use reqwest::header::HeaderMap;
use serde_json::Value;
use zeroize::Zeroizing;

use super::address;
use super::asking::{Asking, Question};
use super::fault::{Cause, SubjectFault};
use super::file;
use super::secret::Secret;
use crate::http::Url;

/// Where a token is. It is looked for anew each time: they live for minutes, and somebody else renews them.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) place: Place,
    pub(super) format: Format,
}

pub(super) enum Place {
    File(PathBuf),
    /// With what has to be said there, which may be a secret.
    Url(Url, HeaderMap),
}

/// How it is written there.
#[derive(Debug)]
pub(super) enum Format {
    Text,
    /// As the text of this field of an object.
    Json(String),
}

impl Subject {
    pub(super) async fn token(&self, asking: &Asking<'_>) -> Result<Secret, Cause> {
        let octets = match &self.place {
            Place::File(path) => {
                let content = file::read(path).map_err(|source| Cause::SubjectFile {
                    path: path.clone(),
                    source,
                })?;
                content.octets
            }
            Place::Url(url, headers) => {
                let mut question = Question::get(url).headers(headers);
                for value in headers.values().filter_map(|value| value.to_str().ok()) {
                    // `Metadata: True` is no secret, and what is as short is none either.
                    if value.len() > 8 {
                        question = question.hiding(&Secret::new(value.to_owned()));
                    }
                }
                // Only what is next to us is asked without TLS, and no proxy leads there.
                if url.scheme() == "http" {
                    question = question.direct();
                }
                let answer = asking.ask(&question).await?;
                Zeroizing::new(answer.body.to_vec())
            }
        };
        self.format.token(&octets).map_err(|source| Cause::Subject {
            place: self.place.to_string(),
            source,
        })
    }
}

impl Format {
    fn token(&self, octets: &[u8]) -> Result<Secret, SubjectFault> {
        let text = str::from_utf8(octets).or(Err(SubjectFault::NoText))?;
        let token = match self {
            Self::Text => text.trim().to_owned(),
            Self::Json(field) => {
                let mut object: Value =
                    serde_json::from_str(text).or(Err(SubjectFault::NoField))?;
                match object.get_mut(field).map(Value::take) {
                    Some(Value::String(token)) => token,
                    _ => return Err(SubjectFault::NoField),
                }
            }
        };
        if token.is_empty() {
            return Err(SubjectFault::Empty);
        }
        Ok(Secret::new(token))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Url(url, _) => f.write_str(&address::shown(url)),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

#[cfg(test)]
mod tests;
