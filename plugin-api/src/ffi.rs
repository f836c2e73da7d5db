//! The channel handles of the ABI as futures.
//!
//! The host's tokio knows nothing of the task budget of a plugin's runtime, so a loop over a busy
//! channel would never yield there: timers and the cancellation would starve. Every poll therefore
//! spends from the budget of the tokio that runs the plugin.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use abi_stable::std_types::{ROption, RVec};
use async_ffi::{ContextExt, FfiPoll};
use tokio::task::coop;

use crate::abi::channel::{SendStatus, Sink, Source};
use crate::abi::host::Cancelled;
use crate::error::Closed;

/// Most messages taken from a channel at once.
const BATCH: usize = 256;

/// The sending end of a channel.
pub struct Sender<T>(Sink<T>);

impl<T> Sender<T> {
    /// Wraps the handle that the host gave.
    #[must_use]
    pub fn new(sink: Sink<T>) -> Self {
        Self(sink)
    }

    /// Sends one message; waits while the channel is full.
    ///
    /// # Errors
    ///
    /// [`Closed`] if nobody receives any more; the message is lost.
    pub async fn send(&mut self, message: T) -> Result<(), Closed> {
        let mut slot = ROption::RSome(message);
        poll_fn(|cx| self.poll_send(cx, &mut slot)).await
    }

    /// Hands on the message in `slot`, if there is one; leaves it there while the channel is full.
    pub(crate) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        slot: &mut ROption<T>,
    ) -> Poll<Result<(), Closed>> {
        let budget = ready!(coop::poll_proceed(cx));
        let answer = cx.with_ffi_context(|cx| self.0.poll_send(cx, slot));
        let sent = match answer {
            FfiPoll::Pending => return Poll::Pending,
            FfiPoll::Ready(SendStatus::SENT) => Ok(()),
            // A status that this SDK does not know is no promise that the message arrived.
            FfiPoll::Ready(_) | FfiPoll::Panicked => Err(Closed),
        };
        budget.made_progress();
        Poll::Ready(sent)
    }

    /// Says that the stream is complete.
    pub fn finish(&mut self) {
        self.0.finish();
    }
}

/// The receiving end of a channel.
pub struct Receiver<T> {
    source: Source<T>,
    /// Received and not yet handed out, last first. Kept here so that [`Receiver::receive`] may be
    /// dropped at any await without losing a message.
    waiting: RVec<T>,
}

impl<T> Receiver<T> {
    /// Wraps the handle that the host gave.
    #[must_use]
    pub fn new(source: Source<T>) -> Self {
        Self {
            source,
            waiting: RVec::new(),
        }
    }

    /// The next message, or none when the stream has ended. May be dropped and called again.
    pub async fn receive(&mut self) -> Option<T> {
        if self.waiting.is_empty() {
            let received = poll_fn(|cx| self.poll_receive(cx, BATCH)).await;
            if received > 1 {
                self.waiting.reverse();
            }
        }
        self.waiting.pop()
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>, limit: usize) -> Poll<usize> {
        let budget = ready!(coop::poll_proceed(cx));
        let (source, waiting) = (&mut self.source, &mut self.waiting);
        let received = match cx.with_ffi_context(|cx| source.poll_receive(cx, waiting, limit)) {
            FfiPoll::Pending => return Poll::Pending,
            FfiPoll::Ready(received) => received,
            FfiPoll::Panicked => 0,
        };
        budget.made_progress();
        Poll::Ready(received)
    }
}

/// Waits for the cancellation of the run. Spends no budget: a plugin that is busy must still hear it.
pub(crate) async fn cancelled(mut waiter: Cancelled) {
    poll_fn(
        |cx| match cx.with_ffi_context(|cx| waiter.poll_cancelled(cx)) {
            FfiPoll::Pending => Poll::Pending,
            FfiPoll::Ready(()) | FfiPoll::Panicked => Poll::Ready(()),
        },
    )
    .await;
}
