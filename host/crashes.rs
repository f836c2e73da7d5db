//! What is remembered of crashes, so that the next run knows of them.
//!
//! A small file in the state directory. It is a help and never an obstacle: where it cannot be read or
//! written, the run goes on without it and says so once.

mod policy;

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub(crate) use self::policy::heed;

use crate::worker::{Doing, Operation};

/// Name of the file in the state directory.
const FILE: &str = "crashes.json";
/// Crashes that are kept, the latest.
const KEPT: usize = 32;
/// How long one process waits for another that has the file.
const PATIENCE: Duration = Duration::from_secs(1);
/// Octets of the file at most; what is longer is not ours.
const MAX_OCTETS: u64 = 1 << 20;

/// This many crashes of one library …
pub(crate) const MANY: usize = 3;
/// … within this time make it one that crashes at every start.
pub(crate) const WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// The file's format. Fields may be added; one of another version is left alone.
#[derive(Debug, Serialize, Deserialize)]
struct Document {
    version: u32,
    crashes: Vec<Crash>,
}

const VERSION: u32 = 1;

/// What every version of the file has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

fn damaged(error: serde_json::Error) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("it is damaged: {error}"),
    )
}

/// One crash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Crash {
    /// When it was noticed.
    pub(crate) time: Timestamp,
    /// The plugin; while a library was opened, all that were wanted of it.
    pub(crate) plugins: Vec<String>,
    /// Version of the library's package.
    pub(crate) package_version: String,
    /// The library's file.
    pub(crate) library: String,
    /// Which file that was.
    pub(crate) identity: Option<String>,
    /// What was being done.
    pub(crate) doing: Doing,
    /// A signal's name, or `exit(3)`.
    pub(crate) cause: String,
    /// Whether a later run came to its end.
    #[serde(default)]
    pub(crate) survived: bool,
}

impl Crash {
    /// A crash that was noticed just now.
    pub(crate) fn now(operation: &Operation, cause: &str) -> Self {
        Self {
            time: Timestamp::now(),
            plugins: operation.plugins.clone(),
            package_version: operation.version.clone(),
            library: operation.library.clone(),
            identity: operation.identity.clone(),
            doing: operation.doing,
            cause: cause.to_owned(),
            survived: false,
        }
    }
}

/// Keeps other processes from the file until it is dropped, so that of two that crash at once neither
/// is forgotten. Whoever holds it needs milliseconds; if it takes longer than [`PATIENCE`], or the file
/// system has no locks, the worst is that one crash is not remembered.
fn turn(state_root: &Path) -> Option<File> {
    let directory = File::open(state_root).ok()?;
    let limit = Instant::now() + PATIENCE;
    loop {
        match directory.try_lock() {
            Ok(()) => return Some(directory),
            Err(TryLockError::WouldBlock) if Instant::now() < limit => {
                thread::sleep(Duration::from_millis(5));
            }
            Err(_) => return None,
        }
    }
}

/// The crashes that are remembered, the latest last.
#[derive(Debug, Default)]
pub(crate) struct Crashes(Vec<Crash>);

impl Crashes {
    /// Where they are kept.
    pub(crate) fn path(state_root: &Path) -> PathBuf {
        state_root.join(FILE)
    }

    /// Reads what is remembered; nothing if there is no file.
    pub(crate) fn load(state_root: &Path) -> io::Result<Self> {
        let path = Self::path(state_root);
        let metadata = match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            metadata => metadata?,
        };
        if !metadata.is_file() || metadata.len() > MAX_OCTETS {
            return Err(io::Error::other(
                "it is not a file that gordon-janitor wrote",
            ));
        }
        let text = fs::read(&path)?;
        // The version first: what else is in a file of the future nobody knows.
        let Version { version } = serde_json::from_slice(&text).map_err(damaged)?;
        if version != VERSION {
            return Err(io::Error::other(format!(
                "it is of version {version}, and this gordon-janitor knows {VERSION}"
            )));
        }
        let document: Document = serde_json::from_slice(&text).map_err(damaged)?;
        Ok(Self(document.crashes))
    }

    /// Remembers one more. A damaged file is replaced, one of another version is left alone.
    pub(crate) fn add(state_root: &Path, crash: Crash) -> io::Result<()> {
        let _turn = turn(state_root);
        let mut crashes = match Self::load(state_root) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Self::default(),
            crashes => crashes?,
        };
        crashes.0.push(crash);
        let surplus = crashes.0.len().saturating_sub(KEPT);
        crashes.0.drain(..surplus);
        crashes.save(state_root)
    }

    /// The crash of the previous run, if that has crashed.
    pub(crate) fn last(&self) -> Option<&Crash> {
        self.0.last().filter(|crash| !crash.survived)
    }

    /// Crashes of the library `identity` in the hour before `now`.
    pub(crate) fn recent(&self, identity: &str, now: Timestamp) -> impl Iterator<Item = &Crash> {
        self.0.iter().filter(move |crash| {
            let age = now.duration_since(crash.time);
            // A clock that was put back makes no crash younger than it is.
            crash.identity.as_deref() == Some(identity) && age < WITHIN
        })
    }

    /// Notes that a run has come to its end, if that is news.
    pub(crate) fn survived(state_root: &Path) -> io::Result<()> {
        // Nearly every run has nothing to note.
        if Self::load(state_root)?.last().is_none() {
            return Ok(());
        }
        let _turn = turn(state_root);
        let mut crashes = Self::load(state_root)?;
        match crashes.0.last_mut() {
            Some(last) if !last.survived => {
                last.survived = true;
                crashes.save(state_root)
            }
            _ => Ok(()),
        }
    }

    /// Replaces the file whole: another process sees the old one or the new one.
    fn save(self, state_root: &Path) -> io::Result<()> {
        let document = Document {
            version: VERSION,
            crashes: self.0,
        };
        let text = serde_json::to_vec_pretty(&document)?;
        let path = Self::path(state_root);
        let beside = state_root.join(format!(".{FILE}.{}", std::process::id()));
        let written = File::create(&beside).and_then(|mut file| {
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&beside, &path)
        });
        if written.is_err() {
            // Half a file helps nobody; if it cannot be removed either, the error says enough.
            let _removed = fs::remove_file(&beside).is_ok();
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crash(identity: &str, minutes_ago: i64) -> Crash {
        let operation = Operation {
            doing: Doing::Running,
            plugins: vec!["a.b".to_owned()],
            version: "1.0.0".to_owned(),
            library: "/p/liba.so".to_owned(),
            identity: Some(identity.to_owned()),
            thread: 1,
        };
        let mut crash = Crash::now(&operation, "SIGSEGV");
        crash.time = now() - SignedDuration::from_mins(minutes_ago);
        crash
    }

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_crash_is_remembered_until_a_run_has_survived() {
        let root = tempfile::tempdir().unwrap();
        assert!(Crashes::load(root.path()).unwrap().last().is_none());
        Crashes::add(root.path(), crash("x", 1)).unwrap();
        let last = Crashes::load(root.path()).unwrap();
        assert_eq!(last.last(), Some(&crash("x", 1)));
        Crashes::survived(root.path()).unwrap();
        assert!(Crashes::load(root.path()).unwrap().last().is_none());
        // Only this file is there: nothing half written is left.
        let names = fs::read_dir(root.path()).unwrap().count();
        assert_eq!(names, 1);
    }

    #[test]
    fn only_crashes_of_the_same_file_within_the_hour_count() {
        let crashes = Crashes(vec![
            crash("x", 61),
            crash("x", 59),
            crash("y", 30),
            crash("x", 1),
        ]);
        assert_eq!(crashes.recent("x", now()).count(), 2);
        assert_eq!(crashes.recent("y", now()).count(), 1);
        assert_eq!(crashes.recent("z", now()).count(), 0);
    }

    #[test]
    fn the_latest_are_kept() {
        let root = tempfile::tempdir().unwrap();
        for number in 0..KEPT + 3 {
            Crashes::add(root.path(), crash(&number.to_string(), 0)).unwrap();
        }
        let kept = Crashes::load(root.path()).unwrap();
        assert_eq!(kept.0.len(), KEPT);
        assert_eq!(kept.0[0].identity.as_deref(), Some("3"));
    }

    #[test]
    fn of_crashes_at_once_none_is_forgotten() {
        let root = tempfile::tempdir().unwrap();
        thread::scope(|scope| {
            for number in 0..8 {
                let root = root.path();
                scope.spawn(move || Crashes::add(root, crash(&number.to_string(), 0)).unwrap());
            }
        });
        let crashes = Crashes::load(root.path()).unwrap();
        let mut identities = crashes
            .0
            .iter()
            .filter_map(|crash| crash.identity.as_deref())
            .collect::<Vec<_>>();
        identities.sort_unstable();
        assert_eq!(identities, ["0", "1", "2", "3", "4", "5", "6", "7"]);
    }

    #[test]
    fn a_file_of_the_future_stays_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        let text = "{\"version\":2,\"crashes\":\"elsewhere\"}";
        fs::write(Crashes::path(root.path()), text).unwrap();
        assert!(Crashes::load(root.path()).is_err());
        assert!(Crashes::add(root.path(), crash("x", 0)).is_err());
        assert!(Crashes::survived(root.path()).is_err());
        let now = fs::read_to_string(Crashes::path(root.path())).unwrap();
        assert_eq!(now, text);
    }

    #[test]
    fn a_damaged_file_is_an_error_and_replaced_by_the_next_crash() {
        let root = tempfile::tempdir().unwrap();
        for text in ["{", "[]", "\0\0", "", "{\"version\":1}"] {
            fs::write(Crashes::path(root.path()), text).unwrap();
            assert!(Crashes::load(root.path()).is_err(), "{text}");
            assert!(Crashes::survived(root.path()).is_err(), "{text}");
            Crashes::add(root.path(), crash("x", 0)).unwrap();
            let crashes = Crashes::load(root.path()).unwrap();
            assert_eq!(crashes.last(), Some(&crash("x", 0)));
        }
    }

    #[test]
    fn without_a_directory_there_is_nothing_to_remember() {
        let root = Path::new("/does/not/exist");
        assert!(Crashes::load(root).unwrap().last().is_none());
        Crashes::survived(root).unwrap();
        assert!(Crashes::add(root, crash("x", 0)).is_err());
    }
}
