//! What an answer says of one RRset of a zone.
//!
//! A question is answered from what a server would tell the world, which is not always what the zone holds:
//! a wildcard stands in for what is not there (RFC 4592), a zone cut hides what is below it (RFC 1034, section
//! 4.2.1), a DNAME what is below it (RFC 6672), and another zone of the same server answers in place of its
//! parent. In all of these an answer proves nothing, and is taken neither for a yes nor for a no.

use std::fmt;

use domain::base::iana::Rcode;
use domain::base::name::ToName as _;
use domain::base::rdata::{ComposeRecordData, UnknownRecordData};
use domain::base::{Message, ParsedRecord};
use domain::rdata::AllRecordData;
use janitor_plugin_api::dns::{Name, NameRef, Rrset, RrsetRef, Rtype, Serial, Ttl};

use crate::message::{Answer, wire_name};

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// The RRset is as it is wanted; if none is wanted, none is there.
    AsWanted,
    /// None is there, and one is wanted; or the server did not say.
    Otherwise(Obstacle),
    /// Another RRset is there. A wildcard, or a zone below, might have made it.
    Another(Rrset),
    /// Nobody can tell from outside.
    Hidden,
}

/// What stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    Missing,
    Another,
    Cname,
    Delegated,
    NotAuthoritative,
    Rcode(Rcode),
    Broken,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("it does not serve the RRset"),
            Self::Another => f.write_str("it serves another RRset"),
            Self::Cname => f.write_str("it serves a CNAME there"),
            Self::Delegated => f.write_str("it still delegates the name"),
            Self::NotAuthoritative => f.write_str("it answers without authority for the zone"),
            Self::Rcode(rcode) => write!(f, "it answers {rcode}"),
            Self::Broken => f.write_str("its answer cannot be read"),
        }
    }
}

/// Judges the answer to the question for `rtype` at `owner` in the zone at `apex`, where `wanted` or
/// nothing ought to be.
pub(super) fn judge(
    answer: Answer<'_>,
    apex: NameRef<'_>,
    owner: NameRef<'_>,
    rtype: Rtype,
    wanted: Option<RrsetRef<'_>>,
) -> Sight {
    // The primary writes another serial than the one that was planned.
    if rtype == Rtype::SOA {
        return Sight::Hidden;
    }
    let rcode = answer.rcode();
    if rcode != Rcode::NOERROR && rcode != Rcode::NXDOMAIN {
        return Sight::Otherwise(Obstacle::Rcode(rcode));
    }
    let Some(found) = Found::read(answer.message(), owner, rtype) else {
        return Sight::Otherwise(Obstacle::Broken);
    };
    if found.is_below_dname {
        return Sight::Hidden;
    }
    // Records in the answer section of an answer without authority come from a cache.
    if !found.is_authoritative && (found.rrset.is_some() || found.has_cname) {
        return Sight::Otherwise(Obstacle::NotAuthoritative);
    }
    if let Some(rrset) = found.rrset {
        return compare(rrset, wanted);
    }
    if found.has_cname {
        return match wanted {
            None => Sight::AsWanted,
            Some(_) => Sight::Otherwise(Obstacle::Cname),
        };
    }
    if let Some(cut) = found.cut {
        if cut.owner() == apex || !cut.owner().is_at_or_below(apex) {
            // Referrals to the root, and to whatever is above the zone: it is not served here.
            return Sight::Otherwise(Obstacle::NotAuthoritative);
        }
        return match (rtype, cut.owner() == owner) {
            (Rtype::NS, true) if wanted.is_none() => Sight::Otherwise(Obstacle::Delegated),
            // The NS RRset of a delegation is told only this way.
            (Rtype::NS, true) => compare(cut, wanted),
            _ => Sight::Hidden,
        };
    }
    if !found.is_authoritative {
        return Sight::Otherwise(Obstacle::NotAuthoritative);
    }
    match (found.is_of_zone(apex), wanted) {
        (false, _) => Sight::Hidden,
        (true, None) => Sight::AsWanted,
        (true, Some(_)) => Sight::Otherwise(Obstacle::Missing),
    }
}

fn compare(found: Rrset, wanted: Option<RrsetRef<'_>>) -> Sight {
    match wanted {
        Some(wanted) if is_same(&found, &wanted.to_owned()) => Sight::AsWanted,
        _ => Sight::Another(found),
    }
}

/// Whether two RRsets are the same wherever they are: same TTL, same rdata.
pub(super) fn is_same(one: &Rrset, other: &Rrset) -> bool {
    one.ttl() == other.ttl() && one.rdatas().eq(other.rdatas())
}

/// The serial that an authoritative server has of the zone.
pub(super) fn serial(answer: Answer<'_>, apex: NameRef<'_>) -> Result<Serial, Obstacle> {
    if answer.rcode() != Rcode::NOERROR {
        return Err(Obstacle::Rcode(answer.rcode()));
    }
    let found = Found::read(answer.message(), apex, Rtype::SOA).ok_or(Obstacle::Broken)?;
    let soa = found.rrset.filter(|_| found.is_authoritative);
    let soa = soa.ok_or(Obstacle::NotAuthoritative)?;
    // The serial stands before four numbers (RFC 1035, section 3.3.13).
    let rdata = soa.rdatas().next().ok_or(Obstacle::Broken)?;
    let start = rdata.len().checked_sub(20).ok_or(Obstacle::Broken)?;
    let serial = rdata[start..].first_chunk().ok_or(Obstacle::Broken)?;
    Ok(Serial(u32::from_be_bytes(*serial)))
}

/// The RRset of type `rtype` at `owner` that an authoritative answer has.
pub(super) fn rrset(answer: Answer<'_>, owner: NameRef<'_>, rtype: Rtype) -> Option<Rrset> {
    let found = Found::read(answer.message(), owner, rtype)?;
    found.rrset.filter(|_| found.is_authoritative)
}

/// Whether the answer to a question for the NS at `owner`, which is not the apex of the zone, says that it
/// is a zone cut: that of a referral, or the apex of another zone of the server.
pub(super) fn is_cut(answer: Answer<'_>, owner: NameRef<'_>) -> bool {
    let found = Found::read(answer.message(), owner, Rtype::NS);
    found.is_some_and(|found| {
        let is_referral = found.cut.is_some_and(|cut| cut.owner() == owner);
        is_referral || (found.is_authoritative && found.rrset.is_some())
    })
}

/// What an answer holds about one owner and type.
struct Found {
    is_authoritative: bool,
    rrset: Option<Rrset>,
    has_cname: bool,
    is_below_dname: bool,
    /// The NS RRset of a referral.
    cut: Option<Rrset>,
    /// The owner of the SOA that comes with a negative answer (RFC 2308, section 2).
    negative: Option<Name>,
}

impl Found {
    fn read(message: &Message<[u8]>, owner: NameRef<'_>, rtype: Rtype) -> Option<Self> {
        let mut found = Self {
            is_authoritative: message.header().aa(),
            rrset: None,
            has_cname: false,
            is_below_dname: false,
            cut: None,
            negative: None,
        };
        for record in message.answer().ok()? {
            let record = record.ok()?;
            let is_ours = record.owner().name_eq(wire_name(owner));
            match rtype_of(&record) {
                of_type if is_ours && of_type == rtype => {
                    push(&mut found.rrset, &record)?;
                }
                Rtype::CNAME if is_ours => found.has_cname = true,
                Rtype::DNAME if !is_ours => {
                    let dname = name_of(&record)?;
                    found.is_below_dname |= owner.is_at_or_below(dname.as_ref());
                }
                _ => {}
            }
        }
        for record in message.authority().ok()? {
            let record = record.ok()?;
            match rtype_of(&record) {
                Rtype::SOA => found.negative = Some(name_of(&record)?),
                // Beside an answer these are the zone's own name servers.
                Rtype::NS if !found.is_authoritative => push(&mut found.cut, &record)?,
                _ => {}
            }
        }
        Some(found)
    }

    /// Whether a negative answer comes from the zone at `apex`, as far as it says.
    fn is_of_zone(&self, apex: NameRef<'_>) -> bool {
        self.negative
            .as_ref()
            .is_none_or(|name| name.as_ref() == apex)
    }
}

fn rtype_of(record: &ParsedRecord<'_, [u8]>) -> Rtype {
    Rtype(record.rtype().to_int())
}

fn name_of(record: &ParsedRecord<'_, [u8]>) -> Option<Name> {
    let name = record.owner().to_vec();
    Name::from_wire(name.as_slice()).ok()
}

/// Adds a record to an RRset; the first one makes it.
fn push(rrset: &mut Option<Rrset>, record: &ParsedRecord<'_, [u8]>) -> Option<()> {
    let rtype = rtype_of(record);
    let rdata = rdata(record)?;
    let rrset = match rrset {
        Some(rrset) => rrset,
        None => {
            let ttl = Ttl::from_secs(record.ttl().as_secs()).ok()?;
            rrset.insert(Rrset::new(name_of(record)?, rtype, ttl))
        }
    };
    rrset.push_rdata(&rdata).ok()
}

/// Rdata with its names uncompressed.
fn rdata(record: &ParsedRecord<'_, [u8]>) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    // Names are compressed in the types of RFC 1035 only (RFC 3597, section 4), and in some that servers
    // are known to treat alike.
    let has_names = matches!(
        rtype_of(record),
        Rtype::NS
            | Rtype::CNAME
            | Rtype::DNAME
            | Rtype::PTR
            | Rtype::MX
            | Rtype::SOA
            | Rtype::SRV
            | Rtype::NAPTR
            | Rtype::MINFO
            | Rtype::MB
            | Rtype::MD
            | Rtype::MF
            | Rtype::MG
            | Rtype::MR
    );
    if has_names {
        let record = record.to_any_record::<AllRecordData<_, _>>().ok()?;
        record.data().compose_rdata(&mut octets).ok()?;
    } else {
        let record = record.to_record::<UnknownRecordData<_>>().ok()??;
        octets.extend_from_slice(record.data().data());
    }
    Some(octets)
}

#[cfg(test)]
pub(super) mod tests;
