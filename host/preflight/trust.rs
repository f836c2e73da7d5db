//! For whom a library is judged: whose files are trusted, and what that user may read.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

/// The user that plugins will run as.
///
/// Whoever can change a library decides what this user does, so that only root and the user itself
/// may be able to.
#[derive(Clone, Debug)]
pub struct Trust {
    uid: u32,
    /// The primary one first; not looked up for the user of this process.
    groups: Vec<u32>,
    is_this_process: bool,
}

impl Trust {
    /// The effective user of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            uid: uzers::get_effective_uid(),
            groups: Vec::new(),
            is_this_process: true,
        }
    }

    /// The user with this name or number, as the system knows it.
    #[must_use]
    pub fn of_user(name: &str) -> Option<Self> {
        let numbered = || uzers::get_user_by_uid(name.parse().ok()?);
        let user = uzers::get_user_by_name(name).or_else(numbered)?;
        let primary = user.primary_group_id();
        let groups = uzers::get_user_groups(user.name(), primary).unwrap_or_default();
        let others = groups.iter().map(uzers::Group::gid);
        let groups = [primary].into_iter().chain(others);
        Some(Self {
            uid: user.uid(),
            groups: groups.collect(),
            is_this_process: false,
        })
    }

    /// `user "gordon"`, or `user 1000` if nobody knows its name.
    #[must_use]
    pub fn name(&self) -> String {
        user(self.uid)
    }

    /// The name of the primary group, or its number.
    pub(super) fn group(&self) -> String {
        let gid = self.groups.first().copied();
        group(gid.unwrap_or_else(uzers::get_effective_gid))
    }

    /// Whether `owner` may decide what this user runs.
    pub(super) fn trusts(&self, owner: u32) -> bool {
        owner == 0 || owner == self.uid
    }

    /// Whether the mode alone denies this user one of `rights`: 4 to read, 1 to come through a
    /// directory. What this process can do is not predicted: it shows when it is done.
    pub(super) fn is_kept_out(&self, metadata: &Metadata, rights: u32) -> bool {
        if self.is_this_process || self.uid == 0 {
            return false;
        }
        let shift = if metadata.uid() == self.uid {
            6
        } else if self.groups.contains(&metadata.gid()) {
            3
        } else {
            0
        };
        (metadata.mode() >> shift) & rights != rights
    }
}

/// `user "gordon"`, or `user 1000` if nobody knows its name.
pub(super) fn user(uid: u32) -> String {
    match uzers::get_user_by_uid(uid) {
        Some(user) => format!("user \"{}\"", user.name().to_string_lossy()),
        None => format!("user {uid}"),
    }
}

/// `root:staff`, as `ls -l` has it, with numbers where there are no names.
pub(super) fn owners(metadata: &Metadata) -> String {
    let (uid, gid) = (metadata.uid(), metadata.gid());
    let user = uzers::get_user_by_uid(uid).map_or_else(
        || uid.to_string(),
        |user| user.name().to_string_lossy().into_owned(),
    );
    format!("{user}:{}", group(gid))
}

/// The name of a group, or its number.
pub(super) fn group(gid: u32) -> String {
    uzers::get_group_by_gid(gid).map_or_else(
        || gid.to_string(),
        |group| group.name().to_string_lossy().into_owned(),
    )
}
