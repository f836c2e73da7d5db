//! The changes of one zone, from the first request to the last report.

use std::collections::BTreeSet;
use std::time::Duration;

use janitor_plugin_api::dns::NameRef;
use janitor_plugin_api::{Outcome, ZoneChanges, in_one_line};
use serde::Deserialize;
use tokio::sync::SemaphorePermit;
use tracing::{debug, info};

use super::Apply;
use super::ledger::Ledger;
use super::served::{Place, Served};
use super::verdict::Refusal;
use super::work::{Reply, Step, Work};
use crate::http::{Fault, Service, up_to};
use crate::limits::Quota;
use crate::managed_zone::ManagedZone;
use crate::record_sets;

/// The first pause before a change is sent again that nobody answered. Each later one is twice as long.
const PAUSE: Duration = Duration::from_millis(500);
/// Places that are looked at one by one. Where there are more, all of the managed zone is listed.
const MOST_SINGLE_LOOKS: usize = 10;

/// A change of Cloud DNS, as far as it is of interest.
#[derive(Deserialize)]
pub(super) struct Created {
    pub(super) id: String,
    /// `pending` or `done`.
    pub(super) status: Option<String>,
}

impl Created {
    pub(super) fn is_done(&self) -> bool {
        self.status.as_deref() == Some("done")
    }
}

impl Apply {
    /// Sends the changes of a zone and reports what became of each. Its turn is over when all are sent.
    pub(super) async fn publish(&self, zone: ZoneChanges, turn: SemaphorePermit<'_>) {
        let apex = zone.apex();
        let mut ledger = Ledger::new(&zone);
        let managed_zone = match self.managed_zones.of(&self.google, apex).await {
            Ok(managed_zone) => managed_zone,
            Err(error) => {
                zone.report_all(Outcome::Refused(in_one_line(&error)));
                ledger.close();
                return;
            }
        };
        let mut work = Work::new(zone.changes(), self.quota().await);
        loop {
            // What is said to be sent from here on is.
            if self.host.is_cancelled() {
                return;
            }
            let turn = work.next();
            ledger.note(work.news());
            if matches!(turn.step, Step::Done) {
                break;
            }
            if !self.pause(turn.failures).await {
                return;
            }
            let reply = match turn.step {
                Step::Send(body) => self.send(&managed_zone, body).await,
                Step::Look(places) => self.look(apex, &managed_zone, places).await,
                Step::Done => break,
            };
            debug!(
                zone = %apex, managed_zone = managed_zone.name, %reply,
                "answer to a change, or what is served"
            );
            work.answer(reply);
            ledger.note(work.news());
        }
        drop(turn);
        let tally = work.tally();
        if tally.splits > 1 {
            info!(
                zone = %apex,
                changes = tally.splits,
                "what there is to change was split over several changes of Cloud DNS"
            );
        }
        if tally.extra > 0 {
            let (changes, looks) = (tally.extra, tally.looks);
            debug!(zone = %apex, changes, looks, "changes were sent again");
        }
        self.settle(apex, &managed_zone, work.into_made(), &ledger)
            .await;
    }

    /// What the project may have. Who may not know gets what is documented.
    async fn quota(&self) -> Quota {
        let ask = async || {
            let version = self.managed_zones.api_version();
            let project = self.managed_zones.project();
            let segments = ["dns", version, "projects", project];
            let url = self.google.url(Service::Dns, &segments).ok()?;
            let told = match self.google.get(&url).await {
                Ok(body) => Quota::of_project(&body).map_err(|error| in_one_line(&error)),
                Err(fault) => Err(in_one_line(&fault)),
            };
            match told {
                Ok(quota) => {
                    debug!(project, ?quota, "quota of the project");
                    Some(quota)
                }
                Err(reason) => {
                    info!(
                        project,
                        reason, "the quota of the project is not known, what is usual is taken"
                    );
                    None
                }
            }
        };
        let quota = self
            .quota
            .get_or_init(async || ask().await.unwrap_or(Quota::DOCUMENTED));
        *quota.await
    }

    /// `changes.create`. It is not repeated by itself: what is served tells first whether it was made.
    async fn send(&self, managed_zone: &ManagedZone, body: Vec<u8>) -> Reply {
        let url = self
            .managed_zones
            .url(&self.google, &managed_zone.name, &["changes"]);
        let url = match url {
            Ok(url) => url,
            Err(error) => return Reply::NotSent(in_one_line(&error)),
        };
        match self.google.post(&url, body.into(), false).await {
            Ok(body) => match serde_json::from_slice::<Created>(&body) {
                Ok(created) => {
                    let is_done = created.is_done();
                    Reply::Made {
                        id: created.id,
                        is_done,
                    }
                }
                Err(error) => Reply::Lost(format!("the answer cannot be read: {error}")),
            },
            Err(fault) if fault.may_have_been_done() => Reply::Lost(told(&fault)),
            Err(fault) => match Refusal::of(&fault, &self.needed()) {
                Some(refusal) => Reply::Refused(refusal),
                None => Reply::NotSent(told(&fault)),
            },
        }
    }

    /// What an account needs to make changes.
    fn needed(&self) -> String {
        format!(
            "the account needs the role `roles/dns.admin` in project `{}` (permission \
             `dns.changes.create`), and the token the scope `ndev.clouddns.readwrite` or \
             `cloud-platform`",
            self.managed_zones.project()
        )
    }

    /// `resourceRecordSets.list`, at the places alone if they are few.
    ///
    /// A name has several spellings (RFC 1035, section 5.1), and Google does not say whether a listing by
    /// name knows all of them. So what is not found by its name is looked for among everything.
    async fn look(
        &self,
        apex: NameRef<'_>,
        managed_zone: &ManagedZone,
        places: BTreeSet<Place>,
    ) -> Reply {
        let url = self
            .managed_zones
            .url(&self.google, &managed_zone.name, &["rrsets"]);
        let mut url = match url {
            Ok(url) => url,
            Err(error) => return Reply::NotSent(in_one_line(&error)),
        };
        url.query_pairs_mut()
            .append_pair("fields", record_sets::FIELDS);
        let mut by_name = Vec::new();
        if places.len() <= MOST_SINGLE_LOOKS {
            by_name.extend(places.iter().map(|(owner, rtype)| {
                let mut url = url.clone();
                url.query_pairs_mut()
                    .append_pair("name", &owner.to_string())
                    .append_pair("type", &rtype.to_string());
                url
            }));
        }
        debug!(zone = %apex, places = places.len(), "looks at what is served");
        let mut served = Served::at(places);
        for url in by_name.iter().chain([&url]) {
            if served.is_everywhere() {
                break;
            }
            let looked = self.google.pages(url, |page| served.take(page)).await;
            if let Err(fault) = looked {
                return Reply::NotSent(told(&fault));
            }
        }
        Reply::Served(served)
    }

    /// Waits before something is sent again; whether the run still goes on.
    async fn pause(&self, failures: u32) -> bool {
        if failures == 0 {
            return true;
        }
        let longest = PAUSE.saturating_mul(1 << failures.min(16));
        // Between half and all of it, so that those who failed together do not come back together.
        let pause = longest / 2 + up_to(longest / 2);
        tokio::select! {
            () = tokio::time::sleep(pause) => true,
            () = self.host.cancelled() => false,
        }
    }
}

/// A fault with its causes and, where there is one, the way out of it.
pub(super) fn told(fault: &Fault) -> String {
    match fault.hint() {
        Some(hint) => format!("{}; {hint}", in_one_line(fault)),
        None => in_one_line(fault),
    }
}
