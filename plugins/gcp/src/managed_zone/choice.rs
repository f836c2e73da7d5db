//! Which of the managed zones that Cloud DNS has is the one of a zone.

use std::borrow::Cow;

use janitor_plugin_api::dns::{Name, NameError, NameRef};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::ManagedZone;
use super::settings::Visibility;
use crate::http::{Next, PageFault};

/// A managed zone as Cloud DNS describes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate {
    name: String,
    dns_name: String,
    /// Public if it is not said: that is how managed zones were before there were private ones.
    visibility: Option<String>,
    forwarding_config: Option<IgnoredAny>,
    peering_config: Option<IgnoredAny>,
    reverse_lookup_config: Option<IgnoredAny>,
    service_directory_config: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    /// Missing where it would be empty, as is usual in Google's JSON.
    #[serde(default)]
    managed_zones: Vec<Candidate>,
    #[serde(borrow)]
    next_page_token: Option<Cow<'a, str>>,
}

/// Reads a page of managed zones; those with the DNS name `apex` go to `candidates`.
pub(super) fn read_page(
    page: &[u8],
    apex: NameRef<'_>,
    candidates: &mut Vec<Candidate>,
) -> Result<Next, PageFault> {
    let page: Page<'_> = serde_json::from_slice(page)?;
    for candidate in page.managed_zones {
        candidate.check_name().map_err(unfit)?;
        let dns_name = candidate.dns_name().map_err(unfit)?;
        if dns_name.as_ref() == apex {
            candidates.push(candidate);
        }
    }
    Ok(Next::from_token(page.next_page_token))
}

/// Chooses the managed zone of a zone from all that have its DNS name; none if there are none.
///
/// `named` is the name that the rule gives: where nothing was said of visibility, it decides
/// between several, because the janitor that knew only the rule has used that one. Without it
/// nothing decides: whoever adds a public zone beside a private one must not have the names of
/// the latter published.
pub(super) fn choose(
    candidates: Vec<Candidate>,
    visibility: Option<Visibility>,
    named: Option<&str>,
) -> Result<Option<ManagedZone>, Unusable> {
    if candidates.is_empty() {
        return Ok(None);
    }
    let (seen, others): (Vec<_>, Vec<_>) = candidates
        .into_iter()
        .partition(|candidate| candidate.is_seen(visibility));
    let (mut holding, empty): (Vec<_>, Vec<_>) = seen
        .into_iter()
        .partition(|candidate| candidate.holds_none().is_none());
    let of_rule = |candidate: &Candidate| Some(candidate.name.as_str()) == named;
    if holding.iter().any(of_rule) {
        holding.retain(of_rule);
    }
    if holding.len() > 1 {
        let mut names: Vec<_> = holding.iter().map(Candidate::told).collect();
        names.sort_unstable();
        let names = names.join(", ");
        let public = holding.iter().filter(|one| one.is_public()).count();
        return Err(if public == 0 || public == holding.len() {
            Unusable::Several { names }
        } else {
            Unusable::Horizons { names }
        });
    }
    if let Some(chosen) = holding.pop() {
        return Ok(Some(chosen.into_managed_zone()));
    }
    let Some(unusable) = empty.first().or(others.first()) else {
        return Ok(None);
    };
    Err(match unusable.holds_none().filter(|_| !empty.is_empty()) {
        Some(kind) => Unusable::NoRecords {
            name: unusable.name.clone(),
            kind,
        },
        None => Unusable::OtherVisibility {
            name: unusable.told(),
        },
    })
}

impl Candidate {
    /// Reads the description of one managed zone.
    pub(super) fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }

    /// Takes the managed zone for the zone at `apex` if its top is that name or above it.
    pub(super) fn above(
        self,
        apex: NameRef<'_>,
        visibility: Option<Visibility>,
    ) -> Result<ManagedZone, Unusable> {
        self.check_name()?;
        if !apex.is_at_or_below(self.dns_name()?.as_ref()) {
            let Self { name, dns_name, .. } = self;
            return Err(Unusable::OtherDnsName { name, dns_name });
        }
        if !self.is_seen(visibility) {
            return Err(Unusable::OtherVisibility { name: self.told() });
        }
        match self.holds_none() {
            Some(kind) => Err(Unusable::NoRecords {
                name: self.name,
                kind,
            }),
            None => Ok(self.into_managed_zone()),
        }
    }

    /// What would lead elsewhere must not get into an address: that fault would end the run, not the zone.
    fn check_name(&self) -> Result<(), Unusable> {
        match self.name.as_str() {
            "" | "." | ".." => Err(Unusable::Name(self.name.clone())),
            _ => Ok(()),
        }
    }

    fn dns_name(&self) -> Result<Name, Unusable> {
        self.dns_name.parse().map_err(|source| Unusable::DnsName {
            name: self.name.clone(),
            source,
        })
    }

    fn into_managed_zone(self) -> ManagedZone {
        ManagedZone { name: self.name }
    }

    fn is_public(&self) -> bool {
        let visibility = self.visibility.as_deref();
        visibility.is_none_or(|visibility| visibility.eq_ignore_ascii_case("public"))
    }

    fn is_seen(&self, wanted: Option<Visibility>) -> bool {
        match wanted {
            None => true,
            Some(Visibility::Public) => self.is_public(),
            Some(Visibility::Private) => !self.is_public(),
        }
    }

    /// What the managed zone is, if it has no records of its own.
    fn holds_none(&self) -> Option<&'static str> {
        [
            (&self.forwarding_config, "forwards queries"),
            (&self.peering_config, "is that of another network (peering)"),
            (
                &self.reverse_lookup_config,
                "answers reverse lookups by itself",
            ),
            (
                &self.service_directory_config,
                "belongs to Service Directory",
            ),
        ]
        .into_iter()
        .find_map(|(config, kind)| config.is_some().then_some(kind))
    }

    /// Its name and who sees it.
    fn told(&self) -> String {
        let visibility = self.visibility.as_deref().unwrap_or("public");
        format!("`{}` ({visibility})", self.name)
    }
}

/// Why none of the managed zones can be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("no managed zone has that DNS name, and none is named `{name}`")]
    Missing { name: String },
    #[error("there is no managed zone `{name}`")]
    NoneNamed { name: String },
    #[error("several managed zones have that DNS name: {names}")]
    Several { names: String },
    #[error("that DNS name is both that of public and of private managed zones: {names}")]
    Horizons { names: String },
    #[error("the managed zone with that DNS name is another one than set by `visibility`: {name}")]
    OtherVisibility { name: String },
    #[error("the managed zone `{name}` holds no records: it {kind}")]
    NoRecords { name: String, kind: &'static str },
    #[error("`{0}` is not the name of a managed zone")]
    Name(String),
    #[error("the DNS name of the managed zone `{name}` cannot be read")]
    DnsName { name: String, source: NameError },
    #[error("the managed zone `{name}` is that of `{dns_name}`")]
    OtherDnsName { name: String, dns_name: String },
}

fn unfit(unusable: Unusable) -> PageFault {
    PageFault::Unfit(unusable.to_string())
}
