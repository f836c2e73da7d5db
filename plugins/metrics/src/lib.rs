//! Makes known to Prometheus or to a statsd what is measured.
//!
//! - the metrics relay `metrics.prometheus` writes a file for node_exporter's textfile collector,
//!   pushes to a Pushgateway, or both;
//! - the metrics relay `metrics.statsd` sends datagrams to a statsd.

mod prometheus;
mod exposition;
mod textfile;
mod pushgateway;
mod statsd;
mod line;
mod sink;

use janitor_plugin_api::Measurement;

janitor_plugin_api::export! {
    /// Writes what is measured for node_exporter's textfile collector, or pushes it to a Pushgateway.
    metrics_relay "metrics.prometheus" => prometheus::Prometheus;
    /// Sends what is measured to a statsd, over UDP or a Unix socket.
    metrics_relay "metrics.statsd" => statsd::Statsd;
}

/// Whether a measurement is of a single zone: with very many zones there are very many of these.
fn is_of_a_zone(measurement: &Measurement) -> bool {
    measurement.labels().any(|(name, _)| name == "zone")
}
