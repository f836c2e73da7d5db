use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use tempfile::tempdir;

use super::{FileFault, read};

#[test]
fn a_file_is_read_whole_with_its_mode() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("key.json");
    fs::write(&path, "{}").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();

    let content = read(&path).unwrap();

    assert_eq!(content.octets.as_slice(), b"{}");
    assert_eq!(content.mode, 0o604);
}

#[test]
fn what_nobody_keeps_credentials_in_is_refused() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("long");
    fs::write(&path, vec![b' '; (64 << 10) + 1]).unwrap();
    assert!(matches!(read(&path), Err(FileFault::Long)));
    fs::write(&path, vec![b' '; 64 << 10]).unwrap();
    assert!(read(&path).is_ok());

    assert!(matches!(read(directory.path()), Err(FileFault::NotAFile)));
    let fifo = directory.path().join("fifo");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, mode).unwrap();
    assert!(matches!(read(&fifo), Err(FileFault::NotAFile)));
    let absent = read(&directory.path().join("absent")).err().unwrap();
    insta::assert_snapshot!(absent, @"No such file or directory (os error 2)");
}
