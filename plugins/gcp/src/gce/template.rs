//! How an instance is named in a zone.

use std::fmt;

use janitor_plugin_api::dns::{Name, NameRef};
use janitor_plugin_api::settings::{Part as SchemaPart, SettingType};
use serde::Deserialize;

use crate::instances::{Field, Text};

/// `name_template`: text with placeholders, relative to the zone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct NameTemplate(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Name,
    Project,
    Zone,
    Region,
    Id,
    Hostname,
    Label(String),
}

/// What placeholders stand for.
pub(crate) struct Subject<'a> {
    pub(crate) name: &'a str,
    pub(crate) project: &'a str,
    /// The zone of Compute Engine.
    pub(crate) zone: &'a str,
    pub(crate) id: Option<&'a str>,
    pub(crate) hostname: Field<&'a Text<'a>>,
    pub(crate) labels: &'a [(Text<'a>, Text<'a>)],
}

impl Subject<'_> {
    /// The region of a zone: `europe-west1` of `europe-west1-b`.
    pub(crate) fn region(&self) -> &str {
        let region = self.zone.rsplit_once('-');
        region.map_or(self.zone, |(region, _)| region)
    }
}

impl SettingType for NameTemplate {
    const SCHEMA: &'static [SchemaPart] = String::SCHEMA;
}

impl TryFrom<String> for NameTemplate {
    type Error = TemplateError;

    fn try_from(text: String) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (plain, placeholder) = match rest.split_once('{') {
                None => (rest, None),
                Some((plain, behind)) => {
                    let (placeholder, behind) =
                        behind.split_once('}').ok_or(TemplateError::Open)?;
                    rest = behind;
                    (plain, Some(placeholder))
                }
            };
            let is_fit = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
            if let Some(unfit) = plain.chars().find(|c| !u8::try_from(*c).is_ok_and(is_fit)) {
                return Err(TemplateError::Character(unfit));
            }
            if !plain.is_empty() {
                parts.push(Part::Text(plain.to_owned()));
            }
            match placeholder {
                None => break,
                Some("name") => parts.push(Part::Name),
                Some("project") => parts.push(Part::Project),
                Some("zone") => parts.push(Part::Zone),
                Some("region") => parts.push(Part::Region),
                Some("id") => parts.push(Part::Id),
                Some("hostname") => parts.push(Part::Hostname),
                Some(other) => match other.strip_prefix("label:") {
                    Some(key) if !key.is_empty() => parts.push(Part::Label(key.to_owned())),
                    _ => return Err(TemplateError::Placeholder(other.to_owned())),
                },
            }
        }
        if parts.iter().all(|part| matches!(part, Part::Text(_))) {
            return Err(TemplateError::Constant);
        }
        if text.ends_with('.') || text.starts_with('.') || text.contains("..") {
            return Err(TemplateError::EmptyLabel);
        }
        Ok(Self(parts))
    }
}

/// Why a text is no template.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error(
        "`{{{0}}}` is no placeholder; there are {{name}}, {{project}}, {{zone}}, {{region}}, {{id}}, \
         {{hostname}}, and {{label:KEY}} for the label KEY"
    )]
    Placeholder(String),
    #[error("a placeholder has no `}}`")]
    Open,
    #[error("`{0}` cannot stand in a host name; there are letters, digits, `-`, `_` and `.`")]
    Character(char),
    #[error("there is no placeholder in it, so that all instances would have one name")]
    Constant,
    #[error("a label is empty; names are relative to the zone and have no final dot")]
    EmptyLabel,
}

/// Why an instance has no name by a template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoOwner {
    /// It has nothing that the placeholder could stand for, and is not meant to be named.
    Nothing(String),
    /// It has a name, and nobody can tell which.
    Unknown(String),
    /// What is known of it makes no host name; this is what there would be.
    Unfit(String),
}

impl fmt::Display for NoOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing(what) | Self::Unknown(what) => f.write_str(what),
            Self::Unfit(owner) => write!(f, "`{owner}` is no host name"),
        }
    }
}

impl NameTemplate {
    /// Whether labels are asked for.
    pub(crate) fn needs_labels(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Label(_)))
    }

    /// Writes the labels of a name in the zone `apex`, in wire form and lower case, without those of
    /// the zone itself. `text` is room to work in.
    ///
    /// # Errors
    ///
    /// [`NoOwner`] if there is no such name; `out` is then as it was.
    pub(crate) fn write(
        &self,
        subject: &Subject<'_>,
        apex: NameRef<'_>,
        text: &mut String,
        out: &mut Vec<u8>,
    ) -> Result<(), NoOwner> {
        text.clear();
        let mut is_fit = true;
        for part in &self.0 {
            let value = match part {
                Part::Text(plain) => {
                    text.push_str(plain);
                    continue;
                }
                Part::Hostname => {
                    text.push_str(relative(subject.hostname, apex)?);
                    continue;
                }
                Part::Name => subject.name,
                Part::Project => subject.project,
                Part::Zone => subject.zone,
                Part::Region => subject.region(),
                Part::Id => subject
                    .id
                    .ok_or_else(|| NoOwner::Unknown("its id is missing".to_owned()))?,
                Part::Label(key) => subject
                    .labels
                    .iter()
                    .find(|(known, _)| known == key)
                    .map(|(_, value)| &**value)
                    .filter(|value| !value.is_empty())
                    .ok_or_else(|| NoOwner::Nothing(format!("it has no label `{key}`")))?,
            };
            // What comes from outside is part of one label, and makes none.
            is_fit &= !value.contains('.');
            text.push_str(value);
        }
        let start = out.len();
        for label in text.split('.') {
            match u8::try_from(label.len()) {
                Ok(length @ 1..=63) if is_host_label(label.as_bytes()) => {
                    out.push(length);
                    out.extend(label.bytes().map(|octet| octet.to_ascii_lowercase()));
                }
                _ => is_fit = false,
            }
        }
        // A name has at most 255 octets (RFC 1035, section 2.3.4).
        if !is_fit || out.len() - start + apex.as_wire().len() > 255 {
            out.truncate(start);
            return Err(NoOwner::Unfit(text.clone()));
        }
        Ok(())
    }
}

/// A label of a host name (RFC 1123, section 2.1), with the underscores that labels of instances have.
fn is_host_label(label: &[u8]) -> bool {
    let is_fit = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_".contains(octet);
    label.iter().all(is_fit) && !label.starts_with(b"-") && !label.ends_with(b"-")
}

/// A host name as it is relative to the zone.
fn relative<'a>(hostname: Field<&'a Text<'_>>, apex: NameRef<'_>) -> Result<&'a str, NoOwner> {
    let hostname = match hostname {
        Field::Found(hostname) => &**hostname,
        Field::Missing => {
            let none = "it has no host name of its own";
            return Err(NoOwner::Nothing(none.to_owned()));
        }
        Field::Unfit => {
            let unfit = "its host name cannot be read";
            return Err(NoOwner::Unknown(unfit.to_owned()));
        }
    };
    let outside = || NoOwner::Nothing(format!("its host name `{hostname}` is not in the zone"));
    let absolute = hostname.strip_suffix('.').unwrap_or(hostname);
    let name = absolute.parse::<Name>().map_err(|fault| {
        NoOwner::Unknown(format!("its host name `{hostname}` is none: {fault}"))
    })?;
    if !name.as_ref().is_at_or_below(apex) || name.as_ref() == apex {
        return Err(outside());
    }
    // Of as many octets as in wire form, less the root's and a length for the dot; escapes make it
    // longer, and are no host name.
    let zone = apex.as_wire().len() - 1;
    let end = absolute.len().checked_sub(zone).ok_or_else(outside)?;
    absolute.get(..end).ok_or_else(outside)
}
