//! Finds the same changes in two sets, in one pass over both.
//!
//! A set is in the order of application: owners that gain something, then owners that only lose, each
//! in canonical order. An owner may stand among the first in one set and among the last in the other,
//! so both sets are walked in canonical order, which merging their two ascending parts gives.

use std::cmp::Ordering;
use std::iter::Peekable;

use janitor_plugin_api::dns::{Change, Changes, NameRef};

/// A change and its place in its set.
pub(super) type Placed<'a> = (usize, Change<'a>);

/// The changes that are the same in both sets, to the octet, with their places in `left` and `right`.
pub(super) fn same<'a>(left: &'a Changes, right: &'a Changes) -> Vec<(usize, Change<'a>, usize)> {
    let mut found = Vec::new();
    let (mut left, mut right) = (ByOwner::new(left), ByOwner::new(right));
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    while let (Some(one), Some(other)) = (left.owner(), right.owner()) {
        match one.cmp(&other) {
            Ordering::Less => left.take_owner(&mut ours),
            Ordering::Greater => right.take_owner(&mut theirs),
            Ordering::Equal => {
                left.take_owner(&mut ours);
                right.take_owner(&mut theirs);
                // One change for each type: by type they can be walked side by side.
                ours.sort_by_key(|(_, change)| change.rtype());
                theirs.sort_by_key(|(_, change)| change.rtype());
                let mut theirs = theirs.iter().peekable();
                for (at, change) in &ours {
                    while theirs
                        .next_if(|(_, other)| other.rtype() < change.rtype())
                        .is_some()
                    {}
                    let same = theirs.next_if(|(_, other)| other == change);
                    found.extend(same.map(|(other, _)| (*at, *change, *other)));
                }
            }
        }
    }
    found
}

/// The changes of a set, owner by owner in canonical order.
struct ByOwner<'a> {
    gains: Peekable<Part<'a>>,
    losses: Peekable<Part<'a>>,
}

type Part<'a> = Box<dyn Iterator<Item = Placed<'a>> + 'a>;

impl<'a> ByOwner<'a> {
    fn new(changes: &'a Changes) -> Self {
        let border = descent(changes);
        let placed = || changes.iter().enumerate();
        let gains: Part<'a> = Box::new(placed().take(border));
        let losses: Part<'a> = Box::new(placed().skip(border));
        Self {
            gains: gains.peekable(),
            losses: losses.peekable(),
        }
    }

    /// The next owner.
    fn owner(&mut self) -> Option<NameRef<'a>> {
        let gain = self.gains.peek().map(|(_, change)| change.owner());
        let loss = self.losses.peek().map(|(_, change)| change.owner());
        match (gain, loss) {
            (Some(gain), Some(loss)) => Some(gain.min(loss)),
            (gain, loss) => gain.or(loss),
        }
    }

    /// Puts the changes of the next owner into `changes`, in the place of what is there.
    fn take_owner(&mut self, changes: &mut Vec<Placed<'a>>) {
        changes.clear();
        let Some(owner) = self.owner() else {
            return;
        };
        for part in [&mut self.gains, &mut self.losses] {
            while let Some(change) = part.next_if(|(_, change)| change.owner() == owner) {
                changes.push(change);
            }
        }
    }
}

/// Where the second ascending part of a set begins.
fn descent(changes: &Changes) -> usize {
    let mut before: Option<NameRef<'_>> = None;
    let at = changes.iter().position(|change| {
        let owner = change.owner();
        let descends = before.is_some_and(|before| owner < before);
        before = Some(owner);
        descends
    });
    at.unwrap_or(changes.len())
}
