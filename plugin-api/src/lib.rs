//! How to write a plugin for gordon-janitor.

pub mod dns;
pub mod zonefile;
