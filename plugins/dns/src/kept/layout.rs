//! The format of a kept copy: octets in, a zone out.
//!
//! ```text
//! file     head | the zone's buffer, in pieces | journal
//! head     "gj zone\n" | u16 format = 1 | u32 octets of the body | body | digest of all before it
//! body     u64 seconds since 1970 of the transfer | text: version of the library | text: identity
//!          | text: apex | text: rdata of the SOA | u32 octets of the buffer | u32 pieces
//!          | for each: u32 octets | u32 where its last RRset starts | digest
//! text     u16 octets, and they
//! digest   32 octets, BLAKE3
//! journal  records, as `journal` has them
//! ```
//!
//! Integers are in network order. The buffer is the one of `janitor_plugin_api::dns`, in the form that this
//! version of the library gives it: another version may have another canonical form, and does not use the copy.

use std::io::Read;

use janitor_plugin_api::dns::{ActualZone, Edits, Name, NameRef, Revised, Revision, Serial};

use super::fault::{KeptFault, Part};

const MAGIC: &[u8; 8] = b"gj zone\n";
const FORMAT: u16 = 1;
/// Octets before the body of the head.
const START: usize = MAGIC.len() + 2 + 4;
/// What this library calls itself; another version does not use its copies.
const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) const DIGEST: usize = blake3::OUT_LEN;
pub(super) type Digest = [u8; DIGEST];

/// What a copy says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// When the zone was transferred whole, in seconds since 1970.
    pub(super) kept_at: u64,
    version: String,
    identity: String,
    apex: Name,
    /// The rdata of the SOA, and the serial in it.
    pub(super) soa: Vec<u8>,
    pub(super) serial: Serial,
    pub(super) zone_octets: u32,
    pieces: Vec<PieceHead>,
    /// Octets of the head itself.
    pub(super) octets: u64,
    /// The digest that the head ends with.
    pub(super) digest: Digest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PieceHead {
    octets: u32,
    last_entry: u32,
    digest: Digest,
}

impl Head {
    /// Describes `zone` as it is about to be kept, in pieces of at least `piece` octets.
    pub(super) fn of(
        identity: &str,
        zone: &ActualZone,
        kept_at: u64,
        piece: usize,
    ) -> Result<Self, KeptFault> {
        let soa = zone.soa().and_then(|soa| soa.rdatas().next());
        let soa = soa.ok_or(KeptFault::NoSoa)?;
        let number = |number: usize| u32::try_from(number).ok().ok_or(KeptFault::TooLarge);
        let pieces = zone.pieces(piece).map(|piece| {
            Ok(PieceHead {
                octets: number(piece.octets().len())?,
                last_entry: number(piece.last_entry())?,
                digest: digest(piece.octets()),
            })
        });
        let mut head = Self {
            kept_at,
            version: VERSION.to_owned(),
            identity: identity.to_owned(),
            apex: zone.apex().to_owned(),
            soa: soa.to_vec(),
            serial: Serial::of_soa(soa).ok_or(KeptFault::NoSoa)?,
            zone_octets: number(zone.octets().len())?,
            pieces: pieces.collect::<Result<_, KeptFault>>()?,
            octets: 0,
            digest: [0; DIGEST],
        };
        let octets = head.to_octets()?;
        let (_, digest) = octets.split_last_chunk().ok_or(KeptFault::TooLarge)?;
        (head.octets, head.digest) = (octets.len() as u64, *digest);
        Ok(head)
    }

    /// Writes the head.
    pub(super) fn to_octets(&self) -> Result<Vec<u8>, KeptFault> {
        let mut octets = Vec::with_capacity(1024 + self.pieces.len() * (8 + DIGEST));
        octets.extend_from_slice(MAGIC);
        octets.extend_from_slice(&FORMAT.to_be_bytes());
        octets.extend_from_slice(&[0; 4]);
        octets.extend_from_slice(&self.kept_at.to_be_bytes());
        push_text(&mut octets, self.version.as_bytes())?;
        push_text(&mut octets, self.identity.as_bytes())?;
        push_text(&mut octets, self.apex.as_wire())?;
        push_text(&mut octets, &self.soa)?;
        octets.extend_from_slice(&self.zone_octets.to_be_bytes());
        let pieces = u32::try_from(self.pieces.len())
            .ok()
            .ok_or(KeptFault::TooLarge)?;
        octets.extend_from_slice(&pieces.to_be_bytes());
        for piece in &self.pieces {
            octets.extend_from_slice(&piece.octets.to_be_bytes());
            octets.extend_from_slice(&piece.last_entry.to_be_bytes());
            octets.extend_from_slice(&piece.digest);
        }
        let body = u32::try_from(octets.len() - START)
            .ok()
            .ok_or(KeptFault::TooLarge)?;
        octets[START - 4..START].copy_from_slice(&body.to_be_bytes());
        let digest = digest(&octets);
        octets.extend_from_slice(&digest);
        Ok(octets)
    }

    /// Reads the head of a file that has `length` octets, and verifies it.
    pub(super) fn read(file: &mut impl Read, length: u64) -> Result<Self, KeptFault> {
        let mut octets = Vec::with_capacity(START);
        read_exactly(file, START, &mut octets)?;
        let mut fields = Fields(&octets);
        if fields.take(MAGIC.len()) != Some(MAGIC) {
            return Err(KeptFault::Magic);
        }
        match fields.u16() {
            Some(FORMAT) => {}
            Some(format) => return Err(KeptFault::Format(format)),
            None => return Err(KeptFault::Truncated),
        }
        let body = fields.u32().ok_or(KeptFault::Truncated)?;
        if u64::from(body) > length {
            return Err(KeptFault::Truncated);
        }
        read_exactly(file, body as usize + DIGEST, &mut octets)?;
        let (said, stated) = octets.split_last_chunk().ok_or(KeptFault::Truncated)?;
        if digest(said) != *stated {
            return Err(KeptFault::Digest(Part::Head));
        }
        let head = Self::parse(&said[START..], *stated).ok_or(KeptFault::Head)?;
        let octets = octets.len() as u64;
        if octets + u64::from(head.zone_octets) > length {
            return Err(KeptFault::Truncated);
        }
        Ok(Self { octets, ..head })
    }

    /// Reads the body; none if it is not as the format has it.
    fn parse(body: &[u8], digest: Digest) -> Option<Self> {
        let mut fields = Fields(body);
        let kept_at = u64::from_be_bytes(fields.chunk()?);
        let version = fields.string()?;
        let identity = fields.string()?;
        let apex = NameRef::from_canonical_wire(fields.text()?)
            .ok()?
            .to_owned();
        let soa = fields.text()?.to_vec();
        let zone_octets = fields.u32()?;
        let count = fields.u32()? as usize;
        let size = 8 + DIGEST;
        if fields.0.len() != count.checked_mul(size)? {
            return None;
        }
        let mut sum = 0_u64;
        let mut pieces = Vec::with_capacity(count);
        for _ in 0..count {
            let piece = PieceHead {
                octets: fields.u32()?,
                last_entry: fields.u32()?,
                digest: fields.chunk()?,
            };
            sum += u64::from(piece.octets);
            if piece.last_entry > piece.octets {
                return None;
            }
            pieces.push(piece);
        }
        (sum == u64::from(zone_octets)).then_some(Self {
            kept_at,
            version,
            identity,
            apex,
            serial: Serial::of_soa(&soa)?,
            soa,
            zone_octets,
            pieces,
            octets: 0,
            digest,
        })
    }

    /// Checks that this is the copy that is looked for, and that this library may use it.
    pub(super) fn check(&self, apex: NameRef<'_>, identity: &str) -> Result<(), KeptFault> {
        if self.version != VERSION {
            return Err(KeptFault::Version(self.version.clone()));
        }
        if self.apex.as_ref() != apex {
            return Err(KeptFault::OtherZone(self.apex.clone()));
        }
        if self.identity != identity {
            return Err(KeptFault::OtherServer {
                kept: self.identity.clone(),
                asked: identity.to_owned(),
            });
        }
        Ok(())
    }

    pub(super) fn apex(&self) -> NameRef<'_> {
        self.apex.as_ref()
    }

    pub(super) fn identity(&self) -> &str {
        &self.identity
    }

    /// Returns how many octets head and zone have: where the journal starts.
    pub(super) fn base_octets(&self) -> u64 {
        self.octets + u64::from(self.zone_octets)
    }

    /// Reads the zone from where the head ends, and makes the edits to it.
    pub(super) fn revise(
        &self,
        file: &mut impl Read,
        edits: Edits<'_>,
    ) -> Result<Revised, KeptFault> {
        let mut revision = Revision::new(edits, self.zone_octets as usize)?;
        for (index, piece) in self.pieces.iter().enumerate() {
            revision.take(piece.last_entry as usize, |zone| {
                let start = zone.len();
                read_exactly(file, piece.octets as usize, zone)?;
                if digest(&zone[start..]) != piece.digest {
                    return Err(KeptFault::Digest(Part::Piece(index)));
                }
                Ok(())
            })?;
        }
        Ok(revision.finish(self.apex.clone())?)
    }
}

/// Appends exactly that many octets of `file` to `target`, without filling it with zeros first.
fn read_exactly(
    file: &mut impl Read,
    octets: usize,
    target: &mut Vec<u8>,
) -> Result<(), KeptFault> {
    let read = file.take(octets as u64).read_to_end(target)?;
    if read < octets {
        return Err(KeptFault::Truncated);
    }
    Ok(())
}

pub(super) fn digest(octets: &[u8]) -> Digest {
    *blake3::hash(octets).as_bytes()
}

pub(super) fn push_text(target: &mut Vec<u8>, text: &[u8]) -> Result<(), KeptFault> {
    let octets = u16::try_from(text.len()).ok().ok_or(KeptFault::TooLarge)?;
    target.extend_from_slice(&octets.to_be_bytes());
    target.extend_from_slice(text);
    Ok(())
}

/// Fields that are taken one after the other.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn take(&mut self, octets: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(octets)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.chunk().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.chunk().map(u32::from_be_bytes)
    }

    pub(super) fn text(&mut self) -> Option<&'a [u8]> {
        let octets = self.u16()?;
        self.take(usize::from(octets))
    }

    fn string(&mut self) -> Option<String> {
        String::from_utf8(self.text()?.to_vec()).ok()
    }
}
