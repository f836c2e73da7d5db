//! Zones and messages for tests; the messages are written by `domain`, which compresses what it may.

use domain::base::iana::{Class, Rcode};
use domain::base::message_builder::StaticCompressor;
use domain::base::name::ParsedName;
use domain::base::rdata::{ParseAnyRecordData, UnknownRecordData};
use domain::base::{MessageBuilder, Ttl as DomainTtl};
use domain::dep::octseq::Parser;
use domain::rdata::AllRecordData;
use janitor_plugin_api::dns::{ActualZone, Name, Rtype, Ttl, ZoneBuilder, text};
use proptest::collection::vec;
use proptest::prelude::*;

use super::TransferFault;

type DomainName = domain::base::Name<Vec<u8>>;

/// The zone of all samples.
pub(super) fn apex() -> Name {
    "example.test".parse().unwrap()
}

/// The messages of a stream, each behind its length (RFC 1035, section 4.2.2).
pub(crate) fn messages_of(mut stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = stream.split_first_chunk()?;
        let (message, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
        stream = rest;
        Some(message)
    })
}

/// One RR as a server has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rr {
    pub(super) owner: Vec<u8>,
    pub(super) rtype: u16,
    pub(super) ttl: u32,
    pub(super) rdata: Vec<u8>,
}

/// RRs of lines `owner TTL TYPE rdata`.
pub(super) fn rrs(lines: &str) -> Vec<Rr> {
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(rr).collect()
}

pub(super) fn rr(line: &str) -> Rr {
    let fields: Vec<_> = line.splitn(4, ' ').collect();
    let [owner, ttl, rtype, rdata] = fields[..] else {
        panic!("`{line}` is not `owner TTL TYPE rdata`");
    };
    let apex = apex();
    let rtype: Rtype = rtype.parse().unwrap();
    Rr {
        owner: Name::from_text(owner, apex.as_ref())
            .unwrap()
            .as_wire()
            .to_vec(),
        rtype: rtype.0,
        ttl: ttl.parse().unwrap(),
        rdata: text::parse_rdata(rtype, rdata, apex.as_ref()).unwrap(),
    }
}

pub(super) fn soa(serial: u32) -> Rr {
    rr(&format!(
        "@ 3600 SOA ns hostmaster {serial} 7200 3600 1209600 300"
    ))
}

/// A zone as a server sends it.
pub(super) fn answer(zone: &[Rr]) -> Vec<Rr> {
    [zone, &zone[..1]].concat()
}

/// The fault with its causes.
pub(super) fn told(fault: &TransferFault) -> String {
    let mut text = fault.to_string();
    let mut cause = std::error::Error::source(fault);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

/// The zone of RRs, built without any message.
pub(super) fn zone(rrs: &[Rr]) -> ActualZone {
    let mut zone = ZoneBuilder::new(apex());
    for rr in rrs {
        let ttl = Ttl::from_secs(rr.ttl).unwrap();
        zone.push_wire(&rr.owner, Rtype(rr.rtype), ttl, &rr.rdata)
            .unwrap();
    }
    zone.build_actual().unwrap()
}

/// A message with RRs in its answer section, and with a question or without.
pub(super) fn message_with(question: bool, rrs: &[Rr]) -> Vec<u8> {
    let mut message = MessageBuilder::from_target(StaticCompressor::new(Vec::new())).unwrap();
    message.header_mut().set_qr(true);
    message.header_mut().set_aa(true);
    let mut message = message.question();
    if question {
        let apex = DomainName::from_octets(apex().as_wire().to_vec()).unwrap();
        message
            .push((apex, domain::base::iana::Rtype::AXFR))
            .unwrap();
    }
    let mut message = message.answer();
    for rr in rrs {
        let owner = DomainName::from_octets(rr.owner.clone()).unwrap();
        let (class, ttl) = (Class::IN, DomainTtl::from_secs(rr.ttl));
        let rtype = domain::base::iana::Rtype::from_int(rr.rtype);
        let mut parser = Parser::from_ref(&rr.rdata[..]);
        match AllRecordData::<&[u8], ParsedName<&[u8]>>::parse_any_rdata(rtype, &mut parser) {
            Ok(data) if parser.remaining() == 0 => {
                message.push((owner, class, ttl, data)).unwrap();
            }
            _ => {
                let data = UnknownRecordData::from_octets(rtype, &rr.rdata[..]).unwrap();
                message.push((owner, class, ttl, data)).unwrap();
            }
        }
    }
    message.finish().into_target()
}

pub(super) fn message(rrs: &[Rr]) -> Vec<u8> {
    message_with(true, rrs)
}

pub(super) fn refusal(rcode: Rcode) -> Vec<u8> {
    let mut message = message(&[]);
    message[3] = rcode.to_int();
    message
}

/// Messages with all RRs in their order, divided where `cuts` says and where they would grow too long.
pub(super) fn messages(rrs: &[Rr], cuts: &[u8]) -> Vec<Vec<u8>> {
    let mut cuts = cuts.iter().cycle();
    let mut rest = rrs;
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let count = cuts.next().map_or(rest.len(), |&cut| usize::from(cut) + 1);
        let (now, later) = rest.split_at(count.min(rest.len()));
        messages.push(message_with(
            messages.is_empty() || count.is_multiple_of(2),
            now,
        ));
        rest = later;
    }
    messages
}

/// RRs of a zone apart from its SOA, in which owners, types and rdata often meet.
pub(super) fn any_rrs(most: usize) -> impl Strategy<Value = Vec<Rr>> {
    let ttl = prop_oneof![4 => Just(300), 1 => Just(60)];
    let rr = (any_owner(), any_rdata(), ttl).prop_map(|(owner, (rtype, rdata), ttl)| Rr {
        owner,
        rtype: rtype.0,
        ttl,
        rdata,
    });
    vec(rr, 0..most)
}

fn any_owner() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![
        Just(b'a'),
        Just(b'A'),
        Just(b'b'),
        Just(b'*'),
        Just(0),
        Just(0xc0)
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
        wire.extend(apex().as_wire());
        wire
    })
}

fn any_rdata() -> impl Strategy<Value = (Rtype, Vec<u8>)> {
    let written = proptest::sample::select(
        &[
            (Rtype::NS, "ns"),
            (Rtype::NS, "NS.a"),
            (Rtype::CNAME, "a.b"),
            (Rtype::PTR, "www.elsewhere.test."),
            (Rtype::MX, "10 mail"),
            (Rtype::MX, "10 Mail.elsewhere.test."),
            (Rtype::TXT, "\"text\" \"\""),
            (Rtype::SRV, "1 2 443 www"),
            (Rtype::NAPTR, "1 2 \"u\" \"E2U+sip\" \"!^.*$!sip:a@b!\" a"),
            (Rtype::NAPTR, "1 2 \"\" \"\" \"\" ."),
            (Rtype::RP, "hostmaster text.A"),
            (Rtype::AFSDB, "1 afs"),
            (Rtype::DNAME, "elsewhere.test."),
            (Rtype::AAAA, "2001:db8::1"),
            (Rtype::CAA, "0 issue \"ca.test\""),
            (
                Rtype::DS,
                "1 8 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
            ),
            (Rtype::NSEC, "A.b A NS TYPE65280"),
            (
                Rtype::RRSIG,
                "A 8 2 300 20300101000000 20200101000000 1 @ AAAA",
            ),
            (Rtype::HTTPS, "1 www alpn=h2 port=8443"),
        ][..],
    );
    prop_oneof![
        3 => (0..6_u8).prop_map(|last| (Rtype::A, vec![192, 0, 2, last])),
        1 => vec(any::<u8>(), 0..9).prop_map(|rdata| (Rtype(65280), rdata)),
        1 => (1..900_usize).prop_map(|length| (Rtype(65281), vec![b'z'; length])),
        6 => written.prop_map(|(rtype, text)| {
            (rtype, text::parse_rdata(rtype, text, apex().as_ref()).unwrap())
        }),
    ]
}
