//! SIGINT and SIGTERM become cancellation.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::offer::Shared;
use crate::report::Cancellation;

/// Cancels the run when SIGINT or SIGTERM arrives while there is one. Before and after it they end
/// the process, as they would without this.
///
/// # Errors
///
/// The system's error if it takes no handler or has no more threads.
pub fn cancel_on_shutdown(shared: Arc<Shared>) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let listen = move || {
        for signal in signals.forever() {
            if !shared.running.load(Ordering::Acquire) {
                // Nobody would hear of a cancellation. This ends the process.
                let _ended = signal_hook::low_level::emulate_default_handler(signal).is_ok();
            }
            if !shared.running.load(Ordering::Acquire) {
                // Nobody would hear of a cancellation. This ends the process.
                let _ended = signal_hook::low_level::emulate_default_handler(signal).is_ok();
            }
            let signal = if signal == SIGINT {
                "SIGINT"
            } else {
                "SIGTERM"
            };
            if shared.is_cancelled() {
                tracing::info!(signal, "the run is being cancelled already");
            } else {
                tracing::warn!(
                    signal,
                    "the run is cancelled; plugins have the grace to end"
                );
            }
            shared.cancel(Cancellation::Signal);
        }
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(listen)?;
    Ok(())
}
