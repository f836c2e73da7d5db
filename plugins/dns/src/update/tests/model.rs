//! A primary that does what RFC 2136, section 3, says, as slowly and plainly as it says it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use domain::base::Message;
use domain::base::iana::{Class, Opcode, Rcode};
use domain::base::name::ToName;
use domain::base::rdata::UnknownRecordData;
use domain::base::{ParsedRecord, Rtype as WireRtype};
use janitor_plugin_api::dns::{
    ActualZone, Name, NameRef, RrsetRef, Rtype, Serial, Ttl, ZoneBuilder,
};

use crate::update::work::Reply;

type Rrs = BTreeMap<(Vec<u8>, u16), (u32, BTreeSet<Vec<u8>>)>;

/// What goes wrong with an UPDATE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mishap {
    /// It goes well.
    None,
    /// The connection ends before the server has got it.
    LostBefore,
    /// The connection ends after the server has done it.
    LostAfter,
    /// Somebody in between forges the answer, and the server has not got it.
    Forged,
    /// The server cannot be reached.
    Unreachable,
    /// The server does nothing, and says this.
    Says(Rcode),
    /// Another program raises the serial, then the server gets it.
    Overtaken,
    /// Another program adds an RRset of a type that nobody knows at `c`, then the server gets it.
    Joined,
}

pub(super) struct Model {
    apex: Vec<u8>,
    rrs: Rrs,
    /// What goes wrong with the next UPDATEs.
    pub(super) mishaps: VecDeque<Mishap>,
    /// Owners that nobody may change, and what the server says then.
    pub(super) denied: BTreeSet<Name>,
    pub(super) denial: Rcode,
    /// Whether a MX needs an address of its target in the zone, as BIND has it (`check-mx`).
    pub(super) checks_mx: bool,
    /// Whether it signs, and has its signatures for data that no CNAME can stand beside, as Knot has.
    pub(super) signs: bool,
    /// How far the serial that is served is ahead of the one that is updated.
    pub(super) serial_offset: u32,
    /// How many RRs of an UPDATE the server passed over without a word.
    pub(super) passed_over: u32,
    pub(super) updates: u32,
}

/// One RR of a message.
struct Rr {
    owner: Vec<u8>,
    rtype: u16,
    class: Class,
    ttl: u32,
    rdata: Vec<u8>,
}

const ANY: u16 = 255;

impl Model {
    pub(super) fn serving(zone: &ActualZone) -> Self {
        let mut rrs = Rrs::new();
        for rr in zone.rrsets().flat_map(RrsetRef::rrs) {
            let at = (rr.owner.as_wire().to_vec(), rr.rtype.0);
            let rrset = rrs.entry(at).or_insert((rr.ttl.as_secs(), BTreeSet::new()));
            rrset.1.insert(rr.rdata.to_vec());
        }
        Self {
            apex: zone.apex().as_wire().to_vec(),
            rrs,
            mishaps: VecDeque::new(),
            denied: BTreeSet::new(),
            denial: Rcode::REFUSED,
            checks_mx: false,
            signs: false,
            serial_offset: 0,
            passed_over: 0,
            updates: 0,
        }
    }

    /// The zone, its serial set back to `serial`.
    pub(super) fn zone(&self, serial: Serial) -> ActualZone {
        let apex = Name::from_wire(&self.apex).unwrap();
        let mut builder = ZoneBuilder::new(apex);
        for ((owner, rtype), (ttl, rdatas)) in &self.rrs {
            let owner = Name::from_wire(owner).unwrap();
            for rdata in rdatas {
                let mut rdata = rdata.clone();
                if Rtype(*rtype) == Rtype::SOA {
                    set_serial(&mut rdata, serial);
                }
                let ttl = Ttl::from_secs(*ttl).unwrap();
                builder
                    .push_wire(owner.as_wire(), Rtype(*rtype), ttl, &rdata)
                    .unwrap();
            }
        }
        builder.build_actual().unwrap()
    }

    pub(super) fn soa(&self) -> Reply {
        let (_, rdatas) = &self.rrs[&(self.apex.clone(), Rtype::SOA.0)];
        let mut rdata = rdatas.first().unwrap().clone();
        let serial = Serial(Serial::of_soa(&rdata).unwrap().0 + self.serial_offset);
        set_serial(&mut rdata, serial);
        Reply::Soa(Some((rdata, serial)))
    }

    pub(super) fn ttl(&self, owner: NameRef<'_>, rtype: Rtype) -> Option<Ttl> {
        let rrset = self.rrs.get(&(owner.as_wire().to_vec(), rtype.0))?;
        Some(Ttl::from_secs(rrset.0).unwrap())
    }

    pub(super) fn has_updates(&self, octets: &[u8]) -> bool {
        let message = Message::from_slice(octets).unwrap();
        message.header_counts().nscount() > 0
    }

    pub(super) fn update(&mut self, octets: &[u8]) -> Reply {
        let text = |text: &str| text.to_owned();
        match self.mishaps.pop_front().unwrap_or(Mishap::None) {
            Mishap::None => Reply::Rcode(self.process(octets)),
            Mishap::LostBefore => Reply::Lost(text("no answer")),
            Mishap::LostAfter => {
                self.process(octets);
                Reply::Lost(text("no answer"))
            }
            Mishap::Forged => Reply::Doubtful(text("the answer is not signed")),
            Mishap::Unreachable => Reply::NotSent(text("cannot connect")),
            Mishap::Says(rcode) => Reply::Rcode(rcode),
            Mishap::Joined => {
                let owner = [b"\x01c", self.apex.as_slice()].concat();
                let rdatas = BTreeSet::from([vec![1, 2, 3]]);
                self.rrs.insert((owner, 65_280), (60, rdatas));
                self.raise_serial();
                Reply::Rcode(self.process(octets))
            }
            Mishap::Overtaken => {
                self.raise_serial();
                Reply::Rcode(self.process(octets))
            }
        }
    }

    /// Signatures that are other ones whenever what they sign is.
    pub(super) fn signatures(&self, owner: NameRef<'_>, rtype: Rtype) -> Vec<Vec<u8>> {
        let found = self.rrs.get(&(owner.as_wire().to_vec(), rtype.0));
        let signed = found.filter(|_| self.signs).map(|(_, rdatas)| {
            let mut rdata = rtype.0.to_be_bytes().to_vec();
            // Algorithm, labels, TTL, expiration, inception, tag, a signer; then the signature.
            rdata.extend([13, 3, 0, 0, 0, 60, 0, 0, 0, 2, 0, 0, 0, 1, 0, 9, 0]);
            rdata.extend(rdatas.iter().flatten());
            rdata
        });
        signed.into_iter().collect()
    }

    fn process(&mut self, octets: &[u8]) -> Rcode {
        self.updates += 1;
        let all: Vec<_> = self.rrs.keys().cloned().collect();
        for (owner, rtype) in all.into_iter().filter(|(owner, _)| *owner != self.apex) {
            let name = Name::from_wire(&owner).unwrap();
            for rdata in self.signatures(name.as_ref(), Rtype(rtype)) {
                let at = (owner.clone(), Rtype::RRSIG.0);
                self.rrs.entry(at).or_default().1.insert(rdata);
            }
        }
        let rcode = self.process_signed(octets);
        self.rrs.retain(|(_, rtype), _| *rtype != Rtype::RRSIG.0);
        rcode
    }

    fn process_signed(&mut self, octets: &[u8]) -> Rcode {
        let message = Message::from_slice(octets).unwrap();
        assert_eq!(message.header().opcode(), Opcode::UPDATE);
        // 3.1: the zone section.
        let question = message.sole_question().unwrap();
        assert_eq!(question.qtype(), WireRtype::SOA);
        assert_eq!(question.qclass(), Class::IN);
        if question.qname().to_vec().as_slice() != self.apex {
            return Rcode::NOTAUTH;
        }
        let prerequisites: Vec<_> = message
            .answer()
            .unwrap()
            .map(|rr| read(rr.unwrap()))
            .collect();
        let updates: Vec<_> = message
            .authority()
            .unwrap()
            .map(|rr| read(rr.unwrap()))
            .collect();
        if let Err(rcode) = self.prerequisites(&prerequisites) {
            return rcode;
        }
        // 3.3: may they?
        let is_denied = |rr: &Rr| self.denied.contains(&Name::from_wire(&rr.owner).unwrap());
        if updates.iter().any(is_denied) {
            return self.denial;
        }
        if let Err(rcode) = self.prescan(&updates) {
            return rcode;
        }
        let before = self.rrs.clone();
        updates.iter().for_each(|rr| self.one(rr));
        let mut added = updates
            .iter()
            .filter(|rr| rr.class == Class::IN && rr.rtype == Rtype::MX.0);
        let has_address = |target: &[u8]| self.rrs.contains_key(&(target.to_vec(), Rtype::A.0));
        if self.checks_mx && added.any(|rr| !has_address(&rr.rdata[2..])) {
            self.rrs = before;
            return Rcode::REFUSED;
        }
        if self.rrs != before {
            self.raise_serial();
        }
        Rcode::NOERROR
    }

    /// 3.2.5.
    fn prerequisites(&self, prerequisites: &[Rr]) -> Result<(), Rcode> {
        let mut temp: BTreeMap<(Vec<u8>, u16), BTreeSet<Vec<u8>>> = BTreeMap::new();
        for rr in prerequisites {
            if rr.ttl != 0 {
                return Err(Rcode::FORMERR);
            }
            if !self.is_in_zone(&rr.owner) {
                return Err(Rcode::NOTZONE);
            }
            let at = (rr.owner.clone(), rr.rtype);
            match (rr.class, rr.rtype) {
                (Class::ANY | Class::NONE, _) if !rr.rdata.is_empty() => {
                    return Err(Rcode::FORMERR);
                }
                (Class::ANY, ANY) if !self.is_in_use(&rr.owner) => return Err(Rcode::NXDOMAIN),
                (Class::NONE, ANY) if self.is_in_use(&rr.owner) => return Err(Rcode::YXDOMAIN),
                (Class::ANY | Class::NONE, ANY) => {}
                (Class::ANY, _) if !self.rrs.contains_key(&at) => return Err(Rcode::NXRRSET),
                (Class::NONE, _) if self.rrs.contains_key(&at) => return Err(Rcode::YXRRSET),
                (Class::ANY | Class::NONE, _) => {}
                (Class::IN, _) => {
                    temp.entry(at).or_default().insert(rr.rdata.clone());
                }
                _ => return Err(Rcode::FORMERR),
            }
        }
        for (at, rdatas) in &temp {
            if self.rrs.get(at).map(|rrset| &rrset.1) != Some(rdatas) {
                return Err(Rcode::NXRRSET);
            }
        }
        Ok(())
    }

    /// 3.4.1.3.
    fn prescan(&self, updates: &[Rr]) -> Result<(), Rcode> {
        for rr in updates {
            if !self.is_in_zone(&rr.owner) {
                return Err(Rcode::NOTZONE);
            }
            let is_meta = Rtype(rr.rtype).is_meta();
            let fits = match rr.class {
                Class::IN => !is_meta,
                Class::ANY => rr.ttl == 0 && rr.rdata.is_empty() && (!is_meta || rr.rtype == ANY),
                Class::NONE => rr.ttl == 0 && !is_meta,
                _ => false,
            };
            if !fits {
                return Err(Rcode::FORMERR);
            }
        }
        Ok(())
    }

    /// 3.4.2.7.
    fn one(&mut self, rr: &Rr) {
        let at = (rr.owner.clone(), rr.rtype);
        let rtype = Rtype(rr.rtype);
        let is_kept = rr.owner == self.apex && matches!(rtype, Rtype::SOA | Rtype::NS);
        match rr.class {
            Class::IN => {
                let has_cname = self.rrs.contains_key(&(rr.owner.clone(), Rtype::CNAME.0));
                let mut here = self.rrs.keys().filter(|(owner, _)| *owner == rr.owner);
                let has_other = here.any(|(_, rtype)| {
                    self.signs && !has_cname && *rtype == Rtype::RRSIG.0
                        || !Rtype(*rtype).may_stand_beside_cname() && Rtype(*rtype) != Rtype::CNAME
                });
                let conflicts = match rtype {
                    Rtype::CNAME => has_other,
                    _ => has_cname && !rtype.may_stand_beside_cname(),
                };
                if conflicts {
                    self.passed_over += 1;
                    return;
                }
                let rrset = self.rrs.entry(at).or_insert((rr.ttl, BTreeSet::new()));
                if rtype.is_singleton() {
                    rrset.1.clear();
                }
                // An RRset has one TTL (RFC 2181, section 5.2).
                rrset.0 = rr.ttl;
                rrset.1.insert(rr.rdata.clone());
            }
            Class::ANY if rr.rtype == ANY => {
                let apex = &self.apex;
                self.rrs.retain(|(owner, rtype), _| {
                    let is_kept = owner == apex && matches!(Rtype(*rtype), Rtype::SOA | Rtype::NS);
                    *owner != rr.owner || is_kept
                });
            }
            Class::ANY if is_kept => self.passed_over += 1,
            Class::ANY => {
                self.rrs.remove(&at);
            }
            _ => {
                let Some(rrset) = self.rrs.get_mut(&at) else {
                    self.passed_over += 1;
                    return;
                };
                if is_kept && (rtype == Rtype::SOA || rrset.1.len() == 1) {
                    self.passed_over += 1;
                    return;
                }
                rrset.1.remove(&rr.rdata);
                if rrset.1.is_empty() {
                    self.rrs.remove(&at);
                }
            }
        }
    }

    fn raise_serial(&mut self) {
        let at = (self.apex.clone(), Rtype::SOA.0);
        let rrset = self.rrs.get_mut(&at).unwrap();
        let mut rdata = rrset.1.pop_first().unwrap();
        let serial = Serial::of_soa(&rdata).unwrap();
        set_serial(&mut rdata, serial.next());
        rrset.1.insert(rdata);
    }

    fn is_in_use(&self, owner: &[u8]) -> bool {
        self.rrs.keys().any(|at| at.0 == owner)
    }

    fn is_in_zone(&self, owner: &[u8]) -> bool {
        owner.ends_with(&self.apex)
    }
}

fn set_serial(soa: &mut [u8], serial: Serial) {
    let numbers = soa.len() - 20;
    soa[numbers..numbers + 4].copy_from_slice(&serial.0.to_be_bytes());
}

fn read(rr: ParsedRecord<'_, [u8]>) -> Rr {
    let any = rr.to_record::<UnknownRecordData<&[u8]>>().unwrap().unwrap();
    Rr {
        owner: any.owner().to_vec().as_slice().to_vec(),
        rtype: any.rtype().to_int(),
        class: any.class(),
        ttl: any.ttl().as_secs(),
        rdata: any.data().data().to_vec(),
    }
}
