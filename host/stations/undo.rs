//! Takes back what a run did to a zone, as far as it is still there.

use std::sync::Arc;

use janitor_plugin_api::dns::{ActualZone, Change, Changes, ChangesBuilder, ChangesError, Name};
use janitor_plugin_api::dns::{RrsetRef, Rtype};

use super::digests::{self, Digests};
use super::planned::PlannedZone;
use super::route::Route;
use super::scope::ZoneScope;
use super::survey::Survey;
use crate::config::scope::Scope;

/// What a run did to a zone: the changes that it was to make, and which of them nobody refused.
#[derive(Clone, Debug)]
pub struct Done {
    /// What the publishers were given.
    pub changes: Changes,
    /// For each of them, whether it may have been made.
    pub made: Vec<bool>,
}

/// The way back.
#[derive(Debug)]
pub struct WayBack {
    /// The changes that take back what is still as the run left it.
    pub changes: Changes,
    /// Owners and types of what was changed by somebody else since, and stays as it is.
    pub changed_since: Vec<(Name, Rtype)>,
}

impl Done {
    /// The way back from `actual`.
    ///
    /// What the run put there is taken away, and what it took away is put back, where what is served is
    /// what the run left. What is served as it was before the run needs nothing. Everything else was
    /// changed since, also where what was there before would conflict with what somebody has added, and
    /// where more is served now than the reconciler can tell.
    ///
    /// # Errors
    ///
    /// If the changes do not fit into one buffer.
    pub fn way_back(&self, actual: &ActualZone) -> Result<WayBack, ChangesError> {
        let apex = self.changes.apex().to_owned();
        let mut builder = ChangesBuilder::new(apex);
        let mut changed_since = Vec::new();
        let mut made = self
            .changes
            .iter()
            .zip(&self.made)
            .filter_map(|(change, made)| made.then_some(change))
            .collect::<Vec<_>>();
        // As the zone is ordered, so that one pass over it does.
        made.sort_by(|left, right| {
            let place = |change: &Change<'_>| (change.owner().to_owned(), change.rtype());
            place(left).cmp(&place(right))
        });
        let mut served = actual.rrsets().peekable();
        let mut held = actual.held().peekable();
        let mut here: Vec<RrsetRef<'_>> = Vec::new();
        for changes in made.chunk_by(|left, right| left.owner() == right.owner()) {
            let Some(owner) = changes.first().map(|change| change.owner()) else {
                continue;
            };
            while held.next_if(|held| *held < owner).is_some() {}
            if held.peek() == Some(&owner) {
                let places = changes
                    .iter()
                    .map(|change| (owner.to_owned(), change.rtype()));
                changed_since.extend(places);
                continue;
            }
            while served.next_if(|rrset| rrset.owner() < owner).is_some() {}
            here.clear();
            while let Some(rrset) = served.next_if(|rrset| rrset.owner() == owner) {
                here.push(rrset);
            }
            at_owner(changes, &here, &mut builder, &mut changed_since)?;
        }
        Ok(WayBack {
            changes: builder.build()?,
            changed_since,
        })
    }
}

/// The way back at one owner, where `here` is served.
fn at_owner(
    made: &[Change<'_>],
    here: &[RrsetRef<'_>],
    builder: &mut ChangesBuilder,
    changed_since: &mut Vec<(Name, Rtype)>,
) -> Result<(), ChangesError> {
    let find = |rtype: Rtype| here.iter().copied().find(|rrset| rrset.rtype() == rtype);
    let mut back = Vec::new();
    for change in made {
        let served = find(change.rtype());
        if served == change.addition() {
            back.push(change);
        } else if served != change.deletion() {
            changed_since.push((change.owner().to_owned(), change.rtype()));
        }
    }
    // What would be there together afterwards must not conflict: a CNAME stands alone.
    let goes = |rtype: Rtype| {
        back.iter()
            .any(|change| change.rtype() == rtype && change.deletion().is_none())
    };
    let stays = here.iter().map(|rrset| rrset.rtype());
    let stays = stays.filter(|rtype| !goes(*rtype)).collect::<Vec<_>>();
    let conflicts = |change: &Change<'_>| {
        let others = stays.iter().filter(|rtype| **rtype != change.rtype());
        change.addition().is_none()
            && match change.rtype() {
                Rtype::CNAME => others.clone().any(|rtype| !rtype.is_signer_made(false)),
                rtype if rtype.is_signer_made(false) => false,
                _ => others.clone().any(|rtype| *rtype == Rtype::CNAME),
            }
    };
    let is_blocked = back.iter().any(|change| conflicts(change));
    for change in back {
        // All of an owner or nothing: half of a change of a CNAME would leave nothing there.
        if is_blocked {
            changed_since.push((change.owner().to_owned(), change.rtype()));
            continue;
        }
        if let Some(rrset) = change.addition() {
            builder.deletions().push_ref(rrset)?;
        }
        if let Some(rrset) = change.deletion() {
            builder.additions().push_ref(rrset)?;
        }
    }
    Ok(())
}

/// The plan that goes the way back from `actual` on `route`, within `scope`.
#[must_use]
pub fn plan(
    way_back: &WayBack,
    actual: &ActualZone,
    route: &Arc<Route>,
    scope: &Scope,
) -> PlannedZone {
    let changes = way_back.changes.clone();
    let scope = ZoneScope::new(scope, actual.apex());
    let survey = Survey::of(actual, &changes, &scope, &[]);
    let after = changes.apply(actual).ok();
    let mut planned = PlannedZone::new(changes, Arc::clone(route));
    // What it ought to hold is what it held before. Later runs compare their desired zones with that,
    // and in those there is nothing that a signer makes.
    planned.desired = after.as_ref().map_or(survey.comparable, |after| {
        let apex = after.apex();
        let desired = |rrset: &RrsetRef<'_>| !rrset.rtype().is_signer_made(rrset.owner() == apex);
        after.rrsets().filter(desired).count()
    });
    planned.digests = after.map(|after| Digests {
        desired: digests::of_actual(&after),
        actual: Some(digests::of_actual(actual)),
    });
    planned.actual = Some(survey);
    scope.limit(&mut planned);
    planned
}

#[cfg(test)]
mod tests;
