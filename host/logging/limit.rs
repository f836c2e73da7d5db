//! How much one plugin may say.
//!
//! A plugin that logs in a loop would bury what the others say, fill a disk and slow the run down.
//! What it says beyond its allowance is counted and left out; warnings and errors have an allowance of
//! their own, so that chatter cannot use it up.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::level::Severity;

/// The time that an allowance is for.
pub(super) const WINDOW: Duration = Duration::from_secs(10);
/// Lines that are written in that time.
pub(super) const LINES: u64 = 10_000;

/// What one plugin has left.
#[derive(Debug)]
pub(super) struct Allowance {
    /// Whose it is, in words.
    pub(super) whose: String,
    chatter: Mutex<Window>,
    alarms: Mutex<Window>,
}

#[derive(Debug, Default)]
struct Window {
    start: Option<Instant>,
    lines: u64,
    left_out: u64,
}

/// What is to be done with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Write,
    /// Say first how many lines were left out.
    WriteAfter(u64),
    LeaveOut,
}

impl Allowance {
    pub(super) fn new(whose: String) -> Self {
        Self {
            whose,
            chatter: Mutex::default(),
            alarms: Mutex::default(),
        }
    }

    /// Whether a line of this severity is written at `now`.
    pub(super) fn judge(&self, severity: Severity, now: Instant) -> Verdict {
        let window = if severity >= Severity::Warning {
            &self.alarms
        } else {
            &self.chatter
        };
        let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = window
            .start
            .is_none_or(|start| now.saturating_duration_since(start) >= WINDOW);
        if is_over {
            let left_out = window.left_out;
            *window = Window {
                start: Some(now),
                lines: 1,
                left_out: 0,
            };
            return match left_out {
                0 => Verdict::Write,
                left_out => Verdict::WriteAfter(left_out),
            };
        }
        if window.lines < LINES {
            window.lines += 1;
            return Verdict::Write;
        }
        window.left_out += 1;
        Verdict::LeaveOut
    }

    /// How many lines were left out that nobody was told of; counts anew.
    pub(super) fn take_left_out(&self) -> u64 {
        [&self.chatter, &self.alarms]
            .into_iter()
            .map(|window| {
                let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::take(&mut window.left_out)
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_counted_and_told_with_the_next_window() {
        let allowance = Allowance::new("plugin x".to_owned());
        let start = Instant::now();
        let judge = |severity, after| allowance.judge(severity, start + after);
        for _ in 0..LINES {
            assert_eq!(judge(Severity::Info, Duration::ZERO), Verdict::Write);
        }
        for _ in 0..3 {
            let almost = WINDOW - Duration::from_millis(1);
            assert_eq!(judge(Severity::Debug, almost), Verdict::LeaveOut);
        }
        assert_eq!(judge(Severity::Info, WINDOW), Verdict::WriteAfter(3));
        assert_eq!(judge(Severity::Info, WINDOW), Verdict::Write);
        assert_eq!(allowance.take_left_out(), 0);
    }

    #[test]
    fn chatter_leaves_the_allowance_of_warnings_alone() {
        let allowance = Allowance::new("plugin x".to_owned());
        let now = Instant::now();
        for _ in 0..=LINES {
            allowance.judge(Severity::Info, now);
        }
        assert_eq!(allowance.judge(Severity::Info, now), Verdict::LeaveOut);
        assert_eq!(allowance.judge(Severity::Warning, now), Verdict::Write);
        assert_eq!(allowance.judge(Severity::Error, now), Verdict::Write);
        assert_eq!(allowance.take_left_out(), 2);
        assert_eq!(allowance.take_left_out(), 0);
    }
}
