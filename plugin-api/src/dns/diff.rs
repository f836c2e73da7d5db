//! What has to change so that what is served becomes what is desired.

use super::change::{Action, Change};
use super::changes::{Changes, ChangesWriter};
use super::name::{Name, NameRef};
use super::rrset::RrsetRef;
use super::rtype::Rtype;
use super::zone::{ActualZone, DesiredZone, Rrsets, Zone};

/// Which RRsets a comparison leaves alone.
///
/// By default SOA and NS at the apex, which belong to the primary, and what a
/// signer makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftAlone {
    /// The SOA RRset at the apex.
    pub apex_soa: bool,
    /// The NS RRset at the apex.
    pub apex_ns: bool,
    /// RRSIG, NSEC, NSEC3 and NSEC3PARAM; at the apex also DNSKEY, CDS, CDNSKEY,
    /// ZONEMD and TYPE65534.
    pub signer_made: bool,
}

impl Default for LeftAlone {
    fn default() -> Self {
        Self {
            apex_soa: true,
            apex_ns: true,
            signer_made: true,
        }
    }
}

/// Why an RRset is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    AtApex,
    SignerMade,
}

impl LeftAlone {
    /// Leaves nothing alone.
    pub const NOTHING: Self = Self {
        apex_soa: false,
        apex_ns: false,
        signer_made: false,
    };

    /// Returns whether RRsets of this type are left alone at `owner`.
    #[must_use]
    pub fn contains(&self, owner: NameRef<'_>, rtype: Rtype, apex: NameRef<'_>) -> bool {
        self.reason(owner == apex, rtype).is_some()
    }

    const fn reason(self, at_apex: bool, rtype: Rtype) -> Option<Reason> {
        match rtype {
            Rtype::SOA if at_apex && self.apex_soa => Some(Reason::AtApex),
            Rtype::NS if at_apex && self.apex_ns => Some(Reason::AtApex),
            _ if self.signer_made && rtype.is_signer_made(at_apex) => Some(Reason::SignerMade),
            _ => None,
        }
    }
}

/// Returns the changes that turn `actual` into `desired`.
///
/// RRsets are equal if owner, type, TTL and the set of rdata are. An RRset that
/// differs in TTL or rdata is one update. What is `left_alone` is not changed,
/// and the differences there are counted.
///
/// If nothing is desired, nothing changes: an authority that failed and a zone that
/// is really empty look the same from here.
///
/// If `desired` is incomplete, and at the owners it holds, RRsets are only added,
/// and only those that do not conflict with what is served: another RRset of the
/// type, a CNAME, or for a CNAME any other data. At the owners that `actual` holds
/// nothing is changed: what is there besides its RRsets nobody knows.
///
/// Takes one pass over both zones and does not allocate for each RRset.
///
/// # Errors
///
/// [`DiffError::Apex`] if the zones are not the same, [`DiffError::TooLarge`] if
/// the changes do not fit into one buffer.
pub fn diff(
    desired: &DesiredZone,
    actual: &ActualZone,
    left_alone: &LeftAlone,
) -> Result<Changes, DiffError> {
    if desired.apex() != actual.apex() {
        return Err(DiffError::Apex {
            desired: desired.apex().to_owned(),
            actual: actual.apex().to_owned(),
        });
    }
    let is_left_alone = |rrset: RrsetRef<'_>| {
        let at_apex = rrset.is_owned_by(desired.apex().as_wire());
        left_alone.reason(at_apex, rrset.rtype()).is_some()
    };
    if desired.rrsets().all(is_left_alone) {
        let mut writer = ChangesWriter::new();
        for rrset in actual.rrsets() {
            writer.counts.nothing_desired += u32::from(!is_left_alone(rrset));
        }
        return finish(writer, desired.apex());
    }
    compare(desired, actual, *left_alone, desired.is_complete())
}

/// Why two zones cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiffError {
    /// The zones are not the same.
    #[error("cannot compare zone `{desired}` with zone `{actual}`")]
    Apex {
        /// The apex of the desired zone.
        desired: Name,
        /// The apex of the actual zone.
        actual: Name,
    },
    /// A set of changes is one buffer of at most 4 GiB.
    #[error("cannot compare zone `{apex}`: the changes have more than 4294967295 octets")]
    TooLarge {
        /// The zone.
        apex: Name,
    },
}

/// Compares the RRsets of two zones with one apex.
pub(crate) fn compare(
    desired: &Zone,
    actual: &Zone,
    left_alone: LeftAlone,
    complete: bool,
) -> Result<Changes, DiffError> {
    let mut pass = Pass {
        apex: desired.apex(),
        left_alone,
        writer: ChangesWriter::new(),
        changes: Vec::new(),
    };
    let mut held = desired.held().peekable();
    let mut held_by_actual = actual.held().peekable();
    let mut sides = Sides {
        desired: desired.rrsets(),
        actual: actual.rrsets(),
    };
    while let Some(owner) = sides.next_difference(&mut pass.writer.counts.unchanged) {
        while held.next_if(|held| *held < owner).is_some() {}
        while held_by_actual.next_if(|held| *held < owner).is_some() {}
        let may = if held_by_actual.peek() == Some(&owner) {
            May::Nothing
        } else if held.peek() == Some(&owner) {
            May::AddToHeld
        } else if complete {
            May::All
        } else {
            May::AddToIncomplete
        };
        pass.owner(owner, may, &mut sides);
    }
    finish(pass.writer, desired.apex())
}

fn finish(writer: ChangesWriter, apex: NameRef<'_>) -> Result<Changes, DiffError> {
    let apex = apex.to_owned();
    if writer.fits() {
        Ok(writer.finish(apex))
    } else {
        Err(DiffError::TooLarge { apex })
    }
}

/// What is left of the two zones.
#[derive(Clone)]
struct Sides<'a> {
    desired: Rrsets<'a>,
    actual: Rrsets<'a>,
}

impl<'a> Sides<'a> {
    /// Goes to the next owner at which the sides differ, and counts what it passes.
    ///
    /// Most RRsets are equal and are passed by one comparison of octets. Where the
    /// first difference at an owner is not its first RRset, it goes back to that one.
    fn next_difference(&mut self, unchanged: &mut u32) -> Option<NameRef<'a>> {
        let mut owner: Option<NameRef<'_>> = None;
        let mut first = self.clone();
        let mut passed = 0;
        loop {
            let (desired, actual) = match (self.desired.peek(), self.actual.peek()) {
                (Some(desired), Some(actual)) if desired == actual => (desired, actual),
                (desired, actual) => {
                    let differing = [desired, actual].into_iter().flatten();
                    let next = differing.map(RrsetRef::owner).min();
                    if next.is_some() && next == owner {
                        *self = first;
                    } else {
                        *unchanged += passed;
                    }
                    return next;
                }
            };
            if !owner.is_some_and(|owner| actual.is_owned_by(owner.as_wire())) {
                owner = Some(actual.owner());
                first = self.clone();
                *unchanged += passed;
                passed = 0;
            }
            passed += 1;
            self.desired.pass(desired);
            self.actual.pass(actual);
        }
    }
}

/// What may be done at an owner.
#[derive(Clone, Copy, PartialEq, Eq)]
enum May {
    All,
    /// Only add, as the desired zone is incomplete.
    AddToIncomplete,
    /// Only add, as the desired zone holds the owner.
    AddToHeld,
    /// The actual zone holds the owner.
    Nothing,
}

/// One comparison.
struct Pass<'a> {
    apex: NameRef<'a>,
    left_alone: LeftAlone,
    writer: ChangesWriter,
    /// The changes at one owner, by type.
    changes: Vec<Change<'a>>,
}

impl<'a> Pass<'a> {
    /// Compares the RRsets at one owner and leaves `sides` behind them.
    fn owner(&mut self, owner: NameRef<'a>, may: May, sides: &mut Sides<'a>) {
        self.changes.clear();
        let at_apex = owner == self.apex;
        let is_here = |rrset: &RrsetRef<'_>| rrset.is_owned_by(owner.as_wire());
        let mut served = Served::default();
        loop {
            let desired = sides.desired.peek().filter(is_here);
            let actual = sides.actual.peek().filter(is_here);
            let rtypes = (desired.map(RrsetRef::rtype), actual.map(RrsetRef::rtype));
            let (rtype, change) = match (desired, actual, rtypes) {
                (None, None, _) => break,
                (Some(desired), Some(actual), (left, right)) if left == right => {
                    sides.desired.pass(desired);
                    sides.actual.pass(actual);
                    served.note(actual.rtype(), at_apex);
                    if desired == actual {
                        self.writer.counts.unchanged += 1;
                        continue;
                    }
                    let (deletion, addition) = (actual, desired);
                    (actual.rtype(), Change::Update { deletion, addition })
                }
                (Some(desired), _, (left, right)) if right.is_none() || left < right => {
                    sides.desired.pass(desired);
                    (desired.rtype(), Change::Addition(desired))
                }
                (_, Some(actual), _) => {
                    sides.actual.pass(actual);
                    served.note(actual.rtype(), at_apex);
                    (actual.rtype(), Change::Deletion(actual))
                }
                (Some(_), None, _) => break,
            };
            let counts = &mut self.writer.counts;
            match self.left_alone.reason(at_apex, rtype) {
                Some(Reason::AtApex) => counts.left_alone_at_apex += 1,
                Some(Reason::SignerMade) => counts.left_alone_signer_made += 1,
                None => self.changes.push(change),
            }
        }
        if may != May::All {
            self.leave_out(may, served);
        }
        self.writer.push_owner(&self.changes);
    }

    /// Leaves out what does more than it may, and what would conflict.
    fn leave_out(&mut self, may: May, served: Served) {
        let counts = &mut self.writer.counts;
        let (additions, updates, deletions) = if may == May::AddToIncomplete {
            let additions = &mut counts.incomplete_additions;
            let updates = &mut counts.incomplete_updates;
            (additions, updates, &mut counts.incomplete_deletions)
        } else {
            let additions = &mut counts.held_additions;
            let updates = &mut counts.held_updates;
            (additions, updates, &mut counts.held_deletions)
        };
        let may_add = |rtype| may != May::Nothing && !served.conflicts_with(rtype);
        self.changes.retain(|change| {
            let left_out = match change.action() {
                Action::Addition if may_add(change.rtype()) => return true,
                Action::Addition => &mut *additions,
                Action::Update => &mut *updates,
                Action::Deletion => &mut *deletions,
            };
            *left_out += 1;
            false
        });
    }
}

/// What is there already at one owner, as far as it can conflict.
#[derive(Clone, Copy, Default)]
pub(crate) struct Served {
    cname: bool,
    /// Anything that may not stand beside a CNAME.
    data: bool,
}

impl Served {
    pub(crate) fn note(&mut self, rtype: Rtype, at_apex: bool) {
        self.cname |= rtype == Rtype::CNAME;
        self.data |= rtype != Rtype::CNAME
            && !rtype.may_stand_beside_cname()
            && !rtype.is_signer_made(at_apex);
    }

    /// Returns whether an RRset of another type cannot be added to what is there.
    pub(crate) const fn conflicts_with(self, rtype: Rtype) -> bool {
        match rtype {
            Rtype::CNAME => self.data,
            _ => self.cname && !rtype.may_stand_beside_cname(),
        }
    }
}

#[cfg(test)]
mod tests;
