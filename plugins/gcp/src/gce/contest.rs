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

use janitor_plugin_api::dns::{BuildError, DesiredZone, Name, NameRef, Rtype, Ttl};
use tracing::{debug, warn};

use super::ledger::{Address, Claim, compare_owners, octets_of};
use super::reverse;
use super::standing::State;
use super::survey::{Survey, ZoneState};

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

impl Survey<'_> {
    /// Decides who has what.
    pub(crate) fn settle(mut self) -> Findings {
        let addresses = self.contest_addresses();
        let order = self.claims_in_order();
        let names = self.contest_names(&order);
        self.fill(&order);
        if self.rules.has_reverse_zones() {
            self.point();
        }
        Findings {
            zones: self.zones.into_iter().map(ZoneState::finish).collect(),
            left_to_others: addresses + names,
        }
    }

    /// Marks the addresses that are another instance's, and returns how many they are.
    fn contest_addresses(&mut self) -> usize {
        let ledger = &self.ledger;
        let address = |number: &u32| &ledger.addresses[*number as usize];
        let place = |number: &u32| (address(number).realm, address(number).octets);
        let mut order = ledger.address_numbers();
        order.sort_unstable_by(|one, other| {
            let places = place(one).cmp(&place(other));
            places.then_with(|| ledger.precedence(address(one).seen, address(other).seen))
        });
        let (mut lost, mut count) = (Vec::new(), 0);
        for group in order.chunk_by(|one, other| place(one) == place(other)) {
            let best = address(&group[0]).seen;
            for number in &group[1..] {
                let other = address(number);
                if ledger.standing(best).beats(ledger.standing(other.seen)) {
                    lost.push(*number);
                    if ledger.is_same(best, other.seen) {
                        continue;
                    }
                    count += 1;
                    warn!(
                        address = %other.ip(),
                        counts = ledger.shown(best),
                        left_out = ledger.shown(other.seen),
                        "two instances have one address"
                    );
                }
            }
        }
        for number in &lost {
            self.ledger.addresses[*number as usize].is_lost = true;
        }
        count
    }

    /// The claims by zone, in the order that the zone has; of those to one name the best one first.
    fn claims_in_order(&self) -> Vec<u32> {
        let ledger = &self.ledger;
        let mut order = ledger.claim_numbers();
        order.sort_unstable_by(|one, other| {
            let (one, other) = (ledger.claim(*one), ledger.claim(*other));
            let zones = self.zone_of(one).cmp(&self.zone_of(other));
            zones
                .then_with(|| compare_owners(ledger.owner(one), ledger.owner(other)))
                .then_with(|| ledger.precedence(one.seen, other.seen))
                .then_with(|| one.rule.cmp(&other.rule))
        });
        order
    }

    /// Marks the claims to names that are another instance's, and returns how many instances they are of.
    fn contest_names(&mut self, order: &[u32]) -> usize {
        let ledger = &self.ledger;
        let is_same = |one: &u32, other: &u32| {
            let (one, other) = (ledger.claim(*one), ledger.claim(*other));
            self.zone_of(one) == self.zone_of(other) && ledger.owner(one) == ledger.owner(other)
        };
        let (mut lost, mut count) = (Vec::new(), 0);
        for group in order.chunk_by(is_same).filter(|group| group.len() > 1) {
            let best = ledger.claim(group[0]);
            let mut last = best.seen;
            for number in &group[1..] {
                let other = ledger.claim(*number);
                let is_lost = ledger
                    .standing(best.seen)
                    .beats(ledger.standing(other.seen));
                if is_lost {
                    lost.push(*number);
                }
                // Several rules may give one instance one name, and a list that changes while it is
                // read may have one instance twice.
                if last != other.seen && !ledger.is_same(best.seen, other.seen) {
                    count += usize::from(is_lost);
                    self.tell_of_name(best, other, is_lost);
                }
                last = other.seen;
            }
        }
        for number in &lost {
            self.ledger.claims[*number as usize].is_lost = true;
        }
        count
    }

    fn tell_of_name(&self, best: &Claim, other: &Claim, is_lost: bool) {
        let mut owner = Vec::new();
        self.write_name(best, &mut owner);
        let owner = Name::from_wire(&owner).map(|name| name.to_string());
        let owner = owner.unwrap_or_default();
        let (counts, other) = (self.ledger.shown(best.seen), self.ledger.shown(other.seen));
        if is_lost {
            warn!(
                owner,
                counts,
                left_out = other,
                "two instances have one name"
            );
        } else {
            warn!(
                owner,
                counts,
                counts_too = other,
                "two instances have one name, and neither is newer"
            );
        }
    }

    /// Puts the addresses of those that have names into their zones.
    fn fill(&mut self, order: &[u32]) {
        let mut owner = Vec::new();
        for number in order {
            let claim = *self.ledger.claim(*number);
            if claim.is_lost {
                continue;
            }
            self.write_name(&claim, &mut owner);
            let rule = &self.rules.rules[claim.rule as usize];
            let zone = &mut self.zones[rule.zone];
            let (mut v4, mut v6, mut is_robbed) = (false, false, false);
            let addresses = self.ledger.addresses_of(claim.seen).iter();
            for address in addresses.filter(|address| rule.kinds.has(address.kind)) {
                if address.is_lost {
                    is_robbed = true;
                    continue;
                }
                let (rtype, octets) = if address.kind.is_ipv6() {
                    v6 = true;
                    (Rtype::AAAA, &address.octets[..])
                } else {
                    v4 = true;
                    (Rtype::A, &address.octets[12..])
                };
                zone.push(&owner, rtype, rule.ttl, octets);
            }
            zone.rrsets += usize::from(v4) + usize::from(v6);
            if is_robbed && self.ledger.standing(claim.seen).state != State::Down {
                zone.hold(&owner);
            }
        }
        self.hold_bare(order);
    }

    /// Keeps the names of those that have no address, unless they are another instance's, which has one.
    fn hold_bare(&mut self, order: &[u32]) {
        let ledger = &self.ledger;
        let zone_of = |rule: u32| self.rules.rules[rule as usize].zone;
        let mut name = Vec::new();
        for (rule, owner) in ledger.bare() {
            let zone = zone_of(rule);
            let taken = order.binary_search_by(|number| {
                let claim = ledger.claim(*number);
                let zones = zone_of(claim.rule).cmp(&zone);
                zones.then_with(|| compare_owners(ledger.owner(claim), owner))
            });
            if taken.is_err() {
                name.clear();
                name.extend_from_slice(owner);
                name.extend_from_slice(self.rules.zones[zone].apex.as_wire());
                self.zones[zone].hold(&name);
            }
        }
    }

    /// Gives each address one name, in its reverse zone.
    fn point(&mut self) {
        let ledger = &self.ledger;
        let mut pointers = Vec::new();
        for claim in ledger.claims.iter().filter(|claim| !claim.is_lost) {
            let kinds = self.rules.rules[claim.rule as usize].kinds;
            let addresses = ledger.addresses_of(claim.seen).iter();
            let own = addresses.filter(|own| !own.is_lost && kinds.has(own.kind));
            pointers.extend(own.map(|own| (own, claim)));
        }
        pointers.sort_unstable_by(|one, other| {
            let addresses = one.0.octets.cmp(&other.0.octets);
            addresses.then_with(|| self.compare_pointers(one.1, other.1))
        });
        pointers.dedup_by_key(|(address, _)| address.octets);
        let (mut owner, mut target) = (Vec::new(), Vec::new());
        for address in &self.unnamed {
            let octets = octets_of(*address);
            if pointers
                .binary_search_by(|(known, _)| known.octets.cmp(&octets))
                .is_ok()
            {
                continue;
            }
            reverse::write_name(*address, &mut owner);
            if let Some(zone) = self.reverse_zone(&owner) {
                self.zones[zone].hold(&owner);
            }
        }
        for (address, claim) in pointers {
            let rule = &self.rules.rules[claim.rule as usize];
            reverse::write_name(Address::ip(address), &mut owner);
            let Some(zone) = self.reverse_zone(&owner) else {
                debug!(address = %address.ip(), "no reverse zone for the address");
                continue;
            };
            self.write_name(claim, &mut target);
            let zone = &mut self.zones[zone];
            zone.push(&owner, Rtype::PTR, rule.ttl, &target);
            zone.rrsets += 1;
        }
    }

    /// The reverse zone for the name of an address, in wire form.
    fn reverse_zone(&self, owner: &[u8]) -> Option<usize> {
        let name = NameRef::from_canonical_wire(owner).ok()?;
        self.rules.reverse_zone(name)
    }

    /// The name that an address is to have first: that of the best instance, by the first of its rules.
    fn compare_pointers(&self, one: &Claim, other: &Claim) -> Ordering {
        let ledger = &self.ledger;
        let standings = ledger.standing(other.seen).cmp(&ledger.standing(one.seen));
        standings
            .then_with(|| one.rule.cmp(&other.rule))
            .then_with(|| compare_owners(ledger.owner(one), ledger.owner(other)))
    }

    fn zone_of(&self, claim: &Claim) -> usize {
        self.rules.rules[claim.rule as usize].zone
    }

    /// The whole name that a claim is about, in `out`.
    fn write_name(&self, claim: &Claim, out: &mut Vec<u8>) {
        let apex = &self.rules.zones[self.zone_of(claim)].apex;
        out.clear();
        out.extend_from_slice(self.ledger.owner(claim));
        out.extend_from_slice(apex.as_wire());
    }
}

impl ZoneState {
    /// Adds a record. What keeps the zone from being built is told when it is finished.
    fn push(&mut self, owner: &[u8], rtype: Rtype, ttl: Ttl, rdata: &[u8]) {
        if let Err(fault) = self.builder.push_wire(owner, rtype, ttl, rdata) {
            self.fault.get_or_insert(fault);
        }
    }

    fn finish(mut self) -> Finding {
        if self.is_complete {
            self.builder.set_complete();
        }
        let zone = match self.fault {
            Some(fault) => Err(fault),
            None => self.builder.build_desired(),
        };
        Finding {
            rrsets: self.rrsets,
            zone,
        }
    }
}
