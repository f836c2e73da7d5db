//! What the host measures of a run as a whole, beyond what the original did.

use std::collections::BTreeMap;

use super::{Metrics, Number, Value};
use crate::report::{Report, ZoneReport};

/// Measures the libraries of a run.
pub(crate) fn measure_libraries(metrics: &Metrics, loaded: usize, refused: usize) {
    for (state, number) in [("loaded", loaded), ("refused", refused)] {
        metrics.set(
            "libraries",
            Number::count(number),
            &[("state", state.into())],
        );
    }
}

/// Measures each zone and the run.
pub(crate) fn measure_report(metrics: &Metrics, report: &Report) {
    for zone in &report.zones {
        measure_zone(metrics, zone);
    }
    let outcomes = [
        Outcome::InSync,
        Outcome::Changed,
        Outcome::Pending,
        Outcome::Withheld,
        Outcome::Failed,
    ];
    for outcome in outcomes {
        let zones = report.zones.iter();
        let number = zones.filter(|zone| outcome_of(zone) == outcome).count();
        measure_outcome(metrics, outcome.word(), number);
    }
    measure_outcome(metrics, "left-out", report.left_out.len());
    let mut left_out = BTreeMap::<_, usize>::new();
    for one in &report.left_out {
        let plugin = one.plugin.as_deref().unwrap_or("host");
        *left_out.entry((plugin, one.kind.word())).or_default() += 1;
    }
    for ((plugin, kind), number) in left_out {
        let context = [("plugin", plugin.into()), ("kind", kind.into())];
        metrics.set("zones-left-out", Number::count(number), &context);
    }
}

fn measure_outcome(metrics: &Metrics, outcome: &str, number: usize) {
    metrics.set(
        "zones",
        Number::count(number),
        &[("outcome", outcome.into())],
    );
}

fn measure_zone(metrics: &Metrics, zone: &ZoneReport) {
    let apex = Value::Text(zone.apex.to_string());
    let states = [("desired", Some(zone.desired)), ("actual", zone.actual)];
    for (state, number) in states {
        // A reconciler that cannot tell what is served has nothing to measure.
        if let Some(number) = number {
            let context = [("zone", apex.clone()), ("state", state.into())];
            metrics.set("zone-rrsets", Number::count(number), &context);
        }
    }
    let changes = zone.changes;
    for (kind, number) in [
        ("addition", changes.additions),
        ("update", changes.updates),
        ("deletion", changes.deletions),
        ("held-back", zone.held_back),
    ] {
        let context = [("zone", apex.clone()), ("kind", kind.into())];
        metrics.set("zone-drift", Number::count(number), &context);
    }
    for (kind, number) in &zone.set_aside {
        let context = [("zone", apex.clone()), ("rule", kind.word().into())];
        metrics.set("zone-set-aside", Number::count(*number), &context);
    }
    for (publisher, tally) in &zone.published {
        for (outcome, number) in [
            ("applied", tally.applied),
            ("accepted", tally.accepted),
            ("refused", tally.refused),
            ("unknown", tally.unknown),
        ] {
            let context = [
                ("zone", apex.clone()),
                ("plugin", Value::from(&**publisher)),
                ("outcome", outcome.into()),
            ];
            metrics.set("zone-changes", Number::count(number), &context);
        }
    }
}

/// What became of a zone that was compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// There was nothing to change.
    InSync,
    /// Every change was applied or handed on.
    Changed,
    /// Nothing was published.
    Pending,
    /// Its changes break a limit, and nothing was published.
    Withheld,
    /// A change was refused, or nobody knows what became of it.
    Failed,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::InSync => "in-sync",
            Self::Changed => "changed",
            Self::Pending => "pending",
            Self::Withheld => "withheld",
            Self::Failed => "failed",
        }
    }
}

fn outcome_of(zone: &ZoneReport) -> Outcome {
    if zone.verdict.is_withheld() {
        Outcome::Withheld
    } else if zone.changes.total() == 0 {
        Outcome::InSync
    } else if zone.published.is_empty() {
        Outcome::Pending
    } else if zone.published.iter().all(|(_, tally)| tally.is_good()) {
        Outcome::Changed
    } else {
        Outcome::Failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{ChangeCounts, Tally};
    use crate::stations::convergence::NotSticking;
    use crate::stations::guard::Verdict;

    fn zone(additions: usize, published: &[(usize, usize)]) -> ZoneReport {
        let published = published.iter().map(|&(applied, refused)| {
            let tally = Tally {
                applied,
                refused,
                ..Tally::default()
            };
            ("p".into(), tally)
        });
        ZoneReport {
            apex: "example.com".parse().unwrap(),
            authority: None,
            desired: 3,
            actual: None,
            changes: ChangeCounts {
                additions,
                ..ChangeCounts::default()
            },
            held_back: 0,
            verdict: Verdict::Passed,
            not_sticking: NotSticking::default(),
            set_aside: Vec::new(),
            published: published.collect(),
        }
    }

    #[test]
    fn a_zone_has_one_outcome() {
        for (additions, published, word) in [
            (0, &[][..], "in-sync"),
            (0, &[(0, 0)], "in-sync"),
            (2, &[], "pending"),
            (2, &[(2, 0), (2, 0)], "changed"),
            (2, &[(2, 0), (1, 1)], "failed"),
        ] {
            assert_eq!(outcome_of(&zone(additions, published)).word(), word);
        }
        let withheld = ZoneReport {
            verdict: Verdict::Withheld(Vec::new()),
            // What was lost at the source may be told before it makes a change.
            ..zone(0, &[])
        };
        assert_eq!(outcome_of(&withheld).word(), "withheld");
    }
}
