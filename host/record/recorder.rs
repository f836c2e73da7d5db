//! One run on its way into the history.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use janitor_plugin_api::abi::values::OutcomeCode;
use janitor_plugin_api::dns::Name;
use jiff::Timestamp;
use rusqlite::{Transaction, TransactionBehavior, params};
use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::memories::{self, signed};
use super::rows::{self, Row, Zones, number};
use super::turn::Turn;
use super::{Record, keeping};
use crate::config::History;
use crate::preflight::Digest;
use crate::problem::{Code, Problem};
use crate::report::{LeftOut, Report};
use crate::resolve::Deployment;
use crate::stations::convergence::{self, Sent, Unsettled};
use crate::stations::memory::{AppliedPlan, LastGood, ZoneMemory};
use crate::stations::outcomes::{self, Outcomes};
use crate::stations::planned::PlannedZone;

/// How often what becomes of changes is written while they are published.
const PAUSE: Duration = Duration::from_secs(1);
/// Writing may take one part of this many of the time.
const SHARE: u32 = 10;

/// What a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It plans and publishes.
    Run,
    /// It publishes a plan that was made before.
    Apply,
}

impl Kind {
    /// One word, for the tables and for programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Apply => "apply",
        }
    }
}

/// What a run is when it begins.
pub struct Start<'a> {
    /// What it is.
    pub kind: Kind,
    /// When what it publishes was planned.
    pub made_at: Timestamp,
    /// The plugins it has.
    pub deployment: &'a Deployment,
    /// The digest of the policy that it follows.
    pub policy: Option<String>,
    /// The run that it reverses.
    pub undoes: Option<u64>,
}

/// A plugin of a run, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginOfRun {
    /// Its key.
    pub key: String,
    /// Its role.
    pub role: String,
    /// The version of its library's package.
    pub version: String,
    /// Its library.
    pub library: String,
    /// The sha256 of the library, if it could be read.
    pub sha256: Option<String>,
}

/// One run on its way into the history. It has the [`Turn`].
///
/// It may be asked from several threads; what it writes is durable when a call returns.
pub struct Recorder {
    run: u64,
    made_at: Timestamp,
    settings: History,
    state: Mutex<State>,
    _turn: Turn,
}

pub(super) struct State {
    pub(super) record: Record,
    /// The row of each zone of the plan; none until they are written.
    rows: Option<Vec<Row>>,
    /// How much of what was left out is written.
    left_out: usize,
    /// What is to be remembered of changes that may not have come about, for each zone of which
    /// something is or was remembered.
    unsettled: Vec<(String, Option<Unsettled>)>,
}

impl Recorder {
    /// Writes that a run begins.
    ///
    /// # Errors
    ///
    /// When that cannot be written.
    pub(super) fn new(
        mut record: Record,
        turn: Turn,
        settings: History,
        start: &Start<'_>,
    ) -> Result<Self, Fault> {
        let transaction = record
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let plugins = plugins(&transaction, start.deployment)?;
        transaction.execute(
            "INSERT INTO runs (kind, started, pid, process, version, user, plugins, policy, undoes) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                start.kind.word(),
                crate::json::time(Timestamp::now()),
                std::process::id(),
                process(std::process::id()).unwrap_or_default(),
                env!("CARGO_PKG_VERSION"),
                user(),
                plugins,
                start.policy,
                start.undoes.map(signed),
            ],
        )?;
        let run = u64::try_from(transaction.last_insert_rowid())
            .map_err(|error| Fault::Nonsense(format!("the number of a run: {error}")))?;
        transaction.commit()?;
        reached(Step::Begun);
        Ok(Self {
            run,
            made_at: start.made_at,
            settings,
            state: Mutex::new(State {
                record,
                rows: None,
                left_out: 0,
                unsettled: Vec::new(),
            }),
            _turn: turn,
        })
    }

    /// The number of the run.
    #[must_use]
    pub fn run(&self) -> u64 {
        self.run
    }

    /// Writes every zone, and what of it is about to go to which publisher. Nothing may be published
    /// unless this has returned without an error.
    ///
    /// `goes_to` says which publishers get the changes of a zone; none if it is withheld.
    ///
    /// # Errors
    ///
    /// [`Code::NotRecorded`].
    pub fn intend<'a>(
        &self,
        plan: &[PlannedZone],
        report: &Report,
        left_out: &[LeftOut],
        goes_to: impl Fn(&PlannedZone) -> Vec<&'a Arc<str>>,
    ) -> Result<(), Problem> {
        let mut state = self.state();
        self.write_zones(&mut state, plan, report, left_out, goes_to)
            .map_err(|fault| {
                Problem::error(
                    Code::NotRecorded,
                    "cannot record what is about to be published; nothing is published",
                )
                .place(state.record.path.display())
                .found(fault.reason())
                .because("a run that dies while it publishes would leave no trace of what it did")
                .help("make room, or mend what is in the way, and run again")
            })
    }

    fn write_zones<'a>(
        &self,
        state: &mut State,
        plan: &[PlannedZone],
        report: &Report,
        left_out: &[LeftOut],
        goes_to: impl Fn(&PlannedZone) -> Vec<&'a Arc<str>>,
    ) -> Result<(), Fault> {
        let transaction = immediate(&mut state.record)?;
        let rows = self.zones(&transaction, plan, report, left_out, goes_to)?;
        transaction.commit()?;
        state.rows = Some(rows);
        state.left_out = left_out.len();
        reached(Step::Intended);
        Ok(())
    }

    fn zones<'a>(
        &self,
        transaction: &Transaction<'_>,
        plan: &[PlannedZone],
        report: &Report,
        left_out: &[LeftOut],
        goes_to: impl Fn(&PlannedZone) -> Vec<&'a Arc<str>>,
    ) -> Result<Vec<Row>, Fault> {
        let mut zones = Zones::new(transaction, signed(self.run))?;
        let mut rows = Vec::with_capacity(plan.len());
        let mut sums = [0; 3];
        let applied = AppliedPlan {
            made_at: self.made_at,
            run: self.run,
        };
        for (at, zone) in plan.iter().enumerate() {
            let row = zones.planned(zone, report.zones.get(at), &goes_to(zone))?;
            if row.intended {
                let counts = zone.counts();
                let counts = [counts.additions, counts.updates, counts.deletions];
                sums.iter_mut()
                    .zip(counts)
                    .for_each(|(sum, count)| *sum += count);
                memories::applied(transaction, &zone.apex().to_string(), applied)?;
            }
            rows.push(row);
        }
        for left_out in left_out {
            zones.left_out(left_out)?;
        }
        let published = rows.iter().any(|row| row.intended);
        let [additions, updates, deletions] = sums.map(number);
        transaction.execute(
            "UPDATE runs SET published = ?1, zones = ?2, additions = ?3, updates = ?4, deletions = ?5, \
             left_out = ?6 WHERE id = ?7",
            params![
                published,
                number(plan.len()),
                additions,
                updates,
                deletions,
                number(left_out.len()),
                signed(self.run)
            ],
        )?;
        Ok(rows)
    }

    /// Writes what has become of changes since it was asked last. `outcomes` are those of all
    /// publishers; the ticket of a zone is its place in the plan.
    ///
    /// # Errors
    ///
    /// [`Code::OutcomeNotRecorded`].
    pub fn note(&self, outcomes: &[Outcomes]) -> Result<(), Problem> {
        let mut state = self.state();
        write_outcomes(&mut state, outcomes).map_err(|fault| self.lost(&state, &fault))
    }

    /// Takes down which changes may not have come about; [`Self::end`] writes it.
    pub fn settle(
        &self,
        plan: &[PlannedZone],
        outcomes: &[Outcomes],
        memories: &BTreeMap<Name, ZoneMemory>,
        settings: &convergence::Settings,
    ) {
        let now = Timestamp::now();
        let mut unsettled = Vec::new();
        for (ticket, zone) in plan.iter().enumerate() {
            let apex = zone.apex().to_owned();
            let before = memories
                .get(&apex)
                .and_then(|memory| memory.unsettled.as_ref());
            let sent = sent(zone, ticket as u64, outcomes);
            let next = Unsettled::next(before, zone, &sent, now, settings);
            if before.is_some() || next.is_some() {
                unsettled.push((apex.to_string(), next));
            }
        }
        self.state().unsettled = unsettled;
    }

    /// Writes what becomes of changes, every now and then, until it is dropped or that fails. Ends in
    /// that case alone.
    pub async fn follow(&self, outcomes: &[Outcomes]) -> Problem {
        let mut pause = PAUSE;
        loop {
            tokio::time::sleep(pause).await;
            let begin = Instant::now();
            if let Err(problem) = self.note(outcomes) {
                return problem;
            }
            // However slow the disk is, most of the time belongs to the zones.
            pause = PAUSE.max(begin.elapsed().saturating_mul(SHARE));
        }
    }

    /// Writes how the run ended, and what later runs are to remember of it. `plan` and `report` are
    /// none if it never came to one.
    ///
    /// # Errors
    ///
    /// [`Code::OutcomeNotRecorded`].
    pub fn end(
        &self,
        ending: &Ending<'_>,
        plan: &[PlannedZone],
        report: &Report,
    ) -> Result<(), Problem> {
        let mut state = self.state();
        self.write_end(&mut state, ending, plan, report)
            .map_err(|fault| self.lost(&state, &fault))
    }

    fn write_end(
        &self,
        state: &mut State,
        ending: &Ending<'_>,
        plan: &[PlannedZone],
        report: &Report,
    ) -> Result<(), Fault> {
        let now = Timestamp::now();
        let written = state.rows.is_some();
        let transaction = immediate(&mut state.record)?;
        if written {
            // What publishers left out.
            let more = report.left_out.get(state.left_out..).unwrap_or_default();
            let mut zones = Zones::new(&transaction, signed(self.run))?;
            for left_out in more {
                zones.left_out(left_out)?;
            }
        } else {
            // Nothing was to be published.
            self.zones(&transaction, plan, report, &report.left_out, |_| Vec::new())?;
        }
        if report.faults.is_empty() {
            let good = LastGood {
                desired: 0,
                actual: None,
                run: self.run,
                at: now,
            };
            remember(&transaction, plan, report, good)?;
            for (apex, unsettled) in &state.unsettled {
                memories::unsettled(&transaction, apex, unsettled.as_ref())?;
            }
        }
        transaction.execute(
            "UPDATE runs SET ended = ?1, exit_code = ?2, status = ?3, causes = ?4, left_out = ?5 \
             WHERE id = ?6",
            params![
                crate::json::time(now),
                ending.exit_code,
                ending.status,
                crate::json::text(&ending.causes),
                number(report.left_out.len()),
                signed(self.run)
            ],
        )?;
        transaction.commit()?;
        reached(Step::Ended);
        // What is too old is no part of the run, and can wait.
        if let Err(error) = keeping::prune(&mut state.record.connection, &self.settings, now) {
            tracing::warn!(%error, "old runs cannot be taken out of the history");
        }
        reached(Step::Pruned);
        Ok(())
    }

    fn lost(&self, state: &State, fault: &Fault) -> Problem {
        Problem::warning(
            Code::OutcomeNotRecorded,
            "cannot record what became of the run",
        )
        .place(state.record.path.display())
        .found(fault.reason())
        .because(format!(
            "the history knows what run {} was about to do, and not what came of it",
            self.run
        ))
        .help("make room, or mend what is in the way; the next run finds out what is served")
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Ending<'a> {
    /// The exit code that follows from it.
    pub exit_code: u8,
    /// The status that is measured.
    pub status: &'a str,
    /// Why it failed.
    pub causes: Vec<String>,
}

fn immediate(record: &mut Record) -> Result<Transaction<'_>, Fault> {
    Ok(record
        .connection
        .transaction_with_behavior(TransactionBehavior::Immediate)?)
}

fn write_outcomes(state: &mut State, outcomes: &[Outcomes]) -> Result<(), Fault> {
    let State { record, rows, .. } = state;
    let Some(rows) = rows else {
        return Ok(());
    };
    let news = outcomes
        .iter()
        .map(|outcomes| (outcomes, outcomes.news()))
        .filter(|(_, news)| !news.is_empty())
        .collect::<Vec<_>>();
    if news.is_empty() {
        return Ok(());
    }
    let transaction = immediate(record)?;
    for (outcomes, tickets) in news {
        for ticket in tickets {
            let row = usize::try_from(ticket).ok().and_then(|at| rows.get(at));
            let Some(row) = row.filter(|row| row.intended) else {
                continue;
            };
            let (each, reasons) = (outcomes.each(ticket), outcomes.tally(ticket).reasons);
            rows::outcome(&transaction, row.id, outcomes.publisher(), &each, &reasons)?;
        }
    }
    transaction.commit()?;
    reached(Step::Noted);
    Ok(())
}

/// What the publishers say of each change of a zone that was sent, all together; nothing if it was not.
fn sent(zone: &PlannedZone, ticket: u64, publishers: &[Outcomes]) -> Vec<Option<Sent>> {
    if !zone.goes_out() || publishers.is_empty() {
        return Vec::new();
    }
    let each = outcomes::together(&zone.route, ticket, zone.changes().len(), publishers);
    let each = each.into_iter().map(|outcome| match outcome {
        OutcomeCode::APPLIED => Some(Sent::Applied),
        OutcomeCode::ACCEPTED => Some(Sent::Accepted),
        _ => None,
    });
    each.collect()
}

/// Remembers the zones in which all is well: compared as a whole, and with every change applied or
/// on its way.
fn remember(
    transaction: &Transaction<'_>,
    plan: &[PlannedZone],
    report: &Report,
    good: LastGood,
) -> Result<(), Fault> {
    for (zone, told) in plan.iter().zip(&report.zones) {
        let settled = told.published.iter().all(|(_, tally)| tally.is_good());
        let nothing_to_do = zone.changes().is_empty();
        let passed = !zone.verdict.is_withheld();
        if zone.complete && passed && settled && (nothing_to_do || !told.published.is_empty()) {
            let good = LastGood {
                desired: zone.desired,
                actual: told.actual,
                ..good
            };
            memories::good(transaction, &zone.apex().to_string(), &good)?;
        }
    }
    Ok(())
}

/// The number of the set that the plugins of `deployment` are.
fn plugins(transaction: &Transaction<'_>, deployment: &Deployment) -> Result<i64, Fault> {
    let mut plugins = Vec::new();
    for plugin in &deployment.plugins {
        plugins.push(PluginOfRun {
            key: plugin.key.clone(),
            role: plugin.role.to_string(),
            version: plugin.manifest.version.clone(),
            library: plugin.library.display().to_string(),
            sha256: digest(transaction, plugin)?,
        });
    }
    let text = crate::json::text(&plugins);
    transaction.execute(
        "INSERT INTO plugin_sets (plugins) VALUES (?1) ON CONFLICT DO NOTHING",
        [&text],
    )?;
    let id = transaction.query_row(
        "SELECT id FROM plugin_sets WHERE plugins = ?1",
        [&text],
        |row| row.get(0),
    );
    Ok(id?)
}

/// The sha256 of a plugin's library, which is read once for as long as nobody changes the file.
fn digest(
    transaction: &Transaction<'_>,
    plugin: &crate::resolve::Resolved,
) -> Result<Option<String>, Fault> {
    use rusqlite::OptionalExtension as _;
    let Some(identity) = plugin.identity.map(|identity| identity.to_string()) else {
        return Ok(None);
    };
    let known = transaction
        .query_row(
            "SELECT sha256 FROM libraries WHERE identity = ?1",
            [&identity],
            |row| row.get(0),
        )
        .optional()?;
    if known.is_some() {
        return Ok(known);
    }
    // One that cannot be read now cannot be opened either, which is told there.
    let Ok(digest) = Digest::at(&plugin.library) else {
        return Ok(None);
    };
    let digest = digest.to_string();
    transaction.execute(
        "INSERT INTO libraries (identity, sha256) VALUES (?1, ?2)",
        [&identity, &digest],
    )?;
    Ok(Some(digest))
}

fn user() -> String {
    let uid = rustix::process::geteuid().as_raw();
    let name = uzers::get_user_by_uid(uid).map(|user| user.name().to_string_lossy().into_owned());
    name.unwrap_or_else(|| uid.to_string())
}

/// Tells the process `pid` from every other that has or had its number: when it was started, and
/// after which start of the system. None if there is none.
pub(super) fn process(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold anything, parentheses too.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields = fields.split_ascii_whitespace().collect::<Vec<_>>();
    // A zombie has ended.
    let (state, started) = (fields.first()?, fields.get(19)?);
    if *state == "Z" {
        return None;
    }
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(format!("{started}@{}", boot.trim()))
}

/// What has been done; a process can end after any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Begun,
    Intended,
    Noted,
    Ended,
    Pruned,
}

/// A point at which tests kill the process.
#[cfg(not(test))]
fn reached(_step: Step) {}

#[cfg(test)]
use super::kill_tests::reached;
