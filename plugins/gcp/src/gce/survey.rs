//! What all projects have, kept until it is known who has which name and which address.
//!
//! Of an instance there is one entry, one for each of its names and one for each of its addresses;
//! their texts stand one after the other in one buffer. That is all that is kept of a page.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use tracing::{debug, warn};

use janitor_plugin_api::dns::{BuildError, Name, NameRef, ZoneBuilder};

use super::address::{Kind, NoAddress, addresses_of};
use super::rule::{Features, Rules};
use super::template::{NoOwner, Subject};
use crate::http::{Next, PageFault};
use crate::instances::{Field, First, Instance, Text, read_page};

/// What was read so far.
pub(crate) struct Survey<'r> {
    pub(super) rules: &'r Rules,
    pub(super) zones: Vec<ZoneState>,
    pub(super) seen: Vec<Seen>,
    pub(super) claims: Vec<Claim>,
    pub(super) addresses: Vec<Address>,
    /// Labels: each text behind its length.
    texts: Vec<u8>,
    projects: &'r [String],
    places: Interned,
    networks: Interned,
    room: Room,
}

/// What is known of a zone besides its names.
pub(super) struct ZoneState {
    pub(super) builder: ZoneBuilder,
    pub(super) is_complete: bool,
}

/// An instance that has a name.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) standing: Standing,
    project: u32,
    place: u32,
    name: usize,
    /// Its part of `addresses`.
    first_address: u32,
    addresses: u8,
}

/// How an instance stands beside others of its name or address; the best is the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Standing {
    pub(super) state: State,
    /// Microseconds since 1970, if it is known.
    created: Option<i64>,
}

/// What the status of an instance comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// Stopped or suspended, or on its way there.
    Down,
    /// None, or one that is not known here.
    Unknown,
    /// Running, or on its way there.
    Up,
}

impl Standing {
    /// Whether it is certain that this instance counts and `other` does not: it is the one that runs,
    /// or else the newer one.
    pub(super) fn beats(self, other: Self) -> bool {
        match (self.state, other.state) {
            (State::Up, State::Down) => true,
            (State::Up, State::Up) | (State::Down, State::Down) => {
                other.created.is_some() && self.created > other.created
            }
            _ => false,
        }
    }
}

/// An instance has a name by a rule.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    pub(super) seen: u32,
    pub(super) rule: u32,
    /// Without the zone.
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

/// Room to work in, so that an instance allocates nothing.
#[derive(Default)]
struct Room {
    fit: Vec<usize>,
    owner: Vec<u8>,
    text: String,
}

/// The entries of an instance and its texts are many octets each: memory ends long before numbers do.
pub(super) fn index(length: usize) -> u32 {
    u32::try_from(length).expect("2^32 instances do not fit into memory")
}

impl<'r> Survey<'r> {
    pub(crate) fn new(rules: &'r Rules, projects: &'r [String]) -> Self {
        let zones = rules.zones.iter().map(|zone| ZoneState {
            builder: ZoneBuilder::new(zone.apex.clone()),
            is_complete: true,
        });
        let mut networks = Interned::default();
        networks.number("");
        Self {
            zones: zones.collect(),
            rules,
            seen: Vec::new(),
            claims: Vec::new(),
            addresses: Vec::new(),
            texts: Vec::new(),
            projects,
            places: Interned::default(),
            networks,
            room: Room::default(),
        }
    }

    /// Takes a page of the instances of a project, which is given by its place in the list.
    ///
    /// # Errors
    ///
    /// [`PageFault`] if the page is not a page of instances.
    pub(crate) fn page(&mut self, project: usize, body: &[u8]) -> Result<Next, PageFault> {
        let wanted = self.rules.wanted;
        let page = read_page(body, wanted, |place, instance| match instance {
            Some(instance) => self.instance(project, place, &instance),
            None => self.nameless(project, "name"),
        })?;
        if let Some(lack) = page.lack {
            let project: &'r str = &self.projects[project];
            warn!(
                project,
                reason = lack,
                "instances are missing from the list of the project"
            );
            self.lacks(project);
        }
        Ok(page.next)
    }

    /// Notes that a project could not be listed, or not to its end.
    pub(crate) fn lacks(&mut self, project: &str) {
        for zone in self.rules.zones_of(project) {
            self.zones[zone].is_complete = false;
        }
    }

    /// An instance that could have any name.
    fn nameless(&mut self, project: usize, key: &str) {
        told_left_out("None", "missing", key);
        self.lacks(&self.projects[project]);
    }

    fn instance(&mut self, project: usize, place: &str, instance: &Instance<'_>) {
        let name = text(&instance.name).filter(|name| !name.is_empty());
        let shown = name.unwrap_or("None");
        let project_id: &'r str = &self.projects[project];
        let members = [
            ("tags", instance.tags.is_unfit()),
            ("metadata", instance.metadata.is_unfit()),
            ("labels", instance.labels.is_unfit()),
        ];
        // Whether it is to have a name, and which one, depends on them.
        if let Some((key, _)) = members.into_iter().find(|(_, is_unfit)| *is_unfit) {
            told_left_out(shown, "unreadable", key);
            return self.lacks(project_id);
        }
        let tags = instance.tags.as_ref().found();
        let metadata = instance.metadata.as_ref().found();
        let labels = instance.labels.as_ref().found();
        let network = interface_network(instance);
        let features = Features {
            subject: Subject {
                name: shown,
                project: project_id,
                zone: place,
                id: text(&instance.id),
                hostname: text(&instance.hostname),
                labels: labels.map_or(&[], |labels| &labels.0),
            },
            tags: tags.map_or(&[], |tags| &tags.0),
            metadata: metadata.map_or(&[], |metadata| &metadata.0),
            network,
        };
        if let Some(reason) = self.rules.is_blacklisted(&features) {
            debug!(
                project = project_id,
                instance = shown,
                reason,
                "instance is blacklisted"
            );
            return;
        }
        if name.is_none() {
            return self.nameless(project, "name");
        }
        let mut room = std::mem::take(&mut self.room);
        self.rules.fitting(&features, &mut room.fit);
        self.claim(project, &features, instance, &mut room);
        self.room = room;
    }

    /// Notes the names that an instance has by the rules that it fits, and its addresses.
    fn claim(
        &mut self,
        project: usize,
        features: &Features<'_>,
        instance: &Instance<'_>,
        room: &mut Room,
    ) {
        let rules = room.fit.iter().map(|rule| &self.rules.rules[*rule]);
        let Some(kinds) = rules
            .map(|rule| rule.kinds)
            .reduce(super::address::Kinds::and)
        else {
            return;
        };
        let number = index(self.seen.len());
        let first_address = self.addresses.len();
        let realm = features
            .network
            .map(|network| self.networks.number(network));
        let realm = realm.unwrap_or_else(|| {
            // Not known to be that of another project.
            self.networks.number(&self.projects[project])
        });
        let found = addresses_of(instance, kinds, |kind, address| {
            self.addresses.push(Address {
                seen: number,
                kind,
                is_lost: false,
                realm: if kind.is_external() { 0 } else { realm },
                octets: mapped(address),
            });
        });
        if let Err(reason) = found {
            self.addresses.truncate(first_address);
            self.without_address(features, reason);
        }
        let mut is_named = false;
        for rule in &room.fit {
            let of_rule = &self.rules.rules[*rule];
            let apex = self.rules.zones[of_rule.zone].apex.as_ref();
            room.owner.clear();
            let owner =
                of_rule
                    .template
                    .write(&features.subject, apex, &mut room.text, &mut room.owner);
            if let Err(reason) = owner {
                self.without_name(of_rule.zone, features, &reason);
                continue;
            }
            let has_any = self.addresses[first_address..]
                .iter()
                .any(|address| of_rule.kinds.has(address.kind));
            if !has_any {
                self.hold(of_rule.zone, &room.owner);
                continue;
            }
            let owner = self.keep(&room.owner);
            self.claims.push(Claim {
                seen: number,
                rule: index(*rule),
                owner,
            });
            is_named = true;
        }
        if !is_named {
            self.addresses.truncate(first_address);
            return;
        }
        let name = self.keep_name(features.subject.name.as_bytes());
        self.seen.push(Seen {
            standing: standing_of(instance),
            project: index(project),
            place: self.places.number(features.subject.zone),
            name,
            first_address: index(first_address),
            addresses: u8::try_from(self.addresses.len() - first_address)
                .expect("there are four kinds of addresses"),
        });
    }

    /// Tells of an instance without an address to name.
    fn without_address(&mut self, features: &Features<'_>, reason: NoAddress) {
        let name = features.subject.name;
        match reason {
            NoAddress::Missing(key) => told_left_out(name, "missing", key),
            NoAddress::Unfit(key) => told_left_out(name, "unreadable", key),
        }
        // An instance without natIP has no external address, and leaves no name of one behind. What
        // cannot be read may be any address.
        if matches!(
            reason,
            NoAddress::Unfit(_) | NoAddress::Missing("networkInterfaces")
        ) {
            for zone in &mut self.zones[self.rules.forward..] {
                zone.is_complete = false;
            }
        }
    }

    /// Tells of an instance without a name in a zone.
    fn without_name(&mut self, zone: usize, features: &Features<'_>, reason: &NoOwner) {
        let apex = self.rules.zones[zone].apex.as_ref();
        let Subject { name, project, .. } = features.subject;
        warn!(project, instance = name, zone = %apex, %reason, "instance has no name in the zone");
        match reason {
            NoOwner::Nothing(_) => {}
            NoOwner::Unknown(_) => self.zones[zone].is_complete = false,
            // If it was ever served, it stays.
            NoOwner::Unfit(owner) => {
                if let Ok(owner) = Name::from_text(owner, apex) {
                    self.hold_name(zone, owner);
                }
            }
        }
    }

    fn hold(&mut self, zone: usize, owner: &[u8]) {
        let apex = self.rules.zones[zone].apex.as_wire();
        match Name::from_wire(&[owner, apex].concat()) {
            Ok(owner) => self.hold_name(zone, owner),
            Err(_) => self.zones[zone].is_complete = false,
        }
    }

    fn hold_name(&mut self, zone: usize, owner: Name) {
        match self.zones[zone].builder.hold(owner) {
            // What is outside of the zone is nothing that could be deleted in it.
            Ok(()) | Err(BuildError::OutOfZone { .. }) => {}
            Err(_) => self.zones[zone].is_complete = false,
        }
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

    pub(super) fn seen(&self, number: u32) -> &Seen {
        &self.seen[number as usize]
    }

    pub(super) fn addresses_of(&self, number: u32) -> &[Address] {
        let seen = self.seen(number);
        let first = seen.first_address as usize;
        &self.addresses[first..first + usize::from(seen.addresses)]
    }

    /// The owner of a claim, without the zone.
    pub(super) fn owner(&self, claim: &Claim) -> &[u8] {
        self.kept(claim.owner)
    }

    pub(super) fn zone_of(&self, claim: &Claim) -> usize {
        self.rules.rules[claim.rule as usize].zone
    }

    /// The better one first; among equals, as they are called.
    pub(super) fn precedence(&self, one: u32, other: u32) -> Ordering {
        let (one, other) = (self.seen(one), self.seen(other));
        let identity = |seen: &Seen| {
            (
                seen.project,
                self.places.text(seen.place),
                self.kept(seen.name),
            )
        };
        let standing = Reverse(one.standing).cmp(&Reverse(other.standing));
        standing.then_with(|| identity(one).cmp(&identity(other)))
    }

    /// An instance as people know it: `project/zone/name`.
    pub(super) fn shown(&self, number: u32) -> String {
        let seen = self.seen(number);
        let name = String::from_utf8_lossy(self.kept(seen.name));
        let project = &self.projects[seen.project as usize];
        format!("{project}/{}/{name}", self.places.text(seen.place))
    }
}

fn told_left_out(name: &str, how: &str, key: &str) {
    warn!(
        "Could not extract instance information for {name} because of {how} key {key}, skipping."
    );
}

fn text<'a>(field: &'a Field<Text<'_>>) -> Option<&'a str> {
    field.as_ref().found().map(|text| &**text)
}

/// The network of the first interface, without the address of the service.
fn interface_network<'a>(instance: &'a Instance<'_>) -> Option<&'a str> {
    let Field::Found(First(Field::Found(interface))) = &instance.interfaces else {
        return None;
    };
    let url = text(&interface.network)?;
    Some(url.find("projects/").map_or(url, |start| &url[start..]))
}

fn mapped(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// How an instance stands beside others.
///
/// <https://docs.cloud.google.com/compute/docs/instances/instance-lifecycle>
fn standing_of(instance: &Instance<'_>) -> Standing {
    let state = match text(&instance.status) {
        Some("PENDING" | "PROVISIONING" | "STAGING" | "RUNNING" | "REPAIRING") => State::Up,
        Some(
            "PENDING_STOP" | "STOPPING" | "STOPPED" | "SUSPENDING" | "SUSPENDED" | "TERMINATED"
            | "DEPROVISIONING",
        ) => State::Down,
        _ => State::Unknown,
    };
    let created = text(&instance.created).and_then(|text| text.parse::<Timestamp>().ok());
    Standing {
        state,
        created: created.map(Timestamp::as_microsecond),
    }
}

/// The full name of an owner, in `out`.
pub(super) fn full_name(owner: &[u8], apex: NameRef<'_>, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(owner);
    out.extend_from_slice(apex.as_wire());
}
