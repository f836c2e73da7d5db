//! What later runs compare with, zone by zone.

use std::collections::BTreeMap;

use janitor_plugin_api::dns::Name;
use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::Record;
use super::fault::Fault;
use super::rows::number;
use crate::problem::Problem;
use crate::stations::convergence::Unsettled;
use crate::stations::memory::{AppliedPlan, LastGood, ZoneMemory};

impl Record {
    /// What is remembered of each zone.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or says what nobody can have written.
    pub fn memories(&self) -> Result<BTreeMap<Name, ZoneMemory>, Problem> {
        self.read_memories()
            .map_err(|fault| fault.problem(&self.path))
    }

    fn read_memories(&self) -> Result<BTreeMap<Name, ZoneMemory>, Fault> {
        let mut statement = self.connection.prepare(
            "SELECT apex, good_run, good_at, desired, actual, unsettled, applied_run, applied_made_at \
             FROM memories",
        )?;
        let mut rows = statement.query([])?;
        let mut memories = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let apex: String = row.get(0)?;
            let nonsense = |what: &str| Fault::Nonsense(format!("the memory of {apex}: {what}"));
            let good = (row.get(1)?, row.get(2)?, row.get(3)?);
            let last_good = match good {
                (Some(run), Some(at), Some(desired)) => Some(LastGood {
                    desired: count(desired).ok_or_else(|| nonsense("desired"))?,
                    actual: row
                        .get::<_, Option<i64>>(4)?
                        .map(|actual| count(actual).ok_or_else(|| nonsense("actual")))
                        .transpose()?,
                    run: id(run).ok_or_else(|| nonsense("run"))?,
                    at: moment(at).ok_or_else(|| nonsense("time"))?,
                }),
                _ => None,
            };
            // After a first fill these are as many octets as the zone has: read where they are.
            let unsettled = row.get_ref(5)?.as_blob_or_null();
            let unsettled = unsettled
                .map_err(|error| nonsense(&error.to_string()))?
                .map(Unsettled::from_octets)
                .transpose()
                .map_err(|error| nonsense(&error.to_string()))?;
            let applied = match (row.get(6)?, row.get(7)?) {
                (Some(run), Some(made_at)) => Some(AppliedPlan {
                    made_at: moment(made_at).ok_or_else(|| nonsense("time of a plan"))?,
                    run: id(run).ok_or_else(|| nonsense("run of a plan"))?,
                }),
                _ => None,
            };
            let apex = apex
                .parse::<Name>()
                .map_err(|error| nonsense(&error.to_string()))?;
            let memory = ZoneMemory {
                last_good,
                unsettled,
                applied,
            };
            memories.insert(apex, memory);
        }
        Ok(memories)
    }

    /// Forgets how large a zone was, and what was tried there in vain. Returns whether there was anything.
    ///
    /// Its runs stay, and so does the plan that was applied last: an older one stays invalid.
    ///
    /// # Errors
    ///
    /// When the file cannot be written to.
    pub fn forget(&mut self, zone: &Name) -> Result<bool, Problem> {
        let forgotten = self.connection.execute(
            "UPDATE memories SET good_run = NULL, good_at = NULL, desired = NULL, actual = NULL, \
             unsettled = NULL WHERE apex = ?1 AND (good_run IS NOT NULL OR unsettled IS NOT NULL)",
            [zone.to_string()],
        );
        forgotten
            .map(|rows| rows > 0)
            .map_err(|error| self.fault(error))
    }
}

/// Remembers how large a zone was when all was well.
pub(super) fn good(
    transaction: &Transaction<'_>,
    apex: &str,
    good: &LastGood,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO memories (apex, good_run, good_at, desired, actual) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (apex) DO UPDATE SET good_run = ?2, good_at = ?3, desired = ?4, actual = ?5",
        )?
        .execute(params![
            apex,
            signed(good.run),
            crate::json::time(good.at),
            number(good.desired),
            good.actual.map(number)
        ])?;
    Ok(())
}

/// Remembers the plan that is about to be applied to a zone.
pub(super) fn applied(
    transaction: &Transaction<'_>,
    apex: &str,
    plan: AppliedPlan,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO memories (apex, applied_run, applied_made_at) VALUES (?1, ?2, ?3) \
             ON CONFLICT (apex) DO UPDATE SET applied_run = ?2, applied_made_at = ?3",
        )?
        .execute(params![
            apex,
            signed(plan.run),
            crate::json::time(plan.made_at)
        ])?;
    Ok(())
}

/// Remembers the changes of a zone that may not have come about; nothing forgets them.
pub(super) fn unsettled(
    transaction: &Transaction<'_>,
    apex: &str,
    unsettled: Option<&Unsettled>,
) -> rusqlite::Result<()> {
    let octets = unsettled.map(Unsettled::to_octets);
    transaction
        .prepare_cached(
            "INSERT INTO memories (apex, unsettled) VALUES (?1, ?2) \
             ON CONFLICT (apex) DO UPDATE SET unsettled = ?2",
        )?
        .execute(params![apex, octets])?;
    Ok(())
}

fn count(number: i64) -> Option<usize> {
    usize::try_from(number).ok()
}

fn id(number: i64) -> Option<u64> {
    u64::try_from(number).ok()
}

/// The number of a run as SQLite has it.
pub(super) fn signed(run: u64) -> i64 {
    i64::try_from(run).unwrap_or(i64::MAX)
}

fn moment(text: String) -> Option<Timestamp> {
    text.parse().ok()
}
