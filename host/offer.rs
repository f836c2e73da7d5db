//! What the host offers to one plugin: cancellation, paths, metrics, leaving out.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use janitor_plugin_api::abi::abi_stable::erased_types::TD_Opaque;
use janitor_plugin_api::abi::abi_stable::std_types::{
    RArc, ROption, RSlice, RStr, RString, Tuple2,
};
use janitor_plugin_api::abi::async_ffi::{FfiContext, FfiPoll};
use janitor_plugin_api::abi::host::{
    Cancelled, HostBox, MeasureKind, RawCancelled, RawCancelled_TO, RawHost, RawHost_TO,
};
use janitor_plugin_api::abi::values::{AbiScalar, ScalarKind};
use janitor_plugin_api::dns::Name;
use jiff::Timestamp;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::activity::Roster;
use crate::audit::Audit;
use crate::config::{Core, PatternList};
use crate::error::{say, say_progress};
use crate::loaded::Loaded;
use crate::logging;
use crate::metrics::{Metrics, Number, Value};
use crate::problem::{Problem, Severity};
use crate::progress::Progress;
use crate::report::{Cancellation, LeftOut, LeftOutKind};
use crate::secrets;
use crate::worker::Breadcrumbs;

/// Where state is kept unless the service manager says otherwise.
const STATE_ROOT: &str = "/var/lib/gordon-janitor";

/// Where the host and its plugins keep what outlives a run: what `core.state_dir` says, else the service
/// manager.
pub(crate) fn state_root(core: Option<&Core>) -> PathBuf {
    if let Some(configured) = core.and_then(|core| core.state_dir.clone()) {
        return configured;
    }
    // A service manager may name several, one behind the other.
    let given = std::env::var_os("STATE_DIRECTORY").unwrap_or_default();
    // Plugins are told of it as text.
    let usable = |path: &PathBuf| path.is_absolute() && path.to_str().is_some();
    let first = std::env::split_paths(&given).find(usable);
    first.unwrap_or_else(|| STATE_ROOT.into())
}

/// What all plugins of a run share.
pub struct Shared {
    /// Asks the plugins to stop.
    pub stop: CancellationToken,
    /// Ends the grace: what has not stopped by now is left behind.
    pub hurry: CancellationToken,
    /// When the plugins were asked to stop.
    pub asked: OnceLock<(Instant, Timestamp)>,
    /// Why the run was cancelled, if it was; the first cause counts.
    pub cancelled: OnceLock<Cancellation>,
    /// How long a plugin may take to end once the run was cancelled.
    pub grace: Duration,
    /// When the run is cancelled by itself.
    pub deadline: Option<Instant>,
    /// Where relative paths of the configuration start.
    pub config_root: PathBuf,
    /// Where plugins keep what outlives a run; each has a directory below it.
    pub state_root: PathBuf,
    /// Where measurements go.
    pub metrics: Metrics,
    /// What plugins reported as left out, in the order they did.
    pub left_out: Mutex<Vec<LeftOut>>,
    /// How far the run is.
    pub progress: Progress,
    /// What each plugin is doing.
    pub roster: Roster,
    /// How long nothing may move before it is told.
    pub stall_limit: Duration,
    /// The files of the open libraries.
    pub loaded: Loaded,
    /// What plugins changed that belongs to the whole process.
    pub audit: Mutex<Audit>,
    /// What the parent process is told.
    pub breadcrumbs: Breadcrumbs,
    /// The zones that authorities speak for, by key, where that is not all that they name.
    pub spoken_for: BTreeMap<String, Arc<PatternList>>,
}

impl Shared {
    /// Cancels the run: its plugins are asked to stop.
    pub fn cancel(&self, cause: Cancellation) {
        self.cancelled.get_or_init(|| cause);
        self.ask_to_stop();
    }

    /// Asks the plugins to stop, which is no cancellation when they have nothing left to do.
    pub fn ask_to_stop(&self) {
        self.asked
            .get_or_init(|| (Instant::now(), Timestamp::now()));
        self.stop.cancel();
    }

    /// Tells people and the log of a problem that the run has met on its way: once each, also where
    /// the log is on standard error.
    pub fn tell(&self, problem: &Problem) {
        let is_logged = match problem.severity() {
            Severity::Error => tracing::enabled!(tracing::Level::ERROR),
            Severity::Warning => tracing::enabled!(tracing::Level::WARN),
        };
        if is_logged {
            logging::tell(problem);
        }
        say(problem);
    }

    /// Tells people and the log what every plugin is doing, and how far the run is.
    pub fn report_progress(&self) {
        let mut lines = self.roster.lines();
        lines.push(self.progress.sums());
        say_progress(&lines);
        for line in &lines {
            tracing::info!("progress: {line}");
        }
    }

    /// Looks at what plugins have changed that belongs to the whole process, and tells it.
    pub fn look_at_the_process(&self, suspects: &[&str], after: &str) {
        let mut audit = self.audit.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(problem) = audit.look(suspects, after) {
            self.tell(&problem);
        }
    }

    /// Whether the run was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.get().is_some()
    }

    /// What is left out so far.
    pub fn left_out(&self) -> MutexGuard<'_, Vec<LeftOut>> {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that something is left out.
    pub fn leave_out(&self, left_out: LeftOut) {
        left_out.log();
        self.left_out().push(left_out);
    }
}

/// What one plugin is offered.
#[derive(Clone)]
struct Offer {
    key: Arc<str>,
    shared: Arc<Shared>,
}

/// The host as the plugin `key` sees it.
pub fn to(key: Arc<str>, shared: Arc<Shared>) -> HostBox {
    RawHost_TO::from_ptr(RArc::new(Offer { key, shared }), TD_Opaque)
}

impl RawHost for Offer {
    fn is_cancelled(&self) -> bool {
        self.shared.stop.is_cancelled()
    }

    fn cancellation(&self) -> Cancelled {
        waiter(&self.shared.stop)
    }

    fn grace_millis(&self) -> u64 {
        millis(self.shared.grace)
    }

    fn remaining_millis(&self) -> ROption<u64> {
        self.shared
            .deadline
            .map(|deadline| millis(deadline.saturating_duration_since(Instant::now())))
            .into()
    }

    fn config_root(&self) -> RString {
        self.shared
            .config_root
            .to_string_lossy()
            .into_owned()
            .into()
    }

    fn state_directory(&self) -> RString {
        let directory = self.shared.state_root.join(&*self.key);
        directory.to_string_lossy().into_owned().into()
    }

    fn measure(
        &self,
        kind: MeasureKind,
        name: RStr<'_>,
        value: AbiScalar<'_>,
        context: RSlice<'_, Tuple2<RStr<'_>, AbiScalar<'_>>>,
    ) {
        let context = context
            .iter()
            .map(|Tuple2(name, value)| (name.as_str(), self.context_value(value)))
            .collect::<Vec<_>>();
        let metrics = &self.shared.metrics;
        let name = secrets::covered(&self.key, name.as_str());
        match kind {
            MeasureKind::INCREMENT => metrics.incr(&name, number(&value), &context),
            MeasureKind::TIMER => metrics.timer(&name, seconds(&value), &context),
            // A kind that this host does not know is shown as the value it has.
            _ => metrics.set(&name, number(&value), &context),
        }
    }

    fn leave_out(
        &self,
        apex: RSlice<'_, u8>,
        what: RStr<'_>,
        reason: RSlice<'_, RString>,
        hint: RStr<'_>,
    ) {
        let zone = Name::from_wire(apex.as_slice()).ok();
        if let (Some(apex), Some(zones)) = (&zone, self.shared.spoken_for.get(&*self.key))
            && !zones.contain(apex.as_ref())
        {
            tracing::debug!(zone = %apex, plugin = %self.key, "it does not speak for a zone that it leaves out");
            return;
        }
        self.shared.leave_out(LeftOut {
            zone,
            what: secrets::covered(&self.key, what.as_str()),
            plugin: Some(Arc::clone(&self.key)),
            kind: LeftOutKind::Reported,
            reason: reason
                .iter()
                .map(|link| secrets::covered(&self.key, link.as_str()))
                .collect(),
            hint: (!hint.is_empty()).then(|| secrets::covered(&self.key, hint.as_str())),
        });
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Offer {
    fn context_value(&self, value: &AbiScalar<'_>) -> Value {
        match value.kind {
            ScalarKind::TEXT => Value::Text(secrets::covered(&self.key, value.text.as_str())),
            ScalarKind::BOOLEAN => Value::Boolean(value.integer != 0),
            _ => Value::Number(number(value)),
        }
    }
}

/// The number of a measurement; a text has none and counts as 0.
fn number(value: &AbiScalar<'_>) -> Number {
    match value.kind {
        ScalarKind::FLOAT => Number::Float(value.float),
        _ => Number::from(value.integer),
    }
}

fn seconds(value: &AbiScalar<'_>) -> Duration {
    Duration::try_from_secs_f64(value.float).unwrap_or_default()
}

/// A waiter for the cancellation of `stop`.
pub(crate) fn waiter(stop: &CancellationToken) -> Cancelled {
    let waiter = Waiter(Box::pin(stop.clone().cancelled_owned()));
    RawCancelled_TO::from_value(waiter, TD_Opaque)
}

struct Waiter(Pin<Box<WaitForCancellationFutureOwned>>);

impl RawCancelled for Waiter {
    fn poll_cancelled(&mut self, cx: &mut FfiContext<'_>) -> FfiPoll<()> {
        cx.with_context(|cx| self.0.as_mut().poll(cx)).into()
    }
}
