//! Which zone an instance has a name in, and which one.

use std::collections::{BTreeMap, BTreeSet};

use janitor_plugin_api::Error;
use janitor_plugin_api::dns::{Name, NameRef, Ttl};

use super::address::{Addresses, Kinds};
use super::template::{NameTemplate, Subject};
use super::{Pair, Settings};
use crate::gce::reverse;
use crate::instances::Wanted;

/// One of the tables `zones`: an instance that fits all its conditions has a name in the zone.
#[janitor_plugin_api::settings]
#[derive(Clone, Debug)]
pub(crate) struct ZoneSettings {
    /// The zone.
    pub(super) dns_zone: String,
    /// Projects, by their ids.
    #[setting(default)]
    pub(super) projects: Vec<String>,
    /// Network tags, of which the instance has one.
    #[setting(default)]
    pub(super) tags: Vec<String>,
    /// Labels that the instance has, all of them; "*" is any value.
    #[setting(default)]
    pub(super) labels: BTreeMap<String, String>,
    /// Networks of the first interface: "default", or "projects/host/global/networks/default".
    #[setting(default)]
    pub(super) networks: Vec<String>,
    /// Regions, such as "europe-west1".
    #[setting(default)]
    pub(super) regions: Vec<String>,
    /// Zones of Compute Engine, such as "europe-west1-b".
    #[setting(default)]
    pub(super) instance_zones: Vec<String>,
    /// Its own `address`.
    pub(super) address: Option<Addresses>,
    /// Its own `name_template`.
    pub(super) name_template: Option<NameTemplate>,
    /// Its own `ttl`.
    #[setting(unit = "seconds", max = 2147483647)]
    pub(super) ttl: Option<u32>,
}

/// What the settings come to.
#[derive(Debug)]
pub(crate) struct Rules {
    /// Zones of names, then reverse zones; each once.
    pub(crate) zones: Vec<Zone>,
    /// How many of them are zones of names.
    pub(crate) forward: usize,
    pub(crate) rules: Vec<Rule>,
    /// For what fits none of `rules`: an index beyond them.
    pub(crate) fallback: Option<usize>,
    tag_blacklist: BTreeSet<String>,
    metadata_blacklist: Vec<Pair>,
    pub(crate) wanted: Wanted,
}

#[derive(Debug)]
pub(crate) struct Zone {
    pub(crate) apex: Name,
    /// As it stands in the configuration.
    pub(crate) text: String,
}

/// A zone, which instances it is for, and how they are named.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) zone: usize,
    pub(crate) kinds: Kinds,
    pub(crate) template: NameTemplate,
    pub(crate) ttl: Ttl,
    projects: Vec<String>,
    tags: Vec<String>,
    labels: BTreeMap<String, String>,
    networks: Vec<String>,
    regions: Vec<String>,
    instance_zones: Vec<String>,
}

impl Rules {
    /// Reads the settings.
    ///
    /// # Errors
    ///
    /// [`Error::config`] for a zone that is none, is there twice, or is not there at all.
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        let mut zones: Vec<Zone> = Vec::new();
        let mut rules = Vec::new();
        let own = ZoneSettings::all_of(settings);
        let of_zones = settings
            .zones
            .iter()
            .map(|zone| ("dns_zone` of `zones", zone));
        for (place, table) in of_zones.chain(own.iter().map(|zone| ("dns_zone", zone))) {
            let apex = zone_name(place, &table.dns_zone)?;
            let known = zones.iter().position(|zone| zone.apex == apex);
            let zone = known.unwrap_or(zones.len());
            if known.is_none() {
                let text = table.dns_zone.clone();
                zones.push(Zone { apex, text });
            }
            rules.push(Rule::new(zone, table, settings));
        }
        if zones.is_empty() {
            return Err(Error::config("cannot name instances", "no zone is set")
                .hint("set `dns_zone`, or `dns_zone` in `[[gcp.gce.zones]]`"));
        }
        if let Some(id) = settings.project_whitelist.iter().find(|id| !is_project(id)) {
            let cannot = format!("cannot use `{id}` of `project_whitelist`");
            let form = "an id is letters, digits and hyphens, such as `my-project-4711`";
            return Err(Error::config(cannot, form));
        }
        let forward = zones.len();
        for text in &settings.reverse_zones {
            let cannot = || format!("cannot use `{text}` of `reverse_zones`");
            let apex = zone_name("reverse_zones", text)?;
            if !reverse::is_reverse(apex.as_ref()) {
                let none = "names of addresses are below `in-addr.arpa.` (RFC 1035, section 3.5) and \
                            `ip6.arpa.` (RFC 3596, section 2.5), a label for each octet or nibble";
                return Err(Error::config(cannot(), none));
            }
            if zones.iter().any(|zone| zone.apex == apex) {
                return Err(Error::config(cannot(), "the zone is there twice"));
            }
            let text = text.clone();
            zones.push(Zone { apex, text });
        }
        let wanted = Wanted {
            tags: !settings.tag_blacklist.is_empty()
                || rules.iter().any(|rule| !rule.tags.is_empty()),
            metadata: !settings.metadata_blacklist.is_empty(),
            labels: rules
                .iter()
                .any(|rule| !rule.labels.is_empty() || rule.template.needs_labels()),
        };
        Ok(Self {
            zones,
            forward,
            fallback: own.map(|_| rules.len() - 1),
            rules,
            tag_blacklist: settings.tag_blacklist.iter().cloned().collect(),
            metadata_blacklist: settings.metadata_blacklist.clone(),
            wanted,
        })
    }

    /// The rules that are not the last resort.
    fn conditional(&self) -> &[Rule] {
        &self.rules[..self.fallback.unwrap_or(self.rules.len())]
    }

    /// What keeps an instance out, if anything does.
    pub(crate) fn is_blacklisted(&self, features: &Features<'_>) -> Option<String> {
        let tag = features
            .tags
            .iter()
            .find(|tag| self.tag_blacklist.contains(&***tag));
        if let Some(tag) = tag {
            return Some(format!("tag `{tag}`"));
        }
        let pair = self.metadata_blacklist.iter().find(|Pair(key, value)| {
            let mut items = features.metadata.iter();
            items.any(|(known, held)| known == key && held == value)
        });
        pair.map(|Pair(key, value)| format!("metadata `{key}` = `{value}`"))
    }

    /// Puts the rules that an instance fits into `fit`.
    pub(crate) fn fitting(&self, features: &Features<'_>, fit: &mut Vec<usize>) {
        fit.clear();
        let rules = self.conditional().iter().enumerate();
        fit.extend(
            rules
                .filter(|(_, rule)| rule.fits(features))
                .map(|(index, _)| index),
        );
        if fit.is_empty() {
            fit.extend(self.fallback);
        }
    }

    /// The zones in which instances of a project may have names.
    pub(crate) fn zones_of(&self, project: &str) -> BTreeSet<usize> {
        let conditional = self.conditional().iter();
        let mut zones: BTreeSet<_> = conditional
            .filter(|rule| rule.may_take(project))
            .map(|rule| rule.zone)
            .collect();
        if !self
            .conditional()
            .iter()
            .any(|rule| rule.takes_all(project))
        {
            zones.extend(self.fallback.map(|rule| self.rules[rule].zone));
        }
        zones.extend(self.forward..self.zones.len());
        zones
    }

    /// The reverse zone for the name of an address: the closest one.
    pub(crate) fn reverse_zone(&self, name: NameRef<'_>) -> Option<usize> {
        let reverse = self.zones.iter().enumerate().skip(self.forward);
        let above = reverse.filter(|(_, zone)| name.is_at_or_below(zone.apex.as_ref()));
        above
            .max_by_key(|(_, zone)| zone.apex.as_wire().len())
            .map(|(index, _)| index)
    }

    /// Whether it depends on its network which names an instance has.
    pub(crate) fn asks_for_networks(&self) -> bool {
        self.rules.iter().any(|rule| !rule.networks.is_empty())
    }

    pub(crate) fn has_reverse_zones(&self) -> bool {
        self.forward < self.zones.len()
    }
}

impl ZoneSettings {
    /// `dns_zone` itself, which has no conditions.
    fn all_of(settings: &Settings) -> Option<Self> {
        settings.dns_zone.as_ref().map(|dns_zone| Self {
            dns_zone: dns_zone.clone(),
            projects: Vec::new(),
            tags: Vec::new(),
            labels: BTreeMap::new(),
            networks: Vec::new(),
            regions: Vec::new(),
            instance_zones: Vec::new(),
            address: None,
            name_template: None,
            ttl: None,
        })
    }
}

/// What conditions are about.
pub(crate) struct Features<'a> {
    pub(crate) subject: Subject<'a>,
    pub(crate) tags: &'a [crate::instances::Text<'a>],
    pub(crate) metadata: &'a [(crate::instances::Text<'a>, crate::instances::Text<'a>)],
    /// `projects/host/global/networks/default`, if it is known.
    pub(crate) network: Option<&'a str>,
}

impl Rule {
    fn new(zone: usize, table: &ZoneSettings, settings: &Settings) -> Self {
        let template = table.name_template.as_ref();
        Self {
            zone,
            kinds: table.address.unwrap_or(settings.address).into(),
            template: template.unwrap_or(&settings.name_template).clone(),
            ttl: Ttl::from_secs(table.ttl.unwrap_or(settings.ttl)).unwrap_or(Ttl::MAX),
            projects: table.projects.clone(),
            tags: table.tags.clone(),
            labels: table.labels.clone(),
            networks: table.networks.clone(),
            regions: table.regions.clone(),
            instance_zones: table.instance_zones.clone(),
        }
    }

    /// Whether an instance of the project may fit.
    fn may_take(&self, project: &str) -> bool {
        is_among(&self.projects, project)
    }

    /// Whether every instance of the project fits.
    fn takes_all(&self, project: &str) -> bool {
        self.may_take(project)
            && self.tags.is_empty()
            && self.labels.is_empty()
            && self.networks.is_empty()
            && self.regions.is_empty()
            && self.instance_zones.is_empty()
    }

    fn fits(&self, features: &Features<'_>) -> bool {
        let subject = &features.subject;
        let network = features.network.unwrap_or_default();
        let short = network.rsplit('/').next().unwrap_or_default();
        let has_tag = |tag: &String| features.tags.iter().any(|held| held == tag);
        let has_label = |(key, value): (&String, &String)| {
            let mut labels = subject.labels.iter();
            labels.any(|(known, held)| known == key && (value == "*" || held == value))
        };
        self.may_take(subject.project)
            && (self.tags.is_empty() || self.tags.iter().any(has_tag))
            && self.labels.iter().all(has_label)
            && (is_among(&self.networks, network) || is_among(&self.networks, short))
            && is_among(&self.regions, subject.region())
            && is_among(&self.instance_zones, subject.zone)
    }
}

/// Whether a condition holds; an empty one says nothing.
fn is_among(condition: &[String], value: &str) -> bool {
    condition.is_empty() || condition.iter().any(|one| one == value)
}

/// Whether a text may be the id of a project; some begin with a domain, as in `example.com:my-project`.
fn is_project(id: &str) -> bool {
    let is_fit = |octet: u8| octet.is_ascii_alphanumeric() || b"-.:".contains(&octet);
    id.starts_with(|first: char| first.is_ascii_alphanumeric()) && id.bytes().all(is_fit)
}

/// The zone that a setting names.
fn zone_name(setting: &str, text: &str) -> Result<Name, Error> {
    let cannot = || format!("cannot use `{text}` as `{setting}`");
    let name = text.parse::<Name>();
    let name = name.map_err(|e| Error::config(cannot(), e))?;
    if name.as_ref().is_root() {
        return Err(Error::config(cannot(), "the root zone has no instances"));
    }
    Ok(name)
}
