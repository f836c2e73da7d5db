//! Why a kept copy is not used, although it was there.

use janitor_plugin_api::dns::Serial;

use super::Unread;
use super::exchange::Soa;
use crate::fault::Fault;
use crate::kept::{Kept, KeptFault};

/// Why a zone is transferred whole although there is a kept copy of it. Any doubt is enough.
#[derive(Debug, thiserror::Error)]
pub(super) enum Doubt {
    #[error("the server does not tell the SOA of the zone")]
    NoSoa(#[source] Fault),
    #[error("the server does not answer for the zone with authority")]
    NoAuthority,
    #[error("the serial went from {kept} to {served}, which is not after it (RFC 1982)")]
    Backwards { kept: Serial, served: Serial },
    #[error("another address of the server answered when the connection was made anew")]
    OtherAddress,
    #[error("the SOA changed, and its serial {serial} did not")]
    SameSerial { serial: Serial },
    #[error("the server says that {told} is the latest serial, and that {served} is")]
    Older { told: Serial, served: Serial },
    #[error("what changed since then cannot be transferred")]
    NoDifferences(#[source] Unread),
    #[error("the kept copy cannot be used")]
    Kept(#[from] KeptFault),
}

/// What to do with a kept copy.
#[derive(Debug)]
pub(super) enum Judgement {
    /// It is what is served.
    Current,
    /// What is served comes after it.
    Behind,
    Doubtful(Doubt),
}

/// Compares a kept copy with the SOA that is `served`.
pub(super) fn judge(kept: &Kept, served: &Soa) -> Judgement {
    let (ours, theirs) = (kept.serial(), served.serial);
    if theirs == ours {
        return if kept.soa() == served.rdata {
            Judgement::Current
        } else {
            Judgement::Doubtful(Doubt::SameSerial { serial: ours })
        };
    }
    if theirs.is_after(ours) {
        return Judgement::Behind;
    }
    let (kept, served) = (ours, theirs);
    Judgement::Doubtful(Doubt::Backwards { kept, served })
}
