//! The fields of rdata: one table for reading and for writing.

use crate::dns::rtype::Rtype;

/// One field of rdata, as text and as octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// Decimal number of 8 bits; its meaning.
    U8(&'static str),
    /// Decimal number of 16 bits.
    U16(&'static str),
    /// Decimal number of 32 bits.
    U32(&'static str),
    /// Number of seconds in 32 bits, with or without units.
    Seconds(&'static str),
    /// Domain name.
    Name,
    /// Domain name that may be quoted.
    QuotableName,
    /// IPv4 address.
    Ipv4,
    /// IPv6 address.
    Ipv6,
    /// Character string (RFC 1035, section 3.3).
    Text(&'static str),
    /// Character string of at least four digits.
    Digits,
    /// Character string that may be missing at the end.
    OptionalText,
    /// One or more character strings up to the end.
    Texts,
    /// Text up to the end, without a length octet.
    LongText,
    /// As [`Field::LongText`], and the quotes are required.
    QuotedText,
    /// Property tag of CAA: letters and digits behind a length octet.
    Tag,
    /// Octets in hexadecimal up to the end, at least that many.
    Hex(usize),
    /// As [`Field::Hex`], and the octet before decides the length: pairs of its
    /// value and the length.
    Digest(usize, &'static [(u8, usize)]),
    /// Octets in Base64 up to the end, at least that many.
    Base64(usize),
    /// The key of KEY: [`Field::Base64`], nothing if the flags say so.
    Key,
    /// Octets in Base64 up to the end, or `-` for none.
    Base64OrDash,
    /// RR type, by mnemonic or number.
    CoveredType,
    /// Octet that has mnemonics.
    Mnemonic8(&'static str, &'static [(u16, &'static str)]),
    /// 16 bits that have mnemonics.
    Mnemonic16(&'static str, &'static [(u16, &'static str)]),
    /// Flags of KEY.
    KeyFlags,
    /// Point in time as `YYYYMMDDHHmmSS` or in seconds since 1970.
    Time,
    /// Salt of NSEC3 in hexadecimal, or `-` for none.
    Salt,
    /// Hash of NSEC3 in base32hex.
    Hash,
    /// Bitmap of RR types (RFC 4034, section 4.1.2); whether it may be empty.
    Bitmap(bool),
    /// Bitmap of the first 127 RR types (RFC 2535, section 5.2).
    OldBitmap,
    /// 48 or 64 bits in pairs of hexadecimal digits; the number of octets.
    Eui(usize),
    /// 64 bits in four groups of hexadecimal digits.
    Locator,
    /// Location (RFC 1876).
    Location,
    /// Address prefixes (RFC 3123).
    Prefixes,
    /// Service parameters (RFC 9460).
    ServiceParameters,
    /// Gateway type, algorithm and gateway of IPSECKEY (RFC 4025).
    IpsecGateway,
    /// Discovery bit, relay type and relay of AMTRELAY (RFC 8777).
    AmtRelay,
    /// Lengths, algorithm, tag and key of HIP (RFC 8005).
    HostIdentity,
    /// Domain names up to the end.
    Names,
    /// Address, protocol and ports of WKS (RFC 1035, section 3.4.2).
    WellKnownServices,
    /// Address of NSAP in hexadecimal with dots (RFC 1706).
    Nsap,
    /// Address of ATMA.
    Atma,
    /// Prefix length, suffix and prefix name of A6 (RFC 2874).
    A6,
}

const SHA: &[(u8, usize)] = &[(1, 20), (2, 32), (4, 48)];
const FINGERPRINTS: &[(u8, usize)] = &[(1, 20), (2, 32)];
const ZONE_DIGESTS: &[(u8, usize)] = &[(1, 48), (2, 64)];

/// Returns the fields of a type, or nothing if its only text form is that of RFC 3597.
#[inline]
#[rustfmt::skip] // A table: one type, or one family of types, a line.
pub(super) fn layout(rtype: Rtype) -> Option<&'static [Field]> {
    use super::mnemonic::{ALGORITHMS, CERTIFICATES, DIGESTS, HASHES, PROTOCOLS, SCHEMES};
    use Field::*;

    const ALGORITHM: Field = Mnemonic8("an algorithm", ALGORITHMS);
    const HASH: Field = Mnemonic8("a hash algorithm", HASHES);
    const PREFERENCE: Field = U16("a preference");
    const SIGNATURE: &[Field] = &[CoveredType, ALGORITHM, U8("a number of labels"), U32("a TTL in seconds"), Time, Time, U16("a key tag"), Name, Base64(1)];

    Some(match rtype {
        Rtype::A => &[Ipv4],
        Rtype::AAAA => &[Ipv6],
        Rtype::NS | Rtype::CNAME | Rtype::PTR | Rtype::DNAME | Rtype::MD | Rtype::MF | Rtype::MB | Rtype::MG | Rtype::MR | Rtype::NSAP_PTR => &[Name],
        Rtype::TXT | Rtype::SPF | Rtype::NINFO | Rtype::AVC | Rtype::RESINFO | Rtype::WALLET => &[Texts],
        Rtype::MX | Rtype::AFSDB | Rtype::RT | Rtype::KX | Rtype::LP => &[PREFERENCE, Name],
        Rtype::SRV => &[U16("a priority"), U16("a weight"), U16("a port"), Name],
        Rtype::SOA => &[Name, Name, U32("a serial"), Seconds("a refresh time"), Seconds("a retry time"), Seconds("an expire time"), Seconds("a minimum TTL")],
        Rtype::MINFO | Rtype::RP | Rtype::TALINK => &[Name, Name],
        Rtype::RRSIG | Rtype::SIG => SIGNATURE,
        Rtype::NSEC => &[Name, Bitmap(false)],
        Rtype::NSEC3 => &[HASH, U8("flags"), U16("a number of iterations"), Salt, Hash, Bitmap(true)],
        Rtype::NSEC3PARAM => &[HASH, U8("flags"), U16("a number of iterations"), Salt],
        Rtype::DS | Rtype::CDS | Rtype::TA | Rtype::DLV => &[U16("a key tag"), ALGORITHM, Mnemonic8("a digest type", DIGESTS), Digest(1, SHA)],
        Rtype::DNSKEY | Rtype::CDNSKEY | Rtype::RKEY => &[KeyFlags, Mnemonic8("a protocol", PROTOCOLS), ALGORITHM, Base64(1)],
        Rtype::KEY => &[KeyFlags, Mnemonic8("a protocol", PROTOCOLS), ALGORITHM, Key],
        Rtype::CSYNC => &[U32("a serial"), U16("flags"), Bitmap(true)],
        Rtype::ZONEMD => &[U32("a serial"), U8("a scheme"), U8("a hash algorithm"), Digest(12, ZONE_DIGESTS)],
        Rtype::DSYNC => &[CoveredType, Mnemonic8("a scheme", SCHEMES), U16("a port"), Name],
        Rtype::CAA => &[U8("flags"), Tag, LongText],
        Rtype::TLSA | Rtype::SMIMEA => &[U8("a certificate usage"), U8("a selector"), U8("a matching type"), Hex(1)],
        Rtype::SSHFP => &[U8("an algorithm"), U8("a fingerprint type"), Digest(0, FINGERPRINTS)],
        Rtype::NAPTR => &[U16("an order"), PREFERENCE, Text("flags"), Text("services"), Text("a regular expression"), Name],
        Rtype::SVCB | Rtype::HTTPS => &[U16("a priority"), QuotableName, ServiceParameters],
        Rtype::URI => &[U16("a priority"), U16("a weight"), QuotedText],
        Rtype::LOC => &[Location],
        Rtype::APL => &[Prefixes],
        Rtype::HINFO => &[Text("a CPU type"), Text("an operating system")],
        Rtype::CERT => &[Mnemonic16("a certificate type", CERTIFICATES), U16("a key tag"), ALGORITHM, Base64(1)],
        Rtype::IPSECKEY => &[U8("a precedence"), IpsecGateway, Base64(1)],
        Rtype::HIP => &[HostIdentity, Names],
        Rtype::AMTRELAY => &[U8("a precedence"), AmtRelay],
        Rtype::DHCID | Rtype::OPENPGPKEY | Rtype::HHIT | Rtype::BRID => &[Base64(1)],
        Rtype::NID | Rtype::L64 => &[PREFERENCE, Locator],
        Rtype::L32 => &[PREFERENCE, Ipv4],
        Rtype::EUI48 => &[Eui(6)],
        Rtype::EUI64 => &[Eui(8)],
        Rtype::DOA => &[U32("an enterprise number"), U32("a type"), U8("a location"), Text("a media type"), Base64OrDash],
        Rtype::WKS => &[WellKnownServices],
        Rtype::X25 => &[Digits],
        Rtype::ISDN => &[Text("an ISDN address"), OptionalText],
        Rtype::NSAP => &[Nsap],
        Rtype::PX => &[PREFERENCE, Name, Name],
        Rtype::GPOS => &[Text("a longitude"), Text("a latitude"), Text("an altitude")],
        Rtype::NXT => &[Name, OldBitmap],
        Rtype::EID | Rtype::NIMLOC => &[Hex(1)],
        Rtype::ATMA => &[Atma],
        Rtype::A6 => &[A6],
        Rtype::SINK => &[U8("a meaning"), U8("a coding"), U8("a subcoding"), Base64(0)],
        _ => return None,
    })
}
