//! The library that was there before: a hidden file beside the present one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::step::{Step, reached};
use crate::discovery::staged;

/// Where the library that had this name before is kept.
pub(super) fn path(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!(".{name}.previous"))
}

/// The name of the library that is kept under this name, if it is one.
pub(super) fn kept_name(name: &str) -> Option<&str> {
    name.strip_prefix('.')?.strip_suffix(".previous")
}

/// Gives the present library its second name, in the place of the one that was kept until now.
pub(super) fn keep(directory: &Path, name: &str) -> io::Result<()> {
    // Not the name that the new library is staged under.
    let second = staged(directory, &format!("{name}.previous"));
    remove(&second)?;
    let present = directory.join(name);
    if fs::hard_link(&present, &second).is_err() {
        // File systems without hard links.
        fs::copy(&present, &second)?;
        fs::File::open(&second)?.sync_all()?;
    }
    reached(Step::Linked);
    fs::rename(&second, path(directory, name))?;
    // If both names are the same file already, renaming leaves them as they are.
    remove(&second)
}

/// Exchanges the present library and the one before. Each name has a library all the time, or, where the file
/// system cannot exchange names, at least the present one has.
pub(super) fn exchange(directory: &Path, name: &str) -> io::Result<()> {
    let (present, before) = (directory.join(name), path(directory, name));
    match renameat_with(CWD, &present, CWD, &before, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        Err(_) => exchange_by_links(directory, name),
    }
}

fn exchange_by_links(directory: &Path, name: &str) -> io::Result<()> {
    let (present, before) = (directory.join(name), path(directory, name));
    let second = staged(directory, name);
    remove(&second)?;
    if fs::symlink_metadata(&present).is_ok() && fs::hard_link(&present, &second).is_err() {
        fs::copy(&present, &second)?;
    }
    fs::rename(&before, &present)?;
    if fs::symlink_metadata(&second).is_ok() {
        fs::rename(&second, &before)?;
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exchanged_with_and_without_help_of_the_file_system() {
        for exchange in [exchange, exchange_by_links] {
            let directory = tempfile::tempdir().unwrap();
            let read = |path: &Path| fs::read_to_string(path).unwrap();
            let present = directory.path().join("liba.so");
            let before = path(directory.path(), "liba.so");
            fs::write(&present, "new").unwrap();
            fs::write(&before, "old").unwrap();
            exchange(directory.path(), "liba.so").unwrap();
            assert_eq!(
                (read(&present), read(&before)),
                ("old".into(), "new".into())
            );
            fs::remove_file(&present).unwrap();
            exchange(directory.path(), "liba.so").unwrap();
            assert_eq!(read(&present), "new");
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        }
    }
}
