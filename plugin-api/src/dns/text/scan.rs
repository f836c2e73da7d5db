//! The words of one entry: blanks, comments, parentheses, quotes, escapes.

use super::fault::{Fault, Stop, shown};
use super::swar;

/// What the scanner makes of an octet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Part of a word.
    Plain,
    /// Part of a word; ends a label.
    Dot,
    /// Part of a word, and so is what follows.
    Escape,
    /// Ends a word.
    End,
}

/// The class of each octet.
pub(super) static CLASS: [Class; 256] = {
    let mut class = [Class::Plain; 256];
    class[b'.' as usize] = Class::Dot;
    class[b'\\' as usize] = Class::Escape;
    let ends = b"\0\t\n\r \"();";
    let mut at = 0;
    while at < ends.len() {
        class[ends[at] as usize] = Class::End;
        at += 1;
    }
    class
};

/// What comes next in an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A word without quotes.
    Word,
    /// A quoted string.
    Quote,
    /// The end of the entry.
    End,
}

/// A word or a quoted string, with its escapes as written and without its quotes.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    pub(crate) at: usize,
    pub(crate) octets: &'a [u8],
    pub(crate) quoted: bool,
    /// Whether there may be escapes.
    pub(crate) escapes: bool,
}

impl Text<'_> {
    /// Returns the octets as a text of its own: in quotes, `\"` was needed to go
    /// on, outside it is a plain quote. Other escapes stay.
    pub(crate) fn unquoted(self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(self.octets.len());
        let mut rest = self.octets.iter();
        while let Some(&octet) = rest.next() {
            match (octet, rest.as_slice().first()) {
                (b'\\', Some(b'"')) if self.quoted => {}
                (b'\\', Some(&next)) => {
                    rest.next();
                    octets.extend_from_slice(&[octet, next]);
                }
                _ => octets.push(octet),
            }
        }
        octets
    }
}

/// Reads the words of an entry, which may extend over several lines.
///
/// The octets at hand may end anywhere. While they are not the whole text, a
/// reader that meets their end stops with [`Stop::More`], and the caller scans
/// the entry again from its start with more octets; with at least twice as
/// many each time, the work stays linear.
#[derive(Clone)]
pub(crate) struct Scan<'a> {
    pub(super) octets: &'a [u8],
    pub(super) at: usize,
    pub(super) whole: bool,
    /// Parentheses that are open.
    depth: usize,
    /// Where the outermost of them stands.
    opened: usize,
}

impl<'a> Scan<'a> {
    /// Scans `octets`, which are the end of the text if `whole`.
    pub(crate) fn new(octets: &'a [u8], whole: bool) -> Self {
        Self {
            octets,
            at: 0,
            whole,
            depth: 0,
            opened: 0,
        }
    }

    /// Returns the offset of the next octet.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Returns the octets at hand, from the first.
    pub(crate) fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Returns the next octet, if there is one at hand.
    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    /// Skips `count` octets that the caller has looked at.
    #[inline]
    pub(crate) fn skip(&mut self, count: usize) {
        self.at += count;
    }

    /// Skips blanks, comments and parentheses.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Next, Stop> {
        // Nearly always one blank and then a word.
        if let Some(b' ' | b'\t') = self.peek() {
            self.at += 1;
        }
        match self.peek() {
            Some(octet) if CLASS[usize::from(octet)] != Class::End => Ok(Next::Word),
            _ => self.next_rare(),
        }
    }

    fn next_rare(&mut self) -> Result<Next, Stop> {
        loop {
            let Some(octet) = self.peek() else {
                return match (self.whole, self.depth) {
                    (false, _) => Err(Stop::More),
                    (true, 0) => Ok(Next::End),
                    (true, _) => Err(Stop::fault(self.opened, Fault::OpenParenthesis)),
                };
            };
            match octet {
                b' ' | b'\t' => self.at += 1,
                b'\n' | b'\r' if self.depth > 0 => self.at += 1,
                b'\n' | b'\r' => return Ok(Next::End),
                b';' => self.comment()?,
                b'(' => {
                    if self.depth == 0 {
                        self.opened = self.at;
                    }
                    self.depth += 1;
                    self.at += 1;
                }
                b')' if self.depth == 0 => {
                    return Err(Stop::fault(self.at, Fault::ClosingParenthesis));
                }
                b')' => {
                    self.depth -= 1;
                    self.at += 1;
                }
                b'"' => return Ok(Next::Quote),
                0 => return Err(Stop::fault(self.at, Fault::Nul)),
                _ => return Ok(Next::Word),
            }
        }
    }

    /// Skips a comment, up to its line feed.
    ///
    /// A carriage return in it would be the end of a line anywhere else: what
    /// follows it would be lost without a word.
    fn comment(&mut self) -> Result<(), Stop> {
        let rest = &self.octets[self.at..];
        let length = match memchr::memchr(b'\n', rest) {
            Some(length) => length,
            None if self.whole => rest.len(),
            None => return Err(Stop::More),
        };
        let comment = &rest[..length];
        if let Some(at) = memchr::memchr(b'\r', comment).filter(|at| at + 1 < length) {
            return Err(Stop::fault(
                self.at + at,
                Fault::Unexpected {
                    expected: "a line feed after the carriage return of a comment",
                    found: shown(&comment[at + 1..]),
                },
            ));
        }
        self.at += length;
        Ok(())
    }

    /// Skips the end of the entry, a line feed, a carriage return or both.
    #[inline]
    pub(crate) fn finish(&mut self) -> Result<(), Stop> {
        if self.peek() == Some(b'\n') && self.depth == 0 {
            self.at += 1;
            return Ok(());
        }
        self.finish_rare()
    }

    fn finish_rare(&mut self) -> Result<(), Stop> {
        match self.next()? {
            Next::End => {}
            Next::Word => {
                let at = self.at;
                let found = shown(self.raw_word()?);
                return Err(Stop::fault(at, Fault::Trailing { found }));
            }
            Next::Quote => {
                let text = self.quote()?;
                let found = shown(text.octets);
                return Err(Stop::fault(text.at, Fault::Trailing { found }));
            }
        }
        if self.peek() == Some(b'\r') {
            self.at += 1;
            if self.peek().is_none() && !self.whole {
                return Err(Stop::More);
            }
        }
        if self.peek() == Some(b'\n') {
            self.at += 1;
        }
        Ok(())
    }

    /// Returns the next word, which must have no quotes, with its escapes as written.
    #[inline]
    pub(crate) fn word(&mut self, expected: &'static str) -> Result<&'a [u8], Stop> {
        // Nearly always one blank, then plain octets, then the end of the word.
        let start = self.at + usize::from(matches!(self.peek(), Some(b' ' | b'\t')));
        let rest = self.octets.get(start..).unwrap_or_default();
        let length = swar::plain_octets(rest);
        match rest.get(length) {
            Some(&end) if length > 0 && CLASS[usize::from(end)] == Class::End => {
                self.at = start + length;
                Ok(&rest[..length])
            }
            _ => self.rare_word(expected),
        }
    }

    fn rare_word(&mut self, expected: &'static str) -> Result<&'a [u8], Stop> {
        match self.next()? {
            Next::Word => self.raw_word(),
            next => Err(self.not_a_word(next, expected)),
        }
    }

    /// The fault of a place where a word should stand and `next` does.
    #[cold]
    pub(super) fn not_a_word(&self, next: Next, expected: &'static str) -> Stop {
        let fault = match next {
            Next::End => Fault::End { expected },
            Next::Word | Next::Quote => Fault::Quoted { expected },
        };
        Stop::fault(self.at, fault)
    }

    /// Returns the next word or quoted string.
    #[inline]
    pub(crate) fn text(&mut self, expected: &'static str) -> Result<Text<'a>, Stop> {
        match self.next()? {
            Next::Word => self.bare(),
            Next::Quote => self.quote(),
            Next::End => Err(Stop::fault(self.at, Fault::End { expected })),
        }
    }

    fn bare(&mut self) -> Result<Text<'a>, Stop> {
        Ok(Text {
            at: self.at,
            octets: self.raw_word()?,
            quoted: false,
            escapes: true,
        })
    }

    /// Returns the word that starts here.
    #[inline]
    pub(super) fn raw_word(&mut self) -> Result<&'a [u8], Stop> {
        let start = self.at;
        let mut at = start + swar::plain_octets(&self.octets[start..]);
        loop {
            let Some(&octet) = self.octets.get(at) else {
                if !self.whole {
                    return Err(Stop::More);
                }
                break;
            };
            match CLASS[usize::from(octet)] {
                Class::Plain | Class::Dot => at += 1,
                Class::End => break,
                // The end of a line cannot be escaped, other ends of words can.
                Class::Escape => match self.octets.get(at + 1) {
                    Some(b'\n' | b'\r') => at += 1,
                    Some(_) => at += 2,
                    None if self.whole => at += 1,
                    None => return Err(Stop::More),
                },
            }
        }
        self.at = at;
        Ok(&self.octets[start..at])
    }

    /// Returns the octets up to the next unescaped `=` of the word that starts
    /// here, or the whole word. The `=` is left.
    pub(super) fn key(&mut self) -> Result<&'a [u8], Stop> {
        let start = self.at;
        let word = self.raw_word()?;
        let length = memchr::memchr(b'=', word).unwrap_or(word.len());
        self.at = start + length;
        Ok(&word[..length])
    }

    /// Returns the quoted string that starts here.
    pub(super) fn quote(&mut self) -> Result<Text<'a>, Stop> {
        let quote = self.at;
        let start = quote + 1;
        let mut at = start;
        let mut escapes = false;
        loop {
            let rest = self.octets.get(at..).unwrap_or_default();
            let Some(length) = memchr::memchr3(b'"', b'\\', b'\n', rest) else {
                return Err(if self.whole {
                    Stop::fault(quote, Fault::OpenQuote)
                } else {
                    Stop::More
                });
            };
            at += length;
            match self.octets[at] {
                b'"' => break,
                b'\n' => return Err(Stop::fault(quote, Fault::OpenQuote)),
                // Whatever is escaped, a line feed too, is part of the string.
                _ => {
                    escapes = true;
                    at += 2;
                }
            }
        }
        self.at = at + 1;
        Ok(Text {
            at: quote,
            octets: &self.octets[start..at],
            quoted: true,
            escapes,
        })
    }
}

/// Appends `text` to `out`, each escape as the octet it stands for.
pub(crate) fn unescape(text: Text<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
    let mut rest = text.octets;
    if !text.escapes {
        out.extend_from_slice(rest);
        return Ok(());
    }
    while let Some(length) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..length]);
        let Some((octet, used)) = escape(&rest[length..]) else {
            return Err(Stop::fault(text.at, Fault::Escape));
        };
        out.push(octet);
        rest = &rest[length + used..];
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// Reads the escape that `text` starts with: its octet and its length in the text.
pub(super) fn escape(text: &[u8]) -> Option<(u8, usize)> {
    match *text {
        [_, a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', ..] => {
            let digit = |octet: u8| u16::from(octet - b'0');
            let value = digit(a) * 100 + digit(b) * 10 + digit(c);
            Some((u8::try_from(value).ok()?, 4))
        }
        [_, b'0'..=b'9', ..] => None,
        [_, octet, ..] => Some((octet, 2)),
        _ => None,
    }
}
