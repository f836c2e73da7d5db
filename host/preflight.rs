//! Judges a file without running or mapping it.
//!
//! The judges, in the order in which they are asked: what kind of file it is (`sniff`, `elf`), what it
//! says of itself, whether this machine has what it needs (`system`), who could replace it (`places`),
//! where it is mounted (`mount`), and whether it is the one that was installed (`digest`).

mod elf;
mod sniff;
mod linkage;
mod system;
mod stranger;
mod trust;
mod obstacle;
mod places;
mod mount;
mod digest;
mod refusal;
mod static_tls;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use object::ReadCache;
use rustix::fs::{Mode, OFlags};

use self::elf::Fault;
use self::linkage::Linkage;
use self::refusal::file_name;
use self::system::System;
use crate::manifest::{ApiVersion, Manifest, PanicStrategy};
use crate::problem::Problem;

pub use self::digest::Digest;
pub(crate) use self::obstacle::Obstacle;
pub use self::places::Subject;
pub(crate) use self::refusal::cannot_open;
pub(crate) use self::static_tls::judge as static_tls;
pub use self::stranger::stranger;
pub use self::trust::Trust;

/// Octets of a library at most. Debug builds of large plugins have some 100 MiB.
const MAX_OCTETS: u64 = 1 << 30;

/// A file that was judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The file itself: absolute, every link resolved. This is what is opened later.
    pub path: PathBuf,
    /// The file that was read; `None` if it could not be opened.
    pub identity: Option<Identity>,
    /// The judgement.
    pub verdict: Verdict,
    /// What should be mended although the library can be loaded.
    pub warnings: Vec<Problem>,
    /// What it takes of the loader's room for static thread-locals, if it or a library that it needs
    /// insists on them: paths and octets.
    pub static_tls: Vec<(PathBuf, u64)>,
}

/// Which file was read, and which state of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Device and inode: the file.
    pub file: (u64, u64),
    /// Its length in octets.
    pub octets: u64,
    /// When it was last written to: seconds and nanoseconds since 1970.
    pub written: (i64, i64),
}

impl Identity {
    /// The identity of what `metadata` describes.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            file: (metadata.dev(), metadata.ino()),
            octets: metadata.len(),
            written: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// A word for it: equal for as long as nobody writes to the file or replaces it.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((device, inode), (seconds, nanoseconds)) = (self.file, self.written);
        let octets = self.octets;
        write!(f, "{device:x}:{inode}:{octets}:{seconds}.{nanoseconds:09}")
    }
}

/// What a file turned out to be.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// A library that can be loaded.
    Plugin(Manifest),
    /// A shared library without our note: nobody's fault.
    NotAPlugin,
    /// Something that cannot be loaded. What its manifest says, if that could be read.
    Refused(Problem, Option<Manifest>),
}

/// The digests that a library may have, and how to say what was expected.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Any of these will do; the first is that of the last installation.
    pub digests: Vec<Digest>,
    /// What was installed: `acme 0.1.0, installed 2026-11-22T19:10:00Z`.
    pub what: String,
}

/// Judges files for one user of this machine.
#[derive(Debug)]
pub struct Preflight {
    trust: Trust,
    /// Where cargo builds this program, if it does.
    build_tree: Option<PathBuf>,
    system: System,
    /// What is wrong with libraries that others need, once it is known.
    companions: RefCell<HashMap<PathBuf, Option<Problem>>>,
}

/// What can be said of a file wherever it lies, and what further judges need.
struct Examined {
    judged: Judged,
    /// The file that was read, so that what is read later is of the same one.
    file: Option<File>,
    /// The libraries that come into the process with it.
    companions: Vec<PathBuf>,
}

impl Preflight {
    /// Judges for the user that plugins will run as.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        let executable = std::env::current_exe().and_then(fs::canonicalize);
        let build_tree = executable
            .ok()
            .as_deref()
            .and_then(crate::discovery::build_tree);
        Self {
            trust,
            build_tree,
            system: System::default(),
            companions: RefCell::default(),
        }
    }

    /// The user that is judged for.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Judges the file at `path`: what it is, and whether it is safe where it lies. A library has to
    /// be what is `expected` of it.
    #[must_use]
    pub fn judge(&self, path: &Path, expected: Option<&Expected>) -> Judged {
        self.judge_as(path, path, expected)
    }

    /// Judges the file at `path` and calls it by the name that people know, `shown`.
    pub(crate) fn judge_as(
        &self,
        path: &Path,
        shown: &Path,
        expected: Option<&Expected>,
    ) -> Judged {
        let Examined {
            mut judged,
            file,
            companions,
        } = self.examine(path, shown);
        let Verdict::Plugin(manifest) = &judged.verdict else {
            return judged;
        };
        let place = match self.judge_place(path, Subject::Library) {
            Ok(warnings) => {
                judged.warnings = warnings;
                None
            }
            Err(problem) => Some(problem),
        };
        let file = file.as_ref();
        let companions = || {
            let mut companions = companions.iter();
            companions.find_map(|other| self.judge_companion(shown, other, manifest))
        };
        let problem = place
            .or_else(companions)
            .or_else(|| Some(refusal::noexec(shown, &mount::noexec(file?, &judged.path)?)))
            .or_else(|| digest::judge(shown, file?, expected?));
        if let Some(problem) = problem {
            judged.verdict = Verdict::Refused(problem, Some(manifest.clone()));
        }
        judged
    }

    /// Judges the file at `path` by what is in it, wherever it lies.
    #[must_use]
    pub fn judge_content(&self, path: &Path) -> Judged {
        self.examine(path, path).judged
    }

    /// Judges who could replace what is at `path`; warnings if it can be used nevertheless.
    ///
    /// # Errors
    ///
    /// When somebody else could, or when it cannot be read.
    pub fn judge_place(&self, path: &Path, subject: Subject) -> Result<Vec<Problem>, Problem> {
        places::judge(path, subject, &self.trust, self.build_tree.as_deref())
    }

    /// What is wrong with a whole plugin directory: one message instead of one for each library.
    #[must_use]
    pub fn judge_directory(&self, path: &Path) -> Option<Problem> {
        let resolved = fs::canonicalize(path).ok()?;
        let place = self.judge_place(path, Subject::Library).err();
        place.or_else(|| {
            let directory = File::open(&resolved).ok()?;
            let mount = mount::noexec(&directory, &resolved)?;
            Some(refusal::noexec_directory(path, &mount))
        })
    }

    /// Judges who could replace a library that the one at `path` needs: its code runs as well.
    fn judge_companion(&self, path: &Path, other: &Path, manifest: &Manifest) -> Option<Problem> {
        let known = self.companions.borrow().get(other).cloned();
        let fault = known.unwrap_or_else(|| {
            let fault = self.judge_place(other, Subject::Library).err();
            let mut known = self.companions.borrow_mut();
            known.insert(other.to_owned(), fault.clone());
            fault
        });
        Some(refusal::companion(path, other, &fault?, manifest))
    }

    fn examine(&self, path: &Path, shown: &Path) -> Examined {
        let unread = |judged| Examined {
            judged,
            file: None,
            companions: Vec::new(),
        };
        let resolved = match fs::canonicalize(path) {
            Ok(resolved) => resolved,
            Err(error) => {
                let problem = cannot_open(shown, &error);
                return unread(refused(path.to_path_buf(), None, problem));
            }
        };
        let (file, metadata) = match open(&resolved) {
            Ok(opened) => opened,
            Err(fault) => {
                let problem = match fault {
                    OpenFault::Io(error) => cannot_open(shown, &error),
                    OpenFault::Kind(kind) => refusal::wrong_kind(shown, kind),
                };
                return unread(refused(resolved, None, problem));
            }
        };
        let identity = Some(Identity::of(&metadata));
        if metadata.len() > MAX_OCTETS {
            let problem = refusal::too_large(shown, metadata.len());
            return unread(refused(resolved, identity, problem));
        }
        let data = ReadCache::new(&file);
        let mut static_tls = Vec::new();
        let mut companions = Vec::new();
        let verdict = match elf::read(&data, metadata.len()) {
            Ok(library) if library.note.is_none() => Verdict::NotAPlugin,
            Ok(library) if library.foreign.is_some() => judge_manifest(shown, &library, |_| None),
            Ok(library) => match linkage::read(&library.layout, &data) {
                Ok(linkage) => {
                    let linkage = Rc::new(linkage);
                    static_tls = self.system.static_tls(&resolved, &linkage);
                    companions = self.system.companions(&resolved, &linkage);
                    judge_manifest(shown, &library, |manifest| {
                        self.judge_needs(shown, &resolved, &linkage, manifest)
                    })
                }
                Err(fault) => {
                    let problem = refusal::broken(shown, metadata.len(), &fault);
                    judge_manifest(shown, &library, |_| Some(problem))
                }
            },
            Err(Fault::NotElf) => {
                Verdict::Refused(refusal::not_a_library(shown, &file, metadata.len()), None)
            }
            Err(fault) => Verdict::Refused(refusal::broken(shown, metadata.len(), &fault), None),
        };
        drop(data);
        let judged = Judged {
            path: resolved,
            identity,
            verdict,
            warnings: Vec::new(),
            static_tls,
        };
        Examined {
            judged,
            file: Some(file),
            companions,
        }
    }

    fn judge_needs(
        &self,
        path: &Path,
        resolved: &Path,
        linkage: &Linkage,
        manifest: &Manifest,
    ) -> Option<Problem> {
        let missing = self.system.missing(resolved, linkage)?;
        Some(refusal::missing(path, &missing, manifest))
    }
}

/// Judges the file at `path` for the user of this process.
#[must_use]
pub fn judge(path: &Path) -> Judged {
    Preflight::new(Trust::of_process()).judge(path, None)
}

/// Opens the file at `path`, which is resolved, as it is judged: without waiting for anything.
///
/// # Errors
///
/// When it cannot be opened or is not a regular file.
pub(crate) fn reopen(path: &Path) -> io::Result<(File, Identity)> {
    match open(path) {
        Ok((file, metadata)) => Ok((file, Identity::of(&metadata))),
        Err(OpenFault::Io(error)) => Err(error),
        Err(OpenFault::Kind(kind)) => Err(io::Error::other(format!("it is {kind}"))),
    }
}

/// Why a file was not opened.
enum OpenFault {
    Io(io::Error),
    Kind(&'static str),
}

/// Opens the regular file at `path`, which must not be a link, without waiting.
fn open(path: &Path) -> Result<(File, Metadata), OpenFault> {
    let check = |metadata: Metadata| match kind(&metadata) {
        Some(kind) => Err(OpenFault::Kind(kind)),
        None => Ok(metadata),
    };
    // Looked at before it is opened: opening a device may do something.
    check(fs::symlink_metadata(path).map_err(OpenFault::Io)?)?;
    // What is there by now may be another: a FIFO, which without NONBLOCK would
    // wait for a writer, or a link, although all links were resolved.
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let opened = rustix::fs::open(path, flags, Mode::empty());
    let file = File::from(opened.map_err(|error| OpenFault::Io(error.into()))?);
    let metadata = check(file.metadata().map_err(OpenFault::Io)?)?;
    Ok((file, metadata))
}

/// What a file is, if not a regular one.
fn kind(metadata: &Metadata) -> Option<&'static str> {
    let file_type = metadata.file_type();
    if file_type.is_file() {
        None
    } else if file_type.is_dir() {
        Some("a directory")
    } else if file_type.is_fifo() {
        Some("a named pipe (FIFO)")
    } else if file_type.is_socket() {
        Some("a socket")
    } else {
        Some("a device")
    }
}

/// Whether what is written in a directory belongs to whoever wrote it: entries of others stay.
fn is_sticky(metadata: &Metadata) -> bool {
    metadata.mode() & 0o1000 != 0
}

/// Judges by the note, and then by what `judge_needs` makes of a library that says the right things.
fn judge_manifest(
    path: &Path,
    library: &elf::Library,
    judge_needs: impl FnOnce(&Manifest) -> Option<Problem>,
) -> Verdict {
    let Some(descriptor) = &library.note else {
        return Verdict::NotAPlugin;
    };
    let manifest = match Manifest::parse(descriptor) {
        Ok(manifest) => manifest,
        Err(fault) => return Verdict::Refused(refusal::manifest(path, &fault), None),
    };
    let problem = if let Some(foreign) = library.foreign {
        Some(refusal::wrong_machine(path, foreign, Some(&manifest)))
    } else if !manifest.api.fits(ApiVersion::of_host()) {
        Some(refusal::wrong_api(path, &manifest))
    } else if manifest.panic == PanicStrategy::Abort {
        Some(refusal::aborts(path, &manifest))
    } else {
        judge_needs(&manifest)
    };
    match problem {
        Some(problem) => Verdict::Refused(problem, Some(manifest)),
        None => Verdict::Plugin(manifest),
    }
}

fn refused(path: PathBuf, identity: Option<Identity>, problem: Problem) -> Judged {
    Judged {
        path,
        identity,
        verdict: Verdict::Refused(problem, None),
        warnings: Vec::new(),
        static_tls: Vec::new(),
    }
}

#[cfg(test)]
pub(crate) mod tests;
