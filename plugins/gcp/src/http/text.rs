//! What others wrote, as we show it.

use std::fmt::Write as _;

/// Characters of a foreign text that are shown.
const LONGEST: usize = 500;

/// What stands for a secret, as in the host's own texts.
const MASK: &str = "***";

/// `text` on one line: not too long, without anything that a terminal would obey, and without what looks
/// like a credential. `secrets` are those that are known.
pub(crate) fn shown(text: &str, secrets: &[&str]) -> String {
    // A secret may lie across the end: it is covered before anything is cut.
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, MASK);
    }
    let text = covered(&text);
    let mut shown = String::new();
    let mut was_space = true;
    for (count, character) in text.trim_end().chars().enumerate() {
        if count == LONGEST {
            shown.push('…');
            break;
        }
        let is_space = matches!(character, ' ' | '\n' | '\r' | '\t');
        match character {
            // A page of HTML is mostly indentation.
            _ if is_space && was_space => {}
            _ if is_space => shown.push(' '),
            _ if character.is_control() || ends_or_turns_a_line(character) => {
                write!(shown, "{}", character.escape_unicode()).expect("a String takes everything");
            }
            _ => shown.push(character),
        }
        was_space = is_space;
    }
    shown
}

/// Whether it ends a line, or has it read the other way, without being a control character.
const fn ends_or_turns_a_line(character: char) -> bool {
    matches!(
        character,
        '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
    )
}

/// `text` with a mask in place of every word that looks like a credential.
fn covered(text: &str) -> String {
    let mut covered = String::with_capacity(text.len());
    let mut rest = text;
    let mut follows_bearer = false;
    while let Some(start) = rest.find(is_of_word) {
        let (between, from) = rest.split_at(start);
        let end = from.find(|c| !is_of_word(c)).unwrap_or(from.len());
        let (word, behind) = from.split_at(end);
        covered.push_str(between);
        let is_password = between.ends_with(':') && behind.starts_with('@');
        match credential(word) {
            _ if follows_bearer || is_password => covered.push_str(MASK),
            Some(at) => {
                covered.push_str(&word[..at]);
                covered.push_str(MASK);
            }
            None => covered.push_str(word),
        }
        follows_bearer = word.eq_ignore_ascii_case("bearer");
        rest = behind;
    }
    covered.push_str(rest);
    covered
}

/// What tokens, in headers and in URLs, are made of (RFC 6750, section 2.1; RFC 3986, section 3.2.1).
const fn is_of_word(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || matches!(
            character,
            '-' | '.' | '_' | '~' | '+' | '/' | '=' | '%' | '!' | '$' | '*'
        )
}

/// Where in `word` a credential of Google begins: an access token, a refresh token, the secret of a client,
/// a JWT.
fn credential(word: &str) -> Option<usize> {
    let google = ["ya29.", "1//0", "GOCSPX-"];
    let google = google.iter().filter_map(|&prefix| word.find(prefix)).min();
    let jwt = || {
        let at = word.find("eyJ")?;
        (word[at..].matches('.').count() >= 2).then_some(at)
    };
    google.or_else(jwt)
}
