//! The reader: files within files, entry by entry.

use std::error::Error;
use std::io::{self, Read};
use std::path::Path;

use crate::dns::{NameRef, Rtype, Ttl};

use super::directive::Inclusion;
use super::error::{EntryFault, Place, ReadError};
use super::generate::Generator;
use super::record::{Entries, Halt};
use super::source::{Position, Source};

/// The largest entry. The rdata of one RR has at most 65,535 octets; this
/// leaves room for escapes and for a comment on every octet.
const MOST_ENTRY_OCTETS: usize = 16 << 20;

/// Files that may include each other, the first one included.
const MOST_FILES: usize = 32;

/// One RR as it stands in a zone file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The owner: uncompressed wire form, letter case as written, at or below the apex.
    pub owner: &'a [u8],
    /// The type; never one that is for queries or metadata.
    pub rtype: Rtype,
    /// The TTL.
    pub ttl: Ttl,
    /// The rdata: well formed, names uncompressed, letter case as written.
    pub rdata: &'a [u8],
}

/// A file to be read in the place of an `$INCLUDE`.
pub struct Include<'r> {
    /// What the file is called in errors; two files have two names. A file that
    /// has the name of one being read is taken for that one, and refused.
    pub name: String,
    /// What is in it.
    pub input: Box<dyn Read + 'r>,
}

/// What was in a zone file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Records handed to the sink.
    pub records: u64,
    /// SOA records among them.
    pub soa_records: u64,
}

/// Reads the zone file `input` of the zone `apex`, called `name` in errors.
///
/// `apex` is also the first origin. `open` is called with the
/// path of each `$INCLUDE` as it is written; which files may be read is its to
/// decide. Each record goes to `sink`, whose error ends the reading.
///
/// Memory: one piece of each file that is open, at most 32, each as large as
/// its largest entry, at least 128 KiB and at most 32 MiB. Blocks as `input` does.
///
/// # Errors
///
/// [`ReadError`], with file, line and column. Records before that place have
/// been handed out.
pub fn read<'r, E: Error + 'static>(
    apex: NameRef<'_>,
    name: &str,
    input: impl Read + 'r,
    open: &mut dyn FnMut(&Path) -> io::Result<Include<'r>>,
    mut sink: impl FnMut(Record<'_>) -> Result<(), E>,
) -> Result<Summary, ReadError<E>> {
    let mut reader = Reader {
        entries: Entries::new(apex),
        generator: Generator::default(),
        files: vec![File {
            source: Source::new(name, Box::new(input)),
            included_by: None,
        }],
    };
    reader.skip_byte_order_mark()?;
    while let Some(file) = reader.files.last_mut() {
        let source = &mut file.source;
        match reader
            .entries
            .read_pending(source, &mut reader.generator, &mut sink)
        {
            Ok(Some(inclusion)) => reader.include(inclusion, open)?,
            Ok(None) => reader.leave(),
            Err((_, Halt::More)) => reader.more()?,
            Err((start, halt)) => return Err(reader.error(start, halt)),
        }
    }
    Ok(reader.entries.summary())
}

/// The files that are open, the innermost last.
struct Reader<'r> {
    entries: Entries,
    generator: Generator,
    files: Vec<File<'r>>,
}

struct File<'r> {
    source: Source<'r>,
    included_by: Option<Place>,
}

impl File<'_> {
    /// Returns the place of an octet of what is pending.
    fn place(&self, offset: usize) -> Place {
        let Position { line, column } = self.source.position(offset);
        Place {
            file: self.source.name().into(),
            line,
            column,
            included_by: self.included_by.clone().map(Box::new),
        }
    }
}

impl<'r> Reader<'r> {
    /// Reads on in the innermost file.
    fn more<E: Error>(&mut self) -> Result<(), ReadError<E>> {
        let Some(file) = self.files.last_mut() else {
            return Ok(());
        };
        if file.source.pending().len() > MOST_ENTRY_OCTETS {
            let most = MOST_ENTRY_OCTETS;
            return Err(ReadError::Entry {
                place: file.place(0),
                fault: EntryFault::LongEntry { most },
            });
        }
        let read = file.source.more();
        read.map_err(|error| ReadError::Input {
            place: file.place(0),
            error,
        })
    }

    fn skip_byte_order_mark<E: Error>(&mut self) -> Result<(), ReadError<E>> {
        const MARK: &[u8] = "\u{feff}".as_bytes();
        while let Some(file) = self.files.last_mut() {
            if file.source.pending().starts_with(MARK) {
                file.source.consume(MARK.len());
                break;
            }
            if file.source.is_whole() || !MARK.starts_with(file.source.pending()) {
                break;
            }
            self.more()?;
        }
        Ok(())
    }

    fn include<E: Error>(
        &mut self,
        inclusion: Inclusion,
        open: &mut dyn FnMut(&Path) -> io::Result<Include<'r>>,
    ) -> Result<(), ReadError<E>> {
        let depth = self.files.len();
        let file = self
            .files
            .last()
            .expect("the file with the directive is open");
        let place = file.place(inclusion.at);
        if depth == MOST_FILES {
            let fault = EntryFault::DeepInclude { most: MOST_FILES };
            return Err(ReadError::Entry { place, fault });
        }
        match open(&inclusion.path) {
            Ok(Include { name, .. }) if self.is_open(&name) => {
                let file = name.into();
                let fault = EntryFault::IncludesItself { file };
                Err(ReadError::Entry { place, fault })
            }
            Ok(Include { name, input }) => {
                let file = self
                    .files
                    .last_mut()
                    .expect("the file with the directive is open");
                file.source.consume(inclusion.end);
                self.entries.enter(inclusion.origin);
                self.files.push(File {
                    source: Source::new(&name, input),
                    included_by: Some(place),
                });
                self.skip_byte_order_mark()
            }
            Err(error) => Err(ReadError::Include {
                place,
                path: inclusion.path,
                error,
            }),
        }
    }

    fn is_open(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.source.name() == name)
    }

    fn leave(&mut self) {
        self.files.pop();
        self.entries.leave();
    }

    #[cold]
    fn error<E: Error>(&self, start: usize, halt: Halt<E>) -> ReadError<E> {
        let file = self.files.last().expect("the file that is wrong is open");
        match halt {
            Halt::Fault(found) => {
                let (at, fault) = *found;
                let place = file.place(at);
                ReadError::Entry { place, fault }
            }
            Halt::Sink(error) => {
                let place = file.place(start);
                ReadError::Record { place, error }
            }
            Halt::More => unreachable!("`read` reads on"),
        }
    }
}
