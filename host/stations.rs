//! What the host does to messages on their way.
//!
//! Each station is a value that takes a message and says what goes on; waiting and channels are the
//! pipeline's.

pub mod merge;
pub mod provenance;
pub mod losers;
pub mod route;
pub mod survey;
pub mod kept;
pub mod planned;
pub mod answers;
pub mod outcomes;
