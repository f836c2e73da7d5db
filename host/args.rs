//! The command line.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};
use janitor_plugin_api::dns::{Name, Rtype};
use janitor_plugin_api::manifest::API_VERSION;

use crate::terminal::Form;

/// `0.1.0 (commit 0123456789ab, plugin API 1.0.0, x86_64-unknown-linux-gnu)`
static VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{} (commit {}, plugin API {API_VERSION}, {})",
        env!("CARGO_PKG_VERSION"),
        env!("GORDON_JANITOR_COMMIT"),
        env!("GORDON_JANITOR_TARGET"),
    )
});

/// What the program was asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Args {
    /// The directory of the configuration files, as given.
    pub config_root: PathBuf,
    /// The directory of the plugin libraries, if given.
    pub plugin_dir: Option<PathBuf>,
    /// How log lines and errors are written on standard error.
    pub log_format: Form,
    /// The command; `run` if none was given.
    pub command: Command,
    /// What the program and its tests say to it, and people do not.
    pub worker: WorkerOptions,
}

impl Args {
    /// Whether a run is to happen in this process, without a worker.
    #[must_use]
    pub fn in_process(&self) -> bool {
        match &self.command {
            Command::Run(run) => run.in_process,
            Command::Plan(plan) => plan.in_process,
            Command::Undo(undo) => undo.plan.in_process,
            Command::Apply(apply) => apply.in_process,
            Command::Why(why) => why.in_process,
            _ => true,
        }
    }

    /// Whether changes are to be published.
    #[must_use]
    pub fn publishes(&self) -> bool {
        match &self.command {
            Command::Run(run) => !run.dry_run,
            Command::Apply(_) => true,
            _ => false,
        }
    }
}

/// One command.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Compare every zone and publish the corrections (this is the default)
    Run(Run),
    /// Compare every zone and show the corrections, without publishing them
    Plan(Plan),
    /// Publish exactly the changes of a plan that was made with `plan --out`, or nothing
    Apply(Apply),
    /// Show the limits on changes and try them out, without running plugin code
    #[command(subcommand)]
    Guard(Guard),
    /// Say of one name who wants it, what is served, what is planned, and which rule decided
    Why(Why),
    /// Judge the whole deployment, without running plugin code: for ExecStartPre and packages
    Check(Check),
    /// Look at the plugin libraries, without running them; install and roll back
    #[command(subcommand)]
    Plugins(Plugins),
    /// Show the merged configuration, or exactly what one plugin receives
    Config(ConfigCommand),
    /// Plan the way back from what a past run did, without going it
    Undo(Undo),
    /// Show what past runs found and did, and what became of it
    History(History),
    /// Print completions for a shell
    Completions(Completions),
    /// Print the manual page, or write one for every command into a directory
    Man(Man),
}

/// `run`
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Run {
    /// Publish nothing; no publisher is started or needed
    #[arg(long)]
    pub dry_run: bool,
    /// Lift the limits of this zone for this run; may be given several times
    #[arg(long, value_name = "ZONE")]
    pub force: Vec<Name>,
    /// Run plugins in this process instead of a worker: for debuggers
    #[arg(long)]
    pub in_process: bool,
}

/// `plan`
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Plan {
    /// What is written
    #[command(flatten)]
    pub shown: Shown,
    /// Also write the plan to a file that `apply` takes
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Exit with 4 when changes are pending
    #[arg(long)]
    pub exit_code: bool,
    /// Plan as run would with its limits lifted for this zone; may be given several times
    #[arg(long, value_name = "ZONE")]
    pub force: Vec<Name>,
    /// Run plugins in this process instead of a worker: for debuggers
    #[arg(long)]
    pub in_process: bool,
}

/// `why NAME [TYPE]`
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Why {
    /// The name, with or without its final dot; it is never completed
    pub name: Name,
    /// The type; all that there is at the name if not given
    #[arg(value_name = "TYPE")]
    pub rtype: Option<Rtype>,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
    /// Run plugins in this process instead of a worker: for debuggers
    #[arg(long)]
    pub in_process: bool,
}

/// What of a plan is written, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Shown {
    /// How the plan is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Show what stays as it is, too: zones as desired, changes set aside with their rule, values that
    /// stay; and on a terminal, every change of a large zone
    #[arg(long)]
    pub all: bool,
    /// With --format markdown: write no more than this, and count what is missing. GitHub takes 65536
    #[arg(long, value_name = "CHARACTERS", value_parser = max_length)]
    pub max_length: Option<usize>,
}

/// The least room for what a plan comes to, and for what is missing of it.
const LEAST_LENGTH: usize = 1000;

fn max_length(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(length) if length >= LEAST_LENGTH => Ok(length),
        _ => Err(format!("expected a number of {LEAST_LENGTH} or more")),
    }
}

/// How a plan is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, coloured on a terminal
    #[default]
    Text,
    /// For merge requests and chat, a collapsible table per zone
    Markdown,
    /// One page for browsers, complete in itself
    Html,
    /// One JSON object per zone, each on a line
    Json,
}

/// `apply`
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Apply {
    /// The plan, as `plan --out` has written it
    pub file: PathBuf,
    /// Run plugins in this process instead of a worker: for debuggers
    #[arg(long)]
    pub in_process: bool,
}

/// `guard …`
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Guard {
    /// Print the limits of every zone, or of one, and where each comes from
    Explain(GuardZone),
    /// Send synthetic accidents through the limits and tell which limit catches them
    Test(GuardZone),
}

/// `guard explain`, `guard test`
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct GuardZone {
    /// A zone, known or not
    pub zone: Option<Name>,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// `check`
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Check {
    /// Judge for the user that the service runs as, by name or number
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
}

/// `plugins …`
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Plugins {
    /// List the plugins of every library in the plugin directory
    List(List),
    /// Show all that a library says of one plugin: what it does, and its settings
    Show(Show),
    /// Print a table for one plugin, to be completed and added to the configuration
    Sample {
        /// The plugin
        key: String,
    },
    /// Print a JSON Schema of the configuration, for editors
    Schema,
    /// Judge library files anywhere, and show what they say of themselves
    Check {
        /// The files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Put a library into the plugin directory, or replace one there, without a moment in between
    Install(Install),
    /// Go back to the library that had the place of the present one before
    Rollback {
        /// A plugin in the library
        key: String,
    },
}

/// `plugins show`
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Show {
    /// The plugin
    pub key: String,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// `plugins list`
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct List {
    /// Show the sha256 of each file
    #[arg(long)]
    pub sha256: bool,
    /// Write one JSON document with every file
    #[arg(long)]
    pub json: bool,
}

/// `plugins install`
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Install {
    /// The library
    pub file: PathBuf,
    /// The name of the file in the plugin directory, if not its own
    #[arg(long = "as", value_name = "NAME")]
    pub name: Option<String>,
}

/// `config`
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct ConfigCommand {
    /// A plugin: show what it receives
    pub key: Option<String>,
    /// Write JSON instead of TOML
    #[arg(long)]
    pub json: bool,
}

/// `undo`
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Undo {
    /// The number of the run; `history` has them
    pub run: u64,
    /// How the plan is made and shown
    #[command(flatten)]
    pub plan: Plan,
}

/// `history`
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct History {
    /// A zone, or the number of a run; without it the latest runs
    #[arg(value_name = "ZONE|RUN")]
    pub what: Option<String>,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
    /// How many runs are shown at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// What else can be done with it
    #[command(subcommand)]
    pub command: Option<HistoryCommand>,
}

/// `history …`
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum HistoryCommand {
    /// Forget how large a zone was when all was well: it is gone for good, or it has to shrink
    Forget {
        /// The zone
        zone: String,
    },
}

/// `completions SHELL`
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `man`
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Man {
    /// Write `gordon-janitor.8` and a page for every command here
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Keeps DNS true: compares sources of truth with the records that are served
/// and publishes the corrections.
#[derive(Debug, Parser)]
#[command(name = "gordon-janitor", version = VERSION.as_str(), subcommand_negates_reqs = true)]
#[command(
    after_help = "Exit codes: 0 done; 1 failed; 2 usage or configuration, nothing ran; \
    3 done, but something was left out; 4 changes are pending (plan --exit-code). A plan that \
    cannot be applied is 1, and nothing of it is published."
)]
struct CommandLine {
    /// Directory of gordon-janitor.toml and gordon-janitor-user.toml
    #[arg(short, long, global = true, value_name = "DIR", default_value = ".")]
    #[arg(value_parser = OsStringValueParser::new().try_map(existing))]
    config_root: PathBuf,

    /// Directory of the plugin libraries [default: GORDON_JANITOR_PLUGIN_DIR, else core.plugin_dir,
    /// else the cargo target directory of this program, else /usr/lib/gordon-janitor]
    #[arg(long, global = true, value_name = "DIR")]
    plugin_dir: Option<PathBuf>,

    /// How log lines and errors are written on standard error: as text for people, or as one JSON
    /// object on each line
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = Form::Text)]
    #[arg(env = "GORDON_JANITOR_LOG_FORMAT")]
    log_format: Form,

    #[command(flatten)]
    run: Run,

    #[command(flatten)]
    worker: WorkerOptions,

    #[command(subcommand)]
    command: Option<Command>,
}

/// What no person says on a command line.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct WorkerOptions {
    /// This process is the worker of that one
    #[arg(long, hide = true, value_name = "PID")]
    pub worker_of: Option<i32>,

    /// How long opening one library may take
    #[arg(long, hide = true, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub opening_limit: Duration,

    /// How long nothing may move before it is told
    #[arg(long, hide = true, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub stall_limit: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse::<f64>().map_err(|error| error.to_string())?;
    Duration::try_from_secs_f64(number).map_err(|error| error.to_string())
}

/// The path, if there is anything at it, and plugins can be told of it.
fn existing(path: OsString) -> Result<PathBuf, RootError> {
    fs::metadata(&path)?;
    match std::path::absolute(&path)?.to_str() {
        Some(_) => Ok(path.into()),
        None => Err(RootError::NotUtf8),
    }
}

/// Why a path cannot be the configuration root.
#[derive(Debug, thiserror::Error)]
enum RootError {
    #[error(transparent)]
    Absent(#[from] io::Error),
    #[error("its name is not UTF-8, and plugins are told of it as text")]
    NotUtf8,
}

/// The command line as it is declared: what completions and manual pages are made from.
#[must_use]
pub fn declared() -> clap::Command {
    CommandLine::command()
}

/// Reads the command line of this process.
///
/// Prints help, version or what is wrong with the command line, and then ends
/// the process: with 2 if something is wrong.
#[must_use]
pub fn parse() -> Args {
    parse_from(std::env::args_os()).unwrap_or_else(|error| error.exit())
}

fn parse_from<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Result<Args, clap::Error> {
    let args = args.into_iter().map(|arg| arg.as_ref().to_os_string());
    let line = CommandLine::try_parse_from(args)?;
    let forced = |force: Vec<Name>| [line.run.force.clone(), force].concat();
    let command = match line.command {
        None => Command::Run(line.run),
        Some(Command::Run(run)) => Command::Run(Run {
            dry_run: run.dry_run || line.run.dry_run,
            in_process: run.in_process || line.run.in_process,
            force: forced(run.force),
        }),
        Some(_) if line.run.dry_run => {
            let message = "--dry-run belongs to the command run; plan shows what it would do";
            return Err(CommandLine::command().error(ErrorKind::ArgumentConflict, message));
        }
        Some(Command::Plan(plan))
            if plan.shown.max_length.is_some() && plan.shown.format != Format::Markdown =>
        {
            let message = "--max-length belongs to --format markdown";
            return Err(CommandLine::command().error(ErrorKind::ArgumentConflict, message));
        }
        Some(Command::Plan(plan)) => Command::Plan(Plan {
            in_process: plan.in_process || line.run.in_process,
            force: forced(plan.force),
            ..plan
        }),
        Some(Command::Undo(undo)) => Command::Undo(Undo {
            plan: Plan {
                in_process: undo.plan.in_process || line.run.in_process,
                force: forced(undo.plan.force),
                ..undo.plan
            },
            ..undo
        }),
        Some(Command::Apply(apply)) => Command::Apply(Apply {
            in_process: apply.in_process || line.run.in_process,
            ..apply
        }),
        Some(_) if !line.run.force.is_empty() => {
            let message =
                "--force belongs to the commands run, plan and undo; no other has limits to lift";
            return Err(CommandLine::command().error(ErrorKind::ArgumentConflict, message));
        }
        Some(Command::Why(why)) => Command::Why(Why {
            in_process: why.in_process || line.run.in_process,
            ..why
        }),
        Some(_) if line.run.in_process => {
            let message = "--in-process belongs to the commands run, plan, apply, undo and why; no other runs plugins";
            return Err(CommandLine::command().error(ErrorKind::ArgumentConflict, message));
        }
        Some(command) => command,
    };
    Ok(Args {
        config_root: line.config_root,
        plugin_dir: line.plugin_dir,
        log_format: line.log_format,
        command,
        worker: line.worker,
    })
}

#[cfg(test)]
mod tests;
