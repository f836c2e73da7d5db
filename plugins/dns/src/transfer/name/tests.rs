use domain::base::name::{FlattenInto, ParsedName};
use domain::dep::octseq::Parser;
use proptest::prelude::*;

use super::{Extent, NameFault, decompress, skip};

fn read(message: &[u8], at: usize) -> Result<(Vec<u8>, Extent), NameFault> {
    let mut name = b"before".to_vec();
    let extent = decompress(message, at, &mut name)?;
    Ok((name.split_off(6), extent))
}

#[test]
fn names_are_read_through_their_pointers() {
    let message = b"\x04test\0\x03www\xc0\0\xc0\x06\x01a\xc0\x0c!";
    let read = |at| {
        let (name, extent) = read(message, at).unwrap();
        assert_eq!(skip(message, at), Ok(extent.end));
        (name, extent.first_label, extent.end)
    };
    assert_eq!(read(0), (b"\x04test\0".to_vec(), 0, 6));
    assert_eq!(read(5), (b"\0".to_vec(), 5, 6));
    assert_eq!(read(6), (b"\x03www\x04test\0".to_vec(), 6, 12));
    assert_eq!(read(12), (b"\x03www\x04test\0".to_vec(), 6, 14));
    assert_eq!(read(14), (b"\x01a\x03www\x04test\0".to_vec(), 14, 18));
}

#[test]
fn octets_that_are_no_name_are_refused() {
    let faults = [
        (&b""[..], NameFault::Truncated),
        (b"\x03ww", NameFault::Truncated),
        (b"\x03www", NameFault::Truncated),
        (b"\xc0", NameFault::Truncated),
        (b"\x40", NameFault::LabelType),
        (b"\x80", NameFault::LabelType),
        (b"\xc0\0", NameFault::PointsAhead),
        (b"\xc0\x02\0", NameFault::PointsAhead),
        (b"\x01a\xc0\0", NameFault::PointsAhead),
        (b"\xff\xff", NameFault::PointsAhead),
    ];
    for (octets, fault) in faults {
        assert_eq!(read(octets, 0), Err(fault), "{octets:?}");
    }
}

#[test]
fn the_longest_name_is_read_and_no_longer_one() {
    // Three labels of 63 octets and one of 61: 4 length octets and the root label make 255.
    let label = |octets: u8| [&[octets][..], &vec![b'x'; usize::from(octets)]].concat();
    let longest = [label(63), label(63), label(63), label(61), vec![0]].concat();
    assert_eq!(longest.len(), 255);
    assert_eq!(read(&longest, 0).unwrap().0, longest);
    for at_end in [&b"\x3e"[..], b"\x3d"] {
        let longer = [&longest[..192], at_end, &[b'x'; 62], b"\0"].concat();
        let expected = if at_end == b"\x3e" {
            Err(NameFault::TooLong)
        } else {
            Err(NameFault::LabelType)
        };
        assert_eq!(read(&longer, 0).map(drop), expected);
    }
    // The same through a pointer.
    let message = [&longest[64..], b"\x3exx", &[b'x'; 60], b"\xc0\0"].concat();
    assert_eq!(read(&message, 191).unwrap().0.len(), 254);
    let message = [&longest[64..], b"\x3fxxx", &[b'x'; 60], b"\xc0\0"].concat();
    assert_eq!(read(&message, 191).unwrap().0.len(), 255);
    let message = [
        &longest[64..],
        b"\x3fxxx",
        &[b'x'; 60],
        b"\xc0\0\x01a\xc0\xbf",
    ]
    .concat();
    assert_eq!(read(&message, 191 + 66), Err(NameFault::TooLong));
}

#[test]
fn pointers_to_pointers_come_to_an_end() {
    let mut message = vec![0, 0];
    for target in 0..200_u16 {
        message.extend((0xc000 | (target * 2)).to_be_bytes());
    }
    let last_read = 2 * 127;
    assert_eq!(read(&message, last_read).unwrap().0, [0]);
    assert_eq!(
        read(&message, last_read + 2),
        Err(NameFault::TooManyPointers)
    );
}

/// Octets in which labels and pointers are frequent.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 1..6).prop_map(|label| {
            [&[u8::try_from(label.len()).unwrap()][..], &label].concat()
        }),
        2 => any::<u8>().prop_map(|target| vec![0xc0, target % 64]),
        1 => Just(vec![0]),
        1 => Just([&[63][..], &[b'x'; 63]].concat()),
        1 => any::<u8>().prop_map(|octet| vec![octet]),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn names_are_read_as_domain_reads_them(octets in octets(), at in any::<prop::sample::Index>()) {
        prop_assume!(!octets.is_empty());
        let at = at.index(octets.len());
        let mut parser = Parser::from_ref(&octets[..]);
        parser.seek(at).unwrap();
        let theirs = ParsedName::parse(&mut parser)
            .map(|name| {
                let name: domain::base::Name<Vec<u8>> = name.try_flatten_into().unwrap();
                (name.into_octets(), parser.pos())
            });
        match read(&octets, at) {
            Ok((name, extent)) => prop_assert_eq!(theirs, Ok((name, extent.end))),
            Err(_) => prop_assert!(theirs.is_err(), "domain reads {:?}", theirs),
        }
    }
}
