//! Writes the file that node_exporter's textfile collector reads.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Replaces the file at `path` whole or not at all; everybody may read it.
///
/// What is written meanwhile has a name that the collector passes over, since it reads `*.prom` alone.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let parent = path.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new()
        .prefix(".gordon-janitor-")
        .tempfile_in(parent)?;
    new.write_all(text.as_bytes())?;
    // The collector runs as another user.
    let file = new.as_file();
    file.set_permissions(Permissions::from_mode(0o644))?;
    file.sync_all()?;
    new.persist(path).map_err(|e| e.error)?;
    // The file is in its place. Where a directory cannot be read, or synced, a crash of the machine may
    // bring back the one from before, which the next run replaces.
    let _synced = File::open(parent).and_then(|directory| directory.sync_all());
    Ok(())
}
