//! The plan for people, as text.
//!
//! ```text
//! example.com. 1 addition, 2 updates
//!   + new.example.com.   300         A    192.0.2.1
//!   ~ www.example.com.   300 → 3600  A    192.0.2.2
//!   ~ text.example.com.  300         TXT
//!   -                                     "before"
//!   +                                     "after"
//! ```
//!
//! The first column says what is done: an RRset is added `+`, deleted `-` or updated `~`; below an
//! update the same signs stand before the values that come and go.

use std::fmt::{self, Display, Write as _};
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use janitor_plugin_api::dns::Action;

use super::summary;
use super::view::{Extent, Fate, Remark, Row, Ttls, View, Weight, ZoneView};
use crate::pipeline::Outcome;
use crate::problem::escape;

const ADDITION: Style = AnsiColor::Green.on_default();
const DELETION: Style = AnsiColor::Red.on_default();
const UPDATE: Style = AnsiColor::Yellow.on_default();
const HEADING: Style = Style::new().bold();
const GRAVE: Style = AnsiColor::Red.on_default().bold();
const QUIET: Style = Style::new().dimmed();
const PLAIN: Style = Style::new();

/// How wide a line is taken to be where there is no terminal.
const WIDTH: usize = 100;

/// Writes the plan for people: zones with changes, what was left out, and closing lines of sums.
/// `width` is that of the terminal, if there is one.
///
/// # Errors
///
/// Those of `out`.
pub fn write_text(
    outcome: &Outcome,
    extent: Extent,
    width: Option<usize>,
    out: &mut impl Write,
) -> io::Result<()> {
    let view = View::new(outcome, extent);
    let width = width.unwrap_or(WIDTH);
    for zone in view.zones() {
        write_zone(&zone, width, out)?;
    }
    for left_out in view.left_out() {
        let (name, reason) = (escape(&left_out.what), escape(&left_out.reason.join(": ")));
        writeln!(out, "{HEADING}{name}{HEADING:#} left out: {reason}")?;
        if let Some(hint) = &left_out.hint {
            writeln!(out, "  hint: {}", escape(hint))?;
        }
    }
    if let Some(way) = view.way.as_ref().filter(|_| view.has_changes()) {
        writeln!(out, "{QUIET}{way}{QUIET:#}")?;
    }
    writeln!(out, "{}: {}", view.sums(), summary(view.counts()))?;
    for remark in view.remarks() {
        write_remark("", &remark, out)?;
    }
    Ok(())
}

fn write_remark(indent: &str, remark: &Remark, out: &mut impl Write) -> io::Result<()> {
    let style = match remark.weight {
        Weight::Grave => GRAVE,
        Weight::Notice => PLAIN,
        Weight::Quiet => QUIET,
    };
    writeln!(out, "{indent}{style}{}{style:#}", escape(&remark.text))
}

fn write_zone(zone: &ZoneView<'_>, width: usize, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{HEADING}{}{HEADING:#} {}",
        zone.apex(),
        zone.summary()
    )?;
    if let Some(way) = &zone.way {
        writeln!(out, "  {QUIET}{way}{QUIET:#}")?;
    }
    for remark in &zone.remarks {
        write_remark("  ! ", remark, out)?;
    }
    let changes = zone.planned.changes();
    let columns = Columns::of(zone.rows(changes.iter()), width);
    let mut cells = Cells::default();
    let mut rule = None;
    for row in zone.rows(changes.iter()) {
        if row.rule != rule
            && let Some(rule) = row.rule
        {
            let (kind, text) = (rule.kind.word(), escape(&rule.text));
            writeln!(out, "  {QUIET}set aside ({kind}): {text}{QUIET:#}")?;
        }
        rule = row.rule;
        columns.write(&row, &mut cells, out)?;
    }
    match zone.not_shown() {
        0 => Ok(()),
        more => writeln!(out, "  {QUIET}… and {more} more; --all shows them{QUIET:#}"),
    }
}

/// How wide the columns of a zone are.
struct Columns {
    owner: usize,
    ttl: usize,
    rtype: usize,
    /// What is left for the values.
    value: usize,
}

/// The text of cells, whose room is used again.
#[derive(Default)]
struct Cells {
    owner: String,
    ttl: String,
    rtype: String,
    value: String,
}

impl Columns {
    /// Wide enough for `rows`, but for names that would leave too little for the rest.
    fn of<'a>(rows: impl Iterator<Item = Row<'a>>, width: usize) -> Self {
        let most = (width * 2 / 5).clamp(16, 48);
        let (mut owner, mut ttl, mut rtype) = (0, 0, 0);
        for row in rows {
            let here = written(row.owner());
            if here <= most {
                owner = owner.max(here);
            }
            ttl = ttl.max(written(row.ttls()));
            rtype = rtype.max(written(row.rtype()));
        }
        // A sign and its blanks come first, two blanks between columns.
        let before = 4 + owner + 2 + ttl + 2 + rtype + 2;
        Self {
            owner,
            ttl,
            rtype,
            value: width.saturating_sub(before),
        }
    }

    fn write(&self, row: &Row<'_>, cells: &mut Cells, out: &mut impl Write) -> io::Result<()> {
        let (sign, style) = match row.action() {
            Action::Addition => ('+', ADDITION),
            Action::Deletion => ('-', DELETION),
            Action::Update => ('~', UPDATE),
        };
        fill(&mut cells.owner, row.owner());
        if !row.begins_owner {
            cells.owner.clear();
        } else if cells.owner.chars().count() > self.owner {
            writeln!(out, "  {style}{sign}{style:#} {}", cells.owner)?;
            cells.owner.clear();
        }
        fill(&mut cells.ttl, row.ttls());
        fill(&mut cells.rtype, row.rtype());
        let (owner, ttl, rtype) = (self.owner, self.ttl, self.rtype);
        write!(out, "  {style}{sign}{style:#} {:owner$}  ", cells.owner)?;
        let is_changed = matches!(row.ttls(), Ttls::Changed(..));
        let style = if is_changed { UPDATE } else { PLAIN };
        write!(out, "{style}{:ttl$}{style:#}  ", cells.ttl)?;
        // The line goes on with a value, or ends behind the type.
        if self.write_exchange(row, cells, out)? {
            return Ok(());
        }
        let mut is_first = true;
        let hidden = row.staying_hidden();
        if hidden > 0 {
            let rest = format!("{hidden} values stay");
            writeln!(out, "{:rtype$}  {QUIET}{rest}{QUIET:#}", cells.rtype)?;
            is_first = false;
        }
        let is_update = row.action() == Action::Update;
        for value in row.values() {
            let (sign, style) = match value.fate {
                Fate::Stays => (' ', QUIET),
                Fate::Goes => ('-', DELETION),
                Fate::Comes => ('+', ADDITION),
            };
            fill(&mut cells.value, &value);
            if is_first && is_update && value.fate != Fate::Stays {
                writeln!(out, "{}", cells.rtype)?;
                is_first = false;
            }
            if is_first {
                write!(out, "{:rtype$}  ", cells.rtype)?;
            } else {
                let blank = owner + 2 + ttl + 2 + rtype + 2;
                write!(out, "  {style}{sign}{style:#} {:blank$}", "")?;
            }
            is_first = false;
            writeln!(out, "{style}{}{style:#}", cells.value)?;
        }
        Ok(())
    }

    /// Writes a value and the one that takes its place on one line, if there is room.
    fn write_exchange(
        &self,
        row: &Row<'_>,
        cells: &mut Cells,
        out: &mut impl Write,
    ) -> io::Result<bool> {
        let Some((before, after)) = row.exchange() else {
            return Ok(false);
        };
        fill(&mut cells.value, &before);
        let length = cells.value.len();
        fill(&mut cells.owner, &after);
        if length + " → ".chars().count() + cells.owner.len() > self.value {
            return Ok(false);
        }
        let rtype = self.rtype;
        writeln!(
            out,
            "{:rtype$}  {DELETION}{}{DELETION:#} → {ADDITION}{}{ADDITION:#}",
            cells.rtype, cells.value, cells.owner
        )?;
        Ok(true)
    }
}

fn fill(cell: &mut String, content: impl Display) {
    cell.clear();
    // A string takes everything.
    let _written = write!(cell, "{content}").is_ok();
}

/// How many characters `content` takes.
fn written(content: impl Display) -> usize {
    struct Counter(usize);
    impl fmt::Write for Counter {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 += text.chars().count();
            Ok(())
        }
    }
    let mut counter = Counter(0);
    let _written = write!(counter, "{content}").is_ok();
    counter.0
}
