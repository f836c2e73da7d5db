//! A run is a process: a child of the same binary carries it out, and this one says how it ended.
//!
//! ```text
//!   parent ── starts ──► worker ── opens libraries, runs plugins, logs, measures
//!     │ ◄── what is being done, and at last the exit code ──┘
//!     └──── signals that reached the parent ──►
//! ```
//!
//! A plugin that crashes, calls `exit` or cannot be stopped ends the worker, never the report: without
//! the last message a run has failed, whatever the worker's exit status, and the parent says which
//! plugin was doing what. It runs no plugin code and holds no state of the run.
//!
//! - `link`: what they tell each other;
//! - `child`: the worker's side;
//! - `parent`: starts it, and tells how it ended;
//! - `watch`: what is known of it meanwhile, and how long it is waited for;
//! - `verdict`: what became of a worker that did not report, as operators read it.

mod link;
mod child;
mod parent;
mod watch;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

pub use self::child::Breadcrumbs;
pub use self::link::{Doing, Operation};

use crate::args::Args;
use crate::control::Control;
use crate::error::Error;

/// How long opening one library may take, unless a test says otherwise.
pub const OPENING_LIMIT: Duration = Duration::from_secs(30);

/// Carries `work` out in a worker, or where it was asked to, in this process.
///
/// Returns the exit code in the parent alone; a process that runs plugins ends without a farewell.
///
/// # Errors
///
/// If there can be no worker, or no handlers of signals.
pub fn carry_out(
    args: &Args,
    work: impl FnOnce(&Arc<Control>) -> Result<u8, Error>,
) -> Result<u8, Error> {
    match args.worker.worker_of {
        Some(parent) => child::serve(parent, work),
        None if args.in_process() => child::alone(work),
        None => parent::run(args),
    }
}
