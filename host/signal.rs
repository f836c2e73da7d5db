//! Signals that ask for the end of a run, or for a word on how it goes.

use std::io;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;

use crate::audit::ignored_signals;

/// Signals that cancel a run.
const CANCELLING: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The end: of the run, and if there are two, of the grace too.
    Cancel(i32),
    /// A progress report.
    Progress,
}

/// Calls `hear` for every signal, on a thread of its own.
///
/// A signal that was ignored when the program was started stays ignored: `nohup` wants it so, and so
/// does a shell for what it starts in the background.
///
/// # Errors
///
/// The system's error if it takes no handler or has no more threads.
pub(crate) fn listen(mut hear: impl FnMut(Wish) + Send + 'static) -> io::Result<()> {
    let ignored = ignored_signals();
    let cancelling = CANCELLING
        .into_iter()
        .filter(|signal| !ignored.contains(*signal));
    let mut signals = Signals::new(cancelling.chain([SIGUSR1]))?;
    let listen = move || {
        for signal in signals.forever() {
            hear(match signal {
                SIGUSR1 => Wish::Progress,
                _ => Wish::Cancel(signal),
            });
        }
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(listen)?;
    Ok(())
}
