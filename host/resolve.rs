//! From the listed keys to the plugins that run, or everything that is in the way.

mod roles;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use self::roles::crowded_role;
pub(crate) use self::roles::missing_roles;

use crate::config::{Config, InstalledKeys, Listed, PluginTable, nearest};
use crate::discovery::{Discovered, Discovery};
use crate::error::Error;
use crate::manifest::{Manifest, Role};
use crate::problem::{Code, Problem, Problems};

/// What the plugins are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Changes are published.
    Publish,
    /// Changes are shown: `plan` and `--dry-run`. Publishers are neither needed nor kept.
    Show,
}

impl Purpose {
    /// The roles that it takes.
    fn roles(self) -> &'static [Role] {
        match self {
            Self::Publish => &[Role::Authority, Role::Reconciler, Role::Publisher],
            Self::Show => &[Role::Authority, Role::Reconciler],
        }
    }
}

/// A plugin that can be started.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Its key.
    pub key: String,
    /// Its place in the run.
    pub role: Role,
    /// The library's file: absolute, links resolved.
    pub library: PathBuf,
    /// Device and inode of the file that was judged.
    pub identity: Option<(u64, u64)>,
    /// What the library says of itself.
    pub manifest: Manifest,
    /// What it receives.
    pub table: PluginTable,
}

/// The plugins of a run.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// In the order of a run, and within one role as listed. Exactly one is a
    /// reconciler, at least one an authority.
    pub plugins: Vec<Resolved>,
    /// Keys of the plugins that are listed and passed over.
    pub passed_over: Vec<String>,
    /// Whether a plugin was passed over that is, or may have been, an authority.
    /// What it would have said is unknown, so nothing may be deleted.
    pub lacks_authority: bool,
    /// What should be mended.
    pub warnings: Vec<Problem>,
}

impl Deployment {
    /// Goes on without the plugins `keys`, which turned out to be of no use.
    pub(crate) fn pass_over(&mut self, keys: &BTreeSet<String>) {
        let lost = self
            .plugins
            .extract_if(.., |plugin| keys.contains(&plugin.key));
        for plugin in lost {
            self.lacks_authority |= plugin.role == Role::Authority;
            self.passed_over.push(plugin.key);
        }
    }
}

/// Finds the plugins that `config` lists among those of `discovery`.
///
/// With `core.debug = true` a plugin that cannot be used is passed over with a
/// warning, and without a publisher the changes are only shown. An authority and
/// a reconciler are needed in any case.
///
/// # Errors
///
/// [`Error::NoPlugins`] when nothing is listed, or nothing is left;
/// [`Error::Problems`] with all that is wrong, that of the configuration included.
pub fn resolve(
    config: &Config,
    discovery: &Discovery,
    purpose: Purpose,
) -> Result<Deployment, Error> {
    let core = config.core();
    let mut problems = config.problems().to_vec();
    let mut plugins = Vec::new();
    let mut lacks_authority = false;
    let mut passed_over = Vec::new();
    let installed = installed(config, discovery);
    let listed = unique(&core.plugins, &mut problems);
    match discovery.fault() {
        Some(fault) if !listed.is_empty() => problems.push(fault.clone()),
        // Nothing is looked for, so that nothing is missing.
        _ if listed.is_empty() => {}
        _ => {
            for entry in &listed {
                match find(config, discovery, &installed, entry, purpose) {
                    Ok(found) => plugins.push(found),
                    Err(problem) if core.debug => {
                        let missing = missing_authority(discovery, &entry.key);
                        lacks_authority |= missing.is_some();
                        passed_over.push(entry.key.clone());
                        let problem = problem.tolerated();
                        problems.push(missing.into_iter().fold(problem, Problem::note));
                    }
                    Err(problem) => problems.push(problem),
                }
            }
            let known = discovery
                .keys()
                .chain(listed.iter().map(|entry| entry.key.as_str()));
            core.check_plugin_settings(known, &mut problems);
            // One that could not be found may be the one that is missing.
            if plugins.len() == listed.len() || (core.debug && !plugins.is_empty()) {
                let given = plugins.iter().map(|found| (found.role(), found.key()));
                let given = given.collect::<Vec<_>>();
                let needed = purpose.roles();
                problems.extend(missing_roles(config, discovery, &given, needed));
                problems.extend(crowded_role(config, &given));
            }
        }
    }
    let warnings = Problems::check(problems)?;
    if plugins.is_empty() {
        return Err(Error::NoPlugins { warnings });
    }
    let mut plugins: Vec<_> = plugins.into_iter().filter_map(Found::needed).collect();
    plugins.sort_by_key(|plugin| plugin.role);
    Ok(Deployment {
        plugins,
        passed_over,
        lacks_authority,
        warnings,
    })
}

/// What to say of the plugin `key`, which is passed over, if it is an authority or nobody can tell.
fn missing_authority(discovery: &Discovery, key: &str) -> Option<&'static str> {
    let manifests = discovery.files().iter().filter_map(Discovered::manifest);
    let roles = manifests
        .flat_map(|manifest| &manifest.plugins)
        .filter(|plugin| plugin.key == key)
        .map(|plugin| plugin.role)
        .collect::<Vec<_>>();
    if roles.is_empty() {
        Some("nothing is deleted in this run: it may be an authority")
    } else {
        roles
            .contains(&Role::Authority)
            .then_some(MISSING_AUTHORITY)
    }
}

/// What a run without a listed authority means.
pub(crate) const MISSING_AUTHORITY: &str = "nothing is deleted in this run: it is an authority";

/// What `gordon-janitor config KEY` shows: what the plugin `key` receives.
///
/// # Errors
///
/// When there is no table for it.
pub fn plugin_table(
    config: &Config,
    discovery: &Discovery,
    key: &str,
) -> Result<PluginTable, Error> {
    match config.plugin(key, &installed(config, discovery)) {
        Ok(Some(table)) => Ok(table),
        Ok(None) => {
            let problem = Problem::error(
                Code::MissingTable,
                format!("no configuration was found for plugin \"{key}\""),
            )
            .place(format!("{}; no table [{key}]", config.root().display()));
            let listed = config.core().plugins.iter().map(|entry| entry.key.as_str());
            let near = nearest(key, discovery.keys().chain(listed));
            let problem = match near
                .map(str::to_owned)
                .or_else(|| Some(config.similar_table(key)?.0))
            {
                Some(near) => problem.help(format!("gordon-janitor config {near}")),
                None => problem.help("gordon-janitor config shows everything that is configured"),
            };
            Err(Problems::from(problem).into())
        }
        Err(problem) => Err(Problems::from(problem).into()),
    }
}

/// The keys whose tables are nobody else's: what is installed, and what is listed.
fn installed(config: &Config, discovery: &Discovery) -> InstalledKeys {
    let listed = config.core().plugins.iter().map(|entry| entry.key.as_str());
    discovery.all_keys().chain(listed).collect()
}

/// Returns each key once; what is listed again is a problem.
fn unique<'a>(listed: &'a [Listed], problems: &mut Vec<Problem>) -> Vec<&'a Listed> {
    let mut first: BTreeMap<&str, &Listed> = BTreeMap::new();
    let mut unique = Vec::new();
    for entry in listed {
        if let Some(earlier) = first.get(entry.key.as_str()) {
            problems.push(
                Problem::error(
                    Code::ListedTwice,
                    format!("plugin \"{}\" is listed twice in core.plugins", entry.key),
                )
                .at(&entry.origin, "core.plugins")
                .found(format!("the first time at {}", earlier.origin))
                .help("remove one of the two"),
            );
        } else {
            first.insert(&entry.key, entry);
            unique.push(entry);
        }
    }
    unique
}

/// A listed plugin that is installed.
enum Found {
    /// It takes part.
    Needed(Box<Resolved>),
    /// A publisher where nothing is published: not even its table is looked at.
    Idle(String),
}

impl Found {
    fn role(&self) -> Role {
        match self {
            Self::Needed(plugin) => plugin.role,
            Self::Idle(_) => Role::Publisher,
        }
    }

    fn key(&self) -> &str {
        match self {
            Self::Needed(plugin) => &plugin.key,
            Self::Idle(key) => key,
        }
    }

    fn needed(self) -> Option<Resolved> {
        match self {
            Self::Needed(plugin) => Some(*plugin),
            Self::Idle(_) => None,
        }
    }
}

fn find(
    config: &Config,
    discovery: &Discovery,
    installed: &InstalledKeys,
    entry: &Listed,
    purpose: Purpose,
) -> Result<Found, Problem> {
    let key = entry.key.as_str();
    let Some((file, manifest, plugin)) = discovery.find(key)? else {
        return Err(not_installed(config, discovery, entry));
    };
    if plugin.role == Role::MetricsRelay {
        let summary =
            format!("plugin \"{key}\" is a metrics relay, which core.plugins has no place for");
        return Err(Problem::error(Code::MisplacedRole, summary)
            .at(&entry.origin, "core.plugins")
            .found("metrics relays in this version: metrics-logger (built in)")
            .help("remove it from core.plugins"));
    }
    if plugin.role == Role::Publisher && purpose == Purpose::Show {
        return Ok(Found::Idle(key.to_owned()));
    }
    let Some(table) = config.plugin(key, installed)? else {
        return Err(missing_table(config, discovery, entry));
    };
    Ok(Found::Needed(Box::new(Resolved {
        key: key.to_owned(),
        role: plugin.role,
        library: file.judged.path.clone(),
        identity: file.judged.identity,
        manifest: manifest.clone(),
        table,
    })))
}

fn not_installed(config: &Config, discovery: &Discovery, entry: &Listed) -> Problem {
    let key = entry.key.as_str();
    let directory = discovery.directory();
    let path = directory.path().display();
    // A library that holds the plugin and was refused: that is what is wrong.
    if let Some((file, refusal, _)) = discovery.refused(key).find(|(_, _, says_so)| *says_so) {
        return refusal
            .clone()
            .at(&entry.origin, "core.plugins")
            .note(format!("plugin \"{key}\" is in {}", file.name()));
    }
    let summary = format!("Plugin \"{key}\" not installed");
    let keys = discovery.keys();
    let problem = if let Some(near) = nearest(key, keys.clone()) {
        let described = discovery
            .find(near)
            .ok()
            .flatten()
            .map(|(file, _, plugin)| format!(" ({}, {})", plugin.role, file.name()))
            .unwrap_or_default();
        let table = config.similar_table(near).filter(|(name, _)| name == near);
        let present = table
            .map(|(_, origin)| format!("; a table [{near}] is already there, at {origin}"))
            .unwrap_or_default();
        Problem::error(Code::NearMiss, summary)
            .at(&entry.origin, "core.plugins")
            .found(format!(
                "{} in {path}; the nearest is \"{near}\"{described}",
                count(keys.count(), "key")
            ))
            .help(format!("write \"{near}\"{present}"))
    } else {
        let offered = match keys.clone().count() {
            0 => format!("no plugins in {path} (chosen by {})", directory.chosen_by()),
            1..=12 => format!(
                "plugins in {path}: {}; nothing resembles \"{key}\"",
                keys.collect::<Vec<_>>().join(", ")
            ),
            many => format!("{many} plugins in {path}; nothing resembles \"{key}\""),
        };
        Problem::error(Code::NotInstalled, summary)
            .at(&entry.origin, "core.plugins")
            .found(offered)
            .help(format!("gordon-janitor plugins list; another directory: --plugin-dir, {} or core.plugin_dir", crate::discovery::ENVIRONMENT))
    };
    let silent = discovery.refused(key).take(5);
    silent.fold(problem, |problem, (file, refusal, _)| {
        problem.note(format!(
            "{} was refused and may hold it: {} {}",
            file.name(),
            refusal.code(),
            refusal.summary()
        ))
    })
}

fn missing_table(config: &Config, discovery: &Discovery, entry: &Listed) -> Problem {
    let key = entry.key.as_str();
    let summary = if config.core().debug {
        format!("Skipped loading plugin \"{key}\" because no configuration was found.")
    } else {
        format!("plugin \"{key}\" is listed in core.plugins but no configuration was found for it")
    };
    let problem = Problem::error(Code::MissingTable, summary)
        .at(&entry.origin, "core.plugins")
        .found(format!(
            "no table [{key}] in {} or {}",
            crate::config::FILES[0],
            crate::config::FILES[1]
        ));
    // The table of another plugin is not meant for this one.
    let known = |name: &str| {
        config.core().plugins.iter().any(|other| other.key == name)
            || discovery.keys().any(|other| other == name)
    };
    match config.similar_table(key).filter(|(name, _)| !known(name)) {
        Some((near, origin)) => problem.help(format!(
            "is the table [{near}] at {origin} meant for it? then write [{key}] there"
        )),
        None => problem.help(format!(
            "add a table [{key}]; an empty one is enough for a plugin that needs no settings"
        )),
    }
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

#[cfg(test)]
mod tests;
