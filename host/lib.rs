//! The host: finds plugin libraries, judges them, and runs them.
//!
//! The modules stand in the order in which a run needs them.

pub mod args;
pub mod problem;
pub mod config;
pub mod terminal;
pub mod logging;
pub mod manifest;
pub mod preflight;
pub mod discovery;
pub mod resolve;
pub mod show;
pub mod metrics;
pub mod error;
