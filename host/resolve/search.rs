//! A plugin that is named, its library, its table, and what is wrong with them.

use super::absent::not_installed;
use super::settings::{LeftBehind, judge, missing_table};
use super::{Purpose, Resolved};
use crate::config::{Config, InstalledKeys, Listed};
use crate::discovery::{Discovered, Discovery};
use crate::manifest::{Manifest, Plugin, Role};
use crate::problem::{Code, Problem, Severity};

/// A listed plugin that is installed.
pub(super) enum Found {
    /// It takes part.
    Needed(Box<Resolved>),
    /// It takes no part, as a publisher where nothing is published: not even its table is looked at.
    Idle(Role, String),
}

impl Found {
    pub(super) fn role(&self) -> Role {
        match self {
            Self::Needed(plugin) => plugin.role,
            Self::Idle(role, _) => *role,
        }
    }

    pub(super) fn key(&self) -> &str {
        match self {
            Self::Needed(plugin) => &plugin.key,
            Self::Idle(_, key) => key,
        }
    }

    pub(super) fn needed(self) -> Option<Resolved> {
        match self {
            Self::Needed(plugin) => Some(*plugin),
            Self::Idle(..) => None,
        }
    }
}

/// What became of a listed plugin.
pub(super) struct Search {
    /// `None` if it cannot be used.
    pub(super) plugin: Option<Found>,
    /// What is wrong with it; only warnings if it can be used.
    pub(super) problems: Vec<Problem>,
}

impl From<Problem> for Search {
    fn from(problem: Problem) -> Self {
        Self {
            plugin: None,
            problems: vec![problem],
        }
    }
}

/// Looks for a listed plugin, its table, and what is wrong with that. What it inherits and does not
/// know is added to `left`.
pub(super) fn find(
    config: &Config,
    discovery: &Discovery,
    installed: &InstalledKeys,
    entry: &Listed,
    purpose: Purpose,
    left: &mut Vec<LeftBehind>,
) -> Search {
    let key = entry.key.as_str();
    let offer = match discovery.find(key) {
        Ok(Some(found)) => found,
        Ok(None) => return not_installed(config, discovery, entry).into(),
        Err(clash) => return clash.into(),
    };
    let (_, _, plugin) = offer;
    if plugin.role == Role::MetricsRelay {
        let summary =
            format!("plugin \"{key}\" is a metrics relay, which core.plugins has no place for");
        return Problem::error(Code::MisplacedRole, summary)
            .at(&entry.origin, "core.plugins")
            .help(format!(
                "remove it there, and write core.metrics = \"{key}\""
            ))
            .into();
    }
    if !purpose.takes(plugin.role) {
        return Search {
            plugin: Some(Found::Idle(plugin.role, key.to_owned())),
            problems: Vec::new(),
        };
    }
    let mut equipped = equip(config, discovery, installed, &Named::listed(entry), offer);
    left.append(&mut equipped.left);
    Search {
        plugin: equipped
            .plugin
            .map(|plugin| Found::Needed(Box::new(plugin))),
        problems: equipped.problems,
    }
}

/// An installed plugin with what it is given.
#[derive(Default)]
pub(super) struct Equipped {
    /// `None` if it cannot be used.
    pub(super) plugin: Option<Resolved>,
    /// What is wrong with it; only warnings if it can be used.
    pub(super) problems: Vec<Problem>,
    /// What it inherits and does not know.
    pub(super) left: Vec<LeftBehind>,
}

impl From<Problem> for Equipped {
    fn from(problem: Problem) -> Self {
        Self {
            plugin: None,
            problems: vec![problem],
            left: Vec::new(),
        }
    }
}

/// What names a plugin.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) entry: &'a Listed,
    /// The setting that does.
    pub(super) by: &'static str,
}

impl<'a> Named<'a> {
    pub(super) fn listed(entry: &'a Listed) -> Self {
        let by = "core.plugins";
        Self { entry, by }
    }

    pub(super) fn relay(entry: &'a Listed) -> Self {
        let by = "core.metrics";
        Self { entry, by }
    }
}

/// Gives a plugin what its table holds, and judges that.
pub(super) fn equip(
    config: &Config,
    discovery: &Discovery,
    installed: &InstalledKeys,
    named: &Named<'_>,
    (file, manifest, plugin): (&Discovered, &Manifest, &Plugin),
) -> Equipped {
    let key = plugin.key.as_str();
    let mut table = match config.plugin(key, installed) {
        Ok(Some(table)) => table,
        Ok(None) => {
            let inherited = config.inheritance(key, installed);
            return missing_table(config, discovery, named, plugin, &inherited).into();
        }
        Err(problem) => return problem.into(),
    };
    let unknown = table.restrict(&plugin.settings);
    let left = unknown.into_iter().map(|inherited| LeftBehind {
        heir: key.to_owned(),
        inherited,
    });
    let left = left.collect();
    let problems = judge(&table, manifest, plugin);
    let is_fit = problems
        .iter()
        .all(|found| found.severity() == Severity::Warning);
    let settings = config.core().plugin.get(key);
    let resolved = || Resolved {
        key: key.to_owned(),
        role: plugin.role,
        library: file.judged.path.clone(),
        identity: file.judged.identity,
        manifest: manifest.clone(),
        table,
        zones: settings.and_then(|settings| settings.zones.clone()),
    };
    Equipped {
        plugin: is_fit.then(resolved),
        problems,
        left,
    }
}
