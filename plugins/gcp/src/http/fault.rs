//! What goes wrong between us and a service of Google.

use std::sync::Arc;
use std::time::Duration;

use janitor_plugin_api::Error;

use super::answer::{Answer, Part, Refusal};
use super::page::PageFault;
use super::request::Request;
use super::text::shown;
use super::transport::TransportFault;
use crate::auth::TokenFault;

/// Why there is no answer to a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// There is no token.
    #[error("cannot get an access token")]
    Token(#[source] Arc<TokenFault>),
    /// There was none in time.
    #[error("no access token was to be had within {} s (`deadline`)", .0.as_secs_f64())]
    TokenLate(Duration),
    /// The service said no.
    #[error(
        "the service answers {status}{}{}",
        in_brackets(reason),
        behind_colon(message)
    )]
    Status {
        status: u16,
        /// `error.errors[].reason`, that of `error.details[]`, or `error.status`; empty if there is none.
        reason: String,
        /// `error.message`, or the beginning of the body.
        message: String,
        /// Everything that is wrong, where that is told piece by piece: `error.errors[]`.
        parts: Vec<Part>,
    },
    /// The service, or somebody in its place, wants to be asked elsewhere. It is not: our token is not
    /// for others.
    #[error("the answer is a redirect ({status}) to {to}")]
    Redirect { status: u16, to: String },
    /// There was no whole answer.
    #[error(transparent)]
    Transport(#[from] TransportFault),
    /// An answer that is none of Google's.
    #[error("{}", no_object(content_type, beginning))]
    NotJson {
        /// Empty if it does not say.
        content_type: String,
        /// Empty if all of it is.
        beginning: String,
    },
    /// An answer that cannot be used.
    #[error("cannot read the answer")]
    Page {
        #[source]
        source: PageFault,
    },
    /// What happened again and again, until no time was left.
    #[error("{}", given_up(*attempts, *asked, *deadline))]
    GivenUp {
        attempts: u32,
        /// The pause that the service asked for.
        asked: Option<Duration>,
        deadline: Duration,
        #[source]
        last: Box<Self>,
    },
    /// What ended a request of which an attempt had been lost that may have done what was asked for: what
    /// the last one came to does not say that nothing was done.
    #[error("it may have been done by an attempt that got no clear answer")]
    InDoubt {
        #[source]
        last: Box<Self>,
    },
    /// The run was cancelled first.
    #[error("the run was cancelled")]
    Cancelled,
}

fn in_brackets(reason: &str) -> String {
    match reason {
        "" => String::new(),
        reason => format!(" ({reason})"),
    }
}

fn behind_colon(message: &str) -> String {
    match message {
        "" => String::new(),
        message => format!(": {message}"),
    }
}

fn no_object(content_type: &str, beginning: &str) -> String {
    match (content_type, beginning) {
        (_, "") => "the answer is empty, and ought to be a JSON object".to_owned(),
        ("", beginning) => format!("the answer is no JSON object; it begins: {beginning}"),
        (content_type, beginning) => {
            format!("the answer is no JSON object but `{content_type}`, which begins: {beginning}")
        }
    }
}

fn given_up(attempts: u32, asked: Option<Duration>, deadline: Duration) -> String {
    let deadline = deadline.as_secs_f64();
    let tried = match attempts {
        0 | 1 => "not tried again".to_owned(),
        attempts => format!("given up after {attempts} attempts"),
    };
    match asked {
        Some(asked) => format!(
            "{tried}: the service asks for a pause of {} s, too long for `deadline = {deadline}`",
            asked.as_secs_f64()
        ),
        None => format!("{tried}: no time is left for another (`deadline = {deadline}`)"),
    }
}

impl Fault {
    /// What an answer says that does not give what was asked for. `secrets` are covered in it.
    pub(super) fn of(answer: &Answer, secrets: &[&str]) -> Self {
        let status = answer.status;
        if answer.is_redirect() {
            let to = match answer.location().map(reqwest::Url::parse) {
                Some(Ok(url)) if url.has_host() => {
                    format!("`{}`", url.host_str().unwrap_or_default())
                }
                Some(_) => "another path".to_owned(),
                None => "nowhere".to_owned(),
            };
            return Self::Redirect { status, to };
        }
        if answer.is_success() {
            return Self::NotJson {
                content_type: answer.content_type(),
                beginning: answer.beginning(secrets),
            };
        }
        let refusal = Refusal::of(answer);
        let message = match refusal.message.as_str() {
            "" if refusal.reason.is_empty() => answer.beginning(secrets),
            message => shown(message, secrets),
        };
        Self::Status {
            // What waiting would mend must not be taken for a refusal.
            status: if status == 403 && refusal.is_about_rate() {
                429
            } else {
                status
            },
            reason: shown(&refusal.reason, secrets),
            message,
            parts: refusal
                .parts
                .iter()
                .map(|part| Part {
                    reason: shown(&part.reason, secrets),
                    message: shown(&part.message, secrets),
                })
                .collect(),
        }
    }

    /// The status of the service's answer, 429 for a 403 that is about the rate of requests. None for
    /// whatever went wrong elsewhere, at the token's endpoint above all.
    pub(crate) fn answered(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            Self::GivenUp { last, .. } | Self::InDoubt { last } => last.answered(),
            _ => None,
        }
    }

    /// What happened in the end, without how often it had been tried.
    pub(crate) fn last(self) -> Self {
        match self {
            Self::GivenUp { last, .. } => *last,
            fault => fault,
        }
    }

    /// The reason that the service gave, in one word.
    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::Status { reason, .. } => Some(reason),
            Self::GivenUp { last, .. } | Self::InDoubt { last } => last.reason(),
            _ => None,
        }
    }

    /// Everything that the service says is wrong; at least one if it gave a status.
    pub(crate) fn parts(&self) -> Vec<Part> {
        match self {
            Self::Status {
                reason,
                message,
                parts,
                ..
            } if parts.is_empty() => vec![Part {
                reason: reason.clone(),
                message: message.clone(),
            }],
            Self::Status { parts, .. } => parts.clone(),
            Self::GivenUp { last, .. } | Self::InDoubt { last } => last.parts(),
            _ => Vec::new(),
        }
    }

    /// Whether the service may have done what was asked, at whatever attempt.
    pub(crate) fn may_have_been_done(&self) -> bool {
        match self {
            Self::Token(_) | Self::TokenLate(_) | Self::Redirect { .. } | Self::Cancelled => false,
            // 503 says that the service is not able to, but not since when.
            Self::Status { status, .. } => *status == 408 || *status >= 500,
            Self::Transport(fault) => fault.may_have_been_sent(),
            Self::NotJson { .. } | Self::Page { .. } | Self::InDoubt { .. } => true,
            Self::GivenUp { last, .. } => last.may_have_been_done(),
        }
    }

    /// This fault of `request`, told as one in doubt if an earlier attempt left some.
    pub(super) fn ending(self, request: &Request) -> Self {
        if request.is_in_doubt.get() && !self.may_have_been_done() {
            let last = Box::new(self);
            return Self::InDoubt { last };
        }
        self
    }

    /// What the operator can do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Token(fault) => return fault.hint().map(str::to_owned),
            Self::GivenUp { last, .. } | Self::InDoubt { last } => return last.hint(),
            Self::Status { status, reason, .. } => {
                return status_hint(*status, reason).map(str::to_owned);
            }
            Self::Redirect { .. } => {
                "Google's services do not redirect: look at `endpoints`, and at what lies between here and \
                 there"
            }
            Self::NotJson { .. } => {
                "something else than Google answers, such as a proxy that wants a login: look at `endpoints` \
                 and at HTTPS_PROXY"
            }
            Self::Transport(fault) => return fault.hint().map(str::to_owned),
            Self::TokenLate(_) | Self::Page { .. } | Self::Cancelled => return None,
        };
        Some(hint.to_owned())
    }

    /// The error that a plugin returns: of a kind that a later run may mend. `context` is what could not be
    /// done, as in "cannot read the record sets of `example.com.`".
    pub(crate) fn into_error(self, context: impl Into<String>) -> Error {
        if matches!(self, Self::Cancelled) {
            return Error::cancelled(context);
        }
        let hint = self.hint();
        let error = Error::retry(context, self);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

fn status_hint(status: u16, reason: &str) -> Option<&'static str> {
    Some(match (status, reason) {
        (_, "accessNotConfigured" | "SERVICE_DISABLED") => {
            "enable the service's API in the project (`gcloud services enable`), and wait for some minutes"
        }
        (_, "insufficientPermissions" | "ACCESS_TOKEN_SCOPE_INSUFFICIENT") => {
            "the token allows less than this: look at `scopes`, and on a machine of Google's at its access \
             scopes"
        }
        (_, "dailyLimitExceeded" | "quotaExceeded") => {
            "a quota of the project is used up: the console's page `Quotas` shows and raises it"
        }
        (401, _) => {
            "the token is refused: look whether the credentials are still those of an active account"
        }
        (403, _) => {
            "give the account a role that allows this; docs/plugins/gcp.md says which ones are needed"
        }
        (404, _) => "look at the names, and whether the account may see the project",
        (407, _) => {
            "the proxy wants to know who is there: HTTPS_PROXY takes `http://user:password@host:port`"
        }
        (429, _) => "too many requests for the project's quota: raise it, or run less often",
        _ => return None,
    })
}
