//! Withholds changes that look like an accident.
//!
//! Every zone is judged by its own limits, then all of them together by those of the run. What is
//! withheld is withheld as a whole: half of a wrong plan is no better. Additions are never limited,
//! so that a zone can be filled for the first time; nor is anything said of a zone that is as desired.
//!
//! ```text
//! each zone ─► its own limits ──────────────┬─► withheld or forced
//!                 │ what would go out       │
//!                 ▼                         │
//!              sums without forced zones ─► limits of the run ─► every other zone with changes
//! ```
//!
//! Pure: limits, counts and what is remembered come in, verdicts go out. What cannot be known does not
//! pass: of a zone that nobody knows the size of, no share can be told.

mod limits;
mod verdict;
mod zone;
mod run;
mod probe;

use janitor_plugin_api::dns::{Name, NameRef};
use jiff::Timestamp;

pub use self::limits::{Given, GivenLimit, Limit, OnIncomplete, Percent, RunLimits, ZoneLimits};
pub use self::probe::{Finding, Probe, probe_everything, probe_run, probe_zone};
pub use self::verdict::{GuardRule, Reason, Verdict};
pub(crate) use self::zone::rrsets;
use crate::report::ChangeCounts;

/// What the guard knows of one zone.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The zone.
    pub apex: NameRef<'a>,
    /// The changes that would be made.
    pub changes: ChangeCounts,
    /// RRsets that were compared and are served; none if the reconciler cannot tell.
    pub existing: Option<usize>,
    /// RRsets that the zone ought to hold.
    pub desired: usize,
    /// Whether that is all of them.
    pub complete: bool,
    /// Whether some of what differs is not changed: it is held back, or a rule sets it aside.
    pub left_undone: bool,
    /// RRsets that it ought to hold in the last good run, if there was one.
    pub desired_before: Option<usize>,
    /// Whether its limits are lifted for this run.
    pub forced: bool,
}

impl Subject<'_> {
    fn has_changes(&self) -> bool {
        self.changes.additions > 0 || self.loses()
    }

    /// Whether anything that is served now would be served no more.
    fn loses(&self) -> bool {
        self.changes.deletions > 0 || self.changes.updates > 0
    }
}

/// What the guard says of a run.
#[derive(Debug, Default)]
pub struct Judgement {
    /// Of each zone, in the order given.
    pub zones: Vec<Verdict>,
    /// Limits of the run as a whole that the changes break.
    pub run: Vec<Reason>,
}

/// Judges every zone of a run.
///
/// A zone whose own limits are broken is withheld, unless it is forced. What the others would delete
/// and update together is held against the limits of the run; those it breaks withhold every zone
/// with changes that is not forced. The number of zones counts those that are withheld already: where
/// many zones go wrong at once, the rest is not to be trusted either.
#[must_use]
pub fn judge(
    zones: &[Subject<'_>],
    limits_of: impl Fn(NameRef<'_>) -> ZoneLimits,
    run_limits: &RunLimits,
) -> Judgement {
    let mut verdicts = Vec::with_capacity(zones.len());
    let mut sums = run::Sums::default();
    for zone in zones {
        let reasons = match (zone.has_changes(), zone.left_undone) {
            (true, _) => zone::reasons(zone, &limits_of(zone.apex)),
            // What is lost at the source is told before anything can be deleted for it.
            (false, true) => Vec::from_iter(zone::shrunk(zone, &limits_of(zone.apex))),
            (false, false) => Vec::new(),
        };
        let verdict = verdict(zone, reasons);
        if !zone.forced {
            sums.add(zone, !verdict.is_withheld());
        }
        verdicts.push(verdict);
    }
    let run = run::reasons(&sums, run_limits);
    if !run.is_empty() {
        let with_changes = zones.iter().zip(&mut verdicts);
        for (zone, verdict) in with_changes.filter(|(zone, _)| zone.has_changes()) {
            let reasons = [verdict.reasons(), &run].concat();
            *verdict = self::verdict(zone, reasons);
        }
    }
    Judgement {
        zones: verdicts,
        run,
    }
}

fn verdict(zone: &Subject<'_>, reasons: Vec<Reason>) -> Verdict {
    if reasons.is_empty() {
        return Verdict::Passed;
    }
    let can_be_forced = reasons.iter().all(|reason| reason.rule.can_be_forced());
    if zone.forced && can_be_forced {
        Verdict::Forced(reasons)
    } else {
        Verdict::Withheld(reasons)
    }
}

/// A zone of earlier runs that no authority names any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unnamed {
    /// The zone.
    pub zone: Name,
    /// RRsets that it ought to hold when it was last well.
    pub desired: usize,
    /// That run.
    pub run: u64,
    /// When that was.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests;
