//! What a plugin logs, for tests.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

/// Lines such as `WARN message (zone=example.com.)`.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Runs `act` and returns what it logged, too.
    pub(crate) fn of<T>(act: impl FnOnce() -> T) -> (T, Vec<String>) {
        let log = Self::default();
        let subscriber = tracing_subscriber::registry().with(log.clone());
        let done = tracing::subscriber::with_default(subscriber, act);
        let lines = std::mem::take(&mut *log.0.lock().unwrap());
        (done, lines)
    }
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if !event.metadata().target().contains("gce") {
            return;
        }
        let mut line = Line::default();
        event.record(&mut line);
        let Line { message, fields } = line;
        let level = event.metadata().level();
        let line = match fields.as_str() {
            "" => format!("{level} {message}"),
            fields => format!("{level} {message} ({})", fields.trim_start()),
        };
        self.0.lock().unwrap().push(line);
    }
}

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            write!(self.fields, " {}={value:?}", field.name()).unwrap();
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.fields, " {}={value}", field.name()).unwrap();
    }
}
