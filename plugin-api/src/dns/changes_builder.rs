//! Builds changes from additions and deletions that arrive in any order.

use super::build_error::BuildError;
use super::builder::ZoneBuilder;
use super::changes::Changes;
use super::diff::{self, DiffError, LeftAlone};
use super::name::Name;

/// Puts a set of changes together, for reconcilers that do not compare zones.
///
/// Whatever is pushed is joined, sorted and paired: an owner and type on both
/// sides is one update, and no change at all if it is equal on both.
///
/// A deletion is what is served, to the letter: its TTL and all of its rdata.
pub struct ChangesBuilder {
    apex: Name,
    additions: ZoneBuilder,
    deletions: ZoneBuilder,
}

impl ChangesBuilder {
    /// Starts an empty set.
    #[must_use]
    pub fn new(apex: Name) -> Self {
        Self {
            additions: ZoneBuilder::new(apex.clone()),
            deletions: ZoneBuilder::new(apex.clone()),
            apex,
        }
    }

    /// Takes the RRsets that will be served.
    ///
    /// [`ZoneBuilder::hold`] and [`ZoneBuilder::set_complete`] have no meaning here.
    pub const fn additions(&mut self) -> &mut ZoneBuilder {
        &mut self.additions
    }

    /// Takes the RRsets that will be served no more, in the form they are served.
    pub const fn deletions(&mut self) -> &mut ZoneBuilder {
        &mut self.deletions
    }

    /// Makes what was pushed into a set of changes. The builder is empty afterwards.
    ///
    /// # Errors
    ///
    /// [`ChangesError`] if it does not fit into one buffer.
    pub fn build(&mut self) -> Result<Changes, ChangesError> {
        let additions = self.additions.build_actual()?;
        let deletions = self.deletions.build_actual()?;
        let nothing = LeftAlone::NOTHING;
        Ok(diff::compare(&additions, &deletions, nothing, true)?)
    }

    /// Returns the apex of the zone that is changed.
    #[must_use]
    pub const fn apex(&self) -> &Name {
        &self.apex
    }
}

/// Why changes cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot build the changes")]
pub enum ChangesError {
    /// One side is no zone.
    Build(#[from] BuildError),
    /// The two sides cannot be put together.
    Diff(#[from] DiffError),
}
