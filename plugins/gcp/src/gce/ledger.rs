//! What is kept of the pages: of an instance one entry, one for each of its names and one for each of
//! its addresses. Their texts stand one after the other in one buffer.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::net::IpAddr;

use super::address::Kind;
use super::standing::Standing;

/// All instances that have names.
pub(super) struct Ledger<'p> {
    pub(super) claims: Vec<Claim>,
    pub(super) addresses: Vec<Address>,
    bare: Vec<Bare>,
    seen: Vec<Seen>,
    /// Labels: each text behind its length.
    texts: Vec<u8>,
    projects: &'p [String],
    places: Interned,
    networks: Interned,
}

/// An instance that has a name.
#[derive(Clone, Copy)]
struct Seen {
    standing: Standing,
    project: u32,
    place: u32,
    name: usize,
    /// Its part of `addresses`.
    first_address: u32,
    addresses: u8,
}

/// An instance has a name by a rule.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    pub(super) seen: u32,
    pub(super) rule: u32,
    pub(super) is_lost: bool,
    /// Without the zone.
    owner: usize,
}

/// A name of an instance by a rule whose kinds of addresses it has none of.
#[derive(Clone, Copy)]
pub(super) struct Bare {
    pub(super) rule: u32,
    owner: usize,
}

/// An instance has an address.
#[derive(Clone, Copy)]
pub(super) struct Address {
    pub(super) seen: u32,
    pub(super) kind: Kind,
    pub(super) is_lost: bool,
    /// Where it means one machine: 0 is everywhere, others are networks.
    pub(super) realm: u32,
    /// IPv4 as it is mapped into IPv6 (RFC 4291, section 2.5.5.2).
    pub(super) octets: [u8; 16],
}

/// As in [`Address`].
pub(super) fn octets_of(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

impl Address {
    pub(super) fn ip(&self) -> IpAddr {
        IpAddr::from(self.octets).to_canonical()
    }
}

/// Texts that come again and again, as numbers.
#[derive(Default)]
struct Interned {
    numbers: BTreeMap<String, u32>,
    texts: Vec<String>,
}

impl Interned {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = index(self.texts.len());
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }

    fn text(&self, number: u32) -> &str {
        &self.texts[number as usize]
    }
}

/// The entries of an instance and its texts are many octets each: memory ends long before numbers do.
fn index(length: usize) -> u32 {
    u32::try_from(length).expect("2^32 instances do not fit into memory")
}

impl<'p> Ledger<'p> {
    pub(super) fn new(projects: &'p [String]) -> Self {
        let mut networks = Interned::default();
        let everywhere = networks.number("");
        debug_assert_eq!(everywhere, 0);
        Self {
            claims: Vec::new(),
            addresses: Vec::new(),
            bare: Vec::new(),
            seen: Vec::new(),
            texts: Vec::new(),
            projects,
            places: Interned::default(),
            networks,
        }
    }

    /// The id of a project, by its place in the list.
    pub(super) fn project(&self, project: usize) -> &'p str {
        &self.projects[project]
    }

    /// Where the internal addresses of an interface mean one machine: its network, or if that is not
    /// known the project.
    pub(super) fn realm(&mut self, network: Option<&str>, project: usize) -> u32 {
        let project = self.project(project);
        self.networks.number(network.unwrap_or(project))
    }

    /// Adds an address of the instance that is entered next.
    pub(super) fn add_address(&mut self, kind: Kind, address: IpAddr, realm: u32) {
        self.addresses.push(Address {
            seen: index(self.seen.len()),
            kind,
            is_lost: false,
            realm: if kind.is_external() { 0 } else { realm },
            octets: octets_of(address),
        });
    }

    /// Adds a name of the instance that is entered next.
    pub(super) fn add_claim(&mut self, rule: usize, owner: &[u8]) {
        let claim = Claim {
            seen: index(self.seen.len()),
            rule: index(rule),
            is_lost: false,
            owner: self.keep(owner),
        };
        self.claims.push(claim);
    }

    /// Adds a name of an instance that has no address for it.
    pub(super) fn add_bare(&mut self, rule: usize, owner: &[u8]) {
        let owner = self.keep(owner);
        let rule = index(rule);
        self.bare.push(Bare { rule, owner });
    }

    /// Enters the instance whose names and addresses were added since the last one; without a name it
    /// is forgotten.
    pub(super) fn enter(&mut self, project: usize, place: &str, name: &str, standing: Standing) {
        let number = index(self.seen.len());
        let mut own = self.addresses.iter().rev();
        let count = own.position(|address| address.seen != number);
        let count = count.unwrap_or(self.addresses.len());
        let first_address = self.addresses.len() - count;
        if self.claims.last().is_none_or(|claim| claim.seen != number) {
            self.addresses.truncate(first_address);
            return;
        }
        let seen = Seen {
            standing,
            project: index(project),
            place: self.places.number(place),
            name: self.keep_name(name.as_bytes()),
            first_address: index(first_address),
            addresses: u8::try_from(count).expect("there are four kinds of addresses"),
        };
        self.seen.push(seen);
    }

    /// The places of all `addresses`.
    pub(super) fn address_numbers(&self) -> Vec<u32> {
        (0..index(self.addresses.len())).collect()
    }

    /// The places of all `claims`.
    pub(super) fn claim_numbers(&self) -> Vec<u32> {
        (0..index(self.claims.len())).collect()
    }

    /// Keeps up to 255 octets, and returns where.
    fn keep(&mut self, text: &[u8]) -> usize {
        let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
        let start = self.texts.len();
        self.texts.push(length);
        self.texts.extend_from_slice(&text[..usize::from(length)]);
        start
    }

    /// Keeps the name of an instance, which usually is the first label of what was kept last.
    fn keep_name(&mut self, name: &[u8]) -> usize {
        let last = self.claims.last().map(|claim| claim.owner + 1);
        last.filter(|start| self.kept(*start) == name)
            .unwrap_or_else(|| self.keep(name))
    }

    fn kept(&self, start: usize) -> &[u8] {
        let length = usize::from(self.texts[start]);
        &self.texts[start + 1..start + 1 + length]
    }

    fn seen(&self, number: u32) -> &Seen {
        &self.seen[number as usize]
    }

    pub(super) fn standing(&self, number: u32) -> Standing {
        self.seen(number).standing
    }

    pub(super) fn addresses_of(&self, number: u32) -> &[Address] {
        let seen = self.seen(number);
        let first = seen.first_address as usize;
        &self.addresses[first..first + usize::from(seen.addresses)]
    }

    pub(super) fn claim(&self, number: u32) -> &Claim {
        &self.claims[number as usize]
    }

    /// The owner of a claim, without the zone.
    pub(super) fn owner(&self, claim: &Claim) -> &[u8] {
        self.kept(claim.owner)
    }

    /// The names that instances have no address for: the rule, and the owner without the zone.
    pub(super) fn bare(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let bare = self.bare.iter();
        bare.map(|bare| (bare.rule, self.kept(bare.owner)))
    }

    /// The better one first; among equals, as they are called.
    pub(super) fn precedence(&self, one: u32, other: u32) -> Ordering {
        let standing = Reverse(self.standing(one)).cmp(&Reverse(self.standing(other)));
        standing.then_with(|| self.identity(one).cmp(&self.identity(other)))
    }

    /// Whether it is one instance, at two moments: no two of a project and zone have one name.
    pub(super) fn is_same(&self, one: u32, other: u32) -> bool {
        self.identity(one) == self.identity(other)
    }

    fn identity(&self, number: u32) -> (u32, &str, &[u8]) {
        let seen = self.seen(number);
        let place = self.places.text(seen.place);
        (seen.project, place, self.kept(seen.name))
    }

    /// An instance as people know it: `project/zone/name`.
    pub(super) fn shown(&self, number: u32) -> String {
        let seen = self.seen(number);
        let name = String::from_utf8_lossy(self.kept(seen.name));
        let project = &self.projects[seen.project as usize];
        format!("{project}/{}/{name}", self.places.text(seen.place))
    }
}

/// The order that owners of one zone have in it (RFC 4034, section 6.1); both are without the zone.
pub(super) fn compare_owners(one: &[u8], other: &[u8]) -> Ordering {
    match (one.split_first(), other.split_first()) {
        // One label each, which is usual.
        (Some((a, one)), Some((b, other)))
            if one.len() == usize::from(*a) && other.len() == usize::from(*b) =>
        {
            one.cmp(other)
        }
        _ => labels(one).rev().cmp(labels(other).rev()),
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
