//! Which libraries there are, and which plugins they offer.
//!
//! Every `*.so` directly in the plugin directory is judged; its name carries no
//! meaning. Files whose names begin with a dot and sub-directories are passed
//! over, so that backups and private libraries have a place.

mod directory;
mod installed;
mod clash;
mod list;
mod json;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub(crate) use self::directory::build_tree;
pub use self::directory::{ENVIRONMENT, INSTALLED, PluginDirectory};
pub use self::installed::{Build, Entry, Installed, RECORD};
pub(crate) use self::installed::{create, staged};
pub use self::json::json;
pub use self::list::list;

use crate::manifest::{Manifest, Plugin};
use crate::preflight::{self, Digest, Judged, Preflight, Trust, Verdict, stranger};
use crate::problem::{Code, Problem};
use crate::schema::Accepts;

/// One file in the plugin directory.
#[derive(Clone, Debug)]
pub struct Discovered {
    /// Its path in the plugin directory.
    pub path: PathBuf,
    /// What it was judged to be.
    pub judged: Judged,
    /// The file that is listed before it and is the same: this is a link to it, symbolic or hard.
    pub same_as: Option<usize>,
    digest: OnceLock<Option<Digest>>,
}

impl Discovered {
    /// The file's name.
    #[must_use]
    pub fn name(&self) -> String {
        name_of(&self.path)
    }

    /// The manifest, if it could be read, even if the library was refused.
    #[must_use]
    pub fn manifest(&self) -> Option<&Manifest> {
        match &self.judged.verdict {
            Verdict::Plugin(manifest) | Verdict::Refused(_, Some(manifest)) => Some(manifest),
            Verdict::NotAPlugin | Verdict::Refused(_, None) => None,
        }
    }

    /// Whether it cannot be loaded.
    fn is_refused(&self) -> bool {
        matches!(self.judged.verdict, Verdict::Refused(..))
    }

    /// Whether it is not what was installed.
    fn is_changed(&self) -> bool {
        is_changed(&self.judged.verdict)
    }

    /// The digest of the file, if it can be read. The whole file is read the first time.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        let digest = || Digest::at(&self.judged.path).ok();
        *self.digest.get_or_init(digest)
    }
}

/// What the plugin directory holds.
#[derive(Debug)]
pub struct Discovery {
    directory: PluginDirectory,
    /// Why nothing in the directory is loaded.
    fault: Option<Problem>,
    files: Vec<Discovered>,
    installed: Installed,
    /// For each key, the libraries that offer it and can be loaded.
    offers: BTreeMap<String, Vec<usize>>,
}

impl Discovery {
    /// Judges every library in `directory` for the user of this process, in the order of their
    /// names. Nothing of them is run or mapped.
    #[must_use]
    pub fn scan(directory: PluginDirectory) -> Self {
        Self::scan_for(directory, &Preflight::new(Trust::of_process()))
    }

    /// Judges every library in `directory` for another user, perhaps.
    #[must_use]
    pub fn scan_for(directory: PluginDirectory, preflight: &Preflight) -> Self {
        let (paths, unreadable) = match paths(directory.path()) {
            Ok(paths) => (paths, None),
            Err(error) => (Vec::new(), Some(directory.unreadable(&error))),
        };
        let unsafe_place = || preflight.judge_directory(directory.path());
        let fault = unreadable.or_else(unsafe_place);
        let path = directory.path().to_owned();
        let record = || Installed::read(&path, preflight);
        Self::with_record(directory, fault, preflight, &paths, record)
    }

    /// Judges the libraries at `paths` by a record that may be replaced meanwhile.
    ///
    /// An installation writes the record before it renames. Whoever read the record before and the
    /// library after that would find one that is not in it, and has to read it again.
    fn with_record(
        directory: PluginDirectory,
        fault: Option<Problem>,
        preflight: &Preflight,
        paths: &[PathBuf],
        record: impl Fn() -> Result<Installed, Problem>,
    ) -> Self {
        /// More installations than can end during so many looks are none that end.
        const LOOKS: usize = 8;
        let mut recorded = record();
        let mut looks = 0;
        loop {
            let (installed, problem) = match recorded {
                Ok(installed) => (installed, None),
                Err(problem) => (Installed::default(), Some(problem)),
            };
            let fault = fault.clone().or(problem);
            let found = Self::of(directory.clone(), fault, installed, preflight, paths);
            looks += 1;
            if looks == LOOKS || !found.files.iter().any(Discovered::is_changed) {
                return found;
            }
            recorded = record();
            if recorded.as_ref().is_ok_and(|now| *now == found.installed) {
                return found;
            }
        }
    }

    fn of(
        directory: PluginDirectory,
        fault: Option<Problem>,
        installed: Installed,
        preflight: &Preflight,
        paths: &[PathBuf],
    ) -> Self {
        let mut files: Vec<Discovered> = Vec::with_capacity(paths.len());
        let mut seen: BTreeMap<(u64, u64), usize> = BTreeMap::new();
        let mut offers: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for path in paths {
            let expected = installed.expected(&recorded_name(path));
            let judged = preflight.judge(path, expected.as_ref());
            // A link, hard or symbolic, to a library that is listed already
            // offers nothing new.
            let same_as = judged.identity.and_then(|identity| {
                let first = *seen.entry(identity.file).or_insert(files.len());
                let other = files.get(first)?;
                // What one way to it is refused for is no fault of another way.
                let is_good = matches!(judged.verdict, Verdict::Plugin(_));
                if is_good && other.is_refused() && !other.is_changed() {
                    seen.insert(identity.file, files.len());
                    return None;
                }
                Some(first)
            });
            // A file that is not what was installed under one of its names is that under none.
            if let Some(first) = same_as
                && is_changed(&judged.verdict)
            {
                files[first].judged.verdict = judged.verdict.clone();
                offers.retain(|_, offers| {
                    offers.retain(|&index| index != first);
                    !offers.is_empty()
                });
            }
            if let (None, Verdict::Plugin(manifest)) = (same_as, &judged.verdict) {
                for plugin in &manifest.plugins {
                    offers
                        .entry(plugin.key.clone())
                        .or_default()
                        .push(files.len());
                }
            }
            files.push(Discovered {
                path: path.clone(),
                judged,
                same_as,
                digest: OnceLock::new(),
            });
        }
        Self {
            directory,
            fault,
            files,
            installed,
            offers,
        }
    }

    /// The directory that was looked into.
    #[must_use]
    pub fn directory(&self) -> &PluginDirectory {
        &self.directory
    }

    /// Why nothing in the directory is loaded: it cannot be read, or it is not safe.
    #[must_use]
    pub fn fault(&self) -> Option<&Problem> {
        self.fault.as_ref()
    }

    /// Every file, by name.
    #[must_use]
    pub fn files(&self) -> &[Discovered] {
        &self.files
    }

    /// The record of what was installed.
    #[must_use]
    pub fn installed(&self) -> &Installed {
        &self.installed
    }

    /// How many libraries offer `key`.
    pub(crate) fn offers(&self, key: &str) -> usize {
        self.offers.get(key).map_or(0, Vec::len)
    }

    /// The keys of all plugins that could be loaded, ascending.
    pub fn keys(&self) -> impl Iterator<Item = &str> + Clone {
        self.offers.keys().map(String::as_str)
    }

    /// The keys of all plugins, also of those in libraries that were refused.
    pub fn all_keys(&self) -> impl Iterator<Item = &str> {
        let manifests = self.files.iter().filter_map(Discovered::manifest);
        manifests
            .flat_map(|manifest| &manifest.plugins)
            .map(|plugin| plugin.key.as_str())
    }

    /// Every library that says it holds `key`, also one that was refused: the file, its manifest, and
    /// what that says of the plugin.
    pub fn holders(&self, key: &str) -> impl Iterator<Item = (&Discovered, &Manifest, &Plugin)> {
        let mut seen = BTreeSet::new();
        let files = self.files.iter();
        files.filter_map(move |file| {
            let manifest = file.manifest()?;
            let plugin = manifest.plugins.iter().find(|plugin| plugin.key == key)?;
            // Links to one library are one library.
            seen.insert(&file.judged.path)
                .then_some((file, manifest, plugin))
        })
    }

    /// What every plugin accepts, by its key, also of those in libraries that were refused.
    pub fn schemas(&self) -> impl Iterator<Item = (&str, &Accepts)> {
        let manifests = self.files.iter().filter_map(Discovered::manifest);
        let plugins = manifests.flat_map(|manifest| &manifest.plugins);
        plugins.map(|plugin| (plugin.key.as_str(), &plugin.settings))
    }

    /// The library that offers `key`, what it says of the plugin, and its manifest.
    ///
    /// # Errors
    ///
    /// When several libraries offer it.
    pub fn find(&self, key: &str) -> Result<Option<(&Discovered, &Manifest, &Plugin)>, Problem> {
        let Some(offers) = self.offers.get(key) else {
            return Ok(None);
        };
        if offers.len() > 1 {
            return Err(self.clash(key, offers));
        }
        let found = offers
            .iter()
            .map(|&index| &self.files[index])
            .find_map(|file| {
                let manifest = file.manifest()?;
                let plugin = manifest.plugins.iter().find(|plugin| plugin.key == key)?;
                Some((file, manifest, plugin))
            });
        Ok(found)
    }

    /// Libraries that were refused although they may hold `key`: those that say
    /// so, or else those that say nothing.
    pub(crate) fn refused(&self, key: &str) -> impl Iterator<Item = (&Discovered, &Problem, bool)> {
        self.files
            .iter()
            .filter_map(move |file| match &file.judged.verdict {
                Verdict::Refused(problem, None) => Some((file, problem, false)),
                Verdict::Refused(problem, Some(manifest))
                    if manifest.plugins.iter().any(|plugin| plugin.key == key) =>
                {
                    Some((file, problem, true))
                }
                _ => None,
            })
    }

    /// The number of files that were refused.
    #[must_use]
    pub fn refusals(&self) -> usize {
        let verdicts = self.files.iter().map(|file| &file.judged.verdict);
        verdicts
            .filter(|verdict| matches!(verdict, Verdict::Refused(..)))
            .count()
    }

    /// Every key that several libraries offer, as a problem.
    #[must_use]
    pub fn clashes(&self) -> Vec<Problem> {
        let several = self.offers.iter().filter(|(_, offers)| offers.len() > 1);
        several
            .map(|(key, offers)| self.clash(key, offers))
            .collect()
    }

    fn clash(&self, key: &str, offers: &[usize]) -> Problem {
        let files = offers.iter().map(|&index| &self.files[index]);
        clash::clash(key, &files.collect::<Vec<_>>())
    }

    /// What should be mended although `libraries`, which are loaded together, can be.
    pub(crate) fn remarks<'a>(&self, libraries: impl Iterator<Item = &'a Path>) -> Vec<Problem> {
        let paths: BTreeSet<&Path> = libraries.collect();
        let mut files: Vec<&Judged> = Vec::new();
        for path in paths {
            let found = self.files.iter().find(|file| file.judged.path == path);
            files.extend(found.map(|file| &file.judged));
        }
        let warnings = files.iter().flat_map(|judged| &judged.warnings).cloned();
        let static_tls = preflight::static_tls(files.iter().flat_map(|judged| &judged.static_tls));
        warnings.chain(static_tls).collect()
    }

    /// Libraries without a manifest, of which nobody expects anything unless a plugin is missing:
    /// what the first of them are, and how many there are.
    pub(crate) fn strangers(&self, shown: usize) -> (Vec<Problem>, usize) {
        let is_stranger = |file: &&Discovered| matches!(file.judged.verdict, Verdict::NotAPlugin);
        let strangers = self.files.iter().filter(is_stranger);
        let first = strangers.clone().take(shown);
        (
            first.map(|file| stranger(&file.path)).collect(),
            strangers.count(),
        )
    }
}

/// The name that a library may be recorded under: of a link to another in its directory, that one's.
fn recorded_name(path: &Path) -> String {
    let target = path.parent().zip(fs::canonicalize(path).ok());
    let target = target.filter(|(directory, target)| {
        let directory = fs::canonicalize(directory).ok();
        directory.as_deref() == target.parent()
    });
    name_of(target.as_ref().map_or(path, |(_, target)| target))
}

/// Whether a file is refused because it is not what was installed.
fn is_changed(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Refused(problem, _) if problem.code() == Code::Changed)
}

/// The file name in `path`.
fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Returns the paths of what could be a library, by name.
fn paths(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        // What is gone by now is no reason to give up the others.
        let is_directory = || entry.file_type().is_ok_and(|kind| kind.is_dir());
        if name.ends_with(b".so") && !name.starts_with(b".") && !is_directory() {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests;
