//! The worker's side: what it inherits, what it tells, how it ends.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

use super::link::{FromParent, FromWorker, Link, Operation, PROTOCOL};
use crate::control::Control;
use crate::crash::{self, Audience};
use crate::error::{self, Error};
use crate::signal::{self, Wish};

/// What the parent is told on the way; nothing where there is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Breadcrumbs(Option<&'static Link>);

impl Breadcrumbs {
    /// The configuration is read.
    pub(crate) fn limits(self, grace: Duration, deadline_in: Option<Duration>) {
        self.tell(&FromWorker::Limits {
            grace: grace.as_secs_f64(),
            deadline_in: deadline_in.map(|limit| limit.as_secs_f64()),
        });
    }

    /// This thread begins something during which a library's code runs. It is done when what is
    /// returned is dropped.
    pub(crate) fn begin(self, operation: impl FnOnce() -> Operation) -> UnderWay {
        if self.0.is_none() {
            return UnderWay(self, 0);
        }
        let operation = operation();
        let thread = operation.thread;
        self.tell(&FromWorker::Began(operation));
        UnderWay(self, thread)
    }

    /// From now on changes go to publishers.
    pub(crate) fn publishing(self) {
        self.tell(&FromWorker::Publishing);
    }

    /// Everything is told: the run ends with `code`.
    pub(crate) fn report(self, code: u8) {
        self.tell(&FromWorker::Report { code });
    }

    fn tell(self, message: &FromWorker) {
        if let Some(link) = self.0
            && let Err(error) = link.send(message)
        {
            // The parent is gone, which is heard where its messages are received.
            tracing::debug!(%error, "the parent process cannot be told");
        }
    }
}

/// Something during which a library's code runs, until this is dropped.
#[must_use = "it is over as soon as this is dropped"]
pub(crate) struct UnderWay(Breadcrumbs, i32);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.tell(&FromWorker::Done { thread: self.1 });
    }
}

/// Carries out `work` for the parent `parent`, and ends the process.
pub(super) fn serve(
    parent: i32,
    work: impl FnOnce(&Arc<Control>) -> Result<u8, Error>,
) -> Result<u8, Error> {
    let link = link_of_stdin().map_err(|error| {
        Error::failed("cannot work for a parent process", error)
            .hint("--worker-of is how gordon-janitor starts itself; leave it out")
    })?;
    let control = attach(link, parent)
        .map_err(|error| Error::failed("cannot set up the worker process", error))?;
    finish(&control, work)
}

/// Carries out `work` without a parent, and ends the process.
pub(super) fn alone(work: impl FnOnce(&Arc<Control>) -> Result<u8, Error>) -> Result<u8, Error> {
    let stderr: &'static io::Stderr = Box::leak(Box::new(io::stderr()));
    // What is done at exit comes last: where this fails, the program still ends by itself.
    let control = listen(Arc::new(Control::new(Breadcrumbs::default())))
        .and_then(|control| crash::tell_to(stderr, Audience::People).map(|()| control))
        .map_err(|error| Error::failed("cannot listen for signals", error))?;
    finish(&control, work)
}

fn finish(control: &Arc<Control>, work: impl FnOnce(&Arc<Control>) -> Result<u8, Error>) -> ! {
    let code = work(control).unwrap_or_else(|error| {
        let _code = error::print(&error);
        error.exit_code()
    });
    control.finish(code)
}

fn attach(link: &'static Link, parent: i32) -> io::Result<Arc<Control>> {
    // Plugins find nothing where the link was.
    let null = File::open(Path::new("/dev/null"))?;
    rustix::stdio::dup2_stdin(&null)?;
    // By the name that the binary has: it was started as `/proc/self/exe`.
    if let Err(error) = rustix::thread::set_name(c"gordon-janitor") {
        tracing::debug!(%error, "the worker process keeps the name of its file");
    }
    crash::tell_to(link, Audience::Parent)?;
    let control = listen(Arc::new(Control::new(Breadcrumbs(Some(link)))))?;
    let hearer = Arc::clone(&control);
    thread::Builder::new()
        .name("parent".to_owned())
        .spawn(move || hear_parent(link, &hearer))?;
    link.send(&FromWorker::Hello { protocol: PROTOCOL })?;
    // The link says so too, unless a plugin closes it; so a sandbox that forbids this is no obstacle.
    if let Err(error) = set_parent_process_death_signal(Some(Signal::TERM)) {
        tracing::debug!(%error, "the end of the parent process is seen by its link alone");
    }
    if Pid::as_raw(getppid()) != parent {
        control.orphaned();
    }
    Ok(control)
}

/// The link, which stays open as long as this process.
fn link_of_stdin() -> io::Result<&'static Link> {
    let stdin = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    Ok(Box::leak(Box::new(Link::from_fd(stdin)?)))
}

fn hear_parent(link: &Link, control: &Control) {
    while let Some(message) = link.hear_parent() {
        match message {
            FromParent::Cancel { count, signal } => control.cancel_at_parent(count, signal),
            FromParent::Progress { count } => control.report_at_parent(count),
        }
    }
    control.orphaned();
}

fn listen(control: Arc<Control>) -> io::Result<Arc<Control>> {
    let hearer = Arc::clone(&control);
    signal::listen(move |wish| match wish {
        Wish::Cancel(signal) => hearer.cancel_here(signal),
        Wish::Progress => hearer.report_here(),
    })?;
    Ok(control)
}
