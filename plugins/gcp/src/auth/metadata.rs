//! The metadata server of a machine of Google's, which gives tokens of the machine's service account.

use std::fmt;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use tokio::sync::OnceCell;
use tracing::info;

use super::asking::{Asking, Question, json, unusable};
use super::fault::{AnswerFault, Cause};
use super::scopes::Scopes;
use super::token::{Grant, Token};
use crate::http::{Answer, Deadline, Fault, Policy, TransportFault, Url};

/// Sent with each question, so that no one who only follows a link gets a token, and found in each answer.
const FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");
const GOOGLE: HeaderValue = HeaderValue::from_static("Google");

/// A metadata server.
pub(super) struct Metadata {
    root: Url,
    search: Option<Search>,
    account: OnceCell<Account>,
}

/// What holds where nobody says that there is a metadata server at all.
#[derive(Debug)]
pub(super) struct Search {
    /// How long it may take to answer for the first time.
    pub(super) limit: Duration,
    /// What else was looked at.
    pub(super) looked_at: String,
}

/// The machine's service account, as the server has it.
#[derive(Debug, Deserialize)]
struct Account {
    email: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
}

impl Metadata {
    pub(super) fn new(root: Url, search: Option<Search>) -> Self {
        Self {
            root,
            search,
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
        let account: Account = match &self.search {
            None => json(&url, &self.ask(asking, &url, None).await?)?,
            Some(search) => {
                let deadline = Policy::new(search.limit).deadline();
                let answer = self.ask(asking, &url, Some(deadline)).await;
                let answer = answer.map_err(|cause| search.ended(cause))?;
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

impl Search {
    /// `cause`, unless it is that there is no metadata server: then that nothing else was there either.
    fn ended(&self, cause: Cause) -> Cause {
        let source = match cause {
            cause if cause.is_cancelled() => return cause,
            Cause::Asking { place, source } => match source.last() {
                // Which is what is told already.
                Fault::Transport(TransportFault::Late { .. }) => None,
                last => {
                    let source = Box::new(last);
                    Some(Box::new(Cause::Asking { place, source }))
                }
            },
            Cause::Answer {
                source: AnswerFault::Flavor,
                ..
            } => Some(Box::new(cause)),
            cause => return cause,
        };
        Cause::Nowhere {
            looked_at: self.looked_at.clone(),
            limit: self.limit,
            source,
        }
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metadata")
            .field("root", &self.root.as_str())
            .field("search", &self.search)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
