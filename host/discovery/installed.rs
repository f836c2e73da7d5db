//! The record of what `plugins install` installed: a file in the plugin directory, beside the libraries.
//!
//! A library that is in the record has to have one of its two digests: that of the last installation, or that
//! of the one before. With both, a library can be replaced after the record was written, and no moment is left
//! in which the directory cannot be used. Libraries that are not in it are judged without.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::preflight::{self, Digest, Expected, Preflight, Subject};
use crate::problem::{Code, Problem};

/// The name of the record in the plugin directory.
pub const RECORD: &str = ".gordon-janitor-installed.toml";
/// The format that this host reads and writes.
const FORMAT: i64 = 1;
/// Octets of a record at most: some 50,000 libraries.
const MAX_OCTETS: u64 = 16 << 20;
const HEAD: &str = "\
# What `gordon-janitor plugins install` installed here, and what was there before.
# A library whose sha256 is neither is not loaded. Written by the command; not to be edited.
";

/// One build of a library, as it was installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The digest of the whole file.
    #[serde(with = "as_text")]
    pub sha256: Digest,
    /// The package that it was built from.
    pub package: String,
    /// The version of that package.
    pub version: String,
    /// When it was recorded: RFC 3339, in UTC.
    pub installed: String,
}

/// What is recorded of one library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What was installed last.
    pub current: Build,
    /// What was there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Build>,
}

impl Entry {
    /// What is recorded of the build with this digest.
    #[must_use]
    pub fn of(&self, digest: Digest) -> Option<&Build> {
        let builds = [Some(&self.current), self.previous.as_ref()];
        let mut builds = builds.into_iter().flatten();
        builds.find(|build| build.sha256 == digest)
    }
}

/// The record of a plugin directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Installed {
    libraries: BTreeMap<String, Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: i64,
    #[serde(default)]
    library: BTreeMap<String, Entry>,
}

mod as_text {
    //! A digest as TOML has it: 64 hexadecimal digits.

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::preflight::Digest;

    pub(super) fn serialize<S: Serializer>(digest: &Digest, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(digest)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Digest, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl Installed {
    /// Reads the record in `directory`; without one nothing is recorded.
    ///
    /// # Errors
    ///
    /// When there is one that cannot be read or that others could write to: then nobody can tell which
    /// libraries are those that were installed.
    pub fn read(directory: &Path, preflight: &Preflight) -> Result<Self, Problem> {
        let path = directory.join(RECORD);
        let (file, identity) = match preflight::reopen(&path) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(preflight::cannot_open(&path, &error));
            }
            Err(error) => return Err(unusable(&path, &error.to_string())),
        };
        preflight.judge_place(&path, Subject::Record)?;
        if identity.octets > MAX_OCTETS {
            let fault = format!("it has {} octets, more than {MAX_OCTETS}", identity.octets);
            return Err(unusable(&path, &fault));
        }
        let mut text = String::new();
        let read = file.take(MAX_OCTETS).read_to_string(&mut text);
        read.map_err(|error| unusable(&path, &error.to_string()))?;
        Self::parse(&text).map_err(|fault| unusable(&path, &fault))
    }

    fn parse(text: &str) -> Result<Self, String> {
        /// Read first: the other fields belong to the format.
        #[derive(Deserialize)]
        struct Format {
            format: i64,
        }
        let fault = |error: toml::de::Error| {
            let line = error
                .span()
                .map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1)
                .map(|line| format!("line {line}: "))
                .unwrap_or_default();
            format!("{line}{}", error.message().trim())
        };
        let Format { format } = toml::from_str(text).map_err(fault)?;
        if format != FORMAT {
            return Err(format!(
                "it has format {format}, this host reads format {FORMAT}"
            ));
        }
        let document: Document = toml::from_str(text).map_err(fault)?;
        Ok(Self {
            libraries: document.library,
        })
    }

    /// Replaces the record in `directory`, whole or not at all.
    ///
    /// # Errors
    ///
    /// When it cannot be written; then the old one is still there.
    pub fn write(&self, directory: &Path) -> io::Result<()> {
        let document = Document {
            format: FORMAT,
            library: self.libraries.clone(),
        };
        let text = toml::to_string(&document).map_err(io::Error::other)?;
        let staged = staged(directory, RECORD);
        let mut file = create(&staged)?;
        file.write_all(format!("{HEAD}{text}").as_bytes())?;
        file.sync_all()?;
        fs::rename(&staged, directory.join(RECORD))?;
        File::open(directory)?.sync_all()
    }

    /// What is recorded of the library with this file name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.libraries.get(name)
    }

    /// Records what the library with this file name is.
    pub fn set(&mut self, name: &str, entry: Entry) {
        self.libraries.insert(name.to_owned(), entry);
    }

    /// What the library with this file name has to be.
    pub(super) fn expected(&self, name: &str) -> Option<Expected> {
        let Entry { current, previous } = self.get(name)?;
        let digests = [Some(current), previous.as_ref()].into_iter().flatten();
        Some(Expected {
            digests: digests.map(|build| build.sha256).collect(),
            what: format!(
                "{} {}, installed {}",
                current.package, current.version, current.installed
            ),
        })
    }
}

/// The name that a file has in `directory` until it is whole.
pub(crate) fn staged(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!(".{}.staged", name.trim_start_matches('.')))
}

/// Creates the file at `path` anew, for its owner to write and for all to read, whatever the umask.
///
/// # Errors
///
/// When it cannot be created.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Not one that somebody else has open, and not behind a link.
    let mut options = File::options();
    let file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o644))?;
    Ok(file)
}

fn unusable(path: &Path, fault: &str) -> Problem {
    let summary = format!("the record of installed plugins cannot be used: {fault}");
    Problem::error(Code::Changed, summary)
        .place(path.display())
        .because("without it nobody can tell whether libraries are those that were installed; none was loaded")
        .help("restore it; or remove it, and record what is there anew: gordon-janitor plugins install FILE, for each library that is meant to be there")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::Trust;

    fn build(version: &str) -> Build {
        Build {
            sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
                .parse()
                .unwrap(),
            package: "acme".to_owned(),
            version: version.to_owned(),
            installed: "2026-11-22T19:10:00Z".to_owned(),
        }
    }

    fn read(directory: &Path) -> Result<Installed, Problem> {
        Installed::read(directory, &Preflight::new(Trust::of_process()))
    }

    #[test]
    fn what_is_recorded_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let mut installed = read(directory.path()).unwrap();
        assert_eq!(installed, Installed::default());
        installed.set(
            "libacme dns.so",
            Entry {
                current: build("2.0"),
                previous: Some(build("1.0")),
            },
        );
        installed.write(directory.path()).unwrap();
        assert_eq!(read(directory.path()).unwrap(), installed);
        insta::assert_snapshot!(fs::read_to_string(directory.path().join(RECORD)).unwrap());
        assert!(!staged(directory.path(), RECORD).exists());
    }

    #[test]
    fn a_record_that_cannot_be_used_is_an_error_and_not_an_empty_one() {
        let fault = |text: &str| {
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join(RECORD), text).unwrap();
            read(directory.path()).unwrap_err().summary().to_owned()
        };
        let of = |fault: &str| format!("the record of installed plugins cannot be used: {fault}");
        assert_eq!(
            fault("format = 2"),
            of("it has format 2, this host reads format 1")
        );
        assert_eq!(fault(""), of("line 1: missing field `format`"));
        assert_eq!(
            fault("format = 1\n[library.\"a.so\".current]\nsha256 = 'x'\n"),
            of("line 3: a sha256 has 64 hexadecimal digits")
        );
    }

    #[test]
    fn a_record_that_others_can_write_to_is_not_believed() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(RECORD);
        fs::write(&path, "format = 1\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let problem = read(directory.path()).unwrap_err();
        assert_eq!(problem.code(), Code::Untrusted);
    }
}
