use proptest::prelude::*;

use super::super::text;
use super::super::{Name, NameError};
use super::{RdataError, Rtype, canonicalise, check};

fn wire(rtype: Rtype, text: &str) -> Vec<u8> {
    text::parse_rdata(rtype, text, Name::root().as_ref()).unwrap()
}

#[test]
fn names_become_lower_case_in_the_types_of_rfc_4034_only() {
    let soa = "Ns1.Test. Host.Test. 1 2 3 4 5";
    let rrsig = "A 13 2 300 20300101000000 20290101000000 1 Example.Test. QUFB";
    for (rtype, text, lower) in [
        (Rtype::NS, "Ns1.Test.", true),
        (Rtype::CNAME, "Www.Test.", true),
        (Rtype::PTR, "Www.Test.", true),
        (Rtype::DNAME, "Www.Test.", true),
        (Rtype::SOA, soa, true),
        (Rtype::MX, "10 Mail.Test.", true),
        (Rtype::SRV, "1 2 3 Host.Test.", true),
        (Rtype::NAPTR, "1 2 \"u\" \"sip\" \"\" Host.Test.", true),
        (Rtype::RRSIG, rrsig, true),
        (Rtype::NSEC, "Next.Test. A", false),
        (Rtype::SVCB, "1 Host.Test. alpn=h2", false),
        (Rtype::HTTPS, "1 Host.Test.", false),
    ] {
        let original = wire(rtype, text);
        let mut octets = original.clone();
        assert_eq!(canonicalise(rtype, &mut octets), Ok(()), "{rtype}");
        assert_eq!(octets != original, lower, "{rtype}");
        assert_eq!(check(rtype, &octets), Ok(()), "{rtype}");
        let expected = if lower {
            Err(RdataError::UpperCase)
        } else {
            Ok(())
        };
        assert_eq!(check(rtype, &original), expected, "{rtype}");
    }
}

#[test]
fn only_names_become_lower_case() {
    let mut octets = wire(Rtype::NAPTR, "1 2 \"U\" \"E2U+sip\" \"!ABC!\" Host.Test.");
    canonicalise(Rtype::NAPTR, &mut octets).unwrap();
    assert_eq!(
        octets,
        wire(Rtype::NAPTR, "1 2 \"U\" \"E2U+sip\" \"!ABC!\" host.test.")
    );
    // The signature looks like letters and stays.
    let mut octets = [&[0; 18][..], b"\x01A\0ABC"].concat();
    canonicalise(Rtype::RRSIG, &mut octets).unwrap();
    assert_eq!(octets[18..], *b"\x01a\0ABC");
    // A prefix of 8 bits leaves 15 octets of suffix.
    let mut octets = [&[8][..], &[b'X'; 15], b"\x01A\0"].concat();
    canonicalise(Rtype::A6, &mut octets).unwrap();
    assert_eq!(octets[1..], *[&[b'X'; 15][..], b"\x01a\0"].concat());
}

/// Rdata that is right, and from which nothing may be missing.
#[test]
fn shapes_of_rdata_are_known() {
    let name = &b"\x01a\0"[..];
    let bitmap = &b"\0\x01\x40"[..];
    let join = |parts: &[&[u8]]| parts.concat();
    let cases: &[(Rtype, Vec<u8>)] = &[
        (Rtype::A, vec![1; 4]),
        (Rtype::AAAA, vec![1; 16]),
        (Rtype::SOA, join(&[name, name, &[1; 20]])),
        (Rtype::MINFO, join(&[name, name])),
        (Rtype::RP, join(&[name, name])),
        (Rtype::PX, join(&[&[0, 1], name, name])),
        (Rtype::TALINK, join(&[name, name])),
        (Rtype::LP, join(&[&[0, 1], name])),
        (Rtype::DSYNC, join(&[&[0, 1, 1, 0, 1], name])),
        (Rtype::HINFO, b"\x01a\x01b".to_vec()),
        (Rtype::GPOS, b"\x01a\x01b\x01c".to_vec()),
        (Rtype::NSAP_PTR, name.to_vec()),
        (Rtype::LOC, [&[0][..], &[1; 15]].concat()),
        (Rtype::EUI48, vec![1; 6]),
        (Rtype::EUI64, vec![1; 8]),
        (Rtype::NID, vec![1; 10]),
        (Rtype::L32, vec![1; 6]),
        (Rtype::L64, vec![1; 10]),
        (Rtype::NSEC3PARAM, vec![1, 0, 0, 1, 2, 9, 9]),
        (Rtype::AMTRELAY, join(&[&[1, 0x83], name])),
        (Rtype::AMTRELAY, join(&[&[1, 2], &[1; 16]])),
    ];
    for (rtype, octets) in cases {
        assert_eq!(check(*rtype, octets), Ok(()), "{rtype}");
        for length in 0..octets.len() {
            assert!(
                check(*rtype, &octets[..length]).is_err(),
                "{rtype} of {length} octets"
            );
        }
        let longer = [octets, &[0][..]].concat();
        assert!(
            check(*rtype, &longer).is_err(),
            "{rtype} with an octet too many"
        );
    }
    // These may go on or stop.
    for (rtype, octets) in [
        (Rtype::NSEC, join(&[name, bitmap])),
        (Rtype::NSEC3, join(&[&[1, 0, 0, 1, 0, 1, 7], bitmap])),
        (Rtype::NSEC3, vec![1, 0, 0, 1, 0, 1, 7]),
        (Rtype::CSYNC, join(&[&[1; 6], bitmap])),
        (Rtype::ISDN, b"\x01a".to_vec()),
        (Rtype::ISDN, b"\x01a\x01b".to_vec()),
        (Rtype::TXT, b"\x01a\0\x01b".to_vec()),
        (Rtype::CAA, b"\0\x05issueca.test".to_vec()),
        (Rtype::URI, b"\0\x01\0\x01https://test".to_vec()),
        (Rtype::APL, vec![0, 1, 8, 1, 10, 0, 2, 8, 0x82, 32, 1]),
        (Rtype::APL, vec![]),
        (
            Rtype::HIP,
            [&[1, 2, 0, 2, 7, 8, 9][..], name, name].concat(),
        ),
        (Rtype::IPSECKEY, join(&[&[1, 3, 2], name, b"key"])),
        (Rtype::IPSECKEY, vec![1, 0, 2, 7]),
        (Rtype::WKS, vec![1; 5]),
        (Rtype(65280), vec![]),
        (Rtype::NULL, vec![1, 2, 3]),
    ] {
        assert_eq!(check(rtype, &octets), Ok(()), "{rtype} {octets:?}");
    }
}

#[test]
fn malformed_rdata_is_refused_with_the_reason() {
    let name = |source| RdataError::Name(source);
    let field = RdataError::Field;
    let many = vec![0; 65_536];
    for (rtype, octets, error) in [
        (Rtype::A, &[1, 2, 3][..], RdataError::Truncated),
        (Rtype::A, &[1, 2, 3, 4, 5], RdataError::TrailingOctets),
        (Rtype::CNAME, b"\xc0\x0c", name(NameError::LabelType)),
        (Rtype::CNAME, b"\x01a", name(NameError::Truncated)),
        (Rtype::CNAME, b"", name(NameError::Truncated)),
        (Rtype::TXT, b"", RdataError::Truncated),
        (Rtype::TXT, b"\x02a", RdataError::Truncated),
        (Rtype::CAA, b"\0\0ca", field("property tag")),
        (Rtype::LOC, &[1; 16], field("version")),
        (
            Rtype::NSEC,
            b"\0\x01\x01\x40\0\x01\x40",
            field("type bitmap"),
        ),
        (Rtype::NSEC, b"\0\0\x01\0", field("type bitmap")),
        (Rtype::NSEC, b"\0\0\0", field("type bitmap")),
        (
            Rtype::NSEC,
            &[&[0, 0, 33][..], &[1; 33]].concat(),
            field("type bitmap"),
        ),
        (Rtype::NSEC, b"\0\0", RdataError::Truncated),
        (
            Rtype::SVCB,
            b"\0\x01\0\0\x03\0\0\0\x01\0\0",
            field("order of service parameters"),
        ),
        (Rtype::SVCB, b"\0\x01\0\0\x03\0\x01", RdataError::Truncated),
        (Rtype::IPSECKEY, &[1, 9, 2], field("gateway type")),
        (Rtype::A6, &[129], field("prefix length")),
        (Rtype::HIP, &[9, 2, 0, 2], RdataError::Truncated),
        (Rtype::APL, &[0, 1, 8], RdataError::Truncated),
        (Rtype::APL, &[0, 1, 8, 2, 10], RdataError::Truncated),
        (Rtype::NULL, &many, RdataError::TooLong),
    ] {
        assert_eq!(check(rtype, octets), Err(error), "{rtype}");
    }
}

proptest! {
    #[test]
    fn canonical_form_is_reached_in_one_step(rtype in 0..300_u16, octets: Vec<u8>) {
        let rtype = Rtype(rtype);
        let mut canonical = octets.clone();
        if canonicalise(rtype, &mut canonical).is_ok() {
            prop_assert_eq!(check(rtype, &canonical), Ok(()));
            prop_assert!(canonical.eq_ignore_ascii_case(&octets));
        } else {
            prop_assert_eq!(canonical, octets);
        }
    }
}
