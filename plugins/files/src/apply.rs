//! Applies changes to zone files in a directory.
//!
//! A zone's file is read, changed and replaced whole or not at all. The RRsets that a change deletes
//! have to be there exactly as they were planned; if the file is another one by now, all changes of
//! the zone are refused. The serial of the SOA advances by one (RFC 1982). Comments, `$INCLUDE` and
//! the like are not kept: the file is written as a server would dump the zone.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use janitor_plugin_api::dns::text::rdata_display;
use janitor_plugin_api::dns::{ActualZone, ChangeFault, Changes, RrsetRef, Rtype, Serial};
use janitor_plugin_api::{ChangeReceiver, Error, Host, Outcome, Publisher, in_one_line};

use crate::directory::{Directory, Settings, Stamp};
use crate::replace::{ReplaceError, replace};
use crate::zone_file::{ZoneFileError, read_actual};

/// The publisher `files.apply`.
pub(crate) struct Apply {
    directory: Directory,
}

impl Publisher for Apply {
    type Config = Settings;

    /// The file is read, compared and replaced; who changes it meanwhile makes the changes refused.
    const CONDITIONAL: bool = true;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        let directory = Directory::new(settings, &host)?;
        Ok(Self { directory })
    }

    async fn run(&mut self, changes: &mut ChangeReceiver) -> Result<(), Error> {
        while let Some(zone) = changes.receive().await {
            let outcome = match apply(&self.directory, zone.changes()) {
                Ok(()) => Outcome::Applied,
                Err(error @ ApplyError::Replace(ReplaceError::NotOnDisk(_))) => {
                    Outcome::Unknown(in_one_line(&error))
                }
                Err(error) => Outcome::Refused(in_one_line(&error)),
            };
            zone.report_all(outcome);
        }
        Ok(())
    }
}

fn apply(directory: &Directory, changes: &Changes) -> Result<(), ApplyError> {
    let path = directory
        .find(changes.apex())
        .map_err(ZoneFileError::from)?;
    let is_link = path
        .symlink_metadata()
        .map_err(ApplyError::Look)?
        .is_symlink();
    if is_link {
        return Err(ApplyError::Link { path });
    }
    let (actual, stamp) = read_actual(directory, &path, changes.apex())?;
    let applied = changes.apply(&actual)?;
    drop(actual);
    let unchanged = |path: &Path| -> io::Result<()> {
        let now = Stamp::of(&std::fs::File::open(path)?)?;
        if now == stamp {
            return Ok(());
        }
        Err(io::Error::other(
            "another program changed the file meanwhile",
        ))
    };
    replace(&path, |out| {
        write_zone(&applied, out)?;
        unchanged(&path)
    })?;
    Ok(())
}

/// Writes a zone with the SOA first and its serial advanced.
fn write_zone(zone: &ActualZone, out: &mut impl Write) -> io::Result<()> {
    let is_soa = |rrset: &RrsetRef<'_>| rrset.rtype() == Rtype::SOA && rrset.owner() == zone.apex();
    if let (Some(soa), Some(serial)) = (zone.find(zone.apex(), Rtype::SOA), zone.serial()) {
        let (owner, ttl) = (soa.owner(), soa.ttl());
        for rdata in soa.rdatas() {
            let rdata = with_serial(rdata, serial.next());
            let rdata = rdata_display(Rtype::SOA, &rdata);
            writeln!(out, "{owner} {ttl} IN SOA {rdata}")?;
        }
    }
    for rrset in zone.rrsets().filter(|rrset| !is_soa(rrset)) {
        for rr in rrset.rrs() {
            writeln!(out, "{rr}")?;
        }
    }
    Ok(())
}

/// The rdata of a SOA with another serial: the first of the five numbers that end it.
fn with_serial(rdata: &[u8], serial: Serial) -> Vec<u8> {
    let mut rdata = rdata.to_vec();
    if let Some(numbers) = rdata.last_chunk_mut::<20>() {
        numbers[..4].copy_from_slice(&serial.0.to_be_bytes());
    }
    rdata
}

/// Why the changes of a zone are refused.
#[derive(Debug, thiserror::Error)]
enum ApplyError {
    #[error("cannot read the served zone")]
    Read(#[from] ZoneFileError),
    #[error("the served zone is no longer the one that was planned for")]
    Changed(#[from] ChangeFault),
    #[error("`{}` is a symbolic link; apply to the file that it points to", path.display())]
    Link { path: PathBuf },
    #[error(transparent)]
    Replace(#[from] ReplaceError),
    #[error("cannot look at the zone file")]
    Look(#[source] io::Error),
}

#[cfg(test)]
mod tests;
