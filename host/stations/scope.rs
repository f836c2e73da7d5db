//! Leaves out what this janitor was not told to manage, and what belongs to others.
//!
//! In this order, and the first that applies is told: markers of other programs, what is not included,
//! what is excluded, what is protected. Then, of what is left, the last addresses of name servers.

use std::sync::Arc;

use janitor_plugin_api::dns::{
    Action, Change, Changes, DesiredZone, Name, NameRef, RrsetRef, Rtype,
};

use super::markers::MarkerReader;
use super::ownership::Ownership;
use super::planned::{PlannedZone, Rule, RuleKind};
use super::survey::{NameServer, is_address};
use crate::config::scope::{Entries, Registry, Scope, ScopeTable};
use crate::problem::{Code, Problem};

/// What the configuration says of one zone.
#[derive(Clone, Copy, Debug)]
pub struct ZoneScope<'a> {
    scope: &'a Scope,
    apex: NameRef<'a>,
    include: Option<&'a Entries>,
    own: Option<&'a ScopeTable>,
    honour: &'a [Registry],
    name_servers: bool,
}

impl<'a> ZoneScope<'a> {
    /// What `scope` says of the zone `apex`: what holds for all zones, and the closest table for some.
    #[must_use]
    pub fn new(scope: &'a Scope, apex: NameRef<'a>) -> Self {
        let general = &scope.general;
        let own = scope.zones.find(apex).map(|(_, table)| table);
        let include = own.and_then(|own| own.include.as_ref());
        let honour = own.and_then(|own| own.honour.as_deref());
        let name_servers = own.and_then(|own| own.name_servers);
        Self {
            scope,
            apex,
            include: include
                .or(general.include.as_ref())
                .filter(|include| !include.is_empty()),
            own,
            honour: honour
                .or(general.honour.as_deref())
                .unwrap_or(&Registry::ALL),
            name_servers: name_servers.or(general.name_servers).unwrap_or(true),
        }
    }

    /// What tells markers of other programs from other texts.
    pub(super) fn markers(&self) -> MarkerReader<'a> {
        MarkerReader::new(self.scope, self.honour, self.apex)
    }

    /// The owners, in canonical order, at which a desired zone has markers itself. These are data like
    /// any other: whoever writes them down means to publish them, and what they mark.
    pub(super) fn own_markers(&self, desired: &DesiredZone) -> Vec<Name> {
        let reader = self.markers();
        if reader.is_idle() {
            return Vec::new();
        }
        let texts = desired.rrsets().filter(|rrset| rrset.rtype() == Rtype::TXT);
        let markers = texts.filter(|rrset| reader.read(*rrset).is_some());
        markers.map(|rrset| rrset.owner().to_owned()).collect()
    }

    /// Sets aside what is not to be changed.
    pub fn limit(&self, zone: &mut PlannedZone) {
        let found = match &zone.actual {
            Some(actual) => actual.ownership.clone(),
            // What is deleted is served; more nobody can tell.
            None => self.markers_among(zone.changes()),
        };
        if self.leaves_anything(&found) {
            zone.set_aside(|change| self.rule(change, &found));
        }
        if self.name_servers {
            self.keep_name_servers(zone);
        }
    }

    /// Markers that would be deleted, in a zone of which nobody knows what is served.
    fn markers_among(&self, changes: &Changes) -> Ownership {
        let reader = self.markers();
        let texts = changes
            .iter()
            .filter(|change| change.rtype() == Rtype::TXT && !reader.is_idle());
        let served = texts.filter_map(|change| {
            let is_ours = change
                .addition()
                .is_some_and(|rrset| reader.read(rrset).is_some());
            let served = change.deletion().filter(|_| !is_ours)?;
            Some((change.owner().to_owned(), reader.read(served)?))
        });
        Ownership::new(served.collect(), None)
    }

    /// Whether anything may be left as it is, where others have `owned`.
    pub(super) fn leaves_anything(&self, owned: &Ownership) -> bool {
        let general = &self.scope.general;
        self.include.is_some()
            || self.own.is_some()
            || !owned.is_empty()
            || !general.exclude.is_empty()
            || !general.protect.is_empty()
    }

    /// Whether an RRset that is served may be updated or deleted.
    pub(super) fn may_touch(&self, rrset: RrsetRef<'_>, owned: &Ownership) -> bool {
        let (owner, rtype) = (rrset.owner(), rrset.rtype());
        self.of_others(owner, rtype, owned).is_none() && self.protecting(owner, rtype).is_none()
    }

    fn rule(&self, change: Change<'_>, owned: &Ownership) -> Option<Rule> {
        let (owner, rtype) = (change.owner(), change.rtype());
        let protecting = || match change.action() {
            Action::Addition => None,
            Action::Deletion | Action::Update => {
                Some((RuleKind::Protected, self.protecting(owner, rtype)?))
            }
        };
        let (kind, text) = self.of_others(owner, rtype, owned).or_else(protecting)?;
        Some(Rule {
            kind,
            text: Arc::clone(text),
        })
    }

    /// Why RRsets of this owner and type are not managed here, if they are not.
    fn of_others<'b>(
        &'b self,
        owner: NameRef<'_>,
        rtype: Rtype,
        owned: &'b Ownership,
    ) -> Option<(RuleKind, &'b Arc<str>)> {
        if let Some(told) = owned.owner_of(owner, rtype) {
            return Some((RuleKind::Owned, told));
        }
        if let Some(include) = self.include
            && include.find(owner, rtype, self.apex).is_none()
        {
            return Some((RuleKind::Scope, include.not_in()));
        }
        let found = |table: &'a ScopeTable| table.exclude.find(owner, rtype, self.apex);
        Some((RuleKind::Scope, self.tables().find_map(found)?))
    }

    /// The entry that protects RRsets of this owner and type, if there is one.
    fn protecting(&self, owner: NameRef<'_>, rtype: Rtype) -> Option<&Arc<str>> {
        self.tables()
            .find_map(|table| table.protect.find(owner, rtype, self.apex))
    }

    fn tables(&self) -> impl Iterator<Item = &'a ScopeTable> {
        [Some(&self.scope.general), self.own].into_iter().flatten()
    }

    /// Keeps the last address of each name server, which the NS RRset at the apex goes on to name. An
    /// address that is still to be added does not count: it may not be served in the end.
    fn keep_name_servers(&self, zone: &mut PlannedZone) {
        let Some(actual) = &zone.actual else { return };
        let is_lost = |name: &Name, rtype: Rtype| {
            let mut deletions = zone
                .changes()
                .iter()
                .filter(|change| change.action() == Action::Deletion && change.rtype() == rtype)
                .map(|change| change.owner() == name.as_ref());
            deletions.any(|is_here| is_here)
        };
        let loses_all = |server: &&NameServer| {
            let mut addresses = server.addresses.iter();
            addresses.all(|rtype| is_lost(&server.name, *rtype))
        };
        let cut_off = actual.name_servers.iter().filter(loses_all);
        let cut_off = cut_off
            .map(|server| server.name.clone())
            .collect::<Vec<_>>();
        if cut_off.is_empty() {
            return;
        }
        let text: Arc<str> = format!(
            "it is the last address of a name server of `{}` (core.scope.name_servers)",
            self.apex
        )
        .into();
        zone.set_aside(|change| {
            let is_last = change.action() == Action::Deletion
                && is_address(change.rtype())
                && cut_off.iter().any(|name| name.as_ref() == change.owner());
            is_last.then(|| Rule {
                kind: RuleKind::NameServer,
                text: Arc::clone(&text),
            })
        });
    }
}

/// What an operator has to know of markers whose names fit no form that was told.
#[must_use]
pub fn doubts(zone: &PlannedZone) -> Option<Problem> {
    let guesses = zone.actual.as_ref()?.ownership.guesses.as_ref()?;
    let (apex, marker, marked) = (zone.apex(), &guesses.marker, &guesses.marked);
    let number = match guesses.number {
        1 => "the marker".to_owned(),
        number => format!("the first of {number} markers"),
    };
    Some(
        Problem::warning(
            Code::UnknownMarkers,
            format!("external-dns has marked names of zone `{apex}` in a way that was not told"),
        )
        .found(format!(
            "{number} is at `{marker}`, and taken for one of `{marked}`, which is left alone"
        ))
        .help(
            "name its --txt-prefix or --txt-suffix in [core.scope.external_dns]; \
             delete markers that are left over from names that are no more",
        ),
    )
}

#[cfg(test)]
mod tests;
