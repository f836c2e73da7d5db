//! Which addresses of an instance its names have.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::instances::{Field, First, Instance, Interface, Text};

/// What `address` asks for.
#[janitor_plugin_api::settings]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Addresses {
    /// The external IPv4 address.
    External,
    /// The internal IPv4 address.
    Internal,
    /// Both IPv4 addresses.
    Both,
    /// The IPv6 addresses, external and internal.
    Ipv6,
    /// The external IPv6 address.
    ExternalIpv6,
    /// The internal IPv6 address.
    InternalIpv6,
    /// The external addresses, IPv4 and IPv6.
    ExternalDualStack,
    /// The internal addresses, IPv4 and IPv6.
    InternalDualStack,
    /// Every address.
    All,
}

/// A kind of address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    External = 1,
    Internal = 2,
    ExternalIpv6 = 4,
    InternalIpv6 = 8,
}

impl Kind {
    const ALL: [Self; 4] = [
        Self::External,
        Self::Internal,
        Self::ExternalIpv6,
        Self::InternalIpv6,
    ];

    /// Whether an address of this kind means the same wherever it is used; one of the others does so
    /// within its network.
    pub(crate) const fn is_external(self) -> bool {
        matches!(self, Self::External | Self::ExternalIpv6)
    }

    pub(crate) const fn is_ipv6(self) -> bool {
        matches!(self, Self::ExternalIpv6 | Self::InternalIpv6)
    }
}

/// A set of [`Kind`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

impl Kinds {
    pub(crate) const fn has(self, kind: Kind) -> bool {
        self.0 & kind as u8 != 0
    }

    pub(crate) const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

impl From<Addresses> for Kinds {
    fn from(addresses: Addresses) -> Self {
        use Kind::{External, ExternalIpv6, Internal, InternalIpv6};
        let kinds: &[Kind] = match addresses {
            Addresses::External => &[External],
            Addresses::Internal => &[Internal],
            Addresses::Both => &[External, Internal],
            Addresses::Ipv6 => &[ExternalIpv6, InternalIpv6],
            Addresses::ExternalIpv6 => &[ExternalIpv6],
            Addresses::InternalIpv6 => &[InternalIpv6],
            Addresses::ExternalDualStack => &[External, ExternalIpv6],
            Addresses::InternalDualStack => &[Internal, InternalIpv6],
            Addresses::All => &Kind::ALL,
        };
        Self(kinds.iter().fold(0, |set, kind| set | *kind as u8))
    }
}

/// Why an instance has no address that is asked for. Members are called as in the original's warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAddress {
    /// It is not there, so the instance has no such address.
    Missing(&'static str),
    /// It is not there, and every instance has it.
    Lost(&'static str),
    Unfit(&'static str),
}

impl NoAddress {
    /// Whether it may have an address all the same.
    pub(crate) const fn may_be_any(self) -> bool {
        matches!(self, Self::Lost(_) | Self::Unfit(_))
    }
}

impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(key) | Self::Lost(key) => write!(f, "missing key {key}"),
            Self::Unfit(key) => write!(f, "unreadable key {key}"),
        }
    }
}

/// The addresses of an instance: those of its first interface, and there of its first access
/// configuration.
#[derive(Debug)]
pub(crate) struct Found {
    by_kind: [(Kind, Result<IpAddr, NoAddress>); 4],
    kinds: Kinds,
}

impl Found {
    /// Reads the addresses of these kinds.
    pub(crate) fn of(instance: &Instance<'_>, kinds: Kinds) -> Self {
        let key = "networkInterfaces";
        let interface = match &instance.interfaces {
            Field::Found(First(Field::Found(interface))) => Ok(interface),
            Field::Missing | Field::Found(First(Field::Missing)) => Err(NoAddress::Lost(key)),
            Field::Unfit | Field::Found(First(Field::Unfit)) => Err(NoAddress::Unfit(key)),
        };
        let address = |kind| interface.and_then(|interface| address_of(interface, kind));
        Self {
            by_kind: Kind::ALL.map(|kind| (kind, address(kind))),
            kinds,
        }
    }

    /// Those that could be read.
    pub(crate) fn each(&self) -> impl Iterator<Item = (Kind, IpAddr)> {
        let asked = self
            .by_kind
            .iter()
            .filter(|(kind, _)| self.kinds.has(*kind));
        asked.filter_map(|(kind, address)| Some((*kind, address.ok()?)))
    }

    /// Why the instance is not to be named by these kinds: one cannot be read, or there is none.
    pub(crate) fn lack(&self, kinds: Kinds) -> Option<NoAddress> {
        let asked = self.by_kind.iter().filter(|(kind, _)| kinds.has(*kind));
        let (mut has_any, mut missing) = (false, None);
        for (_, address) in asked {
            match address {
                Ok(_) => has_any = true,
                Err(unknown) if unknown.may_be_any() => return Some(*unknown),
                Err(reason) => missing = missing.or(Some(*reason)),
            }
        }
        missing.filter(|_| !has_any)
    }
}

fn address_of(interface: &Interface<'_>, kind: Kind) -> Result<IpAddr, NoAddress> {
    let (key, text) = match kind {
        Kind::Internal => ("networkIP", &interface.internal),
        Kind::InternalIpv6 => ("ipv6Address", &interface.internal_ipv6),
        Kind::External | Kind::ExternalIpv6 => {
            let (key, access) = match kind {
                Kind::External => ("accessConfigs", &interface.access),
                _ => ("ipv6AccessConfigs", &interface.access_ipv6),
            };
            let access = match access {
                Field::Found(First(Field::Found(access))) => access,
                Field::Missing | Field::Found(First(Field::Missing)) => {
                    return Err(NoAddress::Missing(key));
                }
                Field::Unfit | Field::Found(First(Field::Unfit)) => {
                    return Err(NoAddress::Unfit(key));
                }
            };
            match kind {
                Kind::External => ("natIP", &access.external),
                _ => ("externalIpv6", &access.external_ipv6),
            }
        }
    };
    match text {
        // Only an interface of IPv6 alone has none.
        Field::Missing if kind == Kind::Internal && !interface.has_ipv6() => {
            Err(NoAddress::Lost(key))
        }
        Field::Missing => Err(NoAddress::Missing(key)),
        Field::Unfit => Err(NoAddress::Unfit(key)),
        Field::Found(text) => read(text, kind).ok_or(NoAddress::Unfit(key)),
    }
}

/// An address that a machine can have.
fn read(text: &Text<'_>, kind: Kind) -> Option<IpAddr> {
    let address = if kind.is_ipv6() {
        text.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    } else {
        text.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
    };
    address.filter(|address| {
        !address.is_unspecified()
            && !address.is_loopback()
            && !address.is_multicast()
            && *address != IpAddr::V4(Ipv4Addr::BROADCAST)
    })
}
