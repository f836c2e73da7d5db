//! What is kept of every run: an embedded history in the state directory.
//!
//! ```text
//!  turn taken ─► opened, migrated ─► begin ─► (plan) ─► intend ─► publishers ─► outcomes … ─► end, prune
//!                                      │                  │                       │             │
//!                                      └── one transaction each, durable when the call returns ─┘
//! ```
//!
//! What is about to be published is on disk before any publisher gets it, what became of it after. So a
//! process that ends anywhere in between leaves *intended, outcome not known*, which is the truth.
//!
//! SQLite keeps the file whole. It is asked for the plainest way of doing so: a rollback journal, synced
//! with its directory. There are a handful of commits in a run, each of them large and mostly new pages,
//! which that journal does not copy; at rest there is one file, which a reader without rights to write
//! can read. `docs/decisions/0011-a-history-in-sqlite.md` weighs the alternatives.
//!
//! - `turn`: one writer for each state directory;
//! - `schema`: the tables, and how those of older versions become them;
//! - `fault`: errors of the file as operators read them;
//! - `recorder`: one run on its way into the history; `rows` writes it, `memories` what limits need of
//!   it, `keeping` ends what is old;
//! - `beginning`: how a run finds its history, or that it has to do without;
//! - `reading`: what was recorded.

mod turn;
mod schema;
mod fault;
mod rows;
mod memories;
mod keeping;
mod recorder;
mod beginning;
pub mod reading;
#[cfg(test)]
mod kill_tests;
#[cfg(test)]
mod tests;

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

pub use self::beginning::{Kept, begin};
pub use self::recorder::{Ending, Kind, Recorder, Start};
pub use self::turn::Turn;

use self::fault::Fault;
use crate::problem::Problem;

/// Name of the file in the state directory.
pub const FILE: &str = "history.sqlite";

/// How long one access waits for another: somebody who reads the history while a run writes it, or the
/// reverse. Each takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a history is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To look at it. Nothing is made, and nothing changed.
    Read,
    /// To add to it. Only who has the [`Turn`] may.
    Write,
}

/// An open history.
pub struct Record {
    connection: Connection,
    path: PathBuf,
}

impl Record {
    /// Opens the history of the state directory `root`; none if it is opened for reading and there is
    /// nothing yet.
    ///
    /// What an older version wrote is brought up to date: in the file when it is opened for writing,
    /// else in a copy.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, is damaged, is something else, or is of a later version.
    pub fn open(root: &Path, access: Access) -> Result<Option<Self>, Problem> {
        let path = root.join(FILE);
        match Self::at(path.clone(), access) {
            Ok(record) => Ok(record),
            Err(fault) => Err(fault.problem(&path)),
        }
    }

    fn at(path: PathBuf, access: Access) -> Result<Option<Self>, Fault> {
        let connection = match access {
            Access::Read => {
                // A journal beside an empty file may be the whole of a first transaction.
                if !is_begun(&path)? {
                    return Ok(None);
                }
                match schema::readable(&path)? {
                    Some(connection) => connection,
                    None => return Ok(None),
                }
            }
            Access::Write => {
                prepare(&path)?;
                let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let mut connection = Connection::open_with_flags(&path, flags)?;
                schema::for_writing(&mut connection, &path)?;
                connection
            }
        };
        Ok(Some(Self { connection, path }))
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn fault(&self, error: rusqlite::Error) -> Problem {
        Fault::from(error).problem(&self.path)
    }
}

/// Whether there is a history at `path`, however little of one.
fn is_begun(path: &Path) -> io::Result<bool> {
    // SQLite opens its journal with the file, and would wait for somebody to write to a pipe.
    octets(&journal(path))?;
    Ok(octets(path)?.is_some_and(|octets| octets > 0))
}

/// The journal of the history at `path`.
fn journal(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-journal");
    name.into()
}

/// How many octets the file at `path` has; none if there is nothing.
fn octets(path: &Path) -> io::Result<Option<u64>> {
    let wrong = |what: &str| io::Error::other(format!("{} {what}", path.display()));
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(wrong("is not a regular file")),
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // The disk that the history was moved to may not be mounted.
            match fs::symlink_metadata(path) {
                Ok(_) => Err(wrong("is a link to what is not there")),
                Err(_) => Ok(None),
            }
        }
        Err(error) => Err(error),
    }
}

/// Makes the file, which is nobody else's to read: what a zone will hold tomorrow may be a secret today.
fn prepare(path: &Path) -> io::Result<()> {
    is_begun(path)?;
    let made = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path);
    made.map(drop)
}
