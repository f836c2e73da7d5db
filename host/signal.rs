//! Signals that ask for the end of a run, or for a word on how it goes.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;

use crate::crash;

/// Signals that cancel a run.
const CANCELLING: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// Signals that follow each other this closely ask for one thing. `timeout` signals its program and
/// then the whole group, systemd may send SIGHUP right behind SIGTERM, and a shell hands on the hangup
/// that the kernel has sent to everybody: none of them wants the grace to end.
const ECHO: Duration = Duration::from_millis(200);

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
    let cancelling = CANCELLING
        .into_iter()
        .filter(|signal| crash::disposition(*signal) != Some(libc::SIG_IGN));
    let mut signals = Signals::new(cancelling.chain([SIGUSR1]))?;
    let listen = move || {
        let mut echoes = Echoes::default();
        for signal in signals.forever() {
            if signal == SIGUSR1 {
                hear(Wish::Progress);
            } else if !echoes.is_one(Instant::now()) {
                hear(Wish::Cancel(signal));
            }
        }
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(listen)?;
    Ok(())
}

/// Tells requests from their echoes.
#[derive(Debug, Default)]
struct Echoes {
    last_request: Option<Instant>,
}

impl Echoes {
    fn is_one(&mut self, now: Instant) -> bool {
        let is_echo = self
            .last_request
            .is_some_and(|request| now.saturating_duration_since(request) < ECHO);
        if !is_echo {
            self.last_request = Some(now);
        }
        is_echo
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volley_of_signals_is_one_request_and_a_later_one_another() {
        let start = Instant::now();
        let mut echoes = Echoes::default();
        let heard = [0, 1, 199, 200, 201, 399, 400]
            .into_iter()
            .filter(|millis| !echoes.is_one(start + Duration::from_millis(*millis)));
        assert_eq!(heard.collect::<Vec<_>>(), [0, 200, 400]);
    }
}
