//! `$GENERATE`: many records from one template.

use std::io::Write as _;

use crate::dns::Rtype;
use crate::dns::text::{self, Scan, Stop, decimal, shown};

use super::error::{EntryFault, GeneratedFault};
use super::reader::Record;
use super::record::{Entries, Halt, header};

/// Records that one zone may have from `$GENERATE`: those of a whole IPv4 /8.
const MOST_RECORDS: u64 = 1 << 24;

/// The widest number, as in BIND.
const MOST_WIDTH: u32 = 127;

/// Buffers that are used again, and the number of records so far.
#[derive(Default)]
pub(super) struct Generator {
    text: Vec<u8>,
    owner: Vec<u8>,
    rdata: Vec<u8>,
    made: u64,
}

/// A template, taken apart.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    /// Text as it is.
    Literal(Vec<u8>),
    /// The number of the iteration.
    Number { offset: i32, width: u32, base: Base },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    Decimal,
    Octal,
    LowerHex,
    UpperHex,
    /// Hexadecimal digits with dots between them, the last one first; the width
    /// counts the dots.
    LowerNibbles,
    UpperNibbles,
}

impl Generator {
    /// Reads the directive behind its name, and hands out its records.
    pub(super) fn directive<E>(
        &mut self,
        entries: &mut Entries,
        start: usize,
        scan: &mut Scan<'_>,
        sink: &mut impl FnMut(Record<'_>) -> Result<(), E>,
    ) -> Result<(), Halt<E>> {
        let word = scan.word("a range")?;
        let Some((first, last, step)) = range(word) else {
            let found = shown(word);
            return Err(Halt::fault(
                scan.at() - word.len(),
                EntryFault::Range { found },
            ));
        };
        let word = scan.word("an owner")?;
        let owner_at = scan.at() - word.len();
        let owner = template(word, owner_at)?;
        let (ttl, rtype) = header(scan)?;
        let rdata_text = scan.text("rdata")?;
        let rdata = template(&rdata_text.unquoted(), rdata_text.at)?;
        scan.finish()?;
        let ttl = entries.generated_ttl(start, ttl)?;
        self.made += u64::from((last - first) / step) + 1;
        if self.made > MOST_RECORDS {
            let most = MOST_RECORDS;
            return Err(Halt::fault(start, EntryFault::ManyGenerated { most }));
        }
        for number in (first..=last).step_by(step as usize) {
            let origin = &entries.scope.origin;
            self.make_owner(&owner, number, origin, owner_at)?;
            self.make_rdata(&rdata, number, rtype, origin, rdata_text.at)?;
            let record = Record {
                owner: &self.owner,
                rtype,
                ttl,
                rdata: &self.rdata,
            };
            entries.emit(start, record, sink)?;
        }
        Ok(())
    }

    fn make_owner<E>(
        &mut self,
        template: &[Piece],
        number: u32,
        origin: &[u8],
        at: usize,
    ) -> Result<(), Halt<E>> {
        self.expand(template, number, at)?;
        self.owner.clear();
        text::parse_name(&self.text, origin, &mut self.owner)
            .map(drop)
            .map_err(|fault| self.generated(number, at, fault))
    }

    fn make_rdata<E>(
        &mut self,
        template: &[Piece],
        number: u32,
        rtype: Rtype,
        origin: &[u8],
        at: usize,
    ) -> Result<(), Halt<E>> {
        self.expand(template, number, at)?;
        let mut scan = Scan::new(&self.text, true);
        let read =
            text::rdata(&mut scan, rtype, origin, &mut self.rdata).and_then(|()| scan.finish());
        match read {
            Ok(()) => Ok(()),
            Err(Stop::Fault(found)) => Err(self.generated(number, at, found.1)),
            Err(Stop::More) => unreachable!("the scanner was told that this is the whole text"),
        }
    }

    /// Writes what the template makes of one number into `text`.
    fn expand<E>(&mut self, template: &[Piece], number: u32, at: usize) -> Result<(), Halt<E>> {
        self.text.clear();
        for piece in template {
            match *piece {
                Piece::Literal(ref octets) => self.text.extend_from_slice(octets),
                Piece::Number {
                    offset,
                    width,
                    base,
                } => match number.cast_signed().checked_add(offset) {
                    Some(value) => base.write(value, width, &mut self.text),
                    None => {
                        let found = format!("${{{offset}}} for {number}");
                        return Err(Halt::fault(at, EntryFault::Modifier { found }));
                    }
                },
            }
        }
        Ok(())
    }

    #[cold]
    fn generated<E>(&self, number: u32, at: usize, fault: impl Into<GeneratedFault>) -> Halt<E> {
        let fault = EntryFault::Generated {
            number,
            text: shown(&self.text),
            fault: fault.into(),
        };
        Halt::fault(at, fault)
    }
}

/// Reads `first-last` or `first-last/step`, all three below 2³¹.
fn range(word: &[u8]) -> Option<(u32, u32, u32)> {
    let number = |digits| decimal(digits).filter(|&number| i32::try_from(number).is_ok());
    let (word, step) = match memchr::memchr(b'/', word) {
        Some(slash) => (&word[..slash], number(&word[slash + 1..])?),
        None => (word, 1),
    };
    let dash = memchr::memchr(b'-', word)?;
    let (first, last) = (number(&word[..dash])?, number(&word[dash + 1..])?);
    (first <= last && step > 0).then_some((first, last, step))
}

/// Takes a template apart: `$` and `${…}` are the number, `$$` is a dollar
/// sign, and what a backslash escapes stays as it is.
fn template<E>(template: &[u8], at: usize) -> Result<Vec<Piece>, Halt<E>> {
    let mut pieces = Vec::new();
    let mut literal = Vec::new();
    let mut rest = template;
    while let Some(length) = memchr::memchr2(b'$', b'\\', rest) {
        literal.extend_from_slice(&rest[..length]);
        rest = &rest[length..];
        let used = match *rest {
            [b'\\', octet, ..] => {
                literal.extend_from_slice(&[b'\\', octet]);
                2
            }
            [b'$', b'$', ..] => {
                literal.push(b'$');
                2
            }
            [b'$', b'{', ref after @ ..] => {
                let modifier = memchr::memchr(b'}', after).map(|length| &after[..length]);
                let Some((modifier, number)) = modifier.and_then(|text| Some((text, parse(text)?)))
                else {
                    let found = shown(template);
                    return Err(Halt::fault(at, EntryFault::Modifier { found }));
                };
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                pieces.push(number);
                modifier.len() + 3
            }
            [b'$', ..] => {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                pieces.push(Piece::Number {
                    offset: 0,
                    width: 0,
                    base: Base::Decimal,
                });
                1
            }
            _ => {
                literal.push(b'\\');
                1
            }
        };
        rest = &rest[used..];
    }
    literal.extend_from_slice(rest);
    pieces.push(Piece::Literal(literal));
    Ok(pieces)
}

/// Reads `offset`, `offset,width` or `offset,width,base`.
fn parse(modifier: &[u8]) -> Option<Piece> {
    let text = std::str::from_utf8(modifier).ok()?;
    let mut parts = text.split(',');
    let offset = parts.next()?.parse().ok()?;
    let width = parts
        .next()
        .map_or(Some(0), |width| decimal(width.as_bytes()))?;
    let base = match parts.next() {
        None | Some("d") => Base::Decimal,
        Some("o") => Base::Octal,
        Some("x") => Base::LowerHex,
        Some("X") => Base::UpperHex,
        Some("n") => Base::LowerNibbles,
        Some("N") => Base::UpperNibbles,
        Some(_) => return None,
    };
    let is_whole = parts.next().is_none() && width <= MOST_WIDTH;
    is_whole.then_some(Piece::Number {
        offset,
        width,
        base,
    })
}

impl Base {
    /// Appends a number, filled up with zeros. Negative numbers are written in
    /// two's complement except in decimal.
    fn write(self, value: i32, width: u32, out: &mut Vec<u8>) {
        let bits = value.cast_unsigned();
        let filled = width as usize;
        match self {
            Self::Decimal => write!(out, "{value:0filled$}"),
            Self::Octal => write!(out, "{bits:0filled$o}"),
            Self::LowerHex => write!(out, "{bits:0filled$x}"),
            Self::UpperHex => write!(out, "{bits:0filled$X}"),
            Self::LowerNibbles => {
                nibbles(bits, width, b"0123456789abcdef", out);
                Ok(())
            }
            Self::UpperNibbles => {
                nibbles(bits, width, b"0123456789ABCDEF", out);
                Ok(())
            }
        }
        .expect("a Vec takes all octets");
    }
}

fn nibbles(bits: u32, width: u32, digits: &[u8; 16], out: &mut Vec<u8>) {
    let mut bits = bits;
    let mut width = width;
    loop {
        out.push(digits[(bits & 15) as usize]);
        bits >>= 4;
        width = width.saturating_sub(1);
        if width > 0 || bits > 0 {
            out.push(b'.');
            width = width.saturating_sub(1);
        }
        if width == 0 && bits == 0 {
            return;
        }
    }
}
