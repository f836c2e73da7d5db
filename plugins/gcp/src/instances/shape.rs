//! Reads JSON whose members may be missing, or of another shape than Google documents.
//!
//! A page of a listing is read once, from its own octets: what is wanted is borrowed from them, all
//! else is passed over without making values of it. One member that is not what it should be spoils
//! its instance, not the page.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

/// A member of a JSON object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Field<T> {
    /// Not there, or null.
    #[default]
    Missing,
    /// There, and of another shape.
    Unfit,
    Found(T),
}

impl<T> Field<T> {
    pub(crate) const fn as_ref(&self) -> Field<&T> {
        match self {
            Self::Missing => Field::Missing,
            Self::Unfit => Field::Unfit,
            Self::Found(value) => Field::Found(value),
        }
    }

    pub(crate) fn found(self) -> Option<T> {
        match self {
            Self::Found(value) => Some(value),
            Self::Missing | Self::Unfit => None,
        }
    }

    pub(crate) const fn is_unfit(&self) -> bool {
        matches!(self, Self::Unfit)
    }
}

/// A text of the page, copied only where it was written with escapes.
pub(crate) type Text<'de> = Cow<'de, str>;

/// The text of a member that is one.
pub(crate) fn text<'a>(field: &'a Field<Text<'_>>) -> Option<&'a str> {
    field.as_ref().found().map(|text| &**text)
}

/// What is made of a value of one shape. Values of other shapes make [`Field::Unfit`].
pub(crate) trait Shape<'de, W: ?Sized>: Sized {
    fn from_text(_text: Text<'de>) -> Field<Self> {
        Field::Unfit
    }

    /// Reads an object; `wanted` says what of it.
    fn from_object<A: MapAccess<'de>>(_wanted: &W, mut object: A) -> Result<Field<Self>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Unfit)
    }

    /// Reads a list; `wanted` says what of it.
    fn from_list<A: SeqAccess<'de>>(_wanted: &W, list: A) -> Result<Field<Self>, A::Error> {
        pass_over(list)?;
        Ok(Field::Unfit)
    }
}

/// Passes over what is left of a list.
pub(crate) fn pass_over<'de, A: SeqAccess<'de>>(mut list: A) -> Result<(), A::Error> {
    while list.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

/// Reads one value as a [`Shape`].
pub(crate) struct Read<'w, T, W: ?Sized>(&'w W, PhantomData<T>);

pub(crate) const fn read<T, W: ?Sized>(wanted: &W) -> Read<'_, T, W> {
    Read(wanted, PhantomData)
}

impl<'de, T: Shape<'de, W>, W: ?Sized> DeserializeSeed<'de> for Read<'_, T, W> {
    type Value = Field<T>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Field<T>, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de, T: Shape<'de, W>, W: ?Sized> Visitor<'de> for Read<'_, T, W> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Field<T>, E> {
        Ok(Field::Missing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Field<T>, E> {
        Ok(Field::Unfit)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Field<T>, E> {
        Ok(Field::Unfit)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Field<T>, E> {
        Ok(Field::Unfit)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Field<T>, E> {
        Ok(Field::Unfit)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Field<T>, E> {
        Ok(T::from_text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Field<T>, E> {
        Ok(T::from_text(Cow::Owned(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Field<T>, A::Error> {
        T::from_object(self.0, object)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Field<T>, A::Error> {
        T::from_list(self.0, list)
    }
}

impl<'de, W: ?Sized> Shape<'de, W> for Text<'de> {
    fn from_text(text: Self) -> Field<Self> {
        Field::Found(text)
    }
}

/// The name of a member, borrowed where it can be.
pub(crate) struct Key<'de>(pub(crate) Text<'de>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(key: D) -> Result<Self, D::Error> {
        let key = key.deserialize_any(read::<Text<'de>, ()>(&()))?;
        Ok(Self(key.found().unwrap_or_default()))
    }
}

/// The first element of a list; none in an empty one.
#[derive(Debug)]
pub(crate) struct First<T>(pub(crate) Field<T>);

impl<'de, W: ?Sized, T: Shape<'de, W>> Shape<'de, W> for First<T> {
    fn from_list<A: SeqAccess<'de>>(wanted: &W, mut list: A) -> Result<Field<Self>, A::Error> {
        let first = list.next_element_seed(read::<T, W>(wanted))?;
        pass_over(list)?;
        Ok(Field::Found(Self(first.unwrap_or_default())))
    }
}
