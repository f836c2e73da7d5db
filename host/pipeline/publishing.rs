//! From the plan to what became of it.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use janitor_plugin_api::abi::values::{AbiZoneChanges, OutcomeCode};
use janitor_plugin_api::dns::Change;

use super::Orders;
use crate::channel::{self, Outlet};
use crate::crew::Crew;
use crate::manifest::Role;
use crate::metrics::{Number, Value};
use crate::offer::Shared;
use crate::plugin::Work;
use crate::report::Report;
use crate::stations::outcomes::Outcomes;
use crate::stations::planned::PlannedZone;

/// A publisher at work.
pub(super) struct Employed {
    outlet: Outlet<AbiZoneChanges>,
    pub(super) outcomes: Outcomes,
}

pub(super) fn employ_publishers(crew: &mut Crew, orders: &Orders<'_>) -> Vec<Employed> {
    crew.of(Role::Publisher)
        .map(|publisher| {
            let lane = Arc::clone(&publisher.activity().receiving);
            let (outlet, source) = channel::outlet(orders.capacity, lane);
            let outcomes = Outcomes::new(Arc::clone(publisher.key()));
            publisher.run(Work::Publisher(source, outcomes.handle()));
            Employed { outlet, outcomes }
        })
        .collect()
}

/// Sends every publisher what of the plan is on its routes. The stream of each ends with its own last message, or when
/// the run is cancelled.
pub(super) async fn publish(plan: &[PlannedZone], publishers: Vec<Employed>, shared: &Shared) {
    let mut sending = publishers
        .into_iter()
        .map(|publisher| Box::pin(send_plan(plan, publisher, shared)))
        .collect::<Vec<_>>();
    poll_fn(|cx| {
        sending.retain_mut(|sending| sending.as_mut().poll(cx).is_pending());
        if sending.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

async fn send_plan(plan: &[PlannedZone], publisher: Employed, shared: &Shared) {
    let Employed { outlet, outcomes } = publisher;
    // Every ticket is expected before the first message goes: what a publisher never received has
    // no report either, and counts as unknown.
    let tickets = plan.iter().map(|zone| {
        outcomes.expect(if goes_to(zone, outcomes.publisher()) {
            zone.changes().len()
        } else {
            0
        })
    });
    let tickets = tickets.collect::<Vec<_>>();
    for (zone, ticket) in plan.iter().zip(tickets) {
        if !goes_to(zone, outcomes.publisher()) {
            continue;
        }
        if shared.is_cancelled() {
            outcomes.refuse(ticket, "the run was cancelled before their turn");
            continue;
        }
        let serial = zone.actual.as_ref().and_then(|actual| actual.serial);
        let message = AbiZoneChanges {
            ticket,
            apex: zone.apex().as_wire().into(),
            octets: zone.changes().octets().into(),
            serial: serial.map(|serial| serial.0).into(),
        };
        tokio::select! {
            biased;
            () = shared.stop.cancelled() => {
                outcomes.refuse(ticket, "the run was cancelled before their turn");
            }
            received = outlet.send(message) => if received {
                shared.progress.published();
            } else {
                return;
            },
        }
    }
}

/// Whether there is anything to publish of a zone, by this publisher, and it may be.
fn goes_to(zone: &PlannedZone, publisher: &str) -> bool {
    zone.goes_out() && zone.route.publishers.contain(publisher)
}

/// Puts into the report, the log and the metrics what became of every change.
pub(super) fn tell_outcomes(
    plan: &[PlannedZone],
    publishers: &[Outcomes],
    shared: &Shared,
    report: &mut Report,
) {
    for outcomes in publishers {
        let mut totals = Totals::default();
        for (ticket, (zone, told)) in plan.iter().zip(&mut report.zones).enumerate() {
            if !goes_to(zone, outcomes.publisher()) {
                continue;
            }
            let ticket = ticket as u64;
            totals.add(zone, &outcomes.each(ticket));
            let tally = outcomes.tally(ticket);
            if !tally.is_good() {
                tracing::error!(
                    zone = %zone.apex(), publisher = %outcomes.publisher(),
                    refused = tally.refused, unknown = tally.unknown,
                    reason = tally.reason(),
                    "changes {}", tally.verdict()
                );
            }
            told.published
                .push((Arc::clone(outcomes.publisher()), tally));
        }
        totals.measure(outcomes.publisher(), shared);
    }
}

/// Changed RRsets of one publisher by action and result.
#[derive(Default)]
struct Totals {
    additions: [usize; 2],
    deletions: [usize; 2],
}

impl Totals {
    fn add(&mut self, zone: &PlannedZone, outcomes: &[OutcomeCode]) {
        for (change, outcome) in zone.changes().iter().zip(outcomes) {
            let good = matches!(*outcome, OutcomeCode::APPLIED | OutcomeCode::ACCEPTED);
            let result = usize::from(!good);
            match change {
                Change::Addition(_) => self.additions[result] += 1,
                Change::Deletion(_) => self.deletions[result] += 1,
                Change::Update { .. } => {
                    self.additions[result] += 1;
                    self.deletions[result] += 1;
                }
            }
        }
    }

    fn measure(&self, publisher: &str, shared: &Shared) {
        for (action, numbers) in [("deletions", self.deletions), ("additions", self.additions)] {
            for (result, number) in ["published", "error"].into_iter().zip(numbers) {
                if number == 0 {
                    continue;
                }
                shared.metrics.incr(
                    "change-message",
                    Number::count(number),
                    &[
                        ("plugin", Value::from(publisher)),
                        ("action", Value::from(action)),
                        ("result", Value::from(result)),
                    ],
                );
            }
        }
    }
}
