//! The command `undo`: the plan that takes back what a run did.

use janitor_plugin_api::abi::values::OutcomeCode;
use janitor_plugin_api::dns::Name;

use crate::args;
use crate::error::{Error, print_warnings};
use crate::history::find;
use crate::offer;
use crate::pipeline::Task;
use crate::problem::{Code, Problem, Problems};
use crate::record::reading::PastZone;
use crate::record::{Access, FILE, Record};
use crate::resolve::Purpose;
use crate::run::{Errand, Setting, show_plan};
use crate::stations::undo::Done;

/// Plans the way back from the run of the number `id`, shows it and returns the exit code.
///
/// # Errors
///
/// If there is no such run, or it changed nothing, and as for `plan`.
pub fn undo(setting: &Setting<'_>, id: u64, args: &args::Plan) -> Result<u8, Error> {
    let root = offer::state_root(Some(setting.config().core()));
    let zones = (|| {
        let Some(record) = Record::open(&root, Access::Read)? else {
            let problem = Problem::error(Code::UnknownToHistory, "there is no history yet");
            return Err(problem.place(root.join(FILE).display()));
        };
        find(&record, id)?;
        done(&record, id)
    })();
    let zones = zones.map_err(Problems::from)?;
    print_warnings(&[Problem::warning(
        Code::ComesBack,
        format!("the next run makes the changes of run {id} again"),
    )
    .because("what is desired still says so")
    .help("change what is desired first, or stop whatever starts runs")]);
    let errand = Errand {
        purpose: Purpose::Undo,
        task: Task::Undo(id, zones),
        left_out: Vec::new(),
    };
    show_plan(setting, errand, args)
}

/// What a run may have done to each zone.
fn done(record: &Record, id: u64) -> Result<Vec<(Name, Done)>, Problem> {
    let mut zones = Vec::new();
    for zone in record.zones_of(id)? {
        if zone.outcomes.is_empty() {
            continue;
        }
        let (Some(apex), Some(changes)) = (zone.apex.clone(), record.changes(&zone)?) else {
            continue;
        };
        let made = (0..changes.len()).map(|at| may_be_made(&zone, at));
        let made = made.collect();
        zones.push((apex, Done { changes, made }));
    }
    if zones.is_empty() {
        let summary = format!("there is nothing to undo: run {id} published nothing");
        return Err(Problem::error(Code::NothingToUndo, summary)
            .place(record.path().display())
            .help(format!("gordon-janitor history {id}")));
    }
    Ok(zones)
}

/// Whether any publisher may have made a change: those that refused it have not, of the others nobody
/// knows better than what is served.
fn may_be_made(zone: &PastZone, at: usize) -> bool {
    zone.outcomes.iter().any(|outcome| {
        let each = outcome.each.as_ref().and_then(|each| each.get(at));
        each != Some(&OutcomeCode::REFUSED)
    })
}
