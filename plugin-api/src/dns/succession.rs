//! Owners that are read one after the other.

use std::cmp::Ordering;

use super::labels::{self, LabelStarts, MAX_NAME};
use super::name::NameError;

/// Checks owners and says how each of them stands to the one before.
///
/// In canonical order most owners have the parent of the owner before them; they
/// are recognised by it, and only their leftmost label is looked at.
pub(crate) struct Succession {
    apex_labels: usize,
    /// The labels of the last owner, and room for those of the next.
    starts: [LabelStarts; 2],
    last: usize,
}

/// Why octets are not an owner in the zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OwnerFault {
    Name(NameError),
    OutOfZone,
}

impl Succession {
    pub(crate) fn new(apex: &[u8]) -> Self {
        Self {
            apex_labels: LabelStarts::trusted(apex).count(),
            starts: [LabelStarts::EMPTY; 2],
            last: 0,
        }
    }

    /// Where the labels of the owner read last start.
    #[inline]
    pub(crate) fn last_labels(&self) -> &LabelStarts {
        &self.starts[self.last]
    }

    /// Reads the owner at the beginning of `octets`; returns how many octets it has.
    #[inline]
    pub(crate) fn read(&mut self, octets: &[u8], apex: &[u8]) -> Result<usize, OwnerFault> {
        let next = &mut self.starts[1 - self.last];
        next.scan(octets).map_err(OwnerFault::Name)?;
        let owner = &octets[..next.octets()];
        if labels::has_upper_case(owner) {
            return Err(OwnerFault::Name(NameError::UpperCase));
        }
        if !next.is_at_or_below(owner, apex, self.apex_labels) {
            return Err(OwnerFault::OutOfZone);
        }
        self.last = 1 - self.last;
        Ok(owner.len())
    }

    /// Reads the owner at the beginning of `octets` and compares it with `last`,
    /// the one that was read before.
    #[inline]
    pub(crate) fn follow(
        &mut self,
        last: &[u8],
        octets: &[u8],
        apex: &[u8],
    ) -> Result<(usize, Ordering), OwnerFault> {
        if let Some(sibling) = self.follow_sibling(last, octets) {
            return Ok(sibling);
        }
        let length = self.read(octets, apex)?;
        let (new_starts, last_starts) = (&self.starts[self.last], &self.starts[1 - self.last]);
        let new = (&octets[..length], new_starts);
        let (order, _) = labels::compare(new, (last, last_starts), self.apex_labels);
        Ok((length, order))
    }

    #[inline]
    fn follow_sibling(&mut self, last: &[u8], octets: &[u8]) -> Option<(usize, Ordering)> {
        let starts = &mut self.starts[self.last];
        if starts.count() <= self.apex_labels {
            return None;
        }
        let (&length, rest) = octets.split_first()?;
        let (&last_length, last_rest) = last.split_first()?;
        let (label, rest) = rest.split_at_checked(usize::from(length))?;
        let (last_label, parent) = last_rest.split_at_checked(usize::from(last_length))?;
        let octets = 1 + label.len() + parent.len();
        // Octets that do not fit are left to the one who can say why.
        if !rest.starts_with(parent)
            || !(1..=63).contains(&length)
            || octets > MAX_NAME
            || labels::has_upper_case(label)
        {
            return None;
        }
        starts.replace_leftmost(last_length, length);
        Some((octets, label.cmp(last_label)))
    }
}

/// Tells which owners come before one that is looked for, when both the owners
/// and what is looked for ascend.
pub(crate) struct Search<'a> {
    target: &'a [u8],
    target_starts: LabelStarts,
    starts: LabelStarts,
    /// A name whose children all come before the target.
    passed: &'a [u8],
}

impl<'a> Search<'a> {
    pub(crate) const fn new() -> Self {
        Self {
            target: &[0],
            target_starts: LabelStarts::EMPTY,
            starts: LabelStarts::EMPTY,
            passed: &[],
        }
    }

    /// Looks for `target` from now on, which is not before the last one.
    pub(crate) fn aim(&mut self, target: &'a [u8]) {
        self.target = target;
        self.target_starts = LabelStarts::trusted(target);
    }

    /// Returns whether the owner at the beginning of `octets`, checked before,
    /// comes before the target.
    #[inline]
    pub(crate) fn is_before(&mut self, octets: &'a [u8]) -> bool {
        let (label, parent) = split(octets);
        let (target_label, target_parent) = split(self.target);
        let have_labels = !label.is_empty() && !target_label.is_empty();
        if have_labels && parent.starts_with(target_parent) {
            return label < target_label;
        }
        if !label.is_empty() && !self.passed.is_empty() && parent.starts_with(self.passed) {
            return true;
        }
        self.starts = LabelStarts::trusted(octets);
        let target = (self.target, &self.target_starts);
        let (order, equal) = labels::compare((octets, &self.starts), target, 0);
        if order.is_lt() && equal + 1 < self.starts.count() {
            // The parents were different already.
            self.passed = &octets[1 + label.len()..self.starts.octets()];
        }
        order.is_lt()
    }
}

/// Splits the leftmost label off a name; the root has an empty one.
#[inline]
fn split(octets: &[u8]) -> (&[u8], &[u8]) {
    octets[1..].split_at(usize::from(octets[0]))
}

#[cfg(test)]
mod tests;
