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

/// The secrets inside a text that is a URL: the password before the host, and the values of
/// parameters whose names are those of secrets.
pub(super) fn in_url(text: &str) -> Vec<&str> {
    let Some((_, rest)) = text.split_once("://") else {
        return Vec::new();
    };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let password = authority
        .rsplit_once('@')
        .and_then(|(user, _)| Some(user.split_once(':')?.1));
    let parameters = rest.split_once('?').map_or("", |(_, query)| query);
    let parameters = parameters
        .split(['&', ';', '#'])
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| is_secret(name))
        .map(|(_, value)| value);
    password
        .into_iter()
        .chain(parameters)
        .filter(|secret| !secret.is_empty())
        .collect()
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

/// Cuts the line `span` of a text that cannot be parsed in two at octet `at`,
/// and covers what could be secret.
///
/// An assignment to a secret name loses its value. A line without any
/// assignment, or inside a multi-line text, may go on with the value of an
/// earlier line; it is covered as a whole if there is such an assignment since
/// the last table header, because where a broken text ends cannot be known.
pub(super) fn cover_roughly(text: &str, span: Range<usize>, at: usize) -> (String, String) {
    let line = &text[span.clone()];
    let at = at - span.start;
    let cuts = secret_assignment(line).into_iter().chain(secret_url(line));
    if let Some(cut) = cuts.min() {
        let name = &line[..cut];
        return if at < cut {
            (name[..at].to_owned(), format!("{} {MASK}", &name[at..]))
        } else {
            (format!("{name} "), MASK.to_owned())
        };
    }
    let earlier = &text[..span.start];
    let inside_text = ["\"\"\"", "'''"]
        .iter()
        .any(|quote| earlier.matches(quote).count() % 2 == 1);
    let mut since_header = earlier
        .lines()
        .rev()
        .take_while(|line| !line.trim_start().starts_with('['));
    if (inside_text || !line.contains('='))
        && since_header.any(|line| secret_assignment(line).is_some())
    {
        return (String::new(), MASK.to_owned());
    }
    (line[..at].to_owned(), line[at..].to_owned())
}

/// Returns where the value starts in a line that assigns to a secret name.
fn secret_assignment(line: &str) -> Option<usize> {
    let assignments = line.match_indices('=').map(|(index, _)| index);
    assignments
        .filter(|&index| is_secret(&line[..index]))
        .map(|index| index + 1)
        .next()
}

/// Returns where the host's part starts in a line with a URL that holds a secret.
fn secret_url(line: &str) -> Option<usize> {
    let scheme = line.find("://")?;
    (!in_url(line).is_empty()).then_some(scheme + "://".len())
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
    fn secrets_inside_a_url_are_found() {
        for (url, secrets) in [
            ("https://user:hunter2@example.com:443/a@b", vec!["hunter2"]),
            (
                "amqp://example.com/?api_key=k1&name=n&token=t1#x",
                vec!["k1", "t1"],
            ),
            ("https://user@example.com/?a=b", vec![]),
            ("user:password@host", vec![]),
            ("http://[::1]:53/x", vec![]),
        ] {
            assert_eq!(in_url(url), secrets, "{url}");
        }
    }

    #[test]
    fn covered_spans_are_cut_to_the_line() {
        let span = [6..9, 11..40];
        assert_eq!(cover("a = bcd, efgh", 2, &span), "a = \"***\", \"***\"");
        assert_eq!(cover("nothing", 100, &span), "nothing");
    }

    fn covered(text: &str, at: usize) -> String {
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[at..]
            .find('\n')
            .map_or(text.len(), |newline| at + newline);
        let (before, after) = cover_roughly(text, start..end, at);
        format!("{before}|{after}")
    }

    #[test]
    fn a_broken_line_with_a_secret_name_loses_its_value() {
        assert_eq!(covered("token = \"abc", 0), "|token = \"***\"");
        assert_eq!(covered("token = \"abc", 12), "token = |\"***\"");
        assert_eq!(
            covered("a = { password = 'x", 6),
            "a = { |password = \"***\""
        );
        assert_eq!(covered("a = \"abc", 4), "a = |\"abc");
        assert_eq!(
            covered("url = 'https://u:p@h/?token=t", 0),
            "|url = 'https:// \"***\""
        );
    }

    #[test]
    fn a_broken_multi_line_secret_is_covered() {
        for text in [
            "private_key = \"\"\"\nMIIE=\n",
            "private_key = \"abc\nMIIE\n",
            "tokens = [\n'MIIE'\n",
        ] {
            let at = text.find("MIIE").unwrap();
            assert_eq!(covered(text, at), "|\"***\"", "{text}");
        }
        assert_eq!(covered("tokens = []\n[other]\nx\n", 20), "|x");
    }
}
