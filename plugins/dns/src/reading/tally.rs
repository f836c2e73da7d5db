//! How much was read from which server, and in which way.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use janitor_plugin_api::{Host, Scalar};

use crate::server::Server;
use crate::transfer::Transferred;

/// The way in which a zone was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// Whole.
    Axfr,
}

impl Way {
    const fn word(self) -> &'static str {
        match self {
            Self::Axfr => "axfr",
        }
    }
}

/// What was read from every server so far.
#[derive(Default)]
pub(crate) struct Tally(RefCell<BTreeMap<String, OfServer>>);

#[derive(Default)]
struct OfServer {
    ways: BTreeMap<Way, Amount>,
    failures: i64,
}

#[derive(Clone, Copy, Default)]
struct Amount {
    zones: u64,
    records: u64,
    octets: u64,
}

impl Tally {
    /// A zone that was transferred whole.
    pub(super) fn read(&self, server: &Arc<Server>, way: Way, whole: &Transferred) {
        self.change(server, |of_server| {
            let amount = of_server.ways.entry(way).or_default();
            amount.zones += 1;
            amount.records += whole.records;
            amount.octets += whole.octets;
        });
    }

    /// A zone that the server did not give.
    pub(super) fn failed(&self, server: &Arc<Server>) {
        self.change(server, |of_server| of_server.failures += 1);
    }

    fn change(&self, server: &Arc<Server>, change: impl FnOnce(&mut OfServer)) {
        let mut servers = self.0.borrow_mut();
        match servers.get_mut(server.shown()) {
            Some(of_server) => change(of_server),
            None => change(servers.entry(server.shown().to_owned()).or_default()),
        }
    }

    /// Hands everything on as measurements, and begins anew.
    pub(super) fn measure(&self, host: &Host) {
        for (server, OfServer { ways, failures }) in self.0.take() {
            for (way, amount) in ways {
                let context = [
                    ("server", Scalar::from(server.as_str())),
                    ("way", Scalar::from(way.word())),
                ];
                host.increment("dns-zones-read", count(amount.zones), &context);
                host.increment("dns-records-read", count(amount.records), &context);
                host.increment("dns-octets-read", count(amount.octets), &context);
            }
            if failures > 0 {
                let context = [("server", Scalar::from(server.as_str()))];
                host.increment("dns-zones-not-read", failures, &context);
            }
        }
    }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
