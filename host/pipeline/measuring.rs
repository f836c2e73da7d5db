//! What is measured while zones are planned.

use crate::metrics::{Number, Value};
use crate::offer::Shared;
use crate::report::ChangeCounts;
use crate::stations::merge::Merged;
use crate::stations::planned::PlannedZone;

/// Measures a desired zone: each of its RRsets counts for the authority that is its best source.
pub(super) fn measure_desired(merged: &Merged, shared: &Shared) {
    let apex = merged.zone.apex().to_string();
    for (authority, rrsets) in merged.provenance.best() {
        shared.metrics.set(
            "rrsets",
            Number::count(rrsets),
            &[
                ("plugin", Value::from(&**authority)),
                ("zone", Value::from(&*apex)),
            ],
        );
    }
}

/// Measures what a reconciler found to change in one zone: what is to be added counts for the authority
/// that is its best source, what is to be deleted for the reconciler.
pub(super) fn measure_planned(planned: &PlannedZone, shared: &Shared) {
    let reconciler = &*planned.route.reconciler;
    let ChangeCounts {
        additions,
        deletions,
        updates,
    } = planned.counts();
    let sources = additions_by_source(planned, additions + updates);
    let deletions = (reconciler, deletions + updates);
    let additions = sources
        .iter()
        .map(|(source, number)| ("additions", *source, *number));
    for (action, source, number) in additions.chain([("deletions", deletions.0, deletions.1)]) {
        if number > 0 {
            shared.metrics.set(
                "rrsets-handled",
                Number::count(number),
                &[
                    ("plugin", Value::from(reconciler)),
                    ("action", Value::from(action)),
                    ("source", Value::from(source)),
                ],
            );
        }
    }
}

fn additions_by_source(planned: &PlannedZone, all: usize) -> Vec<(&str, usize)> {
    let authorities = planned.provenance.authorities();
    if let [alone] = authorities {
        return vec![(alone, all)];
    }
    let mut numbers = authorities
        .iter()
        .map(|key| (&**key, 0))
        .collect::<Vec<_>>();
    for change in planned.changes() {
        let Some(addition) = change.addition() else {
            continue;
        };
        let sources = planned.provenance.of(addition.owner(), addition.rtype());
        let best = sources.first().map(|source| &**source);
        if let Some((_, number)) = numbers.iter_mut().find(|(key, _)| Some(*key) == best) {
            *number += 1;
        }
    }
    numbers
}
