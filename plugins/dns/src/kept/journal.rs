//! What became of a zone since its base was written.
//!
//! ```text
//! record   u32 octets of the body | digest of the digest before it and of the body | body
//! body     text: rdata of the SOA | what became of each RRset that was changed
//! ```
//!
//! The digest before the first record is that of the head, so a record counts only behind the very base and the
//! very records that it was written behind. What became of an RRset is all of it, or that it is gone: reading it
//! needs no older record, and of two records the later one decides.
//!
//! Whatever prefix of the records is as it was written is the zone at the serial that its last record has: a
//! true state of it, only older. So a record that is torn or damaged, and all behind it, count as not written; a
//! server then sends those differences once more.

use janitor_plugin_api::dns::{Edits, Serial};

use super::fault::KeptFault;
use super::layout::{DIGEST, Digest, Fields, push_text};

/// The records of a file that count.
pub(super) struct Journal {
    octets: Vec<u8>,
    /// What the records say of RRsets, oldest first.
    images: Vec<std::ops::Range<usize>>,
    /// The rdata of the latest SOA, and its serial.
    soa: Option<(std::ops::Range<usize>, Serial)>,
    /// Octets of the records that count.
    end: usize,
    /// The digest of the last of them, or of the head.
    digest: Digest,
}

impl Journal {
    /// Reads the octets behind a base whose head has the digest given.
    pub(super) fn parse(octets: Vec<u8>, head: Digest) -> Self {
        let mut journal = Self {
            octets: Vec::new(),
            images: Vec::new(),
            soa: None,
            end: 0,
            digest: head,
        };
        while journal.take_record(&octets).is_some() {}
        Self { octets, ..journal }
    }

    /// Takes the next record; none if there is none that counts.
    fn take_record(&mut self, octets: &[u8]) -> Option<()> {
        let mut fields = Fields(&octets[self.end..]);
        let length = fields.u32()? as usize;
        let stated: Digest = fields.chunk()?;
        let body = fields.take(length)?;
        if record_digest(&self.digest, body) != stated {
            return None;
        }
        let start = self.end + 4 + DIGEST;
        let mut fields = Fields(body);
        let soa = fields.text()?;
        let serial = Serial::of_soa(soa)?;
        self.soa = Some((start + 2..start + 2 + soa.len(), serial));
        self.end = start + length;
        self.images.push(start + 2 + soa.len()..self.end);
        self.digest = stated;
        Some(())
    }

    /// Returns the rdata of the SOA after the last record.
    pub(super) fn soa(&self) -> Option<&[u8]> {
        let (place, _) = self.soa.as_ref()?;
        Some(&self.octets[place.clone()])
    }

    /// Returns the serial after the last record.
    pub(super) fn serial(&self) -> Option<Serial> {
        self.soa.as_ref().map(|(_, serial)| *serial)
    }

    /// Returns how many octets count.
    pub(super) const fn octets(&self) -> usize {
        self.end
    }

    /// Lets the edits begin with what the records say.
    pub(super) fn repeat<'a>(&'a self, edits: &mut Edits<'a>) {
        for images in &self.images {
            edits.repeat(&self.octets[images.clone()]);
        }
    }

    /// Returns the record to be written behind the last one that counts.
    pub(super) fn record(&self, soa: &[u8], images: &[u8]) -> Result<Vec<u8>, KeptFault> {
        let mut record = vec![0; 4 + DIGEST];
        push_text(&mut record, soa)?;
        record.extend_from_slice(images);
        let (head, body) = record.split_at_mut(4 + DIGEST);
        let length = u32::try_from(body.len()).ok().ok_or(KeptFault::TooLarge)?;
        head[..4].copy_from_slice(&length.to_be_bytes());
        head[4..].copy_from_slice(&record_digest(&self.digest, body));
        Ok(record)
    }
}

fn record_digest(before: &Digest, body: &[u8]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(before).update(body);
    *hasher.finalize().as_bytes()
}
