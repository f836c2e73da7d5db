//! Files that hold keys, in BIND's syntax, as `tsig-keygen` prints them.
//!
//! ```text
//! key "janitor" {
//!     algorithm hmac-sha256;
//!     secret "c2VjcmV0IG9mIHRoZSBqYW5pdG9y";
//! };
//! ```
//!
//! Files of Knot DNS, which begin with `key:`, are read by [`knot`].
//!
//! Quotes can be left out, comments begin with `//`, `#` or `/*`, and statements of other kinds, which
//! `rndc-confgen` prints too, are passed over. No text shows what a file holds but names of keys and
//! algorithms.

use std::fmt;

use janitor_plugin_api::dns::{Name, NameError};
use zeroize::Zeroizing;

use super::{KeyAlgorithm, SecretFault, decode, knot};

/// The one key in `text` that is called `name`; without a name, the only one.
pub(super) fn find<'a>(text: &'a str, name: Option<&Name>) -> Result<Statement<'a>, KeyFileFault> {
    let mut statements = match knot::keys(text)? {
        Some(keys) => keys,
        None => Reader::new(text).statements()?,
    };
    if let Some(name) = name {
        let before = statements.len();
        statements.retain(|statement| statement.name == *name);
        if statements.is_empty() && before > 0 {
            return Err(KeyFileFault::NotThere(name.clone()));
        }
    }
    match statements.len() {
        0 => Err(KeyFileFault::NoKey),
        1 => Ok(statements.remove(0)),
        count if name.is_some() => Err(KeyFileFault::Repeated(count)),
        count => Err(KeyFileFault::Several(count)),
    }
}

/// A `key` statement.
#[derive(Debug)]
pub(super) struct Statement<'a> {
    pub(super) name: Name,
    pub(super) place: Place,
    pub(super) algorithm: Option<Word<'a>>,
    pub(super) secret: Option<Word<'a>>,
}

impl Statement<'_> {
    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    pub(super) fn algorithm(&self) -> Result<KeyAlgorithm, KeyFileFault> {
        let word = self
            .algorithm
            .ok_or(KeyFileFault::Missing(self.place, "algorithm"))?;
        // What is no name of an algorithm might be the secret, in the wrong place.
        let is_shown = word
            .text
            .get(..5)
            .is_some_and(|start| start.eq_ignore_ascii_case("hmac-"))
            && word.text.len() < 20;
        KeyAlgorithm::from_text(word.text).ok_or_else(|| {
            let name = if is_shown {
                format!("`{}`", word.text)
            } else {
                "here".to_owned()
            };
            KeyFileFault::Algorithm {
                place: word.place,
                name,
            }
        })
    }

    pub(super) fn secret(&self) -> Result<Zeroizing<Vec<u8>>, KeyFileFault> {
        let word = self
            .secret
            .ok_or(KeyFileFault::Missing(self.place, "secret"))?;
        decode(word.text).map_err(|fault| KeyFileFault::Secret(word.place, fault))
    }
}

/// A line and a column, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a file has no key for us.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyFileFault {
    #[error("it holds no key")]
    NoKey,
    #[error("it holds {0} keys, and `name` does not say which")]
    Several(usize),
    #[error("it holds {0} keys of this name")]
    Repeated(usize),
    #[error("it holds no key of the name `{0}`")]
    NotThere(Name),
    #[error("{0}: {1} is missing")]
    Expected(Place, &'static str),
    #[error("{0}: the {1} does not end")]
    Endless(Place, &'static str),
    #[error("{0}: the name of the key is none")]
    Name(Place, #[source] NameError),
    #[error("{0}: the key has no {1}")]
    Missing(Place, &'static str),
    #[error("{0}: the key has a second {1}")]
    Twice(Place, &'static str),
    #[error("{place}: the algorithm {name} cannot be used")]
    Algorithm { place: Place, name: String },
    #[error("{0}")]
    Secret(Place, #[source] SecretFault),
}

impl KeyFileFault {
    pub(super) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Algorithm { .. } => Some(
                "known are hmac-sha1, hmac-sha256, hmac-sha384 and hmac-sha512; make a key with \
                 `tsig-keygen -a hmac-sha256 NAME`",
            ),
            Self::Several(_) => Some("set `name` beside `file`"),
            Self::NoKey | Self::Expected(..) => Some(
                "a key is written `key \"NAME\" { algorithm hmac-sha256; secret \"BASE64\"; };`, as \
                 `tsig-keygen NAME` prints it",
            ),
            _ => None,
        }
    }
}

/// A word, without its quotes, and where it begins.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    pub(super) place: Place,
}

impl fmt::Debug for Word<'_> {
    /// Might be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)
    }
}

#[derive(Clone, Copy, Debug)]
enum Token<'a> {
    Word(Word<'a>),
    Open,
    Close,
    Semicolon,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// The last place asked for, so that no line is counted twice.
    known: (usize, Place),
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        let start = Place { line: 1, column: 1 };
        Self {
            text,
            at: 0,
            known: (0, start),
        }
    }

    /// Every key of the file.
    fn statements(mut self) -> Result<Vec<Statement<'a>>, KeyFileFault> {
        let mut statements = Vec::new();
        loop {
            let place = self.place()?;
            match self.token()? {
                None => return Ok(statements),
                Some(Token::Word(word)) if word.text == "key" => statements.push(self.key(place)?),
                Some(Token::Word(_)) => self.pass_statement()?,
                Some(Token::Semicolon) => {}
                Some(Token::Open | Token::Close) => {
                    return Err(KeyFileFault::Expected(place, "the name of a statement"));
                }
            }
        }
    }

    /// The rest of a statement that begins with `key`.
    fn key(&mut self, place: Place) -> Result<Statement<'a>, KeyFileFault> {
        let name = self.word("the name of the key")?;
        let mut statement = Statement {
            name: name
                .text
                .parse()
                .map_err(|e| KeyFileFault::Name(name.place, e))?,
            place,
            algorithm: None,
            secret: None,
        };
        self.expect("`{`", |token| matches!(token, Token::Open))?;
        loop {
            let place = self.place()?;
            let (slot, what) = match self.token()? {
                Some(Token::Close) => break,
                Some(Token::Word(word)) if word.text == "algorithm" => {
                    (&mut statement.algorithm, "algorithm")
                }
                Some(Token::Word(word)) if word.text == "secret" => {
                    (&mut statement.secret, "secret")
                }
                _ => {
                    return Err(KeyFileFault::Expected(
                        place,
                        "`algorithm`, `secret` or `}`",
                    ));
                }
            };
            if slot.is_some() {
                return Err(KeyFileFault::Twice(place, what));
            }
            *slot = Some(self.word("a value")?);
            self.expect("`;`", |token| matches!(token, Token::Semicolon))?;
        }
        self.expect("`;`", |token| matches!(token, Token::Semicolon))?;
        Ok(statement)
    }

    /// Passes what is left of a statement of another kind.
    fn pass_statement(&mut self) -> Result<(), KeyFileFault> {
        let mut depth = 0_usize;
        loop {
            let place = self.place()?;
            match self.token()? {
                Some(Token::Semicolon) if depth == 0 => return Ok(()),
                Some(Token::Semicolon | Token::Word(_)) => {}
                Some(Token::Open) => depth += 1,
                Some(Token::Close) if depth > 0 => depth -= 1,
                Some(Token::Close) | None => return Err(KeyFileFault::Expected(place, "`;`")),
            }
        }
    }

    fn word(&mut self, what: &'static str) -> Result<Word<'a>, KeyFileFault> {
        let place = self.place()?;
        match self.token()? {
            Some(Token::Word(word)) => Ok(word),
            _ => Err(KeyFileFault::Expected(place, what)),
        }
    }

    fn expect(
        &mut self,
        what: &'static str,
        is_it: impl FnOnce(Token<'_>) -> bool,
    ) -> Result<(), KeyFileFault> {
        let place = self.place()?;
        match self.token()? {
            Some(token) if is_it(token) => Ok(()),
            _ => Err(KeyFileFault::Expected(place, what)),
        }
    }

    /// Where the next token is, or the end of the file.
    fn place(&mut self) -> Result<Place, KeyFileFault> {
        self.pass_space()?;
        Ok(self.place_of(self.at))
    }

    /// The place of an octet that is not before the last one asked for.
    fn place_of(&mut self, at: usize) -> Place {
        let (from, mut place) = self.known;
        for passed in self.text[from..at].chars() {
            place.column += 1;
            if passed == '\n' {
                place.line += 1;
                place.column = 1;
            }
        }
        self.known = (at, place);
        place
    }

    fn token(&mut self) -> Result<Option<Token<'a>>, KeyFileFault> {
        self.pass_space()?;
        let start = self.at;
        let rest = &self.text[start..];
        let Some(first) = rest.chars().next() else {
            return Ok(None);
        };
        let (token, length) = match first {
            '{' => (Token::Open, 1),
            '}' => (Token::Close, 1),
            ';' => (Token::Semicolon, 1),
            '"' => {
                let place = self.place_of(start);
                let length = rest[1..]
                    .find(['"', '\n'])
                    .filter(|end| rest[1 + end..].starts_with('"'));
                let length = length.ok_or(KeyFileFault::Endless(place, "text in quotes"))?;
                let text = &rest[1..=length];
                (Token::Word(Word { text, place }), length + 2)
            }
            _ => {
                let place = self.place_of(start);
                let ends = |c: char| c.is_whitespace() || matches!(c, '{' | '}' | ';' | '"');
                let length = rest.find(ends).unwrap_or(rest.len());
                let text = &rest[..length];
                (Token::Word(Word { text, place }), length)
            }
        };
        self.at += length;
        Ok(Some(token))
    }

    /// Passes white space and comments.
    fn pass_space(&mut self) -> Result<(), KeyFileFault> {
        loop {
            let rest = &self.text[self.at..];
            let bare = rest.trim_start();
            self.at += rest.len() - bare.len();
            if bare.starts_with('#') || bare.starts_with("//") {
                self.at += bare.find('\n').unwrap_or(bare.len());
            } else if let Some(comment) = bare.strip_prefix("/*") {
                let end = comment.find("*/");
                let place = self.place_of(self.at);
                self.at += end.ok_or(KeyFileFault::Endless(place, "comment"))? + 4;
            } else {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests;
