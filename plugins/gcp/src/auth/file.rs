//! Files with credentials in them.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use tracing::warn;
use zeroize::Zeroizing;

/// Google's own are of 2 to 4 KiB, and so are tokens of identity providers.
const LONGEST: u64 = 64 << 10;

/// What is in a file, and whether others can read it.
pub(super) struct Content {
    pub(super) octets: Zeroizing<Vec<u8>>,
    mode: u32,
}

/// Reads a file, once.
///
/// # Errors
///
/// The file cannot be read, or nobody keeps credentials in such a file.
pub(super) fn read(path: &Path) -> Result<Content, FileFault> {
    let file = File::options()
        .read(true)
        // A FIFO would wait for a writer.
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(FileFault::Read)?;
    // Asked of what was opened: whatever is at the path may be another file by now.
    let metadata = file.metadata().map_err(FileFault::Read)?;
    if !metadata.is_file() {
        return Err(FileFault::NotAFile);
    }
    if metadata.len() > LONGEST {
        return Err(FileFault::Long);
    }
    // Sized at once, so that no shorter piece of a secret stays behind where it grew.
    let mut octets = Zeroizing::new(Vec::with_capacity(
        usize::try_from(LONGEST).unwrap_or(0) + 1,
    ));
    file.take(LONGEST + 1)
        .read_to_end(&mut octets)
        .map_err(FileFault::Read)?;
    if octets.len() as u64 > LONGEST {
        return Err(FileFault::Long);
    }
    let mode = metadata.mode() & 0o7777;
    Ok(Content { octets, mode })
}

impl Content {
    /// For a file with a secret in it: warns if everybody can read it.
    pub(super) fn warn_if_open(&self, path: &Path) {
        if self.mode & 0o004 != 0 {
            let hint = "take the right to read it from others, as with `chmod o-r`";
            warn!(file = %path.display(), mode = %format_args!("{:04o}", self.mode), hint, "a key can be read by every user of this machine");
        }
    }
}

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileFault {
    #[error(transparent)]
    Read(io::Error),
    #[error("it is not a regular file")]
    NotAFile,
    #[error("it has more than 64 KiB, so it holds something else than credentials")]
    Long,
}

#[cfg(test)]
mod tests;
