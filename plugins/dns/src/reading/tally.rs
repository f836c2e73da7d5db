//! How much was read from which server, and in which way.

use std::cell::RefCell;
use std::collections::BTreeMap;

use janitor_plugin_api::{Host, Scalar};

use crate::server::Server;

/// The way in which a zone was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// Whole.
    Axfr,
    /// By its differences from the kept copy, or whole in their place.
    Ixfr,
    /// From the kept copy, since nothing has changed.
    Kept,
}

impl Way {
    const fn word(self) -> &'static str {
        match self {
            Self::Axfr => "axfr",
            Self::Ixfr => "ixfr",
            Self::Kept => "kept",
        }
    }
}

/// What was read from every server so far.
#[derive(Default)]
pub(crate) struct Tally(RefCell<BTreeMap<String, OfServer>>);

#[derive(Default)]
struct OfServer {
    ways: BTreeMap<Way, (u64, Amount)>,
    failures: i64,
}

/// What was transferred.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Amount {
    pub(super) records: u64,
    pub(super) octets: u64,
}

impl Tally {
    /// A zone that the server gave, and what it transferred for it.
    pub(super) fn read(&self, server: &Server, way: Way, amount: Amount) {
        self.change(server, |of_server| {
            let (zones, sum) = of_server.ways.entry(way).or_default();
            *zones += 1;
            sum.records += amount.records;
            sum.octets += amount.octets;
        });
    }

    /// A zone that the server did not give.
    pub(super) fn failed(&self, server: &Server) {
        self.change(server, |of_server| of_server.failures += 1);
    }

    /// How many zones each server did not give.
    #[cfg(test)]
    pub(super) fn failures(&self) -> BTreeMap<String, i64> {
        let servers = self.0.borrow();
        let failures = servers
            .iter()
            .map(|(server, of_server)| (server.clone(), of_server.failures));
        failures.collect()
    }

    fn change(&self, server: &Server, change: impl FnOnce(&mut OfServer)) {
        let mut servers = self.0.borrow_mut();
        match servers.get_mut(server.shown()) {
            Some(of_server) => change(of_server),
            None => change(servers.entry(server.shown().to_owned()).or_default()),
        }
    }

    /// Hands everything on as measurements, and begins anew.
    pub(super) fn measure(&self, host: &Host) {
        for (server, OfServer { ways, failures }) in self.0.take() {
            for (way, (zones, amount)) in ways {
                let context = [
                    ("server", Scalar::from(server.as_str())),
                    ("way", Scalar::from(way.word())),
                ];
                host.increment("dns-zones-read", count(zones), &context);
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
