//! Which settings a configuration type knows.
//!
//! Keys that a plugin inherits from its parents' tables may be meant for its siblings, so the host
//! has to know which ones to pass on. `serde` hands the names of a struct's fields to the
//! deserializer; one that only listens learns them without any input.

use std::fmt;

use serde::de::{self, DeserializeOwned, Deserializer, Visitor};

/// Names of the fields of `C`, or none if it takes any key (a map, a flattened struct).
pub(crate) fn names<C: DeserializeOwned>() -> Option<&'static [&'static str]> {
    match C::deserialize(Listener) {
        Err(Heard(names)) => names,
        // A type that needs no input at all: it has no settings.
        Ok(_) => Some(&[]),
    }
}

struct Listener;

/// The end of listening: what was heard.
#[derive(Debug)]
struct Heard(Option<&'static [&'static str]>);

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deserializer only listens")
    }
}

impl std::error::Error for Heard {}

impl de::Error for Heard {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(None)
    }
}

impl<'de> Deserializer<'de> for Listener {
    type Error = Heard;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Heard> {
        Err(Heard(None))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Heard> {
        Err(Heard(Some(fields)))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Heard> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Heard> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Heard> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;

    use super::names;

    #[derive(Deserialize)]
    struct Table {
        #[serde(rename = "directory")]
        _directory: String,
        #[serde(default, rename = "max_octets", alias = "limit")]
        _max_octets: u64,
    }

    #[derive(Deserialize)]
    struct Wrapped(#[serde(rename = "unused")] Table);

    #[derive(Deserialize)]
    struct Nothing;

    #[test]
    fn the_fields_of_a_struct_are_its_settings_with_their_aliases() {
        let names = names::<Table>().expect("a struct has names");
        assert!(names.contains(&"directory"), "{names:?}");
        assert!(names.contains(&"max_octets"), "{names:?}");
        assert!(names.contains(&"limit"), "{names:?}");
    }

    #[test]
    fn a_wrapper_has_the_settings_of_what_it_wraps() {
        let Wrapped(_unused) = Wrapped(Table {
            _directory: String::new(),
            _max_octets: 0,
        });
        assert_eq!(names::<Wrapped>(), names::<Table>());
    }

    #[test]
    fn a_map_takes_any_key() {
        assert_eq!(names::<HashMap<String, String>>(), None);
    }

    #[test]
    fn a_unit_has_no_settings() {
        assert_eq!(names::<Nothing>(), Some(&[][..]));
        assert_eq!(names::<()>(), Some(&[][..]));
    }
}
