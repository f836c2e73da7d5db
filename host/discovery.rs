//! Which libraries there are, and which plugins they offer.
//!
//! Every `*.so` directly in the plugin directory is judged; its name carries no
//! meaning. Files whose names begin with a dot and sub-directories are passed
//! over, so that backups and private libraries have a place.

mod directory;
mod list;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

pub use self::directory::{ENVIRONMENT, INSTALLED, PluginDirectory};
pub use self::list::list;

use crate::manifest::{Manifest, Plugin};
use crate::preflight::{self, Judged, Verdict};
use crate::problem::{Code, Problem};
use crate::schema::Accepts;

/// One file in the plugin directory.
#[derive(Clone, Debug)]
pub struct Discovered {
    /// Its path in the plugin directory.
    pub path: PathBuf,
    /// What it was judged to be.
    pub judged: Judged,
}

impl Discovered {
    /// The file's name.
    #[must_use]
    pub fn name(&self) -> String {
        self.path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    /// The manifest, if it could be read, even if the library was refused.
    #[must_use]
    pub fn manifest(&self) -> Option<&Manifest> {
        match &self.judged.verdict {
            Verdict::Plugin(manifest) | Verdict::Refused(_, Some(manifest)) => Some(manifest),
            Verdict::NotAPlugin | Verdict::Refused(_, None) => None,
        }
    }
}

/// What the plugin directory holds.
#[derive(Debug)]
pub struct Discovery {
    directory: PluginDirectory,
    /// Why the directory could not be read; there are no files then.
    fault: Option<Problem>,
    files: Vec<Discovered>,
    /// For each key, the libraries that offer it and can be loaded.
    offers: BTreeMap<String, Vec<usize>>,
}

impl Discovery {
    /// Judges every library in `directory`, in the order of their names.
    /// Nothing of them is run or mapped.
    #[must_use]
    pub fn scan(directory: PluginDirectory) -> Self {
        match paths(directory.path()) {
            Ok(paths) => Self::of(directory, paths),
            Err(error) => {
                let fault = directory.unreadable(&error);
                Self {
                    directory,
                    fault: Some(fault),
                    files: Vec::new(),
                    offers: BTreeMap::new(),
                }
            }
        }
    }

    fn of(directory: PluginDirectory, paths: Vec<PathBuf>) -> Self {
        let mut files: Vec<Discovered> = Vec::with_capacity(paths.len());
        let mut seen = BTreeMap::new();
        let mut offers: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for path in paths {
            let judged = preflight::judge(&path);
            // A link, hard or symbolic, to a library that is listed already
            // offers nothing new.
            let is_new = judged
                .identity
                .is_none_or(|identity| seen.insert(identity, files.len()).is_none());
            if let (true, Verdict::Plugin(manifest)) = (is_new, &judged.verdict) {
                for plugin in &manifest.plugins {
                    offers
                        .entry(plugin.key.clone())
                        .or_default()
                        .push(files.len());
                }
            }
            files.push(Discovered { path, judged });
        }
        Self {
            directory,
            fault: None,
            files,
            offers,
        }
    }

    /// The directory that was looked into.
    #[must_use]
    pub fn directory(&self) -> &PluginDirectory {
        &self.directory
    }

    /// Why the directory could not be read.
    #[must_use]
    pub fn fault(&self) -> Option<&Problem> {
        self.fault.as_ref()
    }

    /// Every file, by name.
    #[must_use]
    pub fn files(&self) -> &[Discovered] {
        &self.files
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
        let count = match offers.len() {
            2 => "two".to_owned(),
            many => many.to_string(),
        };
        let problem = Problem::error(
            Code::DuplicateKey,
            format!("key \"{key}\" is exported by {count} libraries; none was loaded"),
        );
        /// Files that are named; more would hide the rest of the report.
        const NAMED: usize = 8;
        let files = offers.iter().take(NAMED).map(|&index| &self.files[index]);
        let problem = files.fold(problem, |problem, file| {
            let version = file
                .manifest()
                .map_or("", |manifest| manifest.version.as_str());
            problem.found(format!("{}  {key} {version}", file.path.display()))
        });
        let problem = match offers.len().checked_sub(NAMED) {
            None | Some(0) => problem,
            Some(more) => problem.found(format!("and {more} more")),
        };
        problem
            .because("which one runs must not depend on the order of the directory")
            .help("move one away; backups belong outside this directory or under a name that starts with a dot")
    }
}

/// Returns the paths of what could be a library, by name.
fn paths(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.ends_with(b".so") && !name.starts_with(b".") && !entry.file_type()?.is_dir() {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests;
