//! What every plugin of a run is doing, and since when.
//!
//! Written by the plugins' own threads and channels, a few relaxed stores for a message; read by
//! whoever wants to know why nothing moves: a progress report, the watch for stalls, the end of the
//! grace. What is read is a moment's picture and may be torn by that much.

mod report;
mod stall;

pub(crate) use self::report::seconds;
pub(crate) use self::stall::StallWatch;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::manifest::Role;
use crate::worker::{Doing, Operation};

/// What times are counted from.
static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// How long nothing may move before it is told, unless a test says otherwise.
pub const STALL_LIMIT: Duration = Duration::from_secs(60);

/// A moment in one word; 0 is never.
#[derive(Debug, Default)]
struct Moment(AtomicU64);

impl Moment {
    fn now() -> u64 {
        let nanoseconds = ORIGIN.elapsed().as_nanos();
        // 584 years.
        u64::try_from(nanoseconds).unwrap_or(u64::MAX - 1) + 1
    }

    fn set(&self, moment: u64) {
        self.0.store(moment, Relaxed);
    }

    fn get(&self) -> Option<u64> {
        match self.0.load(Relaxed) {
            0 => None,
            moment => Some(moment),
        }
    }

    /// How long ago it was at `now`.
    fn age(&self, now: u64) -> Option<Duration> {
        let moment = self.get()?;
        Some(Duration::from_nanos(now.saturating_sub(moment)))
    }
}

/// One direction of a plugin's messages.
#[derive(Debug, Default)]
pub struct Lane {
    is_there: AtomicBool,
    messages: AtomicU64,
    last: Moment,
    /// Since when the plugin cannot go on for want of a message, or of room for one.
    blocked: Moment,
    waited: AtomicU64,
}

impl Lane {
    /// There is a channel.
    pub(crate) fn open(&self) {
        self.is_there.store(true, Relaxed);
    }

    /// `messages` went through.
    pub(crate) fn moved(&self, messages: usize) {
        let now = Moment::now();
        self.unblock(now);
        self.last.set(now);
        let before = self.messages.load(Relaxed);
        self.messages.store(before + messages as u64, Relaxed);
    }

    /// The plugin asked, and has to wait.
    pub(crate) fn blocked(&self) {
        if self.blocked.get().is_none() {
            self.blocked.set(Moment::now());
        }
    }

    /// No more messages will go through.
    pub(crate) fn close(&self) {
        self.unblock(Moment::now());
    }

    fn unblock(&self, now: u64) {
        if let Some(waited) = self.blocked.age(now) {
            self.blocked.set(0);
            let waited = u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX);
            let before = self.waited.load(Relaxed);
            self.waited.store(before.saturating_add(waited), Relaxed);
        }
    }

    /// How long the plugin has waited, all in all.
    pub(crate) fn waited(&self) -> Duration {
        Duration::from_nanos(self.waited.load(Relaxed))
    }

    /// Whether there is, or was, a channel.
    pub(crate) fn is_there(&self) -> bool {
        self.is_there.load(Relaxed)
    }
}

/// Where a plugin is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Its thread is being started.
    New,
    /// It is being created.
    Creating,
    /// It waits for the others to be created.
    Created,
    /// It runs; cleaning up and being dropped are part of it.
    Running,
    /// It has ended.
    Ended,
}

impl State {
    const ALL: [Self; 5] = [
        Self::New,
        Self::Creating,
        Self::Created,
        Self::Running,
        Self::Ended,
    ];
}

/// Where a plugin comes from.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    /// The library's file.
    pub library: PathBuf,
    /// Version of the library's package.
    pub version: String,
    /// Which file that was when it was opened.
    pub identity: Option<String>,
}

impl Provenance {
    /// What the parent process is told before code of the library runs on this thread.
    pub(crate) fn operation(&self, doing: Doing, plugins: Vec<String>) -> Operation {
        Operation {
            doing,
            plugins,
            version: self.version.clone(),
            library: self.library.display().to_string(),
            identity: self.identity.clone(),
            thread: rustix::thread::gettid().as_raw_nonzero().get(),
        }
    }
}

/// What one plugin is doing.
#[derive(Debug)]
pub struct Activity {
    pub(crate) key: Arc<str>,
    pub(crate) role: Role,
    pub(crate) provenance: Provenance,
    state: AtomicU8,
    since: Moment,
    thread: AtomicI32,
    /// What it receives.
    pub(crate) receiving: Arc<Lane>,
    /// What it sends.
    pub(crate) sending: Arc<Lane>,
}

impl Activity {
    pub(crate) fn new(key: Arc<str>, role: Role, provenance: Provenance) -> Self {
        let activity = Self {
            key,
            role,
            provenance,
            state: AtomicU8::new(0),
            since: Moment::default(),
            thread: AtomicI32::new(0),
            receiving: Arc::default(),
            sending: Arc::default(),
        };
        activity.enter(State::New);
        activity
    }

    /// The plugin's thread, by the kernel's number.
    pub(crate) fn on_thread(&self, thread: i32) {
        self.thread.store(thread, Relaxed);
    }

    /// What the parent process is told before the plugin's code runs on this thread.
    pub(crate) fn operation(&self, doing: Doing) -> Operation {
        self.provenance.operation(doing, vec![self.key.to_string()])
    }

    pub(crate) fn enter(&self, state: State) {
        self.state.store(state as u8, Relaxed);
        self.since.set(Moment::now());
    }

    pub(crate) fn state(&self) -> State {
        let state = usize::from(self.state.load(Relaxed));
        State::ALL.get(state).copied().unwrap_or(State::New)
    }

    fn is_at_work(&self) -> bool {
        matches!(self.state(), State::New | State::Creating | State::Running)
    }

    /// The lane it waits at, and since when.
    fn waits(&self) -> Option<(Direction, u64)> {
        if self.state() != State::Running {
            return None;
        }
        [Direction::Receive, Direction::Send]
            .into_iter()
            .filter_map(|direction| Some((direction, self.lane(direction).blocked.get()?)))
            .min_by_key(|(_, since)| *since)
    }

    pub(crate) fn lane(&self, direction: Direction) -> &Lane {
        match direction {
            Direction::Receive => &self.receiving,
            Direction::Send => &self.sending,
        }
    }

    /// When it last did something that others notice.
    fn last_sign(&self) -> u64 {
        let messages = [&self.receiving, &self.sending].map(|lane| lane.last.get());
        messages
            .into_iter()
            .chain([self.since.get()])
            .flatten()
            .max()
            .unwrap_or_default()
    }
}

/// The way of a message, as the plugin sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Receive,
    Send,
}

impl Direction {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Send => "send",
        }
    }
}

/// The plugins of a run, in the order of a run.
#[derive(Debug, Default)]
pub struct Roster(RwLock<Vec<Arc<Activity>>>);

impl Roster {
    pub(crate) fn enlist(&self, activity: Arc<Activity>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.push(activity);
        all.sort_by_key(|activity| activity.role);
    }

    pub(crate) fn all(&self) -> Vec<Arc<Activity>> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_adds_up_and_ends_with_a_message() {
        let lane = Lane::default();
        assert_eq!(lane.waited(), Duration::ZERO);
        lane.blocked();
        let since = lane.blocked.get();
        lane.blocked();
        assert_eq!(lane.blocked.get(), since, "asking again changes nothing");
        lane.moved(3);
        assert_eq!(lane.blocked.get(), None);
        let once = lane.waited();
        assert!(once > Duration::ZERO);
        lane.blocked();
        lane.close();
        assert!(lane.waited() > once);
        assert_eq!(lane.messages.load(Relaxed), 3);
    }

    #[test]
    fn a_plugin_that_runs_no_more_waits_for_nothing() {
        let activity = Activity::new("a.b".into(), Role::Authority, Provenance::default());
        activity.enter(State::Running);
        activity.sending.blocked();
        assert!(activity.waits().is_some());
        activity.enter(State::Ended);
        assert!(activity.waits().is_none());
    }
}
