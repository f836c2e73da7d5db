//! RRsets: owned for authors, borrowed from a buffer for everyone else.

use std::collections::BTreeSet;
use std::fmt;

use super::labels;
use super::name::{Name, NameRef};
use super::rdata::{self, RdataError};
use super::rtype::Rtype;
use super::text;

/// Octets of an entry before its owner: length, type, reserved, TTL, number of rdata.
pub(crate) const OWNER: usize = 16;
const RTYPE: usize = 4;
pub(crate) const RESERVED: usize = 6;
pub(crate) const TTL: usize = 8;
pub(crate) const RDATA_COUNT: usize = 12;

/// A time to live in seconds, at most 2³¹ − 1 (RFC 2181, section 8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(u32);

impl Ttl {
    /// The longest time to live.
    pub const MAX: Self = Self(0x7fff_ffff);

    /// Takes a number of seconds.
    ///
    /// # Errors
    ///
    /// [`TtlError`] above 2³¹ − 1.
    pub const fn from_secs(seconds: u32) -> Result<Self, TtlError> {
        if seconds > Self::MAX.0 {
            return Err(TtlError(seconds));
        }
        Ok(Self(seconds))
    }

    /// Returns the number of seconds.
    #[must_use]
    pub const fn as_secs(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number is no TTL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the TTL {0} is above 2147483647 seconds")]
pub struct TtlError(u32);

/// An RRset of class IN: one owner, one type, one TTL, and a set of rdata.
///
/// The rdata are kept in canonical form and order, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rrset {
    owner: Name,
    rtype: Rtype,
    ttl: Ttl,
    rdatas: BTreeSet<Box<[u8]>>,
}

impl Rrset {
    /// Makes an RRset that has no rdata yet.
    #[must_use]
    pub const fn new(owner: Name, rtype: Rtype, ttl: Ttl) -> Self {
        Self {
            owner,
            rtype,
            ttl,
            rdatas: BTreeSet::new(),
        }
    }

    /// Adds rdata in wire form, names uncompressed and in any letter case.
    ///
    /// # Errors
    ///
    /// [`RdataError`] if the octets are not rdata of the type.
    pub fn push_rdata(&mut self, octets: &[u8]) -> Result<(), RdataError> {
        let mut octets = Box::from(octets);
        rdata::canonicalise(self.rtype, &mut octets)?;
        self.rdatas.insert(octets);
        Ok(())
    }

    /// Returns the owner.
    #[must_use]
    pub fn owner(&self) -> NameRef<'_> {
        self.owner.as_ref()
    }

    /// Returns the type.
    #[must_use]
    pub const fn rtype(&self) -> Rtype {
        self.rtype
    }

    /// Returns the TTL.
    #[must_use]
    pub const fn ttl(&self) -> Ttl {
        self.ttl
    }

    /// Returns the rdata in canonical order.
    pub fn rdatas(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.rdatas.iter().map(|octets| &**octets)
    }
}

/// An RRset inside a checked buffer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RrsetRef<'a>(&'a [u8]);

impl<'a> RrsetRef<'a> {
    /// Takes an entry that has been checked.
    pub(crate) const fn trusted(entry: &'a [u8]) -> Self {
        Self(entry)
    }

    /// Takes the entry at the beginning of octets that have been checked.
    pub(crate) fn trusted_prefix(octets: &'a [u8]) -> Self {
        Self(&octets[..entry_octets(octets)])
    }

    /// Returns the owner.
    #[must_use]
    pub fn owner(self) -> NameRef<'a> {
        NameRef::trusted_prefix(&self.0[OWNER..])
    }

    /// Returns the type.
    #[must_use]
    pub fn rtype(self) -> Rtype {
        entry_rtype(self.0)
    }

    /// Returns the TTL.
    #[must_use]
    pub fn ttl(self) -> Ttl {
        Ttl(read_u32(self.0, TTL))
    }

    /// Returns the rdata in canonical order; there is at least one.
    #[must_use]
    pub fn rdatas(self) -> Rdatas<'a> {
        let rest = &self.0[OWNER..];
        Rdatas {
            rest: &rest[labels::trusted_len(rest)..],
            left: self.rdata_count(),
        }
    }

    /// Returns the RRs.
    pub fn rrs(self) -> impl ExactSizeIterator<Item = Rr<'a>> {
        let (owner, rtype, ttl) = (self.owner(), self.rtype(), self.ttl());
        self.rdatas().map(move |rdata| Rr {
            owner,
            rtype,
            ttl,
            rdata,
        })
    }

    /// Returns the number of rdata, which is the number of RRs.
    #[must_use]
    pub fn rdata_count(self) -> usize {
        read_u32(self.0, RDATA_COUNT) as usize
    }

    /// Returns the entry as it stands in its buffer.
    ///
    /// Two RRsets are equal exactly when these octets are.
    #[must_use]
    pub const fn octets(self) -> &'a [u8] {
        self.0
    }

    /// Returns the octets that the owner begins.
    #[inline]
    pub(crate) fn owner_and_rdata(self) -> &'a [u8] {
        &self.0[OWNER..]
    }

    /// Returns whether this RRset has the owner whose octets are given.
    #[inline]
    pub(crate) fn is_owned_by(self, owner: &[u8]) -> bool {
        // Both end with the root label, so one is no longer than the other.
        self.0[OWNER..].starts_with(owner)
    }

    /// Copies the RRset.
    #[must_use]
    pub fn to_owned(self) -> Rrset {
        Rrset {
            owner: self.owner().to_owned(),
            rtype: self.rtype(),
            ttl: self.ttl(),
            rdatas: self.rdatas().map(Box::from).collect(),
        }
    }
}

/// Writes one RR a line, `owner TTL IN TYPE rdata`, in presentation format.
impl fmt::Display for RrsetRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line_end = "";
        self.rrs().try_for_each(|rr| {
            f.write_str(std::mem::replace(&mut line_end, "\n"))?;
            rr.fmt(f)
        })
    }
}

/// Writes `owner TTL IN TYPE rdata` in presentation format.
impl fmt::Display for Rr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rdata = text::rdata_display(self.rtype, self.rdata);
        write!(f, "{} {} IN {} {rdata}", self.owner, self.ttl, self.rtype)
    }
}

impl fmt::Debug for RrsetRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One RR of an [`RrsetRef`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rr<'a> {
    /// Where it is found.
    pub owner: NameRef<'a>,
    /// Its type.
    pub rtype: Rtype,
    /// The TTL of its RRset.
    pub ttl: Ttl,
    /// Its rdata in canonical form.
    pub rdata: &'a [u8],
}

/// The rdata of an [`RrsetRef`].
#[derive(Clone, Debug)]
pub struct Rdatas<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Rdatas<'a> {
    /// Returns the next rdata without passing it.
    pub(crate) fn peek(&self) -> Option<&'a [u8]> {
        self.clone().next()
    }
}

impl<'a> Iterator for Rdatas<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        let (octets, rest) = self.rest[2..].split_at(usize::from(read_u16(self.rest, 0)));
        self.rest = rest;
        Some(octets)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Rdatas<'_> {}

/// The TTL of an RR of an RRset as the zone tells it: that of the RRset, or for an
/// RRSIG its Original TTL, because it has the TTL of what it covers (RFC 4034,
/// sections 3 and 3.1.4); none if that is no TTL.
pub(crate) fn told_ttl(rtype: Rtype, rrset: Ttl, rdata: &[u8]) -> Option<Ttl> {
    if rtype != Rtype::RRSIG {
        return Some(rrset);
    }
    Ttl::from_secs(read_u32(rdata, 4)).ok()
}

#[inline]
pub(crate) fn read_u16(octets: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([octets[at], octets[at + 1]])
}

#[inline]
pub(crate) fn read_u32(octets: &[u8], at: usize) -> u32 {
    let [a, b, c, d] = [octets[at], octets[at + 1], octets[at + 2], octets[at + 3]];
    u32::from_be_bytes([a, b, c, d])
}

#[inline]
pub(crate) fn write_u32(octets: &mut [u8], at: usize, value: u32) {
    octets[at..at + 4].copy_from_slice(&value.to_be_bytes());
}

/// Returns the length that the entry at the beginning of `octets` states.
#[inline]
pub(crate) fn entry_octets(octets: &[u8]) -> usize {
    read_u32(octets, 0) as usize
}

/// Returns the type that the entry at the beginning of `octets` states.
#[inline]
pub(crate) fn entry_rtype(octets: &[u8]) -> Rtype {
    Rtype(read_u16(octets, RTYPE))
}

#[inline]
pub(crate) fn write_rtype(entry: &mut [u8], rtype: Rtype) {
    entry[RTYPE..RTYPE + 2].copy_from_slice(&rtype.0.to_be_bytes());
}

/// Returns `length` as the number that a buffer holds.
///
/// # Panics
///
/// If it does not fit: builders refuse to grow that far.
#[inline]
pub(crate) fn length_u32(length: usize) -> u32 {
    u32::try_from(length).expect("a buffer has at most u32::MAX octets")
}
