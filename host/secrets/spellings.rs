//! The ways in which a secret is written by those who use it.
//!
//! A plugin hands its secrets to libraries, and what these log is what they send: a password inside a
//! URL, a header, a document.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Octets that a line of a longer secret has at least to be looked for by itself.
const LEAST_LINE: usize = 8;

/// What stands for itself in a URL (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Every way to write `secret`, itself included; some may be the same.
pub(super) fn of(secret: &str) -> Vec<String> {
    let trimmed = secret.trim();
    let mut plain = vec![secret.to_owned(), trimmed.to_owned()];
    // A key over many lines is logged line by line.
    if trimmed.contains('\n') {
        let lines = trimmed.lines().map(str::trim);
        plain.extend(
            lines
                .filter(|line| line.len() >= LEAST_LINE)
                .map(str::to_owned),
        );
    }
    // One out of a URL is decoded before it is used.
    if let Ok(decoded) = percent_decode_str(trimmed).decode_utf8() {
        plain.push(decoded.into_owned());
    }
    plain.sort_unstable();
    plain.dedup();
    let written = plain.iter().flat_map(|text| {
        let [debug, json] = [format!("{text:?}"), serde_json::json!(text).to_string()]
            .map(|quoted| quoted[1..quoted.len() - 1].to_owned());
        let encoded = utf8_percent_encode(text, ENCODED).to_string();
        let form = encoded.replace("%20", "+");
        [debug, json, encoded, form]
            .into_iter()
            .chain(in_base64(text))
    });
    let written = written.collect::<Vec<_>>();
    plain.into_iter().chain(written).collect()
}

/// What is the same wherever `text` stands inside a text in base64, as a password behind the name of its
/// user does.
fn in_base64(text: &str) -> impl Iterator<Item = String> {
    /// Anything shorter could stand for many texts.
    const LEAST: usize = 6;
    let shifts = (0..3).flat_map(move |before: usize| {
        let octets = [&b"\0\0"[..before], text.as_bytes()].concat();
        // Characters that hold a bit of what stands before, or behind, are not the secret's alone.
        let first = (before * 8).div_ceil(6);
        let end = octets.len() * 8 / 6;
        [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD].map(|engine| {
            let encoded = engine.encode(&octets);
            encoded.get(first..end).unwrap_or_default().to_owned()
        })
    });
    shifts.filter(|encoded| encoded.len() >= LEAST)
}

#[cfg(test)]
mod tests {
    use super::super::Secrets;
    use super::*;

    fn covered(secret: &str, text: impl Into<String>) -> String {
        let mut text = text.into();
        Secrets::new([secret]).cover(&mut text);
        text
    }

    #[test]
    fn quotes_and_escapes_hide_no_secret() {
        let secret = "a\"b\nc\u{1b}";
        assert_eq!(covered(secret, format!("got {secret:?}")), "got \"***\"");
        let json = serde_json::json!({ "p": secret }).to_string();
        assert_eq!(covered(secret, json), r#"{"p":"***"}"#);
    }

    #[test]
    fn a_secret_in_a_url_is_covered_encoded_or_not() {
        for (secret, text, expected) in [
            (
                "p@ss word",
                "https://u:p%40ss%20word@h/",
                "https://u:***@h/",
            ),
            ("p@ss word", "token=p%40ss+word&x", "token=***&x"),
            ("p%40ss", "the password p@ss", "the password ***"),
        ] {
            assert_eq!(covered(secret, text), expected);
        }
    }

    #[test]
    fn a_secret_in_a_header_is_covered_wherever_it_stands() {
        for user in ["", "u", "us", "user"] {
            let header = STANDARD_NO_PAD.encode(format!("{user}:hunter2-sesame+1"));
            let covered = covered("hunter2-sesame+1", header.as_str());
            let left = covered.replace("***", "");
            // At its ends, a character holds bits of what stands beside it.
            let ends = (user.len() + 1).div_ceil(3) * 4 + 4;
            assert!(covered.contains("***") && left.len() <= ends, "{covered}");
        }
    }

    #[test]
    fn the_lines_of_a_long_secret_are_secrets_and_its_last_line_break_is_not() {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhk\n-----END KEY-----\n";
        assert_eq!(covered(key, "read MIIEvQIBADANBg"), "read ***");
        assert_eq!(covered(key, "kqhk is short"), "kqhk is short");
        assert_eq!(covered("hunter2\n", "hunter2!"), "***!");
    }
}
