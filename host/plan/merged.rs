//! What several authorities said of one zone, as plans have it.

use super::plural;
use crate::stations::planned::PlannedZone;

/// RRsets of one zone that a plan for people names, unless it is to have all of them.
const NAMED: usize = 10;

/// What of the authorities' words on one zone does not count, each in a line.
pub(super) fn lost(zone: &PlannedZone, all: bool) -> impl Iterator<Item = String> {
    let named = if all { usize::MAX } else { NAMED };
    let losers = zone.losers.iter().take(named).map(|loser| {
        let (owner, rtype, authority) = (loser.owner, loser.rtype, loser.authority);
        format!(
            "{owner} {rtype} of `{authority}` does not count: {}",
            loser.why()
        )
    });
    let more = zone.losers.len().saturating_sub(named);
    let more = (more > 0).then(|| {
        format!(
            "{} more of other authorities do not count",
            plural(more, "RRset")
        )
    });
    losers.chain(more)
}
