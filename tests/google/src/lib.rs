//! Google, on the loopback: a server that answers as Google's services are documented to.
//!
//! There is no emulator of Compute Engine, Cloud DNS or Resource Manager, and tests reach no live
//! project. So that this one does not become a mirror of our own misunderstandings,
//!
//! - every rule that goes beyond the form of an answer names the page of Google's that it comes from;
//! - every request, and every answer that no test has spoilt on purpose, is judged by Google's own
//!   discovery documents where they are installed ([`Judge`]); what does not fit fails the test;
//! - Google's own command line, `gcloud`, is tested against it as the janitor is.
//!
//! ```no_run
//! use janitor_test_google::{Fault, Google, Instance, ManagedZone, World};
//!
//! let world = World::new()
//!     .instance("web", Instance::new("www").external("192.0.2.1"))
//!     .managed_zone("dns", ManagedZone::public("example.com."));
//! let google = Google::start(world);
//! google.fault("GET /compute/v1/projects/web/*", Fault::status(503, "backendError")).once();
//! println!("{}", google.endpoints());
//! ```
//!
//! A request goes through the files in this order: `server` takes it from `wire`, `script` says whether
//! something is to go wrong, `routes` finds the service, which looks at `world` and answers in the forms
//! of `answer`; `judge` has the last word.

#![recursion_limit = "256"]

mod server;
mod wire;
mod script;
mod judge;
mod routes;
mod answer;
mod mask;
mod paging;
mod world;
mod instance;
mod tokens;
mod metadata;
mod resource_manager;
mod compute;
mod dns;
mod pubsub;
mod bulk;

pub use bulk::Bulk;
pub use dns::zone::{ManagedZone, Visibility};
pub use instance::Instance;
pub use judge::Judge;
pub use pubsub::Message;
pub use script::{Fault, Faulty};
pub use server::Google;
pub use wire::{Request, Response};
pub use world::{Pages, Quota, World};
