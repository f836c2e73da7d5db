//! A whole zone out of the RRs between its two SOA.

use janitor_plugin_api::dns::{
    ActualZone, BuildError, Name, Rtype, Serial, Ttl, ZoneBuilder, rdata,
};

use super::Progress;
use super::fault::{Reason, TransferFault};
use super::record::{Answer, Record, Scratch};

/// A zone that was transferred as a whole.
#[derive(Debug)]
pub(crate) struct Transferred {
    pub(crate) zone: ActualZone,
    /// The serial of its SOA.
    pub(crate) serial: Serial,
    /// RRs of the answer, the last SOA not counted again.
    pub(crate) records: u64,
    /// RRsets whose RRs had several TTLs; the lowest was taken (RFC 2181, section 5.2).
    pub(crate) ttl_conflicts: usize,
    /// Whether the zone tells the TTL that each RR had, as [`ZoneBuilder::tells_ttls`] has it.
    pub(crate) tells_ttls: bool,
    /// Messages of the answer, and their octets.
    pub(crate) messages: u32,
    pub(crate) octets: u64,
}

impl Transferred {
    /// Returns how many RRs were there more than once.
    pub(crate) fn duplicates(&self) -> u64 {
        self.records - self.zone.rr_count() as u64
    }
}

/// How much of an answer was taken, and the fault that ended it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    records: u64,
    messages: u32,
    octets: u64,
    fault: Option<TransferFault>,
}

impl Tally {
    /// Reads a message, and gives its records to `take`, which says after each whether the answer goes on.
    ///
    /// The outcome is that of the last record. A fault stays: nothing more is read after it.
    pub(super) fn read(
        &mut self,
        message: &[u8],
        scratch: &mut Scratch,
        mut take: impl FnMut(&Record<'_>) -> Result<Progress, Reason>,
    ) -> Result<Progress, TransferFault> {
        self.check()?;
        self.messages = self.messages.saturating_add(1);
        self.octets += message.len() as u64;
        let mut read = || {
            if let Some(rcode) = Answer::rcode(message).filter(|&rcode| rcode != 0) {
                return Err(Reason::Rcode(domain::base::iana::Rcode::masked_from_int(
                    rcode,
                )));
            }
            let mut answer = Answer::new(message).map_err(Reason::Message)?;
            let mut progress = Progress::More;
            while let Some(record) = answer.next(scratch).map_err(Reason::Message)? {
                self.records += 1;
                progress = take(&record)?;
            }
            answer.finish().map_err(Reason::Message)?;
            Ok(progress)
        };
        read().map_err(|reason| self.fail(reason))
    }

    /// Returns the fault, if there was one.
    pub(super) fn check(&self) -> Result<(), TransferFault> {
        self.fault.clone().map_or(Ok(()), Err)
    }

    /// Notes a fault of all that was taken.
    pub(super) fn fail(&mut self, reason: Reason) -> TransferFault {
        let fault = TransferFault {
            reason,
            messages: self.messages,
            records: self.records,
        };
        self.fault = Some(fault.clone());
        fault
    }
}

/// The RRs of a whole zone, from its first SOA on.
pub(super) struct Whole {
    apex: Name,
    soa: Soa,
    zone: ZoneBuilder,
    is_done: bool,
}

impl Whole {
    /// Starts a zone with its first SOA.
    pub(super) fn new(apex: &Name, soa: Soa) -> Result<Self, Reason> {
        let mut zone = ZoneBuilder::new(apex.clone());
        zone.push_wire(apex.as_wire(), Rtype::SOA, soa.ttl, &soa.rdata)
            .map_err(Reason::Record)?;
        Ok(Self {
            apex: apex.clone(),
            soa,
            zone,
            is_done: false,
        })
    }

    /// Takes the next record; the second SOA is the last one.
    #[inline]
    pub(super) fn take(&mut self, record: &Record<'_>) -> Result<Progress, Reason> {
        if self.is_done {
            return Err(Reason::AfterEnd);
        }
        if record.rtype == Rtype::SOA {
            return self.end(record);
        }
        self.zone
            .push_wire(record.owner, record.rtype, record.ttl, record.rdata)
            .map_err(Reason::Record)?;
        Ok(Progress::More)
    }

    fn end(&mut self, record: &Record<'_>) -> Result<Progress, Reason> {
        Soa::of(record, &self.apex)?.check_against(&self.soa)?;
        self.is_done = true;
        Ok(Progress::Done)
    }

    pub(super) fn finish(mut self, tally: &Tally) -> Result<Transferred, Reason> {
        if !self.is_done {
            return Err(Reason::MissingLastSoa);
        }
        Ok(Transferred {
            zone: self.zone.build_actual().map_err(Reason::Record)?,
            serial: self.soa.serial,
            records: tally.records - 1,
            ttl_conflicts: self.zone.ttl_conflicts(),
            tells_ttls: self.zone.tells_ttls(),
            messages: tally.messages,
            octets: tally.octets,
        })
    }
}

/// The SOA of a zone, in canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Soa {
    pub(super) ttl: Ttl,
    pub(super) rdata: Box<[u8]>,
    pub(super) serial: Serial,
}

impl Soa {
    /// Takes the record that an answer begins with.
    pub(super) fn first(record: &Record<'_>, apex: &Name) -> Result<Self, Reason> {
        let owner = Name::from_wire(record.owner).map_err(|source| {
            Reason::Record(BuildError::OwnerWire {
                apex: apex.clone(),
                source,
            })
        })?;
        let rtype = record.rtype;
        if rtype != Rtype::SOA || owner != *apex {
            return Err(Reason::MissingFirstSoa { owner, rtype });
        }
        Self::of(record, apex)
    }

    /// Takes a SOA, which must be that of the zone.
    pub(super) fn of(record: &Record<'_>, apex: &Name) -> Result<Self, Reason> {
        if !record.owner.eq_ignore_ascii_case(apex.as_wire()) {
            return Err(match Name::from_wire(record.owner) {
                Ok(owner) => Reason::SoaElsewhere { owner },
                Err(source) => Reason::Record(BuildError::OwnerWire {
                    apex: apex.clone(),
                    source,
                }),
            });
        }
        let mut octets = Box::from(record.rdata);
        rdata::canonicalise(Rtype::SOA, &mut octets).map_err(|source| {
            Reason::Record(BuildError::Rdata {
                owner: apex.clone(),
                rtype: Rtype::SOA,
                source,
            })
        })?;
        // Serial, refresh, retry, expire and minimum end the rdata.
        let numbers = octets.last_chunk::<20>();
        let serial = numbers.and_then(|numbers| numbers.first_chunk());
        let serial = u32::from_be_bytes(*serial.expect("the rdata was found to be that of a SOA"));
        Ok(Self {
            ttl: record.ttl,
            rdata: octets,
            serial: Serial(serial),
        })
    }

    /// Checks that this SOA, which comes later, is `first` again.
    ///
    /// Its TTL may differ: that is no sign of another version of the zone.
    pub(super) fn check_against(&self, first: &Self) -> Result<(), Reason> {
        let (first_serial, last) = (first.serial, self.serial);
        if last != first_serial {
            return Err(Reason::Changed {
                first: first_serial,
                last,
            });
        }
        if self.rdata != first.rdata {
            return Err(Reason::ChangedSoa { serial: last });
        }
        Ok(())
    }
}
