//! A request, as often as it is sent.

use std::cell::Cell;
use std::fmt;

use bytes::Bytes;
use form_urlencoded::byte_serialize;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use super::fault::Fault;
use crate::auth::Secret;

/// A request.
pub(crate) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    pub(super) repeat: Repeat,
    pub(super) is_direct: bool,
    pub(super) shows_query: bool,
    /// Whether an attempt so far may have done what it asks for, and did not say so.
    pub(super) is_in_doubt: Cell<bool>,
    hidden: Vec<Secret>,
}

/// When a request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Whenever there is hope: doing it twice is as doing it once.
    Always,
    /// Only if nothing was done.
    Undone,
}

impl Request {
    pub(crate) fn new(method: Method, url: Url, repeat: Repeat) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            repeat,
            is_direct: false,
            shows_query: false,
            is_in_doubt: Cell::new(false),
            hidden: Vec::new(),
        }
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// With a body of `content_type`.
    pub(crate) fn body(mut self, content_type: &'static str, body: Bytes) -> Self {
        self.headers
            .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.body = Some(body);
        self
    }

    /// Past any proxy: what answers is on this machine, or next to it.
    pub(crate) const fn direct(mut self) -> Self {
        self.is_direct = true;
        self
    }

    /// With its query in the log: there is nothing secret in it.
    pub(crate) const fn with_shown_query(mut self) -> Self {
        self.shows_query = true;
        self
    }

    /// Without `secret`, which it carries, in any text about the answer: neither as it is nor as a form has it.
    pub(crate) fn hiding(mut self, secret: &Secret) -> Self {
        let encoded = byte_serialize(secret.reveal().as_bytes()).collect();
        self.hidden.extend([secret.clone(), Secret::new(encoded)]);
        self
    }

    /// Its address as texts have it.
    pub(super) fn shown_url(&self) -> String {
        let mut url = self.url.clone();
        if !self.shows_query {
            url.set_query(None);
        }
        url.set_fragment(None);
        // Both fail for addresses that cannot have any.
        let (_none, _neither) = (url.set_username(""), url.set_password(None));
        url.into()
    }

    /// Who is asked.
    pub(super) fn host(&self) -> &str {
        self.url.host_str().unwrap_or("nobody")
    }

    /// Remembers an attempt that came to `fault`.
    pub(super) fn doubt(&self, fault: &Fault) {
        if !self.method.is_safe() && fault.may_have_been_done() {
            self.is_in_doubt.set(true);
        }
    }

    /// What it carries that no text may show.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        let authorization = self.headers.get(AUTHORIZATION);
        let bearer = authorization
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        bearer
            .into_iter()
            .chain(self.hidden.iter().map(Secret::reveal))
            .collect()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {})", self.method, self.shown_url())
    }
}
