use proptest::prelude::*;

use super::super::samples::{self, actual, actual_of, name};
use super::super::{ActualZone, NameError, RdataError, Rtype, Zone};
use super::{BufferFault, BufferFaultReason as Reason};

/// Changes octets of a small zone and returns what the check says.
fn fault(change: impl FnOnce(&mut Vec<u8>)) -> (usize, Reason) {
    let zone = actual("a 300 A 192.0.2.1\na 300 MX 10 b\nb 300 A 192.0.2.1");
    let mut octets = zone.octets().to_vec();
    change(&mut octets);
    let BufferFault { at, reason } = Zone::check(name(samples::APEX), octets.into()).unwrap_err();
    (at, reason)
}

/// Where the entries of that zone start; their owners have 16 octets.
const FIRST: usize = 20;
const SECOND: usize = FIRST + 16 + 16 + 6;
const THIRD: usize = SECOND + 16 + 16 + 2 + 2 + 16;

#[test]
fn every_part_of_a_buffer_is_checked() {
    let count = |what, stated, counted| Reason::Count {
        what,
        stated,
        counted,
    };
    let rdata = |rtype, source| Reason::Rdata { rtype, source };
    type Change = fn(&mut Vec<u8>);
    let cases: &[(&str, Change, (usize, Reason))] = &[
        ("short", |z| z.truncate(19), (0, Reason::Truncated)),
        ("format", |z| z[1] = 2, (0, Reason::Format(2))),
        ("flags", |z| z[3] = 3, (2, Reason::Flags(3))),
        ("RRsets", |z| z[7] = 2, (4, count("RRsets", 2, 3))),
        ("RRs", |z| z[11] = 4, (8, count("RRs", 4, 3))),
        (
            "held",
            |z| z[15] = 1,
            (THIRD + 38, Reason::Owner(NameError::Truncated)),
        ),
        ("entries", |z| z[19] += 1, (16, Reason::Truncated)),
        ("fewer entries", |z| z[19] -= 38, (4, count("RRsets", 3, 2))),
        (
            "trailing",
            |z| z.push(0),
            (THIRD + 38, Reason::TrailingOctets),
        ),
        ("cut", |z| z.truncate(THIRD + 37), (16, Reason::Truncated)),
        (
            "entry length 0",
            |z| z[FIRST + 3] = 0,
            (FIRST, Reason::EntryLength),
        ),
        (
            "entry too long",
            |z| z[FIRST] = 1,
            (FIRST, Reason::Truncated),
        ),
        (
            "entry short",
            |z| z[FIRST + 3] -= 1,
            (FIRST + 32, Reason::EntryLength),
        ),
        (
            "meta type",
            |z| z[FIRST + 5] = 255,
            (FIRST + 4, Reason::MetaType(Rtype::ANY)),
        ),
        (
            "reserved",
            |z| z[FIRST + 7] = 1,
            (FIRST + 6, Reason::Reserved),
        ),
        (
            "TTL",
            |z| z[FIRST + 8] = 0x80,
            (FIRST + 8, Reason::Ttl(0x8000_012c)),
        ),
        (
            "no rdata",
            |z| z[FIRST + 15] = 0,
            (FIRST + 12, Reason::NoRdata),
        ),
        (
            "two rdata",
            |z| z[FIRST + 15] = 2,
            (FIRST + 38, Reason::EntryLength),
        ),
        (
            "many rdata",
            |z| z[FIRST + 12] = 255,
            (FIRST + 38, Reason::EntryLength),
        ),
        (
            "case",
            |z| z[FIRST + 17] = b'A',
            (FIRST + 16, Reason::Owner(NameError::UpperCase)),
        ),
        (
            "label",
            |z| z[FIRST + 16] = 0xc0,
            (FIRST + 16, Reason::Owner(NameError::LabelType)),
        ),
        (
            "zone",
            |z| z[FIRST + 19] = b'x',
            (FIRST + 16, Reason::OutOfZone),
        ),
        ("order", |z| z[FIRST + 17] = b'b', (SECOND, Reason::Order)),
        ("twice", |z| z[THIRD + 17] = b'a', (THIRD, Reason::Order)),
        (
            "rdata",
            |z| z[FIRST + 5] = 28,
            (FIRST + 34, rdata(Rtype::AAAA, RdataError::Truncated)),
        ),
        (
            "rdata case",
            |z| z[SECOND + 37] = b'B',
            (SECOND + 34, rdata(Rtype::MX, RdataError::UpperCase)),
        ),
    ];
    for (what, change, expected) in cases {
        assert_eq!(fault(change), *expected, "{what}");
    }
}

#[test]
fn rdata_of_an_rrset_ascend() {
    let zone = actual("a 300 A 192.0.2.1\na 300 A 192.0.2.2");
    let last = zone.octets().len() - 1;
    for octet in [1, 0] {
        let mut octets = zone.octets().to_vec();
        octets[last] = octet;
        let fault = Zone::check(name(samples::APEX), octets.into()).unwrap_err();
        assert_eq!((fault.at, fault.reason), (last - 3, Reason::RdataOrder));
    }
}

#[test]
fn actual_zones_are_complete() {
    let zone = samples::builder("a 300 A 192.0.2.1")
        .build_desired()
        .unwrap();
    let fault = |zone: Result<ActualZone, BufferFault>| {
        let BufferFault { at, reason } = zone.unwrap_err();
        (at, reason)
    };
    let checked = ActualZone::check(name(samples::APEX), zone.octets().into());
    assert_eq!(fault(checked), (2, Reason::Incomplete));
    let restored = ActualZone::restored(name(samples::APEX), zone.into_octets());
    assert_eq!(fault(restored), (2, Reason::Incomplete));
}

#[test]
fn actual_zones_that_hold_owners_are_taken_and_their_owners_checked() {
    let zone = samples::actual_holding("a 300 A 192.0.2.1", &["b", "c"]);
    for take in [ActualZone::check, ActualZone::restored] {
        let taken = take(name(samples::APEX), zone.octets().into());
        assert_eq!(taken.as_ref(), Ok(&zone));
        for (what, change) in [
            ("one more", (|z| z[15] = 3) as fn(&mut Vec<u8>)),
            ("one less", |z| z[15] = 1),
            ("cut", |z| z.truncate(z.len() - 1)),
            ("order", |z| z[FIRST + 38 + 1] = b'd'),
        ] {
            let mut octets = zone.octets().to_vec();
            change(&mut octets);
            assert!(take(name(samples::APEX), octets.into()).is_err(), "{what}");
        }
    }
}

#[test]
fn held_owners_are_checked() {
    let mut builder = samples::builder("a 300 A 192.0.2.1");
    builder.hold(name("b.example.test")).unwrap();
    builder.hold(name("c.example.test")).unwrap();
    let zone = builder.build_desired().unwrap();
    let start = FIRST + 38;
    let fault = |at: usize, octet| {
        let mut octets = zone.octets().to_vec();
        octets[start + at] = octet;
        let fault = Zone::check(name(samples::APEX), octets.into()).unwrap_err();
        (fault.at - start, fault.reason)
    };
    assert_eq!(fault(1, b'B'), (0, Reason::Owner(NameError::UpperCase)));
    assert_eq!(fault(3, b'x'), (0, Reason::OutOfZone));
    assert_eq!(fault(1, b'c'), (16, Reason::Order));
    assert_eq!(fault(17, b'a'), (16, Reason::Order));
}

proptest! {
    #[test]
    fn no_octets_make_the_check_or_the_reading_panic(
        rrs in samples::rrs(8),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        length in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut octets = actual_of(&rrs).octets().to_vec();
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        if cut {
            octets.truncate(length.index(octets.len()));
        }
        if let Ok(zone) = Zone::check(name(samples::APEX), octets.into()) {
            // What the check lets pass is exactly what a builder would have made.
            let mut builder = super::super::ZoneBuilder::new(name(samples::APEX));
            for rrset in zone.rrsets() {
                builder.push_ref(rrset).unwrap();
            }
            for owner in zone.held() {
                builder.hold(owner.to_owned()).unwrap();
            }
            let rebuilt = builder.finish(zone.octets()[3].into()).unwrap();
            prop_assert_eq!(zone.octets(), rebuilt);
        }
    }
}
