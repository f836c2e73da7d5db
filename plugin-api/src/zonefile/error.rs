//! Why a zone file cannot be read.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::dns::{Fault, Name, NameFault};

/// Why a zone file is not read to its end.
///
/// `E` is the error of the sink that takes the records.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError<E: Error + 'static> {
    /// The text is wrong.
    #[error("cannot read {place}")]
    Entry {
        /// Where.
        place: Place,
        /// What is wrong there.
        #[source]
        fault: EntryFault,
    },
    /// The sink does not take a record.
    #[error("cannot take the record of {place}")]
    Record {
        /// Where its entry starts.
        place: Place,
        /// What the sink says.
        #[source]
        error: E,
    },
    /// A file to be included cannot be opened.
    #[error("cannot open `{}`, which {place} includes", path.display())]
    Include {
        /// Where its `$INCLUDE` is.
        place: Place,
        /// The path as written.
        path: PathBuf,
        /// Why not.
        #[source]
        error: io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read on after {place}")]
    Input {
        /// How far reading came.
        place: Place,
        /// Why not.
        #[source]
        error: io::Error,
    },
}

/// A place in a zone file: file, line and column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub(super) file: Box<str>,
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) included_by: Option<Box<Self>>,
}

impl Place {
    /// Returns the name of the file, as it was given to the reader.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns the line, from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Returns the column, from 1, in octets.
    #[must_use]
    pub fn column(&self) -> u64 {
        self.column
    }

    /// Returns the place of the `$INCLUDE` that the file is read for, if any.
    #[must_use]
    pub fn included_by(&self) -> Option<&Self> {
        self.included_by.as_deref()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}`, line {}, column {}",
            self.file, self.line, self.column
        )?;
        let mut outer = self.included_by();
        while let Some(place) = outer {
            write!(f, ", included by `{}`, line {}", place.file, place.line)?;
            outer = place.included_by();
        }
        Ok(())
    }
}

/// What is wrong with an entry of a zone file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryFault {
    /// A word or the rdata is wrong.
    #[error(transparent)]
    Text(#[from] Fault),
    /// An entry starts with a blank, and no entry before it has an owner.
    #[error("expected an owner: no entry before this one has one")]
    NoOwner,
    /// The owner is not at or below the apex.
    #[error("`{owner}` is outside of the zone `{apex}`")]
    OutOfZone {
        /// The owner.
        owner: Name,
        /// The apex.
        apex: Name,
    },
    /// A SOA elsewhere than at the apex.
    #[error("the SOA stands at `{owner}`, not at the apex `{apex}`")]
    SoaNotAtApex {
        /// The owner.
        owner: Name,
        /// The apex.
        apex: Name,
    },
    /// A DS at the apex; it belongs to the parent zone.
    #[error("a DS stands at the apex; it belongs into the parent zone")]
    DsAtApex,
    /// There is no TTL, no `$TTL` and no TTL before.
    #[error("expected a TTL: there is no `$TTL` and no record with a TTL before this one")]
    NoTtl,
    /// A TTL has more than 31 bits.
    #[error("expected a TTL of at most 2147483647 seconds, found `{found}`")]
    LongTtl {
        /// The TTL as written.
        found: String,
    },
    /// A class other than IN.
    #[error("expected class IN, found `{found}`")]
    Class {
        /// The class as written.
        found: String,
    },
    /// A word with `$` that is no directive.
    #[error(
        "unknown directive `{found}`; the directives are $ORIGIN, $TTL, $INCLUDE, $GENERATE and $DATE"
    )]
    UnknownDirective {
        /// The word.
        found: String,
    },
    /// The range of `$GENERATE` is none.
    #[error("expected a range such as `1-254` or `0-254/2`, found `{found}`")]
    Range {
        /// The word.
        found: String,
    },
    /// A `${…}` of `$GENERATE` is none, or its number is out of range.
    #[error(
        "expected `$`, `${{offset}}`, `${{offset,width}}` or `${{offset,width,base}}` with base d, o, x, X, n or N, found `{found}`"
    )]
    Modifier {
        /// The template.
        found: String,
    },
    /// What `$GENERATE` makes of its template is wrong.
    #[error("cannot use `{text}`, which $GENERATE makes for {number}")]
    Generated {
        /// The number.
        number: u32,
        /// The text made of the template.
        text: String,
        /// What is wrong with it.
        #[source]
        fault: GeneratedFault,
    },
    /// `$GENERATE` makes too many records.
    #[error("the $GENERATE directives make more than {most} records")]
    ManyGenerated {
        /// The limit.
        most: u64,
    },
    /// A file includes one that is being read already.
    #[error("`{file}` includes itself, by way of other files or not")]
    IncludesItself {
        /// The file.
        file: Box<str>,
    },
    /// Files include each other too deeply.
    #[error("the files include each other more than {most} deep")]
    DeepInclude {
        /// The limit.
        most: usize,
    },
    /// A directive behind a blank.
    #[error("expected an RR type, found `{found}`; a directive must start its line")]
    IndentedDirective {
        /// The directive.
        found: String,
    },
    /// An entry has too many octets.
    #[error(
        "the entry that starts here has more than {most} octets; is a parenthesis or a quote not closed?"
    )]
    LongEntry {
        /// The limit.
        most: usize,
    },
}

/// What is wrong with text that `$GENERATE` made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GeneratedFault {
    /// The owner is no domain name.
    #[error(transparent)]
    Owner(#[from] NameFault),
    /// The rdata is none of its type.
    #[error(transparent)]
    Rdata(#[from] Fault),
}
