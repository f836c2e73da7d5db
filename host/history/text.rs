//! The history for people.

use janitor_plugin_api::abi::values::OutcomeCode;
use janitor_plugin_api::dns::Name;
use jiff::{SignedDuration, Timestamp};

use super::{Found, Told};
use crate::plan::summary;
use crate::problem::escape;
use crate::record::reading::{Facts, PastOutcome, PastRun, PastZone, State};
use crate::report::exit;
use crate::stations::memory::ZoneMemory;
use crate::table::columns;

/// The list of runs, newest first.
pub(super) fn runs(runs: &[PastRun]) -> String {
    if runs.is_empty() {
        return "no run is recorded\n".to_owned();
    }
    let heading = [
        "run",
        "began",
        "took",
        "what",
        "zones",
        "to publish",
        "left out",
        "ended",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(runs.iter().map(|run| {
        vec![
            run.id.to_string(),
            time(run.started),
            took(run).unwrap_or_default(),
            kind(run),
            run.zones.to_string(),
            if run.published {
                summary(run.changes)
            } else {
                "nothing".to_owned()
            },
            run.left_out.to_string(),
            ended(run),
        ]
    }));
    columns(&rows)
}

/// One run with everything that it found.
pub(super) fn run(told: &Told) -> String {
    let Told { run, zones } = told;
    let mut out = format!("run {}: {}\n", run.id, ended(run));
    let took = took(run)
        .map(|took| format!(", took {took}"))
        .unwrap_or_default();
    out.push_str(&format!("  began {}{took}\n", time(run.started)));
    out.push_str(&format!(
        "  {} by {}, gordon-janitor {}, process {}\n",
        kind(run),
        escape(&run.user),
        escape(&run.version),
        run.pid
    ));
    if let Some(policy) = &run.policy {
        out.push_str(&format!("  policy {}\n", escape(policy)));
    }
    for cause in &run.causes {
        out.push_str(&because("  ", cause));
    }
    let plugins = run.plugins.iter().map(|plugin| {
        let sha256 = plugin.sha256.as_deref().unwrap_or("unknown");
        let cells = [
            &*format!("  {}", plugin.key),
            &plugin.role,
            &plugin.version,
            &format!("sha256 {sha256}"),
            &plugin.library,
        ];
        cells.map(escape).to_vec()
    });
    out.push_str("plugins\n");
    out.push_str(&columns(&plugins.collect::<Vec<_>>()));
    out.push_str("zones\n");
    let (quiet, told): (Vec<_>, Vec<_>) = zones.iter().partition(|found| is_quiet(&found.zone));
    for found in told {
        out.push_str(&format!("{}\n", name(&found.zone)));
        push_zone(&mut out, found, run);
    }
    if !quiet.is_empty() {
        let number = quiet.len();
        out.push_str(&format!("{number} as desired:\n"));
    }
    for found in quiet {
        let sizes = sizes(&found.zone.facts);
        out.push_str(&format!("  {} {sizes}\n", name(&found.zone)));
    }
    out
}

/// One zone in all its runs, newest first.
pub(super) fn zone(apex: &Name, found: &[(PastRun, Found)], memory: &ZoneMemory) -> String {
    let mut out = format!("{apex}\n");
    match &memory.last_good {
        Some(good) => {
            let served = good
                .actual
                .map_or_else(String::new, |actual| format!(", {actual} served"));
            out.push_str(&format!(
                "  last good in run {}, {}: {} RRsets desired{served}\n",
                good.run,
                time(good.at),
                good.desired
            ));
        }
        None => out.push_str("  it was never good, or that is forgotten\n"),
    }
    for (run, found) in found {
        let zone = &found.zone;
        let runs = if zone.first == zone.last {
            format!("run {}, {}", zone.last, time(run.started))
        } else {
            format!(
                "runs {} to {}, until {}",
                zone.first,
                zone.last,
                time(run.started)
            )
        };
        out.push_str(&format!("{runs}\n"));
        if is_quiet(zone) {
            out.push_str(&format!("  as desired {}\n", sizes(&zone.facts)));
        } else {
            push_zone(&mut out, found, run);
        }
    }
    out
}

/// Whether there is nothing to tell of a zone but that it is as it should be.
fn is_quiet(zone: &PastZone) -> bool {
    let facts = &zone.facts;
    zone.changes.total() == 0
        && facts.left_out.is_none()
        && facts.verdict.is_none()
        && facts.set_aside.is_empty()
        && facts.held_back == 0
}

fn name(zone: &PastZone) -> String {
    match (&zone.apex, &zone.facts.left_out) {
        (Some(apex), _) => apex.to_string(),
        (None, Some(absence)) => escape(&absence.what),
        (None, None) => "?".to_owned(),
    }
}

fn sizes(facts: &Facts) -> String {
    let serial = facts
        .serial
        .map_or_else(String::new, |serial| format!(", serial {serial}"));
    match facts.actual {
        Some(actual) => format!(
            "({} RRsets desired, {actual} served{serial})",
            facts.desired
        ),
        None => format!("({} RRsets desired{serial})", facts.desired),
    }
}

fn push_zone(out: &mut String, found: &Found, run: &PastRun) {
    let Found { zone, changes } = found;
    let facts = &zone.facts;
    if let Some(absence) = &facts.left_out {
        out.push_str(&format!(
            "  left out: {}\n",
            escape(&absence.reason.join(": "))
        ));
        return;
    }
    let partial = if facts.complete {
        ""
    } else {
        ", what is desired was incomplete"
    };
    out.push_str(&format!(
        "  {} {}{partial}\n",
        summary(zone.changes),
        sizes(facts)
    ));
    if facts.held_back > 0 {
        out.push_str(&format!(
            "  {} differences left as they were\n",
            facts.held_back
        ));
    }
    for (kind, text, number) in &facts.set_aside {
        out.push_str(&format!(
            "  {number} set aside ({kind}): {}\n",
            escape(text)
        ));
    }
    if let Some(verdict) = &facts.verdict {
        for reason in &verdict.reasons {
            out.push_str(&format!("  {}: {}\n", verdict.word, escape(reason)));
        }
    }
    if zone.outcomes.is_empty() && zone.changes.total() > 0 {
        out.push_str("  not published\n");
    }
    for outcome in &zone.outcomes {
        out.push_str(&format!("  {}\n", became(outcome, run)));
        for reason in &outcome.reasons {
            out.push_str(&because("    ", reason));
        }
    }
    let mixed = zone.outcomes.iter().any(|outcome| {
        let each = outcome.each.iter().flatten();
        each.clone().any(|code| Some(code) != each.clone().next())
    });
    for (at, change) in changes.iter().flatten().enumerate() {
        for line in change.to_string().lines() {
            out.push_str(&format!("  {line}\n"));
        }
        if mixed {
            out.push_str(&format!(
                "      {}\n",
                zone.outcome(at).map_or("unknown", word)
            ));
        }
    }
}

/// What became of the changes of a zone at one publisher.
fn became(outcome: &PastOutcome, run: &PastRun) -> String {
    let publisher = escape(&outcome.publisher);
    let Some(each) = &outcome.each else {
        return match run.state {
            State::Running => format!("{publisher}: under way"),
            _ => format!("{publisher}: intended, outcome not known"),
        };
    };
    let words = [
        OutcomeCode::APPLIED,
        OutcomeCode::ACCEPTED,
        OutcomeCode::REFUSED,
        OutcomeCode::UNKNOWN,
    ];
    let counts = words.map(|code| {
        (
            each.iter()
                .filter(|each| word(**each) == word(code))
                .count(),
            word(code),
        )
    });
    let counts = counts.into_iter().filter(|(number, _)| *number > 0);
    let counts = counts
        .map(|(number, word)| format!("{number} {word}"))
        .collect::<Vec<_>>();
    format!("{publisher}: {}", counts.join(", "))
}

/// What an outcome is called.
pub(super) fn word(outcome: OutcomeCode) -> &'static str {
    match outcome {
        OutcomeCode::APPLIED => "applied",
        OutcomeCode::ACCEPTED => "accepted",
        OutcomeCode::REFUSED => "refused",
        _ => "unknown",
    }
}

fn kind(run: &PastRun) -> String {
    match run.undoes {
        Some(other) => format!("{}, undoes {other}", escape(&run.kind)),
        None => escape(&run.kind),
    }
}

fn ended(run: &PastRun) -> String {
    match &run.state {
        State::Ended {
            exit_code, status, ..
        } => match *exit_code {
            exit::DONE => "done".to_owned(),
            exit::INCOMPLETE => "done, but not all of it (exit code 3)".to_owned(),
            code if status == "cancelled" => format!("cancelled (exit code {code})"),
            code => format!("failed (exit code {code})"),
        },
        State::Running => format!("still running (process {})", run.pid),
        State::Died if run.published => "never: it died while it published".to_owned(),
        State::Died => "never: it died before it published anything".to_owned(),
    }
}

fn took(run: &PastRun) -> Option<String> {
    let State::Ended { at, .. } = run.state else {
        return None;
    };
    let took: SignedDuration = at.duration_since(run.started);
    Some(format!("{:.1} s", took.as_secs_f64()))
}

fn time(time: Timestamp) -> String {
    format!("{time:.0}")
}

/// A cause in lines of its own; what ended a run may be a whole problem with places and advice.
fn because(indent: &str, cause: &str) -> String {
    let lines = cause.lines().enumerate().map(|(at, line)| match at {
        0 => format!("{indent}because {}\n", escape(line)),
        _ => format!("{indent}  {}\n", escape(line)),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_a_run_keeps_its_lines() {
        assert_eq!(
            because("  ", "error: one\n  help: \u{1b}two"),
            "  because error: one\n      help: \\x1btwo\n"
        );
    }
}
