//! A service account whose tokens others may have: `generateAccessToken` of the IAM Service Account
//! Credentials API.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::asking::{Asking, Question, json, unusable};
use super::fault::{AnswerFault, Cause};
use super::scopes::Scopes;
use super::secret::Secret;
use super::token::{Token, sound};
use crate::http::Url;

/// The life that is asked for where the file does not say it (AIP-4117).
pub(super) const LIFETIME: Duration = Duration::from_hours(1);

/// A service account, and how its tokens are asked for.
#[derive(Debug)]
pub(super) struct Impersonation {
    pub(super) url: Url,
    /// Accounts on the way to it, each of which may have tokens of the next.
    pub(super) delegates: Vec<String>,
    pub(super) lifetime: Duration,
}

#[derive(Serialize)]
struct Request<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    delegates: &'a [String],
    scope: &'a [String],
    lifetime: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Generated {
    access_token: Option<Secret>,
    expire_time: Option<String>,
}

impl Impersonation {
    /// The account's address, as far as the URL has it.
    pub(super) fn account(&self) -> Option<String> {
        let last = self.url.path_segments()?.next_back()?;
        let account = last.strip_suffix(":generateAccessToken")?;
        let account = percent_encoding::percent_decode_str(account);
        Some(account.decode_utf8().ok()?.into_owned())
    }

    /// Fetches a token of the account by one of whoever may have it.
    pub(super) async fn fetch(
        &self,
        asking: &Asking<'_>,
        by: &Token,
        scopes: &Scopes,
    ) -> Result<Token, Cause> {
        let body = Request {
            delegates: &self.delegates,
            scope: scopes.all(),
            lifetime: format!("{}s", self.lifetime.as_secs()),
        };
        let body = serde_json::to_vec(&body).expect("texts and lists of them are JSON");
        let question = Question::json(&self.url, body).authorized("Bearer", by.text());
        let answer = asking.ask(&question).await?;
        let generated: Generated = json(&self.url, &answer)?;
        let ends = generated.expire_time.as_deref().unwrap_or("");
        let ends: Timestamp = ends
            .parse()
            .or(Err(unusable(&self.url, AnswerFault::Ends)))?;
        // Either clock may be wrong by hours: never longer than was asked for.
        let left = answer.until(ends).min(self.lifetime);
        sound(generated.access_token, left).map_err(|fault| unusable(&self.url, fault.into()))
    }
}

#[cfg(test)]
mod tests;
