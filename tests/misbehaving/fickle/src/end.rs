//! How a plugin stops.

use janitor_plugin_api::Error;
use rustix::process::{Signal, getpid, kill_process};

/// How a plugin stops.
#[janitor_plugin_api::settings]
#[derive(Debug, Default)]
pub(crate) enum End {
    /// It returns an error.
    #[default]
    Fail,
    /// It panics.
    Panic,
    /// It kills the process.
    Kill,
}

/// How many zones are left to do.
pub(crate) struct Left(Option<u32>);

impl Left {
    pub(crate) fn of(all: Option<u32>) -> Self {
        Self(all)
    }

    /// Takes one off, or stops.
    #[expect(clippy::panic, reason = "the misdeed")]
    pub(crate) fn one_more(&mut self, end: &End) -> Result<(), Error> {
        let Some(left) = &mut self.0 else {
            return Ok(());
        };
        if let Some(less) = left.checked_sub(1) {
            *left = less;
            return Ok(());
        }
        tracing::info!("stops here");
        match end {
            End::Fail => Err(Error::retry(
                "cannot go on",
                std::io::Error::other("it stops here"),
            )),
            End::Panic => panic!("it stops here"),
            End::Kill => kill_process(getpid(), Signal::KILL)
                .map_err(|e| Error::bug(format!("it cannot kill its process: {e}"))),
        }
    }
}
