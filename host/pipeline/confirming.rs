//! Whether zones are still as a stored plan was made for.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use janitor_plugin_api::dns::{ActualZone, Name, Serial};
use jiff::Timestamp;

use super::judging;
use super::reading::{Unread, read};
use super::{Orders, Stored};
use crate::crew::Crew;
use crate::guard::telling;
use crate::manifest::Role;
use crate::offer::Shared;
use crate::problem::{Code, Problem};
use crate::report::Report;
use crate::stations::answers::PRIMARYS;
use crate::stations::digests;
use crate::stations::memory::AppliedPlan;
use crate::stations::planned::PlannedZone;
use crate::stations::route::{Publishers, Routes};

/// Looks whether a plan that was made later was applied to one of the zones, or this one; then reads
/// every zone with changes anew, and compares it with what the plan was made for. None if the
/// reconciler failed; then there is nothing to apply.
///
/// Every zone that is not as it was adds a fault to the report. One is enough: a plan is applied whole or
/// not at all.
pub(super) async fn confirm(
    orders: &Orders<'_>,
    stored: Stored,
    shared: &Shared,
    crew: &mut Crew,
    report: &mut Report,
) -> Option<Vec<PlannedZone>> {
    let Stored {
        made_at,
        zones,
        run_limits,
        unnamed,
        undecided,
        ..
    } = stored;
    let (mut planned, zones): (Vec<_>, Vec<_>) = zones.into_iter().unzip();
    report.zones = zones;
    report.run_limits = run_limits;
    report.undecided = undecided;
    report.unnamed = judging::unnamed(orders.judging.memories, |zone| unnamed.contains(zone));
    telling::tell(&planned, report, true, shared);
    let going_out = planned.iter().filter(|zone| zone.goes_out());
    let memories = orders.judging.memories;
    let applied = |zone: &PlannedZone| memories.get(&zone.apex().to_owned())?.applied;
    let later = going_out.filter_map(|zone| Some((zone, applied(zone)?)));
    let in_the_way =
        later.filter_map(|(zone, applied)| superseded(zone, made_at, applied, orders.judging.now));
    let mut in_the_way = in_the_way.collect::<Vec<_>>();
    in_the_way.extend(absent(&planned, crew));
    in_the_way.extend(elsewhere(&planned, orders, crew));
    let to_read = planned
        .iter()
        .filter(|zone| zone.goes_out() && in_the_way.is_empty())
        .map(|zone| (zone.apex().to_owned(), Arc::clone(&zone.route.reconciler)))
        .collect::<Vec<_>>();
    let mut open = planned
        .iter()
        .filter(|zone| zone.goes_out() && in_the_way.is_empty())
        .map(|zone| (zone.apex().to_owned(), zone))
        .collect::<BTreeMap<Name, _>>();
    let mut faults = Vec::new();
    let mut serials = BTreeMap::new();
    let mut each = |name: &Name, found: Result<ActualZone, Unread>| {
        let Some(zone) = open.remove(name) else {
            return;
        };
        shared.progress.planned();
        faults.extend(match found {
            Ok(actual) => {
                serials.insert(name.clone(), actual.serial());
                judge(zone, &actual)
            }
            Err(unread) => Some(unknown(zone, unread)),
        });
    };
    let is_whole = read(&to_read, orders.capacity, shared, crew, report, &mut each).await;
    if !is_whole {
        return None;
    }
    let unanswered = || (vec!["the reconciler did not answer".to_owned()], None);
    faults.extend(open.into_values().map(|zone| unknown(zone, unanswered())));
    faults.splice(0..0, in_the_way);
    report.faults.extend(told(faults));
    // A signer may have moved them, and nothing else: publishers work with what is served now.
    for zone in &mut planned {
        let serial = serials.get(&zone.apex().to_owned());
        if let (Some(actual), Some(serial)) = (&mut zone.actual, serial) {
            actual.serial = *serial;
        }
    }
    Some(planned)
}

/// Zones that are told of one by one; where more are not as they were, it is for one cause.
const MOST_TOLD: usize = 10;

/// The first of `faults`, the last of them with the number of the others.
fn told(mut faults: Vec<Problem>) -> Vec<Problem> {
    let more = faults.len().saturating_sub(MOST_TOLD);
    faults.truncate(MOST_TOLD);
    if more > 0
        && let Some(last) = faults.pop()
    {
        let noun = if more == 1 { "zone" } else { "zones" };
        faults.push(last.also(format!("{more} more {noun} stood in the way of the plan")));
    }
    faults
}

/// The publishers that changes of the plan go to and that take no part.
fn absent(planned: &[PlannedZone], crew: &mut Crew) -> Vec<Problem> {
    let present = crew.of(Role::Publisher);
    let present = present.map(|plugin| Arc::clone(plugin.key()));
    let present = present.collect::<BTreeSet<_>>();
    let mut absent = BTreeSet::new();
    for zone in planned.iter().filter(|zone| zone.goes_out()) {
        if let Publishers::Only(keys) = &zone.route.publishers {
            absent.extend(keys.iter().filter(|key| !present.contains(*key)));
        }
    }
    let problem = |key: &Arc<str>| {
        Problem::error(
            Code::AbsentPublisher,
            format!("the plan is for the publisher \"{key}\", which takes no part"),
        )
        .because("a change is applied when all its publishers say so; none of it was applied")
        .help("plan again: gordon-janitor plan --out FILE")
    };
    absent.into_iter().map(problem).collect()
}

/// The zones that would go another way than the configuration says, which decided it when the plan was made.
fn elsewhere(planned: &[PlannedZone], orders: &Orders<'_>, crew: &mut Crew) -> Vec<Problem> {
    let mut keys = |role| {
        let plugins = crew.of(role);
        plugins
            .map(|plugin| Arc::clone(plugin.key()))
            .collect::<Vec<_>>()
    };
    let (reconcilers, publishers) = (keys(Role::Reconciler), keys(Role::Publisher));
    let Some(first) = reconcilers.first() else {
        return Vec::new();
    };
    let routes = Routes::new(orders.core.routes.as_ref(), first);
    let goes_elsewhere = |zone: &&PlannedZone| {
        let (Some(route), planned) = (routes.of(zone.apex()), &zone.route) else {
            return true;
        };
        let mut publishers = publishers.iter();
        route.reconciler != planned.reconciler
            || publishers
                .any(|key| route.publishers.contain(key) != planned.publishers.contain(key))
    };
    let going_out = planned.iter().filter(|zone| zone.goes_out());
    let problem = |zone: &PlannedZone| {
        Problem::error(
            Code::DamagedPlan,
            format!(
                "the plan of zone `{}` goes another way than the configuration says",
                zone.apex()
            ),
        )
        .because("the configuration is the one that it was made with, so the plan was edited; none of it was applied")
        .help("plan again: gordon-janitor plan --out FILE")
    };
    going_out.filter(goes_elsewhere).map(problem).collect()
}

/// Why a plan that was made at `made_at` comes too late for `zone`, if it does.
fn superseded(
    zone: &PlannedZone,
    made_at: Timestamp,
    applied: AppliedPlan,
    now: Timestamp,
) -> Option<Problem> {
    let run = applied.run;
    let found = match applied.made_at.cmp(&made_at) {
        Ordering::Less => return None,
        Ordering::Equal => format!("run {run} applied this plan"),
        Ordering::Greater => format!(
            "run {run} applied one that was made at {:.0}; this one was made at {made_at:.0}",
            applied.made_at
        ),
    };
    let problem = Problem::error(
        Code::Superseded,
        format!("the plan for zone `{}` was overtaken", zone.apex()),
    )
    .found(found)
    .because("an older plan would take back what a newer one has done");
    Some(if applied.made_at > now {
        // No plan can be newer until then.
        problem
            .because("the clock was ahead when that one was made")
            .help("gordon-janitor run takes its place")
    } else {
        problem.help("plan again: gordon-janitor plan --out FILE")
    })
}

/// What is wrong with applying the plan of `zone` to `actual`.
fn judge(zone: &PlannedZone, actual: &ActualZone) -> Option<Problem> {
    let Some(expected) = zone.digests.and_then(|digests| digests.actual) else {
        let unknown = "when the plan was made, the reconciler did not give the actual zone";
        return Some(self::unknown(zone, (vec![unknown.to_owned()], None)));
    };
    let fits = zone.changes().verify(actual, &PRIMARYS);
    if expected == digests::of_actual(actual) && fits.is_ok() {
        return None;
    }
    let before = zone.actual.as_ref();
    let mut problem = Problem::error(
        Code::ActualChanged,
        format!(
            "zone `{}` is not as it was when the plan was made",
            zone.apex()
        ),
    )
    .found(format!(
        "planned for {}, now {}",
        state(
            before.and_then(|before| before.serial),
            before.map_or(0, |before| before.rrsets)
        ),
        state(actual.serial(), actual.rrset_count()),
    ));
    if let Err(fault) = fits {
        problem = problem.found(fault);
    }
    Some(
        problem
            .because("a plan is applied only to what it was made for; none of it was applied")
            .help("plan again, and look at what changed: gordon-janitor plan --out FILE"),
    )
}

fn state(serial: Option<Serial>, rrsets: usize) -> String {
    let noun = if rrsets == 1 { "RRset" } else { "RRsets" };
    match serial {
        Some(serial) => format!("serial {serial} with {rrsets} {noun}"),
        None => format!("{rrsets} {noun} without a SOA"),
    }
}

fn unknown(zone: &PlannedZone, (reason, hint): Unread) -> Problem {
    let problem = Problem::error(
        Code::NotConfirmed,
        format!(
            "nobody can tell whether zone `{}` is as it was when the plan was made",
            zone.apex()
        ),
    )
    .found(reason.join(": "))
    .because("a plan is applied only to what it was made for; none of it was applied");
    match hint {
        Some(hint) => problem.help(hint),
        None => problem.help("apply it again once the zone can be read, or plan again"),
    }
}
