//! The TTLs of consecutive records of one owner.
//!
//! An RRset has one TTL (RFC 2181, section 5.2). Where a file gives it several, BIND takes the first
//! one of each type for as long as the owner stays the same, and says so in a warning. Readers that
//! took another one would find a difference to what BIND serves for ever. RRs of one RRset that stand apart
//! in the file are not a run.

use std::collections::BTreeMap;

use janitor_plugin_api::dns::{Rtype, Ttl};

/// The records since the owner was another one.
#[derive(Default)]
pub(crate) struct Run {
    owner: Vec<u8>,
    /// Of the type that came first; most runs have no other.
    first: Option<(Rtype, Ttl)>,
    others: BTreeMap<Rtype, Ttl>,
}

impl Run {
    /// Returns the TTL of a record: that of the first one of its type in this run.
    #[inline]
    pub(crate) fn ttl(&mut self, owner: &[u8], rtype: Rtype, ttl: Ttl) -> Ttl {
        if self.owner != owner && !self.owner.eq_ignore_ascii_case(owner) {
            self.owner.clear();
            self.owner.extend_from_slice(owner);
            self.first = None;
            self.others.clear();
        }
        let (first, first_ttl) = *self.first.get_or_insert((rtype, ttl));
        if first == rtype {
            return first_ttl;
        }
        *self.others.entry(rtype).or_insert(ttl)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ttl(seconds: u32) -> Ttl {
        Ttl::from_secs(seconds).expect("in range")
    }

    #[test]
    fn the_first_ttl_of_a_type_counts_until_the_owner_is_another_one() {
        let mut run = Run::default();
        let mut took = |owner: &[u8], rtype, seconds| run.ttl(owner, rtype, ttl(seconds)).as_secs();
        assert_eq!(took(b"\x01a\0", Rtype::A, 300), 300);
        assert_eq!(took(b"\x01a\0", Rtype::TXT, 5), 5);
        assert_eq!(took(b"\x01A\0", Rtype::A, 100), 300);
        assert_eq!(took(b"\x01b\0", Rtype::A, 100), 100);
        assert_eq!(took(b"\x01a\0", Rtype::A, 100), 100);
    }
}
