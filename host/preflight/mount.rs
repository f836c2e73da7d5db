//! Whether the system would map code from the file system that a file lies on.

use std::fs::{self, File};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::StatVfsMountFlags;

/// A mounted file system.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) point: PathBuf,
    pub(super) kind: String,
}

/// The mount that `file` at `path` is on, if it is mounted with `noexec`.
pub(super) fn noexec(file: &File, path: &Path) -> Option<Mount> {
    let status = rustix::fs::fstatvfs(file).ok()?;
    if !status.f_flag.contains(StatVfsMountFlags::NOEXEC) {
        return None;
    }
    let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
    let unknown = || Mount {
        point: path.parent().unwrap_or(path).to_owned(),
        kind: "unknown file system".to_owned(),
    };
    Some(mount_of(&mounts, path).unwrap_or_else(unknown))
}

/// The mount of `path` in a list as `/proc/self/mountinfo` has it.
fn mount_of(mounts: &[u8], path: &Path) -> Option<Mount> {
    let mounts = mounts.split(|octet| *octet == b'\n').filter_map(|line| {
        // `36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw`
        let mut fields = line.split(|octet| *octet == b' ');
        let point = PathBuf::from(std::ffi::OsString::from_vec(unescape(fields.nth(4)?)));
        let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
        Some(Mount {
            point,
            kind: String::from_utf8_lossy(kind).into_owned(),
        })
    });
    // Of several at one point the last covers the others.
    mounts
        .filter(|mount| path.starts_with(&mount.point))
        .max_by_key(|mount| mount.point.components().count())
}

/// Spaces and the like stand there as `\040`.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, behind)) = rest.split_first() {
        let escaped = match (first, behind) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..]) => {
                Some((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'))
            }
            _ => None,
        };
        out.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() {
            &behind[3..]
        } else {
            behind
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_above_a_file_is_named() {
        let mounts = b"22 1 0:21 / / rw - ext4 /dev/sda rw\n\
            23 22 0:22 / /srv rw,noexec shared:1 master:2 - xfs /dev/sdb rw\n\
            24 23 0:23 / /srv/plug\\040ins rw,noexec - tmpfs none rw\n\
            25 22 0:24 / /srv/plug rw - btrfs none rw\n";
        let of = |path: &str| mount_of(mounts, Path::new(path)).unwrap();
        let mount = |point: &str, kind: &str| Mount {
            point: point.into(),
            kind: kind.into(),
        };
        assert_eq!(of("/srv/plug ins/a.so"), mount("/srv/plug ins", "tmpfs"));
        assert_eq!(of("/srv/plugins/a.so"), mount("/srv", "xfs"));
        assert_eq!(of("/usr/lib/a.so"), mount("/", "ext4"));
        assert_eq!(mount_of(b"garbage\n\n1 2 3", Path::new("/a")), None);
    }
}
