//! One run in the tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use janitor_plugin_api::abi::values::OutcomeCode;
use rusqlite::{OptionalExtension as _, Transaction, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::report::{LeftOut, ZoneReport};
use crate::stations::guard::Verdict;
use crate::stations::planned::PlannedZone;

/// Octets of one value at most; SQLite takes a copy of each.
const PART: usize = 8 << 20;

/// What is known of a zone in a run, as it is kept. What is not there has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The authority that spoke for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// Who compared it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciler: Option<String>,
    /// Whether the desired zone was complete.
    pub complete: bool,
    /// RRsets that it ought to hold.
    pub desired: usize,
    /// RRsets that it was found to hold, if that was known.
    pub actual: Option<usize>,
    /// The serial of its SOA, if that was known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<u32>,
    /// Differences that were left as they are.
    #[serde(skip_serializing_if = "is_nought")]
    pub held_back: usize,
    /// How many changes were set aside, by the kind and the text of the rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<(String, String, usize)>,
    /// Why nothing was published, or what limits were lifted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Judgement>,
    /// Why it took no part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<Absence>,
}

/// What limits said of a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// `withheld` or `forced`.
    pub word: String,
    /// The limits that it broke.
    pub reasons: Vec<String>,
}

impl Judgement {
    fn of(verdict: &Verdict) -> Option<Self> {
        (*verdict != Verdict::Passed).then(|| Self {
            word: verdict.word().to_owned(),
            reasons: verdict.reasons().iter().map(ToString::to_string).collect(),
        })
    }
}

/// Why something took no part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// What it is: a zone, a file, a message.
    pub what: String,
    /// The plugin that left it out, or whose fault it is.
    pub plugin: Option<String>,
    /// Why, in a word.
    pub kind: String,
    /// Why, outermost first.
    pub reason: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_nought(number: &usize) -> bool {
    *number == 0
}

impl Facts {
    fn of(zone: &PlannedZone, report: Option<&ZoneReport>) -> Self {
        let set_aside = zone.aside_by_rule().into_iter();
        Self {
            authority: report
                .and_then(|report| report.authority.as_deref())
                .map(str::to_owned),
            reconciler: Some(zone.route.reconciler.to_string()),
            complete: zone.complete,
            desired: zone.desired,
            actual: zone.actual.as_ref().map(|actual| actual.rrsets),
            serial: zone
                .actual
                .as_ref()
                .and_then(|actual| Some(actual.serial?.0)),
            held_back: zone.held_back,
            set_aside: set_aside
                .map(|(rule, number)| {
                    let word = rule.kind.word().to_owned();
                    (word, rule.text.to_string(), number)
                })
                .collect(),
            verdict: Judgement::of(&zone.verdict),
            left_out: None,
        }
    }

    fn absent(left_out: &LeftOut) -> Self {
        let left_out = Absence {
            what: left_out.what.clone(),
            plugin: left_out.plugin.as_deref().map(str::to_owned),
            kind: left_out.kind.word().to_owned(),
            reason: left_out.reason.clone(),
            hint: left_out.hint.clone(),
        };
        Self {
            left_out: Some(left_out),
            ..Self::default()
        }
    }
}

/// A zone's row, and whether it was to be published.
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) intended: bool,
}

/// Writes the zones of one run.
pub(super) struct Zones<'t> {
    transaction: &'t Transaction<'t>,
    run: i64,
    /// Rows of the run before that may reach further, by what is in them.
    before: BTreeMap<(Option<String>, String, Option<i64>), i64>,
}

impl<'t> Zones<'t> {
    pub(super) fn new(transaction: &'t Transaction<'t>, run: i64) -> rusqlite::Result<Self> {
        let mut statement = transaction.prepare_cached(
            "SELECT apex, facts, content, id FROM zones WHERE last = ?1 \
             AND NOT EXISTS (SELECT 1 FROM outcomes WHERE zone = zones.id)",
        )?;
        let rows = statement.query_map([run - 1], |row| {
            Ok(((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?))
        })?;
        let before = rows.collect::<rusqlite::Result<_>>()?;
        Ok(Self {
            transaction,
            run,
            before,
        })
    }

    /// Writes a zone that was compared, with the changes that go to `publishers`.
    pub(super) fn planned(
        &mut self,
        zone: &PlannedZone,
        report: Option<&ZoneReport>,
        publishers: &[&Arc<str>],
    ) -> rusqlite::Result<Row> {
        let counts = zone.counts();
        let changes = zone.changes();
        let content = if changes.is_empty() {
            None
        } else {
            Some(self.content(changes.octets())?)
        };
        let intended = content.is_some() && !publishers.is_empty();
        let facts = Facts::of(zone, report);
        let apex = zone.apex().to_string();
        let counts = [counts.additions, counts.updates, counts.deletions];
        let id = self.row(Some(apex), &facts, counts, content, intended)?;
        if intended {
            let mut statement = self
                .transaction
                .prepare_cached("INSERT INTO outcomes (zone, publisher) VALUES (?1, ?2)")?;
            for publisher in publishers {
                statement.execute(params![id, &***publisher])?;
            }
        }
        Ok(Row { id, intended })
    }

    /// Writes something that took no part.
    pub(super) fn left_out(&mut self, left_out: &LeftOut) -> rusqlite::Result<()> {
        let apex = left_out.zone.as_ref().map(ToString::to_string);
        let facts = Facts::absent(left_out);
        self.row(apex, &facts, [0; 3], None, false)?;
        Ok(())
    }

    fn row(
        &mut self,
        apex: Option<String>,
        facts: &Facts,
        counts: [usize; 3],
        content: Option<i64>,
        intended: bool,
    ) -> rusqlite::Result<i64> {
        let key = (apex, crate::json::text(facts), content);
        if !intended && let Some(id) = self.before.remove(&key) {
            self.transaction
                .prepare_cached("UPDATE zones SET last = ?1 WHERE id = ?2")?
                .execute([self.run, id])?;
            return Ok(id);
        }
        let [additions, updates, deletions] = counts.map(number);
        self.transaction
            .prepare_cached(
                "INSERT INTO zones (first, last, apex, facts, content, additions, updates, deletions) \
                 VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![self.run, key.0, key.1, key.2, additions, updates, deletions])?;
        Ok(self.transaction.last_insert_rowid())
    }

    /// The number of what is to be done, which is written unless it is there.
    fn content(&self, octets: &[u8]) -> rusqlite::Result<i64> {
        let digest = Sha256::digest(octets);
        let known = self
            .transaction
            .prepare_cached("SELECT id FROM contents WHERE sha256 = ?1")?
            .query_row([digest.as_slice()], |row| row.get(0))
            .optional()?;
        if let Some(known) = known {
            return Ok(known);
        }
        let parts = number(octets.chunks(PART).len());
        self.transaction
            .prepare_cached("INSERT INTO contents (sha256, parts) VALUES (?1, ?2)")?
            .execute(params![digest.as_slice(), parts])?;
        let content = self.transaction.last_insert_rowid();
        let mut statement = self
            .transaction
            .prepare_cached("INSERT INTO parts (content, part, octets) VALUES (?1, ?2, ?3)")?;
        for (part, octets) in octets.chunks(PART).enumerate() {
            statement.execute(params![content, number(part), octets])?;
        }
        Ok(content)
    }
}

/// Writes what became of the changes of the zone `row` at `publisher`.
pub(super) fn outcome(
    transaction: &Transaction<'_>,
    row: i64,
    publisher: &str,
    each: &[OutcomeCode],
    reasons: &[String],
) -> rusqlite::Result<()> {
    let octets = each.iter().map(|outcome| outcome.0).collect::<Vec<_>>();
    transaction
        .prepare_cached(
            "UPDATE outcomes SET outcomes = ?1, reasons = ?2 WHERE zone = ?3 AND publisher = ?4",
        )?
        .execute(params![octets, crate::json::text(&reasons), row, publisher])?;
    Ok(())
}

/// A count as SQLite has it.
pub(super) fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
