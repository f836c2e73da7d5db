//! Which way a zone goes in this run: its route, as far as the plugins on it take part.

use std::sync::Arc;

use janitor_plugin_api::dns::Name;

use crate::config::Core;
use crate::crew::Crew;
use crate::manifest::Role;
use crate::report::{LeftOut, LeftOutKind};
use crate::stations::route::{Route, Routes};

/// The routes of a run, and who takes part in it.
pub(super) struct Ways {
    routes: Routes,
    reconcilers: Vec<Arc<str>>,
    /// None if nothing is published.
    publishers: Vec<Arc<str>>,
}

impl Ways {
    /// Those that `core` and the plugins of `crew` make; none without a reconciler.
    pub(super) fn new(core: &Core, crew: &mut Crew) -> Option<Self> {
        let mut keys = |role| {
            let plugins = crew.of(role);
            plugins
                .map(|plugin| Arc::clone(plugin.key()))
                .collect::<Vec<_>>()
        };
        let reconcilers = keys(Role::Reconciler);
        Some(Self {
            routes: Routes::new(core.routes.as_ref(), reconcilers.first()?),
            reconcilers,
            publishers: keys(Role::Publisher),
        })
    }

    /// The route of a zone, and the position of its reconciler among those of the run.
    ///
    /// # Errors
    ///
    /// Why there is no way for it.
    pub(super) fn of(&self, apex: &Name) -> Result<(&Arc<Route>, usize), LeftOut> {
        let left_out = |reason: String, hint: &str| LeftOut {
            zone: Some(apex.clone()),
            what: apex.to_string(),
            plugin: None,
            kind: LeftOutKind::NoRoute,
            reason: vec![reason],
            hint: Some(hint.to_owned()),
        };
        let Some(route) = self.routes.of(apex.as_ref()) else {
            let reason = "no pattern in core.routes stands for the zone".to_owned();
            let hint =
                "add a route for it; the pattern \"*\" stands for all zones that no other does";
            return Err(left_out(reason, hint));
        };
        let mut reconcilers = self.reconcilers.iter();
        let Some(reconciler) = reconcilers.position(|key| *key == route.reconciler) else {
            let reason = format!(
                "`{}`, which ought to compare it, takes no part in this run",
                route.reconciler
            );
            return Err(left_out(reason, MISSING));
        };
        let is_there = |key: &Arc<str>| route.publishers.contain(key);
        if !self.publishers.is_empty() && !self.publishers.iter().any(is_there) {
            let reason = "none of the publishers of its route takes part in this run".to_owned();
            return Err(left_out(reason, MISSING));
        }
        Ok((route, reconciler))
    }
}

/// What to do about a plugin of a route that is not there.
const MISSING: &str = "mend what the warnings say of it";
