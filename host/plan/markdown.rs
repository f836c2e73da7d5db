//! The plan for people, as Markdown: for merge requests and chat.
//!
//! What has to be known comes first, then a collapsible part for each zone with a table of its changes.
//! Every part is whole in itself: where a length is given, no row is begun that does not fit, and what is
//! missing is counted.
//!
//! Names, values and reasons come from elsewhere, and may hold anything. They stand in code spans, inside
//! of which nothing has a meaning: no markup, no link, no mention of a person.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};

use janitor_plugin_api::dns::Action;

use super::view::{Extent, Fate, Remark, Row, Ttls, View, Weight, ZoneView};
use super::{plural, summary};
use crate::pipeline::Outcome;
use crate::problem::escape;

/// What is kept free for the lines that say what is missing.
const RESERVE: usize = 300;

/// Writes the plan as Markdown (CommonMark with tables, as GitHub and GitLab have it), in at most
/// `length` characters if that is given.
///
/// # Errors
///
/// Those of `out`.
pub fn write_markdown(
    outcome: &Outcome,
    extent: Extent,
    length: Option<usize>,
    out: &mut impl Write,
) -> io::Result<()> {
    let view = View::new(outcome, extent);
    let left = length.map(|length| length.saturating_sub(RESERVE));
    let mut page = Page { out, left };
    page.write(&head(&view))?;
    let mut missing = Missing::default();
    let mut text = String::new();
    for remark in view.remarks() {
        let text = remarked(&remark);
        if !page.fits(&text, 0) {
            missing.remarks += 1;
            continue;
        }
        page.write(&text)?;
    }
    page.write("\n")?;
    for left_out in view.left_out() {
        text.clear();
        let reason = code(left_out.reason.join(": "));
        write!(text, "- {} left out: {reason}", code(&left_out.what)).ok();
        if let Some(hint) = &left_out.hint {
            write!(text, "; hint: {}", code(hint)).ok();
        }
        text.push('\n');
        if !page.fits(&text, 0) {
            missing.left_out += 1;
            continue;
        }
        page.write(&text)?;
    }
    if !view.left_out().is_empty() {
        page.write("\n")?;
    }
    for zone in view.zones() {
        write_zone(&zone, &mut page, &mut missing)?;
    }
    if let Some(missing) = missing.text() {
        page.write(&format!("\n_{missing}_\n"))?;
    }
    Ok(())
}

fn head(view: &View<'_>) -> String {
    let mut head = format!(
        "### DNS plan: {}\n\n{}",
        summary(view.counts()),
        view.sums()
    );
    if let Some(way) = &view.way {
        write!(head, "; {}", code(way)).ok();
    }
    head.push_str(".\n");
    head
}

fn remarked(remark: &Remark) -> String {
    let text = code(&remark.text);
    match remark.weight {
        Weight::Grave => format!("\n**Attention:** {text}\n"),
        Weight::Notice => format!("\n**Note:** {text}\n"),
        Weight::Quiet => format!("\n{text}\n"),
    }
}

/// Where Markdown goes, with what is left of its length.
struct Page<'a, W> {
    out: &'a mut W,
    left: Option<usize>,
}

impl<W: Write> Page<'_, W> {
    /// Whether `text` can be written so that `reserve` is left.
    fn fits(&self, text: &str, reserve: usize) -> bool {
        self.left
            .is_none_or(|left| text.chars().count() + reserve <= left)
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(text.chars().count());
        }
        self.out.write_all(text.as_bytes())
    }
}

/// What there was no room for.
#[derive(Default)]
struct Missing {
    remarks: usize,
    left_out: usize,
    changes: usize,
    zones: usize,
}

impl Missing {
    fn text(&self) -> Option<String> {
        let parts = [
            (self.remarks, "remark"),
            (self.changes, "change"),
            (self.left_out, "reason why something is left out"),
        ];
        let parts = parts.iter().filter(|(number, _)| *number > 0);
        let parts = parts.map(|(number, noun)| match noun.split_once(' ') {
            None => plural(*number, noun),
            Some((noun, rest)) => format!("{} {rest}", plural(*number, noun)),
        });
        let parts = parts.collect::<Vec<_>>();
        if parts.is_empty() && self.zones == 0 {
            return None;
        }
        let zones = match self.zones {
            0 => String::new(),
            zones => format!("; {} not even begun", plural(zones, "zone")),
        };
        Some(format!(
            "No room here for {}{zones}; `gordon-janitor plan` shows everything.",
            parts.join(" and ")
        ))
    }
}

const TABLE: &str = "\n| | owner | TTL | type | values |\n| --- | --- | --- | --- | --- |\n";
const END: &str = "\n</details>\n\n";

fn write_zone(
    zone: &ZoneView<'_>,
    page: &mut Page<'_, impl Write>,
    missing: &mut Missing,
) -> io::Result<()> {
    let mut text = format!(
        "<details><summary><code>{}</code> {}</summary>\n",
        in_html(&zone.apex().to_string()),
        zone.summary()
    );
    if let Some(way) = &zone.way {
        write!(text, "\n{}\n", code(way)).ok();
    }
    for remark in &zone.remarks {
        text.push_str(&remarked(remark));
    }
    let end = END.chars().count();
    if !page.fits(&text, end + TABLE.chars().count()) {
        missing.zones += 1;
        missing.changes += zone.counts.total();
        return Ok(());
    }
    page.write(&text)?;
    let changes = zone.planned.changes();
    let mut is_full = false;
    let mut is_begun = false;
    let mut rule = None;
    for row in zone.rows(changes.iter()) {
        text.clear();
        if row.rule != rule
            && let Some(rule) = row.rule
        {
            let (kind, what) = (rule.kind.word(), code(&rule.text));
            write!(text, "\nSet aside ({kind}): {what}\n").ok();
            is_begun = false;
        }
        rule = row.rule;
        if !is_begun {
            text.push_str(TABLE);
        }
        put_row(&row, &mut text);
        is_full = is_full || !page.fits(&text, end);
        if is_full {
            // Those set aside are counted in a remark.
            missing.changes += usize::from(row.rule.is_none());
            continue;
        }
        is_begun = true;
        page.write(&text)?;
    }
    if zone.not_shown() > 0 {
        missing.changes += zone.not_shown();
    }
    page.write(END)
}

fn put_row(row: &Row<'_>, text: &mut String) {
    let action = match row.action() {
        Action::Addition => "add",
        Action::Deletion => "delete",
        Action::Update => "update",
    };
    write!(text, "| {action} | ").ok();
    if row.begins_owner {
        put_cell(&row.owner().to_string(), text);
    }
    match row.ttls() {
        Ttls::Same(ttl) => write!(text, " | {ttl}"),
        Ttls::Changed(before, after) => write!(text, " | **{before} → {after}**"),
    }
    .ok();
    write!(text, " | {} | ", row.rtype()).ok();
    let mut value_text = String::new();
    let mut separator = "";
    let hidden = row.staying_hidden();
    if hidden > 0 {
        write!(text, "{hidden} values stay").ok();
        separator = "<br>";
    }
    let is_update = row.action() == Action::Update;
    for value in row.values() {
        text.push_str(std::mem::replace(&mut separator, "<br>"));
        // In an addition or deletion all values come or go.
        text.push_str(match value.fate {
            Fate::Goes if is_update => "− ",
            Fate::Comes if is_update => "+ ",
            _ => "",
        });
        value_text.clear();
        write!(value_text, "{value}").ok();
        put_cell(&value_text, text);
    }
    text.push_str(" |\n");
}

/// `content` as a code span.
fn code(content: impl Display) -> String {
    let mut text = String::new();
    put_code(&escape(&content.to_string()), &mut text);
    text
}

/// Appends `content` as a code span in a cell of a table.
fn put_cell(content: &str, text: &mut String) {
    if !content.contains('|') {
        return put_code(content, text);
    }
    // A bar ends the cell, also inside of a code span, and readers differ about a backslash before it.
    text.push_str("<code>");
    for character in content.chars() {
        match character {
            _ if character.is_alphanumeric() || character == ' ' => text.push(character),
            _ => write!(text, "&#{};", u32::from(character)).unwrap_or_default(),
        }
    }
    text.push_str("</code>");
}

/// Appends `content`, which has no control characters, as a code span.
fn put_code(content: &str, text: &mut String) {
    let mut longest = 0;
    let mut here = 0;
    for character in content.chars() {
        here = if character == '`' { here + 1 } else { 0 };
        longest = longest.max(here);
    }
    let fence = "`".repeat(longest + 1);
    let blank = if content.starts_with('`') || content.ends_with('`') {
        " "
    } else {
        ""
    };
    write!(text, "{fence}{blank}{content}{blank}{fence}").ok();
}

/// `content` inside of an element of HTML.
fn in_html(content: &str) -> String {
    let mut text = String::new();
    super::html::put_in_html(content, &mut text);
    text
}
