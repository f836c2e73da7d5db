//! The steps of an installation, and what is cleared away when one fails.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::discovery::staged;

/// What has been done; a process can end after any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is a file for the new library, with nothing in it.
    Begun,
    /// The new library lies beside the target, whole.
    Staged,
    /// The present library has a second name, that of nothing before it.
    Linked,
    /// The present library is kept.
    Kept,
    /// Both digests are recorded.
    Recorded,
    /// The name belongs to the new library.
    Renamed,
}

/// A point at which tests kill the process.
#[cfg(not(test))]
pub(super) fn reached(_step: Step) {}

#[cfg(test)]
pub(super) use self::ending::reached;

/// A library on its way, removed unless it arrives.
pub(super) struct Staged {
    path: PathBuf,
}

impl Staged {
    pub(super) fn new(directory: &Path, name: &str) -> Self {
        Self {
            path: staged(directory, name),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name, whoever has it now.
    pub(super) fn rename(self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // It has arrived, or it was never made; and what cannot be removed is overwritten next time.
        let _removed = fs::remove_file(&self.path).is_ok();
    }
}

#[cfg(test)]
pub(super) mod ending {
    use std::cell::Cell;

    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    thread_local! {
        /// Where this process is killed.
        pub(in super::super) static END: Cell<Option<Step>> = const { Cell::new(None) };
    }

    pub(in super::super) fn reached(step: Step) {
        if END.get() == Some(step) {
            kill_process(getpid(), Signal::KILL).unwrap();
        }
    }
}
