//! The built program with the built libraries, from the outside: nothing of the host is linked here.
//!
//! The modules stand in the order of a run. `janitor` is the harness.

#![cfg(test)]

mod janitor;

mod configuration;
mod libraries;
mod panics;
mod authorities;
mod reconcilers;
mod publishers;
