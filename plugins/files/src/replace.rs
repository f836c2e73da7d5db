//! Replaces a file whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

/// Writes a new file beside `path` and puts it in its place.
///
/// The file is on the disk before it takes the place, and the place is on the disk when this returns;
/// a crash leaves the old file or the new one. Owner, group and permissions stay those of the old
/// file, so that the server that reads it still can.
///
/// # Errors
///
/// [`ReplaceError`]; the old file is as it was, unless the error is
/// [`NotOnDisk`](ReplaceError::NotOnDisk).
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), ReplaceError> {
    let parent = path.parent().unwrap_or(Path::new("."));
    // Opened first: a directory that cannot be opened cannot be brought to the disk either.
    let directory = File::open(parent).map_err(ReplaceError::Write)?;
    // A name that begins with a dot is no zone file to anyone who lists the directory meanwhile.
    let new = tempfile::Builder::new()
        .prefix(".gordon-janitor-")
        .tempfile_in(parent)
        .map_err(ReplaceError::Write)?;
    fill(path, new.as_file(), write)?;
    new.persist(path)
        .map_err(|e| ReplaceError::Write(e.error))?;
    directory.sync_all().map_err(ReplaceError::NotOnDisk)
}

fn fill(
    path: &Path,
    new: &File,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), ReplaceError> {
    let old = fs::metadata(path).map_err(ReplaceError::Write)?;
    let now = new.metadata().map_err(ReplaceError::Write)?;
    if (old.uid(), old.gid()) != (now.uid(), now.gid()) {
        fchown(new, Some(old.uid()), Some(old.gid())).map_err(ReplaceError::Owner)?;
    }
    let fill = || {
        let mut out = BufWriter::with_capacity(1 << 18, new);
        write(&mut out)?;
        out.flush()?;
        drop(out);
        new.set_permissions(old.permissions())?;
        new.sync_all()
    };
    fill().map_err(ReplaceError::Write)
}

/// Why a file is not replaced, or perhaps not for good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplaceError {
    /// The old file is as it was.
    #[error("cannot replace the zone file")]
    Write(#[source] io::Error),
    /// The old file is as it was: whoever reads it might not have been able to read the new one.
    #[error("cannot keep owner and group of the zone file; run as its owner")]
    Owner(#[source] io::Error),
    /// The new file is in place.
    #[error("the new zone file is in place, but after a crash the old one may be there again")]
    NotOnDisk(#[source] io::Error),
}
