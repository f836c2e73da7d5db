//! One instance of each role: create, run, drop.
//!
//! The host creates an instance on a thread of its own, named after the plugin, and calls it on no
//! other. It creates every instance of a run before it runs any. `run` is called at most once; it
//! blocks until the plugin has done its work. An instance that answered with `ErrorCode::PANIC` is
//! only dropped. Creation, `run` and drop catch every panic of the plugin themselves.

use abi_stable::sabi_trait;
use abi_stable::std_types::{RBox, RResult};

use super::channel::{Reports, Sink, Source};
use super::values::{AbiAnswer, AbiError, AbiMeasurement, AbiQuestion, AbiZone, AbiZoneChanges};

/// A source of desired state.
#[sabi_trait]
pub trait RawAuthority: 'static {
    /// Sends every zone it speaks for, at most once each, and finishes the stream.
    #[sabi(last_prefix_field)]
    fn run(&mut self, zones: Sink<AbiZone>) -> RResult<(), AbiError>;
}

/// A reader of actual state.
#[sabi_trait]
pub trait RawReconciler: 'static {
    /// Answers every question it receives exactly once, in any order, and finishes the stream.
    #[sabi(last_prefix_field)]
    fn run(
        &mut self,
        questions: Source<AbiQuestion>,
        answers: Sink<AbiAnswer>,
    ) -> RResult<(), AbiError>;
}

/// A place to send corrections.
#[sabi_trait]
pub trait RawPublisher: 'static {
    /// Publishes every message it receives and reports what became of each change.
    #[sabi(last_prefix_field)]
    fn run(&mut self, changes: Source<AbiZoneChanges>, reports: Reports) -> RResult<(), AbiError>;
}

/// Somewhere that measurements go.
///
/// The one instance of a process is created before those of the other roles, and asked to stop only
/// when all of them have ended.
#[sabi_trait]
pub trait RawMetricsRelay: 'static {
    /// Takes every measurement until the stream ends, and makes them known.
    #[sabi(last_prefix_field)]
    fn run(&mut self, measurements: Source<AbiMeasurement>) -> RResult<(), AbiError>;
}

/// An authority as it is passed around.
pub type AuthorityBox = RawAuthority_TO<RBox<()>>;
/// A reconciler as it is passed around.
pub type ReconcilerBox = RawReconciler_TO<RBox<()>>;
/// A publisher as it is passed around.
pub type PublisherBox = RawPublisher_TO<RBox<()>>;
/// A metrics relay as it is passed around.
pub type MetricsRelayBox = RawMetricsRelay_TO<RBox<()>>;
