//! Judges a file without running or mapping it.
//!
//! Owner and mode of the file and of the directories above it, needed
//! libraries and the glibc version are further judges; they will stand between
//! opening a file and reading its headers.

mod elf;
mod sniff;

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use object::ReadCache;
use rustix::fs::{Mode, OFlags};

use self::elf::Fault;
use crate::manifest::{ApiVersion, Manifest, ManifestFault, PanicStrategy};
use crate::problem::{Code, Problem};

/// Octets of a library at most. Debug builds of large plugins have some 100 MiB.
const MAX_OCTETS: u64 = 1 << 30;

/// A file that was judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The file itself: absolute, every link resolved. This is what is opened later.
    pub path: PathBuf,
    /// Device and inode of the file that was read; `None` if it could not be opened.
    pub identity: Option<(u64, u64)>,
    /// The judgement.
    pub verdict: Verdict,
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

/// Judges the file at `path`.
#[must_use]
pub fn judge(path: &Path) -> Judged {
    let resolved = match fs::canonicalize(path) {
        Ok(resolved) => resolved,
        Err(error) => return refused(path.to_path_buf(), None, cannot_open(path, &error)),
    };
    let (file, metadata) = match open(&resolved) {
        Ok(opened) => opened,
        Err(OpenFault::Io(error)) => return refused(resolved, None, cannot_open(path, &error)),
        Err(OpenFault::Kind(kind)) => return refused(resolved, None, wrong_kind(path, kind)),
    };
    let identity = Some((metadata.dev(), metadata.ino()));
    if metadata.len() > MAX_OCTETS {
        let problem = Problem::error(
            Code::TooLarge,
            format!(
                "{} has {} octets; no plugin library has more than {MAX_OCTETS}",
                name(path),
                metadata.len()
            ),
        );
        return refused(resolved, identity, problem.place(path.display()));
    }
    let verdict = match elf::read(&ReadCache::new(&file), metadata.len()) {
        Ok(library) => judge_manifest(path, &library),
        Err(Fault::NotElf) => Verdict::Refused(not_a_library(path, &file, metadata.len()), None),
        Err(fault) => Verdict::Refused(broken(path, metadata.len(), &fault), None),
    };
    Judged {
        path: resolved,
        identity,
        verdict,
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

fn judge_manifest(path: &Path, library: &elf::Library) -> Verdict {
    let name = name(path);
    let Some(descriptor) = &library.note else {
        return Verdict::NotAPlugin;
    };
    let manifest = match Manifest::parse(descriptor) {
        Ok(manifest) => manifest,
        Err(fault) => {
            let code = if matches!(fault, ManifestFault::DuplicateKey(_)) {
                Code::DuplicateKey
            } else {
                Code::Manifest
            };
            let problem = Problem::error(
                code,
                format!("the manifest of {name} cannot be used: {fault}"),
            )
            .place(path.display())
            .help("install a build of this plugin made with a released SDK");
            return Verdict::Refused(problem, None);
        }
    };
    let host = ApiVersion::of_host();
    let problem = if let Some(foreign) = library.foreign {
        wrong_machine(path, foreign, Some(&manifest))
    } else if !manifest.api.fits(host) {
        let sides = format!(
            "{name} needs plugin API {}; this gordon-janitor {} offers {host}",
            manifest.api,
            env!("CARGO_PKG_VERSION")
        );
        Problem::error(Code::ApiVersion, sides)
            .place(described(path, &manifest))
            .because("major versions must be equal; the compiler version plays no part")
            .help(format!(
                "install a build of this plugin made with SDK {}.x, or another gordon-janitor",
                host.major
            ))
    } else if manifest.panic == PanicStrategy::Abort {
        Problem::error(
            Code::PanicStrategy,
            format!(
                "{name} was built with panic = \"abort\"; a fault in it would end the whole process"
            ),
        )
        .place(described(path, &manifest))
        .help("build it again with the default panic strategy, unwind")
    } else {
        return Verdict::Plugin(manifest);
    };
    Verdict::Refused(problem, Some(manifest))
}

/// The path with what the manifest says: `/p/libacme.so (acme.a, acme.b; acme 0.1.0, rustc 1.95.0)`.
fn described(path: &Path, manifest: &Manifest) -> String {
    /// Keys that are named; a library may hold hundreds.
    const NAMED: usize = 4;
    let keys = manifest.plugins.iter().map(|plugin| plugin.key.as_str());
    let mut keys = keys.take(NAMED).collect::<Vec<_>>().join(", ");
    if let Some(more @ 1..) = manifest.plugins.len().checked_sub(NAMED) {
        keys.push_str(&format!(" and {more} more"));
    }
    let Manifest {
        package,
        version,
        rustc,
        ..
    } = manifest;
    // What `rustc --version` prints, which begins with its name.
    let rustc = rustc.strip_prefix("rustc ").unwrap_or(rustc);
    format!(
        "{} ({keys}; {package} {version}, rustc {rustc})",
        path.display()
    )
}

fn wrong_machine(path: &Path, foreign: elf::Machine, manifest: Option<&Manifest>) -> Problem {
    let here = elf::Machine::of_host();
    let place = manifest.map_or_else(
        || path.display().to_string(),
        |manifest| described(path, manifest),
    );
    Problem::error(
        Code::Machine,
        format!(
            "{} is built for {foreign}; this machine is {here}",
            name(path)
        ),
    )
    .place(place)
    .help(format!("install the build for {here}"))
}

fn not_a_library(path: &Path, file: &File, octets: u64) -> Problem {
    let sniffed = sniff::sniff(file, octets);
    let problem = Problem::error(
        Code::NotALibrary,
        format!(
            "{} is not a shared library: it is {}",
            name(path),
            sniffed.what
        ),
    )
    .place(path.display());
    let problem = match sniffed.first {
        Some(first) => problem.found(format!("first bytes {first}; expected 7f 45 4c 46 (ELF)")),
        None => problem,
    };
    problem.help(sniffed.help)
}

fn broken(path: &Path, octets: u64, fault: &Fault) -> Problem {
    let name = name(path);
    let problem = match fault {
        Fault::NotElf | Fault::Malformed(_) => Problem::error(
            Code::NotALibrary,
            format!("{name} is not a shared library: its ELF headers are damaged ({fault})"),
        )
        .help("copy it again and compare its sha256 with the publisher's"),
        Fault::Kind(kind) => Problem::error(
            Code::NotALibrary,
            format!("{name} is not a shared library: it is {kind}"),
        )
        .help("a plugin is built with crate-type = [\"cdylib\"]"),
        Fault::Machine(foreign) => return wrong_machine(path, *foreign, None),
        Fault::Incomplete { described } => Problem::error(
            Code::Incomplete,
            format!("{name} is incomplete: {octets} octets, its own headers describe {described}"),
        )
        .because("a copy may still be under way, or it ended early")
        .help("copy it again, to another name in the same directory, and rename it"),
    };
    problem.place(path.display())
}

fn wrong_kind(path: &Path, kind: &str) -> Problem {
    Problem::error(
        Code::Unreadable,
        format!("{} is {kind}, not a library", name(path)),
    )
    .place(path.display())
    .help("move it out of the plugin directory")
}

fn cannot_open(path: &Path, error: &io::Error) -> Problem {
    let name = name(path);
    let target = fs::read_link(path).ok();
    let summary = match (&target, error.kind()) {
        (Some(target), io::ErrorKind::NotFound) => {
            format!(
                "{name} is a link to {}, which does not exist",
                target.display()
            )
        }
        (Some(target), _) => format!(
            "cannot open {name}, a link to {}: {error}",
            target.display()
        ),
        (None, _) => format!("cannot open {name}: {error}"),
    };
    let problem = Problem::error(Code::Unreadable, summary).place(path.display());
    match fs::metadata(path) {
        Ok(metadata) if error.kind() == io::ErrorKind::PermissionDenied => problem
            .found(format!(
                "mode {:04o}, owner {}, group {}; this process runs as user {}",
                metadata.mode() & 0o7777,
                metadata.uid(),
                metadata.gid(),
                rustix::process::geteuid().as_raw(),
            ))
            .help("libraries are installed with mode 0644"),
        _ if target.is_some() => problem.help("remove the link, or install what it should lead to"),
        _ => problem,
    }
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

fn refused(path: PathBuf, identity: Option<(u64, u64)>, problem: Problem) -> Judged {
    Judged {
        path,
        identity,
        verdict: Verdict::Refused(problem, None),
    }
}

#[cfg(test)]
pub(crate) mod tests;
