//! Whether a certificate is the server's.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme,
};

use super::{Pin, Trusted};

/// Judges certificates by pins, by trusted ones, or by both.
pub(super) struct Verifier {
    provider: Arc<CryptoProvider>,
    trusted: Option<Trusted>,
    pins: Vec<Pin>,
}

impl Verifier {
    /// `trusted` may be missing if there are pins.
    pub(super) fn new(
        provider: Arc<CryptoProvider>,
        trusted: Option<Trusted>,
        pins: Vec<Pin>,
    ) -> Self {
        debug_assert!(trusted.is_some() || !pins.is_empty());
        Self {
            provider,
            trusted,
            pins,
        }
    }
}

/// The pin of a certificate's key that is none of those wanted.
#[derive(Debug, thiserror::Error)]
#[error("another key: {0}")]
pub(super) struct PinFault(pub(super) Pin);

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        if !self.pins.is_empty() {
            let found = Pin(Sha256::digest(certificate.subject_public_key_info()).into());
            if !self.pins.contains(&found) {
                let fault = OtherError(Arc::new(PinFault(found)));
                return Err(CertificateError::Other(fault).into());
            }
        }
        if let Some(trusted) = &self.trusted
            // A server's own certificate in the file is as good as a pin. Those made by hand are often
            // marked as an authority's, which no chain may end with, and bear no name.
            && !trusted.servers.contains(end_entity)
        {
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(
                &certificate,
                &trusted.authorities,
                intermediates,
                now,
                algorithms,
            )?;
            verify_server_name(&certificate, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({:?})", self.pins)
    }
}
