//! What is known of each change of a zone, and has been reported.

use janitor_plugin_api::{Outcome, ZoneChanges};

use super::work::Fate;

/// Reports on the changes of one zone.
///
/// However the work on the zone ends, what was not sent is reported as refused when this is dropped, and
/// what was sent and not answered as unknown.
pub(super) struct Ledger<'a> {
    zone: &'a ZoneChanges,
    states: Vec<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Sent,
    Over,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(zone: &'a ZoneChanges) -> Self {
        let states = vec![State::Waiting; zone.changes().len()];
        Self { zone, states }
    }

    /// Notes what became of changes, and reports what is not going to change any more.
    ///
    /// What is made counts as accepted until it is known to be visible.
    pub(super) fn note(&mut self, news: Vec<(u32, Fate)>) {
        for (index, fate) in news {
            let (state, outcome) = match fate {
                Fate::Waiting => (State::Waiting, None),
                Fate::Sent => (State::Sent, None),
                Fate::Made => (State::Over, Some(Outcome::Accepted)),
                Fate::Refused(reason) => (State::Over, Some(Outcome::Refused(reason))),
                Fate::Unknown(reason) => (State::Over, Some(Outcome::Unknown(reason))),
            };
            let at = usize::try_from(index).ok();
            if let Some(known) = at.and_then(|at| self.states.get_mut(at)) {
                *known = state;
            }
            if let Some(outcome) = outcome {
                self.zone.report(index, outcome);
            }
        }
    }

    /// Notes that everything has been reported elsewhere.
    pub(super) fn close(&mut self) {
        self.states.fill(State::Over);
    }

    /// Reports changes that are visible.
    pub(super) fn applied(&self, indices: &[u32]) {
        for &index in indices {
            self.zone.report(index, Outcome::Applied);
        }
    }
}

impl Drop for Ledger<'_> {
    fn drop(&mut self) {
        for (index, state) in (0..).zip(&self.states) {
            let outcome = match state {
                State::Waiting => Outcome::Refused("the run ended before it was sent".to_owned()),
                State::Sent => Outcome::Unknown(
                    "it was sent, and the run ended before the answer came".to_owned(),
                ),
                State::Over => continue,
            };
            self.zone.report(index, outcome);
        }
    }
}
