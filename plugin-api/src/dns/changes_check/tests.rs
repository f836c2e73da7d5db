use proptest::prelude::*;

use super::super::diff::compare;
use super::super::samples::{self, actual, desired, name};
use super::super::{BufferFaultReason as Reason, LeftAlone, diff};
use super::super::{Change, Changes};
use super::HEADER;

fn changes(wanted: &str, served: &str) -> Changes {
    diff(&desired(wanted), &actual(served), &LeftAlone::default()).unwrap()
}

/// Octets of a set of changes put together by hand, with right numbers.
fn octets(changes: &[(u8, &[&str])]) -> Vec<u8> {
    let mut octets = vec![0; HEADER];
    octets[1] = 1;
    for (kind, rrsets) in changes {
        octets[7] += 1;
        octets[match kind {
            1 => 11,
            2 => 19,
            _ => 15,
        }] += 1;
        octets.push(*kind);
        for rrset in *rrsets {
            let zone = actual(rrset);
            octets.extend(zone.rrsets().flat_map(|rrset| rrset.octets().to_vec()));
        }
    }
    octets
}

fn check(octets: Vec<u8>) -> Result<String, Reason> {
    let checked = Changes::check(name(samples::APEX), octets.into());
    checked
        .map(|changes| changes.to_string().replace(".example.test.", ""))
        .map_err(|fault| fault.reason)
}

#[test]
fn an_update_is_one_change_with_both_halves() {
    let set = changes("a 1 A 192.0.2.2", "a 1 A 192.0.2.1");
    let [change] = set.iter().collect::<Vec<_>>()[..] else {
        panic!("one change");
    };
    let Change::Update { deletion, addition } = change else {
        panic!("an update");
    };
    assert_eq!(deletion.to_string(), "a.example.test. 1 IN A 192.0.2.1");
    assert_eq!(addition.to_string(), "a.example.test. 1 IN A 192.0.2.2");
    assert_eq!((set.len(), set.counts().updates), (1, 1));
}

#[test]
fn changes_put_together_in_order_are_accepted() {
    let accepted = check(octets(&[
        (2, &["b 1 TXT x"]),
        (3, &["b 1 A 192.0.2.1", "b 1 A 192.0.2.2"]),
        (1, &["b 1 MX 1 a"]),
        (1, &["d 1 A 192.0.2.1"]),
        (2, &["a 1 A 192.0.2.1"]),
        (2, &["a 1 TXT x"]),
        (2, &["c 1 A 192.0.2.1"]),
    ]));
    let expected = "- b 1 IN TXT \"x\"
- b 1 IN A 192.0.2.1
+ b 1 IN A 192.0.2.2
+ b 1 IN MX 1 a
+ d 1 IN A 192.0.2.1
- a 1 IN A 192.0.2.1
- a 1 IN TXT \"x\"
- c 1 IN A 192.0.2.1
";
    assert_eq!(accepted.as_deref(), Ok(expected));
    assert_eq!(check(octets(&[])).as_deref(), Ok(""));
}

#[test]
fn changes_out_of_order_or_in_conflict_are_refused() {
    let (a, b) = ("a 1 A 192.0.2.1", "b 1 A 192.0.2.1");
    let txt = "a 1 TXT x";
    type Made<'a> = &'a [(u8, &'a [&'a str])];
    let cases: &[(&str, Made<'_>, Reason)] = &[
        ("owners", &[(1, &[b]), (1, &[a])], Reason::Order),
        ("owners that lose", &[(2, &[b]), (2, &[a])], Reason::Order),
        (
            "a gain after losses",
            &[(2, &[a]), (1, &[b])],
            Reason::Order,
        ),
        (
            "one owner in both halves",
            &[(1, &[a]), (1, &[b]), (2, &["a 1 MX 1 a"])],
            Reason::Order,
        ),
        (
            "an addition before a deletion",
            &[(1, &[a]), (2, &[txt])],
            Reason::Order,
        ),
        ("types", &[(1, &[txt]), (1, &[a])], Reason::Order),
        ("the same twice", &[(1, &[a]), (1, &[a])], Reason::Order),
        (
            "an update in two",
            &[(2, &[a]), (1, &["a 1 A 192.0.2.2"])],
            Reason::Order,
        ),
        (
            "an update that changes nothing",
            &[(3, &[a, a])],
            Reason::UpdateHalves,
        ),
        (
            "an update of two types",
            &[(3, &[a, txt])],
            Reason::UpdateHalves,
        ),
        (
            "an update of two owners",
            &[(3, &[a, b])],
            Reason::UpdateHalves,
        ),
        ("half an update", &[(3, &[a])], Reason::Truncated),
        ("an unknown kind", &[(4, &[a])], Reason::Kind(4)),
    ];
    for (what, changes, reason) in cases {
        assert_eq!(check(octets(changes)), Err(reason.clone()), "{what}");
    }
}

#[test]
fn headers_are_checked() {
    let set = changes("a 1 A 192.0.2.1", "a 1 TXT x");
    let count = |what, stated, counted| Reason::Count {
        what,
        stated,
        counted,
    };
    for (at, octet, reason) in [
        (1, 9, Reason::Format(9)),
        (3, 1, Reason::Flags(1)),
        (7, 3, count("changes", 3, 2)),
        (11, 0, count("additions", 0, 1)),
        (15, 1, count("updates", 1, 0)),
        (19, 9, count("deletions", 9, 1)),
    ] {
        let mut octets = set.octets().to_vec();
        octets[at] = octet;
        assert_eq!(check(octets), Err(reason));
    }
    assert_eq!(
        check(set.octets()[..HEADER - 1].to_vec()),
        Err(Reason::Truncated)
    );
}

proptest! {
    #[test]
    fn no_octets_make_the_check_or_the_reading_panic(
        wanted in samples::rrs(6),
        served in samples::rrs(6),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let (wanted, served) = (samples::actual_of(&wanted), samples::actual_of(&served));
        let set = compare(&wanted, &served, LeftAlone::NOTHING, true).unwrap();
        let mut octets = set.octets().to_vec();
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        if let Ok(set) = Changes::check(name(samples::APEX), octets.into()) {
            prop_assert_eq!(set.iter().count(), set.len());
            prop_assert!(!set.to_string().contains("panicked"));
            if let Ok(result) = set.apply(&served) {
                prop_assert_eq!(set.verify(&served, &LeftAlone::NOTHING), Ok(()));
                let octets = result.octets().into();
                prop_assert!(super::super::ActualZone::check(name(samples::APEX), octets).is_ok());
            }
        }
    }
}
