//! A metrics relay that is a plugin, from before the crew to after it.
//!
//! It is created before any other plugin and stopped when the run is over and its end is measured. It
//! has an offer of its own: a cancelled run does not cancel it, since how that ended is to be measured
//! as well, and what it measures or leaves out itself goes nowhere.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use janitor_plugin_api::abi::abi_stable::erased_types::TD_Opaque;
use janitor_plugin_api::abi::abi_stable::std_types::{
    RArc, ROption, RSlice, RStr, RString, Tuple2,
};
use janitor_plugin_api::abi::host::{Cancelled, HostBox, MeasureKind, RawHost, RawHost_TO};
use janitor_plugin_api::abi::values::{AbiError, AbiScalar, ErrorCode, TextPlace};
use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::Metrics;
use super::feed::Feed;
use crate::activity::Activity;
use crate::crew::{Recruit, failure, tell_abandoned};
use crate::manifest::Role;
use crate::offer::{Shared, waiter};
use crate::pipeline::patience;
use crate::plugin::{Plugin, Work};
use crate::problem::Code;
use crate::report::Failure;

/// A relay at work.
pub struct Relay {
    plugin: Plugin,
    stop: CancellationToken,
    runtime: Runtime,
}

/// How a relay ended.
#[derive(Debug)]
pub enum Farewell {
    /// As it should.
    Well,
    /// With an error; measurements may not be known to anybody.
    Failed(Failure),
    /// Not at all.
    Abandoned(Arc<str>),
}

impl Relay {
    /// Creates the plugin and lets measurements go to it from now on.
    ///
    /// # Errors
    ///
    /// What the plugin answered, or that it did not within the grace.
    pub fn employ(recruit: &Recruit, shared: &Shared) -> Result<Self, AbiError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|e| host_error("cannot start a runtime to wait for it", &e))?;
        let stop = CancellationToken::new();
        let offer = Offer {
            stop: stop.clone(),
            grace: shared.grace,
            config_root: shared.config_root.clone(),
            state_directory: shared.state_root.join(&*recruit.key),
        };
        let host: HostBox = RawHost_TO::from_ptr(RArc::new(offer), TD_Opaque);
        // Not on the roster: it is no part of the way of the zones, and never holds them up.
        let activity = Arc::new(Activity::new(
            Arc::clone(&recruit.key),
            Role::MetricsRelay,
            recruit.provenance.clone(),
        ));
        let text = recruit.config.text().to_owned();
        let mut plugin = Plugin::start(activity, shared.breadcrumbs, recruit.entry, text, host)
            .map_err(|e| host_error("cannot start its thread", &e))?;
        runtime.block_on(async {
            tokio::select! {
                biased;
                answer = plugin.created() => answer,
                () = shared.stop.cancelled() => Err(cancelled()),
                () = tokio::time::sleep(shared.grace) => Err(late(shared.grace)),
            }
        })?;
        let (feed, source) = Feed::new();
        plugin.run(Work::MetricsRelay(source));
        shared.metrics.feed(feed);
        Ok(Self {
            plugin,
            stop,
            runtime,
        })
    }

    /// Closes the queue and waits until the relay has made everything known: twice the grace at most,
    /// and a second.
    pub fn dismiss(mut self, shared: &Shared) -> Farewell {
        let lost = shared.metrics.close();
        self.stop.cancel();
        let asked = (Instant::now(), Timestamp::now());
        let ended = self.runtime.block_on(async {
            tokio::select! {
                biased;
                ended = self.plugin.ended() => Some(ended.result),
                () = tokio::time::sleep(patience(shared.grace)) => None,
                () = shared.hurry.cancelled() => None,
            }
        });
        let key = self.plugin.key();
        let farewell = match ended {
            Some(Some(Err(error))) => {
                let failure = failure(key, error);
                tracing::error!(
                    hint = failure.hint,
                    "measurements are not known to everybody: {failure}"
                );
                Farewell::Failed(failure)
            }
            Some(Some(Ok(())) | None) => Farewell::Well,
            None => {
                tell_abandoned(self.plugin.activity(), Some(asked), shared);
                Farewell::Abandoned(Arc::clone(key))
            }
        };
        if lost > 0 {
            tracing::warn!(
                code = %Code::MeasurementsLost, plugin = %key, lost,
                hint = "it took them too slowly, or ended before the run did; its own log lines may say why",
                "measurements were lost on their way to the metrics relay",
            );
        }
        farewell
    }
}

impl Metrics {
    /// Lets measurements go to a plugin from now on.
    fn feed(&self, feed: Feed) {
        self.feed.get_or_init(|| feed);
    }

    /// Ends the stream to the plugin and says how many measurements are not in it.
    fn close(&self) -> u64 {
        self.feed.get().map_or(0, Feed::close)
    }
}

fn error(kind: ErrorCode, chain: &[&str]) -> AbiError {
    AbiError {
        kind,
        chain: chain.iter().map(|link| RString::from(*link)).collect(),
        hint: ROption::RNone,
        place: TextPlace::default(),
    }
}

fn host_error(what: &str, cause: &std::io::Error) -> AbiError {
    error(ErrorCode::RETRY, &[what, &cause.to_string()])
}

fn cancelled() -> AbiError {
    error(
        ErrorCode::CANCELLED,
        &["the run was cancelled before it was there"],
    )
}

fn late(grace: Duration) -> AbiError {
    let text = format!(
        "it was not there within core.grace, {} s",
        grace.as_secs_f64()
    );
    error(ErrorCode::RETRY, &[&text])
}

/// What a relay is offered.
#[derive(Clone)]
struct Offer {
    stop: CancellationToken,
    grace: Duration,
    config_root: PathBuf,
    state_directory: PathBuf,
}

impl RawHost for Offer {
    fn is_cancelled(&self) -> bool {
        self.stop.is_cancelled()
    }

    fn cancellation(&self) -> Cancelled {
        waiter(&self.stop)
    }

    fn grace_millis(&self) -> u64 {
        u64::try_from(self.grace.as_millis()).unwrap_or(u64::MAX)
    }

    /// Not the relay's business: what is left of the run is no time of its own.
    fn remaining_millis(&self) -> ROption<u64> {
        ROption::RNone
    }

    fn config_root(&self) -> RString {
        self.config_root.to_string_lossy().into_owned().into()
    }

    fn state_directory(&self) -> RString {
        self.state_directory.to_string_lossy().into_owned().into()
    }

    /// Nothing: a relay that measures would feed itself.
    fn measure(
        &self,
        _: MeasureKind,
        _: RStr<'_>,
        _: AbiScalar<'_>,
        _: RSlice<'_, Tuple2<RStr<'_>, AbiScalar<'_>>>,
    ) {
    }

    /// Nothing: no zone passes a relay.
    fn leave_out(&self, _: RSlice<'_, u8>, what: RStr<'_>, _: RSlice<'_, RString>, _: RStr<'_>) {
        tracing::warn!(%what, "a metrics relay wants to leave something out, which it cannot");
    }
}
