//! The plugins for name servers with the servers of others: Knot, BIND, NSD, PowerDNS.
//!
//! `harness` proves the servers themselves, without the program.

mod harness;
mod proxied;
mod content;
mod deployment;
mod connecting;
mod reading;
mod kept;
mod sources;
mod updating;
mod writers;
mod waiting;
mod refusing;
mod limits;
mod oddities;
mod reading_back;
mod round_trips;
