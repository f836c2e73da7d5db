//! Reads one zone from its servers, one after the other until one gives it.
//!
//! ```text
//! for each server, until one gives the zone, all under one deadline
//!
//!   kept copy of what it served? ── no ──────────────────────────────► AXFR ─► keep it
//!       │ yes                                                           ▲
//!       ▼                                                               │
//!      SOA ── the same serial, the same SOA ─► read the copy ── fault ──┤
//!       │                                                               │
//!       ├──── a later serial ─► IXFR ─► differences ─► apply ── fault ──┤
//!       │                        │                                      │
//!       │                        └──── refused, up to date, any fault ──┤
//!       └──── an earlier serial, the same serial of another SOA ────────┘
//!
//!   a server that cannot be asked, or does not give the zone: the next one
//! ```

mod doubt;
mod exchange;
mod failure;
mod settings;
mod tally;

use std::sync::Arc;
use std::time::Duration;

use janitor_plugin_api::dns::{ActualZone, Name, NameRef};
use janitor_plugin_api::{Error, Host, in_one_line};
use tokio::time::timeout;
use tracing::{debug, trace, warn};

use crate::connection::Connection;
use crate::fault::Fault;
use crate::kept::{Kept, KeptFault, Store};
use crate::server::{Network, Server};
use crate::settings::NetworkSettings;
use crate::transfer::{Increment, TransferFault, Transferred};
use doubt::{Doubt, Judgement, judge};
use failure::Attempts;
pub(crate) use settings::{ReadingSettings, with_reading};
use tally::{Amount, Tally, Way};

/// Reads zones from name servers.
pub(crate) struct Reader {
    network: Network,
    store: Option<Store>,
    deadline: Duration,
    at_once: usize,
    tally: Tally,
}

impl Reader {
    /// A reader that asks the servers of `network`.
    ///
    /// # Errors
    ///
    /// [`Error::config`] for whatever of the settings cannot be used.
    pub(crate) fn new(
        network: &NetworkSettings,
        settings: &ReadingSettings,
        host: &Host,
    ) -> Result<Self, Error> {
        Ok(Self {
            network: Network::new(network, host)?,
            store: settings.max_kept_age.map(|max_age| {
                let directory = host.state_directory().join("zones");
                Store::new(directory, max_age)
            }),
            deadline: settings.deadline,
            at_once: settings.at_once,
            tally: Tally::default(),
        })
    }

    /// How many zones are read at the same time.
    pub(crate) fn at_once(&self) -> usize {
        self.at_once
    }

    /// Whether the settings name a server for the zone at `apex`.
    pub(crate) fn knows_servers_of(&self, apex: NameRef<'_>) -> bool {
        self.network.servers(apex).is_ok()
    }

    /// Reads the zone at `apex` whole, from the first of its servers that gives it. May be dropped at any
    /// time.
    ///
    /// # Errors
    ///
    /// [`Error::zone`] with what came of every server.
    pub(crate) async fn read(&self, apex: NameRef<'_>) -> Result<ActualZone, Error> {
        let servers = self.network.servers(apex)?;
        let found = self.search(servers, apex).await;
        found.map_err(|failure| {
            failure.into_error(|links| Error::zone("cannot transfer the zone", links))
        })
    }

    /// The same, for a zone without which nothing goes on.
    ///
    /// # Errors
    ///
    /// [`Error::retry`] that says `cannot`, with what came of every server.
    pub(crate) async fn read_needed(
        &self,
        apex: NameRef<'_>,
        cannot: String,
    ) -> Result<ActualZone, Error> {
        let servers = self.network.servers(apex)?;
        let found = self.search(servers, apex).await;
        found.map_err(|failure| failure.into_error(|links| Error::retry(cannot, links)))
    }

    async fn search<'a>(
        &self,
        servers: &'a [Arc<Server>],
        apex: NameRef<'_>,
    ) -> Result<ActualZone, Attempts<'a>> {
        let apex = apex.to_owned();
        let mut attempts = Attempts::new(servers);
        let search = async {
            for server in servers {
                match self.read_from(server, &apex).await {
                    Ok(zone) => return Some(zone),
                    Err(reason) => {
                        let reason = attempts.failed(&reason);
                        debug!(zone = %apex, server = server.shown(), reason, "zone not read");
                        self.tally.failed(server);
                    }
                }
            }
            None
        };
        match timeout(self.deadline, search).await {
            Ok(Some(zone)) => Ok(zone),
            Ok(None) => Err(attempts),
            Err(_) => {
                if let Some(server) = attempts.next() {
                    self.tally.failed(server);
                }
                Err(attempts.out_of_time(self.deadline))
            }
        }
    }

    async fn read_from(&self, server: &Arc<Server>, apex: &Name) -> Result<ActualZone, Unread> {
        let mut connection = server.connection().await?;
        debug!(zone = %apex, server = server.shown(), "zone asked for");
        if let Some(store) = &self.store
            && let Some(kept) = store.open(apex.as_ref(), &connection.identity())
        {
            match self.read_kept(kept, &mut connection, apex).await? {
                Found::Zone(zone) => return Ok(zone),
                Found::Whole(whole) => return Ok(self.whole(connection, Way::Ixfr, whole)),
                Found::Doubt(doubt) => {
                    // At once: the zone may not be transferred now, and its serial may pass by that of
                    // the copy later.
                    store.throw_away(apex.as_ref());
                    let reason = in_one_line(&doubt);
                    if matches!(doubt, Doubt::Kept(_)) {
                        warn!(zone = %apex, reason, "kept copy of the zone thrown away");
                    } else {
                        debug!(zone = %apex, server = server.shown(), reason, "zone transferred whole");
                    }
                }
            }
        }
        let whole = exchange::whole(&mut connection, apex).await?;
        Ok(self.whole(connection, Way::Axfr, whole))
    }

    /// Reads a zone of which there is a copy.
    ///
    /// # Errors
    ///
    /// The server cannot be asked at all. Whatever else is wrong is a doubt.
    async fn read_kept(
        &self,
        kept: Kept,
        connection: &mut Connection,
        apex: &Name,
    ) -> Result<Found, Unread> {
        let soa = match exchange::soa(connection, apex).await {
            Ok(Some(soa)) => soa,
            Ok(None) => return Ok(Found::Doubt(Doubt::NoAuthority)),
            // There are servers that allow transfers and no questions.
            Err(fault @ (Fault::Rcode(_) | Fault::Unfit(_))) => {
                return Ok(Found::Doubt(Doubt::NoSoa(fault)));
            }
            Err(fault) => return Err(fault.into()),
        };
        let server = Arc::clone(connection.server());
        let serial = kept.serial();
        if connection.identity() != kept.identity() {
            return Ok(Found::Doubt(Doubt::OtherAddress));
        }
        match judge(&kept, &soa) {
            Judgement::Doubtful(doubt) => return Ok(Found::Doubt(doubt)),
            Judgement::Behind => {}
            Judgement::Current => {
                let zone = match kept.read() {
                    Ok(zone) => zone,
                    Err(fault) => return Ok(Found::Doubt(fault.into())),
                };
                debug!(zone = %apex, server = server.shown(), %serial, "zone is as it was kept");
                self.tally.read(&server, Way::Kept, Amount::default());
                return Ok(Found::Zone(zone));
            }
        }
        let (increment, octets) = match exchange::since(connection, apex, &kept).await {
            Ok(answer) => answer,
            Err(fault) => return Ok(Found::Doubt(Doubt::NoDifferences(fault))),
        };
        if connection.identity() != kept.identity() {
            return Ok(Found::Doubt(Doubt::OtherAddress));
        }
        let (told, served) = (increment.serial(), soa.serial);
        if served.is_after(told) {
            return Ok(Found::Doubt(Doubt::Older { told, served }));
        }
        let differences = match increment {
            Increment::Differences(differences) => differences,
            Increment::Whole(whole) => return Ok(Found::Whole(whole)),
            Increment::UpToDate(_) => return Ok(Found::Doubt(Doubt::Older { told, served })),
        };
        let zone = match kept.advance(&differences) {
            Ok(zone) => zone,
            Err(fault) => return Ok(Found::Doubt(fault.into())),
        };
        let mut records = 0;
        for step in differences.steps() {
            trace!(zone = %apex, from = %step.from, to = %step.to, "step of the differences");
            records += (step.deleted().count() + step.added().count()) as u64;
        }
        debug!(
            zone = %apex, server = server.shown(), from = %serial, serial = %differences.to(), records, octets,
            kept_octets = differences.octets(),
            "differences of the zone transferred"
        );
        self.tally
            .read(&server, Way::Ixfr, Amount { records, octets });
        Ok(Found::Zone(zone))
    }

    /// Notes a zone that was transferred whole, keeps it if copies are kept, and hands it on.
    fn whole(&self, connection: Connection, way: Way, whole: Transferred) -> ActualZone {
        let (server, identity) = (Arc::clone(connection.server()), connection.identity());
        // The server is free for others while we write.
        drop(connection);
        let Transferred {
            records, octets, ..
        } = whole;
        self.tally.read(&server, way, Amount { records, octets });
        debug!(
            zone = %whole.zone.apex(), server = server.shown(), serial = %whole.serial, records,
            messages = whole.messages, octets, ttl_conflicts = whole.ttl_conflicts,
            "zone transferred"
        );
        match self
            .store
            .as_ref()
            .map(|store| store.keep(&identity, &whole))
        {
            None | Some(Ok(())) => {}
            Some(Err(fault @ KeptFault::Inexact)) => {
                debug!(zone = %whole.zone.apex(), reason = in_one_line(&fault), "no copy of the zone kept");
            }
            Some(Err(fault)) => {
                warn!(zone = %whole.zone.apex(), reason = in_one_line(&fault), "cannot keep a copy of the zone");
            }
        }
        whole.zone
    }

    /// Says what was read from each server, once everything was.
    pub(crate) fn measure(&self, host: &Host) {
        self.tally.measure(host);
    }
}

/// What became of a kept copy.
enum Found {
    /// The zone as it is served.
    Zone(ActualZone),
    /// The server sent the zone whole in place of differences.
    Whole(Transferred),
    /// The zone has to be transferred whole.
    Doubt(Doubt),
}

/// Why a server did not give a zone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error(transparent)]
    Transfer(#[from] TransferFault),
}

#[cfg(test)]
mod tests;
