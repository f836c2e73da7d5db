//! Domain names in text.

use std::fmt;

use crate::dns::labels;

use super::fault::{Fault, NameFault, Stop, shown};
use super::scan::{CLASS, Class, Next, Scan, escape};
use super::swar;

/// The largest name, in octets of wire form (RFC 1035, section 2.3.4).
const MOST_OCTETS: usize = 255;

/// The largest label.
const MOST_LABEL_OCTETS: usize = 63;

impl Scan<'_> {
    /// Appends the next word to `out` as an uncompressed name; a relative name
    /// is completed with `origin`. Returns whether it was relative.
    #[inline]
    pub(crate) fn name(
        &mut self,
        origin: &[u8],
        out: &mut Vec<u8>,
        expected: &'static str,
    ) -> Result<bool, Stop> {
        match self.next()? {
            Next::Word => self.name_here(origin, out),
            next => Err(self.not_a_word(next, expected)),
        }
    }

    /// As [`Scan::name`]; the word starts here.
    #[inline]
    pub(crate) fn name_here(&mut self, origin: &[u8], out: &mut Vec<u8>) -> Result<bool, Stop> {
        let first = out.len();
        if let Some((octets, is_relative)) = plain(&self.octets[self.at..], origin, out) {
            self.at += octets;
            return Ok(is_relative);
        }
        out.truncate(first);
        self.rare_name(origin, out)
    }

    /// Appends the quoted string that starts here as a name, as [`Scan::name`] does.
    pub(crate) fn quoted_name(&mut self, origin: &[u8], out: &mut Vec<u8>) -> Result<bool, Stop> {
        let text = self.quote()?;
        parse(text.octets, origin, out).map_err(|fault| fault_of(text.at, text.octets, fault))
    }

    #[cold]
    fn rare_name(&mut self, origin: &[u8], out: &mut Vec<u8>) -> Result<bool, Stop> {
        let start = self.at;
        let text = self.raw_word()?;
        parse(text, origin, out).map_err(|fault| fault_of(start, text, fault))
    }
}

#[cold]
pub(super) fn fault_of(at: usize, text: &[u8], fault: NameFault) -> Stop {
    let found = shown(text);
    Stop::fault(at, Fault::Name { found, fault })
}

/// Appends the name at the start of `text`, and returns its length in the text
/// and whether it was relative. Returns nothing, and leaves anything in `out`,
/// if the name is of a rare form, wrong, or may go on behind the text.
///
/// Wire form is as long as the text: each dot becomes the length of the label
/// behind it. So the text is copied eight octets at a time, and the dots among
/// them are replaced.
#[inline]
fn plain(text: &[u8], origin: &[u8], out: &mut Vec<u8>) -> Option<(usize, bool)> {
    let first = out.len();
    out.push(0);
    // Where the length of the current label belongs.
    let mut label = first;
    let mut at = 0;
    let octets = loop {
        let chunk = text.get(at..)?.first_chunk()?;
        out.extend_from_slice(chunk);
        let chunk = u64::from_le_bytes(*chunk);
        let end = swar::ends(chunk);
        let mut dots = swar::before(swar::dots(chunk), end);
        while dots != 0 {
            let dot = first + 1 + at + swar::first(dots);
            out[label] = label_length(dot - label - 1)?;
            label = dot;
            dots &= dots - 1;
        }
        if end != 0 {
            break at + swar::first(end);
        }
        at += 8;
        if at > MOST_OCTETS {
            return None;
        }
    };
    let is_at = octets == 1 && text[0] == b'@';
    if CLASS[usize::from(text[octets])] != Class::End || octets == 0 || is_at {
        return None;
    }
    out.truncate(first + 1 + octets);
    let is_relative = label != first + octets;
    if is_relative {
        out[label] = label_length(first + octets - label)?;
        out.extend_from_slice(origin);
    } else {
        // The final dot is the root label.
        out[label] = 0;
    }
    (out.len() - first <= MOST_OCTETS).then_some((octets, is_relative))
}

#[inline]
fn label_length(octets: usize) -> Option<u8> {
    u8::try_from(octets)
        .ok()
        .filter(|&length| (1..=63).contains(&length))
}

/// Appends the name that is all of `text`, and returns whether it was relative.
///
/// `@` is the origin. Any octet may stand in a label. On error, `out` is as it was.
pub(crate) fn parse(text: &[u8], origin: &[u8], out: &mut Vec<u8>) -> Result<bool, NameFault> {
    let start = out.len();
    let result = append(text, origin, out);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

fn append(text: &[u8], origin: &[u8], out: &mut Vec<u8>) -> Result<bool, NameFault> {
    let start = out.len();
    match text {
        [] => return Err(NameFault::Empty),
        [b'.'] => {
            out.push(0);
            return Ok(false);
        }
        [b'@'] => {
            out.extend_from_slice(origin);
            return Ok(true);
        }
        _ => {}
    }
    let mut rest = text;
    let relative = loop {
        if rest.is_empty() {
            out.push(0);
            break false;
        }
        rest = append_label(rest, out)?;
        match rest {
            [] => {
                out.extend_from_slice(origin);
                break true;
            }
            [_dot, after @ ..] => rest = after,
        }
        if out.len() - start >= MOST_OCTETS {
            return Err(NameFault::LongName);
        }
    };
    if out.len() - start > MOST_OCTETS {
        return Err(NameFault::LongName);
    }
    Ok(relative)
}

/// Appends the label that `text` starts with and returns the rest, from its dot on.
fn append_label<'a>(text: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], NameFault> {
    let label = out.len();
    out.push(0);
    if text.starts_with(br"\[") {
        return Err(NameFault::BitString);
    }
    let mut rest = text;
    loop {
        match rest {
            [] | [b'.', ..] => break,
            [b'\\', ..] => {
                let (octet, used) = escape(rest).ok_or(NameFault::Escape)?;
                out.push(octet);
                rest = &rest[used..];
            }
            [octet, after @ ..] => {
                out.push(*octet);
                rest = after;
            }
        }
        if out.len() - label - 1 > MOST_LABEL_OCTETS {
            return Err(NameFault::LongLabel);
        }
    }
    match label_length(out.len() - label - 1) {
        Some(length) => out[label] = length,
        None => return Err(NameFault::EmptyLabel),
    }
    Ok(rest)
}

/// Returns the length in octets of the uncompressed name that `octets` starts with.
pub(super) fn wire_length(octets: &[u8]) -> Option<usize> {
    labels::octets_of(octets).ok()
}

/// Writes an uncompressed name in presentation format, with its final dot.
///
/// Characters with a meaning in zone files are escaped, so that the text reads
/// back to the same octets.
pub(super) fn write(wire: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    let mut rest = wire;
    if rest == [0] {
        return f.write_char('.');
    }
    while let [length @ 1..=u8::MAX, after @ ..] = rest {
        let (label, after) = after
            .split_at_checked(usize::from(*length))
            .ok_or(fmt::Error)?;
        labels::write(label, f)?;
        rest = after;
    }
    Ok(())
}
