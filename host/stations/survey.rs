//! What the host itself finds in an actual zone, before its buffer goes.

use janitor_plugin_api::dns::{ActualZone, LeftAlone, Serial};

/// What a zone was found to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// RRsets, whatever they are.
    pub rrsets: usize,
    /// RRsets without those that no comparison changes: SOA and NS at the apex, what a signer makes.
    pub comparable: usize,
    /// The serial of its SOA, if it has one.
    pub serial: Option<Serial>,
}

impl Survey {
    /// Looks through a zone.
    #[must_use]
    pub fn of(actual: &ActualZone) -> Self {
        let left_alone = LeftAlone::default();
        let comparable = actual
            .rrsets()
            .filter(|rrset| !left_alone.contains(rrset.owner(), rrset.rtype(), actual.apex()));
        Self {
            comparable: comparable.count(),
            rrsets: actual.rrset_count(),
            serial: actual.serial(),
        }
    }
}
