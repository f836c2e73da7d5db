//! Seals a plan: writes it to a file, together with all that `apply` needs to do exactly what it says.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::schema::HeaderLine;
use super::write_json;
use crate::pipeline::Outcome;
use crate::preflight::Digest;
use crate::problem::{Code, Problem};

/// What every plan begins with, and no other file.
pub(super) const MAGIC: &[u8] = b"{\"plan\":";

/// Whether a plan may be written to `path`: nothing is there, or a plan that is ours.
///
/// # Errors
///
/// What is in the way.
pub fn may_write(path: &Path) -> Result<(), Problem> {
    let refused = |summary: String| {
        Err(Problem::error(Code::PlanNotWritten, summary)
            .because("only a plan is written over by a plan")
            .help("name another file, or remove this one"))
    };
    let shown = path.display();
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(not_written(path, &error)),
        Ok(found) if !found.is_file() => {
            refused(format!("`{shown}` is there, and not a regular file"))
        }
        Ok(found) if found.uid() != rustix::process::geteuid().as_raw() => {
            refused(format!("`{shown}` is there, and belongs to somebody else"))
        }
        Ok(_) => match begins_as_a_plan(path) {
            Ok(true) => Ok(()),
            Ok(false) => refused(format!("`{shown}` is there, and not a plan")),
            Err(error) => Err(not_written(path, &error)),
        },
    }
}

fn begins_as_a_plan(path: &Path) -> io::Result<bool> {
    let mut begin = Vec::new();
    File::open(path)?
        .take(MAGIC.len() as u64)
        .read_to_end(&mut begin)?;
    Ok(begin == MAGIC)
}

/// Writes the plan to `path`, whole or not at all, readable for its owner alone: it holds what the zones
/// hold. It is on the disk when this returns.
///
/// # Errors
///
/// What is in the way. There is no new file then, and one that was there is as it was.
pub fn write_sealed(header: &HeaderLine, outcome: &Outcome, path: &Path) -> Result<(), Problem> {
    may_write(path)?;
    write(header, outcome, path).map_err(|error| not_written(path, &error))
}

fn write(header: &HeaderLine, outcome: &Outcome, path: &Path) -> io::Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // Opened first: a directory that cannot be opened cannot be brought to the disk either.
    let directory = File::open(parent)?;
    // With the mode 0600; it is gone unless it gets to its place.
    let new = tempfile::Builder::new()
        .prefix(".gordon-janitor-plan-")
        .tempfile_in(parent)?;
    let hashing = Hashing {
        out: new.as_file(),
        hasher: Sha256::new(),
    };
    let mut out = BufWriter::with_capacity(1 << 18, hashing);
    write_json(header, outcome, &mut out, |out| {
        out.flush()?;
        let digest = out.get_ref().hasher.clone().finalize();
        Ok(Some(Digest::new(digest.into()).to_string()))
    })?;
    out.flush()?;
    drop(out);
    new.as_file().sync_all()?;
    new.persist(path).map_err(|error| error.error)?;
    directory.sync_all()
}

fn not_written(path: &Path, error: &io::Error) -> Problem {
    let problem = Problem::error(
        Code::PlanNotWritten,
        format!("cannot write the plan to `{}`: {error}", path.display()),
    );
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            problem
                .because("a plan is written whole or not at all; nothing of it is left")
                .help("make room, or name a file elsewhere, and plan again")
        }
        io::ErrorKind::NotFound => problem.help("create the directory, or name another"),
        _ => problem,
    }
}

/// Hashes what it passes on.
struct Hashing<W> {
    out: W,
    hasher: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let written = self.out.write(octets)?;
        self.hasher.update(&octets[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
