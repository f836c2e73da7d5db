//! DNS content as values: names, RRsets, zones, and their comparison.

pub mod text;
