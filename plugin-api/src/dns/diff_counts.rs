//! What a comparison found, in numbers.

use super::change::Action;
use super::rrset::{read_u32, write_u32};

macro_rules! diff_counts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What a comparison found, in RRsets.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct DiffCounts {
            $($(#[$doc])* pub $name: u32,)*
        }

        impl DiffCounts {
            pub(crate) const NUMBERS: usize = [$(stringify!($name)),*].len();

            pub(crate) fn write(self, octets: &mut [u8]) {
                let numbers = [$(self.$name),*];
                for (index, number) in numbers.into_iter().enumerate() {
                    write_u32(octets, 4 * index, number);
                }
            }

            pub(crate) fn read(octets: &[u8]) -> Self {
                let mut numbers = octets.chunks_exact(4).map(|number| read_u32(number, 0));
                Self { $($name: numbers.next().unwrap_or_default(),)* }
            }
        }
    };
}

diff_counts! {
    /// Changes that only add.
    additions,
    /// Changes that put one RRset in the place of another.
    updates,
    /// Changes that only delete.
    deletions,
    /// RRsets that are equal on both sides.
    unchanged,
    /// The apex SOA and NS, if they differ.
    left_alone_at_apex,
    /// Made by the signer and different.
    left_alone_signer_made,
    /// Additions not made because the desired zone is incomplete and they would
    /// conflict with what is served.
    incomplete_additions,
    /// Updates not made because the desired zone is incomplete.
    incomplete_updates,
    /// Deletions not made because the desired zone is incomplete.
    incomplete_deletions,
    /// Additions not made because the actual zone holds their owner, or the desired
    /// one does and they would conflict with what is served.
    held_additions,
    /// Updates not made because their owner is held.
    held_updates,
    /// Deletions not made because their owner is held.
    held_deletions,
    /// Deletions not made because nothing at all is desired.
    nothing_desired,
}

impl DiffCounts {
    pub(crate) const fn of(&mut self, action: Action) -> &mut u32 {
        match action {
            Action::Addition => &mut self.additions,
            Action::Update => &mut self.updates,
            Action::Deletion => &mut self.deletions,
        }
    }

    /// What the comparison found apart from the changes themselves.
    pub(crate) const fn without_changes(self) -> Self {
        Self {
            additions: 0,
            updates: 0,
            deletions: 0,
            ..self
        }
    }

    /// The number of changes.
    pub(crate) fn all(&self) -> u64 {
        [self.additions, self.updates, self.deletions]
            .map(u64::from)
            .iter()
            .sum()
    }
}
