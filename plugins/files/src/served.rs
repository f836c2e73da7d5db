//! Reads the served zones from zone files in a directory.
//!
//! A zone without a file is not served there and is left out, never taken for empty.

use janitor_plugin_api::dns::{ActualZone, NameRef};
use janitor_plugin_api::{ActualReader, Error, Host};

use crate::directory::{Directory, Settings};
use crate::zone_file::{ZoneFileError, read_actual};

/// The reconciler `files.served`.
pub(crate) struct Served {
    directory: Directory,
}

impl ActualReader for Served {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        let directory = Directory::new(settings, &host)?;
        Ok(Self { directory })
    }

    async fn read(&self, apex: NameRef<'_>) -> Result<ActualZone, Error> {
        let read = self
            .directory
            .find(apex)
            .map_err(ZoneFileError::from)
            .and_then(|path| read_actual(&self.directory, &path, apex));
        let (zone, _) = read.map_err(|e| Error::zone("cannot read the served zone", e))?;
        Ok(zone)
    }
}
