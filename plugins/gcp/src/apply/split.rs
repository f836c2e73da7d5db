//! How much of a plan goes into one change of Cloud DNS.

use std::ops::Range;

use super::plan::{Plan, Weight};
use crate::limits::Quota;

/// Takes as much as one change may have, from the place `start` on, where there is something.
///
/// The changes at one owner stay together, whatever they are: between two changes of Cloud DNS others see
/// what is there. A delegation and what is below it stay together where there is room for all of it.
///
/// # Errors
///
/// [`TooLarge`] if the changes at the first owner alone are more.
pub(super) fn next(plan: &Plan<'_>, start: usize, quota: &Quota) -> Result<Range<usize>, TooLarge> {
    let mut weight = Weight::default();
    let mut end = start;
    while end < plan.len() {
        let owner = owner(plan, end);
        let mut more = weight;
        for item in plan.items(owner.clone()) {
            more += item.weight();
        }
        if let Err(limit) = fits(more, quota) {
            if end == start {
                return Err(TooLarge { owner, limit });
            }
            break;
        }
        weight = more;
        end = owner.end;
    }
    if end < plan.len() && !plan.begins_family(end) {
        let mut places = (start + 1..end).rev();
        end = places.find(|&at| plan.begins_family(at)).unwrap_or(end);
    }
    Ok(start..end)
}

/// Cuts places of a plan, which are more than one owner's, in two, as near to the middle as can be.
pub(super) fn halves(plan: &Plan<'_>, places: &[usize]) -> Option<(Vec<usize>, Vec<usize>)> {
    let middle = places.len() / 2;
    let is_cut = |&at: &usize| {
        plan.item(places[at - 1]).change.owner() != plan.item(places[at]).change.owner()
    };
    let cuts = (1..places.len()).filter(is_cut);
    let cut = cuts.min_by_key(|&at| at.abs_diff(middle))?;
    let (first, second) = places.split_at(cut);
    Some((first.to_vec(), second.to_vec()))
}

/// The changes of the owner that begins at a place.
fn owner(plan: &Plan<'_>, start: usize) -> Range<usize> {
    let next = (start + 1..plan.len()).find(|&at| plan.begins_owner(at));
    start..next.unwrap_or(plan.len())
}

fn fits(weight: Weight, quota: &Quota) -> Result<(), Limit> {
    let Weight {
        additions,
        deletions,
        octets,
    } = weight;
    if additions > quota.additions {
        return Err(Limit::Additions(additions, quota.additions));
    }
    if deletions > quota.deletions {
        return Err(Limit::Deletions(deletions, quota.deletions));
    }
    if octets > quota.rdata_octets {
        return Err(Limit::Octets(octets, quota.rdata_octets));
    }
    Ok(())
}

/// A limit, what there is, and the most that there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Limit {
    #[error("{0} additions, and the quota of the project is {1} (rrsetAdditionsPerChange)")]
    Additions(usize, usize),
    #[error("{0} deletions, and the quota of the project is {1} (rrsetDeletionsPerChange)")]
    Deletions(usize, usize),
    #[error("{0} octets of rdata, and the quota of the project is {1} (totalRrdataSizePerChange)")]
    Octets(usize, usize),
}

/// The changes at one owner are more than one change of Cloud DNS may have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the changes at its owner, which have to be made at once, have {limit}")]
pub(super) struct TooLarge {
    /// Where they are.
    pub(super) owner: Range<usize>,
    pub(super) limit: Limit,
}
