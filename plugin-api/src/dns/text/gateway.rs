//! IPSECKEY, AMTRELAY and HIP: rdata whose fields decide about each other.

use std::fmt;

use super::address;
use super::binary;
use super::fault::{Fault, Stop};
use super::name::{self, wire_length};
use super::read::parsed;
use super::scan::Scan;

/// Reads gateway type, algorithm and gateway of IPSECKEY (RFC 4025, section 3.1).
pub(super) fn ipsec(scan: &mut Scan<'_>, origin: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
    let kind = scan.number(3, "a gateway type")?;
    let [_, _, _, kind] = kind.to_be_bytes();
    out.push(kind);
    out.push(scan.u8("an algorithm")?);
    gateway(scan, kind, origin, out)
}

/// Reads discovery bit, relay type and relay of AMTRELAY (RFC 8777, section 4.3).
pub(super) fn amt_relay(scan: &mut Scan<'_>, origin: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
    let discovery = scan.number(1, "a discovery bit")?;
    let kind = scan.number(3, "a relay type")?;
    let [_, _, _, kind] = kind.to_be_bytes();
    out.push(if discovery == 1 { 0x80 | kind } else { kind });
    gateway(scan, kind, origin, out)
}

fn gateway(scan: &mut Scan<'_>, kind: u8, origin: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
    match kind {
        0 => parsed(scan, "`.` for no gateway", |word| {
            (word == b".").then_some(())
        }),
        1 => {
            let address = parsed(scan, "an IPv4 address", address::ipv4)?;
            out.extend_from_slice(&address);
            Ok(())
        }
        2 => {
            let address = parsed(scan, "an IPv6 address", address::ipv6)?;
            out.extend_from_slice(&address);
            Ok(())
        }
        _ => scan.name(origin, out, "a domain name").map(drop),
    }
}

/// Reads algorithm, tag and public key of HIP (RFC 8005, section 6).
pub(super) fn host_identity(scan: &mut Scan<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
    let start = out.len();
    out.push(0);
    out.push(scan.u8("an algorithm")?);
    out.extend_from_slice(&[0, 0]);
    let tag = out.len();
    parsed(scan, "a host identity tag in hexadecimal", |word| {
        binary::hex_word(word, out)
    })?;
    let key = out.len();
    out[start] = match u8::try_from(key - tag) {
        Ok(length) => length,
        Err(_too_long) => {
            let (expected, found) = (255, key - tag);
            return Err(Stop::fault(scan.at(), Fault::Length { expected, found }));
        }
    };
    parsed(scan, "a public key in Base64", |word| {
        binary::base64_word(word, out)
    })?;
    match u16::try_from(out.len() - key) {
        Ok(length) => out[start + 2..start + 4].copy_from_slice(&length.to_be_bytes()),
        Err(_too_long) => {
            let octets = out.len();
            return Err(Stop::fault(scan.at(), Fault::LongRdata { octets }));
        }
    }
    Ok(())
}

/// Returns the length of gateway type, algorithm and gateway.
pub(super) fn ipsec_length(octets: &[u8]) -> Option<usize> {
    Some(2 + gateway_length(*octets.first()?, octets.get(2..)?)?)
}

/// Returns the length of discovery bit, relay type and relay.
pub(super) fn amt_relay_length(octets: &[u8]) -> Option<usize> {
    Some(1 + gateway_length(octets.first()? & 0x7f, octets.get(1..)?)?)
}

fn gateway_length(kind: u8, octets: &[u8]) -> Option<usize> {
    match kind {
        0 => Some(0),
        1 => Some(4),
        2 => Some(16),
        3 => wire_length(octets),
        _ => None,
    }
}

/// Returns the length of lengths, algorithm, tag and key.
pub(super) fn host_identity_length(octets: &[u8]) -> Option<usize> {
    let [tag @ 1..=u8::MAX, _, high, low, ..] = octets else {
        return None;
    };
    let key = u16::from_be_bytes([*high, *low]);
    (key > 0).then_some(4 + usize::from(*tag) + usize::from(key))
}

/// Writes gateway type, algorithm and gateway.
pub(super) fn write_ipsec(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    let [kind, algorithm, gateway @ ..] = octets else {
        return Err(fmt::Error);
    };
    write!(f, "{kind} {algorithm} ")?;
    write_gateway(*kind, gateway, f)
}

/// Writes discovery bit, relay type and relay.
pub(super) fn write_amt_relay(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    let [first, relay @ ..] = octets else {
        return Err(fmt::Error);
    };
    let kind = first & 0x7f;
    write!(f, "{} {kind} ", first >> 7)?;
    write_gateway(kind, relay, f)
}

fn write_gateway(kind: u8, octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    match kind {
        0 => f.write_char('.'),
        1 => address::write_ipv4(octets, f),
        2 => address::write_ipv6(octets, f),
        _ => name::write(octets, f),
    }
}

/// Writes algorithm, tag and key.
pub(super) fn write_host_identity(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    let [tag, algorithm, _, _, rest @ ..] = octets else {
        return Err(fmt::Error);
    };
    let (tag, key) = rest.split_at_checked(usize::from(*tag)).ok_or(fmt::Error)?;
    write!(f, "{algorithm} ")?;
    binary::write_hex(tag, f)?;
    f.write_char(' ')?;
    binary::write_base64(key, f)
}
