//! Which values are never shown, and how they are covered.

use std::ops::Range;

/// What stands in the place of a secret.
pub(super) const MASK: &str = "\"***\"";

/// Words that make a key's value a secret, until plugins declare theirs.
const WORDS: [&str; 5] = ["key", "secret", "token", "password", "credential"];

/// Whether the value of a key with this name is never shown.
#[must_use]
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// Covers the parts of `line`, which starts at octet `start`, that overlap `secrets`.
pub(super) fn cover(line: &str, start: usize, secrets: &[Range<usize>]) -> String {
    let mut out = String::new();
    let mut shown = 0;
    let end = start + line.len();
    for secret in secrets
        .iter()
        .filter(|secret| secret.start < end && secret.end > start)
    {
        let to = (secret.end - start).min(line.len());
        if shown > 0 && to <= shown {
            continue; // lies inside the one before
        }
        let from = secret.start.saturating_sub(start).max(shown);
        out.push_str(&line[shown..from]);
        out.push_str(MASK);
        shown = to;
    }
    out.push_str(&line[shown..]);
    out
}

/// Covers what could be secret in `line` of a text that cannot be parsed.
///
/// The last assignment that starts at or before the line decides; a line that
/// could be one but is the content of a multi-line text is still covered if
/// any assignment since the last table header has a secret name, because where
/// a broken text ends cannot be known.
pub(super) fn cover_roughly(text: &str, start: usize, line: &str) -> String {
    if let Some(cut) = secret_assignment(line) {
        return format!("{} {MASK}", &line[..cut]);
    }
    let inside_text = ["\"\"\"", "'''"]
        .iter()
        .any(|quote| text[..start].matches(quote).count() % 2 == 1);
    let recent = text[..start]
        .lines()
        .rev()
        .take_while(|line| !line.trim_start().starts_with('['));
    let mut earlier = recent.filter(|line| secret_assignment(line).is_some());
    let continued = inside_text || !line.contains('=');
    if continued && earlier.next().is_some() {
        MASK.to_owned()
    } else {
        line.to_owned()
    }
}

/// Returns where the value starts in a line that assigns to a secret name.
fn secret_assignment(line: &str) -> Option<usize> {
    line.match_indices('=')
        .map(|(index, _)| index)
        .find(|&index| is_secret(&line[..index]))
        .map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_letter_case() {
        for name in [
            "keyfile",
            "API_KEY",
            "clientSecret",
            "token",
            "db_password",
            "credentials",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["project", "user", "directory"] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn covered_spans_are_cut_to_the_line() {
        let span = [6..9, 11..40];
        assert_eq!(cover("a = bcd, efgh", 2, &span), "a = \"***\", \"***\"");
        assert_eq!(cover("nothing", 100, &span), "nothing");
    }

    #[test]
    fn a_broken_line_with_a_secret_name_loses_its_value() {
        assert_eq!(
            cover_roughly("token = \"abc", 0, "token = \"abc"),
            "token = \"***\""
        );
        assert_eq!(
            cover_roughly("a = { password = 'x", 0, "a = { password = 'x"),
            "a = { password = \"***\""
        );
        assert_eq!(cover_roughly("a = \"abc", 0, "a = \"abc"), "a = \"abc");
    }

    #[test]
    fn a_broken_multi_line_secret_is_covered() {
        let text = "private_key = \"\"\"\nMIIE=\n";
        assert_eq!(cover_roughly(text, 18, "MIIE="), MASK);
        let text = "private_key = \"abc\nMIIE\n";
        assert_eq!(cover_roughly(text, 19, "MIIE"), MASK);
    }
}
