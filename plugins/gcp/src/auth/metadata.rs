//! The metadata server of a machine of Google's, which gives tokens of the machine's service account.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use tokio::sync::OnceCell;
use tracing::info;

use super::asking::{Asking, Question, json, unusable};
use super::fault::{AnswerFault, Cause};
use super::scopes::Scopes;
use super::token::{Grant, Token};
use crate::http::{Answer, Deadline, Policy, Url};

/// Sent with each question, so that no one who only follows a link gets a token, and found in each answer.
const FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");
const GOOGLE: HeaderValue = HeaderValue::from_static("Google");

/// How long it is looked for where nobody says that there is one: it answers within milliseconds, and a
/// machine that is not Google's should not be waited for.
const SEARCH: Duration = Duration::from_secs(5);

/// A metadata server.
#[derive(Debug)]
pub(super) struct Metadata {
    root: Url,
    /// What else was looked at, if nobody says that there is a metadata server at all.
    looked_at: Option<String>,
    account: OnceCell<Account>,
}

/// The machine's service account, as the server has it.
#[derive(Debug, Deserialize)]
struct Account {
    email: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
}

impl Metadata {
    pub(super) fn new(root: Url, looked_at: Option<String>) -> Self {
        Self {
            root,
            looked_at,
            account: OnceCell::new(),
        }
    }

    /// Fetches a token of the scopes, as far as the machine was given them.
    pub(super) async fn fetch(&self, asking: &Asking<'_>, scopes: &Scopes) -> Result<Token, Cause> {
        // By its name and not as `default`: for that one the original had been refused in places, and Google's
        // library for Python asks like this, too.
        let account = self.account.get_or_try_init(|| self.find(asking)).await?;
        let email = account.email.as_deref().unwrap_or_default();
        let mut url = self.address(&[email, "token"]);
        url.query_pairs_mut()
            .append_pair("scopes", &scopes.joined(","));
        let answer = self.ask(asking, &url, None).await?;
        let grant: Grant = json(&url, &answer)?;
        grant.token().map_err(|fault| unusable(&url, fault.into()))
    }

    async fn find(&self, asking: &Asking<'_>) -> Result<Account, Cause> {
        let mut url = self.address(&["default", ""]);
        url.set_query(Some("recursive=true"));
        let account: Account = match &self.looked_at {
            None => json(&url, &self.ask(asking, &url, None).await?)?,
            Some(looked_at) => {
                let deadline = Policy::new(SEARCH).deadline();
                let answer = self.ask(asking, &url, Some(deadline)).await;
                let answer = answer.map_err(|cause| nowhere(cause, looked_at))?;
                json(&url, &answer)?
            }
        };
        let Some(email) = account.email.as_deref().filter(|email| is_segment(email)) else {
            return Err(unusable(&url, AnswerFault::NoAccount));
        };
        info!(
            kind = "service account of this machine",
            account = email,
            scopes = account.scopes.join(" "),
            "credentials found"
        );
        Ok(account)
    }

    async fn ask(
        &self,
        asking: &Asking<'_>,
        url: &Url,
        deadline: Option<Deadline>,
    ) -> Result<Answer, Cause> {
        let question = Question::get(url)
            .headers(&HeaderMap::from_iter([(FLAVOR, GOOGLE)]))
            .direct();
        let answer = match deadline {
            Some(deadline) => asking.until(deadline).ask(&question).await?,
            None => asking.ask(&question).await?,
        };
        if answer.headers.get(FLAVOR) != Some(&GOOGLE) {
            return Err(unusable(url, AnswerFault::Flavor));
        }
        Ok(answer)
    }

    fn address(&self, below: &[&str]) -> Url {
        let mut url = self.root.clone();
        let path = ["computeMetadata", "v1", "instance", "service-accounts"];
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().extend(path).extend(below);
        }
        url
    }
}

/// Whether `email` is one segment of a path, and stays one.
fn is_segment(email: &str) -> bool {
    !matches!(email, "" | "." | "..") && !email.contains(char::is_control)
}

/// `cause`, unless it is that there is no metadata server: then that nothing else was there either.
fn nowhere(cause: Cause, looked_at: &str) -> Cause {
    let is_absent = match &cause {
        Cause::Asking { .. } => !cause.is_cancelled(),
        Cause::Answer { source, .. } => matches!(source, AnswerFault::Flavor),
        _ => false,
    };
    if !is_absent {
        return cause;
    }
    Cause::Nowhere {
        looked_at: looked_at.to_owned(),
        source: Box::new(cause),
    }
}

#[cfg(test)]
mod tests;
