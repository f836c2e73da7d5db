//! Types that few zones have, each with a form of its own.

use std::fmt;
use std::net::Ipv4Addr;

use crate::dns::rtype::Rtype;

use super::address;
use super::binary::hex_digit;
use super::fault::{Fault, Stop};
use super::name::{self, wire_length};
use super::number::decimal;
use super::read::{character_string, parsed, unexpected};
use super::scan::{Next, Scan};

/// Reads the address of X25: a character string of at least four digits (RFC 1183, section 3.1).
pub(super) fn digits(scan: &mut Scan<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
    let expected = "an address of at least four digits";
    let text = scan.text(expected)?;
    if text.octets.len() < 4 || !text.octets.iter().all(u8::is_ascii_digit) {
        let found = super::fault::shown(text.octets);
        return Err(Stop::fault(text.at, Fault::Unexpected { expected, found }));
    }
    character_string(text, out)
}

/// Reads the address of NSAP: `0x`, and pairs of digits with dots anywhere (RFC 1706, section 5).
pub(super) fn nsap(scan: &mut Scan<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
    parsed(scan, "`0x` and pairs of hexadecimal digits", |word| {
        let [b'0', b'x' | b'X', digits @ ..] = word else {
            return None;
        };
        hex_with_dots(digits, out)
    })
}

fn hex_with_dots(digits: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    let mut high = None;
    for &octet in digits.iter().filter(|&&octet| octet != b'.') {
        let digit = hex_digit(octet)?;
        high = match high {
            None => Some(digit),
            Some(high) => {
                out.push(high << 4 | digit);
                None
            }
        };
    }
    (high.is_none() && out.len() > start).then_some(())
}

/// Reads the address of ATMA: `+` and decimal digits, or pairs of hexadecimal
/// digits, with single dots between them.
pub(super) fn atma(scan: &mut Scan<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
    let expected = "an ATM address: `+` and digits, or pairs of hexadecimal digits";
    parsed(scan, expected, |word| {
        let number = word.strip_prefix(b"+");
        let digits = number.unwrap_or(word);
        if digits.split(|&octet| octet == b'.').any(<[u8]>::is_empty) {
            return None;
        }
        match number {
            None => {
                out.push(0);
                hex_with_dots(digits, out)
            }
            Some(digits) => {
                out.push(1);
                out.extend(digits.iter().filter(|&&octet| octet != b'.'));
                let is_number = |octet: &u8| octet.is_ascii_digit() || *octet == b'.';
                digits.iter().all(is_number).then_some(())
            }
        }
    })
}

/// Returns whether `octets` is an address of ATMA.
pub(super) fn atma_fits(octets: &[u8]) -> bool {
    match octets {
        [0, _, ..] => true,
        [1, digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Writes an address that [`atma_fits`].
pub(super) fn write_atma(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    match octets {
        [1, digits @ ..] => {
            f.write_char('+')?;
            digits
                .iter()
                .try_for_each(|&octet| f.write_char(char::from(octet)))
        }
        [_, address @ ..] => super::binary::write_hex(address, f),
        [] => Err(fmt::Error),
    }
}

/// Reads the RR types of NXT up to the end of the entry.
pub(super) fn old_bitmap(scan: &mut Scan<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
    let start = out.len();
    while scan.next()? != Next::End {
        let rtype = parsed(scan, "an RR type from 1 to 127", |word| {
            let number = decimal(word).and_then(|number| u16::try_from(number).ok());
            let rtype = number.or_else(|| Some(Rtype::from_word(word)?.0))?;
            u8::try_from(rtype)
                .ok()
                .filter(|rtype| (1..=127).contains(rtype))
        })?;
        let at = start + usize::from(rtype / 8);
        if out.len() <= at {
            out.resize(at + 1, 0);
        }
        out[at] |= 0x80 >> (rtype % 8);
    }
    Ok(())
}

/// Writes the RR types of NXT.
pub(super) fn write_old_bitmap(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    let mut blank = "";
    for (at, octet) in (0_u16..).zip(octets) {
        for bit in 0..8 {
            if octet & 0x80 >> bit != 0 {
                f.write_str(blank)?;
                write!(f, "{}", Rtype(at * 8 + bit))?;
                blank = " ";
            }
        }
    }
    Ok(())
}

/// Returns whether `octets` is a bitmap of NXT: its last octet is not zero, and
/// type 0 is not in it.
pub(super) fn old_bitmap_fits(octets: &[u8]) -> bool {
    octets.len() <= 16
        && !octets.ends_with(&[0])
        && octets.first().is_none_or(|first| first & 0x80 == 0)
}

/// Reads prefix length, suffix and prefix name of A6 (RFC 2874, section 3.1.1).
pub(super) fn a6(scan: &mut Scan<'_>, origin: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
    let prefix = scan.number(128, "a prefix length")?;
    let [_, _, _, prefix] = prefix.to_be_bytes();
    out.push(prefix);
    if prefix < 128 {
        let mut address = parsed(scan, "an IPv6 address", address::ipv6)?;
        let first = usize::from(prefix / 8);
        address[first] &= 0xff >> (prefix % 8);
        out.extend_from_slice(&address[first..]);
    }
    if prefix > 0 {
        scan.name(origin, out, "a prefix name")?;
    }
    Ok(())
}

/// Returns the length of the rdata of A6.
pub(super) fn a6_length(octets: &[u8]) -> Option<usize> {
    let prefix = *octets.first()?;
    let suffix = usize::from(128_u8.checked_sub(prefix)?).div_ceil(8);
    let name = match prefix {
        0 => 0,
        _ => wire_length(octets.get(1 + suffix..)?)?,
    };
    // The bits that the prefix covers are zero.
    let first = octets.get(1).copied().unwrap_or_default();
    let covered = if suffix == 0 {
        0
    } else {
        !(0xff_u8 >> (prefix % 8))
    };
    (first & covered == 0).then_some(1 + suffix + name)
}

/// Writes rdata of A6.
pub(super) fn write_a6(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    let [prefix, rest @ ..] = octets else {
        return Err(fmt::Error);
    };
    let suffix = usize::from(128_u8.saturating_sub(*prefix)).div_ceil(8);
    let (bits, name) = rest.split_at_checked(suffix).ok_or(fmt::Error)?;
    write!(f, "{prefix}")?;
    if suffix > 0 {
        let mut address = [0; 16];
        address[16 - suffix..].copy_from_slice(bits);
        f.write_char(' ')?;
        address::write_ipv6(&address, f)?;
    }
    if *prefix > 0 {
        f.write_char(' ')?;
        name::write(name, f)?;
    }
    Ok(())
}

/// Reads address prefixes up to the end of the entry (RFC 3123, section 5).
pub(super) fn prefixes(scan: &mut Scan<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
    let expected = "an address prefix such as `1:192.0.2.0/24` or `!2:2001:db8::/32`";
    while scan.next()? != Next::End {
        parsed(scan, expected, |word| {
            let (negation, word) = match word.strip_prefix(b"!") {
                Some(word) => (0x80, word),
                None => (0, word),
            };
            let colon = memchr::memchr(b':', word)?;
            let slash = memchr::memrchr(b'/', word).filter(|&slash| slash > colon)?;
            let address = &word[colon + 1..slash];
            let (family, most, mut address) = match decimal(&word[..colon])? {
                1 => (1, 32, address::ipv4(address)?.to_vec()),
                2 => (2, 128, address::ipv6(address)?.to_vec()),
                _ => return None,
            };
            let length = u8::try_from(decimal(&word[slash + 1..])?).ok()?;
            while address.last() == Some(&0) {
                address.pop();
            }
            let octets = u8::try_from(address.len()).ok()?;
            out.extend_from_slice(&[0, family, length, negation | octets]);
            out.extend_from_slice(&address);
            (length <= most).then_some(())
        })?;
    }
    Ok(())
}

/// Splits the first address prefix off `octets`: family, prefix length,
/// negation, address without its trailing zeros, and the rest.
#[expect(
    clippy::type_complexity,
    reason = "five parts of one pattern, taken apart at once by both callers"
)]
fn split_prefix(octets: &[u8]) -> Option<(u8, u8, bool, &[u8], &[u8])> {
    let [0, family, length, counted, rest @ ..] = octets else {
        return None;
    };
    let (address, rest) = rest.split_at_checked(usize::from(counted & 0x7f))?;
    let most = match family {
        1 => 32,
        2 => 128,
        _ => return None,
    };
    let fits =
        *length <= most && address.len() <= usize::from(most / 8) && !address.ends_with(&[0]);
    fits.then_some((*family, *length, counted & 0x80 != 0, address, rest))
}

/// Returns whether `octets` is a list of address prefixes that can be written.
pub(super) fn prefixes_fit(octets: &[u8]) -> bool {
    let mut rest = octets;
    while !rest.is_empty() {
        match split_prefix(rest) {
            Some((.., after)) => rest = after,
            None => return false,
        }
    }
    true
}

/// Writes address prefixes.
pub(super) fn write_prefixes(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    let mut rest = octets;
    let mut blank = "";
    while let Some((family, length, is_negated, address, after)) = split_prefix(rest) {
        let negation = if is_negated { "!" } else { "" };
        write!(f, "{blank}{negation}{family}:")?;
        let mut padded = [0; 16];
        padded[..address.len()].copy_from_slice(address);
        match family {
            1 => address::write_ipv4(&padded[..4], f)?,
            _ => address::write_ipv6(&padded, f)?,
        }
        write!(f, "/{length}")?;
        blank = " ";
        rest = after;
    }
    Ok(())
}

/// Reads address, protocol and ports of WKS (RFC 1035, section 3.4.2).
///
/// Ports are numbers: the names of `/etc/services` differ from machine to
/// machine.
pub(super) fn well_known_services(scan: &mut Scan<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
    const MOST_PORT: u32 = 65_535;
    let address = parsed(scan, "an IPv4 address", address::ipv4)?;
    out.extend_from_slice(&address);
    let protocol = parsed(
        scan,
        "`tcp`, `udp` or a protocol number",
        |word| match word {
            _ if word.eq_ignore_ascii_case(b"tcp") => Some(6),
            _ if word.eq_ignore_ascii_case(b"udp") => Some(17),
            _ => u8::try_from(decimal(word)?).ok(),
        },
    )?;
    out.push(protocol);
    let start = out.len();
    while scan.next()? != Next::End {
        let expected = "a port number";
        let word = scan.word(expected)?;
        let Some(port) = decimal(word).filter(|&port| port <= MOST_PORT) else {
            return Err(unexpected(scan, word, expected));
        };
        let at = start + port as usize / 8;
        if out.len() <= at {
            out.resize(at + 1, 0);
        }
        out[at] |= 0x80 >> (port % 8);
    }
    Ok(())
}

/// Returns whether `octets` is rdata of WKS that can be written.
pub(super) fn well_known_services_fit(octets: &[u8]) -> bool {
    octets
        .get(5..)
        .is_some_and(|ports| ports.len() <= 8_192 && !ports.ends_with(&[0]))
}

/// Writes rdata of WKS.
pub(super) fn write_well_known_services(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    let [a, b, c, d, protocol, ports @ ..] = octets else {
        return Err(fmt::Error);
    };
    write!(f, "{} {protocol}", Ipv4Addr::new(*a, *b, *c, *d))?;
    for (at, octet) in ports.iter().enumerate() {
        for bit in 0..8 {
            if octet & 0x80 >> bit != 0 {
                write!(f, " {}", at * 8 + bit)?;
            }
        }
    }
    Ok(())
}
