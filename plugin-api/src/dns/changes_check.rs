//! Checks changes that somebody else put together.

use std::cmp::Ordering;

use super::change::Action;
use super::changes::{ChangesIter, FORMAT, HEADER, OwnerChanges, owners};
use super::check::{self, BufferFault, BufferFaultReason, EntryReader};
use super::diff_counts::DiffCounts;
use super::name::NameRef;
use super::rrset::{entry_rtype, read_u16, read_u32};
use super::rtype::Rtype;
use super::zone_writer;

/// Checks everything about a buffer that can be checked without the zone.
pub(crate) fn octets(apex: NameRef<'_>, octets: &[u8]) -> Result<(), BufferFault> {
    let fault = |at, reason| Err(BufferFault { at, reason });
    if octets.len() > zone_writer::MAX_OCTETS {
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
