//! The changes of a zone, and which of them belong together.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::ops::Range;

use janitor_plugin_api::dns::text::rdata_display;
use janitor_plugin_api::dns::{Action, Change, Changes, NameRef, RrsetRef, Rtype};

/// One change, and its place among those of the zone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    pub(super) index: u32,
    pub(super) change: Change<'a>,
    /// Those at one owner have the same number.
    owner: u32,
    /// Those at a delegation and below it have the same number, those at any other owner one of their own.
    family: u32,
    /// Those that must not be made without each other have the same number.
    bond: u32,
    /// The octets that all its rdata have, as Cloud DNS may count them.
    octets: u32,
}

/// What counts in one change of Cloud DNS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weight {
    pub(super) additions: usize,
    pub(super) deletions: usize,
    pub(super) octets: usize,
}

impl std::ops::AddAssign for Weight {
    fn add_assign(&mut self, other: Self) {
        self.additions += other.additions;
        self.deletions += other.deletions;
        self.octets += other.octets;
    }
}

impl Item<'_> {
    pub(super) fn weight(&self) -> Weight {
        Weight {
            additions: usize::from(self.change.addition().is_some()),
            deletions: usize::from(self.change.deletion().is_some()),
            octets: usize::try_from(self.octets).unwrap_or(usize::MAX),
        }
    }
}

/// All changes of a zone in the order in which they are sent.
pub(super) struct Plan<'a> {
    items: Vec<Item<'a>>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(changes: &'a Changes) -> Self {
        let apex = changes.apex();
        let mut items: Vec<Item<'a>> = Vec::with_capacity(changes.len());
        // The delegation that those are at or below which come next.
        let mut cut = None;
        for (index, change) in (0..).zip(changes) {
            let name = change.owner();
            let (mut owner, mut family) = (0, 0);
            if let Some(last) = items.last() {
                let is_new_owner = last.change.owner() != name;
                let is_in_family = cut.is_some_and(|cut| name.is_at_or_below(cut));
                owner = last.owner + u32::from(is_new_owner);
                family = last.family + u32::from(is_new_owner && !is_in_family);
                if is_new_owner && !is_in_family {
                    cut = None;
                }
            }
            if cut.is_none() && change.rtype() == Rtype::NS && name != apex {
                cut = Some(name);
            }
            let sides = [change.deletion(), change.addition()];
            let octets = sides.into_iter().flatten().map(rdata_octets).sum::<usize>();
            items.push(Item {
                index,
                change,
                owner,
                family,
                bond: 0,
                octets: u32::try_from(octets).unwrap_or(u32::MAX),
            });
        }
        tie(apex, &mut items);
        Self { items }
    }

    pub(super) const fn len(&self) -> usize {
        self.items.len()
    }

    /// The change at a place, which there is.
    pub(super) fn item(&self, at: usize) -> &Item<'a> {
        &self.items[at]
    }

    pub(super) fn items(&self, range: Range<usize>) -> &[Item<'a>] {
        &self.items[range]
    }

    /// Whether the change at a place is the first one of its owner.
    pub(super) fn begins_owner(&self, at: usize) -> bool {
        at == 0 || self.items[at - 1].owner != self.items[at].owner
    }

    /// Whether the change at a place is the first one of its family.
    pub(super) fn begins_family(&self, at: usize) -> bool {
        at == 0 || self.items[at - 1].family != self.items[at].family
    }

    /// Changes with the same number must not be made without each other.
    pub(super) fn bond(&self, at: usize) -> u32 {
        self.items[at].bond
    }

    /// Drops the changes that are not wanted.
    pub(super) fn retain(&mut self, mut wanted: impl FnMut(usize) -> bool) {
        let mut at = 0;
        self.items.retain(|_| {
            at += 1;
            wanted(at - 1)
        });
    }
}

/// Numbers those changes alike that must not be made without each other.
///
/// What is at a delegation and below it goes together, wherever it is in the order: it may have the addresses
/// of the name servers from before and from after. Where a CNAME comes or goes, everything at the owner does:
/// one half would take a name away and put nothing in its place. The rest stands for itself.
fn tie(apex: NameRef<'_>, items: &mut [Item<'_>]) {
    let is_cut = |item: &&Item<'_>| item.change.rtype() == Rtype::NS && item.change.owner() != apex;
    let cuts = (0..).zip(items.iter().filter(is_cut));
    let cuts: HashMap<_, u32> = cuts
        .map(|(bond, item)| (item.change.owner(), bond))
        .collect();
    let mut bond = u32::try_from(cuts.len()).unwrap_or(u32::MAX);
    for owner in items.chunk_by_mut(|one, other| one.owner == other.owner) {
        let Some(first) = owner.first() else {
            continue;
        };
        let names = std::iter::successors(Some(first.change.owner()), |name| name.parent());
        // The uppermost: what is below another one is its as well.
        let cut = match cuts.is_empty() {
            true => None,
            false => names.filter_map(|name| cuts.get(&name)).last(),
        };
        let is_whole = owner.iter().any(|item| item.change.rtype() == Rtype::CNAME);
        for item in &mut *owner {
            item.bond = *cut.unwrap_or(&bond);
            bond += u32::from(cut.is_none() && !is_whole);
        }
        bond += u32::from(cut.is_none() && is_whole);
    }
}

/// The octets of all rdata: of the text or of the wire form, whichever are more, because Google does not
/// say which one it counts.
fn rdata_octets(rrset: RrsetRef<'_>) -> usize {
    let rdatas = rrset.rdatas();
    let octets = rdatas.map(|rdata| {
        let mut text = Length(0);
        // Counting never fails.
        let counted = write!(text, "{}", rdata_display(rrset.rtype(), rdata));
        debug_assert!(counted.is_ok());
        text.0.max(rdata.len())
    });
    octets.sum()
}

/// Counts what is written.
struct Length(usize);

impl fmt::Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// A change in a few words, for a reason.
pub(super) fn named(change: Change<'_>) -> String {
    let what = match change.action() {
        Action::Addition => "the addition of",
        Action::Update => "the update of",
        Action::Deletion => "the deletion of",
    };
    format!("{what} `{} {}`", change.owner(), change.rtype())
}
