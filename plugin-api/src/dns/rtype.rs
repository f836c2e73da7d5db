//! RR types.

use std::fmt;
use std::str::FromStr;

use domain::base::iana;

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
    };
}

rtypes! {
    A = 1, NS = 2, MD = 3, MF = 4, CNAME = 5, SOA = 6, MB = 7, MG = 8, MR = 9, NULL = 10, WKS = 11,
    PTR = 12, HINFO = 13, MINFO = 14, MX = 15, TXT = 16, RP = 17, AFSDB = 18, X25 = 19, ISDN = 20,
    RT = 21, NSAP = 22, NSAP_PTR = 23, SIG = 24, KEY = 25, PX = 26, GPOS = 27, AAAA = 28, LOC = 29,
    NXT = 30, SRV = 33, NAPTR = 35, KX = 36, CERT = 37, A6 = 38, DNAME = 39, SINK = 40, OPT = 41,
    APL = 42, DS = 43, SSHFP = 44, IPSECKEY = 45, RRSIG = 46, NSEC = 47, DNSKEY = 48, DHCID = 49,
    NSEC3 = 50, NSEC3PARAM = 51, TLSA = 52, SMIMEA = 53, HIP = 55, NINFO = 56, RKEY = 57,
    TALINK = 58, CDS = 59, CDNSKEY = 60, OPENPGPKEY = 61, CSYNC = 62, ZONEMD = 63, SVCB = 64,
    HTTPS = 65, DSYNC = 66, SPF = 99, NID = 104, L32 = 105, L64 = 106, LP = 107, EUI48 = 108,
    EUI64 = 109, IXFR = 251, AXFR = 252, ANY = 255, URI = 256, CAA = 257, AVC = 258, DOA = 259,
    AMTRELAY = 260, RESINFO = 261, WALLET = 262, TA = 32768, DLV = 32769,
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
    /// DNSKEY, CDS, CDNSKEY and ZONEMD are the signer's at the apex only.
    #[must_use]
    pub const fn is_signer_made(self, at_apex: bool) -> bool {
        match self {
            Self::RRSIG | Self::NSEC | Self::NSEC3 | Self::NSEC3PARAM => true,
            Self::DNSKEY | Self::CDS | Self::CDNSKEY | Self::ZONEMD => at_apex,
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

impl FromStr for Rtype {
    type Err = RtypeError;

    fn from_str(text: &str) -> Result<Self, RtypeError> {
        if text.eq_ignore_ascii_case("NSAP-PTR") {
            return Ok(Self::NSAP_PTR);
        }
        text.parse::<iana::Rtype>()
            .map(|rtype| Self(rtype.to_int()))
            .ok()
            .ok_or_else(|| RtypeError(text.to_owned()))
    }
}

impl fmt::Display for Rtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            // `domain` leaves out the hyphen of RFC 1706.
            Self::NSAP_PTR => f.pad("NSAP-PTR"),
            Self(number) => iana::Rtype::from_int(number).fmt(f),
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
