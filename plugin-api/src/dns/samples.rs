//! Zones for tests: from text, and generated.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;

use super::{ActualZone, DesiredZone, Name, Rtype, Ttl, ZoneBuilder};

/// The zone of all samples.
pub(crate) const APEX: &str = "example.test.";

/// One RR as it is pushed.
#[derive(Clone, Debug)]
pub(crate) struct Rr {
    pub(crate) owner: Vec<u8>,
    pub(crate) rtype: Rtype,
    pub(crate) ttl: Ttl,
    pub(crate) rdata: Vec<u8>,
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn ttl(seconds: u32) -> Ttl {
    Ttl::from_secs(seconds).unwrap()
}

/// A builder that has taken lines `owner TTL TYPE rdata`.
pub(crate) fn builder(lines: &str) -> ZoneBuilder {
    let mut builder = ZoneBuilder::new(name(APEX));
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut fields = line.splitn(4, ' ');
        let mut field = || fields.next().expect("owner TTL TYPE rdata");
        let (owner, seconds, rtype, rdata) = (field(), field(), field(), field());
        builder
            .push_text(owner, ttl(seconds.parse().unwrap()), rtype, rdata)
            .unwrap();
    }
    builder
}

/// A complete desired zone of lines as [`builder`] takes them.
pub(crate) fn desired(lines: &str) -> DesiredZone {
    let mut builder = builder(lines);
    builder.set_complete();
    builder.build_desired().unwrap()
}

pub(crate) fn actual(lines: &str) -> ActualZone {
    builder(lines).build_actual().unwrap()
}

/// An actual zone of lines as [`builder`] takes them, in which these owners are held.
pub(crate) fn actual_holding(lines: &str, held: &[&str]) -> ActualZone {
    let mut builder = builder(lines);
    for owner in held {
        builder.hold(name(&format!("{owner}.{APEX}"))).unwrap();
    }
    builder.build_actual().unwrap()
}

/// An actual zone of RRs in the order given.
pub(crate) fn actual_of(rrs: &[Rr]) -> ActualZone {
    builder_of(rrs).build_actual().unwrap()
}

pub(crate) fn builder_of(rrs: &[Rr]) -> ZoneBuilder {
    let mut builder = ZoneBuilder::new(name(APEX));
    for rr in rrs {
        builder
            .push_wire(&rr.owner, rr.rtype, rr.ttl, &rr.rdata)
            .unwrap();
    }
    builder
}

/// The buffer that RRs make, put together the slow and obvious way.
pub(crate) fn expected_octets(rrs: &[Rr], flags: u16) -> Vec<u8> {
    let mut rrsets = BTreeMap::<(Name, Rtype), (Ttl, BTreeSet<Vec<u8>>)>::new();
    for rr in rrs {
        let mut rdata = rr.rdata.clone();
        super::rdata::canonicalise(rr.rtype, &mut rdata).unwrap();
        let key = (Name::from_wire(&rr.owner).unwrap(), rr.rtype);
        let (ttl, rdatas) = rrsets.entry(key).or_insert((rr.ttl, BTreeSet::new()));
        *ttl = rr.ttl.min(*ttl);
        rdatas.insert(rdata);
    }
    let number = |number: usize| u32::try_from(number).unwrap().to_be_bytes();
    let mut entries = Vec::new();
    let mut count = 0;
    for ((owner, rtype), (ttl, rdatas)) in &rrsets {
        let mut entry = Vec::new();
        entry.extend(rtype.0.to_be_bytes());
        entry.extend([0, 0]);
        entry.extend(ttl.as_secs().to_be_bytes());
        entry.extend(number(rdatas.len()));
        entry.extend(owner.as_wire());
        for rdata in rdatas {
            entry.extend(u16::try_from(rdata.len()).unwrap().to_be_bytes());
            entry.extend(rdata);
        }
        entries.extend(number(entry.len() + 4));
        entries.extend(entry);
        count += rdatas.len();
    }
    let mut octets = Vec::new();
    octets.extend(1_u16.to_be_bytes());
    octets.extend(flags.to_be_bytes());
    octets.extend(number(rrsets.len()));
    octets.extend(number(count));
    octets.extend(number(0));
    octets.extend(number(entries.len()));
    octets.extend(entries);
    octets
}

/// RRs of a small zone in which owners, types and rdata often meet.
pub(crate) fn rrs(most: usize) -> impl Strategy<Value = Vec<Rr>> {
    vec(rr(), 0..most)
}

fn rr() -> impl Strategy<Value = Rr> {
    let ttl = prop_oneof![4 => Just(300), 1 => Just(60)].prop_map(ttl);
    (owner(), typed_rdata(), ttl).prop_map(|(owner, (rtype, rdata), ttl)| Rr {
        owner,
        rtype,
        ttl,
        rdata,
    })
}

/// An RR of [`rrs`] in canonical form.
pub(crate) fn canonical_rr() -> impl Strategy<Value = Rr> {
    rr().prop_map(|mut rr| {
        rr.owner.make_ascii_lowercase();
        super::rdata::canonicalise(rr.rtype, &mut rr.rdata).unwrap();
        rr
    })
}

/// Owners at and below the apex in any letter case; some have octets that the
/// sort key escapes, some are long and differ late.
fn owner() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![
        Just(0),
        Just(1),
        Just(2),
        Just(b'a'),
        Just(b'A'),
        Just(b'b')
    ];
    let label = prop_oneof![
        6 => vec(octet, 1..3),
        1 => (0..3_u8).prop_map(|last| [&[b'x'; 40][..], &[last]].concat()),
    ];
    vec(label, 0..4).prop_map(|labels| {
        let mut wire = Vec::new();
        for label in labels {
            wire.push(u8::try_from(label.len()).unwrap());
            wire.extend(label);
        }
        wire.extend(name(APEX).as_wire());
        wire
    })
}

fn typed_rdata() -> impl Strategy<Value = (Rtype, Vec<u8>)> {
    let wire = |text: &str| {
        let upper = name(text).as_wire().to_ascii_uppercase();
        prop_oneof![Just(upper), Just(name(text).as_wire().to_vec())]
    };
    prop_oneof![
        4 => (0..6_u8).prop_map(|last| (Rtype::A, vec![192, 0, 2, last])),
        1 => wire("ns.example.test").prop_map(|rdata| (Rtype::NS, rdata)),
        1 => wire("mail.example.test").prop_map(|name| (Rtype::MX, [&[0, 10], &name[..]].concat())),
        1 => wire("target.test").prop_map(|rdata| (Rtype::CNAME, rdata)),
        1 => vec(any::<u8>(), 0..3).prop_map(|rdata| (Rtype(65280), rdata)),
        1 => Just((Rtype::TXT, b"\x04Text".to_vec())),
        1 => Just((Rtype::NSEC, [name("Next.test").as_wire(), b"\0\x01\x40"].concat())),
    ]
}
