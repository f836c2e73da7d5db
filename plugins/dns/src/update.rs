//! Changes zones at their primary by UPDATE (RFC 2136).
//!
//! Every message carries its conditions, so the server makes the changes in it or none of them, and only
//! to what the plan was made from. What that comes down to for one zone is decided without any I/O:
//!
//! ```text
//! plan        what has to be sent together
//! condition   what has to be true before a change, and what is true after it
//! message     the octets of an UPDATE
//! batch       how much of a plan goes into one message
//! verdict     what an RCODE means
//! work        what to send next, and what follows from the answer
//! ```
//!
//! Here is what does it: the servers, the pauses, the reports.

mod plan;
mod condition;
mod names;
mod message;
mod batch;
mod verdict;
mod work;
mod primary;
mod ledger;
mod zone;

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use janitor_plugin_api::{ChangeReceiver, Error, Host, Publisher};
use tokio::sync::Semaphore;

use crate::server::Network;
use crate::settings::with_network;

/// Zones that are changed at once. More would wait for the connections of a server anyway.
const AT_ONCE: usize = 8;

/// Zones that are in memory at once: those that are changed, and those that wait for servers to serve what
/// was. A server that is down has all of them wait for as long as is set, so few would hold up the others.
const MOST_ZONES: usize = 1000;

with_network! {
    /// The table of `dns.update`.
    #[derive(Debug)]
    pub(crate) struct Settings {
        /// What to do with a zone whose serial is not the one that the changes were planned from.
        #[setting(default = "refuse")]
        if_moved: IfMoved,

        /// How often the same is sent to a server that fails or does not answer.
        #[setting(default = 3, min = 1, max = 10)]
        attempts: u32,

        /// How long to wait for every server of the zone to serve what was changed; 0: not at all.
        #[setting(default = 30.0, unit = "seconds", min = 0, max = 86400)]
        settle: f64,
    }
}

/// What a serial decides.
#[janitor_plugin_api::settings]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IfMoved {
    /// Nothing of the zone is changed.
    Refuse,
    /// Each RRset is changed if it is as planned.
    Compare,
}

/// The publisher `dns.update`.
pub(crate) struct Update {
    network: Network,
    if_moved: IfMoved,
    attempts: u32,
    settle: Duration,
    host: Host,
}

impl Publisher for Update {
    type Config = Settings;

    /// Each message has the planned state of every RRset it touches as its conditions (section 2.4).
    const CONDITIONAL: bool = true;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        Ok(Self {
            network: Network::new(&settings.network(), &host)?,
            if_moved: settings.if_moved,
            attempts: settings.attempts,
            settle: Duration::from_secs_f64(settings.settle),
            host,
        })
    }

    async fn run(&mut self, changes: &mut ChangeReceiver) -> Result<(), Error> {
        let this = &*self;
        let turns = Semaphore::new(AT_ONCE);
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
}

#[cfg(test)]
mod tests;
