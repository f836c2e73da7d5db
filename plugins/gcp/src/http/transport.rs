//! What goes wrong on the way to a service and back.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use tokio_rustls::rustls::{self, CertificateError};

use super::text::shown;

/// Why there was no whole answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportFault {
    #[error("cannot connect to `{host}`")]
    Connect {
        host: String,
        #[source]
        source: Detail,
    },
    /// The proxy in between does not connect us.
    #[error("cannot get past the proxy to `{host}`")]
    Proxy {
        host: String,
        wants_a_login: bool,
        #[source]
        source: Detail,
    },
    #[error("no TLS with `{host}`")]
    Tls {
        host: String,
        hint: &'static str,
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
        let innermost = links(error).last().map(ToString::to_string);
        let innermost = innermost.unwrap_or_default();
        let source = Detail(shown(&innermost, &[]));
        if !error.is_connect() {
            return Self::Broken { host, source };
        }
        match links(error).find_map(tls_error) {
            Some(tls) => Self::Tls {
                host,
                hint: tls_hint(tls),
                source: Detail(shown(&tls.to_string(), &[])),
            },
            // The type of this error is not public.
            None if innermost.starts_with("tunnel error: ") => Self::Proxy {
                host,
                wants_a_login: innermost.ends_with("proxy authorization required"),
                source,
            },
            None => Self::Connect { host, source },
        }
    }

    /// Whether the same may go well in a moment.
    pub(super) const fn may_pass(&self) -> bool {
        !matches!(
            self,
            Self::Proxy {
                wants_a_login: true,
                ..
            } | Self::Tls { .. }
                | Self::Large { .. }
                | Self::Late { .. }
        )
    }

    /// Whether the request may have got to whom it was for.
    pub(super) const fn may_have_been_sent(&self) -> bool {
        !matches!(
            self,
            Self::Connect { .. } | Self::Proxy { .. } | Self::Tls { .. }
        )
    }

    pub(super) const fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Connect { .. } => {
                "look whether the endpoint can be reached from here; if only by a proxy, HTTPS_PROXY names it"
            }
            Self::Proxy { .. } => {
                "HTTPS_PROXY names the proxy, as `http://user:password@host:port` if it wants to know who is \
                 there, and NO_PROXY whom it is not for"
            }
            Self::Tls { hint, .. } => hint,
            Self::Large { .. } => {
                "ask for less at once: a smaller `page_size`, where the plugin has one"
            }
            Self::Silence { .. } | Self::Late { .. } | Self::Broken { .. } => {
                return None;
            }
        })
    }
}

/// `error` and its causes.
fn links<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&link| link.source())
}

/// What TLS has to say in one link. An error of I/O has its own cause inside, where `source` passes it over,
/// and that may be another one of I/O.
fn tls_error<'a>(link: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut io = link.downcast_ref::<io::Error>();
    while let Some(inside) = io.and_then(io::Error::get_ref) {
        if let Some(error) = inside.downcast_ref() {
            return Some(error);
        }
        io = inside.downcast_ref();
    }
    link.downcast_ref()
}

const fn tls_hint(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(fault) => match fault {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "`endpoints` has to call the service by a name that its certificate bears"
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => {
                "either the certificate is out of date or the clock of this machine"
            }
            _ => {
                "the authority that signed the certificate has to be among the system's, or in the file that \
                 SSL_CERT_FILE names; a proxy that reads along has one of its own"
            }
        },
        _ => "look whether the endpoint is one for `https://`",
    }
}
