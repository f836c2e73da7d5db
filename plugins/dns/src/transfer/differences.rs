//! Differences between two versions of a zone, step by step.

use janitor_plugin_api::dns::{BuildError, Name, NameRef, Rr, Rtype, Serial, Ttl, rdata};

use super::Progress;
use super::fault::Reason;
use super::record::Record;
use super::whole::Soa;

/// What was deleted from a zone and added to it since a serial, in canonical wire form.
///
/// Each step leads from one version to the next, its first deletion being the SOA of the one and its first addition
/// the SOA of the other. The records of a step are in the order of the server, which may be any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Differences {
    steps: Vec<StepPlace>,
    /// Records: `u16 type | u32 TTL | u8 octets of the owner | u16 octets of the rdata | owner | rdata`.
    octets: Vec<u8>,
}

/// Where the records of a step are: its additions end where the next step, or everything, does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StepPlace {
    from: Serial,
    to: Serial,
    deleted: usize,
    added: usize,
}

/// One step of [`Differences`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'a> {
    pub(crate) from: Serial,
    pub(crate) to: Serial,
    deleted: &'a [u8],
    added: &'a [u8],
}

impl Differences {
    /// Returns the serial of the version that the differences start from.
    pub(crate) fn from(&self) -> Serial {
        self.steps.first().expect("there is a step").from
    }

    /// Returns the serial of the version that they lead to.
    pub(crate) fn to(&self) -> Serial {
        self.steps.last().expect("there is a step").to
    }

    /// Returns the steps in the order in which they are to be applied; there is at least one.
    pub(crate) fn steps(&self) -> impl ExactSizeIterator<Item = Step<'_>> {
        self.steps.iter().enumerate().map(|(index, place)| {
            let next = self.steps.get(index + 1);
            let end = next.map_or(self.octets.len(), |next| next.deleted);
            Step {
                from: place.from,
                to: place.to,
                deleted: &self.octets[place.deleted..place.added],
                added: &self.octets[place.added..end],
            }
        })
    }

    /// Returns the number of octets that all records take.
    pub(crate) fn octets(&self) -> usize {
        self.octets.len()
    }
}

impl<'a> Step<'a> {
    /// Returns the records deleted, the old SOA first.
    pub(crate) fn deleted(self) -> impl Iterator<Item = Rr<'a>> {
        rrs(self.deleted)
    }

    /// Returns the records added, the new SOA first.
    pub(crate) fn added(self) -> impl Iterator<Item = Rr<'a>> {
        rrs(self.added)
    }
}

fn rrs(octets: &[u8]) -> impl Iterator<Item = Rr<'_>> {
    let mut rest = octets;
    std::iter::from_fn(move || {
        let (&[r0, r1, t0, t1, t2, t3, owner, d0, d1], tail) = rest.split_first_chunk()?;
        let (owner, tail) = tail.split_at(usize::from(owner));
        let (rdata, tail) = tail.split_at(usize::from(u16::from_be_bytes([d0, d1])));
        rest = tail;
        Some(Rr {
            owner: NameRef::from_canonical_wire(owner).expect("it was checked when it was written"),
            rtype: Rtype(u16::from_be_bytes([r0, r1])),
            ttl: Ttl::from_secs(u32::from_be_bytes([t0, t1, t2, t3])).unwrap_or_default(),
            rdata,
        })
    })
}

/// Differences as they arrive, from the second SOA of the answer on.
pub(super) struct Steps {
    apex: Name,
    /// The SOA that the answer began with and must end with.
    last: Soa,
    /// The SOA of the version that the open step leads to, once its deletions are over.
    next: Option<Soa>,
    differences: Differences,
    most: usize,
    is_done: bool,
}

impl Steps {
    /// Starts the first step, with the SOA `old`, on the way to the SOA `last`; all records may take `most` octets.
    pub(super) fn new(apex: &Name, last: Soa, old: Soa, most: usize) -> Result<Self, Reason> {
        let mut steps = Self {
            apex: apex.clone(),
            last,
            next: None,
            differences: Differences {
                steps: Vec::new(),
                octets: Vec::new(),
            },
            most,
            is_done: false,
        };
        steps.start(&old)?;
        Ok(steps)
    }

    /// Takes the next record.
    pub(super) fn take(&mut self, record: &Record<'_>) -> Result<Progress, Reason> {
        if self.is_done {
            return Err(Reason::AfterEnd);
        }
        if record.rtype != Rtype::SOA {
            self.push(record)?;
            return Ok(Progress::More);
        }
        let soa = Soa::of(record, &self.apex)?;
        let Some(next) = self.next.take() else {
            self.begin_additions(soa)?;
            return Ok(Progress::More);
        };
        if soa.serial != next.serial {
            return Err(Reason::OtherSerial {
                expected: next.serial,
                given: soa.serial,
            });
        }
        soa.check_against(&next)?;
        if soa.serial == self.last.serial {
            soa.check_against(&self.last)?;
            self.is_done = true;
            return Ok(Progress::Done);
        }
        self.start(&soa)?;
        Ok(Progress::More)
    }

    /// Returns the differences, if they have come to their end.
    pub(super) fn finish(self) -> Result<Differences, Reason> {
        if self.is_done {
            Ok(self.differences)
        } else {
            Err(Reason::MissingLastSoa)
        }
    }

    fn start(&mut self, old: &Soa) -> Result<(), Reason> {
        let at = self.differences.octets.len();
        self.differences.steps.push(StepPlace {
            from: old.serial,
            to: old.serial,
            deleted: at,
            added: at,
        });
        self.push_soa(old)
    }

    fn begin_additions(&mut self, new: Soa) -> Result<(), Reason> {
        let at = self.differences.octets.len();
        let step = self.differences.steps.last_mut().expect("a step is open");
        step.to = new.serial;
        step.added = at;
        self.push_soa(&new)?;
        self.next = Some(new);
        Ok(())
    }

    fn push_soa(&mut self, soa: &Soa) -> Result<(), Reason> {
        let apex = self.apex.clone();
        self.push(&Record {
            owner: apex.as_wire(),
            rtype: Rtype::SOA,
            ttl: soa.ttl,
            rdata: &soa.rdata,
        })
    }

    fn push(&mut self, record: &Record<'_>) -> Result<(), Reason> {
        let &Record {
            owner,
            rtype,
            ttl,
            rdata,
        } = record;
        let octets = &mut self.differences.octets;
        let most = self.most;
        if octets.len() + 9 + owner.len() + rdata.len() > most {
            return Err(Reason::TooManyDifferences { most });
        }
        let (Ok(owner_octets), Ok(rdata_octets)) =
            (u8::try_from(owner.len()), u16::try_from(rdata.len()))
        else {
            unreachable!("the lengths of a record in a message fit");
        };
        octets.extend_from_slice(&rtype.0.to_be_bytes());
        octets.extend_from_slice(&ttl.as_secs().to_be_bytes());
        octets.push(owner_octets);
        octets.extend_from_slice(&rdata_octets.to_be_bytes());
        let start = octets.len();
        octets.extend_from_slice(owner);
        octets[start..].make_ascii_lowercase();
        let apex = &self.apex;
        let owner = NameRef::from_canonical_wire(&octets[start..]).map_err(|source| {
            let apex = apex.clone();
            Reason::Record(BuildError::OwnerWire { apex, source })
        })?;
        let owned = || owner.to_owned();
        if !owner.is_at_or_below(apex.as_ref()) {
            let (owner, apex) = (owned(), apex.clone());
            return Err(Reason::Record(BuildError::OutOfZone { owner, apex }));
        }
        if rtype.is_meta() {
            let owner = owned();
            return Err(Reason::Record(BuildError::MetaType { owner, rtype }));
        }
        let start = octets.len();
        octets.extend_from_slice(rdata);
        rdata::canonicalise(rtype, &mut octets[start..]).map_err(|source| {
            Reason::Record(BuildError::Rdata {
                owner: Name::from_wire(record.owner).unwrap_or_else(|_| apex.clone()),
                rtype,
                source,
            })
        })
    }
}
