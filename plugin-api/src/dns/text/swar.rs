//! Eight octets at a time: where a word may end, and where its dots are.
//!
//! Most words are shorter than sixteen octets, and a loop over octets ends each
//! time where the processor does not expect it. Looking at eight at once takes
//! most of that away.

const ONES: u64 = u64::MAX / 255;
const HIGH: u64 = ONES << 7;

/// Returns how many octets at the start of `octets` are sure to belong to a word.
///
/// The octet behind them may end the word, may be a backslash, or may still
/// belong to it.
#[inline]
pub(super) fn plain_octets(octets: &[u8]) -> usize {
    let mut at = 0;
    while let Some(chunk) = octets.get(at..).and_then(<[u8]>::first_chunk) {
        let ends = ends(u64::from_le_bytes(*chunk));
        if ends != 0 {
            return at + first(ends);
        }
        at += 8;
    }
    at
}

/// Marks octets that may end a word: the lowest bit set is that of the first one.
///
/// Those are all below `*`, with some that are harmless, `;` and the backslash.
/// Bits above the lowest one mean nothing.
#[inline]
pub(super) fn ends(octets: u64) -> u64 {
    below(octets, b'*') | below(octets ^ repeat(b';'), 1) | below(octets ^ repeat(b'\\'), 1)
}

/// Marks the octets that are dots.
#[inline]
pub(super) fn dots(octets: u64) -> u64 {
    let other = octets ^ repeat(b'.');
    !(((other & !HIGH) + !HIGH) | other | !HIGH)
}

/// Keeps the marks that stand before the lowest mark of `end`.
#[inline]
pub(super) fn before(marks: u64, end: u64) -> u64 {
    marks & !end & end.wrapping_sub(1)
}

/// Returns the place of the lowest mark.
#[inline]
pub(super) fn first(marks: u64) -> usize {
    marks.trailing_zeros() as usize / 8
}

const fn repeat(octet: u8) -> u64 {
    ONES * octet as u64
}

/// Marks octets below `limit`, which is at most 128; exact up to the lowest mark.
#[inline]
fn below(octets: u64, limit: u8) -> u64 {
    octets.wrapping_sub(repeat(limit)) & !octets & HIGH
}

#[cfg(test)]
mod tests {
    use super::super::scan::{CLASS, Class};
    use super::{before, dots, ends, first, plain_octets};

    #[test]
    fn no_octet_that_ends_a_word_is_passed_over() {
        for octet in 0..=u8::MAX {
            for place in 0..8 {
                let mut chunk = *b"abcdefgh";
                chunk[place] = octet;
                let marks = ends(u64::from_le_bytes(chunk));
                if matches!(CLASS[usize::from(octet)], Class::End | Class::Escape) {
                    assert_eq!(first(marks), place, "{octet}");
                } else {
                    assert!(marks == 0 || first(marks) == place, "{octet}");
                }
            }
        }
    }

    #[test]
    fn exactly_the_dots_before_the_end_are_marked() {
        for octet in 0..=u8::MAX {
            let chunk = [b'.', octet, b'.', b'-', octet, b'/', b' ', b'.'];
            let octets = u64::from_le_bytes(chunk);
            let marks = before(dots(octets), ends(octets));
            let end = first(ends(octets));
            for (place, &octet) in chunk.iter().enumerate() {
                let is_marked = marks >> (place * 8) & 0x80 != 0;
                assert_eq!(is_marked, octet == b'.' && place < end, "{chunk:?}");
            }
        }
    }

    #[test]
    fn plain_octets_end_with_the_last_eight() {
        assert_eq!(plain_octets(b"example.com rest"), 11);
        assert_eq!(plain_octets(b"12345678abc"), 8);
        assert_eq!(plain_octets(b"short"), 0);
    }
}
