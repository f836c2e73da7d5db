use proptest::prelude::*;

use super::super::samples::{self, actual, actual_of, name};
use super::super::{RrsetRef, Rtype, Ttl, ZoneBuilder};
use super::Serial;

const ZONE: &str = "@ 3600 SOA ns1 hostmaster 4294967295 3600 600 604800 300
    @ 3600 NS ns1
    *.a 300 A 192.0.2.1
    a 300 A 192.0.2.2
    a 300 A 192.0.2.1
    a 60 TXT \"a b\" c";

#[test]
fn zones_are_read_in_canonical_order() {
    let zone = actual(ZONE);
    let expected = "example.test. 3600 IN NS ns1.example.test.
example.test. 3600 IN SOA ns1.example.test. hostmaster.example.test. 4294967295 3600 600 604800 300
a.example.test. 300 IN A 192.0.2.1
a.example.test. 300 IN A 192.0.2.2
a.example.test. 60 IN TXT \"a b\" \"c\"
*.a.example.test. 300 IN A 192.0.2.1
";
    assert_eq!(zone.to_string(), expected);
    assert_eq!((zone.rrset_count(), zone.rr_count()), (5, 6));
    assert_eq!(zone.rrsets().len(), 5);
    assert_eq!(zone.serial(), Some(Serial(4_294_967_295)));
    assert_eq!(actual("a 1 SOA a b 1 2 3 4 5").serial(), None);
}

#[test]
fn rrsets_are_found_by_owner_and_type() {
    let zone = actual(ZONE);
    let find = |owner, rtype| {
        let found = zone.find(name(owner).as_ref(), rtype);
        found.map(RrsetRef::rdata_count)
    };
    assert_eq!(find("a.example.test", Rtype::A), Some(2));
    assert_eq!(find("a.example.test", Rtype::AAAA), None);
    assert_eq!(find("example.test", Rtype::A), None);
    assert_eq!(find("*.a.example.test", Rtype::A), Some(1));
}

#[test]
fn debug_output_does_not_grow_with_the_zone() {
    let shown = format!("{:?}", actual(ZONE));
    let zone = "Zone { apex: example.test., rrsets: 5, rrs: 6, complete: true, .. }";
    assert_eq!(shown, format!("ActualZone({zone})"));
}

#[test]
fn serials_wrap() {
    for (earlier, later) in [(1, 2), (0, 0x7fff_ffff), (0xffff_ffff, 0), (0xffff_fff0, 5)] {
        assert!(
            Serial(later).is_after(Serial(earlier)),
            "{later} after {earlier}"
        );
        assert!(
            !Serial(earlier).is_after(Serial(later)),
            "{earlier} after {later}"
        );
    }
    assert!(!Serial(7).is_after(Serial(7)));
    assert!(!Serial(0).is_after(Serial(1 << 31)) && !Serial(1 << 31).is_after(Serial(0)));
    assert_eq!(Serial(41).next(), Serial(42));
    assert_eq!(Serial(u32::MAX).next(), Serial(1));
}

#[test]
fn ttls_end_at_31_bits() {
    assert_eq!(
        Ttl::from_secs(0x7fff_ffff).map(Ttl::as_secs),
        Ok(0x7fff_ffff)
    );
    assert!(Ttl::from_secs(0x8000_0000).is_err());
}

proptest! {
    #[test]
    fn text_is_read_back_to_the_same_zone(rrs in samples::rrs(30)) {
        let zone = actual_of(&rrs);
        let mut builder = ZoneBuilder::new(name(samples::APEX));
        for rr in zone.rrsets().flat_map(RrsetRef::rrs) {
            let text = rr.to_string();
            let fields: Vec<_> = text.splitn(5, ' ').collect();
            let [owner, seconds, "IN", rtype, rdata] = fields[..] else {
                panic!("{text} has five fields");
            };
            let ttl = Ttl::from_secs(seconds.parse().unwrap()).unwrap();
            builder.push_text(owner, ttl, rtype, rdata).unwrap();
        }
        prop_assert_eq!(builder.build_actual(), Ok(zone));
    }
}
