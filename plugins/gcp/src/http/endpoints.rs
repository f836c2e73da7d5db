//! Where Google's services are.

use std::net::IpAddr;

use janitor_plugin_api::Error;
use reqwest::Url;

use super::text::shown;
use crate::settings::Endpoints;

/// One of Google's services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Dns,
    Compute,
    ResourceManager,
    PubSub,
}

impl Service {
    const ALL: [Self; 4] = [
        Self::Dns,
        Self::Compute,
        Self::ResourceManager,
        Self::PubSub,
    ];

    /// Its setting in `[gcp.endpoints]`.
    const fn setting(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Compute => "compute",
            Self::ResourceManager => "resource_manager",
            Self::PubSub => "pubsub",
        }
    }

    /// Its public address.
    const fn public(self) -> &'static str {
        match self {
            Self::Dns => "https://dns.googleapis.com/",
            Self::Compute => "https://compute.googleapis.com/",
            Self::ResourceManager => "https://cloudresourcemanager.googleapis.com/",
            Self::PubSub => "https://pubsub.googleapis.com/",
        }
    }
}

/// The address of every service, as set.
#[derive(Debug)]
pub(super) struct Addresses([Url; 4]);

impl Addresses {
    /// # Errors
    ///
    /// [`Error::config`] for an endpoint that is no address of a service, or that would see tokens in
    /// the clear.
    pub(super) fn new(settings: &Endpoints) -> Result<Self, Error> {
        let [dns, compute, resource_manager, pubsub] = Service::ALL.map(|service| {
            let set = match service {
                Service::Dns => &settings.dns,
                Service::Compute => &settings.compute,
                Service::ResourceManager => &settings.resource_manager,
                Service::PubSub => &settings.pubsub,
            };
            let text = set.as_deref().unwrap_or(service.public());
            address(text).map_err(|fault| {
                let setting = service.setting();
                let what = match fault {
                    // There is a password in it.
                    EndpointFault::User => format!("cannot use `endpoints.{setting}`"),
                    _ => format!(
                        "cannot use `endpoints.{setting} = \"{}\"`",
                        shown(text, &[])
                    ),
                };
                Error::config(what, fault)
            })
        });
        Ok(Self([dns?, compute?, resource_manager?, pubsub?]))
    }

    pub(super) const fn of(&self, service: Service) -> &Url {
        let [dns, compute, resource_manager, pubsub] = &self.0;
        match service {
            Service::Dns => dns,
            Service::Compute => compute,
            Service::ResourceManager => resource_manager,
            Service::PubSub => pubsub,
        }
    }

    /// Whether TLS is needed for none of them.
    pub(super) fn are_plain(&self) -> bool {
        self.0.iter().all(|url| url.scheme() == "http")
    }

    /// These, with an emulator in the place of Pub/Sub. No token goes there, so it may be anywhere.
    pub(super) fn with_emulator(mut self, address: &str) -> Result<Self, Error> {
        let url = Url::parse(&format!("http://{address}/"))
            .ok()
            .filter(|url| url.path() == "/" && url.query().is_none() && url.username().is_empty());
        let [.., pubsub] = &mut self.0;
        *pubsub = url.ok_or_else(|| {
            let text = format!("cannot use `PUBSUB_EMULATOR_HOST={address}`");
            Error::config(text, EndpointFault::Emulator)
        })?;
        Ok(self)
    }
}

fn address(text: &str) -> Result<Url, EndpointFault> {
    let url = Url::parse(text).or(Err(EndpointFault::Form))?;
    if !url.has_host() || url.query().is_some() || url.fragment().is_some() {
        return Err(EndpointFault::Form);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(EndpointFault::User);
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(EndpointFault::Clear),
        _ => Err(EndpointFault::Form),
    }
}

/// Whether `url` leads to this machine. RFC 6761, section 6.3, has `localhost` and names below it there.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => {
            let name = host.strip_suffix('.').unwrap_or(host);
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

/// Why a text is no address of a service.
#[derive(Debug, thiserror::Error)]
enum EndpointFault {
    #[error("an endpoint is written `https://host/` or `https://host/path/`")]
    Form,
    #[error("an endpoint has no user and no password; the credentials are those of `keyfile`")]
    User,
    #[error(
        "access tokens would go there in the clear; outside this machine it has to be `https://`"
    )]
    Clear,
    #[error("an emulator is written `host:port`")]
    Emulator,
}
