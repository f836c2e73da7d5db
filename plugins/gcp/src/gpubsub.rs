//! Sends corrections to the Gordon service, by Pub/Sub.

use janitor_plugin_api::{ChangeReceiver, Error, Host, Publisher};

use crate::http::Google;
use crate::settings::with_google;

with_google! {
    /// The table of `gcp.gpubsub`.
    #[derive(Debug)]
    pub(crate) struct Settings {
        /// The project.
        project: String,
    }
}

/// The publisher `gcp.gpubsub`.
pub(crate) struct Gpubsub {
    google: Google,
}

impl Publisher for Gpubsub {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        let google = Google::new(settings.google(), &host)?;
        Ok(Self { google })
    }

    async fn run(&mut self, _changes: &mut ChangeReceiver) -> Result<(), Error> {
        Err(Error::bug("cannot publish yet"))
    }
}
