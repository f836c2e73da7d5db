//! Who speaks in a run, and what is told of what they said.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::config::Core;
use crate::crew::NotCreated;
use crate::manifest::Role;
use crate::offer::Shared;
use crate::problem::{Code, Problem};
use crate::report::Report;
use crate::stations::merge::{Merge, Speaker};
use crate::stations::planned::PlannedZone;

/// The authority `key`, and what it speaks for.
pub(super) fn speaker(core: &Core, key: &Arc<str>) -> Speaker {
    let settings = core.plugin.get(&**key);
    Speaker {
        key: Arc::clone(key),
        zones: settings.and_then(|settings| settings.zones.clone()),
    }
}

/// The authorities that ought to speak and do not: those that were `passed_over` before, and those that
/// could not be created.
pub(super) fn missing_speakers(
    core: &Core,
    passed_over: &[String],
    not_created: &[NotCreated],
) -> Vec<Speaker> {
    let passed_over = passed_over.iter().map(|key| key.as_str().into());
    let not_created = not_created
        .iter()
        .filter(|plugin| plugin.role == Role::Authority)
        .map(|plugin| Arc::clone(&plugin.key));
    let keys = passed_over.chain(not_created).collect::<BTreeSet<_>>();
    keys.iter().map(|key| speaker(core, key)).collect()
}

/// Tells of zones that authorities named and do not speak for, and of patterns that stand for nothing.
pub(super) fn tell_remarks(core: &Core, merge: &Merge, shared: &Shared, report: &mut Report) {
    for (key, passed_over) in merge.passed_over() {
        let zones = match passed_over.zones {
            1 => "a zone".to_owned(),
            many => format!("{many} zones"),
        };
        let summary =
            format!("authority \"{key}\" named {zones} that it does not speak for: passed over");
        let mut problem = Problem::warning(Code::OutsideItsZones, summary);
        let path = format!("core.plugin.\"{key}\".zones");
        let settings = core.plugin.get(&**key);
        if let Some(origin) = settings.and_then(|settings| settings.origin.as_ref()) {
            problem = problem.at(origin, path);
        }
        if let Some(first) = &passed_over.first {
            problem = problem.found(format!("the first is {first}"));
        }
        remark(problem, shared, report);
    }
    for (key, (pattern, origin)) in merge.idle_patterns() {
        let summary = format!("authority \"{key}\" named no zone that \"{pattern}\" stands for");
        let problem = Problem::warning(Code::IdlePattern, summary)
            .at(origin, format!("core.plugin.\"{key}\".zones"))
            .help("mend the pattern, or remove it");
        remark(problem, shared, report);
    }
}

fn remark(problem: Problem, shared: &Shared, report: &mut Report) {
    shared.tell(&problem);
    report.remarks.push(problem);
}

/// RRsets that lost which the log names; the plan has all of them.
const NAMED_LOSERS: usize = 20;

/// Tells of RRsets of one authority that lost to another's, and of names that nobody decides about.
pub(super) fn tell_losers(plan: &[PlannedZone], report: &mut Report) {
    let losers = plan
        .iter()
        .flat_map(|zone| zone.losers.iter().map(move |loser| (zone, loser)));
    for (zone, loser) in losers.take(NAMED_LOSERS) {
        let (zone, owner, rtype) = (zone.apex(), loser.owner, loser.rtype);
        let (authority, why) = (loser.authority, loser.why());
        match loser.winner {
            Some(_) => {
                tracing::info!(%zone, %owner, %rtype, authority, why, "RRset does not count");
            }
            None => tracing::warn!(%zone, %owner, %rtype, authority, why, "RRset does not count"),
        }
    }
    let rrsets = plan.iter().map(|zone| zone.losers.len()).sum::<usize>();
    if rrsets > NAMED_LOSERS {
        let zones = plan.iter().filter(|zone| !zone.losers.is_empty()).count();
        tracing::info!(
            rrsets,
            zones,
            "RRsets do not count where another authority's do; the plan has all of them"
        );
    }
    report.undecided = plan.iter().map(|zone| zone.losers.undecided()).sum();
    if report.undecided > 0 {
        tracing::warn!(
            names = report.undecided,
            "names stay as they are: authorities contradict each other there"
        );
    }
}
