//! The answer for people.

use std::io::{self, Write};

use anstyle::Style;
use janitor_plugin_api::dns::text::rdata_display;
use janitor_plugin_api::dns::{Rrset, Rtype};

use super::answer::{Answer, Place, past_of};
use super::inquiry::Content;
use crate::problem::escape;

const HEADING: Style = Style::new().bold();

pub(super) fn write(answer: &Answer<'_>, out: &mut impl Write) -> io::Result<()> {
    write_place(answer, out)?;
    if let Place::Nowhere(_) = answer.place {
        return write_end(answer, out);
    }
    let seen = &answer.seen;
    if let Place::LeftOut(..) = answer.place
        && seen.wanted.is_empty()
    {
        writeln!(out, "  everything in it stays as it is")?;
        return write_end(answer, out);
    }
    writeln!(out, "\n{HEADING}desired{HEADING:#}")?;
    let mut is_wanted = false;
    for wanted in &seen.wanted {
        let content = &wanted.content;
        if content.says_something() {
            is_wanted = true;
            let state = match (content.is_held, content.is_complete) {
                (true, _) => " (knows of the name, and could not read it)",
                (false, false) => " (its zone is incomplete)",
                (false, true) => "",
            };
            writeln!(out, "  {} wants{state}", wanted.authority)?;
            write_content(answer, content, "    ", out)?;
        }
    }
    if !is_wanted {
        writeln!(out, "  by nobody")?;
    }
    if let (Some(desired), true) = (&seen.desired, seen.wanted.len() > 1 && is_wanted) {
        writeln!(out, "  together")?;
        write_content(answer, desired, "    ", out)?;
    }
    for loser in answer.lost() {
        let (authority, rtype, why) = (loser.authority, loser.rtype, loser.why());
        writeln!(out, "  {rtype} of {authority} does not count: {why}")?;
    }
    writeln!(out, "\n{HEADING}served{HEADING:#}")?;
    match &seen.served {
        None => writeln!(out, "  nobody can tell")?,
        Some(served) => {
            if served.is_held {
                writeln!(
                    out,
                    "  more than can be told as RRsets, so nothing is changed here"
                )?;
            }
            write_content(answer, served, "  ", out)?;
        }
    }
    writeln!(out, "\n{HEADING}decided{HEADING:#}")?;
    if answer.decisions.is_empty() {
        let sentence = match answer.place {
            Place::LeftOut(..) => "the zone is left out, so everything in it stays as it is",
            _ if seen.served.as_ref().is_some_and(|served| served.is_held) => {
                "nobody wants anything at the name, and what is served at it stays as it is"
            }
            _ => "nobody wants anything at the name, and nothing is served at it",
        };
        writeln!(out, "  {sentence}")?;
    }
    for decided in &answer.decisions {
        let sentence = escape(&decided.decision.to_string());
        writeln!(out, "  {}: {sentence}", decided.rtype)?;
    }
    write_past(answer, out)?;
    write_end(answer, out)
}

fn write_past(answer: &Answer<'_>, out: &mut impl Write) -> io::Result<()> {
    let past = match &answer.past {
        Ok(None) => return Ok(()),
        Ok(Some(past)) => past,
        Err(problem) => {
            writeln!(out, "\n{HEADING}history{HEADING:#}")?;
            return writeln!(out, "  {}", escape(problem.summary()));
        }
    };
    writeln!(out, "\n{HEADING}history{HEADING:#}")?;
    if past.is_empty() {
        writeln!(out, "  no recorded run has changed it")?;
    }
    for change in past {
        let (run, rtype) = (change.run, change.rtype);
        let at = change.at.map(|at| format!(" of {at:.0}"));
        let at = at.unwrap_or_default();
        let done = past_of(change.action);
        let what = match (&change.before, &change.after) {
            (Some(before), Some(after)) => format!(": {before} → {after}"),
            (Some(one), None) | (None, Some(one)) => format!(": {one}"),
            (None, None) => String::new(),
        };
        let outcome = change.outcome;
        writeln!(out, "  run {run}{at} ({outcome}): {rtype} {done}{what}")?;
    }
    Ok(())
}

fn write_end(answer: &Answer<'_>, out: &mut impl Write) -> io::Result<()> {
    if answer.is_whole {
        return Ok(());
    }
    writeln!(
        out,
        "\nThe run failed or was cancelled, so this is not the whole truth."
    )
}

fn write_place(answer: &Answer<'_>, out: &mut impl Write) -> io::Result<()> {
    let name = answer.name;
    match &answer.place {
        Place::Zone(zone) => {
            let apex = zone.apex();
            if apex == name {
                writeln!(out, "{HEADING}{name}{HEADING:#} is a zone of this run")?;
            } else if answer.rtype == Some(Rtype::DS) {
                writeln!(
                    out,
                    "{HEADING}{name}{HEADING:#} DS belongs to {apex}: what delegates a name is in the zone above it"
                )?;
            } else {
                writeln!(
                    out,
                    "{HEADING}{name}{HEADING:#} belongs to {apex}, the closest zone above it in this run"
                )?;
            }
            if let Some(way) = &answer.way {
                writeln!(out, "  {way}")?;
            }
        }
        Place::LeftOut(apex, reasons) => {
            writeln!(
                out,
                "{HEADING}{name}{HEADING:#} belongs to {apex}, which is left out of this run"
            )?;
            for left_out in reasons {
                writeln!(out, "  {}", escape(&left_out.reason.join(": ")))?;
                if let Some(hint) = &left_out.hint {
                    writeln!(out, "  hint: {}", escape(hint))?;
                }
            }
        }
        Place::Nowhere(nearest) => {
            writeln!(
                out,
                "{HEADING}{name}{HEADING:#} belongs to no zone of this run: no authority names one at or above it"
            )?;
            if let Some(nearest) = nearest {
                writeln!(out, "  the nearest is {nearest}")?;
            }
        }
    }
    Ok(())
}

fn write_content(
    answer: &Answer<'_>,
    content: &Content,
    indent: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut is_empty = true;
    for rrset in answer.asked(content) {
        is_empty = false;
        write_rrset(rrset, indent, out)?;
    }
    if is_empty {
        match content.rrsets.len() {
            0 => writeln!(out, "{indent}nothing")?,
            _ => {
                let types = content.rrsets.iter().map(|rrset| rrset.rtype().to_string());
                let types = types.collect::<Vec<_>>().join(", ");
                writeln!(out, "{indent}nothing of this type; there is {types}")?;
            }
        }
    }
    if let Some((wildcard, types)) = &content.wildcard {
        let types = types.iter().map(ToString::to_string).collect::<Vec<_>>();
        let types = types.join(", ");
        writeln!(
            out,
            "{indent}the wildcard {wildcard} answers in its place, with {types}"
        )?;
    }
    if let Some(cut) = &content.cut {
        let is_here = cut.as_ref() == answer.name;
        let place = if is_here { "at" } else { "below" };
        writeln!(
            out,
            "{indent}it is {place} the zone cut {cut}: servers of another zone answer for it"
        )?;
    }
    Ok(())
}

fn write_rrset(rrset: &Rrset, indent: &str, out: &mut impl Write) -> io::Result<()> {
    let (owner, ttl, rtype) = (rrset.owner(), rrset.ttl(), rrset.rtype());
    for rdata in rrset.rdatas() {
        let rdata = rdata_display(rtype, rdata);
        writeln!(out, "{indent}{owner} {ttl} IN {rtype} {rdata}")?;
    }
    Ok(())
}
