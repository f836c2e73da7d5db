//! TLS with servers that have certificates of ours, and with some that have none.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::child::in_a_process_with;
use super::server::{self, Received, Reply, Server};
use super::{address, run, text};
use crate::auth::Tokens;
use crate::http::connect::Connections;
use crate::http::{Exchange, Google, Policy};

/// Longer than anything takes that goes well.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) const fn patient() -> Policy {
    Policy::hurried(PATIENCE)
}

/// A server that speaks TLS, with the certificate for `dns.googleapis.test` and `127.0.0.1`.
pub(super) struct TlsServer {
    pub(super) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl TlsServer {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            received: Arc::default(),
        };
        let received = Arc::clone(&server.received);
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_file(file("server.pem")).unwrap()],
                PrivateKeyDer::from_pem_file(file("server.key")).unwrap(),
            );
        let config = Arc::new(config.unwrap());
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
                let stream = Shared(Arc::new(Mutex::new(StreamOwned::new(tls, stream.unwrap()))));
                let received = Arc::clone(&received);
                let reply = |_, _: &Received| Reply::json("{}");
                // A client that does not trust us ends it here.
                let _ended = server::serve(connection, stream.clone(), stream, &received, &reply);
            }
        });
        server
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

fn file(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata/tls")
        .join(name)
}

/// Both ends of a stream that is read and written in turn.
#[derive(Clone)]
struct Shared(Arc<Mutex<StreamOwned<ServerConnection, TcpStream>>>);

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.lock().unwrap().read(buffer)
    }
}

impl Write for Shared {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap().flush()
    }
}

/// A client that trusts our authority, and asks `base`.
pub(super) fn trusting(base: &str, policy: Policy) -> Google {
    let mut authorities = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(file("authority.pem")).unwrap();
    authorities.add(authority).unwrap();
    let exchange = Exchange::trusting(authorities, policy, Duration::from_secs(10));
    Google::over(exchange, base, Tokens::none())
}

#[test]
fn a_service_is_known_by_its_certificate() {
    let server = TlsServer::start();
    let google = trusting(&format!("https://{}/", server.address), patient());
    run(google.get(&address(&google))).unwrap();
    assert_eq!(server.received()[0].path(), "/dns/v1/projects/p-1");
}

/// None of them is repeated until the deadline: what is wrong stays wrong.
#[test]
fn whoever_is_not_the_service_gets_no_request() {
    let server = TlsServer::start();
    let plain = Server::in_turn([Reply::json("{}")]);
    let strict = Exchange::with(Policy::hurried(PATIENCE), Duration::from_secs(10));
    let base = format!("https://{}/", server.address);
    let faults = [
        (
            "of another authority",
            Google::over(strict, &base, Tokens::none()),
        ),
        (
            "for another name",
            trusting(&base.replace("127.0.0.1", "localhost"), patient()),
        ),
        (
            "no TLS at all",
            trusting(&plain.url().replace("http:", "https:"), patient()),
        ),
    ];
    let faults = faults.map(|(what, google)| {
        let fault = run(google.get(&address(&google))).unwrap_err();
        assert!(!fault.may_have_been_done(), "{what}");
        let hint = fault.hint().unwrap();
        format!("{what}: {}\nhint: {hint}\n", text(&fault))
    });
    insta::assert_snapshot!(faults.concat(), @r#"
    of another authority: no TLS with `127.0.0.1`: invalid peer certificate: UnknownIssuer
    hint: the authority that signed the certificate has to be among the system's, or in the file that SSL_CERT_FILE names; a proxy that reads along has one of its own
    for another name: no TLS with `localhost`: invalid peer certificate: certificate not valid for name "localhost"; certificate is only valid for DnsName("dns.googleapis.test") or IpAddress(127.0.0.1)
    hint: `endpoints` has to call the service by a name that its certificate bears
    no TLS at all: no TLS with `127.0.0.1`: received corrupt message of type InvalidContentType
    hint: look whether the endpoint is one for `https://`
    "#);
    assert_eq!(server.received().len(), 0);
    assert_eq!(plain.count(), 0);
}

/// As in a container without `ca-certificates`.
#[test]
fn without_authorities_there_is_no_tls_and_a_word_about_it() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    let file = empty.path().to_str().unwrap();
    let environment = [("SSL_CERT_FILE", file), ("SSL_CERT_DIR", "/nowhere")];
    if !in_a_process_with(
        module_path!(),
        "without_authorities_there_is_no_tls_and_a_word_about_it",
        &environment,
    ) {
        let error = Connections::new(PATIENCE, false).unwrap_err();
        assert!(
            text(&error).starts_with(
                "cannot use TLS: the system has no authorities that certificates could be measured by"
            ),
            "{}",
            text(&error)
        );
        // An emulator needs none.
        Connections::new(PATIENCE, true).unwrap();
    }
}
