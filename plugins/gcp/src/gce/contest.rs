//! Who has a name or an address that several instances have, and the zones that follow.
//!
//! Of several instances with one owner in a zone, those count that are running or on their way there;
//! of these the newest. Of equals, and where the list does not tell which is newer, all count, and their
//! addresses are joined. The others have no name there.
//!
//! The same holds of several with one address, an internal one within its network. One that is stopped,
//! or being deleted, has no such address any more. But two that are up cannot have one address: the
//! list shows them at different moments. The newer one has it, and the name of the older one is held,
//! so that nothing of a machine that runs is deleted for it.

use std::cmp::Ordering;

use janitor_plugin_api::dns::{BuildError, DesiredZone, Name, NameRef, Rtype};
use tracing::{debug, warn};

use super::reverse;
use super::survey::{Address, Claim, State, Survey, full_name, index};

/// What there is to say of a zone.
#[derive(Debug)]
pub(crate) struct Finding {
    /// How many RRsets instances have in it, before those of one name and type are joined.
    pub(crate) rrsets: usize,
    pub(crate) zone: Result<DesiredZone, BuildError>,
}

/// What there is to say of all zones, in the order of the rules.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) zones: Vec<Finding>,
    /// Names and addresses that instances had to leave to another one.
    pub(crate) left_to_others: usize,
}

/// An address and the name that it might have.
struct Pointer {
    octets: [u8; 16],
    claim: u32,
}

impl Survey<'_> {
    /// Decides who has what.
    pub(crate) fn settle(mut self) -> Findings {
        let lost_addresses = self.contest_addresses();
        let mut rrsets = vec![0; self.zones.len()];
        let mut faults: Vec<Option<BuildError>> = Vec::new();
        faults.resize_with(self.zones.len(), || None);
        let mut pointers = Vec::new();
        let lost_names = self.contest_names(&mut rrsets, &mut faults, &mut pointers);
        self.point(pointers, &mut rrsets, &mut faults);
        let zones = self.zones.iter_mut().zip(rrsets).zip(faults);
        let zones = zones.map(|((state, rrsets), fault)| {
            if state.is_complete {
                state.builder.set_complete();
            }
            let zone = fault.map_or_else(|| state.builder.build_desired(), Err);
            Finding { rrsets, zone }
        });
        Findings {
            zones: zones.collect(),
            left_to_others: lost_addresses + lost_names,
        }
    }

    /// Marks the addresses that are another instance's.
    fn contest_addresses(&mut self) -> usize {
        let mut order: Vec<u32> = (0..index(self.addresses.len())).collect();
        let place = |number: u32| {
            let address = &self.addresses[number as usize];
            (address.realm, address.octets)
        };
        order.sort_unstable_by(|one, other| {
            let places = place(*one).cmp(&place(*other));
            places.then_with(|| {
                let seen = |number: u32| self.addresses[number as usize].seen;
                self.precedence(seen(*one), seen(*other))
            })
        });
        let mut lost = Vec::new();
        for group in order.chunk_by(|one, other| place(*one) == place(*other)) {
            let best = &self.addresses[group[0] as usize];
            let standing = self.seen(best.seen).standing;
            for number in &group[1..] {
                let address = &self.addresses[*number as usize];
                if standing.beats(self.seen(address.seen).standing) {
                    warn!(
                        address = %address.ip(),
                        counts = self.shown(best.seen),
                        left_out = self.shown(address.seen),
                        "two instances have one address"
                    );
                    lost.push(*number);
                }
            }
        }
        for number in &lost {
            self.addresses[*number as usize].is_lost = true;
        }
        lost.len()
    }

    /// Puts the addresses of those that have a name into their zones.
    fn contest_names(
        &mut self,
        rrsets: &mut [usize],
        faults: &mut [Option<BuildError>],
        pointers: &mut Vec<Pointer>,
    ) -> usize {
        let mut order: Vec<u32> = (0..index(self.claims.len())).collect();
        order.sort_unstable_by(|one, other| {
            let (one, other) = (&self.claims[*one as usize], &self.claims[*other as usize]);
            let owners = self.compare_owners(one, other);
            owners
                .then_with(|| self.precedence(one.seen, other.seen))
                .then_with(|| one.rule.cmp(&other.rule))
        });
        let (mut lost, mut name) = (0, Vec::new());
        let has_same_owner = |one: &u32, other: &u32| {
            let (one, other) = (&self.claims[*one as usize], &self.claims[*other as usize]);
            self.zone_of(one) == self.zone_of(other) && self.owner(one) == self.owner(other)
        };
        let groups: Vec<_> = order.chunk_by(has_same_owner).map(<[u32]>::len).collect();
        let mut rest = &order[..];
        for length in groups {
            let group;
            (group, rest) = rest.split_at(length);
            let best = self.claims[group[0] as usize];
            let zone = self.zone_of(&best);
            let apex = self.rules.zones[zone].apex.as_ref();
            full_name(self.owner(&best), apex, &mut name);
            let standing = self.seen(best.seen).standing;
            let mut last = best.seen;
            for number in group {
                let claim = self.claims[*number as usize];
                if claim.seen != best.seen && claim.seen != last {
                    let is_lost = standing.beats(self.seen(claim.seen).standing);
                    self.tell_of_name(&name, &best, &claim, is_lost);
                    lost += usize::from(is_lost);
                }
                last = claim.seen;
                if !standing.beats(self.seen(claim.seen).standing) {
                    let pushed = self.push(&claim, &name, &mut rrsets[zone]);
                    if let Err(fault) = pushed {
                        faults[zone].get_or_insert(fault);
                    }
                    if self.rules.has_reverse_zones() {
                        let kinds = self.rules.rules[claim.rule as usize].kinds;
                        let held = self.addresses_of(claim.seen).iter();
                        let held = held.filter(|held| !held.is_lost && kinds.has(held.kind));
                        pointers.extend(held.map(|held| Pointer {
                            octets: held.octets,
                            claim: *number,
                        }));
                    }
                }
            }
        }
        lost
    }

    fn tell_of_name(&self, name: &[u8], best: &Claim, claim: &Claim, is_lost: bool) {
        let owner = Name::from_wire(name).map(|name| name.to_string());
        let owner = owner.unwrap_or_default();
        let (first, other) = (self.shown(best.seen), self.shown(claim.seen));
        if is_lost {
            warn!(
                owner,
                counts = first,
                left_out = other,
                "two instances have one name"
            );
        } else {
            warn!(
                owner,
                counts = first,
                counts_too = other,
                "two instances have one name, and neither is newer"
            );
        }
    }

    /// Puts the addresses of one name into its zone.
    fn push(&mut self, claim: &Claim, name: &[u8], rrsets: &mut usize) -> Result<(), BuildError> {
        let rule = &self.rules.rules[claim.rule as usize];
        let is_up = self.seen(claim.seen).standing.state != State::Down;
        let held: Vec<Address> = self.addresses_of(claim.seen).to_vec();
        let (mut v4, mut v6, mut is_robbed) = (false, false, false);
        let state = &mut self.zones[rule.zone];
        for address in held.iter().filter(|address| rule.kinds.has(address.kind)) {
            if address.is_lost {
                is_robbed = true;
            } else if address.kind.is_ipv6() {
                v6 = true;
                let octets = &address.octets;
                state
                    .builder
                    .push_wire(name, Rtype::AAAA, rule.ttl, octets)?;
            } else {
                v4 = true;
                let octets = &address.octets[12..];
                state.builder.push_wire(name, Rtype::A, rule.ttl, octets)?;
            }
        }
        *rrsets += usize::from(v4) + usize::from(v6);
        if is_robbed && is_up {
            match Name::from_wire(name) {
                Ok(owner) => state.builder.hold(owner)?,
                Err(_) => state.is_complete = false,
            }
        }
        Ok(())
    }

    /// Gives each address one name, in its reverse zone.
    fn point(
        &mut self,
        mut pointers: Vec<Pointer>,
        rrsets: &mut [usize],
        faults: &mut [Option<BuildError>],
    ) {
        pointers.sort_unstable_by(|one, other| {
            let addresses = one.octets.cmp(&other.octets);
            addresses.then_with(|| self.compare_pointers(one.claim, other.claim))
        });
        let (mut owner, mut target) = (Vec::new(), Vec::new());
        let mut last = None;
        for pointer in &pointers {
            if last.replace(pointer.octets) == Some(pointer.octets) {
                continue;
            }
            let claim = self.claims[pointer.claim as usize];
            let rule = &self.rules.rules[claim.rule as usize];
            let address = std::net::IpAddr::from(pointer.octets).to_canonical();
            owner.clear();
            reverse::write_name(address, &mut owner);
            let zone = NameRef::from_canonical_wire(&owner).ok();
            let Some(zone) = zone.and_then(|name| self.rules.reverse_zone(name)) else {
                debug!(%address, "no reverse zone for the address");
                continue;
            };
            let apex = self.rules.zones[rule.zone].apex.as_ref();
            full_name(self.owner(&claim), apex, &mut target);
            let builder = &mut self.zones[zone].builder;
            match builder.push_wire(&owner, Rtype::PTR, rule.ttl, &target) {
                Ok(()) => rrsets[zone] += 1,
                Err(fault) => drop(faults[zone].get_or_insert(fault)),
            }
        }
    }

    /// The name that an address is to have first: that of the best instance, by the first of its rules.
    fn compare_pointers(&self, one: u32, other: u32) -> Ordering {
        let (one, other) = (&self.claims[one as usize], &self.claims[other as usize]);
        let standings = self
            .seen(other.seen)
            .standing
            .cmp(&self.seen(one.seen).standing);
        standings
            .then_with(|| one.rule.cmp(&other.rule))
            .then_with(|| self.compare_owners(one, other))
    }

    /// By zone, and in the canonical order of a zone (RFC 4034, section 6.1).
    fn compare_owners(&self, one: &Claim, other: &Claim) -> Ordering {
        let zones = self.zone_of(one).cmp(&self.zone_of(other));
        zones.then_with(|| {
            let (one, other) = (self.owner(one), self.owner(other));
            match (one.split_first(), other.split_first()) {
                (Some((a, one)), Some((b, other)))
                    if one.len() == usize::from(*a) && other.len() == usize::from(*b) =>
                {
                    one.cmp(other)
                }
                _ => labels(one).rev().cmp(labels(other).rev()),
            }
        })
    }
}

/// The labels of an owner without its zone, leftmost first.
fn labels(mut owner: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    let mut labels = Vec::new();
    while let Some((length, rest)) = owner.split_first() {
        let (label, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        labels.push(label);
        owner = rest;
    }
    labels.into_iter()
}
