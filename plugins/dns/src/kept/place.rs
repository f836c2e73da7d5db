//! Where copies are, and whose they must be.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use janitor_plugin_api::dns::NameRef;
use rustix::fs::{Mode, OFlags};
use rustix::process::geteuid;
use tempfile::NamedTempFile;
use tracing::{debug, warn};

use super::fault::KeptFault;

/// What the names of copies end with.
const SUFFIX: &str = ".kept";
/// What the names of files begin with while they are written.
const TEMPORARY: &str = ".writing-";
/// Octets of the zone's name that its file's name has at most; the digest makes it unique.
const SHOWN: usize = 120;
/// Longer than it takes to write any zone.
const LEFT_BEHIND: Duration = Duration::from_secs(60 * 60);

/// The directory of kept copies.
#[derive(Clone)]
pub(super) struct Place(Arc<Path>);

impl Place {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self(directory.into())
    }

    /// Returns the file that keeps the zone at `apex`.
    ///
    /// A file's name has at most 255 octets, no slash, and on some systems no case; a zone's name in
    /// presentation format may have four times as many octets, and any. So the file's name shows what of the
    /// zone's is harmless, and tells zones apart by a digest of it.
    pub(super) fn path(&self, apex: NameRef<'_>) -> PathBuf {
        let shown = apex.to_string();
        let shown = shown.strip_suffix('.').unwrap_or(&shown);
        let mut name: String = shown
            .chars()
            .take(SHOWN)
            .map(|character| match character {
                'a'..='z' | '0'..='9' | '-' | '_' | '.' => character,
                _ => '_',
            })
            .collect();
        // A dot would hide the file, and a hyphen make it an option.
        if !name.starts_with(|first: char| first.is_ascii_alphanumeric()) {
            name.insert(0, '_');
        }
        let digest = blake3::hash(apex.as_wire()).to_hex();
        name.push('-');
        name.push_str(&digest[..32]);
        name.push_str(SUFFIX);
        self.0.join(name)
    }

    /// Opens a copy; none if there is no such file.
    pub(super) fn open(&self, path: &Path) -> Result<Option<File>, KeptFault> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            // A link, a socket, a directory.
            Err(rustix::io::Errno::LOOP | rustix::io::Errno::NXIO | rustix::io::Errno::ISDIR) => {
                return Err(KeptFault::NotAFile);
            }
            Err(errno) => return Err(KeptFault::Open(errno.into())),
        };
        let metadata = file.metadata().map_err(KeptFault::Open)?;
        if !metadata.is_file() {
            return Err(KeptFault::NotAFile);
        }
        if !is_ours(&metadata) {
            return Err(KeptFault::OthersFile);
        }
        self.check()?;
        Ok(Some(file))
    }

    /// Makes a file that will take the place of a copy, and the directory if it is missing.
    pub(super) fn create(&self) -> Result<NamedTempFile, KeptFault> {
        let directory = |source| KeptFault::Directory {
            path: self.0.to_path_buf(),
            source,
        };
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&self.0).map_err(directory)?;
        self.check()?;
        // Nobody else may read or write the file: `tempfile` gives it mode 0600.
        let mut file = tempfile::Builder::new();
        file.prefix(TEMPORARY);
        file.tempfile_in(&self.0).map_err(directory)
    }

    /// Checks that nobody else may put files into the directory.
    fn check(&self) -> Result<(), KeptFault> {
        let metadata = fs::metadata(&self.0).map_err(|source| KeptFault::Directory {
            path: self.0.to_path_buf(),
            source,
        })?;
        if metadata.is_dir() && is_ours(&metadata) {
            return Ok(());
        }
        Err(KeptFault::OthersDirectory {
            path: self.0.to_path_buf(),
        })
    }

    /// Removes copies that were last written longer than `max_age` ago, and what was left behind half written.
    ///
    /// A copy is written after its zone was transferred whole, or later: what is removed is too old for use.
    pub(super) fn sweep(&self, max_age: Duration, now: SystemTime) {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            Err(error) => {
                warn!(path = %self.0.display(), %error, "cannot look for kept copies that are too old");
                return;
            }
        };
        for entry in entries.filter_map(Result::ok) {
            let Some(most) = most_age(&entry.file_name(), max_age) else {
                continue;
            };
            let written = entry.metadata().and_then(|metadata| metadata.modified());
            let age = written.map(|written| now.duration_since(written));
            if matches!(age, Ok(Ok(age)) if age > most) {
                debug!(path = %entry.path().display(), "kept copy is too old and removed");
                remove(&entry.path());
            }
        }
    }
}

/// Returns how old a file of that name may become; none if it is not one of ours.
fn most_age(name: &OsStr, max_age: Duration) -> Option<Duration> {
    let name = name.to_str()?;
    if name.starts_with(TEMPORARY) {
        Some(LEFT_BEHIND)
    } else {
        name.ends_with(SUFFIX).then_some(max_age)
    }
}

/// Removes a file that is of no use.
pub(super) fn remove(path: &Path) {
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => warn!(path = %path.display(), %error, "cannot remove a kept copy"),
    }
}

/// Whether it belongs to the user that runs this, and nobody else may write to it.
fn is_ours(metadata: &Metadata) -> bool {
    metadata.uid() == geteuid().as_raw() && metadata.mode() & 0o022 == 0
}
