//! The role that makes known what is measured.

use std::future::Future;

use abi_stable::std_types::RResult;

use crate::abi::channel::Source;
use crate::abi::host::MeasureKind;
use crate::abi::plugin::{MetricsRelayBox, RawMetricsRelay, RawMetricsRelay_TO};
use crate::abi::values::{AbiError, AbiMeasurement, AbiOwnedScalar, ScalarKind};
use crate::error::Error;
use crate::export::Role;
use crate::ffi::Receiver;
use crate::host::{Host, Scalar};
use crate::instance::Instance;
use crate::settings::Settings;

/// Somewhere that measurements go.
///
/// `core.metrics` names the one relay of a process; it does not stand in `core.plugins`. See
/// [`Authority`](crate::Authority) for how instances live. A relay lives longer than the others: it is
/// created before them and runs until they have ended. Whatever it does, the run goes on; if it fails,
/// the program ends with exit code 3 at best.
///
/// What a relay measures itself goes nowhere, and it can leave nothing out.
pub trait MetricsRelay: Sized + 'static {
    /// The plugin's table of the configuration.
    type Config: Settings;

    /// Creates the plugin. Should check what can be checked without asking the outside world, and
    /// takes at most the grace.
    ///
    /// # Errors
    ///
    /// Anything that makes measuring pointless; the run does not start.
    fn new(config: Self::Config, host: Host) -> Result<Self, Error>;

    /// Takes every measurement until there are no more, makes them known, and returns.
    ///
    /// Measurements wait in a bounded queue that holds up nobody: what a slow relay does not take in
    /// time is lost and counted. [`Host::cancelled`] is ready when the queue is closed, which is when
    /// the run is over; from then on `run` has the grace to end.
    ///
    /// # Errors
    ///
    /// What kept measurements from being known.
    fn run(
        &mut self,
        measurements: &mut MeasurementReceiver,
    ) -> impl Future<Output = Result<(), Error>>;

    /// Called after `run` however it ended, panics excepted; has at most the grace.
    ///
    /// # Errors
    ///
    /// What could not be cleaned up.
    fn cleanup(&mut self) -> impl Future<Output = Result<(), Error>> {
        async { Ok(()) }
    }
}

/// The measurements of a run, in the order they were taken.
pub struct MeasurementReceiver(Receiver<AbiMeasurement>);

impl MeasurementReceiver {
    /// The next measurement, or none when the run is over. May be dropped and called again.
    pub async fn receive(&mut self) -> Option<Measurement> {
        self.0.receive().await.map(Measurement)
    }
}

/// One measurement.
#[derive(Debug, Clone)]
pub struct Measurement(AbiMeasurement);

/// How a measurement counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasurementKind {
    /// Its value adds to a counter.
    Increment,
    /// Its value replaces the one before.
    Value,
    /// Its value is a duration in seconds.
    Timer,
}

impl Measurement {
    /// A measurement without labels, help and unit.
    #[must_use]
    pub fn new(kind: MeasurementKind, name: &str, value: impl Into<Scalar<'static>>) -> Self {
        Self(AbiMeasurement {
            kind: match kind {
                MeasurementKind::Increment => MeasureKind::INCREMENT,
                MeasurementKind::Value => MeasureKind::SET,
                MeasurementKind::Timer => MeasureKind::TIMER,
            },
            name: name.into(),
            value: value.into().into_owned(),
            labels: Vec::new().into(),
            help: "".into(),
            unit: "".into(),
        })
    }

    /// Adds a label.
    #[must_use]
    pub fn label(mut self, name: &str, value: Scalar<'_>) -> Self {
        let value = value.into_owned();
        let name = name.into();
        self.0
            .labels
            .push(crate::abi::values::AbiLabel { name, value });
        self
    }

    /// Says what is measured, and in which unit.
    #[must_use]
    pub fn described(mut self, help: &str, unit: &str) -> Self {
        self.0.help = help.into();
        self.0.unit = unit.into();
        self
    }

    /// How it counts. A kind of a newer host that this SDK does not know is a value.
    #[must_use]
    pub fn kind(&self) -> MeasurementKind {
        match self.0.kind {
            MeasureKind::INCREMENT => MeasurementKind::Increment,
            MeasureKind::TIMER => MeasurementKind::Timer,
            _ => MeasurementKind::Value,
        }
    }

    /// Its name. The host's are of lower-case letters and hyphens; a plugin's may be anything.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The step of a counter, the value, or the seconds of a timer.
    #[must_use]
    pub fn value(&self) -> Scalar<'_> {
        match borrowed(&self.0.value) {
            // A text has no number; nor has a truth value in a measurement.
            Scalar::Text(_) => Scalar::Integer(0),
            Scalar::Boolean(boolean) => Scalar::Integer(boolean.into()),
            number => number,
        }
    }

    /// The value as a float, which beyond 2^53 is only near it.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "it says so, and metrics systems count in floats"
    )]
    pub fn as_f64(&self) -> f64 {
        match self.value() {
            Scalar::Float(float) => float,
            Scalar::Integer(integer) => integer as f64,
            Scalar::Text(_) | Scalar::Boolean(_) => 0.0,
        }
    }

    /// What it is about, in the order given. A name may be there twice.
    pub fn labels(&self) -> impl Iterator<Item = (&str, Scalar<'_>)> {
        let labels = self.0.labels.iter();
        labels.map(|label| (label.name.as_str(), borrowed(&label.value)))
    }

    /// One sentence on what is measured, if the host knows it.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        Some(self.0.help.as_str()).filter(|help| !help.is_empty())
    }

    /// The unit, in lower case, if the host knows it.
    #[must_use]
    pub fn unit(&self) -> Option<&str> {
        Some(self.0.unit.as_str()).filter(|unit| !unit.is_empty())
    }
}

fn borrowed(value: &AbiOwnedScalar) -> Scalar<'_> {
    match value.kind {
        ScalarKind::TEXT => Scalar::Text(&value.text),
        ScalarKind::FLOAT => Scalar::Float(value.float),
        ScalarKind::BOOLEAN => Scalar::Boolean(value.integer != 0),
        _ => Scalar::Integer(value.integer),
    }
}

impl<P: MetricsRelay> Role<MetricsRelayBox> for P {
    type Config = <P as MetricsRelay>::Config;

    fn create(config: Self::Config, host: Host) -> Result<MetricsRelayBox, Error> {
        let instance = Instance::new(P::new(config, host.clone())?, host);
        Ok(RawMetricsRelay_TO::from_value(
            instance,
            abi_stable::erased_types::TD_Opaque,
        ))
    }
}

impl<P: MetricsRelay> RawMetricsRelay for Instance<P> {
    fn run(&mut self, measurements: Source<AbiMeasurement>) -> RResult<(), AbiError> {
        let mut measurements = MeasurementReceiver(Receiver::new(measurements));
        let run = async move |plugin: &mut P| plugin.run(&mut measurements).await;
        self.drive(run, async |plugin: &mut P| plugin.cleanup().await)
    }
}

#[cfg(test)]
mod tests {
    use super::{Measurement, MeasurementKind};
    use crate::abi::host::MeasureKind;
    use crate::host::Scalar;

    #[test]
    fn a_measurement_keeps_what_it_is_about_in_order() {
        let measurement = Measurement::new(MeasurementKind::Increment, "run-ended", 1_u32)
            .label("status", "success".into())
            .label("number", 7_i64.into())
            .label("status", true.into())
            .described("How the run ended.", "runs");
        let labels = measurement
            .labels()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>();
        assert_eq!(labels, ["status=success", "number=7", "status=true"]);
        assert_eq!(measurement.value(), Scalar::Integer(1));
        assert_eq!(measurement.help(), Some("How the run ended."));
        assert_eq!(measurement.unit(), Some("runs"));
    }

    #[test]
    fn what_a_newer_host_may_send_is_taken_with_care() {
        let mut measurement = Measurement::new(MeasurementKind::Timer, "m", 0.5);
        measurement.0.kind = MeasureKind(99);
        assert_eq!(measurement.kind(), MeasurementKind::Value);
        assert!((measurement.as_f64() - 0.5).abs() < f64::EPSILON);
        measurement.0.value = Scalar::Text("many").into_owned();
        assert_eq!(measurement.value(), Scalar::Integer(0));
        assert_eq!(measurement.help(), None);
    }
}
