//! Calls of the host that look wrong, and are allowed.

use std::fmt;
use std::path::Path;
use std::thread;

use janitor_plugin_api::{Error, Host};

/// Everything that the host offers, from threads that the host knows nothing of.
pub(crate) fn from_many_threads(host: &Host) {
    thread::scope(|scope| {
        for number in 0..16_u32 {
            scope.spawn(move || {
                for _ in 0..100 {
                    call_everything(host, number);
                }
            });
        }
    });
    tracing::info!(is_cancelled = host.is_cancelled(), "called");
}

fn call_everything(host: &Host, number: u32) {
    /// Calls the host when it is shown: from within the host's own call.
    struct Caller<'a>(&'a Host);

    impl fmt::Display for Caller<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            tracing::debug!("from within");
            self.0.increment("calls-from-within", 1_i64, &[]);
            write!(f, "{}", self.0.is_cancelled())
        }
    }

    host.increment("calls", 1_i64, &[("thread", i64::from(number).into())]);
    tracing::debug!(caller = %Caller(host), "from a thread");
    let place = host.resolve(Path::new("x"));
    let state = host.state_directory();
    assert!(
        place.is_absolute() && state.is_absolute(),
        "on purpose, never"
    );
    let reason = Error::zone("cannot call", Caller(host).to_string());
    host.leave_out_unnamed(&Caller(host), &reason);
}
