//! Whether what `#[setting(…)]` says is a value of the setting, judged at compile time by its schema.
//!
//! A schema is text by then, so this knows the texts that the types of this crate and the macro write.
//! Whatever else a type of an author's own says is taken for fitting; its `Deserialize` decides.

use crate::manifest::Part;

/// A value that stands in `#[setting(…)]`.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Literal {
    /// A text, in quotes and escaped as TOML has it.
    Text(&'static str),
    /// A whole number.
    Integer(i64),
    /// Another number.
    Float,
    /// True or false.
    Boolean,
    /// A list.
    List(&'static [Self]),
}

/// For `#[settings]`: whether a value is of the type that a schema describes.
#[doc(hidden)]
#[must_use]
pub const fn fits(schema: &[Part], literal: Literal) -> bool {
    let (text, rest) = match schema {
        [Part::Plain(text), rest @ ..] => (text.as_bytes(), rest),
        [Part::Nested(parts), ..] => return fits(parts, literal),
        _ => return true,
    };
    if let Some(of_text) = after(text, b"type = \"string\"") {
        match literal {
            Literal::Text(literal) => match after(of_text, b", enum = [") {
                Some(choices) => contains(choices, literal.as_bytes()),
                None => true,
            },
            _ => false,
        }
    } else if let Some(of_number) = after(text, b"type = \"integer\"") {
        match literal {
            Literal::Integer(number) => is_in_range(of_number, number),
            _ => false,
        }
    } else if after(text, b"type = \"number\"").is_some() {
        matches!(literal, Literal::Integer(_) | Literal::Float)
    } else if after(text, b"type = \"boolean\"").is_some() {
        matches!(literal, Literal::Boolean)
    } else if after(text, b"type = \"array\"").is_some() {
        match (literal, rest) {
            (Literal::List(items), [Part::Nested(item), ..]) => all_fit(item, items),
            (Literal::List(_), _) => true,
            _ => false,
        }
    } else {
        // A table has no form in an attribute.
        after(text, b"type = \"object\"").is_none()
    }
}

const fn all_fit(item: &[Part], literals: &[Literal]) -> bool {
    let mut i = 0;
    while i < literals.len() {
        if !fits(item, literals[i]) {
            return false;
        }
        i += 1;
    }
    true
}

const fn is_in_range(of_number: &[u8], number: i64) -> bool {
    macro_rules! ranges {
        ($($format:literal $of_type:ty,)+) => {
            $(if after(of_number, concat!(", format = \"", $format, "\"").as_bytes()).is_some() {
                let (least, most) = (<$of_type>::MIN as i128, <$of_type>::MAX as i128);
                return least <= number as i128 && number as i128 <= most;
            })+
        };
    }
    ranges! {
        "uint8" u8, "uint16" u16, "uint32" u32, "uint64" u64,
        "int8" i8, "int16" i16, "int32" i32, "int64" i64,
    }
    true
}

/// For `#[settings]`: whether the default of a type is nought.
#[doc(hidden)]
#[must_use]
pub const fn is_nought(default: &[Part]) -> bool {
    match default {
        [Part::Plain(text)] => matches!(text.as_bytes(), b"0" | b"0.0"),
        [Part::Nested(parts)] => is_nought(parts),
        _ => false,
    }
}

/// What follows `start` in `text`.
const fn after<'a>(text: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    if text.len() < start.len() {
        return None;
    }
    let (head, rest) = text.split_at(start.len());
    if equal(head, start) { Some(rest) } else { None }
}

/// Whether `quoted` is one of the texts up to the bracket that ends the list.
const fn contains(mut list: &[u8], quoted: &[u8]) -> bool {
    while let [b'"', rest @ ..] = list {
        let mut end = 0;
        while end < rest.len() && rest[end] != b'"' {
            end += if rest[end] == b'\\' { 2 } else { 1 };
        }
        if end + 2 > list.len() {
            return false;
        }
        let (text, behind) = list.split_at(end + 2);
        if equal(text, quoted) {
            return true;
        }
        list = match behind {
            [b',', b' ', next @ ..] => next,
            _ => return false,
        };
    }
    false
}

const fn equal(one: &[u8], other: &[u8]) -> bool {
    let mut i = 0;
    while i < one.len() && i < other.len() && one[i] == other[i] {
        i += 1;
    }
    i == one.len() && i == other.len()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::IpAddr;

    use super::{Literal, fits, is_nought};
    use crate::settings::SettingType;

    #[crate::settings]
    enum Mood {
        Calm,
        #[setting(rename = "so \"so\"] \\")]
        SoSo,
    }

    fn fit<T: SettingType>(literal: Literal) -> bool {
        fits(T::SCHEMA, literal)
    }

    #[test]
    fn a_value_is_of_the_type_or_is_not() {
        const TEXTS: Literal = Literal::List(&[Literal::Text("\"calm\""), Literal::Text("\"x\"")]);
        const TEXT: Literal = Literal::Text("\"calm\"");
        assert!(fit::<String>(TEXT) && fit::<IpAddr>(TEXT) && fit::<Option<String>>(TEXT));
        assert!(!fit::<String>(Literal::Integer(1)) && !fit::<u8>(TEXT) && !fit::<bool>(TEXT));
        assert!(fit::<u8>(Literal::Integer(255)) && !fit::<u8>(Literal::Integer(256)));
        assert!(fit::<i8>(Literal::Integer(-128)) && !fit::<usize>(Literal::Integer(-1)));
        assert!(fit::<u64>(Literal::Integer(i64::MAX)) && !fit::<u64>(Literal::Float));
        assert!(fit::<f32>(Literal::Integer(1)) && fit::<f64>(Literal::Float));
        assert!(fit::<bool>(Literal::Boolean) && !fit::<f64>(Literal::Boolean));
        assert!(fit::<Vec<String>>(TEXTS) && fit::<BTreeSet<String>>(TEXTS));
        assert!(fit::<Vec<u8>>(Literal::List(&[])) && !fit::<Vec<u8>>(TEXTS));
        assert!(!fit::<Vec<String>>(TEXT) && !fit::<String>(TEXTS));
        assert!(!fit::<std::collections::BTreeMap<String, u8>>(TEXTS));
        assert!(fit::<Vec<Vec<Mood>>>(Literal::List(&[Literal::List(&[
            TEXT
        ])])));
        assert!(!fit::<Vec<Mood>>(TEXTS));
    }

    #[test]
    fn a_choice_is_one_of_its_texts() {
        assert!(fit::<Mood>(Literal::Text("\"calm\"")));
        assert!(fit::<Mood>(Literal::Text(r#""so \"so\"] \\""#)));
        for text in ["\"\"", "\"cal\"", "\"Calm\"", "\"so\"", "\", \""] {
            assert!(!fit::<Mood>(Literal::Text(text)), "{text}");
        }
    }

    #[test]
    fn nought_is_known_in_every_wrapping() {
        assert!(is_nought(u8::DEFAULT) && is_nought(Box::<f64>::DEFAULT));
        assert!(!is_nought(Option::<u8>::DEFAULT) && !is_nought(bool::DEFAULT));
    }
}
