//! The host's own tables: `[core]` and those of the built-in metrics relays.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::convergence;
use super::fields::{Fields, wrong_type};
use super::guard::Guard;
use super::history::History;
use super::logging::Logging;
use super::merge::MergeSettings;
use super::nearest::nearest;
use super::patterns::PatternList;
use super::relays::{FFWD, Ffwd, METRICS_LOGGER, MetricsLogger};
use super::routes::RouteSettings;
use super::scope::Scope;
use super::source::Origin;
use super::value::{Table, Value};
use crate::logging::Level;
use crate::problem::{Code, Problem};
use crate::stations::convergence::Settings as Convergence;

/// The `[core]` table. What is not configured has its default.
#[derive(Clone, Debug)]
pub struct Core {
    /// The plugins to run, in the order written; what is listed twice is here twice.
    pub plugins: Vec<Listed>,
    /// Where `core.plugins` stands, if it does.
    pub plugins_origin: Option<Origin>,
    /// Go on without plugins that cannot be used.
    pub debug: bool,
    /// Which names and types are managed.
    pub scope: Arc<Scope>,
    /// Where log lines go.
    pub logging: Logging,
    /// The metrics relay, built in or the key of a plugin; `metrics-logger` if none is named.
    pub metrics: Option<Listed>,
    /// The built-in metrics relay `metrics-logger`.
    pub metrics_logger: MetricsLogger,
    /// The built-in metrics relay `ffwd`.
    pub ffwd: Ffwd,
    /// The directory of the plugin libraries, absolute.
    pub plugin_dir: Option<(PathBuf, Origin)>,
    /// The directory of what outlives a run, absolute.
    pub state_dir: Option<PathBuf>,
    /// What is kept of past runs.
    pub history: History,
    /// Messages that a channel holds before its sender has to wait.
    pub channel_capacity: usize,
    /// How long a plugin may go on after it was asked to stop.
    pub grace: Duration,
    /// How long a run may take before it is cancelled; without limit if `None`.
    pub deadline: Option<Duration>,
    /// What to do about a library that crashes again and again.
    pub after_crash: AfterCrash,
    /// Who compares which zones; one reconciler all of them if there are none.
    pub routes: Option<RouteSettings>,
    /// What counts where several authorities speak of one zone.
    pub merge: MergeSettings,
    /// How much may change before a zone is withheld.
    pub guard: Guard,
    /// What is done about changes that do not stick.
    pub convergence: Convergence,
    /// What the host needs to know of single plugins, by key.
    pub plugin: BTreeMap<String, PluginSettings>,
}

/// What to do about a library that crashes again and again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfterCrash {
    /// Run it again, with a warning.
    #[default]
    Run,
    /// Go on without it, as `core.debug` does without plugins that cannot be used.
    Skip,
    /// Run nothing.
    Stop,
}

impl AfterCrash {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "run" => Some(Self::Run),
            "skip" => Some(Self::Skip),
            "stop" => Some(Self::Stop),
            _ => None,
        }
    }
}

/// One entry of `core.plugins`.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The plugin's key.
    pub key: String,
    /// Where it is listed.
    pub origin: Origin,
}

/// A `[core.plugin."key"]` table.
#[derive(Clone, Debug, Default)]
pub struct PluginSettings {
    /// The least level of its log events, in the place of `core.logging.level`.
    pub level: Option<Level>,
    /// The zones that it speaks for, if it is an authority; whatever it names without them.
    pub zones: Option<Arc<PatternList>>,
    /// Where the table stands.
    pub origin: Option<Origin>,
}

impl Core {
    /// Reads the host's tables out of the whole configuration; relative paths
    /// start at `root`. Everything wrong with them is added to `problems`.
    pub(super) fn read(config: &Table, root: &Path, problems: &mut Vec<Problem>) -> Self {
        let core = config.get("core");
        let mut fields = Fields::new(core, "core", problems);
        let plugins_origin = fields.any("plugins").map(|value| value.origin.clone());
        let plugins = fields.texts("plugins").unwrap_or_default();
        let plugins = plugins.into_iter().map(|(key, value)| Listed {
            key: key.to_owned(),
            origin: value.origin.clone(),
        });
        let debug = fields.boolean("debug").unwrap_or(false);
        let scope = fields.any("scope");
        let logging = fields.any("logging");
        let metrics = fields.any("metrics").map(|value| value.origin.clone());
        let metrics = fields.text("metrics").map(str::to_owned).zip(metrics);
        let plugin_dir = fields
            .any("plugin_dir")
            .map(|value| value.origin.clone())
            .zip(fields.text("plugin_dir"));
        if plugin_dir.as_ref().is_some_and(|(_, path)| path.is_empty()) {
            fields.refuse("plugin_dir", "the path of a directory");
        }
        let state_dir = fields.text("state_dir");
        if state_dir.is_some_and(str::is_empty) {
            fields.refuse("state_dir", "the path of a directory");
        }
        let history = fields.any("history");
        let channel_capacity = fields
            .integer("channel_capacity")
            .and_then(|number| usize::try_from(number).ok());
        let grace = fields.seconds("grace");
        let deadline = fields.seconds("deadline");
        let after_crash = fields.text("after_crash").map(|name| {
            let known = AfterCrash::from_name(name);
            if known.is_none() {
                fields.refuse(
                    "after_crash",
                    &format!("one of run, skip, stop, not \"{name}\""),
                );
            }
            known.unwrap_or_default()
        });
        let (routes, merge) = (fields.any("routes"), fields.any("merge"));
        let guard = fields.any("guard");
        let convergence = fields.any("convergence");
        let plugin = fields.any("plugin");
        let core = Self {
            plugins: plugins.collect(),
            plugins_origin,
            debug,
            scope: Arc::default(),
            logging: Logging::default(),
            metrics: metrics.map(|(key, origin)| Listed { key, origin }),
            metrics_logger: MetricsLogger::default(),
            ffwd: Ffwd::default(),
            plugin_dir: plugin_dir.map(|(origin, path)| (root.join(path), origin)),
            state_dir: state_dir.map(|path| root.join(path)),
            history: History::default(),
            // Both have a default.
            channel_capacity: channel_capacity.unwrap_or(1),
            grace: grace.unwrap_or_default(),
            deadline,
            after_crash: after_crash.unwrap_or_default(),
            routes: None,
            merge: MergeSettings::default(),
            guard: Guard::default(),
            convergence: Convergence::default(),
            plugin: BTreeMap::new(),
        };
        fields.finish();
        Self {
            scope: Arc::new(Scope::read(scope, problems)),
            logging: Logging::read(logging, root, problems),
            routes: RouteSettings::read(routes, problems),
            merge: MergeSettings::read(merge, problems),
            history: History::read(history, problems),
            guard: Guard::read(guard, problems),
            convergence: convergence::read(convergence, problems),
            plugin: read_plugin_settings(plugin, problems),
            metrics_logger: MetricsLogger::read(config.get(METRICS_LOGGER), problems),
            ffwd: Ffwd::read(config.get(FFWD), problems),
            ..core
        }
    }
}

/// Reads a level by its Python name, in any letter case.
pub(super) fn level(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<Level> {
    let text = fields.text(name)?;
    let level = Level::from_name(text);
    if level.is_none() {
        fields.refuse(
            name,
            &format!("one of {}, not \"{text}\"", Level::NAMES.join(", ")),
        );
    }
    level
}

fn read_plugin_settings(
    value: Option<&Value>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, PluginSettings> {
    let mut settings = BTreeMap::new();
    let Some(value) = value else {
        return settings;
    };
    let Some(table) = value.as_table() else {
        problems.push(wrong_type(value, "core.plugin", "a table"));
        return settings;
    };
    for (key, origin, value) in table.iter() {
        let path = format!("core.plugin.\"{key}\"");
        // [core.plugin.files.zones] is a table `files` that holds a table `zones`.
        let nested = value.as_table().and_then(|table| {
            table
                .iter()
                .find(|(_, _, value)| value.as_table().is_some())
        });
        if let Some((inner, place, _)) = nested {
            problems.push(
                Problem::error(
                    Code::UnknownSetting,
                    format!("[{path}] has no setting \"{inner}\""),
                )
                .at(place, format!("[core.plugin.{key}.{inner}]"))
                .help(format!(
                    "the plugin's key stands in quotes here: [core.plugin.\"{key}.{inner}\"]"
                )),
            );
            continue;
        }
        let mut fields = Fields::described(Some(value), &path, "core.plugin.*", problems);
        let level = level(&mut fields, "level");
        let zones = fields.texts("zones");
        fields.finish();
        let zones = zones.map(|zones| PatternList::read(zones, &format!("{path}.zones"), problems));
        settings.insert(
            key.to_owned(),
            PluginSettings {
                level,
                zones: zones.map(Arc::new),
                origin: Some(origin.clone()),
            },
        );
    }
    settings
}

impl Core {
    /// The keys that `core.plugins` and `core.metrics` name.
    pub fn named(&self) -> impl Iterator<Item = &str> + Clone {
        let named = self.plugins.iter().chain(&self.metrics);
        named.map(|entry| entry.key.as_str())
    }

    /// The zones that authorities speak for, by key, where that is not all that they name.
    #[must_use]
    pub fn spoken_for(&self) -> BTreeMap<String, Arc<PatternList>> {
        let settings = self.plugin.iter();
        let given = settings.filter_map(|(key, settings)| {
            let zones = settings.zones.as_ref()?;
            Some((key.clone(), Arc::clone(zones)))
        });
        given.collect()
    }

    /// Complains about `[core.plugin."key"]` tables of plugins that `known` does not hold.
    pub(crate) fn check_plugin_settings<'a>(
        &self,
        known: impl Iterator<Item = &'a str> + Clone,
        problems: &mut Vec<Problem>,
    ) {
        for (key, settings) in &self.plugin {
            let Some(origin) = settings
                .origin
                .as_ref()
                .filter(|_| !known.clone().any(|name| name == key))
            else {
                continue;
            };
            let problem = Problem::warning(Code::UnknownSetting, format!("[core.plugin.\"{key}\"] has no effect: no plugin of this key is installed or listed"))
                .at(origin, "[core.plugin]");
            problems.push(match nearest(key, known.clone()) {
                Some(near) => problem.help(format!("write [core.plugin.\"{near}\"]")),
                None => problem,
            });
        }
    }
}
