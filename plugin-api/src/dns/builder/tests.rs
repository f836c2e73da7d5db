use proptest::prelude::*;

use super::super::samples::{self, Rr, actual_of, builder, builder_of, expected_octets, name, ttl};
use super::super::{ActualZone, NameError, RdataError, Rrset, Unservable};
use super::{BuildError, Name, RrsetRef, Rtype, ZoneBuilder};

/// The text of the zone that lines make, whatever their order.
fn zone(lines: &str) -> String {
    let mut builder = builder(lines);
    builder.build_actual().unwrap().to_string()
}

#[test]
fn rrs_of_one_owner_and_type_are_joined_wherever_they_stand() {
    let built = zone(
        "www 300 A 192.0.2.7
         mail 300 A 192.0.2.9
         WWW.Example.TEST. 300 A 192.0.2.3
         www 300 AAAA 2001:db8:0:0::1
         www 300 A 192.0.2.7",
    );
    let expected = "mail.example.test. 300 IN A 192.0.2.9
www.example.test. 300 IN A 192.0.2.3
www.example.test. 300 IN A 192.0.2.7
www.example.test. 300 IN AAAA 2001:db8::1
";
    assert_eq!(built, expected);
}

#[test]
fn soa_before_ns_at_the_apex_keeps_the_order() {
    let mut builder = builder(
        "@ 3600 SOA ns1 hostmaster 7 3600 600 604800 300
         @ 3600 NS ns2
         @ 3600 NS ns1
         a 300 A 192.0.2.1
         a.a 300 A 192.0.2.1",
    );
    assert!(builder.order == super::Order::Kept);
    let zone = builder.build_actual().unwrap();
    let types: Vec<_> = zone.rrsets().map(RrsetRef::rtype).collect();
    assert_eq!(types, [Rtype::NS, Rtype::SOA, Rtype::A, Rtype::A]);
    assert_eq!(zone.serial(), Some(super::super::Serial(7)));
}

#[test]
fn lowest_ttl_wins_and_is_counted_once_an_rrset() {
    for lines in [
        "a 300 A 192.0.2.1\n a 60 A 192.0.2.2\n a 900 A 192.0.2.3\n b 300 A 192.0.2.1",
        "a 900 A 192.0.2.3\n b 300 A 192.0.2.1\n a 60 A 192.0.2.2\n a 300 A 192.0.2.1",
        "a 300 TXT x\n a 300 A 192.0.2.3\n a 60 A 192.0.2.1\n b 300 A 192.0.2.1\n @ 1 TXT x",
        "b 300 A 192.0.2.1\n a 300 A 192.0.2.3\n a 300 A 192.0.2.2\n a 60 TXT x\n a 60 A 192.0.2.1",
    ] {
        let mut builder = builder(lines);
        let zone = builder.build_actual().unwrap();
        assert_eq!(builder.ttl_conflicts(), 1);
        let rrset = zone
            .find(name("a.example.test").as_ref(), Rtype::A)
            .unwrap();
        assert_eq!(rrset.ttl(), ttl(60));
        ActualZone::check(name(samples::APEX), zone.into_octets()).unwrap();
    }
}

#[test]
fn what_cannot_be_in_the_zone_is_refused_and_leaves_no_trace() {
    let mut builder = builder("www 300 A 192.0.2.1");
    let apex = name(samples::APEX);
    let owner = name("www.example.test");
    let refused = [
        (
            builder.push_text("www.example.org.", ttl(1), "A", "192.0.2.1"),
            BuildError::OutOfZone {
                owner: name("www.example.org"),
                apex: apex.clone(),
            },
        ),
        (
            builder.push_wire(owner.as_wire(), Rtype::A, ttl(1), &[1, 2, 3]),
            BuildError::Rdata {
                owner: owner.clone(),
                rtype: Rtype::A,
                source: RdataError::Truncated,
            },
        ),
        (
            builder.push_wire(owner.as_wire(), Rtype::ANY, ttl(1), &[]),
            BuildError::MetaType {
                owner: owner.clone(),
                rtype: Rtype::ANY,
            },
        ),
        (
            builder.push_wire(b"\x03www", Rtype::A, ttl(1), &[1, 2, 3, 4]),
            BuildError::OwnerWire {
                apex,
                source: NameError::Truncated,
            },
        ),
        (
            builder.push(&Rrset::new(owner.clone(), Rtype::A, ttl(1))),
            BuildError::NoRdata {
                owner,
                rtype: Rtype::A,
            },
        ),
    ];
    for (result, error) in refused {
        assert_eq!(result, Err(error));
    }
    let zone = builder.build_actual().unwrap();
    assert_eq!(zone.to_string(), "www.example.test. 300 IN A 192.0.2.1\n");
}

#[test]
fn zones_that_no_server_accepts_are_not_desired() {
    for (lines, owner, reason) in [
        (
            "a 1 CNAME b\n a 1 A 192.0.2.1",
            "a",
            Unservable::CnameBeside(Rtype::A),
        ),
        (
            "a 1 TXT x\n b 1 A 192.0.2.1\n a 1 CNAME b",
            "a",
            Unservable::CnameBeside(Rtype::TXT),
        ),
        (
            "a 1 CNAME b\n a 1 CNAME c",
            "a",
            Unservable::Several(Rtype::CNAME),
        ),
        (
            "a 1 DNAME b\n a 1 DNAME c",
            "a",
            Unservable::Several(Rtype::DNAME),
        ),
        ("a 1 SOA b c 1 2 3 4 5", "a", Unservable::SoaBelowApex),
        ("@ 1 CNAME b", "@", Unservable::CnameAtApex),
        (
            "@ 1 SOA b c 1 2 3 4 5\n @ 1 SOA b c 2 2 3 4 5",
            "@",
            Unservable::Several(Rtype::SOA),
        ),
    ] {
        let mut builder = builder(lines);
        let owner = Name::from_text(owner, builder.apex()).unwrap();
        assert_eq!(
            builder.build_desired().unwrap_err(),
            BuildError::Unservable { owner, reason }
        );
        // They may well be served.
        let served = samples::actual(lines);
        let octets = served.into_octets();
        assert!(super::DesiredZone::check(name(samples::APEX), octets).is_err());
    }
    let signed = "a 1 CNAME b\n a 1 NSEC b CNAME RRSIG NSEC\n b 1 A 192.0.2.1";
    assert!(builder(signed).build_desired().is_ok());
}

#[test]
fn desired_zones_are_incomplete_until_said_otherwise() {
    let mut builder = builder("a 1 A 192.0.2.1");
    assert!(!builder.build_desired().unwrap().is_complete());
    builder.set_complete();
    let mut zone = builder.build_desired().unwrap();
    assert!(zone.is_complete() && zone.is_empty());
    zone.mark_incomplete();
    assert!(!zone.is_complete());
    assert!(!builder.build_desired().unwrap().is_complete());
}

#[test]
fn held_owners_are_kept_in_order_and_once() {
    let mut builder = ZoneBuilder::new(name(samples::APEX));
    for owner in [
        "b.example.test",
        "A.example.test",
        "b.example.test",
        "example.test",
    ] {
        builder.hold(name(owner)).unwrap();
    }
    assert!(matches!(
        builder.hold(name("test")),
        Err(BuildError::OutOfZone { .. })
    ));
    let zone = builder.build_desired().unwrap();
    let held: Vec<_> = zone.held().map(|owner| owner.to_string()).collect();
    assert_eq!(
        held,
        ["example.test.", "a.example.test.", "b.example.test."]
    );
    for owner in zone.held() {
        builder.hold(owner.to_owned()).unwrap();
    }
    let zone = builder.build_actual().unwrap();
    assert!(zone.held().map(|owner| owner.to_string()).eq(held));
    assert_eq!(builder.build_actual().unwrap().held().len(), 0);
}

#[test]
fn the_root_zone_and_its_names_can_be_built() {
    let mut builder = ZoneBuilder::new(Name::root());
    for owner in ["test.", ".", "a.b.", "a."] {
        builder.push_text(owner, ttl(1), "A", "192.0.2.1").unwrap();
    }
    let zone = builder.build_actual().unwrap();
    let owners: Vec<_> = zone
        .rrsets()
        .map(|rrset| rrset.owner().to_string())
        .collect();
    assert_eq!(owners, [".", "a.", "a.b.", "test."]);
    assert!(ActualZone::check(Name::root(), zone.into_octets()).is_ok());
}

#[test]
fn more_entries_than_are_compared_at_once_come_into_order() {
    let parent = "a-label-longer-than-one-window";
    let mut lines: Vec<String> = (0..200)
        .map(|number| match number % 4 {
            0 => format!("www.{parent} 300 A 192.0.2.{number}"),
            1 => format!("h{number:03}.{parent} 300 A 192.0.2.1"),
            2 => format!("H{number:03}-{parent}.x.{parent} 300 AAAA 2001:db8::1"),
            _ => format!("n{number:03} 300 TXT x"),
        })
        .collect();
    let one = builder(&lines.join("\n")).build_actual().unwrap();
    lines.reverse();
    let other = builder(&lines.join("\n")).build_actual().unwrap();
    assert_eq!(other, one);
    assert_eq!((one.rrset_count(), one.rr_count()), (151, 200));
    ActualZone::check(name(samples::APEX), one.into_octets()).unwrap();
}

proptest! {
    #[test]
    fn zone_is_what_was_pushed_in_canonical_form(rrs in samples::rrs(60)) {
        let zone = actual_of(&rrs);
        prop_assert_eq!(zone.octets(), expected_octets(&rrs, 1));
        let checked = ActualZone::check(name(samples::APEX), zone.clone().into_octets());
        prop_assert_eq!(checked, Ok(zone));
    }

    #[test]
    fn zone_does_not_depend_on_the_order_of_input(
        (rrs, shuffled) in samples::rrs(60)
            .prop_flat_map(|rrs| (Just(rrs.clone()), Just(rrs).prop_shuffle())),
    ) {
        let (mut first, mut second) = (builder_of(&rrs), builder_of(&shuffled));
        prop_assert_eq!(first.build_actual(), second.build_actual());
        prop_assert_eq!(first.ttl_conflicts(), second.ttl_conflicts());
    }

    #[test]
    fn canonical_input_is_not_sorted_again(rrs in samples::rrs(60)) {
        let zone = actual_of(&rrs);
        let mut builder = ZoneBuilder::new(name(samples::APEX));
        for rrset in zone.rrsets() {
            builder.push_ref(rrset).unwrap();
        }
        prop_assert!(builder.order == super::Order::Kept);
        prop_assert_eq!(builder.build_actual(), Ok(zone));
    }

    #[test]
    fn owned_rrsets_make_the_same_zone(rrs in samples::rrs(30)) {
        let zone = actual_of(&rrs);
        let mut builder = ZoneBuilder::new(name(samples::APEX));
        for rrset in zone.rrsets() {
            let mut owned = Rrset::new(rrset.owner().to_owned(), rrset.rtype(), rrset.ttl());
            for rdata in rrset.rdatas() {
                owned.push_rdata(rdata).unwrap();
            }
            prop_assert_eq!(&owned, &rrset.to_owned());
            builder.push(&owned).unwrap();
        }
        prop_assert_eq!(builder.build_actual(), Ok(zone));
    }
}

/// Shapes that make simple sorting quadratic; a run that is takes minutes.
#[test]
fn hostile_shapes_are_built() {
    let apex = name(samples::APEX);
    let below = |labels: &[u8]| [labels, apex.as_wire()].concat();
    let address = |n: u32| n.to_be_bytes().to_vec();
    let rr = |owner, rtype, rdata| Rr {
        owner,
        rtype,
        ttl: ttl(1),
        rdata,
    };
    let scatter = |n: u32| n.wrapping_mul(0x9e37_79b1);
    let mut shapes: Vec<Vec<Rr>> = Vec::new();
    // One RRset of 60,000 addresses in one piece, and one in 20,000.
    let wide = |n| rr(apex.as_wire().to_vec(), Rtype::A, address(scatter(n)));
    shapes.push((0..60_000).map(wide).collect());
    let other = |n| rr(below(b"\x01a"), Rtype::A, address(scatter(n)));
    shapes.push((0..20_000).flat_map(|n| [wide(n), other(n)]).collect());
    // 10,000 types at one owner.
    let types = (0..10_000_u32).map(|n| u16::try_from(1000 + n * 7919 % 10_000).unwrap());
    shapes.push(
        types
            .map(|n| rr(below(b"\x01a"), Rtype(n), vec![]))
            .collect(),
    );
    // Names of over a hundred labels that differ in the leftmost, and in the third.
    let deep = |n: u32| {
        let [.., high, low] = scatter(n).to_be_bytes();
        let labels = [&[2, high, low][..], &b"\x01a".repeat(110)].concat();
        rr(below(&labels), Rtype::A, address(n))
    };
    shapes.push((0..5_000).map(deep).collect());
    // Names that share 200 octets on the left, and on the right.
    let long = |n: u32, left: bool| {
        let shared = [
            &[63][..],
            &[b'x'; 63],
            &[63],
            &[b'x'; 63],
            &[63],
            &[b'x'; 63],
        ]
        .concat();
        let own = [&[4][..], &scatter(n).to_be_bytes()].concat();
        let labels = if left { [shared, own] } else { [own, shared] };
        rr(below(&labels.concat()), Rtype::A, address(n))
    };
    shapes.push((0..5_000).map(|n| long(n, true)).collect());
    shapes.push((0..5_000).map(|n| long(n, false)).collect());

    for rrs in shapes {
        let zone = actual_of(&rrs);
        assert_eq!(zone.octets(), expected_octets(&rrs, 1));
        assert!(ActualZone::check(apex.clone(), zone.into_octets()).is_ok());
    }
}
