//! Collects what publishers say became of their changes.

use std::sync::{Arc, Mutex, PoisonError};

use janitor_plugin_api::abi::abi_stable::erased_types::TD_Opaque;
use janitor_plugin_api::abi::abi_stable::std_types::RStr;
use janitor_plugin_api::abi::channel::{RawReports, RawReports_TO, Reports};
use janitor_plugin_api::abi::values::OutcomeCode;

use super::route::{Publishers, Route};
use crate::report::Tally;
use crate::secrets;

/// The outcomes of one publisher.
#[derive(Clone)]
pub struct Outcomes(Arc<Inner>);

struct Inner {
    publisher: Arc<str>,
    zones: Mutex<Vec<Zone>>,
}

/// What is known of the changes of one zone; its position is the ticket.
#[derive(Default)]
struct Zone {
    changes: Vec<OutcomeCode>,
    reasons: Vec<String>,
    /// Whether anything was reported that nobody asked for since.
    news: bool,
}

/// Most different reasons kept for one zone; a publisher that refuses everything says why a few times.
const MAX_REASONS: usize = 16;

impl Outcomes {
    /// An empty collection for `publisher`.
    #[must_use]
    pub fn new(publisher: Arc<str>) -> Self {
        let zones = Mutex::default();
        Self(Arc::new(Inner { publisher, zones }))
    }

    /// The publisher's key.
    #[must_use]
    pub fn publisher(&self) -> &Arc<str> {
        &self.0.publisher
    }

    /// A handle for the publisher to report with.
    #[must_use]
    pub fn handle(&self) -> Reports {
        RawReports_TO::from_value(self.clone(), TD_Opaque)
    }

    /// Expects outcomes for a message with `changes` changes and returns its ticket.
    #[must_use]
    pub fn expect(&self, changes: usize) -> u64 {
        let mut zones = self.zones();
        zones.push(Zone {
            changes: vec![OutcomeCode::UNKNOWN; changes],
            reasons: Vec::new(),
            news: false,
        });
        zones.len() as u64 - 1
    }

    /// Notes that a message is not sent to the publisher.
    pub fn refuse(&self, ticket: u64, reason: &str) {
        let mut zones = self.zones();
        let zone = usize::try_from(ticket)
            .ok()
            .and_then(|at| zones.get_mut(at));
        if let Some(zone) = zone {
            zone.changes.fill(OutcomeCode::REFUSED);
            zone.reasons.push(reason.to_owned());
            zone.news = true;
        }
    }

    /// The tickets of messages of which more is known than when this was asked last.
    #[must_use]
    pub fn news(&self) -> Vec<u64> {
        let mut zones = self.zones();
        let news = zones.iter_mut().enumerate();
        let news =
            news.filter_map(|(at, zone)| std::mem::take(&mut zone.news).then_some(at as u64));
        news.collect()
    }

    /// What became of the changes of a message.
    #[must_use]
    pub fn tally(&self, ticket: u64) -> Tally {
        let zones = self.zones();
        let Some(zone) = usize::try_from(ticket).ok().and_then(|at| zones.get(at)) else {
            return Tally::default();
        };
        let mut tally = Tally {
            reasons: zone.reasons.clone(),
            ..Tally::default()
        };
        for outcome in &zone.changes {
            match *outcome {
                OutcomeCode::APPLIED => tally.applied += 1,
                OutcomeCode::ACCEPTED => tally.accepted += 1,
                OutcomeCode::REFUSED => tally.refused += 1,
                _ => tally.unknown += 1,
            }
        }
        tally
    }

    /// The outcome of each change of a message, in its order.
    #[must_use]
    pub fn each(&self, ticket: u64) -> Vec<OutcomeCode> {
        let zones = self.zones();
        let zone = usize::try_from(ticket).ok().and_then(|at| zones.get(at));
        zone.map(|zone| zone.changes.clone()).unwrap_or_default()
    }

    fn zones(&self) -> std::sync::MutexGuard<'_, Vec<Zone>> {
        self.0.zones.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of each change of the zone with `ticket`, all publishers of its `route` taken together.
///
/// A change is applied when all of them say so; it is accepted when all of them at least have handed it
/// on; when one of them refused it, it is refused, and else unknown. A publisher of the route that takes
/// no part in the run has not got the change, which is refused then.
#[must_use]
pub fn together(
    route: &Route,
    ticket: u64,
    changes: usize,
    publishers: &[Outcomes],
) -> Vec<OutcomeCode> {
    let its = publishers
        .iter()
        .filter(|outcomes| route.publishers.contain(outcomes.publisher()))
        .collect::<Vec<_>>();
    let is_there = |key: &Arc<str>| its.iter().any(|outcomes| outcomes.publisher() == key);
    let are_all_there = match &route.publishers {
        Publishers::All => !its.is_empty(),
        Publishers::Only(keys) => keys.iter().all(is_there),
    };
    if !are_all_there {
        return vec![OutcomeCode::REFUSED; changes];
    }
    let mut together = vec![OutcomeCode::APPLIED; changes];
    for outcomes in its {
        let mut each = outcomes.each(ticket).into_iter();
        for outcome in &mut together {
            let other = each.next().unwrap_or(OutcomeCode::UNKNOWN);
            if badness(other) > badness(*outcome) {
                *outcome = other;
            }
        }
    }
    together
}

fn badness(outcome: OutcomeCode) -> u8 {
    match outcome {
        OutcomeCode::APPLIED => 0,
        OutcomeCode::ACCEPTED => 1,
        OutcomeCode::REFUSED => 3,
        _ => 2,
    }
}

impl RawReports for Outcomes {
    fn report(&self, ticket: u64, first: u32, count: u32, outcome: OutcomeCode, reason: RStr<'_>) {
        let mut zones = self.zones();
        let zone = usize::try_from(ticket)
            .ok()
            .and_then(|at| zones.get_mut(at));
        let range = zone.and_then(|zone| {
            let end = first.checked_add(count)? as usize;
            let changes = zone.changes.get_mut(first as usize..end)?;
            zone.news = true;
            Some((changes, &mut zone.reasons))
        });
        let Some((changes, reasons)) = range else {
            tracing::error!(
                publisher = %self.0.publisher, ticket, first, count,
                "a publisher reported on changes that it was not given"
            );
            return;
        };
        changes.fill(outcome);
        let reason = secrets::covered(&self.0.publisher, reason.as_str());
        if !reason.is_empty() && reasons.len() < MAX_REASONS && !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_without_a_report_is_unknown() {
        let outcomes = Outcomes::new("p".into());
        let ticket = outcomes.expect(3);
        outcomes.report(ticket, 1, 1, OutcomeCode::APPLIED, "".into());

        let tally = outcomes.tally(ticket);
        assert_eq!((tally.applied, tally.unknown), (1, 2));
        assert!(!tally.is_good());
    }

    #[test]
    fn a_later_report_replaces_an_earlier_one_and_reasons_stand_once() {
        let outcomes = Outcomes::new("p".into());
        let ticket = outcomes.expect(2);
        outcomes.report(ticket, 0, 2, OutcomeCode::REFUSED, "no room".into());
        outcomes.report(ticket, 0, 2, OutcomeCode::REFUSED, "no room".into());
        outcomes.report(ticket, 1, 1, OutcomeCode::ACCEPTED, "".into());

        let tally = outcomes.tally(ticket);
        assert_eq!((tally.refused, tally.accepted), (1, 1));
        assert_eq!(tally.reasons, ["no room"]);
    }

    #[test]
    fn reports_on_what_was_not_given_change_nothing() {
        let outcomes = Outcomes::new("p".into());
        let ticket = outcomes.expect(2);
        for (ticket, first, count) in [(7, 0, 1), (ticket, 1, 2), (ticket, u32::MAX, 2)] {
            outcomes.report(ticket, first, count, OutcomeCode::APPLIED, "".into());
        }
        assert_eq!(outcomes.tally(ticket).unknown, 2);
    }

    #[test]
    fn a_change_is_what_all_publishers_of_its_route_make_of_it() {
        use OutcomeCode as Code;

        let all = Route::to_all("r".into());
        let only = |keys: &[&str]| Route {
            publishers: Publishers::Only(keys.iter().map(|&key| key.into()).collect()),
            ..all.clone()
        };
        let publisher = |key: &str, each: [Code; 4]| {
            let outcomes = Outcomes::new(key.into());
            let ticket = outcomes.expect(4);
            for (at, outcome) in (0..).zip(each) {
                outcomes.report(ticket, at, 1, outcome, "".into());
            }
            outcomes
        };
        let p = publisher(
            "p",
            [Code::APPLIED, Code::APPLIED, Code::UNKNOWN, Code::APPLIED],
        );
        let q = publisher(
            "q",
            [Code::APPLIED, Code::ACCEPTED, Code::REFUSED, Code(200)],
        );
        let both = [p, q];
        let together = |route: &Route, publishers: &[Outcomes]| together(route, 0, 4, publishers);
        let joined = [Code::APPLIED, Code::ACCEPTED, Code::REFUSED, Code(200)];
        assert_eq!(together(&all, &both), joined);
        assert_eq!(together(&only(&["p", "q"]), &both), joined);
        assert_eq!(
            together(&only(&["p"]), &both),
            [Code::APPLIED, Code::APPLIED, Code::UNKNOWN, Code::APPLIED]
        );
        // One that is not there has not got them.
        assert_eq!(together(&only(&["p", "gone"]), &both), [Code::REFUSED; 4]);
        assert_eq!(together(&all, &[]), [Code::REFUSED; 4]);
    }

    #[test]
    fn an_outcome_that_this_host_does_not_know_is_unknown() {
        let outcomes = Outcomes::new("p".into());
        let ticket = outcomes.expect(1);
        outcomes.report(ticket, 0, 1, OutcomeCode(200), "".into());
        assert_eq!(outcomes.tally(ticket).unknown, 1);
    }
}
