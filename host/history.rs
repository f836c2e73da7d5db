//! The command `history`: what past runs did, and why.

mod json;
mod text;

use std::fmt::Write as _;
use std::path::Path;

use janitor_plugin_api::dns::Name;

use crate::args::{History, HistoryCommand};
use crate::config::{Config, nearest};
use crate::error::{Error, print_warnings};
use crate::offer;
use crate::problem::{Code, Problem, Problems};
use crate::record::reading::{PastRun, PastZone};
use crate::record::{Access, FILE, Record, Turn};
use crate::stations::memory::ZoneMemory;

/// What somebody asks about.
enum Subject {
    Run(u64),
    Zone(Name),
}

/// A run, with what it found.
struct Told {
    run: PastRun,
    zones: Vec<Found>,
}

/// A zone in a run, and what was to be done about it.
struct Found {
    zone: PastZone,
    changes: Option<janitor_plugin_api::dns::Changes>,
}

/// Returns what `gordon-janitor history` prints.
///
/// # Errors
///
/// When there is no such run or zone, or the history cannot be read.
pub fn history(config: Option<&Config>, what: &History) -> Result<String, Error> {
    let root = offer::state_root(config.map(Config::core));
    if let Some(HistoryCommand::Forget { zone }) = &what.command {
        return forget(&root, config, &zone_named(zone)?);
    }
    let subject = what.what.as_deref().map(subject).transpose()?;
    let Some(record) = Record::open(&root, Access::Read).map_err(Problems::from)? else {
        let path = root.join(FILE);
        return match subject {
            None if what.json => Ok(String::new()),
            None => Ok(format!("no run is recorded in {}\n", path.display())),
            Some(_) => {
                let problem = Problem::error(Code::UnknownToHistory, "there is no history yet");
                Err(Problems::from(problem.place(path.display())).into())
            }
        };
    };
    match subject {
        None => {
            let runs = record.runs(what.limit).map_err(Problems::from)?;
            Ok(if what.json {
                runs.iter().map(json::run_line).collect()
            } else {
                text::runs(&runs)
            })
        }
        Some(Subject::Run(id)) => {
            let told = run(&record, id).map_err(Problems::from)?;
            Ok(if what.json {
                json::run(&told)
            } else {
                text::run(&told)
            })
        }
        Some(Subject::Zone(apex)) => {
            let (found, memory) = zone(&record, &apex, what.limit).map_err(Problems::from)?;
            Ok(if what.json {
                json::zone(&apex, &found, &memory)
            } else {
                text::zone(&apex, &found, &memory)
            })
        }
    }
}

fn subject(text: &str) -> Result<Subject, Error> {
    match text.parse() {
        Ok(run) => Ok(Subject::Run(run)),
        Err(_) => zone_named(text).map(Subject::Zone),
    }
}

fn zone_named(text: &str) -> Result<Name, Error> {
    text.parse().map_err(|error| {
        let summary = format!("`{text}` is neither the number of a run nor a zone");
        let problem = Problem::error(Code::UnknownToHistory, summary).found(error);
        Problems::from(problem).into()
    })
}

fn run(record: &Record, id: u64) -> Result<Told, Problem> {
    let run = find(record, id)?;
    let zones = record.zones_of(id)?;
    let zones = zones.into_iter().map(|zone| found(record, zone));
    Ok(Told {
        run,
        zones: zones.collect::<Result<_, _>>()?,
    })
}

/// The run of this number.
///
/// # Errors
///
/// When there is none; then the nearest are named.
pub fn find(record: &Record, id: u64) -> Result<PastRun, Problem> {
    if let Some(run) = record.run(id)? {
        return Ok(run);
    }
    let problem = Problem::error(Code::UnknownToHistory, format!("there is no run {id}"))
        .place(record.path().display());
    Err(match record.bounds()? {
        None => problem.found("no run is recorded"),
        Some((first, last)) if first == last => problem.found(format!("only run {first}")),
        Some((first, last)) => {
            let near = id.clamp(first, last);
            problem
                .found(format!("runs {first} to {last}"))
                .help(format!("gordon-janitor history {near}"))
        }
    })
}

fn found(record: &Record, zone: PastZone) -> Result<Found, Problem> {
    let changes = record.changes(&zone)?;
    Ok(Found { zone, changes })
}

fn zone(
    record: &Record,
    apex: &Name,
    limit: usize,
) -> Result<(Vec<(PastRun, Found)>, ZoneMemory), Problem> {
    let memory = record.memories()?.remove(apex);
    let mut told = Vec::new();
    for zone in record.history_of(apex, limit)? {
        // Pruning takes runs out one by one; a row may reach back further.
        if let Some(run) = record.run(zone.last)? {
            told.push((run, found(record, zone)?));
        }
    }
    if told.is_empty() && memory.is_none() {
        return Err(unknown_zone(record, apex, "history")?);
    }
    Ok((told, memory.unwrap_or_default()))
}

/// Why nothing can be told of `apex`, with the zone that was probably meant for `command`.
fn unknown_zone(record: &Record, apex: &Name, command: &str) -> Result<Problem, Problem> {
    let known = record.known_zones()?;
    let name = apex.to_string();
    if known.contains(&name) {
        let summary = format!("there is nothing to forget of {apex}");
        return Ok(Problem::error(Code::UnknownToHistory, summary)
            .place(record.path().display())
            .found("it was never good, or that is forgotten; past runs stay")
            .help(format!("gordon-janitor history {apex}")));
    }
    let summary = format!("the history knows nothing of {apex}");
    let problem = Problem::error(Code::UnknownToHistory, summary).place(record.path().display());
    Ok(match nearest(&name, known.iter().map(String::as_str)) {
        Some(near) => problem.help(format!("gordon-janitor {command} {near}")),
        None => problem,
    })
}

/// Forgets what is remembered of a zone.
fn forget(root: &Path, config: Option<&Config>, zone: &Name) -> Result<String, Error> {
    let wait = config.map(|config| config.core().history.wait);
    let forgotten = (|| {
        if Record::open(root, Access::Read)?.is_none() {
            let problem = Problem::error(Code::UnknownToHistory, "there is no history yet");
            return Err(problem.place(root.join(FILE).display()));
        }
        // A run that goes on remembers the zone when it ends.
        let wait = wait.unwrap_or_default();
        let _turn = Turn::wait_for(root, wait, &|waiting| print_warnings(&[waiting]))?;
        let Some(mut record) = Record::open(root, Access::Write)? else {
            return Ok(());
        };
        if record.forget(zone)? {
            return Ok(());
        }
        Err(unknown_zone(&record, zone, "history forget")?)
    })();
    forgotten.map_err(Problems::from)?;
    let mut out = String::new();
    writeln!(
        out,
        "forgot {zone}: the next run takes what it finds for good; past runs stay"
    )
    .unwrap_or_default();
    Ok(out)
}
