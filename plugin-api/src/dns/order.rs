//! Brings the entries of a buffer into canonical order.
//!
//! Entries are of different lengths and cannot be swapped in place. Sorted are
//! slots of 24 octets that hold a window of the entry's sort key; entries whose
//! windows are equal get the next window and are sorted again. Then every entry
//! is copied once.
//!
//! The sort key is a string of octets that compares as owner, then type, do:
//! the labels below the apex from right to left, each followed by 0, then 0 once
//! more and the type. Octets 0 and 1 in a label become 1 1 and 1 2, so that no
//! label begins with 0 or contains it, and no key begins with another.

use std::hint::black_box;

use super::labels::{self, LabelStarts};
use super::rrset::{OWNER, RDATA_COUNT, RESERVED, TTL, entry_octets, entry_rtype};
use super::rrset::{length_u32, read_u16, read_u32, write_u32};

/// Entries that are loaded together.
const BLOCK: usize = 16;
/// Octets that the processor loads at once; most entries start in one and end
/// in the next.
const CACHE_LINE: usize = 64;
/// Octets of the key that a slot holds.
const WINDOW: usize = 16;

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
}

/// Number of RRsets and what is in them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) rrsets: usize,
    pub(crate) rrs: usize,
    /// RRsets whose RRs had several TTLs.
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
    join: Join,
}

impl Sorter {
    /// Appends the entries of `source[from..]` to `target` in canonical order,
    /// joining those of one owner and type.
    ///
    /// Takes O(n log n) steps for n octets, whatever they are.
    pub(crate) fn gather(
        &mut self,
        source: &[u8],
        from: usize,
        apex_labels: usize,
        target: &mut Vec<u8>,
    ) -> Counts {
        let mut keys = Keys {
            source,
            apex_labels,
            starts: LabelStarts::EMPTY,
        };
        self.slots.clear();
        let mut start = from;
        while start < source.len() {
            let octets = entry_octets(&source[start..]);
            self.slots.push(Slot {
                window: keys.window(start, 0).unwrap_or_default(),
                start: length_u32(start),
                octets: length_u32(octets),
            });
            start += octets;
        }
        keys.sort(&mut self.slots, 0);

        let mut counts = Counts::default();
        let mut fetched = 0;
        let mut next = 0;
        while let Some(first) = self.slots.get(next) {
            if next >= fetched {
                fetched = self.slots.len().min(next + BLOCK);
                fetch(source, &self.slots[next..fetched], CACHE_LINE);
            }
            let rest = &self.slots[next + 1..];
            let parts = 1 + rest.iter().take_while(|slot| slot.octets == 0).count();
            let entry = target.len();
            if parts == 1 {
                let start = first.start as usize;
                target.extend_from_slice(&source[start..start + first.octets as usize]);
            } else {
                self.join
                    .entries(source, &self.slots[next..next + parts], target);
            }
            counts.ttl_conflicts += usize::from(has_ttl_conflict(&target[entry..]));
            counts.rrs += read_u32(target, entry + RDATA_COUNT) as usize;
            counts.rrsets += 1;
            next += parts;
        }
        counts
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
fn fetch(source: &[u8], block: &[Slot], last: usize) {
    let octet = |at: usize| source.get(at).copied().unwrap_or_default();
    let seen = block.iter().fold(0, |seen, slot| {
        let start = slot.start as usize;
        seen ^ octet(start) ^ octet(start + last)
    });
    black_box(seen);
}

struct Keys<'a> {
    source: &'a [u8],
    apex_labels: usize,
    starts: LabelStarts,
}

impl Keys<'_> {
    /// Sorts slots whose keys are equal in their first `skipped` octets.
    ///
    /// Recurses once per window, and a key has at most some 520 octets.
    fn sort(&mut self, slots: &mut [Slot], skipped: usize) {
        slots.sort_unstable_by_key(Slot::key);
        let next = skipped + WINDOW;
        for run in slots.chunk_by_mut(|left, right| left.window == right.window) {
            let [first, others @ ..] = run else { continue };
            if others.is_empty() {
                continue;
            }
            if self.window(first.start as usize, next).is_none() {
                others.iter_mut().for_each(|slot| slot.octets = 0);
                continue;
            }
            for block in run.chunks_mut(BLOCK) {
                fetch(self.source, block, CACHE_LINE);
                for slot in block {
                    slot.window = self.window(slot.start as usize, next).unwrap_or_default();
                }
            }
            self.sort(run, next);
        }
    }

    /// Returns the octets of a key after the first `skipped`, as two numbers;
    /// none if the key has no more.
    fn window(&mut self, start: usize, skipped: usize) -> Option<[u64; 2]> {
        let entry = &self.source[start..];
        let owner = &entry[OWNER..];
        self.starts
            .scan(owner)
            .expect("the owner was checked when it was pushed");
        let mut window = Window {
            octets: 0,
            filled: 0,
            skip: skipped,
        };
        for index in self.apex_labels.. {
            let Some(label) = self.starts.label_start_from_right(index) else {
                break;
            };
            window.push_label(&owner[label..]);
            if window.filled == WINDOW {
                return Some(window.halves());
            }
        }
        let rtype = entry_rtype(entry).0.to_be_bytes();
        window.push(0);
        rtype.into_iter().for_each(|octet| window.push(octet));
        (window.filled > 0).then(|| window.halves())
    }
}

/// Takes a key from its beginning and keeps one window of it.
struct Window {
    /// The first octet of the window is the most significant.
    octets: u128,
    filled: usize,
    skip: usize,
}

impl Window {
    #[inline]
    fn push(&mut self, octet: u8) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if self.filled < WINDOW {
            self.octets |= u128::from(octet) << (8 * (WINDOW - 1 - self.filled));
            self.filled += 1;
        }
    }

    /// Pushes the label that `octets` begin with, its length octet included.
    #[inline]
    fn push_label(&mut self, octets: &[u8]) {
        let length = usize::from(octets[0]);
        let label = &octets[1..=length];
        if labels::has_zero_or_one(label) {
            for &octet in label {
                match octet {
                    0 | 1 => [1, octet + 1]
                        .into_iter()
                        .for_each(|octet| self.push(octet)),
                    _ => self.push(octet),
                }
            }
            self.push(0);
            return;
        }
        let skipped = self.skip.min(length);
        let taken = (length - skipped).min(WINDOW - self.filled);
        if taken > 0 {
            // Loads a whole window and cuts off what is too much: cheaper than
            // copying a number of octets that differs each time.
            let loaded = match octets[1 + skipped..].first_chunk() {
                Some(chunk) => u128::from_be_bytes(*chunk),
                None => label[skipped..]
                    .iter()
                    .rev()
                    .fold(0, |sum, &octet| sum >> 8 | u128::from(octet) << 120),
            };
            let kept = loaded >> (8 * (WINDOW - taken)) << (8 * (WINDOW - taken));
            self.octets |= kept >> (8 * self.filled);
            self.filled += taken;
        }
        self.skip -= skipped;
        self.push(0);
    }

    fn halves(&self) -> [u64; 2] {
        let [a, b, c, d, e, f, g, h, low @ ..] = self.octets.to_be_bytes();
        [[a, b, c, d, e, f, g, h], low].map(u64::from_be_bytes)
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
        if conflict || ttls.0 < ttls.1 {
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
