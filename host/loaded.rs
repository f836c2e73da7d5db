//! The files of the open libraries, watched while their code runs.
//!
//! The system maps a library from its file: whoever writes over that file changes the code that runs,
//! at once and in the middle of a function. Nothing such a process does can be relied on, so once it is
//! seen nothing is published any more. A file that is removed or replaced by a rename is another one:
//! the code that runs stays as it was.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::problem::{Code, Problem};

/// Which file it was, and in which state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(file: &Metadata) -> Self {
        Self {
            device: file.dev(),
            inode: file.ino(),
            size: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
        }
    }

    fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

/// A word for the file at `path` as it is now: equal for as long as nobody writes to it or replaces
/// it.
pub(crate) fn identity(path: &Path) -> Option<String> {
    let stamp = Stamp::of(&fs::metadata(path).ok()?);
    let (seconds, nanoseconds) = stamp.modified;
    Some(format!(
        "{:x}:{}:{}:{seconds}.{nanoseconds:09}",
        stamp.device, stamp.inode, stamp.size
    ))
}

/// The libraries that are open.
#[derive(Debug, Default)]
pub struct Loaded(Mutex<Vec<Library>>);

#[derive(Debug)]
struct Library {
    path: PathBuf,
    stamp: Stamp,
    /// Whether it was told that it is gone or another.
    told: bool,
}

impl Loaded {
    /// The library at `path` is about to be opened.
    ///
    /// # Errors
    ///
    /// If it is not there any more.
    pub(crate) fn add(&self, path: &Path) -> io::Result<()> {
        let stamp = Stamp::of(&fs::metadata(path)?);
        self.libraries().push(Library {
            path: path.to_owned(),
            stamp,
            told: false,
        });
        Ok(())
    }

    /// The libraries that were written over since they were opened. What was removed or replaced goes
    /// to the log, once.
    pub(crate) fn written_over(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for library in &mut *self.libraries() {
            let now = fs::metadata(&library.path).map(|file| Stamp::of(&file));
            match now {
                Ok(now) if now == library.stamp => {}
                Ok(now) if now.is_same_file(&library.stamp) => {
                    problems.push(written_over(&library.path, &library.stamp, &now));
                }
                replaced if !library.told => {
                    library.told = true;
                    let path = library.path.display();
                    if replaced.is_ok() {
                        tracing::info!(library = %path, "library was replaced; the next run uses the new one");
                    } else {
                        tracing::warn!(library = %path, "library was removed while it is in use; the next run will miss it");
                    }
                }
                _ => {}
            }
        }
        problems
    }

    fn libraries(&self) -> std::sync::MutexGuard<'_, Vec<Library>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn written_over(path: &Path, before: &Stamp, now: &Stamp) -> Problem {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let found = if before.size == now.size {
        format!("the same inode, modified again, {} octets", now.size)
    } else {
        format!("the same inode, size {} -> {}", before.size, now.size)
    };
    Problem::error(
        Code::WrittenOver,
        format!("{name} was written over while it was loaded"),
    )
    .place(path.display())
    .found(found)
    .because("the code of a library is read from its file while it runs; nothing this run does can be relied on any more")
    .help("install libraries by renaming, as gordon-janitor plugins install, install(1) and mv do; cp and > write over the file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_over_a_file_is_told_apart_from_replacing_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let loaded = Loaded::default();
        for name in [
            "same.so",
            "longer.so",
            "touched.so",
            "replaced.so",
            "removed.so",
        ] {
            fs::write(path(name), "code").unwrap();
            loaded.add(&path(name)).unwrap();
        }
        assert!(loaded.written_over().is_empty());

        fs::write(path("longer.so"), "other code").unwrap();
        let touched = fs::File::options()
            .write(true)
            .open(path("touched.so"))
            .unwrap();
        touched
            .set_modified(std::time::SystemTime::UNIX_EPOCH)
            .unwrap();
        fs::write(path("new"), "code").unwrap();
        fs::rename(path("new"), path("replaced.so")).unwrap();
        fs::remove_file(path("removed.so")).unwrap();

        let problems = loaded.written_over();
        let summaries = problems.iter().map(Problem::summary).collect::<Vec<_>>();
        assert_eq!(
            summaries,
            [
                "longer.so was written over while it was loaded",
                "touched.so was written over while it was loaded"
            ]
        );
        assert!(problems[0].to_string().contains("size 4 -> 10"));
    }

    #[test]
    fn the_identity_changes_with_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.so");
        assert_eq!(identity(&path), None);
        fs::write(&path, "code").unwrap();
        let first = identity(&path);
        assert_eq!(first, identity(&path));
        fs::write(&path, "more code").unwrap();
        assert_ne!(first, identity(&path));
    }
}
