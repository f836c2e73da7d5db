//! JSON that is safe to look at.

use std::io;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use crate::problem::is_hidden;

/// The JSON text of `value`, on one line. Characters that would move the cursor or turn the direction
/// of writing are written by their numbers; a reader gets them back as they were.
pub fn text(value: &impl Serialize) -> String {
    let mut out = Vec::new();
    if let Err(error) = write(value, &mut out) {
        return serde_json::json!({ "error": error.to_string() }).to_string();
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Writes the JSON text of `value` to `out`, as [`text`].
///
/// # Errors
///
/// Those of `out`.
pub fn write(value: &impl Serialize, out: impl io::Write) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(out, Visible(CompactFormatter));
    value.serialize(&mut serializer).map_err(io::Error::from)
}

/// A time as it stands in JSON: RFC 3339 in UTC, with microseconds.
#[must_use]
pub fn time(time: Timestamp) -> String {
    format!("{time:.6}")
}

struct Visible(CompactFormatter);

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let is_plain = |octet: u8| octet.is_ascii() && octet != b'\x7f';
        if fragment.bytes().all(is_plain) {
            return self.0.write_string_fragment(writer, fragment);
        }
        let mut shown = 0;
        for (at, character) in fragment.char_indices().filter(|(_, c)| is_hidden(*c)) {
            self.0.write_string_fragment(writer, &fragment[shown..at])?;
            // None of them lies beyond the first plane.
            write!(writer, "\\u{:04x}", u32::from(character))?;
            shown = at + character.len_utf8();
        }
        self.0.write_string_fragment(writer, &fragment[shown..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_written_by_number_and_read_back() {
        let given = "a\u{1b}[2J\n\u{85}\u{202e}é\"\u{7f}";
        let text = text(&given);
        assert_eq!(text, r#""a\u001b[2J\n\u0085\u202eé\"\u007f""#);
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), given);
    }

    #[test]
    fn times_have_six_digits() {
        let moment = "2017-11-06T20:26:40Z".parse().unwrap();
        assert_eq!(time(moment), "2017-11-06T20:26:40.000000Z");
    }
}
