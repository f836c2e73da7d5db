//! Makes corrections in Cloud DNS.

use janitor_plugin_api::{ChangeReceiver, Error, Host, Publisher};

use crate::http::Google;
use crate::settings::with_google;

with_google! {
    /// The table of `gcp.apply`.
    #[derive(Debug)]
    pub(crate) struct Settings {
        /// The project.
        project: String,
    }
}

/// The publisher `gcp.apply`.
pub(crate) struct Apply {
    google: Google,
}

impl Publisher for Apply {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        let google = Google::new(settings.google(), &host)?;
        Ok(Self { google })
    }

    async fn run(&mut self, _changes: &mut ChangeReceiver) -> Result<(), Error> {
        Err(Error::bug("cannot publish yet"))
    }
}
