//! Why there is no token.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::file::FileFault;
use super::token::GrantFault;
use crate::http::Fault;

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

    /// Whether nothing went wrong but that the run was cancelled.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cause.is_cancelled()
    }
}

/// What went wrong. `place` is an address without whatever follows its path.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error(transparent)]
    Refused(Refused),
    #[error("cannot ask `{place}`")]
    Asking {
        place: String,
        #[source]
        source: Box<Fault>,
    },
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
        source: FileFault,
    },
    #[error("cannot take a token from `{place}`")]
    Subject {
        place: String,
        #[source]
        source: SubjectFault,
    },
    #[error("none were found: {looked_at}, and no metadata server answers within {} s", .limit.as_secs_f64())]
    Nowhere {
        looked_at: String,
        limit: Duration,
        /// None if it is no more than that.
        #[source]
        source: Option<Box<Self>>,
    },
}

/// What somebody says who gives no token.
#[derive(Debug, thiserror::Error)]
#[error("`{place}` answers {status}{}", in_words(reason, description))]
pub(crate) struct Refused {
    pub(super) place: String,
    pub(super) status: u16,
    /// `error` of OAuth 2.0 (RFC 6749, section 5.2), or what Google's interfaces have in its place.
    pub(super) reason: String,
    pub(super) description: String,
}

fn in_words(reason: &str, description: &str) -> String {
    match (reason, description) {
        ("", "") => String::new(),
        (reason, "") => format!(": {reason}"),
        ("", description) => format!(": {description}"),
        (reason, description) => format!(" ({reason}): {description}"),
    }
}

/// Why an answer cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnswerFault {
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
    #[error("it is no JSON object with the text that `subject_token_field_name` names")]
    NoField,
}
