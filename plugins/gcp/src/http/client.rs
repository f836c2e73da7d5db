//! One client for all requests of a plugin: one token, one pool of connections, one way to repeat.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use bytes::Bytes;
use janitor_plugin_api::{Error, Host};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use tracing::debug;
use zeroize::Zeroizing;

use super::endpoints::{Addresses, Service};
use super::exchange::Exchange;
use super::fault::Fault;
use super::page::{Next, PageFault};
use super::request::{Repeat, Request};
use super::retry::{Deadline, Policy};
use crate::auth::{Access, Tokens};
#[cfg(test)]
use crate::settings::Endpoints;
use crate::settings::GoogleSettings;

/// What Google counts callers by.
const CALLER: HeaderName = HeaderName::from_static("x-goog-api-client");

/// Us, in the form that Google's own libraries use: language, library.
const US: &str = concat!(
    "gl-rust/",
    env!("CARGO_PKG_RUST_VERSION"),
    " gordon-janitor/",
    env!("CARGO_PKG_VERSION")
);

/// The project that a request is counted for, where credentials name one.
const QUOTA_PROJECT: HeaderName = HeaderName::from_static("x-goog-user-project");

/// How often a request gets a token that was fetched for it. The second one that is refused is not refused
/// for its age.
const FETCHES: u32 = 2;

/// A client of Google's services.
pub(crate) struct Google {
    exchange: Exchange,
    tokens: Tokens,
    addresses: Addresses,
}

impl Google {
    /// A client as set. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// [`Error::config`] for a setting that cannot be used, and for credentials that cannot be read.
    pub(crate) fn new(settings: GoogleSettings, host: &Host) -> Result<Self, Error> {
        let addresses = Addresses::new(&settings.endpoints)?;
        let policy = Policy::new(settings.deadline);
        let exchange = Exchange::new(settings.timeout, policy, host, addresses.are_plain())?;
        let tokens = Tokens::new(&settings, exchange.clone(), host)?;
        Ok(Self {
            exchange,
            tokens,
            addresses,
        })
    }

    /// A client for an emulator of Pub/Sub at `address`, such as `localhost:8085`: without credentials, and
    /// in the clear.
    ///
    /// # Errors
    ///
    /// As [`Self::new`], and if `address` is none.
    pub(crate) fn for_emulator(
        settings: GoogleSettings,
        host: &Host,
        address: &str,
    ) -> Result<Self, Error> {
        let policy = Policy::new(settings.deadline);
        Ok(Self {
            addresses: Addresses::new(&settings.endpoints)?.with_emulator(address)?,
            exchange: Exchange::new(settings.timeout, policy, host, true)?,
            tokens: Tokens::none(),
        })
    }

    /// The address of a resource of `service`; its path are `segments`, whatever characters they have.
    ///
    /// # Errors
    ///
    /// [`Error::config`] for segments that would lead to another place: an empty one, `.` and `..`.
    pub(crate) fn url(&self, service: Service, segments: &[&str]) -> Result<Url, Error> {
        let mut url = self.addresses.of(service).clone();
        if let Some(segment) = segments
            .iter()
            .find(|segment| matches!(**segment, "" | "." | ".."))
        {
            return Err(Error::config(
                format!("cannot ask for `{}`", segments.join("/")),
                NoSegment((*segment).to_owned()),
            ));
        }
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        Ok(url)
    }

    /// Gets one answer, whole.
    ///
    /// # Errors
    ///
    /// [`Fault`] once repeating it no longer helps.
    pub(crate) async fn get(&self, url: &Url) -> Result<Bytes, Fault> {
        self.ask(Method::GET, url, None, Repeat::Always).await
    }

    /// Posts JSON and gets the answer, whole.
    ///
    /// Repeated only where nothing was done yet, or where `repeatable` says that doing it twice is as
    /// doing it once. Of a fault that is left then, [`Fault::may_have_been_done`] tells whether it may
    /// have been.
    ///
    /// # Errors
    ///
    /// [`Fault`] once repeating it no longer helps.
    pub(crate) async fn post(
        &self,
        url: &Url,
        body: Bytes,
        repeatable: bool,
    ) -> Result<Bytes, Fault> {
        let repeat = if repeatable {
            Repeat::Always
        } else {
            Repeat::Undone
        };
        self.ask(Method::POST, url, Some(body), repeat).await
    }

    /// Puts JSON and gets the answer, whole. Repeated like a GET: it is idempotent (RFC 9110, section 9.3.4).
    ///
    /// # Errors
    ///
    /// [`Fault`] once repeating it no longer helps.
    pub(crate) async fn put(&self, url: &Url, body: Bytes) -> Result<Bytes, Fault> {
        self.ask(Method::PUT, url, Some(body), Repeat::Always).await
    }

    /// Gets all pages of a listing, one after the other, each handed to `take`, which says where the next
    /// one is. Nothing of a page is kept; each has a deadline of its own.
    ///
    /// # Errors
    ///
    /// [`Fault`] for a page that cannot be had, that `take` does not understand, or that was there before.
    pub(crate) async fn pages(
        &self,
        first: &Url,
        mut take: impl FnMut(&[u8]) -> Result<Next, PageFault>,
    ) -> Result<(), Fault> {
        let mut url = first.clone();
        // Digests in the place of tokens, which may be long and many.
        let digests = RandomState::new();
        let mut seen = HashSet::new();
        loop {
            let body = self.get(&url).await?;
            match take(&body).map_err(|source| Fault::Page { source })? {
                Next::Page(token) => {
                    if !seen.insert(digests.hash_one(&token)) {
                        let source = PageFault::Again;
                        return Err(Fault::Page { source });
                    }
                    url = first.clone();
                    url.query_pairs_mut().append_pair("pageToken", &token);
                }
                Next::End => return Ok(()),
            }
        }
    }

    /// Says what was asked of whom, once everything was.
    pub(crate) fn measure(&self, host: &Host) {
        self.exchange.measure(host);
    }

    async fn ask(
        &self,
        method: Method,
        url: &Url,
        body: Option<Bytes>,
        repeat: Repeat,
    ) -> Result<Bytes, Fault> {
        let mut request = Request::new(method, url.clone(), repeat)
            .with_shown_query()
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(CALLER, HeaderValue::from_static(US));
        if let Some(body) = body {
            request = request.body("application/json", body);
        }
        if let Some(project) = self.tokens.quota_project()
            && let Ok(project) = HeaderValue::from_str(project)
        {
            request = request.header(QUOTA_PROJECT, project);
        }
        let outcome = self.authorized(&mut request).await;
        outcome.map_err(|fault| fault.ending(&request))
    }

    /// Sends `request` with a token, and with another one if that is refused.
    async fn authorized(&self, request: &mut Request) -> Result<Bytes, Fault> {
        let deadline = self.exchange.deadline();
        let current = self.tokens.current();
        let mut access = self.in_time(current, deadline).await?;
        let mut fetches = 0;
        loop {
            if let Some(access) = &access {
                fetches += u32::from(access.was_fetched());
                request.headers.insert(AUTHORIZATION, bearer(access));
            }
            let answer = self.exchange.send(request, deadline).await?;
            if answer.is_success() && answer.looks_like_an_object() {
                return Ok(answer.body);
            }
            match &access {
                // Refused before it was looked at: this may be repeated whatever it is.
                Some(refused) if answer.status == 401 && fetches < FETCHES => {
                    debug!(
                        host = request.host(),
                        "token refused, another one is fetched"
                    );
                    let renewed = self.tokens.renew(refused.as_str());
                    access = self.in_time(renewed, deadline).await?;
                }
                _ => return Err(Fault::of(&answer, &request.secrets())),
            }
        }
    }

    /// The token that `fetch` gets, if it does so in time.
    async fn in_time(
        &self,
        fetch: impl Future<Output = Result<Option<Access>, Fault>>,
        deadline: Deadline,
    ) -> Result<Option<Access>, Fault> {
        let fetched = tokio::time::timeout(deadline.left(), fetch);
        let late = Fault::TokenLate(deadline.of());
        self.exchange
            .or_cancelled(fetched)
            .await?
            .unwrap_or(Err(late))
    }
}

fn bearer(access: &Access) -> HeaderValue {
    let text = Zeroizing::new(format!("Bearer {}", access.as_str()));
    let mut value = HeaderValue::from_str(&text).expect("tokens are checked when they are fetched");
    value.set_sensitive(true);
    value
}

/// Why something is no segment of a path.
#[derive(Debug, thiserror::Error)]
#[error("a resource cannot be called `{0}`")]
struct NoSegment(String);

#[cfg(test)]
impl Google {
    /// A client for tests: everything is asked at `address`, with `tokens`.
    pub(crate) fn testing(address: &str, tokens: Tokens) -> Self {
        Self::over(Exchange::testing(), address, tokens)
    }

    /// A client for tests of an emulator.
    pub(crate) fn over_emulator(exchange: Exchange, address: &str) -> Self {
        let addresses = Addresses::new(&Endpoints::default()).unwrap();
        Self {
            exchange,
            tokens: Tokens::none(),
            addresses: addresses.with_emulator(address).unwrap(),
        }
    }

    /// As [`Self::testing`], by an exchange of the test's own.
    pub(crate) fn over(exchange: Exchange, address: &str, tokens: Tokens) -> Self {
        let address = Some(address.to_owned());
        let endpoints = Endpoints {
            dns: address.clone(),
            compute: address.clone(),
            resource_manager: address.clone(),
            pubsub: address,
        };
        Self {
            exchange,
            tokens,
            addresses: Addresses::new(&endpoints).unwrap(),
        }
    }
}
