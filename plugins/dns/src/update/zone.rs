//! The changes of one zone, from the first question to the last report.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use janitor_plugin_api::{Outcome, ZoneChanges, in_one_line};
use tokio::sync::SemaphorePermit;
use tracing::{debug, info, warn};

use super::ledger::Ledger;
use super::primary::Primary;
use super::work::{Rules, Step, Work};
use super::{IfMoved, Update};
use crate::read_back::{Question, Seen, read_back};

/// The first pause before the same is sent again. Each later one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

impl Update {
    /// Sends the changes of a zone and reports what became of each. Its turn is over when all are sent.
    pub(super) async fn publish(&self, zone: ZoneChanges, turn: SemaphorePermit<'_>) {
        let apex = zone.apex();
        let servers = match self.network.servers(apex) {
            Ok(servers) => servers,
            Err(error) => {
                zone.report_all(Outcome::Refused(in_one_line(&error)));
                return;
            }
        };
        let mut primary = Primary::new(apex, servers);
        let rules = Rules {
            limit: primary.limit(),
            attempts: self.attempts,
            serial_decides: self.if_moved == IfMoved::Refuse,
        };
        let mut work = Work::new(zone.changes(), zone.serial(), rules);
        let mut ledger = Ledger::new(&zone);
        loop {
            let turn = work.next();
            ledger.note(work.news());
            if matches!(turn.step, Step::Done) {
                break;
            }
            if self.host.is_cancelled() || !self.pause(turn.failures).await {
                return;
            }
            let Some(reply) = primary.take(turn.step).await else {
                break;
            };
            debug!(zone = %apex, %reply, "answer to an update, or to a question about it");
            work.answer(reply);
        }
        drop(turn);
        let tally = work.tally();
        if tally.batches > 1 {
            info!(
                zone = %apex,
                messages = tally.batches,
                split_owners = tally.split_owners,
                "the changes were split over several messages"
            );
        }
        if tally.rr_by_rr > 0 {
            info!(
                zone = %apex,
                rrsets = tally.rr_by_rr,
                "RRsets without room for both states in a message were changed RR by RR"
            );
        }
        if tally.extra > 0 {
            debug!(zone = %apex, messages = tally.extra, "more messages were sent");
        }
        if let Some(server) = primary.server() {
            let question = Question {
                apex,
                primary: server,
                servers,
                changes: zone.changes(),
                made: &ledger.taken().collect::<Vec<_>>(),
                before: work.served(),
            };
            self.read_back(question, &mut ledger).await;
        }
    }

    /// Looks whether what the primary has taken is served, by it and by the others.
    async fn read_back(&self, question: Question<'_>, ledger: &mut Ledger<'_>) {
        if question.made.is_empty() || self.settle.is_zero() {
            return;
        }
        let seen = tokio::select! {
            seen = read_back(question, self.settle) => seen,
            () = self.host.cancelled() => return,
        };
        let mut late = BTreeMap::<String, usize>::new();
        // What was made is in the order of the changes.
        let mut changes = (0..).zip(question.changes);
        for (&index, seen) in question.made.iter().zip(seen) {
            let Some((_, change)) = changes.find(|(at, _)| *at == index) else {
                continue;
            };
            match seen {
                // What answers cannot tell is left to the server's word.
                Seen::Everywhere | Seen::CannotTell => ledger.conclude(index, Outcome::Applied),
                Seen::NotYet(reason) => *late.entry(reason).or_default() += 1,
                Seen::NotAtPrimary(reason) => ledger.conclude(
                    index,
                    Outcome::Unknown(format!(
                        "{} of `{}`: the server says that it was done, and serves something else \
                         ({reason}): it passed over a part, or somebody else was there right after",
                        change.rtype(),
                        change.owner(),
                    )),
                ),
            }
        }
        for (reason, changes) in late {
            warn!(zone = %question.apex, changes, reason, "changes are not served everywhere yet");
        }
    }

    /// Waits before something is sent again; whether the run still goes on.
    async fn pause(&self, failures: u32) -> bool {
        if failures == 0 {
            return true;
        }
        let longest = PAUSE.saturating_mul(1 << failures.min(16)) / 2;
        let longest = longest.min(LONGEST_PAUSE);
        // Between half and all of it, so that those who failed together do not come back together.
        let random = RandomState::new().build_hasher().finish();
        let share = 0.5 + f64::from(u16::try_from(random & 0xffff).unwrap_or(0)) / 131_072.0;
        tokio::select! {
            () = tokio::time::sleep(longest.mul_f64(share)) => true,
            () = self.host.cancelled() => false,
        }
    }
}
