//! Connections: TLS, proxies, how long they are kept.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use janitor_plugin_api::Error;
use reqwest::ClientBuilder;
use reqwest::redirect;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Who answers on this machine or next to it is asked without a proxy, all others as the environment says.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    pub(super) general: reqwest::Client,
    pub(super) direct: reqwest::Client,
}

/// The name that services know us by.
/// Google compresses for those alone who say in this place, too, that they can read it ("gzip" on the pages
/// "Performance tips" of its APIs).
const USER_AGENT: &str = concat!("gordon-janitor/", env!("CARGO_PKG_VERSION"), " (gzip)");

/// For how long a connection is kept that nobody uses. Google's front ends keep theirs for minutes, a NAT
/// between may not.
const IDLE: Duration = Duration::from_secs(60);

/// After how much silence a kept connection is probed.
const PROBE: Duration = Duration::from_secs(20);

impl Connections {
    /// With the certificates that the system trusts; `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them.
    ///
    /// # Errors
    ///
    /// [`Error::config`] if there are none, unless `is_plain` says that they are not needed.
    pub(super) fn new(timeout: Duration, is_plain: bool) -> Result<Self, Error> {
        let found = rustls_native_certs::load_native_certs();
        let mut authorities = RootCertStore::empty();
        let (added, _) = authorities.add_parsable_certificates(found.certs);
        if added == 0 && !is_plain {
            let reason = found.errors.into_iter().next().map(io::Error::other);
            return Err(Error::config(
                "cannot use TLS",
                NoAuthorities(reason),
            )
            .hint(
                "install them (`ca-certificates` in Debian), or name a file of them in SSL_CERT_FILE",
            ));
        }
        Self::trusting(authorities, timeout)
    }

    /// With these certificates.
    pub(super) fn trusting(authorities: RootCertStore, timeout: Duration) -> Result<Self, Error> {
        let broken = |e| Error::config("cannot prepare requests to Google", e);
        // A provider for these connections alone: the one of the whole library can be set but once, and
        // there may be several plugins in it.
        let provider = Arc::new(ring::default_provider());
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| Error::config("cannot prepare TLS", e))?
            .with_root_certificates(authorities)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            general: builder(tls.clone(), timeout).build().map_err(broken)?,
            direct: builder(tls, timeout).no_proxy().build().map_err(broken)?,
        })
    }
}

fn builder(tls: ClientConfig, timeout: Duration) -> ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(USER_AGENT)
        // A token goes to whom it is for, and nowhere else.
        .redirect(redirect::Policy::none())
        .referer(false)
        // Repetitions are ours alone.
        .retry(reqwest::retry::never())
        // Half, so that whoever waits for the answer sees this end first, and knows that nothing was sent.
        .connect_timeout(timeout / 2)
        .pool_idle_timeout(IDLE)
        .tcp_keepalive(PROBE)
        .tcp_keepalive_interval(PROBE)
}

#[derive(Debug, thiserror::Error)]
#[error("the system has no authorities that certificates could be measured by")]
struct NoAuthorities(#[source] Option<io::Error>);
