//! Zone files as people have them (RFC 1035, section 5), read at the speed of the machine.
//!
//! [`read`] hands each record to a sink, in uncompressed wire form, in the
//! order of the file. It holds one piece of the file at a time and allocates
//! nothing per record.
//!
//! # What is read
//!
//! What BIND 9.18 reads, and to the same records:
//!
//! - `$ORIGIN`, `$TTL`, `$INCLUDE` (with an origin; owner, TTL and origin as in
//!   BIND), `$GENERATE` (RFC-less; all its modifiers), `$DATE` (no effect);
//! - TTLs and the times of SOA in units: `1h30m`, `1W`;
//! - TTL and class in either order or missing; owners missing, quoted, `@`;
//! - quoted strings, `\X` and `\DDD`, parentheses over lines, comments, line
//!   ends LF, CR LF and CR, a file without a last line end;
//! - `TYPEnnn`, `CLASS1`, `\#` for every type, and the text form of every type
//!   that BIND knows.
//!
//! # What is refused that BIND reads
//!
//! - A record outside of the zone: BIND drops it with a warning.
//! - A TTL above 2³¹-1 seconds: BIND takes it for 0 with a warning.
//! - Service names in WKS other than numbers, because they depend on the machine.
//! - Trailing garbage in the range of `$GENERATE`, in EUI48 and EUI64.
//!
//! # What is read that BIND refuses
//!
//! - A byte order mark at the start of a file is skipped.
//! - A zone without SOA or NS: what a zone must have is the caller's to say.
//! - The regular expression of NAPTR is not checked.
//!
//! Several TTLs in one RRset are the sink's to join.

mod source;
mod error;
mod record;
mod directive;
mod generate;
mod reader;

pub use error::{EntryFault, GeneratedFault, Place, ReadError};
pub use reader::{Include, Record, Summary, read};
