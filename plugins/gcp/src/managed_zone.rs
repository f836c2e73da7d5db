//! The managed zone of a zone: where Cloud DNS keeps its records.
//!
//! What Cloud DNS calls a managed zone says nothing about the zone, so by default it is asked which
//! managed zone has the zone's DNS name. The rule by which the Gordon service names them is the way
//! for everything that is not found so, such as reverse zones that share one managed zone.

mod choice;
mod naming;
mod settings;

use std::cell::Cell;
use std::collections::BTreeMap;

use janitor_plugin_api::Error;
use janitor_plugin_api::dns::{Name, NameRef};

use crate::http::{Fault, Google, PageFault, Service, Url};
use choice::{Candidate, Unusable};

pub(crate) use naming::NamingFault;
pub(crate) use settings::{
    Lookup, ManagedZoneSettings, Visibility, ZoneSettings, with_managed_zones,
};

/// Finds managed zones.
pub(crate) struct ManagedZones {
    settings: ManagedZoneSettings,
    /// Those that need not be looked for.
    named: BTreeMap<Name, String>,
    /// Whether listing them was refused, which it would be for every other zone.
    may_not_list: Cell<bool>,
}

/// A managed zone that holds records, as far as Cloud DNS was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ManagedZone {
    pub(crate) name: String,
}

impl ManagedZones {
    /// Asks nobody yet.
    ///
    /// # Errors
    ///
    /// [`Error::config`] for a setting that cannot be used.
    pub(crate) fn new(settings: ManagedZoneSettings) -> Result<Self, Error> {
        Ok(Self {
            named: settings.checked()?,
            settings,
            may_not_list: Cell::new(false),
        })
    }

    /// The project of the managed zones.
    pub(crate) fn project(&self) -> &str {
        &self.settings.project
    }

    /// The version of the API, as it stands in addresses.
    pub(crate) fn api_version(&self) -> &str {
        &self.settings.api_version
    }

    /// The address of something of a managed zone: its `rrsets`, its `changes`.
    ///
    /// # Errors
    ///
    /// [`Error::config`] if the endpoint as set is no URL.
    pub(crate) fn url(&self, google: &Google, name: &str, below: &[&str]) -> Result<Url, Error> {
        self.url_below(google, &[&[name], below].concat())
    }

    fn url_below(&self, google: &Google, below: &[&str]) -> Result<Url, Error> {
        let version = self.settings.api_version.as_str();
        let above = ["dns", version, "projects", self.project(), "managedZones"];
        google.url(Service::Dns, &[&above, below].concat())
    }

    /// The managed zone of the zone at `apex`.
    ///
    /// # Errors
    ///
    /// [`Error::zone`] if there is none, or it is not clear which one; [`Error::retry`] if Cloud DNS
    /// could not be asked.
    pub(crate) async fn of(
        &self,
        google: &Google,
        apex: NameRef<'_>,
    ) -> Result<ManagedZone, Error> {
        if let Some(name) = self.named.get(&apex.to_owned()) {
            return Ok(ManagedZone { name: name.clone() });
        }
        let by_rule = naming::by_rule(apex, &self.settings.prefix);
        if self.lists() {
            let named = by_rule.as_deref().ok();
            if let Some(found) = self.by_dns_name(google, apex, named).await? {
                tracing::debug!(zone = %apex, managed_zone = found.name, "managed zone found");
                return Ok(found);
            }
        }
        let name = by_rule.map_err(|fault| self.not_found(apex, fault))?;
        tracing::debug!(zone = %apex, managed_zone = name, "the managed zone is the one named by the rule");
        // What was set of visibility is never taken for granted.
        if !self.lists() && self.settings.visibility.is_none() {
            return Ok(ManagedZone { name });
        }
        self.by_name(google, apex, name).await
    }

    /// Whether managed zones are looked for by their DNS names.
    fn lists(&self) -> bool {
        self.settings.lookup == Lookup::ByDnsName && !self.may_not_list.get()
    }

    /// Looks for the managed zone with the DNS name `apex`.
    async fn by_dns_name(
        &self,
        google: &Google,
        apex: NameRef<'_>,
        named: Option<&str>,
    ) -> Result<Option<ManagedZone>, Error> {
        let mut url = self.url_below(google, &[])?;
        url.query_pairs_mut()
            .append_pair("dnsName", &apex.to_string());
        let mut candidates = Vec::new();
        let listed = google
            .pages(&url, |page| choice::read_page(page, apex, &mut candidates))
            .await;
        match listed {
            Ok(()) => {}
            Err(fault) if is_forbidden(&fault) => {
                if !self.may_not_list.replace(true) {
                    tracing::info!(
                        project = self.project(),
                        "managed zones may not be listed, they are taken by the rule that names them"
                    );
                }
                return Ok(None);
            }
            Err(fault) => return Err(self.unanswered(apex, fault)),
        }
        choice::choose(candidates, self.settings.visibility, named)
            .map_err(|unusable| self.unusable(apex, unusable))
    }

    /// Looks at the managed zone with the name that the rule gives.
    async fn by_name(
        &self,
        google: &Google,
        apex: NameRef<'_>,
        name: String,
    ) -> Result<ManagedZone, Error> {
        let url = self.url(google, &name, &[])?;
        let body = match google.get(&url).await {
            Ok(body) => body,
            Err(fault) if fault.answered() == Some(404) => {
                let missing = if self.lists() {
                    Unusable::Missing { name }
                } else {
                    Unusable::NoneNamed { name }
                };
                return Err(self.unusable(apex, missing));
            }
            Err(fault) if is_forbidden(&fault) && self.settings.visibility.is_none() => {
                return Ok(ManagedZone { name });
            }
            Err(fault) => return Err(self.unanswered(apex, fault)),
        };
        let candidate = Candidate::read(&body).map_err(|source| {
            let source = PageFault::from(source);
            self.unanswered(apex, Fault::Page { source })
        })?;
        candidate
            .above(apex, self.settings.visibility)
            .map_err(|unusable| self.unusable(apex, unusable))
    }

    fn context(&self, apex: NameRef<'_>) -> String {
        let project = self.project();
        format!("cannot find the managed zone of `{apex}` in project `{project}`")
    }

    fn not_found(&self, apex: NameRef<'_>, fault: NamingFault) -> Error {
        Error::zone(self.context(apex), fault).hint(name_it(apex))
    }

    fn unusable(&self, apex: NameRef<'_>, unusable: Unusable) -> Error {
        let hint = match &unusable {
            Unusable::NoRecords { .. } | Unusable::DnsName { .. } | Unusable::Name(_) => None,
            Unusable::Missing { .. }
            | Unusable::NoneNamed { .. }
            | Unusable::Several { .. }
            | Unusable::OtherDnsName { .. } => Some(name_it(apex)),
            Unusable::Horizons { .. } | Unusable::OtherVisibility { .. } => {
                Some("set `visibility` to the kind of managed zone that is meant".to_owned())
            }
        };
        let error = Error::zone(self.context(apex), unusable);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    fn unanswered(&self, apex: NameRef<'_>, fault: Fault) -> Error {
        fault.into_error(self.context(apex))
    }
}

/// Whether the account may not do what it asked for. Other 403 tell of the project or of the token, and
/// say nothing of what it may do.
pub(crate) fn is_forbidden(fault: &Fault) -> bool {
    const REASONS: [&str; 3] = ["forbidden", "PERMISSION_DENIED", "IAM_PERMISSION_DENIED"];
    fault.answered() == Some(403)
        && fault
            .reason()
            .is_some_and(|reason| REASONS.contains(&reason))
}

/// How to say which managed zone is meant.
pub(crate) fn name_it(apex: NameRef<'_>) -> String {
    format!("name it in the configuration: zones.\"{apex}\".managed_zone = \"…\"")
}

#[cfg(test)]
mod tests;
