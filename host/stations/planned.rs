//! What is to be done about one zone, and what is not and why.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use janitor_plugin_api::dns::{Change, Changes, DiffCounts, NameRef};

use super::convergence::NotSticking;
use super::digests::Digests;
use super::guard::Verdict;
use super::losers::Losers;
use super::provenance::Provenance;
use super::route::Route;
use super::survey::Survey;
use crate::report::ChangeCounts;

/// What is to be done about one zone.
#[derive(Debug)]
pub struct PlannedZone {
    changes: Changes,
    set_aside: Option<SetAside>,
    /// Who compared it, and where its changes go.
    pub route: Arc<Route>,
    /// Which authorities the desired RRsets come from.
    pub provenance: Provenance,
    /// What of the authorities' words does not count, because another's does.
    pub losers: Losers,
    /// What else the comparison found, in the reconciler's words.
    pub found: DiffCounts,
    /// Differences that are not changed, because the desired zone is incomplete or their owner held.
    pub held_back: usize,
    /// Changes that are set aside because nobody knows whether their owner belongs to another zone.
    /// Limits count them: if it does not, they are part of what would change.
    pub in_doubt: ChangeCounts,
    /// RRsets that the zone ought to hold.
    pub desired: usize,
    /// Whether the desired zone was complete; if not, the plan only adds.
    pub complete: bool,
    /// What the zone was found to hold, unless the reconciler cannot tell.
    pub actual: Option<Survey>,
    /// The digests of both sides, if the plan is to be sealed.
    pub digests: Option<Digests>,
    /// Changes that were sent before and did not come about.
    pub not_sticking: NotSticking,
    /// Whether the changes may be published.
    pub verdict: Verdict,
}

/// Everything that the comparison found, and which rule set what of it aside.
#[derive(Debug)]
struct SetAside {
    all: Changes,
    rules: Vec<Rule>,
    /// For each change of `all` the number of its rule, from 1; 0 if it is made.
    decisions: Vec<u16>,
}

/// Why a change is not made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// What kind of rule it is.
    pub kind: RuleKind,
    /// The rule itself, for people: the setting, the marker, the other zone.
    pub text: Arc<str>,
}

/// The kinds of [`Rule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleKind {
    /// `core.scope` does not take the name or type in.
    Scope,
    /// `core.scope` protects the name.
    Protected,
    /// A marker says that another program owns the name.
    Owned,
    /// It is the last address of a name server of the zone.
    NameServer,
    /// The name belongs to another zone of the run.
    OtherZone,
    /// It was applied before, several times, and does not stick.
    DoesNotStick,
    /// It waits for a deletion that is not made.
    Waits,
}

impl RuleKind {
    /// One word, for programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Protected => "protected",
            Self::Owned => "owned",
            Self::NameServer => "name-server",
            Self::OtherZone => "other-zone",
            Self::DoesNotStick => "does-not-stick",
            Self::Waits => "waits",
        }
    }
}

impl PlannedZone {
    /// A zone with everything that the comparison found still to be done.
    #[must_use]
    pub fn new(changes: Changes, route: Arc<Route>) -> Self {
        Self {
            found: changes.counts(),
            held_back: held_back(&changes.counts()),
            changes,
            set_aside: None,
            route,
            provenance: Provenance::default(),
            losers: Losers::default(),
            in_doubt: ChangeCounts::default(),
            desired: 0,
            complete: true,
            actual: None,
            digests: None,
            not_sticking: NotSticking::default(),
            verdict: Verdict::Passed,
        }
    }

    /// The zone.
    #[must_use]
    pub fn apex(&self) -> NameRef<'_> {
        self.changes.apex()
    }

    /// The changes to make, in the order to apply them in.
    #[must_use]
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Whether there is anything to publish, and it may be.
    #[must_use]
    pub fn goes_out(&self) -> bool {
        !self.changes.is_empty() && !self.verdict.is_withheld()
    }

    /// Everything that the comparison found, in the order of the changes; what is not to be made with
    /// the rule that set it aside.
    pub fn found_changes(&self) -> (&Changes, impl Iterator<Item = (Change<'_>, Option<&Rule>)>) {
        let aside = self.set_aside.as_ref();
        let all = aside.map_or(&self.changes, |aside| &aside.all);
        let decided = aside.map_or(&[][..], |aside| &aside.decisions);
        let mut decided = decided.iter();
        let each = all.iter().map(move |change| {
            let number = decided.next().copied().unwrap_or_default();
            let rule = usize::from(number).checked_sub(1);
            (change, rule.and_then(|at| aside?.rules.get(at)))
        });
        (all, each)
    }

    /// How many of each kind are to be made.
    #[must_use]
    pub fn counts(&self) -> ChangeCounts {
        ChangeCounts::of(&self.changes)
    }

    /// Sets aside the changes for which `judge` names a rule. Those that can only be made together
    /// with one of them are set aside, too.
    pub fn set_aside(&mut self, mut judge: impl FnMut(Change<'_>) -> Option<Rule>) {
        let mut rules = self
            .set_aside
            .as_ref()
            .map_or_else(Vec::new, |set_aside| set_aside.rules.clone());
        // A zone with many cuts may have a rule for each.
        let mut numbers: BTreeMap<_, _> = rules.iter().cloned().zip(0..).collect();
        let mut number = |rule: Rule| {
            let at = *numbers.entry(rule).or_insert_with_key(|rule| {
                rules.push(rule.clone());
                rules.len() - 1
            });
            u16::try_from(at + 1).unwrap_or(u16::MAX)
        };
        let mut fresh = Vec::with_capacity(self.changes.len());
        let mut found = false;
        for change in &self.changes {
            let rule = judge(change).map_or(0, &mut number);
            found |= rule > 0;
            fresh.push(rule);
        }
        if !found {
            return;
        }
        let mut each = fresh.iter();
        let mut blocked = Vec::new();
        let kept = self.changes.keep(
            |_| each.next().is_none_or(|rule| *rule == 0),
            |change| blocked.push((change.owner(), change.rtype())),
        );
        if !blocked.is_empty() {
            let waits = number(Rule {
                kind: RuleKind::Waits,
                text: "it waits for a deletion that is not made".into(),
            });
            // In the order of the changes.
            let mut blocked = blocked.into_iter().peekable();
            for (change, rule) in self.changes.iter().zip(&mut fresh) {
                let place = (change.owner(), change.rtype());
                if *rule == 0 && blocked.next_if_eq(&place).is_some() {
                    *rule = waits;
                }
            }
        }
        let judged = std::mem::replace(&mut self.changes, kept);
        self.set_aside = Some(match self.set_aside.take() {
            None => SetAside {
                all: judged,
                rules,
                decisions: fresh,
            },
            Some(mut before) => {
                // Not in the order in which they were found: an owner whose additions were set aside
                // has moved to those that only lose something.
                let fresh = judged.iter().zip(fresh).filter(|(_, rule)| *rule > 0);
                let fresh: HashMap<_, _> = fresh
                    .map(|(change, rule)| ((change.owner(), change.rtype()), rule))
                    .collect();
                for (change, rule) in before.all.iter().zip(&mut before.decisions) {
                    if let Some(decided) = fresh.get(&(change.owner(), change.rtype())) {
                        *rule = *decided;
                    }
                }
                SetAside { rules, ..before }
            }
        });
    }

    /// What was set aside, each change with its rule, in the order of the changes.
    pub fn aside(&self) -> impl Iterator<Item = (Change<'_>, &Rule)> {
        self.set_aside.iter().flat_map(|set_aside| {
            let each = set_aside.all.iter().zip(&set_aside.decisions);
            each.filter_map(|(change, rule)| {
                let rule = usize::from(*rule).checked_sub(1)?;
                Some((change, set_aside.rules.get(rule)?))
            })
        })
    }

    /// How many changes were set aside by each rule, in the order of the kinds of rules.
    #[must_use]
    pub fn aside_by_rule(&self) -> Vec<(&Rule, usize)> {
        let Some(set_aside) = &self.set_aside else {
            return Vec::new();
        };
        let mut numbers = vec![0; set_aside.rules.len()];
        for rule in &set_aside.decisions {
            if let Some(number) = usize::from(*rule)
                .checked_sub(1)
                .and_then(|at| numbers.get_mut(at))
            {
                *number += 1;
            }
        }
        let mut by_rule = set_aside.rules.iter().zip(numbers).collect::<Vec<_>>();
        by_rule.sort();
        by_rule
    }

    /// How many changes were set aside by each kind of rule.
    #[must_use]
    pub fn aside_by_kind(&self) -> Vec<(RuleKind, usize)> {
        let mut by_kind = BTreeMap::<_, usize>::new();
        for (rule, number) in self.aside_by_rule() {
            *by_kind.entry(rule.kind).or_default() += number;
        }
        by_kind.into_iter().collect()
    }
}

fn held_back(found: &DiffCounts) -> usize {
    [
        found.incomplete_additions,
        found.incomplete_updates,
        found.incomplete_deletions,
        found.held_additions,
        found.held_updates,
        found.held_deletions,
    ]
    .into_iter()
    .map(|count| count as usize)
    .sum()
}

#[cfg(test)]
mod tests {
    use janitor_plugin_api::dns::{LeftAlone, Name, Rtype, Ttl, ZoneBuilder, diff};

    use super::*;

    fn zone(desired: &[(&str, &str, &str)], actual: &[(&str, &str, &str)]) -> PlannedZone {
        let apex: Name = "a.test".parse().unwrap();
        let build = |rrsets: &[(&str, &str, &str)]| {
            let mut builder = ZoneBuilder::new(apex.clone());
            for (owner, rtype, rdata) in rrsets {
                builder
                    .push_text(owner, Ttl::default(), rtype, rdata)
                    .unwrap();
            }
            builder
        };
        let mut desired = build(desired);
        desired.set_complete();
        let desired = desired.build_desired().unwrap();
        let actual = build(actual).build_actual().unwrap();
        let changes = diff(&desired, &actual, &LeftAlone::NOTHING).unwrap();
        PlannedZone::new(changes, Arc::new(Route::to_all("r".into())))
    }

    fn rule(kind: RuleKind, text: &str) -> Rule {
        Rule {
            kind,
            text: text.into(),
        }
    }

    fn aside(zone: &PlannedZone) -> Vec<String> {
        zone.aside()
            .map(|(change, rule)| {
                format!("{} {} {}", change.owner(), change.rtype(), rule.kind.word())
            })
            .collect()
    }

    #[test]
    fn what_is_set_aside_is_not_made_and_can_be_told() {
        let address = "192.0.2.1";
        let mut zone = zone(
            &[("a", "A", address), ("b", "A", address)],
            &[("c", "A", address), ("d", "A", address)],
        );
        let starts = |change: Change<'_>, with: &str| change.owner().to_string().starts_with(with);
        zone.set_aside(|change| starts(change, "b").then(|| rule(RuleKind::Scope, "b")));
        zone.set_aside(|change| starts(change, "c").then(|| rule(RuleKind::Protected, "c")));
        zone.set_aside(|_| None);

        let made = zone
            .changes()
            .iter()
            .map(|change| change.owner().to_string());
        assert_eq!(made.collect::<Vec<_>>(), ["a.a.test.", "d.a.test."]);
        assert_eq!(aside(&zone), ["b.a.test. A scope", "c.a.test. A protected"]);
        let by_rule = zone.aside_by_rule();
        let by_rule = by_rule.iter().map(|(rule, number)| (&*rule.text, *number));
        assert_eq!(by_rule.collect::<Vec<_>>(), [("b", 1), ("c", 1)]);
    }

    #[test]
    fn what_is_set_aside_later_is_not_mixed_up_with_what_was_set_aside_before() {
        let mut zone = zone(
            &[("b", "A", "192.0.2.1")],
            &[
                ("a", "A", "192.0.2.1"),
                ("b", "TXT", "x"),
                ("c", "A", "192.0.2.1"),
            ],
        );
        // With that, the owner only loses something, and comes later.
        zone.set_aside(|change| {
            change
                .addition()
                .map(|_| rule(RuleKind::Scope, "additions"))
        });
        let starts = |change: Change<'_>, with: &str| change.owner().to_string().starts_with(with);
        zone.set_aside(|change| starts(change, "a").then(|| rule(RuleKind::Owned, "a")));
        assert_eq!(aside(&zone), ["b.a.test. A scope", "a.a.test. A owned"]);
        zone.set_aside(|change| starts(change, "c").then(|| rule(RuleKind::Protected, "c")));
        assert_eq!(
            aside(&zone),
            [
                "b.a.test. A scope",
                "a.a.test. A owned",
                "c.a.test. A protected"
            ]
        );
        assert_eq!(zone.changes().len(), 1);
    }

    #[test]
    fn what_waits_for_a_deletion_that_is_set_aside_is_set_aside_with_it() {
        let mut zone = zone(
            &[("a", "A", "192.0.2.1"), ("b", "A", "192.0.2.1")],
            &[("a", "CNAME", "b"), ("b", "A", "192.0.2.1")],
        );
        zone.set_aside(|change| {
            (change.rtype() == Rtype::CNAME).then(|| rule(RuleKind::Protected, "a"))
        });
        assert!(zone.changes().is_empty());
        assert_eq!(
            aside(&zone),
            ["a.a.test. CNAME protected", "a.a.test. A waits"]
        );
    }
}
