//! Builds zones from RRs that arrive in any order.

use std::cmp::Ordering;
use std::ops::Range;

use super::build_error::BuildError;
use super::check;
use super::labels::LabelStarts;
use super::name::{Name, NameError, NameRef};
use super::order::{self, Counts, Sorter};
use super::rdata::{self, RdataError};
use super::rrset::{OWNER, RDATA_COUNT, Rrset, RrsetRef, TTL, Ttl};
use super::rrset::{length_u32, told_ttl, write_rtype, write_u32};
use super::rtype::Rtype;
use super::succession::{OwnerFault, Succession};
use super::text;
use super::zone::{ActualZone, DesiredZone, Zone};
use super::zone_writer;

/// Puts a zone together from RRs and RRsets in any order and letter case.
///
/// RRs of one owner and type become one RRset wherever they stand, equal rdata
/// count once, and of several TTLs in an RRset the lowest is taken (RFC 2181,
/// section 5.2, has them equal). So the zone does not depend on the order of
/// what was pushed.
///
/// What is pushed goes into one buffer, in the form a zone has. As long as it
/// arrives in canonical order, that buffer is the zone when it is done; types
/// at one owner may come in any order. Otherwise the RRsets are sorted and
/// copied once, for 24 octets of memory per RRset besides the two buffers.
pub struct ZoneBuilder {
    apex: Name,
    apex_labels: usize,
    /// Room for the header, then entries; the last one is open.
    octets: Vec<u8>,
    open: Open,
    order: Order,
    /// Where the entries of the open entry's owner start.
    group: usize,
    /// Closed entries up to `group`, and all of them.
    counts_before_group: Counts,
    counts: Counts,
    held: Vec<Name>,
    complete: bool,
    ttl_conflicts: usize,
    /// Whether every RRSIG so far had the TTL that stands in it.
    rrsig_ttls_told: bool,
    /// What is known of the zone built last.
    tells_ttls: bool,
    sorter: Sorter,
    scratch: Vec<u8>,
    succession: Succession,
}

/// The last entry, and whether RRs are being appended to it.
struct Open {
    is_open: bool,
    start: usize,
    /// End of the owner, where the rdata begin; 0 if there is no entry.
    rdatas: usize,
    rtype: Rtype,
    last_rdata: usize,
    rdata_count: u32,
    rdatas_in_order: bool,
    ttl: Ttl,
    ttl_conflict: bool,
}

/// How far the entries are in canonical order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Kept,
    /// Apart from the types at the last owner.
    LostInGroup,
    Lost,
}

impl ZoneBuilder {
    /// Starts an empty zone.
    #[must_use]
    pub fn new(apex: Name) -> Self {
        Self {
            apex_labels: LabelStarts::trusted(apex.as_wire()).count(),
            succession: Succession::new(apex.as_wire()),
            apex,
            octets: vec![0; zone_writer::HEADER],
            open: Open::NONE,
            order: Order::Kept,
            group: zone_writer::HEADER,
            counts_before_group: Counts::default(),
            counts: Counts::default(),
            held: Vec::new(),
            complete: false,
            ttl_conflicts: 0,
            rrsig_ttls_told: true,
            tells_ttls: true,
            sorter: Sorter::default(),
            scratch: Vec::new(),
        }
    }

    /// Returns the apex of the zone.
    #[must_use]
    pub fn apex(&self) -> NameRef<'_> {
        self.apex.as_ref()
    }

    /// Adds one RR in wire form, its names uncompressed and in any letter case.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the RR cannot be part of the zone; the builder is then
    /// as it was before.
    pub fn push_wire(
        &mut self,
        owner: &[u8],
        rtype: Rtype,
        ttl: Ttl,
        rdata: &[u8],
    ) -> Result<(), BuildError> {
        let names = match rdata::shape(rtype, rdata) {
            Ok(names) if !rtype.is_meta() => names,
            fault => return Err(self.refuse_rr(owner, rtype, fault.map(drop))),
        };
        let most = self.octets.len() + OWNER + owner.len() + 2 + rdata.len();
        if most > zone_writer::MAX_OCTETS {
            let apex = self.apex.clone();
            return Err(BuildError::TooLarge { apex });
        }
        let continues = self.open.rtype == rtype
            && self.open.is_open
            && self.last_owner().eq_ignore_ascii_case(owner);
        if !continues {
            self.open_entry(owner, rtype, ttl)?;
        }
        self.append_rdata(rdata, names);
        if ttl != self.open.ttl {
            self.open.ttl = self.open.ttl.min(ttl);
            self.open.ttl_conflict = rtype != Rtype::RRSIG;
        }
        self.rrsig_ttls_told &= told_ttl(rtype, ttl, rdata) == Some(ttl);
        Ok(())
    }

    /// Adds the RRs of an RRset.
    ///
    /// # Errors
    ///
    /// As [`Self::push_wire`], and [`BuildError::NoRdata`].
    pub fn push(&mut self, rrset: &Rrset) -> Result<(), BuildError> {
        let (owner, rtype, ttl) = (rrset.owner(), rrset.rtype(), rrset.ttl());
        if rrset.rdatas().len() == 0 {
            return Err(BuildError::NoRdata {
                owner: owner.to_owned(),
                rtype,
            });
        }
        for octets in rrset.rdatas() {
            self.push_wire(owner.as_wire(), rtype, ttl, octets)?;
        }
        Ok(())
    }

    /// Adds an RRset of another zone.
    ///
    /// # Errors
    ///
    /// As [`Self::push_wire`].
    pub fn push_ref(&mut self, rrset: RrsetRef<'_>) -> Result<(), BuildError> {
        let (owner, rtype, ttl) = (rrset.owner(), rrset.rtype(), rrset.ttl());
        for octets in rrset.rdatas() {
            self.push_wire(owner.as_wire(), rtype, ttl, octets)?;
        }
        Ok(())
    }

    /// Adds one RR in presentation format.
    ///
    /// A name without final dot, as `owner` or in `rdata`, is relative to the
    /// apex; `@` is the apex.
    ///
    /// # Errors
    ///
    /// As [`Self::push_wire`], and if one of the texts cannot be read.
    pub fn push_text(
        &mut self,
        owner: &str,
        ttl: Ttl,
        rtype: &str,
        rdata: &str,
    ) -> Result<(), BuildError> {
        let owner =
            Name::from_text(owner, self.apex()).map_err(|source| BuildError::OwnerText {
                owner: owner.to_owned(),
                source,
            })?;
        let rtype = rtype.parse().map_err(|source| BuildError::RtypeText {
            owner: owner.clone(),
            source,
        })?;
        let octets = text::parse_rdata(rtype, rdata, self.apex()).map_err(|source| {
            BuildError::RdataText {
                owner: owner.clone(),
                source,
            }
        })?;
        self.push_wire(owner.as_wire(), rtype, ttl, &octets)
    }

    /// Notes an owner that the author knows of but could not read.
    ///
    /// If it is held by the desired zone, nothing at it will be deleted or updated;
    /// if by the actual zone, nothing at it will be changed at all. What could be
    /// read at it may be pushed all the same.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfZone`] if the owner is not at or below the apex.
    pub fn hold(&mut self, owner: Name) -> Result<(), BuildError> {
        if !owner.as_ref().is_at_or_below(self.apex()) {
            return Err(self.out_of_zone(owner));
        }
        self.held.push(owner);
        Ok(())
    }

    /// States that everything the zone should contain has been pushed.
    pub const fn set_complete(&mut self) {
        self.complete = true;
    }

    /// Returns how many RRsets of the zone built last had RRs of several TTLs.
    ///
    /// RRSIG RRsets have them by right and are not counted: each of their RRs has the
    /// TTL of what it covers (RFC 4034, section 3).
    #[must_use]
    pub const fn ttl_conflicts(&self) -> usize {
        self.ttl_conflicts
    }

    /// Returns whether the TTL of every RR that was pushed can be told from the zone
    /// built last: from its RRset, or for an RRSIG from its rdata, where the TTL of
    /// what it covers stands (RFC 4034, section 3.1.4).
    ///
    /// [`Edits`](super::Edits) can be made to such a zone only.
    #[must_use]
    pub const fn tells_ttls(&self) -> bool {
        self.tells_ttls
    }

    /// Makes what was pushed into the desired state of the zone, which is
    /// incomplete unless [`Self::set_complete`] was called.
    ///
    /// The builder is empty afterwards, also in case of an error.
    ///
    /// # Errors
    ///
    /// [`BuildError::Unservable`] if no server would accept the zone: CNAME beside other
    /// data or more than once (RFC 1034, section 3.6.2), the same for several
    /// DNAME (RFC 6672, section 2.4) or SOA, or a SOA below the apex.
    pub fn build_desired(&mut self) -> Result<DesiredZone, BuildError> {
        let flags = if self.complete {
            zone_writer::COMPLETE
        } else {
            0
        };
        let octets = self.finish(flags)?;
        let zone = Zone::trusted(self.apex.clone(), octets.into());
        if let Err((_, owner, reason)) = check::servable(&zone) {
            let owner = owner.to_owned();
            return Err(BuildError::Unservable { owner, reason });
        }
        Ok(DesiredZone::trusted(zone))
    }

    /// Makes what was pushed into the actual state of the zone.
    ///
    /// What is served is taken as it is. The builder is empty afterwards, also in
    /// case of an error.
    ///
    /// # Errors
    ///
    /// [`BuildError::TooLarge`] if the zone does not fit into one buffer.
    pub fn build_actual(&mut self) -> Result<ActualZone, BuildError> {
        let octets = self.finish(zone_writer::COMPLETE)?;
        Ok(ActualZone::trusted(Zone::trusted(
            self.apex.clone(),
            octets.into(),
        )))
    }

    /// The owner of the last entry.
    fn last_owner(&self) -> &[u8] {
        &self.octets[self.open.start + OWNER..self.open.rdatas]
    }

    /// Closes the open entry and opens another one.
    fn open_entry(&mut self, owner: &[u8], rtype: Rtype, ttl: Ttl) -> Result<(), BuildError> {
        self.close_entry();
        let start = self.octets.len();
        let mut head = [0; OWNER];
        write_rtype(&mut head, rtype);
        self.octets.extend_from_slice(&head);
        self.octets.extend_from_slice(owner);
        let mut read = self.read_owner(start);
        if read == Err(OwnerFault::Name(NameError::UpperCase)) {
            self.octets[start + OWNER..].make_ascii_lowercase();
            read = self.read_owner(start);
        }
        let order = match read {
            Ok(order) => order,
            Err(fault) => {
                self.octets.truncate(start);
                return Err(self.refuse_owner(owner, fault));
            }
        };
        if self.order != Order::Lost {
            match (order, rtype.cmp(&self.open.rtype)) {
                (Ordering::Less, _) => self.lose_order(start),
                (Ordering::Greater, _) => self.start_group(start),
                (Ordering::Equal, Ordering::Greater) => {}
                (Ordering::Equal, _) => self.order = Order::LostInGroup,
            }
        }
        let start = self.octets.len() - OWNER - owner.len();
        self.open = Open {
            is_open: true,
            start,
            rdatas: self.octets.len(),
            rtype,
            last_rdata: 0,
            rdata_count: 0,
            rdatas_in_order: true,
            ttl,
            ttl_conflict: false,
        };
        Ok(())
    }

    /// Reads the owner of the entry that starts at `start`, and says how it stands
    /// to the last one.
    fn read_owner(&mut self, start: usize) -> Result<Ordering, OwnerFault> {
        let apex = self.apex.as_wire();
        let owner = &self.octets[start + OWNER..];
        let (length, order) = if self.order == Order::Lost || self.open.rdatas == 0 {
            let length = self.succession.read(owner, apex)?;
            (length, Ordering::Greater)
        } else {
            let last = &self.octets[self.open.start + OWNER..self.open.rdatas];
            self.succession.follow(last, owner, apex)?
        };
        if length < owner.len() {
            return Err(OwnerFault::Name(NameError::TrailingOctets));
        }
        Ok(order)
    }

    /// Notes that the entry that starts at `start`, the last, belongs before others.
    #[cold]
    fn lose_order(&mut self, start: usize) {
        self.order = Order::Lost;
        let closed = &self.octets[..start];
        self.sorter
            .note_all(closed, zone_writer::HEADER, self.apex_labels);
    }

    /// Notes that the entry that starts at `start`, the last, begins another owner.
    fn start_group(&mut self, start: usize) {
        let entry = self.octets.len() - start;
        self.sort_group(start);
        self.group = self.octets.len() - entry;
        self.counts_before_group = self.counts;
    }

    /// Sorts the types at the last owner, whose entries end at `end`.
    fn sort_group(&mut self, end: usize) {
        if self.order != Order::LostInGroup {
            return;
        }
        self.scratch.clear();
        self.scratch.extend_from_slice(&self.octets[self.group..]);
        self.octets.truncate(self.group);
        let (group, rest) = self.scratch.split_at(end - self.group);
        self.sorter.note_all(group, 0, self.apex_labels);
        let gathered = self
            .sorter
            .gather(group, self.apex_labels, &mut self.octets);
        self.octets.extend_from_slice(rest);
        self.counts = self.counts_before_group + gathered;
        self.order = Order::Kept;
    }

    /// Appends rdata to the open entry, its names in the range given.
    fn append_rdata(&mut self, rdata: &[u8], names: Range<usize>) {
        let start = self.octets.len();
        let length = u16::try_from(rdata.len()).expect("the shape of the rdata was checked");
        self.octets.extend_from_slice(&length.to_be_bytes());
        self.octets.extend_from_slice(rdata);
        if !names.is_empty() {
            self.octets[start + 2..][names].make_ascii_lowercase();
        }
        if self.open.rdata_count > 0 {
            let last = &self.octets[self.open.last_rdata + 2..start];
            match last.cmp(&self.octets[start + 2..]) {
                Ordering::Less => {}
                Ordering::Equal => {
                    self.octets.truncate(start);
                    return;
                }
                Ordering::Greater => self.open.rdatas_in_order = false,
            }
        }
        self.open.last_rdata = start;
        self.open.rdata_count += 1;
    }

    /// Finishes the open entry, which stays known as the last one.
    fn close_entry(&mut self) {
        if !self.open.is_open {
            return;
        }
        self.open.is_open = false;
        let start = self.open.start;
        if !self.open.rdatas_in_order {
            self.open.rdata_count = self.sorter.sort_rdatas(&mut self.octets, self.open.rdatas);
        }
        let octets = length_u32(self.octets.len() - start);
        write_u32(&mut self.octets, start, octets);
        write_u32(&mut self.octets, start + TTL, self.open.ttl.as_secs());
        write_u32(&mut self.octets, start + RDATA_COUNT, self.open.rdata_count);
        if self.open.ttl_conflict {
            order::mark_ttl_conflict(&mut self.octets[start..]);
            self.counts.ttl_conflicts += 1;
        }
        self.counts.rrsets += 1;
        self.counts.rrs += self.open.rdata_count as usize;
        if self.order == Order::Lost {
            let labels = self.succession.last_labels();
            self.sorter
                .note(&self.octets, start, labels, self.apex_labels);
        }
    }

    /// Takes the finished buffer out and leaves the builder empty.
    pub(super) fn finish(&mut self, flags: u16) -> Result<Vec<u8>, BuildError> {
        self.close_entry();
        self.sort_group(self.octets.len());
        let mut octets = std::mem::take(&mut self.octets);
        if self.order == Order::Lost {
            let source = octets;
            octets = Vec::with_capacity(source.len());
            octets.extend_from_slice(&source[..zone_writer::HEADER]);
            self.counts = self.sorter.gather(&source, self.apex_labels, &mut octets);
        }
        if self.counts.ttl_conflicts > 0 {
            order::clear_ttl_conflicts(&mut octets[zone_writer::HEADER..]);
        }
        let mut held = std::mem::take(&mut self.held);
        held.sort_unstable();
        held.dedup();
        let header = zone_writer::Header {
            flags,
            rrsets: length_u32(self.counts.rrsets),
            rrs: length_u32(self.counts.rrs),
            held: length_u32(held.len()),
            entries: length_u32(octets.len() - zone_writer::HEADER),
        };
        octets[..zone_writer::HEADER].copy_from_slice(&header.to_octets());
        held.iter()
            .for_each(|owner| octets.extend_from_slice(owner.as_wire()));
        octets.shrink_to_fit();

        let ttl_conflicts = self.counts.ttl_conflicts;
        let tells_ttls = ttl_conflicts == 0 && self.rrsig_ttls_told;
        let apex = self.apex.clone();
        *self = Self::new(apex);
        self.ttl_conflicts = ttl_conflicts;
        self.tells_ttls = tells_ttls;
        if octets.len() > zone_writer::MAX_OCTETS {
            let apex = self.apex.clone();
            return Err(BuildError::TooLarge { apex });
        }
        Ok(octets)
    }

    /// Says why a new entry's owner was refused, and forgets about it.
    #[cold]
    fn refuse_owner(&mut self, owner: &[u8], fault: OwnerFault) -> BuildError {
        if self.open.rdatas > 0 {
            let last = &self.octets[self.open.start + OWNER..self.open.rdatas];
            let read = self.succession.read(last, self.apex.as_wire());
            debug_assert!(read.is_ok(), "the last owner was read before");
        }
        let source = match (fault, Name::from_wire(owner)) {
            (OwnerFault::OutOfZone, Ok(owner)) => return self.out_of_zone(owner),
            (OwnerFault::OutOfZone, Err(source)) | (OwnerFault::Name(source), _) => source,
        };
        let apex = self.apex.clone();
        BuildError::OwnerWire { apex, source }
    }

    #[cold]
    fn refuse_rr(&self, owner: &[u8], rtype: Rtype, fault: Result<(), RdataError>) -> BuildError {
        match (Name::from_wire(owner), fault) {
            (Err(source), _) => BuildError::OwnerWire {
                apex: self.apex.clone(),
                source,
            },
            (Ok(owner), Ok(())) => BuildError::MetaType { owner, rtype },
            (Ok(owner), Err(source)) => BuildError::Rdata {
                owner,
                rtype,
                source,
            },
        }
    }

    #[cold]
    fn out_of_zone(&self, owner: Name) -> BuildError {
        BuildError::OutOfZone {
            owner,
            apex: self.apex.clone(),
        }
    }
}

impl Open {
    const NONE: Self = Self {
        is_open: false,
        start: 0,
        rdatas: 0,
        rtype: Rtype(0),
        last_rdata: 0,
        rdata_count: 0,
        rdatas_in_order: true,
        ttl: Ttl::MAX,
        ttl_conflict: false,
    };
}

#[cfg(test)]
mod tests;
