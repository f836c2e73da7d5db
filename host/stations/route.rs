//! Where a zone goes: who compares it, and who publishes its changes.

use std::sync::Arc;

use janitor_plugin_api::dns::NameRef;

use crate::config::{RouteSetting, RouteSettings};
use crate::pattern::Patterns;

/// Where one zone goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The key of the reconciler that compares it.
    pub reconciler: Arc<str>,
    /// Who publishes its changes.
    pub publishers: Publishers,
}

/// Who publishes the changes of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Publishers {
    /// Every publisher of the run.
    All,
    /// Those of these keys.
    Only(Arc<[Arc<str>]>),
}

/// A publisher as it is listed, whether it takes part in the run or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPublisher {
    /// Its key.
    pub key: Arc<str>,
    /// Whether it writes a change only where it finds what was planned for.
    pub conditional: bool,
}

impl Publishers {
    /// Whether the publisher `key` is one of them.
    #[must_use]
    pub fn contain(&self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(keys) => keys.iter().any(|given| **given == *key),
        }
    }
}

impl Route {
    /// From `reconciler` to every publisher.
    #[must_use]
    pub fn to_all(reconciler: Arc<str>) -> Self {
        Self {
            reconciler,
            publishers: Publishers::All,
        }
    }
}

/// The routes of a run.
#[derive(Clone, Debug)]
pub struct Routes(Patterns<Arc<Route>>);

impl Routes {
    /// Those of `core.routes`. Without that table every zone goes to `reconciler`, the only one.
    #[must_use]
    pub fn new(settings: Option<&RouteSettings>, reconciler: &Arc<str>) -> Self {
        let Some(settings) = settings else {
            let route = Route::to_all(Arc::clone(reconciler));
            return Self::all(route);
        };
        let routes = settings.routes.iter();
        let routes = routes.map(|(pattern, setting)| (pattern.clone(), Arc::new(route(setting))));
        Self(routes.collect())
    }

    /// Every zone goes the same way.
    #[must_use]
    pub fn all(route: Route) -> Self {
        let everything = "*".parse().ok();
        let route = Arc::new(route);
        Self(
            everything
                .into_iter()
                .map(|all| (all, Arc::clone(&route)))
                .collect(),
        )
    }

    /// The way of the zone `apex`; none if no pattern stands for it.
    #[must_use]
    pub fn of(&self, apex: NameRef<'_>) -> Option<&Arc<Route>> {
        self.0.find(apex).map(|(_, route)| route)
    }
}

fn route(setting: &RouteSetting) -> Route {
    let publishers = setting.publishers.as_ref();
    Route {
        reconciler: setting.reconciler.key.as_str().into(),
        publishers: publishers.map_or(Publishers::All, |listed| {
            Publishers::Only(
                listed
                    .iter()
                    .map(|entry| entry.key.as_str().into())
                    .collect(),
            )
        }),
    }
}
