//! Takes the pages of all projects, and notes which names and addresses there are and what is not seen.

use std::fmt;
use std::net::IpAddr;

use janitor_plugin_api::dns::{BuildError, Name, ZoneBuilder};
use tracing::{debug, warn};

use super::address::{Found, Kinds, NoAddress};
use super::ledger::Ledger;
use super::rule::{Features, Rules};
use super::standing::Standing;
use super::template::{NoOwner, Subject};
use crate::http::{Next, PageFault};
use crate::instances::{Field, First, Instance, read_page, text};

/// What was read so far.
pub(crate) struct Survey<'r> {
    pub(super) rules: &'r Rules,
    /// As in `rules`.
    pub(super) zones: Vec<ZoneState>,
    pub(super) ledger: Ledger<'r>,
    /// Addresses of instances that have names which nobody can tell.
    pub(super) unnamed: Vec<IpAddr>,
    room: Room,
}

/// What is known of a zone besides its names.
pub(super) struct ZoneState {
    pub(super) builder: ZoneBuilder,
    pub(super) is_complete: bool,
    /// RRsets that instances have in it.
    pub(super) rrsets: usize,
    pub(super) fault: Option<BuildError>,
}

/// Room to work in, so that an instance allocates next to nothing.
#[derive(Default)]
struct Room {
    fit: Vec<usize>,
    owner: Vec<u8>,
    text: String,
}

impl<'r> Survey<'r> {
    pub(crate) fn new(rules: &'r Rules, projects: &'r [String]) -> Self {
        let zones = rules.zones.iter().map(|zone| ZoneState {
            builder: ZoneBuilder::new(zone.apex.clone()),
            is_complete: true,
            rrsets: 0,
            fault: None,
        });
        Self {
            zones: zones.collect(),
            rules,
            ledger: Ledger::new(projects),
            unnamed: Vec::new(),
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
            None => self.nameless(project),
        })?;
        if let Some(reason) = page.lack {
            let project = self.ledger.project(project);
            warn!(
                project,
                reason, "instances are missing from the list of the project"
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

    /// Leaves out an instance that could have any name.
    fn nameless(&mut self, project: usize) {
        tell_left_out(
            self.ledger.project(project),
            "None",
            &NoAddress::Missing("name"),
        );
        self.lacks(self.ledger.project(project));
    }

    fn instance(&mut self, project: usize, place: &str, instance: &Instance<'_>) {
        let name = text(&instance.name).filter(|name| !name.is_empty());
        let shown = name.unwrap_or("None");
        let project_id = self.ledger.project(project);
        let members = [
            ("tags", instance.tags.is_unfit()),
            ("metadata", instance.metadata.is_unfit()),
            ("labels", instance.labels.is_unfit()),
        ];
        // Whether it is to have a name, and which one, depends on them.
        if let Some((key, _)) = members.into_iter().find(|(_, is_unfit)| *is_unfit) {
            tell_left_out(project_id, shown, &NoAddress::Unfit(key));
            return self.lacks(project_id);
        }
        let tags = instance.tags.as_ref().found();
        let metadata = instance.metadata.as_ref().found();
        let labels = instance.labels.as_ref().found();
        let features = Features {
            subject: Subject {
                name: shown,
                project: project_id,
                zone: place,
                id: text(&instance.id),
                hostname: instance.hostname.as_ref(),
                labels: labels.map_or(&[], |labels| &labels.0),
            },
            tags: tags.map_or(&[], |tags| &tags.0),
            metadata: metadata.map_or(&[], |metadata| &metadata.0),
            network: network_of(instance),
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
            return self.nameless(project);
        }
        if features.network.is_none() && self.rules.asks_for_networks() {
            let reason = NoAddress::Missing("network");
            tell_left_out(project_id, shown, &reason);
            return self.lacks(project_id);
        }
        let mut room = std::mem::take(&mut self.room);
        self.rules.fitting(&features, &mut room.fit);
        self.claim(project, &features, instance, &mut room);
        self.ledger
            .enter(project, place, shown, Standing::of(instance));
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
        let kinds = rules.fold(Kinds::default(), |kinds, rule| kinds.with(rule.kinds));
        let found = Found::of(instance, kinds);
        let realm = self.ledger.realm(features.network, project);
        for (kind, address) in found.each() {
            self.ledger.add_address(kind, address, realm);
        }
        let mut told = None;
        for number in &room.fit {
            let rule = &self.rules.rules[*number];
            let apex = self.rules.zones[rule.zone].apex.as_ref();
            room.owner.clear();
            let named =
                rule.template
                    .write(&features.subject, apex, &mut room.text, &mut room.owner);
            if let Err(reason) = named {
                self.without_name(rule.zone, features, &reason);
                if !matches!(reason, NoOwner::Nothing(_)) {
                    self.hold_pointers(&found, rule.kinds);
                }
            } else if let Some(reason) = found.lack(rule.kinds) {
                if told.replace(reason) != Some(reason) {
                    self.without_address(features, reason);
                }
                if reason.may_be_any() {
                    room.owner.extend_from_slice(apex.as_wire());
                    self.zones[rule.zone].hold(&room.owner);
                } else {
                    self.ledger.add_bare(*number, &room.owner);
                }
            } else {
                self.ledger.add_claim(*number, &room.owner);
            }
        }
    }

    /// Tells of an instance without an address to name.
    fn without_address(&mut self, features: &Features<'_>, reason: NoAddress) {
        let Subject { name, project, .. } = features.subject;
        tell_left_out(project, name, &reason);
        // An instance without natIP has no external address, and leaves no name of one behind. What
        // cannot be read may be any address.
        if reason.may_be_any() {
            self.lacks_pointers();
        }
    }

    /// Keeps what the addresses of an instance point to, whose name nobody can tell.
    fn hold_pointers(&mut self, found: &Found, kinds: Kinds) {
        if found.lack(kinds).is_some_and(NoAddress::may_be_any) {
            self.lacks_pointers();
        }
        if self.rules.has_reverse_zones() {
            let addresses = found.each().filter(|(kind, _)| kinds.has(*kind));
            self.unnamed.extend(addresses.map(|(_, address)| address));
        }
    }

    /// Notes that an instance could have any address.
    fn lacks_pointers(&mut self) {
        for zone in &mut self.zones[self.rules.forward..] {
            zone.is_complete = false;
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
                // Compute Engine gives no such name: whose it really is cannot be known.
                if !is_instance_name(name) {
                    self.zones[zone].is_complete = false;
                }
                if let Ok(owner) = Name::from_text(owner, apex) {
                    self.zones[zone].hold_name(owner);
                }
            }
        }
    }
}

impl ZoneState {
    /// Keeps a name, in wire form, from being deleted.
    pub(super) fn hold(&mut self, owner: &[u8]) {
        match Name::from_wire(owner) {
            Ok(owner) => self.hold_name(owner),
            Err(_) => self.is_complete = false,
        }
    }

    fn hold_name(&mut self, owner: Name) {
        match self.builder.hold(owner) {
            // What is outside of the zone is nothing that could be deleted in it.
            Ok(()) | Err(BuildError::OutOfZone { .. }) => {}
            Err(_) => self.is_complete = false,
        }
    }
}

/// The original's warning, by which operators find it.
fn tell_left_out(project: &str, name: &str, reason: &impl fmt::Display) {
    warn!(
        project,
        "Could not extract instance information for {name} because of {reason}, skipping."
    );
}

/// Whether an instance can have this name: a label of RFC 1035, section 2.3.1, in lower case (Compute
/// Engine's reference of `instances`, `name`).
fn is_instance_name(name: &str) -> bool {
    let is_inner =
        |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
    name.len() <= 63
        && name.bytes().all(is_inner)
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
}

/// The network of the first interface, without the address of the service.
fn network_of<'a>(instance: &'a Instance<'_>) -> Option<&'a str> {
    let Field::Found(First(Field::Found(interface))) = &instance.interfaces else {
        return None;
    };
    let url = text(&interface.network)?;
    Some(url.find("projects/").map_or(url, |start| &url[start..]))
}
