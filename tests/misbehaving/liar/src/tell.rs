//! How a lie is told: a runtime, an error, and what every role needs.

use std::future::Future;

use janitor_plugin_api::Error;
use janitor_plugin_api::abi::abi_stable::std_types::{ROption, RResult, RVec};
use janitor_plugin_api::abi::values::{AbiError, ErrorCode, TextPlace};

/// Runs `work` to its end.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> Option<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
    Some(runtime.block_on(work))
}

/// An error as no honest plugin has it: of an unknown kind, and without a word.
pub(crate) fn silence<T>() -> RResult<T, AbiError> {
    RResult::RErr(AbiError {
        kind: ErrorCode(200),
        chain: RVec::new(),
        hint: ROption::RNone,
        place: TextPlace {
            line: u32::MAX,
            column: u32::MAX,
        },
    })
}

/// What would be the fault of the tests, not the lie on show.
pub(crate) fn unexpected(error: impl std::error::Error) -> Error {
    Error::bug(format!("the liar failed to be one: {error}"))
}
