//! Why a file is not loaded, as operators read it.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::elf::{self, Fault};
use super::mount::Mount;
use super::obstacle::Obstacle;
use super::system::Missing;
use super::{MAX_OCTETS, sniff};
use crate::manifest::{ApiVersion, Manifest, ManifestFault};
use crate::problem::{Code, Problem};

pub(super) fn manifest(path: &Path, fault: &ManifestFault) -> Problem {
    let code = if matches!(fault, ManifestFault::DuplicateKey(_)) {
        Code::DuplicateKey
    } else {
        Code::Manifest
    };
    let summary = format!(
        "the manifest of {} cannot be used: {fault}",
        file_name(path)
    );
    Problem::error(code, summary)
        .place(path.display())
        .help("install a build of this plugin made with a released SDK")
}

pub(super) fn wrong_api(path: &Path, manifest: &Manifest) -> Problem {
    let host = ApiVersion::of_host();
    let sides = format!(
        "{} needs plugin API {}; this gordon-janitor {} offers {host}",
        file_name(path),
        manifest.api,
        env!("CARGO_PKG_VERSION")
    );
    Problem::error(Code::ApiVersion, sides)
        .place(described(path, manifest))
        .because("major versions must be equal; the compiler version plays no part")
        .help(format!(
            "install a build of this plugin made with SDK {}.x, or another gordon-janitor",
            host.major
        ))
}

pub(super) fn aborts(path: &Path, manifest: &Manifest) -> Problem {
    let summary = format!(
        "{} was built with panic = \"abort\"; a fault in it would end the whole process",
        file_name(path)
    );
    Problem::error(Code::PanicStrategy, summary)
        .place(described(path, manifest))
        .help("build it again with the default panic strategy, unwind")
}

pub(super) fn missing(path: &Path, missing: &Missing, manifest: &Manifest) -> Problem {
    let name = file_name(path);
    let place = described(path, manifest);
    match missing {
        Missing::Glibc { needed, here } => Problem::error(
            Code::Glibc,
            format!("{name} needs glibc {needed}; this machine has {here}"),
        )
        .place(place)
        .because("it was built on a newer distribution")
        .help(format!("ask for a build against glibc {here} or older")),
        Missing::Version {
            library,
            version,
            found,
        } => Problem::error(
            Code::CannotOpen,
            format!("{name} needs {version} of {library}, which this machine's does not have"),
        )
        .place(place)
        .found(format!("{library} is {}", found.display()))
        .help(format!(
            "install the {library} that it was built with, or a build against this one"
        )),
        Missing::Library {
            library,
            needed_by,
            looked_in,
        } => {
            let by = needed_by
                .as_ref()
                .map(|by| format!(" for {by}"))
                .unwrap_or_default();
            Problem::error(
                Code::CannotOpen,
                format!("{name} needs {library}{by}, which was not found"),
            )
            .place(place)
            .found(format!("looked in {looked_in}"))
            .help(format!("install the package that provides {library}"))
        }
    }
}

/// What is wrong with a library that this one needs, which is `fault`.
pub(super) fn companion(
    path: &Path,
    other: &Path,
    fault: &Problem,
    manifest: &Manifest,
) -> Problem {
    let summary = format!(
        "{} needs {}, which is not safe: {}",
        file_name(path),
        file_name(other),
        fault.summary()
    );
    let of_file = Problem::error(fault.code(), summary).place(described(path, manifest));
    of_file.details_of(fault)
}

pub(super) fn noexec(path: &Path, mount: &Mount) -> Problem {
    let summary = format!(
        "{} lies on a file system mounted noexec: {} ({})",
        file_name(path),
        mount.point.display(),
        mount.kind
    );
    noexec_problem(path, summary, mount)
}

pub(super) fn noexec_directory(path: &Path, mount: &Mount) -> Problem {
    let summary = format!(
        "the plugin directory {} lies on a file system mounted noexec: {} ({})",
        path.display(),
        mount.point.display(),
        mount.kind
    );
    noexec_problem(path, summary, mount)
}

fn noexec_problem(path: &Path, summary: String, mount: &Mount) -> Problem {
    Problem::error(Code::Noexec, summary)
        .place(path.display())
        .because("the system does not map code from there")
        .help(format!(
            "install plugins elsewhere, or: mount -o remount,exec {}",
            mount.point.display()
        ))
}

pub(super) fn too_large(path: &Path, octets: u64) -> Problem {
    let summary = format!(
        "{} has {octets} octets; no plugin library has more than {MAX_OCTETS}",
        file_name(path)
    );
    Problem::error(Code::TooLarge, summary)
        .place(path.display())
        .help("move it out of the plugin directory")
}

/// The path with what the manifest says: `/p/libacme.so (acme.a, acme.b; acme 0.1.0, rustc 1.95.0)`.
pub(super) fn described(path: &Path, manifest: &Manifest) -> String {
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

pub(super) fn wrong_machine(
    path: &Path,
    foreign: elf::Machine,
    manifest: Option<&Manifest>,
) -> Problem {
    let here = elf::Machine::of_host();
    let place = manifest.map_or_else(
        || path.display().to_string(),
        |manifest| described(path, manifest),
    );
    Problem::error(
        Code::Machine,
        format!(
            "{} is built for {foreign}; this machine is {here}",
            file_name(path)
        ),
    )
    .place(place)
    .help(format!("install the build for {here}"))
}

pub(super) fn not_a_library(path: &Path, file: &File, octets: u64) -> Problem {
    let sniffed = sniff::sniff(file, octets);
    let problem = Problem::error(
        Code::NotALibrary,
        format!(
            "{} is not a shared library: it is {}",
            file_name(path),
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

pub(super) fn broken(path: &Path, octets: u64, fault: &Fault) -> Problem {
    let name = file_name(path);
    let problem = |code, summary| Problem::error(code, summary).place(path.display());
    match fault {
        Fault::NotElf | Fault::Malformed(_) => problem(
            Code::NotALibrary,
            format!("{name} is not a shared library: its ELF headers are damaged ({fault})"),
        )
        .help("copy it again and compare its sha256 with the publisher's"),
        Fault::Kind(kind) => problem(
            Code::NotALibrary,
            format!("{name} is not a shared library: it is {kind}"),
        )
        .help("a plugin is built with crate-type = [\"cdylib\"]"),
        Fault::Machine(foreign) => wrong_machine(path, *foreign, None),
        Fault::Incomplete { described } => problem(
            Code::Incomplete,
            format!("{name} is incomplete: {octets} octets, its own headers describe {described}"),
        )
        .because("a copy may still be under way, or it ended early")
        .help("copy it again, to another name in the same directory, and rename it"),
    }
}

pub(super) fn wrong_kind(path: &Path, kind: &str) -> Problem {
    Problem::error(
        Code::Unreadable,
        format!("{} is {kind}, not a library", file_name(path)),
    )
    .place(path.display())
    .help("move it out of the plugin directory")
}

/// That somebody may not read what is at `path`, because of the `obstacle`; if it is nobody else's to
/// read, `group` is to be given it.
pub(super) fn unreadable(
    path: &Path,
    code: Code,
    is_directory: bool,
    obstacle: &Obstacle,
    group: Option<&str>,
) -> Problem {
    let name = if is_directory {
        path.display().to_string()
    } else {
        file_name(path)
    };
    let summary = format!(
        "{name} cannot be read by {}: {}",
        obstacle.who(),
        obstacle.describe(path)
    );
    Problem::error(code, summary)
        .place(path.display())
        .help(obstacle.help(group))
}

/// That the file at `path` cannot be opened: whom it keeps out, or where a link leads.
pub(crate) fn cannot_open(path: &Path, error: &io::Error) -> Problem {
    if error.kind() == io::ErrorKind::PermissionDenied
        && let Some(obstacle) = Obstacle::to_reading(path)
    {
        return unreadable(path, Code::Unreadable, false, &obstacle, None);
    }
    let name = file_name(path);
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
    if target.is_some() {
        problem.help("remove the link, or install what it should lead to")
    } else {
        problem
    }
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}
