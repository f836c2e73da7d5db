//! What can only be said of the plan as a whole, when every zone has been compared.

use crate::report::ZoneReport;
use crate::stations::merge::Merge;
use crate::stations::planned::PlannedZone;

/// Judges the whole plan, and tells what is to be done about each zone.
pub(super) fn judge(plan: &mut [PlannedZone], merge: &Merge) -> Vec<ZoneReport> {
    plan.iter()
        .map(|zone| ZoneReport {
            apex: zone.apex().to_owned(),
            authority: merge.authority_of(zone.apex()).cloned(),
            desired: zone.desired,
            actual: zone.actual.as_ref().map(|actual| actual.rrsets),
            changes: zone.counts(),
            held_back: zone.held_back,
            verdict: zone.verdict.clone(),
            not_sticking: zone.not_sticking.clone(),
            published: Vec::new(),
        })
        .collect()
}
