//! What only a metrics relay can do.

use janitor_plugin_api::{
    Error, Host, Measurement, MeasurementKind, MeasurementReceiver, MetricsRelay,
};

use crate::life::{Settings, name};

pub(crate) const MEDDLES: u8 = 0;
pub(crate) const LEAVES_EARLY: u8 = 1;

/// A metrics relay that does what `TRICK` says.
pub(crate) struct Relay<const TRICK: u8> {
    settings: Settings,
    host: Host,
}

impl<const TRICK: u8> MetricsRelay for Relay<TRICK> {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        tracing::info!("created");
        Ok(Self { settings, host })
    }

    async fn run(&mut self, measurements: &mut MeasurementReceiver) -> Result<(), Error> {
        tracing::info!("running");
        if TRICK == LEAVES_EARLY {
            return Ok(());
        }
        for apex in &self.settings.zones {
            let reason = Error::zone("cannot measure it", "it is too long");
            self.host.leave_out(name(apex)?.as_ref(), &reason);
        }
        while let Some(measurement) = measurements.receive().await {
            tracing::info!("measured: {}", shown(&measurement));
            self.host.increment("measured", 1_i64, &[]);
        }
        // The queue is closed before the relay is told, so whether it knows already is chance.
        self.host.cancelled().await;
        tracing::info!("the stream has ended, and the run is over");
        Ok(())
    }

    async fn cleanup(&mut self) -> Result<(), Error> {
        tracing::info!("cleaned up");
        Ok(())
    }
}

fn shown(measurement: &Measurement) -> String {
    let labels = measurement
        .labels()
        .map(|(name, value)| format!(" {name}={value}"))
        .collect::<String>();
    // Nobody knows how long something takes.
    let value = match measurement.kind() {
        MeasurementKind::Timer => "some".to_owned(),
        _ => measurement.value().to_string(),
    };
    format!(
        "{:?} {}{labels}: {value} {}",
        measurement.kind(),
        measurement.name(),
        measurement.unit().unwrap_or("of something")
    )
}

impl<const TRICK: u8> Drop for Relay<TRICK> {
    fn drop(&mut self) {
        tracing::info!("dropped");
    }
}
