//! Makes records of the instances of Compute Engine.

use janitor_plugin_api::{Authority, Error, Host, RrsetSender};

use crate::http::Google;
use crate::settings::with_google;

with_google! {
    /// The table of `gcp.gce`.
    #[derive(Debug)]
    pub(crate) struct Settings {
        /// The zone of the instances.
        dns_zone: String,
    }
}

/// The authority `gcp.gce`.
pub(crate) struct Gce {
    google: Google,
}

impl Authority for Gce {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        let google = Google::new(settings.google(), &host)?;
        Ok(Self { google })
    }

    async fn run(&mut self, _rrsets: &mut RrsetSender) -> Result<(), Error> {
        Err(Error::bug("cannot list instances yet"))
    }
}
