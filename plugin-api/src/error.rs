//! What went wrong in a plugin, and what the host should do next.

use std::error::Error as StdError;
use std::fmt;

use abi_stable::std_types::{ROption, RString, RVec};

use crate::abi::values::{AbiError, ErrorCode, TextPlace};

type Source = Box<dyn StdError + Send + Sync>;

/// An error of a plugin, named after what the host should do.
///
/// `Display` prints the error's own link, `source()` gives the next; a link never repeats its source.
/// Texts read `cannot <verb> <thing>`, in lower case, with the thing in backticks and no full stop.
/// Secrets do not belong in them.
#[derive(Debug)]
pub struct Error {
    code: ErrorCode,
    context: String,
    source: Option<Source>,
    hint: Option<String>,
    place: TextPlace,
}

impl Error {
    fn new(code: ErrorCode, context: impl Into<String>, source: Option<Source>) -> Self {
        Self {
            code,
            context: context.into(),
            source,
            hint: None,
            place: TextPlace::default(),
        }
    }

    /// The configuration has to change: stops the run before it starts.
    pub fn config(context: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::new(ErrorCode::CONFIG, context, Some(source.into()))
    }

    /// The outside system did not answer as it should; the same may succeed in a later run.
    pub fn retry(context: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::new(ErrorCode::RETRY, context, Some(source.into()))
    }

    /// One zone cannot be handled: it is left out, the others go on.
    pub fn zone(context: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::new(ErrorCode::ZONE, context, Some(source.into()))
    }

    /// Something that cannot happen did: reported as a fault of the plugin.
    pub fn bug(context: impl Into<String>) -> Self {
        Self::new(ErrorCode::BUG, context, None)
    }

    /// The run was cancelled before the work was done. Only then: otherwise it is an error like any
    /// other.
    pub fn cancelled(context: impl Into<String>) -> Self {
        Self::new(ErrorCode::CANCELLED, context, None)
    }

    pub(crate) fn panicked(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::PANIC, message, None)
    }

    /// Adds a line that tells the operator what to do; leave it out where that is obvious.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn at(mut self, place: TextPlace) -> Self {
        self.place = place;
        self
    }

    pub(crate) fn into_abi(self) -> AbiError {
        AbiError {
            kind: self.code,
            chain: links(&self),
            hint: self.hint.map(RString::from).into(),
            place: self.place,
        }
    }

    /// Whether no zone can go on after this error.
    pub(crate) fn ends_the_run(&self) -> bool {
        self.code != ErrorCode::ZONE && self.code != ErrorCode::RETRY
    }
}

/// The texts of `error` and its causes, outermost first.
pub(crate) fn links(error: &(dyn StdError + 'static)) -> RVec<RString> {
    chain(error)
        .map(|error| RString::from(error.to_string()))
        .collect()
}

/// `error` and its causes in one line, as the reason of an [`Outcome`](crate::Outcome) and the field of
/// a log line want them: `cannot read the zone: no such file`.
#[must_use]
pub fn in_one_line(error: &(dyn StdError + 'static)) -> String {
    let mut line = String::new();
    for error in chain(error) {
        let separator = if line.is_empty() { "" } else { ": " };
        line.push_str(separator);
        line.push_str(&error.to_string());
    }
    line
}

/// `error` and its causes.
fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The hint of `error`, if it is one of ours and has one.
pub(crate) fn hint_of(error: &(dyn StdError + 'static)) -> ROption<RString> {
    let error = error.downcast_ref::<Error>();
    let hint = error.and_then(|error| error.hint.as_deref());
    hint.map(RString::from).into()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

/// The other end of a channel is gone: nothing that is sent arrives any more.
///
/// This happens when the run was cancelled or another plugin failed. Return it; the host knows why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nobody receives any more")]
pub struct Closed;

impl From<Closed> for Error {
    fn from(closed: Closed) -> Self {
        Self::cancelled(closed.to_string())
    }
}
