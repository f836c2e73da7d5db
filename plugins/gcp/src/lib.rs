//! Google Cloud: the names of instances, record sets of Cloud DNS, messages for the Gordon service.
//!
//! - the authority `gcp.gce` makes records of the instances of Compute Engine;
//! - the reconciler `gcp.gdns` reads the served zones from Cloud DNS;
//! - the publisher `gcp.gpubsub` sends corrections to the Gordon service, by Pub/Sub;
//! - the publisher `gcp.apply` makes corrections in Cloud DNS itself.

mod settings;
mod http;
mod auth;
mod limits;
mod projects;
mod instances;
mod gce;
mod managed_zone;
mod record_sets;
mod gdns;
mod gpubsub;
mod apply;

janitor_plugin_api::export! {
    /// Makes records of the instances of Compute Engine.
    authority "gcp.gce" => gce::Gce;
    /// Reads the served zones from Cloud DNS.
    reconciler "gcp.gdns" => gdns::Gdns;
    /// Sends corrections to the Gordon service, by Pub/Sub.
    publisher "gcp.gpubsub" => gpubsub::Gpubsub;
    /// Makes corrections in Cloud DNS, each only if what is served is as it was planned from.
    publisher "gcp.apply" => apply::Apply;
}
