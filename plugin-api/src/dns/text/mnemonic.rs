//! Words that stand for numbers.

/// Certificate types (RFC 4398, section 2.1).
pub(super) const CERTIFICATES: &[(u16, &str)] = &[
    (1, "PKIX"),
    (2, "SPKI"),
    (3, "PGP"),
    (4, "IPKIX"),
    (5, "ISPKI"),
    (6, "IPGP"),
    (7, "ACPKIX"),
    (8, "IACPKIX"),
    (253, "URI"),
    (254, "OID"),
];

/// DNSSEC algorithms: the registry's mnemonics and those in use before them.
pub(super) const ALGORITHMS: &[(u16, &str)] = &[
    (1, "RSAMD5"),
    (2, "DH"),
    (3, "DSA"),
    (5, "RSASHA1"),
    (6, "NSEC3DSA"),
    (7, "NSEC3RSASHA1"),
    (8, "RSASHA256"),
    (10, "RSASHA512"),
    (12, "ECCGOST"),
    (13, "ECDSAP256SHA256"),
    (13, "ECDSA256"),
    (14, "ECDSAP384SHA384"),
    (14, "ECDSA384"),
    (15, "ED25519"),
    (16, "ED448"),
    (252, "INDIRECT"),
    (253, "PRIVATEDNS"),
    (254, "PRIVATEOID"),
];

/// Digest types of DS.
pub(super) const DIGESTS: &[(u16, &str)] = &[
    (1, "SHA-1"),
    (1, "SHA1"),
    (2, "SHA-256"),
    (2, "SHA256"),
    (3, "GOST"),
    (4, "SHA-384"),
    (4, "SHA384"),
];

/// Hash algorithms of NSEC3.
pub(super) const HASHES: &[(u16, &str)] = &[(1, "SHA-1")];

/// Protocols of KEY (RFC 2535, section 7.1).
pub(super) const PROTOCOLS: &[(u16, &str)] = &[
    (0, "NONE"),
    (1, "TLS"),
    (2, "EMAIL"),
    (3, "DNSSEC"),
    (4, "IPSEC"),
    (255, "ALL"),
];

/// Schemes of DSYNC (RFC 9859).
pub(super) const SCHEMES: &[(u16, &str)] = &[(1, "NOTIFY")];

/// Flags of KEY (RFC 2535, section 7.1), to be joined with `|`.
#[rustfmt::skip] // A table.
const KEY_FLAGS: &[(u16, &str)] = &[
    (0x4000, "NOCONF"), (0x8000, "NOAUTH"), (0xc000, "NOKEY"), (0x2000, "FLAG2"), (0x1000, "EXTEND"),
    (0x0800, "FLAG4"), (0x0400, "FLAG5"), (0x0000, "USER"), (0x0100, "ZONE"), (0x0200, "HOST"),
    (0x0300, "NTYP3"), (0x0080, "FLAG8"), (0x0040, "FLAG9"), (0x0020, "FLAG10"), (0x0010, "FLAG11"),
    (0x0000, "SIG0"), (0x0001, "SIG1"), (0x0002, "SIG2"), (0x0003, "SIG3"), (0x0004, "SIG4"),
    (0x0005, "SIG5"), (0x0006, "SIG6"), (0x0007, "SIG7"), (0x0008, "SIG8"), (0x0009, "SIG9"),
    (0x000a, "SIG10"), (0x000b, "SIG11"), (0x000c, "SIG12"), (0x000d, "SIG13"), (0x000e, "SIG14"),
    (0x000f, "SIG15"), (0x0001, "KSK"),
];

/// Returns the class that `word` names, by mnemonic or as `CLASSnnn`, in any letter case.
#[inline]
pub(crate) fn class(word: &[u8]) -> Option<u16> {
    const CLASSES: &[(u16, &str)] = &[
        (1, "IN"),
        (3, "CH"),
        (3, "CHAOS"),
        (4, "HS"),
        (4, "HESIOD"),
        (254, "NONE"),
        (255, "ANY"),
    ];
    if word == b"IN" {
        return Some(1);
    }
    // `ANY` is a class before it is a type, as BIND has it; both are refused.
    find(CLASSES, word).or_else(|| numbered(word, b"CLASS"))
}

/// Returns the number of `word` in a table of mnemonics.
pub(super) fn find(table: &[(u16, &str)], word: &[u8]) -> Option<u16> {
    let row = table
        .iter()
        .find(|(_, mnemonic)| mnemonic.as_bytes().eq_ignore_ascii_case(word));
    row.map(|(number, _)| *number)
}

/// Returns the flags of KEY that `word` lists, mnemonics with `|` between them
/// or one hexadecimal number.
pub(super) fn key_flags(word: &[u8]) -> Option<u16> {
    if word.first()?.is_ascii_digit() {
        let digits = std::str::from_utf8(word).ok()?;
        let digits = digits.strip_prefix("0x").unwrap_or(digits);
        return u16::from_str_radix(digits, 16).ok();
    }
    word.split(|&octet| octet == b'|')
        .try_fold(0, |flags, flag| Some(flags | find(KEY_FLAGS, flag)?))
}

/// Returns the number of a word such as `TYPE65280`.
fn numbered(word: &[u8], prefix: &[u8]) -> Option<u16> {
    let (head, digits) = word.split_at_checked(prefix.len())?;
    if !head.eq_ignore_ascii_case(prefix) || digits.len() > 5 {
        return None;
    }
    u16::try_from(super::number::decimal(digits)?).ok()
}
