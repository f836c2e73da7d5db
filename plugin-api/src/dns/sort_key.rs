//! What entries are sorted by.
//!
//! The sort key is a string of octets that compares as owner, then type, do:
//! the labels below the apex from right to left, each followed by 0, then 0 once
//! more and the type. Octets 0 and 1 in a label become 1 1 and 1 2, so that no
//! label begins with 0 or contains it, and no key begins with another.

use super::labels::{self, LabelStarts};
use super::rrset::{OWNER, entry_rtype};

/// Octets of a key that are compared at once.
pub(crate) const WINDOW: usize = 16;

/// Returns the octets of an entry's key after the first `skipped`, as two numbers;
/// none if the key has no more.
#[inline]
pub(crate) fn window(
    entry: &[u8],
    starts: &LabelStarts,
    apex_labels: usize,
    skipped: usize,
) -> Option<[u64; 2]> {
    let owner = &entry[OWNER..];
    let mut window = Window {
        octets: 0,
        filled: 0,
        skip: skipped,
    };
    for index in apex_labels.. {
        let Some(label) = starts.label_start_from_right(index) else {
            break;
        };
        window.push_label(&owner[label..]);
        if window.filled == WINDOW {
            return Some(window.halves());
        }
    }
    let rtype = entry_rtype(entry).0.to_be_bytes();
    window.push(0);
    rtype.into_iter().for_each(|octet| window.push(octet));
    (window.filled > 0).then(|| window.halves())
}

/// Takes a key from its beginning and keeps one window of it.
struct Window {
    /// The first octet of the window is the most significant.
    octets: u128,
    filled: usize,
    skip: usize,
}

impl Window {
    #[inline]
    fn push(&mut self, octet: u8) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if self.filled < WINDOW {
            self.octets |= u128::from(octet) << (8 * (WINDOW - 1 - self.filled));
            self.filled += 1;
        }
    }

    /// Pushes the label that `octets` begin with, its length octet included.
    #[inline]
    fn push_label(&mut self, octets: &[u8]) {
        let length = usize::from(octets[0]);
        let label = &octets[1..=length];
        if labels::has_zero_or_one(label) {
            for &octet in label {
                match octet {
                    0 | 1 => [1, octet + 1]
                        .into_iter()
                        .for_each(|octet| self.push(octet)),
                    _ => self.push(octet),
                }
            }
            self.push(0);
            return;
        }
        let skipped = self.skip.min(length);
        let taken = (length - skipped).min(WINDOW - self.filled);
        if taken > 0 {
            // Loads a whole window and cuts off what is too much: cheaper than
            // copying a number of octets that differs each time.
            let loaded = match octets[1 + skipped..].first_chunk() {
                Some(chunk) => u128::from_be_bytes(*chunk),
                None => label[skipped..]
                    .iter()
                    .rev()
                    .fold(0, |sum, &octet| sum >> 8 | u128::from(octet) << 120),
            };
            let kept = loaded >> (8 * (WINDOW - taken)) << (8 * (WINDOW - taken));
            self.octets |= kept >> (8 * self.filled);
            self.filled += taken;
        }
        self.skip -= skipped;
        self.push(0);
    }

    fn halves(&self) -> [u64; 2] {
        let [a, b, c, d, e, f, g, h, low @ ..] = self.octets.to_be_bytes();
        [[a, b, c, d, e, f, g, h], low].map(u64::from_be_bytes)
    }
}
