//! What several authorities said of one zone, as plans have it.

use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::plural;
use crate::stations::losers::{Loser, Losers};
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

/// Keys of plugins, as a list of texts.
pub(super) struct Keys<'a>(pub(super) &'a [Arc<str>]);

impl Serialize for Keys<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|key| &**key))
    }
}

/// What does not count, as a list of objects.
pub(super) struct LoserObjects<'a>(pub(super) &'a Losers);

impl Serialize for LoserObjects<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(LoserObject))
    }
}

struct LoserObject<'a>(Loser<'a>);

impl Serialize for LoserObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let loser = &self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("owner", &loser.owner.to_string())?;
        object.serialize_entry("type", &loser.rtype.to_string())?;
        object.serialize_entry("authority", loser.authority)?;
        object.serialize_entry("winner", &loser.winner)?;
        object.serialize_entry("why", loser.word())?;
        object.end()
    }
}
