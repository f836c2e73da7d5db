//! Checks buffers that somebody else filled.

use std::cmp::Ordering;
use std::fmt;

use super::labels;
use super::name::{NameError, NameRef};
use super::rdata::{self, RdataError};
use super::rrset::{OWNER, RDATA_COUNT, RESERVED, RrsetRef, TTL, Ttl};
use super::rrset::{entry_rtype, read_u16, read_u32};
use super::rtype::Rtype;
use super::succession::{OwnerFault, Succession};
use super::zone::Zone;
use super::zone_writer::{self, Header};

/// A buffer is not as its format has it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot accept the buffer: octet {at} is wrong")]
pub struct BufferFault {
    /// Where the faulty part starts.
    pub at: usize,
    /// What is wrong there.
    #[source]
    pub reason: BufferFaultReason,
}

/// What is wrong with a buffer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BufferFaultReason {
    /// The buffer ends inside something.
    #[error("the buffer ends too early")]
    Truncated,
    /// The buffer goes on after its last part.
    #[error("octets follow the last part")]
    TrailingOctets,
    /// More than 2³² − 1 octets.
    #[error("the buffer is too large")]
    TooLarge,
    /// Another format than this library knows.
    #[error("unknown format {0}")]
    Format(u16),
    /// Flags that nobody has given a meaning.
    #[error("unknown flags {0:#06x}")]
    Flags(u16),
    /// The header states another number than there is.
    #[error("the header counts {stated} {what}, there are {counted}")]
    Count {
        /// What is counted.
        what: &'static str,
        /// The number in the header.
        stated: u64,
        /// The number found.
        counted: u64,
    },
    /// An entry is shorter or longer than what is in it.
    #[error("an RRset does not fill its entry")]
    EntryLength,
    /// The type is never zone data.
    #[error("{0} is never zone data")]
    MetaType(Rtype),
    /// The reserved octets are not 0.
    #[error("reserved octets are set")]
    Reserved,
    /// The TTL is above 2³¹ − 1.
    #[error("the TTL {0} is above 2147483647 seconds")]
    Ttl(u32),
    /// The RRset has no rdata.
    #[error("the RRset has no rdata")]
    NoRdata,
    /// The owner is no name in canonical form.
    #[error("the owner is not a name in canonical form")]
    Owner(#[source] NameError),
    /// The owner is not at or below the apex.
    #[error("the owner is not at or below the apex")]
    OutOfZone,
    /// Owners and types, or changes, do not ascend.
    #[error("what is there does not come after what is before it")]
    Order,
    /// The rdata is not of its type, or not in canonical form.
    #[error("the rdata of an RR of type {rtype} is not in canonical form")]
    Rdata {
        /// The type.
        rtype: Rtype,
        /// What is wrong with the rdata.
        source: RdataError,
    },
    /// The rdata of an RRset do not ascend.
    #[error("the rdata does not come after the one before it")]
    RdataOrder,
    /// A kind of change that nobody has given a meaning.
    #[error("unknown kind of change {0}")]
    Kind(u8),
    /// What an update deletes and adds is not of one owner and type, or is equal.
    #[error("the update does not change one RRset")]
    UpdateHalves,
    /// No server would accept the zone.
    #[error("an owner has {0}")]
    Unservable(Unservable),
    /// An actual zone is not complete.
    #[error("an actual zone is complete")]
    Incomplete,
}

/// What no owner may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unservable {
    /// CNAME and another type (RFC 1034, section 3.6.2).
    CnameBeside(Rtype),
    /// Several rdata of a type that may have one only.
    Several(Rtype),
    /// A SOA that is not at the apex.
    SoaBelowApex,
    /// CNAME at the apex, where SOA and NS always are (RFC 1912, section 2.4).
    CnameAtApex,
}

impl fmt::Display for Unservable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CnameBeside(rtype) => write!(f, "a CNAME and {rtype} beside it"),
            Self::Several(rtype) => write!(f, "more than one {rtype}"),
            Self::SoaBelowApex => f.write_str("a SOA, but is not the apex of the zone"),
            Self::CnameAtApex => f.write_str("a CNAME, but is the apex, which has a SOA and NS"),
        }
    }
}

/// Checks everything that holds for desired and actual zones alike.
pub(crate) fn zone(apex: NameRef<'_>, octets: &[u8]) -> Result<(), BufferFault> {
    let (header, end) = header(octets)?;
    let mut reader = EntryReader::new(apex);
    let mut counted = (0, 0);
    let mut at = zone_writer::HEADER;
    while at < end {
        let entry = reader.read(&octets[..end], at)?;
        if entry.owner.then(entry.rtype).is_le() {
            let reason = BufferFaultReason::Order;
            return Err(BufferFault { at, reason });
        }
        counted.0 += 1;
        counted.1 += u64::from(read_u32(octets, at + RDATA_COUNT));
        at = entry.end;
    }
    count(4, "RRsets", header.rrsets, counted.0)?;
    count(8, "RRs", header.rrs, counted.1)?;
    held(apex, &header, octets, end)
}

/// Checks the header of a buffer; returns it, and where the entries end.
fn header(octets: &[u8]) -> Result<(Header, usize), BufferFault> {
    use BufferFaultReason::{Flags, Format, TooLarge, Truncated};

    let fault = |at, reason| Err(BufferFault { at, reason });
    if octets.len() > zone_writer::MAX_OCTETS {
        return fault(0, TooLarge);
    }
    if octets.len() < zone_writer::HEADER {
        return fault(0, Truncated);
    }
    match read_u16(octets, 0) {
        zone_writer::FORMAT => {}
        format => return fault(0, Format(format)),
    }
    let header = Header::read(octets);
    if header.flags & !zone_writer::COMPLETE != 0 {
        return fault(2, Flags(header.flags));
    }
    let end = zone_writer::HEADER + header.entries as usize;
    if octets.len() < end {
        return fault(16, Truncated);
    }
    Ok((header, end))
}

/// Checks the header of an actual zone, and what follows its entries.
pub(crate) fn restored(apex: NameRef<'_>, octets: &[u8]) -> Result<(), BufferFault> {
    let (header, end) = header(octets)?;
    if header.flags & zone_writer::COMPLETE == 0 {
        return Err(INCOMPLETE);
    }
    held(apex, &header, octets, end)
}

const INCOMPLETE: BufferFault = BufferFault {
    at: 2,
    reason: BufferFaultReason::Incomplete,
};

fn held(
    apex: NameRef<'_>,
    header: &Header,
    octets: &[u8],
    start: usize,
) -> Result<(), BufferFault> {
    let mut at = start;
    let mut last: Option<NameRef<'_>> = None;
    for _ in 0..header.held {
        let rest = &octets[at..];
        let owner = labels::octets_of(rest)
            .and_then(|length| NameRef::from_canonical_wire(&rest[..length]))
            .map_err(|source| BufferFault {
                at,
                reason: BufferFaultReason::Owner(source),
            })?;
        let reason = if !owner.is_at_or_below(apex) {
            Some(BufferFaultReason::OutOfZone)
        } else if last.is_some_and(|last| last >= owner) {
            Some(BufferFaultReason::Order)
        } else {
            None
        };
        if let Some(reason) = reason {
            return Err(BufferFault { at, reason });
        }
        last = Some(owner);
        at += owner.as_wire().len();
    }
    if at < octets.len() {
        return Err(BufferFault {
            at,
            reason: BufferFaultReason::TrailingOctets,
        });
    }
    Ok(())
}

/// Compares a number in the header with what was found.
pub(crate) fn count(
    at: usize,
    what: &'static str,
    stated: u32,
    counted: u64,
) -> Result<(), BufferFault> {
    let stated = u64::from(stated);
    if stated == counted {
        return Ok(());
    }
    let reason = BufferFaultReason::Count {
        what,
        stated,
        counted,
    };
    Err(BufferFault { at, reason })
}

/// Checks what holds for desired zones only.
pub(crate) fn desired(zone: &Zone) -> Result<(), BufferFault> {
    servable(zone).map_err(|(at, _, reason)| BufferFault {
        at,
        reason: BufferFaultReason::Unservable(reason),
    })
}

/// Checks what holds for actual zones only.
pub(crate) fn actual(zone: &Zone) -> Result<(), BufferFault> {
    if zone.is_complete() {
        return Ok(());
    }
    Err(INCOMPLETE)
}

/// Checks that a server would accept the zone; says where in the buffer, and at
/// which owner, it would not.
pub(crate) fn servable(zone: &Zone) -> Result<(), (usize, NameRef<'_>, Unservable)> {
    let mut next = zone_writer::HEADER;
    let mut last: Option<RrsetRef<'_>> = None;
    let mut cname: Option<NameRef<'_>> = None;
    for rrset in zone.rrsets() {
        let at = next;
        next += rrset.octets().len();
        let rtype = rrset.rtype();
        if rtype.is_singleton() && rrset.rdata_count() > 1 {
            return Err((at, rrset.owner(), Unservable::Several(rtype)));
        }
        if rtype == Rtype::SOA && !rrset.is_owned_by(zone.apex().as_wire()) {
            return Err((at, rrset.owner(), Unservable::SoaBelowApex));
        }
        if let Some(owner) = cname {
            if !rrset.is_owned_by(owner.as_wire()) {
                cname = None;
            } else if !rtype.may_stand_beside_cname() {
                return Err((at, owner, Unservable::CnameBeside(rtype)));
            }
        }
        if rtype == Rtype::CNAME {
            let owner = rrset.owner();
            if owner == zone.apex() {
                return Err((at, owner, Unservable::CnameAtApex));
            }
            // The types that sort before CNAME may not stand beside it.
            if let Some(last) = last.filter(|last| last.is_owned_by(owner.as_wire())) {
                return Err((at, owner, Unservable::CnameBeside(last.rtype())));
            }
            cname = Some(owner);
        }
        last = Some(rrset);
    }
    Ok(())
}

/// An entry that has been checked.
pub(crate) struct EntryRead {
    /// Where it ends.
    pub(crate) end: usize,
    /// How its owner stands to that of the entry before; after, if it is the first.
    pub(crate) owner: Ordering,
    /// How its type stands to that of the entry before.
    pub(crate) rtype: Ordering,
}

/// Checks entries one after the other.
pub(crate) struct EntryReader<'a> {
    apex: &'a [u8],
    /// The owner of the last entry; empty before the first.
    owner: &'a [u8],
    rtype: Rtype,
    succession: Succession,
}

impl<'a> EntryReader<'a> {
    pub(crate) fn new(apex: NameRef<'a>) -> Self {
        Self {
            apex: apex.as_wire(),
            owner: &[],
            rtype: Rtype(0),
            succession: Succession::new(apex.as_wire()),
        }
    }

    /// Checks the entry at `at`.
    pub(crate) fn read(&mut self, octets: &'a [u8], at: usize) -> Result<EntryRead, BufferFault> {
        match self.read_entry(&octets[at..]) {
            Ok(mut entry) => {
                entry.end += at;
                Ok(entry)
            }
            Err((inside, reason)) => Err(BufferFault {
                at: at + inside,
                reason,
            }),
        }
    }

    fn read_entry(&mut self, octets: &'a [u8]) -> Result<EntryRead, (usize, BufferFaultReason)> {
        use BufferFaultReason::{EntryLength, MetaType, NoRdata, Rdata, RdataOrder, Reserved};
        use BufferFaultReason::{Truncated, Ttl as TtlFault};

        if octets.len() < OWNER {
            return Err((0, Truncated));
        }
        let length = read_u32(octets, 0) as usize;
        let entry = octets.get(..length).ok_or((0, Truncated))?;
        if length <= OWNER {
            return Err((0, EntryLength));
        }
        let rtype = entry_rtype(entry);
        if rtype.is_meta() {
            return Err((4, MetaType(rtype)));
        }
        if read_u16(entry, RESERVED) != 0 {
            return Err((RESERVED, Reserved));
        }
        let ttl = read_u32(entry, TTL);
        if ttl > Ttl::MAX.as_secs() {
            return Err((TTL, TtlFault(ttl)));
        }
        let rdata_count = read_u32(entry, RDATA_COUNT);
        if rdata_count == 0 {
            return Err((RDATA_COUNT, NoRdata));
        }
        let owner_order = self.read_owner(&entry[OWNER..])?;
        let rtype_order = rtype.cmp(&self.rtype);
        self.rtype = rtype;

        let mut at = OWNER + self.owner.len();
        let mut last: Option<&[u8]> = None;
        for _ in 0..rdata_count {
            let start = at + 2;
            if start > length {
                return Err((at, EntryLength));
            }
            let end = start + usize::from(read_u16(entry, at));
            let octets = entry.get(start..end).ok_or((at, EntryLength))?;
            rdata::check(rtype, octets).map_err(|source| (start, Rdata { rtype, source }))?;
            if last.is_some_and(|last| last >= octets) {
                return Err((start, RdataOrder));
            }
            last = Some(octets);
            at = end;
        }
        if at < length {
            return Err((at, EntryLength));
        }
        Ok(EntryRead {
            end: length,
            owner: owner_order,
            rtype: rtype_order,
        })
    }

    /// Checks the owner and compares it with that of the entry before.
    #[inline]
    fn read_owner(&mut self, octets: &'a [u8]) -> Result<Ordering, (usize, BufferFaultReason)> {
        // A name ends with the root label, so none is the beginning of another.
        if !self.owner.is_empty() && octets.starts_with(self.owner) {
            return Ok(Ordering::Equal);
        }
        let read = if self.owner.is_empty() {
            let read = self.succession.read(octets, self.apex);
            read.map(|length| (length, Ordering::Greater))
        } else {
            self.succession.follow(self.owner, octets, self.apex)
        };
        let (length, order) = read.map_err(|fault| match fault {
            OwnerFault::Name(source) => (OWNER, BufferFaultReason::Owner(source)),
            OwnerFault::OutOfZone => (OWNER, BufferFaultReason::OutOfZone),
        })?;
        self.owner = &octets[..length];
        Ok(order)
    }
}

#[cfg(test)]
mod tests;
