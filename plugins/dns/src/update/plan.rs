//! The changes of a zone, sorted into what has to be sent together.

use std::ops::Range;

use janitor_plugin_api::dns::{Action, Change, Changes, NameRef, Rrset, Rtype};

/// One change, and its place among those of the zone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    pub(super) index: u32,
    pub(super) change: Change<'a>,
}

/// Changes of one owner that make sense only together.
///
/// Most changes are alone. Those at a CNAME that comes or goes are not: a server passes over what it
/// cannot add without a word (RFC 2136, section 3.4.2.2), so one half of them would take a name away and
/// put nothing in its place. What goes makes way for a CNAME whatever it is, as the condition is on the name
/// as a whole. A DS stays with its delegation for the same reason.
#[derive(Clone, Debug)]
pub(super) struct Bundle {
    items: Range<usize>,
    /// Whether it is the first one of its owner.
    pub(super) begins_owner: bool,
    /// Whether single RRs are deleted and added where an RRset would be replaced: for what has no room
    /// in a message otherwise.
    pub(super) rr_by_rr: bool,
    /// The signatures at a name that is deleted whole for a CNAME, and of nothing but what the bundle
    /// deletes.
    pub(super) signatures: Option<Rrset>,
}

/// All changes of a zone in the order in which they are sent.
pub(super) struct Plan<'a> {
    pub(super) apex: NameRef<'a>,
    items: Vec<Item<'a>>,
    bundles: Vec<Bundle>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(changes: &'a Changes) -> Self {
        let mut plan = Self {
            apex: changes.apex(),
            items: Vec::with_capacity(changes.len()),
            bundles: Vec::new(),
        };
        let items = (0..).zip(changes);
        plan.items
            .extend(items.map(|(index, change)| Item { index, change }));
        let mut start = 0;
        while let Some(first) = plan.items.get(start) {
            let owner = first.change.owner();
            let here = plan.items[start..].iter();
            let end = start + here.take_while(|item| item.change.owner() == owner).count();
            plan.bundle(start..end);
            start = end;
        }
        plan
    }

    /// Sorts the changes of one owner.
    fn bundle(&mut self, owner: Range<usize>) {
        let here = &mut self.items[owner.clone()];
        let belongs = together(here);
        // What belongs together first, otherwise in the order of the changes.
        here.sort_by_key(|item| !belongs(item.change));
        let joined = here.iter().take_while(|item| belongs(item.change)).count();
        let joined = owner.start..owner.start + joined;
        let alone = (joined.end..owner.end).map(|at| at..at + 1);
        let all = std::iter::once(joined).chain(alone);
        for (at, items) in all.filter(|items| !items.is_empty()).enumerate() {
            self.bundles.push(Bundle {
                items,
                begins_owner: at == 0,
                rr_by_rr: false,
                signatures: None,
            });
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bundles.len()
    }

    pub(super) fn bundle_at(&self, at: usize) -> &Bundle {
        &self.bundles[at]
    }

    /// Has the bundle sent RR by RR from now on.
    pub(super) fn send_rr_by_rr(&mut self, at: usize) {
        self.bundles[at].rr_by_rr = true;
    }

    /// Has the name of the bundle deleted whole from now on, if nothing but `signatures` sign it.
    pub(super) fn send_signed(&mut self, at: usize, signatures: Rrset) {
        self.bundles[at].signatures = Some(signatures);
    }

    pub(super) fn items(&self, bundle: &Bundle) -> &[Item<'a>] {
        &self.items[bundle.items.clone()]
    }

    /// The bundles in a range, each with its changes.
    pub(super) fn iter(
        &self,
        bundles: Range<usize>,
    ) -> impl Iterator<Item = (&Bundle, &[Item<'a>])> {
        let bundles = self.bundles[bundles].iter();
        bundles.map(|bundle| (bundle, self.items(bundle)))
    }

    /// The changes in a range of bundles.
    pub(super) fn changes(&self, bundles: Range<usize>) -> impl Iterator<Item = Item<'a>> {
        self.iter(bundles)
            .flat_map(|(_, items)| items.iter().copied())
    }

    /// Drops the bundles that are not wanted.
    pub(super) fn retain(&mut self, mut wanted: impl FnMut(&[Item<'a>]) -> bool) {
        let items = &self.items;
        let mut begins_owner = false;
        self.bundles.retain_mut(|bundle| {
            bundle.begins_owner |= begins_owner;
            let is_wanted = wanted(&items[bundle.items.clone()]);
            begins_owner = !is_wanted && bundle.begins_owner;
            is_wanted
        });
    }
}

/// Which of the changes at one owner belong together.
fn together(here: &[Item<'_>]) -> impl Fn(Change<'_>) -> bool + use<> {
    let any = |is: &dyn Fn(Change<'_>) -> bool| here.iter().any(|item| is(item.change));
    let gains = |change: Change<'_>| change.action() == Action::Addition;
    let cname_comes = any(&|change| gains(change) && change.rtype() == Rtype::CNAME);
    let cname_goes =
        any(&|change| change.action() == Action::Deletion && change.rtype() == Rtype::CNAME);
    let others_come = any(&|change| gains(change) && !change.rtype().may_stand_beside_cname());
    let is_swap = cname_comes || (cname_goes && others_come);
    let is_cut = any(&|change| change.rtype() == Rtype::NS);
    move |change| {
        is_swap && !change.rtype().may_stand_beside_cname()
            || cname_comes && change.action() == Action::Deletion
            || is_cut && matches!(change.rtype(), Rtype::NS | Rtype::DS)
    }
}
