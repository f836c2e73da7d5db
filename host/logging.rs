//! Where log events go.
//!
//! Events of the host and, through the plugin boundary, those of plugins reach
//! one `tracing` subscriber. A plugin's events happen inside its
//! [`plugin_span`], which names it in the line and gives it its own level.

mod level;
mod format;

use std::collections::BTreeMap;

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Span, Subscriber};
use tracing_core::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::{LookupSpan, Registry};

pub use self::level::Level;

use self::format::{Format, Record, Text};
use crate::config::{Core, Handler};
use crate::terminal;

/// The target of the spans that plugins run in.
const PLUGIN_TARGET: &str = "gordon_janitor::plugin";

/// The least level written, for the host and for single plugins.
#[derive(Clone, Debug)]
pub struct Levels {
    general: LevelFilter,
    plugins: BTreeMap<String, LevelFilter>,
}

impl Levels {
    /// The levels that `core` asks for.
    #[must_use]
    pub fn new(core: &Core) -> Self {
        let plugins = core.plugin.iter();
        Self {
            general: core.logging.level.filter(),
            plugins: plugins
                .filter_map(|(key, settings)| Some((key.clone(), settings.level?.filter())))
                .collect(),
        }
    }

    /// The least level of the plugin `key`: what the plugin need not even send.
    #[must_use]
    pub fn plugin(&self, key: &str) -> LevelFilter {
        self.plugins.get(key).copied().unwrap_or(self.general)
    }

    /// What at least one plugin or the host writes.
    fn most(&self) -> LevelFilter {
        self.plugins
            .values()
            .copied()
            .fold(self.general, LevelFilter::max)
    }

    /// What the host and every plugin write.
    fn least(&self) -> LevelFilter {
        self.plugins
            .values()
            .copied()
            .fold(self.general, LevelFilter::min)
    }
}

/// Returns the span that the thread of the plugin `key` has to be in.
#[must_use]
pub fn plugin_span(key: &str) -> Span {
    // At the highest level: a span that is filtered out would take the
    // plugin's own level with it.
    tracing::error_span!(target: PLUGIN_TARGET, "plugin", name = key)
}

/// Sends all events of this process where `core` says.
///
/// Until the handlers `syslog` and `stackdriver` exist, their lines go to
/// standard error, which one warning says.
///
/// # Errors
///
/// When it has been called before.
pub fn init(core: &Core) -> Result<(), tracing::subscriber::SetGlobalDefaultError> {
    let layer = Lines::new(Levels::new(core), &core.logging.handlers, terminal::write);
    tracing::subscriber::set_global_default(Registry::default().with(layer))?;
    let mut absent: Vec<_> = core
        .logging
        .handlers
        .iter()
        .filter(|handler| **handler != Handler::Stream)
        .collect();
    absent.dedup();
    if !absent.is_empty() {
        let names: Vec<_> = absent.into_iter().map(|handler| handler.name()).collect();
        tracing::warn!(
            handlers = names.join(","),
            "these log handlers are not available yet: log lines go to standard error \
             (core.logging.handlers = [\"stream\"] says the same without this warning)"
        );
    }
    Ok(())
}

/// Writes events as lines.
struct Lines<W> {
    levels: Levels,
    /// How often each line is written.
    copies: usize,
    format: Format,
    write: W,
}

impl<W: Fn(&str)> Lines<W> {
    fn new(levels: Levels, handlers: &[Handler], write: W) -> Self {
        let streams = handlers
            .iter()
            .filter(|handler| **handler == Handler::Stream)
            .count();
        Self {
            levels,
            copies: streams.max(1),
            format: Format::new(std::process::id()),
            write,
        }
    }
}

/// What a plugin's span carries.
struct PluginSpan {
    key: String,
    level: LevelFilter,
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

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&str) + 'static,
{
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.is_span() || *metadata.level() <= self.levels.least() {
            Interest::always()
        } else if *metadata.level() > self.levels.most() {
            Interest::never()
        } else {
            Interest::sometimes()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.levels.most())
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        if metadata.is_span() {
            return true;
        }
        let own = context.lookup_current().and_then(|span| {
            span.scope().find_map(|span| {
                span.extensions()
                    .get::<PluginSpan>()
                    .map(|plugin| plugin.level)
            })
        });
        *metadata.level() <= own.unwrap_or(self.levels.general)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().target() != PLUGIN_TARGET {
            return;
        }
        let mut name = Name(None);
        attributes.record(&mut name);
        if let (Some(key), Some(span)) = (name.0, context.span(id)) {
            let level = self.levels.plugin(&key);
            span.extensions_mut().insert(PluginSpan { key, level });
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        text.shorten();
        if let Some(scope) = context.event_scope(event) {
            for span in scope {
                let extensions = span.extensions();
                if let Some(plugin) = extensions
                    .get::<PluginSpan>()
                    .filter(|_| !text.has("plugin"))
                {
                    text.field("plugin", &plugin.key);
                }
            }
        }
        let line = self.format.line(&Record {
            time: Timestamp::now(),
            level: *event.metadata().level(),
            message: &text.message,
            fields: &text.fields,
        });
        for _ in 0..self.copies {
            (self.write)(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::subscriber::with_default;

    use super::*;

    fn lines(
        general: Level,
        plugins: &[(&str, Level)],
        handlers: &[Handler],
        act: impl FnOnce(),
    ) -> Vec<String> {
        let written = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&written);
        let levels = Levels {
            general: general.filter(),
            plugins: plugins
                .iter()
                .map(|(key, level)| ((*key).to_owned(), level.filter()))
                .collect(),
        };
        let write = move |line: &str| {
            sink.lock()
                .unwrap()
                .push(line.split_once(") ").unwrap().1.to_owned());
        };
        with_default(
            Registry::default().with(Lines::new(levels, handlers, write)),
            act,
        );
        let lines = written.lock().unwrap();
        lines.clone()
    }

    #[test]
    fn fields_follow_the_message() {
        let written = lines(Level::Info, &[], &[Handler::Stream], || {
            tracing::warn!(zone = "example.com.", reason = %"no answer", count = 3, "zone left out");
            tracing::debug!("not written");
        });
        assert_eq!(
            written,
            ["WARNING: zone left out zone=example.com. reason=\"no answer\" count=3\n"]
        );
    }

    #[test]
    fn a_message_cannot_forge_a_line() {
        let written = lines(Level::Info, &[], &[Handler::Stream], || {
            tracing::info!(owner = "a\nb", "one\n2026-01-01T00:00:00.000Z two\u{1b}[2J");
        });
        assert_eq!(
            written,
            ["INFO: one\\n2026-01-01T00:00:00.000Z two\\x1b[2J owner=\"a\\nb\"\n"]
        );
    }

    #[test]
    fn a_plugin_has_its_own_level_and_is_named() {
        let settings = [("loud.one", Level::Debug), ("quiet.one", Level::Error)];
        let written = lines(Level::Info, &settings, &[Handler::Stream], || {
            let say = |text: &str| {
                tracing::debug!("{text}");
                tracing::info!("{text}");
            };
            plugin_span("loud.one").in_scope(|| say("l"));
            plugin_span("quiet.one").in_scope(|| say("q"));
            plugin_span("other.one").in_scope(|| say("o"));
            say("host");
        });
        assert_eq!(
            written,
            [
                "DEBUG: l plugin=loud.one\n",
                "INFO: l plugin=loud.one\n",
                "INFO: o plugin=other.one\n",
                "INFO: host\n"
            ]
        );
    }

    #[test]
    fn critical_silences_everything_and_notset_nothing() {
        let say = || {
            tracing::error!("e");
            tracing::trace!("t");
        };
        assert!(lines(Level::Critical, &[], &[Handler::Stream], say).is_empty());
        assert_eq!(
            lines(Level::NotSet, &[], &[Handler::Stream], say),
            ["ERROR: e\n", "TRACE: t\n"]
        );
    }

    #[test]
    fn a_handler_named_twice_writes_twice_and_an_absent_one_adds_nothing() {
        let say = || tracing::error!("e");
        assert_eq!(
            lines(Level::Info, &[], &[Handler::Stream, Handler::Stream], say).len(),
            2
        );
        assert_eq!(
            lines(Level::Info, &[], &[Handler::Stream, Handler::Syslog], say).len(),
            1
        );
        assert_eq!(lines(Level::Info, &[], &[Handler::Syslog], say).len(), 1);
    }
}
