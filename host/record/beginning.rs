//! How a run finds its history, or that it has to do without.

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::time::Duration;

use janitor_plugin_api::dns::Name;

use super::recorder::{Recorder, Start};
use super::turn::{Holder, NoTurn, Turn};
use super::{Access, FILE, Record, is_begun};
use crate::config::History;
use crate::error::Error;
use crate::problem::{Code, Problem, Problems};
use crate::resolve::Purpose;
use crate::stations::memory::ZoneMemory;

/// What a run has of the history.
#[derive(Default)]
pub struct Kept {
    /// What is remembered of each zone.
    pub memories: BTreeMap<Name, ZoneMemory>,
    /// Where the run is recorded; none if nothing is published, or there is no history.
    pub recorder: Option<Recorder>,
    /// The turn of a run that is not recorded.
    _turn: Option<Turn>,
}

/// Begins a run: waits for its turn, opens the history, and writes that the run begins.
///
/// A run that publishes nothing only looks, changes nothing, and does without what it cannot read.
/// One that publishes does without a history only where none can be made. Once there is one, it has
/// to be in order: limits compare with it.
///
/// What is a warning is told to `tell`.
///
/// # Errors
///
/// When another run does not end in time, or the history is there and cannot be used.
pub fn begin(
    state_root: &Path,
    settings: &History,
    purpose: Purpose,
    start: &Start<'_>,
    tell: &dyn Fn(&Problem),
) -> Result<Kept, Error> {
    if !purpose.publishes() {
        return Ok(look(state_root, settings, tell));
    }
    let turn = match take_turn(state_root, settings, tell) {
        Ok(turn) => turn,
        Err(NoTurn::Taken(holder)) => {
            return Err(Error::Refused(
                occupied(state_root, settings.wait, holder.as_ref()).into(),
            ));
        }
        Err(NoTurn::Impossible(error)) => {
            if settings.enabled {
                missing(state_root, &error, tell)?;
            }
            return Ok(Kept::default());
        }
    };
    if !settings.enabled {
        return Ok(Kept {
            _turn: Some(turn),
            ..Kept::default()
        });
    }
    // What one process makes and cannot fill is no history for the next.
    let is_new = !is_begun(&state_root.join(FILE)).unwrap_or(true);
    let (record, memories) = match open(state_root) {
        Ok(opened) => opened,
        Err(problem) if is_new => {
            tell(&problem.into_warning().note(WITHOUT));
            return Ok(Kept {
                _turn: Some(turn),
                ..Kept::default()
            });
        }
        Err(problem) => return Err(refused(problem)),
    };
    let path = record.path().to_owned();
    match Recorder::new(record, turn, settings.clone(), start) {
        Ok(recorder) => Ok(Kept {
            memories,
            recorder: Some(recorder),
            _turn: None,
        }),
        Err(fault) if is_new => {
            tell(&fault.problem(&path).into_warning().note(WITHOUT));
            Ok(Kept::default())
        }
        Err(fault) => Err(refused(fault.problem(&path))),
    }
}

type Opened = (Record, BTreeMap<Name, ZoneMemory>);

fn open(state_root: &Path) -> Result<Opened, Problem> {
    let record = Record::open(state_root, Access::Write)?;
    // Opened for writing there always is one.
    let record = record.ok_or_else(|| {
        let fault = io::Error::from(io::ErrorKind::NotFound);
        super::Fault::from(fault).problem(&state_root.join(FILE))
    })?;
    let memories = record.memories()?;
    Ok((record, memories))
}

/// What a run that publishes nothing has of the history.
fn look(state_root: &Path, settings: &History, tell: &dyn Fn(&Problem)) -> Kept {
    if !settings.enabled {
        return Kept::default();
    }
    let memories = match Record::open(state_root, Access::Read) {
        Ok(None) => Ok(BTreeMap::new()),
        Ok(Some(record)) => record.memories(),
        Err(problem) => Err(problem),
    };
    let memories = memories.unwrap_or_else(|problem| {
        tell(
            &problem
                .into_warning()
                .note("limits that compare with earlier runs have nothing to compare with here"),
        );
        BTreeMap::new()
    });
    Kept {
        memories,
        ..Kept::default()
    }
}

fn take_turn(
    state_root: &Path,
    settings: &History,
    tell: &dyn Fn(&Problem),
) -> Result<Turn, NoTurn> {
    make_directory(state_root).map_err(NoTurn::Impossible)?;
    Turn::take(state_root, settings.wait, &mut |holder| {
        tell(&waiting(state_root, settings.wait, holder));
    })
}

/// What is told by whoever waits.
fn waiting(state_root: &Path, wait: Duration, holder: Option<&Holder>) -> Problem {
    let who = holder.map_or_else(|| "another run".to_owned(), other_run);
    let patience = wait.as_secs_f64();
    let text = format!("{who} has the state directory; waiting for it, at most {patience} seconds");
    Problem::warning(Code::Occupied, text).place(state_root.display())
}

impl Turn {
    /// Takes the turn for something short, once the others are done. If somebody has to be waited for,
    /// `tell` is told once.
    ///
    /// # Errors
    ///
    /// When they do not end in time, or the file system does not let anybody have it.
    pub fn wait_for(
        state_root: &Path,
        wait: Duration,
        tell: &dyn Fn(Problem),
    ) -> Result<Self, Problem> {
        let told = &mut |holder: Option<&Holder>| tell(waiting(state_root, wait, holder));
        Self::take(state_root, wait, told).map_err(|error| match error {
            NoTurn::Taken(holder) => occupied(state_root, wait, holder.as_ref()),
            NoTurn::Impossible(error) => super::Fault::from(error).problem(&state_root.join(FILE)),
        })
    }
}

/// Makes the directory where its parent is there; whoever says another one means that.
fn make_directory(state_root: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o750).create(state_root) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            // A parent that cannot be written to may well hold it.
            if state_root.is_dir() {
                Ok(())
            } else {
                Err(error)
            }
        }
        _ => Ok(()),
    }
}

fn other_run(holder: &Holder) -> String {
    format!(
        "another run (process {}, since {:.0})",
        holder.pid, holder.since
    )
}

fn occupied(state_root: &Path, wait: Duration, holder: Option<&Holder>) -> Problem {
    let who = holder.map_or_else(|| "another run".to_owned(), other_run);
    let patience = wait.as_secs_f64();
    Problem::error(Code::Occupied, format!("{who} has the state directory"))
        .place(state_root.display())
        .found(format!(
            "it has not ended within core.history.wait = {patience} seconds"
        ))
        .because("two runs at once would publish from what the other one changes")
        .help("run again when it has ended; SIGUSR1 makes it tell what it is doing")
}

/// There can be no turn: no file can be made. That is tolerated as long as there is no history.
fn missing(state_root: &Path, error: &io::Error, tell: &dyn Fn(&Problem)) -> Result<(), Error> {
    let problem = Problem::error(Code::NoHistory, "cannot keep a history")
        .place(state_root.display())
        .found(error);
    let help = |problem: Problem| {
        problem
            .help("a directory that this user can write to: core.state_dir, or StateDirectory= of the service manager")
            .help("[core.history] enabled = false does without a history")
    };
    match is_begun(&state_root.join(FILE)) {
        Ok(true) => return Err(refused(help(problem))),
        // Nobody may look, so there may be one.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(refused(help(problem.because(
                "this user may not look whether there is one; another run may be going on",
            ))));
        }
        Ok(false) | Err(_) => {}
    }
    let problem = help(problem);
    tell(&problem.into_warning().note(WITHOUT));
    Ok(())
}

/// What a run without a history lacks.
const WITHOUT: &str = "this run is not recorded, nothing is remembered of earlier ones, and no other run is kept from running at once";

fn refused(problem: Problem) -> Error {
    Error::Refused(Problems::from(problem))
}
