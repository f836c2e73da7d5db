use std::path::{Path, PathBuf};
use std::sync::Arc;

use janitor_plugin_api::in_one_line;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::{Tls, TlsFault, TlsSettings, TlsSettingsFault, certificates};
use crate::settings::ServerHost;

fn testdata(name: &Path) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata/tls")
        .join(name)
}

fn settings(text: &str) -> TlsSettings {
    toml::from_str(text).unwrap()
}

fn load(text: &str) -> Result<Tls, TlsSettingsFault> {
    Tls::load(&settings(text), testdata)
}

/// A server with the certificate `name`; if it is to, it wants one of the client.
fn acceptor(name: &str, wants_certificate: bool) -> TlsAcceptor {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&super::version::TLS13])
        .unwrap();
    let chain = |name: &str| certificates(&testdata(format!("{name}.pem").as_ref())).unwrap();
    let builder = if wants_certificate {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(chain("authority"));
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        builder.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::from_pem_file(testdata(format!("{name}.key").as_ref())).unwrap();
    let mut config = builder.with_single_cert(chain(name), key).unwrap();
    config.alpn_protocols = vec![b"dot".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(future)
}

/// What comes of a client with the settings `text` at a server with the certificate `name`: the
/// protocol agreed on and what the server says, or the fault.
fn meet(text: &str, name: &str, wants_certificate: bool) -> Result<String, String> {
    let tls = load(text).unwrap();
    let acceptor = acceptor(name, wants_certificate);
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serve = async {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(mut stream) = acceptor.accept(stream).await {
                stream.write_all(b"hello").await.unwrap();
                stream.shutdown().await.unwrap();
            }
        };
        let ask = async {
            let stream = TcpStream::connect(address).await.unwrap();
            let connected = tls
                .connect(stream, &ServerHost::Address(address.ip()))
                .await;
            let mut stream = connected.map_err(|fault| in_one_line(&fault))?;
            let mut said = String::new();
            let read = stream.read_to_string(&mut said).await;
            read.map_err(|error| in_one_line(&TlsFault::new(error, String::new())))?;
            let protocol = stream.get_ref().1.alpn_protocol().unwrap_or_default();
            Ok(format!("{} {said}", String::from_utf8_lossy(protocol)))
        };
        tokio::join!(serve, ask).1
    })
}

#[test]
fn a_server_is_known_by_its_authority_its_certificate_or_its_pin() {
    let pin = "kwPqfwSRq8GbhIG0zyaHQuu2tkhyelrgAbTw+1cvTyY=";
    let pin = format!("pins = ['AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', 'sha256/{pin}']");
    let with_authority = format!("ca_file = 'authority.pem'\n{pin}");
    for (settings, name) in [
        ("ca_file = 'authority.pem'", "server"),
        (
            "ca_file = 'authority.pem'\nserver_name = 'ns1.example.com'",
            "server",
        ),
        (
            "ca_file = 'server.pem'\nserver_name = 'ns2.example.com'",
            "server",
        ),
        ("ca_file = 'alone.pem'", "alone"),
        (&pin, "server"),
        (&with_authority, "server"),
    ] {
        let met = meet(settings, name, false);
        assert_eq!(met.as_deref(), Ok("dot hello"), "{settings}");
    }
}

#[test]
fn a_server_that_is_another_one_is_refused() {
    let pin = "pins = ['AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=']";
    let with_authority = format!("ca_file = 'authority.pem'\n{pin}");
    for (settings, name, fault) in [
        (
            "ca_file = 'alone.pem'",
            "server",
            "its certificate is signed by nobody who is trusted",
        ),
        (
            "ca_file = 'authority.pem'",
            "alone",
            "its certificate cannot be traced to anybody who is trusted (CaUsedAsEndEntity)",
        ),
        (
            "ca_file = 'authority.pem'\nserver_name = 'ns2.example.com'",
            "server",
            "its certificate is not for `ns2.example.com`",
        ),
        (
            "ca_file = 'authority.pem'",
            "expired",
            "its certificate has expired or is not valid yet",
        ),
        (
            pin,
            "server",
            "its key has the pin `kwPqfwSRq8GbhIG0zyaHQuu2tkhyelrgAbTw+1cvTyY=`, which is not among `pins`",
        ),
        (
            &with_authority,
            "server",
            "its key has the pin `kwPqfwSRq8GbhIG0zyaHQuu2tkhyelrgAbTw+1cvTyY=`, which is not among `pins`",
        ),
    ] {
        assert_eq!(
            meet(settings, name, false),
            Err(fault.to_owned()),
            "{settings}"
        );
    }
}

#[test]
fn a_server_that_wants_a_certificate_gets_ours() {
    let without = "ca_file = 'authority.pem'";
    let with = "ca_file = 'authority.pem'\ncertificate = 'client.pem'\nkey = 'client.key'";
    assert_eq!(meet(with, "server", true).as_deref(), Ok("dot hello"));
    let fault = meet(without, "server", true).unwrap_err();
    assert_eq!(fault, "it refuses our certificate, or wants one");
}

#[test]
fn what_is_no_tls_is_told_apart_from_a_closed_connection() {
    let met = |octets: &'static [u8]| {
        block_on(async {
            let tls = load("ca_file = 'authority.pem'").unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let serve = async {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(octets).await.unwrap();
                stream.shutdown().await.unwrap();
                // Read to the end, or the octets above could be lost with a reset.
                let _count = stream.read_to_end(&mut Vec::new()).await;
            };
            let ask = async {
                let stream = TcpStream::connect(address).await.unwrap();
                let host = ServerHost::Address(address.ip());
                in_one_line(&tls.connect(stream, &host).await.unwrap_err())
            };
            tokio::join!(serve, ask).1
        })
    };
    assert_eq!(
        met(b"\x00\x0c\x12\x34\x81\x05\x00\x00"),
        "it does not speak TLS there"
    );
    assert_eq!(
        met(b""),
        "it closed the connection before TLS was agreed on"
    );
    // An alert that the version will not do.
    assert_eq!(
        met(b"\x15\x03\x03\x00\x02\x02\x46"),
        "it has no TLS 1.3 in common with us"
    );
}

#[test]
fn settings_that_cannot_be_used_say_which_and_why() {
    // With a slash at its end.
    let root = testdata(Path::new("")).display().to_string();
    for (text, fault) in [
        (
            "server_name = 'no name'",
            "`server_name = \"no name\"` is no name of a server",
        ),
        (
            "ca_file = 'missing.pem'",
            "cannot read `missing.pem`: No such file or directory (os error 2)",
        ),
        // Neither is waited for, or read to its end.
        ("ca_file = '/dev/zero'", "`/dev/zero` is not a regular file"),
        (
            "ca_file = 'server.pem'\ncertificate = 'client.pem'\nkey = '/dev/zero'",
            "`/dev/zero` is not a regular file",
        ),
        (
            "ca_file = 'README.md'",
            "`README.md` holds no certificate in PEM",
        ),
        (
            "ca_file = 'server.key'",
            "`server.key` holds no certificate in PEM",
        ),
        (
            "ca_file = 'server.pem'\ncertificate = 'client.pem'",
            "`certificate` is given without `key`",
        ),
        (
            "ca_file = 'server.pem'\nkey = 'client.key'",
            "`key` is given without `certificate`",
        ),
        (
            "ca_file = 'server.pem'\ncertificate = 'client.pem'\nkey = 'client.pem'",
            "`client.pem` holds no private key in PEM",
        ),
        (
            "ca_file = 'server.pem'\ncertificate = 'client.pem'\nkey = 'server.key'",
            "cannot use the certificate in `client.pem` with its key: keys may not be consistent: KeyMismatch",
        ),
    ] {
        let Err(found) = load(text) else {
            panic!("{text}");
        };
        let found = in_one_line(&found).replace(&root, "");
        assert_eq!(found, fault, "{text}");
    }
    for pin in [
        "",
        "AAAA",
        "not base64",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        let fault = toml::from_str::<TlsSettings>(&format!("pins = ['{pin}']")).unwrap_err();
        let fault = fault.message();
        assert_eq!(
            fault, "a pin is base64 of the 32 octets of a SHA-256, 44 characters",
            "{pin}"
        );
    }
}
