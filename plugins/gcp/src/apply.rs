//! Makes corrections in Cloud DNS.
//!
//! Cloud DNS makes all of a change or nothing of it, and only if what it deletes is served exactly so and
//! what it adds is not. What that comes down to for one zone is decided without any I/O:
//!
//! ```text
//! plan        the changes, and which of them belong together
//! split       how much of a plan goes into one change of Cloud DNS
//! body        such a change as JSON
//! served      what is served where it is made
//! verdict     what a refusal says
//! work        what to send next, and what follows from the answer
//! ```

mod plan;
mod split;
mod body;
mod served;
mod verdict;
mod work;
mod ledger;

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

#[cfg(test)]
mod tests;
