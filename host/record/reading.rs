//! What was recorded.

use janitor_plugin_api::abi::values::OutcomeCode;
use janitor_plugin_api::dns::{Changes, Name};
use jiff::Timestamp;
use rusqlite::Row;
use serde::de::DeserializeOwned;

pub use super::recorder::PluginOfRun;
pub use super::rows::{Absence, Facts, Judgement};

use super::Record;
use super::fault::Fault;
use super::memories::signed;
use super::recorder::process;
use crate::problem::Problem;
use crate::report::ChangeCounts;

/// A run.
#[derive(Clone, Debug)]
pub struct PastRun {
    /// Its number.
    pub id: u64,
    /// What it was, in a word.
    pub kind: String,
    /// When it began.
    pub started: Timestamp,
    /// How far it came.
    pub state: State,
    /// The process that carried it out.
    pub pid: u32,
    /// The version of the host.
    pub version: String,
    /// The user that it ran as.
    pub user: String,
    /// Whether changes were handed to publishers.
    pub published: bool,
    /// Why it failed, if it did.
    pub causes: Vec<String>,
    /// Its plugins.
    pub plugins: Vec<PluginOfRun>,
    /// Zones that were compared.
    pub zones: usize,
    /// What was to be published.
    pub changes: ChangeCounts,
    /// What was left out.
    pub left_out: usize,
    /// The digest of the policy that it followed.
    pub policy: Option<String>,
    /// The run that it reversed.
    pub undoes: Option<u64>,
}

/// How far a run came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It ended by itself.
    Ended {
        /// When.
        at: Timestamp,
        /// With which exit code.
        exit_code: u8,
        /// What was measured of it.
        status: String,
    },
    /// Its process still runs.
    Running,
    /// Its process is gone, and has not said how it ended.
    Died,
}

/// A zone in a run.
#[derive(Clone, Debug)]
pub struct PastZone {
    row: i64,
    content: Option<i64>,
    /// The first of the runs in which it was so.
    pub first: u64,
    /// The last of them.
    pub last: u64,
    /// The zone, if it can be named.
    pub apex: Option<Name>,
    /// What was known of it.
    pub facts: Facts,
    /// What was to be done.
    pub changes: ChangeCounts,
    /// What became of it at each publisher that was to get it; none if it was not published.
    pub outcomes: Vec<PastOutcome>,
}

/// What became of the changes of a zone at one publisher.
#[derive(Clone, Debug)]
pub struct PastOutcome {
    /// The publisher.
    pub publisher: String,
    /// For each change what the publisher reported; none if nothing is known.
    pub each: Option<Vec<OutcomeCode>>,
    /// Why not, each reason once.
    pub reasons: Vec<String>,
}

impl PastZone {
    /// What became of the change at the place `at`, of all publishers the worst.
    #[must_use]
    pub fn outcome(&self, at: usize) -> Option<OutcomeCode> {
        let each = self.outcomes.iter().map(|outcome| {
            let each = outcome.each.as_ref();
            each.and_then(|each| each.get(at).copied())
                .unwrap_or(OutcomeCode::UNKNOWN)
        });
        each.max_by_key(|outcome| match *outcome {
            OutcomeCode::APPLIED => 0,
            OutcomeCode::ACCEPTED => 1,
            OutcomeCode::REFUSED => 2,
            _ => 3,
        })
    }
}

const RUN: &str = "SELECT id, kind, started, ended, pid, process, version, user, published, exit_code, \
     status, causes, (SELECT plugins FROM plugin_sets WHERE plugin_sets.id = runs.plugins), zones, \
     additions, updates, deletions, left_out, policy, undoes FROM runs";

const ZONE: &str =
    "SELECT id, content, first, last, apex, facts, additions, updates, deletions FROM zones";

impl Record {
    /// The latest runs, newest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn runs(&self, limit: usize) -> Result<Vec<PastRun>, Problem> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.reading(|| self.runs_where("ORDER BY id DESC LIMIT ?1", limit))
    }

    /// The run of this number.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn run(&self, id: u64) -> Result<Option<PastRun>, Problem> {
        self.reading(|| Ok(self.runs_where("WHERE id = ?1", signed(id))?.pop()))
    }

    /// The numbers of the first and the last run that are kept.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn bounds(&self) -> Result<Option<(u64, u64)>, Problem> {
        self.reading(|| {
            let bounds =
                self.connection
                    .query_row("SELECT min(id), max(id) FROM runs", [], |row| {
                        Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?))
                    })?;
            Ok(match bounds {
                (Some(first), Some(last)) => Some((unsigned(first)?, unsigned(last)?)),
                _ => None,
            })
        })
    }

    /// The zones of a run, and what was left out, by name.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn zones_of(&self, run: u64) -> Result<Vec<PastZone>, Problem> {
        self.reading(|| {
            let mut zones = self.zones_where("WHERE last >= ?1 AND first <= ?1", (signed(run),))?;
            zones.sort_by(|left, right| (&left.apex, left.row).cmp(&(&right.apex, right.row)));
            Ok(zones)
        })
    }

    /// What was found of a zone, newest first, at most `limit` times.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn history_of(&self, zone: &Name, limit: usize) -> Result<Vec<PastZone>, Problem> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.reading(|| {
            self.zones_where(
                "WHERE apex = ?1 ORDER BY last DESC, id DESC LIMIT ?2",
                (zone.to_string(), limit),
            )
        })
    }

    /// The zones that anything is known of, those of memories included.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn known_zones(&self) -> Result<Vec<String>, Problem> {
        self.reading(|| {
            let mut statement = self.connection.prepare(
                "SELECT apex FROM zones WHERE apex IS NOT NULL UNION SELECT apex FROM memories",
            )?;
            let names = statement.query_map([], |row| row.get(0))?;
            Ok(names.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// What was to be done about a zone.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or what it holds are no changes of the zone.
    pub fn changes(&self, zone: &PastZone) -> Result<Option<Changes>, Problem> {
        self.reading(|| {
            let (Some(content), Some(apex)) = (zone.content, &zone.apex) else {
                return Ok(None);
            };
            let mut statement = self
                .connection
                .prepare("SELECT octets FROM parts WHERE content = ?1 ORDER BY part")?;
            let mut rows = statement.query([content])?;
            let mut octets = Vec::new();
            while let Some(row) = rows.next()? {
                octets.extend_from_slice(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?);
            }
            let changes = Changes::check(apex.clone(), octets.into())
                .map_err(|error| Fault::Nonsense(format!("changes of {apex}: {error}")))?;
            Ok(Some(changes))
        })
    }

    fn reading<T>(&self, read: impl FnOnce() -> Result<T, Fault>) -> Result<T, Problem> {
        read().map_err(|fault| fault.problem(&self.path))
    }

    fn runs_where(&self, condition: &str, value: i64) -> Result<Vec<PastRun>, Fault> {
        let mut statement = self.connection.prepare(&format!("{RUN} {condition}"))?;
        let mut rows = statement.query([value])?;
        let mut runs = Vec::new();
        while let Some(row) = rows.next()? {
            runs.push(past_run(row)?);
        }
        Ok(runs)
    }

    fn zones_where(
        &self,
        condition: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<PastZone>, Fault> {
        let mut statement = self.connection.prepare(&format!("{ZONE} {condition}"))?;
        let mut rows = statement.query(values)?;
        let mut zones = Vec::new();
        while let Some(row) = rows.next()? {
            let mut zone = past_zone(row)?;
            zone.outcomes = self.outcomes_of(zone.row)?;
            zones.push(zone);
        }
        Ok(zones)
    }

    fn outcomes_of(&self, zone: i64) -> Result<Vec<PastOutcome>, Fault> {
        let mut statement = self.connection.prepare_cached(
            "SELECT publisher, outcomes, reasons FROM outcomes WHERE zone = ?1 ORDER BY publisher",
        )?;
        let mut rows = statement.query([zone])?;
        let mut outcomes = Vec::new();
        while let Some(row) = rows.next()? {
            let each = row.get::<_, Option<Vec<u8>>>(1)?;
            outcomes.push(PastOutcome {
                publisher: row.get(0)?,
                each: each.map(|octets| octets.into_iter().map(OutcomeCode).collect()),
                reasons: json(&row.get::<_, String>(2)?)?,
            });
        }
        Ok(outcomes)
    }
}

fn past_run(row: &Row<'_>) -> Result<PastRun, Fault> {
    let (pid, identity): (u32, String) = (row.get(4)?, row.get(5)?);
    let ended: (Option<String>, Option<u8>, Option<String>) =
        (row.get(3)?, row.get(9)?, row.get(10)?);
    let state = match ended {
        (Some(at), Some(exit_code), Some(status)) => State::Ended {
            at: time(&at)?,
            exit_code,
            status,
        },
        _ if process(pid).is_some_and(|running| running == identity) => State::Running,
        _ => State::Died,
    };
    let plugins: Option<String> = row.get(12)?;
    Ok(PastRun {
        id: unsigned(row.get(0)?)?,
        kind: row.get(1)?,
        started: time(&row.get::<_, String>(2)?)?,
        state,
        pid,
        version: row.get(6)?,
        user: row.get(7)?,
        published: row.get(8)?,
        causes: json(&row.get::<_, String>(11)?)?,
        plugins: plugins
            .map(|text| json(&text))
            .transpose()?
            .unwrap_or_default(),
        zones: count(row.get(13)?)?,
        changes: counts(row, 14)?,
        left_out: count(row.get(17)?)?,
        policy: row.get(18)?,
        undoes: row.get::<_, Option<i64>>(19)?.map(unsigned).transpose()?,
    })
}

fn past_zone(row: &Row<'_>) -> Result<PastZone, Fault> {
    let apex: Option<String> = row.get(4)?;
    let apex = apex
        .map(|apex| {
            apex.parse::<Name>()
                .map_err(|error| Fault::Nonsense(format!("`{apex}`: {error}")))
        })
        .transpose()?;
    Ok(PastZone {
        row: row.get(0)?,
        content: row.get(1)?,
        first: unsigned(row.get(2)?)?,
        last: unsigned(row.get(3)?)?,
        apex,
        facts: json(&row.get::<_, String>(5)?)?,
        changes: counts(row, 6)?,
        outcomes: Vec::new(),
    })
}

fn counts(row: &Row<'_>, first: usize) -> Result<ChangeCounts, Fault> {
    Ok(ChangeCounts {
        additions: count(row.get(first)?)?,
        updates: count(row.get(first + 1)?)?,
        deletions: count(row.get(first + 2)?)?,
    })
}

fn count(number: i64) -> Result<usize, Fault> {
    usize::try_from(number).map_err(|error| Fault::Nonsense(format!("{number}: {error}")))
}

fn unsigned(number: i64) -> Result<u64, Fault> {
    u64::try_from(number).map_err(|error| Fault::Nonsense(format!("{number}: {error}")))
}

fn time(text: &str) -> Result<Timestamp, Fault> {
    text.parse::<Timestamp>()
        .map_err(|error| Fault::Nonsense(format!("`{text}`: {error}")))
}

fn json<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::Nonsense(format!("`{text}`: {error}")))
}
