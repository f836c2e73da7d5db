//! Service parameters of SVCB and HTTPS (RFC 9460).

use std::fmt;

use super::fault::{Fault, Stop, shown};
use super::number::decimal;
use super::read::unexpected;
use super::scan::{Next, Scan, Text, escape, unescape};
use super::{address, binary};

const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;
const PORT: u16 = 3;
const IPV4_HINT: u16 = 4;
const ECH: u16 = 5;
const IPV6_HINT: u16 = 6;
const DOH_PATH: u16 = 7;

const KEYS: &[(u16, &str)] = &[
    (MANDATORY, "mandatory"),
    (ALPN, "alpn"),
    (NO_DEFAULT_ALPN, "no-default-alpn"),
    (PORT, "port"),
    (IPV4_HINT, "ipv4hint"),
    (ECH, "ech"),
    (IPV6_HINT, "ipv6hint"),
    (DOH_PATH, "dohpath"),
];

const CONTRADICTION: &str = "every key in `mandatory` must be given, and not `mandatory` itself";

/// Reads parameters up to the end of the entry and appends them in the order of their keys.
pub(super) fn read(scan: &mut Scan<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
    scan.next()?;
    let start = scan.at();
    let mut parameters: Vec<(u16, Vec<u8>)> = Vec::new();
    loop {
        match scan.next()? {
            Next::End => break,
            Next::Word => parameters.push(parameter(scan)?),
            Next::Quote => return Err(scan.not_a_word(Next::Quote, "a service parameter")),
        }
    }
    parameters.sort_by_key(|(key, _)| *key);
    if parameters.is_sorted_by(|(a, _), (b, _)| a < b) {
        consistent(&parameters).map_err(|fault| Stop::fault(start, fault))?;
    } else {
        let fault = Fault::ServiceParameters("a service parameter is given twice");
        return Err(Stop::fault(start, fault));
    }
    for (key, value) in parameters {
        let Ok(length) = u16::try_from(value.len()) else {
            let octets = value.len();
            return Err(Stop::fault(start, Fault::LongRdata { octets }));
        };
        out.extend_from_slice(&key.to_be_bytes());
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&value);
    }
    Ok(())
}

/// Checks what parameters, in the order of their keys, demand of each other
/// (RFC 9460, sections 7.1.1 and 8).
fn consistent(parameters: &[(u16, Vec<u8>)]) -> Result<(), Fault> {
    let has = |key: u16| {
        parameters
            .binary_search_by_key(&key, |(key, _)| *key)
            .is_ok()
    };
    if has(NO_DEFAULT_ALPN) && !has(ALPN) {
        return Err(Fault::ServiceParameters(
            "`no-default-alpn` must stand with `alpn`",
        ));
    }
    if let Some((MANDATORY, keys)) = parameters.first() {
        for key in keys.as_chunks::<2>().0 {
            let key = u16::from_be_bytes(*key);
            if key == MANDATORY || !has(key) {
                return Err(Fault::ServiceParameters(CONTRADICTION));
            }
        }
    }
    Ok(())
}

/// Reads `key`, `key=value` or `key="value"`.
fn parameter(scan: &mut Scan<'_>) -> Result<(u16, Vec<u8>), Stop> {
    let at = scan.at();
    let name = scan.key()?;
    let Some(key) = key_number(name) else {
        return Err(unexpected(scan, name, "the key of a service parameter"));
    };
    let mut value = Vec::new();
    if scan.peek() != Some(b'=') {
        let is_enough = match key {
            NO_DEFAULT_ALPN | ECH => true,
            _ => key > DOH_PATH,
        };
        return if is_enough {
            Ok((key, value))
        } else {
            let expected = "`=` and the value of the service parameter";
            Err(Stop::fault(scan.at(), Fault::End { expected }))
        };
    }
    scan.skip(1);
    let text = match scan.peek() {
        Some(b'"') => scan.quote()?,
        _ => Text {
            at: scan.at(),
            octets: scan.raw_word()?,
            quoted: false,
            escapes: true,
        },
    };
    let is_numbered = name
        .first_chunk::<3>()
        .is_some_and(|head| head.eq_ignore_ascii_case(b"key"));
    if is_numbered || key > DOH_PATH {
        unescape(text, &mut value)?;
        if value_fits(key, &value) {
            return Ok((key, value));
        }
    } else if known_value(key, text, &mut value)? {
        return Ok((key, value));
    }
    let found = shown(scan.octets().get(at..scan.at()).unwrap_or_default());
    let expected = expected_value(key);
    Err(Stop::fault(at, Fault::Unexpected { expected, found }))
}

fn expected_value(key: u16) -> &'static str {
    match key {
        MANDATORY => "`mandatory` and a list of other keys, none twice",
        ALPN => "`alpn` and a list of protocols of 1 to 255 octets",
        NO_DEFAULT_ALPN => "`no-default-alpn` without a value",
        PORT => "`port` and a number up to 65535",
        IPV4_HINT => "`ipv4hint` and a list of IPv4 addresses",
        ECH => "`ech` and Base64",
        IPV6_HINT => "`ipv6hint` and a list of IPv6 addresses",
        DOH_PATH => "`dohpath` and a relative URI template with the variable `dns`",
        _ => "a service parameter",
    }
}

/// Returns the number of a key: its name, or `key` and its number without leading zeros.
fn key_number(name: &[u8]) -> Option<u16> {
    if let Some(number) = super::mnemonic::find(KEYS, name) {
        return Some(number);
    }
    let digits = name.strip_prefix(b"key")?;
    if digits.len() > 1 && digits.starts_with(b"0") {
        return None;
    }
    u16::try_from(decimal(digits)?).ok()
}

/// Appends the value of a key that has a form of its own; returns whether it has that form.
fn known_value(key: u16, text: Text<'_>, out: &mut Vec<u8>) -> Result<bool, Stop> {
    let words = || text.octets.split(|&octet| octet == b',');
    let is_read = match key {
        MANDATORY => mandatory(text.octets, out).is_some(),
        ALPN => protocols(text.octets, out).is_some(),
        NO_DEFAULT_ALPN => text.octets.is_empty(),
        PORT => match decimal(text.octets).map(u16::try_from) {
            Some(Ok(port)) => {
                out.extend_from_slice(&port.to_be_bytes());
                true
            }
            _ => false,
        },
        IPV4_HINT => words().all(|word| {
            let address = address::ipv4(word);
            out.extend(address.into_iter().flatten());
            address.is_some()
        }),
        IPV6_HINT => words().all(|word| {
            let address = address::ipv6(word);
            out.extend(address.into_iter().flatten());
            address.is_some()
        }),
        ECH => binary::base64_word(text.octets, out).is_some(),
        _ => {
            unescape(text, out)?;
            value_fits(key, out)
        }
    };
    Ok(is_read)
}

fn mandatory(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let keys = text.split(|&octet| octet == b',').map(key_number);
    let mut keys = keys.collect::<Option<Vec<u16>>>()?;
    keys.sort_unstable();
    out.extend(keys.iter().flat_map(|key| key.to_be_bytes()));
    keys.is_sorted_by(|a, b| a < b).then_some(())
}

/// Appends a list of protocols, each behind its length.
///
/// Two layers of escapes (RFC 9460, appendix A.1): those of the zone file
/// first, then a backslash before a comma or a backslash.
fn protocols(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = text;
    let mut is_escaped = false;
    let mut start = out.len();
    out.push(0);
    loop {
        let octet = match rest {
            [] => break,
            [b'\\', ..] => {
                let (octet, used) = escape(rest)?;
                rest = &rest[used..];
                octet
            }
            [octet, after @ ..] => {
                rest = after;
                *octet
            }
        };
        match octet {
            b'\\' if !is_escaped => is_escaped = true,
            b',' if !is_escaped => {
                end_protocol(start, out)?;
                start = out.len();
                out.push(0);
            }
            _ => {
                out.push(octet);
                is_escaped = false;
            }
        }
    }
    if is_escaped {
        return None;
    }
    end_protocol(start, out)
}

fn end_protocol(start: usize, out: &mut [u8]) -> Option<()> {
    out[start] = u8::try_from(out.len() - start - 1)
        .ok()
        .filter(|&length| length > 0)?;
    Some(())
}

/// Returns whether `value` can be the value of `key`.
fn value_fits(key: u16, value: &[u8]) -> bool {
    match key {
        MANDATORY => {
            let (keys, rest) = value.as_chunks::<2>();
            !keys.is_empty() && rest.is_empty() && keys.is_sorted_by(|a, b| a < b)
        }
        ALPN => {
            let mut rest = value;
            while let [length @ 1..=u8::MAX, after @ ..] = rest {
                match after.split_at_checked(usize::from(*length)) {
                    Some((_, after)) => rest = after,
                    None => return false,
                }
            }
            rest.is_empty() && !value.is_empty()
        }
        NO_DEFAULT_ALPN => value.is_empty(),
        PORT => value.len() == 2,
        IPV4_HINT => !value.is_empty() && value.len().is_multiple_of(4),
        IPV6_HINT => !value.is_empty() && value.len().is_multiple_of(16),
        DOH_PATH => is_doh_path(value),
        _ => true,
    }
}

/// Returns whether `value` is a relative template with the variable `dns` (RFC 9461, section 5).
///
/// Only what a client could not do without is checked: UTF-8, a leading slash,
/// and braces in pairs around an expression with that variable.
fn is_doh_path(value: &[u8]) -> bool {
    let Ok(template) = std::str::from_utf8(value) else {
        return false;
    };
    if !template.starts_with('/') {
        return false;
    }
    let mut has_dns = false;
    let mut rest = template;
    while let Some((literal, after)) = rest.split_once('{') {
        let Some((expression, after)) = after.split_once('}') else {
            return false;
        };
        if literal.contains('}') || expression.contains('{') {
            return false;
        }
        let variables = expression.trim_start_matches(['+', '#', '.', '/', ';', '?', '&']);
        has_dns |= variables
            .split(',')
            .any(|variable| variable.split([':', '*']).next() == Some("dns"));
        rest = after;
    }
    has_dns && !rest.contains('}')
}

/// Splits the first parameter off `octets`.
fn split(octets: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let [k, l, high, low, rest @ ..] = octets else {
        return None;
    };
    let length = u16::from_be_bytes([*high, *low]);
    let (value, rest) = rest.split_at_checked(usize::from(length))?;
    Some((u16::from_be_bytes([*k, *l]), value, rest))
}

/// Returns whether `octets` is a list of parameters that can be written.
pub(super) fn fits(octets: &[u8]) -> bool {
    let mut parameters: Vec<(u16, Vec<u8>)> = Vec::new();
    let mut rest = octets;
    while !rest.is_empty() {
        let Some((key, value, after)) = split(rest) else {
            return false;
        };
        if !value_fits(key, value) {
            return false;
        }
        parameters.push((key, value.to_vec()));
        rest = after;
    }
    parameters.is_sorted_by(|(a, _), (b, _)| a < b) && consistent(&parameters).is_ok()
}

/// Writes parameters, a space before each.
pub(super) fn write(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    let mut rest = octets;
    while let Some((key, value, after)) = split(rest) {
        f.write_char(' ')?;
        write_key(key, f)?;
        if !value.is_empty() {
            f.write_char('=')?;
            write_value(key, value, f)?;
        }
        rest = after;
    }
    Ok(())
}

fn write_key(key: u16, f: &mut impl fmt::Write) -> fmt::Result {
    match KEYS.iter().find(|(number, _)| *number == key) {
        // Readers older than RFC 9461 know this one by its number only.
        Some((DOH_PATH, _)) | None => write!(f, "key{key}"),
        Some((_, name)) => f.write_str(name),
    }
}

fn write_value(key: u16, value: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    let mut comma = "";
    match key {
        MANDATORY => {
            for key in value.as_chunks::<2>().0 {
                f.write_str(comma)?;
                write_key(u16::from_be_bytes(*key), f)?;
                comma = ",";
            }
        }
        ALPN => {
            f.write_char('"')?;
            let mut rest = value;
            while let [length, after @ ..] = rest {
                let (protocol, after) = after
                    .split_at_checked(usize::from(*length))
                    .ok_or(fmt::Error)?;
                f.write_str(comma)?;
                for &octet in protocol {
                    match octet {
                        b',' => f.write_str(r"\\,")?,
                        b'\\' => f.write_str(r"\\\\")?,
                        _ => super::write::write_octet(octet, f)?,
                    }
                }
                comma = ",";
                rest = after;
            }
            f.write_char('"')?;
        }
        PORT => {
            let port = value
                .try_into()
                .map(u16::from_be_bytes)
                .or(Err(fmt::Error))?;
            write!(f, "{port}")?;
        }
        IPV4_HINT => {
            for octets in value.chunks(4) {
                f.write_str(comma)?;
                address::write_ipv4(octets, f)?;
                comma = ",";
            }
        }
        IPV6_HINT => {
            for octets in value.chunks(16) {
                f.write_str(comma)?;
                address::write_ipv6(octets, f)?;
                comma = ",";
            }
        }
        ECH => binary::write_base64(value, f)?,
        _ => super::write::write_quoted(value, f)?,
    }
    Ok(())
}
