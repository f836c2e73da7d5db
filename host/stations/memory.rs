//! What is remembered of a zone from one run to the next.

use jiff::Timestamp;

use super::convergence::Unsettled;

/// What is remembered of one zone.
#[derive(Clone, Debug, Default)]
pub struct ZoneMemory {
    /// How large it was when all was well.
    pub last_good: Option<LastGood>,
    /// Changes that were sent and may not have come about.
    pub unsettled: Option<Unsettled>,
    /// The last sealed plan that was applied to it.
    pub applied: Option<AppliedPlan>,
}

/// The size of a zone in the last run that left nothing to do there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastGood {
    /// RRsets that it ought to hold.
    pub desired: usize,
    /// RRsets that it was found to hold, unless the reconciler could not tell.
    pub actual: Option<usize>,
    /// The number of that run.
    pub run: u64,
    /// When that was.
    pub at: Timestamp,
}

/// A sealed plan that was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppliedPlan {
    /// When it was made.
    pub made_at: Timestamp,
    /// The run that applied it.
    pub run: u64,
}
