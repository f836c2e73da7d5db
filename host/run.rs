//! The commands `run` and `plan`: from the configuration to the report.

use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use janitor_plugin_api::abi::entry::PluginEntryRef;
use janitor_plugin_api::abi::host::HostFunctionsRef;
use janitor_plugin_api::abi::values::ErrorCode;
use tokio_util::sync::CancellationToken;

use crate::args::Format;
use crate::config::{Config, Rendered};
use crate::crew::{NotCreated, Recruit};
use crate::discovery::Discovery;
use crate::error::{Error, print_causes, print_warnings};
use crate::library::{Library, OpenError};
use crate::log_bridge;
use crate::manifest::Role;
use crate::metrics::{MetricsLogger, Number, Value};
use crate::offer::Shared;
use crate::pipeline::{self, Orders, Outcome};
use crate::plan;
use crate::problem::{Code, Problem, Problems};
use crate::progress::Progress;
use crate::report::{Cancellation, exit};
use crate::resolve::{Deployment, Purpose, Resolved, resolve};
use crate::settings::{Wanted, distribute};
use crate::signal;

/// Where state is kept unless the service manager says otherwise.
const STATE_ROOT: &str = "/var/lib/gordon-janitor";

/// Runs once and returns the exit code.
///
/// # Errors
///
/// Whatever kept the run from starting. What happened in a run is in its report.
pub fn run(config: &Config, discovery: &Discovery, dry_run: bool) -> Result<u8, Error> {
    let purpose = if dry_run {
        Purpose::Show
    } else {
        Purpose::Publish
    };
    let outcome = carry_out(config, discovery, purpose)?;
    if dry_run {
        show(&outcome, Format::Text)?;
    }
    Ok(outcome.report.exit_code())
}

/// Plans once, shows the plan on standard output and returns the exit code.
///
/// # Errors
///
/// As for [`run`], and if standard output cannot be written to.
pub fn plan(
    config: &Config,
    discovery: &Discovery,
    format: Format,
    tell_pending: bool,
) -> Result<u8, Error> {
    let outcome = carry_out(config, discovery, Purpose::Show)?;
    show(&outcome, format)?;
    let code = outcome.report.exit_code();
    if code == exit::DONE && tell_pending && outcome.report.pending() > 0 {
        return Ok(exit::PENDING);
    }
    Ok(code)
}

fn show(outcome: &Outcome, format: Format) -> Result<(), Error> {
    let written = match format {
        Format::Text => {
            let mut out = io::BufWriter::new(anstream::stdout());
            plan::write_text(outcome, &mut out).and_then(|()| out.flush())
        }
        Format::Json => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            plan::write_json(outcome, &mut out).and_then(|()| out.flush())
        }
    };
    match written {
        // Whoever read the plan has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => {
            written.map_err(|e| Error::failed("cannot write the plan to standard output", e))
        }
    }
}

/// One run, whole: everything between the configuration and the report.
fn carry_out(config: &Config, discovery: &Discovery, purpose: Purpose) -> Result<Outcome, Error> {
    let metrics = MetricsLogger::new(config.core().metrics_logger.clone());
    let shared = Arc::new(share(config, metrics));
    signal::cancel_on_shutdown(Arc::clone(&shared))
        .map_err(|e| Error::failed("cannot listen for signals", e))?;
    let ended = start(config, discovery, purpose, &shared);
    let status = match &ended {
        Ok(outcome) => outcome.report.status(),
        Err(Error::NoPlugins { .. }) => {
            tracing::error!("No plugins to run, exiting.");
            "no-plugin-error"
        }
        Err(_) => "unexpected-error",
    };
    if let Ok(outcome) = &ended {
        if outcome.report.cancelled == Some(Cancellation::Signal) {
            tracing::error!("the run was cancelled by a signal");
        }
        outcome.report.log();
        // Whatever the log leaves out, the error that ends the program is told.
        if !tracing::enabled!(tracing::Level::ERROR) {
            print_causes(&outcome.report.causes());
        }
        if outcome.report.exit_code() != exit::FAILED {
            tracing::info!("Gordon-janitor run complete.");
        }
    }
    let context = [("status", Value::from(status))];
    shared.metrics.incr("run-ended", Number::from(1), &context);
    ended
}

fn share(config: &Config, metrics: MetricsLogger) -> Shared {
    let core = config.core();
    // A service manager may name several, one behind the other.
    let given = std::env::var_os("STATE_DIRECTORY").unwrap_or_default();
    let state_root = std::env::split_paths(&given).find(|path| path.is_absolute());
    Shared {
        stop: CancellationToken::new(),
        running: AtomicBool::new(false),
        cancelled: OnceLock::new(),
        grace: core.grace,
        deadline: core.deadline.map(|limit| Instant::now() + limit),
        config_root: config.root().to_owned(),
        state_root: state_root.unwrap_or_else(|| STATE_ROOT.into()),
        metrics,
        left_out: Mutex::default(),
    }
}

fn start(
    config: &Config,
    discovery: &Discovery,
    purpose: Purpose,
    shared: &Arc<Shared>,
) -> Result<Outcome, Error> {
    let core = config.core();
    let deployment = resolve(config, discovery, purpose)?;
    print_warnings(&deployment.warnings);
    let recruits = recruit(&deployment, discovery)?;
    announce(&recruits);
    let progress = Progress::default();
    let orders = Orders {
        recruits: &recruits,
        tolerant: core.debug,
        authority_missing: deployment.lacks_authority,
        capacity: core.channel_capacity,
        progress: &progress,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|e| Error::failed("cannot start the host's runtime", e))?;
    shared.running.store(true, Ordering::Release);
    let outcome = runtime.block_on(pipeline::run(&orders, shared));
    shared.running.store(false, Ordering::Release);
    judge_creation(&outcome, &deployment, &recruits)?;
    Ok(outcome)
}

/// The lines that the original logs when its plugins are there.
fn announce(recruits: &[Recruit]) {
    let keys = recruits
        .iter()
        .map(|recruit| format!("'{}'", recruit.key))
        .collect::<Vec<_>>()
        .join(", ");
    tracing::info!("Loaded {} plugins: [{keys}]", recruits.len());
    tracing::info!("Starting gordon janitor v{}...", env!("CARGO_PKG_VERSION"));
}

/// Opens the libraries and puts together what each plugin is created with.
fn recruit(deployment: &Deployment, discovery: &Discovery) -> Result<Vec<Recruit>, Error> {
    let functions = log_bridge::functions();
    let mut open: Vec<(PathBuf, Result<Library, ()>)> = Vec::new();
    let mut problems = Vec::new();
    let mut entries = Vec::new();
    for plugin in &deployment.plugins {
        let known = open.iter().position(|(path, _)| *path == plugin.library);
        let index = known.unwrap_or_else(|| {
            let library = open_library(plugin, functions, &mut problems);
            open.push((plugin.library.clone(), library));
            open.len() - 1
        });
        if let Ok(library) = open[index].1 {
            match entry_of(library, plugin) {
                Ok(entry) => entries.push((plugin, entry)),
                Err(problem) => problems.push(problem),
            }
        }
    }
    Problems::check(problems)?;

    let wanted = entries
        .iter()
        .map(|(plugin, entry)| Wanted {
            table: &plugin.table,
            known: settings_of(*entry),
        })
        .collect::<Vec<_>>();
    let installed = discovery.keys().collect::<Vec<_>>();
    let (given, problems) = distribute(&wanted, &installed);
    Problems::check(problems)?;
    Ok(entries
        .into_iter()
        .zip(given)
        .map(|((plugin, entry), config)| Recruit {
            key: plugin.key.as_str().into(),
            role: plugin.role,
            entry,
            config,
        })
        .collect())
}

fn open_library(
    plugin: &Resolved,
    functions: HostFunctionsRef,
    problems: &mut Vec<Problem>,
) -> Result<Library, ()> {
    let opened = Library::open(&plugin.library, functions)
        .map_err(|error| problems.push(cannot_open(&error)))?;
    // What runs now has to be the file that was judged.
    let now = std::fs::metadata(&plugin.library).map(|file| (file.dev(), file.ino()));
    if plugin
        .identity
        .is_some_and(|judged| !now.is_ok_and(|now| now == judged))
    {
        let name = plugin
            .library
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        problems.push(
            Problem::error(
                Code::CannotOpen,
                format!("{name} was replaced by another file while it was being opened"),
            )
            .place(plugin.library.display())
            .help("run again; the file that is there now is judged then"),
        );
        return Err(());
    }
    Ok(opened)
}

fn cannot_open(error: &OpenError) -> Problem {
    let name = error.path.file_name().unwrap_or_default().to_string_lossy();
    Problem::error(
        Code::CannotOpen,
        format!("{name} cannot be opened: {}", error.fault),
    )
    .place(error.path.display())
    .help("install a build of this plugin for this machine and this version of gordon-janitor")
}

/// The plugin in its open library. The manifest is only a claim; this is what the code says.
fn entry_of(library: Library, plugin: &Resolved) -> Result<PluginEntryRef, Problem> {
    let entries = library.entries();
    let found = entries
        .iter()
        .find(|entry| entry.key().as_str() == plugin.key);
    let fits = |entry: &&PluginEntryRef| {
        let create = entry.create();
        match plugin.role {
            Role::Authority => create.authority.is_some(),
            Role::Reconciler => create.reconciler.is_some(),
            Role::Publisher => create.publisher.is_some(),
            Role::MetricsRelay => false,
        }
    };
    found.filter(fits).copied().ok_or_else(|| {
        let name = plugin
            .library
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        Problem::error(
            Code::Manifest,
            format!(
                "{name} says that it holds the {} \"{}\", and does not",
                plugin.role, plugin.key
            ),
        )
        .place(plugin.library.display())
        .because("its manifest and its code are not of one build")
        .help("install the library anew")
    })
}

fn settings_of(entry: PluginEntryRef) -> Option<Vec<String>> {
    let names = entry.settings()().into_option()?;
    Some(names.into_iter().map(Into::into).collect())
}

/// Reports the plugins that could not be created: as an error, or as warnings where the others ran.
fn judge_creation(
    outcome: &Outcome,
    deployment: &Deployment,
    recruits: &[Recruit],
) -> Result<(), Error> {
    let tolerated = outcome.started;
    let mut problems = Vec::new();
    let mut configuration_only = true;
    for failed in &outcome.not_created {
        let recruit = &recruits[failed.index];
        let plugin = deployment
            .plugins
            .iter()
            .find(|plugin| *plugin.key == *failed.key);
        let Some(plugin) = plugin else { continue };
        let chain = failed
            .error
            .chain
            .iter()
            .map(|link| plugin.table.without_secrets(link))
            .collect::<Vec<_>>();
        if tolerated {
            tracing::warn!(
                reason = chain.join(": "),
                "Plugin was not loaded: {}",
                failed.key
            );
        } else {
            tracing::error!(
                reason = chain.join(": "),
                "Plugin was not loaded: {}",
                failed.key
            );
        }
        configuration_only &= failed.error.kind == ErrorCode::CONFIG;
        problems.push(not_created_problem(failed, plugin, &recruit.config, &chain));
    }
    if problems.is_empty() {
        return Ok(());
    }
    if tolerated {
        let warnings = problems
            .into_iter()
            .map(Problem::tolerated)
            .collect::<Vec<_>>();
        print_warnings(&warnings);
        return Ok(());
    }
    Problems::check(problems).map(drop).map_err(|problems| {
        if configuration_only {
            Error::Problems(problems)
        } else {
            Error::NotCreated(problems)
        }
    })
}

fn not_created_problem(
    failed: &NotCreated,
    plugin: &Resolved,
    given: &Rendered,
    chain: &[String],
) -> Problem {
    let library = plugin.library.display();
    let (first, rest) = chain
        .split_first()
        .map_or(("", &[][..]), |(first, rest)| (first, rest));
    let mut problem = match failed.error.kind {
        ErrorCode::CONFIG if failed.error.place.line > 0 => {
            let place = failed.error.place;
            let at = Some((place.line as usize, place.column as usize));
            let message = rest.first().map_or(first, String::as_str);
            return plugin.table.refused(given, message, at);
        }
        ErrorCode::CONFIG => Problem::error(
            Code::Refused,
            format!(
                "plugin \"{}\" does not accept its configuration: {first}",
                failed.key
            ),
        )
        .at(&plugin.table.origin, format!("[{}]", failed.key)),
        ErrorCode::PANIC => Problem::error(
            Code::Panicked,
            format!(
                "plugin \"{}\" panicked while being created: {first}",
                failed.key
            ),
        )
        .place(format!("{library} {}", plugin.manifest.version))
        .because("this is a fault in the plugin; gordon-janitor caught it and is intact")
        .help("report it to whoever made the plugin"),
        _ => Problem::error(
            Code::NotCreated,
            format!("plugin \"{}\" cannot be created: {first}", failed.key),
        )
        .place(format!("{library} {}", plugin.manifest.version)),
    };
    for link in rest {
        problem = problem.because(link);
    }
    match failed.error.hint.as_ref() {
        janitor_plugin_api::abi::abi_stable::std_types::ROption::RSome(hint) => problem.help(hint),
        janitor_plugin_api::abi::abi_stable::std_types::ROption::RNone => problem,
    }
}
