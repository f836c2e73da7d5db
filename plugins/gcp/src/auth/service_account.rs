//! A service account with a key of its own: it signs that it is who it says it is (RFC 7523).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::{Error as PemError, PemObject as _};
use serde::Serialize;
use zeroize::Zeroizing;

use super::asking::{Asking, Question};
use super::fault::Cause;
use super::scopes::Scopes;
use super::secret::Secret;
use super::token::Token;
use crate::http::Url;

/// RFC 7523, section 2.1.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// How long an assertion may be used, in seconds: as long as Google lets it be at most.
const LIVES: i64 = 3600;

/// A service account and its private key.
pub(super) struct ServiceAccount {
    pub(super) email: String,
    pub(super) key_id: Option<String>,
    pub(super) key: RsaKeyPair,
    pub(super) token_uri: Url,
}

/// RFC 7515, section 4.1.
#[derive(Serialize)]
struct Header<'a> {
    typ: &'a str,
    alg: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

/// RFC 7523, section 3.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    scope: &'a str,
    iat: i64,
    exp: i64,
}

impl ServiceAccount {
    /// Fetches a token of the scopes.
    pub(super) async fn fetch(&self, asking: &Asking<'_>, scopes: &Scopes) -> Result<Token, Cause> {
        let assertion = self.assertion(scopes, Timestamp::now())?;
        let assertion = Secret::new(assertion);
        let fields = [("grant_type", GRANT), ("assertion", assertion.reveal())];
        let question = Question::form(&self.token_uri, &fields).hiding(&assertion);
        asking.grant(&question).await
    }

    /// What the account signs: that it wants these scopes, at this time.
    fn assertion(&self, scopes: &Scopes, now: Timestamp) -> Result<String, Cause> {
        let header = Header {
            typ: "JWT",
            alg: "RS256",
            kid: self.key_id.as_deref(),
        };
        let claims = Claims {
            iss: &self.email,
            aud: self.token_uri.as_str(),
            scope: &scopes.joined(" "),
            iat: now.as_second(),
            exp: now.as_second() + LIVES,
        };
        let mut signed = encoded(&header)?;
        signed.push('.');
        signed.push_str(&encoded(&claims)?);
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .or(Err(Cause::Sign))?;
        signed.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut signed);
        Ok(signed)
    }
}

fn encoded(part: &impl Serialize) -> Result<String, Cause> {
    let json = serde_json::to_vec(part).or(Err(Cause::Sign))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

/// The RSA key in `pem`, of either form: PKCS #8 (RFC 5958), which Google writes, or PKCS #1 (RFC 8017).
///
/// # Errors
///
/// [`PrivateKeyFault`], which never shows the key.
pub(super) fn private_key(pem: &str) -> Result<RsaKeyPair, PrivateKeyFault> {
    let key = match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
        Ok(key) => Zeroizing::new(key),
        Err(PemError::NoItemsFound) => return Err(PrivateKeyFault::NoPem),
        Err(_) => return Err(PrivateKeyFault::BrokenPem),
    };
    let pair = match &*key {
        PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
        _ => return Err(PrivateKeyFault::NoRsa),
    };
    pair.map_err(|rejected| PrivateKeyFault::Rejected(rejected.to_string()))
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceAccount({})", self.email)
    }
}

/// Why a text is no private key of a service account.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PrivateKeyFault {
    #[error("it has no private key in PEM, which begins with `-----BEGIN PRIVATE KEY-----`")]
    NoPem,
    #[error("its PEM is damaged")]
    BrokenPem,
    #[error("it is no RSA key")]
    NoRsa,
    #[error("it is rejected: {0}")]
    Rejected(String),
}

#[cfg(test)]
mod tests;
