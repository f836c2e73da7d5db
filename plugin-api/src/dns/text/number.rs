//! Numbers and durations in text.

use super::fault::{Fault, Stop, shown};
use super::scan::Scan;

impl Scan<'_> {
    /// Reads a decimal number of at most `most`.
    #[inline]
    pub(crate) fn number(&mut self, most: u32, expected: &'static str) -> Result<u32, Stop> {
        let word = self.word(expected)?;
        match decimal(word) {
            Some(value) if value <= most => Ok(value),
            _ => Err(self.bad_number(word, most, expected)),
        }
    }

    #[cold]
    fn bad_number(&self, word: &[u8], most: u32, expected: &'static str) -> Stop {
        let found = shown(word);
        let fault = if word.iter().all(u8::is_ascii_digit) {
            Fault::TooLarge {
                expected,
                most: u64::from(most),
                found,
            }
        } else {
            Fault::Unexpected { expected, found }
        };
        Stop::fault(self.at - word.len(), fault)
    }

    /// Reads an octet.
    #[inline]
    pub(crate) fn u8(&mut self, expected: &'static str) -> Result<u8, Stop> {
        let value = self.number(u32::from(u8::MAX), expected)?;
        Ok(value.to_be_bytes()[3])
    }

    /// Reads a number of 16 bits.
    #[inline]
    pub(crate) fn u16(&mut self, expected: &'static str) -> Result<[u8; 2], Stop> {
        let [_, _, high, low] = self.number(u32::from(u16::MAX), expected)?.to_be_bytes();
        Ok([high, low])
    }

    /// Reads a number of seconds, plain or in units: `1h30m`.
    #[inline]
    pub(crate) fn seconds(&mut self, expected: &'static str) -> Result<u32, Stop> {
        let word = self.word(expected)?;
        match seconds(word) {
            Some(value) => Ok(value),
            None => {
                let found = shown(word);
                let at = self.at - word.len();
                Err(Stop::fault(at, Fault::Unexpected { expected, found }))
            }
        }
    }
}

/// Returns the value of a word of decimal digits, unless it has more than 32 bits.
#[inline]
pub(crate) fn decimal(word: &[u8]) -> Option<u32> {
    if word.is_empty() {
        return None;
    }
    let mut value = 0_u32;
    for &octet in word {
        let digit = octet.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u32::from(digit))?;
    }
    Some(value)
}

/// Returns the value of a number of seconds, plain or in weeks, days, hours,
/// minutes and seconds, each a number and its letter, in any order.
///
/// A plain number cannot follow a unit.
pub(crate) fn seconds(word: &[u8]) -> Option<u32> {
    if let Some(value) = decimal(word) {
        return Some(value);
    }
    let mut total = 0_u64;
    let mut rest = word;
    while !rest.is_empty() {
        let digits = rest
            .iter()
            .take_while(|octet| octet.is_ascii_digit())
            .count();
        let count = u64::from(decimal(&rest[..digits])?);
        let unit = match rest.get(digits)?.to_ascii_lowercase() {
            b'w' => 604_800,
            b'd' => 86_400,
            b'h' => 3_600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        total = total.checked_add(count * unit)?;
        rest = &rest[digits + 1..];
    }
    if word.is_empty() {
        return None;
    }
    u32::try_from(total).ok()
}
