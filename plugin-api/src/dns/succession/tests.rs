use std::cmp::Ordering;

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::{Name, NameError};
use super::{OwnerFault, Search, Succession};

/// Names that often share parents, at and below `a.`, or anywhere.
fn names(below: &'static [u8]) -> impl Strategy<Value = Vec<Name>> {
    let octet = prop_oneof![Just(0), Just(1), b'a'..=b'c'];
    let label = vec(octet, 1..3);
    let name = vec(label, 0..4).prop_map(move |labels| {
        let mut wire = Vec::new();
        for label in labels {
            wire.push(u8::try_from(label.len()).unwrap());
            wire.extend(label);
        }
        wire.extend(below);
        Name::from_wire(&wire).unwrap()
    });
    vec(name, 1..40)
}

/// The octets of names, one after the other, and where each starts.
fn joined(names: &[Name]) -> (Vec<u8>, Vec<usize>) {
    let mut octets = Vec::new();
    let mut starts = Vec::new();
    for name in names {
        starts.push(octets.len());
        octets.extend_from_slice(name.as_wire());
    }
    (octets, starts)
}

fn check_succession(apex: &[u8], names: &[Name]) -> Result<(), TestCaseError> {
    let mut succession = Succession::new(apex);
    let (octets, starts) = joined(names);
    prop_assert_eq!(succession.read(&octets, apex), Ok(names[0].as_wire().len()));
    for (pair, start) in names.windows(2).zip(&starts[1..]) {
        let followed = succession.follow(pair[0].as_wire(), &octets[*start..], apex);
        prop_assert_eq!(
            followed,
            Ok((pair[1].as_wire().len(), pair[1].cmp(&pair[0])))
        );
    }
    Ok(())
}

proptest! {
    #[test]
    fn owners_are_compared_with_the_one_before(names in names(b"\x01a\0")) {
        check_succession(b"\x01a\0", &names)?;
    }

    #[test]
    fn owners_in_the_root_zone_are_compared(names in names(b"\0")) {
        check_succession(b"\0", &names)?;
    }

    #[test]
    fn what_comes_before_the_target_is_known(
        mut passed in names(b"\0"),
        mut targets in names(b"\0"),
    ) {
        passed.sort();
        targets.sort();
        let mut search = Search::new();
        let mut rest = &passed[..];
        for target in &targets {
            search.aim(target.as_wire());
            while let [first, tail @ ..] = rest {
                let is_before = search.is_before(first.as_wire());
                prop_assert_eq!(is_before, first < target, "{} before {}", first, target);
                if !is_before {
                    break;
                }
                rest = tail;
            }
        }
    }
}

#[test]
fn siblings_are_checked_as_all_others_are() {
    let apex = b"\x01a\0";
    let last = b"\x01b\x01a\0";
    let long = [&[63][..], &[b'x'; 63]].concat().repeat(3);
    let parent = [&long, &b"\x01a\0"[..]].concat();
    let child = |label: &[u8]| [label, &parent].concat();
    let short = child(b"\x01b");
    let cases: &[(&[u8], Vec<u8>, OwnerFault)] = &[
        (
            last,
            b"\x01B\x01a\0".to_vec(),
            OwnerFault::Name(NameError::UpperCase),
        ),
        (
            last,
            b"\xc0b\x01a\0".to_vec(),
            OwnerFault::Name(NameError::LabelType),
        ),
        (last, b"\0\x01a\0".to_vec(), OwnerFault::OutOfZone),
        (last, b"\x01b\x01b\0".to_vec(), OwnerFault::OutOfZone),
        (
            &short,
            child(&[&[60][..], &[b'y'; 60]].concat()),
            OwnerFault::Name(NameError::LongName),
        ),
    ];
    for (last, next, fault) in cases {
        let mut succession = Succession::new(apex);
        assert_eq!(succession.read(last, apex), Ok(last.len()));
        assert_eq!(succession.follow(last, next, apex), Err(fault.clone()));
        // A fault leaves the last owner the last.
        let followed = succession.follow(last, b"\x01c\x01a\0", apex);
        let order = Name::from_wire(b"\x01c\x01a\0")
            .unwrap()
            .cmp(&Name::from_wire(last).unwrap());
        assert_eq!(followed, Ok((5, order)));
    }
    // The longest that fits: 255 octets.
    let mut succession = Succession::new(apex);
    assert_eq!(succession.read(&short, apex), Ok(short.len()));
    let longest = child(&[&[59][..], &[b'y'; 59]].concat());
    let followed = succession.follow(&short, &longest, apex);
    assert_eq!(followed, Ok((255, Ordering::Greater)));
}
