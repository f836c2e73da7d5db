//! Errors of the history file as operators read them.

use std::io;
use std::path::Path;

use rusqlite::ErrorCode;

use crate::problem::{Code, Problem};

/// Why the history cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// It is of a later version than any that is known here.
    #[error("it has version {found}, and this gordon-janitor knows {known}")]
    Future { found: u32, known: u32 },
    /// The file is a database, and not a history.
    #[error("it is a database of another program")]
    Foreign,
    /// What stands in it cannot have been written by us.
    #[error("{0}")]
    Nonsense(String),
}

impl Fault {
    /// Whether the file is there and is not what it should be, rather than out of reach.
    fn is_damage(&self) -> bool {
        match self {
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                // Tables and columns that are missing, too: nobody but us makes any.
                None | Some(
                    ErrorCode::DatabaseCorrupt
                        | ErrorCode::NotADatabase
                        | ErrorCode::Unknown
                        | ErrorCode::SchemaChanged
                        | ErrorCode::TypeMismatch
                        | ErrorCode::ConstraintViolation
                )
            ),
            Self::Foreign | Self::Nonsense(_) => true,
            Self::File(_) | Self::Future { .. } => false,
        }
    }

    /// The problem of the history at `path`, for somebody who cannot do without.
    pub(super) fn problem(&self, path: &Path) -> Problem {
        let place = path.display();
        if let Self::Future { .. } = self {
            return Problem::error(
                Code::HistoryOfTheFuture,
                "the history is from the future: a newer gordon-janitor wrote it",
            )
            .place(place)
            .found(self)
            .because("what it remembers of the zones cannot be read, and limits would compare with nothing")
            .help("run the newer gordon-janitor, or move the file away to begin a new history");
        }
        if self.is_damage() {
            return Problem::error(Code::DamagedHistory, "the history is damaged")
                .place(place)
                .found(self)
                .because("what it remembers of the zones cannot be trusted, and limits would compare with nothing")
                .help("move the file away to begin a new history, or put a copy back")
                .help("sqlite3 can often save most of what a damaged file holds: .recover");
        }
        Problem::error(Code::NoHistory, "cannot use the history")
            .place(place)
            .found(self.reason())
            .help("a directory that this user can write to: core.state_dir, or StateDirectory= of the service manager")
            .help("[core.history] enabled = false does without a history")
    }

    /// The reason in one line.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => "the disk is full".to_owned(),
                Some(ErrorCode::ReadOnly) => "it cannot be written to".to_owned(),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    "another program has locked it".to_owned()
                }
                _ => error.to_string(),
            },
            other => other.to_string(),
        }
    }
}
