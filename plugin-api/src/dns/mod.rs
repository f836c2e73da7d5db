//! DNS content as values: names, RRsets, zones, and their comparison.
//!
//! Everything here is in **canonical wire form** (RFC 1035, section 3; RFC 4034,
//! section 6): names uncompressed and in lower case, rdata canonical, the rdata of
//! an RRset sorted and each once, RRsets in canonical order. Two values are equal
//! exactly when their octets are, so letter case, the spelling of an address, or
//! the order of values never look like a difference. Text exists at the edges.
//!
//! A [`Zone`] is one buffer that moves between libraries without being copied or
//! parsed. Authors put it together with a [`ZoneBuilder`], in any order, and read
//! it as borrowed [`RrsetRef`]s. [`diff`] walks two of them side by side and writes
//! [`Changes`], a buffer of the same kind.
//!
//! Who keeps a zone for the next time cuts it into [`Piece`]s; a [`Revision`] puts it
//! together again, and makes [`Edits`] to it on the way.
//!
//! Pure functions of their input: no I/O, no clock, no logging.

mod labels;
mod name;
mod rtype;
pub mod rdata;
pub mod text;
mod rrset;
mod succession;
mod sort_key;
mod order;
mod build_error;
mod builder;
mod zone_writer;
mod zone;
mod check;
mod pieces;
mod edits;
mod revision;
mod change;
mod diff_counts;
mod changes;
mod changes_check;
mod diff;
mod changes_builder;
mod apply;
mod keep;
mod origins;
mod join;
#[cfg(test)]
pub(crate) mod samples;

pub use apply::{ChangeFault, Place};
pub use build_error::BuildError;
pub use builder::ZoneBuilder;
pub use change::{Action, Change};
pub use changes::{Changes, ChangesIter};
pub use changes_builder::{ChangesBuilder, ChangesError};
pub use check::{BufferFault, BufferFaultReason, Unservable};
pub use diff::{DiffError, LeftAlone, diff};
pub use diff_counts::DiffCounts;
pub use edits::{EditFault, Edits};
pub use join::{JoinError, JoinPolicy, Joined, LossReason, Lost, join};
pub use name::{Name, NameError, NameRef};
pub use origins::Origins;
pub use pieces::Piece;
pub use rdata::RdataError;
pub use revision::{Revised, Revision};
pub use rrset::{Rdatas, Rr, Rrset, RrsetRef, Ttl, TtlError};
pub use rtype::{Rtype, RtypeError};
pub use text::{Fault, NameFault, TextError};
pub use zone::{ActualZone, DesiredZone, Rrsets, Serial, Zone};
