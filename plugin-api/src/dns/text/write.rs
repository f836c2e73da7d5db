//! Rdata from octets to text.

use std::fmt;

use crate::dns::rtype::Rtype;

use super::field::{Field, layout};
use super::name::{self, wire_length};
use super::{address, binary, bitmap, gateway, legacy, location, service, time};

/// Writes rdata in presentation format.
///
/// Types without a text form, and octets that do not fit their type, take the
/// form of RFC 3597, section 5. The text reads back to the same octets where
/// there is a text that BIND reads.
pub(crate) fn write(rtype: Rtype, rdata: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    let Some(fields) = layout(rtype).filter(|_| fits(rtype, rdata)) else {
        return write_generic(rdata, f);
    };
    let mut at = 0;
    for &field in fields {
        let octets = length(field, rdata, at).ok_or(fmt::Error)?;
        let piece = rdata.get(at..at + octets).ok_or(fmt::Error)?;
        // Fields that may be missing write their own blank, if there is something.
        let is_silent =
            matches!(field, Field::ServiceParameters) || piece.is_empty() && may_be_missing(field);
        if at > 0 && !is_silent {
            f.write_char(' ')?;
        }
        write_field(field, piece, f)?;
        at += octets;
    }
    Ok(())
}

fn may_be_missing(field: Field) -> bool {
    matches!(
        field,
        Field::OptionalText
            | Field::Bitmap(_)
            | Field::OldBitmap
            | Field::Names
            | Field::Hex(_)
            | Field::Digest(..)
            | Field::Base64(_)
            | Field::Key
    )
}

fn write_generic(rdata: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    write!(f, "\\# {}", rdata.len())?;
    if !rdata.is_empty() {
        f.write_char(' ')?;
    }
    binary::write_hex(rdata, f)
}

/// Returns whether `rdata` has the fields of its type and nothing else.
pub(super) fn fits(rtype: Rtype, rdata: &[u8]) -> bool {
    let Some(fields) = layout(rtype) else {
        return false;
    };
    let mut at = 0;
    for &field in fields {
        match length(field, rdata, at) {
            Some(octets) if octets <= rdata.len() - at => at += octets,
            _ => return false,
        }
    }
    at == rdata.len()
}

/// Returns the number of octets of the field that starts at `at`, nothing if it does not fit.
fn length(field: Field, rdata: &[u8], at: usize) -> Option<usize> {
    let rest = rdata.get(at..)?;
    let all = |fits: bool| fits.then_some(rest.len());
    match field {
        Field::U8(_) | Field::Mnemonic8(..) => Some(1),
        Field::U16(_) | Field::CoveredType | Field::Mnemonic16(..) | Field::KeyFlags => Some(2),
        Field::U32(_) | Field::Seconds(_) | Field::Ipv4 | Field::Time => Some(4),
        Field::Locator => Some(8),
        Field::Ipv6 => Some(16),
        Field::Eui(octets) => Some(octets),
        Field::Name | Field::QuotableName => wire_length(rest),
        Field::Text(_) | Field::Salt => counted(rest),
        Field::Hash => {
            let octets = counted(rest)?;
            let is_known = rdata.first() != Some(&1) || octets == 21;
            (is_known && octets > 1).then_some(octets)
        }
        Field::Tag => {
            let octets = counted(rest)?;
            let tag = rest.get(1..octets)?;
            (!tag.is_empty() && tag.iter().all(u8::is_ascii_alphanumeric)).then_some(octets)
        }
        Field::Digits => {
            let octets = counted(rest)?;
            let digits = rest.get(1..octets)?;
            (digits.len() >= 4 && digits.iter().all(u8::is_ascii_digit)).then_some(octets)
        }
        Field::OptionalText if rest.is_empty() => Some(0),
        Field::OptionalText => counted(rest),
        Field::Texts => texts(rest),
        Field::LongText | Field::Base64OrDash => Some(rest.len()),
        Field::QuotedText => all(!rest.is_empty()),
        Field::Hex(least) | Field::Base64(least) => all(rest.len() >= least),
        Field::Digest(least, lengths) => {
            let kind = rdata.get(at.checked_sub(1)?)?;
            let known = lengths.iter().find(|(number, _)| number == kind);
            match known {
                Some(&(_, octets)) => all(rest.len() == octets),
                None => all(rest.len() >= least),
            }
        }
        Field::Key => {
            let has_none = rdata.first()? & 0xc0 == 0xc0;
            all(has_none == rest.is_empty())
        }
        Field::Bitmap(may_be_empty) => all(bitmap::fits(rest, may_be_empty)),
        Field::OldBitmap => all(legacy::old_bitmap_fits(rest)),
        Field::Location => all(location::fits(rest)),
        Field::Prefixes => all(legacy::prefixes_fit(rest)),
        Field::ServiceParameters => all(service::fits(rest)),
        Field::IpsecGateway => gateway::ipsec_length(rest),
        Field::AmtRelay => gateway::amt_relay_length(rest),
        Field::HostIdentity => gateway::host_identity_length(rest),
        Field::Names => {
            let mut octets = 0;
            while octets < rest.len() {
                octets += wire_length(&rest[octets..])?;
            }
            Some(octets)
        }
        Field::WellKnownServices => all(legacy::well_known_services_fit(rest)),
        Field::Nsap => all(!rest.is_empty()),
        Field::Atma => all(legacy::atma_fits(rest)),
        Field::A6 => legacy::a6_length(rest),
    }
}

fn counted(octets: &[u8]) -> Option<usize> {
    let octets_of_text = usize::from(*octets.first()?) + 1;
    (octets_of_text <= octets.len()).then_some(octets_of_text)
}

fn texts(octets: &[u8]) -> Option<usize> {
    let mut at = counted(octets)?;
    while at < octets.len() {
        at += counted(&octets[at..])?;
    }
    Some(at)
}

/// Writes one field; `octets` are all of it and nothing else.
fn write_field(field: Field, octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    match field {
        Field::U8(_)
        | Field::U16(_)
        | Field::U32(_)
        | Field::Seconds(_)
        | Field::Mnemonic8(..)
        | Field::Mnemonic16(..)
        | Field::KeyFlags => write!(f, "{}", number(octets)),
        Field::Name | Field::QuotableName => name::write(octets, f),
        Field::Ipv4 => address::write_ipv4(octets, f),
        Field::Ipv6 => address::write_ipv6(octets, f),
        Field::Texts => write_texts(octets, f),
        Field::Text(_) | Field::Digits => write_quoted(octets.get(1..).unwrap_or_default(), f),
        Field::OptionalText => match octets {
            [] => Ok(()),
            [_, text @ ..] => write_quoted(text, f),
        },
        Field::LongText | Field::QuotedText => write_quoted(octets, f),
        Field::Tag => octets
            .iter()
            .skip(1)
            .try_for_each(|&octet| f.write_char(char::from(octet))),
        Field::Hex(_) | Field::Digest(..) => binary::write_hex(octets, f),
        Field::Base64(_) | Field::Key => binary::write_base64(octets, f),
        Field::Base64OrDash => match octets {
            [] => f.write_char('-'),
            _ => binary::write_base64(octets, f),
        },
        Field::CoveredType => match *octets {
            [high, low] => write!(f, "{}", Rtype(u16::from_be_bytes([high, low]))),
            _ => Err(fmt::Error),
        },
        Field::Time => match octets.first_chunk() {
            Some(time) => time::write(u32::from_be_bytes(*time), f),
            None => Err(fmt::Error),
        },
        Field::Salt => match octets {
            [] | [0] => f.write_char('-'),
            [_, salt @ ..] => binary::write_hex(salt, f),
        },
        Field::Hash => binary::write_base32hex(octets.get(1..).unwrap_or_default(), f),
        Field::Bitmap(_) => bitmap::write(octets, f),
        Field::OldBitmap => legacy::write_old_bitmap(octets, f),
        Field::Eui(_) => address::write_eui(octets, f),
        Field::Locator => address::write_locator(octets, f),
        Field::Location => location::write(octets, f),
        Field::Prefixes => legacy::write_prefixes(octets, f),
        Field::ServiceParameters => service::write(octets, f),
        Field::IpsecGateway => gateway::write_ipsec(octets, f),
        Field::AmtRelay => gateway::write_amt_relay(octets, f),
        Field::HostIdentity => gateway::write_host_identity(octets, f),
        Field::Names => write_names(octets, f),
        Field::WellKnownServices => legacy::write_well_known_services(octets, f),
        Field::Nsap => {
            f.write_str("0x")?;
            binary::write_hex(octets, f)
        }
        Field::Atma => legacy::write_atma(octets, f),
        Field::A6 => legacy::write_a6(octets, f),
    }
}

fn number(octets: &[u8]) -> u64 {
    octets
        .iter()
        .fold(0, |value, &octet| value << 8 | u64::from(octet))
}

fn write_texts(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    let mut rest = octets;
    let mut blank = "";
    while let [length, after @ ..] = rest {
        let (text, after) = after
            .split_at_checked(usize::from(*length))
            .ok_or(fmt::Error)?;
        f.write_str(blank)?;
        write_quoted(text, f)?;
        blank = " ";
        rest = after;
    }
    Ok(())
}

fn write_names(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    let mut rest = octets;
    let mut blank = "";
    while let Some(length) = wire_length(rest) {
        f.write_str(blank)?;
        name::write(&rest[..length], f)?;
        blank = " ";
        rest = &rest[length..];
    }
    Ok(())
}

/// Writes text in quotes.
pub(super) fn write_quoted(text: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    f.write_char('"')?;
    for &octet in text {
        write_octet(octet, f)?;
    }
    f.write_char('"')
}

/// Writes an octet as it stands between quotes.
pub(super) fn write_octet(octet: u8, f: &mut impl fmt::Write) -> fmt::Result {
    match octet {
        b'"' | b'\\' => {
            f.write_char('\\')?;
            f.write_char(char::from(octet))
        }
        b' '..=b'~' => f.write_char(char::from(octet)),
        _ => write!(f, "\\{octet:03}"),
    }
}
