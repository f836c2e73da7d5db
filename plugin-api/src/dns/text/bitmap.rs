//! Bitmaps of RR types (RFC 4034, section 4.1.2).

use std::collections::BTreeSet;
use std::fmt;

use crate::dns::rtype::Rtype;

use super::fault::{Fault, Stop};
use super::read::parsed;
use super::scan::{Next, Scan};

/// Reads RR types up to the end of the entry, in any order.
pub(super) fn read(scan: &mut Scan<'_>, may_be_empty: bool, out: &mut Vec<u8>) -> Result<(), Stop> {
    const EXPECTED: &str = "an RR type";
    let mut rtypes = BTreeSet::new();
    while scan.next()? != Next::End {
        rtypes.insert(parsed(scan, EXPECTED, Rtype::from_word)?.0);
    }
    if rtypes.is_empty() && !may_be_empty {
        let expected = EXPECTED;
        return Err(Stop::fault(scan.at(), Fault::End { expected }));
    }
    let mut open = None;
    for rtype in rtypes {
        let [window, low] = rtype.to_be_bytes();
        let start = match open {
            Some((last, start)) if last == window => start,
            _ => {
                out.extend_from_slice(&[window, 0]);
                open = Some((window, out.len()));
                out.len()
            }
        };
        let octets = low / 8 + 1;
        out.resize(start + usize::from(octets), 0);
        out[start - 1] = octets;
        out[start + usize::from(low / 8)] |= 0x80 >> (low % 8);
    }
    Ok(())
}

/// Returns whether `octets` is a bitmap: windows in ascending order, each of 1
/// to 32 octets without trailing zeros.
pub(super) fn fits(octets: &[u8], may_be_empty: bool) -> bool {
    let mut rest = octets;
    let mut last = None;
    while let [window, length @ 1..=32, after @ ..] = rest {
        let Some((bits, after)) = after.split_at_checked(usize::from(*length)) else {
            return false;
        };
        if last >= Some(*window) || bits.ends_with(&[0]) {
            return false;
        }
        last = Some(*window);
        rest = after;
    }
    rest.is_empty() && (may_be_empty || !octets.is_empty())
}

/// Writes the RR types of a bitmap, a space between them.
pub(super) fn write(octets: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    let mut rest = octets;
    let mut blank = "";
    while let [window, length, after @ ..] = rest {
        let (bits, after) = after
            .split_at_checked(usize::from(*length))
            .unwrap_or((after, &[]));
        for (at, octet) in (0_u16..).zip(bits) {
            for bit in 0..8 {
                if octet & 0x80 >> bit != 0 {
                    f.write_str(blank)?;
                    write!(f, "{}", Rtype((u16::from(*window) << 8) | (at * 8 + bit)))?;
                    blank = " ";
                }
            }
        }
        rest = after;
    }
    Ok(())
}
