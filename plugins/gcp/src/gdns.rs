//! Reads the served zones from Cloud DNS.

use janitor_plugin_api::dns::{ActualZone, NameRef};
use janitor_plugin_api::{ActualReader, Error, Host};

use crate::http::{Fault, Google};
use crate::managed_zone::{ManagedZone, ManagedZones, is_forbidden, name_it, with_managed_zones};
use crate::record_sets::{self, Held, Listing};

with_managed_zones! {
    /// The table of `gcp.gdns`.
    #[derive(Debug)]
    pub(crate) struct Settings {
        /// Zones that are read at the same time. That many are in memory, each with what it is compared
        /// with.
        #[setting(default = 8, min = 1, max = 1_000)]
        at_once: u16,

        /// Taken from older configurations; nothing is left to wait for when the zones have been read.
        #[expect(dead_code, reason = "configurations of the original have it")]
        #[setting(default = 60.0, unit = "seconds", min = 0)]
        cleanup_timeout: f64,
    }
}

/// The reconciler `gcp.gdns`.
pub(crate) struct Gdns {
    google: Google,
    managed_zones: ManagedZones,
    at_once: usize,
    host: Host,
}

impl ActualReader for Gdns {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        Ok(Self {
            managed_zones: ManagedZones::new(settings.managed_zones())?,
            at_once: settings.at_once.into(),
            google: Google::new(settings.google(), &host)?,
            host,
        })
    }

    async fn read(&self, apex: NameRef<'_>) -> Result<ActualZone, Error> {
        let managed_zone = self.managed_zones.of(&self.google, apex).await?;
        let mut url = self
            .managed_zones
            .url(&self.google, &managed_zone.name, &["rrsets"])?;
        url.query_pairs_mut()
            .append_pair("fields", record_sets::FIELDS);
        let mut listing = Listing::new(apex);
        self.google
            .pages(&url, |page| listing.read_page(page))
            .await
            .map_err(|fault| self.unread(apex, &managed_zone, fault))?;
        let read = listing
            .finish()
            .map_err(|fault| Error::zone(self.context(apex, &managed_zone), fault))?;
        tracing::info!("Found {} rrsets for zone \"{apex}\".", read.listed);
        tell_held(apex, &read.held);
        Ok(read.zone)
    }

    fn at_once(&self) -> usize {
        self.at_once
    }

    async fn cleanup(&mut self) -> Result<(), Error> {
        self.google.measure(&self.host);
        Ok(())
    }
}

impl Gdns {
    fn context(&self, apex: NameRef<'_>, managed_zone: &ManagedZone) -> String {
        format!(
            "cannot read `{apex}` from the managed zone `{}` in project `{}`",
            managed_zone.name,
            self.managed_zones.project()
        )
    }

    fn unread(&self, apex: NameRef<'_>, managed_zone: &ManagedZone, fault: Fault) -> Error {
        let hint = if is_forbidden(&fault) {
            Some(
                "the account needs the role `roles/dns.reader` in that project, or one that has it"
                    .to_owned(),
            )
        } else if fault.answered() == Some(404) {
            Some(name_it(apex))
        } else {
            None
        };
        let error = fault.into_error(self.context(apex, managed_zone));
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// Tells of record sets at whose owners nothing is changed: what was not understood is worth a warning,
/// a routing policy is as somebody wanted it.
fn tell_held(apex: NameRef<'_>, held: &[Held]) {
    const NAMED: usize = 5;
    if held.is_empty() {
        return;
    }
    let named = held.iter().take(NAMED).map(Held::told);
    let mut named = named.collect::<Vec<_>>().join(", ");
    if held.len() > NAMED {
        named.push_str(", …");
    }
    let record_sets = held.len();
    if held.iter().all(Held::is_intended) {
        tracing::info!(zone = %apex, record_sets, %named, "nothing is changed at these names");
    } else {
        tracing::warn!(zone = %apex, record_sets, %named, "nothing is changed at these names");
    }
}

#[cfg(test)]
mod tests;
