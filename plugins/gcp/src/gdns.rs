//! Reads the served zones from Cloud DNS.

use janitor_plugin_api::dns::{ActualZone, NameRef};
use janitor_plugin_api::{ActualReader, Error, Host};

use crate::http::Google;
use crate::settings::with_google;

with_google! {
    /// The table of `gcp.gdns`.
    #[derive(Debug)]
    pub(crate) struct Settings {
        /// The project of the managed zones.
        project: String,
    }
}

/// The reconciler `gcp.gdns`.
pub(crate) struct Gdns {
    google: Google,
}

impl ActualReader for Gdns {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        let google = Google::new(settings.google(), &host)?;
        Ok(Self { google })
    }

    async fn read(&self, _apex: NameRef<'_>) -> Result<ActualZone, Error> {
        Err(Error::bug("cannot read record sets yet"))
    }
}
