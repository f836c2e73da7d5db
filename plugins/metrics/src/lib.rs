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

janitor_plugin_api::export! {
    /// Writes what is measured for node_exporter's textfile collector, or pushes it to a Pushgateway.
    metrics_relay "metrics.prometheus" => prometheus::Prometheus;
    /// Sends what is measured to a statsd, over UDP or a Unix socket.
    metrics_relay "metrics.statsd" => statsd::Statsd;
}
