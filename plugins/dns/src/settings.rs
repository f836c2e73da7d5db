//! The settings that all plugins of this library share: `[dns]`.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use janitor_plugin_api::dns::Name;
use janitor_plugin_api::settings::{Part, SettingType};
use serde::Deserialize;

use crate::key::KeySettings;
use crate::tls::TlsSettings;

/// Adds the shared settings to a plugin's own, and `network`, which gives them.
///
/// They are fields of every plugin's table, so that they can stand in `[dns]` for all plugins, and in
/// `[dns.axfr]` for one.
macro_rules! with_network {
    ($(#[$($attribute:tt)*])* $visibility:vis struct $name:ident { $($own:tt)* }) => {
        $(#[$($attribute)*])*
        #[janitor_plugin_api::settings]
        $visibility struct $name {
            /// Name servers, in the order in which they are asked: "192.0.2.53", "[2001:db8::53]:5353"
            /// or "ns1.example.com". The port is 53, with TLS 853.
            #[setting(default)]
            servers: Vec<$crate::settings::ServerAddress>,

            /// The key that requests are signed with and answers have to be (TSIG).
            tsig_key: Option<$crate::key::KeySettings>,

            /// Reaches the servers by TLS.
            tls: Option<$crate::tls::TlsSettings>,

            /// How long connecting may take, and the wait for each message.
            #[setting(default = 10.0, unit = "seconds", min = 0.1, max = 600)]
            timeout: f64,

            /// Connections to one server at once.
            #[setting(default = 4, min = 1, max = 64)]
            per_server: u16,

            /// By name of a zone: its own servers, key and TLS. What a zone does not say itself, the closest
            /// zone above it says, and then these settings.
            #[setting(default)]
            zones: std::collections::BTreeMap<String, $crate::settings::ZoneSettings>,

            $($own)*
        }

        impl $name {
            /// The settings that all plugins share.
            $visibility fn network(&self) -> $crate::settings::NetworkSettings {
                $crate::settings::NetworkSettings {
                    servers: self.servers.clone(),
                    tsig_key: self.tsig_key.clone(),
                    tls: self.tls.clone(),
                    timeout: std::time::Duration::from_secs_f64(self.timeout),
                    per_server: self.per_server,
                    zones: self.zones.clone(),
                }
            }
        }
    };
}
pub(crate) use with_network;

/// The shared settings.
#[derive(Clone, Debug)]
pub(crate) struct NetworkSettings {
    pub(crate) servers: Vec<ServerAddress>,
    pub(crate) tsig_key: Option<KeySettings>,
    pub(crate) tls: Option<TlsSettings>,
    pub(crate) timeout: Duration,
    pub(crate) per_server: u16,
    pub(crate) zones: BTreeMap<String, ZoneSettings>,
}

/// The settings of one zone and what is below it.
#[janitor_plugin_api::settings]
#[derive(Clone, Debug)]
pub(crate) struct ZoneSettings {
    /// Its name servers, in place of the others.
    servers: Option<Vec<ServerAddress>>,
    /// Its key, in place of the other.
    tsig_key: Option<KeySettings>,
    /// Reaches its servers by TLS, in place of what is said of the others.
    tls: Option<TlsSettings>,
}

impl ZoneSettings {
    pub(crate) fn servers(&self) -> Option<&[ServerAddress]> {
        self.servers.as_deref()
    }

    pub(crate) fn tsig_key(&self) -> Option<&KeySettings> {
        self.tsig_key.as_ref()
    }

    pub(crate) fn tls(&self) -> Option<&TlsSettings> {
        self.tls.as_ref()
    }
}

/// Where a server is: a host, and its port if it is not the usual one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct ServerAddress {
    pub(crate) host: ServerHost,
    pub(crate) port: Option<u16>,
}

/// A server by address or by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ServerHost {
    Address(IpAddr),
    /// Without its final dot.
    Name(String),
}

impl SettingType for ServerAddress {
    const SCHEMA: &'static [Part] = String::SCHEMA;
}

impl TryFrom<String> for ServerAddress {
    type Error = ServerAddressError;

    fn try_from(text: String) -> Result<Self, ServerAddressError> {
        text.parse()
    }
}

impl FromStr for ServerAddress {
    type Err = ServerAddressError;

    fn from_str(text: &str) -> Result<Self, ServerAddressError> {
        let form = || ServerAddressError::Form(text.to_owned());
        // With one colon a port follows; IPv6 has several, and brackets where it has a port.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
            _ => (text, None),
        };
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let host = match (bare, bare.unwrap_or(host).parse::<IpAddr>()) {
            (Some(_), Ok(address)) if address.is_ipv6() => ServerHost::Address(address),
            (Some(_), _) => return Err(form()),
            (None, Ok(address)) => ServerHost::Address(address),
            (None, Err(_)) => ServerHost::Name(host_name(host).ok_or_else(form)?),
        };
        let Some(port) = port else {
            return Ok(Self { host, port: None });
        };
        if port.is_empty() || !port.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(form());
        }
        match port.parse() {
            Ok(number) if number > 0 => Ok(Self {
                host,
                port: Some(number),
            }),
            _ => Err(ServerAddressError::Port {
                server: text.to_owned(),
                port: port.to_owned(),
            }),
        }
    }
}

/// A name that can have addresses (RFC 1123, section 2.1, and underscores).
fn host_name(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let is_known = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
    // What looks like an address and is none would otherwise be looked up as a name.
    let is_number = |label: &str| label.bytes().all(|octet| octet.is_ascii_digit());
    if !text.bytes().all(is_known)
        || text.parse::<Name>().is_err()
        || text.rsplit('.').next().is_none_or(is_number)
    {
        return None;
    }
    Some(text.to_ascii_lowercase())
}

/// Why a text is not the address of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ServerAddressError {
    #[error(
        "`{0}` is no server; one is written `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, \
         `[2001:db8::53]:5353`, `ns1.example.com` or `ns1.example.com:5353`"
    )]
    Form(String),
    #[error("`{server}` has the port {port}; ports are 1 to 65535")]
    Port { server: String, port: String },
}

impl fmt::Display for ServerHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests;
