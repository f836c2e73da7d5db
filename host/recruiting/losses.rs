//! Plugins that turn out to be of no use once their libraries are open.

use std::collections::BTreeSet;
use std::path::Path;

use crate::config::Config;
use crate::discovery::Discovery;
use crate::error::Error;
use crate::manifest::Role;
use crate::problem::{Problem, Problems};
use crate::resolve::{Deployment, Resolved, missing_roles};

/// Plugins that turn out to be of no use once their libraries are open.
pub(super) struct Losses {
    /// Whether the run goes on without them (`core.debug`).
    tolerant: bool,
    /// Their keys.
    pub(super) keys: BTreeSet<String>,
    roles: BTreeSet<Role>,
    problems: Vec<Problem>,
}

impl Losses {
    pub(super) fn new(tolerant: bool) -> Self {
        Self {
            tolerant,
            keys: BTreeSet::new(),
            roles: BTreeSet::new(),
            problems: Vec::new(),
        }
    }

    pub(super) fn plugin(&mut self, plugin: &Resolved, problem: Problem) {
        self.all(&[plugin], problem);
    }

    /// Every plugin that is wanted of the library at `path`.
    pub(super) fn library(&mut self, path: &Path, deployment: &Deployment, problem: Problem) {
        let plugins = deployment.plugins.iter();
        let wanted = plugins.filter(|plugin| plugin.library == path);
        let wanted = wanted.collect::<Vec<_>>();
        let keys = wanted.iter().map(|plugin| plugin.key.as_str());
        let keys = keys.collect::<Vec<_>>().join(", ");
        self.all(
            &wanted,
            problem.note(format!("listed in core.plugins: {keys}")),
        );
    }

    fn all(&mut self, plugins: &[&Resolved], problem: Problem) {
        self.keys.extend(plugins.iter().map(|p| p.key.clone()));
        self.roles.extend(plugins.iter().map(|plugin| plugin.role));
        self.problems.push(if self.tolerant {
            tolerated(problem, plugins)
        } else {
            problem
        });
    }

    /// All that is wrong by now, unless it is tolerated.
    pub(super) fn tolerable(&self) -> Result<(), Problems> {
        Problems::check(self.problems.clone()).map(drop)
    }

    /// The warnings, if what is left in `deployment` can run.
    pub(super) fn judge(
        self,
        config: &Config,
        deployment: &Deployment,
        discovery: &Discovery,
    ) -> Result<Vec<Problem>, Error> {
        let mut problems = self.problems;
        let given = deployment.plugins.iter();
        let given = given.map(|plugin| (plugin.role, plugin.key.as_str()));
        let given = given.collect::<Vec<_>>();
        let roles = self.roles.into_iter().collect::<Vec<_>>();
        if self.tolerant && !given.is_empty() {
            problems.extend(missing_roles(config, discovery, &given, &roles));
        }
        let warnings = Problems::check(problems)?;
        if given.is_empty() {
            return Err(Error::NoPlugins { warnings });
        }
        Ok(warnings)
    }
}

/// The warning that the run goes on without `plugins`.
pub(super) fn tolerated(problem: Problem, plugins: &[&Resolved]) -> Problem {
    let notes = plugins.iter().filter_map(|plugin| plugin.is_missed());
    let notes = notes.collect::<BTreeSet<_>>();
    notes.into_iter().fold(problem.tolerated(), Problem::note)
}
