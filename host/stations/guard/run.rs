//! The limits of all zones together.

use super::Subject;
use super::limits::{GivenLimit, Percent, RunLimits};
use super::verdict::{GuardRule, Reason};
use super::zone::{allowed, number, place, plural, setting, share_of};

/// What all zones come to whose limits are not lifted.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// Zones that were compared.
    zones: u64,
    /// Those that would lose or replace anything.
    losing: u64,
    /// RRsets that they hold, as far as that is known.
    existing: u64,
    /// Deletions that would go out.
    deletions: u64,
    /// Updates that would go out.
    updates: u64,
}

impl Sums {
    /// Adds a zone; `goes_out` unless its own limits withhold it.
    pub(super) fn add(&mut self, zone: &Subject<'_>, goes_out: bool) {
        self.zones += 1;
        self.losing += u64::from(zone.loses());
        // What is not known counts for nothing: it makes the shares of the others larger.
        let existing = zone.existing.unwrap_or_default() as u64;
        self.existing = self.existing.saturating_add(existing);
        if goes_out {
            let changes = zone.changes;
            self.deletions = self.deletions.saturating_add(changes.deletions as u64);
            self.updates = self.updates.saturating_add(changes.updates as u64);
        }
    }
}

/// Every limit of the run that is broken, in the order of the settings.
pub(super) fn reasons(sums: &Sums, limits: &RunLimits) -> Vec<Reason> {
    let base = sums.existing.max(limits.min_existing.value);
    let share = |rule, found, noun, limit: &GivenLimit<Percent>| {
        let percent = limit.value.at_most()?;
        share_of(rule, found, noun, (sums.existing, base), percent, limit)
    };
    let (deletions, updates) = (sums.deletions, sums.updates);
    let rrsets = [
        number(
            GuardRule::RunDeletions,
            deletions,
            "deletion",
            &limits.deletions,
        ),
        share(
            GuardRule::RunDeletionsPercent,
            deletions,
            "deletion",
            &limits.deletions_percent,
        ),
        number(GuardRule::RunUpdates, updates, "update", &limits.updates),
        share(
            GuardRule::RunUpdatesPercent,
            updates,
            "update",
            &limits.updates_percent,
        ),
    ];
    let rrsets = rrsets.into_iter().flatten().map(|reason| Reason {
        found: format!("{} in all zones together", reason.found),
        ..reason
    });
    let zones = [number_of_zones(sums, limits), share_of_zones(sums, limits)];
    rrsets.chain(zones.into_iter().flatten()).collect()
}

fn number_of_zones(sums: &Sums, limits: &RunLimits) -> Option<Reason> {
    let limit = &limits.zones;
    let most = limit.value.at_most()?;
    (sums.losing > most).then(|| Reason {
        rule: GuardRule::RunZones,
        found: format!("deletions or updates in {}", plural(sums.losing, "zone")),
        allowed: allowed(most),
        setting: setting(limit),
        place: place(limit),
    })
}

fn share_of_zones(sums: &Sums, limits: &RunLimits) -> Option<Reason> {
    let limit = &limits.zones_percent;
    let percent = limit.value.at_most()?;
    let most = percent.of(sums.zones.max(limits.min_zones.value));
    (sums.losing > most).then(|| Reason {
        rule: GuardRule::RunZonesPercent,
        found: format!(
            "deletions or updates in {} of {}",
            sums.losing,
            plural(sums.zones, "zone")
        ),
        allowed: allowed(most),
        setting: setting(limit),
        place: place(limit),
    })
}
