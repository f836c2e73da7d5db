//! Tries limits out: synthetic accidents are sent through the guard that judges runs.

use std::fmt;

use janitor_plugin_api::dns::Name;

use super::limits::{GivenLimit, Limit, OnIncomplete, Percent, RunLimits, ZoneLimits};
use super::verdict::{GuardRule, Reason};
use super::zone::{plural, rrsets};
use super::{Subject, judge};
use crate::report::ChangeCounts;

/// RRsets of a zone that shares are tried on, and zones of a run.
const SIZE: u64 = 1_000;
/// Sizes of zones that lose everything: a limit that is right for one may let another go.
const SIZES: [u64; 8] = [1, 2, 3, 10, 100, SIZE, 100_000, 1_000_000];

/// A synthetic accident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Everything in a zone of so many RRsets is deleted.
    Everything(u64),
    /// One RRset is deleted in a zone of which nobody knows the size.
    UnknownSize,
    /// What a limit is about, in a zone or a run of a size.
    Limit {
        /// The limit.
        rule: GuardRule,
        /// How much of it.
        number: u64,
        /// Of how much, where the limit is a share.
        size: u64,
    },
}

/// What the guard made of a probe.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What was tried.
    pub probe: Probe,
    /// The limits that caught it.
    pub caught: Vec<Reason>,
    /// Whether the limit that it is about did what it says.
    pub is_right: bool,
}

impl Finding {
    /// Whether a zone could lose everything.
    #[must_use]
    pub fn loses_everything(&self) -> bool {
        matches!(self.probe, Probe::Everything(_)) && self.caught.is_empty()
    }

    /// The limit that caught it: the one that was tried, if it did, else the first.
    #[must_use]
    pub fn caught_by(&self) -> Option<&Reason> {
        let is_tried = |reason: &&Reason| match self.probe {
            Probe::Limit { rule, .. } => reason.rule == rule,
            Probe::UnknownSize => reason.rule == GuardRule::DeletionsPercent,
            Probe::Everything(_) => false,
        };
        self.caught
            .iter()
            .find(is_tried)
            .or_else(|| self.caught.first())
    }
}

/// For people: what was tried.
impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Everything(1) => f.write_str("the only RRset is deleted"),
            Self::Everything(size) => write!(f, "all {size} RRsets are deleted"),
            Self::UnknownSize => f.write_str("1 deletion in a zone of unknown size"),
            Self::Limit { rule, number, size } => {
                let deletions = plural(number, "deletion");
                let updates = plural(number, "update");
                match rule {
                    GuardRule::Deletions => f.write_str(&deletions),
                    GuardRule::DeletionsPercent => write!(f, "{deletions} of {}", rrsets(size)),
                    GuardRule::Updates => f.write_str(&updates),
                    GuardRule::UpdatesPercent => write!(f, "{updates} of {}", rrsets(size)),
                    GuardRule::ShrunkPercent => {
                        write!(f, "{} fewer desired than {size} before", rrsets(number))
                    }
                    GuardRule::Incomplete => f.write_str("the desired zone is incomplete"),
                    GuardRule::RunDeletions => write!(f, "{deletions} in all zones"),
                    GuardRule::RunDeletionsPercent => {
                        write!(f, "{deletions} of {} in all zones", rrsets(size))
                    }
                    GuardRule::RunUpdates => write!(f, "{updates} in all zones"),
                    GuardRule::RunUpdatesPercent => {
                        write!(f, "{updates} of {} in all zones", rrsets(size))
                    }
                    GuardRule::RunZones => write!(f, "{} with deletions", plural(number, "zone")),
                    GuardRule::RunZonesPercent => {
                        write!(f, "{} with deletions, of {size}", plural(number, "zone"))
                    }
                }
            }
        }
    }
}

/// Tries whether a zone can lose everything under its limits.
#[must_use]
pub fn probe_everything(limits: &ZoneLimits) -> Finding {
    let name = Name::root();
    everything(|existing| {
        let zone = Subject {
            apex: name.as_ref(),
            changes: deletions(existing),
            existing: Some(size(existing)),
            desired: 1,
            complete: true,
            left_undone: false,
            desired_before: None,
            forced: false,
        };
        let judgement = judge(&[zone], |_| limits.clone(), &RunLimits::off());
        let verdict = judgement.zones.into_iter().next();
        verdict.map_or_else(Vec::new, |verdict| verdict.reasons().to_vec())
    })
}

/// Tries the limits of one zone.
#[must_use]
pub fn probe_zone(limits: &ZoneLimits) -> Vec<Finding> {
    let alone = RunLimits::off();
    let name = Name::root();
    let caught = |changes, existing, desired: (u64, Option<u64>), complete| {
        let zone = Subject {
            apex: name.as_ref(),
            changes,
            existing,
            desired: size(desired.0),
            complete,
            left_undone: false,
            desired_before: desired.1.map(size),
            forced: false,
        };
        let judgement = judge(&[zone], |_| limits.clone(), &alone);
        let verdict = judgement.zones.into_iter().next();
        verdict.map_or_else(Vec::new, |verdict| verdict.reasons().to_vec())
    };
    let mut findings = vec![probe_everything(limits)];
    let unknown = caught(deletions(1), None, (1, None), true);
    findings.push(Finding {
        probe: Probe::UnknownSize,
        is_right: is_caught(&unknown, GuardRule::DeletionsPercent)
            != is_off(&limits.deletions_percent),
        caught: unknown,
    });
    let base = SIZE.max(limits.min_existing.value);
    findings.extend(around(
        GuardRule::Deletions,
        limits.deletions.value.at_most(),
        u64::MAX,
        &|number| caught(deletions(number), Some(size(u64::MAX)), (1, None), true),
    ));
    let never_all = |percent: Percent| percent.of(base).min(base - 1);
    findings.extend(around(
        GuardRule::DeletionsPercent,
        limits.deletions_percent.value.at_most().map(never_all),
        base,
        &|number| caught(deletions(number), Some(size(base)), (1, None), true),
    ));
    findings.extend(around(
        GuardRule::Updates,
        limits.updates.value.at_most(),
        u64::MAX,
        &|number| caught(updates(number), Some(size(u64::MAX)), (1, None), true),
    ));
    let share = |percent: Percent| percent.of(base);
    findings.extend(around(
        GuardRule::UpdatesPercent,
        limits.updates_percent.value.at_most().map(share),
        base,
        &|number| caught(updates(number), Some(size(base)), (1, None), true),
    ));
    findings.extend(around(
        GuardRule::ShrunkPercent,
        limits.shrunk_percent.value.at_most().map(share),
        base,
        &|number| {
            let desired = (base.saturating_sub(number), Some(base));
            caught(additions(1), Some(size(base)), desired, true)
        },
    ));
    let incomplete = caught(additions(1), Some(size(base)), (1, None), false);
    findings.push(Finding {
        probe: Probe::Limit {
            rule: GuardRule::Incomplete,
            number: 1,
            size: 1,
        },
        is_right: is_caught(&incomplete, GuardRule::Incomplete)
            == (limits.incomplete.value == OnIncomplete::Withhold),
        caught: incomplete,
    });
    findings
}

/// Tries the limits of the run.
#[must_use]
pub fn probe_run(limits: &RunLimits) -> Vec<Finding> {
    let none = ZoneLimits::off();
    let name = Name::root();
    // So many zones, the first of which have the changes, each of so many RRsets.
    let caught = |limits: &RunLimits, zones: u64, losing: u64, changes, existing: u64| {
        let zone = |number| Subject {
            apex: name.as_ref(),
            changes: match number < losing {
                true => changes,
                false => ChangeCounts::default(),
            },
            existing: Some(size(existing)),
            desired: 1,
            complete: true,
            left_undone: false,
            desired_before: None,
            forced: false,
        };
        let zones: Vec<_> = (0..zones).map(zone).collect();
        judge(&zones, |_| none.clone(), limits).run
    };
    let rrsets = SIZE.max(limits.min_existing.value);
    let share = |limit: &GivenLimit<Percent>| limit.value.at_most().map(|most| most.of(rrsets));
    let mut findings = Vec::new();
    type Changes = fn(u64) -> ChangeCounts;
    for (rule, share_rule, changes, number, percent) in [
        (
            GuardRule::RunDeletions,
            GuardRule::RunDeletionsPercent,
            deletions as Changes,
            &limits.deletions,
            &limits.deletions_percent,
        ),
        (
            GuardRule::RunUpdates,
            GuardRule::RunUpdatesPercent,
            updates as Changes,
            &limits.updates,
            &limits.updates_percent,
        ),
    ] {
        let most = number.value.at_most();
        findings.extend(around(rule, most, u64::MAX, &|number| {
            caught(limits, 1, 1, changes(number), u64::MAX)
        }));
        findings.extend(around(share_rule, share(percent), rrsets, &|number| {
            caught(limits, 1, 1, changes(number), rrsets)
        }));
    }
    // There may be as many zones as a run has; a limit beyond that is not tried.
    let most = limits.zones.value.at_most().filter(|most| *most < 1 << 20);
    let without_share = RunLimits {
        zones_percent: RunLimits::off().zones_percent,
        ..limits.clone()
    };
    findings.extend(around(GuardRule::RunZones, most, u64::MAX, &|number| {
        caught(&without_share, number, number, deletions(1), SIZE)
    }));
    let zones = SIZE.max(limits.min_zones.value).min(1 << 20);
    let most = limits.zones_percent.value.at_most();
    let most = most.map(|percent| percent.of(zones.max(limits.min_zones.value)));
    findings.extend(around(GuardRule::RunZonesPercent, most, zones, &|number| {
        caught(limits, zones, number, deletions(1), SIZE)
    }));
    findings
}

/// A zone that loses everything: the first size that gets away with it, else one that is caught.
fn everything(try_out: impl Fn(u64) -> Vec<Reason>) -> Finding {
    let tried = SIZES.map(|size| (size, try_out(size)));
    let passes = tried.iter().position(|(_, caught)| caught.is_empty());
    let at = passes.or_else(|| SIZES.iter().position(|size| *size == SIZE));
    let (size, caught) = tried
        .into_iter()
        .nth(at.unwrap_or_default())
        .unwrap_or_default();
    Finding {
        probe: Probe::Everything(size),
        is_right: !caught.is_empty(),
        caught,
    }
}

/// As much as a limit allows, and one more, of at most `of`.
fn around(
    rule: GuardRule,
    most: Option<u64>,
    of: u64,
    try_out: &dyn Fn(u64) -> Vec<Reason>,
) -> Vec<Finding> {
    let Some(most) = most else {
        return Vec::new();
    };
    let numbers = [Some(most), most.checked_add(1)].into_iter().flatten();
    let numbers = numbers.filter(|number| (1..=of).contains(number));
    let tried = numbers.map(|number| {
        let caught = try_out(number);
        Finding {
            probe: Probe::Limit {
                rule,
                number,
                size: of,
            },
            is_right: is_caught(&caught, rule) == (number > most),
            caught,
        }
    });
    tried.collect()
}

fn is_caught(caught: &[Reason], rule: GuardRule) -> bool {
    caught.iter().any(|reason| reason.rule == rule)
}

fn is_off<T>(limit: &GivenLimit<T>) -> bool {
    matches!(limit.value, Limit::Off)
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn additions(number: u64) -> ChangeCounts {
    ChangeCounts {
        additions: size(number),
        ..ChangeCounts::default()
    }
}

fn deletions(number: u64) -> ChangeCounts {
    ChangeCounts {
        deletions: size(number),
        ..ChangeCounts::default()
    }
}

fn updates(number: u64) -> ChangeCounts {
    ChangeCounts {
        updates: size(number),
        ..ChangeCounts::default()
    }
}
