//! How many requests were made, of whom, and what they brought.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use janitor_plugin_api::{Host, Scalar};

/// What was asked of every host so far.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<BTreeMap<String, OfHost>>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OfHost {
    pub(super) requests: u64,
    pub(super) repetitions: u64,
    pub(super) octets: u64,
}

impl Tally {
    /// A request that was sent, and how much came back.
    pub(super) fn answered(&self, host: &str, octets: usize) {
        self.change(host, |of_host| {
            of_host.requests += 1;
            of_host.octets += octets as u64;
        });
    }

    /// A request that is sent once more.
    pub(super) fn repeated(&self, host: &str) {
        self.change(host, |of_host| of_host.repetitions += 1);
    }

    fn change(&self, host: &str, change: impl FnOnce(&mut OfHost)) {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match hosts.get_mut(host) {
            Some(of_host) => change(of_host),
            None => change(hosts.entry(host.to_owned()).or_default()),
        }
    }

    /// Takes what was counted, and begins anew.
    pub(super) fn take(&self) -> BTreeMap<String, OfHost> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Hands everything on as measurements, and begins anew.
    pub(super) fn measure(&self, host: &Host) {
        for (server, of_host) in self.take() {
            let context = [("host", Scalar::from(server.as_str()))];
            host.increment("gcp-requests", count(of_host.requests), &context);
            host.increment("gcp-octets-read", count(of_host.octets), &context);
            if of_host.repetitions > 0 {
                host.increment("gcp-repetitions", count(of_host.repetitions), &context);
            }
        }
    }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
