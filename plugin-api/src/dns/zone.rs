//! Zones: a checked buffer and the apex that goes with it.
//!
//! ```text
//! header   u16 format = 1 | u16 flags | u32 RRsets | u32 RRs | u32 held owners | u32 octets of all entries
//! entry    u32 octets of this entry | u16 type | u16 0 | u32 TTL | u32 number of rdata | owner
//!          | for each rdata: u16 octets, rdata
//! held     the owners held
//! ```
//!
//! Integers are in network order. Owners are names in canonical wire form, at or
//! below the apex. Entries stand in canonical order of owner, then type, each
//! pair once; the rdata of an entry in canonical form and order, each once; the
//! owners held in canonical order, each once. The class is IN throughout.

use std::fmt;
use std::ops::Deref;

use abi_stable::std_types::RVec;

use super::check::{self, BufferFault};
use super::name::{Name, NameRef};
use super::rrset::{RrsetRef, read_u32};
use super::rtype::Rtype;
use super::zone_writer::{COMPLETE, HEADER, Header};

/// The content of a zone in canonical form, in one buffer.
///
/// Two zones are equal exactly when apex and octets are. The buffer moves between
/// libraries without being copied; whoever receives one says [`Zone::check`].
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    apex: Name,
    octets: RVec<u8>,
}

impl Zone {
    /// Takes a buffer from elsewhere.
    ///
    /// Any octets are accepted as input; the work grows linearly with them.
    ///
    /// # Errors
    ///
    /// [`BufferFault`] at the first octet that is not as the format has it.
    pub fn check(apex: Name, octets: RVec<u8>) -> Result<Self, BufferFault> {
        check::zone(apex.as_ref(), &octets)?;
        Ok(Self { apex, octets })
    }

    /// Takes a buffer that was built or checked here.
    pub(crate) const fn trusted(apex: Name, octets: RVec<u8>) -> Self {
        Self { apex, octets }
    }

    /// Returns the owner of the zone's SOA, which names the zone.
    #[must_use]
    pub fn apex(&self) -> NameRef<'_> {
        self.apex.as_ref()
    }

    /// Returns the RRsets in canonical order.
    #[must_use]
    pub fn rrsets(&self) -> Rrsets<'_> {
        let header = self.header();
        let end = HEADER + header.entries as usize;
        Rrsets {
            rest: &self.octets[HEADER..end],
            left: header.rrsets as usize,
        }
    }

    /// Returns the number of RRsets.
    #[must_use]
    pub fn rrset_count(&self) -> usize {
        self.header().rrsets as usize
    }

    /// Returns the number of RRs.
    #[must_use]
    pub fn rr_count(&self) -> usize {
        self.header().rrs as usize
    }

    /// Returns whether there are no RRsets.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rrset_count() == 0
    }

    /// Returns whether this is everything the zone should contain.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.header().flags & COMPLETE != 0
    }

    /// Returns the owners held, in canonical order.
    pub fn held(&self) -> impl ExactSizeIterator<Item = NameRef<'_>> {
        let header = self.header();
        let mut rest = &self.octets[HEADER + header.entries as usize..];
        (0..header.held).map(move |_| {
            let owner = NameRef::trusted_prefix(rest);
            rest = &rest[owner.as_wire().len()..];
            owner
        })
    }

    /// Looks one RRset up; takes time that grows with the zone.
    ///
    /// Whoever looks many up walks [`Self::rrsets`] once instead.
    #[must_use]
    pub fn find(&self, owner: NameRef<'_>, rtype: Rtype) -> Option<RrsetRef<'_>> {
        self.rrsets()
            .find(|rrset| rrset.rtype() == rtype && rrset.is_owned_by(owner.as_wire()))
    }

    /// Returns the SOA RRset at the apex, if there is one.
    #[must_use]
    pub fn soa(&self) -> Option<RrsetRef<'_>> {
        // The apex sorts before every other owner.
        self.rrsets()
            .take_while(|rrset| rrset.is_owned_by(self.apex.as_wire()))
            .find(|rrset| rrset.rtype() == Rtype::SOA)
    }

    /// Returns the serial of the SOA at the apex, if there is one.
    #[must_use]
    pub fn serial(&self) -> Option<Serial> {
        Serial::of_soa(self.soa()?.rdatas().next()?)
    }

    /// Returns the buffer.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Hands the buffer over.
    #[must_use]
    pub fn into_octets(self) -> RVec<u8> {
        self.octets
    }

    fn header(&self) -> Header {
        Header::read(&self.octets)
    }
}

/// Writes one RR a line, in presentation format.
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rrsets().try_for_each(|rrset| writeln!(f, "{rrset}"))
    }
}

/// Names the zone and counts; the content may be millions of lines.
impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zone")
            .field("apex", &self.apex)
            .field("rrsets", &self.rrset_count())
            .field("rrs", &self.rr_count())
            .field("complete", &self.is_complete())
            .finish_non_exhaustive()
    }
}

/// What a zone should contain, as an authority says.
///
/// A zone that is not [complete](Zone::is_complete) only adds. At the owners
/// [held](Zone::held) nothing is deleted or updated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredZone(Zone);

impl DesiredZone {
    /// Takes a buffer from elsewhere, as [`Zone::check`] does.
    ///
    /// # Errors
    ///
    /// [`BufferFault`], also if no server would accept the zone.
    pub fn check(apex: Name, octets: RVec<u8>) -> Result<Self, BufferFault> {
        let zone = Zone::check(apex, octets)?;
        check::desired(&zone)?;
        Ok(Self(zone))
    }

    /// Takes a zone that was built or checked here.
    pub(crate) const fn trusted(zone: Zone) -> Self {
        Self(zone)
    }

    /// Takes back that the zone is complete: it now only adds.
    pub fn mark_incomplete(&mut self) {
        let flags = self.header().flags & !COMPLETE;
        self.0.octets[2..4].copy_from_slice(&flags.to_be_bytes());
    }

    /// Hands the buffer over.
    #[must_use]
    pub fn into_octets(self) -> RVec<u8> {
        self.0.into_octets()
    }
}

impl Deref for DesiredZone {
    type Target = Zone;

    fn deref(&self) -> &Zone {
        &self.0
    }
}

/// What a zone contains in truth: what its servers say.
///
/// It is always [complete](Zone::is_complete). The owners [held](Zone::held) are
/// those of which more is served than can be told as RRsets: nothing is changed there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActualZone(Zone);

impl ActualZone {
    /// Takes a buffer from elsewhere, as [`Zone::check`] does.
    ///
    /// What is served is taken as it is, conflicts included.
    ///
    /// # Errors
    ///
    /// [`BufferFault`], also if the zone is not complete.
    pub fn check(apex: Name, octets: RVec<u8>) -> Result<Self, BufferFault> {
        let zone = Zone::check(apex, octets)?;
        check::actual(&zone)?;
        Ok(Self(zone))
    }

    /// Takes back a buffer that was an actual zone of this apex before.
    ///
    /// Looks at the header and the owners held, so it costs nothing that grows with the
    /// RRsets. The caller promises that the octets are those of [`Zone::octets`] then, to the
    /// last one: he has verified a digest of them, say. If he is wrong, reading the
    /// zone may panic or find something else, never more than that; the host checks
    /// whatever it is sent.
    ///
    /// # Errors
    ///
    /// [`BufferFault`] if the header is not that of a whole actual zone.
    pub fn restored(apex: Name, octets: RVec<u8>) -> Result<Self, BufferFault> {
        check::restored(apex.as_ref(), &octets)?;
        Ok(Self(Zone::trusted(apex, octets)))
    }

    /// Takes a zone that was built or checked here.
    pub(crate) const fn trusted(zone: Zone) -> Self {
        Self(zone)
    }

    /// Hands the buffer over.
    #[must_use]
    pub fn into_octets(self) -> RVec<u8> {
        self.0.into_octets()
    }
}

impl Deref for ActualZone {
    type Target = Zone;

    fn deref(&self) -> &Zone {
        &self.0
    }
}

/// The RRsets of a zone.
#[derive(Clone)]
pub struct Rrsets<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Rrsets<'a> {
    /// Returns the octets of all RRsets that are left.
    pub(crate) const fn octets(&self) -> &'a [u8] {
        self.rest
    }

    /// Returns the next RRset without passing it.
    #[inline]
    pub(crate) fn peek(&self) -> Option<RrsetRef<'a>> {
        (self.left > 0).then(|| RrsetRef::trusted_prefix(self.rest))
    }

    /// Passes the next RRset, which the caller has looked at.
    #[inline]
    pub(crate) fn pass(&mut self, next: RrsetRef<'a>) {
        self.rest = &self.rest[next.octets().len()..];
        self.left -= 1;
    }

    /// Passes RRsets for as long as `wanted` says, and returns those passed.
    #[inline]
    pub(crate) fn pass_while(&mut self, mut wanted: impl FnMut(RrsetRef<'a>) -> bool) -> Self {
        let mut passed = self.clone();
        while let Some(rrset) = self.peek().filter(|rrset| wanted(*rrset)) {
            self.pass(rrset);
        }
        passed.left -= self.left;
        passed.rest = &passed.rest[..passed.rest.len() - self.rest.len()];
        passed
    }
}

impl<'a> Iterator for Rrsets<'a> {
    type Item = RrsetRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<RrsetRef<'a>> {
        let rrset = self.peek()?;
        self.pass(rrset);
        Some(rrset)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Rrsets<'_> {}

/// The serial number of a SOA.
///
/// Serials have no order of their own: they wrap, and are compared as RFC 1982 says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Serial(pub u32);

impl Serial {
    /// Returns the serial in the rdata of a SOA; none if it is too short for one.
    #[must_use]
    pub fn of_soa(rdata: &[u8]) -> Option<Self> {
        // The numbers of a SOA are its last 20 octets (RFC 1035, section 3.3.13).
        let numbers = rdata.last_chunk::<20>()?;
        Some(Self(read_u32(numbers, 0)))
    }

    /// Returns whether this serial comes after `other` (RFC 1982, section 3.2).
    ///
    /// Of two serials 2³¹ apart, neither does.
    #[must_use]
    pub const fn is_after(self, other: Self) -> bool {
        let distance = self.0.wrapping_sub(other.0);
        distance > 0 && distance < 1 << 31
    }

    /// Returns the serial after this one, 0 left out: some servers take it for
    /// a zone that has never been loaded.
    #[must_use]
    pub const fn next(self) -> Self {
        match self.0.wrapping_add(1) {
            0 => Self(1),
            number => Self(number),
        }
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests;
