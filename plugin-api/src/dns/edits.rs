//! What becomes of a zone, RR by RR, as an incremental transfer tells it.

use std::ops::Range;

use super::apply::Place;
use super::check::BufferFault;
use super::name::{Name, NameRef};
use super::rdata::{self, RdataError};
use super::rrset::{OWNER, RDATA_COUNT, Rr, RrsetRef, Ttl, read_u32};
use super::rtype::Rtype;

/// RRs deleted from a zone and added to it, in the order in which that happened.
///
/// An RR that is added and deleted again leaves no trace, so the edits of many
/// steps (RFC 1995, section 4) cost no more than what they come to.
///
/// Edits are strict. What is deleted must be there with that TTL, what is added must
/// not be there with another one, and in the end an RRset has one TTL; the RRs of an
/// RRSIG RRset each have the one that stands in their rdata (RFC 4034, section
/// 3.1.4). Anything else means that the zone is not the one that the edits were made
/// to. So the zone must tell the TTL of every RR:
/// [`ZoneBuilder::tells_ttls`](super::ZoneBuilder::tells_ttls).
///
/// A zone that holds owners cannot be edited: nobody knows what all is there.
///
/// To add what is there changes nothing. NSD 4.6 sends such additions, and whatever
/// was there before, there is no doubt about what is there after them.
pub struct Edits<'a> {
    apex: NameRef<'a>,
    images: Vec<Image<'a>>,
    steps: Vec<Step<'a>>,
}

/// What a whole RRset is after an earlier revision: an entry, or one without rdata.
#[derive(Clone, Copy)]
struct Image<'a>(&'a [u8]);

/// One RR that is deleted or added.
struct Step<'a> {
    owner: NameRef<'a>,
    rtype: Rtype,
    rdata: &'a [u8],
    ttl: Ttl,
    adds: bool,
}

impl<'a> Edits<'a> {
    /// Starts with no edits to the zone at `apex`.
    #[must_use]
    pub const fn new(apex: NameRef<'a>) -> Self {
        Self {
            apex,
            images: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// Takes over what an earlier revision did: its [`Revised::images`](super::Revised::images).
    ///
    /// Those of several revisions are given oldest first. They count as done before
    /// any RR is deleted or added. The caller promises that the octets are what the
    /// revision gave out, as for [`ActualZone::restored`](super::ActualZone::restored).
    pub fn repeat(&mut self, images: &'a [u8]) {
        let mut rest = images;
        while !rest.is_empty() {
            let image = RrsetRef::trusted_prefix(rest).octets();
            rest = &rest[image.len()..];
            self.images.push(Image(image));
        }
    }

    /// Deletes an RR; the names in its rdata are uncompressed and canonical.
    ///
    /// # Errors
    ///
    /// [`EditFault`] if the RR cannot be part of the zone.
    pub fn delete(&mut self, rr: Rr<'a>) -> Result<(), EditFault> {
        self.step(rr, false)
    }

    /// Adds an RR; the names in its rdata are uncompressed and canonical.
    ///
    /// # Errors
    ///
    /// [`EditFault`] if the RR cannot be part of the zone.
    pub fn add(&mut self, rr: Rr<'a>) -> Result<(), EditFault> {
        self.step(rr, true)
    }

    fn step(&mut self, rr: Rr<'a>, adds: bool) -> Result<(), EditFault> {
        let Rr {
            owner,
            rtype,
            ttl,
            rdata,
        } = rr;
        if !owner.is_at_or_below(self.apex) {
            return Err(EditFault::OutOfZone(owner.to_owned()));
        }
        let place = || place(owner, rtype);
        if rtype.is_meta() {
            return Err(EditFault::MetaType(place()));
        }
        rdata::check(rtype, rdata).map_err(|source| EditFault::Rdata {
            place: place(),
            source,
        })?;
        self.steps.push(Step {
            owner,
            rtype,
            rdata,
            ttl,
            adds,
        });
        Ok(())
    }

    /// Puts together what the edits come to, in canonical order.
    ///
    /// # Errors
    ///
    /// [`EditFault`] if what happens to an RR cannot happen one after the other.
    pub(super) fn compose(mut self) -> Result<Composed<'a>, EditFault> {
        // Both sorts are stable, so the order of equal keys is the order of time; and quick where a
        // server sends its differences sorted.
        self.images
            .sort_by(|one, other| one.key().cmp(&other.key()));
        self.steps.sort_by(|one, other| {
            let rtypes = one.rtype.cmp(&other.rtype);
            let owners = one.owner.cmp(&other.owner);
            owners.then(rtypes).then_with(|| one.rdata.cmp(other.rdata))
        });
        let latest = self.images.chunk_by(|one, next| one.key() == next.key());
        let mut images = latest.filter_map(|images| images.last()).peekable();
        let mut composed = Composed {
            growth: self.images.iter().map(|image| image.0.len()).sum(),
            ..Composed::default()
        };
        for steps in self.steps.chunk_by(|one, next| one.key() == next.key()) {
            let key = steps[0].key();
            while let Some(image) = images.next_if(|image| image.key() < key) {
                composed.push(*image);
            }
            let image = images.next_if(|image| image.key() == key);
            composed.push_steps(steps, image)?;
        }
        images.for_each(|image| composed.push(*image));
        Ok(composed)
    }
}

impl<'a> Image<'a> {
    fn key(self) -> (NameRef<'a>, Rtype) {
        let entry = RrsetRef::trusted(self.0);
        (entry.owner(), entry.rtype())
    }
}

impl<'a> Step<'a> {
    const fn key(&self) -> (NameRef<'a>, Rtype) {
        (self.owner, self.rtype)
    }
}

/// What edits come to: RRset by RRset in canonical order, each once.
#[derive(Default)]
pub(super) struct Composed<'a> {
    pub(super) edits: Vec<Edit<'a>>,
    rrs: Vec<RrEdit<'a>>,
    /// No zone grows by more octets than these.
    pub(super) growth: usize,
}

/// What becomes of one RRset.
#[derive(Clone)]
pub(super) struct Edit<'a> {
    pub(super) owner: NameRef<'a>,
    pub(super) rtype: Rtype,
    /// What stands in place of the RRset before its RRs are edited.
    image: Option<&'a [u8]>,
    rrs: Range<usize>,
}

/// What becomes of one RR.
pub(super) struct RrEdit<'a> {
    pub(super) rdata: &'a [u8],
    /// The TTL that it had if it was there.
    pub(super) before: Ttl,
    /// Whether it must have been there.
    pub(super) was_there: bool,
    pub(super) after: Option<Ttl>,
}

impl<'a> Composed<'a> {
    fn push(&mut self, image: Image<'a>) {
        let (owner, rtype) = image.key();
        let end = self.rrs.len();
        self.edits.push(Edit {
            owner,
            rtype,
            image: Some(image.0),
            rrs: end..end,
        });
    }

    /// Pushes what happens to one RRset, its steps sorted by rdata.
    fn push_steps(
        &mut self,
        steps: &[Step<'a>],
        image: Option<&Image<'a>>,
    ) -> Result<(), EditFault> {
        let (owner, rtype) = steps[0].key();
        let start = self.rrs.len();
        self.growth += OWNER + owner.as_wire().len();
        for steps in steps.chunk_by(|one, next| one.rdata == next.rdata) {
            self.growth += 2 + steps[0].rdata.len();
            self.rrs.push(RrEdit::of(steps)?);
        }
        self.edits.push(Edit {
            owner,
            rtype,
            image: image.map(|image| image.0),
            rrs: start..self.rrs.len(),
        });
        Ok(())
    }

    pub(super) fn rrs(&self, edit: &Edit<'_>) -> &[RrEdit<'a>] {
        &self.rrs[edit.rrs.clone()]
    }
}

impl<'a> Edit<'a> {
    pub(super) fn key(&self) -> (NameRef<'a>, Rtype) {
        (self.owner, self.rtype)
    }

    pub(super) fn place(&self) -> Place {
        place(self.owner, self.rtype)
    }

    /// Returns the RRset whose RRs are edited, `old` being what the zone has.
    pub(super) fn base<'b>(&self, old: Option<&'b [u8]>) -> Option<RrsetRef<'b>>
    where
        'a: 'b,
    {
        let entry = match self.image {
            Some(image) if read_u32(image, RDATA_COUNT) == 0 => None,
            Some(image) => Some(image),
            None => old,
        };
        entry.map(RrsetRef::trusted)
    }
}

impl<'a> RrEdit<'a> {
    /// Puts together what happens to one RR, in the order of time.
    fn of(steps: &[Step<'a>]) -> Result<Self, EditFault> {
        let first = &steps[0];
        let mut edit = Self {
            rdata: first.rdata,
            before: first.ttl,
            was_there: !first.adds,
            after: Some(first.ttl),
        };
        for step in steps {
            let place = || place(step.owner, step.rtype);
            edit.after = match (step.adds, edit.after) {
                (true, Some(ttl)) if ttl != step.ttl => return Err(EditFault::AddedTtl(place())),
                (false, Some(ttl)) if ttl != step.ttl => {
                    return Err(EditFault::DeletedTtl(place()));
                }
                (false, None) => return Err(EditFault::NotThere(place())),
                (true, _) => Some(step.ttl),
                (false, Some(_)) => None,
            };
        }
        Ok(edit)
    }
}

fn place(owner: NameRef<'_>, rtype: Rtype) -> Place {
    Place {
        owner: owner.to_owned(),
        rtype,
    }
}

/// Edits do not fit the zone that they are made to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditFault {
    /// The owner is not at or below the apex.
    #[error("`{0}` is outside the zone")]
    OutOfZone(Name),
    /// The type is never zone data.
    #[error("an RR {0} is never zone data")]
    MetaType(Place),
    /// The rdata is not of its type, or not in canonical form.
    #[error("cannot accept an RR {place}")]
    Rdata {
        /// Owner and type.
        place: Place,
        /// What is wrong with the rdata.
        source: RdataError,
    },
    /// What is deleted is not there.
    #[error("an RR {0} is deleted that is not there")]
    NotThere(Place),
    /// What is deleted is there with another TTL.
    #[error("an RR {0} is deleted with a TTL that it does not have")]
    DeletedTtl(Place),
    /// What is added is there with another TTL.
    #[error("an RR {0} is added that is there with another TTL")]
    AddedTtl(Place),
    /// An RRset would not tell the TTL of each RR.
    #[error("the RRs {0} would have TTLs that the zone cannot tell")]
    Ttls(Place),
    /// The zone does not fit into one buffer.
    #[error("the zone would have more than 4294967295 octets")]
    TooLarge,
    /// What was taken as the zone is none.
    #[error("what is edited is not a zone")]
    Zone(#[from] BufferFault),
}
