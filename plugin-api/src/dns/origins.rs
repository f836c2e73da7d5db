//! Which zones each RRset of a joined zone comes from.

/// Which of the joined zones have each RRset of the result as it stands there, or had a part in it.
///
/// A set of zones is told by their positions, ascending. There are few sets, and neighbours mostly
/// have the same: what is kept grows with the number of times that the set changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    sets: Vec<Box<[usize]>>,
    /// How many RRsets in a row have which set.
    runs: Vec<(usize, usize)>,
}

impl Origins {
    /// Returns the different sets of zones; their positions are their numbers.
    #[must_use]
    pub fn sets(&self) -> &[Box<[usize]>] {
        &self.sets
    }

    /// Returns the number of its set for each RRset, in canonical order.
    pub fn each(&self) -> impl Iterator<Item = usize> {
        let runs = self.runs.iter();
        runs.flat_map(|&(count, set)| std::iter::repeat_n(set, count))
    }

    /// Notes that the next `count` RRsets come from the zones `set`.
    pub(super) fn push(&mut self, count: usize, set: &[usize]) {
        let last = self.runs.last_mut();
        if let Some((known, _)) = last.filter(|(_, last)| *self.sets[*last] == *set) {
            *known += count;
            return;
        }
        let number = self.sets.iter().position(|known| **known == *set);
        let number = number.unwrap_or_else(|| {
            self.sets.push(set.into());
            self.sets.len() - 1
        });
        self.runs.push((count, number));
    }
}
