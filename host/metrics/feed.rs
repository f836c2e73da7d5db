//! The queue in front of a relay that is a plugin.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use janitor_plugin_api::abi::abi_stable::std_types::{RString, RVec};
use janitor_plugin_api::abi::channel::Source;
use janitor_plugin_api::abi::host::MeasureKind;
use janitor_plugin_api::abi::values::{AbiLabel, AbiMeasurement, AbiOwnedScalar, ScalarKind};

use super::catalogue;
use super::{Kind, Measurement, Number, Value};
use crate::channel::{self, Outlet};

/// Measurements that wait at most; a relay that falls behind further loses some.
const CAPACITY: usize = 1 << 16;

/// Octets of name and labels that one measurement has at most: a plugin may measure anything.
const MAX_OCTETS: usize = 4 << 10;

/// Where measurements wait for the relay.
pub(super) struct Feed {
    /// None once the queue is closed.
    outlet: Mutex<Option<Outlet<AbiMeasurement>>>,
    /// Until when to wait for room, once that holds up nothing.
    patience: OnceLock<Instant>,
    lost: AtomicU64,
}

impl Feed {
    /// A queue, and its end for the relay.
    pub(super) fn new() -> (Self, Source<AbiMeasurement>) {
        let (outlet, source) = channel::outlet(CAPACITY, Arc::default());
        let feed = Self {
            outlet: Mutex::new(Some(outlet)),
            patience: OnceLock::new(),
            lost: AtomicU64::new(0),
        };
        (feed, source)
    }

    /// Queues one measurement. What there is no room for is counted.
    pub(super) fn take(&self, measurement: &Measurement<'_>) {
        let message = message(measurement);
        let outlet = self.outlet().clone();
        // Measured after the run by a plugin that did not stop: there is nobody to tell.
        let Some(outlet) = outlet else { return };
        let queued = octets(&message) <= MAX_OCTETS
            && outlet
                .try_send(message)
                .or_else(|(message, receives)| {
                    let limit = self.patience.get().filter(|_| receives).ok_or(())?;
                    wait_for_room(&outlet, message, *limit)
                })
                .is_ok();
        if !queued {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn be_patient(&self, limit: Instant) {
        self.patience.get_or_init(|| limit);
    }

    /// Ends the stream and says how many measurements are not in it.
    pub(super) fn close(&self) -> u64 {
        *self.outlet() = None;
        self.lost.load(Ordering::Relaxed)
    }

    fn outlet(&self) -> std::sync::MutexGuard<'_, Option<Outlet<AbiMeasurement>>> {
        self.outlet.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait_for_room(
    outlet: &Outlet<AbiMeasurement>,
    message: AbiMeasurement,
    limit: Instant,
) -> Result<(), ()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(drop)?;
    let sent = runtime
        .block_on(async { tokio::time::timeout_at(limit.into(), outlet.send(message)).await });
    if sent == Ok(true) { Ok(()) } else { Err(()) }
}

fn octets(message: &AbiMeasurement) -> usize {
    let labels = message.labels.iter();
    let labels = labels.map(|label| label.name.len() + label.value.text.len());
    message.name.len() + labels.sum::<usize>()
}

fn message(measurement: &Measurement<'_>) -> AbiMeasurement {
    let known = catalogue::find(measurement.name);
    let labels = measurement.context.iter().filter_map(|(name, value)| {
        // A label without a name or a value says nothing.
        let value = owned(value).filter(|_| !name.is_empty())?;
        let name = RString::from(*name);
        Some(AbiLabel { name, value })
    });
    AbiMeasurement {
        kind: match measurement.kind {
            Kind::Increment => MeasureKind::INCREMENT,
            Kind::Value => MeasureKind::SET,
            Kind::Timer => MeasureKind::TIMER,
        },
        name: measurement.name.into(),
        value: number(measurement.value),
        labels: labels.collect::<RVec<_>>(),
        help: known.map_or_else(RString::new, |known| known.help.into()),
        unit: known.map_or_else(RString::new, |known| known.unit.into()),
    }
}

const NOTHING: AbiOwnedScalar = AbiOwnedScalar {
    kind: ScalarKind::INTEGER,
    integer: 0,
    float: 0.0,
    text: RString::new(),
};

fn owned(value: &Value) -> Option<AbiOwnedScalar> {
    Some(match value {
        Value::Text(text) => AbiOwnedScalar {
            kind: ScalarKind::TEXT,
            text: text.as_str().into(),
            ..NOTHING
        },
        Value::Number(value) => number(*value),
        Value::Boolean(boolean) => AbiOwnedScalar {
            kind: ScalarKind::BOOLEAN,
            integer: i64::from(*boolean),
            ..NOTHING
        },
        Value::None => return None,
    })
}

/// A number as it crosses; one beyond 64 bits stays at their end.
fn number(number: Number) -> AbiOwnedScalar {
    match number {
        Number::Integer(integer) => AbiOwnedScalar {
            integer: i64::try_from(integer).unwrap_or(if integer < 0 {
                i64::MIN
            } else {
                i64::MAX
            }),
            ..NOTHING
        },
        Number::Float(float) => AbiOwnedScalar {
            kind: ScalarKind::FLOAT,
            float,
            ..NOTHING
        },
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use janitor_plugin_api::ffi::Receiver;

    use super::*;

    fn measured(name: &str) -> Measurement<'_> {
        Measurement {
            kind: Kind::Value,
            name,
            value: Number::Integer(i128::MIN),
            context: &[
                ("", Value::Boolean(true)),
                ("none", Value::None),
                ("n", Value::Boolean(true)),
            ],
        }
    }

    /// Takes everything out of the queue until it ends.
    fn drain(source: Source<AbiMeasurement>) -> Vec<AbiMeasurement> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            let mut receiver = Receiver::new(source);
            let mut all = Vec::new();
            while let Some(measurement) = receiver.receive().await {
                all.push(measurement);
            }
            all
        })
    }

    #[test]
    fn a_measurement_crosses_with_what_can_cross_of_it() {
        let (feed, source) = Feed::new();
        feed.take(&measured("run-ended"));
        assert_eq!(feed.close(), 0);
        // Nobody is told of what comes too late.
        feed.take(&measured("late"));
        assert_eq!(feed.close(), 0);
        let all = drain(source);
        let [one] = all.as_slice() else {
            panic!("{all:?}")
        };
        assert_eq!(
            (one.name.as_str(), one.value.integer),
            ("run-ended", i64::MIN)
        );
        assert_eq!(one.help.as_str(), "Runs by how they ended.");
        let labels = one.labels.iter().map(|label| label.name.as_str());
        assert_eq!(labels.collect::<Vec<_>>(), ["n"]);
    }

    #[test]
    fn a_full_queue_loses_until_there_is_patience() {
        let (feed, source) = Feed::new();
        for _ in 0..=CAPACITY {
            feed.take(&measured("m"));
        }
        feed.take(&measured(&"long".repeat(MAX_OCTETS)));
        feed.be_patient(Instant::now());
        feed.take(&measured("in vain"));
        assert_eq!(feed.lost.load(Ordering::Relaxed), 3);

        let (patient, other) = Feed::new();
        patient.be_patient(Instant::now() + Duration::from_secs(60));
        let reading = thread::spawn(|| drain(other));
        for _ in 0..2 * CAPACITY {
            patient.take(&measured("m"));
        }
        assert_eq!(patient.close(), 0);
        assert_eq!(reading.join().unwrap().len(), 2 * CAPACITY);
        drop(source);
    }

    #[test]
    fn a_relay_that_has_left_is_not_waited_for() {
        let (feed, source) = Feed::new();
        feed.be_patient(Instant::now() + Duration::from_secs(60));
        drop(source);
        feed.take(&measured("m"));
        assert_eq!(feed.close(), 1);
    }
}
