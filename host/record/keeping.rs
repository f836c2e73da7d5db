//! How long runs are kept.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _};

use crate::config::History;

/// How long one run may spend on it. What is left over is left for the next.
const LIMIT: Duration = Duration::from_secs(2);
/// Pages given back to the file system by one run at most: 64 MiB.
const PAGES: u32 = 8192;

/// Takes out the runs that are too old, oldest first, for as long as it may take.
pub(super) fn prune(
    connection: &mut Connection,
    settings: &History,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let age = SignedDuration::from_hours(24 * i64::from(settings.keep_days));
    // Before the year -9999 there is nothing to keep.
    let oldest = now.checked_sub(age).unwrap_or(Timestamp::MIN);
    let begin = Instant::now();
    let transaction = connection.transaction()?;
    loop {
        let next = transaction
            .prepare_cached(
                "SELECT id FROM (SELECT id, started FROM runs ORDER BY id LIMIT 1) \
                 WHERE started < ?1 AND id <= (SELECT max(id) FROM runs) - ?2",
            )?
            .query_row(
                (crate::json::time(oldest), i64::from(settings.keep_runs)),
                |row| row.get::<_, i64>(0),
            )
            .optional()?;
        let Some(run) = next.filter(|_| begin.elapsed() < LIMIT) else {
            break;
        };
        // What goes is always older than what stays, so that a row which reaches further is kept whole.
        transaction.execute("DELETE FROM zones WHERE last <= ?1", [run])?;
        transaction.execute("DELETE FROM runs WHERE id <= ?1", [run])?;
    }
    transaction.execute(
        "DELETE FROM contents WHERE NOT EXISTS (SELECT 1 FROM zones WHERE content = contents.id)",
        [],
    )?;
    transaction.execute(
        "DELETE FROM plugin_sets WHERE NOT EXISTS (SELECT 1 FROM runs WHERE plugins = plugin_sets.id)",
        [],
    )?;
    transaction.commit()?;
    // Each step gives one page back.
    let mut vacuum = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    let mut pages = vacuum.query([])?;
    while begin.elapsed() < LIMIT && pages.next()?.is_some() {}
    Ok(())
}
