use super::super::samples::{actual, actual_holding, desired, name};
use super::super::{LeftAlone, Rtype, ZoneBuilder, diff};
use super::{ChangeFault, Changes, Place};

fn changes(wanted: &str, served: &str, left_alone: LeftAlone) -> Changes {
    diff(&desired(wanted), &actual(served), &left_alone).unwrap()
}

fn place(owner: &str, rtype: Rtype) -> Place {
    Place {
        owner: name(&format!("{owner}.example.test")),
        rtype,
    }
}

#[test]
fn changes_that_do_not_fit_what_is_served_are_refused() {
    let set = changes(
        "a 1 A 192.0.2.2\n b 1 A 192.0.2.1\n d 1 TXT x",
        "a 1 A 192.0.2.1\n c 1 A 192.0.2.1\n d 1 TXT x",
        LeftAlone::default(),
    );
    let rtype = Rtype::A;
    for (served, fault) in [
        ("a 1 A 192.0.2.1\n c 1 A 192.0.2.1", None),
        (
            "a 1 A 192.0.2.1\n c 1 A 192.0.2.1\n c 1 TXT x\n e 1 TXT x",
            None,
        ),
        (
            "c 1 A 192.0.2.1",
            Some(ChangeFault::NotServed(place("a", rtype))),
        ),
        (
            "a 2 A 192.0.2.1\n c 1 A 192.0.2.1",
            Some(ChangeFault::NotServed(place("a", rtype))),
        ),
        (
            "a 1 A 192.0.2.1\n b 1 A 192.0.2.7\n c 1 A 192.0.2.1",
            Some(ChangeFault::Served(place("b", rtype))),
        ),
        (
            "a 1 A 192.0.2.1",
            Some(ChangeFault::NotServed(place("c", rtype))),
        ),
    ] {
        let verified = set.verify(&actual(served), &LeftAlone::default());
        assert_eq!(verified, fault.clone().map_or(Ok(()), Err), "{served}");
        assert_eq!(set.apply(&actual(served)).err(), fault, "{served}");
    }
}

#[test]
fn changes_at_an_owner_that_the_actual_zone_holds_are_refused() {
    let served = "a 1 A 192.0.2.1\n b 1 A 192.0.2.1\n c 1 A 192.0.2.1";
    for (wanted, at) in [
        ("a 1 A 192.0.2.2\n b 1 A 192.0.2.1\n c 1 A 192.0.2.1", "a"),
        ("a 1 A 192.0.2.1\n c 1 A 192.0.2.1", "b"),
        (&format!("{served}\n d 1 A 192.0.2.1"), "d"),
    ] {
        let set = changes(wanted, served, LeftAlone::default());
        let others = actual_holding(served, &["0", "aa", "x.b", "z"]);
        assert_eq!(set.verify(&others, &LeftAlone::default()), Ok(()));
        let after = set.apply(&others).unwrap();
        assert!(after.held().eq(others.held()));

        let holding = actual_holding(served, &["0", "a.a", at, "z"]);
        let fault = ChangeFault::Held(place(at, Rtype::A));
        let verified = set.verify(&holding, &LeftAlone::NOTHING);
        assert_eq!(verified, Err(fault.clone()));
        assert_eq!(set.apply(&holding), Err(fault));
    }
}

#[test]
fn changes_to_another_zone_are_refused() {
    let set = changes("a 1 A 192.0.2.1", "", LeftAlone::default());
    let other = ZoneBuilder::new(name("example.org"))
        .build_actual()
        .unwrap();
    let verified = set.verify(&other, &LeftAlone::default());
    assert!(matches!(verified, Err(ChangeFault::Apex { .. })));
}

#[test]
fn changes_to_what_is_left_alone_are_refused() {
    for (wanted, served, at) in [
        ("@ 1 NS a\n a 1 A ::", "@ 1 NS b\n a 1 A ::", Rtype::NS),
        ("@ 1 SOA a b 1 2 3 4 5\n a 1 A ::", "a 1 A ::", Rtype::SOA),
        (
            "a 1 A ::",
            "@ 1 DNSKEY 257 3 13 aaaa\n a 1 A ::",
            Rtype::DNSKEY,
        ),
    ] {
        let (wanted, served) = (
            wanted.replace("::", "192.0.2.1"),
            served.replace("::", "192.0.2.1"),
        );
        let set = changes(&wanted, &served, LeftAlone::NOTHING);
        let served = actual(&served);
        assert_eq!(set.verify(&served, &LeftAlone::NOTHING), Ok(()));
        let expected = ChangeFault::LeftAlone(Place {
            owner: name("example.test"),
            rtype: at,
        });
        assert_eq!(set.verify(&served, &LeftAlone::default()), Err(expected));
    }
}

#[test]
fn additions_that_wait_for_a_deletion_are_not_left() {
    let set = changes(
        "a 1 CNAME x\n b 1 A 192.0.2.1\n c 1 A 192.0.2.1\n c 1 MX 1 a\n d 1 CNAME x\n e 1 A 192.0.2.1",
        "a 1 A 192.0.2.1\n b 1 CNAME x\n c 1 TXT x\n c 1 MX 2 a\n f 1 A 192.0.2.1",
        LeftAlone::default(),
    );
    let left = set.additions_only();
    let expected = "+ c.example.test. 1 IN A 192.0.2.1
+ d.example.test. 1 IN CNAME x.example.test.
+ e.example.test. 1 IN A 192.0.2.1
";
    assert_eq!(left.to_string(), expected);
    let counts = left.counts();
    assert_eq!(
        (counts.additions, counts.updates, counts.deletions),
        (3, 0, 0)
    );
    assert_eq!(
        (counts.incomplete_additions, counts.incomplete_updates),
        (2, 1)
    );
    assert_eq!(counts.incomplete_deletions, 4);
}

#[test]
fn what_the_maker_of_the_changes_counted_may_be_anything() {
    let set = changes("b 1 A 192.0.2.1", "a 1 A 192.0.2.1", LeftAlone::NOTHING);
    let apex = set.apex().to_owned();
    let mut octets = set.into_octets();
    // All the numbers that nobody can confirm.
    octets[20..60].fill(0xff);
    let boastful = Changes::check(apex, octets).expect("numbers are no fault of the buffer");
    let left = boastful.additions_only();
    assert_eq!(
        (left.len(), left.counts().incomplete_deletions),
        (1, u32::MAX)
    );
}
