//! SIGINT and SIGTERM become cancellation.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio_util::sync::CancellationToken;

/// Whether a signal has cancelled the run.
#[derive(Clone, Default)]
pub struct Signalled(Arc<AtomicBool>);

impl Signalled {
    /// Whether a signal came.
    #[must_use]
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Cancels `token` when SIGINT or SIGTERM arrives, from now on until the process ends.
///
/// # Errors
///
/// The system's error if it takes no handler or has no more threads.
pub fn cancel_on(token: CancellationToken) -> io::Result<Signalled> {
    let signalled = Signalled::default();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let told = signalled.clone();
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                let name = if signal == SIGINT {
                    "SIGINT"
                } else {
                    "SIGTERM"
                };
                if told.0.swap(true, Ordering::AcqRel) {
                    tracing::info!(signal = name, "the run is being cancelled already");
                } else {
                    tracing::warn!(
                        signal = name,
                        "the run is cancelled; plugins have the grace to end"
                    );
                }
                token.cancel();
            }
        })?;
    Ok(signalled)
}
