//! Kept copies of zones, so that a zone that has not changed is not transferred again.
//!
//! A copy is worth something only while nobody doubts it. Every octet that is read is verified by digest
//! (BLAKE3), and differences are applied to it strictly; what does not fit, in either, throws the copy away,
//! and the zone is transferred whole. Digests notice accidents. Whoever may write to the state directory may
//! write digests too; so may he change the history and the plans.
//!
//! ```text
//!             keep            whole file, renamed into place
//!  transfer ────────► base ◄─────────────────────────────────┐
//!                      │                                     │ the journal has grown
//!                      │ open: head, journal                 │ beyond its share
//!                      ▼                                     │
//!                    Kept ── advance: differences ──► journal + 1 record
//!                      │          │
//!                      │ read     │
//!                      ▼          ▼
//!                    the zone, every piece of the base verified when it is read
//! ```
//!
//! - `layout` is the format: octets in, a zone out, no files;
//! - `journal` is the part of it that grows;
//! - `place` is where copies are and whose they must be;
//! - here they are kept and taken up again.
//!
//! Nothing is brought to the disk by force: after a power failure a copy is there, or the digests say that it is
//! not. A base is never changed once it has its name, so several janitors may read and replace it as they like.
//! Who appends holds a lock, and appends only where he has read the file to its end.

mod fault;
mod journal;
mod layout;
mod place;

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use janitor_plugin_api::dns::{ActualZone, Edits, NameRef, Revised, Rr, Serial};
use janitor_plugin_api::in_one_line;
use tracing::{debug, warn};

use super::transfer::{Differences, Transferred};
pub(crate) use fault::KeptFault;
use journal::Journal;
use layout::Head;
use place::Place;

/// Pieces of a base have at least that many octets, and at most one RRset more.
///
/// Large enough to be read with few calls, small enough to be verified and walked while it is in the cache, and for a
/// thousand changes all over a million RRsets to leave half of the pieces alone. With that zone on an AMD EPYC of
/// 2024, pieces of 16, 32, 64 and 256 KiB are read and verified in 29, 27, 25 and 24 ms; without digests all of it is
/// read in 20.
const PIECE: usize = if cfg!(test) { 64 } else { 32 << 10 };
/// The journal is at least this long before the base is written anew.
const SHORT_JOURNAL: u64 = if cfg!(test) { 1 << 10 } else { 8 << 10 };
/// From then on it may have this share of the base.
///
/// Every reading takes up the whole journal, which costs far more for an octet than the base does, and writing the
/// base anew costs as much as reading it three times. With a million RRsets and a thousand changes each time, both
/// come to the same after some twenty times, when the journal has a fiftieth of the base.
const JOURNAL_SHARE: u64 = 64;

/// The kept copies of one plugin.
pub(crate) struct Store {
    place: Place,
    max_age: Duration,
}

impl Store {
    /// Keeps copies in `directory`, which is made when it is needed, and uses none that were transferred longer
    /// than `max_age` ago.
    ///
    /// Files there that are of no use to anyone any more are removed: copies of zones that were not asked for
    /// since then, and what a janitor left that was killed while it wrote.
    pub(crate) fn new(directory: PathBuf, max_age: Duration) -> Self {
        let place = Place::new(directory);
        place.sweep(max_age, SystemTime::now());
        Self { place, max_age }
    }

    /// Takes up the copy of the zone at `apex` as `identity` served it, the server and who asked it.
    ///
    /// None if there is none that can be used; the log has the reason. Of the zone itself nothing is read
    /// yet.
    pub(crate) fn open(&self, apex: NameRef<'_>, identity: &str) -> Option<Kept> {
        self.open_at(apex, identity, SystemTime::now())
    }

    fn open_at(&self, apex: NameRef<'_>, identity: &str, now: SystemTime) -> Option<Kept> {
        let path = self.place.path(apex);
        let fault = match self.place.open(&path) {
            Ok(None) => return None,
            Ok(Some(file)) => match self.take_up(&path, file, apex, identity, now) {
                Ok(kept) => return Some(kept),
                Err(fault) => fault,
            },
            Err(fault) => fault,
        };
        let (shown, reason) = (path.display(), in_one_line(&fault));
        if fault.is_damage() {
            warn!(zone = %apex, path = %shown, reason, "kept copy of the zone thrown away");
            place::remove(&path);
        } else {
            debug!(zone = %apex, path = %shown, reason, "kept copy of the zone not used");
        }
        None
    }

    fn take_up(
        &self,
        path: &Path,
        mut file: File,
        apex: NameRef<'_>,
        identity: &str,
        now: SystemTime,
    ) -> Result<Kept, KeptFault> {
        let length = file.metadata()?.len();
        let head = Head::read(&mut file, length)?;
        head.check(apex, identity)?;
        let kept_at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(head.kept_at));
        match kept_at.map(|kept_at| now.duration_since(kept_at)) {
            Some(Ok(age)) if age <= self.max_age => {}
            Some(Ok(_)) => return Err(KeptFault::TooOld),
            Some(Err(_)) | None => return Err(KeptFault::FromTheFuture),
        }
        let journal = read_journal(&mut file, &head)?;
        Ok(Kept {
            place: self.place.clone(),
            path: path.to_owned(),
            file,
            length,
            head,
            journal,
        })
    }

    /// Throws the copy of the zone at `apex` away, so that nobody relies on it again.
    pub(crate) fn throw_away(&self, apex: NameRef<'_>) {
        place::remove(&self.place.path(apex));
    }

    /// Keeps a zone that `identity` has just sent whole, in place of whatever is kept of it.
    ///
    /// # Errors
    ///
    /// [`KeptFault`]; what was kept before is then kept still. [`KeptFault::Inexact`] is one for the log at most:
    /// differences are made RR by RR, and cannot be made to a zone that does not tell which RRs there were.
    pub(crate) fn keep(&self, identity: &str, transferred: &Transferred) -> Result<(), KeptFault> {
        self.keep_at(identity, transferred, SystemTime::now())
    }

    fn keep_at(
        &self,
        identity: &str,
        transferred: &Transferred,
        now: SystemTime,
    ) -> Result<(), KeptFault> {
        if !transferred.tells_ttls || transferred.duplicates() > 0 {
            return Err(KeptFault::Inexact);
        }
        let zone = &transferred.zone;
        let since = now.duration_since(SystemTime::UNIX_EPOCH);
        let head = Head::of(identity, zone, since.unwrap_or_default().as_secs(), PIECE)?;
        replace(&self.place, &self.place.path(zone.apex()), &head, zone)
    }
}

/// A kept copy that was taken up: its head and its journal are verified, its zone is not yet.
pub(crate) struct Kept {
    place: Place,
    path: PathBuf,
    file: File,
    /// Octets of the file when it was taken up.
    length: u64,
    head: Head,
    journal: Journal,
}

impl Kept {
    /// Returns the serial of the copy.
    pub(crate) fn serial(&self) -> Serial {
        self.journal.serial().unwrap_or(self.head.serial)
    }

    /// Returns the rdata of the SOA of the copy.
    pub(crate) fn soa(&self) -> &[u8] {
        self.journal.soa().unwrap_or(&self.head.soa)
    }

    /// Returns who served the zone, and who asked.
    pub(crate) fn identity(&self) -> &str {
        self.head.identity()
    }

    /// Returns how many octets the zone had when it was kept.
    pub(crate) fn zone_octets(&self) -> usize {
        self.head.zone_octets as usize
    }

    /// Reads the zone.
    ///
    /// # Errors
    ///
    /// [`KeptFault`] if the copy is not what was kept; it is thrown away then.
    pub(crate) fn read(mut self) -> Result<ActualZone, KeptFault> {
        let revised = self.revise(self.serial(), std::iter::empty());
        Ok(self.or_throw_away(revised)?.zone)
    }

    /// Reads the zone as it is after the differences, and keeps it.
    ///
    /// That it cannot be kept is logged; the zone is right all the same.
    ///
    /// # Errors
    ///
    /// [`KeptFault`] if the copy is not what was kept, or the differences do not fit it exactly; it is thrown
    /// away then.
    pub(crate) fn advance(self, differences: &Differences) -> Result<ActualZone, KeptFault> {
        let rrs = differences.steps().flat_map(|step| {
            let deleted = step.deleted().map(|rr| (false, rr));
            deleted.chain(step.added().map(|rr| (true, rr)))
        });
        self.advance_by(differences.from(), differences.to(), rrs)
    }

    /// As [`Self::advance`], by RRs in the order of time; what is added comes with `true`.
    fn advance_by<'r>(
        mut self,
        from: Serial,
        to: Serial,
        rrs: impl Iterator<Item = (bool, Rr<'r>)>,
    ) -> Result<ActualZone, KeptFault> {
        let revised = if from == self.serial() {
            self.revise(to, rrs)
        } else {
            Err(KeptFault::From {
                differences: from,
                kept: self.serial(),
            })
        };
        let Revised { zone, images } = self.or_throw_away(revised)?;
        match self.append(&zone, &images) {
            Ok(()) => {}
            Err(fault @ (KeptFault::Busy | KeptFault::Moved)) => {
                debug!(zone = %zone.apex(), reason = in_one_line(&fault), "differences of the zone left to another janitor");
            }
            Err(fault) => {
                let (path, reason) = (self.path.display(), in_one_line(&fault));
                warn!(zone = %zone.apex(), %path, reason, "cannot keep the differences of the zone");
            }
        }
        Ok(zone)
    }

    /// Reads the zone, and makes it the one with the serial `to`.
    fn revise<'r>(
        &mut self,
        to: Serial,
        rrs: impl Iterator<Item = (bool, Rr<'r>)>,
    ) -> Result<Revised, KeptFault> {
        let mut edits = Edits::new(self.head.apex());
        self.journal.repeat(&mut edits);
        for (adds, rr) in rrs {
            if adds {
                edits.add(rr)?;
            } else {
                edits.delete(rr)?;
            }
        }
        let revised = self.head.revise(&mut self.file, edits)?;
        match revised.zone.serial() {
            Some(serial) if serial == to => Ok(revised),
            found => Err(KeptFault::To {
                expected: to,
                found,
            }),
        }
    }

    /// Throws the copy away if there is a fault, so that nobody relies on it again.
    fn or_throw_away<T>(&self, result: Result<T, KeptFault>) -> Result<T, KeptFault> {
        if result.is_err() {
            place::remove(&self.path);
        }
        result
    }

    /// Keeps what became of the zone: behind the journal, or in a new base.
    fn append(&self, zone: &ActualZone, images: &[u8]) -> Result<(), KeptFault> {
        let soa = zone.soa().and_then(|soa| soa.rdatas().next());
        let record = self.journal.record(soa.ok_or(KeptFault::NoSoa)?, images)?;
        let end = self.head.base_octets() + self.journal.octets() as u64;
        if self.journal.octets() as u64 + record.len() as u64 > most_journal(&self.head) {
            let head = Head::of(self.head.identity(), zone, self.head.kept_at, PIECE)?;
            return replace(&self.place, &self.path, &head, zone);
        }
        match self.file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(KeptFault::Busy),
            Err(TryLockError::Error(error)) => return Err(KeptFault::Write(error)),
        }
        if self.file.metadata()?.len() != self.length {
            return Err(KeptFault::Moved);
        }
        // Behind the records that count there may be a torn one.
        self.file.set_len(end).map_err(KeptFault::Write)?;
        let written = self.file.write_all_at(&record, end);
        written.map_err(KeptFault::Write)
    }
}

/// Returns how many octets the journal of a file may have; what goes beyond was not written by us.
fn most_journal(head: &Head) -> u64 {
    SHORT_JOURNAL.max(u64::from(head.zone_octets) / JOURNAL_SHARE)
}

/// Reads the journal, and goes back to where the zone starts.
fn read_journal(file: &mut File, head: &Head) -> io::Result<Journal> {
    let mut octets = Vec::new();
    file.seek(SeekFrom::Start(head.base_octets()))?;
    file.take(most_journal(head)).read_to_end(&mut octets)?;
    file.seek(SeekFrom::Start(head.octets))?;
    Ok(Journal::parse(octets, head.digest))
}

/// Writes a copy and puts it in the place of the one at `path`.
fn replace(place: &Place, path: &Path, head: &Head, zone: &ActualZone) -> Result<(), KeptFault> {
    let mut new = place.create()?;
    let octets = head.to_octets()?;
    let written = new
        .write_all(&octets)
        .and_then(|()| new.write_all(zone.octets()));
    written.map_err(KeptFault::Write)?;
    match new.persist(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(KeptFault::Write(error.error)),
    }
}

#[cfg(test)]
mod tests;
