//! Why a zone cannot be built.

use super::check::Unservable;
use super::name::{Name, NameError};
use super::rdata::RdataError;
use super::rtype::{Rtype, RtypeError};
use super::text::TextError;

/// Why a zone cannot be built, or an RR cannot be part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The owner's octets are not a name.
    #[error("cannot take the owner of an RR into zone `{apex}`")]
    OwnerWire {
        /// The zone.
        apex: Name,
        /// What is wrong with the owner.
        source: NameError,
    },
    /// The owner's text is not a name.
    #[error("cannot read the owner `{owner}`")]
    OwnerText {
        /// The text.
        owner: String,
        /// What is wrong with it.
        source: NameError,
    },
    /// The owner is not at or below the apex.
    #[error("cannot take `{owner}` into zone `{apex}`: it is not at or below the apex")]
    OutOfZone {
        /// The owner.
        owner: Name,
        /// The zone.
        apex: Name,
    },
    /// The type's text is not a type.
    #[error("cannot read the type of an RR of `{owner}`")]
    RtypeText {
        /// The owner.
        owner: Name,
        /// What is wrong with the type.
        source: RtypeError,
    },
    /// The type exists in messages only.
    #[error("cannot take {rtype} of `{owner}`: the type is never zone data")]
    MetaType {
        /// The owner.
        owner: Name,
        /// The type.
        rtype: Rtype,
    },
    /// The rdata's text is not rdata of the type.
    #[error("cannot read the rdata of an RR of `{owner}`")]
    RdataText {
        /// The owner.
        owner: Name,
        /// What is wrong with the rdata.
        source: TextError,
    },
    /// The rdata's octets are not rdata of the type.
    #[error("cannot take {rtype} of `{owner}`")]
    Rdata {
        /// The owner.
        owner: Name,
        /// The type.
        rtype: Rtype,
        /// What is wrong with the rdata.
        source: RdataError,
    },
    /// An RRset has at least one rdata (RFC 2181, section 5).
    #[error("cannot take {rtype} of `{owner}`: the RRset has no rdata")]
    NoRdata {
        /// The owner.
        owner: Name,
        /// The type.
        rtype: Rtype,
    },
    /// No server would accept the zone.
    #[error("cannot build zone: `{owner}` has {reason}")]
    Unservable {
        /// Where the conflict is.
        owner: Name,
        /// What stands there that must not.
        reason: Unservable,
    },
    /// A zone is one buffer of at most 4 GiB.
    #[error("cannot build zone `{apex}`: it has more than 4294967295 octets")]
    TooLarge {
        /// The zone.
        apex: Name,
    },
}
