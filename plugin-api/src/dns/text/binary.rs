//! Octets as hexadecimal, Base64 and base32hex text.

use std::fmt;

use super::fault::{Fault, Stop, shown};
use super::scan::{Next, Scan};

impl Scan<'_> {
    /// Appends hexadecimal digits up to the end of the entry, in any number of words.
    pub(super) fn hex(&mut self, out: &mut Vec<u8>) -> Result<(), Stop> {
        const EXPECTED: &str = "pairs of hexadecimal digits";
        let mut high = None;
        while self.next()? != Next::End {
            let start = self.at;
            for &octet in self.word(EXPECTED)? {
                let Some(digit) = hex_digit(octet) else {
                    let found = shown(&self.octets[start..self.at]);
                    let expected = EXPECTED;
                    return Err(Stop::fault(start, Fault::Unexpected { expected, found }));
                };
                high = match high {
                    None => Some(digit),
                    Some(high) => {
                        out.push(high << 4 | digit);
                        None
                    }
                };
            }
        }
        match high {
            None => Ok(()),
            Some(_) => Err(Stop::fault(
                self.at,
                Fault::End {
                    expected: "the second digit of a pair",
                },
            )),
        }
    }

    /// Appends Base64 up to the end of the entry, in any number of words.
    pub(super) fn base64(&mut self, out: &mut Vec<u8>) -> Result<(), Stop> {
        const EXPECTED: &str = "Base64";
        self.next()?;
        let start = self.at;
        let mut decoder = Base64::default();
        while self.next()? != Next::End {
            let at = self.at;
            let word = self.word(EXPECTED)?;
            if word.iter().any(|&octet| !decoder.push(octet, out)) {
                let (expected, found) = (EXPECTED, shown(word));
                return Err(Stop::fault(at, Fault::Unexpected { expected, found }));
            }
        }
        if decoder.is_complete() {
            Ok(())
        } else {
            Err(Stop::fault(start, Fault::Encoding { expected: EXPECTED }))
        }
    }
}

/// Returns the value of a hexadecimal digit.
pub(super) fn hex_digit(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    }
}

/// Appends the octets that a word of hexadecimal digits stands for.
pub(super) fn hex_word(word: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if !word.len().is_multiple_of(2) {
        return None;
    }
    for pair in word.chunks_exact(2) {
        out.push(hex_digit(pair[0])? << 4 | hex_digit(pair[1])?);
    }
    Some(())
}

/// Appends the octets that a word of Base64 stands for.
pub(super) fn base64_word(word: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut decoder = Base64::default();
    let all = word.iter().all(|&octet| decoder.push(octet, out));
    (all && decoder.is_complete()).then_some(())
}

/// Decodes Base64 (RFC 4648, section 4), padding required and stray bits refused.
#[derive(Default)]
struct Base64 {
    group: u32,
    digits: u8,
    padding: u8,
}

impl Base64 {
    /// Takes the next character; returns whether it may stand there.
    fn push(&mut self, octet: u8, out: &mut Vec<u8>) -> bool {
        if self.padding > 0 && self.digits == 0 {
            return false;
        }
        let value = match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' if self.digits >= 2 => {
                self.padding += 1;
                0
            }
            _ => return false,
        };
        if self.padding > 0 && octet != b'=' {
            return false;
        }
        self.group = self.group << 6 | u32::from(value);
        self.digits += 1;
        if self.digits < 4 {
            return true;
        }
        let [_, a, b, c] = self.group.to_be_bytes();
        self.group = 0;
        self.digits = 0;
        match self.padding {
            0 => out.extend_from_slice(&[a, b, c]),
            1 if c == 0 => out.extend_from_slice(&[a, b]),
            2 if b == 0 && c == 0 => out.push(a),
            _ => return false,
        }
        true
    }

    fn is_complete(&self) -> bool {
        self.digits == 0
    }
}

/// Appends the octets that a word of base32hex without padding stands for
/// (RFC 4648, section 7).
pub(super) fn base32hex_word(word: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut bits = 0_u32;
    let mut count = 0;
    for &octet in word {
        let value = match octet {
            b'0'..=b'9' => octet - b'0',
            b'A'..=b'V' => octet - b'A' + 10,
            b'a'..=b'v' => octet - b'a' + 10,
            _ => return None,
        };
        bits = bits << 5 | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count).to_be_bytes()[3]);
            bits &= (1 << count) - 1;
        }
    }
    // What remains must be less than one digit, and zero.
    (count < 5 && bits == 0).then_some(())
}

/// Writes octets as hexadecimal digits.
pub(super) fn write_hex(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    octets.iter().try_for_each(|octet| write!(f, "{octet:02X}"))
}

/// Writes octets as Base64.
pub(super) fn write_base64(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for group in octets.chunks(3) {
        let mut padded = [0; 4];
        padded[1..=group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes(padded);
        for digit in 0..4 {
            let value = bits >> (18 - 6 * digit) & 63;
            f.write_char(if digit > group.len() {
                '='
            } else {
                char::from(DIGITS[value as usize])
            })?;
        }
    }
    Ok(())
}

/// Writes octets as base32hex without padding.
pub(super) fn write_base32hex(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";
    for group in octets.chunks(5) {
        let mut padded = [0; 8];
        padded[3..3 + group.len()].copy_from_slice(group);
        let bits = u64::from_be_bytes(padded);
        for digit in 0..(group.len() * 8).div_ceil(5) {
            let value = bits >> (35 - 5 * digit) & 31;
            f.write_char(char::from(DIGITS[usize::from(value.to_be_bytes()[7])]))?;
        }
    }
    Ok(())
}
