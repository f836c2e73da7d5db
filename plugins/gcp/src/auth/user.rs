//! A person who logged in with gcloud: a refresh token (RFC 6749, section 6).

use super::asking::{Asking, Question};
use super::fault::Cause;
use super::scopes::Scopes;
use super::secret::Secret;
use super::token::Token;
use crate::http::Url;

/// Credentials of a person.
#[derive(Debug)]
pub(super) struct User {
    pub(super) client_id: String,
    pub(super) client_secret: Secret,
    pub(super) refresh_token: Secret,
    pub(super) token_uri: Url,
}

impl User {
    /// Fetches a token of the scopes, which the person has to have agreed to when they logged in.
    pub(super) async fn fetch(&self, asking: &Asking<'_>, scopes: &Scopes) -> Result<Token, Cause> {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", self.refresh_token.reveal()),
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.reveal()),
            ("scope", &scopes.joined(" ")),
        ];
        let question = Question::form(&self.token_uri, &fields)
            .hiding(&self.refresh_token)
            .hiding(&self.client_secret);
        asking.grant(&question).await
    }
}

#[cfg(test)]
mod tests;
