//! Shows on a terminal how far a run is: zones and records done, and the rate.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of a run. Cheap to update; somebody else decides whether they are shown.
#[derive(Default)]
pub struct Progress {
    zones: AtomicU64,
    records: AtomicU64,
    planned: AtomicU64,
}

impl Progress {
    /// A desired zone of `rrsets` RRsets was read.
    pub(crate) fn desired(&self, rrsets: usize) {
        self.zones.fetch_add(1, Ordering::Relaxed);
        self.records.fetch_add(rrsets as u64, Ordering::Relaxed);
    }

    /// A zone was compared or left out.
    pub(crate) fn planned(&self) {
        self.planned.fetch_add(1, Ordering::Relaxed);
    }
}
