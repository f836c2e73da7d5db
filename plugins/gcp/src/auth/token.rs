//! A token, and how long it serves.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use super::secret::Secret;
use crate::http::shown;

/// The least time that a token must have left to be used for one more request, as it was in the original.
pub(crate) const SPARE: Duration = Duration::from_mins(1);

/// The life of a token that does not say it. `expires_in` is only recommended (RFC 6749, section 5.1; RFC
/// 8693, section 2.2.1), and an hour is what Google gives where nothing else was agreed. One that ends
/// sooner is refused with 401, which has it renewed.
const USUAL: Duration = Duration::from_hours(1);

/// The longest life that Google gives to a token (`iam.allowServiceAccountCredentialLifetimeExtension`).
const LONGEST: Duration = Duration::from_hours(12);

/// Google's own are shorter than 2 KiB; headers of most servers may have 8 to 16.
const LONGEST_TEXT: usize = 16 << 10;

/// An access token.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    text: Secret,
    ends: Instant,
}

impl Token {
    /// A token that serves from now on.
    pub(crate) fn new(text: Secret, lives: Duration) -> Self {
        let ends = Instant::now() + lives.min(LONGEST);
        Self { text, ends }
    }

    pub(super) fn text(&self) -> &Secret {
        &self.text
    }

    pub(super) fn left(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }
}

/// What the endpoints of OAuth 2.0 answer (RFC 6749, section 5.1), and the metadata server after them.
#[derive(Deserialize)]
pub(super) struct Grant {
    access_token: Option<Secret>,
    expires_in: Option<Seconds>,
    token_type: Option<String>,
}

/// Some who issue tokens put the number between quotation marks.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Whole(i64),
    Fraction(f64),
    Text(String),
}

impl Grant {
    /// The token, if it is one that a request can carry.
    pub(super) fn token(self) -> Result<Token, GrantFault> {
        if let Some(token_type) = self.token_type
            && !token_type.eq_ignore_ascii_case("bearer")
        {
            return Err(GrantFault::Type(shown(&token_type, &[])));
        }
        let lives = self
            .expires_in
            .map_or(Ok(USUAL), |lives| lives.duration())?;
        sound(self.access_token, lives)
    }
}

/// A token of `text` and `lives`, if a request can carry it.
pub(super) fn sound(text: Option<Secret>, lives: Duration) -> Result<Token, GrantFault> {
    let text = text.ok_or(GrantFault::Missing)?;
    let revealed = text.reveal();
    if revealed.is_empty() {
        return Err(GrantFault::Missing);
    }
    // What a header can have, and hardly more than RFC 6750, section 2.1, allows.
    let fits = revealed.bytes().all(|octet| octet.is_ascii_graphic());
    if !fits || revealed.len() > LONGEST_TEXT {
        return Err(GrantFault::NoToken);
    }
    if lives.is_zero() {
        return Err(GrantFault::Over);
    }
    Ok(Token::new(text, lives))
}

impl Seconds {
    fn duration(&self) -> Result<Duration, GrantFault> {
        let seconds = match self {
            Self::Whole(seconds) => {
                return Ok(Duration::from_secs(u64::try_from(*seconds).unwrap_or(0)));
            }
            Self::Fraction(seconds) => *seconds,
            Self::Text(text) => text.trim().parse().or(Err(GrantFault::Lives))?,
        };
        if seconds.is_nan() {
            return Err(GrantFault::Lives);
        }
        let bounded = seconds.clamp(0.0, LONGEST.as_secs_f64());
        Ok(Duration::from_secs_f64(bounded))
    }
}

/// Why an answer gives no token. Never shows what stands where the token should.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GrantFault {
    #[error("it has no access token")]
    Missing,
    #[error("its access token is none that a request could carry")]
    NoToken,
    #[error("its token is of type `{0}`, not `Bearer`")]
    Type(String),
    #[error("it does not say in seconds how long its token lives")]
    Lives,
    #[error("its token is over already")]
    Over,
}

#[cfg(test)]
mod tests;
