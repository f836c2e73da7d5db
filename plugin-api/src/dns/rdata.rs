//! What rdata looks like, type by type, and its canonical form.
//!
//! One table says which fields the rdata of a type has, and one interpreter
//! walks them. A type that the table does not have is opaque (RFC 3597).

use std::ops::Range;

use super::labels;
use super::name::NameError;
use super::rtype::Rtype;

/// Brings the rdata of one RR into canonical form, in place.
///
/// Domain names in the rdata of the types of RFC 4034, section 6.2, as corrected
/// by RFC 6840, section 5.1, become lower case. The names of later types stay as
/// they are: there, letter case is part of the data.
///
/// # Errors
///
/// [`RdataError`] if the octets are not rdata of that type, a compressed name
/// among them.
pub fn canonicalise(rtype: Rtype, octets: &mut [u8]) -> Result<(), RdataError> {
    let names = shape(rtype, octets)?;
    octets[names].make_ascii_lowercase();
    Ok(())
}

/// Checks that the rdata of one RR is well formed and in canonical form.
///
/// # Errors
///
/// As [`canonicalise`], and [`RdataError::UpperCase`].
pub fn check(rtype: Rtype, octets: &[u8]) -> Result<(), RdataError> {
    let names = shape(rtype, octets)?;
    if labels::has_upper_case(&octets[names]) {
        return Err(RdataError::UpperCase);
    }
    Ok(())
}

/// Why octets are not the rdata of a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RdataError {
    /// The octets end before the last field does.
    #[error("the rdata ends too early")]
    Truncated,
    /// Octets follow the last field.
    #[error("octets follow the last field of the rdata")]
    TrailingOctets,
    /// More than 65,535 octets.
    #[error("the rdata has more than 65535 octets")]
    TooLong,
    /// A field has a value that its specification rules out.
    #[error("the {0} in the rdata is not valid")]
    Field(&'static str),
    /// A domain name is broken or compressed.
    #[error("a domain name in the rdata is not valid")]
    Name(#[source] NameError),
    /// A domain name that canonical form has in lower case is not.
    #[error("a domain name in the rdata has upper-case letters")]
    UpperCase,
}

/// One or more fields of rdata.
#[derive(Clone, Copy)]
enum Field {
    /// That many octets.
    Octets(usize),
    /// A domain name, lower case in canonical form.
    Name,
    /// A domain name whose letter case is kept.
    MixedCaseName,
    /// A character string (RFC 1035, section 3.3): a length octet and its octets.
    Text,
    /// A character string that is not empty; its meaning.
    SomeText(&'static str),
    /// A character string that may be missing.
    OptionalText,
    /// At least one character string, up to the end.
    Texts,
    /// Any octets up to the end, at least that many.
    Rest(usize),
    /// A field that only one or two types have.
    Special(fn(&[u8]) -> Result<usize, RdataError>),
    /// [`Field::Special`] with a name of [`Field::Name`] at its end.
    A6,
}

/// Returns the fields of a type.
#[inline]
#[rustfmt::skip] // A table: one type, or one family of types, a line.
fn layout(rtype: Rtype) -> &'static [Field] {
    use Field::{A6, MixedCaseName, Name, Octets, OptionalText, Rest, SomeText, Special, Text, Texts};
    match rtype {
        Rtype::A => &[Octets(4)],
        Rtype::AAAA => &[Octets(16)],
        Rtype::NS | Rtype::CNAME | Rtype::PTR | Rtype::DNAME => &[Name],
        Rtype::MD | Rtype::MF | Rtype::MB | Rtype::MG | Rtype::MR => &[Name],
        Rtype::TXT | Rtype::SPF | Rtype::AVC | Rtype::NINFO => &[Texts],
        Rtype::RESINFO | Rtype::WALLET => &[Texts],
        Rtype::MX | Rtype::AFSDB | Rtype::RT | Rtype::KX => &[Octets(2), Name],
        Rtype::SRV => &[Octets(6), Name],
        Rtype::SOA => &[Name, Name, Octets(20)],
        Rtype::MINFO | Rtype::RP => &[Name, Name],
        Rtype::PX => &[Octets(2), Name, Name],
        Rtype::NAPTR => &[Octets(4), Text, Text, Text, Name],
        Rtype::RRSIG | Rtype::SIG => &[Octets(18), Name, Rest(1)],
        Rtype::NXT => &[Name, Rest(0)],
        Rtype::A6 => &[A6],
        Rtype::NSAP_PTR => &[MixedCaseName],
        Rtype::TALINK => &[MixedCaseName, MixedCaseName],
        Rtype::LP => &[Octets(2), MixedCaseName],
        Rtype::DSYNC => &[Octets(5), MixedCaseName],
        Rtype::NSEC => &[MixedCaseName, Special(type_bitmap)],
        Rtype::SVCB | Rtype::HTTPS => &[Octets(2), MixedCaseName, Special(service_parameters)],
        Rtype::HIP => &[Special(host_identity), Special(names)],
        Rtype::HINFO => &[Text, Text],
        Rtype::X25 => &[Text],
        Rtype::ISDN => &[Text, OptionalText],
        Rtype::GPOS => &[Text, Text, Text],
        Rtype::CAA => &[Octets(1), SomeText("property tag"), Rest(0)],
        Rtype::URI => &[Octets(4), Rest(1)],
        Rtype::DOA => &[Octets(9), Text, Rest(0)],
        Rtype::WKS => &[Octets(5), Rest(0)],
        Rtype::LOC => &[Special(location)],
        Rtype::APL => &[Special(address_prefixes)],
        Rtype::IPSECKEY => &[Special(ipsec_gateway), Rest(0)],
        Rtype::AMTRELAY => &[Special(amt_relay)],
        Rtype::KEY | Rtype::RKEY => &[Octets(4), Rest(0)],
        Rtype::DNSKEY | Rtype::CDNSKEY => &[Octets(4), Rest(1)],
        Rtype::DS | Rtype::CDS | Rtype::TA | Rtype::DLV => &[Octets(4), Rest(1)],
        Rtype::CERT => &[Octets(5), Rest(1)],
        Rtype::SSHFP => &[Octets(2), Rest(0)],
        Rtype::TLSA | Rtype::SMIMEA => &[Octets(3), Rest(1)],
        Rtype::ZONEMD => &[Octets(6), Rest(12)],
        Rtype::NSEC3 => &[Octets(4), Text, SomeText("next hashed owner"), Special(type_bitmap)],
        Rtype::NSEC3PARAM => &[Octets(4), Text],
        Rtype::CSYNC => &[Octets(6), Special(type_bitmap)],
        Rtype::NSAP | Rtype::OPENPGPKEY | Rtype::DHCID => &[Rest(1)],
        Rtype::NID | Rtype::L64 => &[Octets(10)],
        Rtype::L32 => &[Octets(6)],
        Rtype::EUI48 => &[Octets(6)],
        Rtype::EUI64 => &[Octets(8)],
        _ => &[Rest(0)],
    }
}

/// Walks the fields of a type and returns where its lower-case names are.
///
/// They lie side by side in every type, so one range holds all of them.
#[inline]
pub(super) fn shape(rtype: Rtype, octets: &[u8]) -> Result<Range<usize>, RdataError> {
    if octets.len() > usize::from(u16::MAX) {
        return Err(RdataError::TooLong);
    }
    let mut at = 0;
    let mut names = 0..0;
    for field in layout(rtype) {
        let rest = &octets[at..];
        let length = match *field {
            Field::Octets(count) => count,
            Field::Name | Field::MixedCaseName => {
                labels::octets_of(rest).map_err(RdataError::Name)?
            }
            Field::Text => text(rest)?,
            Field::SomeText(what) => match text(rest)? {
                1 => return Err(RdataError::Field(what)),
                length => length,
            },
            Field::OptionalText if rest.is_empty() => 0,
            Field::OptionalText => text(rest)?,
            Field::Texts => texts(rest)?,
            Field::Rest(least) if rest.len() < least => return Err(RdataError::Truncated),
            Field::Rest(_) => rest.len(),
            Field::Special(walk) => walk(rest)?,
            Field::A6 => {
                let (name, length) = a6(rest)?;
                names = name;
                length
            }
        };
        if length > rest.len() {
            return Err(RdataError::Truncated);
        }
        if matches!(field, Field::Name) {
            let start = if names.is_empty() { at } else { names.start };
            names = start..at + length;
        }
        at += length;
    }
    if at < octets.len() {
        return Err(RdataError::TrailingOctets);
    }
    Ok(names)
}

fn octet(octets: &[u8], at: usize) -> Result<u8, RdataError> {
    octets.get(at).copied().ok_or(RdataError::Truncated)
}

fn text(octets: &[u8]) -> Result<usize, RdataError> {
    Ok(usize::from(octet(octets, 0)?) + 1)
}

fn texts(octets: &[u8]) -> Result<usize, RdataError> {
    let mut at = text(octets)?;
    while at < octets.len() {
        at += text(&octets[at..])?;
    }
    Ok(at)
}

fn names(octets: &[u8]) -> Result<usize, RdataError> {
    let mut at = 0;
    while at < octets.len() {
        at += labels::octets_of(&octets[at..]).map_err(RdataError::Name)?;
    }
    Ok(at)
}

/// RFC 4034, section 4.1.2: windows in ascending order, each of 1 to 32 octets
/// without trailing zeros.
fn type_bitmap(octets: &[u8]) -> Result<usize, RdataError> {
    let mut rest = octets;
    let mut least_window = 0_u16;
    while let [window, length, tail @ ..] = rest {
        let (window, length) = (u16::from(*window), usize::from(*length));
        let bits = tail.get(..length).ok_or(RdataError::Truncated)?;
        if window < least_window || length > 32 || bits.last().is_none_or(|&last| last == 0) {
            return Err(RdataError::Field("type bitmap"));
        }
        least_window = window + 1;
        rest = &tail[length..];
    }
    if rest.is_empty() {
        Ok(octets.len())
    } else {
        Err(RdataError::Truncated)
    }
}

/// RFC 9460, section 2.2: keys in strictly ascending order.
fn service_parameters(octets: &[u8]) -> Result<usize, RdataError> {
    let mut rest = octets;
    let mut least_key = 0_u32;
    while let [key_high, key_low, high, low, tail @ ..] = rest {
        let key = u32::from(u16::from_be_bytes([*key_high, *key_low]));
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if key < least_key {
            return Err(RdataError::Field("order of service parameters"));
        }
        least_key = key + 1;
        rest = tail.get(length..).ok_or(RdataError::Truncated)?;
    }
    if rest.is_empty() {
        Ok(octets.len())
    } else {
        Err(RdataError::Truncated)
    }
}

/// RFC 1876, section 2: version 0 is the only one, and has 16 octets.
fn location(octets: &[u8]) -> Result<usize, RdataError> {
    match octet(octets, 0)? {
        0 => Ok(16),
        _ => Err(RdataError::Field("version")),
    }
}

/// RFC 3123, section 4.
fn address_prefixes(octets: &[u8]) -> Result<usize, RdataError> {
    let mut at = 0;
    while at < octets.len() {
        at += 4 + usize::from(octet(octets, at + 3)? & 0x7f);
    }
    Ok(at)
}

/// RFC 4025, section 2.1: everything before the public key.
fn ipsec_gateway(octets: &[u8]) -> Result<usize, RdataError> {
    gateway(octet(octets, 1)?, octets, 3)
}

/// RFC 8777, section 4.2.
fn amt_relay(octets: &[u8]) -> Result<usize, RdataError> {
    gateway(octet(octets, 1)? & 0x7f, octets, 2)
}

/// A gateway of the given type that starts at `at`.
fn gateway(gateway_type: u8, octets: &[u8], at: usize) -> Result<usize, RdataError> {
    let rest = octets.get(at..).ok_or(RdataError::Truncated)?;
    let length = match gateway_type {
        0 => 0,
        1 => 4,
        2 => 16,
        3 => labels::octets_of(rest).map_err(RdataError::Name)?,
        _ => return Err(RdataError::Field("gateway type")),
    };
    Ok(at + length)
}

/// RFC 8005, section 5: everything before the rendezvous servers.
fn host_identity(octets: &[u8]) -> Result<usize, RdataError> {
    let tag = usize::from(octet(octets, 0)?);
    let key = u16::from_be_bytes([octet(octets, 2)?, octet(octets, 3)?]);
    Ok(4 + tag + usize::from(key))
}

/// RFC 2874, section 3.1: the name is there unless the prefix is empty.
fn a6(octets: &[u8]) -> Result<(Range<usize>, usize), RdataError> {
    let prefix = usize::from(octet(octets, 0)?);
    let suffix = 128_usize
        .checked_sub(prefix)
        .ok_or(RdataError::Field("prefix length"))?
        .div_ceil(8);
    let start = 1 + suffix;
    if prefix == 0 {
        return Ok((0..0, start));
    }
    let rest = octets.get(start..).ok_or(RdataError::Truncated)?;
    let end = start + labels::octets_of(rest).map_err(RdataError::Name)?;
    Ok((start..end, end))
}

#[cfg(test)]
mod tests;
