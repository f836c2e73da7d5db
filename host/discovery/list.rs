//! The table of `plugins list`.

use super::{Discovered, Discovery};
use crate::manifest::Plugin;
use crate::preflight::Verdict;
use crate::problem::{Problem, escape};
use crate::table::columns;

/// Lines of one kind below the table at most; `--json` has them all.
const LINES: usize = 20;
/// Names in one line at most.
const NAMES: usize = 8;

/// Returns one line per plugin, and one per library that was refused.
/// `enabled` are the keys in `core.plugins`; digests are shown if `with_digest`.
#[must_use]
pub fn list(discovery: &Discovery, enabled: &[&str], with_digest: bool) -> String {
    let mut head = vec!["KEY", "ROLE", "VERSION", "API", "STATE", "FILE"];
    head.extend(with_digest.then_some("SHA256"));
    let mut rows = vec![head.into_iter().map(str::to_owned).collect::<Vec<_>>()];
    let mut strangers = Vec::new();
    let mut links = Vec::new();
    let mut reasons = Vec::new();
    for file in discovery.files() {
        let name = escape(&file.name());
        let refusal = match &file.judged.verdict {
            Verdict::NotAPlugin => {
                strangers.push(name);
                continue;
            }
            Verdict::Plugin(_) => None,
            Verdict::Refused(problem, _) => Some(problem),
        };
        if let Some(same) = file.same_as.and_then(|index| discovery.files().get(index)) {
            links.push(format!(
                "{name} is the same file as {}, and listed with it",
                escape(&same.name())
            ));
            continue;
        }
        let digest = with_digest.then(|| digest(file));
        let mut push = |cells: [String; 5]| {
            let row = cells.into_iter().chain([name.clone()]);
            rows.push(row.chain(digest.clone()).collect());
        };
        if let Some(manifest) = file.manifest() {
            for plugin in &manifest.plugins {
                let Plugin { key, role, .. } = plugin;
                push([
                    key.clone(),
                    role.to_string(),
                    escape(&manifest.version),
                    manifest.api.to_string(),
                    state(discovery, plugin, refusal, enabled).to_owned(),
                ]);
            }
        } else {
            push(["-", "-", "-", "-", "refused"].map(str::to_owned));
        }
        reasons.extend(refusal.map(reason));
    }
    reasons.extend(discovery.clashes().iter().map(reason));
    let directory = discovery.directory();
    let path = directory.path().display();
    let mut out = if rows.len() == 1 {
        let chosen_by = directory.chosen_by();
        format!("no plugins in {path} (chosen by {chosen_by})\n")
    } else {
        columns(&rows)
    };
    // One cause can have many refused.
    reasons.dedup();
    for lines in [reasons, links] {
        if lines.is_empty() {
            continue;
        }
        out.push('\n');
        let shown = lines.iter().take(LINES);
        shown.for_each(|line| out.push_str(&format!("{line}\n")));
        if let Some(more @ 1..) = lines.len().checked_sub(LINES) {
            out.push_str(&format!("and {more} more; --json has them all\n"));
        }
    }
    if !strangers.is_empty() {
        let libraries = match strangers.len() {
            1 => "1 other library".to_owned(),
            many => format!("{many} other libraries"),
        };
        let mut names = strangers[..strangers.len().min(NAMES)].join(", ");
        if let Some(more @ 1..) = strangers.len().checked_sub(NAMES) {
            names.push_str(&format!(" and {more} more"));
        }
        out.push_str(&format!(
            "\n{libraries} in {path} without plugins: {names}\n"
        ));
    }
    out
}

/// What becomes of a plugin when something runs.
pub(super) fn state(
    discovery: &Discovery,
    plugin: &Plugin,
    refusal: Option<&Problem>,
    enabled: &[&str],
) -> &'static str {
    if refusal.is_some() {
        "refused"
    } else if discovery.offers(&plugin.key) > 1 {
        "ambiguous"
    } else if enabled.contains(&plugin.key.as_str()) {
        "enabled"
    } else {
        "available"
    }
}

fn reason(problem: &Problem) -> String {
    format!("{}: {}", problem.code(), escape(problem.summary()))
}

fn digest(file: &Discovered) -> String {
    file.digest()
        .map_or_else(|| "-".to_owned(), |digest| digest.to_string())
}
