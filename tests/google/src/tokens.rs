//! Who gets a token, and what it is good for.
//!
//! - Service accounts: <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>.
//! - Users: <https://developers.google.com/identity/protocols/oauth2/web-server#offline>.
//! - Federation: <https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token> and RFC 8693.
//! - Impersonation:
//!   <https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken>.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use crate::answer::{Wrong, canonical, classic, json as answer};
use crate::wire::{Request, Response};
use crate::world::World;

/// The key of [`EMAIL`]. Made for these tests, known to the world: it opens nothing.
pub(crate) const KEY: &str = include_str!("tests-only.key.pem");
pub(crate) const KEY_ID: &str = "0123456789abcdef0123456789abcdef01234567";
pub(crate) const EMAIL: &str = "janitor@tests.iam.gserviceaccount.com";
pub(crate) const REFRESH_TOKEN: &str = "1//refresh-of-the-tests";
pub(crate) const CLIENT_SECRET: &str = "client-secret-of-the-tests";
pub(crate) const SUBJECT_TOKEN: &str = "subject-token-of-the-tests";

const JWT_GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const EXCHANGE_GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ALL_OF_IT: &str = "https://www.googleapis.com/auth/cloud-platform";

/// How far a clock may be off.
const SKEW: i64 = 300;

#[derive(Clone, Debug)]
struct Token {
    name: String,
    scopes: Vec<String>,
    is_revoked: bool,
}

/// The tokens that were given out.
#[derive(Debug)]
pub(crate) struct Tokens {
    given: Vec<Token>,
    pub(crate) lives: i64,
    pub(crate) are_needed: bool,
}

impl Tokens {
    pub(crate) const fn new() -> Self {
        Self {
            given: Vec::new(),
            lives: 3600,
            are_needed: true,
        }
    }

    pub(crate) fn given(&self) -> Vec<String> {
        self.given.iter().map(|token| token.name.clone()).collect()
    }

    pub(crate) fn revoke(&mut self) {
        for token in &mut self.given {
            token.is_revoked = true;
        }
    }

    pub(crate) fn revoke_one(&mut self, name: &str) {
        for token in self.given.iter_mut().filter(|token| token.name == name) {
            token.is_revoked = true;
        }
    }

    /// `tok-1`, `tok-2` and so on.
    pub(crate) fn give(&mut self, scopes: Vec<String>) -> String {
        let name = format!("tok-{}", self.given.len() + 1);
        self.given.push(Token {
            name: name.clone(),
            scopes,
            is_revoked: false,
        });
        name
    }

    fn find(&self, name: &str) -> Option<&Token> {
        let found = self.given.iter().find(|token| token.name == name);
        found.filter(|token| !token.is_revoked)
    }
}

/// The token of a request, as it was sent.
pub(crate) fn bearer(request: &Request) -> Option<&str> {
    request.header("authorization")?.strip_prefix("Bearer ")
}

/// Whether a request may be answered by a method that asks for one of `scopes`
/// (<https://developers.google.com/identity/protocols/oauth2/scopes>; each method's page lists them).
pub(crate) fn authorised(
    world: &World,
    request: &Request,
    scopes: &[&str],
) -> Result<(), Response> {
    if !world.tokens.are_needed {
        return Ok(());
    }
    let Some(token) = bearer(request).and_then(|name| world.tokens.find(name)) else {
        return Err(unauthenticated(request));
    };
    let is_enough = token.scopes.iter().any(|scope| {
        let short = scope.strip_prefix("https://www.googleapis.com/auth/");
        short.is_some_and(|short| short == "cloud-platform" || scopes.contains(&short))
    });
    if is_enough {
        Ok(())
    } else {
        Err(insufficient(request))
    }
}

/// The answer to a token that is none.
pub(crate) fn unauthenticated(request: &Request) -> Response {
    let message = "Request had invalid authentication credentials. Expected OAuth 2 access token, login \
        cookie or other valid authentication credential. See \
        https://developers.google.com/identity/sign-in/web/devconsole-project.";
    let response = if is_classic(request) {
        classic(&[Wrong::new(401, "authError", message)])
    } else {
        canonical(401, message)
    };
    response.with(
        "WWW-Authenticate",
        "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"",
    )
}

fn insufficient(request: &Request) -> Response {
    let message = "Request had insufficient authentication scopes.";
    if is_classic(request) {
        classic(&[Wrong::new(403, "insufficientPermissions", message)])
    } else {
        canonical(403, message)
    }
}

pub(crate) fn is_classic(request: &Request) -> bool {
    request.path.starts_with("/dns/") || request.path.starts_with("/compute/")
}

/// `POST /token`: a service account's assertion, or a user's refresh token.
pub(crate) fn grant(world: &mut World, request: &Request) -> Response {
    let form = request.form().into_iter().collect::<BTreeMap<_, _>>();
    let value = |name: &str| form.get(name).map_or("", String::as_str);
    let granted = match value("grant_type") {
        JWT_GRANT => of_assertion(value("assertion"), &format!("{}/token", world.url)),
        "refresh_token" => {
            let is_ours = value("refresh_token") == REFRESH_TOKEN
                && value("client_secret") == CLIENT_SECRET
                && !value("client_id").is_empty();
            let scopes = match value("scope") {
                "" => vec![ALL_OF_IT.to_owned()],
                scopes => words(scopes),
            };
            is_ours
                .then_some(scopes)
                .ok_or(("invalid_grant", "Bad Request".to_owned()))
        }
        _ => Err(("unsupported_grant_type", "Invalid grant_type".to_owned())),
    };
    match granted {
        Ok(scopes) => {
            let token = world.tokens.give(scopes);
            let lives = world.tokens.lives;
            answer(
                200,
                &json!({"access_token": token, "expires_in": lives, "token_type": "Bearer"}),
            )
        }
        Err((error, description)) => refused(400, error, &description),
    }
}

/// What is wrong with a token request (RFC 6749, section 5.2).
pub(crate) fn refused(status: u16, error: &str, description: &str) -> Response {
    answer(
        status,
        &json!({"error": error, "error_description": description}),
    )
}

/// The scopes that an assertion asks for, if everything about it is right.
fn of_assertion(assertion: &str, audience: &str) -> Result<Vec<String>, (&'static str, String)> {
    let wrong = |text: &str| ("invalid_grant", text.to_owned());
    let mut parts = assertion.split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong("Bad Request"));
    };
    let signed = format!("{header}.{claims}");
    let read = |part: &str| -> Option<Value> {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok()
    };
    let (Some(header), Some(claims)) = (read(header), read(claims)) else {
        return Err(wrong("Bad Request"));
    };
    if header != json!({"alg": "RS256", "typ": "JWT", "kid": KEY_ID}) {
        return Err(wrong("Invalid JWT header"));
    }
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    if !is_signed(signed.as_bytes(), &signature) {
        return Err(wrong("Invalid JWT Signature."));
    }
    if claims["iss"] != EMAIL {
        return Err(wrong("Invalid grant: account not found"));
    }
    if claims["aud"] != audience {
        return Err(wrong("Invalid JWT: Failed audience check."));
    }
    let (issued, ends) = (claims["iat"].as_i64(), claims["exp"].as_i64());
    let is_short = match (issued, ends) {
        (Some(issued), Some(ends)) => {
            issued <= now() + SKEW && ends > now() && (1..=3600).contains(&(ends - issued))
        }
        _ => false,
    };
    if !is_short {
        return Err(wrong(
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. \
             Check your iat and exp values in the JWT claim.",
        ));
    }
    let scopes = words(claims["scope"].as_str().unwrap_or_default());
    let is_scope = |scope: &String| scope.starts_with("https://www.googleapis.com/auth/");
    // One level of `auth/`: a whole address that was prefixed again is no scope (B34 of the original).
    let is_double = |scope: &String| scope.matches("https://").count() > 1;
    if scopes.is_empty() || !scopes.iter().all(is_scope) || scopes.iter().any(is_double) {
        return Err((
            "invalid_scope",
            "Invalid OAuth scope or ID token audience provided.".to_owned(),
        ));
    }
    Ok(scopes)
}

fn is_signed(text: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = PrivatePkcs8KeyDer::from_pem_slice(KEY.as_bytes()) else {
        return false;
    };
    let Ok(pair) = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()) else {
        return false;
    };
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    public.verify(text, signature).is_ok()
}

/// `POST /v1/token`: a token of another provider for one of ours.
pub(crate) fn exchange(world: &mut World, request: &Request) -> Response {
    let (value, is_json) = match request.header("content-type") {
        Some(kind) if kind.starts_with("application/json") => (request.json(), true),
        _ => (
            request
                .form()
                .into_iter()
                .map(|(name, value)| (name, json!(value)))
                .collect(),
            false,
        ),
    };
    // The discovery document names them in one way, RFC 8693 in the other; the service takes both.
    let field = |snake: &str, camel: &str| {
        let value = &value[if is_json { camel } else { snake }];
        value.as_str().unwrap_or_default().to_owned()
    };
    if field("grant_type", "grantType") != EXCHANGE_GRANT {
        return refused(
            400,
            "unsupported_grant_type",
            "The grant type is not supported.",
        );
    }
    if field("requested_token_type", "requestedTokenType")
        != "urn:ietf:params:oauth:token-type:access_token"
    {
        return refused(
            400,
            "invalid_request",
            "Invalid value for \"requestedTokenType\".",
        );
    }
    if field("audience", "audience").is_empty()
        || field("subject_token_type", "subjectTokenType").is_empty()
    {
        return refused(
            400,
            "invalid_request",
            "Request is missing a required parameter.",
        );
    }
    if field("subject_token", "subjectToken") != SUBJECT_TOKEN {
        return refused(400, "invalid_grant", "Unable to parse the ID Token.");
    }
    let scopes = words(&field("scope", "scope"));
    if scopes.is_empty() {
        return refused(400, "invalid_scope", "Scopes are required.");
    }
    let token = world.tokens.give(scopes);
    answer(
        200,
        &json!({
            "access_token": token,
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "token_type": "Bearer",
            "expires_in": world.tokens.lives,
        }),
    )
}

/// `POST /v1/projects/-/serviceAccounts/EMAIL:generateAccessToken`.
pub(crate) fn impersonate(world: &mut World, request: &Request) -> Response {
    if let Err(refused) = authorised(world, request, &[]) {
        return refused;
    }
    let body = request.json();
    let scopes = body["scope"].as_array().cloned().unwrap_or_default();
    let scopes = scopes
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect::<Vec<_>>();
    if scopes.is_empty() {
        return canonical(400, "Request contains an invalid argument.");
    }
    let token = world.tokens.give(scopes);
    let ends = now() + world.tokens.lives;
    answer(
        200,
        &json!({"accessToken": token, "expireTime": rfc3339(ends)}),
    )
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn rfc3339(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .unwrap_or_default()
        .to_string()
}

/// The files of credentials, for a server at `url`.
pub(crate) mod files {
    use super::{BASE64_URL_SAFE, CLIENT_SECRET, EMAIL, KEY, KEY_ID, REFRESH_TOKEN, Value, json};
    use base64::Engine as _;

    /// As `gcloud iam service-accounts keys create` writes it.
    pub(crate) fn service_account(url: &str) -> Value {
        json!({
            "type": "service_account",
            "project_id": "tests",
            "private_key_id": KEY_ID,
            "private_key": KEY,
            "client_email": EMAIL,
            "client_id": "123456789012345678901",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": format!("{url}/token"),
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "universe_domain": "googleapis.com",
        })
    }

    /// As `gcloud auth application-default login` writes it, but for `token_uri`, which it leaves out.
    pub(crate) fn authorized_user(url: &str) -> Value {
        json!({
            "type": "authorized_user",
            "client_id": "764086051850-tests.apps.googleusercontent.com",
            "client_secret": CLIENT_SECRET,
            "refresh_token": REFRESH_TOKEN,
            "token_uri": format!("{url}/token"),
            "account": "",
            "universe_domain": "googleapis.com",
        })
    }

    /// As `gcloud iam workload-identity-pools create-cred-config` writes it, for a subject token in
    /// `subject`.
    pub(crate) fn external_account(url: &str, subject: &str, impersonates: bool) -> Value {
        let mut value = json!({
            "type": "external_account",
            "universe_domain": "googleapis.com",
            "audience": "//iam.googleapis.com/projects/123456789012/locations/global/\
                workloadIdentityPools/tests/providers/tests",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": format!("{url}/v1/token"),
            "credential_source": {"file": subject, "format": {"type": "text"}},
        });
        if impersonates {
            value["service_account_impersonation_url"] = json!(format!(
                "{url}/v1/projects/-/serviceAccounts/{EMAIL}:generateAccessToken"
            ));
        }
        value
    }

    /// What must not be seen of any of them, in the forms in which it could be.
    pub(crate) fn secrets() -> Vec<String> {
        let lines = KEY.lines().filter(|line| !line.starts_with("-----"));
        let mut secrets = lines.map(str::to_owned).collect::<Vec<_>>();
        for secret in [CLIENT_SECRET, REFRESH_TOKEN, super::SUBJECT_TOKEN] {
            secrets.push(secret.to_owned());
            secrets.push(BASE64_URL_SAFE.encode(secret));
        }
        secrets
    }
}
