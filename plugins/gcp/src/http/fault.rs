//! What goes wrong between us and a service of Google.

use super::page::PageFault;

/// Why there is no answer to a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// There is no token.
    #[error("cannot get an access token")]
    Token(#[source] std::sync::Arc<crate::auth::TokenFault>),
    /// The service said no.
    #[error("the service answers {status}: {message}")]
    Status {
        status: u16,
        /// `error.errors[0].reason`, or `error.status`; empty if there is none.
        reason: String,
        /// `error.message`, or the beginning of the body.
        message: String,
    },
    /// There was no whole answer.
    #[error("the request failed")]
    Transport(#[source] reqwest::Error),
    /// An answer that cannot be used.
    #[error("cannot read the answer")]
    Page {
        #[source]
        source: PageFault,
    },
}

impl Fault {
    pub(super) fn unsent(error: reqwest::Error) -> Self {
        Self::Transport(error.without_url())
    }

    pub(super) fn status(status: u16, body: &[u8]) -> Self {
        Self::Status {
            status,
            reason: String::new(),
            message: String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned(),
        }
    }

    /// The status of the service's answer. None for whatever went wrong elsewhere, at the token's
    /// endpoint above all.
    pub(crate) const fn answered(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the service may have done what was asked.
    pub(crate) const fn may_have_been_done(&self) -> bool {
        matches!(self, Self::Transport(_) | Self::Page { .. })
    }
}
