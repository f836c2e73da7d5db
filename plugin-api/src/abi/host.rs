//! What the host offers to a library and to each of its plugins.

use abi_stable::StableAbi;
use abi_stable::sabi_trait;
use abi_stable::std_types::{RArc, RBox, ROption, RSlice, RStr, RString, Tuple2};
use async_ffi::{FfiContext, FfiPoll};

use super::values::AbiScalar;

/// What one plugin asks of the host. Cloned freely; every method may be called from any thread and
/// none blocks.
#[sabi_trait]
pub trait RawHost: Clone + Send + Sync + 'static {
    /// Whether the run was cancelled.
    fn is_cancelled(&self) -> bool;

    /// A new waiter for the cancellation.
    fn cancellation(&self) -> Cancelled;

    /// How long `run`, and after it `cleanup`, may take once the run was cancelled.
    fn grace_millis(&self) -> u64;

    /// Milliseconds until the run is cancelled by its own deadline; none without one.
    fn remaining_millis(&self) -> ROption<u64>;

    /// The directory that relative paths of the configuration start at; absolute.
    fn config_root(&self) -> RString;

    /// A directory of this plugin alone that outlives runs; it may not exist yet.
    fn state_directory(&self) -> RString;

    /// Takes one measurement. `context` keeps its order.
    fn measure(
        &self,
        kind: MeasureKind,
        name: RStr<'_>,
        value: AbiScalar<'_>,
        context: RSlice<'_, Tuple2<RStr<'_>, AbiScalar<'_>>>,
    );

    /// Reports that something takes no part in this run and stays as it is.
    ///
    /// `apex` is the canonical wire name of a zone, or empty if nobody can tell which zone it would
    /// have been; `what` says it for people. `reason` holds the error and its causes, outermost
    /// first; `hint` is empty unless the operator can do something that is not obvious.
    #[sabi(last_prefix_field)]
    fn leave_out(
        &self,
        apex: RSlice<'_, u8>,
        what: RStr<'_>,
        reason: RSlice<'_, RString>,
        hint: RStr<'_>,
    );
}

/// The host as a plugin holds it.
pub type HostBox = RawHost_TO<RArc<()>>;

/// Waits for the cancellation of the run.
#[sabi_trait]
pub trait RawCancelled: Send + 'static {
    /// Ready once the run is cancelled, and from then on.
    #[sabi(last_prefix_field)]
    fn poll_cancelled(&mut self, cx: &mut FfiContext<'_>) -> FfiPoll<()>;
}

/// A waiter as it is passed around.
pub type Cancelled = RawCancelled_TO<RBox<()>>;

/// How a measurement counts.
#[repr(transparent)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeasureKind(pub u8);

impl MeasureKind {
    /// Adds to a counter.
    pub const INCREMENT: Self = Self(0);
    /// Replaces a value.
    pub const SET: Self = Self(1);
    /// Records a duration in seconds.
    pub const TIMER: Self = Self(2);
}

/// Functions of the host that are the same for all plugins of the process.
///
/// Handed to a library once, before anything else of it is called. Every function may be called from
/// any thread.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = HostFunctionsRef)))]
pub struct HostFunctions {
    /// The most verbose level that anything wants: 0 off, 1 error … 5 trace.
    pub log_max_level: extern "C" fn() -> u8,
    /// Makes a callsite known; called once for each.
    pub log_register: extern "C" fn(site: &LogSite<'_>) -> LogRegistration,
    /// Whether an event of a callsite that answered [`LogInterest::SOMETIMES`] is wanted now.
    pub log_enabled: extern "C" fn(site: usize) -> bool,
    /// Takes one event; `values` stand at the positions of the callsite's field names.
    #[sabi(last_prefix_field)]
    pub log_event: extern "C" fn(site: usize, values: RSlice<'_, LogField<'_>>),
}

/// A place in a library's source that logs. The texts are copied by the host.
#[repr(C)]
#[derive(StableAbi)]
pub struct LogSite<'a> {
    /// Name of the callsite.
    pub name: RStr<'a>,
    /// Target, usually the module path.
    pub target: RStr<'a>,
    /// 1 error … 5 trace.
    pub level: u8,
    /// Source file, if known.
    pub file: ROption<RStr<'a>>,
    /// Line in it, 0 if unknown.
    pub line: u32,
    /// Names of the fields.
    pub fields: RSlice<'a, RStr<'a>>,
}

/// The host's answer to [`HostFunctions::log_register`].
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct LogRegistration {
    /// Names the callsite in later calls.
    pub site: usize,
    /// Whether its events are wanted.
    pub interest: LogInterest,
}

/// Whether events of a callsite are wanted.
#[repr(transparent)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogInterest(pub u8);

impl LogInterest {
    /// Never: the library need not ask again.
    pub const NEVER: Self = Self(0);
    /// It depends: ask each time.
    pub const SOMETIMES: Self = Self(1);
    /// Always.
    pub const ALWAYS: Self = Self(2);
}

/// One field of a log event.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct LogField<'a> {
    /// Position of the field's name in its callsite.
    pub index: usize,
    /// How `text` and `number` are to be read.
    pub kind: LogFieldKind,
    /// For texts.
    pub text: RStr<'a>,
    /// For numbers: the bits of an `i64`, `u64` or `f64`, or 0 and 1.
    pub bits: u64,
}

/// The kinds of [`LogField`].
#[repr(transparent)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogFieldKind(pub u8);

impl LogFieldKind {
    /// A text, as the author wrote it.
    pub const TEXT: Self = Self(0);
    /// Something already formatted.
    pub const FORMATTED: Self = Self(1);
    /// `bits` is an `i64`.
    pub const SIGNED: Self = Self(2);
    /// `bits` is a `u64`.
    pub const UNSIGNED: Self = Self(3);
    /// `bits` is an `f64`.
    pub const FLOAT: Self = Self(4);
    /// `bits` is 0 or 1.
    pub const BOOLEAN: Self = Self(5);
}
