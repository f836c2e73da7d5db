//! What keeps a user from a file: the mode of the file, or of a directory on the way to it.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;

use super::places::MAX_LINKS;
use super::trust::{self, Trust};

/// What somebody wants to do with what is at a path.
#[derive(Clone, Copy)]
struct Wanted {
    of_file: Access,
    of_directory: Access,
}

/// To come through a directory.
const SEARCH: Wanted = Wanted {
    of_file: Access::EXISTS,
    of_directory: Access::EXEC_OK,
};

/// Something that a user may not do what is needed with.
#[derive(Debug)]
pub(crate) struct Obstacle {
    path: PathBuf,
    metadata: Metadata,
    /// Who is kept out: `user "gordon"`.
    who: String,
}

impl Obstacle {
    pub(super) fn new(path: PathBuf, metadata: Metadata, trust: &Trust) -> Self {
        Self {
            path,
            metadata,
            who: trust.name(),
        }
    }

    /// What keeps this process from reading the file, or listing the directory, at `path`.
    pub(crate) fn to_reading(path: &Path) -> Option<Self> {
        let wanted = Wanted {
            of_file: Access::READ_OK,
            of_directory: Access::READ_OK.union(Access::EXEC_OK),
        };
        Self::of_process(&std::path::absolute(path).ok()?, wanted, MAX_LINKS)
    }

    /// What keeps this process from making and renaming files in the directory at `path`.
    pub(crate) fn to_writing_in(path: &Path) -> Option<Self> {
        let wanted = Wanted {
            of_file: Access::EXISTS,
            of_directory: Access::WRITE_OK.union(Access::EXEC_OK),
        };
        Self::of_process(&std::path::absolute(path).ok()?, wanted, MAX_LINKS)
    }

    fn of_process(path: &Path, wanted: Wanted, links: usize) -> Option<Self> {
        let mut way = path.ancestors().collect::<Vec<_>>();
        way.reverse();
        for at in way {
            let wanted = if at == path { wanted } else { SEARCH };
            if let Ok(target) = fs::read_link(at) {
                // What is in the way can be on the way that the link leads.
                let target = at.parent()?.join(target);
                match Self::of_process(&target, wanted, links.checked_sub(1)?) {
                    Some(found) => return Some(found),
                    None => continue,
                }
            }
            let metadata = fs::symlink_metadata(at).ok()?;
            let access = if metadata.is_dir() {
                wanted.of_directory
            } else {
                wanted.of_file
            };
            if accessat(CWD, at, access, AtFlags::EACCESS) == Err(Errno::ACCESS) {
                let has_detours = at.components().any(|part| part == Component::ParentDir);
                let direct = has_detours.then(|| fs::canonicalize(at).ok()).flatten();
                let path = direct.unwrap_or_else(|| at.to_owned());
                return Some(Self::new(path, metadata, &Trust::of_process()));
            }
        }
        None
    }

    /// The user who is kept out.
    pub(crate) fn who(&self) -> &str {
        &self.who
    }

    /// What is in the way to `path`: `its mode is 0700, its owner root:root`.
    pub(crate) fn describe(&self, path: &Path) -> String {
        let mode = self.metadata.mode() & 0o7777;
        let owners = trust::owners(&self.metadata);
        if std::path::absolute(path).is_ok_and(|path| path == self.path) {
            format!("its mode is {mode:04o}, its owner {owners}")
        } else {
            format!(
                "{} has mode {mode:04o}, owner {owners}",
                self.path.display()
            )
        }
    }

    /// A command that lets everybody read it, or, where it may hold secrets, one group.
    pub(crate) fn help(&self, group: Option<&str>) -> String {
        let is_directory = self.metadata.is_dir();
        let path = self.path.display();
        match group {
            Some(group) => {
                let mode = if is_directory { "0750" } else { "0640" };
                format!("chgrp {group} {path} && chmod {mode} {path}")
            }
            None => {
                let mode = if is_directory { "0755" } else { "0644" };
                format!("chmod {mode} {path}")
            }
        }
    }
}
