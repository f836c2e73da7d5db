//! The built program with the built libraries, from the outside: nothing of the host is linked here.
//!
//! The modules stand in the order of a run, whole runs last. `janitor` is the harness, `peers` are
//! programs of others.

#![cfg(test)]

mod janitor;
mod peers;
mod random;

mod configuration;
mod settings;
mod secrets;
mod inspecting;
mod debug;
mod libraries;
mod preflight;
mod places;
mod rights;
mod installing;
mod crowd;
mod toolchain;
mod private_fork;
mod logging;
mod syslog;
mod told_secrets;
mod panics;
mod authorities;
mod merging;
mod scope;
mod zone_files;
mod reconcilers;
mod reading;
mod plans;
mod pages;
mod guard;
mod convergence;
mod why;
mod publishers;
mod cancellation;
mod worker;
mod crashes;
mod remembering;
mod recording;
mod undoing;
mod swapping;
mod applying;
mod outcomes;
mod relays;
mod prometheus;
mod statsd;
mod scenarios;
mod random_zones;
mod name_servers;
mod pubsub;
mod google;
mod wrong_deletions;
mod faults_of_the_original;
