//! The plan for programs, as JSON.

use std::fmt::Display;
use std::io::{self, Write};

use janitor_plugin_api::dns::{Change, RrsetRef};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::merged::{Keys, LoserObjects};
use super::rdatas;
use crate::pipeline::Outcome;
use crate::report::{LeftOut, ZoneReport};
use crate::stations::planned::PlannedZone;

/// Writes the plan for programs: one JSON object a line, one line a zone, in canonical order; then
/// what was left out. `docs/plan.md` has the schema.
///
/// # Errors
///
/// Those of `out`.
pub fn write_json(outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    for (zone, report) in outcome.plan.iter().zip(&outcome.report.zones) {
        serde_json::to_writer(&mut *out, &ZoneObject { zone, report })?;
        out.write_all(b"\n")?;
    }
    for left_out in &outcome.report.left_out {
        serde_json::to_writer(&mut *out, &LeftOutObject(left_out))?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

struct ZoneObject<'a> {
    zone: &'a PlannedZone,
    report: &'a ZoneReport,
}

impl Serialize for ZoneObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { zone, report } = self;
        let counts = zone.counts();
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("zone", &Text(zone.apex()))?;
        object.serialize_entry("authority", &report.authority.as_deref())?;
        object.serialize_entry("authorities", &Keys(zone.provenance.authorities()))?;
        object.serialize_entry("complete", &zone.complete)?;
        object.serialize_entry("desired", &zone.desired)?;
        object.serialize_entry("actual", &report.actual)?;
        object.serialize_entry("additions", &counts.additions)?;
        object.serialize_entry("updates", &counts.updates)?;
        object.serialize_entry("deletions", &counts.deletions)?;
        object.serialize_entry("held_back", &zone.held_back)?;
        object.serialize_entry("left_alone", &left_alone(zone))?;
        object.serialize_entry("lost", &LoserObjects(&zone.losers))?;
        object.serialize_entry("changes", &ChangeObjects(zone))?;
        object.end()
    }
}

/// Differences that belong to the primary or its signer.
fn left_alone(zone: &PlannedZone) -> u64 {
    // Whoever made the changes says these, and they may be anything.
    u64::from(zone.found.left_alone_at_apex) + u64::from(zone.found.left_alone_signer_made)
}

struct ChangeObjects<'a>(&'a PlannedZone);

impl Serialize for ChangeObjects<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let changes = self.0.changes().iter();
        serializer.collect_seq(changes.map(|change| ChangeObject(self.0, change)))
    }
}

struct ChangeObject<'a>(&'a PlannedZone, Change<'a>);

impl Serialize for ChangeObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (action, deletion, addition) = match self.1 {
            Change::Addition(rrset) => ("addition", None, Some(rrset)),
            Change::Deletion(rrset) => ("deletion", Some(rrset), None),
            Change::Update { deletion, addition } => ("update", Some(deletion), Some(addition)),
        };
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("action", action)?;
        if let Some(rrset) = addition.or(deletion) {
            object.serialize_entry("owner", &Text(rrset.owner()))?;
            object.serialize_entry("type", &Text(rrset.rtype()))?;
        }
        object.serialize_entry("deletion", &deletion.map(RrsetObject))?;
        object.serialize_entry("addition", &addition.map(RrsetObject))?;
        let provenance = &self.0.provenance;
        let sources = addition.map(|rrset| Keys(provenance.of(rrset.owner(), rrset.rtype())));
        object.serialize_entry("sources", &sources)?;
        object.end()
    }
}

struct RrsetObject<'a>(RrsetRef<'a>);

impl Serialize for RrsetObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(2))?;
        object.serialize_entry("ttl", &self.0.ttl().as_secs())?;
        object.serialize_entry("rdata", &Rdatas(self.0))?;
        object.end()
    }
}

struct Rdatas<'a>(RrsetRef<'a>);

impl Serialize for Rdatas<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(rdatas(self.0).map(Text))
    }
}

/// Something with a presentation format, as a JSON string.
struct Text<T>(T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

struct LeftOutObject<'a>(&'a LeftOut);

impl Serialize for LeftOutObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("zone", &self.0.zone.as_ref().map(Text))?;
        object.serialize_entry("what", &self.0.what)?;
        object.serialize_entry("left_out", &self.0.reason)?;
        object.serialize_entry("hint", &self.0.hint)?;
        object.serialize_entry("plugin", &self.0.plugin.as_deref())?;
        object.end()
    }
}
