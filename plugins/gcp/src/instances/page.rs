//! A page of the aggregated list of instances.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::instance::{Instance, Wanted};
use super::shape::{Field, First, Key, Shape, Text, read};
use crate::http::{Next, PageFault};

/// What a page says besides its instances.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) next: Next,
    /// Why instances are missing from the list, if they are.
    pub(crate) lack: Option<String>,
}

/// Reads a page and hands each of its instances to `take`, with the Compute Engine zone that it is
/// in. None stands for an instance that is no object.
///
/// # Errors
///
/// [`PageFault`] if the page is no JSON, or its members are not what they should be.
pub(crate) fn read_page<'de>(
    body: &'de [u8],
    wanted: Wanted,
    mut take: impl FnMut(&str, Option<Instance<'de>>),
) -> Result<Page, PageFault> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let page = PageReader {
        wanted,
        take: &mut take,
    };
    let page = page.deserialize(&mut json)?;
    json.end()?;
    Ok(page)
}

/// Why a list is not whole, in the words of Google's warnings.
struct Warning<'de> {
    code: Field<Text<'de>>,
    message: Field<Text<'de>>,
}

impl Warning<'_> {
    /// What the warning tells; nothing if it says that a page has no results, which is no lack.
    fn told(warning: Field<Self>) -> Option<String> {
        let warning = match warning {
            Field::Missing => return None,
            Field::Unfit => return Some("a warning that cannot be read".to_owned()),
            Field::Found(warning) => warning,
        };
        let code = warning.code.found().unwrap_or_default();
        let message = warning.message.found().unwrap_or_default();
        match &*code {
            "NO_RESULTS_ON_PAGE" => None,
            "" => Some(format!("a warning without code: {message}")),
            code => Some(format!("{code}: {message}")),
        }
    }
}

impl<'de, W> Shape<'de, W> for Warning<'de> {
    fn from_object<A: MapAccess<'de>>(wanted: &W, mut object: A) -> Result<Field<Self>, A::Error> {
        let (mut code, mut message) = (Field::Missing, Field::Missing);
        while let Some(Key(key)) = object.next_key()? {
            match &*key {
                "code" => code = object.next_value_seed(read(wanted))?,
                "message" => message = object.next_value_seed(read(wanted))?,
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Field::Found(Self { code, message }))
    }
}

struct PageReader<'t, T> {
    wanted: Wanted,
    take: &'t mut T,
}

impl<'de, T: FnMut(&str, Option<Instance<'de>>)> DeserializeSeed<'de> for PageReader<'_, T> {
    type Value = Page;

    fn deserialize<D: Deserializer<'de>>(self, page: D) -> Result<Page, D::Error> {
        page.deserialize_map(self)
    }
}

impl<'de, T: FnMut(&str, Option<Instance<'de>>)> Visitor<'de> for PageReader<'_, T> {
    type Value = Page;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page of a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Page, A::Error> {
        let mut page = Page {
            next: Next::End,
            lack: None,
        };
        while let Some(Key(key)) = object.next_key()? {
            let lack = match &*key {
                "items" => object.next_value_seed(Scopes {
                    wanted: self.wanted,
                    take: self.take,
                })?,
                "nextPageToken" => {
                    page.next = match object.next_value_seed(read::<Text<'de>, ()>(&()))? {
                        Field::Unfit => return Err(A::Error::custom("`nextPageToken` is no text")),
                        token => Next::from_token(token.found()),
                    };
                    None
                }
                "warning" => Warning::told(object.next_value_seed(read(&()))?),
                "unreachables" => {
                    match object.next_value_seed(read::<First<Text<'de>>, ()>(&()))? {
                        Field::Missing | Field::Found(First(Field::Missing)) => None,
                        Field::Found(First(Field::Found(place))) => {
                            Some(format!("no answer from {place}"))
                        }
                        Field::Unfit | Field::Found(First(Field::Unfit)) => {
                            Some("`unreachables` cannot be read".to_owned())
                        }
                    }
                }
                "partialSuccess" => (object.next_value::<Option<bool>>()? == Some(true))
                    .then(|| "the answer is partial".to_owned()),
                _ => {
                    object.next_value::<IgnoredAny>()?;
                    None
                }
            };
            page.lack = page.lack.or(lack);
        }
        Ok(page)
    }
}

/// Reads `items`: scopes such as `zones/europe-west1-b`, each with its instances.
struct Scopes<'t, T> {
    wanted: Wanted,
    take: &'t mut T,
}

impl<'de, T: FnMut(&str, Option<Instance<'de>>)> DeserializeSeed<'de> for Scopes<'_, T> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, items: D) -> Result<Option<String>, D::Error> {
        items.deserialize_any(self)
    }
}

impl<'de, T: FnMut(&str, Option<Instance<'de>>)> Visitor<'de> for Scopes<'_, T> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`items` by zone")
    }

    fn visit_unit<E>(self) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut scopes: A) -> Result<Option<String>, A::Error> {
        let mut lack = None;
        while let Some(Key(scope)) = scopes.next_key()? {
            let scope = scope.rsplit_once('/').map_or(&*scope, |(_, zone)| zone);
            let told = scopes.next_value_seed(Scope {
                scope,
                wanted: self.wanted,
                take: &mut *self.take,
            })?;
            lack = lack.or(told.map(|told| format!("{scope}: {told}")));
        }
        Ok(lack)
    }
}

/// Reads one scope.
struct Scope<'t, T> {
    scope: &'t str,
    wanted: Wanted,
    take: &'t mut T,
}

impl<'de, T: FnMut(&str, Option<Instance<'de>>)> DeserializeSeed<'de> for Scope<'_, T> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, scope: D) -> Result<Option<String>, D::Error> {
        scope.deserialize_map(self)
    }
}

impl<'de, T: FnMut(&str, Option<Instance<'de>>)> Visitor<'de> for Scope<'_, T> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a zone with `instances`")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<Option<String>, A::Error> {
        let mut lack = None;
        while let Some(Key(key)) = object.next_key()? {
            match &*key {
                "instances" => object.next_value_seed(Instances(&mut self))?,
                "warning" => lack = Warning::told(object.next_value_seed(read(&()))?),
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(lack)
    }
}

/// Reads the instances of a scope.
struct Instances<'s, 't, T>(&'s mut Scope<'t, T>);

impl<'de, T: FnMut(&str, Option<Instance<'de>>)> DeserializeSeed<'de> for Instances<'_, '_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, instances: D) -> Result<(), D::Error> {
        instances.deserialize_any(self)
    }
}

impl<'de, T: FnMut(&str, Option<Instance<'de>>)> Visitor<'de> for Instances<'_, '_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of instances")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut instances: A) -> Result<(), A::Error> {
        let Scope {
            scope,
            wanted,
            take,
        } = self.0;
        while let Some(instance) = instances.next_element_seed(read(&*wanted))? {
            take(scope, instance.found());
        }
        Ok(())
    }
}
