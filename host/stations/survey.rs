//! What the host itself finds in an actual zone, before its buffer goes.

use janitor_plugin_api::dns::{ActualZone, Serial};

/// What a zone was found to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// RRsets, whatever they are.
    pub rrsets: usize,
    /// The serial of its SOA, if it has one.
    pub serial: Option<Serial>,
}

impl Survey {
    /// Looks through a zone.
    #[must_use]
    pub fn of(actual: &ActualZone) -> Self {
        Self {
            rrsets: actual.rrset_count(),
            serial: actual.serial(),
        }
    }
}
