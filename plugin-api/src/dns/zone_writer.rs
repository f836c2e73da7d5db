//! The octets of a zone: its header, and writing them in order.

use super::name::{Name, NameRef};
use super::rrset::{
    OWNER, RDATA_COUNT, Rdatas, RrsetRef, length_u32, read_u16, read_u32, write_u32,
};
use super::zone::{ActualZone, DesiredZone, Rrsets, Zone};

/// Octets of the header.
pub(crate) const HEADER: usize = 20;
/// The only format there is.
pub(crate) const FORMAT: u16 = 1;
/// The flag of a zone that has everything it should contain.
pub(crate) const COMPLETE: u16 = 1;
/// Most octets a buffer may have.
pub(crate) const MAX_OCTETS: usize = u32::MAX as usize;

/// The header of a buffer, format left out.
pub(crate) struct Header {
    pub(crate) flags: u16,
    pub(crate) rrsets: u32,
    pub(crate) rrs: u32,
    pub(crate) held: u32,
    /// Octets of all entries.
    pub(crate) entries: u32,
}

impl Header {
    pub(crate) fn to_octets(&self) -> [u8; HEADER] {
        let mut octets = [0; HEADER];
        octets[0..2].copy_from_slice(&FORMAT.to_be_bytes());
        octets[2..4].copy_from_slice(&self.flags.to_be_bytes());
        octets[4..8].copy_from_slice(&self.rrsets.to_be_bytes());
        octets[8..12].copy_from_slice(&self.rrs.to_be_bytes());
        octets[12..16].copy_from_slice(&self.held.to_be_bytes());
        octets[16..20].copy_from_slice(&self.entries.to_be_bytes());
        octets
    }

    /// Reads the header of a buffer that has at least that many octets.
    pub(crate) fn read(octets: &[u8]) -> Self {
        Self {
            flags: read_u16(octets, 2),
            rrsets: read_u32(octets, 4),
            rrs: read_u32(octets, 8),
            held: read_u32(octets, 12),
            entries: read_u32(octets, 16),
        }
    }
}

/// Puts a zone together from entries that arrive in canonical order.
pub(crate) struct ZoneWriter {
    octets: Vec<u8>,
    rrsets: u32,
    rrs: u32,
}

impl ZoneWriter {
    pub(crate) fn with_capacity(octets: usize) -> Self {
        let mut buffer = Vec::with_capacity(octets);
        buffer.resize(HEADER, 0);
        Self {
            octets: buffer,
            rrsets: 0,
            rrs: 0,
        }
    }

    pub(crate) fn push(&mut self, rrset: RrsetRef<'_>) {
        self.octets.extend_from_slice(rrset.octets());
        self.rrsets += 1;
        self.rrs += length_u32(rrset.rdata_count());
    }

    pub(crate) fn push_all(&mut self, rrsets: Rrsets<'_>) {
        self.octets.extend_from_slice(rrsets.octets());
        self.rrsets += length_u32(rrsets.len());
        self.rrs += rrsets
            .map(|rrset| length_u32(rrset.rdata_count()))
            .sum::<u32>();
    }

    /// Appends an RRset with owner, type and TTL of `like`, and with all of `rdatas`.
    pub(crate) fn push_union(&mut self, like: RrsetRef<'_>, rdatas: &mut [Rdatas<'_>]) {
        let start = self.octets.len();
        let header = OWNER + like.owner().as_wire().len();
        self.octets.extend_from_slice(&like.octets()[..header]);
        let mut count = 0;
        while let Some(least) = rdatas.iter().filter_map(Rdatas::peek).min() {
            for rdatas in rdatas
                .iter_mut()
                .filter(|rdatas| rdatas.peek() == Some(least))
            {
                rdatas.next();
            }
            let length = u16::try_from(least.len()).expect("rdata has at most 65,535 octets");
            self.octets.extend_from_slice(&length.to_be_bytes());
            self.octets.extend_from_slice(least);
            count += 1;
        }
        let length = length_u32(self.octets.len() - start);
        let entry = &mut self.octets[start..];
        write_u32(entry, 0, length);
        write_u32(entry, RDATA_COUNT, count);
        self.rrsets += 1;
        self.rrs += count;
    }

    /// Whether what was pushed does not fit into one buffer.
    pub(crate) fn is_too_large(&self) -> bool {
        self.octets.len() > MAX_OCTETS
    }

    /// Returns the zone, or nothing if it does not fit into one buffer. The owners held
    /// are given in canonical order.
    pub(crate) fn finish_actual(self, apex: Name, held: &[NameRef<'_>]) -> Option<ActualZone> {
        self.finish_with(apex, COMPLETE, held)
            .map(ActualZone::trusted)
    }

    /// As [`Self::finish_actual`].
    pub(crate) fn finish_desired(
        self,
        apex: Name,
        complete: bool,
        held: &[NameRef<'_>],
    ) -> Option<DesiredZone> {
        let flags = if complete { COMPLETE } else { 0 };
        self.finish_with(apex, flags, held)
            .map(DesiredZone::trusted)
    }

    fn finish_with(mut self, apex: Name, flags: u16, held: &[NameRef<'_>]) -> Option<Zone> {
        let end = self.octets.len();
        for owner in held {
            self.octets.extend_from_slice(owner.as_wire());
        }
        if self.is_too_large() {
            return None;
        }
        let header = Header {
            flags,
            rrsets: self.rrsets,
            rrs: self.rrs,
            held: length_u32(held.len()),
            entries: length_u32(end - HEADER),
        };
        self.octets[..HEADER].copy_from_slice(&header.to_octets());
        Some(Zone::trusted(apex, self.octets.into()))
    }
}
