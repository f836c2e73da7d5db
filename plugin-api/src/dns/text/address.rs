//! Addresses in text.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Reads an IPv4 address: four decimal numbers without leading zeros.
#[inline]
pub(super) fn ipv4(word: &[u8]) -> Option<[u8; 4]> {
    let mut address = [0; 4];
    let mut part = 0;
    let mut value = 0_u16;
    let mut digits = 0;
    for &octet in word {
        if octet == b'.' {
            if digits == 0 || part == 3 {
                return None;
            }
            address[part] = u8::try_from(value).ok()?;
            part += 1;
            value = 0;
            digits = 0;
            continue;
        }
        let digit = octet.wrapping_sub(b'0');
        if digit > 9 || (digits > 0 && value == 0) || digits == 3 {
            return None;
        }
        value = value * 10 + u16::from(digit);
        digits += 1;
    }
    if part != 3 || digits == 0 {
        return None;
    }
    address[3] = u8::try_from(value).ok()?;
    Some(address)
}

/// Reads an IPv6 address (RFC 4291, section 2.2).
#[inline]
pub(super) fn ipv6(word: &[u8]) -> Option<[u8; 16]> {
    let text = std::str::from_utf8(word).ok()?;
    let address: Ipv6Addr = text.parse().ok()?;
    Some(address.octets())
}

/// Reads `count` groups of two hexadecimal digits with `-` between them, each
/// group of one or two digits.
pub(super) fn eui(word: &[u8], out: &mut Vec<u8>, count: usize) -> Option<()> {
    let start = out.len();
    for group in word.split(|&octet| octet == b'-') {
        if !(1..=2).contains(&group.len()) {
            return None;
        }
        let mut value = 0;
        for &octet in group {
            value = value * 16 + super::binary::hex_digit(octet)?;
        }
        out.push(value);
    }
    (out.len() - start == count).then_some(())
}

/// Reads four groups of one to four hexadecimal digits with `:` between them
/// (RFC 6742, section 2.1.2).
pub(super) fn locator(word: &[u8]) -> Option<[u8; 8]> {
    let mut locator = [0; 8];
    let mut groups = word.split(|&octet| octet == b':');
    for place in locator.chunks_exact_mut(2) {
        let group = groups.next()?;
        if !(1..=4).contains(&group.len()) {
            return None;
        }
        let mut value = 0_u16;
        for &octet in group {
            value = value * 16 + u16::from(super::binary::hex_digit(octet)?);
        }
        place.copy_from_slice(&value.to_be_bytes());
    }
    groups.next().is_none().then_some(locator)
}

/// Writes four octets as an IPv4 address.
pub(super) fn write_ipv4(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    let address: [u8; 4] = octets.try_into().or(Err(fmt::Error))?;
    write!(f, "{}", Ipv4Addr::from(address))
}

/// Writes sixteen octets as an IPv6 address (RFC 5952).
pub(super) fn write_ipv6(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    let address: [u8; 16] = octets.try_into().or(Err(fmt::Error))?;
    write!(f, "{}", Ipv6Addr::from(address))
}

/// Writes octets as pairs of hexadecimal digits with `-` between them.
pub(super) fn write_eui(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    let mut separator = "";
    for octet in octets {
        write!(f, "{separator}{octet:02x}")?;
        separator = "-";
    }
    Ok(())
}

/// Writes eight octets as groups of hexadecimal digits with `:` between them.
pub(super) fn write_locator(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    let mut separator = "";
    for group in octets.as_chunks::<2>().0 {
        write!(f, "{separator}{:x}", u16::from_be_bytes(*group))?;
        separator = ":";
    }
    Ok(())
}
