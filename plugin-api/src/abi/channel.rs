//! The channel handles. The host makes them and owns the channels behind them.
//!
//! A channel is bounded by messages and by octets. Polling follows `std::future`: `Pending` keeps the
//! waker of the latest poll and calls it once when polling again may succeed. Handles are polled on
//! the plugin's own thread and may be dropped on any.

use abi_stable::StableAbi;
use abi_stable::sabi_trait;
use abi_stable::std_types::{RBox, ROption, RStr, RVec};
use async_ffi::{FfiContext, FfiPoll};

use super::values::OutcomeCode;

/// What became of a [`RawSink::poll_send`].
#[repr(transparent)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendStatus(pub u8);

impl SendStatus {
    /// The message was taken.
    pub const SENT: Self = Self(0);
    /// Nobody will receive any more; the message is still in the option.
    pub const CLOSED: Self = Self(1);
}

/// The sending end of a channel.
#[sabi_trait]
pub trait RawSink<T>: Send + 'static {
    /// Hands one message on.
    ///
    /// Takes it out of `item` when it is sent, leaves it there while the channel is full (`Pending`)
    /// or closed. An empty `item` is answered with `SENT`.
    ///
    /// [plugin's own thread]
    fn poll_send(&mut self, cx: &mut FfiContext<'_>, item: &mut ROption<T>) -> FfiPoll<SendStatus>;

    /// Says that nothing is missing: every message of this stream was sent.
    ///
    /// A handle that is dropped without it leaves an incomplete stream. Sending after it is an error
    /// of the plugin; such messages are answered with `CLOSED`.
    ///
    /// [plugin's own thread; once]
    #[sabi(last_prefix_field)]
    fn finish(&mut self);
}

/// The receiving end of a channel.
#[sabi_trait]
pub trait RawSource<T>: Send + 'static {
    /// Appends between 1 and `limit` messages to `into` and returns how many; 0 when the stream has
    /// ended and nothing is left.
    ///
    /// [plugin's own thread]
    #[sabi(last_prefix_field)]
    fn poll_receive(
        &mut self,
        cx: &mut FfiContext<'_>,
        into: &mut RVec<T>,
        limit: usize,
    ) -> FfiPoll<usize>;
}

/// Where a publisher reports what became of its changes.
#[sabi_trait]
pub trait RawReports: Send + Sync + 'static {
    /// Reports the outcome of `count` changes of the message `ticket`, from number `first` on.
    ///
    /// A later report on the same change replaces the earlier one. `reason` is empty unless the
    /// outcome needs one. Tickets and numbers that do not exist are the plugin's error and change
    /// nothing.
    ///
    /// [any thread; does not block]
    #[sabi(last_prefix_field)]
    fn report(&self, ticket: u64, first: u32, count: u32, outcome: OutcomeCode, reason: RStr<'_>);
}

/// A sending end as it is passed around.
pub type Sink<T> = RawSink_TO<RBox<()>, T>;
/// A receiving end as it is passed around.
pub type Source<T> = RawSource_TO<RBox<()>, T>;
/// A reporting end as it is passed around.
pub type Reports = RawReports_TO<RBox<()>>;
