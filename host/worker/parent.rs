//! The parent: starts a worker, passes signals on, waits, and tells how it ended.
//!
//! Three threads listen: to signals, to what the worker tells, and for its end; this one decides.
//! Nothing is asked for again and again: it sleeps until something happens or something is overdue.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::link::{Doing, FromParent, FromWorker, Link, Operation, PROTOCOL, Told};
use super::verdict::{Overdue, Remains, Verdict, file_name};
use crate::args::Args;
use crate::config::Config;
use crate::crash::Record;
use crate::crashes::{Crash, Crashes};
use crate::error::{Error, say};
use crate::loaded::is_written_over;
use crate::logging::{self, Product};
use crate::metrics::{Metrics, Number, Value};
use crate::offer;
use crate::problem::Problem;
use crate::report::exit;
use crate::signal::{self, Wish};

/// This program's file, whatever has become of its name since it was started.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// What the grace is taken for until the worker has read the configuration.
const GRACE: Duration = Duration::from_secs(10);

/// How long a worker may take to end beyond what it is allowed to wait for plugins, and how long when
/// it has nothing left to do.
const MARGIN: Duration = Duration::from_secs(10);

/// Who wakes up so much later than it wanted to has been stopped meanwhile, as Ctrl-Z does to all
/// processes of a terminal: that time was nobody's.
const OVERSLEPT: Duration = Duration::from_secs(1);

/// Something the parent hears of.
enum Heard {
    Wish(Wish),
    Told(Told),
    /// The worker will say no more.
    Closed,
    /// The worker has ended.
    Ended,
}

/// Runs `args` in a worker and returns its exit code.
pub(super) fn run(args: &Args) -> Result<u8, Error> {
    attend(args).map_err(|error| {
        Error::failed("cannot start the worker process", error).hint("--in-process runs without it")
    })
}

fn attend(args: &Args) -> io::Result<u8> {
    let (heard, events) = mpsc::channel();
    let wishes = heard.clone();
    // Before there is a worker: a signal that comes now is passed on as soon as there is one.
    signal::listen(move |wish| {
        let _attended = wishes.send(Heard::Wish(wish)).is_ok();
    })?;
    let (link, stdin) = Link::pair()?;
    let link = Arc::new(link);
    let mut worker = start(stdin)?;
    let pid = Pid::from_child(&worker);
    listen(Arc::clone(&link), pid, heard)?;
    let mut watch = Watch::new(args.worker.opening_limit);
    let ended_by_us = watch.wait(&link, &events, pid);
    let status = worker.wait()?;
    if let Some(code) = watch.report {
        return Ok(code);
    }
    let remains = watch.remains(status, ended_by_us);
    Ok(tell(args, remains.judge()))
}

fn start(stdin: OwnedFd) -> io::Result<Child> {
    let mut arguments = env::args_os();
    let name = arguments
        .next()
        .unwrap_or_else(|| OsString::from("gordon-janitor"));
    Command::new(THIS_PROGRAM)
        .arg0(name)
        .arg("--worker-of")
        .arg(std::process::id().to_string())
        .args(arguments)
        .stdin(Stdio::from(stdin))
        .spawn()
        .map_err(|error| {
            let text = format!("cannot execute {THIS_PROGRAM}: {error}");
            io::Error::new(error.kind(), text)
        })
}

/// Hears the worker, and then of its end.
///
/// The end of what it tells is not its own end: a plugin may close the link, and a process that a
/// plugin has left behind may hold it open for ever.
fn listen(link: Arc<Link>, pid: Pid, heard: Sender<Heard>) -> io::Result<()> {
    let ending = (Arc::clone(&link), heard.clone());
    let hear = move || {
        let mut buffer = Vec::new();
        while let Some(told) = link.hear_worker(&mut buffer) {
            let _attended = heard.send(Heard::Told(told)).is_ok();
        }
        let _attended = heard.send(Heard::Closed).is_ok();
    };
    let hearer = thread::Builder::new()
        .name("worker".to_owned())
        .spawn(hear)?;
    let (link, heard) = ending;
    let wait = move || {
        // It stays a zombie until its status is taken, so that its number is nobody else's.
        let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(
            waitid(WaitId::Pid(pid), ended),
            Err(rustix::io::Errno::INTR)
        ) {}
        // What it has told by now is heard all the same, and first.
        link.hear_no_more();
        let _heard_all = hearer.join().is_ok();
        let _attended = heard.send(Heard::Ended).is_ok();
    };
    thread::Builder::new()
        .name("worker-end".to_owned())
        .spawn(wait)?;
    Ok(())
}

/// What the parent knows of its worker.
struct Watch {
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
    report: Option<u8>,
}

impl Watch {
    fn new(opening_limit: Duration) -> Self {
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
    fn wait(&mut self, link: &Link, events: &Receiver<Heard>, pid: Pid) -> Option<Overdue> {
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

    /// Whether this process itself was stopped while it waited; everything has as much longer then.
    fn was_stopped(&mut self) -> bool {
        let late = self.limit().map(|limit| limit.elapsed());
        let Some(late) = late.filter(|late| *late >= OVERSLEPT) else {
            return false;
        };
        for moment in [
            &mut self.opening_since,
            &mut self.deadline,
            &mut self.last_moment,
        ] {
            *moment = moment.and_then(|moment| moment.checked_add(late));
        }
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

    fn remains(self, status: ExitStatus, ended_by_us: Option<Overdue>) -> Remains {
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

/// Tells what became of the worker: on standard error, in the log, as a measurement, and to the next
/// run. Returns the exit code.
fn tell(args: &Args, verdict: Verdict) -> u8 {
    // The worker has read it too; if it cannot be read now, there is no other place than stderr.
    let config = Config::load(&args.config_root).ok();
    let is_logged = config
        .as_ref()
        .is_some_and(|config| logging::init(config.core(), Product::of(args)).is_ok());
    let mut problem = verdict.problem.clone();
    if let Some(culprit) = &verdict.culprit
        && !verdict.cancelled
        && let Err(error) = remember(culprit, &verdict.cause)
    {
        problem = problem.note(format!(
            "the next run will not know of it: cannot write {}: {error}",
            Crashes::path(&offer::state_root()).display()
        ));
    }
    crate::terminal::clear();
    say(&problem);
    if is_logged {
        log(&problem, &verdict);
    }
    if let Some(config) = config {
        let status = if verdict.cancelled {
            "cancelled"
        } else {
            "unexpected-error"
        };
        // A relay that is a plugin would have to be run here; the log has to do in its place.
        let metrics = Metrics::new(config.core(), args.publishes());
        let context = [("status", Value::from(status))];
        metrics.incr("run-ended", Number::from(1), &context);
    }
    exit::FAILED
}

fn log(problem: &Problem, verdict: &Verdict) {
    let code = problem.code().as_str();
    let culprit = verdict.culprit.as_ref();
    let plugins = culprit.map(|operation| operation.plugins.join(","));
    tracing::error!(
        code,
        plugins,
        library = culprit.map(|operation| operation.library.as_str()),
        version = culprit.map(|operation| operation.version.as_str()),
        cause = verdict.cause,
        "{}",
        problem.summary()
    );
}

fn remember(culprit: &Operation, cause: &str) -> io::Result<()> {
    Crashes::add(&offer::state_root(), Crash::now(culprit, cause))
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
        watch.last_moment = Instant::now().checked_sub(Duration::from_secs(3600));
        assert!(watch.was_stopped());
        let rest = watch.limit().map(|limit| limit.elapsed());
        assert!(rest.is_some_and(|rest| rest < OVERSLEPT), "{rest:?}");
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
