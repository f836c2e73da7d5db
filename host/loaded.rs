//! The files of the open libraries, watched while their code runs.
//!
//! The system maps a library from its file: whoever writes over that file changes the code that runs,
//! at once and in the middle of a function. Nothing such a process does can be relied on, so once it is
//! seen nothing is published any more. A file that is removed or replaced by a rename is another one:
//! the code that runs stays as it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::preflight::Identity;
use crate::problem::{Code, Problem};

/// What to do instead of writing over the file of a library.
pub(crate) const HOW_TO_INSTALL: &str = "put another file in its place, as gordon-janitor plugins install, mv and install(1) do; cp and > write over it";

/// The libraries that are open.
#[derive(Debug, Default)]
pub struct Loaded(Mutex<Vec<Library>>);

#[derive(Debug)]
struct Library {
    path: PathBuf,
    judged: Identity,
    /// Whether it was told that it is gone or another.
    told: bool,
}

impl Loaded {
    /// The library at `path`, which was judged, is about to be opened.
    pub(crate) fn add(&self, path: &Path, judged: Identity) {
        self.libraries().push(Library {
            path: path.to_owned(),
            judged,
            told: false,
        });
    }

    /// The libraries that were written over since they were judged. What was removed or replaced goes
    /// to the log, once.
    pub(crate) fn written_over(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for library in &mut *self.libraries() {
            let now = fs::metadata(&library.path).map(|file| Identity::of(&file));
            match now {
                Ok(now) if now == library.judged => {}
                Ok(now) if now.file == library.judged.file => {
                    problems.push(written_over(&library.path, &library.judged, &now));
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

/// Whether the file at `path` is still the one that had this identity, and was written to since.
///
/// For a process that outlives the one that had opened it, and knows the identity as text.
pub(crate) fn is_written_over(path: &Path, identity: &str) -> bool {
    let file = |identity: &str| {
        identity
            .splitn(3, ':')
            .take(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    fs::metadata(path).is_ok_and(|metadata| {
        let now = Identity::of(&metadata).to_string();
        now != identity && file(&now) == file(identity)
    })
}

fn written_over(path: &Path, before: &Identity, now: &Identity) -> Problem {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let found = if before.octets == now.octets {
        format!("the same inode, modified again, {} octets", now.octets)
    } else {
        format!("the same inode, size {} -> {}", before.octets, now.octets)
    };
    Problem::error(
        Code::WrittenOver,
        format!("{name} was written over while it was loaded"),
    )
    .place(path.display())
    .found(found)
    .because("the code of a library is read from its file while it runs; nothing this run does can be relied on any more")
    .help(HOW_TO_INSTALL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_over_a_file_is_told_apart_from_replacing_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let loaded = Loaded::default();
        let names = [
            "same.so",
            "longer.so",
            "touched.so",
            "replaced.so",
            "removed.so",
        ];
        for name in names {
            fs::write(path(name), "code").unwrap();
            let file = fs::metadata(path(name)).unwrap();
            loaded.add(&path(name), Identity::of(&file));
        }
        assert!(loaded.written_over().is_empty());
        let identity = |name: &str| Identity::of(&fs::metadata(path(name)).unwrap()).to_string();
        let before = names.map(identity);

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
        // By identity alone the same ones.
        let known = names.into_iter().zip(&before);
        let written_over = known.filter(|(name, before)| is_written_over(&path(name), before));
        let written_over = written_over.map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(written_over, ["longer.so", "touched.so"]);
    }
}
