//! What people, the log and the metrics are told of limits and of changes that do not stick.

use std::collections::BTreeSet;

use janitor_plugin_api::dns::Name;

use crate::config::nearest;
use crate::metrics::{Number, Value};
use crate::offer::Shared;
use crate::problem::{Code, Problem};
use crate::report::Report;
use crate::stations::convergence::{NotSticking, Sent, Stuck};
use crate::stations::guard::{Reason, Unnamed, Verdict, rrsets};
use crate::stations::planned::PlannedZone;

/// Zones that are told of one by one; the rest is counted, and in the log.
const MAX_TOLD: usize = 20;

/// Tells everything that was found of a plan.
pub(crate) fn tell(plan: &[PlannedZone], report: &Report, heard_all: bool, shared: &Shared) {
    for zone in plan {
        measure(zone, shared);
    }
    let withheld = plan.iter().filter(|zone| zone.verdict.is_withheld());
    let on_their_own = withheld
        .clone()
        .filter(|zone| own(&zone.verdict).next().is_some());
    for zone in on_their_own.clone().take(MAX_TOLD) {
        shared.tell(&withheld_zone(zone));
    }
    for zone in on_their_own.clone().skip(MAX_TOLD) {
        let reasons = sentences(own(&zone.verdict));
        tracing::warn!(zone = %zone.apex(), reasons, "zone withheld");
    }
    if !report.run_limits.is_empty() {
        shared.tell(&withheld_run(&report.run_limits, withheld.count()));
    }
    for zone in plan {
        if let Verdict::Forced(reasons) = &zone.verdict {
            let reasons = sentences(reasons.iter());
            tracing::warn!(zone = %zone.apex(), reasons, "limits lifted by --force");
        }
    }
    let stuck = plan.iter().filter(|zone| zone.not_sticking.total() > 0);
    for zone in stuck.clone().take(MAX_TOLD) {
        for problem in does_not_stick(zone) {
            shared.tell(&problem);
        }
    }
    for zone in stuck.skip(MAX_TOLD) {
        let NotSticking {
            sent_again,
            set_aside,
            ..
        } = zone.not_sticking;
        tracing::warn!(zone = %zone.apex(), sent_again, set_aside, "changes do not stick");
    }
    for problem in unnamed(&report.unnamed, heard_all) {
        shared.tell(&problem);
    }
}

/// The limits of a zone itself, without those of the run.
fn own(verdict: &Verdict) -> impl Iterator<Item = &Reason> + Clone {
    let reasons = verdict.reasons().iter();
    reasons.filter(|reason| !reason.rule.is_of_the_run())
}

fn sentences<'a>(reasons: impl Iterator<Item = &'a Reason>) -> String {
    let sentences: Vec<_> = reasons.map(ToString::to_string).collect();
    sentences.join("; ")
}

fn withheld_zone(zone: &PlannedZone) -> Problem {
    let apex = zone.apex();
    let mut reasons = own(&zone.verdict);
    // A log may show nothing but the first line.
    let first = reasons.next().map(|reason| format!(": {reason}"));
    let first = first.unwrap_or_default();
    let mut problem = Problem::warning(
        Code::Withheld,
        format!("nothing of `{apex}` is published{first}"),
    );
    for reason in reasons {
        problem = problem.also(reason);
    }
    let can_be_forced = own(&zone.verdict).all(|reason| reason.rule.can_be_forced());
    let name = apex.to_string();
    let name = without_dot(&name);
    problem.help(match can_be_forced {
        true => format!(
            "look at the changes with gordon-janitor plan; if they are meant, gordon-janitor run --force {name}"
        ),
        false => "mend the source, so that it can be read as a whole; --force does not lift this".to_owned(),
    })
}

/// A zone as people write it.
fn without_dot(name: &str) -> &str {
    let short = name.strip_suffix('.').filter(|short| !short.is_empty());
    short.unwrap_or(name)
}

fn withheld_run(reasons: &[Reason], zones: usize) -> Problem {
    let zones = match zones {
        1 => "nothing of 1 zone with changes is published".to_owned(),
        zones => format!("nothing of {zones} zones with changes is published"),
    };
    let mut reasons = reasons.iter();
    let first = reasons.next().map(|reason| format!(": {reason}"));
    let first = first.unwrap_or_default();
    let mut problem = Problem::warning(Code::RunWithheld, format!("{zones}{first}"));
    for reason in reasons {
        problem = problem.also(reason);
    }
    problem.help(
        "look at the changes with gordon-janitor plan; if they are meant, name zones with --force, or raise the limit",
    )
}

/// A zone that was named to `--force` and to nobody else.
pub(crate) fn forced_unknown(zone: &Name, known: &BTreeSet<Name>) -> Problem {
    let problem = Problem::error(
        Code::ForcedUnknown,
        format!("--force names `{zone}`, which is not in the run; nothing is published"),
    )
    .because("no authority named it");
    let known: Vec<_> = known.iter().map(ToString::to_string).collect();
    match nearest(&zone.to_string(), known.iter().map(String::as_str)) {
        Some(near) => problem.help(format!("write --force {}", without_dot(near))),
        None => problem.help("gordon-janitor plan shows the zones of the run"),
    }
}

fn does_not_stick(zone: &PlannedZone) -> Vec<Problem> {
    let found = &zone.not_sticking;
    let apex = zone.apex();
    let told = [
        (Code::NotSentAnyMore, found.set_aside, true),
        (Code::DoesNotStick, found.sent_again, false),
    ];
    let told = told.into_iter().filter(|(_, number, _)| *number > 0);
    let problems = told.map(|(code, number, set_aside)| {
        let shown = found.shown.iter();
        let shown = shown.filter(|stuck| stuck.set_aside == set_aside);
        let shown: Vec<_> = shown.collect();
        let what = match (number, shown.first()) {
            (1, Some(stuck)) => format!("`{}` {} does not stick", stuck.owner, stuck.rtype),
            (number, Some(stuck)) => format!(
                "{number} changes of `{apex}` do not stick, the first of them `{}` {}",
                stuck.owner, stuck.rtype
            ),
            (number, None) => format!("{number} changes of `{apex}` do not stick"),
        };
        let done = match shown.iter().any(|stuck| stuck.sent == Sent::Accepted) {
            true => "accepted long enough ago",
            false => "applied",
        };
        let rest = match (set_aside, number) {
            (true, _) => "not sent any more".to_owned(),
            (false, 1) => format!("planned again although it was {done}"),
            (false, _) => format!("planned again although they were {done}"),
        };
        let mut problem = Problem::warning(code, format!("{what}: {rest}"));
        for stuck in &shown {
            problem = describe(problem, stuck);
        }
        if shown.len() < number {
            problem = problem.note(format!("and {} more", number - shown.len()));
        }
        problem = problem.help("docs/guard.md says what each kind of difference mostly comes from");
        match set_aside {
            true => problem.help(format!(
                "once the cause is gone, gordon-janitor history forget {} has it sent again",
                without_dot(&apex.to_string())
            )),
            false => problem,
        }
    });
    problems.collect()
}

fn describe(problem: Problem, stuck: &Stuck) -> Problem {
    let sent = match stuck.times {
        1 => "sent once".to_owned(),
        times => format!("sent {times} times"),
    };
    let mut problem = problem.found(format!(
        "{} {}: {}; {sent}, first at {}",
        stuck.owner, stuck.rtype, stuck.difference, stuck.since
    ));
    for (what, form) in [("served", &stuck.served), ("desired", &stuck.desired)] {
        if let Some(form) = form {
            problem = problem.note(format!("{what} {}, on the wire {}", form.text, form.hex));
        }
    }
    problem
}

/// What is told of the zones that nobody names any more. Where they are many, they have one cause.
fn unnamed(zones: &[Unnamed], heard_all: bool) -> Vec<Problem> {
    let seen = |one: &Unnamed| {
        format!(
            "run {} of {:.0} found it well, with {} desired",
            one.run,
            one.at,
            rrsets(one.desired as u64)
        )
    };
    let explained = |problem: Problem, forget: String| match heard_all {
        true => problem.help(format!(
            "if it is not this janitor's any more: gordon-janitor history forget {forget}"
        )),
        false => problem
            .because("not every authority was heard in this run")
            .help("mend the authorities first, and forget nothing"),
    };
    if zones.len() <= MAX_TOLD {
        let each = zones.iter().map(|one| {
            let zone = &one.zone;
            let text = format!("no authority names `{zone}` any more; it stays as it is");
            let problem = Problem::warning(Code::Unnamed, text).found(seen(one));
            explained(problem, without_dot(&zone.to_string()).to_owned())
        });
        return each.collect();
    }
    let number = zones.len();
    let text = format!("no authority names {number} zones any more; they stay as they are");
    let mut problem = Problem::warning(Code::Unnamed, text);
    for one in zones.iter().take(MAX_TOLD) {
        problem = problem.found(format!("`{}`: {}", one.zone, seen(one)));
    }
    problem = problem.note(format!(
        "and {} more; gordon-janitor plan names them all",
        number - MAX_TOLD
    ));
    vec![explained(problem, "ZONE".to_owned())]
}

fn measure(zone: &PlannedZone, shared: &Shared) {
    let apex = || Value::Text(zone.apex().to_string());
    for reason in zone.verdict.reasons() {
        let context = [("zone", apex()), ("rule", Value::from(reason.rule.word()))];
        shared
            .metrics
            .incr("guard-trips", Number::count(1), &context);
    }
    let NotSticking {
        sent_again,
        set_aside,
        ..
    } = &zone.not_sticking;
    for (state, number) in [("sent-again", *sent_again), ("set-aside", *set_aside)] {
        if number > 0 {
            let context = [("zone", apex()), ("state", Value::from(state))];
            shared
                .metrics
                .set("changes-not-sticking", Number::count(number), &context);
        }
    }
}

#[cfg(test)]
mod tests;
