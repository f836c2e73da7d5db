//! Changes zones at their primary by UPDATE (RFC 2136).
mod plan;
mod condition;
mod names;
mod message;
mod batch;
mod verdict;
mod work;
