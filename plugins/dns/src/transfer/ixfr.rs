//! The answer to IXFR.

use std::mem;

use janitor_plugin_api::dns::{Name, Rtype, Serial};

use super::Progress;
use super::differences::{Differences, Steps};
use super::fault::{Reason, TransferFault};
use super::record::{Record, Scratch};
use super::whole::{Soa, Tally, Transferred, Whole};

/// The answer to an IXFR query (RFC 1995, section 4), message by message.
///
/// What kind of answer it is, its second record says; a server may send the first in a message of its own.
pub(crate) struct Ixfr {
    apex: Name,
    have: Serial,
    most_octets: usize,
    tally: Tally,
    scratch: Scratch,
    state: State,
}

enum State {
    Start,
    /// After the first SOA.
    First(Soa),
    UpToDate(Serial),
    Steps(Steps),
    Whole(Box<Whole>),
}

/// What an IXFR query was answered.
#[derive(Debug)]
pub(crate) enum Increment {
    /// The zone has not moved from the serial asked with.
    UpToDate(Serial),
    /// What changed since that serial.
    Differences(Differences),
    /// The whole zone (RFC 1995, section 4: the server does not have the differences, or they are larger).
    Whole(Transferred),
}

impl Increment {
    /// Returns the serial of the latest version that the answer tells of.
    pub(crate) fn serial(&self) -> Serial {
        match self {
            Self::UpToDate(serial) => *serial,
            Self::Differences(differences) => differences.to(),
            Self::Whole(whole) => whole.serial,
        }
    }
}

impl Ixfr {
    /// Starts with no message, for a query that said that version `have` of the zone is there already.
    ///
    /// Differences that take more than `most_octets` in memory are a fault.
    pub(crate) fn new(apex: Name, have: Serial, most_octets: usize) -> Self {
        Self {
            apex,
            have,
            most_octets,
            tally: Tally::default(),
            scratch: Scratch::default(),
            state: State::Start,
        }
    }

    /// Takes the next message, its TSIG removed.
    ///
    /// # Errors
    ///
    /// [`TransferFault`] if it does not continue the answer; whatever comes then has the same fault.
    pub(crate) fn take(&mut self, message: &[u8]) -> Result<Progress, TransferFault> {
        let Self {
            apex,
            have,
            most_octets,
            tally,
            scratch,
            state,
        } = self;
        let progress = tally.read(message, scratch, |record| match state {
            State::Whole(whole) => whole.take(record),
            State::Steps(steps) => steps.take(record),
            _ => {
                let (next, progress) = begin(
                    mem::replace(state, State::Start),
                    record,
                    apex,
                    *have,
                    *most_octets,
                )?;
                *state = next;
                Ok(progress)
            }
        })?;
        let State::First(soa) = state else {
            return Ok(progress);
        };
        // A SOA alone: later than ours, it is the beginning of more.
        let theirs = soa.serial;
        if theirs == *have {
            *state = State::UpToDate(theirs);
            return Ok(Progress::Done);
        }
        if !theirs.is_after(*have) {
            let ours = *have;
            return Err(tally.fail(Reason::Older { ours, theirs }));
        }
        Ok(Progress::More)
    }

    /// Returns what the answer was.
    ///
    /// # Errors
    ///
    /// [`TransferFault`] if there was one, if the last message was not the end, or if the zone is larger than a zone
    /// can be.
    pub(crate) fn finish(mut self) -> Result<Increment, TransferFault> {
        self.tally.check()?;
        let increment = match self.state {
            State::UpToDate(serial) => Ok(Increment::UpToDate(serial)),
            State::Steps(steps) => steps.finish().map(Increment::Differences),
            State::Whole(whole) => whole.finish(&self.tally).map(Increment::Whole),
            State::Start | State::First(_) => Err(Reason::MissingLastSoa),
        };
        increment.map_err(|reason| self.tally.fail(reason))
    }
}

/// Takes the first or the second record, which tells what the answer is.
fn begin(
    state: State,
    record: &Record<'_>,
    apex: &Name,
    have: Serial,
    most_octets: usize,
) -> Result<(State, Progress), Reason> {
    let first = match state {
        State::First(first) => first,
        State::Start => {
            let first = Soa::first(record, apex)?;
            return Ok((State::First(first), Progress::More));
        }
        _ => return Err(Reason::AfterEnd),
    };
    if record.rtype == Rtype::SOA {
        let second = Soa::of(record, apex)?;
        // The same serial again ends a zone that has nothing but its SOA.
        if second.serial != first.serial {
            if second.serial != have {
                return Err(Reason::OtherSerial {
                    expected: have,
                    given: second.serial,
                });
            }
            let steps = Steps::new(apex, first, second, most_octets)?;
            return Ok((State::Steps(steps), Progress::More));
        }
    }
    let mut whole = Whole::new(apex, first)?;
    let progress = whole.take(record)?;
    Ok((State::Whole(Box::new(whole)), progress))
}

#[cfg(test)]
mod tests;
