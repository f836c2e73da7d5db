//! Takes the desired state of zones from zone files in a directory.
//!
//! A run reads every file once, in the canonical order of the zones they are named after. A file that
//! cannot be read to its end leaves its zone out.

use janitor_plugin_api::{Authority, Error, Host, RrsetSender};

use crate::directory::{Directory, Settings, one};
use crate::zone_file::{ZoneFileError, read_desired};

/// The authority `files.zones`.
pub(crate) struct Zones {
    directory: Directory,
    host: Host,
}

impl Authority for Zones {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        let directory = Directory::new(settings, &host)?;
        Ok(Self { directory, host })
    }

    async fn run(&mut self, rrsets: &mut RrsetSender) -> Result<(), Error> {
        let listing = self.directory.list().map_err(|e| {
            Error::retry(
                format!("cannot list `{}`", self.directory.path().display()),
                e,
            )
        })?;
        for (path, fault) in listing.nameless {
            let file = self.directory.shown(&path);
            self.host.leave_out_unnamed(&file, &fault);
        }
        for (apex, paths) in listing.zones {
            if self.host.is_cancelled() {
                return Err(Error::cancelled("not every zone file was read"));
            }
            let read = one(&paths)
                .map_err(ZoneFileError::from)
                .and_then(|path| read_desired(&self.directory, path, apex.as_ref()));
            match read {
                Ok(zone) => rrsets.send(zone).await?,
                // Sent with the RRsets that could be read, it would have all others deleted.
                Err(reason) => self.host.leave_out(apex.as_ref(), &reason),
            }
        }
        Ok(())
    }
}
