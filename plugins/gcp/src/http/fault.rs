//! What goes wrong between us and a service of Google.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use janitor_plugin_api::Error;
use tokio_rustls::rustls;

use super::answer::{Answer, Refusal};
use super::page::PageFault;
use super::text::shown;
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
    },
    /// The service, or somebody in its place, wants to be asked elsewhere. It is not: our token is not
    /// for others.
    #[error("the answer is a redirect ({status}) to {to}")]
    Redirect { status: u16, to: String },
    /// There was no whole answer.
    #[error(transparent)]
    Transport(#[from] TransportFault),
    /// An answer that is none of Google's.
    #[error("the answer is no JSON object but {content_type}, which begins: {beginning}")]
    NotJson {
        content_type: String,
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
            let content_type = match answer.content_type().as_str() {
                "" => "something that does not say what it is".to_owned(),
                content_type => format!("`{content_type}`"),
            };
            let beginning = answer.beginning(secrets);
            return Self::NotJson {
                content_type,
                beginning,
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
        }
    }

    /// The status of the service's answer, 429 for a 403 that is about the rate of requests. None for
    /// whatever went wrong elsewhere, at the token's endpoint above all.
    pub(crate) fn answered(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            Self::GivenUp { last, .. } => last.answered(),
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
            Self::GivenUp { last, .. } => last.reason(),
            _ => None,
        }
    }

    /// Whether the service may have done what was asked.
    pub(crate) fn may_have_been_done(&self) -> bool {
        match self {
            Self::Token(_) | Self::TokenLate(_) | Self::Redirect { .. } | Self::Cancelled => false,
            // 503 says that the service is not able to, but not since when.
            Self::Status { status, .. } => *status == 408 || *status >= 500,
            Self::Transport(fault) => fault.may_have_been_sent(),
            Self::NotJson { .. } | Self::Page { .. } => true,
            Self::GivenUp { last, .. } => last.may_have_been_done(),
        }
    }

    /// What the operator can do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Token(fault) => return fault.hint().map(str::to_owned),
            Self::GivenUp { last, .. } => return last.hint(),
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

/// Why there was no whole answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportFault {
    #[error("cannot connect to `{host}`")]
    Connect {
        host: String,
        #[source]
        source: Detail,
    },
    #[error("no TLS with `{host}`")]
    Tls {
        host: String,
        is_certificate: bool,
        #[source]
        source: Detail,
    },
    #[error("`{host}` is silent for {} s (`timeout`)", .limit.as_secs_f64())]
    Silence { host: String, limit: Duration },
    #[error("`{host}` did not answer to the end within {} s (`deadline`)", .limit.as_secs_f64())]
    Late { host: String, limit: Duration },
    #[error("the answer of `{host}` has more than {limit} octets")]
    Large { host: String, limit: usize },
    #[error("the exchange with `{host}` broke off")]
    Broken {
        host: String,
        #[source]
        source: Detail,
    },
}

/// The innermost cause that a library has to tell: those around it say where in the library it was.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Detail(String);

impl TransportFault {
    /// What `error` says about an exchange with `host`.
    pub(super) fn of(error: &reqwest::Error, host: &str) -> Self {
        let host = host.to_owned();
        let mut innermost: &(dyn std::error::Error + 'static) = error;
        let mut tls = None;
        while let Some(source) = innermost.source() {
            innermost = source;
            // An error of I/O has its own cause inside, where `source` passes it over.
            let inside = source
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref);
            if let Some(inside) = inside {
                tls = tls.or_else(|| inside.downcast_ref::<rustls::Error>());
            }
            tls = tls.or_else(|| source.downcast_ref::<rustls::Error>());
        }
        let source = Detail(shown(&innermost.to_string(), &[]));
        match tls {
            Some(tls) => Self::Tls {
                host,
                is_certificate: matches!(tls, rustls::Error::InvalidCertificate(_)),
                source: Detail(shown(&tls.to_string(), &[])),
            },
            None if error.is_connect() => Self::Connect { host, source },
            None => Self::Broken { host, source },
        }
    }

    /// Whether the same may go well in a moment.
    pub(super) const fn may_pass(&self) -> bool {
        !matches!(
            self,
            Self::Tls { .. } | Self::Large { .. } | Self::Late { .. }
        )
    }

    /// Whether the request may have got to whom it was for.
    pub(super) const fn may_have_been_sent(&self) -> bool {
        !matches!(self, Self::Connect { .. } | Self::Tls { .. })
    }

    const fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Connect { .. } => {
                "look whether the endpoint can be reached from here; if only by a proxy, HTTPS_PROXY names it"
            }
            Self::Tls {
                is_certificate: true,
                ..
            } => {
                "the authority that signed the certificate has to be among the system's, or in the file that \
                 SSL_CERT_FILE names; a proxy that reads along has one of its own"
            }
            Self::Tls { .. } => "look whether the endpoint is one for `https://`",
            Self::Silence { .. } | Self::Late { .. } | Self::Large { .. } | Self::Broken { .. } => {
                return None;
            }
        })
    }
}
