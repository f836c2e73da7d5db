//! What is told of changes that the service would drop.

use std::collections::BTreeMap;

use janitor_plugin_api::Host;
use janitor_plugin_api::dns::{Change, NameRef};

use super::parcel::Reason;

/// Changes that are told by name.
const NAMED: usize = 3;

/// The changes of one zone that are not sent.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    reasons: BTreeMap<Reason, usize>,
    first: Vec<String>,
}

impl LeftOut {
    pub(super) fn note(&mut self, change: Change<'_>, reason: Reason) {
        *self.reasons.entry(reason).or_default() += 1;
        if self.first.len() < NAMED {
            self.first
                .push(format!("{} {}", change.owner(), change.rtype()));
        }
    }

    /// Warns of them, once for the zone, and counts them.
    pub(super) fn tell(&self, zone: NameRef<'_>, host: &Host) {
        let changes: usize = self.reasons.values().sum();
        if changes == 0 {
            return;
        }
        let reasons = self.reasons.iter();
        let reasons = reasons.map(|(reason, count)| format!("{count} because {reason}"));
        let reasons = reasons.collect::<Vec<_>>().join("; ");
        let first = self.first.join(", ");
        tracing::warn!(
            %zone, changes, reasons, first,
            "changes were left out, as nothing would come of publishing them; [core.scope] takes them out \
             of what is managed"
        );
        let mut words = BTreeMap::<_, usize>::new();
        for (reason, count) in &self.reasons {
            *words.entry(reason.word()).or_default() += count;
        }
        for (word, count) in words {
            host.increment("pubsub-changes-left-out", count, &[("reason", word.into())]);
        }
    }
}
