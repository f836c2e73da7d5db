//! What can only be said of the plan as a whole, when every zone has been compared.
//!
//! In this order: names are left to the zones they belong to; what does not stick is set aside, so that
//! limits count what would be sent; then the guard judges. What is missing altogether is told last.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use janitor_plugin_api::dns::Name;
use jiff::Timestamp;

use crate::config::Guard;
use crate::guard::telling;
use crate::offer::Shared;
use crate::report::{Report, ZoneReport};
use crate::stations::convergence::{self, Settings};
use crate::stations::cuts::Apexes;
use crate::stations::guard::{self, Subject, Unnamed};
use crate::stations::memory::ZoneMemory;
use crate::stations::planned::PlannedZone;

/// What a plan is judged by.
pub struct Judging<'a> {
    /// The limits.
    pub guard: &'a Guard,
    /// What is done about changes that do not stick.
    pub convergence: &'a Settings,
    /// The zones whose limits are lifted for this run.
    pub forced: &'a [Name],
    /// What is remembered of zones.
    pub memories: &'a BTreeMap<Name, ZoneMemory>,
    /// When the run began.
    pub now: Timestamp,
}

/// Judges the whole plan, and puts into the report what is to be done about each zone. `apexes` are those
/// of every zone that an authority named; `heard_all` if no authority is missing that may have named more.
pub(super) fn judge(
    plan: &mut [PlannedZone],
    apexes: &Apexes<'_>,
    heard_all: bool,
    judging: &Judging<'_>,
    shared: &Shared,
    report: &mut Report,
) {
    for zone in &mut *plan {
        apexes.leave_to_others(zone);
        let memory = judging.memories.get(&zone.apex().to_owned());
        let unsettled = memory.and_then(|memory| memory.unsettled.as_ref());
        zone.not_sticking = convergence::judge(zone, unsettled, judging.now, judging.convergence);
    }
    let forced: BTreeSet<&Name> = judging.forced.iter().collect();
    let subjects = plan.iter().map(|zone| subject(zone, judging, &forced));
    let subjects: Vec<_> = subjects.collect();
    let judgement = guard::judge(
        &subjects,
        |zone| judging.guard.limits_of(zone),
        judging.guard.run(),
    );
    for (zone, verdict) in plan.iter_mut().zip(judgement.zones) {
        zone.verdict = verdict;
    }
    report.run_limits = judgement.run;
    let named = named(plan, shared);
    if !shared.is_cancelled() {
        report.unnamed = unnamed(judging.memories, |zone| !named.contains(zone));
    }
    let unknown = forced.iter().filter(|zone| !named.contains(**zone));
    report
        .faults
        .extend(unknown.map(|zone| telling::forced_unknown(zone, &named)));
    let told = plan.iter().map(|zone| {
        let authority = match zone.provenance.authorities() {
            [authority] => Some(Arc::clone(authority)),
            _ => None,
        };
        ZoneReport::of(zone, authority)
    });
    report.zones = told.collect();
    telling::tell(plan, report, heard_all, shared);
}

fn subject<'a>(
    zone: &'a PlannedZone,
    judging: &Judging<'_>,
    forced: &BTreeSet<&Name>,
) -> Subject<'a> {
    let apex = zone.apex().to_owned();
    let memory = judging.memories.get(&apex);
    let last_good = memory.and_then(|memory| memory.last_good);
    let mut changes = zone.counts();
    changes.add(zone.in_doubt);
    Subject {
        apex: zone.apex(),
        changes,
        existing: zone.actual.as_ref().map(|actual| actual.comparable),
        desired: zone.desired,
        complete: zone.complete,
        left_undone: zone.held_back > 0 || zone.aside().next().is_some(),
        desired_before: last_good.map(|good| good.desired),
        forced: forced.contains(&apex),
    }
}

/// Every zone that anybody named in this run, those left out included.
fn named(plan: &[PlannedZone], shared: &Shared) -> BTreeSet<Name> {
    let planned = plan.iter().map(|zone| zone.apex().to_owned());
    let left_out = shared.left_out();
    let left_out = left_out.iter().filter_map(|one| one.zone.clone());
    planned.chain(left_out).collect()
}

/// The zones of earlier runs that `is_gone` says nobody names.
pub(super) fn unnamed(
    memories: &BTreeMap<Name, ZoneMemory>,
    is_gone: impl Fn(&Name) -> bool,
) -> Vec<Unnamed> {
    let gone = memories.iter().filter(|(zone, _)| is_gone(zone));
    let known = gone.filter_map(|(zone, memory)| {
        let good = memory.last_good?;
        Some(Unnamed {
            zone: zone.clone(),
            desired: good.desired,
            run: good.run,
            at: good.at,
        })
    });
    known.collect()
}
