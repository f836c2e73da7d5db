//! Waiting for Cloud DNS to be done with changes.

use std::time::Duration;

use janitor_plugin_api::dns::NameRef;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use super::Apply;
use super::ledger::Ledger;
use super::work::Made;
use super::zone::{Created, told};
use crate::http::Fault;
use crate::managed_zone::ManagedZone;

/// The first pause between two questions. Each later one is half as long again.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
struct Changes {
    #[serde(default)]
    changes: Vec<Created>,
}

/// Why Cloud DNS is not known to be done with a change.
enum Late {
    Pending,
    Fault(Fault),
    Unread(String),
}

impl Apply {
    /// Waits until what was made is done, and reports it then.
    ///
    /// "Done" is what Cloud DNS says when its servers have been told (Google's reference of `changes`).
    pub(super) async fn settle(
        &self,
        apex: NameRef<'_>,
        managed_zone: &ManagedZone,
        made: Vec<Made>,
        ledger: &Ledger<'_>,
    ) {
        if self.settle.is_zero() {
            return;
        }
        let until = Instant::now() + self.settle;
        for made in made {
            let changes = made.changes.len();
            let done = tokio::select! {
                done = self.done(managed_zone, &made, until) => done,
                () = self.host.cancelled() => return,
            };
            let reason = match done {
                Ok(()) => {
                    ledger.applied(&made.changes);
                    continue;
                }
                Err(Late::Pending) => {
                    let seconds = self.settle.as_secs_f64();
                    format!("Cloud DNS is not done with them after {seconds} s (`settle`)")
                }
                Err(Late::Fault(fault)) => format!("Cloud DNS does not say: {}", told(&fault)),
                Err(Late::Unread(reason)) => format!("Cloud DNS does not say: {reason}"),
            };
            let id = made.id.as_deref().unwrap_or("the newest");
            warn!(
                zone = %apex, managed_zone = managed_zone.name, change = id, changes, reason,
                "changes are made and may not be visible yet"
            );
        }
    }

    /// Waits until one change is done; where it is not known which one it was, the newest there is: changes
    /// are made in sequence.
    async fn done(
        &self,
        managed_zone: &ManagedZone,
        made: &Made,
        until: Instant,
    ) -> Result<(), Late> {
        if made.is_done {
            return Ok(());
        }
        let mut id = made.id.clone();
        let mut pause = PAUSE;
        loop {
            let asked = self.ask(managed_zone, id.as_deref());
            let Ok(change) = timeout_at(until, asked).await else {
                return Err(Late::Pending);
            };
            let change = change?;
            if change.as_ref().is_none_or(Created::is_done) {
                return Ok(());
            }
            id = id.or(change.map(|change| change.id));
            if Instant::now() + pause >= until {
                return Err(Late::Pending);
            }
            tokio::time::sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause + pause / 2);
        }
    }

    /// `changes.get`, or the first of `changes.list`; none if there never was one.
    async fn ask(
        &self,
        managed_zone: &ManagedZone,
        id: Option<&str>,
    ) -> Result<Option<Created>, Late> {
        let mut segments = vec!["changes"];
        segments.extend(id);
        let url = self
            .managed_zones
            .url(&self.google, &managed_zone.name, &segments);
        let mut url = url.map_err(|error| Late::Unread(error.to_string()))?;
        if id.is_none() {
            url.query_pairs_mut()
                .append_pair("maxResults", "1")
                .append_pair("sortBy", "changeSequence")
                .append_pair("sortOrder", "descending");
        }
        let body = self.google.get(&url).await.map_err(Late::Fault)?;
        let read = match id {
            Some(_) => serde_json::from_slice(&body).map(Some),
            None => serde_json::from_slice::<Changes>(&body)
                .map(|listed| listed.changes.into_iter().next()),
        };
        read.map_err(|error| Late::Unread(error.to_string()))
    }
}
