//! RR types.

use std::fmt;
use std::str::FromStr;

/// An RR type.
///
/// Reads and writes the mnemonics of the IANA registry, and `TYPEnnn` for types
/// without one (RFC 3597, section 5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rtype(pub u16);

macro_rules! rtypes {
    ($($name:ident = $number:literal,)*) => {
        impl Rtype {
            $(
                #[doc = concat!("The RR type ", stringify!($name), ".")]
                pub const $name: Self = Self($number);
            )*
        }

        /// The mnemonics of the IANA registry, by number; with `_` for `-`.
        const MNEMONICS: &[(u16, &str)] = &[$(($number, stringify!($name)),)*];
    };
}

rtypes! {
    A = 1, NS = 2, MD = 3, MF = 4, CNAME = 5, SOA = 6, MB = 7, MG = 8, MR = 9, NULL = 10, WKS = 11,
    PTR = 12, HINFO = 13, MINFO = 14, MX = 15, TXT = 16, RP = 17, AFSDB = 18, X25 = 19, ISDN = 20,
    RT = 21, NSAP = 22, NSAP_PTR = 23, SIG = 24, KEY = 25, PX = 26, GPOS = 27, AAAA = 28, LOC = 29,
    NXT = 30, EID = 31, NIMLOC = 32, SRV = 33, ATMA = 34, NAPTR = 35, KX = 36, CERT = 37, A6 = 38,
    DNAME = 39, SINK = 40, OPT = 41, APL = 42, DS = 43, SSHFP = 44, IPSECKEY = 45, RRSIG = 46,
    NSEC = 47, DNSKEY = 48, DHCID = 49, NSEC3 = 50, NSEC3PARAM = 51, TLSA = 52, SMIMEA = 53,
    HIP = 55, NINFO = 56, RKEY = 57, TALINK = 58, CDS = 59, CDNSKEY = 60, OPENPGPKEY = 61,
    CSYNC = 62, ZONEMD = 63, SVCB = 64, HTTPS = 65, DSYNC = 66, HHIT = 67, BRID = 68, SPF = 99,
    NID = 104, L32 = 105, L64 = 106, LP = 107, EUI48 = 108, EUI64 = 109, TKEY = 249, TSIG = 250,
    IXFR = 251, AXFR = 252, MAILB = 253, MAILA = 254, ANY = 255, URI = 256, CAA = 257, AVC = 258,
    DOA = 259, AMTRELAY = 260, RESINFO = 261, WALLET = 262, TA = 32768, DLV = 32769,
}

impl Rtype {
    /// Returns whether the type is never zone data: OPT, and the types kept for
    /// queries and metadata (RFC 6895, section 3.1).
    #[must_use]
    pub const fn is_meta(self) -> bool {
        matches!(self.0, 0 | 41 | 128..=255)
    }

    /// Returns whether RRsets of this type are made by whoever signs the zone.
    ///
    /// DNSKEY, CDS, CDNSKEY and ZONEMD are the signer's at the apex only, and so
    /// is TYPE65534, in which BIND records there how far it has signed (its
    /// option `sig-signing-type`).
    #[must_use]
    pub const fn is_signer_made(self, at_apex: bool) -> bool {
        match self {
            Self::RRSIG | Self::NSEC | Self::NSEC3 | Self::NSEC3PARAM => true,
            Self::DNSKEY | Self::CDS | Self::CDNSKEY | Self::ZONEMD | Self(65534) => at_apex,
            _ => false,
        }
    }

    /// Returns whether the type may stand beside a CNAME at one owner.
    ///
    /// These are the types of RFC 2181, section 10.1, as updated by RFC 4034,
    /// section 2.5, and NSEC3, which has an owner of its own by construction
    /// but may meet a CNAME by its hash.
    #[must_use]
    pub const fn may_stand_beside_cname(self) -> bool {
        matches!(self, Self::RRSIG | Self::NSEC | Self::NSEC3 | Self::KEY)
    }

    /// Returns whether an RRset of this type has one rdata at most.
    #[must_use]
    pub const fn is_singleton(self) -> bool {
        matches!(self, Self::CNAME | Self::SOA | Self::DNAME)
    }
}

impl Rtype {
    /// Returns the type that `word` names, by mnemonic or as `TYPEnnn`, in any
    /// letter case.
    #[inline]
    pub(crate) fn from_word(word: &[u8]) -> Option<Self> {
        Self::common(word).or_else(|| Self::rare(word))
    }

    /// The types of most records, in upper case.
    #[inline]
    fn common(word: &[u8]) -> Option<Self> {
        match word {
            b"A" => Some(Self::A),
            b"AAAA" => Some(Self::AAAA),
            b"CNAME" => Some(Self::CNAME),
            b"TXT" => Some(Self::TXT),
            b"MX" => Some(Self::MX),
            b"SRV" => Some(Self::SRV),
            b"PTR" => Some(Self::PTR),
            b"NS" => Some(Self::NS),
            b"RRSIG" => Some(Self::RRSIG),
            _ => None,
        }
    }

    fn rare(word: &[u8]) -> Option<Self> {
        const LONGEST: usize = 10;
        let mut upper = [0; LONGEST];
        let upper = upper.get_mut(..word.len())?;
        upper.copy_from_slice(word);
        upper.make_ascii_uppercase();
        // Zone files in lower case are common, too.
        if let Some(rtype) = Self::common(upper) {
            return Some(rtype);
        }
        if upper == b"NSAP-PTR" {
            return Some(Self::NSAP_PTR);
        }
        let known = MNEMONICS
            .iter()
            .find(|(_, mnemonic)| mnemonic.as_bytes() == upper);
        if let Some((number, _)) = known {
            return Some(Self(*number));
        }
        let digits = upper.strip_prefix(b"TYPE")?;
        if digits.is_empty() || digits.len() > 5 || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        std::str::from_utf8(digits).ok()?.parse().ok().map(Self)
    }
}

impl FromStr for Rtype {
    type Err = RtypeError;

    fn from_str(text: &str) -> Result<Self, RtypeError> {
        Self::from_word(text.as_bytes()).ok_or_else(|| RtypeError(text.to_owned()))
    }
}

impl fmt::Display for Rtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match MNEMONICS.iter().find(|(number, _)| *number == self.0) {
            // A hyphen cannot be part of an identifier.
            Some(_) if *self == Self::NSAP_PTR => f.pad("NSAP-PTR"),
            Some((_, mnemonic)) => f.pad(mnemonic),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

impl fmt::Debug for Rtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is neither a mnemonic nor `TYPEnnn`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown RR type `{0}`; a type without a mnemonic is written `TYPE` and its number")]
pub struct RtypeError(String);
