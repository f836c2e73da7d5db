//! What the Gordon service takes.

use std::fmt;
use std::ops::RangeInclusive;

use crate::dns::{NameRef, RrsetRef, Rtype, Ttl};

/// The types that the service knows, from the schema that it judges messages with.
pub const TYPES: [Rtype; 9] = [
    Rtype::A,
    Rtype::AAAA,
    Rtype::CNAME,
    Rtype::MX,
    Rtype::NS,
    Rtype::PTR,
    Rtype::SOA,
    Rtype::SRV,
    Rtype::TXT,
];

/// The TTLs that it takes, in seconds, from the same schema.
pub const TTLS: RangeInclusive<u32> = 60..=86400;

/// Judges whether the service takes an RRset of the zone at `apex`, in a message of either direction.
///
/// The schema of its messages names [types](TYPES) and [TTLs](TTLS); an RRset always has the one value
/// or more, and no two equal, that it asks for. Besides, the service changes only what is *below* the
/// zone that it is set up for.
///
/// # Errors
///
/// [`Unfit`]: the service would acknowledge the message and drop it.
pub fn fitness(apex: NameRef<'_>, rrset: RrsetRef<'_>) -> Result<(), Unfit> {
    if !TYPES.contains(&rrset.rtype()) {
        Err(Unfit::Type(rrset.rtype()))
    } else if rrset.owner() == apex {
        Err(Unfit::Apex)
    } else if !TTLS.contains(&rrset.ttl().as_secs()) {
        Err(Unfit::Ttl(rrset.ttl()))
    } else {
        Ok(())
    }
}

/// Why the service would drop a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unfit {
    /// It does not know the type.
    Type(Rtype),
    /// It changes nothing at the apex itself.
    Apex,
    /// The TTL is out of bounds.
    Ttl(Ttl),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the Gordon service takes no ")?;
        match self {
            Self::Type(rtype) => write!(f, "{rtype}"),
            Self::Apex => f.write_str("changes at the apex"),
            Self::Ttl(ttl) => {
                let (least, most) = (TTLS.start(), TTLS.end());
                write!(f, "TTL of {ttl} seconds, only {least} to {most}")
            }
        }
    }
}

impl std::error::Error for Unfit {}
