//! Replaces a file whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes a new file beside `path` and puts it in its place.
///
/// The file is on the disk before it takes the place, and the place is on the disk when this returns;
/// a crash leaves the old file or the new one. Permissions stay those of the old file.
///
/// # Errors
///
/// Those of the file system. The old file is as it was then, unless the very last step failed: the
/// new one is in place, and only its name may not have reached the disk.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let permissions = fs::metadata(path)?.permissions();
    // A name that begins with a dot is no zone file to anyone who lists the directory meanwhile.
    let new = tempfile::Builder::new()
        .prefix(".gordon-janitor-")
        .tempfile_in(directory)?;
    let mut out = BufWriter::with_capacity(1 << 18, new.as_file());
    write(&mut out)?;
    out.flush()?;
    drop(out);
    new.as_file().set_permissions(permissions)?;
    new.as_file().sync_all()?;
    new.persist(path).map_err(|e| e.error)?;
    File::open(directory)?.sync_all()
}
