//! The steps of an installation, and what is cleared away when one fails.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::discovery::staged;

/// What has been done; a process can end after any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The new library lies beside the target, whole.
    Staged,
    /// The present library has a second name.
    Kept,
    /// Both digests are recorded.
    Recorded,
    /// The name belongs to the new library.
    Renamed,
}

/// A point at which tests end an installation as a loss of power would.
#[cfg(not(test))]
pub(super) fn reached(_step: Step) -> io::Result<()> {
    Ok(())
}

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
        #[cfg(test)]
        if ending::END.get().is_some() {
            return;
        }
        // It has arrived, or it was never made; and what cannot be removed is overwritten next time.
        let _removed = fs::remove_file(&self.path).is_ok();
    }
}

#[cfg(test)]
pub(super) mod ending {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        /// Where the installation of this thread ends.
        pub(in super::super) static END: Cell<Option<Step>> = const { Cell::new(None) };
    }

    pub(in super::super) fn reached(step: Step) -> io::Result<()> {
        if END.get() == Some(step) {
            return Err(io::Error::other("the power is gone"));
        }
        Ok(())
    }
}
