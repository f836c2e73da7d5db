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
    Taken,
    Over,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(zone: &'a ZoneChanges) -> Self {
        let states = vec![State::Waiting; zone.changes().len()];
        Self { zone, states }
    }

    /// Notes what became of changes, and reports what is not going to change any more.
    ///
    /// What the primary has taken counts as accepted until it has been read back.
    pub(super) fn note(&mut self, news: Vec<(u32, Fate)>) {
        for (index, fate) in news {
            let (state, outcome) = match fate {
                Fate::Sent => (State::Sent, None),
                Fate::Taken => (State::Taken, Some(Outcome::Accepted)),
                Fate::Refused(reason) => (State::Over, Some(Outcome::Refused(reason))),
                Fate::Unknown(reason) => (State::Over, Some(Outcome::Unknown(reason))),
            };
            self.set(index, state);
            if let Some(outcome) = outcome {
                self.zone.report(index, outcome);
            }
        }
    }

    /// Reports what reading back has found.
    pub(super) fn conclude(&mut self, index: u32, outcome: Outcome) {
        self.set(index, State::Over);
        self.zone.report(index, outcome);
    }

    /// The changes that the primary says it has made.
    pub(super) fn taken(&self) -> impl Iterator<Item = u32> {
        let states = (0..).zip(&self.states);
        states.filter_map(|(index, state)| (*state == State::Taken).then_some(index))
    }

    fn set(&mut self, index: u32, state: State) {
        let at = usize::try_from(index).ok();
        if let Some(known) = at.and_then(|at| self.states.get_mut(at)) {
            *known = state;
        }
    }
}

impl Drop for Ledger<'_> {
    fn drop(&mut self) {
        for (index, state) in (0..).zip(&self.states) {
            let outcome = match state {
                State::Waiting => {
                    Outcome::Refused("the run ended before they were sent".to_owned())
                }
                State::Sent => Outcome::Unknown(
                    "they were sent, and the run ended before the answer came".to_owned(),
                ),
                State::Taken | State::Over => continue,
            };
            self.zone.report(index, outcome);
        }
    }
}
