use super::{parse_rdata, rdata_display};
use crate::dns::{NameRef, Rtype};

const ORIGIN: &[u8] = b"\x07example\x03com\x00";
const NAME: &str = "07 6578616d706c65 03 636f6d 00";

/// Type, text as people write it, octets in hexadecimal, text as we write it.
#[rustfmt::skip] // A table.
const VECTORS: &[(Rtype, &str, &str, &str)] = &[
    (Rtype::A, "192.0.2.1", "c0000201", "192.0.2.1"),
    (Rtype::AAAA, "2001:DB8:0:0::192.0.2.1", "20010db8 00000000 00000000 c0000201", "2001:db8::c000:201"),
    (Rtype::CNAME, "@", NAME, "example.com."),
    (Rtype::CNAME, r"a\.b\032c.\255.", "05 612e622063 01 ff 00", r"a\.b\032c.\255."),
    (Rtype::MX, "10 Mail", "000a 04 4d61696c 07 6578616d706c65 03 636f6d 00", "10 Mail.example.com."),
    (Rtype::TXT, r#"bare "q \"x\" \\" \097 """#, "04 62617265 07 7120227822205c 01 61 00", ""),
    (Rtype::TXT, r#"a\ b "#, "03 612062", r#""a b""#),
    (Rtype::TXT, r"\# foo", "01 23 03 666f6f", r##""#" "foo""##),
    (Rtype::SOA, ". . 1 1h 15M 1W2d 1d1h1m1s", "00 00 00000001 00000e10 00000384 000bdd80 00015fcd", ". . 1 3600 900 777600 90061"),
    // RFC 1876, section 4.
    (Rtype::LOC, "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m", "00 00 16 13 8b3cf018 810cbce0 009895b8", "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m"),
    (Rtype::LOC, "42 21 54 N 71 06 18 W -24m 30m", "00 33 16 13 89172dd0 70be15f0 00988d20", "42 21 54.000 N 71 6 18.000 W -24.00m 30.00m 10000.00m 10.00m"),
    // RFC 3123, section 5.
    (Rtype::APL, "1:192.168.32.0/21 !1:192.168.38.0/28", "0001 15 03 c0a820 0001 1c 83 c0a826", "1:192.168.32.0/21 !1:192.168.38.0/28"),
    // RFC 4034, sections 4.3 and 3.3.
    (Rtype::NSEC, "host.example.com. ( A MX RRSIG NSEC TYPE1234 )", "04 686f7374 07 6578616d706c65 03 636f6d 00 00 06 400100000003 04 1b 000000000000000000000000000000000000000000000000000020", "host.example.com. A MX RRSIG NSEC TYPE1234"),
    (Rtype::RRSIG, "A 5 3 86400 20300322173103 20030220173103 2642 . AQID", "0001 05 03 00015180 714646d7 3e5510d7 0a52 00 010203", "A 5 3 86400 20300322173103 20030220173103 2642 . AQID"),
    (Rtype::NSEC3PARAM, "SHA-1 0 12 aabbccdd", "01 00 000c 04 aabbccdd", "1 0 12 AABBCCDD"),
    (Rtype::DS, "60485 RSASHA1 SHA-1 2BB183AF5F22588179A53B0A 98631FAD1A292118", "ec45 05 01 2bb183af5f22588179a53b0a98631fad1a292118", "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"),
    (Rtype::KEY, "NOKEY|ZONE DNSSEC RSASHA1", "c100 03 05", "49408 3 5"),
    // RFC 7043, section 3.2; RFC 6742, section 2.
    (Rtype::EUI48, "00-00-5E-00-53-2a", "00005e00532a", "00-00-5e-00-53-2a"),
    (Rtype::NID, "10 0014:4fff:ff20:ee64", "000a 00144fffff20ee64", "10 14:4fff:ff20:ee64"),
    (Rtype::URI, r#"10 1 "ftp://ftp1.example.com/public""#, "000a 0001 6674703a2f2f667470312e6578616d706c652e636f6d2f7075626c6963", r#"10 1 "ftp://ftp1.example.com/public""#),
    (Rtype::CAA, r#"0 issue "ca1.example.net""#, "00 05 6973737565 6361312e6578616d706c652e6e6574", r#"0 issue "ca1.example.net""#),
    // RFC 9460, appendix D.
    (Rtype::SVCB, "16 foo.example.org. alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1", "0010 03 666f6f 07 6578616d706c65 03 6f7267 00 0000 0004 00010004 0001 0009 02 6832 05 68332d3139 0004 0004 c0000201", r#"16 foo.example.org. mandatory=alpn,ipv4hint alpn="h2,h3-19" ipv4hint=192.0.2.1"#),
    (Rtype::SVCB, r#"16 foo.example.org. alpn="f\\\\oo\\,bar,h2""#, "0010 03 666f6f 07 6578616d706c65 03 6f7267 00 0001 000c 08 665c6f6f2c626172 02 6832", r#"16 foo.example.org. alpn="f\\\\oo\\,bar,h2""#),
    (Rtype::SVCB, r"16 foo.example.org. alpn=f\\\092oo\092,bar,h2", "0010 03 666f6f 07 6578616d706c65 03 6f7267 00 0001 000c 08 665c6f6f2c626172 02 6832", r#"16 foo.example.org. alpn="f\\\\oo\\,bar,h2""#),
    (Rtype::HTTPS, r#"1 . key667="hello\210qoo""#, "0001 00 029b 0009 68656c6c6fd2716f6f", r#"1 . key667="hello\210qoo""#),
    (Rtype::SVCB, "1 foo.example.com. ipv6hint=\"2001:db8:ffff:ffff:ffff:ffff:198.51.100.100\"", "0001 03 666f6f 07 6578616d706c65 03 636f6d 00 0006 0010 20010db8ffffffffffffffffc6336464", "1 foo.example.com. ipv6hint=2001:db8:ffff:ffff:ffff:ffff:c633:6464"),
    (Rtype(65280), r"\# 3 ABcd ( e
        f ) ; comment", "abcdef", r"\# 3 ABCDEF"),
    (Rtype::A, r"\# 4 c0000201", "c0000201", "192.0.2.1"),
];

#[test]
fn text_and_octets_are_as_the_rfcs_have_them() {
    let origin = NameRef::from_canonical_wire(ORIGIN).unwrap();
    for (rtype, text, octets, written) in VECTORS {
        let octets = from_hex(octets);
        assert_eq!(
            parse_rdata(*rtype, text, origin).unwrap(),
            octets,
            "{rtype} {text}"
        );
        let shown = rdata_display(*rtype, &octets).to_string();
        if !written.is_empty() {
            assert_eq!(shown, *written, "{rtype}");
        }
        assert_eq!(
            parse_rdata(*rtype, &shown, origin).unwrap(),
            octets,
            "{rtype} {shown}"
        );
    }
}

#[test]
fn octets_that_do_not_fit_their_type_are_shown_as_octets() {
    for (rtype, octets, shown) in [
        (Rtype::A, "c00002", r"\# 3 C00002"),
        (Rtype::A, "", r"\# 0"),
        (Rtype::MX, "000a 01", r"\# 3 000A01"),
        (Rtype::CNAME, "c000", r"\# 2 C000"),
        (Rtype::TXT, "02 61", r"\# 2 0261"),
        (
            Rtype::LOC,
            "01 000000 00000000 00000000 00000000",
            r"\# 16 01000000000000000000000000000000",
        ),
        (Rtype::NSEC, "00 00 01 00", r"\# 4 00000100"),
        (
            Rtype::SVCB,
            "0001 00 0003 0002 0050 0001 0003 026832",
            r"\# 16 00010000030002005000010003026832",
        ),
        (Rtype::DS, "0001 08 02 ab", r"\# 5 00010802AB"),
    ] {
        assert_eq!(
            rdata_display(rtype, &from_hex(octets)).to_string(),
            shown,
            "{rtype}"
        );
    }
}

#[test]
fn errors_count_columns_from_the_start_of_the_text() {
    let origin = NameRef::from_canonical_wire(ORIGIN).unwrap();
    for (rtype, text, error) in [
        (
            Rtype::MX,
            "10  a..b",
            "cannot read the rdata of MX at column 5",
        ),
        (Rtype::A, "", "cannot read the rdata of A at column 1"),
        (
            Rtype::A,
            "192.0.2.1\n192.0.2.2",
            "cannot read the rdata of A at column 11",
        ),
    ] {
        assert_eq!(
            parse_rdata(rtype, text, origin).unwrap_err().to_string(),
            error
        );
    }
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|octet| *octet != b' ').collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
