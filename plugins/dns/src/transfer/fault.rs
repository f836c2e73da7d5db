//! Why an answer is not a transfer.

use std::fmt;

use domain::base::iana::Rcode;
use janitor_plugin_api::dns::{BuildError, Name, Rtype, Serial};

use super::record::MessageFault;

/// Why an answer is not a transfer of the zone, and where it was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TransferFault {
    pub(crate) reason: Reason,
    /// The messages taken, the one with the fault included.
    pub(crate) messages: u32,
    /// The records taken, the one with the fault included.
    pub(crate) records: u64,
}

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Reason {
    #[error("the server answered {0}")]
    Rcode(Rcode),
    #[error("a message of the answer cannot be read")]
    Message(#[source] MessageFault),
    #[error("the answer begins with {rtype} of `{owner}`, not with the SOA of the zone")]
    MissingFirstSoa { owner: Name, rtype: Rtype },
    #[error("the answer ends without the SOA that it began with")]
    MissingLastSoa,
    #[error("the zone changed during its transfer: it began at serial {first} and ended at {last}")]
    Changed { first: Serial, last: Serial },
    #[error(
        "the zone changed during its transfer: the SOA at its end has serial {serial} as at its beginning, but another content"
    )]
    ChangedSoa { serial: Serial },
    #[error("the answer goes on after the SOA that ends it")]
    AfterEnd,
    #[error("there is a SOA of `{owner}`, which is not the apex of the zone")]
    SoaElsewhere { owner: Name },
    #[error("a record cannot be part of the zone")]
    Record(#[source] BuildError),
    #[error(
        "the answer has differences from serial {given}, where those from {expected} must follow"
    )]
    OtherSerial { expected: Serial, given: Serial },
    #[error("the server is at serial {theirs}, not after {ours}, which it had before")]
    Older { ours: Serial, theirs: Serial },
    #[error("the differences have more than {most} octets; the whole zone is less work")]
    TooManyDifferences { most: usize },
}

impl TransferFault {
    /// Returns whether the zone changed while it was transferred, so that another transfer may well succeed.
    pub(crate) const fn is_change(&self) -> bool {
        matches!(
            self.reason,
            Reason::Changed { .. } | Reason::ChangedSoa { .. }
        )
    }
}

/// Says what is wrong, and how far the answer had been read.
impl fmt::Display for TransferFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            reason,
            messages,
            records,
        } = self;
        let plural = |many| if many { "s" } else { "" };
        write!(
            f,
            "{reason} (after {messages} message{} and {records} record{})",
            plural(*messages != 1),
            plural(*records != 1),
        )
    }
}

impl std::error::Error for TransferFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.reason)
    }
}
