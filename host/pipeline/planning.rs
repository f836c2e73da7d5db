//! From the authorities to the whole plan.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use janitor_plugin_api::abi::abi_stable::std_types::{ROption, RVec};
use janitor_plugin_api::abi::values::{AbiAnswer, AbiQuestion, AbiZone};
use janitor_plugin_api::dns::{DesiredZone, Name};

use super::Orders;
use super::judging::judge;
use crate::channel::{self, Inlet, Outlet};
use crate::crew::Crew;
use crate::manifest::Role;
use crate::metrics::{Number, Value};
use crate::offer::Shared;
use crate::plugin::Work;
use crate::report::{Failure, Report};
use crate::stations::answers::Answers;
use crate::stations::cuts::Apexes;
use crate::stations::merge::{Merge, Verdict};
use crate::stations::planned::PlannedZone;
use crate::stations::scope;
use crate::why::Inquiry;

/// Plans every zone. None if the reconciler did not come to its end: then there is no plan.
pub(super) async fn plan(
    orders: &Orders<'_>,
    sealed: bool,
    shared: &Shared,
    crew: &mut Crew,
    authority_missing: bool,
    report: &mut Report,
) -> Option<Vec<PlannedZone>> {
    let reconciler = crew.of(Role::Reconciler).next()?;
    let reconciler_key = Arc::clone(reconciler.key());
    let activity = reconciler.activity();
    let (receiving, sending) = (&activity.receiving, &activity.sending);
    let (outlet, zones) = channel::outlet(orders.capacity, Arc::clone(receiving));
    let (sink, mut answers) = channel::inlet(orders.capacity, Arc::clone(sending));
    reconciler.run(Work::Reconciler(zones, sink));

    let mut keys = Vec::new();
    let mut inlets = Vec::new();
    for authority in crew.of(Role::Authority) {
        let lane = Arc::clone(&authority.activity().sending);
        let (sink, inlet) = channel::inlet(orders.capacity, lane);
        keys.push(Arc::clone(authority.key()));
        inlets.push(Some(inlet));
        authority.run(Work::Authority(sink));
    }
    let mut merge = Merge::new(keys.clone());
    if authority_missing {
        merge.ended(false);
    }
    let planning = Planning {
        keys: &keys,
        merge: RefCell::new(merge),
        answers: RefCell::new(
            Answers::new(Arc::clone(&reconciler_key), Arc::clone(&orders.scope))
                .with_digests(sealed),
        ),
        reconciler: &reconciler_key,
        inquiry: orders.inquiry,
        shared,
    };
    let unfinished = planning.carry(inlets, outlet, &mut answers).await;
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
    let mut answers = answers.into_inner();
    for left_out in &*shared.left_out() {
        // Left out by whomever, and also after it was sent: there is no plan for it.
        if let Some(apex) = &left_out.zone {
            answers.withdraw(apex);
        }
    }
    let (mut planned, left_out) = answers.finish();
    for left_out in left_out {
        shared.leave_out(left_out);
    }
    let merge = merge.into_inner();
    let left_out = shared
        .left_out()
        .iter()
        .filter_map(|one| one.zone.clone())
        .collect::<Vec<_>>();
    let named = merge.names().chain(left_out.iter().map(Name::as_ref));
    let apexes = Apexes::new(named);
    judge(
        &mut planned,
        &merge,
        &apexes,
        &orders.judging,
        shared,
        report,
    );
    Some(planned)
}

/// Notes that a stream ended before it was complete, unless the plugin has said why.
fn note_unfinished(plugin: &Arc<str>, shared: &Shared, report: &mut Report) {
    let explained = report.failures.iter().any(|f| f.plugin == *plugin);
    if explained || shared.is_cancelled() {
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
    /// The authorities.
    keys: &'a [Arc<str>],
    merge: RefCell<Merge>,
    answers: RefCell<Answers>,
    reconciler: &'a str,
    inquiry: Option<&'a Inquiry>,
    shared: &'a Shared,
}

impl Planning<'_> {
    /// Carries zones to the reconciler and takes its answers until both streams have ended, the
    /// reconciler has failed, or the run is cancelled. Returns the authorities whose streams were not
    /// complete.
    async fn carry(
        &self,
        inlets: Vec<Option<Inlet<AbiZone>>>,
        outlet: Outlet<AbiQuestion>,
        answers: &mut Inlet<AbiAnswer>,
    ) -> Vec<usize> {
        // Boxed, so that it can be dropped: that ends the streams at both of its ends.
        let mut desired = Box::pin(self.desired(inlets, outlet));
        let mut answered = pin!(async {
            self.answered(answers).await;
            answers.is_complete()
        });
        tokio::select! {
            biased;
            complete = &mut answered => if complete {
                // It has ended early: the zones that still come are not answered.
                desired.await
            } else {
                Vec::new()
            },
            unfinished = &mut desired => {
                answered.await;
                unfinished
            }
            () = self.shared.stop.cancelled() => {
                drop(desired);
                answered.await;
                Vec::new()
            }
        }
    }

    /// Hands desired zones on until every authority has ended. Returns the authorities whose
    /// streams were not complete.
    async fn desired(
        &self,
        mut inlets: Vec<Option<Inlet<AbiZone>>>,
        outlet: Outlet<AbiQuestion>,
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
            if let Some(inquiry) = self.inquiry {
                inquiry.heard(&self.keys[authority], &message);
            }
            let verdict = self.merge.borrow_mut().take(authority, message);
            match verdict {
                Verdict::Hold => {}
                Verdict::LeaveOut(left_out) => {
                    if let Some(apex) = &left_out.zone {
                        self.answers.borrow_mut().withdraw(apex);
                    }
                    self.shared.leave_out(left_out);
                }
                Verdict::Forward(zone) => self.forward(zone, &outlet).await,
            }
        }
        let held = {
            let left_out = self.shared.left_out();
            self.merge.borrow_mut().rest(&left_out)
        };
        for zone in held {
            self.forward(zone, &outlet).await;
        }
        unfinished
    }

    /// Sends one zone to the reconciler. If it receives no more, the zone counts as not answered.
    async fn forward(&self, zone: DesiredZone, outlet: &Outlet<AbiQuestion>) {
        if let Some(inquiry) = self.inquiry {
            inquiry.forwarded(&zone);
        }
        self.answers.borrow_mut().asked(&zone);
        self.measure_desired(&zone);
        self.shared.progress.desired(zone.rrset_count());
        let apex = RVec::from(zone.apex().as_wire());
        let desired = ROption::RSome(zone.into_octets());
        let _received = outlet.send(AbiQuestion { apex, desired }).await;
    }

    fn measure_desired(&self, zone: &DesiredZone) {
        let merge = self.merge.borrow();
        let authority = merge.authority_of(zone.apex());
        let apex = zone.apex().to_string();
        self.shared.metrics.set(
            "rrsets",
            Number::count(zone.rrset_count()),
            &[
                ("plugin", Value::from(authority.map_or("merge", |key| key))),
                ("zone", Value::from(&*apex)),
            ],
        );
    }

    /// Takes the reconciler's answers until its stream ends.
    async fn answered(&self, inlet: &mut Inlet<AbiAnswer>) {
        while let Some(answer) = inlet.receive().await {
            if let Some(inquiry) = self.inquiry {
                inquiry.answered(&answer);
            }
            let mut answers = self.answers.borrow_mut();
            match answers.take(answer) {
                Ok(None) => {}
                Ok(Some(planned)) => {
                    self.shared.progress.planned();
                    self.measure_planned(planned);
                    if let Some(problem) = scope::doubts(planned) {
                        self.shared.tell(&problem);
                    }
                    if planned.held_back > 0 {
                        tracing::warn!(
                            zone = %planned.apex(), held_back = planned.held_back,
                            complete = planned.complete,
                            "differences are left as they are: the desired zone is incomplete there"
                        );
                    }
                }
                Err(left_out) => {
                    drop(answers);
                    self.shared.progress.planned();
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
        let counts = planned.counts();
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
                    Number::count(number),
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
