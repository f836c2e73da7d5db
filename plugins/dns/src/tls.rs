//! TLS below the messages: transfers and updates that nobody else reads (RFC 7858, RFC 9103).
//!
//! TLS 1.3 and nothing older: zone transfers have to (RFC 9103, section 7.2), and every server that
//! offers TLS has it. The ALPN token `dot` is offered (section 7.1): BIND transfers nothing without it. That
//! it be selected, as the same section wants, is not insisted on: NSD 4.6 selects nothing.
//!
//! A server is known by a certificate that an authority signed and that bears its name, by a
//! certificate that stands in `ca_file` itself, or by a pin alone (RFC 8310, section 8).

mod verifier;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use janitor_plugin_api::Error;
use janitor_plugin_api::settings::{Part, SettingType};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{
    self, AlertDescription, CertificateError, ClientConfig, RootCertStore, version,
};

use self::verifier::{PinFault, Verifier};
use crate::file::{self, FileFault, read_secret};
use crate::settings::ServerHost;

/// How a server is reached by TLS. An empty table is enough where the system knows the authority that
/// signed the server's certificate.
#[janitor_plugin_api::settings]
#[derive(Clone, Debug)]
pub(crate) struct TlsSettings {
    /// File of the certificates that are trusted, in PEM: an authority's, or the server's own. By
    /// default the system's authorities.
    ca_file: Option<PathBuf>,
    /// The name that the server's certificate has to bear; by default what `servers` calls it.
    server_name: Option<String>,
    /// The server's public key, as base64 of the SHA-256 of its SubjectPublicKeyInfo; one of several is
    /// enough. Without `ca_file` nothing else is looked at in the certificate.
    #[setting(default)]
    pins: Vec<Pin>,
    /// File of our own certificate and those between it and its authority, in PEM, for servers that ask
    /// for one.
    certificate: Option<PathBuf>,
    /// File of the private key of `certificate`, in PEM.
    key: Option<PathBuf>,
}

/// A digest of a public key (RFC 7858, section 4.2).
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Pin([u8; 32]);

impl SettingType for Pin {
    const SCHEMA: &'static [Part] = String::SCHEMA;
}

impl TryFrom<String> for Pin {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let text = text.strip_prefix("sha256/").unwrap_or(&text);
        let octets = STANDARD.decode(text).ok();
        let octets = octets.and_then(|octets| octets.try_into().ok());
        octets
            .map(Self)
            .ok_or("a pin is base64 of the 32 octets of a SHA-256, 44 characters")
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What connections by TLS need. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
    name: Option<ServerName<'static>>,
}

impl Tls {
    /// What `settings` describe; `setting` is what they are called in messages, and `resolve` makes paths
    /// absolute.
    ///
    /// # Errors
    ///
    /// [`Error::config`] for a file that cannot be read or holds something else, a name that is none,
    /// and a system without authorities.
    pub(crate) fn new(
        settings: &TlsSettings,
        setting: &str,
        resolve: impl Fn(&Path) -> PathBuf,
    ) -> Result<Self, Error> {
        Self::load(settings, resolve).map_err(|fault| {
            let hint = fault.hint();
            let error = Error::config(format!("cannot use `{setting}`"), fault);
            match hint {
                Some(hint) => error.hint(hint),
                None => error,
            }
        })
    }

    fn load(
        settings: &TlsSettings,
        resolve: impl Fn(&Path) -> PathBuf,
    ) -> Result<Self, TlsSettingsFault> {
        let name = settings.server_name.as_ref().map(|name| {
            let server_name = ServerName::try_from(name.clone());
            server_name.or(Err(TlsSettingsFault::Name(name.clone())))
        });
        let name = name.transpose()?;
        let provider = Arc::new(ring::default_provider());
        let ca_file = settings.ca_file.as_deref().map(&resolve);
        let verifier = Verifier::new(
            Arc::clone(&provider),
            Trusted::load(ca_file.as_deref(), &settings.pins)?,
            settings.pins.clone(),
        );
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13])
            .expect("the provider has suites for TLS 1.3")
            .dangerous() // The verifier looks at whole chains, and beyond: at pins.
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match (&settings.certificate, &settings.key) {
            (None, None) => builder.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let (certificate, key) = (resolve(certificate), resolve(key));
                let chain = certificates(&certificate)?;
                let private = PrivateKeyDer::from_pem_slice(&read_secret(&key)?)
                    .map_err(|error| TlsSettingsFault::pem(&key, "private key", &error))?;
                builder
                    .with_client_auth_cert(chain, private)
                    .map_err(|error| TlsSettingsFault::Pair(certificate, error))?
            }
            (Some(_), None) => return Err(TlsSettingsFault::Alone("certificate", "key")),
            (None, Some(_)) => return Err(TlsSettingsFault::Alone("key", "certificate")),
        };
        config.alpn_protocols = vec![b"dot".to_vec()];
        Ok(Self {
            config: Arc::new(config),
            name,
        })
    }

    /// Tells this configuration from all others of the process.
    pub(crate) fn number(&self) -> usize {
        Arc::as_ptr(&self.config).addr()
    }

    /// Shakes hands with the server at the other end of `stream`.
    ///
    /// # Errors
    ///
    /// Why there is no TLS with it, or why it is not the server that it ought to be.
    pub(crate) async fn connect(
        &self,
        stream: TcpStream,
        host: &ServerHost,
    ) -> Result<TlsStream<TcpStream>, TlsFault> {
        let name = match (&self.name, host) {
            (Some(name), _) => name.clone(),
            (None, ServerHost::Address(address)) => (*address).into(),
            (None, ServerHost::Name(name)) => {
                ServerName::try_from(name.clone()).or(Err(TlsFault::Name(name.clone())))?
            }
        };
        let shown = name.to_str().into_owned();
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let connected = connector.connect(name, stream).await;
        connected.map_err(|error| TlsFault::new(error, shown))
    }
}

/// The certificates that a server's is measured by.
pub(super) struct Trusted {
    authorities: RootCertStore,
    /// Certificates that are trusted as they are.
    servers: Vec<CertificateDer<'static>>,
}

impl Trusted {
    /// Nothing if pins alone decide.
    fn load(ca_file: Option<&Path>, pins: &[Pin]) -> Result<Option<Self>, TlsSettingsFault> {
        let mut authorities = RootCertStore::empty();
        let Some(path) = ca_file else {
            if !pins.is_empty() {
                return Ok(None);
            }
            let found = rustls_native_certs::load_native_certs();
            let (added, _) = authorities.add_parsable_certificates(found.certs);
            if added == 0 {
                let error = found.errors.into_iter().next().map(io::Error::other);
                return Err(TlsSettingsFault::NoAuthorities(error));
            }
            let servers = Vec::new();
            return Ok(Some(Self {
                authorities,
                servers,
            }));
        };
        let servers = certificates(path)?;
        for certificate in &servers {
            authorities
                .add(certificate.clone())
                .map_err(|error| TlsSettingsFault::Certificate(path.to_owned(), error))?;
        }
        Ok(Some(Self {
            authorities,
            servers,
        }))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsSettingsFault> {
    let octets = file::read(path)?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&octets)
        .collect::<Result<_, _>>()
        .map_err(|error| TlsSettingsFault::pem(path, "certificate", &error))?;
    if certificates.is_empty() {
        return Err(TlsSettingsFault::NoneThere(path.to_owned(), "certificate"));
    }
    Ok(certificates)
}

/// Why the settings of TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsSettingsFault {
    #[error("`server_name = \"{0}\"` is no name of a server")]
    Name(String),
    #[error(transparent)]
    File(#[from] FileFault),
    #[error("`{}` is no PEM", .0.display())]
    Pem(PathBuf),
    #[error("`{}` holds no {} in PEM", .0.display(), .1)]
    NoneThere(PathBuf, &'static str),
    #[error("cannot use a certificate in `{}`", .0.display())]
    Certificate(PathBuf, #[source] rustls::Error),
    #[error("cannot use the certificate in `{}` with its key", .0.display())]
    Pair(PathBuf, #[source] rustls::Error),
    #[error("`{0}` is given without `{1}`")]
    Alone(&'static str, &'static str),
    #[error("the system has no authorities that certificates could be measured by")]
    NoAuthorities(#[source] Option<io::Error>),
}

impl TlsSettingsFault {
    /// The library's own texts show parts of the file, which may be a private key.
    fn pem(path: &Path, what: &'static str, error: &pem::Error) -> Self {
        match error {
            pem::Error::NoItemsFound => Self::NoneThere(path.to_owned(), what),
            _ => Self::Pem(path.to_owned()),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoAuthorities(_) => {
                Some("install them (`ca-certificates` in Debian), or set `ca_file` or `pins`")
            }
            _ => None,
        }
    }
}

/// Why there is no TLS with a server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsFault {
    #[error("`{0}` is no name that a certificate can bear; set `server_name`")]
    Name(String),
    #[error("its certificate is signed by nobody who is trusted")]
    Issuer,
    /// What else is wrong with it, mostly that one made by hand is marked as an authority's.
    #[error("its certificate cannot be traced to anybody who is trusted ({0})")]
    Chain(String),
    #[error("its certificate is not for `{0}`")]
    OtherName(String),
    #[error("its certificate has expired or is not valid yet")]
    Dates,
    #[error("its key has the pin `{0}`, which is not among `pins`")]
    Pin(Pin),
    #[error("it has no TLS 1.3 in common with us")]
    Version,
    #[error("it refuses our certificate, or wants one")]
    OurCertificate,
    #[error("it does not speak TLS there")]
    NoTls,
    #[error("it is silent about TLS for {} s (`timeout`)", .0.as_secs_f64())]
    Silence(Duration),
    #[error("it closed the connection before TLS was agreed on")]
    Closed,
    #[error("no TLS: {0}")]
    Other(rustls::Error),
    #[error("no TLS: {0}")]
    Io(io::Error),
}

impl TlsFault {
    fn new(error: io::Error, name: String) -> Self {
        match Self::of(&error) {
            // Only here it is known which name was wanted.
            Some(Self::OtherName(_)) => Self::OtherName(name),
            Some(fault) => fault,
            None if error.kind() == io::ErrorKind::UnexpectedEof => Self::Closed,
            None => Self::Io(error),
        }
    }

    /// What TLS has to say in an error of a connection.
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
        Some(match error {
            rustls::Error::InvalidCertificate(fault) => match fault {
                CertificateError::UnknownIssuer => Self::Issuer,
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. } => Self::Dates,
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => Self::OtherName(String::new()),
                CertificateError::Other(other) => match other.0.downcast_ref::<PinFault>() {
                    Some(PinFault(found)) => Self::Pin(*found),
                    None => Self::Chain(other.0.to_string()),
                },
                fault => Self::Chain(fault.to_string()),
            },
            rustls::Error::InvalidMessage(_) => Self::NoTls,
            rustls::Error::PeerIncompatible(_)
            | rustls::Error::AlertReceived(AlertDescription::ProtocolVersion) => Self::Version,
            rustls::Error::AlertReceived(
                AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::UnknownCA
                | AlertDescription::CertificateUnknown,
            ) => Self::OurCertificate,
            _ => Self::Other(error.clone()),
        })
    }

    /// What an operator can do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Issuer | Self::Chain(_) => Some(
                "set `ca_file` in `tls` to the certificate of the authority, or of the server itself",
            ),
            Self::OtherName(_) => Some("set `server_name` in `tls` to a name in its certificate"),
            Self::Pin(_) => Some(
                "if the server has a new key, and you know that it is the server's, add its pin to `pins`",
            ),
            Self::NoTls | Self::Silence(_) => {
                Some("the port of DNS over TLS is usually 853, not 53")
            }
            Self::OurCertificate => Some("set `certificate` and `key` in `tls`"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
