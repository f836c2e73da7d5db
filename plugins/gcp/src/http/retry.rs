//! Whether a request is sent again, and how long that waits.

use std::time::Duration;

use rustix::rand::{GetRandomFlags, getrandom};
use tokio::time::Instant;

/// The pause before the first repetition is at most this long.
const FIRST: Duration = Duration::from_millis(500);

/// No pause is longer than this, unless the service asks for it. Google counts most quotas by the minute:
/// whoever looks twice in one finds the next.
const CEILING: Duration = Duration::from_secs(32);

/// What lies between two attempts, and how long all of them may take.
///
/// Exponential back-off with full jitter: before repetition *n* lies anything between nothing and
/// `first` × 2ⁿ⁻¹, at most `ceiling`. Drawn from the whole range, the repetitions of many who were turned away
/// together do not arrive together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    first: Duration,
    ceiling: Duration,
    /// All attempts of one request, and the pauses between them.
    deadline: Duration,
    /// Draws a pause from nothing up to the one that is given.
    draw: fn(Duration) -> Duration,
}

impl Policy {
    pub(crate) const fn new(deadline: Duration) -> Self {
        Self {
            first: FIRST,
            ceiling: CEILING,
            deadline,
            draw: up_to,
        }
    }

    /// When a request that begins now has to be over.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline {
            at: Instant::now() + self.deadline,
            of: self.deadline,
        }
    }

    /// The attempts of a request.
    pub(super) const fn attempts(self, deadline: Deadline) -> Attempts {
        Attempts {
            policy: self,
            deadline,
            made: 0,
        }
    }
}

#[cfg(test)]
impl Policy {
    /// Pauses as long as they get, within `deadline`: what does not fit is not tried.
    pub(crate) const fn longest_pauses(first: Duration, deadline: Duration) -> Self {
        Self {
            first,
            ceiling: CEILING,
            deadline,
            draw: |longest| longest,
        }
    }

    /// Pauses that no test notices.
    pub(crate) const fn hurried(deadline: Duration) -> Self {
        Self {
            first: Duration::from_micros(100),
            ceiling: Duration::from_millis(1),
            deadline,
            draw: up_to,
        }
    }
}

/// When something has to be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    of: Duration,
}

impl Deadline {
    pub(crate) fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// A little before: by then something has to be over that this waits for, to tell how it went.
    pub(crate) fn sooner(self) -> Self {
        let at = self.at.checked_sub(self.of / 10).unwrap_or(self.at);
        Self { at, ..self }
    }

    /// How long it was at the beginning.
    pub(crate) const fn of(&self) -> Duration {
        self.of
    }
}

/// The attempts of one request so far.
#[derive(Debug)]
pub(super) struct Attempts {
    policy: Policy,
    deadline: Deadline,
    made: u32,
}

impl Attempts {
    pub(super) const fn begin(&mut self) {
        self.made = self.made.saturating_add(1);
    }

    pub(super) const fn made(&self) -> u32 {
        self.made
    }

    #[cfg(test)]
    pub(super) const fn set_made(&mut self, made: u32) {
        self.made = made;
    }

    /// The pause before the next attempt; none if that would begin after the deadline. `asked` is what the
    /// service wants to be left alone for, and comes first: of all who were told the same, each then
    /// waits for a time of its own.
    pub(super) fn pause(&self, asked: Option<Duration>) -> Option<Duration> {
        let doublings = self.made.saturating_sub(1);
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let longest = self.policy.first.saturating_mul(factor);
        let drawn = (self.policy.draw)(longest.min(self.policy.ceiling));
        let pause = asked.unwrap_or_default().saturating_add(drawn);
        (pause < self.deadline.left()).then_some(pause)
    }
}

/// Anything between nothing and `longest`, all equally likely.
pub(crate) fn up_to(longest: Duration) -> Duration {
    let mut octets = [0; 4];
    // Of a kernel that gives no random numbers only the jitter is missed.
    match getrandom(&mut octets, GetRandomFlags::empty()) {
        Ok(4) => {
            let share = f64::from(u32::from_ne_bytes(octets));
            longest.mul_f64(share / f64::from(u32::MAX))
        }
        _ => longest,
    }
}
