//! One change: an addition, a deletion, or both at once.

use std::fmt;

use super::name::NameRef;
use super::rrset::RrsetRef;
use super::rtype::Rtype;

/// What happens to an RRset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// It is served no more.
    Deletion,
    /// It is served with another TTL or other rdata.
    Update,
    /// It is served from now on.
    Addition,
}

impl Action {
    /// In the order in which they are done at one owner.
    pub(crate) const ALL: [Self; 3] = [Self::Deletion, Self::Update, Self::Addition];

    pub(crate) const fn kind(self) -> u8 {
        match self {
            Self::Addition => 1,
            Self::Deletion => 2,
            Self::Update => 3,
        }
    }
}

/// One change: what is deleted, added, or both at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// An RRset that is not served yet.
    Addition(RrsetRef<'a>),
    /// An RRset that will be served no more.
    Deletion(RrsetRef<'a>),
    /// Two RRsets of one owner and type, of which one takes the other's place.
    Update {
        /// The RRset as it is served.
        deletion: RrsetRef<'a>,
        /// The RRset as it should be.
        addition: RrsetRef<'a>,
    },
}

impl<'a> Change<'a> {
    /// Returns what happens.
    #[must_use]
    pub const fn action(self) -> Action {
        match self {
            Self::Addition(_) => Action::Addition,
            Self::Deletion(_) => Action::Deletion,
            Self::Update { .. } => Action::Update,
        }
    }

    /// Returns the RRset that is deleted, if one is.
    #[must_use]
    pub const fn deletion(self) -> Option<RrsetRef<'a>> {
        match self {
            Self::Addition(_) => None,
            Self::Deletion(deletion) | Self::Update { deletion, .. } => Some(deletion),
        }
    }

    /// Returns the RRset that is added, if one is.
    #[must_use]
    pub const fn addition(self) -> Option<RrsetRef<'a>> {
        match self {
            Self::Deletion(_) => None,
            Self::Addition(addition) | Self::Update { addition, .. } => Some(addition),
        }
    }

    /// Returns the owner that the change is at.
    #[must_use]
    pub fn owner(self) -> NameRef<'a> {
        self.rrset().owner()
    }

    /// Returns the type of what is changed.
    #[must_use]
    pub fn rtype(self) -> Rtype {
        self.rrset().rtype()
    }

    pub(crate) const fn rrset(self) -> RrsetRef<'a> {
        match self {
            Self::Addition(rrset) | Self::Deletion(rrset) => rrset,
            Self::Update { deletion, .. } => deletion,
        }
    }
}

/// Writes one RR a line, those deleted behind `-`, then those added behind `+`.
impl fmt::Display for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sides = [("-", self.deletion()), ("+", self.addition())];
        let mut line_end = "";
        for (sign, rrset) in sides {
            for line in rrset.iter().flat_map(|rrset| rrset.rrs()) {
                write!(f, "{line_end}{sign} {line}")?;
                line_end = "\n";
            }
        }
        Ok(())
    }
}
