//! Changes to a zone: a checked buffer in the order of application.
//!
//! ```text
//! header   u16 format = 1 | u16 flags = 0 | u32 changes | the numbers of DiffCounts, u32 each
//! change   u8 kind: 1 addition, 2 deletion, 3 update | one entry as in a zone,
//!          two for an update: what is deleted, then what is added
//! ```
//!
//! First come the owners that gain or keep something that changed, in canonical
//! order, then those that only lose RRsets, in canonical order: whoever stops
//! half-way has removed nothing that was still to be replaced. At one owner
//! deletions come first, then updates, then additions, each by type, so that a
//! CNAME can take the place of other data and the reverse.
//!
//! An update is one change. Nothing that splits, batches or queues changes can
//! come between its two halves.

use std::fmt;

use abi_stable::std_types::RVec;

use super::change::{Action, Change};
use super::changes_check;
use super::check::BufferFault;
use super::diff_counts::DiffCounts;
use super::name::{Name, NameRef};
use super::rrset::{RrsetRef, entry_octets, read_u32, write_u32};
use super::zone_writer;

/// The only format there is.
pub(crate) const FORMAT: u16 = 1;
/// Octets of the header.
pub(crate) const HEADER: usize = 8 + 4 * DiffCounts::NUMBERS;

/// A set of changes to one zone in the order in which they are made.
#[derive(Clone, PartialEq, Eq)]
pub struct Changes {
    apex: Name,
    octets: RVec<u8>,
}

impl Changes {
    /// Takes a buffer from elsewhere.
    ///
    /// Any octets are accepted as input; the work grows linearly with them, apart
    /// from sorting the types at an owner.
    ///
    /// # Errors
    ///
    /// [`BufferFault`] at the first octet that is not as the format has it.
    pub fn check(apex: Name, octets: RVec<u8>) -> Result<Self, BufferFault> {
        changes_check::octets(apex.as_ref(), &octets)?;
        Ok(Self { apex, octets })
    }

    /// Returns the apex of the zone that is changed.
    #[must_use]
    pub fn apex(&self) -> NameRef<'_> {
        self.apex.as_ref()
    }

    /// Returns the changes in order.
    #[must_use]
    pub fn iter(&self) -> ChangesIter<'_> {
        ChangesIter {
            rest: &self.octets[HEADER..],
            left: self.len(),
        }
    }

    /// Returns the number of changes; an update is one.
    #[must_use]
    pub fn len(&self) -> usize {
        read_u32(&self.octets, 4) as usize
    }

    /// Returns whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns what the comparison found.
    ///
    /// Additions, updates and deletions are those of this set. The other numbers
    /// are what whoever made the set says; nothing here can confirm them.
    #[must_use]
    pub fn counts(&self) -> DiffCounts {
        DiffCounts::read(&self.octets[8..HEADER])
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

    /// Returns the changes owner by owner, in order.
    pub(crate) fn owners(&self) -> impl Iterator<Item = OwnerChanges<'_>> {
        owners(self.iter())
    }

    /// Returns the changes owner by owner, the owners in canonical order.
    pub(crate) fn owners_in_zone_order(&self) -> impl Iterator<Item = OwnerChanges<'_>> {
        let only_loses = OwnerChanges::only_loses;
        let mut gains = self
            .owners()
            .take_while(move |owner| !only_loses(owner))
            .peekable();
        let mut losses = self
            .owners()
            .skip_while(move |owner| !only_loses(owner))
            .peekable();
        std::iter::from_fn(move || {
            let gain_is_next = match (gains.peek(), losses.peek()) {
                (Some(gain), Some(loss)) => gain.owner < loss.owner,
                (gain, _) => gain.is_some(),
            };
            if gain_is_next {
                gains.next()
            } else {
                losses.next()
            }
        })
    }
}

impl<'a> IntoIterator for &'a Changes {
    type Item = Change<'a>;
    type IntoIter = ChangesIter<'a>;

    fn into_iter(self) -> ChangesIter<'a> {
        self.iter()
    }
}

/// Writes one RR a line behind `-` or `+`.
impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|change| writeln!(f, "{change}"))
    }
}

/// Names the zone and counts; the content may be millions of lines.
impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes")
            .field("apex", &self.apex)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

/// The changes of a set.
#[derive(Clone)]
pub struct ChangesIter<'a> {
    pub(super) rest: &'a [u8],
    pub(super) left: usize,
}

impl<'a> ChangesIter<'a> {
    fn take_rrset(&mut self) -> RrsetRef<'a> {
        let (entry, rest) = self.rest.split_at(entry_octets(self.rest));
        self.rest = rest;
        RrsetRef::trusted(entry)
    }
}

impl<'a> Iterator for ChangesIter<'a> {
    type Item = Change<'a>;

    fn next(&mut self) -> Option<Change<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (&kind, rest) = self.rest.split_first()?;
        self.rest = rest;
        let rrset = self.take_rrset();
        Some(match kind {
            1 => Change::Addition(rrset),
            2 => Change::Deletion(rrset),
            _ => Change::Update {
                deletion: rrset,
                addition: self.take_rrset(),
            },
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for ChangesIter<'_> {}

/// The changes at one owner, deletions first.
#[derive(Clone)]
pub(crate) struct OwnerChanges<'a> {
    pub(crate) owner: NameRef<'a>,
    pub(crate) changes: ChangesIter<'a>,
}

impl OwnerChanges<'_> {
    /// Returns whether the owner only loses RRsets.
    pub(crate) fn only_loses(&self) -> bool {
        self.changes
            .clone()
            .all(|change| change.action() == Action::Deletion)
    }
}

pub(super) fn owners<'a>(mut rest: ChangesIter<'a>) -> impl Iterator<Item = OwnerChanges<'a>> {
    std::iter::from_fn(move || {
        let mut changes = rest.clone();
        let owner = rest.next()?.owner();
        let mut ahead = rest.clone();
        while ahead
            .next()
            .is_some_and(|change| change.rrset().is_owned_by(owner.as_wire()))
        {
            rest = ahead.clone();
        }
        changes.left -= rest.left;
        Some(OwnerChanges { owner, changes })
    })
}

/// Puts a set of changes together, owner by owner in canonical order.
pub(crate) struct ChangesWriter {
    /// Room for the header, then the changes of owners that gain something.
    gains: Vec<u8>,
    /// The changes of owners that only lose something.
    losses: Vec<u8>,
    pub(crate) counts: DiffCounts,
}

impl ChangesWriter {
    pub(crate) fn new() -> Self {
        Self {
            gains: vec![0; HEADER],
            losses: Vec::new(),
            counts: DiffCounts::default(),
        }
    }

    /// Appends the changes at one owner, given by type.
    pub(crate) fn push_owner(&mut self, changes: &[Change<'_>]) {
        let is_gain = |change: &Change<'_>| change.action() != Action::Deletion;
        let target = if changes.iter().any(is_gain) {
            &mut self.gains
        } else {
            &mut self.losses
        };
        for action in Action::ALL {
            for change in changes.iter().filter(|change| change.action() == action) {
                *self.counts.of(action) += 1;
                target.push(action.kind());
                for rrset in [change.deletion(), change.addition()].into_iter().flatten() {
                    target.extend_from_slice(rrset.octets());
                }
            }
        }
    }

    /// Returns whether the set fits into one buffer.
    pub(crate) const fn fits(&self) -> bool {
        self.gains.len() + self.losses.len() <= zone_writer::MAX_OCTETS
    }

    /// Returns the set, which fits.
    pub(crate) fn finish(mut self, apex: Name) -> Changes {
        let counts = self.counts;
        let mut octets = self.gains;
        octets.append(&mut self.losses);
        octets[0..2].copy_from_slice(&FORMAT.to_be_bytes());
        let changes = counts.additions + counts.updates + counts.deletions;
        write_u32(&mut octets, 4, changes);
        counts.write(&mut octets[8..HEADER]);
        octets.shrink_to_fit();
        let octets = octets.into();
        Changes { apex, octets }
    }
}
