//! Zones in files: the janitor's default, which needs no server at all.
//!
//! One directory holds the desired state, another what is served, each zone in a file of its own:
//!
//! - the authority `files.zones` takes the desired state of zones from zone files;
//! - the reconciler `files.served` reads the served zones from zone files;
//! - the publisher `files.changes` writes every change as a line of JSON;
//! - the publisher `files.apply` rewrites the served zone files.

mod apply;
mod changes;
mod directory;
mod replace;
mod run;
mod served;
mod zone_file;
mod zones;

janitor_plugin_api::export! {
    /// Takes the desired state of zones from zone files in a directory.
    authority "files.zones" => zones::Zones;
    /// Reads the served zones from zone files in a directory.
    reconciler "files.served" => served::Served;
    /// Writes every change as a line of JSON to a file or to standard output.
    publisher "files.changes" => changes::ChangeLines;
    /// Applies changes to zone files in a directory, each rewritten whole or not at all.
    publisher "files.apply" => apply::Apply;
}
