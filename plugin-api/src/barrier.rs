//! The panic barrier, and the runtime that a plugin's futures run on.
//!
//! A library has a `std` of its own, so the host cannot catch its panics; and a panic that reached
//! one of `abi_stable`'s functions would end the process. Everything of an author's code (creation,
//! `run`, `cleanup`, drop, and the drop of its futures and runtime) runs inside [`guard`].

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::mem;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use abi_stable::std_types::{RErr, ROk, RResult};
use tokio::runtime::{Builder, Runtime};

use crate::abi::values::AbiError;
use crate::error::Error;
use crate::host::Host;

/// How long blocking work that a plugin left behind may hold up its end.
const SHUTDOWN: Duration = Duration::from_millis(100);

thread_local! {
    static PANICS: Cell<u32> = const { Cell::new(0) };
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes panics of this library visible: in the host's log, with their place, and to [`guard`].
pub(crate) fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        let text = describe(info);
        let thread = std::thread::current();
        // Threads of the host have no name in the `std` of a library; their log line has the plugin's.
        tracing::error!(
            panic = %text,
            thread = thread.name(),
            "a plugin panicked",
        );
        PANICS.set(PANICS.get().saturating_add(1));
        LAST_PANIC.set(Some(text));
    }));
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let message = payload_text(info.payload());
    match info.location() {
        Some(location) => format!("{message} at {}:{}", location.file(), location.line()),
        None => message.to_owned(),
    }
}

fn payload_text(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "a panic without a text"
    }
}

/// Runs code of a plugin's author; a panic becomes an error.
pub(crate) fn guard<R>(work: impl FnOnce() -> Result<R, Error>) -> RResult<R, AbiError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => ROk(value),
        Ok(Err(error)) => RErr(error.into_abi()),
        Err(payload) => {
            let text = LAST_PANIC
                .take()
                .unwrap_or_else(|| payload_text(&*payload).to_owned());
            // Its drop could panic again, and there is no barrier behind this one.
            mem::forget(payload);
            RErr(Error::panicked(text).into_abi())
        }
    }
}

/// Drops a plugin that has run; a panic in there is an error like any other, unless there is one
/// already. Not before `run` has ended: a second panic while unwinding would end the process.
pub(crate) fn retire<P>(ran: RResult<(), AbiError>, plugin: Option<P>) -> RResult<(), AbiError> {
    let dropped = guard(|| {
        drop(plugin);
        Ok(())
    });
    match ran {
        ROk(()) => dropped,
        RErr(error) => RErr(error),
    }
}

/// Drops what a plugin's author made and never ran; a panic is logged by the hook and goes no further.
pub(crate) fn guarded_drop<T>(value: T) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        mem::forget(payload);
    }
}

/// Tells whether a task on this thread panicked that nobody waited for.
pub(crate) struct Tasks {
    panics_before: u32,
}

impl Tasks {
    /// Watches from now on.
    pub(crate) fn watch() -> Self {
        Self {
            panics_before: PANICS.get(),
        }
    }

    /// An error if one has panicked. Asked before a stream is finished: what such a task would have
    /// sent is missing from it.
    pub(crate) fn none_panicked(&self) -> Result<(), Error> {
        if PANICS.get() == self.panics_before {
            return Ok(());
        }
        let text = LAST_PANIC.take().unwrap_or_default();
        Err(Error::panicked(format!(
            "a task that the plugin had spawned panicked: {text}"
        )))
    }
}

/// Runs a plugin to its end on a runtime of its own.
///
/// `run` has the grace to end once the host has cancelled the run, then its future is dropped.
/// `cleanup` follows however `run` ended and has the same grace; a panic skips it.
pub(crate) fn drive<P>(
    host: &Host,
    plugin: &mut P,
    run: impl AsyncFnOnce(&mut P) -> Result<(), Error>,
    cleanup: impl AsyncFnOnce(&mut P) -> Result<(), Error>,
) -> Result<(), Error> {
    let tasks = Tasks::watch();
    let runtime = PluginRuntime::start()?;
    let ran = runtime.block_on(async {
        let stop = async {
            host.cancelled().await;
            tokio::time::sleep(host.grace()).await;
        };
        first(run(plugin), stop).await
    });
    let ran = ran.unwrap_or_else(|| {
        Err(Error::cancelled(
            "the plugin did not end within the grace and was stopped",
        ))
    });
    let cleaned = runtime.block_on(async { first(cleanup(plugin), host_grace(host)).await });
    let cleaned =
        cleaned.unwrap_or_else(|| Err(Error::cancelled("cleaning up took longer than the grace")));
    drop(runtime);
    ran?;
    cleaned?;
    tasks.none_panicked()
}

async fn host_grace(host: &Host) {
    tokio::time::sleep(host.grace()).await;
}

/// The output of `work`, or none if `stop` is ready first. Asks `work` first.
async fn first<T>(work: impl Future<Output = T>, stop: impl Future<Output = ()>) -> Option<T> {
    let (mut work, mut stop) = (pin!(work), pin!(stop));
    poll_fn(|cx| {
        if let Poll::Ready(output) = work.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        stop.as_mut().poll(cx).map(|()| None)
    })
    .await
}

/// A current-thread runtime that does not wait for ever for blocking work when it is dropped.
struct PluginRuntime(Option<Runtime>);

impl PluginRuntime {
    fn start() -> Result<Self, Error> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::retry("cannot start the plugin's runtime", e))?;
        Ok(Self(Some(runtime)))
    }

    fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.0
            .as_ref()
            .expect("the runtime is taken only by drop")
            .block_on(work)
    }
}

impl Drop for PluginRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_timeout(SHUTDOWN);
        }
    }
}

#[cfg(test)]
mod tests {
    use abi_stable::std_types::RResult;

    use super::{first, guard, guarded_drop, install_hook};
    use crate::abi::values::ErrorCode;
    use crate::error::Error;

    /// Panics again when it is dropped.
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("the payload was dropped");
            }
        }
    }

    #[test]
    fn a_panic_becomes_an_error_with_its_place() {
        install_hook();
        let answer: RResult<(), _> = guard(|| panic!("no such zone"));
        let error = answer.into_result().expect_err("the panic is an error");
        assert_eq!(error.kind, ErrorCode::PANIC);
        let text = error.chain[0].as_str();
        assert!(text.starts_with("no such zone at "), "{text}");
        assert!(text.contains("barrier.rs:"), "{text}");
    }

    #[test]
    fn a_payload_whose_drop_panics_goes_no_further() {
        let answer: RResult<(), _> = guard(|| std::panic::panic_any(Bomb));
        assert!(answer.is_err());
    }

    #[test]
    fn a_drop_that_panics_goes_no_further() {
        guarded_drop(Bomb);
    }

    #[test]
    fn an_error_keeps_its_links_in_order() {
        let answer: RResult<(), _> = guard(|| {
            Err(Error::retry("cannot read the zone", Error::bug("connection reset")).hint("wait"))
        });
        let error = answer.into_result().expect_err("an error stays one");
        let links = error
            .chain
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>();
        assert_eq!(links, ["cannot read the zone", "connection reset"]);
        assert_eq!(
            error.hint.into_option().map(String::from).as_deref(),
            Some("wait")
        );
    }

    #[test]
    fn work_that_is_ready_wins_over_the_stop_that_is_ready_too() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime starts");
        assert_eq!(runtime.block_on(first(async { 1 }, async {})), Some(1));
        let never = std::future::pending::<i32>();
        assert_eq!(runtime.block_on(first(never, async {})), None);
    }
}
