use janitor_plugin_api::dns::Rtype;

use super::super::name::NameFault;
use super::{Answer, MessageFault, Scratch};

/// A message without question, its answer section given as octets.
fn message(answers: u16, octets: &[u8]) -> Vec<u8> {
    let mut message = vec![0, 0, 0x84, 0, 0, 0];
    message.extend(answers.to_be_bytes());
    message.extend([0; 4]);
    message.extend(octets);
    message
}

fn record(owner: &[u8], rtype: Rtype, rdata: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rdata.len()).unwrap().to_be_bytes();
    let rtype = rtype.0.to_be_bytes();
    [owner, &rtype, &[0, 1, 0, 0, 1, 44], &length, rdata].concat()
}

/// Owner and rdata of each record.
type Read = Vec<(Vec<u8>, Vec<u8>)>;

fn read(message: &[u8]) -> Result<Read, MessageFault> {
    let mut scratch = Scratch::default();
    let mut answer = Answer::new(message)?;
    let mut read = Vec::new();
    while let Some(record) = answer.next(&mut scratch)? {
        read.push((record.owner.to_vec(), record.rdata.to_vec()));
    }
    answer.finish()?;
    Ok(read)
}

/// The rdata of a record that follows one with the owner `\x01a\x04test\0` at octet 12.
fn rdata(rtype: Rtype, rdata: &[u8]) -> Result<Vec<u8>, MessageFault> {
    let first = record(b"\x01a\x04test\0", Rtype::A, &[192, 0, 2, 1]);
    let second = record(b"\xc0\x0e", rtype, rdata);
    read(&message(2, &[first, second].concat())).map(|mut read| read.swap_remove(1).1)
}

#[test]
fn names_in_rdata_are_uncompressed_where_servers_may_have_compressed_them() {
    let test = b"\x04test\0";
    let cases = [
        (Rtype::NS, &b"\xc0\x0e"[..], test.to_vec()),
        (
            Rtype::CNAME,
            b"\x03www\xc0\x0e",
            b"\x03www\x04test\0".to_vec(),
        ),
        (Rtype::DNAME, b"\xc0\x0e", test.to_vec()),
        (Rtype::PTR, b"\x01b\0", b"\x01b\0".to_vec()),
        (
            Rtype::MX,
            b"\0\x0a\xc0\x0e",
            [b"\0\x0a", &test[..]].concat(),
        ),
        (
            Rtype::KX,
            b"\0\x0a\xc0\x0e",
            [b"\0\x0a", &test[..]].concat(),
        ),
        (
            Rtype::SRV,
            b"\0\x01\0\x02\0\x03\xc0\x0e",
            [b"\0\x01\0\x02\0\x03", &test[..]].concat(),
        ),
        (
            Rtype::RP,
            b"\xc0\x0e\x01b\xc0\x0e",
            b"\x04test\0\x01b\x04test\0".to_vec(),
        ),
        (
            Rtype::MINFO,
            b"\xc0\x0e\xc0\x0c",
            b"\x04test\0\x01a\x04test\0".to_vec(),
        ),
        (
            Rtype::PX,
            b"\0\x01\xc0\x0e\xc0\x0e",
            b"\0\x01\x04test\0\x04test\0".to_vec(),
        ),
        (
            Rtype::SOA,
            b"\xc0\x0e\xc0\x0c01234567890123456789",
            b"\x04test\0\x01a\x04test\x0001234567890123456789".to_vec(),
        ),
        (
            Rtype::NAPTR,
            b"\0\x01\0\x02\x01u\0\x02!!\xc0\x0e",
            b"\0\x01\0\x02\x01u\0\x02!!\x04test\0".to_vec(),
        ),
        (
            Rtype::SIG,
            b"012345678901234567\xc0\x0esig",
            b"012345678901234567\x04test\0sig".to_vec(),
        ),
        (Rtype::NXT, b"\xc0\x0e\x40", b"\x04test\0\x40".to_vec()),
    ];
    for (rtype, sent, expected) in cases {
        assert_eq!(rdata(rtype, sent), Ok(expected), "{rtype}");
    }
}

#[test]
fn rdata_of_other_types_stays_as_it_is() {
    for rtype in [Rtype::A, Rtype::TXT, Rtype::NSEC, Rtype::SVCB, Rtype(65280)] {
        assert_eq!(
            rdata(rtype, b"\0\x01\xc0\x0e"),
            Ok(b"\0\x01\xc0\x0e".to_vec())
        );
    }
}

#[test]
fn rdata_too_short_for_its_type_stays_as_it_is() {
    let cases = [
        (Rtype::MX, &b"\0"[..]),
        (Rtype::MX, b"\0\x01"),
        (Rtype::RP, b"\0"),
        (Rtype::NAPTR, b"\0\x01\0\x02\x05u"),
        (Rtype::NS, b""),
    ];
    for (rtype, octets) in cases {
        assert_eq!(rdata(rtype, octets), Ok(octets.to_vec()), "{rtype}");
    }
}

#[test]
fn a_name_does_not_reach_beyond_its_rdata() {
    let fault = rdata(Rtype::NS, b"\x02b").unwrap_err();
    assert_eq!(fault, MessageFault::Name(NameFault::Truncated));
    let first = record(b"\0", Rtype::NS, b"\x01");
    let second = record(b"\0", Rtype::A, &[192, 0, 2, 1]);
    let fault = read(&message(2, &[first, second].concat())).unwrap_err();
    assert_eq!(fault, MessageFault::Name(NameFault::Truncated));
}

#[test]
fn owners_are_pointed_to_in_every_way() {
    let a = |owner: &[u8]| record(owner, Rtype::A, &[192, 0, 2, 1]);
    // Each record has 14 octets and its owner: they start at 12, 34, 50, 70 and 86.
    let octets = [
        a(b"\x01a\x04test\0"),
        a(b"\xc0\x0c"),
        a(b"\x01b\x01a\xc0\x0e"),
        a(b"\xc0\x32"),
        a(b"\xc0\x22"),
    ];
    let owners: Vec<_> = read(&message(5, &octets.concat()))
        .unwrap()
        .into_iter()
        .map(|(owner, _)| owner)
        .collect();
    let (a, b) = (
        b"\x01a\x04test\0".to_vec(),
        b"\x01b\x01a\x04test\0".to_vec(),
    );
    assert_eq!(owners, [a.clone(), a.clone(), b.clone(), b, a]);
}

/// Each owner of such a message would take thousands of steps, and there is room for thousands of owners.
#[test]
fn a_message_of_pointers_is_refused_at_the_first_name_with_too_many() {
    let mut chain = vec![0, 0];
    for target in 0..8_100_u16 {
        chain.extend((0xc000 | (12 + 11 + 2 * target)).to_be_bytes());
    }
    let chain = record(b"\0", Rtype(65280), &chain);
    let pointing_at = |pointer: u16| {
        let owner = (0xc000 | (12 + 11 + 2 * pointer)).to_be_bytes();
        read(&message(
            2,
            &[&chain[..], &record(&owner, Rtype::A, &[])].concat(),
        ))
        .map(drop)
    };
    assert_eq!(pointing_at(126), Ok(()));
    for pointer in [127, 8_000] {
        let fault = MessageFault::Name(NameFault::TooManyPointers);
        assert_eq!(pointing_at(pointer), Err(fault));
    }
}
