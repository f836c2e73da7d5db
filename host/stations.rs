//! What the host does to messages on their way.
//!
//! Each station is a value that takes a message and says what goes on; waiting and channels are the
//! pipeline's.

pub mod merge;
pub mod provenance;
pub mod losers;
pub mod route;
mod markers;
pub mod ownership;
pub mod survey;
pub mod digests;
pub mod planned;
pub mod answers;
pub mod scope;
pub mod cuts;
pub mod memory;
pub mod convergence;
pub mod guard;
pub mod outcomes;
pub mod undo;
