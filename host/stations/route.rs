//! Where a zone goes: who compares it, and who publishes its changes.

use std::sync::Arc;

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
