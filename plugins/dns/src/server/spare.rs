//! Connections that nobody uses at the moment, of all servers of a plugin.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Server;
use crate::connection::Idle;

/// How long a connection is kept for the next request. Servers close idle ones after some seconds
/// themselves (RFC 7766, section 6.2.3), and a request on a closed connection costs a second try.
const KEPT: Duration = Duration::from_secs(5);

/// How many are kept at most: each has a descriptor and a buffer, and there may be thousands of servers.
const MOST: usize = 128;

/// Connections whose last exchange is over, the latest last.
#[derive(Default)]
pub(super) struct Spare(Mutex<VecDeque<Entry>>);

struct Entry {
    since: Instant,
    /// Where the server that it belongs to is in memory, and the permits that it shares with others.
    server: usize,
    permits: usize,
    idle: Idle,
}

impl Spare {
    /// A connection to `server` that is still good as far as can be seen without sending anything.
    pub(super) fn take(&self, server: &Server) -> Option<Idle> {
        let mut all = self.lock();
        let number = std::ptr::from_ref(server).addr();
        while let Some(at) = all.iter().rposition(|entry| entry.server == number) {
            let found = all.remove(at).map(|entry| entry.idle);
            if let Some(mut idle) = found
                && idle.is_open()
            {
                return Some(idle);
            }
        }
        None
    }

    /// Takes a connection to `server` back.
    pub(super) fn keep(&self, server: &Server, idle: Idle) {
        let mut all = self.lock();
        all.push_back(Entry {
            since: Instant::now(),
            server: std::ptr::from_ref(server).addr(),
            permits: permits_of(server),
            idle,
        });
        if all.len() > MOST {
            all.pop_front();
        }
    }

    /// Closes connections to the address of `server`, whatever keys they are for, until those in use, for
    /// which there are permits, and the others are no more than there are permits.
    pub(super) fn make_room(&self, server: &Server) {
        let mut all = self.lock();
        let permits = permits_of(server);
        let there = all.iter().filter(|entry| entry.permits == permits).count();
        let mut excess = there.saturating_sub(server.permits.available_permits());
        all.retain(|entry| {
            let is_closed = excess > 0 && entry.permits == permits;
            excess -= usize::from(is_closed);
            !is_closed
        });
    }

    /// The connections, without those that were kept for too long.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let old = all.partition_point(|entry| entry.since.elapsed() >= KEPT);
        all.drain(..old);
        all
    }
}

fn permits_of(server: &Server) -> usize {
    Arc::as_ptr(&server.permits).addr()
}

#[cfg(test)]
mod tests;
