//! Where log events go.
//!
//! Events of the host and, through the plugin boundary, those of plugins reach one `tracing`
//! subscriber. A plugin's events happen inside its [`plugin_span`], which names it in the line and
//! gives it its own level, its allowance and the secrets that it must not repeat.
//!
//! ```text
//! event ─► level ─► allowance ─► secrets covered ─► Entry ─┬─► stream: a line, or JSON
//!          (of the plugin)                                 ├─► syslog: RFC 3164 or 5424
//!                                                          └─► stackdriver: JSON
//! ```

mod level;
mod format;
mod entry;
mod limit;
mod json;
mod syslog;
mod handlers;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Span, Subscriber};
use tracing_core::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::{LookupSpan, Registry};

pub use self::format::{DateFormat, Pattern, PatternError};
pub use self::level::Level;

use self::entry::{Entry, Parts};
use self::handlers::Handlers;
use self::level::Severity;
use self::limit::{Allowance, Verdict};
use crate::args::Args;
use crate::config::Core;
use crate::problem::{self, Problem};
use crate::secrets::{self, Secrets};

/// The target of the spans that plugins run in.
const PLUGIN_TARGET: &str = "gordon_janitor::plugin";

/// The least level written, for the host and for single plugins.
#[derive(Clone, Debug)]
struct Levels {
    general: Level,
    plugins: BTreeMap<String, Level>,
}

impl Levels {
    /// The levels that `core` asks for.
    fn new(core: &Core) -> Self {
        let plugins = core.plugin.iter();
        Self {
            general: core.logging.level,
            plugins: plugins
                .filter_map(|(key, settings)| Some((key.clone(), settings.level?)))
                .collect(),
        }
    }

    /// The least level of the plugin `key`.
    fn plugin(&self, key: &str) -> Level {
        self.plugins.get(key).copied().unwrap_or(self.general)
    }

    /// What at least one plugin or the host writes.
    fn most(&self) -> Level {
        self.plugins
            .values()
            .copied()
            .fold(self.general, Level::min)
    }

    /// What the host and every plugin write.
    fn least(&self) -> Level {
        self.plugins
            .values()
            .copied()
            .fold(self.general, Level::max)
    }
}

/// Returns the span that the thread of the plugin `key` has to be in.
#[must_use]
pub fn plugin_span(key: &str) -> Span {
    // At the highest level: a span that is filtered out would take the
    // plugin's own level with it.
    tracing::error_span!(target: PLUGIN_TARGET, "plugin", name = key)
}

/// What a command itself writes to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Nothing: log lines may go there.
    None,
    /// What the command is run for: no log line may stand in it.
    OnStandardOutput,
}

impl Product {
    /// That of the command that `args` ask for.
    #[must_use]
    pub fn of(args: &Args) -> Self {
        if args.publishes() {
            Self::None
        } else {
            Self::OnStandardOutput
        }
    }
}

/// What is set up once for this process.
static LOG: OnceLock<Arc<Log>> = OnceLock::new();

/// The handlers, and what plugins may say.
struct Log {
    handlers: Handlers,
    allowances: Mutex<BTreeMap<String, Arc<Allowance>>>,
    /// Of threads that a plugin has started, which nobody can name.
    nameless: Arc<Allowance>,
}

/// Sends all events of this process where `core` says.
///
/// # Errors
///
/// When it has been called before, or when the system has no more threads.
pub fn init(core: &Core, product: Product) -> Result<(), InitError> {
    let log = Arc::new(Log::new(Handlers::start(&core.logging, product)?));
    let layer = Lines {
        levels: Levels::new(core),
        log: Arc::clone(&log),
    };
    tracing::subscriber::set_global_default(Registry::default().with(layer))?;
    LOG.get_or_init(|| log);
    Ok(())
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// There is one already.
    #[error(transparent)]
    Twice(#[from] tracing::subscriber::SetGlobalDefaultError),
    /// The system has no more threads.
    #[error("cannot start a thread")]
    Thread(#[from] std::io::Error),
}

/// Delivers what is not delivered yet, and says what is left out or lost. To be called before the
/// process ends, in whatever way; takes no more than a few seconds. What is logged afterwards may be
/// lost.
pub fn finish() {
    if let Some(log) = LOG.get() {
        log.finish();
    }
}

/// Whether an error that is logged appears on standard error.
#[must_use]
pub fn shows_errors() -> bool {
    let is_streamed = LOG.get().is_some_and(|log| log.handlers.has_stream());
    is_streamed && tracing::enabled!(tracing::Level::ERROR)
}

/// Tells the handlers of `problem`, apart from standard error, where it stands already.
pub(crate) fn tell(problem: &Problem) {
    let Some(log) = LOG.get() else { return };
    let severity = match problem.severity() {
        problem::Severity::Error => Severity::Error,
        problem::Severity::Warning => Severity::Warning,
    };
    let mut entry = Entry::new(severity, problem.summary());
    entry.fields = vec![("code".into(), problem.code().as_str().into())];
    if let Some(place) = problem.origin() {
        entry
            .fields
            .push(("where".into(), place.to_string().into()));
    }
    for (name, text) in problem.details() {
        entry.fields.push(((*name).into(), text.as_str().into()));
    }
    log.handlers.tell(&entry);
}

/// Tells the handlers of an error that ends the program, apart from standard error.
pub(crate) fn tell_error(text: &str) {
    if let Some(log) = LOG.get() {
        log.handlers.tell(&Entry::new(Severity::Error, text));
    }
}

thread_local! {
    /// Whether the event that this thread is about to log comes from a library.
    static FROM_LIBRARY: Cell<bool> = const { Cell::new(false) };
}

/// Does `act`, which logs an event that a library has sent.
pub(crate) fn from_library(act: impl FnOnce()) {
    FROM_LIBRARY.set(true);
    act();
    FROM_LIBRARY.set(false);
}

impl Log {
    fn new(handlers: Handlers) -> Self {
        Self {
            handlers,
            allowances: Mutex::default(),
            nameless: Arc::new(Allowance::new(
                "threads that plugins have started".to_owned(),
            )),
        }
    }

    fn allowance(&self, key: &str) -> Arc<Allowance> {
        let mut allowances = self
            .allowances
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known = allowances.entry(key.to_owned());
        Arc::clone(known.or_insert_with(|| Arc::new(Allowance::new(format!("plugin {key}")))))
    }

    fn tell_left_out(&self, allowance: &Allowance, lines: u64) {
        let message = format!(
            "{lines} log lines of {} left out: more than {} in {} seconds",
            allowance.whose,
            limit::LINES,
            limit::WINDOW.as_secs()
        );
        self.handlers.write(&Entry::new(Severity::Warning, message));
    }

    fn finish(&self) {
        let allowances = self
            .allowances
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for allowance in allowances.values().chain([&self.nameless]) {
            let left_out = allowance.take_left_out();
            if left_out > 0 {
                self.tell_left_out(allowance, left_out);
            }
        }
        self.handlers.finish();
    }
}

/// The name of this machine.
fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// Takes events and hands them to the handlers.
struct Lines {
    levels: Levels,
    log: Arc<Log>,
}

/// What a plugin's span carries.
struct PluginSpan {
    key: String,
    level: Level,
    allowance: Arc<Allowance>,
    secrets: Option<Arc<Secrets>>,
}

/// Reads the name out of a plugin's span.
struct Name(Option<String>);

impl Visit for Name {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "name" {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl<S> Layer<S> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let severity = Severity::of(metadata);
        if metadata.is_span() || self.levels.least().admits(severity) {
            Interest::always()
        } else if self.levels.most().admits(severity) {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.levels.most().filter())
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        if metadata.is_span() {
            return true;
        }
        let own = context.lookup_current().and_then(|span| {
            span.scope().find_map(|span| {
                let extensions = span.extensions();
                let plugin = extensions.get::<Arc<PluginSpan>>();
                plugin.map(|plugin| plugin.level)
            })
        });
        own.unwrap_or(self.levels.general)
            .admits(Severity::of(metadata))
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().target() != PLUGIN_TARGET {
            return;
        }
        let mut name = Name(None);
        attributes.record(&mut name);
        if let (Some(key), Some(span)) = (name.0, context.span(id)) {
            span.extensions_mut().insert(Arc::new(PluginSpan {
                level: self.levels.plugin(&key),
                allowance: self.log.allowance(&key),
                secrets: secrets::of(&key),
                key,
            }));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let plugin = context.event_scope(event).and_then(|mut scope| {
            scope.find_map(|span| span.extensions().get::<Arc<PluginSpan>>().cloned())
        });
        let metadata = event.metadata();
        let is_foreign = FROM_LIBRARY.get();
        // What the host says on a plugin's thread is the host's.
        if is_foreign {
            let allowance = plugin.as_ref().map(|plugin| &plugin.allowance);
            let allowance = allowance.unwrap_or(&self.log.nameless);
            match allowance.judge(Severity::of(metadata), Instant::now()) {
                Verdict::Write => {}
                Verdict::WriteAfter(left_out) => self.log.tell_left_out(allowance, left_out),
                Verdict::LeaveOut => return,
            }
        }
        let mut parts = Parts::default();
        event.record(&mut parts);
        if is_foreign {
            parts.disown();
        }
        match &plugin {
            Some(plugin) => parts.tidy(plugin.secrets.as_slice()),
            // From a thread that nobody can name: it may know the secrets of any plugin.
            None if is_foreign => parts.tidy(&secrets::of_all()),
            None => parts.tidy(&[]),
        }
        let key = plugin.as_ref().map(|plugin| plugin.key.as_str());
        self.log
            .handlers
            .write(&Entry::of_event(metadata, parts, key));
    }
}

#[cfg(test)]
mod tests;
