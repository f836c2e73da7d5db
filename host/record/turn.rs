//! One writer for each state directory.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::fs::{FlockOperation, OFlags, fcntl_lock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// Name of the file in the state directory.
const FILE: &str = "lock";
/// Time between two looks at the lock.
const PAUSE: Duration = Duration::from_millis(50);

/// The right to write to the state directory. It ends with the process at the latest.
///
/// It is a record lock (`fcntl`), which belongs to the process alone: a process that a plugin has
/// left behind keeps every file that it inherited open, and would keep a lock of the open file (`flock`)
/// for as long as it lives. The price is that this process must not open the file again: closing
/// that would give the lock away.
#[derive(Debug)]
pub struct Turn {
    _file: File,
}

/// Who has the turn, in the words of the one who has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// Since when.
    pub since: Timestamp,
}

/// Why there is no turn.
#[derive(Debug)]
pub enum NoTurn {
    /// Another process has it, and has not ended in time.
    Taken(Option<Holder>),
    /// The file system does not let anybody have it.
    Impossible(io::Error),
}

impl Turn {
    /// Takes the turn, once the others are done, but waits no longer than `wait`. If somebody has
    /// to be waited for, `told` is told once who that is.
    ///
    /// # Errors
    ///
    /// When another process has it for too long, or the file system does not let anybody have it.
    pub fn take(
        state_root: &Path,
        wait: Duration,
        told: &mut dyn FnMut(Option<&Holder>),
    ) -> Result<Self, NoTurn> {
        let path = state_root.join(FILE);
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            // Whatever a link leads to would be written over.
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path);
        // Mostly it is another user's: somebody ran it once by hand.
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let file = opened.map_err(|error| NoTurn::Impossible(named(error)))?;
        let limit = Instant::now().checked_add(wait);
        let mut is_told = false;
        loop {
            match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(Errno::ACCESS | Errno::AGAIN) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(NoTurn::Impossible(error.into())),
            }
            let holder = read(&file);
            if limit.is_some_and(|limit| Instant::now() >= limit) {
                return Err(NoTurn::Taken(holder));
            }
            if !std::mem::replace(&mut is_told, true) {
                told(holder.as_ref());
            }
            thread::sleep(PAUSE);
        }
        let holder = Holder {
            pid: std::process::id(),
            since: Timestamp::now(),
        };
        // For messages alone; on a full disk they name nobody.
        let _written = write(&file, &holder).is_ok();
        Ok(Self { _file: file })
    }
}

fn write(file: &File, holder: &Holder) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all_at(crate::json::text(holder).as_bytes(), 0)
}

fn read(file: &File) -> Option<Holder> {
    let mut text = [0; 256];
    let length = file.read_at(&mut text, 0).ok()?;
    serde_json::from_slice(&text[..length]).ok()
}
