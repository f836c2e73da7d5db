//! What several authorities said of one zone, as plans have it.

use std::io::{self, Write};
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{escaped, plural};
use crate::pipeline::Outcome;
use crate::stations::losers::{Loser, Losers};
use crate::stations::planned::PlannedZone;

/// RRsets of one zone that a plan for people names; programs get all of them.
const NAMED: usize = 10;

/// Writes what does not count of the authorities' words, and what else should be mended.
pub(super) fn write_merged(outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    for zone in &outcome.plan {
        if !zone.losers.is_empty() {
            write_losers(zone, out)?;
        }
    }
    for remark in &outcome.report.remarks {
        writeln!(out, "note: {}", escaped(remark.summary()))?;
    }
    Ok(())
}

fn write_losers(zone: &PlannedZone, out: &mut impl Write) -> io::Result<()> {
    let (apex, number) = (zone.apex(), plural(zone.losers.len(), "RRset"));
    let authorities = zone.provenance.authorities().join(", ");
    writeln!(
        out,
        "{apex} joined from {authorities}; what does not count: {number}"
    )?;
    for loser in zone.losers.iter().take(NAMED) {
        let (owner, rtype, authority) = (loser.owner, loser.rtype, loser.authority);
        writeln!(out, "  {owner} {rtype} of `{authority}`: {}", loser.why())?;
    }
    if let Some(more @ 1..) = zone.losers.len().checked_sub(NAMED) {
        writeln!(out, "  and {more} more; --format json has all of them")?;
    }
    Ok(())
}

/// Keys of plugins, as a list of texts.
pub(super) struct Keys<'a>(pub(super) &'a [Arc<str>]);

impl Serialize for Keys<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|key| &**key))
    }
}

/// What does not count, as a list of objects.
pub(super) struct LoserObjects<'a>(pub(super) &'a Losers);

impl Serialize for LoserObjects<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(LoserObject))
    }
}

struct LoserObject<'a>(Loser<'a>);

impl Serialize for LoserObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let loser = &self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("owner", &loser.owner.to_string())?;
        object.serialize_entry("type", &loser.rtype.to_string())?;
        object.serialize_entry("authority", loser.authority)?;
        object.serialize_entry("winner", &loser.winner)?;
        object.serialize_entry("why", loser.word())?;
        object.end()
    }
}
