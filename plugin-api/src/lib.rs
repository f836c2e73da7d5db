//! How to write a plugin for gordon-janitor.
//!
//! A plugin is a type that implements the trait of its role, in a crate that is built as a `cdylib`:
//!
//! | role | trait | what it does |
//! | --- | --- | --- |
//! | authority | [`Authority`] | says what zones ought to hold |
//! | reconciler | [`ActualReader`] | reads a zone as it is served; comparing is the SDK's |
//! | reconciler | [`Reconciler`] | compares in a way of its own |
//! | publisher | [`Publisher`] | sends corrections to where they take effect |
//! | metrics relay | [`MetricsRelay`] | makes known what is measured |
//!
//! [`export!`] makes it known to the host, several plugins in one library if you like. This is a whole
//! library:
//!
//! ```no_run
//! use std::net::Ipv4Addr;
//!
//! use janitor_plugin_api::dns::{DesiredZone, Name, Ttl, ZoneBuilder};
//! use janitor_plugin_api::{Authority, Error, Host, RrsetSender};
//!
//! janitor_plugin_api::export! {
//!     /// Gives every zone of a list one address at its apex.
//!     authority "example.parking" => Parking;
//! }
//!
//! /// The `[example.parking]` table of the configuration.
//! #[janitor_plugin_api::settings]
//! struct Config {
//!     /// The zones that are parked.
//!     zones: Vec<String>,
//!     /// The address that all of them get.
//!     address: Ipv4Addr,
//! }
//!
//! struct Parking {
//!     config: Config,
//!     host: Host,
//! }
//!
//! impl Authority for Parking {
//!     type Config = Config;
//!
//!     fn new(config: Config, host: Host) -> Result<Self, Error> {
//!         Ok(Self { config, host })
//!     }
//!
//!     async fn run(&mut self, rrsets: &mut RrsetSender) -> Result<(), Error> {
//!         for text in &self.config.zones {
//!             let apex: Name = text
//!                 .parse()
//!                 .map_err(|e| Error::config(format!("cannot use zone `{text}`"), e))?;
//!             match parked(apex.clone(), self.config.address) {
//!                 Ok(zone) => rrsets.send(zone).await?,
//!                 Err(reason) => self.host.leave_out(apex.as_ref(), &reason),
//!             }
//!         }
//!         Ok(())
//!     }
//! }
//!
//! fn parked(
//!     apex: Name,
//!     address: Ipv4Addr,
//! ) -> Result<DesiredZone, janitor_plugin_api::dns::BuildError> {
//!     let mut zone = ZoneBuilder::new(apex);
//!     zone.push_text("@", Ttl::from_secs(3600).unwrap_or_default(), "A", &address.to_string())?;
//!     // Until this is said, the zone only adds: what is served beside it stays.
//!     zone.set_complete();
//!     zone.build_desired()
//! }
//! # fn main() {}
//! ```
//!
//! # What the SDK carries
//!
//! - **The boundary.** No `unsafe`, no layouts, no allocation rules. A library works with a host that
//!   was built by another compiler, and with newer and older hosts of the same major version.
//! - **Panics.** Whatever panics inside a plugin becomes an error with its place; the others go on.
//! - **A runtime.** Each plugin runs on a named thread of its own with a current-thread tokio runtime,
//!   so any tokio library works in `async fn run`. Blocking holds up nobody else.
//! - **Cancellation.** [`Host::cancelled`] is ready when the run is cancelled. A plugin that goes on is
//!   stopped at its next await once the grace has passed.
//! - **Logs.** Use `tracing`; events appear in the host's log with the plugin's key, their target,
//!   fields, file and line. A level that nobody wants costs nothing.
//! - **Settings.** [`#[settings]`](mod@settings) on a struct describes what an operator can write, once: it is checked
//!   before anything of a library runs, and shown with its doc comments.
//! - **DNS.** [`dns`] has names, RRsets and zones in canonical form, and the one comparison that all
//!   reconcilers share; [`zonefile`] reads zone files.
//! - **Messages.** `event`, behind the feature of that name, writes a change as the Gordon service takes
//!   it.
//! - **Measurements.** The host measures what every plugin of a role has in common. What is particular
//!   to yours goes through [`Host::increment`], [`Host::set`] and [`Host::timer`].
//!
//! # What a plugin must not do
//!
//! Plugins are trusted code in the host's process. They must not call `exit`, change signal handlers,
//! the working directory or the environment, or write to standard output unless that is what they
//! are for.

pub mod authority;
pub mod reconciler;
pub mod publisher;
pub mod relay;
pub mod dns;
pub mod zonefile;
#[cfg(feature = "event")]
pub mod event;
pub mod host;
pub mod settings;
pub mod error;
pub mod export;
pub mod manifest;
pub mod abi;
pub mod ffi;

mod barrier;
mod bridge;
mod instance;

// `#[settings]` names this crate, in here as everywhere.
extern crate self as janitor_plugin_api;

/// Makes a struct or an enum usable as settings; [the module of that name](mod@settings) has the rest.
pub use janitor_plugin_macros::settings;

pub use authority::{Authority, RrsetSender};
pub use error::{Closed, Error, in_one_line};
pub use export::private as __private;
pub use host::{Host, Scalar};
pub use publisher::{ChangeReceiver, Outcome, Publisher, ZoneChanges};
pub use reconciler::{ActualReader, ChangeSender, Question, Reconciler, RrsetReceiver};
pub use relay::{Measurement, MeasurementKind, MeasurementReceiver, MetricsRelay};
pub use settings::{NoSettings, SettingType, Settings};

pub use tracing;

#[cfg(panic = "abort")]
compile_error!(
    "a plugin keeps the default `panic = \"unwind\"`: the SDK turns its panics into errors"
);

/// Compiles what the guide for authors shows.
#[cfg(doctest)]
#[doc = include_str!("../../docs/writing-plugins.md")]
struct Guide;
