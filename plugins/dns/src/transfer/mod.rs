//! Zone transfers: from the octets of messages to a zone, or to differences between two of its versions.
//!
//! ```text
//! AXFR   SOA new, every other RR, SOA new                                    RFC 5936, section 2.2
//! IXFR   SOA new                                             nothing to do   RFC 1995, section 4
//!        SOA new, { SOA old, deleted RRs, SOA next, added RRs }…, SOA new    differences
//!        SOA new, every other RR, SOA new                                    the whole zone after all
//! ```
//!
//! An answer is any number of messages, divided wherever the server likes. Each goes into `take`, which says
//! whether the answer goes on; `finish` then gives what it held. Header, question and signature of a message have been
//! judged by whoever received it; RCODE and TC are looked at again, for they cost nothing.
//!
//! No I/O, no clock, no logging; no octets make this code panic, or work longer than their number allows. An
//! RR is read once and goes straight to its place in the zone, by way of two buffers that are reused.

mod name;
mod record;
mod fault;
mod whole;
mod axfr;
mod differences;
mod ixfr;

pub(crate) use axfr::Axfr;
pub(crate) use differences::Differences;
pub(crate) use fault::TransferFault;
pub(crate) use ixfr::{Increment, Ixfr};
pub(crate) use whole::Transferred;

/// Whether an answer goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// There must be another message.
    More,
    /// The message was the last.
    Done,
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod recorded;
