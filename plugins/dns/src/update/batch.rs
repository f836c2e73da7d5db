//! How much of a plan goes into one message.

use std::ops::Range;

use super::message::{self, NoRoom, Purpose, Update, compose};
use super::plan::Plan;

/// The next message of a plan.
pub(super) struct Batch {
    pub(super) bundles: Range<usize>,
    pub(super) message: Update,
    /// Whether an owner's changes begin in it and go on in the next.
    pub(super) splits_owner: bool,
}

/// Octets of the header of a message.
const HEADER: usize = 12;

/// Puts as much as there is room for into one message, from the bundle at `start` on, which there is.
///
/// Owners are kept whole as long as one alone has room. Where a bundle alone has none, its RRsets are
/// changed RR by RR.
///
/// # Errors
///
/// [`TooLarge`] if the first bundle has no room in a message in any way.
pub(super) fn next(
    plan: &mut Plan<'_>,
    start: usize,
    soa: Option<&[u8]>,
    limit: usize,
) -> Result<Batch, TooLarge> {
    let mut found = longest(plan, start, soa, limit);
    if found.is_none() {
        plan.send_rr_by_rr(start);
        found = longest(plan, start, soa, limit);
    }
    let Some((mut end, mut message)) = found else {
        return Err(TooLarge::of(plan, &(start..start + 1), soa, limit));
    };
    let mut splits_owner = false;
    let is_cut = |at: usize| at == plan.len() || plan.bundle_at(at).begins_owner;
    if !is_cut(end) {
        match (start + 1..end).rev().find(|&at| is_cut(at)) {
            Some(cut) => {
                end = cut;
                // Less than what there was room for has room.
                if let Ok(shorter) = compose(plan, start..end, Purpose::Write, soa, limit) {
                    message = shorter;
                }
            }
            None => splits_owner = true,
        }
    }
    Ok(Batch {
        bundles: start..end,
        message,
        splits_owner,
    })
}

/// The longest run of bundles with room in a message: where it ends, and the message.
///
/// How far pointers reach depends on where a name stands, so the length is only known when the message
/// is written: it is tried, between what surely has room and what surely has none.
fn longest(
    plan: &Plan<'_>,
    start: usize,
    soa: Option<&[u8]>,
    limit: usize,
) -> Option<(usize, Update)> {
    let write = |end: usize| compose(plan, start..end, Purpose::Write, soa, limit);
    let (mut least, mut most) = (HEADER, HEADER + plan.apex.as_wire().len() + 4);
    let (mut fits, mut does_not) = (start, plan.len() + 1);
    most += soa.map_or(0, |soa| plan.apex.as_wire().len() + 10 + soa.len());
    for at in start..plan.len() {
        let octets = message::octets(plan, plan.bundle_at(at));
        least += octets.0;
        most += octets.1;
        if most <= limit {
            fits = at + 1;
        }
        if least > limit {
            does_not = at + 1;
            break;
        }
    }
    let mut found = None;
    if fits > start {
        found = write(fits).ok().map(|message| (fits, message));
    }
    while fits + 1 < does_not {
        let middle = fits.midpoint(does_not);
        match write(middle) {
            Ok(message) => {
                fits = middle;
                found = Some((middle, message));
            }
            Err(NoRoom) => does_not = middle,
        }
    }
    found
}

/// A change has no room in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the change and what it is conditional on have {}, more than the {limit} there is room for in a message", Octets(*octets))]
pub(super) struct TooLarge {
    /// What a message with it would have; nothing if it has more RRs than can be counted.
    pub(super) octets: Option<usize>,
    pub(super) limit: usize,
}

impl TooLarge {
    /// Measures what has no room.
    pub(super) fn of(
        plan: &Plan<'_>,
        bundles: &Range<usize>,
        soa: Option<&[u8]>,
        limit: usize,
    ) -> Self {
        let all = compose(plan, bundles.clone(), Purpose::Write, soa, usize::MAX);
        Self {
            octets: all.ok().map(|message| message.as_slice().len()),
            limit,
        }
    }
}

struct Octets(Option<usize>);

impl std::fmt::Display for Octets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(octets) => write!(f, "{octets} octets"),
            None => f.write_str("more than 65535 RRs"),
        }
    }
}
