//! Who may end a run, and when.
//!
//! ```text
//!             begin            over             finish
//!   before ───────────► run ─────────► after ───────────► the process is gone
//!      │                 │               │
//!      └─ ends the       └─ cancels it   └─ ends the process
//!         process           (twice: the grace is over)         on a signal
//! ```
//!
//! A signal may reach this process, its parent, or both: Ctrl-C and systemd signal all processes of a
//! group. So each side counts those that reach it, the parent tells its number, and what counts is
//! the larger of the two.

use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use tokio_util::sync::CancellationToken;

use crate::crash;
use crate::error::print_causes;
use crate::logging;
use crate::metrics::{Number, Value};
use crate::offer::Shared;
use crate::report::{Cancellation, exit};
use crate::terminal;
use crate::worker::Breadcrumbs;

/// Where a process is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Before,
    Run,
    After,
    /// One thread ends the process; the others wait for it.
    Ending,
}

/// Requests of one kind, counted where they arrive.
#[derive(Clone, Copy, Debug, Default)]
struct Requests {
    here: u32,
    at_parent: u32,
    heeded: u32,
}

impl Requests {
    /// How many there are beyond those that were heeded; they count as heeded from now on.
    fn heed(&mut self) -> u32 {
        let all = self.here.max(self.at_parent);
        let new = all.saturating_sub(self.heeded);
        self.heeded = self.heeded.max(all);
        new
    }
}

struct State {
    phase: Phase,
    cancel: Requests,
    progress: Requests,
}

/// The end of a process, under control.
pub struct Control {
    /// Asks the plugins to stop.
    pub(crate) stop: CancellationToken,
    /// Ends the grace: what has not stopped by now is left behind.
    pub(crate) hurry: CancellationToken,
    /// What the parent is told.
    pub(crate) breadcrumbs: Breadcrumbs,
    shared: OnceLock<Arc<Shared>>,
    state: Mutex<State>,
    /// Held while a request is granted and told, so that a run that ends at once does not end before
    /// anybody knows why.
    telling: Mutex<()>,
}

impl Control {
    pub(crate) fn new(breadcrumbs: Breadcrumbs) -> Self {
        Self {
            stop: CancellationToken::new(),
            hurry: CancellationToken::new(),
            breadcrumbs,
            shared: OnceLock::new(),
            telling: Mutex::default(),
            state: Mutex::new(State {
                phase: Phase::Before,
                cancel: Requests::default(),
                progress: Requests::default(),
            }),
        }
    }

    /// There is something to cancel from now on, and to report on.
    pub(crate) fn prepare(&self, shared: &Arc<Shared>) {
        self.shared.get_or_init(|| Arc::clone(shared));
    }

    /// The run begins: from now on a signal cancels it.
    pub(crate) fn begin(&self) {
        self.enter(Phase::Run);
    }

    /// The run is over: from now on a signal ends the process.
    pub(crate) fn over(&self) {
        self.enter(Phase::After);
    }

    /// Ends the process with `code`, once everything is written and the parent knows.
    pub(crate) fn finish(&self, code: u8) -> ! {
        self.enter(Phase::Ending);
        // A reader that is gone was told of where the text was written. On a signal nothing is flushed:
        // another thread may hold the stream and wait for a reader that does not read.
        let _flushed = io::stdout().flush().is_ok();
        self.end(code)
    }

    /// A signal has asked this process for its end.
    pub(crate) fn cancel_here(&self, signal: i32) {
        self.cancel(signal, |requests| requests.here += 1);
    }

    /// `count` signals have asked the parent for the end by now, the last one `signal`.
    pub(crate) fn cancel_at_parent(&self, count: u32, signal: i32) {
        self.cancel(signal, |requests| {
            requests.at_parent = requests.at_parent.max(count);
        });
    }

    /// The parent is gone: nobody waits for this run any more.
    pub(crate) fn orphaned(&self) {
        self.cancel(0, |requests| {
            requests.at_parent = requests.at_parent.max(1);
        });
    }

    /// A signal has asked this process for a progress report.
    pub(crate) fn report_here(&self) {
        self.report(|requests| requests.here += 1);
    }

    /// `count` signals have asked the parent for a progress report by now.
    pub(crate) fn report_at_parent(&self, count: u32) {
        self.report(|requests| requests.at_parent = requests.at_parent.max(count));
    }

    fn report(&self, count: impl FnOnce(&mut Requests)) {
        let mut state = self.state();
        count(&mut state.progress);
        let (new, phase) = (state.progress.heed(), state.phase);
        drop(state);
        if new == 0 {
            return;
        }
        match self.shared.get().filter(|_| phase == Phase::Run) {
            Some(shared) => shared.report_progress(),
            None if phase == Phase::Before => {
                tracing::info!("progress: no plugin runs yet; libraries are judged and opened");
            }
            None => tracing::info!("progress: the run is over"),
        }
    }

    fn cancel(&self, signal: i32, count: impl FnOnce(&mut Requests)) {
        let mut state = self.state();
        count(&mut state.cancel);
        let earlier = state.cancel.heeded;
        let new = state.cancel.heed();
        if new == 0 {
            return;
        }
        terminal::hurry();
        let phase = state.phase;
        if matches!(phase, Phase::Before | Phase::After) {
            state.phase = Phase::Ending;
        }
        drop(state);
        match phase {
            Phase::Before => self.end_before_the_run(),
            Phase::Run => self.cancel_run(signal, earlier + new > 1),
            Phase::After => self.end_after_the_run(),
            Phase::Ending => {}
        }
    }

    fn cancel_run(&self, signal: i32, is_second: bool) {
        let _told = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        // Before a word is written: whoever reads that the run is cancelled may rely on it, and a log
        // that nobody reads any more holds up nobody.
        if let Some(shared) = self.shared.get() {
            shared.cancel(Cancellation::Signal);
        }
        if is_second {
            self.hurry.cancel();
        }
        let signal = match signal {
            0 => "none; the parent process is gone",
            signal => crash::name_of(signal),
        };
        if is_second {
            tracing::warn!(
                signal,
                "the grace is over; what has not stopped is left behind"
            );
        } else {
            tracing::warn!(
                signal,
                "the run is cancelled; plugins have the grace to end"
            );
        }
    }

    /// Nobody has anything to clean up: the process may end in the middle of whatever it does.
    fn end_before_the_run(&self) -> ! {
        tell_of_the_end("the run was cancelled by a signal before any plugin ran");
        if let Some(shared) = self.shared.get() {
            let context = [("status", Value::from("cancelled"))];
            shared.metrics.incr("run-ended", Number::from(1), &context);
        }
        self.end(exit::FAILED)
    }

    /// The run is over and measured; what is left is to show it.
    fn end_after_the_run(&self) -> ! {
        tell_of_the_end("the run was over, and a signal cut off what it had to show");
        self.end(exit::FAILED)
    }

    fn enter(&self, phase: Phase) {
        drop(self.telling.lock().unwrap_or_else(PoisonError::into_inner));
        let mut state = self.state();
        if state.phase == Phase::Ending {
            drop(state);
            // Another thread ends the process, and this one with it.
            loop {
                thread::park();
            }
        }
        state.phase = phase;
    }

    /// Everything that is told later than this is lost.
    fn end(&self, code: u8) -> ! {
        logging::finish();
        self.breadcrumbs.report(code);
        crash::end_process(code)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells why the process ends although nothing has failed.
fn tell_of_the_end(text: &str) {
    tracing::error!("{text}");
    if !logging::shows_errors() {
        print_causes(&[(text.to_owned(), None)]);
    }
}

#[cfg(test)]
mod tests {
    use super::Requests;

    #[test]
    fn a_signal_that_reaches_parent_and_worker_counts_once() {
        let mut requests = Requests::default();
        requests.here += 1;
        assert_eq!(requests.heed(), 1);
        requests.at_parent = 1;
        assert_eq!(requests.heed(), 0);
        requests.at_parent = 2;
        assert_eq!(requests.heed(), 1);
        requests.here += 1;
        assert_eq!(requests.heed(), 0);
    }
}
