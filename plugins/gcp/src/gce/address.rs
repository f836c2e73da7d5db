//! Which addresses of an instance its names have.

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

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of [`Kind::ALL`] that are in the set.
    fn each(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.has(*kind))
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
    Missing(&'static str),
    Unfit(&'static str),
}

/// The addresses of these kinds that an instance has, at least one of each set that asks.
///
/// They are those of its first interface, and there of its first access configuration.
///
/// # Errors
///
/// [`NoAddress::Unfit`] if one of them cannot be read, [`NoAddress::Missing`] if it has none.
pub(crate) fn addresses_of(
    instance: &Instance<'_>,
    kinds: Kinds,
    mut take: impl FnMut(Kind, IpAddr),
) -> Result<(), NoAddress> {
    let key = "networkInterfaces";
    let interface = match &instance.interfaces {
        Field::Found(First(Field::Found(interface))) => interface,
        Field::Missing | Field::Found(First(Field::Missing)) => {
            return Err(NoAddress::Missing(key));
        }
        Field::Unfit | Field::Found(First(Field::Unfit)) => return Err(NoAddress::Unfit(key)),
    };
    let mut found = Err(None);
    for kind in kinds.each() {
        match (address_of(interface, kind), found) {
            (Ok(address), _) => {
                take(kind, address);
                found = Ok(());
            }
            (Err(unfit @ NoAddress::Unfit(_)), _) => return Err(unfit),
            (Err(missing), Err(None)) => found = Err(Some(missing)),
            (Err(_), _) => {}
        }
    }
    found.map_err(|missing| missing.unwrap_or(NoAddress::Missing(key)))
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
