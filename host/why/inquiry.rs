//! What a run comes to know of one name.
//!
//! Zones pass by as messages and are gone afterwards; an inquiry looks at each on its way and keeps what
//! is at the name. It changes nothing: the run goes as it would without.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use janitor_plugin_api::abi::values::AbiAnswer;
use janitor_plugin_api::dns::{ActualZone, DesiredZone, Name, NameRef, Rrset, Rtype, Zone};

/// A name that somebody asks about.
pub struct Inquiry {
    name: Name,
    seen: RefCell<BTreeMap<Name, Seen>>,
}

/// What was said of one zone that may hold the name.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// What each authority wants, in the order in which they said it.
    pub wanted: Vec<Wanted>,
    /// What is desired of all of them together, if the zone went to a reconciler.
    pub desired: Option<Content>,
    /// What is served, if the reconciler could tell.
    pub served: Option<Content>,
}

/// What one authority wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The authority.
    pub authority: Arc<str>,
    /// What its zone holds at the name.
    pub content: Content,
}

/// What a zone holds at a name, and what else decides about answers for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The RRsets at the name.
    pub rrsets: Vec<Rrset>,
    /// The wildcard that answers for the name, and the types it has: only where the name does not exist.
    pub wildcard: Option<(Name, Vec<Rtype>)>,
    /// The zone cut at or above the name: everything below belongs to another zone.
    pub cut: Option<Name>,
    /// Whether the zone is everything that there ought to be. Only of desired zones.
    pub is_complete: bool,
    /// Whether whoever gave the zone knows of the name and could not read it, or not all that is there.
    pub is_held: bool,
}

impl Content {
    /// Whether it is of any weight for the name: also another type or a wildcard decides what is answered.
    pub(super) fn says_something(&self) -> bool {
        let answers = self.wildcard.is_some() || self.cut.is_some();
        !self.rrsets.is_empty() || answers || self.is_held || !self.is_complete
    }
}

impl Inquiry {
    /// An inquiry about `name`.
    #[must_use]
    pub fn new(name: Name) -> Self {
        Self {
            name,
            seen: RefCell::default(),
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> NameRef<'_> {
        self.name.as_ref()
    }

    /// What was said of the zone `apex`.
    #[must_use]
    pub fn seen(&self, apex: NameRef<'_>) -> Seen {
        let seen = self.seen.borrow();
        seen.get(&apex.to_owned()).cloned().unwrap_or_default()
    }

    /// Looks at a zone as one authority has it.
    pub(crate) fn heard(&self, authority: &Arc<str>, zone: &DesiredZone) {
        if self.name().is_at_or_below(zone.apex()) {
            let content = self.content(zone);
            let authority = Arc::clone(authority);
            self.note(zone.apex(), |seen| {
                seen.wanted.push(Wanted { authority, content });
            });
        }
    }

    /// Looks at a zone on its way to a reconciler.
    pub(crate) fn forwarded(&self, zone: &DesiredZone) {
        if self.name().is_at_or_below(zone.apex()) {
            let content = self.content(zone);
            self.note(zone.apex(), |seen| seen.desired = Some(content));
        }
    }

    /// Looks at a reconciler's answer.
    pub(crate) fn answered(&self, answer: &AbiAnswer) {
        let Some(apex) = self.concerned(&answer.apex) else {
            return;
        };
        let Some(octets) = answer.actual.as_ref().into_option() else {
            return;
        };
        if let Ok(zone) = ActualZone::check(apex, octets.clone()) {
            let content = self.content(&zone);
            self.note(zone.apex(), |seen| seen.served = Some(content));
        }
    }

    fn concerned(&self, apex: &[u8]) -> Option<Name> {
        let apex = Name::from_wire(apex).ok()?;
        self.name().is_at_or_below(apex.as_ref()).then_some(apex)
    }

    fn note(&self, apex: NameRef<'_>, add: impl FnOnce(&mut Seen)) {
        add(self.seen.borrow_mut().entry(apex.to_owned()).or_default());
    }

    fn content(&self, zone: &Zone) -> Content {
        let name = self.name();
        let mut content = Content {
            is_complete: zone.is_complete(),
            is_held: zone.held().any(|owner| owner == name),
            ..Content::default()
        };
        // The closest name above that exists, in labels from the right (RFC 4592, section 3.3.1); those held
        // do, whatever is there.
        let held = zone.held().map(|owner| common_labels(owner, name));
        let mut closest = held.max().unwrap_or_default();
        for rrset in zone.rrsets() {
            let owner = rrset.owner();
            closest = closest.max(common_labels(owner, name));
            if owner == name {
                content.rrsets.push(rrset.to_owned());
            }
            let is_cut = rrset.rtype() == Rtype::NS && owner != zone.apex();
            if is_cut && content.cut.is_none() && name.is_at_or_below(owner) {
                content.cut = Some(owner.to_owned());
            }
        }
        if closest < name.labels().count() && content.cut.is_none() {
            content.wildcard = wildcard(zone, name, closest);
        }
        content
    }
}

/// The wildcard below the name that has `closest` labels of `name`.
fn wildcard(zone: &Zone, name: NameRef<'_>, closest: usize) -> Option<(Name, Vec<Rtype>)> {
    let above = name.labels().count() - closest;
    let encloser = std::iter::successors(Some(name), |name| name.parent()).nth(above)?;
    let at_wildcard = zone
        .rrsets()
        .filter(|rrset| rrset.owner().is_wildcard() && rrset.owner().parent() == Some(encloser));
    let mut types = Vec::new();
    let mut owner = None;
    for rrset in at_wildcard {
        owner.get_or_insert_with(|| rrset.owner().to_owned());
        types.push(rrset.rtype());
    }
    Some((owner?, types))
}

/// How many labels two names have in common, from the right.
fn common_labels(left: NameRef<'_>, right: NameRef<'_>) -> usize {
    let mut labels = right.labels().count();
    let mut ancestor = Some(right);
    while let Some(name) = ancestor.filter(|name| !left.is_at_or_below(*name)) {
        ancestor = name.parent();
        labels -= 1;
    }
    labels
}

#[cfg(test)]
mod tests {
    use janitor_plugin_api::dns::{Ttl, ZoneBuilder};

    use super::*;

    fn content(name: &str, records: &[(&str, &str, &str)]) -> Content {
        let mut zone = ZoneBuilder::new("a.test".parse().unwrap());
        for (owner, rtype, rdata) in records {
            zone.push_text(owner, Ttl::default(), rtype, rdata).unwrap();
        }
        let inquiry = Inquiry::new(name.parse().unwrap());
        inquiry.content(&zone.build_actual().unwrap())
    }

    #[test]
    fn no_wildcard_answers_for_a_name_that_is_held_or_has_one_below_it() {
        let mut zone = ZoneBuilder::new("a.test".parse().unwrap());
        zone.push_text("*", Ttl::default(), "A", "192.0.2.1")
            .unwrap();
        zone.hold("x.held.a.test".parse().unwrap()).unwrap();
        let zone = zone.build_actual().unwrap();
        let is_answered = |name: &str| {
            let inquiry = Inquiry::new(name.parse().unwrap());
            inquiry.content(&zone).wildcard.is_some()
        };
        for name in [
            "x.held.a.test",
            "held.a.test",
            "y.held.a.test",
            "z.x.held.a.test",
        ] {
            assert!(!is_answered(name), "{name}");
        }
        assert!(is_answered("y.a.test"));
    }

    #[test]
    fn a_wildcard_answers_only_for_names_that_do_not_exist_below_the_closest_that_does() {
        let records = [
            ("*", "A", "192.0.2.1"),
            ("*", "TXT", "x"),
            ("there", "A", "192.0.2.1"),
            ("x.empty", "A", "192.0.2.1"),
            ("*.deep", "A", "192.0.2.1"),
        ];
        let wildcard = |name: &str| {
            let found = content(name, &records).wildcard;
            found.map(|(owner, types)| format!("{owner} {types:?}"))
        };
        assert_eq!(wildcard("w.a.test").unwrap(), "*.a.test. [A, TXT]");
        assert_eq!(wildcard("v.w.a.test").unwrap(), "*.a.test. [A, TXT]");
        assert_eq!(wildcard("x.deep.a.test").unwrap(), "*.deep.a.test. [A]");
        for name in [
            "a.test",
            "there.a.test",
            "x.there.a.test",
            // It exists, with nothing at it.
            "empty.a.test",
            "y.empty.a.test",
        ] {
            assert_eq!(wildcard(name), None, "{name}");
        }
    }

    #[test]
    fn the_highest_zone_cut_above_a_name_is_told() {
        let records = [
            ("@", "NS", "ns"),
            ("sub", "NS", "ns.sub"),
            ("deep.sub", "NS", "ns.sub"),
            ("ns.sub", "A", "192.0.2.1"),
        ];
        let cut = |name: &str| content(name, &records).cut.map(|cut| cut.to_string());
        assert_eq!(cut("ns.sub.a.test").as_deref(), Some("sub.a.test."));
        assert_eq!(cut("x.deep.sub.a.test").as_deref(), Some("sub.a.test."));
        assert_eq!(cut("sub.a.test").as_deref(), Some("sub.a.test."));
        assert_eq!(cut("a.test"), None);
        assert_eq!(cut("w.a.test"), None);
    }
}
