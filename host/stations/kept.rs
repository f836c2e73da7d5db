//! Keeps the changes of a plan: in memory, and beyond a limit in a file.
//!
//! Nothing is published before every zone is planned, so all changes of a run are kept for a while.
//! The file has no name: it is gone with the process, however that ends.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use janitor_plugin_api::dns::{Changes, Name};

/// Where the changes of a run are kept.
#[derive(Debug)]
pub struct Store {
    /// Octets that are left in memory.
    room: usize,
    directory: PathBuf,
    file: Option<Spill>,
}

#[derive(Debug)]
struct Spill {
    file: Arc<File>,
    end: u64,
}

/// The changes of one zone, wherever they are.
#[derive(Debug)]
pub struct Kept(Place);

#[derive(Debug)]
enum Place {
    Memory(Changes),
    File {
        apex: Name,
        file: Arc<File>,
        offset: u64,
        octets: usize,
    },
}

impl Store {
    /// Keeps up to `limit` octets in memory, and others in a file in `directory`.
    #[must_use]
    pub fn new(limit: usize, directory: PathBuf) -> Self {
        Self {
            room: limit,
            directory,
            file: None,
        }
    }

    /// Keeps `changes`.
    ///
    /// # Errors
    ///
    /// What keeps them from being written, and the changes, which are in memory then.
    pub fn keep(&mut self, changes: Changes) -> Result<Kept, (Kept, io::Error)> {
        let octets = changes.octets().len();
        if let Some(room) = self.room.checked_sub(octets) {
            self.room = room;
            return Ok(Kept::from(changes));
        }
        match self.write(changes.octets()) {
            Ok((file, offset)) => Ok(Kept(Place::File {
                apex: changes.apex().to_owned(),
                file,
                offset,
                octets,
            })),
            Err(error) => Err((Kept::from(changes), error)),
        }
    }

    fn write(&mut self, octets: &[u8]) -> io::Result<(Arc<File>, u64)> {
        let spill = match &mut self.file {
            Some(spill) => spill,
            none => none.insert(Spill {
                file: Arc::new(tempfile::tempfile_in(&self.directory)?),
                end: 0,
            }),
        };
        let offset = spill.end;
        spill.file.write_all_at(octets, offset)?;
        spill.end += octets.len() as u64;
        Ok((Arc::clone(&spill.file), offset))
    }
}

impl Kept {
    /// The changes.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or what is read is not what was written.
    pub fn get(&self) -> io::Result<Cow<'_, Changes>> {
        match &self.0 {
            Place::Memory(changes) => Ok(Cow::Borrowed(changes)),
            Place::File {
                apex,
                file,
                offset,
                octets,
            } => {
                let mut read = vec![0; *octets];
                file.read_exact_at(&mut read, *offset)?;
                let changes = Changes::check(apex.clone(), read.into());
                let changes = changes.map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
                Ok(Cow::Owned(changes))
            }
        }
    }
}

impl From<Changes> for Kept {
    /// In memory, whatever the limit.
    fn from(changes: Changes) -> Self {
        Self(Place::Memory(changes))
    }
}

#[cfg(test)]
mod tests {
    use janitor_plugin_api::dns::{ChangesBuilder, Ttl};

    use super::*;

    fn changes(apex: &str) -> Changes {
        let mut builder = ChangesBuilder::new(apex.parse().unwrap());
        let additions = builder.additions();
        additions
            .push_text("www", Ttl::default(), "A", "192.0.2.1")
            .unwrap();
        builder.build().unwrap()
    }

    #[test]
    fn what_has_no_room_in_memory_is_read_back_from_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let sets = ["a.test", "b.test", "c.test"].map(changes);
        let mut store = Store::new(sets[0].octets().len(), directory.path().into());
        let kept = sets.clone().map(|set| store.keep(set).unwrap());

        assert!(matches!(kept[0].0, Place::Memory(_)));
        assert!(
            kept[1..]
                .iter()
                .all(|kept| matches!(kept.0, Place::File { .. }))
        );
        for (kept, set) in kept.iter().zip(&sets) {
            assert_eq!(*kept.get().unwrap(), *set);
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_cannot_be_written_stays_in_memory_and_says_so() {
        let mut store = Store::new(0, "/nonexistent".into());
        let set = changes("a.test");
        let (kept, error) = store.keep(set.clone()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert_eq!(*kept.get().unwrap(), set);
    }

    #[test]
    fn what_the_file_no_longer_holds_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = Store::new(0, directory.path().into());
        let kept = store.keep(changes("a.test")).unwrap();
        let spill = store.file.as_ref().unwrap();
        spill.file.write_all_at(&[0xff; 8], 0).unwrap();
        assert_eq!(kept.get().unwrap_err().kind(), io::ErrorKind::InvalidData);
        spill.file.set_len(3).unwrap();
        assert_eq!(kept.get().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
