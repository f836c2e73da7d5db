//! The tables of the history, and how those of older versions become them.
//!
//! ```text
//! runs ──< zones ──< outcomes    a publisher that was to get the changes; an octet for each of them
//!            └──► contents ──< parts   the changes in wire form, once however often they are sent
//! plugin_sets, libraries         written once for as long as they stay the same
//! memories                       what limits compare with, by zone
//! ```
//!
//! A zone that is found as the run before found it, with nothing to do, gets no row of its own: that of
//! the run before reaches further (`last`). Ten thousand zones that are as they should be would otherwise
//! write millions of rows a day that say so.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::PATIENCE;
use super::fault::Fault;

/// Marks the file as ours: "GJHi".
const APPLICATION: i32 = 0x474a_4869;

/// The steps from one version to the next. A step that was released is never changed.
pub(super) const STEPS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// The version of the tables that this program writes.
pub(super) fn latest() -> u32 {
    u32::try_from(STEPS.len()).unwrap_or(u32::MAX)
}

/// Prepares a connection to a file that may be empty, of an older version, or something else.
pub(super) fn for_writing(connection: &mut Connection, path: &Path) -> Result<(), Fault> {
    settle(connection)?;
    let found = version(connection, path)?;
    if found == 0 {
        // Both have to be said before there is a table. Room that old runs leave is given back, a
        // little at a time; and large pages suit large values.
        connection.execute_batch("PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL;")?;
    }
    let mode: String =
        connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
    if mode != "delete" {
        return Err(Fault::Nonsense(format!("its journal mode stays `{mode}`")));
    }
    // The directory is synced as well, so that no power cut brings a journal back which takes away
    // an intent that was acted on.
    connection.execute_batch("PRAGMA synchronous = EXTRA; PRAGMA foreign_keys = ON;")?;
    migrate(connection, found)
}

/// A connection for reading to the file at `path`, in the latest version; none if there is nothing in it.
pub(super) fn readable(path: &Path) -> Result<Option<Connection>, Fault> {
    let (connection, found) = match open_for_reading(path) {
        // A run was killed while it wrote. Putting the file in order is no change to the history.
        Err(Fault::Sqlite(error)) if is_unfinished(&error) => {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(path, flags)?;
            settle(&connection)?;
            let found = version(&connection, path)?;
            connection.execute_batch("PRAGMA query_only = ON")?;
            (connection, found)
        }
        opened => opened?,
    };
    if found == 0 {
        return Ok(None);
    }
    if found == latest() {
        return Ok(Some(connection));
    }
    let mut copy = Connection::open_in_memory()?;
    Backup::new(&connection, &mut copy)?.run_to_completion(1024, Duration::ZERO, None)?;
    migrate(&mut copy, found)?;
    Ok(Some(copy))
}

fn open_for_reading(path: &Path) -> Result<(Connection, u32), Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    settle(&connection)?;
    let found = version(&connection, path)?;
    Ok((connection, found))
}

/// Whether a transaction has to be undone first, which takes the right to write.
fn is_unfinished(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    code == Some(rusqlite::ffi::SQLITE_READONLY_ROLLBACK)
}

fn settle(connection: &Connection) -> Result<(), Fault> {
    connection.busy_timeout(PATIENCE)?;
    // What stands in the file is data, and never code.
    connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
    Ok(())
}

/// The version of the tables; 0 if there are none yet.
fn version(connection: &Connection, path: &Path) -> Result<u32, Fault> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (u32::try_from(found), application == i64::from(APPLICATION)) {
        // SQLite takes what is too short to be anything for empty, too. Killed at its very beginning, it
        // leaves a file without tables.
        (Ok(0), false) if tables == 0 && !(1..512).contains(&fs::metadata(path)?.len()) => Ok(0),
        (Ok(0), false) if tables == 0 => Err(Fault::Nonsense("it is cut short".to_owned())),
        (Ok(found), true) if found > latest() => Err(Fault::Future {
            found,
            known: latest(),
        }),
        (Ok(found), true) if found > 0 => Ok(found),
        _ => Err(Fault::Foreign),
    }
}

/// Brings the tables from version `found` to the latest, all of it or nothing.
pub(super) fn migrate(connection: &mut Connection, found: u32) -> Result<(), Fault> {
    if found == latest() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in STEPS.iter().skip(found as usize) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", latest())?;
    transaction.commit()?;
    Ok(())
}
