//! A change as the Gordon service takes it.
//!
//! One JSON object: `resourceRecords` with `name`, `type`, `rrdatas`, `kind` and `ttl`, then `action`,
//! then `timestamp`. Spaces stand behind `:` and `,` and everything is ASCII, as the Python original
//! wrote it.

use std::io::{self, Write};

use janitor_plugin_api::dns::RrsetRef;
use janitor_plugin_api::dns::text::rdata_display;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::ser::{CharEscape, Formatter};

/// Writes one change of one RRset, without a line end.
///
/// # Errors
///
/// Those of `out`.
pub(crate) fn write(
    out: &mut impl Write,
    direction: Direction,
    rrset: RrsetRef<'_>,
    now: Timestamp,
) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(out, AsPython);
    let event = Event {
        direction,
        rrset,
        now,
    };
    event.serialize(&mut serializer).map_err(io::Error::from)
}

/// Whether the RRset is to be there or not. An update is one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Deletion,
    Addition,
}

struct Event<'a> {
    direction: Direction,
    rrset: RrsetRef<'a>,
    now: Timestamp,
}

impl Serialize for Event<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let action = match self.direction {
            Direction::Addition => "additions",
            Direction::Deletion => "deletions",
        };
        let mut event = serializer.serialize_struct("Event", 3)?;
        event.serialize_field("resourceRecords", &ResourceRecords(self.rrset))?;
        event.serialize_field("action", action)?;
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
