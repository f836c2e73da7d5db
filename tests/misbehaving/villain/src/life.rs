//! What all villains share: their settings, and the zones they speak of.

use std::path::PathBuf;

use janitor_plugin_api::dns::{DesiredZone, Name, Ttl, ZoneBuilder};
use janitor_plugin_api::{Error, Host};

/// The table of every villain; `[villain]` will do for all of them.
#[janitor_plugin_api::settings]
#[derive(Debug)]
pub(crate) struct Settings {
    /// Zones that an authority speaks for.
    #[setting(default)]
    pub(crate) zones: Vec<String>,

    /// A FIFO; whoever waits at it goes on when somebody opens it for writing.
    pub(crate) gate: Option<PathBuf>,

    /// What nobody else may learn.
    pub(crate) password: Option<String>,

    /// Where it is used; holds a token.
    pub(crate) url: Option<String>,
}

/// The desired zone at `apex` with one address at `www`.
pub(crate) fn zone(apex: &str, complete: bool) -> Result<DesiredZone, Error> {
    let mut builder = ZoneBuilder::new(name(apex)?);
    builder
        .push_text("www", ttl()?, "A", "192.0.2.1")
        .map_err(unexpected)?;
    if complete {
        builder.set_complete();
    }
    builder.build_desired().map_err(unexpected)
}

/// The TTL of whatever a villain makes.
pub(crate) fn ttl() -> Result<Ttl, Error> {
    Ttl::from_secs(300).map_err(unexpected)
}

pub(crate) fn name(text: &str) -> Result<Name, Error> {
    text.parse().map_err(unexpected)
}

/// What would be the fault of the tests, not the misdeed on show.
pub(crate) fn unexpected(error: impl std::error::Error) -> Error {
    Error::bug(format!("the villain failed to be one: {error}"))
}

/// Waits until somebody opens the gate for writing.
pub(crate) fn wait_at_the_gate(settings: &Settings, host: &Host) -> Result<(), Error> {
    let Some(gate) = &settings.gate else {
        return Err(Error::bug("this villain needs a gate"));
    };
    tracing::info!("waiting at the gate");
    // Opening a FIFO for reading waits for a writer.
    std::fs::File::open(host.resolve(gate))
        .map(drop)
        .map_err(unexpected)
}
