//! Finds, merges and checks the configuration files.
//!
//! `gordon-janitor.toml`, then `gordon-janitor-user.toml` laid over it, both in
//! the configuration root and both optional as long as one of them says
//! something. Every value remembers where it was written.

mod source;
mod secret;
mod value;
mod render;
mod nearest;
pub mod options;
mod fields;
mod patterns;
mod core;
mod routes;
mod merge;
mod history;
mod guard;
mod convergence;
pub mod scope;
mod logging;
mod relays;
mod plugins;
mod stray;

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

pub use self::core::{AfterCrash, Core, Listed, PluginSettings};
pub use self::guard::Guard;
pub use self::history::History;
pub use self::logging::{
    Handler, Logging, Output, Protocol, Receiver, Stackdriver, Syslog, SyslogForm,
};
pub use self::merge::{MergeRule, MergeSettings, Policy};
pub use self::patterns::PatternList;
pub use self::plugins::{Inherited, InstalledKeys, PluginTable};
pub use self::relays::{FFWD, Ffwd, METRICS_LOGGER, MetricsLogger};
pub use self::render::{Rendered, Secrets};
pub use self::routes::{RouteSetting, RouteSettings};
pub use self::source::{Origin, Source};
pub use self::value::{Key, Kind, Table, Value};

pub(crate) use self::nearest::nearest;
pub(crate) use self::render::{push_key, push_text};

use crate::problem::{Code, Problem, Problems};
use crate::schema::Accepts;

/// The files, in the order in which they are read; later ones win.
pub const FILES: [&str; 2] = ["gordon-janitor.toml", "gordon-janitor-user.toml"];

/// Octets of a configuration file that are read at most.
const MAX_OCTETS: u64 = 16 << 20;
/// How often a file is read that changes meanwhile.
const ATTEMPTS: usize = 3;

/// The merged configuration.
#[derive(Clone)]
pub struct Config {
    root: PathBuf,
    table: Table,
    core: Core,
    problems: Vec<Problem>,
}

impl Config {
    /// Reads both files in `root`.
    ///
    /// What is wrong with the host's own settings does not stop this: it is in
    /// [`Self::problems`], so that it can be reported with everything else.
    ///
    /// # Errors
    ///
    /// When there is no configuration, when a file that is there cannot be
    /// read, and when one is not TOML.
    pub fn load(root: &Path) -> Result<Self, Problems> {
        let absolute = std::path::absolute(root).unwrap_or_else(|_| root.to_path_buf());
        let mut table = Table::default();
        let mut problems = Vec::new();
        let mut absent = Vec::new();
        for name in FILES {
            let path = if root == Path::new(".") {
                PathBuf::from(name)
            } else {
                root.join(name)
            };
            match read(&path) {
                Ok(Some(text)) => match value::parse(&Source::new(path, text)) {
                    Ok(read) => table.merge(read),
                    Err(errors) => problems.extend(errors),
                },
                Ok(None) => absent.push(name),
                Err(problem) => {
                    absent.push(name);
                    problems.push(problem);
                }
            }
        }
        let mut problems = Problems::check(problems)?;
        if table.is_empty() && !absent.is_empty() {
            problems.push(no_configuration(&absolute, &absent));
        }
        let mut problems = Problems::check(problems)?;
        let core = Core::read(&table, &absolute, &mut problems);
        Ok(Self {
            root: absolute,
            table,
            core,
            problems,
        })
    }

    /// The configuration root, absolute. Relative paths in the files start here.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The same configuration, with which nothing is gone on without: what `core.debug` allows does not
    /// hold.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.core.debug = false;
        self
    }

    /// The host's own settings.
    #[must_use]
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// What is wrong with the host's own settings, and warnings about the files.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The merged configuration.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The merged configuration as TOML, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        render::document(&self.table, Secrets::Masked)
    }

    /// The merged configuration as JSON.
    #[must_use]
    pub fn json(&self, secrets: Secrets) -> serde_json::Value {
        render::json(
            self.table.iter().map(|(name, _, value)| (name, value)),
            secrets,
        )
    }

    /// What the plugin `key` receives; `None` if it has no table of its own.
    /// `installed` are the keys of the plugins there are, active or not.
    ///
    /// # Errors
    ///
    /// When the plugin's table is not a table or is written in two spellings.
    pub fn plugin(
        &self,
        key: &str,
        installed: &InstalledKeys,
    ) -> Result<Option<PluginTable>, Problem> {
        PluginTable::select(&self.table, key, installed)
    }

    /// What the plugin `key` would inherit, had it a table of its own.
    #[must_use]
    pub fn inheritance(&self, key: &str, installed: &InstalledKeys) -> Vec<Inherited> {
        PluginTable::inheritance(&self.table, key, installed).unwrap_or_default()
    }

    /// Makes secrets of what the schemas of plugins say are secrets: each with its plugin's key. Where
    /// a plugin has secrets, what it does not know is taken for one, too: its name may be misspelt.
    pub fn hide<'a>(&mut self, schemas: impl IntoIterator<Item = (&'a str, &'a Accepts)>) {
        let mut schemas: Vec<_> = schemas.into_iter().collect();
        schemas.sort_by_key(|(key, _)| *key);
        let keys: InstalledKeys = schemas.iter().map(|(key, _)| *key).collect();
        for path in keys.iter() {
            // Settings may stand in the tables of parents.
            let start = schemas.partition_point(|(key, _)| *key < path);
            let below = schemas[start..]
                .iter()
                .take_while(|(key, _)| key.starts_with(path));
            let heirs = below.filter(|(key, _)| {
                let rest = &key[path.len()..];
                rest.is_empty() || rest.starts_with('.')
            });
            let heirs: Vec<_> = heirs.map(|(_, accepts)| *accepts).collect();
            let parts: Vec<_> = path.split('.').collect();
            plugins::hide(&mut self.table, &parts, &heirs, &|name| {
                keys.owns(&format!("{path}.{name}"))
            });
        }
    }

    /// Warnings of what stands on the top level and is read by nobody, because of how it is spelled.
    #[must_use]
    pub fn stray(&self, installed: &InstalledKeys) -> Vec<Problem> {
        stray::stray(&self.table, installed)
    }

    /// The table whose name is closest to the plugin `key`, and its place.
    #[must_use]
    pub fn similar_table(&self, key: &str) -> Option<(String, Origin)> {
        let mut paths = plugins::table_paths(&self.table);
        let near = nearest(key, paths.iter().map(|(path, _)| path.as_str()))?.to_owned();
        let index = paths.iter().position(|(path, _)| *path == near)?;
        Some(paths.swap_remove(index))
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("root", &self.root)
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

/// Returns the text of the file at `path`; `None` if there is no such file.
fn read(path: &Path) -> Result<Option<String>, Problem> {
    let shown = path.display();
    let unreadable = |error: &io::Error| {
        Problem::error(Code::UnreadableConfiguration, format!("cannot read {shown}: {error}"))
            .because("a configuration file that is there counts; passed over, it would change what runs without a word")
            .help("make it readable for the user that runs gordon-janitor, or move it away")
    };
    // Looked at before it is opened: opening a FIFO would wait for a writer.
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            // A link that leads nowhere is a file that cannot be read.
            return if path.is_symlink() {
                Err(unreadable(&error))
            } else {
                Ok(None)
            };
        }
        Err(error) => return Err(unreadable(&error)),
    };
    if metadata.is_dir() {
        return Err(Problem::warning(
            Code::UnreadableConfiguration,
            format!("{shown} is a directory, not a configuration file; it is passed over"),
        ));
    }
    if !metadata.is_file() {
        return Err(Problem::error(
            Code::UnreadableConfiguration,
            format!("{shown} is not a regular file"),
        )
        .help("a configuration is read as a whole from a regular file"));
    }
    if metadata.len() > MAX_OCTETS {
        return Err(too_large(path));
    }
    let octets = match steadily(|| read_whole(path)) {
        Ok(Some(octets)) => octets,
        Ok(None) => return Err(restless(path)),
        Err(error) => return Err(unreadable(&error)),
    };
    if octets.len() as u64 > MAX_OCTETS {
        return Err(too_large(path));
    }
    // Kept, the mark would count as the first column.
    let octets = octets
        .strip_prefix(b"\xef\xbb\xbf")
        .map(<[u8]>::to_vec)
        .unwrap_or(octets);
    String::from_utf8(octets).map(Some).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|octet| **octet == b'\n').count() + 1;
        Problem::error(
            Code::Syntax,
            format!("{shown} is not valid TOML: line {line} is not UTF-8"),
        )
        .help(format!(
            "convert it, for example: iconv -f LATIN1 -t UTF-8 {shown}"
        ))
    })
}

fn too_large(path: &Path) -> Problem {
    Problem::error(
        Code::UnfitConfiguration,
        format!(
            "{} is larger than {} MiB, which no configuration is",
            path.display(),
            MAX_OCTETS >> 20
        ),
    )
    .help("was it written over by something else? restore it")
}

fn restless(path: &Path) -> Problem {
    Problem::error(
        Code::UnfitConfiguration,
        format!(
            "{} changed while it was read, {ATTEMPTS} times in a row",
            path.display()
        ),
    )
    .because("half of an old configuration and half of a new one is neither")
    .help("write it to another name in the same directory, and rename it; then run again")
}

/// Reads the file at `path`, and tells whether nobody wrote to it meanwhile.
fn read_whole(path: &Path) -> io::Result<(Vec<u8>, bool)> {
    let file = File::open(path)?;
    let before = stamp(&file.metadata()?);
    let mut octets = Vec::new();
    (&file).take(MAX_OCTETS + 1).read_to_end(&mut octets)?;
    let is_steady = stamp(&file.metadata()?) == before && octets.len() as u64 == before.0;
    let is_refused = octets.len() as u64 > MAX_OCTETS;
    Ok((octets, is_steady || is_refused))
}

/// Length and time of the last change.
fn stamp(metadata: &fs::Metadata) -> (u64, i64, i64) {
    (metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}

/// Reads until nothing changed meanwhile; `None` if it never does. An editor is done soon.
fn steadily(mut read: impl FnMut() -> io::Result<(Vec<u8>, bool)>) -> io::Result<Option<Vec<u8>>> {
    for _ in 0..ATTEMPTS {
        if let (octets, true) = read()? {
            return Ok(Some(octets));
        }
    }
    Ok(None)
}

fn no_configuration(root: &Path, absent: &[&str]) -> Problem {
    let problem = Problem::error(
        Code::NoConfiguration,
        format!(
            "Cannot load Gordon configuration file from \"{}\".",
            root.display()
        ),
    );
    let problem = match absent {
        _ if !root.is_dir() => problem.found("it is a file, not a directory"),
        [one] => {
            let other = FILES
                .into_iter()
                .find(|name| name != one)
                .unwrap_or_default();
            problem.found(format!("no {one}, and nothing in {other}"))
        }
        _ => problem.found(format!("neither {} nor {}", FILES[0], FILES[1])),
    };
    problem.help("name the directory that holds them: gordon-janitor --config-root DIR")
}

#[cfg(test)]
mod tests;
