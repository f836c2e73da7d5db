//! From the listed keys to the plugins that run, or everything that is in the way.

mod search;
mod absent;
mod relay;
mod roles;
mod routes;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use self::roles::crowded_role;
pub(crate) use self::roles::missing_roles;
use self::search::{Found, find};
use self::settings::unknown_to_all;
use crate::config::{Config, InstalledKeys, Listed, PatternList, PluginTable, nearest};
use crate::discovery::{Discovered, Discovery};
use crate::error::Error;
use crate::manifest::{Manifest, Role};
use crate::preflight::Identity;
use crate::problem::{Code, Problem, Problems, Severity};

/// What the plugins are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Changes are published.
    Publish,
    /// Changes are shown: `plan` and `--dry-run`. Publishers are neither needed nor kept.
    Show,
    /// Changes that were stored are published: `apply`. Authorities are neither needed nor kept, and
    /// nothing is gone on without.
    Apply,
    /// What a past run did is taken back in a plan that is shown: `undo`. Nothing but reconcilers is
    /// needed or kept.
    Undo,
}

impl Purpose {
    /// The roles that it takes.
    fn roles(self) -> &'static [Role] {
        match self {
            Self::Publish => &[Role::Authority, Role::Reconciler, Role::Publisher],
            Self::Show => &[Role::Authority, Role::Reconciler],
            Self::Apply => &[Role::Reconciler, Role::Publisher],
            Self::Undo => &[Role::Reconciler],
        }
    }

    /// Whether changes go to publishers, and what happens is measured.
    #[must_use]
    pub fn publishes(self) -> bool {
        !matches!(self, Self::Show | Self::Undo)
    }

    /// Whether plugins of `role` take part.
    fn takes(self, role: Role) -> bool {
        role == Role::MetricsRelay || self.roles().contains(&role)
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
    /// The file that was judged.
    pub identity: Option<Identity>,
    /// What the library says of itself.
    pub manifest: Manifest,
    /// What it receives.
    pub table: PluginTable,
    /// The zones that it speaks for, if it is an authority; whatever it names without them.
    pub zones: Option<Arc<PatternList>>,
}

impl Resolved {
    /// What a run without it means, if it is an authority.
    pub(crate) fn is_missed(&self) -> Option<String> {
        let what = nothing_deleted(&self.key, self.zones.is_some());
        (self.role == Role::Authority).then(|| format!("{what}: it is an authority"))
    }
}

/// The plugins of a run.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// In the order of a run, and within one role as listed. At least one is a
    /// reconciler, at least one an authority. The last is the metrics relay if that is a plugin.
    pub plugins: Vec<Resolved>,
    /// Keys of the plugins that are listed and passed over.
    pub passed_over: Vec<String>,
    /// Those of them that are, or may have been, authorities. What they would have said is unknown, so
    /// nothing may be deleted that they may speak for.
    pub missing_authorities: Vec<String>,
    /// What should be mended.
    pub warnings: Vec<Problem>,
}

impl Deployment {
    /// Goes on without the plugins that `is_lost` says turned out to be of no use.
    pub(crate) fn pass_over(&mut self, is_lost: impl Fn(&Resolved) -> bool) {
        for plugin in self.plugins.extract_if(.., |plugin| is_lost(plugin)) {
            if plugin.role == Role::Authority {
                self.missing_authorities.push(plugin.key.clone());
            }
            self.passed_over.push(plugin.key);
        }
    }

    /// The number of libraries that are needed.
    #[must_use]
    pub fn libraries(&self) -> usize {
        let libraries = self.plugins.iter().map(|plugin| &plugin.library);
        libraries.collect::<BTreeSet<_>>().len()
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
    // What is a secret is known now, and has to be before anything of the files is shown.
    let mut config = config.clone();
    config.hide(discovery.schemas());
    let config = &config;
    let core = config.core();
    let mut problems = config.problems().to_vec();
    let mut plugins = Vec::new();
    let mut missing_authorities = Vec::new();
    let mut passed_over = Vec::new();
    let installed = installed(config, discovery);
    let listed = unique(&core.plugins, &mut problems);
    let mut relay = relay::find(config, discovery, &installed);
    if core.debug && relay.plugin.is_none() {
        // One that is built in is never missing.
        let missing = core
            .metrics
            .iter()
            .filter(|_| !relay.problems.is_empty() && purpose.publishes());
        passed_over.extend(missing.map(|entry| entry.key.clone()));
        for problem in &mut relay.problems {
            let note = "measurements go to metrics-logger instead";
            *problem = problem.clone().tolerated().note(note);
        }
    }
    match discovery.fault() {
        Some(fault) if !listed.is_empty() => problems.push(fault.clone()),
        // Nothing is looked for, so that nothing is missing.
        _ if listed.is_empty() => {}
        _ => {
            let mut left = std::mem::take(&mut relay.left);
            for entry in &listed {
                let mut found = find(config, discovery, &installed, entry, purpose, &mut left);
                if core.debug && found.plugin.is_none() {
                    let missing = missing_authority(config, discovery, &entry.key);
                    missing_authorities.extend(missing.is_some().then(|| entry.key.clone()));
                    passed_over.push(entry.key.clone());
                    let errors = found.problems.iter_mut();
                    for problem in errors.filter(|found| found.severity() == Severity::Error) {
                        let tolerated = problem.clone().tolerated();
                        *problem = missing.iter().fold(tolerated, Problem::note);
                    }
                }
                plugins.extend(found.plugin);
                for problem in found.problems {
                    problem.join(&mut problems);
                }
            }
            let mut unknown = unknown_to_all(discovery, &left, &problems);
            if core.debug {
                unknown = unknown.into_iter().map(Problem::tolerated).collect();
            }
            problems.append(&mut unknown);
            problems.extend(routes::judge(config, discovery));
            let known = discovery.keys().chain(core.named());
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
    // A table that is meant for a plugin which lacks one is told of there.
    if !problems.iter().any(|p| p.code() == Code::MissingTable) {
        problems.extend(config.stray(&installed));
    }
    // A directory that cannot be read may have been reported already.
    let is_told = |found: &Problem| found.code() == Code::PluginDirectory;
    if problems.iter().any(is_told) {
        relay.problems.retain(|found| !is_told(found));
    }
    for problem in relay.problems {
        problem.join(&mut problems);
    }
    let mut warnings = Problems::check(problems)?;
    if plugins.is_empty() {
        return Err(Error::NoPlugins { warnings });
    }
    let mut plugins: Vec<_> = plugins.into_iter().filter_map(Found::needed).collect();
    plugins.extend(relay.plugin.filter(|_| purpose.publishes()));
    plugins.sort_by_key(|plugin| plugin.role);
    let libraries = plugins.iter().map(|plugin| plugin.library.as_path());
    warnings.extend(discovery.remarks(libraries));
    Ok(Deployment {
        plugins,
        passed_over,
        missing_authorities,
        warnings,
    })
}

/// What to say of the plugin `key`, which is passed over, if it is an authority or nobody can tell.
fn missing_authority(config: &Config, discovery: &Discovery, key: &str) -> Option<String> {
    let manifests = discovery.files().iter().filter_map(Discovered::manifest);
    let roles = manifests
        .flat_map(|manifest| &manifest.plugins)
        .filter(|plugin| plugin.key == key)
        .map(|plugin| plugin.role)
        .collect::<Vec<_>>();
    let settings = config.core().plugin.get(key);
    let speaks_for_some = settings.is_some_and(|settings| settings.zones.is_some());
    let what = nothing_deleted(key, speaks_for_some);
    if roles.is_empty() {
        Some(format!("{what}: it may be an authority"))
    } else {
        roles
            .contains(&Role::Authority)
            .then(|| format!("{what}: it is an authority"))
    }
}

/// What a run without the authority `key` does not do.
fn nothing_deleted(key: &str, speaks_for_some: bool) -> String {
    if speaks_for_some {
        format!("nothing is deleted in the zones of core.plugin.\"{key}\".zones in this run")
    } else {
        "nothing is deleted in this run".to_owned()
    }
}

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
        Ok(Some(mut table)) => {
            if let Ok(Some((_, _, plugin))) = discovery.find(key) {
                // What it does not know it will not get; whether somebody does is for a run to say.
                drop(table.restrict(&plugin.settings));
            }
            Ok(table)
        }
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
    let named = config.core().named();
    discovery.all_keys().chain(named).collect()
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

#[cfg(test)]
mod tests;
