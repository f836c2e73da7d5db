//! Changes to a zone: a checked buffer, its order, its counts.
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

use std::cmp::Ordering;
use std::fmt;

use abi_stable::std_types::RVec;

use super::check::{self, BufferFault, BufferFaultReason, EntryReader};
use super::name::{Name, NameRef};
use super::rrset::{RrsetRef, entry_octets, entry_rtype, read_u16, read_u32, write_u32};
use super::rtype::Rtype;
use super::zone;

const FORMAT: u16 = 1;
const HEADER: usize = 8 + 4 * DiffCounts::NUMBERS;

/// What happens to an RRset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// It is served no more.
    Deletion,
    /// It is served with another TTL or other rdata.
    Update,
    /// It is served from now on.
    Addition,
}

impl Action {
    /// In the order in which they are done at one owner.
    pub(crate) const ALL: [Self; 3] = [Self::Deletion, Self::Update, Self::Addition];

    const fn kind(self) -> u8 {
        match self {
            Self::Addition => 1,
            Self::Deletion => 2,
            Self::Update => 3,
        }
    }
}

/// One change: what is deleted, added, or both at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// An RRset that is not served yet.
    Addition(RrsetRef<'a>),
    /// An RRset that will be served no more.
    Deletion(RrsetRef<'a>),
    /// Two RRsets of one owner and type, of which one takes the other's place.
    Update {
        /// The RRset as it is served.
        deletion: RrsetRef<'a>,
        /// The RRset as it should be.
        addition: RrsetRef<'a>,
    },
}

impl<'a> Change<'a> {
    /// Returns what happens.
    #[must_use]
    pub const fn action(self) -> Action {
        match self {
            Self::Addition(_) => Action::Addition,
            Self::Deletion(_) => Action::Deletion,
            Self::Update { .. } => Action::Update,
        }
    }

    /// Returns the RRset that is deleted, if one is.
    #[must_use]
    pub const fn deletion(self) -> Option<RrsetRef<'a>> {
        match self {
            Self::Addition(_) => None,
            Self::Deletion(deletion) | Self::Update { deletion, .. } => Some(deletion),
        }
    }

    /// Returns the RRset that is added, if one is.
    #[must_use]
    pub const fn addition(self) -> Option<RrsetRef<'a>> {
        match self {
            Self::Deletion(_) => None,
            Self::Addition(addition) | Self::Update { addition, .. } => Some(addition),
        }
    }

    /// Returns the owner that the change is at.
    #[must_use]
    pub fn owner(self) -> NameRef<'a> {
        self.rrset().owner()
    }

    /// Returns the type of what is changed.
    #[must_use]
    pub fn rtype(self) -> Rtype {
        self.rrset().rtype()
    }

    pub(crate) const fn rrset(self) -> RrsetRef<'a> {
        match self {
            Self::Addition(rrset) | Self::Deletion(rrset) => rrset,
            Self::Update { deletion, .. } => deletion,
        }
    }
}

/// Writes one RR a line, those deleted behind `-`, then those added behind `+`.
impl fmt::Display for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sides = [("-", self.deletion()), ("+", self.addition())];
        let mut line_end = "";
        for (sign, rrset) in sides {
            for line in rrset.iter().flat_map(|rrset| rrset.rrs()) {
                write!(f, "{line_end}{sign} {line}")?;
                line_end = "\n";
            }
        }
        Ok(())
    }
}

macro_rules! diff_counts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What a comparison found, in RRsets.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct DiffCounts {
            $($(#[$doc])* pub $name: u32,)*
        }

        impl DiffCounts {
            const NUMBERS: usize = [$(stringify!($name)),*].len();

            fn write(self, octets: &mut [u8]) {
                let numbers = [$(self.$name),*];
                for (index, number) in numbers.into_iter().enumerate() {
                    write_u32(octets, 4 * index, number);
                }
            }

            fn read(octets: &[u8]) -> Self {
                let mut numbers = octets.chunks_exact(4).map(|number| read_u32(number, 0));
                Self { $($name: numbers.next().unwrap_or_default(),)* }
            }
        }
    };
}

diff_counts! {
    /// Changes that only add.
    additions,
    /// Changes that put one RRset in the place of another.
    updates,
    /// Changes that only delete.
    deletions,
    /// RRsets that are equal on both sides.
    unchanged,
    /// The apex SOA and NS, if they differ.
    left_alone_at_apex,
    /// Made by the signer and different.
    left_alone_signer_made,
    /// Additions not made because the desired zone is incomplete and they would
    /// conflict with what is served.
    incomplete_additions,
    /// Updates not made because the desired zone is incomplete.
    incomplete_updates,
    /// Deletions not made because the desired zone is incomplete.
    incomplete_deletions,
    /// Additions not made because their owner is held and they would conflict
    /// with what is served.
    held_additions,
    /// Updates not made because their owner is held.
    held_updates,
    /// Deletions not made because their owner is held.
    held_deletions,
    /// Deletions not made because nothing at all is desired.
    nothing_desired,
}

impl DiffCounts {
    pub(crate) const fn of(&mut self, action: Action) -> &mut u32 {
        match action {
            Action::Addition => &mut self.additions,
            Action::Update => &mut self.updates,
            Action::Deletion => &mut self.deletions,
        }
    }

    /// What the comparison found apart from the changes themselves.
    pub(crate) const fn without_changes(self) -> Self {
        Self {
            additions: 0,
            updates: 0,
            deletions: 0,
            ..self
        }
    }

    /// The number of changes.
    fn all(&self) -> u64 {
        [self.additions, self.updates, self.deletions]
            .map(u64::from)
            .iter()
            .sum()
    }
}

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
        check_octets(apex.as_ref(), &octets)?;
        Ok(Self { apex, octets })
    }

    /// Takes a buffer that was built or checked here.
    pub(crate) const fn trusted(apex: Name, octets: RVec<u8>) -> Self {
        Self { apex, octets }
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
    rest: &'a [u8],
    left: usize,
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

fn owners<'a>(mut rest: ChangesIter<'a>) -> impl Iterator<Item = OwnerChanges<'a>> {
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
        self.gains.len() + self.losses.len() <= zone::MAX_OCTETS
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

/// Checks everything about a buffer that can be checked without the zone.
fn check_octets(apex: NameRef<'_>, octets: &[u8]) -> Result<(), BufferFault> {
    let fault = |at, reason| Err(BufferFault { at, reason });
    if octets.len() > zone::MAX_OCTETS {
        return fault(0, BufferFaultReason::TooLarge);
    }
    if octets.len() < HEADER {
        return fault(0, BufferFaultReason::Truncated);
    }
    match read_u16(octets, 0) {
        FORMAT => {}
        format => return fault(0, BufferFaultReason::Format(format)),
    }
    match read_u16(octets, 2) {
        0 => {}
        flags => return fault(2, BufferFaultReason::Flags(flags)),
    }
    let mut reader = EntryReader::new(apex);
    let mut order = OrderCheck::default();
    let mut counted = DiffCounts::default();
    let mut at = HEADER;
    while let Some(&kind) = octets.get(at) {
        let Some(action) = Action::ALL.into_iter().find(|action| action.kind() == kind) else {
            return fault(at, BufferFaultReason::Kind(kind));
        };
        let first = reader.read(octets, at + 1)?;
        let mut end = first.end;
        if action == Action::Update {
            let second = reader.read(octets, end)?;
            let same_place = second.owner.is_eq() && second.rtype.is_eq();
            if !same_place || octets[at + 1..first.end] == octets[first.end..second.end] {
                return fault(end, BufferFaultReason::UpdateHalves);
            }
            end = second.end;
        }
        if first.owner.is_ne() {
            order.end_owner()?;
            order.start_owner(at, first.owner, counted.all());
        }
        order.push(action, entry_rtype(&octets[at + 1..]), at)?;
        *counted.of(action) += 1;
        at = end;
    }
    order.end_owner()?;
    let stated = DiffCounts::read(&octets[8..HEADER]);
    check::count(4, "changes", read_u32(octets, 4), counted.all())?;
    check::count(8, "additions", stated.additions, counted.additions.into())?;
    check::count(12, "updates", stated.updates, counted.updates.into())?;
    check::count(16, "deletions", stated.deletions, counted.deletions.into())?;

    let Some((at, changes_before)) = order.losses else {
        return Ok(());
    };
    let gains = ChangesIter {
        rest: &octets[HEADER..at],
        left: usize::try_from(changes_before).expect("changes are fewer than octets"),
    };
    let losses = ChangesIter {
        rest: &octets[at..],
        left: usize::try_from(counted.all() - changes_before)
            .expect("changes are fewer than octets"),
    };
    match common_owner(owners(gains), owners(losses)) {
        Some(at_loss) => fault(octets.len() - at_loss, BufferFaultReason::Order),
        None => Ok(()),
    }
}

/// Follows the order of changes through a buffer.
#[derive(Default)]
struct OrderCheck {
    /// Where the owners that only lose RRsets start, and the changes before.
    losses: Option<(usize, u64)>,
    start: usize,
    changes_before: u64,
    /// How the owner stands to the one before.
    owner: Option<Ordering>,
    gains: bool,
    last: Option<(Action, Rtype)>,
    rtypes: Vec<Rtype>,
}

impl OrderCheck {
    fn start_owner(&mut self, at: usize, order: Ordering, changes_before: u64) {
        self.start = at;
        self.owner = Some(order);
        self.changes_before = changes_before;
        self.gains = false;
        self.last = None;
        self.rtypes.clear();
    }

    fn push(&mut self, action: Action, rtype: Rtype, at: usize) -> Result<(), BufferFault> {
        if self.last.is_some_and(|last| last >= (action, rtype)) {
            let reason = BufferFaultReason::Order;
            return Err(BufferFault { at, reason });
        }
        self.last = Some((action, rtype));
        self.gains |= action != Action::Deletion;
        self.rtypes.push(rtype);
        Ok(())
    }

    fn end_owner(&mut self) -> Result<(), BufferFault> {
        let Some(order) = self.owner else {
            return Ok(());
        };
        let in_order = match (self.losses, self.gains) {
            (None, true) | (Some(_), false) => order.is_gt(),
            // Here the second half begins, with any owner.
            (None, false) => {
                self.losses = Some((self.start, self.changes_before));
                true
            }
            (Some(_), true) => false,
        };
        self.rtypes.sort_unstable();
        if in_order && self.rtypes.is_sorted_by(|left, right| left < right) {
            return Ok(());
        }
        Err(BufferFault {
            at: self.start,
            reason: BufferFaultReason::Order,
        })
    }
}

/// Finds an owner that both have; returns how many octets before the end of the
/// buffer its changes in `losses` start.
fn common_owner<'a>(
    gains: impl Iterator<Item = OwnerChanges<'a>>,
    losses: impl Iterator<Item = OwnerChanges<'a>>,
) -> Option<usize> {
    let mut gains = gains.peekable();
    for loss in losses {
        while gains.next_if(|gain| gain.owner < loss.owner).is_some() {}
        if gains.peek().is_some_and(|gain| gain.owner == loss.owner) {
            return Some(loss.changes.rest.len());
        }
    }
    None
}

#[cfg(test)]
mod tests;
