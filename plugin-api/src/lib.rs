//! How to write a plugin for gordon-janitor.

pub mod authority;
pub mod reconciler;
pub mod publisher;
pub mod dns;
pub mod zonefile;
pub mod host;
pub mod error;
pub mod export;
pub mod manifest;
pub mod abi;
pub mod ffi;

mod barrier;
mod bridge;
mod settings;

pub use authority::{Authority, RrsetSender};
pub use error::{Closed, Error};
pub use export::private as __private;
pub use host::{Host, Scalar};
pub use publisher::{ChangeReceiver, Outcome, Publisher, ZoneChanges};
pub use reconciler::{ActualReader, ChangeSender, Reconciler, RrsetReceiver};

pub use tracing;

#[cfg(panic = "abort")]
compile_error!(
    "a plugin keeps the default `panic = \"unwind\"`: the SDK turns its panics into errors"
);
