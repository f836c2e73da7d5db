//! Makes corrections in Cloud DNS.
//!
//! Cloud DNS makes all of a change or nothing of it, and only if what it deletes is served exactly so and
//! what it adds is not. What that comes down to for one zone is decided without any I/O:
//!
//! ```text
//! plan        the changes, and which of them belong together
//! split       how much of a plan goes into one change of Cloud DNS
//! served      what is served where it is made
//! verdict     what a refusal says
//! work        what to send next, and what follows from the answer
//! ```
//!
//! Here is what does it: the requests, the pauses, the reports.

mod plan;
mod split;
mod served;
mod verdict;
mod work;
mod ledger;
mod zone;
mod settling;

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use janitor_plugin_api::{ChangeReceiver, Error, Host, Publisher};
use tokio::sync::{OnceCell, Semaphore};
use tracing::warn;

use crate::http::Google;
use crate::limits::Quota;
use crate::managed_zone::{ManagedZones, with_managed_zones};

/// Zones that are in memory at once: those that are changed, and those that wait for Cloud DNS to be done with
/// what was. Those that wait hold up no others.
const MOST_ZONES: usize = 1000;

/// The scopes with which changes can be made (Google's reference of `changes.create`).
const WRITING_SCOPES: [&str; 2] = ["cloud-platform", "ndev.clouddns.readwrite"];

with_managed_zones! {
    /// The table of `gcp.apply`.
    #[derive(Debug)]
    pub(crate) struct Settings {
        /// Zones that are changed at the same time.
        #[setting(default = 8, min = 1, max = 100)]
        at_once: u16,

        /// How long to wait for Cloud DNS to be done with what was changed; 0: not at all.
        #[setting(default = 60.0, unit = "seconds", min = 0, max = 86400)]
        settle: f64,
    }
}

/// The publisher `gcp.apply`.
pub(crate) struct Apply {
    google: Google,
    managed_zones: ManagedZones,
    /// What the project may have, once it has been asked for.
    quota: OnceCell<Quota>,
    at_once: usize,
    settle: Duration,
    host: Host,
}

impl Publisher for Apply {
    type Config = Settings;

    /// What Cloud DNS deletes "must match existing data exactly", what it adds must not be there, and all
    /// of a change is made or nothing (Google's reference of `changes`).
    const CONDITIONAL: bool = true;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        if !allows_writing(&settings.scopes) {
            warn!(
                scopes = settings.scopes.join(", "),
                "the scopes of `gcp.apply` do not allow changes where they count: it needs \
                 `ndev.clouddns.readwrite` or `cloud-platform`"
            );
        }
        Ok(Self {
            managed_zones: ManagedZones::new(settings.managed_zones())?,
            quota: OnceCell::new(),
            at_once: settings.at_once.into(),
            settle: Duration::from_secs_f64(settings.settle),
            google: Google::new(settings.google(), &host)?,
            host,
        })
    }

    async fn run(&mut self, changes: &mut ChangeReceiver) -> Result<(), Error> {
        let this = &*self;
        let turns = Semaphore::new(this.at_once);
        let mut zones = FuturesUnordered::new();
        loop {
            let has_room = zones.len() < MOST_ZONES;
            let next = async {
                let turn = turns.acquire().await.expect("it is never closed");
                (turn, changes.receive().await)
            };
            tokio::select! {
                (turn, zone) = next, if has_room => match zone {
                    Some(zone) => zones.push(this.publish(zone, turn)),
                    None => break,
                },
                Some(()) = zones.next() => {}
            }
        }
        while zones.next().await.is_some() {}
        Ok(())
    }

    async fn cleanup(&mut self) -> Result<(), Error> {
        self.google.measure(&self.host);
        Ok(())
    }
}

/// Whether one of the scopes, each a name or a whole URL, allows changes.
fn allows_writing(scopes: &[String]) -> bool {
    let name = |scope: &String| {
        scope
            .rsplit('/')
            .next()
            .map(str::to_owned)
            .unwrap_or_default()
    };
    scopes
        .iter()
        .map(name)
        .any(|scope| WRITING_SCOPES.contains(&scope.as_str()))
}

#[cfg(test)]
mod tests;
