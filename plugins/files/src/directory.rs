//! A directory that holds each zone in a file of its own.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use janitor_plugin_api::dns::{Name, NameError, NameRef};
use janitor_plugin_api::settings::{Part, SettingType};
use janitor_plugin_api::{Error, Host};
use serde::Deserialize;

/// The table of each plugin that reads or writes zone files.
#[janitor_plugin_api::settings]
#[derive(Debug)]
pub(crate) struct Settings {
    /// Directory of the zone files; a relative path starts at the configuration root.
    directory: PathBuf,

    /// How zone files are named; {zone} stands for the zone without its final dot, and has to be
    /// there once.
    #[setting(default = "{zone}.zone", example = "db.{zone}")]
    file_names: FileNames,

    /// Largest zone file that is read.
    #[setting(default = 1_073_741_824, unit = "octets")]
    max_octets: u64,
}

/// A directory of zone files.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    path: PathBuf,
    names: FileNames,
    max_octets: u64,
}

impl Directory {
    /// The directory that `settings` name.
    ///
    /// # Errors
    ///
    /// If there is none: a run with it would be pointless.
    pub(crate) fn new(settings: Settings, host: &Host) -> Result<Self, Error> {
        let path = host.resolve(settings.directory);
        let cannot = format!(
            "cannot use `{}` as the directory of zone files",
            path.display()
        );
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => Ok(Self {
                path,
                names: settings.file_names,
                max_octets: settings.max_octets,
            }),
            Ok(_) => Err(Error::config(cannot, "it is not a directory")),
            Err(error) => Err(Error::config(cannot, error)),
        }
    }

    /// A file of the directory as it is named in messages.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.display().to_string()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The zones of the directory, in canonical order, with their files.
    ///
    /// Files whose names do not fit and those whose names begin with a dot are no zone files. A file
    /// whose name fits and yet names no zone is listed with the reason.
    pub(crate) fn list(&self) -> io::Result<Listing> {
        let mut listing = Listing::default();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            match self.names.zone_of(name) {
                None => {}
                Some(Ok(apex)) => listing.zones.entry(apex).or_default().push(path),
                Some(Err(fault)) => listing.nameless.push((path, fault)),
            }
        }
        for paths in listing.zones.values_mut() {
            paths.sort();
        }
        listing.nameless.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(listing)
    }

    /// The file that holds the zone at `apex`.
    ///
    /// The name is tried in lower case as it is written canonically, which is the usual one, before
    /// the directory is searched for another spelling of it.
    pub(crate) fn find(&self, apex: NameRef<'_>) -> Result<PathBuf, FileError> {
        let usual = self.path.join(self.names.file_of(apex));
        if fs::symlink_metadata(&usual).is_ok() {
            return Ok(usual);
        }
        let mut listing = self.list().map_err(|error| FileError::List {
            directory: self.path.clone(),
            error,
        })?;
        match listing.zones.remove(&apex.to_owned()) {
            Some(paths) => one(&paths).map(Path::to_owned),
            None => Err(FileError::Missing {
                directory: self.path.clone(),
            }),
        }
    }

    /// Opens a zone file, which has to be a regular one of acceptable size.
    pub(crate) fn open(&self, path: &Path) -> Result<(File, Stamp), FileError> {
        let cannot_open = |error| FileError::Open {
            path: path.to_owned(),
            error,
        };
        // Asked before opening: opening a FIFO waits for a writer.
        let metadata = fs::metadata(path).map_err(cannot_open)?;
        if !metadata.is_file() {
            let path = path.to_owned();
            return Err(FileError::NotAFile { path });
        }
        let file = File::open(path).map_err(cannot_open)?;
        let stamp = Stamp::of(&file).map_err(cannot_open)?;
        if stamp.octets > self.max_octets {
            let (path, limit) = (path.to_owned(), self.max_octets);
            return Err(FileError::TooLarge { path, limit });
        }
        Ok((file, stamp))
    }
}

/// The only path of a zone.
pub(crate) fn one(paths: &[PathBuf]) -> Result<&Path, FileError> {
    match paths {
        [first, second, ..] => Err(FileError::Twice {
            first: first.clone(),
            second: second.clone(),
        }),
        _ => Ok(paths.first().expect("a zone is listed with its file")),
    }
}

/// What a directory holds.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) zones: BTreeMap<Name, Vec<PathBuf>>,
    pub(crate) nameless: Vec<(PathBuf, NameError)>,
}

/// What tells whether a file was written to while it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    octets: u64,
    modified: (i64, i64),
}

impl Stamp {
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            octets: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        })
    }
}

/// How zone files are named: a text with `{zone}` in it, `{zone}.zone` by default.
///
/// `{zone}` stands for the apex in presentation format without its final dot; a `/` in it is written
/// `\047`.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct FileNames {
    prefix: String,
    suffix: String,
}

impl SettingType for FileNames {
    const SCHEMA: &'static [Part] = String::SCHEMA;
}

impl TryFrom<String> for FileNames {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let Some((prefix, suffix)) = text.split_once("{zone}") else {
            return Err("file_names must contain `{zone}`, as in \"{zone}.zone\" or \"db.{zone}\"");
        };
        if text.contains('/') || suffix.contains("{zone}") {
            return Err("file_names is the name of a file with `{zone}` in it once, without `/`");
        }
        Ok(Self {
            prefix: prefix.to_owned(),
            suffix: suffix.to_owned(),
        })
    }
}

impl FileNames {
    /// The zone that a file is named after; none if the name does not fit.
    fn zone_of(&self, file_name: &str) -> Option<Result<Name, NameError>> {
        let zone = file_name
            .strip_prefix(self.prefix.as_str())?
            .strip_suffix(self.suffix.as_str())?;
        if zone.is_empty() {
            return None;
        }
        Some(zone.parse())
    }

    fn file_of(&self, apex: NameRef<'_>) -> String {
        let apex = apex.to_string().replace('/', "\\047");
        let zone = apex.strip_suffix('.').unwrap_or(&apex);
        format!("{}{zone}{}", self.prefix, self.suffix)
    }
}

/// What is wrong with a zone's file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("cannot list `{}`", directory.display())]
    List {
        directory: PathBuf,
        #[source]
        error: io::Error,
    },
    #[error("`{}` holds no file for it, so it is not served there", directory.display())]
    Missing { directory: PathBuf },
    #[error("two files hold it: `{}` and `{}`", first.display(), second.display())]
    Twice { first: PathBuf, second: PathBuf },
    #[error("cannot open `{}`", path.display())]
    Open {
        path: PathBuf,
        #[source]
        error: io::Error,
    },
    #[error("`{}` is not a regular file", path.display())]
    NotAFile { path: PathBuf },
    #[error("`{}` is larger than max_octets = {limit}", path.display())]
    TooLarge { path: PathBuf, limit: u64 },
}

#[cfg(test)]
impl Directory {
    /// A directory with the default settings.
    pub(crate) fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            names: FileNames {
                prefix: String::new(),
                suffix: ".zone".to_owned(),
            },
            max_octets: 1 << 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> FileNames {
        FileNames::try_from(text.to_owned()).expect("the text is a pattern")
    }

    #[test]
    fn a_file_is_named_after_its_zone_in_both_directions() {
        for (pattern, file, zone) in [
            ("{zone}.zone", "example.com.zone", "example.com."),
            ("db.{zone}", "db.example.com", "example.com."),
            ("{zone}", "2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa."),
            (
                "{zone}.zone",
                "0\\0472.2.0.192.in-addr.arpa.zone",
                "0/2.2.0.192.in-addr.arpa.",
            ),
        ] {
            let names = names(pattern);
            let apex = names.zone_of(file).expect("fits").expect("names a zone");
            assert_eq!(apex.to_string(), zone);
            assert_eq!(names.file_of(apex.as_ref()), file);
        }
    }

    #[test]
    fn names_that_do_not_fit_are_passed_over() {
        let names = names("{zone}.zone");
        for file in [
            "example.com.zone~",
            "README",
            ".zone",
            "example.com.zone.jnl",
        ] {
            assert!(names.zone_of(file).is_none(), "{file}");
        }
        assert!(names.zone_of("a..b.zone").expect("fits").is_err());
    }

    #[test]
    fn a_pattern_without_exactly_one_zone_is_refused() {
        for text in ["zone", "{zone}{zone}", "a/{zone}"] {
            assert!(FileNames::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
