//! The command `why`: who wants a name, what is served, what is planned, and which rule decided.
//!
//! Every zone is compared, as for a plan: limits of the run as a whole, other zones and what several
//! authorities say together decide about one name, too. Nothing is published.
//!
//! - `inquiry`: what is kept of the zones on their way;
//! - `past`: what earlier runs did at the name;
//! - `answer`: what follows from it and from the plan;
//! - `text`, `json`: the answer, for people and for programs.

mod inquiry;
mod past;
mod answer;
mod text;
mod json;

use std::io::{self, Write};

use self::answer::Answer;
pub use self::inquiry::{Content, Inquiry, Seen, Wanted};
use self::past::past;
use crate::args::Why;
use crate::error::Error;
use crate::resolve::Purpose;
use crate::run::{Errand, Setting, carry_out};

/// Plans once, says on standard output why one name is as it is, and returns the exit code: that of the
/// plan.
///
/// # Errors
///
/// As for a plan.
pub fn why(setting: &Setting<'_>, asked: &Why) -> Result<u8, Error> {
    let inquiry = Inquiry::new(asked.name.clone());
    let outcome = carry_out(
        &setting.asking(&inquiry),
        Errand::plan(Purpose::Show, false),
    )?;
    let mut answer = Answer::new(&outcome, &inquiry, asked.rtype);
    if let Some(apex) = answer.place.apex() {
        let (root, apex) = (setting.state_root(), apex.to_owned());
        answer.past = past(&root, &apex, inquiry.name(), asked.rtype);
    }
    let written = if asked.json {
        let mut out = io::stdout().lock();
        json::write(&answer, &mut out).and_then(|()| out.flush())
    } else {
        let mut out = anstream::stdout();
        text::write(&answer, &mut out).and_then(|()| out.flush())
    };
    match written {
        // Whoever asked has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        written => {
            written.map_err(|e| Error::failed("cannot write the answer to standard output", e))?;
        }
    }
    Ok(outcome.report.exit_code())
}

#[cfg(test)]
mod tests;
