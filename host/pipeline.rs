//! One run: desired zones in, changes out.
//!
//! ```text
//! create all ─► desired ─► merge ─► reconciler ─► answers ─┐   (zones overlap)
//!                                                          ▼
//!                      the whole plan ─► publishers ─► outcomes ─► all ended
//! ```
//!
//! Nothing is published before every zone is planned. Whatever a plugin does, the run comes to an end
//! once it is cancelled: what has not stopped after twice the grace is abandoned by name.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use janitor_plugin_api::abi::abi_stable::std_types::RVec;
use janitor_plugin_api::abi::values::{AbiAnswer, AbiZone, AbiZoneChanges, OutcomeCode};
use janitor_plugin_api::dns::{Change, DesiredZone};

use crate::channel::{self, Inlet, Outlet};
use crate::crew::{Crew, NotCreated, Recruit, give_up};
use crate::manifest::Role;
use crate::metrics::{Number, Value};
use crate::offer::Shared;
use crate::plugin::Work;
use crate::progress::Progress;
use crate::report::{Cancellation, Failure, Report, ZoneReport};
use crate::stations::answers::{Answers, PlannedZone};
use crate::stations::merge::{Merge, Verdict};
use crate::stations::outcomes::Outcomes;

/// How a run is carried out.
pub struct Orders<'a> {
    /// The plugins, each role as often as it may be. Without publishers the run ends with the plan.
    pub recruits: &'a [Recruit],
    /// Whether a plugin that cannot be created is left behind (`core.debug`).
    pub tolerant: bool,
    /// Whether an authority is missing already, so that nothing may be deleted.
    pub authority_missing: bool,
    /// Messages that a channel holds.
    pub capacity: usize,
    /// Where long work shows how far it is.
    pub progress: &'a Progress,
}

/// What came of a run.
#[derive(Default)]
pub struct Outcome {
    /// What happened to each zone.
    pub report: Report,
    /// What was to be done about each zone, in canonical order.
    pub plan: Vec<PlannedZone>,
    /// Plugins that could not be created. Unless tolerated, nothing ran.
    pub not_created: Vec<NotCreated>,
}

/// How long the host waits beyond what plugins were promised.
const MARGIN: Duration = Duration::from_secs(1);

/// Carries out one run.
pub async fn run(orders: &Orders<'_>, shared: &Arc<Shared>) -> Outcome {
    let mut outcome = Outcome::default();
    let mut crew = None;
    let cancelled_by = RefCell::new(None);
    let abandon = async {
        let deadline = async {
            match shared.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = shared.cancelled.cancelled() => {}
            () = deadline => {
                *cancelled_by.borrow_mut() = Some(Cancellation::Deadline);
                tracing::error!("the run reached core.deadline and is cancelled");
                shared.cancelled.cancel();
            }
        }
        tokio::time::sleep(shared.grace * 2 + MARGIN).await;
    };
    tokio::select! {
        biased;
        () = flow(orders, shared, &mut crew, &mut outcome) => {}
        () = abandon => {}
        () = orders.progress.show() => {}
    }
    let report = &mut outcome.report;
    report.cancelled = report.cancelled.or(cancelled_by.take());
    if let Some(crew) = crew {
        crew.abandon(report);
    }
    report.left_out.append(&mut shared.left_out());
    outcome
}

async fn flow(
    orders: &Orders<'_>,
    shared: &Arc<Shared>,
    crew: &mut Option<Crew>,
    outcome: &mut Outcome,
) {
    let (created, not_created) = Crew::create(orders.recruits, shared).await;
    let crew = crew.insert(created);
    outcome.not_created = not_created;
    if !outcome.not_created.is_empty() && !orders.tolerant {
        return;
    }
    let authority_missing = orders.authority_missing
        || outcome
            .not_created
            .iter()
            .any(|plugin| plugin.role == Role::Authority);
    let report = &mut outcome.report;
    let publishers = employ_publishers(crew, orders);
    let planned = plan(orders, shared, crew, authority_missing, report).await;
    let Some(planned) = planned else {
        drop(publishers);
        give_up(shared, report);
        crew.ended(ALL, report).await;
        return;
    };
    outcome.plan = planned;
    if !shared.cancelled.is_cancelled() && !publishers.is_empty() {
        report.published = true;
        publish(&outcome.plan, &publishers, orders.progress).await;
    }
    let outcomes = publishers
        .into_iter()
        .map(|publisher| publisher.outcomes)
        .collect::<Vec<_>>();
    crew.ended(&[Role::Publisher], report).await;
    if report.published {
        tell_outcomes(&outcome.plan, &outcomes, shared, report);
    }
    if !crew.ended_soon(ALL, report).await {
        shared.cancelled.cancel();
        crew.ended(ALL, report).await;
    }
}

const ALL: &[Role] = &[Role::Publisher, Role::Reconciler, Role::Authority];

/// A publisher at work.
struct Employed {
    outlet: Outlet<AbiZoneChanges>,
    outcomes: Outcomes,
}

fn employ_publishers(crew: &mut Crew, orders: &Orders<'_>) -> Vec<Employed> {
    crew.of(Role::Publisher)
        .map(|publisher| {
            let (outlet, source) = channel::outlet(orders.capacity);
            let outcomes = Outcomes::new(Arc::clone(publisher.key()));
            publisher.run(Work::Publisher(source, outcomes.handle()));
            Employed { outlet, outcomes }
        })
        .collect()
}

/// Plans every zone. None if the reconciler did not come to its end: then there is no plan.
async fn plan(
    orders: &Orders<'_>,
    shared: &Shared,
    crew: &mut Crew,
    authority_missing: bool,
    report: &mut Report,
) -> Option<Vec<PlannedZone>> {
    let reconciler = crew.of(Role::Reconciler).next()?;
    let reconciler_key = Arc::clone(reconciler.key());
    let (outlet, zones) = channel::outlet(orders.capacity);
    let (sink, mut answers) = channel::inlet(orders.capacity);
    reconciler.run(Work::Reconciler(zones, sink));

    let mut keys = Vec::new();
    let mut inlets = Vec::new();
    for authority in crew.of(Role::Authority) {
        let (sink, inlet) = channel::inlet(orders.capacity);
        keys.push(Arc::clone(authority.key()));
        inlets.push(Some(inlet));
        authority.run(Work::Authority(sink));
    }
    let mut merge = Merge::new(keys.clone());
    if authority_missing {
        merge.ended(false);
    }
    let planning = Planning {
        merge: RefCell::new(merge),
        answers: RefCell::new(Answers::new(Arc::clone(&reconciler_key))),
        reconciler: &reconciler_key,
        shared,
        progress: orders.progress,
    };
    let (unfinished, ()) = tokio::join!(
        planning.desired(inlets, outlet),
        planning.answered(&mut answers),
    );
    if !answers.is_complete() {
        crew.ended_soon(&[Role::Reconciler], report).await;
        note_unfinished(&reconciler_key, shared, report);
        return None;
    }
    if !unfinished.is_empty() {
        crew.ended_soon(&[Role::Authority], report).await;
    }
    for index in unfinished {
        note_unfinished(&keys[index], shared, report);
    }
    let Planning { merge, answers, .. } = planning;
    let (planned, left_out) = answers.into_inner().finish();
    for left_out in left_out {
        shared.leave_out(left_out);
    }
    let merge = merge.into_inner();
    report.zones = planned
        .iter()
        .map(|zone| ZoneReport {
            apex: zone.apex().to_owned(),
            authority: merge.authority_of(zone.apex()).cloned(),
            desired: zone.desired,
            actual: zone.actual,
            changes: zone.counts,
            published: Vec::new(),
        })
        .collect();
    Some(planned)
}

/// Notes that a stream ended before it was complete, unless the plugin has said why.
fn note_unfinished(plugin: &Arc<str>, shared: &Shared, report: &mut Report) {
    let explained = report.failures.iter().any(|f| f.plugin == *plugin);
    if explained || shared.cancelled.is_cancelled() {
        return;
    }
    report.fail(Failure {
        plugin: Arc::clone(plugin),
        chain: vec!["it ended without finishing its stream".to_owned()],
        hint: None,
        panicked: false,
    });
}

/// The stations between authorities and reconciler and behind the reconciler, at work.
struct Planning<'a> {
    merge: RefCell<Merge>,
    answers: RefCell<Answers>,
    reconciler: &'a str,
    shared: &'a Shared,
    progress: &'a Progress,
}

impl Planning<'_> {
    /// Hands desired zones on until every authority has ended. Returns the authorities whose
    /// streams were not complete.
    async fn desired(
        &self,
        mut inlets: Vec<Option<Inlet<AbiZone>>>,
        outlet: Outlet<AbiZone>,
    ) -> Vec<usize> {
        let mut unfinished = Vec::new();
        while let Some((authority, message)) = next_of(&mut inlets).await {
            let Some(message) = message else {
                let ended = inlets[authority].take();
                let complete = ended.is_some_and(|inlet| inlet.is_complete());
                if !complete {
                    unfinished.push(authority);
                }
                self.merge.borrow_mut().ended(complete);
                continue;
            };
            let verdict = self.merge.borrow_mut().take(authority, message);
            match verdict {
                Verdict::Hold => {}
                Verdict::LeaveOut(left_out) => {
                    if let Some(apex) = &left_out.zone {
                        self.answers.borrow_mut().withdraw(apex);
                    }
                    self.shared.leave_out(left_out);
                }
                Verdict::Forward(zone) => {
                    if !self.forward(zone, &outlet).await {
                        return unfinished;
                    }
                }
            }
        }
        let held = {
            let left_out = self.shared.left_out();
            self.merge.borrow_mut().rest(&left_out)
        };
        for zone in held {
            if !self.forward(zone, &outlet).await {
                break;
            }
        }
        unfinished
    }

    /// Sends one zone to the reconciler; false if it receives no more.
    async fn forward(&self, zone: DesiredZone, outlet: &Outlet<AbiZone>) -> bool {
        self.answers.borrow_mut().asked(&zone);
        self.measure_desired(&zone);
        self.progress.desired(zone.rrset_count());
        let apex = RVec::from(zone.apex().as_wire());
        let octets = zone.into_octets();
        outlet.send(AbiZone { apex, octets }).await
    }

    fn measure_desired(&self, zone: &DesiredZone) {
        let merge = self.merge.borrow();
        let authority = merge.authority_of(zone.apex());
        let apex = zone.apex().to_string();
        self.shared.metrics.set(
            "rrsets",
            count(zone.rrset_count()),
            &[
                ("plugin", Value::from(authority.map_or("merge", |key| key))),
                ("zone", Value::from(&*apex)),
            ],
        );
    }

    /// Takes the reconciler's answers until its stream ends.
    async fn answered(&self, inlet: &mut Inlet<AbiAnswer>) {
        while let Some(answer) = inlet.receive().await {
            let mut answers = self.answers.borrow_mut();
            match answers.take(answer) {
                Ok(None) => {}
                Ok(Some(planned)) => {
                    self.progress.planned();
                    self.measure_planned(planned);
                }
                Err(left_out) => {
                    drop(answers);
                    self.progress.planned();
                    self.shared.leave_out(left_out);
                }
            }
        }
    }

    fn measure_planned(&self, planned: &PlannedZone) {
        let merge = self.merge.borrow();
        let authority = merge
            .authority_of(planned.apex())
            .map_or("merge", |key| key);
        let counts = planned.counts;
        for (action, number, source) in [
            ("additions", counts.additions + counts.updates, authority),
            (
                "deletions",
                counts.deletions + counts.updates,
                self.reconciler,
            ),
        ] {
            if number > 0 {
                self.shared.metrics.set(
                    "rrsets-handled",
                    count(number),
                    &[
                        ("plugin", Value::from(self.reconciler)),
                        ("action", Value::from(action)),
                        ("source", Value::from(source)),
                    ],
                );
            }
        }
    }
}

/// The next message of any inlet with its position, or the end of one; none when all have ended.
async fn next_of<T>(inlets: &mut [Option<Inlet<T>>]) -> Option<(usize, Option<T>)> {
    poll_fn(|cx| {
        let mut open = false;
        for (index, inlet) in inlets.iter_mut().enumerate() {
            let Some(inlet) = inlet else { continue };
            open = true;
            if let Poll::Ready(message) = inlet.poll_receive(cx) {
                return Poll::Ready(Some((index, message)));
            }
        }
        if open {
            Poll::Pending
        } else {
            Poll::Ready(None)
        }
    })
    .await
}

/// Sends the whole plan to every publisher.
async fn publish(plan: &[PlannedZone], publishers: &[Employed], progress: &Progress) {
    let mut sending = publishers
        .iter()
        .map(|publisher| Box::pin(send_plan(plan, publisher, progress)))
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

async fn send_plan(plan: &[PlannedZone], publisher: &Employed, progress: &Progress) {
    // Every ticket is expected before the first message goes: what a publisher never received has
    // no report either, and counts as unknown.
    let tickets = plan
        .iter()
        .map(|zone| publisher.outcomes.expect(zone.changes.len()));
    let tickets = tickets.collect::<Vec<_>>();
    for (zone, ticket) in plan.iter().zip(tickets) {
        if zone.changes.is_empty() {
            continue;
        }
        let message = AbiZoneChanges {
            ticket,
            apex: zone.apex().as_wire().into(),
            octets: zone.changes.octets().into(),
        };
        if !publisher.outlet.send(message).await {
            return;
        }
        progress.published();
    }
}

/// Puts into the report, the log and the metrics what became of every change.
fn tell_outcomes(
    plan: &[PlannedZone],
    publishers: &[Outcomes],
    shared: &Shared,
    report: &mut Report,
) {
    for outcomes in publishers {
        let mut totals = Totals::default();
        for (ticket, (zone, told)) in plan.iter().zip(&mut report.zones).enumerate() {
            if zone.changes.is_empty() {
                continue;
            }
            let ticket = ticket as u64;
            totals.add(zone, &outcomes.each(ticket));
            let tally = outcomes.tally(ticket);
            if !tally.is_good() {
                tracing::error!(
                    zone = %zone.apex(), publisher = %outcomes.publisher(),
                    refused = tally.refused, unknown = tally.unknown,
                    reason = tally.reasons.join("; "),
                    "changes were not applied"
                );
            }
            told.published
                .push((Arc::clone(outcomes.publisher()), tally));
        }
        totals.measure(outcomes.publisher(), shared);
    }
}

fn count(number: usize) -> Number {
    Number::from(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Changed RRsets of one publisher by action and result.
#[derive(Default)]
struct Totals {
    additions: [usize; 2],
    deletions: [usize; 2],
}

impl Totals {
    fn add(&mut self, zone: &PlannedZone, outcomes: &[OutcomeCode]) {
        for (change, outcome) in zone.changes.iter().zip(outcomes) {
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
                    count(number),
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
