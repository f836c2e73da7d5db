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
        let more = if changes > NAMED { ", …" } else { "" };
        let first = self.first.join(", ");
        tracing::warn!(
            %zone, changes, reasons, "for" = format!("{first}{more}"),
            "changes were not published, as nothing would come of them; what the Gordon service cannot \
             change is better left out by [core.scope]"
        );
        for (reason, &count) in &self.reasons {
            let context = [("reason", reason.word().into())];
            host.increment("pubsub-changes-left-out", count, &context);
        }
    }
}
