//! The fields of rdata: one table for reading and for writing.

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
    Rtype,
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
pub(super) fn layout(rtype: u16) -> Option<&'static [Field]> {
    use super::mnemonic::{ALGORITHMS, CERTIFICATES, DIGESTS, HASHES, PROTOCOLS, SCHEMES};
    use Field::*;

    const ALGORITHM: Field = Mnemonic8("an algorithm", ALGORITHMS);
    const HASH: Field = Mnemonic8("a hash algorithm", HASHES);
    const PREFERENCE: Field = U16("a preference");
    const SIGNATURE: &[Field] = &[Rtype, ALGORITHM, U8("a number of labels"), U32("a TTL in seconds"), Time, Time, U16("a key tag"), Name, Base64(1)];

    Some(match rtype {
        1 => &[Ipv4],
        28 => &[Ipv6],
        // NS, CNAME, PTR, DNAME; MD, MF, MB, MG, MR; NSAP-PTR.
        2 | 5 | 12 | 39 | 3 | 4 | 7 | 8 | 9 | 23 => &[Name],
        // TXT, SPF, NINFO, AVC, RESINFO, WALLET.
        16 | 99 | 56 | 258 | 261 | 262 => &[Texts],
        // MX, AFSDB, RT, KX, LP.
        15 | 18 | 21 | 36 | 107 => &[PREFERENCE, Name],
        33 => &[U16("a priority"), U16("a weight"), U16("a port"), Name],
        6 => &[Name, Name, U32("a serial"), Seconds("a refresh time"), Seconds("a retry time"), Seconds("an expire time"), Seconds("a minimum TTL")],
        // MINFO, RP, TALINK.
        14 | 17 | 58 => &[Name, Name],
        // RRSIG, SIG.
        46 | 24 => SIGNATURE,
        47 => &[Name, Bitmap(false)],
        50 => &[HASH, U8("flags"), U16("a number of iterations"), Salt, Hash, Bitmap(true)],
        51 => &[HASH, U8("flags"), U16("a number of iterations"), Salt],
        // DS, CDS, TA, DLV.
        43 | 59 | 32768 | 32769 => &[U16("a key tag"), ALGORITHM, Mnemonic8("a digest type", DIGESTS), Digest(1, SHA)],
        // DNSKEY, CDNSKEY, RKEY; KEY.
        48 | 60 | 57 => &[KeyFlags, Mnemonic8("a protocol", PROTOCOLS), ALGORITHM, Base64(1)],
        25 => &[KeyFlags, Mnemonic8("a protocol", PROTOCOLS), ALGORITHM, Key],
        62 => &[U32("a serial"), U16("flags"), Bitmap(true)],
        63 => &[U32("a serial"), U8("a scheme"), U8("a hash algorithm"), Digest(12, ZONE_DIGESTS)],
        66 => &[Rtype, Mnemonic8("a scheme", SCHEMES), U16("a port"), Name],
        257 => &[U8("flags"), Tag, LongText],
        // TLSA, SMIMEA.
        52 | 53 => &[U8("a certificate usage"), U8("a selector"), U8("a matching type"), Hex(1)],
        44 => &[U8("an algorithm"), U8("a fingerprint type"), Digest(0, FINGERPRINTS)],
        35 => &[U16("an order"), PREFERENCE, Text("flags"), Text("services"), Text("a regular expression"), Name],
        // SVCB, HTTPS.
        64 | 65 => &[U16("a priority"), QuotableName, ServiceParameters],
        256 => &[U16("a priority"), U16("a weight"), QuotedText],
        29 => &[Location],
        42 => &[Prefixes],
        13 => &[Text("a CPU type"), Text("an operating system")],
        37 => &[Mnemonic16("a certificate type", CERTIFICATES), U16("a key tag"), ALGORITHM, Base64(1)],
        45 => &[U8("a precedence"), IpsecGateway, Base64(1)],
        55 => &[HostIdentity, Names],
        260 => &[U8("a precedence"), AmtRelay],
        // DHCID, OPENPGPKEY, HHIT, BRID.
        49 | 61 | 67 | 68 => &[Base64(1)],
        // NID, L64.
        104 | 106 => &[PREFERENCE, Locator],
        105 => &[PREFERENCE, Ipv4],
        108 => &[Eui(6)],
        109 => &[Eui(8)],
        259 => &[U32("an enterprise number"), U32("a type"), U8("a location"), Text("a media type"), Base64OrDash],
        11 => &[WellKnownServices],
        19 => &[Digits],
        20 => &[Text("an ISDN address"), OptionalText],
        22 => &[Nsap],
        26 => &[PREFERENCE, Name, Name],
        27 => &[Text("a longitude"), Text("a latitude"), Text("an altitude")],
        30 => &[Name, OldBitmap],
        // EID, NIMLOC.
        31 | 32 => &[Hex(1)],
        34 => &[Atma],
        38 => &[A6],
        40 => &[U8("a meaning"), U8("a coding"), U8("a subcoding"), Base64(0)],
        _ => return None,
    })
}
