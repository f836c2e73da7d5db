//! One instance, as far as names and addresses depend on it.

use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use super::shape::{Field, First, Key, Shape, Text, read};

/// Which members of an instance are wanted besides its name and addresses. Scripts in metadata make
/// up much of a page, and are passed over unless they are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) tags: bool,
    pub(crate) metadata: bool,
    pub(crate) labels: bool,
}

/// An instance of a page.
///
/// <https://docs.cloud.google.com/compute/docs/reference/rest/v1/instances>
#[derive(Debug, Default)]
pub(crate) struct Instance<'de> {
    pub(crate) name: Field<Text<'de>>,
    pub(crate) id: Field<Text<'de>>,
    pub(crate) status: Field<Text<'de>>,
    /// RFC 3339.
    pub(crate) created: Field<Text<'de>>,
    /// Set by who created the instance; usually there is none.
    pub(crate) hostname: Field<Text<'de>>,
    pub(crate) tags: Field<Tags<'de>>,
    pub(crate) metadata: Field<Metadata<'de>>,
    pub(crate) labels: Field<Labels<'de>>,
    /// The first one is the primary one.
    pub(crate) interfaces: Field<First<Interface<'de>>>,
}

/// A network interface.
#[derive(Debug, Default)]
pub(crate) struct Interface<'de> {
    /// URL of the network.
    pub(crate) network: Field<Text<'de>>,
    /// `networkIP`.
    pub(crate) internal: Field<Text<'de>>,
    /// `ipv6Address`.
    pub(crate) internal_ipv6: Field<Text<'de>>,
    /// `accessConfigs`; there is at most one.
    pub(crate) access: Field<First<Access<'de>>>,
    /// `ipv6AccessConfigs`; there is at most one.
    pub(crate) access_ipv6: Field<First<Access<'de>>>,
}

impl Interface<'_> {
    /// Whether it has anything of IPv6.
    pub(crate) const fn has_ipv6(&self) -> bool {
        !matches!(
            (&self.internal_ipv6, &self.access_ipv6),
            (Field::Missing, Field::Missing)
        )
    }
}

/// How an interface is reached from outside.
#[derive(Debug, Default)]
pub(crate) struct Access<'de> {
    /// `natIP`.
    pub(crate) external: Field<Text<'de>>,
    /// `externalIpv6`.
    pub(crate) external_ipv6: Field<Text<'de>>,
}

/// Network tags.
#[derive(Debug, Default)]
pub(crate) struct Tags<'de>(pub(crate) Vec<Text<'de>>);

/// Metadata: keys and values, as far as they have both.
#[derive(Debug, Default)]
pub(crate) struct Metadata<'de>(pub(crate) Vec<(Text<'de>, Text<'de>)>);

/// Labels: keys and values.
#[derive(Debug, Default)]
pub(crate) struct Labels<'de>(pub(crate) Vec<(Text<'de>, Text<'de>)>);

impl<'de> Shape<'de, Wanted> for Instance<'de> {
    fn from_object<A: MapAccess<'de>>(
        wanted: &Wanted,
        mut object: A,
    ) -> Result<Field<Self>, A::Error> {
        let mut instance = Self::default();
        while let Some(Key(key)) = object.next_key()? {
            match &*key {
                "name" => instance.name = object.next_value_seed(read(wanted))?,
                "id" => instance.id = object.next_value_seed(read(wanted))?,
                "status" => instance.status = object.next_value_seed(read(wanted))?,
                "creationTimestamp" => instance.created = object.next_value_seed(read(wanted))?,
                "hostname" => instance.hostname = object.next_value_seed(read(wanted))?,
                "networkInterfaces" => {
                    instance.interfaces = object.next_value_seed(read(wanted))?;
                }
                "tags" if wanted.tags => instance.tags = object.next_value_seed(read(wanted))?,
                "metadata" if wanted.metadata => {
                    instance.metadata = object.next_value_seed(read(wanted))?;
                }
                "labels" if wanted.labels => {
                    instance.labels = object.next_value_seed(read(wanted))?;
                }
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Field::Found(instance))
    }
}

impl<'de> Shape<'de, Wanted> for Interface<'de> {
    fn from_object<A: MapAccess<'de>>(
        wanted: &Wanted,
        mut object: A,
    ) -> Result<Field<Self>, A::Error> {
        let mut interface = Self::default();
        while let Some(Key(key)) = object.next_key()? {
            match &*key {
                "network" => interface.network = object.next_value_seed(read(wanted))?,
                "networkIP" => interface.internal = object.next_value_seed(read(wanted))?,
                "ipv6Address" => interface.internal_ipv6 = object.next_value_seed(read(wanted))?,
                "accessConfigs" => interface.access = object.next_value_seed(read(wanted))?,
                "ipv6AccessConfigs" => {
                    interface.access_ipv6 = object.next_value_seed(read(wanted))?;
                }
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Field::Found(interface))
    }
}

impl<'de> Shape<'de, Wanted> for Access<'de> {
    fn from_object<A: MapAccess<'de>>(
        wanted: &Wanted,
        mut object: A,
    ) -> Result<Field<Self>, A::Error> {
        let mut access = Self::default();
        while let Some(Key(key)) = object.next_key()? {
            match &*key {
                "natIP" => access.external = object.next_value_seed(read(wanted))?,
                "externalIpv6" => access.external_ipv6 = object.next_value_seed(read(wanted))?,
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Field::Found(access))
    }
}

impl<'de> Shape<'de, Wanted> for Tags<'de> {
    fn from_object<A: MapAccess<'de>>(wanted: &Wanted, object: A) -> Result<Field<Self>, A::Error> {
        Ok(match items::<List<Text<'de>>, A>(wanted, object)? {
            Field::Found(List(tags)) => {
                let tags = tags.into_iter().map(Field::found);
                // A tag that is no text might be one that keeps the instance out.
                tags.collect::<Option<_>>()
                    .map_or(Field::Unfit, |tags| Field::Found(Self(tags)))
            }
            Field::Missing => Field::Found(Self::default()),
            Field::Unfit => Field::Unfit,
        })
    }
}

impl<'de> Shape<'de, Wanted> for Metadata<'de> {
    fn from_object<A: MapAccess<'de>>(wanted: &Wanted, object: A) -> Result<Field<Self>, A::Error> {
        Ok(match items::<List<Item<'de>>, A>(wanted, object)? {
            Field::Found(List(items)) => {
                let items = items.into_iter().filter_map(Field::found);
                let pairs = items.filter_map(|item| item.key.found().zip(item.value.found()));
                Field::Found(Self(pairs.collect()))
            }
            Field::Missing => Field::Found(Self::default()),
            Field::Unfit => Field::Unfit,
        })
    }
}

impl<'de> Shape<'de, Wanted> for Labels<'de> {
    fn from_object<A: MapAccess<'de>>(
        wanted: &Wanted,
        mut object: A,
    ) -> Result<Field<Self>, A::Error> {
        let mut labels = Vec::new();
        let mut is_fit = true;
        while let Some(Key(key)) = object.next_key()? {
            match object.next_value_seed(read::<Text<'de>, _>(wanted))? {
                Field::Found(value) => labels.push((key, value)),
                Field::Missing | Field::Unfit => is_fit = false,
            }
        }
        Ok(if is_fit {
            Field::Found(Self(labels))
        } else {
            Field::Unfit
        })
    }
}

/// The member `items`, where tags and metadata have their contents.
fn items<'de, T: Shape<'de, Wanted>, A: MapAccess<'de>>(
    wanted: &Wanted,
    mut object: A,
) -> Result<Field<T>, A::Error> {
    let mut items = Field::Missing;
    while let Some(Key(key)) = object.next_key()? {
        if key == "items" {
            items = object.next_value_seed(read(wanted))?;
        } else {
            object.next_value::<IgnoredAny>()?;
        }
    }
    Ok(items)
}

/// All elements of a list.
struct List<T>(Vec<Field<T>>);

impl<'de, T: Shape<'de, Wanted>> Shape<'de, Wanted> for List<T> {
    fn from_list<A: SeqAccess<'de>>(wanted: &Wanted, mut list: A) -> Result<Field<Self>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element_seed(read(wanted))? {
            elements.push(element);
        }
        Ok(Field::Found(Self(elements)))
    }
}

/// An item of metadata.
#[derive(Default)]
struct Item<'de> {
    key: Field<Text<'de>>,
    value: Field<Text<'de>>,
}

impl<'de> Shape<'de, Wanted> for Item<'de> {
    fn from_object<A: MapAccess<'de>>(
        wanted: &Wanted,
        mut object: A,
    ) -> Result<Field<Self>, A::Error> {
        let mut item = Self::default();
        while let Some(Key(key)) = object.next_key()? {
            match &*key {
                "key" => item.key = object.next_value_seed(read(wanted))?,
                "value" => item.value = object.next_value_seed(read(wanted))?,
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Field::Found(item))
    }
}
