//! The history for programs. `docs/history.md` has the schema.

use janitor_plugin_api::dns::text::rdata_display;
use janitor_plugin_api::dns::{Change, Name, RrsetRef};
use serde_json::{Value, json};

use super::text::word;
use super::{Found, Told};
use crate::json::{text, time};
use crate::record::reading::{PastRun, State};
use crate::report::ChangeCounts;
use crate::stations::memory::ZoneMemory;

/// One run of the list, on a line.
pub(super) fn run_line(run: &PastRun) -> String {
    format!("{}\n", text(&run_object(run)))
}

/// One run with everything that it found.
pub(super) fn run(told: &Told) -> String {
    let mut object = run_object(&told.run);
    object["found"] = told.zones.iter().map(found).collect();
    format!("{}\n", text(&object))
}

/// One zone in all its runs, newest first.
pub(super) fn zone(apex: &Name, runs: &[(PastRun, Found)], memory: &ZoneMemory) -> String {
    let last_good = memory.last_good.as_ref().map(|good| {
        json!({
            "run": good.run,
            "at": time(good.at),
            "desired": good.desired,
            "actual": good.actual,
        })
    });
    let runs = runs.iter().map(|(run, zone)| {
        let mut object = found(zone);
        object["first_run"] = zone.zone.first.into();
        object["last_run"] = zone.zone.last.into();
        object["started"] = time(run.started).into();
        object
    });
    let object = json!({
        "zone": apex.to_string(),
        "last_good": last_good,
        "runs": runs.collect::<Value>(),
    });
    format!("{}\n", text(&object))
}

fn run_object(run: &PastRun) -> Value {
    let (state, ended, exit_code, status) = match &run.state {
        State::Ended {
            at,
            exit_code,
            status,
        } => ("ended", Some(time(*at)), Some(exit_code), Some(status)),
        State::Running => ("running", None, None, None),
        State::Died => ("died", None, None, None),
    };
    json!({
        "run": run.id,
        "kind": run.kind,
        "undoes": run.undoes,
        "started": time(run.started),
        "state": state,
        "ended": ended,
        "exit_code": exit_code,
        "status": status,
        "causes": run.causes,
        "pid": run.pid,
        "user": run.user,
        "version": run.version,
        "policy": run.policy,
        "plugins": run.plugins,
        "zones": run.zones,
        "published": run.published,
        "changes": counts(run.changes),
        "left_out": run.left_out,
    })
}

fn counts(counts: ChangeCounts) -> Value {
    json!({
        "additions": counts.additions,
        "updates": counts.updates,
        "deletions": counts.deletions,
    })
}

fn found(found: &Found) -> Value {
    let Found { zone, changes } = found;
    let publishers = zone.outcomes.iter().map(|outcome| {
        json!({
            "publisher": outcome.publisher,
            "outcomes": outcome.each.as_ref().map(|each| {
                each.iter().map(|code| word(*code)).collect::<Vec<_>>()
            }),
            "reasons": outcome.reasons,
        })
    });
    json!({
        "zone": zone.apex.as_ref().map(ToString::to_string),
        "facts": zone.facts,
        "counts": counts(zone.changes),
        "changes": changes.iter().flatten().map(change).collect::<Value>(),
        "publishers": publishers.collect::<Value>(),
    })
}

fn change(change: Change<'_>) -> Value {
    let rrset = |rrset: Option<RrsetRef<'_>>| {
        rrset.map(|rrset| {
            let rtype = rrset.rtype();
            let rdata = rrset
                .rdatas()
                .map(|rdata| rdata_display(rtype, rdata).to_string());
            json!({ "ttl": rrset.ttl().as_secs(), "rdata": rdata.collect::<Vec<_>>() })
        })
    };
    let action = match change {
        Change::Addition(_) => "addition",
        Change::Deletion(_) => "deletion",
        Change::Update { .. } => "update",
    };
    json!({
        "action": action,
        "owner": change.owner().to_string(),
        "type": change.rtype().to_string(),
        "deletion": rrset(change.deletion()),
        "addition": rrset(change.addition()),
    })
}
