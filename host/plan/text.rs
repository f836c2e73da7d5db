//! The plan for people, as text.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use janitor_plugin_api::dns::{Change, RrsetRef};

use super::merged::write_merged;
use super::{escaped, plural, rdatas, summary};
use crate::pipeline::Outcome;
use crate::report::exit;
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
    write_merged(outcome, out)?;
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
