//! Zone files as people have them (RFC 1035, section 5), read at the speed of the machine.
//!
//! [`read`] hands each record to a sink, in uncompressed wire form, in the
//! order of the file. It holds one piece of the file at a time and allocates
//! nothing per record.
//!
//! ```
//! use janitor_plugin_api::dns::{Name, ZoneBuilder};
//! use janitor_plugin_api::zonefile;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let apex: Name = "example.com.".parse()?;
//! let text = "$TTL 1h\n@ NS ns\n$GENERATE 1-2 host$ A 192.0.2.$\n";
//! let mut zone = ZoneBuilder::new(apex.clone());
//! zonefile::read(
//!     apex.as_ref(),
//!     "example.com.zone",
//!     text.as_bytes(),
//!     &mut |_| Err(std::io::Error::other("no file may be included")),
//!     |record| zone.push_wire(record.owner, record.rtype, record.ttl, record.rdata),
//! )?;
//! assert_eq!(zone.build_desired()?.rrset_count(), 3);
//! # Ok(())
//! # }
//! ```
//!
//! # What is read
//!
//! What BIND 9.18 reads, and to the same records:
//!
//! - `$ORIGIN`, `$TTL`, `$INCLUDE` (the file starts with the current owner, and
//!   with the origin given or the current one; owner and origin are as before
//!   when it ends, while TTLs stay), `$GENERATE` with all its modifiers, `$DATE`,
//!   which has no effect;
//! - TTLs and the times of SOA in units: `1h30m`, `1W`; a record without TTL has
//!   that of `$TTL`, else of the record before, else the minimum of its SOA;
//! - TTL and class in either order or missing; owners missing, quoted, `@`;
//! - quoted strings, `\X` and `\DDD`, parentheses over lines, comments, line
//!   ends LF, CR LF and CR (a comment ends at an LF, and a CR alone in it is an
//!   error), a file without a last line end;
//! - `TYPEnnn`, `CLASS1`, `\#` for every type, and the text form of every type
//!   that BIND knows, mnemonics and all.
//!
//! # What is refused that BIND reads
//!
//! - A record outside of the zone: BIND drops it with a warning.
//! - A TTL above 2³¹ − 1 seconds: BIND takes it for 0 with a warning.
//! - Names of services in WKS: they depend on the machine. Numbers do not.
//! - What follows the range of `$GENERATE`, an EUI48 or EUI64 without a blank:
//!   BIND overlooks it.
//! - More than 2²⁴ records of `$GENERATE`, an entry above 16 MiB, files that
//!   include each other more than 32 deep.
//!
//! # What is read that BIND refuses
//!
//! - A byte order mark at the start of a file is skipped.
//! - A directive on a last line without line end.
//! - A zone without SOA or NS: what a zone must have is the caller's to say; see
//!   [`Summary`].
//! - The regular expression of NAPTR is not checked.
//!
//! Several TTLs in one RRset, CNAME beside other data, and the like are the
//! sink's to judge.

mod source;
mod error;
mod record;
mod directive;
mod generate;
mod reader;

pub use error::{EntryFault, GeneratedFault, Place, ReadError};
pub use reader::{Include, Record, Summary, read};
