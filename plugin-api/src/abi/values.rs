//! What crosses by value.
//!
//! These layouts are frozen with the first release: a field added, renamed or retyped is another
//! major version. What may change lives inside the octets, which begin with a format number of
//! their own (see [`crate::dns`]).

use abi_stable::StableAbi;
use abi_stable::std_types::{ROption, RStr, RString, RVec};

use super::host::MeasureKind;

/// A zone on its way: the apex in canonical wire form and one zone buffer.
///
/// The receiver checks both; neither is trusted.
#[repr(C)]
#[derive(StableAbi, Debug, Clone)]
pub struct AbiZone {
    /// Uncompressed wire name in lower case.
    pub apex: RVec<u8>,
    /// A zone buffer.
    pub octets: RVec<u8>,
}

/// What a reconciler is asked about one zone: to compare it with a desired one, or to read it.
///
/// The receiver checks both fields; neither is trusted.
#[repr(C)]
#[derive(StableAbi, Debug, Clone)]
pub struct AbiQuestion {
    /// Uncompressed wire name in lower case.
    pub apex: RVec<u8>,
    /// The zone buffer to compare with; none if the zone is only to be read.
    pub desired: ROption<RVec<u8>>,
}

/// A reconciler's one answer to one question.
#[repr(C)]
#[derive(StableAbi, Debug, Clone)]
pub struct AbiAnswer {
    /// The zone that is answered; one that this reconciler was asked about.
    pub apex: RVec<u8>,
    /// Whether the other fields hold a comparison, a zone or a reason.
    pub status: AnswerStatus,
    /// A changes buffer; empty unless the zone was compared.
    pub changes: RVec<u8>,
    /// The actual zone that `changes` were computed from; none if the reconciler cannot give it. What
    /// was read, if the question was to read; then it is there.
    pub actual: ROption<RVec<u8>>,
    /// Why the zone is left out, one fact per link; empty when it was compared or read.
    pub reason: RVec<RString>,
    /// What the operator may do about it, if that is not obvious.
    pub hint: ROption<RString>,
}

/// What an [`AbiAnswer`] says.
#[repr(transparent)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerStatus(pub u8);

impl AnswerStatus {
    /// `changes` and `actual` are filled.
    pub const COMPARED: Self = Self(0);
    /// The zone stays as it is, for the given reason.
    pub const LEFT_OUT: Self = Self(1);
    /// `actual` is filled: the answer to a question without a desired zone, and to no other.
    pub const READ: Self = Self(2);
}

/// The changes of one zone on their way to a publisher.
#[repr(C)]
#[derive(StableAbi, Debug, Clone)]
pub struct AbiZoneChanges {
    /// Names this message in the publisher's reports; unique within a run.
    pub ticket: u64,
    /// The zone.
    pub apex: RVec<u8>,
    /// A changes buffer.
    pub octets: RVec<u8>,
    /// The serial of the actual zone that the changes fit; none if nobody knows it.
    pub serial: ROption<u32>,
}

/// What became of a change, as a publisher reports it.
#[repr(transparent)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutcomeCode(pub u8);

impl OutcomeCode {
    /// Visible at the servers.
    pub const APPLIED: Self = Self(0);
    /// Handed on, not yet visible.
    pub const ACCEPTED: Self = Self(1);
    /// Not done, for the reason that is given.
    pub const REFUSED: Self = Self(2);
    /// The publisher cannot tell. Also what the host takes for a change without a report.
    pub const UNKNOWN: Self = Self(3);
}

/// An error of a plugin.
#[repr(C)]
#[derive(StableAbi, Debug, Clone)]
pub struct AbiError {
    /// What the host should do next.
    pub kind: ErrorCode,
    /// The error and its causes, one fact per link, outermost first; never empty.
    pub chain: RVec<RString>,
    /// What the operator may do, if that is not obvious.
    pub hint: ROption<RString>,
    /// Where in the configuration text that the plugin was given; line 0 if it is not about it.
    pub place: TextPlace,
}

/// A place in a text; both count from 1, the column in characters.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextPlace {
    /// 0 means "no place".
    pub line: u32,
    /// 0 means "no place".
    pub column: u32,
}

/// What the host should do about an [`AbiError`].
#[repr(transparent)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode(pub u8);

impl ErrorCode {
    /// Stop the run before it starts: the configuration has to change.
    pub const CONFIG: Self = Self(0);
    /// The same may succeed later.
    pub const RETRY: Self = Self(1);
    /// Leave one zone out.
    pub const ZONE: Self = Self(2);
    /// A fault in the plugin.
    pub const BUG: Self = Self(3);
    /// The run was cancelled and the plugin gave up its work.
    pub const CANCELLED: Self = Self(4);
    /// The plugin panicked; its instance is not called again.
    pub const PANIC: Self = Self(5);
}

/// A number or text in a metric's context, or a metric's value.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct AbiScalar<'a> {
    /// Which of the fields counts.
    pub kind: ScalarKind,
    /// For [`ScalarKind::INTEGER`] and [`ScalarKind::BOOLEAN`] (0 or 1).
    pub integer: i64,
    /// For [`ScalarKind::FLOAT`].
    pub float: f64,
    /// For [`ScalarKind::TEXT`].
    pub text: RStr<'a>,
}

/// The kinds of [`AbiScalar`].
#[repr(transparent)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScalarKind(pub u8);

impl ScalarKind {
    /// An integer.
    pub const INTEGER: Self = Self(0);
    /// A float.
    pub const FLOAT: Self = Self(1);
    /// A text.
    pub const TEXT: Self = Self(2);
    /// A truth value.
    pub const BOOLEAN: Self = Self(3);
}

/// One measurement on its way to a metrics relay.
#[repr(C)]
#[derive(StableAbi, Debug, Clone)]
pub struct AbiMeasurement {
    /// How it counts. A kind that the relay does not know counts as a value.
    pub kind: MeasureKind,
    /// Its name, such as `plugin-runtime`; whatever a plugin made it.
    pub name: RString,
    /// The step of a counter, the value, or the seconds of a timer: an integer or a float.
    pub value: AbiOwnedScalar,
    /// What it is about, in the order given; no name is empty, but one may be there twice.
    pub labels: RVec<AbiLabel>,
    /// One sentence on what is measured; empty if the host does not know.
    pub help: RString,
    /// The unit in lower case, such as `seconds`; empty if the host does not know.
    pub unit: RString,
}

/// One label of an [`AbiMeasurement`].
#[repr(C)]
#[derive(StableAbi, Debug, Clone)]
pub struct AbiLabel {
    /// Its name.
    pub name: RString,
    /// Its value.
    pub value: AbiOwnedScalar,
}

/// A number or text that is owned; see [`AbiScalar`] for the fields.
#[repr(C)]
#[derive(StableAbi, Debug, Clone)]
pub struct AbiOwnedScalar {
    /// Which of the fields counts.
    pub kind: ScalarKind,
    /// For [`ScalarKind::INTEGER`] and [`ScalarKind::BOOLEAN`] (0 or 1).
    pub integer: i64,
    /// For [`ScalarKind::FLOAT`].
    pub float: f64,
    /// For [`ScalarKind::TEXT`].
    pub text: RString,
}
