//! The plan for programs, as JSON.

use std::io::{self, Write};
use std::sync::Arc;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;

use super::schema::{
    AsideEntry, ChangeObjects, EndLine, HeaderLine, LeftOutLine, LostEntry, NotStickingEntry,
    ReasonEntry, SealEntry, Text, Totals, VerdictEntry, ZoneLine, left_alone,
};
use crate::pipeline::Outcome;
use crate::report::{LeftOut, ZoneReport};
use crate::stations::planned::PlannedZone;
use crate::stations::route::Publishers;

/// Writes the plan for programs: one JSON object a line. First the header, then a line for each zone in
/// canonical order, then one for each thing that was left out, then the totals.
///
/// With a sealed `header` each zone's line also has what `apply` needs; `digest` is asked for the digest
/// of what was written so far, and stands last in the last line.
///
/// # Errors
///
/// Those of `out`.
pub fn write_json<W: Write>(
    header: &HeaderLine,
    outcome: &Outcome,
    out: &mut W,
    digest: impl FnOnce(&mut W) -> io::Result<Option<String>>,
) -> io::Result<()> {
    line(out, header)?;
    let mut totals = Totals {
        left_out: outcome.report.left_out.len(),
        ..Totals::default()
    };
    for (zone, report) in outcome.plan.iter().zip(&outcome.report.zones) {
        write_zone(header, zone, report, out)?;
        let counts = zone.counts();
        totals.add(counts.additions, counts.updates, counts.deletions);
    }
    for left_out in &outcome.report.left_out {
        line(out, &left_out_line(left_out))?;
    }
    let report = &outcome.report;
    let unnamed = report.unnamed.iter();
    let end = EndLine {
        end: totals,
        run_limits: report.run_limits.iter().map(ReasonEntry::from).collect(),
        unnamed: unnamed.map(|zone| zone.zone.to_string()).collect(),
        undecided: report.undecided,
        sha256: None,
    };
    out.write_all(&before_digest(&end)?)?;
    if let Some(sha256) = digest(out)? {
        write!(out, ",\"sha256\":\"{sha256}\"")?;
    }
    out.write_all(b"}\n")
}

/// The last line as far as its digest goes over it, too.
pub(super) fn before_digest(end: &EndLine) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    let end = EndLine {
        sha256: None,
        ..end.clone()
    };
    crate::json::write(&end, &mut octets)?;
    octets.pop();
    Ok(octets)
}

/// Writes one object and the end of its line.
pub(super) fn line(out: &mut impl Write, object: &impl serde::Serialize) -> io::Result<()> {
    crate::json::write(object, &mut *out)?;
    out.write_all(b"\n")
}

fn write_zone(
    header: &HeaderLine,
    zone: &PlannedZone,
    report: &ZoneReport,
    out: &mut impl Write,
) -> io::Result<()> {
    let counts = zone.counts();
    let changes = zone.changes();
    let sealed = zone.digests.filter(|_| header.sealed);
    // What is sealed is what apply needs, and can be told from it.
    let shown = !header.sealed;
    let set_aside = zone.aside_by_rule().into_iter();
    line(
        out,
        &ZoneLine {
            zone: zone.apex().to_string(),
            authority: report.authority.as_deref().map(str::to_owned),
            authorities: shown.then(|| {
                let authorities = zone.provenance.authorities().iter();
                authorities.map(ToString::to_string).collect()
            }),
            reconciler: zone.route.reconciler.to_string(),
            publishers: publishers(header, &zone.route.publishers),
            complete: zone.complete,
            desired: zone.desired,
            actual: report.actual,
            comparable: zone.actual.as_ref().map(|actual| actual.comparable),
            serial: zone
                .actual
                .as_ref()
                .and_then(|actual| actual.serial)
                .map(|serial| serial.0),
            additions: counts.additions,
            updates: counts.updates,
            deletions: counts.deletions,
            held_back: zone.held_back,
            left_alone: left_alone(zone),
            set_aside: set_aside
                .map(|(rule, changes)| AsideEntry {
                    kind: rule.kind.word().to_owned(),
                    rule: rule.text.to_string(),
                    changes,
                })
                .collect(),
            lost: shown.then(|| {
                zone.losers
                    .iter()
                    .map(|loser| LostEntry::of(&loser))
                    .collect()
            }),
            verdict: VerdictEntry::of(&zone.verdict),
            not_sticking: NotStickingEntry::of(&zone.not_sticking),
            changes: ChangeObjects {
                changes,
                provenance: shown.then_some(&zone.provenance),
            },
            sealed: sealed.map(|digests| SealEntry {
                desired: digests.desired.to_string(),
                actual: digests.actual.map(|digest| digest.to_string()),
                changes: Text(Base64Display::new(changes.octets(), &STANDARD)),
            }),
        },
    )
}

/// Which publishers a zone's changes go to, by name.
fn publishers(header: &HeaderLine, of_route: &Publishers) -> Vec<String> {
    let publishers = header.plugins.iter().filter(|plugin| {
        // Nobody else has it.
        plugin.conditional.is_some() && of_route.contain(&plugin.key)
    });
    publishers.map(|plugin| plugin.key.clone()).collect()
}

fn left_out_line(left_out: &LeftOut) -> LeftOutLine {
    LeftOutLine {
        left_out: left_out.reason.clone(),
        zone: left_out.zone.as_ref().map(ToString::to_string),
        what: left_out.what.clone(),
        kind: left_out.kind.word().to_owned(),
        hint: left_out.hint.clone(),
        plugin: left_out.plugin.as_deref().map(str::to_owned),
    }
}

/// What [`left_out_line`] was made from; none if that is not possible.
pub(super) fn left_out(line: LeftOutLine) -> Option<LeftOut> {
    Some(LeftOut {
        kind: crate::report::LeftOutKind::from_word(&line.kind)?,
        zone: match line.zone {
            Some(zone) => Some(zone.parse().ok()?),
            None => None,
        },
        what: line.what,
        plugin: line.plugin.map(Arc::from),
        reason: line.left_out,
        hint: line.hint,
    })
}
