//! Holds changes against the zone they are made to.

use super::change::{Action, Change};
use super::changes::{Changes, OwnerChanges};
use super::diff::LeftAlone;
use super::name::Name;
use super::rrset::RrsetRef;
use super::rtype::Rtype;
use super::succession::Search;
use super::zone::{ActualZone, Rrsets};
use super::zone_writer::ZoneWriter;

impl Changes {
    /// Checks that the changes fit what is served.
    ///
    /// Every RRset deleted must be there exactly as it is deleted, an RRset that is
    /// only added must not be there, and nothing `left_alone` may be touched, nor any
    /// owner that the actual zone holds.
    ///
    /// # Errors
    ///
    /// [`ChangeFault`] at the first change that does not fit.
    pub fn verify(&self, actual: &ActualZone, left_alone: &LeftAlone) -> Result<(), ChangeFault> {
        self.verify_each(actual, |change| {
            left_alone.contains(change.owner(), change.rtype(), self.apex())
        })
    }

    fn verify_each(
        &self,
        actual: &ActualZone,
        is_left_alone: impl Fn(Change<'_>) -> bool,
    ) -> Result<(), ChangeFault> {
        if self.apex() != actual.apex() {
            return Err(ChangeFault::Apex {
                changes: self.apex().to_owned(),
                actual: actual.apex().to_owned(),
            });
        }
        let mut served = actual.rrsets();
        let mut held = actual.held().peekable();
        let mut search = Search::new();
        for owner in self.owners_in_zone_order() {
            while held.next_if(|held| *held < owner.owner).is_some() {}
            let is_held = held.peek() == Some(&owner.owner);
            search.aim(owner.owner.as_wire());
            served.pass_while(|rrset| search.is_before(rrset.owner_and_rdata()));
            for action in Action::ALL {
                let mut here = served.clone();
                let changes = owner.changes.clone();
                for change in changes.filter(|change| change.action() == action) {
                    if is_left_alone(change) {
                        return Err(ChangeFault::LeftAlone(Place::of(change)));
                    }
                    if is_held {
                        return Err(ChangeFault::Held(Place::of(change)));
                    }
                    let served = find(&mut here, &owner, change.rtype());
                    match (change.deletion(), served) {
                        (None, None) => {}
                        (None, Some(_)) => return Err(ChangeFault::Served(Place::of(change))),
                        (deletion, served) if deletion == served => {}
                        _ => return Err(ChangeFault::NotServed(Place::of(change))),
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns the zone as it is when all changes have been made.
    ///
    /// # Errors
    ///
    /// As [`Self::verify`] with nothing left alone, and
    /// [`ChangeFault::TooLarge`] if the zone does not fit into one buffer.
    pub fn apply(&self, actual: &ActualZone) -> Result<ActualZone, ChangeFault> {
        self.verify_each(actual, |_| false)?;
        let mut served = actual.rrsets();
        let mut search = Search::new();
        let mut zone = ZoneWriter::with_capacity(actual.octets().len());
        let mut here: Vec<RrsetRef<'_>> = Vec::new();
        let mut deleted: Vec<Rtype> = Vec::new();
        for owner in self.owners_in_zone_order() {
            search.aim(owner.owner.as_wire());
            let before = served.pass_while(|rrset| search.is_before(rrset.owner_and_rdata()));
            zone.push_all(before);
            here.clear();
            here.extend(served.pass_while(|rrset| rrset.is_owned_by(owner.owner.as_wire())));
            let served_here = here.len();
            here.extend(owner.changes.clone().filter_map(Change::addition));
            // Deletions, then updates: two runs, each by type.
            deleted.clear();
            let deletions = owner.changes.filter_map(Change::deletion);
            deleted.extend(deletions.map(RrsetRef::rtype));
            deleted.sort_unstable();
            let mut left_to_look_at = served_here;
            here.retain(|rrset| {
                let was_served = left_to_look_at > 0;
                left_to_look_at = left_to_look_at.saturating_sub(1);
                !(was_served && deleted.binary_search(&rrset.rtype()).is_ok())
            });
            here.sort_unstable_by_key(|rrset| rrset.rtype());
            here.iter().for_each(|rrset| zone.push(*rrset));
        }
        zone.push_all(served);
        let held: Vec<_> = actual.held().collect();
        zone.finish_actual(actual.apex().to_owned(), &held)
            .ok_or_else(|| ChangeFault::TooLarge {
                apex: actual.apex().to_owned(),
            })
    }
}

/// Passes what is served at this owner up to a type, and returns the RRset of it.
fn find<'a>(
    served: &mut Rrsets<'a>,
    owner: &OwnerChanges<'_>,
    rtype: Rtype,
) -> Option<RrsetRef<'a>> {
    let is_here = |rrset: &RrsetRef<'_>| rrset.is_owned_by(owner.owner.as_wire());
    while let Some(rrset) = served.peek().filter(is_here) {
        if rrset.rtype() >= rtype {
            return (rrset.rtype() == rtype).then_some(rrset);
        }
        served.pass(rrset);
    }
    None
}

/// A change does not fit what is served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeFault {
    /// The changes are to another zone.
    #[error("the changes to zone `{changes}` do not fit zone `{actual}`")]
    Apex {
        /// The apex of the zone that is changed.
        changes: Name,
        /// The apex of the zone that is served.
        actual: Name,
    },
    /// What is deleted is not served, or not in that form.
    #[error("the change deletes {0} in a form that is not served")]
    NotServed(Place),
    /// What is added is served already.
    #[error("the change adds {0}, which is served already")]
    Served(Place),
    /// What is changed is left alone.
    #[error("the change touches {0}, which is left alone")]
    LeftAlone(Place),
    /// The actual zone holds the owner.
    #[error("the change touches {0}, an owner that the actual zone holds")]
    Held(Place),
    /// The zone does not fit into one buffer of at most 4 GiB.
    #[error("cannot change zone `{apex}`: it would have more than 4294967295 octets")]
    TooLarge {
        /// The zone.
        apex: Name,
    },
}

/// Owner and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The owner.
    pub owner: Name,
    /// The type.
    pub rtype: Rtype,
}

impl Place {
    fn of(change: Change<'_>) -> Self {
        Self {
            owner: change.owner().to_owned(),
            rtype: change.rtype(),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of `{}`", self.rtype, self.owner)
    }
}

#[cfg(test)]
mod tests;
