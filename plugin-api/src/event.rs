//! A change as the Gordon service takes it, for publishers of messages (feature `event`).
//!
//! One JSON object for one RRset that is added or deleted, an update being one of each:
//!
//! ```
//! use std::time::{Duration, SystemTime};
//!
//! use janitor_plugin_api::dns::{Ttl, ZoneBuilder};
//! use janitor_plugin_api::event::{self, Direction};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut zone = ZoneBuilder::new("example.com".parse()?);
//! zone.push_text("www", Ttl::from_secs(300)?, "A", "192.0.2.80")?;
//! let zone = zone.build_actual()?;
//! let rrset = zone.rrsets().next().ok_or("there is one")?;
//!
//! let at = SystemTime::UNIX_EPOCH + Duration::from_micros(1_795_368_369_020_945);
//! let mut message = Vec::new();
//! event::fitness(zone.apex(), rrset)?;
//! event::write(&mut message, Direction::Addition, rrset, at)?;
//! assert_eq!(
//!     String::from_utf8(message)?,
//!     r#"{"resourceRecords": {"name": "www.example.com.", "type": "A", "rrdatas": ["192.0.2.80"], "#
//!         .to_owned()
//!         + r#""kind": "dns#resourceRecordSet", "ttl": 300}, "action": "additions", "#
//!         + r#""timestamp": "2026-11-22T17:26:09.020945"}"#
//! );
//! # Ok(())
//! # }
//! ```
//!
//! | field | what it is |
//! | --- | --- |
//! | `resourceRecords.name` | the owner, absolute, in lower case |
//! | `resourceRecords.type` | the mnemonic of the type |
//! | `resourceRecords.rrdatas` | the values in presentation format, in canonical order, each once; names in them are absolute |
//! | `resourceRecords.kind` | `dns#resourceRecordSet`, as Cloud DNS calls it |
//! | `resourceRecords.ttl` | seconds |
//! | `action` | `additions` or `deletions` |
//! | `timestamp` | UTC without a zone letter; six digits of microseconds, or none if they are zero |
//!
//! The order of the fields is this one, spaces stand behind `:` and `,`, and everything is ASCII: as the
//! janitor's Python original wrote it, for consumers that look at texts.
//!
//! What the service does not take ([`fitness`]) it drops without an answer, so whoever publishes for it
//! should ask first.

mod fitness;

use std::io::{self, Write};
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::ser::{CharEscape, Formatter};

use crate::dns::RrsetRef;
use crate::dns::text::rdata_display;

pub use fitness::{TTLS, TYPES, Unfit, fitness};

/// Writes one change of one RRset, which is made known at this time, without a line end.
///
/// # Errors
///
/// Those of `out`, and [`io::ErrorKind::InvalidInput`] for a time that no calendar has.
pub fn write(
    out: &mut impl Write,
    direction: Direction,
    rrset: RrsetRef<'_>,
    at: SystemTime,
) -> io::Result<()> {
    let now =
        Timestamp::try_from(at).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
    let mut serializer = serde_json::Serializer::with_formatter(out, AsPython);
    let event = Event {
        direction,
        rrset,
        now,
    };
    event.serialize(&mut serializer).map_err(io::Error::from)
}

/// Whether the RRset is to be there or not. An update is one of each, the deletion first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It is to be served no more.
    Deletion,
    /// It is to be served.
    Addition,
}

impl Direction {
    /// The word that stands in `action`.
    #[must_use]
    pub const fn action(self) -> &'static str {
        match self {
            Self::Addition => "additions",
            Self::Deletion => "deletions",
        }
    }
}

struct Event<'a> {
    direction: Direction,
    rrset: RrsetRef<'a>,
    now: Timestamp,
}

impl Serialize for Event<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut event = serializer.serialize_struct("Event", 3)?;
        event.serialize_field("resourceRecords", &ResourceRecords(self.rrset))?;
        event.serialize_field("action", self.direction.action())?;
        event.serialize_field("timestamp", &IsoUtc(self.now))?;
        event.end()
    }
}

struct ResourceRecords<'a>(RrsetRef<'a>);

impl Serialize for ResourceRecords<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rrset = self.0;
        let mut records = serializer.serialize_struct("ResourceRecords", 5)?;
        records.serialize_field("name", &Text(rrset.owner()))?;
        records.serialize_field("type", &Text(rrset.rtype()))?;
        records.serialize_field("rrdatas", &Rdatas(rrset))?;
        records.serialize_field("kind", "dns#resourceRecordSet")?;
        records.serialize_field("ttl", &rrset.ttl().as_secs())?;
        records.end()
    }
}

struct Rdatas<'a>(RrsetRef<'a>);

impl Serialize for Rdatas<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rtype = self.0.rtype();
        let rdatas = self.0.rdatas();
        serializer.collect_seq(rdatas.map(|rdata| Text(rdata_display(rtype, rdata))))
    }
}

struct Text<T>(T);

impl<T: std::fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// UTC in ISO form without a zone letter; microseconds with six digits, left out when zero.
struct IsoUtc(Timestamp);

impl Serialize for IsoUtc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = self.0.to_zoned(TimeZone::UTC).datetime();
        let seconds = time.strftime("%Y-%m-%dT%H:%M:%S");
        match time.subsec_nanosecond() / 1000 {
            0 => serializer.collect_str(&seconds),
            micros => serializer.collect_str(&format_args!("{seconds}.{micros:06}")),
        }
    }
}

/// The spacing and escaping of Python's `json.dumps`.
struct AsPython;

impl Formatter for AsPython {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if fragment.is_ascii() {
            return out.write_all(fragment.as_bytes());
        }
        for unit in fragment.encode_utf16() {
            match u8::try_from(unit) {
                Ok(octet) if octet.is_ascii() => out.write_all(&[octet])?,
                _ => write!(out, "\\u{unit:04x}")?,
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        let text: &[u8] = match escape {
            CharEscape::Quote => b"\\\"",
            CharEscape::ReverseSolidus => b"\\\\",
            CharEscape::Solidus => b"/",
            CharEscape::Backspace => b"\\b",
            CharEscape::FormFeed => b"\\f",
            CharEscape::LineFeed => b"\\n",
            CharEscape::CarriageReturn => b"\\r",
            CharEscape::Tab => b"\\t",
            CharEscape::AsciiControl(octet) => return write!(out, "\\u{octet:04x}"),
        };
        out.write_all(text)
    }
}

#[cfg(test)]
mod tests;
