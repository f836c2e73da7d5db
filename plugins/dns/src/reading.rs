//! Reads one zone from its servers, one after the other until one gives it.
//!
//! ```text
//! server 1 ─► transfer ─► the zone          whoever gives it first ends the search
//!    │ any fault
//!    ▼
//! server 2 ─► …                             all under one deadline
//!    │
//!    ▼
//! no zone, with what came of every server
//! ```

mod failure;
mod settings;
mod tally;

use std::time::Duration;

use futures_util::TryFutureExt as _;
use janitor_plugin_api::dns::{ActualZone, Name, NameRef};
use janitor_plugin_api::{Error, Host};
use tokio::time::timeout;
use tracing::debug;

use crate::connection::Connection;
use crate::fault::Fault;
use crate::message::Request;
use crate::server::{Network, Server};
use crate::settings::NetworkSettings;
use crate::transfer::{Axfr, Progress, TransferFault, Transferred};
use failure::Attempts;
pub(crate) use settings::{ReadingSettings, with_reading};
use tally::{Tally, Way};

/// Octets of a transfer after which other zones have their turn: reads take turns on one thread, and
/// what has arrived already waits for nothing.
const TURN: usize = 256 << 10;

/// Reads zones from name servers.
pub(crate) struct Reader {
    network: Network,
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
            deadline: settings.deadline,
            at_once: settings.at_once,
            tally: Tally::default(),
        })
    }

    /// How many zones are read at the same time.
    pub(crate) fn at_once(&self) -> usize {
        self.at_once
    }

    /// The servers of the zone at `apex`, for those who only want to know whether there are any.
    ///
    /// # Errors
    ///
    /// [`Error::zone`] if there are none.
    pub(crate) fn knows_servers_of(&self, apex: NameRef<'_>) -> Result<(), Error> {
        self.network.servers(apex).map(drop)
    }

    /// Reads the zone at `apex` whole, from the first of its servers that gives it. May be dropped at any
    /// time.
    ///
    /// # Errors
    ///
    /// [`Error::zone`] with what came of every server.
    pub(crate) async fn read(&self, apex: NameRef<'_>) -> Result<ActualZone, Error> {
        let servers = self.network.servers(apex)?;
        let apex = apex.to_owned();
        let mut attempts = Attempts::new(servers);
        let search = async {
            for server in servers {
                match self.read_from(server, &apex).await {
                    Ok(zone) => return Some(zone),
                    Err(reason) => {
                        debug!(zone = %apex, server = server.shown(), %reason, "zone not read");
                        self.tally.failed(server);
                        attempts.failed(reason);
                    }
                }
            }
            None
        };
        match timeout(self.deadline, search).await {
            Ok(Some(zone)) => Ok(zone),
            Ok(None) => Err(attempts.into_error()),
            Err(_) => Err(attempts.out_of_time(self.deadline).into_error()),
        }
    }

    async fn read_from(
        &self,
        server: &std::sync::Arc<Server>,
        apex: &Name,
    ) -> Result<ActualZone, Unread> {
        let mut connection = server.connection().await?;
        let whole = transfer(&mut connection, apex).await?;
        self.tally.read(server, Way::Axfr, &whole);
        debug!(
            zone = %apex, server = server.shown(), serial = %whole.serial, records = whole.records,
            messages = whole.messages, octets = whole.octets, ttl_conflicts = whole.ttl_conflicts,
            "zone transferred"
        );
        Ok(whole.zone)
    }

    /// Says what was read from each server, once everything was.
    pub(crate) fn measure(&self, host: &Host) {
        self.tally.measure(host);
    }
}

/// Transfers the zone at `apex` whole (RFC 5936).
async fn transfer(connection: &mut Connection, apex: &Name) -> Result<Transferred, Unread> {
    let mut exchange = connection.ask(Request::Axfr(apex.clone())).await?;
    let mut axfr = Axfr::new(apex.clone());
    let mut turn = Turn::default();
    loop {
        let message = exchange.next().await?.no_error()?.octets();
        if axfr.take(message)? == Progress::Done {
            break;
        }
        let octets = message.len();
        turn.pass_after(octets).await;
    }
    // Nothing of an answer counts before its last signature does.
    exchange.done()?;
    Ok(axfr.finish()?)
}

/// Lets others have their turn now and then.
#[derive(Default)]
struct Turn(usize);

impl Turn {
    async fn pass_after(&mut self, octets: usize) {
        self.0 += octets;
        if self.0 >= TURN {
            self.0 = 0;
            tokio::task::yield_now().await;
        }
    }
}

/// Why a server did not give a zone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error(transparent)]
    Transfer(#[from] TransferFault),
}
