//! Workload identity federation: the token of another identity provider is exchanged for one of Google's
//! (AIP-4117, RFC 8693).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

use super::asking::{Asking, Question};
use super::fault::Cause;
use super::impersonation::Impersonation;
use super::scopes::Scopes;
use super::secret::Secret;
use super::subject::Subject;
use super::token::Token;
use crate::http::Url;

/// RFC 8693, section 2.1.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// RFC 8693, section 3.
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// An identity that another provider vouches for.
#[derive(Debug)]
pub(super) struct Federation {
    /// The pool, and the provider in it.
    pub(super) audience: String,
    pub(super) subject_token_type: String,
    pub(super) subject: Subject,
    pub(super) token_url: Url,
    pub(super) client: Option<Client>,
    /// The project that exchanges are counted for, where people of a workforce are known to no client.
    pub(super) user_project: Option<String>,
    pub(super) impersonation: Option<Impersonation>,
}

/// The client that a provider knows (RFC 6749, section 2.3.1).
#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: Secret,
}

impl Federation {
    /// Exchanges a token, and by that one fetches one of the account to be impersonated, if any.
    pub(super) async fn fetch(&self, asking: &Asking<'_>, scopes: &Scopes) -> Result<Token, Cause> {
        let Some(impersonation) = &self.impersonation else {
            return self.exchange(asking, scopes).await;
        };
        let federated = self.exchange(asking, &Scopes::for_impersonation()).await?;
        impersonation.fetch(asking, &federated, scopes).await
    }

    async fn exchange(&self, asking: &Asking<'_>, scopes: &Scopes) -> Result<Token, Cause> {
        let subject = self.subject.token(asking).await?;
        let scopes = scopes.joined(" ");
        let options = match (&self.client, &self.user_project) {
            (None, Some(project)) => {
                Some(serde_json::json!({ "userProject": project }).to_string())
            }
            _ => None,
        };
        let mut fields = vec![
            ("grant_type", GRANT),
            ("audience", &self.audience),
            ("scope", &scopes),
            ("requested_token_type", ACCESS_TOKEN),
            ("subject_token_type", &self.subject_token_type),
            ("subject_token", subject.reveal()),
        ];
        if let Some(options) = &options {
            fields.push(("options", options));
        }
        let mut question = Question::form(&self.token_url, &fields).hiding(&subject);
        if let Some(client) = &self.client {
            question = question
                .authorized("Basic", &client.basic())
                .hiding(&client.secret);
        }
        asking.grant(&question).await
    }
}

impl Client {
    /// RFC 6749, section 2.3.1: both are encoded as in a form before they are joined.
    fn basic(&self) -> Secret {
        let encoded = |text: &str| -> String { byte_serialize(text.as_bytes()).collect() };
        let joined = format!("{}:{}", encoded(&self.id), encoded(self.secret.reveal()));
        let joined = Zeroizing::new(joined);
        Secret::new(STANDARD.encode(joined.as_bytes()))
    }
}

#[cfg(test)]
mod tests;
