//! Makes a zone out of an older one and edits, piece by piece.

use super::edits::{Composed, Edit, EditFault, Edits, RrEdit};
use super::name::{Name, NameRef};
use super::rrset::{OWNER, RDATA_COUNT, RrsetRef, TTL, Ttl};
use super::rrset::{entry_octets, entry_rtype, read_u32, told_ttl, write_rtype, write_u32};
use super::rtype::Rtype;
use super::succession::Search;
use super::zone::ActualZone;
use super::zone_writer::{HEADER, Header, MAX_OCTETS};

/// Writes a zone while the older one arrives, a [`Piece`](super::Piece) at a time.
///
/// What no edit touches is written once, by whoever hands the piece over, straight
/// to where it belongs. Only pieces that edits fall into are walked and copied.
pub struct Revision<'a> {
    edits: Composed<'a>,
    /// The first edit that is still to be made.
    next: usize,
    zone: Vec<u8>,
    /// The piece that is being edited.
    piece: Vec<u8>,
    images: Vec<u8>,
    added: Counts,
    removed: Counts,
}

/// What a revision makes.
#[derive(Debug)]
pub struct Revised {
    /// The zone after the edits.
    pub zone: ActualZone,
    /// What became of every RRset whose RRs were deleted or added, for [`Edits::repeat`].
    pub images: Vec<u8>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    rrsets: u32,
    rrs: u32,
}

impl Counts {
    fn note(&mut self, entry: RrsetRef<'_>) -> Result<(), EditFault> {
        let rrs = read_u32(entry.octets(), RDATA_COUNT);
        self.rrs = self.rrs.checked_add(rrs).ok_or(EditFault::TooLarge)?;
        self.rrsets += 1;
        Ok(())
    }
}

impl<'a> Revision<'a> {
    /// Starts with nothing of the older zone, which will have `octets` octets.
    ///
    /// Memory for all of the zone is taken at once.
    ///
    /// # Errors
    ///
    /// [`EditFault`] if the edits contradict each other.
    pub fn new(edits: Edits<'a>, octets: usize) -> Result<Self, EditFault> {
        let edits = edits.compose()?;
        Ok(Self {
            zone: Vec::with_capacity(octets + edits.growth),
            edits,
            next: 0,
            piece: Vec::new(),
            images: Vec::new(),
            added: Counts::default(),
            removed: Counts::default(),
        })
    }

    /// Takes the next piece of the older zone, which `fill` appends to the buffer it
    /// is given, and whose [`last_entry`](super::Piece::last_entry) starts where it says.
    ///
    /// The caller promises that the pieces are those of an actual zone, as for
    /// [`ActualZone::restored`].
    ///
    /// # Errors
    ///
    /// Those of `fill`, and [`EditFault`] if an edit does not fit; the revision is
    /// of no use then.
    pub fn take<E: From<EditFault>>(
        &mut self,
        last_entry: usize,
        fill: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = self.zone.len();
        fill(&mut self.zone)?;
        let last = &self.zone[start + last_entry..];
        let Some(edit) = self.edits.edits.get(self.next) else {
            return Ok(());
        };
        if last.is_empty() || edit.key() > key(last) {
            return Ok(());
        }
        let mut piece = std::mem::take(&mut self.piece);
        piece.clear();
        piece.extend_from_slice(&self.zone[start..]);
        self.zone.truncate(start);
        let first = if start == 0 { HEADER } else { 0 };
        self.zone.extend_from_slice(&piece[..first]);
        self.edit(&piece[first..], last_entry - first)?;
        self.piece = piece;
        Ok(())
    }

    /// Edits whole entries, the last of which starts at `last`.
    fn edit(&mut self, entries: &[u8], last: usize) -> Result<(), EditFault> {
        let last = key(&entries[last..]);
        let mut search = Search::new();
        let (mut copied, mut at) = (0, 0);
        while let Some(edit) = self.edits.edits.get(self.next) {
            if edit.key() > last {
                break;
            }
            let (edit, owner) = (edit.clone(), edit.owner.as_wire());
            search.aim(owner);
            let is_here = |entry: &[u8]| entry[OWNER..].starts_with(owner);
            // They come to an end: the last entry is not before the edit.
            while search.is_before(&entries[at + OWNER..]) {
                at += entry_octets(&entries[at..]);
            }
            while is_here(&entries[at..]) && entry_rtype(&entries[at..]) < edit.rtype {
                at += entry_octets(&entries[at..]);
            }
            self.zone.extend_from_slice(&entries[copied..at]);
            let rest = &entries[at..];
            let is_old = is_here(rest) && entry_rtype(rest) == edit.rtype;
            let old = is_old.then(|| &rest[..entry_octets(rest)]);
            at += old.map_or(0, <[u8]>::len);
            copied = at;
            self.make(&edit, old)?;
        }
        self.zone.extend_from_slice(&entries[copied..]);
        Ok(())
    }

    /// Makes the next edit, to the RRset `old` or where none is.
    fn make(&mut self, edit: &Edit<'_>, old: Option<&[u8]>) -> Result<(), EditFault> {
        if let Some(old) = old {
            self.removed.note(RrsetRef::trusted(old))?;
        }
        let start = self.zone.len();
        let base = edit.base(old);
        let rrs = self.edits.rrs(edit);
        if rrs.is_empty() {
            self.zone
                .extend_from_slice(base.map_or(&[][..], RrsetRef::octets));
        } else {
            let is_empty = write(edit, base, rrs, &mut self.zone)?;
            self.images.extend_from_slice(&self.zone[start..]);
            if is_empty {
                self.zone.truncate(start);
            }
        }
        if self.zone.len() > start {
            self.added.note(RrsetRef::trusted(&self.zone[start..]))?;
        }
        self.next += 1;
        Ok(())
    }

    /// Makes the edits behind the last piece, and hands the zone over.
    ///
    /// # Errors
    ///
    /// [`EditFault`] if an edit does not fit, or what was taken was not a zone.
    pub fn finish(mut self, apex: Name) -> Result<Revised, EditFault> {
        while let Some(edit) = self.edits.edits.get(self.next) {
            self.make(&edit.clone(), None)?;
        }
        let mut zone = self.zone;
        if zone.len() > MAX_OCTETS {
            return Err(EditFault::TooLarge);
        }
        if zone.len() >= HEADER && self.next > 0 {
            let header = Header::read(&zone);
            let count = |older: u32, added: u32, removed: u32| {
                let left = older.checked_sub(removed)?;
                left.checked_add(added)
            };
            let (added, removed) = (self.added, self.removed);
            let rrsets = count(header.rrsets, added.rrsets, removed.rrsets);
            let rrs = count(header.rrs, added.rrs, removed.rrs);
            let entries = u32::try_from(zone.len() - HEADER).ok();
            let (Some(rrsets), Some(rrs), Some(entries)) = (rrsets, rrs, entries) else {
                return Err(EditFault::TooLarge);
            };
            let header = Header {
                rrsets,
                rrs,
                entries,
                ..header
            };
            zone[..HEADER].copy_from_slice(&header.to_octets());
        }
        Ok(Revised {
            zone: ActualZone::restored(apex, zone.into())?,
            images: self.images,
        })
    }
}

/// Owner and type of the entry at the beginning of `octets`.
fn key(octets: &[u8]) -> (NameRef<'_>, Rtype) {
    let entry = RrsetRef::trusted_prefix(octets);
    (entry.owner(), entry.rtype())
}

/// Appends what becomes of an RRset, as an entry that may have no rdata; returns
/// whether it has none.
fn write(
    edit: &Edit<'_>,
    base: Option<RrsetRef<'_>>,
    edits: &[RrEdit<'_>],
    target: &mut Vec<u8>,
) -> Result<bool, EditFault> {
    let mut entry = Entry::open(edit, target);
    let mut edits = edits.iter().peekable();
    let base_ttl = base.map_or(Ttl::MAX, RrsetRef::ttl);
    for rdata in base.into_iter().flat_map(RrsetRef::rdatas) {
        while let Some(rr) = edits.next_if(|next| next.rdata < rdata) {
            entry.push_new(rr)?;
        }
        let told = told_ttl(edit.rtype, base_ttl, rdata);
        let told = told.ok_or_else(|| EditFault::Ttls(edit.place()))?;
        let after = match edits.next_if(|next| next.rdata == rdata) {
            Some(rr) if rr.before == told => rr.after,
            Some(rr) if rr.was_there => return Err(EditFault::DeletedTtl(edit.place())),
            Some(_) => return Err(EditFault::AddedTtl(edit.place())),
            None => Some(told),
        };
        entry.push(rdata, after)?;
    }
    for rr in edits {
        entry.push_new(rr)?;
    }
    entry.close()
}

/// An entry that is being written.
struct Entry<'t> {
    edit: &'t Edit<'t>,
    target: &'t mut Vec<u8>,
    start: usize,
    rdata_count: u32,
    ttl: Option<Ttl>,
}

impl<'t> Entry<'t> {
    fn open(edit: &'t Edit<'t>, target: &'t mut Vec<u8>) -> Self {
        let start = target.len();
        let mut head = [0; OWNER];
        write_rtype(&mut head, edit.rtype);
        target.extend_from_slice(&head);
        target.extend_from_slice(edit.owner.as_wire());
        Self {
            edit,
            target,
            start,
            rdata_count: 0,
            ttl: None,
        }
    }

    /// Pushes an RR that is not there before.
    fn push_new(&mut self, rr: &RrEdit<'_>) -> Result<(), EditFault> {
        if rr.was_there {
            return Err(EditFault::NotThere(self.edit.place()));
        }
        self.push(rr.rdata, rr.after)
    }

    /// Pushes an RR if it has a TTL afterwards.
    fn push(&mut self, rdata: &[u8], after: Option<Ttl>) -> Result<(), EditFault> {
        let Some(ttl) = after else {
            return Ok(());
        };
        let lowest = self.ttl.map_or(ttl, |lowest| lowest.min(ttl));
        // The RRs of an RRSIG RRset have TTLs of their own, all others that of the RRset.
        let is_told = if self.edit.rtype == Rtype::RRSIG {
            told_ttl(self.edit.rtype, ttl, rdata) == Some(ttl)
        } else {
            self.ttl.is_none_or(|of_others| of_others == ttl)
        };
        if !is_told {
            return Err(EditFault::Ttls(self.edit.place()));
        }
        self.ttl = Some(lowest);
        let length = u16::try_from(rdata.len()).expect("the rdata was checked");
        self.target.extend_from_slice(&length.to_be_bytes());
        self.target.extend_from_slice(rdata);
        self.rdata_count += 1;
        Ok(())
    }

    /// Completes the entry; returns whether it has no rdata.
    fn close(self) -> Result<bool, EditFault> {
        let octets = u32::try_from(self.target.len() - self.start);
        let Ok(octets) = octets else {
            return Err(EditFault::TooLarge);
        };
        let entry = &mut self.target[self.start..];
        write_u32(entry, 0, octets);
        write_u32(entry, TTL, self.ttl.unwrap_or_default().as_secs());
        write_u32(entry, RDATA_COUNT, self.rdata_count);
        Ok(self.rdata_count == 0)
    }
}

#[cfg(test)]
mod tests;
