//! Leaves names at or below the apex of another zone of the run to that zone.
//!
//! What stays with the zone above is what a delegation is made of: NS and DS at the cut, what a signer
//! makes there, and glue, that is, addresses of the servers which an NS RRset of the zone names.
//!
//! An authority that was not heard to the end might have named any zone that it may name. Where such a
//! zone would have a name, the zone above only adds.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use janitor_plugin_api::dns::{Action, Change, Name, NameRef, Rtype};

use super::merge::Speaker;
use super::planned::{PlannedZone, Rule, RuleKind};
use super::survey::{is_address, targets};
use crate::report::ChangeCounts;

/// The apexes of every zone that an authority named in this run, and who might have named more.
pub struct Apexes<'a> {
    /// In canonical order a zone is followed by those below it.
    ordered: BTreeSet<NameRef<'a>>,
    set: HashSet<NameRef<'a>>,
    /// Who might have named more, each with what is told of its zones.
    unheard: Vec<(&'a Speaker, Arc<str>)>,
}

/// Where a name leaves a zone.
struct Cut<'a> {
    /// The apex closest to that of the zone: there it delegates.
    highest: NameRef<'a>,
    /// The apex closest to the name: the zone it belongs to.
    deepest: NameRef<'a>,
}

impl<'a> Apexes<'a> {
    /// Takes the names of zones, in any order, and the authorities that were not heard to the end.
    pub fn new(
        names: impl Iterator<Item = NameRef<'a>>,
        unheard: impl Iterator<Item = &'a Speaker>,
    ) -> Self {
        let ordered = names.collect::<BTreeSet<_>>();
        let unheard = unheard.map(|speaker| {
            let told = format!(
                "it may belong to a zone of `{}`, which was not heard to the end",
                speaker.key
            );
            (speaker, told.into())
        });
        Self {
            unheard: unheard.collect(),
            set: ordered.iter().copied().collect(),
            ordered,
        }
    }

    /// Sets aside the changes of a zone to names that belong to another one.
    pub fn leave_to_others(&self, zone: &mut PlannedZone) {
        let may_be_cut = !self.unheard.is_empty() || self.has_zone_below(zone.apex());
        if zone.changes().is_empty() || !may_be_cut {
            return;
        }
        let apex = zone.apex().to_owned();
        let actual = zone.actual.take();
        let served = actual.iter().flat_map(|actual| &actual.glue);
        let mut glue = served.cloned().collect::<HashSet<_>>();
        // As it is, and as it will be.
        for change in zone.changes() {
            if change.rtype() == Rtype::NS {
                let sides = [change.deletion(), change.addition()].into_iter().flatten();
                glue.extend(sides.flat_map(targets).map(NameRef::to_owned));
            }
        }
        let mut told: Option<(Name, Arc<str>)> = None;
        let mut in_doubt = ChangeCounts::default();
        zone.set_aside(|change| {
            let cut = self.cut(change.owner(), apex.as_ref());
            if is_glue(change, &glue) {
                return None;
            }
            let Some(cut) = cut.filter(|cut| !is_delegation(change, cut.highest)) else {
                let text = self.doubt(change, apex.as_ref())?;
                match change.action() {
                    Action::Addition => in_doubt.additions += 1,
                    Action::Update => in_doubt.updates += 1,
                    Action::Deletion => in_doubt.deletions += 1,
                }
                return Some(Rule {
                    kind: RuleKind::OtherZone,
                    text: Arc::clone(text),
                });
            };
            // Changes of one zone below follow each other.
            let same = told.take().filter(|(name, _)| name.as_ref() == cut.deepest);
            let (_, text) = told.insert(same.unwrap_or_else(|| {
                let text = format!("it belongs to zone `{}`", cut.deepest).into();
                (cut.deepest.to_owned(), text)
            }));
            Some(Rule {
                kind: RuleKind::OtherZone,
                text: Arc::clone(text),
            })
        });
        zone.actual = actual;
        zone.in_doubt = in_doubt;
    }

    /// What is told of a zone that nobody named and that might have been: the owner of `change`, of
    /// which something would be taken away, would be at or below its apex.
    fn doubt(&self, change: Change<'_>, apex: NameRef<'_>) -> Option<&Arc<str>> {
        if self.unheard.is_empty() || change.action() == Action::Addition {
            return None;
        }
        let upwards = std::iter::successors(Some(change.owner()), |name| name.parent());
        let mut cuts = upwards
            .take_while(|name| *name != apex)
            .filter(|cut| !is_delegation(change, *cut));
        cuts.find_map(|cut| {
            let mut unheard = self.unheard.iter();
            let (_, told) = unheard.find(|(speaker, _)| speaker.may_name(cut))?;
            Some(told)
        })
    }

    fn has_zone_below(&self, apex: NameRef<'_>) -> bool {
        let above = |name: &&NameRef<'_>| **name > apex;
        // Borrowed for as long as the shorter of the two.
        let ordered: &BTreeSet<NameRef<'_>> = &self.ordered;
        let next = ordered.range(apex..).find(above);
        next.is_some_and(|next| next.is_at_or_below(apex))
    }

    fn cut<'n>(&self, owner: NameRef<'n>, apex: NameRef<'_>) -> Option<Cut<'n>> {
        let mut cut: Option<Cut<'n>> = None;
        let mut name = Some(owner);
        while let Some(at) = name.filter(|name| *name != apex) {
            if self.set.contains(&at) {
                let deepest = cut.map_or(at, |cut| cut.deepest);
                cut = Some(Cut {
                    highest: at,
                    deepest,
                });
            }
            name = at.parent();
        }
        cut
    }
}

/// Whether a change is to what the zone above has at the cut `cut` (RFC 4035, section 2).
fn is_delegation(change: Change<'_>, cut: NameRef<'_>) -> bool {
    let rtype = change.rtype();
    change.owner() == cut
        && (matches!(rtype, Rtype::NS | Rtype::DS)
            || matches!(rtype, Rtype::RRSIG | Rtype::NSEC | Rtype::NSEC3))
}

fn is_glue(change: Change<'_>, glue: &HashSet<Name>) -> bool {
    is_address(change.rtype()) && glue.contains(&change.owner().to_owned())
}

#[cfg(test)]
mod tests {
    use janitor_plugin_api::dns::{LeftAlone, Ttl, ZoneBuilder, diff};

    use super::*;
    use crate::config::Config;
    use crate::config::scope::Scope;
    use crate::stations::route::Route;
    use crate::stations::scope::ZoneScope;
    use crate::stations::survey::Survey;

    const APEX: &str = "example.com";

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn builder(lines: &[&str]) -> ZoneBuilder {
        let mut builder = ZoneBuilder::new(name(APEX));
        for line in lines {
            let mut words = line.splitn(3, ' ');
            let mut word = || words.next().unwrap();
            builder
                .push_text(word(), Ttl::default(), word(), word())
                .unwrap();
        }
        builder
    }

    /// The plan of `example.com` in a run with these zones.
    fn planned(zones: &[&str], wanted: &[&str], served: &[&str]) -> PlannedZone {
        planned_without(&[], zones, wanted, served)
    }

    /// The same where these were not heard to the end.
    fn planned_without(
        unheard: &[Speaker],
        zones: &[&str],
        wanted: &[&str],
        served: &[&str],
    ) -> PlannedZone {
        let mut desired = builder(&[wanted, &["keep A 192.0.2.1"]].concat());
        desired.set_complete();
        let desired = desired.build_desired().unwrap();
        let actual = builder(&[served, &["keep A 192.0.2.1"]].concat())
            .build_actual()
            .unwrap();
        let changes = diff(&desired, &actual, &LeftAlone::default()).unwrap();
        let scope = Scope::default();
        let scope = ZoneScope::new(&scope, desired.apex());
        let survey = Survey::of(&actual, &changes, &scope, &[]);
        let mut zone = PlannedZone::new(changes, Arc::new(Route::to_all("r".into())));
        zone.actual = Some(survey);
        let zones = zones.iter().map(|zone| name(zone)).collect::<Vec<_>>();
        Apexes::new(zones.iter().map(Name::as_ref), unheard.iter()).leave_to_others(&mut zone);
        zone
    }

    fn aside(zone: &PlannedZone) -> Vec<String> {
        zone.aside()
            .map(|(change, rule)| {
                assert_eq!(rule.kind, RuleKind::OtherZone);
                let owner = change.owner().to_string();
                let owner = owner.trim_end_matches(".example.com.");
                format!("{owner} {}: {}", change.rtype(), rule.text)
            })
            .collect()
    }

    #[test]
    fn names_below_another_apex_are_left_to_that_zone() {
        let zone = planned(
            &[APEX, "sub.example.com", "example.net", "b.sub.example.com"],
            &["www A 192.0.2.1", "www.sub A 192.0.2.1", "xsub A 192.0.2.1"],
            &["sub TXT x", "old.b.sub A 192.0.2.1", "old A 192.0.2.1"],
        );
        assert_eq!(
            aside(&zone),
            [
                "www.sub A: it belongs to zone `sub.example.com.`",
                "sub TXT: it belongs to zone `sub.example.com.`",
                "old.b.sub A: it belongs to zone `b.sub.example.com.`",
            ]
        );
        assert_eq!(zone.changes().len(), 3);
    }

    #[test]
    fn without_a_zone_below_nothing_is_left_to_others() {
        for zones in [
            &[APEX][..],
            &[APEX, "com", "example.net", "xexample.com", "example.co"],
            &["sub.example.net"],
        ] {
            let zone = planned(zones, &["a.sub A 192.0.2.1"], &["sub TXT x"]);
            assert_eq!((aside(&zone), zone.changes().len()), (vec![], 2));
        }
    }

    #[test]
    fn a_delegation_is_made_and_taken_back_by_the_zone_above() {
        let delegation = [
            "sub NS ns.sub",
            "sub NS ns.other",
            "sub DS 1 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
            "ns.sub A 192.0.2.1",
            "ns.other AAAA 2001:db8::1",
        ];
        let zones = [APEX, "sub.example.com", "other.example.com"];
        let zone = planned(&zones, &delegation, &[]);
        assert_eq!((aside(&zone), zone.changes().len()), (vec![], 4));
        let zone = planned(&zones, &[], &delegation);
        assert_eq!((aside(&zone), zone.changes().len()), (vec![], 4));
    }

    #[test]
    fn glue_is_what_the_served_or_the_desired_delegation_names() {
        let zones = [APEX, "sub.example.com"];
        let named = ["sub NS old.sub"];
        // Its NS RRset stays as it is.
        let zone = planned(
            &zones,
            &[&named[..], &["old.sub A 192.0.2.2"]].concat(),
            &[&named[..], &["old.sub A 192.0.2.1", "no.sub A 192.0.2.1"]].concat(),
        );
        assert_eq!(
            aside(&zone),
            ["no.sub A: it belongs to zone `sub.example.com.`"]
        );
        assert_eq!(zone.changes().len(), 1);
        // It names another server: the old address goes, the new one comes. Other types are no glue.
        let zone = planned(
            &zones,
            &["sub NS new.sub", "new.sub A 192.0.2.2", "new.sub TXT x"],
            &["sub NS old.sub", "old.sub A 192.0.2.1"],
        );
        assert_eq!(
            aside(&zone),
            ["new.sub TXT: it belongs to zone `sub.example.com.`"]
        );
        assert_eq!(zone.changes().len(), 3);
    }

    #[test]
    fn the_zone_above_delegates_at_the_highest_cut_alone() {
        let zones = [APEX, "sub.example.com", "b.sub.example.com"];
        let zone = planned(&zones, &["b.sub NS ns.example.net."], &[]);
        assert_eq!(
            aside(&zone),
            ["b.sub NS: it belongs to zone `b.sub.example.com.`"]
        );
        let zone = planned(
            &[APEX, "b.sub.example.com"],
            &["b.sub NS ns.example.net."],
            &[],
        );
        assert_eq!(aside(&zone), [""; 0]);
    }

    #[test]
    fn of_a_zone_that_nobody_shows_only_changed_delegations_are_known() {
        let names = [name(APEX), name("sub.example.com")];
        let mut desired = builder(&["sub NS ns.sub", "ns.sub A 192.0.2.1", "a.sub A 192.0.2.1"]);
        desired.set_complete();
        let desired = desired.build_desired().unwrap();
        let actual = builder(&[]).build_actual().unwrap();
        let changes = diff(&desired, &actual, &LeftAlone::default()).unwrap();
        let mut zone = PlannedZone::new(changes, Arc::new(Route::to_all("r".into())));
        Apexes::new(names.iter().map(Name::as_ref), [].into_iter()).leave_to_others(&mut zone);
        assert_eq!(
            aside(&zone),
            ["a.sub A: it belongs to zone `sub.example.com.`"]
        );
    }

    fn unheard(key: &str, zones: Option<&[&str]>) -> Speaker {
        let directory = tempfile::tempdir().unwrap();
        let settings = zones.map(|zones| format!("[core.plugin.{key}]\nzones = {zones:?}\n"));
        let path = directory.path().join("gordon-janitor.toml");
        std::fs::write(path, settings.unwrap_or_else(|| "[core]\n".to_owned())).unwrap();
        let config = Config::load(directory.path()).unwrap();
        let plugin = config.core().plugin.get(key);
        Speaker {
            key: key.into(),
            zones: plugin.and_then(|plugin| plugin.zones.clone()),
        }
    }

    #[test]
    fn where_a_zone_would_be_that_an_unheard_authority_may_name_nothing_is_taken_away() {
        let wanted = [
            "www.sub A 192.0.2.2",
            "new.sub A 192.0.2.1",
            "@ TXT new",
            "www A 192.0.2.2",
        ];
        let served = [
            "www.sub A 192.0.2.1",
            "sub TXT x",
            "old.b.sub A 192.0.2.1",
            "@ TXT old",
            "www A 192.0.2.1",
            "old A 192.0.2.1",
        ];
        let told = "it may belong to a zone of `b`, which was not heard to the end";
        let apart = [unheard("a", Some(&["*.example.net", "com", APEX]))];
        let zone = planned_without(&apart, &[APEX], &wanted, &served);
        assert_eq!((aside(&zone), zone.changes().len()), (vec![], 7));

        let below = [apart[0].clone(), unheard("b", Some(&["sub.example.com"]))];
        let zone = planned_without(&below, &[APEX], &wanted, &served);
        let expected = ["www.sub A", "sub TXT", "old.b.sub A"];
        assert_eq!(
            aside(&zone),
            expected.map(|change| format!("{change}: {told}"))
        );
        assert_eq!(zone.changes().len(), 4);

        let deeper = [unheard("b", Some(&["*.sub.example.com"]))];
        let zone = planned_without(&deeper, &[APEX], &wanted, &served);
        let expected = ["www.sub A", "old.b.sub A"];
        assert_eq!(
            aside(&zone),
            expected.map(|change| format!("{change}: {told}"))
        );

        // The apex belongs to its zone in any case.
        let anywhere = [unheard("b", None)];
        let zone = planned_without(&anywhere, &[APEX], &wanted, &served);
        assert_eq!((aside(&zone).len(), zone.changes().len()), (5, 2));
        let counts = ChangeCounts {
            additions: 0,
            deletions: 3,
            updates: 2,
        };
        assert_eq!(zone.in_doubt, counts);
    }

    #[test]
    fn a_zone_that_is_named_is_told_of_before_one_that_might_have_been() {
        let zone = planned_without(
            &[unheard("b", None)],
            &[APEX, "sub.example.com"],
            &["new.sub A 192.0.2.1"],
            &["old.sub A 192.0.2.1", "old A 192.0.2.1"],
        );
        assert_eq!(
            aside(&zone),
            [
                "new.sub A: it belongs to zone `sub.example.com.`",
                "old A: it may belong to a zone of `b`, which was not heard to the end",
                "old.sub A: it belongs to zone `sub.example.com.`",
            ]
        );
    }

    #[test]
    fn a_delegation_belongs_to_the_zone_above_also_if_the_zone_below_was_not_heard_of() {
        let delegation = [
            "sub NS ns.sub",
            "sub DS 1 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
            "ns.sub A 192.0.2.1",
        ];
        let below = [unheard("b", Some(&["sub.example.com"]))];
        let zone = planned_without(&below, &[APEX], &[], &delegation);
        assert_eq!((aside(&zone), zone.changes().len()), (vec![], 3));
        // That of a zone further down may be the one of the zone in between.
        let between = [unheard("b", Some(&["sub.example.com"]))];
        let zone = planned_without(&between, &[APEX], &[], &["a.sub NS ns.example.net."]);
        assert_eq!(
            aside(&zone),
            ["a.sub NS: it may belong to a zone of `b`, which was not heard to the end"]
        );
    }
}
