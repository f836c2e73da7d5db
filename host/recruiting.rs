//! From the plugins that can run to all that their creation needs, and what is wrong when it fails.

mod losses;

use std::sync::Arc;

use janitor_plugin_api::abi::abi_stable::std_types::ROption;
use janitor_plugin_api::abi::entry::PluginEntryRef;
use janitor_plugin_api::abi::host::HostFunctionsRef;
use janitor_plugin_api::abi::values::ErrorCode;

use self::losses::{Losses, tolerated};
use crate::activity::Provenance;
use crate::config::{Config, Rendered};
use crate::crew::{NotCreated, Recruit};
use crate::discovery::Discovery;
use crate::error::{Error, print_warnings};
use crate::library::{Fault, Library, OpenError};
use crate::log_bridge;
use crate::manifest::Role;
use crate::metrics::Relay;
use crate::offer::Shared;
use crate::pipeline::Outcome;
use crate::problem::{Code, Problem, Problems};
use crate::resolve::{Deployment, Resolved};
use crate::secrets;
use crate::worker::Doing;

/// Opens the libraries and puts together what each plugin is created with.
///
/// With `core.debug = true` a plugin that turns out to be of no use here is passed over with a warning,
/// and taken out of `deployment`.
///
/// # Errors
///
/// Libraries that cannot be used.
pub(crate) fn recruit(
    config: &Config,
    deployment: &mut Deployment,
    discovery: &Discovery,
    shared: &Shared,
) -> Result<Vec<Recruit>, Error> {
    // Before any code of a plugin runs: what it says from then on is searched for them.
    for plugin in &deployment.plugins {
        secrets::protect(&plugin.key, plugin.table.secrets());
    }
    let functions = log_bridge::functions();
    let mut open: Vec<Opened> = Vec::new();
    let mut losses = Losses::new(config.core().debug);
    let mut entries = Vec::new();
    for plugin in &deployment.plugins {
        let is_its = |opened: &Opened| opened.provenance.library == plugin.library;
        let index = open.iter().position(is_its).unwrap_or_else(|| {
            let (library, provenance) = open_watched(plugin, deployment, functions, shared);
            let library = library
                .map_err(|problem| losses.library(&plugin.library, deployment, problem))
                .ok();
            open.push(Opened {
                library,
                provenance,
            });
            open.len() - 1
        });
        let Opened {
            library: Some(library),
            provenance,
        } = &open[index]
        else {
            continue;
        };
        match entry_of(*library, plugin) {
            Ok(entry) => entries.push((plugin, entry, provenance.clone())),
            Err(problem) => losses.plugin(plugin, problem),
        }
    }
    losses.tolerable()?;

    let recruits = entries
        .into_iter()
        .map(|(plugin, entry, provenance)| Recruit {
            key: plugin.key.as_str().into(),
            role: plugin.role,
            entry,
            config: plugin.table.given(),
            provenance,
        })
        .collect();
    deployment.pass_over(|plugin| losses.keys.contains(&plugin.key));
    print_warnings(&losses.judge(config, deployment, discovery)?);
    Ok(recruits)
}

/// A library that was opened; none if it could not be.
struct Opened {
    library: Option<Library>,
    provenance: Provenance,
}

/// Opens the library of `plugin` while the parent process watches, and looks at what that has changed.
fn open_watched(
    plugin: &Resolved,
    deployment: &Deployment,
    functions: HostFunctionsRef,
    shared: &Shared,
) -> (Result<Library, Problem>, Provenance) {
    let provenance = Provenance {
        library: plugin.library.clone(),
        version: plugin.manifest.version.clone(),
        identity: plugin.identity.map(|judged| judged.to_string()),
    };
    let of_library = deployment
        .plugins
        .iter()
        .filter(|other| other.library == plugin.library);
    let keys = of_library.map(|plugin| &*plugin.key).collect::<Vec<_>>();
    tracing::debug!(library = %plugin.library.display(), "opening library");
    let opening = shared.breadcrumbs.begin(|| {
        let keys = keys.iter().map(ToString::to_string).collect();
        provenance.operation(Doing::Opening, keys)
    });
    let library = open_library(plugin, functions, shared);
    drop(opening);
    shared.look_at_the_process(&keys, "being opened");
    (library, provenance)
}

fn open_library(
    plugin: &Resolved,
    functions: HostFunctionsRef,
    shared: &Shared,
) -> Result<Library, Problem> {
    // What is written over it from now on is seen.
    if let Some(judged) = plugin.identity {
        shared.loaded.add(&plugin.library, judged);
    }
    Library::open(&plugin.library, plugin.identity, functions)
        .map_err(|error| cannot_open(&error, plugin.manifest.api))
}

fn cannot_open(error: &OpenError, api: impl std::fmt::Display) -> Problem {
    let name = error.path.file_name().unwrap_or_default().to_string_lossy();
    let place = error.path.display();
    let fault = &error.fault;
    match fault {
        Fault::Layout(difference) => Problem::error(
            Code::ApiVersion,
            format!(
                "{name} declares plugin API {api}, but its types differ from this host's {difference}"
            ),
        )
        .place(place)
        .because("the SDK that it was built with was changed without getting another version")
        .help("install a build of this plugin made with a released SDK"),
        Fault::Gone(_) => Problem::error(
            Code::Unreadable,
            format!("{name} was judged, and {fault}"),
        )
        .place(place)
        .help("run again; what is there now is judged then"),
        Fault::Replaced => Problem::error(
            Code::Replaced,
            format!("{name} was replaced by another file while it was being opened"),
        )
        .place(place)
        .because("the file that was judged is not the one that was loaded")
        .help("run again; the file that is there now is judged then"),
        Fault::WrittenOver { before, now } => Problem::error(
            Code::WrittenOver,
            format!("{name} was written over while it was being opened: same file, {before} -> {now} octets"),
        )
        .place(place)
        .because("a file that is written to while it is loaded changes under running code")
        .help("put another file in its place, as gordon-janitor plugins install does")
        .help("run again; the file that is there now is judged then"),
        _ => Problem::error(
            Code::CannotOpen,
            format!("{name} cannot be opened: {fault}"),
        )
        .place(place)
        .help("install a build of this plugin for this machine and this version of gordon-janitor"),
    }
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
            Role::MetricsRelay => create.metrics_relay.is_some(),
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

/// Creates the metrics relay if it is a plugin, which takes it out of `recruits`. None if it cannot be
/// created and that is tolerated, or the run is cancelled meanwhile.
///
/// # Errors
///
/// That it could not be created.
pub(crate) fn employ_relay(
    deployment: &Deployment,
    recruits: &mut Vec<Recruit>,
    tolerant: bool,
    shared: &Shared,
) -> Result<Option<Relay>, Error> {
    let Some(index) = recruits.iter().position(|r| r.role == Role::MetricsRelay) else {
        return Ok(None);
    };
    let recruit = recruits.remove(index);
    let error = match Relay::employ(&recruit, shared) {
        Ok(relay) => return Ok(Some(relay)),
        // How the run ends from here on is the same with and without a relay.
        Err(_) if shared.is_cancelled() => return Ok(None),
        Err(error) => error,
    };
    let failed = NotCreated {
        key: Arc::clone(&recruit.key),
        role: recruit.role,
        index,
        error,
    };
    let problems = Problems::check(problems(&[(&failed, &recruit)], deployment, tolerant));
    print_warnings(&problems.map_err(|problems| refusal(problems, &[&failed]))?);
    tracing::warn!(plugin = %recruit.key, "measurements go to the log instead");
    Ok(None)
}

/// Warns of the plugins that could not be created and are gone on without.
pub(crate) fn warn_of_not_created(
    failed: &[NotCreated],
    deployment: &Deployment,
    recruits: &[Recruit],
) {
    let failed = with_recruits(failed, recruits);
    print_warnings(&problems(&failed, deployment, true));
}

/// Judges the plugins that could not be created where the others did not run either.
///
/// # Errors
///
/// The plugins that could not be created, unless the others ran.
pub(crate) fn judge_creation(
    outcome: &Outcome,
    deployment: &Deployment,
    recruits: &[Recruit],
) -> Result<(), Error> {
    if outcome.started {
        return Ok(());
    }
    let failed = &outcome.not_created;
    let problems = problems(&with_recruits(failed, recruits), deployment, false);
    let judged = Problems::check(problems);
    let refused = failed.iter().collect::<Vec<_>>();
    judged
        .map(drop)
        .map_err(|problems| refusal(problems, &refused))
}

fn with_recruits<'a>(
    failed: &'a [NotCreated],
    recruits: &'a [Recruit],
) -> Vec<(&'a NotCreated, &'a Recruit)> {
    let failed = failed.iter();
    failed
        .map(|failed| (failed, &recruits[failed.index]))
        .collect()
}

/// Nothing has run, and whether that is for the configuration alone.
fn refusal(problems: Problems, failed: &[&NotCreated]) -> Error {
    let is_configuration = |failed: &&NotCreated| failed.error.kind == ErrorCode::CONFIG;
    if failed.iter().all(is_configuration) {
        Error::Problems(problems)
    } else {
        Error::NotCreated(problems)
    }
}

/// What to tell of plugins that could not be created; the log hears of it here.
fn problems(
    failed: &[(&NotCreated, &Recruit)],
    deployment: &Deployment,
    tolerated: bool,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (failed, recruit) in failed {
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
        let problem = not_created_problem(failed, plugin, &recruit.config, &chain);
        problems.push(if tolerated {
            self::tolerated(problem, &[plugin])
        } else {
            problem
        });
    }
    problems
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
        ROption::RSome(hint) => problem.help(secrets::covered(&failed.key, hint.as_str())),
        ROption::RNone => problem,
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn text(fault: Fault) -> String {
        let path = "/usr/lib/gordon-janitor/libx.so".into();
        cannot_open(&OpenError { path, fault }, "1.0.0").to_string()
    }

    #[test]
    fn a_library_that_changes_while_it_is_opened_is_told_apart() {
        assert_snapshot!(text(Fault::WrittenOver { before: 10, now: 12 }), @"
        error[GJ303]: libx.so was written over while it was being opened: same file, 10 -> 12 octets
          where: /usr/lib/gordon-janitor/libx.so
          because: a file that is written to while it is loaded changes under running code
          help: put another file in its place, as gordon-janitor plugins install does
          help: run again; the file that is there now is judged then
        ");
        assert_snapshot!(text(Fault::Replaced), @"
        error[GJ304]: libx.so was replaced by another file while it was being opened
          where: /usr/lib/gordon-janitor/libx.so
          because: the file that was judged is not the one that was loaded
          help: run again; the file that is there now is judged then
        ");
    }
}
