//! The answer to AXFR.

use janitor_plugin_api::dns::Name;

use super::Progress;
use super::fault::{Reason, TransferFault};
use super::record::Scratch;
use super::whole::{Soa, Tally, Transferred, Whole};

/// The answer to an AXFR query (RFC 5936, section 2.2), message by message.
pub(crate) struct Axfr {
    apex: Name,
    tally: Tally,
    scratch: Scratch,
    whole: Option<Whole>,
}

impl Axfr {
    /// Starts with no message.
    pub(crate) fn new(apex: Name) -> Self {
        Self {
            apex,
            tally: Tally::default(),
            scratch: Scratch::default(),
            whole: None,
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
            tally,
            scratch,
            whole,
        } = self;
        tally.read(message, scratch, |record| match whole {
            Some(whole) => whole.take(record),
            None => {
                *whole = Some(Whole::new(apex, Soa::first(record, apex)?)?);
                Ok(Progress::More)
            }
        })
    }

    /// Returns the zone.
    ///
    /// # Errors
    ///
    /// [`TransferFault`] if there was one, if the last message was not the end, or if the zone is larger than a zone
    /// can be.
    pub(crate) fn finish(mut self) -> Result<Transferred, TransferFault> {
        self.tally.check()?;
        let zone = match self.whole {
            Some(whole) => whole.finish(&self.tally),
            None => Err(Reason::MissingLastSoa),
        };
        zone.map_err(|reason| self.tally.fail(reason))
    }
}

#[cfg(test)]
mod tests;
