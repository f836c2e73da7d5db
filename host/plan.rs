//! Shows a plan: what is to change in each zone, and what takes no part.

use std::fmt::Display;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use janitor_plugin_api::dns::text::rdata_display;
use janitor_plugin_api::dns::{Change, RrsetRef};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::pipeline::Outcome;
use crate::report::{ChangeCounts, LeftOut, ZoneReport, exit};
use crate::stations::planned::PlannedZone;

const ADDITION: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const DELETION: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const UPDATE: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
const HEADING: Style = Style::new().bold();

/// Writes the plan for people: zones with changes, zones left out, and a closing line of totals.
///
/// # Errors
///
/// Those of `out`.
pub fn write_text(outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    for zone in &outcome.plan {
        if zone.counts().total() > 0 {
            write_zone(zone, out)?;
        }
    }
    for left_out in &outcome.report.left_out {
        let (name, reason) = (
            escaped(&left_out.what),
            escaped(&left_out.reason.join(": ")),
        );
        writeln!(out, "{HEADING}{name}{HEADING:#} left out: {reason}")?;
        if let Some(hint) = &left_out.hint {
            writeln!(out, "  hint: {}", escaped(hint))?;
        }
    }
    write_totals(outcome, out)?;
    if outcome.report.exit_code() == exit::FAILED {
        writeln!(
            out,
            "{HEADING}the plan is not whole{HEADING:#}: the run failed or was cancelled"
        )?;
    }
    Ok(())
}

fn write_zone(zone: &PlannedZone, out: &mut impl Write) -> io::Result<()> {
    let (apex, counts) = (zone.apex(), summary(zone.counts()));
    let partial = if zone.complete {
        ""
    } else {
        ", only additions because the desired zone is incomplete"
    };
    writeln!(out, "{HEADING}{apex}{HEADING:#} {counts}{partial}")?;
    for change in zone.changes().iter() {
        match change {
            Change::Addition(rrset) => write_rrset('+', ADDITION, rrset, out)?,
            Change::Deletion(rrset) => write_rrset('-', DELETION, rrset, out)?,
            Change::Update { deletion, addition } => {
                let (owner, rtype) = (addition.owner(), addition.rtype());
                writeln!(
                    out,
                    "  {UPDATE}~{UPDATE:#} {owner} {rtype}{}",
                    difference(deletion, addition)
                )?;
                write_rrset_below('-', DELETION, deletion, out)?;
                write_rrset_below('+', ADDITION, addition, out)?;
            }
        }
    }
    Ok(())
}

fn write_rrset(
    sign: char,
    style: Style,
    rrset: RrsetRef<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    let (owner, ttl, rtype) = (rrset.owner(), rrset.ttl(), rrset.rtype());
    for rdata in rdatas(rrset) {
        writeln!(
            out,
            "  {style}{sign}{style:#} {owner} {ttl} IN {rtype} {rdata}"
        )?;
    }
    Ok(())
}

fn write_rrset_below(
    sign: char,
    style: Style,
    rrset: RrsetRef<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    let ttl = rrset.ttl();
    for rdata in rdatas(rrset) {
        writeln!(out, "      {style}{sign}{style:#} {ttl} {rdata}")?;
    }
    Ok(())
}

/// What an update changes, where that is not the values alone.
fn difference(deletion: RrsetRef<'_>, addition: RrsetRef<'_>) -> &'static str {
    let same_values = deletion.rdatas().eq(addition.rdatas());
    match (same_values, deletion.ttl() == addition.ttl()) {
        (true, _) => " (TTL)",
        (false, true) => "",
        (false, false) => " (TTL and values)",
    }
}

fn write_totals(outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    let zones = &outcome.report.zones;
    let changed = zones.iter().filter(|zone| zone.changes.total() > 0).count();
    let held_back = zones.iter().filter(|zone| zone.held_back > 0).count();
    let as_desired = zones
        .iter()
        .filter(|z| z.changes.total() == 0 && z.held_back == 0)
        .count();
    let total = outcome.report.changes();
    let left_out = outcome.report.left_out.len();
    writeln!(
        out,
        "{} compared, {changed} to change, {as_desired} as desired, {left_out} left out: {}",
        plural(zones.len(), "zone"),
        summary(total),
    )?;
    if held_back > 0 {
        let differences = zones.iter().map(|zone| zone.held_back).sum();
        let (zones, differences) = (plural(held_back, "zone"), plural(differences, "difference"));
        writeln!(
            out,
            "{differences} in {zones} left as they are: what is desired there is incomplete"
        )?;
    }
    Ok(())
}

/// `2 additions, 1 update, 3 deletions`, without what is nought.
#[must_use]
pub fn summary(counts: ChangeCounts) -> String {
    let parts = [
        (counts.additions, "addition"),
        (counts.updates, "update"),
        (counts.deletions, "deletion"),
    ];
    let parts = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, noun)| plural(number, noun))
        .collect::<Vec<_>>();
    if parts.is_empty() {
        "no changes".to_owned()
    } else {
        parts.join(", ")
    }
}

fn plural(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Texts of plugins may hold anything; a terminal gets no control characters.
fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let control = c.is_control();
            let escaped = control.then(|| c.escape_default()).into_iter().flatten();
            escaped.chain((!control).then_some(c))
        })
        .collect()
}

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
        object.serialize_entry("complete", &zone.complete)?;
        object.serialize_entry("desired", &zone.desired)?;
        object.serialize_entry("actual", &report.actual)?;
        object.serialize_entry("additions", &counts.additions)?;
        object.serialize_entry("updates", &counts.updates)?;
        object.serialize_entry("deletions", &counts.deletions)?;
        object.serialize_entry("held_back", &zone.held_back)?;
        object.serialize_entry("left_alone", &left_alone(zone))?;
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
        serializer.collect_seq(self.0.changes().iter().map(ChangeObject))
    }
}

struct ChangeObject<'a>(Change<'a>);

impl Serialize for ChangeObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (action, deletion, addition) = match self.0 {
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

/// The rdata of an RRset in presentation format.
fn rdatas(rrset: RrsetRef<'_>) -> impl Iterator<Item = impl Display> {
    let rtype = rrset.rtype();
    rrset.rdatas().map(move |rdata| rdata_display(rtype, rdata))
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
