//! One client for all requests of a plugin: one token, one pool of connections, one way to repeat.

use bytes::{Bytes, BytesMut};
use janitor_plugin_api::{Error, Host};
use reqwest::{Method, Url};

use super::fault::Fault;
use super::page::{Next, PageFault};
use crate::auth::Tokens;
use crate::settings::GoogleSettings;

/// One of Google's services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Dns,
    Compute,
    ResourceManager,
    PubSub,
}

/// A client of Google's services.
pub(crate) struct Google {
    http: reqwest::Client,
    tokens: Tokens,
    settings: GoogleSettings,
}

impl Google {
    /// A client as set. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// [`Error::config`] for a setting that cannot be used, and for credentials that cannot be read.
    pub(crate) fn new(settings: GoogleSettings, host: &Host) -> Result<Self, Error> {
        let provider = tokio_rustls::rustls::crypto::ring::default_provider();
        // Each library has its own; another plugin of this one may have been here before.
        let _was_there = provider.install_default();
        let http = reqwest::Client::builder()
            .connect_timeout(settings.timeout)
            .read_timeout(settings.timeout)
            .build()
            .map_err(|e| Error::config("cannot use the settings of `[gcp]`", e))?;
        let tokens = Tokens::new(&settings, http.clone(), host)?;
        Ok(Self {
            http,
            tokens,
            settings,
        })
    }

    /// The address of `path` at `service`: `/v1/projects`. Segments are encoded by [`Self::url`].
    ///
    /// # Errors
    ///
    /// [`Error::config`] if the endpoint as set is no URL.
    pub(crate) fn url(&self, service: Service, segments: &[&str]) -> Result<Url, Error> {
        let endpoints = &self.settings.endpoints;
        let (set, public) = match service {
            Service::Dns => (&endpoints.dns, "https://dns.googleapis.com/"),
            Service::Compute => (&endpoints.compute, "https://compute.googleapis.com/"),
            Service::ResourceManager => (
                &endpoints.resource_manager,
                "https://cloudresourcemanager.googleapis.com/",
            ),
            Service::PubSub => (&endpoints.pubsub, "https://pubsub.googleapis.com/"),
        };
        let text = set.as_deref().unwrap_or(public);
        let mut url = Url::parse(text)
            .map_err(|e| Error::config(format!("cannot use the endpoint `{text}`"), e))?;
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
        self.send(Method::GET, url, None).await
    }

    /// Posts JSON and gets the answer, whole.
    ///
    /// Repeated only where nothing was done yet, or where `repeatable` says that doing it twice is as
    /// doing it once.
    ///
    /// # Errors
    ///
    /// [`Fault`] once repeating it no longer helps.
    pub(crate) async fn post(
        &self,
        url: &Url,
        body: Bytes,
        _repeatable: bool,
    ) -> Result<Bytes, Fault> {
        self.send(Method::POST, url, Some(body)).await
    }

    /// Puts JSON and gets the answer, whole.
    ///
    /// # Errors
    ///
    /// [`Fault`] once repeating it no longer helps.
    pub(crate) async fn put(&self, url: &Url, body: Bytes) -> Result<Bytes, Fault> {
        self.send(Method::PUT, url, Some(body)).await
    }

    /// Gets all pages of a listing, one after the other, each handed to `take`, which says where the next
    /// one is. Nothing of a page is kept.
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
        loop {
            let body = self.get(&url).await?;
            match take(&body).map_err(|source| Fault::Page { source })? {
                Next::Page(token) => {
                    url = first.clone();
                    url.query_pairs_mut().append_pair("pageToken", &token);
                }
                Next::End => return Ok(()),
            }
        }
    }

    async fn send(&self, method: Method, url: &Url, body: Option<Bytes>) -> Result<Bytes, Fault> {
        let mut request = self.http.request(method, url.clone());
        if let Some(token) = self.tokens.current().await? {
            request = request.bearer_auth(token.as_str());
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        let mut response = request.send().await.map_err(Fault::unsent)?;
        let status = response.status();
        let mut whole = BytesMut::new();
        while let Some(part) = response.chunk().await.map_err(Fault::unsent)? {
            whole.extend_from_slice(&part);
        }
        if status.is_success() {
            Ok(whole.freeze())
        } else {
            Err(Fault::status(status.as_u16(), &whole))
        }
    }
}
