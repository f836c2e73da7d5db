//! Shows a plan: what is to change in each zone, and what takes no part.
//!
//! - `view`: what people are shown, whatever the form;
//! - `text`, `markdown`, `html`: those forms;
//! - `json`: everything, for programs.

mod view;
mod text;
pub mod schema;
mod markdown;
mod html;
mod json;
mod merged;
mod seal;
mod unseal;

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write};

use anstream::AutoStream;
use janitor_plugin_api::dns::RrsetRef;
use janitor_plugin_api::dns::text::rdata_display;

pub use self::html::write_html;
pub use self::json::write_json;
pub use self::markdown::write_markdown;
use self::schema::HeaderLine;
pub use self::seal::{may_write, write_sealed};
pub use self::text::write_text;
pub use self::unseal::{SealedPlan, SealedZone, read_sealed};
pub use self::view::Extent;
pub(crate) use self::view::way_of;
use crate::args::{Format, Shown};
use crate::error::Error;
use crate::pipeline::Outcome;
use crate::report::ChangeCounts;

/// The most changes of a zone that a terminal is shown unless it asks for all: nobody reads more there.
/// A file or a pipe gets everything, so that nothing is missing without somebody seeing it.
const MOST_ON_A_TERMINAL: usize = 200;

/// Octets that are written at once.
const BUFFER: usize = 1 << 16;

/// Writes a plan to standard output; `header` is asked for where the form has room for it.
///
/// # Errors
///
/// If standard output cannot be written to. A reader that has seen enough, as `head`, is no failure.
pub fn show(
    header: impl FnOnce() -> HeaderLine,
    outcome: &Outcome,
    shown: Shown,
) -> Result<(), Error> {
    let mut extent = Extent {
        all: shown.all,
        changes: None,
    };
    let stdout = io::stdout();
    let written = if shown.format == Format::Text {
        let width = stdout.is_terminal().then(|| width(&stdout)).flatten();
        extent.changes = (width.is_some() && !shown.all).then_some(MOST_ON_A_TERMINAL);
        let wants = AutoStream::choice(&stdout);
        let out = io::BufWriter::with_capacity(BUFFER, io::stdout().lock());
        // What strips styles writes in pieces, so it comes before the buffer.
        let mut out = AutoStream::new(Box::new(out) as Box<dyn Write>, wants);
        write_text(outcome, extent, width, &mut out).and_then(|()| out.flush())
    } else {
        let mut out = io::BufWriter::with_capacity(BUFFER, stdout.lock());
        match shown.format {
            Format::Markdown => write_markdown(outcome, extent, shown.max_length, &mut out),
            Format::Html => write_html(outcome, extent, &mut out),
            Format::Text | Format::Json => write_json(&header(), outcome, &mut out, |_| Ok(None)),
        }
        .and_then(|()| out.flush())
    };
    match written {
        // Whoever read the plan has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => {
            written.map_err(|e| Error::failed("cannot write the plan to standard output", e))
        }
    }
}

/// The columns of a terminal, if it knows.
fn width(terminal: &io::Stdout) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

/// `2 additions, 1 update, 3 deletions`, without what is nought.
#[must_use]
pub fn summary(counts: ChangeCounts) -> String {
    let parts = [
        (counts.additions, "addition"),
        (counts.updates, "update"),
        (counts.deletions, "deletion"),
    ];
    let parts = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, noun)| plural(number, noun))
        .collect::<Vec<_>>();
    if parts.is_empty() {
        "no changes".to_owned()
    } else {
        parts.join(", ")
    }
}

fn plural(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// The rdata of an RRset in presentation format.
fn rdatas(rrset: RrsetRef<'_>) -> impl Iterator<Item = impl Display> {
    let rtype = rrset.rtype();
    rrset.rdatas().map(move |rdata| rdata_display(rtype, rdata))
}

#[cfg(test)]
mod tests;
