//! From what a run did to the plan that takes it back.

use std::collections::BTreeMap;
use std::sync::Arc;

use janitor_plugin_api::dns::{ActualZone, Name, Rtype};

use super::Orders;
use super::judging::{Judging, judge};
use super::reading::{Unread, read};
use super::routing::Ways;
use crate::crew::Crew;
use crate::offer::Shared;
use crate::report::{LeftOut, LeftOutKind, Report, links};
use crate::stations::cuts::Apexes;
use crate::stations::planned::PlannedZone;
use crate::stations::undo::{self, Done, WayBack};

/// Names that are told of a zone at most; the rest is counted.
const NAMED: usize = 8;

/// Reads every zone, and plans the way back as far as there is one: on the routes that there are now, within
/// the scope, and judged as every plan is. None if a reconciler did not come to its end.
pub(super) async fn undo(
    orders: &Orders<'_>,
    zones: Vec<(Name, Done)>,
    shared: &Shared,
    crew: &mut Crew,
    report: &mut Report,
) -> Option<Vec<PlannedZone>> {
    let ways = Ways::new(orders.core, crew)?;
    let mut to_read = Vec::new();
    let mut open = BTreeMap::new();
    for (zone, done) in zones {
        match ways.of(&zone) {
            Ok((route, _)) => {
                to_read.push((zone.clone(), Arc::clone(&route.reconciler)));
                open.insert(zone, (done, Arc::clone(route)));
            }
            Err(left_out) => shared.leave_out(left_out),
        }
    }
    let mut planned = BTreeMap::new();
    let mut each = |name: &Name, found: Result<ActualZone, Unread>| {
        let Some((done, route)) = open.remove(name) else {
            return;
        };
        shared.progress.planned();
        match found.and_then(|actual| way_back(&done, actual)) {
            Ok((way_back, actual)) => {
                let plan = undo::plan(&way_back, &actual, &route, &orders.scope);
                if let Some(left_out) = changed_since(name, &done, &way_back) {
                    shared.leave_out(left_out);
                }
                planned.insert(name.clone(), plan);
            }
            Err((reason, hint)) => shared.leave_out(LeftOut {
                hint,
                reason,
                ..LeftOut::zone(name.as_ref(), &route.reconciler, LeftOutKind::Reported, "")
            }),
        }
    };
    if !read(&to_read, orders.capacity, shared, crew, report, &mut each).await {
        return None;
    }
    for (zone, (_, route)) in open {
        let reason = "the reconciler did not answer";
        let (kind, plugin) = (LeftOutKind::Unanswered, &route.reconciler);
        shared.leave_out(LeftOut::zone(zone.as_ref(), plugin, kind, reason));
    }
    let mut planned = planned.into_values().collect::<Vec<_>>();
    // A zone may have come since to which a name belongs now.
    let known = orders.judging.memories.keys();
    let names = to_read.iter().map(|(zone, _)| zone).chain(known);
    let apexes = Apexes::new(names.map(Name::as_ref), [].into_iter());
    // The other zones of the last run are not missing: nobody asked for them.
    let memories = to_read.iter().filter_map(|(zone, _)| {
        let memory = orders.judging.memories.get(zone)?;
        Some((zone.clone(), memory.clone()))
    });
    let memories = memories.collect();
    let judging = Judging {
        memories: &memories,
        ..orders.judging
    };
    judge(&mut planned, &apexes, true, &judging, shared, report);
    Some(planned)
}

fn way_back(done: &Done, actual: ActualZone) -> Result<(WayBack, ActualZone), Unread> {
    match done.way_back(&actual) {
        Ok(way_back) => Ok((way_back, actual)),
        Err(error) => Err((links(&error), None)),
    }
}

/// What is told of a zone in which somebody has changed what was to be taken back.
fn changed_since(zone: &Name, done: &Done, way_back: &WayBack) -> Option<LeftOut> {
    let changed = &way_back.changed_since;
    if changed.is_empty() {
        return None;
    }
    let named = changed.iter().take(NAMED);
    let named = named.map(|(owner, rtype): &(Name, Rtype)| format!("{owner} {rtype}"));
    let mut named = named.collect::<Vec<_>>().join(", ");
    if changed.len() > NAMED {
        named.push_str(&format!(" and {} more", changed.len() - NAMED));
    }
    let of = done.made.iter().filter(|made| **made).count();
    Some(LeftOut {
        // The rest of the zone takes part.
        zone: None,
        what: format!("{} of {of} changes of {zone}", changed.len()),
        plugin: None,
        kind: LeftOutKind::ChangedSince,
        reason: vec![format!("changed since, and stays as it is: {named}")],
        hint: None,
    })
}
