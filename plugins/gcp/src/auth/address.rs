//! Addresses that files with credentials name.

use std::net::IpAddr;

use crate::http::{Url, is_loopback};

/// How far an address may lead without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clear {
    /// This machine.
    Machine,
    /// This machine and what is on its link: the metadata servers of clouds are there (169.254.169.254).
    Link,
}

/// The address in `text`, if a secret may be sent to it, or read from it.
///
/// # Errors
///
/// It is none, or leads further without TLS than `clear` allows.
pub(super) fn checked(text: &str, clear: Clear) -> Result<Url, AddressFault> {
    let url = Url::parse(text).or(Err(AddressFault::None))?;
    if !url.has_host() {
        return Err(AddressFault::None);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressFault::User);
    }
    match (url.scheme(), reach(&url)) {
        ("https", _) | ("http", Some(Clear::Machine)) => Ok(url),
        ("http", Some(Clear::Link)) if clear == Clear::Link => Ok(url),
        ("http", _) => Err(AddressFault::Clear),
        _ => Err(AddressFault::None),
    }
}

/// How near the host of `url` is, as far as the address itself tells.
fn reach(url: &Url) -> Option<Clear> {
    if is_loopback(url) {
        return Some(Clear::Machine);
    }
    let host = url.host_str()?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_link_local = match bare.parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    is_link_local.then_some(Clear::Link)
}

/// `url` as messages show it: without what follows the path, where secrets may be.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// Why nothing is sent to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressFault {
    #[error("it is no address of the form `https://host/path`")]
    None,
    #[error("it has a user or a password in it")]
    User,
    #[error("it leads elsewhere without TLS, where a secret could be read on the way")]
    Clear,
}

#[cfg(test)]
mod tests;
