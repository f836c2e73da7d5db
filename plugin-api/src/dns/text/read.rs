//! Rdata from text to octets.

use crate::dns::rtype::Rtype;

use super::fault::{Fault, Stop, shown};
use super::field::{Field, layout};
use super::name;
use super::scan::{Next, Scan, Text, unescape};
use super::{address, binary, bitmap, gateway, legacy, location, mnemonic, service, write};

/// The largest rdata.
const MOST_OCTETS: usize = 65_535;

/// Reads the rdata of one RR up to the end of its entry, into `out`.
///
/// The octets are uncompressed wire form with letter case as written. The end
/// of the entry is left to the caller.
#[inline]
pub(crate) fn rdata(
    scan: &mut Scan<'_>,
    rtype: Rtype,
    origin: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Stop> {
    out.clear();
    let next = scan.next()?;
    let start = scan.at();
    if next == Next::Word && scan.peek() == Some(b'\\') && is_generic(scan, rtype)? {
        generic(scan, rtype, out)?;
    } else {
        let Some(fields) = layout(rtype) else {
            return Err(Stop::fault(start, Fault::NoTextForm { rtype }));
        };
        for &each in fields {
            field(scan, each, origin, out)?;
        }
    }
    if out.len() > MOST_OCTETS {
        let octets = out.len();
        return Err(Stop::fault(start, Fault::LongRdata { octets }));
    }
    Ok(())
}

/// Returns whether `\#` starts rdata in the form of RFC 3597, section 5, and skips it.
fn is_generic(scan: &mut Scan<'_>, rtype: Rtype) -> Result<bool, Stop> {
    let mut ahead = scan.clone();
    if ahead.raw_word()? != br"\#" {
        return Ok(false);
    }
    // In TXT, `\#` may also be a string, unless a number follows.
    if rtype == Rtype::TXT {
        let mut number = ahead.clone();
        let is_number =
            number.next()? == Next::Word && number.raw_word()?.iter().all(u8::is_ascii_digit);
        if !is_number {
            return Ok(false);
        }
    }
    *scan = ahead;
    Ok(true)
}

fn generic(scan: &mut Scan<'_>, rtype: Rtype, out: &mut Vec<u8>) -> Result<(), Stop> {
    let [high, low] = scan.u16("a number of octets")?;
    let expected = usize::from(u16::from_be_bytes([high, low]));
    scan.next()?;
    let start = scan.at();
    scan.hex(out)?;
    let found = out.len();
    if found != expected {
        return Err(Stop::fault(start, Fault::Length { expected, found }));
    }
    if layout(rtype).is_some() && !write::fits(rtype, out) {
        return Err(Stop::fault(start, Fault::Shape { rtype }));
    }
    Ok(())
}

/// Appends one field.
#[inline]
fn field(scan: &mut Scan<'_>, field: Field, origin: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
    match field {
        Field::Ipv4 => {
            let address = parsed(scan, "an IPv4 address", address::ipv4)?;
            out.extend_from_slice(&address);
        }
        Field::Name => {
            scan.name(origin, out, "a domain name")?;
        }
        Field::U16(what) => out.extend_from_slice(&scan.u16(what)?),
        Field::Texts => texts(scan, out)?,
        Field::Ipv6 => {
            let address = parsed(scan, "an IPv6 address", address::ipv6)?;
            out.extend_from_slice(&address);
        }
        Field::U8(what) => out.push(scan.u8(what)?),
        Field::U32(what) => out.extend_from_slice(&scan.number(u32::MAX, what)?.to_be_bytes()),
        Field::Seconds(what) => out.extend_from_slice(&scan.seconds(what)?.to_be_bytes()),
        _ => rare_field(scan, field, origin, out)?,
    }
    Ok(())
}

fn rare_field(
    scan: &mut Scan<'_>,
    field: Field,
    origin: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Stop> {
    match field {
        Field::Text(what) => {
            let text = scan.text(what)?;
            character_string(text, out)
        }
        Field::OptionalText => match scan.next()? {
            Next::End => Ok(()),
            Next::Word | Next::Quote => character_string(scan.text("a subaddress")?, out),
        },
        Field::Digits => legacy::digits(scan, out),
        Field::LongText => unescape(scan.text("a value")?, out),
        Field::QuotedText => {
            let expected = "a quoted string";
            let text = scan.text(expected)?;
            if text.quoted {
                return unescape(text, out);
            }
            let found = shown(text.octets);
            Err(Stop::fault(text.at, Fault::Unexpected { expected, found }))
        }
        Field::Tag => tag(scan, out),
        Field::QuotableName => {
            let text = scan.text("a domain name")?;
            name::parse(text.octets, origin, out)
                .map(drop)
                .map_err(|fault| name::fault_of(text.at, text.octets, fault))
        }
        Field::Names => {
            while scan.next()? != Next::End {
                scan.name(origin, out, "a domain name")?;
            }
            Ok(())
        }
        Field::Hex(least) => {
            let start = out.len();
            scan.hex(out)?;
            at_least(scan, out.len() - start, least, "hexadecimal digits")
        }
        Field::Digest(least, lengths) => digest(scan, out, least, lengths),
        Field::Base64(least) => {
            let start = out.len();
            scan.base64(out)?;
            at_least(scan, out.len() - start, least, "Base64")
        }
        Field::Key => {
            // The two highest bits of the flags: there is no key (RFC 2535, section 3.1.2).
            if out.first().is_some_and(|flags| flags & 0xc0 == 0xc0) {
                return Ok(());
            }
            rare_field(scan, Field::Base64(1), origin, out)
        }
        Field::Base64OrDash => {
            let mut ahead = scan.clone();
            if ahead.word("Base64 or `-`")? == b"-" {
                *scan = ahead;
                return Ok(());
            }
            scan.base64(out)
        }
        Field::CoveredType => {
            let rtype = parsed(scan, "an RR type", |word| {
                Rtype::from_word(word).or_else(|| number16(word).map(Rtype))
            })?;
            out.extend_from_slice(&rtype.0.to_be_bytes());
            Ok(())
        }
        Field::Mnemonic8(what, table) => {
            let value = parsed(scan, what, |word| {
                let value = number16(word).or_else(|| mnemonic::find(table, word))?;
                u8::try_from(value).ok()
            })?;
            out.push(value);
            Ok(())
        }
        Field::Mnemonic16(what, table) => {
            let value = parsed(scan, what, |word| {
                number16(word).or_else(|| mnemonic::find(table, word))
            })?;
            out.extend_from_slice(&value.to_be_bytes());
            Ok(())
        }
        Field::KeyFlags => {
            let flags = parsed(scan, "key flags", |word| {
                number16(word).or_else(|| mnemonic::key_flags(word))
            })?;
            out.extend_from_slice(&flags.to_be_bytes());
            Ok(())
        }
        Field::Time => {
            let expected = "a time as YYYYMMDDHHmmSS or in seconds since 1970";
            let time = parsed(scan, expected, super::time::parse)?;
            out.extend_from_slice(&time.to_be_bytes());
            Ok(())
        }
        Field::Salt => {
            let start = out.len();
            out.push(0);
            parsed(scan, "a salt in hexadecimal, or `-`", |word| match word {
                b"-" => Some(()),
                _ => binary::hex_word(word, out),
            })?;
            end_counted(scan, start, out)
        }
        Field::Hash => hash(scan, out),
        Field::Bitmap(may_be_empty) => bitmap::read(scan, may_be_empty, out),
        Field::OldBitmap => legacy::old_bitmap(scan, out),
        Field::Eui(octets) => {
            let expected = "pairs of hexadecimal digits with `-` between them";
            parsed(scan, expected, |word| address::eui(word, out, octets))
        }
        Field::Locator => {
            let expected = "four groups of hexadecimal digits with `:` between them";
            let locator = parsed(scan, expected, address::locator)?;
            out.extend_from_slice(&locator);
            Ok(())
        }
        Field::Location => location::read(scan, out),
        Field::Prefixes => legacy::prefixes(scan, out),
        Field::ServiceParameters => service::read(scan, out),
        Field::IpsecGateway => gateway::ipsec(scan, origin, out),
        Field::AmtRelay => gateway::amt_relay(scan, origin, out),
        Field::HostIdentity => gateway::host_identity(scan, out),
        Field::WellKnownServices => legacy::well_known_services(scan, out),
        Field::Nsap => legacy::nsap(scan, out),
        Field::Atma => legacy::atma(scan, out),
        Field::A6 => legacy::a6(scan, origin, out),
        Field::Ipv4
        | Field::Ipv6
        | Field::Name
        | Field::U8(_)
        | Field::U16(_)
        | Field::U32(_)
        | Field::Seconds(_)
        | Field::Texts => unreachable!("`field` reads the common fields"),
    }
}

/// Reads a word with `parse`, which returns nothing if it is not as `expected`.
#[inline]
pub(super) fn parsed<T>(
    scan: &mut Scan<'_>,
    expected: &'static str,
    parse: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<T, Stop> {
    let word = scan.word(expected)?;
    match parse(word) {
        Some(value) => Ok(value),
        None => Err(unexpected(scan, word, expected)),
    }
}

/// The fault of a word that was just read and is not as `expected`.
#[cold]
pub(super) fn unexpected(scan: &Scan<'_>, word: &[u8], expected: &'static str) -> Stop {
    let found = shown(word);
    Stop::fault(
        scan.at() - word.len(),
        Fault::Unexpected { expected, found },
    )
}

fn number16(word: &[u8]) -> Option<u16> {
    u16::try_from(super::number::decimal(word)?).ok()
}

#[inline]
fn texts(scan: &mut Scan<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
    character_string(scan.text("a character string")?, out)?;
    loop {
        match scan.next()? {
            Next::End => return Ok(()),
            Next::Quote => character_string(scan.quote()?, out)?,
            Next::Word => character_string(scan.text("a character string")?, out)?,
        }
    }
}

/// Appends a character string, its length octet first.
#[inline]
pub(super) fn character_string(text: Text<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
    let start = out.len();
    out.push(0);
    unescape(text, out)?;
    let octets = out.len() - start - 1;
    match u8::try_from(octets) {
        Ok(length) => {
            out[start] = length;
            Ok(())
        }
        Err(_too_long) => Err(Stop::fault(text.at, Fault::LongString { octets })),
    }
}

/// Writes the length of what follows the octet at `start` into that octet.
pub(super) fn end_counted(scan: &Scan<'_>, start: usize, out: &mut [u8]) -> Result<(), Stop> {
    let octets = out.len() - start - 1;
    match u8::try_from(octets) {
        Ok(length) => {
            out[start] = length;
            Ok(())
        }
        Err(_too_long) => Err(Stop::fault(scan.at(), Fault::LongString { octets })),
    }
}

fn tag(scan: &mut Scan<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
    let start = out.len();
    out.push(0);
    parsed(scan, "a property tag of letters and digits", |word| {
        out.extend_from_slice(word);
        word.iter().all(u8::is_ascii_alphanumeric).then_some(())
    })?;
    end_counted(scan, start, out)
}

fn hash(scan: &mut Scan<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
    const SHA1: u8 = 1;
    let algorithm = out.first().copied();
    let start = out.len();
    out.push(0);
    let expected = match algorithm {
        Some(SHA1) => "a SHA-1 hash: 32 digits of base32hex",
        _ => "a hash in base32hex",
    };
    let word = scan.word(expected)?;
    let octets = binary::base32hex_word(word, out).map(|()| out.len() - start - 1);
    match (algorithm, octets) {
        (Some(SHA1), Some(20)) => {}
        (Some(SHA1), _) | (_, Some(0) | None) => return Err(unexpected(scan, word, expected)),
        _ => {}
    }
    end_counted(scan, start, out)
}

fn digest(
    scan: &mut Scan<'_>,
    out: &mut Vec<u8>,
    least: usize,
    lengths: &[(u8, usize)],
) -> Result<(), Stop> {
    let kind = out.last().copied();
    let start = out.len();
    scan.next()?;
    let at = scan.at();
    scan.hex(out)?;
    let found = out.len() - start;
    match lengths.iter().find(|(number, _)| Some(*number) == kind) {
        Some(&(_, expected)) if found != expected => {
            Err(Stop::fault(at, Fault::Length { expected, found }))
        }
        Some(_) => Ok(()),
        None => at_least(scan, found, least, "hexadecimal digits"),
    }
}

/// The fault of a field that reaches to the end of the entry and is too short.
fn at_least(
    scan: &Scan<'_>,
    octets: usize,
    least: usize,
    expected: &'static str,
) -> Result<(), Stop> {
    match octets {
        0 if least > 0 => Err(Stop::fault(scan.at(), Fault::End { expected })),
        found if found < least => {
            let expected = least;
            Err(Stop::fault(scan.at(), Fault::Length { expected, found }))
        }
        _ => Ok(()),
    }
}
