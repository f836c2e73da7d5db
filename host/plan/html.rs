//! The plan for people, as one page of HTML.
//!
//! The page needs nothing from elsewhere, and no script to be read. The small one that there is filters
//! by name; a policy in the page lets nothing else run. Text from elsewhere is escaped, and wraps.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use janitor_plugin_api::dns::{Action, NameRef};
use sha2::{Digest as _, Sha256};

use super::summary;
use super::view::{Extent, Fate, Remark, Row, Ttls, View, Weight, ZoneView};
use crate::pipeline::Outcome;
use crate::problem::escape;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A zone with more changes than this is closed at first.
const OPEN: usize = 500;

/// Writes the plan as a page of HTML.
///
/// # Errors
///
/// Those of `out`.
pub fn write_html(outcome: &Outcome, extent: Extent, out: &mut impl Write) -> io::Result<()> {
    let view = View::new(outcome, extent);
    let mut text = String::new();
    put_head(&view, &mut text);
    put_left_out(&view, &mut text);
    out.write_all(text.as_bytes())?;
    let mut zones = 0;
    for zone in view.zones() {
        zones += 1;
        write_zone(&zone, zones, &mut text, out)?;
    }
    let end = if zones == 0 {
        "<p class=\"empty\">Nothing to do.</p>\n"
    } else {
        ""
    };
    write!(
        out,
        "{end}</main>\n<footer>gordon-janitor {}</footer>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// What lets nothing but `content` run or apply.
fn source(content: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(content)))
}

fn put_head(view: &View<'_>, text: &mut String) {
    let counts = view.counts();
    write!(
        text,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {}; \
         script-src {}; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>DNS plan: {}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>DNS plan</h1>\n<p class=\"sums\">{}</p>\n<ul class=\"counts\">\n",
        source(STYLE),
        source(SCRIPT),
        summary(counts),
        view.sums(),
    )
    .ok();
    for (class, number, noun) in [
        ("add", counts.additions, "to add"),
        ("update", counts.updates, "to update"),
        ("delete", counts.deletions, "to delete"),
    ] {
        writeln!(
            text,
            "<li class=\"{class}\"><strong>{number}</strong> {noun}</li>"
        )
        .ok();
    }
    text.push_str("</ul>\n");
    if let Some(way) = &view.way {
        text.push_str("<p class=\"way\">");
        put(way, text);
        text.push_str("</p>\n");
    }
    put_remarks(&view.remarks(), text);
    text.push_str(
        "<p class=\"filter\" hidden><label for=\"filter\">Show names with</label> \
         <input id=\"filter\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\"> \
         <output for=\"filter\"></output></p>\n</header>\n<main>\n",
    );
}

fn put_remarks(remarks: &[Remark], text: &mut String) {
    for Remark {
        weight,
        text: remark,
    } in remarks
    {
        let (class, word) = match weight {
            Weight::Grave => ("grave", "Attention: "),
            Weight::Notice => ("notice", "Note: "),
            Weight::Quiet => ("quiet", ""),
        };
        write!(text, "<p class=\"{class}\"><b>{word}</b>").ok();
        put(remark, text);
        text.push_str("</p>\n");
    }
}

fn put_left_out(view: &View<'_>, text: &mut String) {
    if view.left_out().is_empty() {
        return;
    }
    text.push_str("<section aria-labelledby=\"left-out\">\n<h2 id=\"left-out\">Left out</h2>\n");
    text.push_str("<p>These stay as they are.</p>\n<dl>\n");
    for left_out in view.left_out() {
        text.push_str("<dt><code>");
        put(&left_out.what, text);
        text.push_str("</code></dt>\n<dd>");
        put(left_out.reason.join(": "), text);
        if let Some(hint) = &left_out.hint {
            text.push_str("<br><span class=\"quiet\">hint: ");
            put(hint, text);
            text.push_str("</span>");
        }
        text.push_str("</dd>\n");
    }
    text.push_str("</dl>\n</section>\n");
}

fn write_zone(
    zone: &ZoneView<'_>,
    number: usize,
    text: &mut String,
    out: &mut impl Write,
) -> io::Result<()> {
    let is_open = zone.counts.total() <= OPEN;
    text.clear();
    write!(
        text,
        "<details class=\"zone\"{}>\n<summary><h2 id=\"zone-{number}\"><code>",
        if is_open { " open" } else { "" }
    )
    .ok();
    put_name(zone.apex(), text);
    writeln!(
        text,
        "</code></h2> <span class=\"quiet\">{}</span></summary>",
        zone.summary()
    )
    .ok();
    if let Some(way) = &zone.way {
        text.push_str("<p class=\"way\">");
        put(way, text);
        text.push_str("</p>\n");
    }
    put_remarks(&zone.remarks, text);
    let changes = zone.planned.changes();
    let mut state = Table::None;
    let mut rule = None;
    for row in zone.rows(changes.iter()) {
        if row.rule != rule {
            state.end(text);
            rule = row.rule;
        }
        if state == Table::None {
            let caption = match row.rule {
                None => format!("Changes of {}", zone.apex()),
                Some(rule) => format!("Set aside ({}): {}", rule.kind.word(), rule.text),
            };
            text.push_str("<table>\n<caption>");
            put(caption, text);
            text.push_str(
                "</caption>\n<thead><tr><th scope=\"col\">Action</th><th scope=\"col\">Owner</th>\
                 <th scope=\"col\">TTL</th><th scope=\"col\">Type</th>\
                 <th scope=\"col\">Values</th></tr></thead>\n",
            );
            state = Table::Begun;
        }
        if row.begins_owner {
            state.end_owner(text);
            text.push_str("<tbody>\n");
            state = Table::Owner;
        }
        put_row(&row, text);
        // A page is not held in memory.
        if text.len() > 1 << 16 {
            out.write_all(text.as_bytes())?;
            text.clear();
        }
    }
    state.end(text);
    if zone.not_shown() > 0 {
        writeln!(
            text,
            "<p class=\"quiet\">… and {} more</p>",
            zone.not_shown()
        )
        .ok();
    }
    text.push_str("</details>\n");
    out.write_all(text.as_bytes())
}

/// Which elements are open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    None,
    Begun,
    Owner,
}

impl Table {
    fn end_owner(self, text: &mut String) {
        if self == Self::Owner {
            text.push_str("</tbody>\n");
        }
    }

    fn end(&mut self, text: &mut String) {
        self.end_owner(text);
        if *self != Self::None {
            text.push_str("</table>\n");
        }
        *self = Self::None;
    }
}

fn put_row(row: &Row<'_>, text: &mut String) {
    let class = match row.action() {
        Action::Addition => "add",
        Action::Deletion => "delete",
        Action::Update => "update",
    };
    write!(text, "<tr class=\"{class}\"><td>{class}</td>").ok();
    if row.begins_owner {
        text.push_str("<th scope=\"row\"><code>");
    } else {
        // Told to whoever does not see the row above.
        text.push_str("<th scope=\"row\" class=\"again\"><code>");
    }
    put_name(row.owner(), text);
    text.push_str("</code></th>");
    match row.ttls() {
        Ttls::Same(ttl) => write!(text, "<td>{ttl}</td>"),
        Ttls::Changed(before, after) => {
            write!(text, "<td><del>{before}</del> → <ins>{after}</ins></td>")
        }
    }
    .ok();
    write!(text, "<td>{}</td><td>", row.rtype()).ok();
    let hidden = row.staying_hidden();
    if hidden > 0 {
        write!(text, "<div class=\"quiet\">{hidden} values stay</div>").ok();
    }
    for value in row.values() {
        let (begin, end) = match value.fate {
            Fate::Stays => ("<div><code class=\"quiet\">", "</code></div>"),
            Fate::Goes => ("<div><del>", "</del></div>"),
            Fate::Comes => ("<div><ins>", "</ins></div>"),
        };
        text.push_str(begin);
        put_plain(&value, text);
        text.push_str(end);
    }
    text.push_str("</td></tr>\n");
}

/// Appends a name, which may be broken behind its dots.
fn put_name(name: NameRef<'_>, text: &mut String) {
    struct Breaking<'a>(&'a mut String);
    impl std::fmt::Write for Breaking<'_> {
        fn write_str(&mut self, piece: &str) -> std::fmt::Result {
            for part in piece.split_inclusive('.') {
                put_in_html(part, self.0);
                if part.ends_with('.') {
                    self.0.push_str("<wbr>");
                }
            }
            Ok(())
        }
    }
    write!(Breaking(text), "{name}").ok();
}

/// Appends text that may hold anything.
fn put(content: impl Display, text: &mut String) {
    put_in_html(&escape(&content.to_string()), text);
}

/// Appends what has no control characters: rdata in presentation format.
fn put_plain(content: impl Display, text: &mut String) {
    struct Escaping<'a>(&'a mut String);
    impl std::fmt::Write for Escaping<'_> {
        fn write_str(&mut self, piece: &str) -> std::fmt::Result {
            put_in_html(piece, self.0);
            Ok(())
        }
    }
    write!(Escaping(text), "{content}").ok();
}

/// Appends `content` so that it is text wherever it stands in HTML.
pub(super) fn put_in_html(content: &str, text: &mut String) {
    let mut rest = content;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        text.push_str(match from.as_bytes()[0] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "&#39;",
        });
        rest = &from[1..];
    }
    text.push_str(rest);
}
