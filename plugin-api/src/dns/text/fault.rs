//! What can be wrong with DNS text.

use std::fmt::Write as _;

use crate::dns::rtype::Rtype;

/// Why text is not what it should be.
///
/// A fault says what stands there and what should; where, says the error around it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The entry ends too early.
    #[error("the entry ends where {expected} should stand")]
    End {
        /// What the text should go on with.
        expected: &'static str,
    },
    /// A word is not of the form that its place demands.
    #[error("expected {expected}, found `{found}`")]
    Unexpected {
        /// What should stand here.
        expected: &'static str,
        /// What stands here.
        found: String,
    },
    /// A quoted string stands where only a plain word may.
    #[error("expected {expected} without quotes, found a quoted string")]
    Quoted {
        /// What should stand here.
        expected: &'static str,
    },
    /// Something follows the end of the entry's last field.
    #[error("expected the end of the entry, found `{found}`")]
    Trailing {
        /// The first word too many.
        found: String,
    },
    /// A number is larger than its field.
    #[error("expected {expected}, at most {most}, found `{found}`")]
    TooLarge {
        /// What the number says.
        expected: &'static str,
        /// The largest value.
        most: u64,
        /// The number.
        found: String,
    },
    /// A domain name is none.
    #[error("cannot read domain name `{found}`")]
    Name {
        /// The name as written.
        found: String,
        /// What is wrong with it.
        #[source]
        fault: NameFault,
    },
    /// A character string has more than 255 octets.
    #[error(
        "expected a character string of at most 255 octets, found {octets}; longer text is written as several strings"
    )]
    LongString {
        /// Its length, escapes counted as one octet each.
        octets: usize,
    },
    /// A backslash is not followed by one character or by three digits up to 255.
    #[error("expected `\\` and one character, or `\\` and three digits up to 255")]
    Escape,
    /// The closing quote is missing.
    #[error(
        "expected `\"` before the end of the line: the quoted string that starts here is not closed"
    )]
    OpenQuote,
    /// `)` without `(`.
    #[error("found `)` without `(` before it")]
    ClosingParenthesis,
    /// The text ends inside parentheses.
    #[error(
        "expected `)` before the end of the text: the parenthesis that starts here is not closed"
    )]
    OpenParenthesis,
    /// An octet of value zero outside of quotes.
    #[error("found an octet of value zero outside of a quoted string; is this a text file?")]
    Nul,
    /// A word where an RR type should stand is none.
    #[error(
        "unknown RR type `{found}`; a type without a mnemonic is written `TYPE` and its number"
    )]
    UnknownType {
        /// The word.
        found: String,
    },
    /// The type has no text form that is known here.
    #[error(
        "the rdata of {rtype} has no text form here; write it as `\\# <octets> <hex digits>` (RFC 3597)"
    )]
    NoTextForm {
        /// The type.
        rtype: Rtype,
    },
    /// The type is for queries and metadata.
    #[error("{rtype} is never zone data")]
    MetaType {
        /// The type.
        rtype: Rtype,
    },
    /// The type was replaced long ago.
    #[error("{rtype} is obsolete (RFC 1123); write MX")]
    ObsoleteType {
        /// The type.
        rtype: Rtype,
    },
    /// Rdata given as `\#` does not fit its type.
    #[error("these octets are not rdata of {rtype}")]
    Shape {
        /// The type.
        rtype: Rtype,
    },
    /// Rdata is longer than 65,535 octets.
    #[error("expected rdata of at most 65535 octets, found {octets}")]
    LongRdata {
        /// Its length.
        octets: usize,
    },
    /// The number of octets differs from what was announced or what the field demands.
    #[error("expected {expected} octets, found {found}")]
    Length {
        /// The length that it should have.
        expected: usize,
        /// The length that it has.
        found: usize,
    },
    /// Base64 or base32 text is broken.
    #[error(
        "expected {expected}, found a text that ends inside a group or has stray bits or padding"
    )]
    Encoding {
        /// `Base64` or `base32hex`.
        expected: &'static str,
    },
    /// Two service parameters contradict each other, or one is there twice.
    #[error("{0}")]
    ServiceParameters(&'static str),
}

/// Why text is not a domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameFault {
    /// Two dots in a row, or a dot at the start.
    #[error("a label is empty")]
    EmptyLabel,
    /// A label has more than 63 octets.
    #[error("a label is longer than 63 octets")]
    LongLabel,
    /// The name, with its origin, has more than 255 octets.
    #[error("the name, its origin included, is longer than 255 octets")]
    LongName,
    /// A backslash is not followed by one character or by three digits up to 255.
    #[error("a backslash must be followed by one character or by three digits up to 255")]
    Escape,
    /// A label starts with `\[`.
    #[error("bit-string labels are obsolete (RFC 6891)")]
    BitString,
    /// There is nothing.
    #[error("the name is empty")]
    Empty,
}

/// Returns `octets` as they can be shown in an error: one line, not too long.
pub(crate) fn shown(octets: &[u8]) -> String {
    const MOST: usize = 60;
    let mut text = String::new();
    for &octet in octets.iter().take(MOST) {
        match octet {
            b' '..=b'~' => text.push(char::from(octet)),
            _ => write!(text, "\\{octet:03}").expect("a String takes all text"),
        }
    }
    if octets.len() > MOST {
        text.push('…');
    }
    text
}

/// Why the scanner stops before the end of an entry.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The octets at hand end inside the entry, and there are more.
    More,
    /// The text is wrong.
    Fault(Box<(usize, Fault)>),
}

impl Stop {
    /// A fault at the offset `at`.
    #[cold]
    pub(crate) fn fault(at: usize, fault: Fault) -> Self {
        Self::Fault(Box::new((at, fault)))
    }
}
