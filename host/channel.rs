//! The bounded channels between plugins and stations.
//!
//! A channel holds at most a number of messages and about a number of octets, so that what is in
//! flight stays a small multiple of the largest zone whatever the zones are like. One end is a handle
//! across the plugin boundary ([`janitor_plugin_api::abi::channel`]), the other belongs to a station of the host.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use janitor_plugin_api::abi::abi_stable::erased_types::TD_Opaque;
use janitor_plugin_api::abi::abi_stable::std_types::{ROption, RVec};
use janitor_plugin_api::abi::async_ffi::{FfiContext, FfiPoll};
use janitor_plugin_api::abi::channel::{
    RawSink, RawSink_TO, RawSource, RawSource_TO, SendStatus, Sink, Source,
};
use janitor_plugin_api::abi::values::{
    AbiAnswer, AbiMeasurement, AbiQuestion, AbiZone, AbiZoneChanges,
};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, OwnedPermit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::activity::Lane;

/// Octets that a channel holds at most, unless one message alone is larger.
const MAX_OCTETS: usize = 64 << 20;

/// What octets are counted in. Messages below one unit are bounded by their number alone.
const UNIT: usize = 64 << 10;

/// Most messages that a station takes out of a channel at once.
const BATCH: usize = 256;

/// A message that says how much of a channel it takes.
pub trait Weigh {
    /// Octets that the message holds on the heap, roughly.
    fn octets(&self) -> usize;
}

impl Weigh for AbiZone {
    fn octets(&self) -> usize {
        self.octets.len()
    }
}

impl Weigh for AbiQuestion {
    fn octets(&self) -> usize {
        self.desired.as_ref().map_or(0, RVec::len)
    }
}

impl Weigh for AbiAnswer {
    fn octets(&self) -> usize {
        let actual = self.actual.as_ref().map_or(0, RVec::len);
        self.changes.len() + actual
    }
}

impl Weigh for AbiMeasurement {
    /// Nothing: they are small, and counted.
    fn octets(&self) -> usize {
        0
    }
}

impl Weigh for AbiZoneChanges {
    fn octets(&self) -> usize {
        self.octets.len()
    }
}

/// A message in a channel, and the room it takes there.
struct Parcel<T> {
    message: T,
    _room: Option<OwnedSemaphorePermit>,
}

/// Room in a channel, measured in units of octets.
#[derive(Clone)]
struct Room(Arc<Semaphore>);

impl Room {
    fn new() -> Self {
        Self(Arc::new(Semaphore::new(MAX_OCTETS / UNIT)))
    }

    /// How many units a message needs; one that is larger than the channel takes all of it.
    fn units(message: &impl Weigh) -> u32 {
        let units = (message.octets() / UNIT).min(MAX_OCTETS / UNIT);
        u32::try_from(units).expect("a channel has fewer than 2^32 units")
    }
}

/// A channel from a plugin to a station.
///
/// The end of the stream is told apart: [`Inlet::is_complete`] says whether the plugin finished it.
///
/// `lane` hears of what the plugin sends, and how long it has to wait.
pub fn inlet<T: Weigh + Send + 'static>(capacity: usize, lane: Arc<Lane>) -> (Sink<T>, Inlet<T>) {
    let (sender, receiver) = mpsc::channel(capacity.max(1));
    lane.open();
    let finished = Arc::new(AtomicBool::new(false));
    let sink = PluginSink {
        sender: Some(sender),
        room: Room::new(),
        waiting: None,
        finished: Arc::clone(&finished),
        lane,
    };
    let inlet = Inlet {
        receiver,
        batch: Vec::new(),
        finished,
    };
    (RawSink_TO::from_value(sink, TD_Opaque), inlet)
}

/// A channel from a station to a plugin.
///
/// `lane` hears of what the plugin receives, and how long it has to wait.
pub fn outlet<T: Weigh + Send + 'static>(
    capacity: usize,
    lane: Arc<Lane>,
) -> (Outlet<T>, Source<T>) {
    let (sender, receiver) = mpsc::channel(capacity.max(1));
    lane.open();
    let outlet = Outlet {
        sender,
        room: Room::new(),
    };
    let source = PluginSource {
        receiver,
        batch: Vec::new(),
        lane,
    };
    (outlet, RawSource_TO::from_value(source, TD_Opaque))
}

/// The receiving end of a station.
pub struct Inlet<T> {
    receiver: mpsc::Receiver<Parcel<T>>,
    /// Taken out at once, last first; each keeps its room until it is handed out.
    batch: Vec<Parcel<T>>,
    finished: Arc<AtomicBool>,
}

impl<T> Inlet<T> {
    /// The next message, or none when the stream has ended. May be dropped and called again.
    pub async fn receive(&mut self) -> Option<T> {
        poll_fn(|cx| self.poll_receive(cx)).await
    }

    /// Polls for the next message.
    pub fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if self.batch.is_empty() {
            ready!(self.receiver.poll_recv_many(cx, &mut self.batch, BATCH));
            self.batch.reverse();
        }
        Poll::Ready(self.batch.pop().map(|parcel| parcel.message))
    }

    /// Whether the plugin said that every message of the stream was sent.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }
}

/// The sending end of a station. Dropping it ends the stream.
pub struct Outlet<T> {
    sender: mpsc::Sender<Parcel<T>>,
    room: Room,
}

impl<T> Clone for Outlet<T> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
            room: self.room.clone(),
        }
    }
}

impl<T: Weigh> Outlet<T> {
    /// Sends one message that weighs nothing if there is room for it now.
    ///
    /// # Errors
    ///
    /// The message, and whether the plugin still receives.
    pub fn try_send(&self, message: T) -> Result<(), (T, bool)> {
        let parcel = Parcel {
            message,
            _room: None,
        };
        self.sender
            .try_send(parcel)
            .map_err(|refused| match refused {
                TrySendError::Full(parcel) => (parcel.message, true),
                TrySendError::Closed(parcel) => (parcel.message, false),
            })
    }

    /// Sends one message; waits while the channel is full. False if the plugin no longer receives.
    pub async fn send(&self, message: T) -> bool {
        let units = Room::units(&message);
        let room = match units {
            0 => None,
            units => Arc::clone(&self.room.0)
                .acquire_many_owned(units)
                .await
                .ok(),
        };
        let parcel = Parcel {
            message,
            _room: room,
        };
        // Waiting for a place costs twice as much as taking a free one.
        match self.sender.try_send(parcel) {
            Ok(()) => true,
            Err(TrySendError::Full(parcel)) => self.sender.send(parcel).await.is_ok(),
            Err(TrySendError::Closed(_)) => false,
        }
    }
}

type Slot<T> = (Option<OwnedSemaphorePermit>, OwnedPermit<Parcel<T>>);
type Reservation<T> = Pin<Box<dyn Future<Output = Option<Slot<T>>> + Send>>;

/// The sending end in a plugin's hands.
struct PluginSink<T> {
    /// Gone once the stream is finished: its end does not wait for the handle to be dropped.
    sender: Option<mpsc::Sender<Parcel<T>>>,
    room: Room,
    /// Made when the channel was full; kept until it is ready, so that the plugin keeps its place.
    waiting: Option<Reservation<T>>,
    finished: Arc<AtomicBool>,
    lane: Arc<Lane>,
}

impl<T> Drop for PluginSink<T> {
    fn drop(&mut self) {
        self.lane.close();
    }
}

impl<T: Weigh + Send + 'static> PluginSink<T> {
    fn poll(&mut self, cx: &mut Context<'_>, item: &mut ROption<T>) -> Poll<SendStatus> {
        if self.waiting.is_none() {
            let Some(message) = item.take().into_option() else {
                return Poll::Ready(SendStatus::SENT);
            };
            let Some(sender) = &self.sender else {
                *item = ROption::RSome(message);
                return Poll::Ready(SendStatus::CLOSED);
            };
            match self.try_send(sender, message) {
                Ok(()) => return Poll::Ready(SendStatus::SENT),
                Err(Refused::Closed(message)) => {
                    *item = ROption::RSome(message);
                    return Poll::Ready(SendStatus::CLOSED);
                }
                Err(Refused::Full(message)) => {
                    let reservation = self.reserve(sender.clone(), Room::units(&message));
                    self.waiting = Some(reservation);
                    *item = ROption::RSome(message);
                }
            }
        }
        let Some(reservation) = &mut self.waiting else {
            return Poll::Ready(SendStatus::SENT);
        };
        let Poll::Ready(slot) = reservation.as_mut().poll(cx) else {
            return Poll::Pending;
        };
        self.waiting = None;
        let Some((room, permit)) = slot else {
            return Poll::Ready(SendStatus::CLOSED);
        };
        if let ROption::RSome(message) = item.take() {
            permit.send(Parcel {
                message,
                _room: room,
            });
        }
        Poll::Ready(SendStatus::SENT)
    }

    fn try_send(&self, sender: &mpsc::Sender<Parcel<T>>, message: T) -> Result<(), Refused<T>> {
        let room = match Room::units(&message) {
            0 => None,
            units => match Arc::clone(&self.room.0).try_acquire_many_owned(units) {
                Ok(room) => Some(room),
                Err(_full) => return Err(Refused::Full(message)),
            },
        };
        let parcel = Parcel {
            message,
            _room: room,
        };
        sender.try_send(parcel).map_err(|refused| match refused {
            TrySendError::Full(parcel) => Refused::Full(parcel.message),
            TrySendError::Closed(parcel) => Refused::Closed(parcel.message),
        })
    }

    fn reserve(&self, sender: mpsc::Sender<Parcel<T>>, units: u32) -> Reservation<T> {
        let room = Arc::clone(&self.room.0);
        Box::pin(async move {
            let room = match units {
                0 => None,
                // A closed channel keeps its room taken for ever, so both are waited for.
                units => tokio::select! {
                    biased;
                    () = sender.closed() => return None,
                    room = room.acquire_many_owned(units) => room.ok(),
                },
            };
            Some((room, sender.reserve_owned().await.ok()?))
        })
    }
}

enum Refused<T> {
    Full(T),
    Closed(T),
}

impl<T: Weigh + Send + 'static> RawSink<T> for PluginSink<T> {
    fn poll_send(&mut self, cx: &mut FfiContext<'_>, item: &mut ROption<T>) -> FfiPoll<SendStatus> {
        let polled = cx.with_context(|cx| self.poll(cx, item));
        match polled {
            Poll::Ready(SendStatus::SENT) => self.lane.moved(1),
            Poll::Ready(_closed) => self.lane.close(),
            Poll::Pending => self.lane.blocked(),
        }
        polled.into()
    }

    fn finish(&mut self) {
        self.finished.store(true, Ordering::Release);
        self.sender = None;
        self.waiting = None;
        self.lane.close();
    }
}

/// The receiving end in a plugin's hands.
struct PluginSource<T> {
    receiver: mpsc::Receiver<Parcel<T>>,
    /// Received at once, empty between polls; kept for its memory.
    batch: Vec<Parcel<T>>,
    lane: Arc<Lane>,
}

impl<T> Drop for PluginSource<T> {
    fn drop(&mut self) {
        self.lane.close();
    }
}

impl<T: Send + 'static> RawSource<T> for PluginSource<T> {
    fn poll_receive(
        &mut self,
        cx: &mut FfiContext<'_>,
        into: &mut RVec<T>,
        limit: usize,
    ) -> FfiPoll<usize> {
        let Self {
            receiver,
            batch,
            lane,
        } = self;
        let received = cx.with_context(|cx| receiver.poll_recv_many(cx, batch, limit));
        match received {
            Poll::Ready(0) => lane.close(),
            Poll::Ready(messages) => lane.moved(messages),
            Poll::Pending => lane.blocked(),
        }
        into.extend(batch.drain(..).map(|parcel| parcel.message));
        received.into()
    }
}

#[cfg(test)]
mod tests;
