//! Keys in the configuration of Knot DNS, as `keymgr -t` prints them.
//!
//! ```text
//! key:
//!   - id: janitor
//!     algorithm: hmac-sha256
//!     secret: c2VjcmV0IG9mIHRoZSBqYW5pdG9y
//! ```

use super::file::{KeyFileFault, Place, Statement, Word};

/// The keys of the section `key:`, if the file begins with it.
pub(super) fn keys(text: &str) -> Result<Option<Vec<Statement<'_>>>, KeyFileFault> {
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !is_blank(line));
    if lines.next().is_none_or(|(_, line)| bare(line) != "key:") {
        return Ok(None);
    }
    let mut keys: Vec<Statement<'_>> = Vec::new();
    for (number, line) in lines {
        let is_item = line.trim_start().starts_with('-');
        // What is neither indented nor an item begins another section.
        if !is_item && !line.starts_with([' ', '\t']) {
            break;
        }
        let content = line.trim_start().trim_start_matches(['-', ' ', '\t']);
        let place = place_of(number, line, content);
        let (name, value) = content
            .split_once(':')
            .ok_or(KeyFileFault::Expected(place, "`:`"))?;
        let value = bare(value);
        let value = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .unwrap_or(value);
        let word = Word {
            text: value,
            place: place_of(number, line, value),
        };
        if is_item && name == "id" {
            keys.push(Statement {
                name: value
                    .parse()
                    .map_err(|e| KeyFileFault::Name(word.place, e))?,
                place,
                algorithm: None,
                secret: None,
            });
            continue;
        }
        let key = keys.last_mut().filter(|_| !is_item);
        let key = key.ok_or(KeyFileFault::Expected(place, "`- id:`"))?;
        let (slot, what) = match name {
            "algorithm" => (&mut key.algorithm, "algorithm"),
            "secret" => (&mut key.secret, "secret"),
            "id" => return Err(KeyFileFault::Twice(place, "id")),
            // Remarks, and whatever later versions add.
            _ => continue,
        };
        if slot.replace(word).is_some() {
            return Err(KeyFileFault::Twice(place, what));
        }
    }
    Ok(Some(keys))
}

/// Whether a line holds nothing but a comment.
fn is_blank(line: &str) -> bool {
    bare(line).is_empty()
}

/// A text without the comment and the white space around it.
fn bare(text: &str) -> &str {
    // Base64 has no `#`, nor have names of keys.
    text.split('#').next().unwrap_or_default().trim()
}

/// The place of `part`, which is a part of `line`.
fn place_of(number: usize, line: &str, part: &str) -> Place {
    let before = part.as_ptr().addr() - line.as_ptr().addr();
    Place {
        line: number,
        column: line[..before].chars().count() + 1,
    }
}
