//! Batches under way, and what waits for them.
//!
//! Parcels are gathered until a batch is full, or until nothing more comes for the moment and a request
//! may be made. So there is no pause to wait for more: while requests are under way, more is gathered.
//!
//! A batch that Pub/Sub refuses for something in it is sent again in halves, until what is wrong stands
//! alone; if it is wrong of everything, no more is sent after a while. Whatever else goes wrong has been
//! tried again for as long as a request may take, by the client, and would go wrong again: nothing more is
//! sent then.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use janitor_plugin_api::Outcome;
use janitor_plugin_api::event::Direction;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::Level;

use super::batch::Batch;
use super::pace::Pace;
use super::parcel::Parcel;
use super::verdict::Verdict;

/// How many batches of a run are halved: enough to find six messages in a thousand.
const MOST_SPLITS: u32 = 64;

/// How many requests may be refused for what is in them, one after the other, before it is the topic that
/// is taken to refuse everything, as one does whose schema is another one's.
const MOST_UNFIT: u32 = 64;

/// Why what follows on something that went wrong is not sent; what it was is told of that itself.
const HALTED: &str = "not sent, as publishing had failed before it was their turn";

/// Why nothing is sent once the run was cancelled.
pub(super) const CANCELLED: &str = "the run was cancelled before their turn";

/// How a run sends.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    /// The most messages in one request.
    pub(super) batch: usize,
    /// The most requests under way.
    pub(super) at_once: usize,
    pub(super) messages_per_second: Option<f64>,
    /// How long to wait for what is under way once nothing is left to be sent.
    pub(super) patience: Duration,
    /// The same once the run was cancelled.
    pub(super) patience_cancelled: Duration,
}

/// Publishes the body of a request with so many messages.
type Publish<'a> = dyn Fn(Bytes, usize) -> LocalBoxFuture<'a, Verdict> + 'a;

/// Is told what became of a change, by its number.
type Report<'a, Z> = dyn Fn(&Z, u32, Outcome) + 'a;

/// The world that a run sends to.
pub(super) struct World<'a, Z> {
    pub(super) publish: Box<Publish<'a>>,
    pub(super) report: Box<Report<'a, Z>>,
    /// Is ready when the run is cancelled.
    pub(super) cancelled: LocalBoxFuture<'a, ()>,
}

/// Messages by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) acknowledged: usize,
    pub(super) refused: usize,
    pub(super) unknown: usize,
}

/// What is sent, and what waits to be.
pub(super) struct Sending<'a, Z> {
    manner: Manner,
    world: World<'a, Z>,
    pace: Pace,
    /// Halves of batches that were refused.
    again: VecDeque<Batch<Z>>,
    gathered: Batch<Z>,
    under_way: FuturesUnordered<LocalBoxFuture<'a, (Rc<Batch<Z>>, Verdict)>>,
    /// The batches of `under_way`: who gives up waiting has to say of what.
    outstanding: Vec<Rc<Batch<Z>>>,
    splits: u32,
    /// Requests that were refused for what is in them since one was acknowledged.
    unfit: u32,
    /// Why nothing more is sent.
    stopped: Option<String>,
    is_cancelled: bool,
    counts: Counts,
}

impl<'a, Z: 'a> Sending<'a, Z> {
    pub(super) fn new(manner: Manner, world: World<'a, Z>) -> Self {
        Self {
            pace: Pace::new(manner.messages_per_second),
            manner,
            world,
            again: VecDeque::new(),
            gathered: Batch::new(),
            under_way: FuturesUnordered::new(),
            outstanding: Vec::new(),
            splits: 0,
            unfit: 0,
            stopped: None,
            is_cancelled: false,
            counts: Counts::default(),
        }
    }

    /// Waits for `next` while everything goes on; what was gathered goes off if there is nothing to be had
    /// at once.
    pub(super) async fn meanwhile<T>(&mut self, next: impl Future<Output = T>) -> T {
        let mut next = std::pin::pin!(next);
        loop {
            tokio::select! {
                biased;
                output = &mut next => return output,
                () = self.step(), if self.has_work() => {}
            }
        }
    }

    /// Takes over a parcel. Waits while there is no room for it.
    pub(super) async fn push(&mut self, whose: Z, parcel: Parcel) {
        let most = self.manner.batch.min(self.pace.portion());
        if !self.gathered.has_room_for(&parcel, most) {
            while !self.gathered.is_empty() {
                self.step().await;
            }
        }
        if let Some(reason) = &self.stopped {
            self.counts.refused += parcel.messages.len();
            let outcome = Outcome::Refused(reason.clone());
            report(&self.world, &whose, &parcel, &outcome);
        } else {
            self.gathered.push(whose, parcel);
        }
    }

    /// Sends nothing more, for this reason, which is reported of all that waits.
    pub(super) fn stop(&mut self, reason: String) {
        if self.stopped.is_some() {
            return;
        }
        let outcome = Outcome::Refused(reason.clone());
        self.stopped = Some(reason);
        for batch in self.again.drain(..) {
            self.counts.refused += batch.messages();
            report_all(&self.world, &batch, &outcome);
        }
        let batch = std::mem::replace(&mut self.gathered, Batch::new());
        self.counts.refused += batch.messages();
        report_all(&self.world, &batch, &outcome);
    }

    /// Sends the rest, and waits for what is under way for as long as it is to be waited for.
    pub(super) async fn finish(mut self) -> Counts {
        let mut end = None;
        while self.has_work() {
            if self.is_cancelled {
                let cancelled = Instant::now() + self.manner.patience_cancelled;
                end = Some(end.map_or(cancelled, |end: Instant| end.min(cancelled)));
            } else if self.has_unsent() {
                // Also once a batch has to be sent again in halves.
                end = None;
            } else {
                end.get_or_insert(Instant::now() + self.manner.patience);
            }
            match end {
                None => self.step().await,
                Some(end) if timeout_at(end, self.step()).await.is_ok() => {}
                Some(_) => self.give_up(),
            }
        }
        self.counts
    }

    fn has_unsent(&self) -> bool {
        !self.again.is_empty() || !self.gathered.is_empty()
    }

    fn has_work(&self) -> bool {
        self.has_unsent() || !self.under_way.is_empty()
    }

    /// Sends one batch if one may go, and waits for something to happen otherwise. There has to be work.
    /// May be dropped and called again.
    async fn step(&mut self) {
        let may_go = self.has_unsent() && self.outstanding.len() < self.manner.at_once;
        let pause = self.pace.next().filter(|&next| next > Instant::now());
        if may_go && pause.is_none() {
            self.send();
            return;
        }
        tokio::select! {
            biased;
            () = &mut self.world.cancelled, if !self.is_cancelled => {
                self.is_cancelled = true;
                self.stop(CANCELLED.to_owned());
            }
            Some((batch, verdict)) = self.under_way.next(), if !self.under_way.is_empty() => {
                self.settle(batch, verdict);
            }
            () = sleep_until(pause.unwrap_or_else(Instant::now)), if may_go => {}
        }
    }

    fn send(&mut self) {
        let gathered = || std::mem::replace(&mut self.gathered, Batch::new());
        let batch = Rc::new(self.again.pop_front().unwrap_or_else(gathered));
        self.pace.note(batch.messages(), Instant::now());
        self.outstanding.push(Rc::clone(&batch));
        let answer = (self.world.publish)(batch.body(), batch.messages());
        let under_way = async move { (batch, answer.await) };
        self.under_way.push(Box::pin(under_way));
    }

    fn settle(&mut self, batch: Rc<Batch<Z>>, verdict: Verdict) {
        self.outstanding.retain(|other| !Rc::ptr_eq(other, &batch));
        match verdict {
            Verdict::Acknowledged(ids) => {
                self.unfit = 0;
                self.counts.acknowledged += batch.messages();
                self.tell(&batch, &ids);
                report_all(&self.world, &batch, &Outcome::Accepted);
            }
            Verdict::Unfit(reason) => {
                self.unfit += 1;
                self.halve(batch, &reason);
                if self.unfit == MOST_UNFIT {
                    self.stop(format!(
                        "not sent, because of what happened to others: {reason}"
                    ));
                }
            }
            Verdict::Refused(reason) => {
                self.counts.refused += batch.messages();
                report_all(&self.world, &batch, &Outcome::Refused(reason.clone()));
                self.stop(reason);
            }
            Verdict::Unknown(reason) => {
                self.counts.unknown += batch.messages();
                report_all(&self.world, &batch, &Outcome::Unknown(reason));
                self.stop(HALTED.to_owned());
            }
        }
    }

    /// Sends the halves of a batch that was refused for something in it.
    fn halve(&mut self, batch: Rc<Batch<Z>>, reason: &str) {
        let may_split = self.splits < MOST_SPLITS && self.stopped.is_none();
        let batch = Rc::into_inner(batch).expect("nobody else has it once it is settled");
        match batch.split() {
            Ok(halves) if may_split => {
                self.splits += 1;
                // Before what is left of larger ones, so that single messages are soon come to.
                let [first, second] = halves;
                self.again.push_front(second);
                self.again.push_front(first);
            }
            Ok(halves) => {
                for half in halves {
                    self.counts.refused += half.messages();
                    report_all(&self.world, &half, &Outcome::Refused(reason.to_owned()));
                }
            }
            Err(single) => {
                self.counts.refused += single.messages();
                report_all(&self.world, &single, &Outcome::Refused(reason.to_owned()));
            }
        }
    }

    /// Says of each message by which ID Pub/Sub has it.
    fn tell(&self, batch: &Batch<Z>, ids: &[String]) {
        if !tracing::enabled!(Level::DEBUG) {
            return;
        }
        let tracked = self.outstanding.iter().map(|batch| batch.messages());
        let mut tracked = tracked.sum::<usize>() + ids.len();
        let messages = batch.parcels().iter().flat_map(|(_, parcel)| {
            let directions = parcel.messages.iter().map(|(_, direction)| direction);
            directions.map(|direction| (direction, &parcel.owner))
        });
        for ((direction, owner), id) in messages.zip(ids) {
            tracked -= 1;
            let action = Direction::action(*direction);
            tracing::debug!(
                "Message published for {action}:{owner} as {id},currently tracking {tracked} messages."
            );
        }
    }

    fn give_up(&mut self) {
        let messages = self.outstanding.iter().map(|batch| batch.messages());
        let messages = messages.sum::<usize>();
        let requests = self.outstanding.len();
        let why = if self.is_cancelled {
            "the run was cancelled and could not wait for it any longer"
        } else {
            "that was not waited for any longer than cleanup_timeout"
        };
        tracing::warn!(
            "The following tasks did not complete in time and are being cancelled: {requests} requests \
             with {messages} messages"
        );
        self.stop("there was no time left to send them".to_owned());
        self.under_way.clear();
        self.counts.unknown += messages;
        let outcome = Outcome::Unknown(format!("Pub/Sub has not acknowledged them, and {why}"));
        for batch in self.outstanding.drain(..) {
            report_all(&self.world, &batch, &outcome);
        }
    }
}

fn report_all<Z>(world: &World<'_, Z>, batch: &Batch<Z>, outcome: &Outcome) {
    for (whose, parcel) in batch.parcels() {
        report(world, whose, parcel, outcome);
    }
}

fn report<Z>(world: &World<'_, Z>, whose: &Z, parcel: &Parcel, outcome: &Outcome) {
    for change in parcel.changes() {
        (world.report)(whose, change, outcome.clone());
    }
}

#[cfg(test)]
mod tests;
