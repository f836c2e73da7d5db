//! Cancellation, paths and metrics as a plugin sees them.

use std::error::Error as StdError;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use abi_stable::std_types::{RSlice, RStr, Tuple2};

use crate::abi::host::{HostBox, MeasureKind};
use crate::abi::values::{AbiOwnedScalar, AbiScalar, ScalarKind};
use crate::dns::NameRef;
use crate::error::{hint_of, links};
use crate::ffi;

/// What the host offers to one plugin. Cheap to clone; may be used from any thread.
///
/// Logging needs no handle: events of `tracing` reach the host's log by themselves.
#[derive(Clone)]
pub struct Host(HostBox);

impl Host {
    pub(crate) fn new(host: HostBox) -> Self {
        Self(host)
    }

    /// The directory that relative paths of the configuration start at; absolute.
    #[must_use]
    pub fn config_root(&self) -> PathBuf {
        self.0.config_root().into_string().into()
    }

    /// `path` as the operator meant it: relative ones start at the configuration root.
    #[must_use]
    pub fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.config_root().join(path)
    }

    /// A directory of this plugin alone that outlives runs. Create it before use.
    #[must_use]
    pub fn state_directory(&self) -> PathBuf {
        self.0.state_directory().into_string().into()
    }

    /// Whether the run was cancelled. Ask this in loops that do not await.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until the run is cancelled.
    pub async fn cancelled(&self) {
        ffi::cancelled(self.0.cancellation()).await;
    }

    /// How long `run`, and after it `cleanup`, may take once the run was cancelled.
    #[must_use]
    pub fn grace(&self) -> Duration {
        Duration::from_millis(self.0.grace_millis())
    }

    /// Time left until the run's own deadline cancels it; none without a deadline.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.0
            .remaining_millis()
            .into_option()
            .map(Duration::from_millis)
    }

    /// Reports that the zone at `apex` takes no part in this run and stays as it is. The run then
    /// ends with exit code 3.
    pub fn leave_out(&self, apex: NameRef<'_>, reason: &(dyn StdError + 'static)) {
        self.report_left_out(apex.as_wire(), &apex.to_string(), reason);
    }

    /// Reports that something which would have been a zone cannot even be named. It might have been
    /// any zone, so where other authorities speak for zones too, nothing of theirs is deleted.
    pub fn leave_out_unnamed(&self, what: &dyn Display, reason: &(dyn StdError + 'static)) {
        self.report_left_out(&[], &what.to_string(), reason);
    }

    fn report_left_out(&self, apex: &[u8], what: &str, reason: &(dyn StdError + 'static)) {
        let hint = hint_of(reason);
        let hint = hint.as_ref().map_or("", |hint| hint.as_str());
        let reason = links(reason);
        self.0.leave_out(
            RSlice::from_slice(apex),
            RStr::from_str(what),
            RSlice::from_slice(&reason),
            RStr::from_str(hint),
        );
    }

    /// Adds `value` to the counter `name`.
    pub fn increment(&self, name: &str, value: impl Into<Scalar<'static>>, context: Context<'_>) {
        self.measure(MeasureKind::INCREMENT, name, value.into(), context);
    }

    /// Sets `name` to `value`.
    pub fn set(&self, name: &str, value: impl Into<Scalar<'static>>, context: Context<'_>) {
        self.measure(MeasureKind::SET, name, value.into(), context);
    }

    /// Records the time since `start` as `name`.
    pub fn timer(&self, name: &str, start: Instant, context: Context<'_>) {
        let seconds = start.elapsed().as_secs_f64();
        self.measure(MeasureKind::TIMER, name, Scalar::Float(seconds), context);
    }

    fn measure(&self, kind: MeasureKind, name: &str, value: Scalar<'_>, context: Context<'_>) {
        let context = context
            .iter()
            .map(|(key, value)| Tuple2(RStr::from_str(key), value.into_abi()))
            .collect::<Vec<_>>();
        self.0.measure(
            kind,
            RStr::from_str(name),
            value.into_abi(),
            RSlice::from_slice(&context),
        );
    }
}

/// What a measurement is about, in the order it is to be printed.
pub type Context<'a> = &'a [(&'a str, Scalar<'a>)];

/// A value of a measurement or of its context.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    /// An integer.
    Integer(i64),
    /// A float.
    Float(f64),
    /// A text.
    Text(&'a str),
    /// A truth value.
    Boolean(bool),
}

impl<'a> Scalar<'a> {
    fn into_abi(self) -> AbiScalar<'a> {
        let mut scalar = AbiScalar {
            kind: ScalarKind::INTEGER,
            integer: 0,
            float: 0.0,
            text: RStr::from_str(""),
        };
        match self {
            Self::Integer(integer) => scalar.integer = integer,
            Self::Boolean(boolean) => {
                scalar.kind = ScalarKind::BOOLEAN;
                scalar.integer = i64::from(boolean);
            }
            Self::Float(float) => {
                scalar.kind = ScalarKind::FLOAT;
                scalar.float = float;
            }
            Self::Text(text) => {
                scalar.kind = ScalarKind::TEXT;
                scalar.text = RStr::from_str(text);
            }
        }
        scalar
    }
}

impl Scalar<'_> {
    pub(crate) fn into_owned(self) -> AbiOwnedScalar {
        let scalar = self.into_abi();
        AbiOwnedScalar {
            kind: scalar.kind,
            integer: scalar.integer,
            float: scalar.float,
            text: scalar.text.into(),
        }
    }
}

impl Display for Scalar<'_> {
    /// As people write it: `true`, `1.5`, and a text without quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(integer) => integer.fmt(f),
            Self::Float(float) => float.fmt(f),
            Self::Text(text) => text.fmt(f),
            Self::Boolean(boolean) => boolean.fmt(f),
        }
    }
}

impl From<i64> for Scalar<'_> {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<u32> for Scalar<'_> {
    fn from(integer: u32) -> Self {
        Self::Integer(integer.into())
    }
}

impl From<usize> for Scalar<'_> {
    /// Counts beyond `i64::MAX` stay there.
    fn from(integer: usize) -> Self {
        Self::Integer(i64::try_from(integer).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Scalar<'_> {
    fn from(float: f64) -> Self {
        Self::Float(float)
    }
}

impl From<bool> for Scalar<'_> {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl<'a> From<&'a str> for Scalar<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}
