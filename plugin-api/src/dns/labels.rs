//! The labels of a name: where they start, how they compare, how they are written.

use std::cmp::Ordering;
use std::fmt::{self, Write};

use super::name::NameError;

/// Most octets a name has in wire form (RFC 1035, section 2.3.4).
pub(crate) const MAX_NAME: usize = 255;
const MAX_LABEL: u8 = 63;

/// Where the labels of one name start, leftmost first, the root label left out.
///
/// Names are compared from the right, and wire form can be read from the left
/// only; whoever compares a name more than once keeps these.
#[derive(Clone, Copy)]
pub(crate) struct LabelStarts {
    // At most 127 are used: the root label takes the last octet of a name.
    starts: [u8; 128],
    /// What has to be added to all starts but the first, modulo 256.
    shift: u8,
    count: u8,
    /// Octets of the whole name, the root label included.
    octets: u8,
}

impl LabelStarts {
    pub(crate) const EMPTY: Self = Self {
        starts: [0; 128],
        shift: 0,
        count: 0,
        octets: 0,
    };

    /// Reads the name at the beginning of `octets`; what follows is not looked at.
    #[inline]
    pub(crate) fn scan(&mut self, octets: &[u8]) -> Result<(), NameError> {
        let mut at = 0_u8;
        let mut count = 0_u8;
        loop {
            let length = *octets.get(usize::from(at)).ok_or(NameError::Truncated)?;
            if length == 0 {
                break;
            }
            if length > MAX_LABEL {
                return Err(NameError::LabelType);
            }
            self.starts[usize::from(count & 127)] = at;
            count += 1;
            // The root label needs the last octet for itself.
            at = at
                .checked_add(length + 1)
                .filter(|&at| at < u8::MAX)
                .ok_or(NameError::LongName)?;
        }
        self.shift = 0;
        self.count = count;
        self.octets = at + 1;
        Ok(())
    }

    /// Changes to a name that differs in the leftmost label only.
    #[inline]
    pub(crate) fn replace_leftmost(&mut self, old_length: u8, new_length: u8) {
        let change = new_length.wrapping_sub(old_length);
        self.shift = self.shift.wrapping_add(change);
        self.octets = self.octets.wrapping_add(change);
    }

    #[inline]
    fn start(&self, index: usize) -> usize {
        match index & 127 {
            0 => 0,
            index => usize::from(self.starts[index].wrapping_add(self.shift)),
        }
    }

    /// Reads a name known to be one.
    pub(crate) fn trusted(octets: &[u8]) -> Self {
        let mut starts = Self::EMPTY;
        starts
            .scan(octets)
            .expect("a name was checked when it was made");
        starts
    }

    pub(crate) const fn count(&self) -> usize {
        self.count as usize
    }

    pub(crate) const fn octets(&self) -> usize {
        self.octets as usize
    }

    /// Returns whether the labels end with those of `apex`, given as wire form
    /// and number of labels.
    #[inline]
    pub(crate) fn is_at_or_below(&self, name: &[u8], apex: &[u8], apex_labels: usize) -> bool {
        let Some(above) = self.count().checked_sub(apex_labels) else {
            return false;
        };
        let start = if apex_labels == 0 {
            self.octets() - 1
        } else {
            self.start(above)
        };
        name[start..self.octets()] == *apex
    }

    /// Returns where the label with `index` starts, counted from the right, the
    /// root left out.
    #[inline]
    pub(crate) fn label_start_from_right(&self, index: usize) -> Option<usize> {
        let left = self.count().checked_sub(index + 1)?;
        Some(self.start(left))
    }

    /// Returns the label with `index`, counted from the right, the root left out.
    #[inline]
    fn label_from_right<'a>(&self, name: &'a [u8], index: usize) -> Option<&'a [u8]> {
        let start = self.label_start_from_right(index)?;
        Some(&name[start + 1..=start + usize::from(name[start])])
    }
}

/// Compares two names in canonical order (RFC 4034, section 6.1), the rightmost
/// `equal` labels being known to be equal.
///
/// Also returns how many of the rightmost labels are equal.
#[inline]
pub(crate) fn compare(
    (left, left_starts): (&[u8], &LabelStarts),
    (right, right_starts): (&[u8], &LabelStarts),
    equal: usize,
) -> (Ordering, usize) {
    let mut equal = equal;
    loop {
        let ours = left_starts.label_from_right(left, equal);
        let theirs = right_starts.label_from_right(right, equal);
        // A missing label sorts before every label, as `None` does.
        match ours.cmp(&theirs) {
            Ordering::Equal if ours.is_some() => equal += 1,
            decided => return (decided, equal),
        }
    }
}

/// Checks that `octets` is one name and nothing else.
pub(crate) fn scan_whole(octets: &[u8]) -> Result<(), NameError> {
    if octets.is_empty() {
        return Err(NameError::Empty);
    }
    if octets_of(octets)? < octets.len() {
        return Err(NameError::TrailingOctets);
    }
    Ok(())
}

/// Returns the octets of the name at the beginning of `octets`.
#[inline]
pub(crate) fn octets_of(octets: &[u8]) -> Result<usize, NameError> {
    let mut at = 0;
    loop {
        match *octets.get(at).ok_or(NameError::Truncated)? {
            0 => return Ok(at + 1),
            length if length > MAX_LABEL => return Err(NameError::LabelType),
            length => at += usize::from(length) + 1,
        }
        if at >= MAX_NAME {
            return Err(NameError::LongName);
        }
    }
}

/// Returns the octets of the name that `octets` is known to begin with.
#[inline]
pub(crate) fn trusted_len(octets: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match octets[at] {
            0 => return at + 1,
            length => at += usize::from(length) + 1,
        }
    }
}

/// Returns whether a name in wire form has upper-case letters.
///
/// Length octets are at most 63 and so are never taken for letters: the whole
/// name is looked at in one go.
#[inline]
pub(crate) fn has_upper_case(octets: &[u8]) -> bool {
    any(octets, |word| {
        let low = word & !HIGH;
        let from_a = low + repeat(0x80 - b'A');
        let beyond_z = low + repeat(0x7f - b'Z');
        from_a & !beyond_z & !word & HIGH != 0
    })
}

/// Returns whether a label has octets 0 or 1.
#[inline]
pub(crate) fn has_zero_or_one(label: &[u8]) -> bool {
    any(label, |word| {
        word.wrapping_sub(repeat(2)) & !word & HIGH != 0
    })
}

const HIGH: u64 = repeat(0x80);

const fn repeat(octet: u8) -> u64 {
    u64::MAX / 255 * octet as u64
}

/// Returns whether `test` finds something in any eight octets, some of which it
/// sees twice; what is shorter is filled up with octets 255.
///
/// Labels are short: a loop over octets would end each time where the processor
/// does not expect it.
#[inline]
fn any(octets: &[u8], test: impl Fn(u64) -> bool) -> bool {
    if let Some(last) = octets.last_chunk() {
        let (words, _) = octets.as_chunks();
        return words
            .iter()
            .chain([last])
            .fold(false, |found, &word| found | test(u64::from_le_bytes(word)));
    }
    let halves = [octets.first_chunk(), octets.last_chunk()];
    test(
        match halves.map(|half| half.map(|&half| u64::from(u32::from_le_bytes(half)))) {
            [Some(first), Some(last)] => first << 32 | last,
            _ => octets
                .iter()
                .fold(u64::MAX, |word, &octet| word << 8 | u64::from(octet)),
        },
    )
}

/// Reads presentation format into `octets`, in lower case.
///
/// Returns whether the name was absolute; then the root label is written.
pub(crate) fn parse(text: &str, octets: &mut Vec<u8>) -> Result<bool, NameError> {
    match text {
        "" => return Err(NameError::Empty),
        "." => {
            octets.push(0);
            return Ok(true);
        }
        _ => {}
    }
    let mut start = octets.len();
    octets.push(0);
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '.' => {
                close_label(octets, start)?;
                start = octets.len();
                octets.push(0);
                continue;
            }
            '\\' => octets.push(unescape(&mut rest)?.to_ascii_lowercase()),
            ' ' | '\t' | '\n' | '\r' | '"' | '(' | ')' | ';' => {
                return Err(NameError::Unescaped(character));
            }
            _ => {
                let octet = u8::try_from(character)
                    .ok()
                    .filter(u8::is_ascii)
                    .ok_or(NameError::NonAscii(character))?;
                octets.push(octet.to_ascii_lowercase());
            }
        }
        // The text may be much longer than any name.
        if octets.len() > MAX_NAME {
            return Err(NameError::LongName);
        }
    }
    if octets.len() == start + 1 {
        // The root label of a name that ends in a dot.
        return if octets.len() > MAX_NAME {
            Err(NameError::LongName)
        } else {
            Ok(true)
        };
    }
    close_label(octets, start)?;
    Ok(false)
}

fn close_label(octets: &mut [u8], start: usize) -> Result<(), NameError> {
    let length = u8::try_from(octets.len() - start - 1)
        .ok()
        .filter(|&length| length <= MAX_LABEL)
        .ok_or(NameError::LongLabel)?;
    if length == 0 {
        return Err(NameError::EmptyLabel);
    }
    octets[start] = length;
    Ok(())
}

/// Reads what follows a backslash: one character, or the decimal value of an octet.
fn unescape(rest: &mut std::str::Chars<'_>) -> Result<u8, NameError> {
    let first = rest.next().ok_or(NameError::BadEscape)?;
    let Some(digit) = first.to_digit(10) else {
        return u8::try_from(first)
            .ok()
            .filter(u8::is_ascii)
            .ok_or(NameError::NonAscii(first));
    };
    let mut value = digit;
    for _ in 0..2 {
        let digit = rest.next().and_then(|character| character.to_digit(10));
        value = value * 10 + digit.ok_or(NameError::BadEscape)?;
    }
    u8::try_from(value).ok().ok_or(NameError::BadEscape)
}

/// Writes one label and the dot that follows it.
pub(crate) fn write(label: &[u8], f: &mut impl Write) -> fmt::Result {
    for &octet in label {
        match octet {
            b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => {
                f.write_char('\\')?;
                f.write_char(char::from(octet))?;
            }
            b'!'..=b'~' => f.write_char(char::from(octet))?,
            _ => write!(f, "\\{octet:03}")?,
        }
    }
    f.write_char('.')
}

#[cfg(test)]
mod tests {
    use super::{has_upper_case, has_zero_or_one};

    #[test]
    fn every_octet_is_found_at_every_place_of_every_length() {
        for octet in 0..=u8::MAX {
            for length in 1..=33 {
                for place in 0..length {
                    let mut octets = [b'a'; 33];
                    octets[place] = octet;
                    let octets = &octets[..length];
                    assert_eq!(
                        (has_upper_case(octets), has_zero_or_one(octets)),
                        (octet.is_ascii_uppercase(), octet <= 1),
                        "{octet} at {place} of {length}",
                    );
                }
            }
        }
        assert!(!has_upper_case(&[]) && !has_zero_or_one(&[]));
    }
}
