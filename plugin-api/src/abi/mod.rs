//! What crosses between host and library, as a specification that compiles.
//!
//! One file per interface; each can be read without the others:
//!
//! - [`entry`]: what a library exports, and how the host finds it;
//! - [`plugin`]: one instance of each role: create, run, drop;
//! - [`channel`]: the channel handles and their polling rules;
//! - [`host`]: what the host offers: log, metrics, cancellation, paths;
//! - [`values`]: zones, changes, errors, numbers.
//!
//! Rules for every type here:
//!
//! - Structures passed by value are frozen for ever, so they are few and small. What may grow is a
//!   prefix type or a trait object; new members go behind the last one and have a default.
//! - Codes cross as transparent integers, never as Rust enumerations: an unknown discriminant must
//!   be an error and not undefined behaviour.
//! - Whoever allocates frees: the owning types of `abi_stable` carry their release function.
//! - Nothing unwinds across. Every function of a plugin catches inside the plugin.
//! - No runtime crosses. A future is polled on the side that made it; only a waker crosses.
//!
//! Plugin authors never see this module; they implement the traits at the crate's root.

#![allow(
    non_local_definitions,
    clippy::unnecessary_cast,
    missing_docs,
    unsafe_code,
    unused_qualifications,
    clippy::allow_attributes,
    reason = "the expansion of #[sabi_trait] and StableAbi; what is written by hand here is documented"
)]

pub use abi_stable;
pub use async_ffi;

pub mod entry;
pub mod plugin;
pub mod channel;
pub mod host;
pub mod values;
