//! What the host itself finds in an actual zone, before its buffer goes.

use std::collections::HashSet;

use janitor_plugin_api::dns::{
    Action, ActualZone, Change, Changes, LeftAlone, Name, NameRef, RrsetRef, Rtype, Serial,
};

use super::ownership::Ownership;
use super::scope::ZoneScope;

/// What a zone was found to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// RRsets, whatever they are.
    pub rrsets: usize,
    /// RRsets that may be updated or deleted. Not SOA and NS at the apex and what a signer makes, nothing
    /// at owners that the zone holds, and nothing that the scope or a marker leaves as it is.
    pub comparable: usize,
    /// The serial of its SOA, if it has one.
    pub serial: Option<Serial>,
    /// What other programs own.
    pub ownership: Ownership,
    /// Name servers of the zone that would lose an address.
    pub name_servers: Vec<NameServer>,
    /// Names whose addresses would change and that an NS RRset of the zone names, in canonical order.
    pub glue: Vec<Name>,
}

/// A name server that the NS RRset at the apex names, with a name in the zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameServer {
    /// Its name.
    pub name: Name,
    /// The types of its addresses that are served: A, AAAA.
    pub addresses: Vec<Rtype>,
}

impl Survey {
    /// Looks through a zone that `changes` are about to change, once.
    pub(super) fn of(
        actual: &ActualZone,
        changes: &Changes,
        scope: &ZoneScope<'_>,
        ours: &[Name],
    ) -> Self {
        let apex = actual.apex();
        let reader = scope.markers();
        let mut markers = Vec::new();
        let mut comparable = 0;
        let mut servers = Vec::new();
        let mut glue = Vec::new();
        // Most zones have no cuts, or no changes at addresses.
        let mut moving = None;
        // The apex sorts before every other owner.
        let mut at_apex = true;
        let mut is_held = held_in(actual);
        for rrset in actual.rrsets() {
            at_apex = at_apex && rrset.owner() == apex;
            let rtype = rrset.rtype();
            comparable += usize::from(is_compared(rrset, at_apex) && !is_held(rrset));
            match rtype {
                Rtype::TXT if !reader.is_idle() => {
                    if let Some(marker) = reader.read(rrset) {
                        let owner = rrset.owner().to_owned();
                        if ours.binary_search(&owner).is_err() {
                            markers.push((owner, marker));
                        }
                    }
                }
                Rtype::NS => {
                    if at_apex {
                        let inside = targets(rrset).filter(|name| name.is_at_or_below(apex));
                        servers.extend(inside);
                    }
                    let moving = moving.get_or_insert_with(|| address_owners(changes));
                    if !moving.is_empty() {
                        glue.extend(targets(rrset).filter(|name| moving.contains(name)));
                    }
                }
                _ => {}
            }
        }
        glue.sort_unstable();
        glue.dedup();
        let ownership = Ownership::new(markers, Some(actual));
        if scope.leaves_anything(&ownership) {
            // Only now is it known what others own.
            let mut is_held = held_in(actual);
            let compared = actual
                .rrsets()
                .filter(|rrset| is_compared(*rrset, rrset.owner() == apex) && !is_held(*rrset));
            let touched = compared.filter(|rrset| scope.may_touch(*rrset, &ownership));
            comparable = touched.count();
        }
        Self {
            rrsets: actual.rrset_count(),
            serial: actual.serial(),
            comparable,
            ownership,
            name_servers: threatened(actual, changes, &servers),
            glue: glue.into_iter().map(NameRef::to_owned).collect(),
        }
    }
}

/// Whether comparisons change an RRset like this; `at_apex` if its owner is the zone itself.
fn is_compared(rrset: RrsetRef<'_>, at_apex: bool) -> bool {
    let (owner, rtype) = (rrset.owner(), rrset.rtype());
    let is_primarys = at_apex && LeftAlone::default().contains(owner, rtype, owner);
    !is_primarys && !rtype.is_signer_made(at_apex)
}

/// Says of the RRsets of a zone, in their order, whether the zone holds their owners.
fn held_in(actual: &ActualZone) -> impl FnMut(RrsetRef<'_>) -> bool {
    let mut held = actual.held().peekable();
    move |rrset| {
        // Most zones hold none.
        if held.peek().is_none() {
            return false;
        }
        let owner = rrset.owner();
        while held.next_if(|held| *held < owner).is_some() {}
        held.peek() == Some(&owner)
    }
}

/// The names that an NS RRset names.
pub(super) fn targets(rrset: RrsetRef<'_>) -> impl Iterator<Item = NameRef<'_>> {
    let names = rrset.rdatas().map(NameRef::from_canonical_wire);
    names.filter_map(Result::ok)
}

pub(super) fn is_address(rtype: Rtype) -> bool {
    matches!(rtype, Rtype::A | Rtype::AAAA)
}

fn address_owners(changes: &Changes) -> HashSet<NameRef<'_>> {
    let addresses = changes.iter().filter(|change| is_address(change.rtype()));
    addresses.map(Change::owner).collect()
}

/// Those of `servers` that would lose an address. There are few of them, so that the zone may be
/// searched for each.
fn threatened(actual: &ActualZone, changes: &Changes, servers: &[NameRef<'_>]) -> Vec<NameServer> {
    if servers.is_empty() {
        return Vec::new();
    }
    let loses = changes
        .iter()
        .filter(|change| change.action() == Action::Deletion && is_address(change.rtype()));
    let mut losers = loses
        .map(Change::owner)
        .filter(|owner| servers.contains(owner))
        .collect::<Vec<_>>();
    losers.dedup();
    let types = [Rtype::A, Rtype::AAAA];
    let losers = losers.into_iter().map(|name| NameServer {
        name: name.to_owned(),
        addresses: types
            .into_iter()
            .filter(|rtype| actual.find(name, *rtype).is_some())
            .collect(),
    });
    losers.collect()
}
