//! The limits of one zone.

use super::limits::{Given, GivenLimit, OnIncomplete, Percent, ZoneLimits};
use super::verdict::{GuardRule, Reason};
use super::{Limit, Subject};

/// Every limit that the changes of a zone break, in the order of the settings.
pub(super) fn reasons(zone: &Subject<'_>, limits: &ZoneLimits) -> Vec<Reason> {
    let deletions = zone.changes.deletions as u64;
    let updates = zone.changes.updates as u64;
    let existing = zone.existing.map(|number| number as u64);
    let found = [
        number(
            GuardRule::Deletions,
            deletions,
            "deletion",
            &limits.deletions,
        ),
        deleted_share(zone, existing, limits),
        number(GuardRule::Updates, updates, "update", &limits.updates),
        updated_share(updates, existing, limits),
        shrunk(zone, limits),
        incomplete(zone, limits),
    ];
    found.into_iter().flatten().collect()
}

/// A limit in numbers.
pub(super) fn number(
    rule: GuardRule,
    found: u64,
    noun: &str,
    limit: &GivenLimit<u64>,
) -> Option<Reason> {
    let most = limit.value.at_most()?;
    (found > most).then(|| Reason {
        rule,
        found: plural(found, noun),
        allowed: allowed(most),
        setting: setting(limit),
        place: place(limit),
    })
}

/// The share of what is served that would be deleted. All of it never passes, however small the zone,
/// unless as much takes its place: the only name of a zone may get another type.
fn deleted_share(zone: &Subject<'_>, existing: Option<u64>, limits: &ZoneLimits) -> Option<Reason> {
    let found = zone.changes.deletions as u64;
    let limit = &limits.deletions_percent;
    let percent = limit.value.at_most()?;
    if found == 0 {
        return None;
    }
    let Some(existing) = existing else {
        return Some(unknown_share(
            GuardRule::DeletionsPercent,
            found,
            "deletion",
            limit,
        ));
    };
    let share = percent.of(existing.max(limits.min_existing.value));
    let most = match zone.changes.additions >= zone.changes.deletions {
        true => share,
        false => share.min(existing.saturating_sub(1)),
    };
    (found > most).then(|| Reason {
        rule: GuardRule::DeletionsPercent,
        found: format!("{} of {}", plural(found, "deletion"), rrsets(existing)),
        allowed: match share > most {
            true => "all is never allowed".to_owned(),
            false => allowed(most),
        },
        setting: setting(limit),
        place: place(limit),
    })
}

fn updated_share(found: u64, existing: Option<u64>, limits: &ZoneLimits) -> Option<Reason> {
    let limit = &limits.updates_percent;
    let percent = limit.value.at_most()?;
    if found == 0 {
        return None;
    }
    let Some(existing) = existing else {
        return Some(unknown_share(
            GuardRule::UpdatesPercent,
            found,
            "update",
            limit,
        ));
    };
    let base = existing.max(limits.min_existing.value);
    share_of(
        GuardRule::UpdatesPercent,
        found,
        "update",
        (existing, base),
        percent,
        limit,
    )
}

/// A share of `existing` RRsets, counted from `base`.
pub(super) fn share_of(
    rule: GuardRule,
    found: u64,
    noun: &str,
    (existing, base): (u64, u64),
    percent: Percent,
    limit: &GivenLimit<Percent>,
) -> Option<Reason> {
    let most = percent.of(base);
    (found > most).then(|| Reason {
        rule,
        found: format!("{} of {}", plural(found, noun), rrsets(existing)),
        allowed: allowed(most),
        setting: setting(limit),
        place: place(limit),
    })
}

fn unknown_share(rule: GuardRule, found: u64, noun: &str, limit: &GivenLimit<Percent>) -> Reason {
    Reason {
        rule,
        found: format!(
            "{} of nobody knows how many RRsets: the reconciler does not give what is served",
            plural(found, noun)
        ),
        allowed: "none is allowed".to_owned(),
        setting: setting(limit),
        place: place(limit),
    }
}

/// How much less is desired than before.
pub(super) fn shrunk(zone: &Subject<'_>, limits: &ZoneLimits) -> Option<Reason> {
    let limit = &limits.shrunk_percent;
    let percent = limit.value.at_most()?;
    let before = zone.desired_before? as u64;
    let desired = zone.desired as u64;
    let lost = before.saturating_sub(desired);
    let most = percent.of(before.max(limits.min_existing.value));
    (lost > most).then(|| Reason {
        rule: GuardRule::ShrunkPercent,
        found: format!(
            "{} desired, {lost} fewer than the {before} of the last good run",
            rrsets(desired)
        ),
        allowed: match most {
            0 => "no fewer are allowed".to_owned(),
            most => format!("{most} fewer are allowed"),
        },
        setting: setting(limit),
        place: place(limit),
    })
}

fn incomplete(zone: &Subject<'_>, limits: &ZoneLimits) -> Option<Reason> {
    let wish = &limits.incomplete;
    (!zone.complete && wish.value == OnIncomplete::Withhold).then(|| Reason {
        rule: GuardRule::Incomplete,
        found: "the desired zone is incomplete".to_owned(),
        allowed: "nothing is allowed then".to_owned(),
        setting: format!("{} = {}", wish.name, wish.value),
        place: place(wish),
    })
}

pub(super) fn allowed(most: u64) -> String {
    match most {
        0 => "none is allowed".to_owned(),
        1 => "1 is allowed".to_owned(),
        most => format!("{most} are allowed"),
    }
}

pub(super) fn setting<T: std::fmt::Display>(limit: &Given<Limit<T>>) -> String {
    format!("{} = {}", limit.name, limit.value)
}

pub(super) fn place<T>(given: &Given<T>) -> Option<String> {
    given.place.as_deref().map(str::to_owned)
}

pub(crate) fn rrsets(number: u64) -> String {
    plural(number, "RRset")
}

pub(super) fn plural(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
