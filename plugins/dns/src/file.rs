//! Files that settings name: keys and certificates.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tracing::warn;
use zeroize::Zeroizing;

/// Configurations that hold keys among other things, and all authorities of a system, are shorter.
const LONGEST: u64 = 1 << 20;

/// Reads a file.
///
/// # Errors
///
/// The file cannot be read, or nobody keeps keys or certificates in such a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileFault> {
    judge(path)?;
    fs::read(path).map_err(|error| FileFault::Read(path.to_owned(), error))
}

/// Reads a file with a secret. One that others than its owner and its group can read is used, with a warning.
///
/// # Errors
///
/// As [`read`].
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileFault> {
    let mode = judge(path)?.permissions().mode() & 0o7777;
    if mode & 0o004 != 0 {
        let hint = "take the right to read it from others, as with `chmod o-r`";
        warn!(file = %path.display(), mode = %format_args!("{mode:04o}"), hint, "a key can be read by every user of this machine");
    }
    read(path).map(Zeroizing::new)
}

/// Asked before reading: a FIFO would wait for a writer, a device might never end.
fn judge(path: &Path) -> Result<Metadata, FileFault> {
    let metadata = fs::metadata(path).map_err(|error| FileFault::Read(path.to_owned(), error))?;
    if !metadata.is_file() {
        return Err(FileFault::NotAFile(path.to_owned()));
    }
    if metadata.len() > LONGEST {
        return Err(FileFault::Long(path.to_owned()));
    }
    Ok(metadata)
}

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileFault {
    #[error("cannot read `{}`", .0.display())]
    Read(PathBuf, #[source] io::Error),
    #[error("`{}` is not a regular file", .0.display())]
    NotAFile(PathBuf),
    #[error("`{}` has more than 1 MiB, so it holds something else than keys or certificates", .0.display())]
    Long(PathBuf),
}
