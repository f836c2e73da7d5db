//! `plugins install` and `plugins rollback`: a library is replaced in such a way that there is no moment
//! without one, wherever the power goes.
//!
//! ```text
//! lock ─► stage beside the target ─► judge ─► keep the present one ─► record both digests ─► rename
//! ```
//!
//! The record has the digests of the new and of the present library before the name changes hands, and a
//! library may have either: each step leaves a directory that can be used.

mod fault;
mod message;
mod previous;
mod rollback;
mod step;

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};

use self::step::{Staged, Step, reached};
use crate::discovery::{Build, Discovery, Entry, Installed, PluginDirectory, create};
use crate::error::Error;
use crate::manifest::Manifest;
use crate::preflight::{Digest, Preflight, Trust, Verdict, stranger};
use crate::problem::{Code, Problem, Problems};
use crate::terminal;

pub use self::rollback::rollback;

/// What two installations at once would write to.
const LOCK: &str = ".gordon-janitor-installed.lock";

/// Installs the library at `source` in `directory`, under its own name or as `name`; returns what was done.
///
/// # Errors
///
/// When the library could not be loaded from there, would clash with another, or cannot be written. The
/// directory is as it was then.
pub fn install(
    directory: PluginDirectory,
    source: &Path,
    name: Option<&str>,
) -> Result<String, Error> {
    let name = file_name(source, name)?;
    let preflight = Preflight::new(Trust::of_process());
    // Most of what can be wrong is told before anything is written.
    let manifest = likely(&preflight.judge_content(source).verdict, source)?;
    let path = directory.path().to_owned();
    let cannot = |error: io::Error| {
        let what = format!("cannot install `{}`", source.display());
        fault::unwritten(what, &path, error)
    };
    let room = Room::enter(directory, &preflight).map_err(cannot)??;
    room.check_keys(&name, &manifest)?;

    let staged = Staged::new(room.path(), &name);
    let digest = copy(source, staged.path()).map_err(cannot)?;
    reached(Step::Staged);
    // These octets are installed, from where they lie now, and nobody else can write to them.
    let judged = preflight.judge_as(staged.path(), source, None);
    let manifest = loadable(&judged.verdict, source)?;
    room.check_keys(&name, &manifest)?;

    let target = room.path().join(&name);
    let present = room.present(&name);
    let new = build(digest, &manifest);
    let mut entry = Entry {
        current: new,
        previous: room.kept(&name),
    };
    let is_there = present
        .as_ref()
        .is_some_and(|present| present.digest == digest);
    if is_there {
        return room.confirm(&name, entry, &manifest).map_err(cannot);
    }
    let kept = present.as_ref().and_then(|present| present.build.clone());
    if let Some(kept) = &kept {
        previous::keep(room.path(), &name).map_err(cannot)?;
        entry.previous = Some(kept.clone());
    }
    reached(Step::Kept);
    let mut installed = room.discovery.installed().clone();
    installed.set(&name, entry.clone());
    installed.write(room.path()).map_err(cannot)?;
    reached(Step::Recorded);
    staged.rename(&target).map_err(cannot)?;
    reached(Step::Renamed);
    sync(room.path()).map_err(cannot)?;
    Ok(message::installed(
        room.path(),
        &name,
        &entry,
        &manifest,
        present.as_ref(),
    ))
}

/// The plugin directory, while nobody else installs there.
struct Room {
    discovery: Discovery,
    /// Released when it is closed.
    _lock: File,
}

/// A library that is in the place of another.
struct Present {
    digest: Digest,
    /// What it is, if it can be loaded.
    build: Option<Build>,
    manifest: Option<Manifest>,
}

impl Room {
    /// Waits until it has the directory for itself.
    fn enter(directory: PluginDirectory, preflight: &Preflight) -> io::Result<Result<Self, Error>> {
        let discovery = Discovery::scan_for(directory, preflight);
        if let Some(fault) = discovery.fault() {
            return Ok(Err(Problems::from(fault.clone()).into()));
        }
        let path = discovery.directory().path().join(LOCK);
        let mut options = File::options();
        let lock = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            // For people; it is neither a problem nor an event of the log.
            if terminal::form() == terminal::Form::Text {
                terminal::write("waiting for another installation in the same directory\n");
            }
            flock(&lock, FlockOperation::LockExclusive)?;
        }
        // Whoever had the lock may have changed everything.
        let discovery = Discovery::scan_for(discovery.directory().clone(), preflight);
        Ok(Ok(Self {
            discovery,
            _lock: lock,
        }))
    }

    fn path(&self) -> &Path {
        self.discovery.directory().path()
    }

    /// Refuses a library with a key that another one offers.
    fn check_keys(&self, name: &str, manifest: &Manifest) -> Result<(), Error> {
        let mut problems = Vec::new();
        for file in self.discovery.files() {
            let Verdict::Plugin(other) = &file.judged.verdict else {
                continue;
            };
            if file.name() == name || self.leads_to(&file.path, name) {
                continue;
            }
            // A link to another than the one that is replaced: that one is looked at itself.
            let same = file
                .same_as
                .and_then(|index| self.discovery.files().get(index));
            if same.is_some_and(|same| same.name() != name) {
                continue;
            }
            let ours = manifest.plugins.iter().map(|plugin| &plugin.key);
            let theirs = |key: &&String| other.plugins.iter().any(|plugin| plugin.key == **key);
            let shared = ours.filter(theirs).map(|key| format!("\"{key}\""));
            let shared = shared.collect::<Vec<_>>();
            if shared.is_empty() {
                continue;
            }
            let noun = if shared.len() == 1 { "key" } else { "keys" };
            problems.push(
                Problem::error(
                    Code::DuplicateKey,
                    format!(
                        "{noun} {} would be exported by two libraries; {name} was not installed",
                        shared.join(", ")
                    ),
                )
                .found(format!(
                    "{}  {} {}",
                    file.path.display(),
                    other.package,
                    other.version
                ))
                .because("which one runs must not depend on the order of the directory")
                .help(format!(
                    "to replace it: --as {}; or move it away first",
                    file.name()
                )),
            );
        }
        Ok(Problems::check(problems).map(drop)?)
    }

    /// Whether what is at `path` is a link that leads to whatever has this name.
    fn leads_to(&self, path: &Path, name: &str) -> bool {
        let target = fs::read_link(path).ok().and_then(|target| {
            let target = self.path().join(target);
            let directory = fs::canonicalize(target.parent()?).ok()?;
            Some(directory.join(target.file_name()?))
        });
        let own = fs::canonicalize(self.path()).map(|directory| directory.join(name));
        target.is_some() && target == own.ok()
    }

    /// The library that has this name now.
    fn present(&self, name: &str) -> Option<Present> {
        let files = self.discovery.files().iter();
        let file = files.clone().find(|file| file.name() == name)?;
        let digest = Digest::at(&file.path).ok()?;
        let manifest = match &file.judged.verdict {
            Verdict::Plugin(manifest) => Some(manifest.clone()),
            Verdict::NotAPlugin | Verdict::Refused(..) => None,
        };
        let recorded = self.discovery.installed().get(name);
        let recorded = recorded.and_then(|entry| entry.of(digest)).cloned();
        Some(Present {
            digest,
            build: manifest
                .as_ref()
                .map(|manifest| recorded.unwrap_or_else(|| build(digest, manifest))),
            manifest,
        })
    }

    /// What is recorded of the file that is kept as the previous one.
    fn kept(&self, name: &str) -> Option<Build> {
        let digest = Digest::at(&previous::path(self.path(), name)).ok()?;
        let recorded = self.discovery.installed().get(name)?;
        recorded.of(digest).cloned()
    }

    /// Records a library that is there already.
    fn confirm(&self, name: &str, entry: Entry, manifest: &Manifest) -> io::Result<String> {
        let mut installed: Installed = self.discovery.installed().clone();
        let known = installed.get(name).map(|entry| entry.current.sha256);
        let is_recorded = known == Some(entry.current.sha256);
        if !is_recorded {
            installed.set(name, entry.clone());
            installed.write(self.path())?;
        }
        Ok(message::confirmed(
            self.path(),
            name,
            &entry,
            manifest,
            is_recorded,
        ))
    }
}

/// The name that the library gets: one that is looked at.
fn file_name(source: &Path, name: Option<&str>) -> Result<String, Error> {
    let own = source.file_name().unwrap_or_default().to_string_lossy();
    let name = name.unwrap_or(&own);
    if name.ends_with(".so") && !name.starts_with('.') && !name.contains('/') {
        return Ok(name.to_owned());
    }
    let what = format!("cannot install a library as `{name}`");
    let why = "the plugin directory is searched for names that end with `.so` and do not begin with a dot";
    Err(Error::failed(what, why).hint("give it another name: --as libacme.so"))
}

/// What a library says of itself that could be loaded, if perhaps not from where it lies: those that it
/// needs may be beside its target.
fn likely(verdict: &Verdict, path: &Path) -> Result<Manifest, Error> {
    match verdict {
        Verdict::Refused(problem, Some(manifest)) if problem.code() == Code::CannotOpen => {
            Ok(manifest.clone())
        }
        verdict => loadable(verdict, path),
    }
}

fn loadable(verdict: &Verdict, path: &Path) -> Result<Manifest, Error> {
    match verdict {
        Verdict::Plugin(manifest) => Ok(manifest.clone()),
        Verdict::NotAPlugin => Err(Problems::from(stranger(path)).into()),
        Verdict::Refused(problem, _) => Err(Problems::from(problem.clone()).into()),
    }
}

/// Copies the library to a file of its own, down to the disk, and returns the digest of the copy.
fn copy(source: &Path, target: &Path) -> io::Result<Digest> {
    let (from, identity) = crate::preflight::reopen(&fs::canonicalize(source)?)?;
    let mut to = create(target)?;
    reached(Step::Begun);
    // No more than was judged: it may grow meanwhile.
    io::copy(&mut from.take(identity.octets), &mut to)?;
    to.sync_all()?;
    Digest::at(target)
}

fn build(sha256: Digest, manifest: &Manifest) -> Build {
    Build {
        sha256,
        package: manifest.package.clone(),
        version: manifest.version.clone(),
        installed: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}

/// Makes names that were given last through a loss of power.
fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod kill_tests;
#[cfg(test)]
mod tests;
