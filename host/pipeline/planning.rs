//! From the authorities to the whole plan.

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use janitor_plugin_api::abi::abi_stable::std_types::{ROption, RVec};
use janitor_plugin_api::abi::values::{AbiAnswer, AbiQuestion, AbiZone};
use janitor_plugin_api::dns::Name;

use super::Orders;
use super::judging::judge;
use super::measuring::{measure_desired, measure_planned};
use super::merging::{missing_speakers, speaker, tell_losers, tell_remarks};
use super::routing::Ways;
use crate::channel::{self, Inlet, Outlet};
use crate::crew::{Crew, NotCreated};
use crate::manifest::Role;
use crate::offer::Shared;
use crate::plugin::Work;
use crate::report::{Failure, Report};
use crate::stations::answers::Answers;
use crate::stations::cuts::Apexes;
use crate::stations::merge::{Merge, Merged, Verdict};
use crate::stations::planned::PlannedZone;
use crate::stations::scope;
use crate::why::Inquiry;

/// Plans every zone. None if a reconciler did not come to its end: then there is no plan.
pub(super) async fn plan(
    orders: &Orders<'_>,
    sealed: bool,
    shared: &Shared,
    crew: &mut Crew,
    not_created: &[NotCreated],
    report: &mut Report,
) -> Option<Vec<PlannedZone>> {
    let mut lanes = Vec::new();
    let mut outlets = Vec::new();
    let mut answers = Vec::new();
    for reconciler in crew.of(Role::Reconciler) {
        let activity = reconciler.activity();
        let (receiving, sending) = (&activity.receiving, &activity.sending);
        let (outlet, zones) = channel::outlet(orders.capacity, Arc::clone(receiving));
        let (sink, inlet) = channel::inlet(orders.capacity, Arc::clone(sending));
        lanes.push(Lane {
            reconciler: Arc::clone(reconciler.key()),
            answers: RefCell::new(
                Answers::new(Arc::clone(reconciler.key()), Arc::clone(&orders.scope))
                    .with_digests(sealed),
            ),
        });
        outlets.push(outlet);
        answers.push(Some(inlet));
        reconciler.run(Work::Reconciler(zones, sink));
    }
    let mut keys = Vec::new();
    let mut inlets = Vec::new();
    for authority in crew.of(Role::Authority) {
        let lane = Arc::clone(&authority.activity().sending);
        let (sink, inlet) = channel::inlet(orders.capacity, lane);
        keys.push(Arc::clone(authority.key()));
        inlets.push(Some(inlet));
        authority.run(Work::Authority(sink));
    }
    let core = orders.core;
    let speakers = keys.iter().map(|key| speaker(core, key)).collect();
    let missing = missing_speakers(core, orders.missing_authorities, not_created);
    let none_missing = missing.is_empty();
    let planning = Planning {
        merge: RefCell::new(Merge::new(core.merge.clone(), speakers, missing)),
        ways: Ways::new(core, crew)?,
        lanes,
        inquiry: orders.inquiry,
        shared,
    };
    let carried = planning.carry(inlets, outlets, &mut answers).await;
    let unfinished = match carried {
        Ok(unfinished) => unfinished,
        Err(broken) => {
            let ended = crew.ended_soon(&[Role::Reconciler], report);
            // The others may have answers left that they could not end without.
            tokio::select! {
                biased;
                _ = ended => {}
                () = drain(&mut answers) => {}
            }
            note_unfinished(&planning.lanes[broken].reconciler, shared, report);
            return None;
        }
    };
    let heard_all = none_missing && unfinished.is_empty();
    if !unfinished.is_empty() {
        crew.ended_soon(&[Role::Authority], report).await;
    }
    for index in unfinished {
        note_unfinished(&keys[index], shared, report);
    }
    let Planning { merge, lanes, .. } = planning;
    let merge = merge.into_inner();
    let mut planned = Vec::new();
    for lane in lanes {
        let mut answers = lane.answers.into_inner();
        for left_out in &*shared.left_out() {
            // Left out by whomever, and also after it was sent: there is no plan for it.
            if let Some(apex) = &left_out.zone {
                answers.withdraw(apex);
            }
        }
        let (mut its, left_out) = answers.finish();
        planned.append(&mut its);
        for left_out in left_out {
            shared.leave_out(left_out);
        }
    }
    planned.sort_by(|left, right| left.apex().cmp(&right.apex()));
    let left_out = shared
        .left_out()
        .iter()
        .filter_map(|one| one.zone.clone())
        .collect::<Vec<_>>();
    let named = merge.names().chain(left_out.iter().map(Name::as_ref));
    let apexes = Apexes::new(named, merge.unheard());
    let judging = &orders.judging;
    judge(&mut planned, &apexes, heard_all, judging, shared, report);
    tell_remarks(core, &merge, shared, report);
    tell_losers(&planned, report);
    Some(planned)
}

/// Receives what is still sent, until it is dropped.
async fn drain(answers: &mut [Option<Inlet<AbiAnswer>>]) {
    while let Some((index, answer)) = next_of(answers).await {
        if answer.is_none() {
            answers[index] = None;
        }
    }
    pending::<()>().await;
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

/// What the host has of one reconciler.
struct Lane {
    reconciler: Arc<str>,
    answers: RefCell<Answers>,
}

/// The stations between authorities and reconcilers and behind the reconcilers, at work.
struct Planning<'a> {
    /// The authorities.
    merge: RefCell<Merge>,
    ways: Ways,
    /// In the order of the reconcilers.
    lanes: Vec<Lane>,
    inquiry: Option<&'a Inquiry>,
    shared: &'a Shared,
}

impl Planning<'_> {
    /// Carries zones to the reconcilers and takes their answers until all streams have ended, or the run
    /// is cancelled. Returns the authorities whose streams were not complete.
    ///
    /// # Errors
    ///
    /// The reconciler whose stream was not complete. Whatever the others say, there is no plan then.
    async fn carry(
        &self,
        inlets: Vec<Option<Inlet<AbiZone>>>,
        outlets: Vec<Outlet<AbiQuestion>>,
        answers: &mut [Option<Inlet<AbiAnswer>>],
    ) -> Result<Vec<usize>, usize> {
        // Boxed, so that it can be dropped: that ends the streams at both of its ends.
        let mut desired = Box::pin(self.desired(inlets, outlets));
        let mut answered = pin!(self.answered(answers));
        tokio::select! {
            biased;
            complete = &mut answered => {
                complete?;
                // They have ended early: the zones that still come are not answered.
                Ok(desired.await)
            }
            unfinished = &mut desired => {
                answered.await?;
                Ok(unfinished)
            }
            () = self.shared.stop.cancelled() => {
                drop(desired);
                answered.await?;
                Ok(Vec::new())
            }
        }
    }

    /// Hands desired zones on until every authority has ended. Returns the authorities whose
    /// streams were not complete.
    async fn desired(
        &self,
        mut inlets: Vec<Option<Inlet<AbiZone>>>,
        outlets: Vec<Outlet<AbiQuestion>>,
    ) -> Vec<usize> {
        let mut unfinished = Vec::new();
        while let Some((authority, message)) = next_of(&mut inlets).await {
            let Some(message) = message else {
                let ended = inlets[authority].take();
                let complete = ended.is_some_and(|inlet| inlet.is_complete());
                if !complete {
                    unfinished.push(authority);
                }
                {
                    let left_out = self.shared.left_out();
                    let mut merge = self.merge.borrow_mut();
                    merge.ended(authority, complete, &left_out);
                }
                loop {
                    let Some(verdict) = self.merge.borrow_mut().next_ready() else {
                        break;
                    };
                    self.follow(verdict, &outlets).await;
                }
                continue;
            };
            let opened = self.merge.borrow_mut().open(authority, message);
            let verdict = match opened {
                Ok(zone) => {
                    let mut merge = self.merge.borrow_mut();
                    if let Some(inquiry) = self.inquiry {
                        inquiry.heard(merge.key_of(authority), &zone);
                    }
                    merge.take(authority, zone)
                }
                Err(verdict) => verdict,
            };
            self.follow(verdict, &outlets).await;
        }
        unfinished
    }

    /// Does with a zone what the merge says.
    async fn follow(&self, verdict: Verdict, outlets: &[Outlet<AbiQuestion>]) {
        match verdict {
            Verdict::Hold | Verdict::PassOver => {}
            Verdict::LeaveOut(left_out) => {
                if let Some(apex) = &left_out.zone {
                    for lane in &self.lanes {
                        lane.answers.borrow_mut().withdraw(apex);
                    }
                }
                self.shared.leave_out(left_out);
            }
            Verdict::Forward(merged) => self.forward(*merged, outlets).await,
        }
    }

    /// Sends one zone to the reconciler of its route. If that receives no more, the zone counts as not
    /// answered.
    async fn forward(&self, merged: Merged, outlets: &[Outlet<AbiQuestion>]) {
        let apex = merged.zone.apex().to_owned();
        let (route, lane) = match self.ways.of(&apex) {
            Ok(way) => way,
            Err(left_out) => {
                self.shared.leave_out(left_out);
                return;
            }
        };
        if let Some(inquiry) = self.inquiry {
            inquiry.forwarded(&merged.zone);
        }
        measure_desired(&merged, self.shared);
        self.shared.progress.desired(merged.zone.rrset_count());
        let zone = {
            let mut answers = self.lanes[lane].answers.borrow_mut();
            answers.asked(merged, route)
        };
        let apex = RVec::from(apex.as_wire());
        let desired = ROption::RSome(zone.into_octets());
        let _received = outlets[lane].send(AbiQuestion { apex, desired }).await;
    }

    /// Takes the answers of all reconcilers until their streams end.
    ///
    /// # Errors
    ///
    /// The first whose stream is not complete.
    async fn answered(&self, inlets: &mut [Option<Inlet<AbiAnswer>>]) -> Result<(), usize> {
        while let Some((index, answer)) = next_of(inlets).await {
            match answer {
                Some(answer) => self.answer(&self.lanes[index], answer),
                None => {
                    let ended = inlets[index].take();
                    if !ended.is_some_and(|inlet| inlet.is_complete()) {
                        return Err(index);
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes one answer.
    fn answer(&self, lane: &Lane, answer: AbiAnswer) {
        if let Some(inquiry) = self.inquiry {
            inquiry.answered(&answer);
        }
        let mut answers = lane.answers.borrow_mut();
        match answers.take(answer) {
            Ok(None) => {}
            Ok(Some(planned)) => {
                self.shared.progress.planned();
                measure_planned(planned, self.shared);
                if let Some(problem) = scope::doubts(planned) {
                    self.shared.tell(&problem);
                }
                if planned.held_back > 0 {
                    tracing::warn!(
                        zone = %planned.apex(), held_back = planned.held_back,
                        complete = planned.complete,
                        "differences are left as they are: the desired zone is incomplete, or their owners are held"
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
