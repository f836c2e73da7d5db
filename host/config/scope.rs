//! The `[core.scope]` table: which names and types this janitor manages.

use std::sync::Arc;

use janitor_plugin_api::dns::{NameRef, Rtype};

use super::fields::Fields;
use super::patterns;
use super::source::Origin;
use super::value::Value;
use crate::pattern::{Pattern, Patterns};
use crate::problem::{Code, Problem};

/// The `[core.scope]` table.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// What holds for every zone.
    pub general: ScopeTable,
    /// What holds for some zones beside that; of those that match a zone the closest counts.
    pub zones: Patterns<ScopeTable>,
    /// How external-dns was told to name its markers.
    pub external_dns: ExternalDns,
    /// How octoDNS was told to name its markers.
    pub octodns: Octodns,
}

/// What is said of every zone, or of some.
#[derive(Clone, Debug, Default)]
pub struct ScopeTable {
    /// What is managed, if the table says; everything if there is nothing in it.
    pub include: Option<Entries>,
    /// What is not managed.
    pub exclude: Entries,
    /// What is never updated or deleted.
    pub protect: Entries,
    /// Whose markers are honoured, if the table says.
    pub honour: Option<Vec<Registry>>,
    /// Whether the last address of a name server stays, if the table says.
    pub name_servers: Option<bool>,
}

/// Somebody else who marks the names that are theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registry {
    /// The TXT registry of external-dns.
    ExternalDns,
    /// The `OwnershipProcessor` of octoDNS.
    Octodns,
}

impl Registry {
    /// All there are. They are honoured unless the configuration says otherwise.
    pub const ALL: [Self; 2] = [Self::ExternalDns, Self::Octodns];

    /// The name in `honour`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ExternalDns => "external-dns",
            Self::Octodns => "octodns",
        }
    }
}

/// The `[core.scope.external_dns]` table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExternalDns {
    /// Values of `--txt-prefix`, in lower case.
    pub prefix: Vec<String>,
    /// Values of `--txt-suffix`, in lower case.
    pub suffix: Vec<String>,
    /// Values of `--txt-wildcard-replacement`, in lower case.
    pub wildcard_replacement: Vec<String>,
}

/// The `[core.scope.octodns]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Octodns {
    /// Values of `txt_name`, in lower case.
    pub name: Vec<String>,
}

impl Default for Octodns {
    fn default() -> Self {
        Self {
            name: vec!["_owner".to_owned()],
        }
    }
}

/// Owners and types, as `include`, `exclude` and `protect` have them.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    /// What is told of owners that no entry stands for.
    not_in: Arc<str>,
    patterns: Patterns<Entry>,
    /// Those for the apex, whatever the zone is called.
    apex: Vec<Entry>,
}

/// What one entry says of the owners that its pattern stands for.
#[derive(Clone, Debug)]
struct Entry {
    /// Every type if empty.
    rtypes: Vec<Rtype>,
    /// The setting and the entry, for people.
    told: Arc<str>,
}

impl Entries {
    /// That none of the entries stands for something, in words.
    #[must_use]
    pub fn not_in(&self) -> &Arc<str> {
        &self.not_in
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty() && self.apex.is_empty()
    }

    /// An entry that stands for RRsets of this owner and type in the zone `apex`, in words.
    #[must_use]
    pub fn find(&self, owner: NameRef<'_>, rtype: Rtype, apex: NameRef<'_>) -> Option<&Arc<str>> {
        let at_apex = self.apex.iter().filter(|_| owner == apex);
        let patterns = self.patterns.matching(owner).map(|(_, entry)| entry);
        let mut entries = at_apex.chain(patterns);
        let found = entries.find(|entry| entry.rtypes.is_empty() || entry.rtypes.contains(&rtype));
        found.map(|entry| &entry.told)
    }

    fn read(fields: &mut Fields<'_, '_>, path: &str, name: &'static str) -> Self {
        let setting = format!("{path}.{name}");
        let mut patterns = Vec::new();
        let mut apex = Vec::new();
        for (text, value) in fields.texts(name).unwrap_or_default() {
            match Self::entry(text, &setting) {
                Ok((Some(pattern), entry)) => {
                    if names_a_top_level_domain(text) {
                        fields.report(relative(text, &value.origin, &setting));
                    }
                    patterns.push((pattern, entry));
                }
                Ok((None, entry)) => apex.push(entry),
                Err(reason) => fields.report(
                    Problem::error(
                        Code::WrongValue,
                        format!("{setting} has an entry that is no pattern of owners: \"{text}\""),
                    )
                    .at(&value.origin, &setting)
                    .because(reason)
                    .help(
                        "write an owner, with * for parts of it, and perhaps types behind it, \
                         such as \"*.k8s.example.com A AAAA\"",
                    ),
                ),
            }
        }
        Self {
            not_in: format!("{setting} does not have it").into(),
            patterns: patterns.into_iter().collect(),
            apex,
        }
    }

    /// Reads an owner and types; no pattern for `@`.
    fn entry(text: &str, setting: &str) -> Result<(Option<Pattern>, Entry), String> {
        let mut words = text.split_whitespace();
        let owner = words.next().ok_or("it is empty")?;
        let pattern = match owner {
            "@" => None,
            owner => Some(owner.parse().map_err(|error| format!("{error}"))?),
        };
        let mut rtypes = Vec::new();
        for word in words {
            let rtype: Rtype = word.parse().map_err(|error| format!("{error}"))?;
            if rtype.is_meta() {
                return Err(format!("no zone holds RRsets of type {rtype}"));
            }
            rtypes.push(rtype);
        }
        let told = format!("{setting} has `{text}`").into();
        Ok((pattern, Entry { rtypes, told }))
    }
}

/// Whether the owner of an entry has one label alone.
fn names_a_top_level_domain(entry: &str) -> bool {
    let owner = entry.split_whitespace().next().unwrap_or_default();
    let owner = owner.strip_suffix('.').unwrap_or(owner);
    !owner.is_empty() && !owner.contains(['.', '*', '\\'])
}

fn relative(text: &str, origin: &Origin, setting: &str) -> Problem {
    let owner = text.split_whitespace().next().unwrap_or_default();
    Problem::warning(
        Code::ScopeOfNothing,
        format!("{setting} names the top-level domain `{owner}`, which no zone below one holds"),
    )
    .at(origin, setting)
    .because("owners are whole names here, not relative to a zone")
    .help(format!(
        "write \"{owner}.example.com\" for one zone, \"{owner}.*\" for all, \"@\" for the apex"
    ))
}

impl ScopeTable {
    fn read(fields: &mut Fields<'_, '_>, path: &str) -> Self {
        let include = Entries::read(fields, path, "include");
        Self {
            include: fields.any("include").map(|_| include),
            exclude: Entries::read(fields, path, "exclude"),
            protect: Entries::read(fields, path, "protect"),
            honour: honour(fields, path),
            name_servers: fields.boolean("name_servers"),
        }
    }
}

fn honour(fields: &mut Fields<'_, '_>, path: &str) -> Option<Vec<Registry>> {
    let mut registries = Vec::new();
    for (text, value) in fields.texts("honour")? {
        let registry = Registry::ALL.into_iter().find(|one| one.name() == text);
        match registry {
            Some(registry) => registries.push(registry),
            None => fields.report(
                Problem::error(
                    Code::WrongValue,
                    format!("{path}.honour names \"{text}\", whose markers are not known here"),
                )
                .at(&value.origin, format!("{path}.honour"))
                .found("programs: external-dns, octodns"),
            ),
        }
    }
    Some(registries)
}

impl Scope {
    pub(super) fn read(value: Option<&Value>, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::new(value, "core.scope", problems);
        let general = ScopeTable::read(&mut fields, "core.scope");
        let zones = fields.any("zones");
        let external_dns = fields.any("external_dns");
        let octodns = fields.any("octodns");
        fields.finish();
        Self {
            general,
            zones: read_zones(zones, problems),
            external_dns: ExternalDns::read(external_dns, problems),
            octodns: Octodns::read(octodns, problems),
        }
    }
}

fn read_zones(value: Option<&Value>, problems: &mut Vec<Problem>) -> Patterns<ScopeTable> {
    let Some(value) = value else {
        return Patterns::default();
    };
    patterns::read_tables(
        value,
        "core.scope.zones",
        problems,
        |path, value, problems| {
            let mut fields = Fields::described(Some(value), path, "core.scope.zones.*", problems);
            let read = ScopeTable::read(&mut fields, path);
            fields.finish();
            Some(read)
        },
    )
}

/// Texts as both programs use them: in lower case.
fn lower(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<Vec<String>> {
    let texts = fields.texts(name)?;
    let lower = texts.iter().map(|(text, _)| text.to_ascii_lowercase());
    Some(lower.collect())
}

impl ExternalDns {
    fn read(value: Option<&Value>, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::new(value, "core.scope.external_dns", problems);
        let read = Self {
            prefix: lower(&mut fields, "prefix").unwrap_or_default(),
            suffix: lower(&mut fields, "suffix").unwrap_or_default(),
            wildcard_replacement: lower(&mut fields, "wildcard_replacement").unwrap_or_default(),
        };
        fields.finish();
        read
    }
}

impl Octodns {
    fn read(value: Option<&Value>, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::new(value, "core.scope.octodns", problems);
        let name = lower(&mut fields, "name");
        let is_label = |name: &String| {
            !name.is_empty() && name.len() < 64 && !name.contains(['.', '\\']) && name.is_ascii()
        };
        if name.iter().flatten().any(|name| !is_label(name)) {
            fields.refuse(
                "name",
                "a list of labels without dots, such as [\"_owner\"]",
            );
        }
        fields.finish();
        name.map_or_else(Self::default, |name| Self { name })
    }
}

#[cfg(test)]
mod tests;
