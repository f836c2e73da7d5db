//! A zone in pieces: what is kept and verified on its own.

use super::rrset::entry_octets;
use super::zone::ActualZone;
use super::zone_writer::HEADER;

/// A part of a zone's buffer that ends where an RRset does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    octets: &'a [u8],
    last_entry: usize,
}

impl<'a> Piece<'a> {
    /// Returns the octets of the piece.
    #[must_use]
    pub const fn octets(self) -> &'a [u8] {
        self.octets
    }

    /// Returns where in the piece its last RRset starts; in a piece without
    /// RRsets, its end.
    #[must_use]
    pub const fn last_entry(self) -> usize {
        self.last_entry
    }
}

impl ActualZone {
    /// Cuts the buffer into pieces of at least `octets` octets; the last may be
    /// shorter.
    ///
    /// One after the other they are [`Zone::octets`](super::Zone::octets). The first begins
    /// with the header, and is the only one that may have no RRset; the last ends with
    /// the owners held.
    /// [`Revision`](super::Revision) takes them.
    pub fn pieces(&self, octets: usize) -> impl Iterator<Item = Piece<'_>> {
        let mut rest = self.octets();
        let held: usize = self.held().map(|owner| owner.as_wire().len()).sum();
        let mut end = HEADER;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let entries = rest.len() - held;
            let mut last_entry = end;
            while end < entries && (end < octets || last_entry == end) {
                last_entry = end;
                end += entry_octets(&rest[end..]);
            }
            let has_rrset = end > last_entry;
            if end == entries {
                end = rest.len();
            }
            if !has_rrset {
                last_entry = end;
            }
            let (piece, others) = rest.split_at(end);
            (rest, end) = (others, 0);
            Some(Piece {
                octets: piece,
                last_entry,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::samples::{APEX, actual, actual_holding, builder_of, name, rrs};
    use super::super::{RrsetRef, Zone};
    use super::*;

    fn last_entries(zone: &ActualZone, octets: usize) -> Vec<&[u8]> {
        zone.pieces(octets)
            .map(|piece| &piece.octets()[piece.last_entry()..])
            .collect()
    }

    #[test]
    fn an_empty_zone_is_one_piece_without_rrsets() {
        let zone = actual("");
        let pieces: Vec<_> = zone.pieces(1).collect();
        assert_eq!(pieces.len(), 1);
        assert_eq!(pieces[0].octets(), zone.octets());
        assert_eq!(pieces[0].last_entry(), zone.octets().len());
    }

    #[test]
    fn pieces_end_at_the_first_rrset_that_fills_them() {
        let zone = actual("a 1 A 192.0.2.1\n b 1 A 192.0.2.2\n c 1 A 192.0.2.3");
        let entries: Vec<_> = zone.rrsets().map(RrsetRef::octets).collect();
        assert_eq!(last_entries(&zone, 1), entries);
        let two = HEADER + entries[0].len() + entries[1].len();
        assert_eq!(last_entries(&zone, two), entries[1..]);
        assert_eq!(last_entries(&zone, two - 1), entries[1..]);
        assert_eq!(last_entries(&zone, two + 1), entries[2..]);
        assert_eq!(last_entries(&zone, usize::MAX), entries[2..]);
    }

    #[test]
    fn owners_held_are_the_end_of_the_last_piece() {
        let nothing_read = actual_holding("", &["a"]);
        let pieces: Vec<_> = nothing_read.pieces(1).collect();
        assert_eq!(pieces.len(), 1);
        assert_eq!(pieces[0].octets(), nothing_read.octets());
        assert_eq!(pieces[0].last_entry(), nothing_read.octets().len());

        let zone = actual_holding("a 1 A 192.0.2.1\n b 1 A 192.0.2.2", &["a", "c"]);
        let pieces: Vec<_> = zone.pieces(1).map(Piece::octets).collect();
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces.concat(), zone.octets());
    }

    proptest! {
        #[test]
        fn pieces_are_the_zone(
            rrs in rrs(30),
            octets in 0..400_usize,
            held in vec("[a-d]", 0..3),
        ) {
            let mut builder = builder_of(&rrs);
            for owner in held {
                builder.hold(name(&format!("{owner}.{APEX}"))).unwrap();
            }
            let zone = builder.build_actual().unwrap();
            let joined: Vec<u8> = zone.pieces(octets).flat_map(Piece::octets).copied().collect();
            prop_assert_eq!(&joined[..], Zone::octets(&zone));
        }
    }
}
