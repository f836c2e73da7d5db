//! Brings the entries of a buffer into canonical order.
//!
//! Entries are of different lengths and cannot be swapped in place. Sorted are
//! slots of 24 octets that hold a window of the entry's sort key; entries whose
//! windows are equal get the next window and are sorted again.
//!
//! To load an entry from somewhere in a large zone costs more than to copy it. So
//! the first window is taken when an entry is noted, be it while the zone is built
//! and its owner has just been read. Sorted by it, entries are brought together a
//! cache full at a time, compared further there, and copied to their place.

use std::hint::black_box;

use super::labels::{self, LabelStarts};
use super::rrset::{OWNER, RDATA_COUNT, RESERVED, TTL, entry_octets, entry_rtype};
use super::rrset::{length_u32, read_u16, read_u32, write_u32};
use super::rtype::Rtype;
use super::sort_key::{WINDOW, window};

/// Entries that are loaded together.
const BLOCK: usize = 64;
/// Octets of entries that are brought together before they are compared beyond
/// their first windows: as much as the second cache of a processor core holds.
/// Tests have both fewer and more.
const NEAR: usize = if cfg!(test) { 1 << 9 } else { 1 << 20 };
/// Octets that the processor loads at once; most entries start in one and end
/// in the next.
const CACHE_LINE: usize = 64;

/// What is sorted in place of one entry.
#[derive(Clone, Copy)]
struct Slot {
    /// Two halves, because a `u128` would make the slot 32 octets long.
    window: [u64; 2],
    /// Where the entry starts.
    start: u32,
    /// Octets of the entry; 0 if it has owner and type of the slot before it.
    octets: u32,
}

impl Slot {
    /// The window as one number, compared without branches.
    #[inline]
    fn key(&self) -> u128 {
        let [high, low] = self.window.map(u128::from);
        high << 64 | low
    }

    fn has_window_of(&self, other: &Self) -> bool {
        self.window == other.window
    }

    fn entry<'a>(&self, source: &'a [u8]) -> &'a [u8] {
        let start = self.start as usize;
        &source[start..start + self.octets as usize]
    }
}

/// Number of RRsets and what is in them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) rrsets: usize,
    pub(crate) rrs: usize,
    /// RRsets whose RRs had TTLs that the RRset does not tell.
    pub(crate) ttl_conflicts: usize,
}

impl std::ops::Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            rrsets: self.rrsets + other.rrsets,
            rrs: self.rrs + other.rrs,
            ttl_conflicts: self.ttl_conflicts + other.ttl_conflicts,
        }
    }
}

/// Brings entries into order; keeps its buffers from one time to the next.
#[derive(Default)]
pub(crate) struct Sorter {
    slots: Vec<Slot>,
    near: Vec<u8>,
    join: Join,
}

impl Sorter {
    /// Forgets what was noted, and notes all the entries of `source[from..]`.
    pub(crate) fn note_all(&mut self, source: &[u8], from: usize, apex_labels: usize) {
        self.slots.clear();
        let mut start = from;
        while start < source.len() {
            let entry = &source[start..];
            let labels = LabelStarts::trusted(&entry[OWNER..]);
            self.note(source, start, &labels, apex_labels);
            start += entry_octets(entry);
        }
    }

    /// Notes the entry that starts at `start`, and the labels of its owner.
    #[inline]
    pub(crate) fn note(
        &mut self,
        source: &[u8],
        start: usize,
        labels: &LabelStarts,
        apex_labels: usize,
    ) {
        let entry = &source[start..];
        self.slots.push(Slot {
            window: window(entry, labels, apex_labels, 0).unwrap_or_default(),
            start: length_u32(start),
            octets: length_u32(entry_octets(entry)),
        });
    }

    /// Appends the entries that were noted to `target` in canonical order, joining
    /// those of one owner and type.
    ///
    /// Takes O(n log n) steps for n octets, whatever they are.
    pub(crate) fn gather(
        &mut self,
        source: &[u8],
        apex_labels: usize,
        target: &mut Vec<u8>,
    ) -> Counts {
        let mut gather = Gather {
            source,
            apex_labels,
            near: &mut self.near,
            join: &mut self.join,
            target,
            counts: Counts::default(),
        };
        gather.place(&mut self.slots, 0);
        gather.counts
    }

    /// Sorts the rdata at the end of `target`, from `from` on, and leaves each
    /// of them there once; returns how many are left.
    pub(crate) fn sort_rdatas(&mut self, target: &mut Vec<u8>, from: usize) -> u32 {
        self.join.sort_tail(target, from)
    }
}

/// Returns whether the entry is marked as having had several TTLs.
fn has_ttl_conflict(entry: &[u8]) -> bool {
    read_u16(entry, RESERVED) != 0
}

/// Takes the marks of [`mark_ttl_conflict`] from all of the entries.
pub(crate) fn clear_ttl_conflicts(entries: &mut [u8]) {
    let mut start = 0;
    while start < entries.len() {
        entries[start + RESERVED..start + TTL].fill(0);
        start += entry_octets(&entries[start..]);
    }
}

/// Marks the entry as having had several TTLs, in octets that are zero in the
/// end: it is counted only when all its parts have come together.
pub(crate) fn mark_ttl_conflict(entry: &mut [u8]) {
    entry[RESERVED + 1] = 1;
}

/// Loads entries that lie scattered in memory, a block of them at once.
///
/// One after the other, every entry costs a wait for memory; loads that do not
/// depend on each other wait together.
#[inline]
fn fetch(source: &[u8], block: &[Slot]) {
    let octet = |at: usize| source.get(at).copied().unwrap_or_default();
    let seen = block.iter().fold(0, |seen, slot| {
        let start = slot.start as usize;
        seen ^ octet(start) ^ octet(start + CACHE_LINE)
    });
    black_box(seen);
}

/// Takes entries from all over `source` to their place in `target`.
struct Gather<'a> {
    source: &'a [u8],
    apex_labels: usize,
    near: &'a mut Vec<u8>,
    join: &'a mut Join,
    target: &'a mut Vec<u8>,
    counts: Counts,
}

impl Gather<'_> {
    /// Places entries whose keys are equal in their first `skipped` octets, and
    /// whose windows are what follows.
    ///
    /// Recurses once per window, and a key has at most some 520 octets.
    fn place(&mut self, slots: &mut [Slot], skipped: usize) {
        slots.sort_unstable_by_key(Slot::key);
        let mut rest = slots;
        while !rest.is_empty() {
            let (length, octets) = batch(rest);
            let (batch, others) = rest.split_at_mut(length);
            rest = others;
            if octets <= NEAR {
                self.place_batch(batch, skipped + WINDOW);
            } else {
                self.place_run(batch, skipped + WINDOW);
            }
        }
    }

    /// Places few entries, among those with equal windows by the octets after the
    /// first `skipped`.
    fn place_batch(&mut self, batch: &mut [Slot], skipped: usize) {
        self.near.clear();
        for block in batch.chunks_mut(BLOCK) {
            fetch(self.source, block);
            for slot in block {
                let entry = slot.entry(self.source);
                slot.start = length_u32(self.near.len());
                self.near.extend_from_slice(entry);
            }
        }
        let mut keys = Keys::new(self.near, self.apex_labels);
        for run in batch.chunk_by_mut(Slot::has_window_of) {
            keys.sort(run, skipped);
        }
        self.counts = self.counts + self.join.append(self.near, batch, self.target);
    }

    /// Places many entries that are equal in their first `skipped` octets.
    fn place_run(&mut self, run: &mut [Slot], skipped: usize) {
        let mut keys = Keys::new(self.source, self.apex_labels);
        if run.len() == 1 || keys.join(run, skipped) {
            self.counts = self.counts + self.join.append(self.source, run, self.target);
            return;
        }
        for block in run.chunks_mut(BLOCK) {
            fetch(self.source, block);
            keys.turn(block, skipped);
        }
        self.place(run, skipped);
    }
}

/// Returns how many slots at the beginning are placed together, and the octets of
/// their entries: more than [`NEAR`] only if all have one window.
fn batch(slots: &[Slot]) -> (usize, usize) {
    let (mut length, mut octets) = (0, 0);
    for run in slots.chunk_by(Slot::has_window_of) {
        let more: usize = run.iter().map(|slot| slot.octets as usize).sum();
        if length > 0 && octets + more > NEAR {
            break;
        }
        length += run.len();
        octets += more;
    }
    (length, octets)
}

/// Tells keys apart beyond their first windows.
struct Keys<'a> {
    source: &'a [u8],
    apex_labels: usize,
    labels: LabelStarts,
}

impl<'a> Keys<'a> {
    fn new(source: &'a [u8], apex_labels: usize) -> Self {
        Self {
            source,
            apex_labels,
            labels: LabelStarts::EMPTY,
        }
    }

    /// Sorts slots whose keys are equal in their first `skipped` octets.
    fn sort(&mut self, slots: &mut [Slot], skipped: usize) {
        if slots.len() == 1 || self.join(slots, skipped) {
            return;
        }
        self.turn(slots, skipped);
        slots.sort_unstable_by_key(Slot::key);
        for run in slots.chunk_by_mut(Slot::has_window_of) {
            self.sort(run, skipped + WINDOW);
        }
    }

    /// Marks entries whose keys are equal in their first `skipped` octets as one
    /// RRset, if the keys have no more.
    fn join(&mut self, run: &mut [Slot], skipped: usize) -> bool {
        let [first, others @ ..] = run else {
            return false;
        };
        let is_one = self.window(first, skipped).is_none();
        if is_one {
            others.iter_mut().for_each(|slot| slot.octets = 0);
        }
        is_one
    }

    /// Gives slots the windows after the first `skipped` octets.
    fn turn(&mut self, slots: &mut [Slot], skipped: usize) {
        for slot in slots {
            slot.window = self.window(slot, skipped).unwrap_or_default();
        }
    }

    fn window(&mut self, slot: &Slot, skipped: usize) -> Option<[u64; 2]> {
        let entry = &self.source[slot.start as usize..];
        self.labels
            .scan(&entry[OWNER..])
            .expect("the owner was checked when it was pushed");
        window(entry, &self.labels, self.apex_labels, skipped)
    }
}

/// Puts one entry together from several of the same owner and type.
#[derive(Default)]
struct Join {
    /// Where the rdata are, each with its length octets.
    rdatas: Vec<(u32, u32)>,
    octets: Vec<u8>,
}

impl Join {
    /// Appends the entries in `slots` to `target`, those of one RRset as one.
    fn append(&mut self, source: &[u8], slots: &[Slot], target: &mut Vec<u8>) -> Counts {
        let mut counts = Counts::default();
        for parts in slots.chunk_by(|_, next| next.octets == 0) {
            let start = target.len();
            match parts {
                [slot] => target.extend_from_slice(slot.entry(source)),
                _ => self.entries(source, parts, target),
            }
            let entry = &target[start..];
            counts.ttl_conflicts += usize::from(has_ttl_conflict(entry));
            counts.rrs += read_u32(entry, RDATA_COUNT) as usize;
            counts.rrsets += 1;
        }
        counts
    }

    /// Appends to `target` what the entries in `slots` are together: the set of
    /// all rdata, the lowest TTL.
    fn entries(&mut self, source: &[u8], slots: &[Slot], target: &mut Vec<u8>) {
        self.rdatas.clear();
        let start = target.len();
        let mut ttls = (u32::MAX, 0);
        let mut conflict = false;
        for slot in slots {
            let part = slot.start as usize;
            let entry = &source[part..part + entry_octets(&source[part..])];
            let ttl = read_u32(entry, TTL);
            ttls = (ttls.0.min(ttl), ttls.1.max(ttl));
            conflict |= has_ttl_conflict(entry);
            let mut at = OWNER + labels::trusted_len(&entry[OWNER..]);
            if target.len() == start {
                target.extend_from_slice(&entry[..at]);
            }
            while at < entry.len() {
                let end = at + 2 + usize::from(read_u16(entry, at));
                self.rdatas
                    .push((length_u32(part + at), length_u32(part + end)));
                at = end;
            }
        }
        let count = self.append_sorted(source, target);
        write_u32(target, start + TTL, ttls.0);
        write_u32(target, start + RDATA_COUNT, count);
        let octets = length_u32(target.len() - start);
        write_u32(target, start, octets);
        // The RRs of an RRSIG RRset are of several TTLs by right.
        if conflict || ttls.0 < ttls.1 && entry_rtype(&target[start..]) != Rtype::RRSIG {
            mark_ttl_conflict(&mut target[start..]);
        }
    }

    fn sort_tail(&mut self, target: &mut Vec<u8>, from: usize) -> u32 {
        let mut octets = std::mem::take(&mut self.octets);
        octets.clear();
        octets.extend_from_slice(&target[from..]);
        target.truncate(from);
        self.rdatas.clear();
        let mut at = 0;
        while at < octets.len() {
            let end = at + 2 + usize::from(read_u16(&octets, at));
            self.rdatas.push((length_u32(at), length_u32(end)));
            at = end;
        }
        let count = self.append_sorted(&octets, target);
        self.octets = octets;
        count
    }

    fn append_sorted(&mut self, source: &[u8], target: &mut Vec<u8>) -> u32 {
        let rdata = |&(start, end): &(u32, u32)| &source[start as usize + 2..end as usize];
        self.rdatas
            .sort_unstable_by(|left, right| rdata(left).cmp(rdata(right)));
        self.rdatas
            .dedup_by(|left, right| rdata(left) == rdata(right));
        for &(start, end) in &self.rdatas {
            target.extend_from_slice(&source[start as usize..end as usize]);
        }
        length_u32(self.rdatas.len())
    }
}
