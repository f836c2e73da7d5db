//! What the parent knows of its worker, and how long it waits for what.
//!
//! It sleeps until something happens or something is overdue: a library that does not come to its end
//! being opened, or a worker that was asked to end, or has told all it will.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::link::{Doing, FromParent, FromWorker, Link, Operation, PROTOCOL, Told};
use super::verdict::{Overdue, Remains, file_name};
use crate::crash::Record;
use crate::loaded::is_written_over;
use crate::signal::Wish;
use crate::terminal;

/// What the grace is taken for until the worker has read the configuration.
const GRACE: Duration = Duration::from_secs(10);

/// How long a worker may take to end beyond what it is allowed to wait for plugins, and how long when
/// it has nothing left to do.
const MARGIN: Duration = Duration::from_secs(10);

/// Who wakes up so much later than it wanted to has been stopped meanwhile, as Ctrl-Z does to all
/// processes of a terminal: that time was nobody's.
const OVERSLEPT: Duration = Duration::from_secs(1);

/// Something the parent hears of.
pub(super) enum Heard {
    Wish(Wish),
    Told(Told),
    /// The worker will say no more.
    Closed,
    /// The worker has ended.
    Ended,
}

/// What the parent knows of its worker.
pub(super) struct Watch {
    opening_limit: Duration,
    under_way: BTreeMap<i32, Operation>,
    opening_since: Option<Instant>,
    publishing: bool,
    grace: Duration,
    deadline: Option<Instant>,
    cancels: u32,
    reports: u32,
    /// When it has to have ended, once it was cancelled or has said all it will.
    last_moment: Option<Instant>,
    record: Option<Record>,
    /// The exit code, if the worker has reported.
    pub(super) report: Option<u8>,
}

impl Watch {
    pub(super) fn new(opening_limit: Duration) -> Self {
        Self {
            opening_limit,
            under_way: BTreeMap::new(),
            opening_since: None,
            publishing: false,
            grace: GRACE,
            deadline: None,
            cancels: 0,
            reports: 0,
            last_moment: None,
            record: None,
            report: None,
        }
    }

    /// Waits for the end of the worker. Returns why it was ended, if it did not end by itself.
    pub(super) fn wait(
        &mut self,
        link: &Link,
        events: &Receiver<Heard>,
        pid: Pid,
    ) -> Option<Overdue> {
        let mut ended_by_us = None;
        loop {
            let event = match self.limit() {
                Some(limit) if ended_by_us.is_none() => {
                    events.recv_timeout(limit.saturating_duration_since(Instant::now()))
                }
                _ => events
                    .recv()
                    .map_err(|_gone| RecvTimeoutError::Disconnected),
            };
            match event {
                Ok(Heard::Told(told)) => self.take(told),
                Ok(Heard::Wish(wish)) => self.pass_on(wish, link),
                Ok(Heard::Closed) => self.expect_end_of_the_silent(),
                Ok(Heard::Ended) | Err(RecvTimeoutError::Disconnected) => return ended_by_us,
                Err(RecvTimeoutError::Timeout) if self.was_stopped() => {}
                Err(RecvTimeoutError::Timeout) => {
                    ended_by_us = Some(self.overdue());
                    // It is there until its status is taken, so the signal reaches no other.
                    let _killed = kill_process(pid, Signal::KILL).is_ok();
                }
            }
        }
    }

    fn take(&mut self, told: Told) {
        let message = match told {
            Told::Message(message) => message,
            Told::Crash(record) => {
                self.record.get_or_insert(record);
                return;
            }
        };
        match message {
            FromWorker::Hello { protocol } => {
                if protocol != PROTOCOL {
                    tracing::debug!(protocol, "a worker of another version");
                }
            }
            FromWorker::Limits { grace, deadline_in } => {
                let seconds = |number| Duration::try_from_secs_f64(number).ok();
                self.grace = seconds(grace).unwrap_or(self.grace);
                self.deadline = deadline_in
                    .and_then(seconds)
                    .and_then(|limit| Instant::now().checked_add(limit));
            }
            FromWorker::Began(operation) => {
                if operation.doing == Doing::Opening {
                    self.opening_since = Some(Instant::now());
                }
                self.under_way.insert(operation.thread, operation);
            }
            FromWorker::Done { thread } => {
                let done = self.under_way.remove(&thread);
                if done.is_some_and(|operation| operation.doing == Doing::Opening) {
                    self.opening_since = None;
                }
            }
            FromWorker::Publishing => self.publishing = true,
            FromWorker::Report { code } => {
                self.report = Some(code);
                self.expect_end(MARGIN);
            }
        }
    }

    fn pass_on(&mut self, wish: Wish, link: &Link) {
        let message = match wish {
            Wish::Progress => {
                self.reports += 1;
                FromParent::Progress {
                    count: self.reports,
                }
            }
            Wish::Cancel(signal) => {
                terminal::hurry();
                self.cancels += 1;
                let patience = if self.cancels == 1 {
                    self.patience()
                } else {
                    MARGIN
                };
                self.expect_end(patience);
                FromParent::Cancel {
                    count: self.cancels,
                    signal,
                }
            }
        };
        if let Err(error) = link.send(&message) {
            tracing::debug!(%error, "the worker cannot be told any more");
        }
    }

    /// How long a worker takes at most to end once it was asked to: it waits for the plugins of the
    /// run, and then for the metrics relay.
    fn patience(&self) -> Duration {
        let plugins = crate::pipeline::patience(self.grace);
        plugins.saturating_mul(2).saturating_add(MARGIN)
    }

    /// One that has reported has nothing left to do. Another may only be cut off: it hears of that, and
    /// cancels its run.
    fn expect_end_of_the_silent(&mut self) {
        self.expect_end(match self.report {
            Some(_) => MARGIN,
            None => self.patience(),
        });
    }

    fn expect_end(&mut self, within: Duration) {
        let Some(moment) = Instant::now().checked_add(within) else {
            return;
        };
        self.last_moment = Some(self.last_moment.map_or(moment, |known| known.min(moment)));
    }

    /// When something is overdue unless something happens.
    fn limit(&self) -> Option<Instant> {
        let opening = self
            .opening_since
            .and_then(|since| since.checked_add(self.opening_limit));
        let deadline = self
            .deadline
            .and_then(|deadline| deadline.checked_add(self.patience()));
        [opening, deadline, self.last_moment]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether this process itself was stopped while it waited. Nobody can tell for how long, so that
    /// what is under way has all its time once more.
    fn was_stopped(&mut self) -> bool {
        let now = Instant::now();
        let is_late = |limit: Instant| now.saturating_duration_since(limit) >= OVERSLEPT;
        if !self.limit().is_some_and(is_late) {
            return false;
        }
        self.opening_since = self.opening_since.map(|_| now);
        self.deadline = self.deadline.map(|deadline| deadline.max(now));
        let patience = self.patience();
        self.last_moment = self.last_moment.and_then(|_| now.checked_add(patience));
        true
    }

    fn overdue(&self) -> Overdue {
        let opening = self
            .under_way
            .values()
            .find(|operation| operation.doing == Doing::Opening);
        let is_late = self
            .opening_since
            .is_some_and(|since| since.elapsed() >= self.opening_limit);
        match opening.filter(|_| is_late) {
            Some(operation) => Overdue::Opening(operation.clone(), self.opening_limit),
            None => Overdue::Worker,
        }
    }

    pub(super) fn remains(self, status: ExitStatus, ended_by_us: Option<Overdue>) -> Remains {
        let written_over = self.under_way.values().filter_map(|operation| {
            let identity = operation.identity.as_deref()?;
            let is_another = is_written_over(Path::new(&operation.library), identity);
            is_another.then(|| file_name(&operation.library))
        });
        let written_over = written_over.collect::<BTreeSet<_>>();
        Remains {
            written_over: written_over.into_iter().collect(),
            under_way: self.under_way,
            record: self.record,
            publishing: self.publishing,
            cancelled: self.cancels > 0,
            ended_by_us,
            status,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(thread: i32) -> Operation {
        Operation {
            doing: Doing::Opening,
            plugins: vec!["a.b".to_owned()],
            version: "1.0.0".to_owned(),
            library: "/p/liba.so".to_owned(),
            identity: None,
            thread,
        }
    }

    #[test]
    fn only_opening_a_library_has_a_limit_while_nobody_asks_for_the_end() {
        let mut watch = Watch::new(Duration::from_secs(30));
        assert_eq!(watch.limit(), None);
        watch.take(Told::Message(FromWorker::Began(opening(1))));
        assert!(watch.limit().is_some());
        watch.take(Told::Message(FromWorker::Done { thread: 1 }));
        assert_eq!(watch.limit(), None);
        let running = Operation {
            doing: Doing::Running,
            ..opening(2)
        };
        watch.take(Told::Message(FromWorker::Began(running)));
        assert_eq!(watch.limit(), None);
    }

    #[test]
    fn what_is_overdue_is_the_library_or_else_the_worker() {
        let mut watch = Watch::new(Duration::ZERO);
        watch.take(Told::Message(FromWorker::Began(opening(1))));
        assert_eq!(
            watch.overdue(),
            Overdue::Opening(opening(1), Duration::ZERO)
        );
        watch.take(Told::Message(FromWorker::Done { thread: 1 }));
        assert_eq!(watch.overdue(), Overdue::Worker);
    }

    #[test]
    fn the_time_in_which_this_process_was_stopped_is_nobodys() {
        let mut watch = Watch::new(Duration::ZERO);
        assert!(!watch.was_stopped());
        watch.last_moment = Some(Instant::now());
        assert!(!watch.was_stopped(), "it is overdue just now");
        let long_ago = Instant::now().checked_sub(Duration::from_secs(3600));
        let late: [fn(&mut Watch) -> &mut Option<Instant>; 3] = [
            |watch| &mut watch.opening_since,
            |watch| &mut watch.deadline,
            |watch| &mut watch.last_moment,
        ];
        for late in late {
            let mut watch = Watch::new(Duration::from_secs(5));
            *late(&mut watch) = long_ago;
            assert!(watch.was_stopped());
            let rest = watch.limit().map(|limit| limit - Instant::now());
            assert!(rest > Some(Duration::from_secs(1)), "{rest:?}");
            assert!(!watch.was_stopped());
        }
    }

    #[test]
    fn the_end_is_expected_at_the_earliest_moment_that_was_named() {
        let mut watch = Watch::new(Duration::from_secs(30));
        watch.expect_end(Duration::from_secs(3600));
        let late = watch.limit();
        watch.expect_end(Duration::from_secs(1));
        let early = watch.limit();
        watch.expect_end(Duration::from_secs(60));
        assert!(early < late);
        assert_eq!(watch.limit(), early);
    }
}
