//! Shows a plan: what is to change in each zone, and what takes no part.

mod text;
mod json;
mod merged;

use std::fmt::Display;

use janitor_plugin_api::dns::RrsetRef;
use janitor_plugin_api::dns::text::rdata_display;

pub use self::json::write_json;
pub use self::text::write_text;
use crate::report::ChangeCounts;

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

/// Texts of plugins may hold anything; a terminal gets no control characters.
fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let control = c.is_control();
            let escaped = control.then(|| c.escape_default()).into_iter().flatten();
            escaped.chain((!control).then_some(c))
        })
        .collect()
}

/// The rdata of an RRset in presentation format.
fn rdatas(rrset: RrsetRef<'_>) -> impl Iterator<Item = impl Display> {
    let rtype = rrset.rtype();
    rrset.rdatas().map(move |rdata| rdata_display(rtype, rdata))
}
