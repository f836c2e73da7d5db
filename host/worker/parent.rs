//! The parent: starts a worker, passes signals on, waits, and tells how it ended.
//!
//! Three threads listen: to signals, to what the worker tells, and for its end; this one decides
//! ([`Watch`]).

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::link::{Link, Operation};
use super::verdict::Verdict;
use super::watch::{Heard, Watch};
use crate::args::Args;
use crate::config::Config;
use crate::crashes::{Crash, Crashes};
use crate::error::{Error, say};
use crate::logging::{self, Product};
use crate::metrics::{Metrics, Number, Value};
use crate::offer;
use crate::problem::Problem;
use crate::report::exit;
use crate::signal;

/// This program's file, whatever has become of its name since it was started.
const THIS_PROGRAM: &str = "/proc/self/exe";

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

/// Tells what became of the worker: on standard error, in the log, as a measurement, and to the next
/// run. Returns the exit code.
fn tell(args: &Args, verdict: Verdict) -> u8 {
    // The worker has read it too; if it cannot be read now, there is no other place than stderr.
    let config = Config::load(&args.config_root).ok();
    let is_logged = config
        .as_ref()
        .is_some_and(|config| logging::init(config.core(), Product::of(args)).is_ok());
    let state_root = offer::state_root(config.as_ref().map(Config::core));
    let mut problem = verdict.problem.clone();
    if let Some(culprit) = &verdict.culprit
        && !verdict.cancelled
        && let Err(error) = remember(&state_root, culprit, &verdict.cause)
    {
        problem = problem.note(format!(
            "the next run will not know of it: cannot write {}: {error}",
            Crashes::path(&state_root).display()
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

fn remember(state_root: &Path, culprit: &Operation, cause: &str) -> io::Result<()> {
    Crashes::add(state_root, Crash::now(culprit, cause))
}
