//! Why there is no token.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::token::GrantFault;

/// Why credentials give no token.
///
/// It is about whoever gives tokens, never about the service that the token is for: what that one would have
/// answered nobody knows.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {credentials}")]
pub(crate) struct TokenFault {
    /// Kind, file and account.
    credentials: Arc<str>,
    hint: Option<String>,
    #[source]
    cause: Cause,
}

impl TokenFault {
    pub(super) fn new(credentials: Arc<str>, cause: Cause, hint: Option<String>) -> Self {
        Self {
            credentials,
            hint,
            cause,
        }
    }

    /// What the operator can do about it.
    pub(crate) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub(super) const fn cause(&self) -> &Cause {
        &self.cause
    }
}

/// What went wrong. `place` is an address without whatever follows its path.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error("`{place}` answers {status}: {refusal}")]
    Refused {
        place: String,
        status: u16,
        refusal: Refusal,
    },
    #[error("cannot ask `{place}`")]
    Transport {
        place: String,
        #[source]
        source: reqwest::Error,
    },
    #[error("`{place}` gave no whole answer within {} seconds", .limit.as_secs_f64())]
    Late { place: String, limit: Duration },
    #[error("cannot read the answer of `{place}`")]
    Answer {
        place: String,
        #[source]
        source: AnswerFault,
    },
    #[error("cannot sign with the private key")]
    Sign,
    #[error("cannot read the token in `{}`", .path.display())]
    SubjectFile {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot take a token from `{place}`")]
    Subject {
        place: String,
        #[source]
        source: SubjectFault,
    },
    #[error("no credentials were found: {0}")]
    Nowhere(String),
}

/// What somebody who gives no token says about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// `error` of OAuth 2.0 (RFC 6749, section 5.2), or `error.status` of Google's interfaces.
    pub(super) code: String,
    pub(super) description: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.code.is_empty(), self.description.is_empty()) {
            (true, true) => f.write_str("(no reason given)"),
            (true, false) => f.write_str(&self.description),
            (false, true) => f.write_str(&self.code),
            (false, false) => write!(f, "{}: {}", self.code, self.description),
        }
    }
}

/// Why an answer cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnswerFault {
    #[error("it has more than {0} octets")]
    Long(usize),
    #[error("it is not the JSON that was expected, at line {line}, column {column}")]
    Json { line: usize, column: usize },
    #[error(transparent)]
    Grant(#[from] GrantFault),
    #[error("it lacks `Metadata-Flavor: Google`: something else than the metadata server answers")]
    Flavor,
    #[error("it names no service account")]
    NoAccount,
    #[error("it does not say when its token ends")]
    Ends,
}

/// Why something is no token of another identity provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SubjectFault {
    #[error("it is not text")]
    NoText,
    #[error("it is empty")]
    Empty,
    #[error("it has more than 64 KiB")]
    Long,
    #[error("it is no JSON object with the text that `subject_token_field_name` names")]
    NoField,
}
