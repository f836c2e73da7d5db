//! Reads one zone from its file.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::Path;

use janitor_plugin_api::dns::{
    ActualZone, BuildError, DesiredZone, Name, NameRef, Rtype, Ttl, ZoneBuilder,
};
use janitor_plugin_api::zonefile::{self, Include, Place, ReadError, Record};

use crate::directory::{Directory, FileError, Stamp};
use crate::run::Run;

/// Reads the desired zone at `apex` from `path`. A zone file that is read to its end is complete.
pub(crate) fn read_desired(
    directory: &Directory,
    path: &Path,
    apex: NameRef<'_>,
) -> Result<DesiredZone, ZoneFileError> {
    let (mut builder, _) = read(directory, path, apex)?;
    builder.set_complete();
    let zone = builder.build_desired().map_err(|error| {
        let place = conflict(&error).and_then(|owner| locate(directory, path, apex, &owner));
        ZoneFileError::Build { error, place }
    })?;
    one_ttl_each(&builder, directory, path, apex)?;
    Ok(zone)
}

/// Reads the served zone at `apex` from `path`, and what tells whether the file has changed since.
pub(crate) fn read_actual(
    directory: &Directory,
    path: &Path,
    apex: NameRef<'_>,
) -> Result<(ActualZone, Stamp), ZoneFileError> {
    let (mut builder, stamp) = read(directory, path, apex)?;
    let zone = builder.build_actual();
    let zone = zone.map_err(|error| ZoneFileError::Build { error, place: None })?;
    one_ttl_each(&builder, directory, path, apex)?;
    Ok((zone, stamp))
}

/// Refuses a zone in which RRs of one RRset stand apart and have different TTLs: which of them counts
/// differs from server to server.
fn one_ttl_each(
    builder: &ZoneBuilder,
    directory: &Directory,
    path: &Path,
    apex: NameRef<'_>,
) -> Result<(), ZoneFileError> {
    if builder.ttl_conflicts() == 0 {
        return Ok(());
    }
    let mut run = Run::default();
    let mut seen: HashMap<(Vec<u8>, Rtype), Ttl> = HashMap::new();
    let mut found = None;
    let stopped = scan(directory, path, apex, |record| {
        // Signatures have the TTLs of what they cover.
        if record.rtype == Rtype::RRSIG {
            return Ok(());
        }
        let owner = record.owner.to_ascii_lowercase();
        let ttl = run.ttl(record.owner, record.rtype, record.ttl);
        let first = *seen.entry((owner, record.rtype)).or_insert(ttl);
        if first == ttl {
            return Ok(());
        }
        found = Some((record.rtype, first, ttl));
        Err(PushError::Located)
    });
    let place = place_of(stopped);
    Err(found.map_or(
        ZoneFileError::Changed {
            file: directory.shown(path),
        },
        |(rtype, first, second)| ZoneFileError::Ttls {
            rtype,
            first,
            second,
            place,
        },
    ))
}

fn read(
    directory: &Directory,
    path: &Path,
    apex: NameRef<'_>,
) -> Result<(ZoneBuilder, Stamp), ZoneFileError> {
    let mut builder = ZoneBuilder::new(apex.to_owned());
    let mut run = Run::default();
    let sink = |record: Record<'_>| -> Result<(), PushError> {
        let ttl = run.ttl(record.owner, record.rtype, record.ttl);
        builder.push_wire(record.owner, record.rtype, ttl, record.rdata)?;
        Ok(())
    };
    let (summary, stamp) = scan(directory, path, apex, sink)?;
    match summary.soa_records {
        1 => Ok((builder, stamp)),
        count => Err(ZoneFileError::Soa {
            file: directory.shown(path),
            count,
        }),
    }
}

/// Hands every record of a file to `sink`.
fn scan(
    directory: &Directory,
    path: &Path,
    apex: NameRef<'_>,
    sink: impl FnMut(Record<'_>) -> Result<(), PushError>,
) -> Result<(zonefile::Summary, Stamp), ZoneFileError> {
    let (file, stamp) = directory.open(path)?;
    let name = directory.shown(path);
    let mut include = |wanted: &Path| include(directory, wanted);
    let summary = zonefile::read(apex, &name, &file, &mut include, sink)?;
    // Half of an old file and half of a new one would be a zone that nobody wrote.
    if !Stamp::of(&file).is_ok_and(|now| now == stamp) {
        return Err(ZoneFileError::Changed { file: name });
    }
    Ok((summary, stamp))
}

/// Opens a file for `$INCLUDE`: any below the directory of the zone files, none outside.
fn include(directory: &Directory, wanted: &Path) -> io::Result<Include<'static>> {
    let root = directory.path().canonicalize()?;
    let path = root.join(wanted).canonicalize()?;
    if !path.starts_with(&root) {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("it lies outside `{}`", directory.path().display()),
        ));
    }
    let (file, _) = directory.open(&path).map_err(io::Error::other)?;
    Ok(Include {
        name: directory.shown(&path),
        input: Box::new(file),
    })
}

/// The owner at which a zone cannot be served.
fn conflict(error: &BuildError) -> Option<Name> {
    match error {
        BuildError::Unservable { owner, .. } => Some(owner.clone()),
        _ => None,
    }
}

/// The place of the last record at `owner`, which completes the conflict there.
///
/// Only a zone that cannot be used gets here, so the file is read again instead of remembering the
/// place of every record.
fn locate(directory: &Directory, path: &Path, apex: NameRef<'_>, owner: &Name) -> Option<Place> {
    let is_there = |record: &Record<'_>| Name::from_wire(record.owner).is_ok_and(|o| o == *owner);
    let mut count = 0_u64;
    scan(directory, path, apex, |record| {
        count += u64::from(is_there(&record));
        Ok(())
    })
    .ok()?;
    if count == 0 {
        return None;
    }
    let stopped = scan(directory, path, apex, |record| {
        count = count.saturating_sub(u64::from(is_there(&record)));
        if count == 0 {
            Err(PushError::Located)
        } else {
            Ok(())
        }
    });
    place_of(stopped)
}

/// The place at which a search ended.
fn place_of<T>(stopped: Result<T, ZoneFileError>) -> Option<Place> {
    match stopped {
        Err(ZoneFileError::Read(error)) => match *error {
            ReadError::Record { place, .. } => Some(place),
            _ => None,
        },
        _ => None,
    }
}

/// Why a record is not taken into the zone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PushError {
    #[error(transparent)]
    Build(#[from] BuildError),
    /// Not a fault: the record that was searched for.
    #[error("this is the record")]
    Located,
}

/// Why a zone file is not used.
#[derive(Debug)]
pub(crate) enum ZoneFileError {
    File(FileError),
    /// Boxed: it is many times the size of what is returned when all is well.
    Read(Box<ReadError<PushError>>),
    Build {
        error: BuildError,
        place: Option<Place>,
    },
    Soa {
        file: String,
        count: u64,
    },
    Changed {
        file: String,
    },
    Ttls {
        rtype: Rtype,
        first: Ttl,
        second: Ttl,
        place: Option<Place>,
    },
}

impl From<FileError> for ZoneFileError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl From<ReadError<PushError>> for ZoneFileError {
    fn from(error: ReadError<PushError>) -> Self {
        Self::Read(Box::new(error))
    }
}

impl fmt::Display for ZoneFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Read(error) => error.fmt(f),
            Self::Build {
                error,
                place: Some(place),
            } => write!(f, "{error} ({place})"),
            Self::Build { error, place: None } => error.fmt(f),
            Self::Soa { file, count: 0 } => {
                write!(f, "`{file}` has no SOA; a zone has one, at its apex")
            }
            Self::Soa { file, count } => {
                write!(
                    f,
                    "`{file}` has {count} SOA records; a zone has one, at its apex"
                )
            }
            Self::Ttls {
                rtype,
                first,
                second,
                place,
            } => {
                write!(f, "an RRset of type {rtype} has the TTL {second}")?;
                if let Some(place) = place {
                    write!(f, " at {place}")?;
                }
                write!(
                    f,
                    ", and {first} further up; give all of its records one TTL"
                )
            }
            Self::Changed { file } => write!(
                f,
                "`{file}` was written to while it was read; the next run will find it whole"
            ),
        }
    }
}

impl StdError for ZoneFileError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::File(error) => error.source(),
            Self::Read(error) => error.source(),
            Self::Build { error, .. } => error.source(),
            Self::Soa { .. } | Self::Changed { .. } | Self::Ttls { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
