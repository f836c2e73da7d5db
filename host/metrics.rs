//! Hands measurements to the metrics relay that `core.metrics` names.
//!
//! Measuring holds up nobody: the log and a UDP socket take what comes, and a plugin is fed through a
//! queue that is full rather than waited for.

mod python;
mod catalogue;
mod logger;
mod ffwd;
mod feed;
mod relay;
mod run;
#[cfg(test)]
mod vectors;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub use self::catalogue::{CATALOGUE, Described};
pub use self::python::{Number, Value};
pub use self::relay::{Farewell, Relay};
pub(crate) use self::run::{measure_libraries, measure_report};

use self::feed::Feed;
use self::ffwd::Ffwd;
use self::logger::MetricsLogger;
use crate::config::{Core, FFWD};

/// What a measurement is about: names and values, in the order given.
pub type Context<'a> = &'a [(&'a str, Value)];

/// One measurement on its way to the relay.
#[derive(Clone, Copy, Debug)]
pub struct Measurement<'a> {
    /// How it counts.
    pub kind: Kind,
    /// Its name.
    pub name: &'a str,
    /// The step of a counter, the value, or seconds.
    pub value: Number,
    /// What it is about.
    pub context: Context<'a>,
}

/// How a measurement counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Its value adds to a counter.
    Increment,
    /// Its value replaces the one before.
    Value,
    /// Its value is a duration in seconds.
    Timer,
}

/// Where measurements go.
pub struct Metrics {
    /// The relay unless there is another, and until a plugin is there.
    logger: MetricsLogger,
    ffwd: Option<Ffwd>,
    feed: OnceLock<Feed>,
}

impl Metrics {
    /// The built-in relay that `core` names. One that is a plugin takes its place with
    /// `feed`; until then, and if it cannot be had, measurements go to the log.
    ///
    /// What is only planned goes to the log as well: whoever looks at a plan must not make those who
    /// watch the runs believe that there was one.
    #[must_use]
    pub fn new(core: &Core, publishes: bool) -> Self {
        let named = core.metrics.as_ref().map(|listed| listed.key.as_str());
        Self {
            logger: MetricsLogger::new(core.metrics_logger.clone()),
            ffwd: (publishes && named == Some(FFWD)).then(|| Ffwd::new(core.ffwd.clone())),
            feed: OnceLock::new(),
        }
    }

    /// Adds `value` to `name`.
    pub fn incr(&self, name: &str, value: Number, context: Context<'_>) {
        self.take(Kind::Increment, name, value, context);
    }

    /// Reports `value`.
    pub fn set(&self, name: &str, value: Number, context: Context<'_>) {
        self.take(Kind::Value, name, value, context);
    }

    /// Reports a duration.
    pub fn timer(&self, name: &str, elapsed: Duration, context: Context<'_>) {
        let seconds = Number::Float(elapsed.as_secs_f64());
        self.take(Kind::Timer, name, seconds, context);
    }

    fn take(&self, kind: Kind, name: &str, value: Number, context: Context<'_>) {
        let measurement = Measurement {
            kind,
            name,
            value,
            context,
        };
        match (self.feed.get(), &self.ffwd) {
            (Some(feed), _) => feed.take(&measurement),
            (None, Some(ffwd)) => ffwd.take(&measurement),
            (None, None) => self.logger.take(&measurement),
        }
    }

    /// Lets whoever measures wait for room in the queue of a plugin from now on, until `limit` at most:
    /// nothing is left to be held up but the end of the process.
    pub fn be_patient(&self, limit: Instant) {
        if let Some(feed) = self.feed.get() {
            feed.be_patient(limit);
        }
    }
}
