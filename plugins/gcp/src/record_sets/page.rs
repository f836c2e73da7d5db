//! A page of record sets as JSON, borrowed from its octets.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

/// One page.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<'a> {
    /// Missing where it would be empty, as is usual in Google's JSON.
    #[serde(borrow, default)]
    pub(crate) rrsets: Vec<Listed<'a>>,
    #[serde(borrow, default)]
    pub(crate) next_page_token: Option<Text<'a>>,
}

/// One record set.
#[derive(Deserialize)]
pub(crate) struct Listed<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow, rename = "type")]
    pub(crate) rtype: Text<'a>,
    #[serde(default)]
    pub(crate) ttl: Option<Seconds>,
    /// Missing or empty where a routing policy answers.
    #[serde(borrow, default)]
    pub(crate) rrdatas: Vec<Text<'a>>,
}

/// A string, which is borrowed unless it has escapes.
pub(crate) struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

/// A number of seconds, be it written `300` or `300.0`: JSON has one kind of numbers.
#[derive(Clone, Copy)]
pub(crate) struct Seconds(pub(crate) u32);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SecondsVisitor;

        impl Visitor<'_> for SecondsVisitor {
            type Value = Seconds;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number of seconds")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Seconds, E> {
                match u32::try_from(number) {
                    Ok(seconds) => Ok(Seconds(seconds)),
                    Err(_) => Err(E::invalid_value(de::Unexpected::Unsigned(number), &self)),
                }
            }

            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "only numbers that are kept exactly get there"
            )]
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Seconds, E> {
                let is_whole =
                    number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
                if is_whole {
                    return Ok(Seconds(number as u32));
                }
                Err(E::invalid_value(de::Unexpected::Float(number), &self))
            }
        }

        deserializer.deserialize_any(SecondsVisitor)
    }
}
