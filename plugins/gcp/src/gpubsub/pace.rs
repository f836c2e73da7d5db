//! When the next messages may go.

use tokio::time::{Duration, Instant};

/// Keeps to a number of messages in a second, on average.
#[derive(Debug)]
pub(super) struct Pace {
    messages_per_second: Option<f64>,
    next: Option<Instant>,
}

impl Pace {
    /// Nothing is held back without a number.
    pub(super) const fn new(messages_per_second: Option<f64>) -> Self {
        Self {
            messages_per_second,
            next: None,
        }
    }

    /// When messages may go; none if they may at any time.
    pub(super) const fn next(&self) -> Option<Instant> {
        self.next
    }

    /// The most messages to be sent at once so that they come evenly: those of a second.
    pub(super) fn portion(&self) -> usize {
        let Some(pace) = self.messages_per_second else {
            return usize::MAX;
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is positive, and a cast from a float stops at the ends of the type"
        )]
        let portion = pace as usize;
        portion.max(1)
    }

    /// Notes that messages go now.
    pub(super) fn note(&mut self, messages: usize, now: Instant) {
        let Some(pace) = self.messages_per_second else {
            return;
        };
        let messages = u32::try_from(messages).map_or(f64::from(u32::MAX), f64::from);
        // A pause that was longer than it had to be gives no right to a burst.
        self.next = Some(now + Duration::from_secs_f64(messages / pace));
    }
}
