//! Who could replace a file: its owner and mode, and those of every directory on the way to it.
//!
//! Links are followed one name at a time, because a link is as safe as the directory it lies in:
//! whoever can write there can have it lead elsewhere.

use std::collections::VecDeque;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use super::obstacle::Obstacle;
use super::trust::{self, Trust};
use super::{file_name, is_sticky, refusal};
use crate::problem::{Code, Problem};

/// Links that are followed at most, as the system does.
pub(super) const MAX_LINKS: usize = 40;

/// What lies at the end of a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A library, or the plugin directory.
    Library,
    /// The record of what was installed.
    Record,
    /// A configuration file.
    Configuration,
}

impl Subject {
    /// What follows from it.
    fn consequence(self, is_directory: bool) -> &'static str {
        match (self, is_directory) {
            (Self::Library, true) => "no plugin was loaded from it",
            (Self::Library, false) => "it was not loaded",
            (Self::Record, _) => "the record of installed plugins is not believed",
            (Self::Configuration, _) => "the configuration decides which code runs",
        }
    }

    /// What others could do.
    fn danger(self, is_directory: bool) -> &'static str {
        match (self, is_directory) {
            (Self::Library, true) => "could replace a library that runs",
            (Self::Library, false) => "could replace what runs",
            (Self::Record, _) => "could choose a library that runs",
            (Self::Configuration, _) => "could choose what runs",
        }
    }
}

/// Something on the way to a file that others could change.
struct Fault {
    path: PathBuf,
    metadata: Metadata,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Everyone,
    Owner,
    Group,
}

/// What stands between two others on the way to a file: `directory` is looked into for `entry`.
struct Step {
    directory: PathBuf,
    above: Metadata,
    entry: PathBuf,
    found: Metadata,
}

/// Judges the way to `path`: warnings that leave it usable, or what is wrong.
///
/// Files in `build_tree` are those of whoever builds this program, too; what its group can do there
/// is worth a warning only.
pub(super) fn judge(
    path: &Path,
    subject: Subject,
    trust: &Trust,
    build_tree: Option<&Path>,
) -> Result<Vec<Problem>, Problem> {
    let way = way(path).map_err(|error| super::cannot_open(path, &error))?;
    if let Some(problem) = kept_out(path, subject, &way, trust) {
        return Err(problem);
    }
    let mut faults: Vec<Fault> = Vec::new();
    let mut add = |path: &Path, metadata: &Metadata| {
        for kind in kinds(metadata, trust) {
            let is_known = |known: &Fault| known.path == path && known.kind == kind;
            if !faults.iter().any(is_known) {
                faults.push(Fault {
                    path: path.to_owned(),
                    metadata: metadata.clone(),
                    kind,
                });
            }
        }
    };
    let last = way.len().saturating_sub(1);
    for (index, step) in way.iter().enumerate() {
        // In a sticky directory of root only its owner can replace an entry. New
        // ones can be added by everyone, so it is no place for libraries themselves.
        let is_protected = is_sticky(&step.above)
            && step.above.uid() == 0
            && trust.trusts(step.found.uid())
            && (index != last || step.found.is_dir());
        if !is_protected {
            add(&step.directory, &step.above);
        }
        if index == last {
            add(&step.entry, &step.found);
        }
    }
    if faults.is_empty() {
        return Ok(Vec::new());
    }
    let resolved = way.last().map_or(path, |step| &step.entry);
    let is_ours = build_tree.is_some_and(|tree| resolved.starts_with(tree));
    let problem = describe(path, subject, &faults, trust);
    if is_ours && faults.iter().all(|fault| fault.kind != Kind::Everyone) {
        let note = "accepted, because this program lies in the same cargo target directory";
        return Ok(vec![problem.into_warning().note(note)]);
    }
    Err(problem)
}

/// Every directory that is looked into on the way to `path`, and what is found there.
fn way(path: &Path) -> io::Result<Vec<Step>> {
    let absolute = std::path::absolute(path)?;
    let mut left: VecDeque<PathBuf> = VecDeque::new();
    let queue = |left: &mut VecDeque<PathBuf>, path: &Path| {
        let names = path.components().rev();
        names.for_each(|name| left.push_front(PathBuf::from(name.as_os_str())));
    };
    queue(&mut left, &absolute);
    let mut way = Vec::new();
    let mut links = 0;
    let mut directory = PathBuf::from("/");
    let mut above = fs::symlink_metadata(&directory)?;
    while let Some(name) = left.pop_front() {
        match name.components().next() {
            Some(Component::Normal(_)) => {}
            Some(Component::ParentDir) => {
                directory.pop();
                above = fs::symlink_metadata(&directory)?;
                continue;
            }
            Some(Component::RootDir | Component::Prefix(_)) => {
                directory = PathBuf::from("/");
                above = fs::symlink_metadata(&directory)?;
                continue;
            }
            Some(Component::CurDir) | None => continue,
        }
        let entry = directory.join(&name);
        let found = fs::symlink_metadata(&entry)?;
        let is_link = found.is_symlink();
        way.push(Step {
            directory: directory.clone(),
            above: above.clone(),
            entry: entry.clone(),
            found: found.clone(),
        });
        if is_link {
            links += 1;
            if links > MAX_LINKS {
                return Err(io::Error::from_raw_os_error(
                    rustix::io::Errno::LOOP.raw_os_error(),
                ));
            }
            queue(&mut left, &fs::read_link(&entry)?);
        } else {
            directory = entry;
            above = found;
        }
    }
    Ok(way)
}

/// What others than the trusted could do with a file or directory.
fn kinds(metadata: &Metadata, trust: &Trust) -> impl Iterator<Item = Kind> {
    // The mode of a link says nothing.
    let mode = if metadata.is_symlink() {
        0
    } else {
        metadata.mode()
    };
    let everyone = mode & 0o002 != 0;
    [
        (everyone, Kind::Everyone),
        (!trust.trusts(metadata.uid()), Kind::Owner),
        (!everyone && mode & 0o020 != 0, Kind::Group),
    ]
    .into_iter()
    .filter_map(|(is_so, kind)| is_so.then_some(kind))
}

/// What keeps another user from reading the file at all.
fn kept_out(path: &Path, subject: Subject, way: &[Step], trust: &Trust) -> Option<Problem> {
    let directories = way.iter().map(|step| (&step.directory, &step.above));
    let mut through = directories.filter(|(_, metadata)| trust.is_kept_out(metadata, 0o1));
    let (at, metadata) = through.next().or_else(|| {
        let last = way.last()?;
        // A directory at the end is one that has to be listed.
        let rights = if last.found.is_dir() { 0o5 } else { 0o4 };
        let is_kept_out = trust.is_kept_out(&last.found, rights);
        is_kept_out.then_some((&last.entry, &last.found))
    })?;
    let code = match subject {
        Subject::Configuration => Code::UnreadableConfiguration,
        Subject::Library | Subject::Record => Code::Unreadable,
    };
    let is_directory = way.last().is_some_and(|step| step.found.is_dir());
    let obstacle = Obstacle::new(at.clone(), metadata.clone(), trust);
    // A configuration may hold secrets.
    let group = (subject == Subject::Configuration).then(|| trust.group());
    let group = group.as_deref();
    Some(refusal::unreadable(
        path,
        code,
        is_directory,
        &obstacle,
        group,
    ))
}

fn describe(path: &Path, subject: Subject, faults: &[Fault], trust: &Trust) -> Problem {
    let Some(first) = faults.first() else {
        return Problem::error(Code::Untrusted, String::new());
    };
    let mode = |metadata: &Metadata| format!("{:04o}", metadata.mode() & 0o7777);
    let is_directory = first.metadata.is_dir();
    let name = if is_directory {
        first.path.display().to_string()
    } else {
        file_name(&first.path)
    };
    let consequence = subject.consequence(is_directory);
    let (what, who) = match first.kind {
        Kind::Everyone => (
            format!("is writable by everyone (mode {})", mode(&first.metadata)),
            "any user".to_owned(),
        ),
        Kind::Group => {
            let group = trust::group(first.metadata.gid());
            (
                format!(
                    "is writable by its group \"{group}\" (mode {})",
                    mode(&first.metadata)
                ),
                format!("every member of the group \"{group}\""),
            )
        }
        Kind::Owner => {
            let owner = trust::user(first.metadata.uid());
            (format!("belongs to {owner}"), owner)
        }
    };
    let danger = subject.danger(is_directory);
    let problem = Problem::error(Code::Untrusted, format!("{name} {what}; {consequence}"))
        .place(path.display())
        .because(format!("{who} {danger} as {}", trust.name()));
    let facts = |fault: &Fault| {
        format!(
            "owner {}, mode {}",
            trust::owners(&fault.metadata),
            mode(&fault.metadata)
        )
    };
    let mut paths: Vec<&Fault> = Vec::new();
    for fault in faults {
        if !paths.iter().any(|known| known.path == fault.path) {
            paths.push(fault);
        }
    }
    let problem = if let [only] = paths.as_slice() {
        problem.found(format!(
            "{}; every directory up to / was checked, this is the only fault",
            facts(only)
        ))
    } else {
        let each = paths.iter().fold(problem, |problem, fault| {
            problem.found(format!("{}: {}", fault.path.display(), facts(fault)))
        });
        each.found("every directory up to / was checked, these are the only faults")
    };
    let commands = [("chown root", true), ("chmod go-w", false)].map(|(command, owner)| {
        let meant = faults
            .iter()
            .filter(|fault| (fault.kind == Kind::Owner) == owner);
        let paths = meant.map(|fault| fault.path.display().to_string());
        let paths = paths.collect::<Vec<_>>().join(" ");
        (!paths.is_empty()).then(|| format!("{command} {paths}"))
    });
    let commands = commands.into_iter().flatten().collect::<Vec<_>>();
    let commands = commands.join(" && ");
    problem.help(if subject == Subject::Configuration {
        format!("{commands}, then verify it: gordon-janitor config")
    } else {
        format!("{commands}, then verify the files: gordon-janitor plugins list --sha256")
    })
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn judged(path: &Path, tree: Option<&Path>) -> Result<Vec<Problem>, Problem> {
        judge(path, Subject::Library, &Trust::of_process(), tree)
    }

    #[test]
    fn in_the_build_tree_the_group_may_write_and_the_others_may_not() {
        let directory = tempfile::tempdir().unwrap();
        let tree = directory.path().join("target");
        fs::create_dir(&tree).unwrap();
        mode(&tree, 0o755);
        let path = tree.join("liba.so");
        fs::write(&path, "").unwrap();
        mode(&path, 0o664);
        let outside = judged(&path, None).unwrap_err();
        let inside = judged(&path, Some(&tree)).unwrap();
        let [warning] = inside.as_slice() else {
            panic!("{inside:?}")
        };
        assert_eq!(warning.summary(), outside.summary());
        let text = warning.to_string();
        assert!(
            text.starts_with("warning[GJ301]: liba.so is writable by its group ")
                && text.ends_with(
                    "note: accepted, because this program lies in the same cargo target directory"
                ),
            "{text}"
        );
        mode(&tree, 0o775);
        assert_eq!(judged(&path, Some(&tree)).unwrap().len(), 1);
        mode(&path, 0o666);
        assert!(judged(&path, Some(&tree)).is_err());
        mode(&path, 0o644);
        mode(&tree, 0o777);
        assert!(judged(&path, Some(&tree)).is_err());
        mode(&tree, 0o755);
        assert!(judged(&path, None).unwrap().is_empty());
    }

    #[test]
    fn a_sticky_directory_protects_directories_and_links_but_is_no_place_for_libraries() {
        let directory = tempfile::tempdir().unwrap();
        let sticky = directory.path().join("tmp");
        let below = sticky.join("below");
        fs::create_dir_all(&below).unwrap();
        for path in [&sticky, &below] {
            mode(path, 0o755);
        }
        fs::write(below.join("liba.so"), "").unwrap();
        mode(&below.join("liba.so"), 0o644);
        fs::copy(below.join("liba.so"), sticky.join("libb.so")).unwrap();
        symlink("below/../below/liba.so", sticky.join("link.so")).unwrap();
        mode(&sticky, 0o1777);
        // Only that of root is sticky for everybody else.
        let is_root = rustix::process::geteuid().is_root();
        assert_eq!(judged(&below.join("liba.so"), None).is_ok(), is_root);
        assert_eq!(judged(&sticky.join("link.so"), None).is_ok(), is_root);
        assert!(judged(&sticky.join("libb.so"), None).is_err());
        mode(&sticky, 0o777);
        assert!(judged(&below.join("liba.so"), None).is_err());
    }

    #[test]
    fn every_directory_on_the_way_is_looked_at_once_links_resolved() {
        let directory = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/b/lib.so"), "").unwrap();
        symlink(root.join("a"), root.join("c")).unwrap();
        let way = way(&root.join("c/b/../b/lib.so")).unwrap();
        let entries = way
            .iter()
            .filter_map(|step| step.entry.strip_prefix(&root).ok());
        let entries = entries.filter(|entry| !entry.as_os_str().is_empty());
        let entries = entries.map(|entry| entry.display().to_string());
        assert_eq!(
            entries.collect::<Vec<_>>(),
            ["c", "a", "a/b", "a/b", "a/b/lib.so"]
        );
    }
}
