//! Writes every change as a line of JSON.
//!
//! The lines are those that the Gordon service takes (see [`event`](janitor_plugin_api::event)). A change counts
//! as accepted once its zone's lines are handed to the system and, for a file, on the disk.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::time::SystemTime;

use janitor_plugin_api::dns::Changes;
use janitor_plugin_api::event::{self, Direction};
use janitor_plugin_api::{ChangeReceiver, Error, Host, Outcome, Publisher};

/// The `[files.changes]` table of the configuration.
#[janitor_plugin_api::settings]
#[derive(Debug)]
pub(crate) struct Config {
    /// File that lines are appended to; "-" is standard output.
    #[setting(example = "-")]
    path: PathBuf,
}

/// The publisher `files.changes`.
pub(crate) struct ChangeLines {
    target: Target,
}

enum Target {
    StandardOutput,
    File(PathBuf),
}

impl Publisher for ChangeLines {
    type Config = Config;

    fn new(config: Config, host: Host) -> Result<Self, Error> {
        let target = if config.path.as_os_str() == "-" {
            Target::StandardOutput
        } else {
            Target::File(host.resolve(config.path))
        };
        Ok(Self { target })
    }

    async fn run(&mut self, changes: &mut ChangeReceiver) -> Result<(), Error> {
        // Opened with the first zone: a run without changes leaves no empty file behind.
        let mut lines = None;
        while let Some(zone) = changes.receive().await {
            let lines = match &mut lines {
                Some(lines) => lines,
                none => none.insert(self.target.open()?),
            };
            let written = lines.write(zone.changes(), SystemTime::now());
            zone.report_all(match written {
                Ok(()) => Outcome::Accepted,
                // Some of the lines may be there.
                Err(error) => Outcome::Unknown(format!("cannot write to {}: {error}", self.target)),
            });
        }
        Ok(())
    }
}

impl Target {
    fn open(&self) -> Result<Lines, Error> {
        match self {
            Self::StandardOutput => Ok(Lines::StandardOutput(BufWriter::new(io::stdout()))),
            Self::File(path) => OpenOptions::new()
                .append(true)
                .create(true)
                .open(path)
                .map(|file| Lines::File(BufWriter::new(file)))
                .map_err(|e| Error::retry(format!("cannot open {self}"), e)),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::StandardOutput => f.write_str("standard output"),
            Self::File(path) => write!(f, "`{}`", path.display()),
        }
    }
}

enum Lines {
    StandardOutput(BufWriter<io::Stdout>),
    File(BufWriter<File>),
}

impl Lines {
    /// Writes all changes of a zone and makes them durable where that can be.
    fn write(&mut self, changes: &Changes, now: SystemTime) -> io::Result<()> {
        match self {
            Self::StandardOutput(out) => {
                write_lines(out, changes, now)?;
                out.flush()
            }
            Self::File(out) => {
                write_lines(out, changes, now)?;
                out.flush()?;
                out.get_ref().sync_data()
            }
        }
    }
}

fn write_lines(out: &mut impl Write, changes: &Changes, now: SystemTime) -> io::Result<()> {
    for change in changes.iter() {
        let lines = [
            (Direction::Deletion, change.deletion()),
            (Direction::Addition, change.addition()),
        ];
        for (direction, rrset) in lines {
            if let Some(rrset) = rrset {
                event::write(out, direction, rrset, now)?;
                out.write_all(b"\n")?;
            }
        }
    }
    Ok(())
}
