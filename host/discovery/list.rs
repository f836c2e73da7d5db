//! The table of `plugins list`.

use super::Discovery;
use crate::manifest::Plugin;
use crate::preflight::Verdict;
use crate::problem::escape;

/// Returns one line per plugin, and one per library that was refused.
/// `enabled` are the keys in `core.plugins`.
#[must_use]
pub fn list(discovery: &Discovery, enabled: &[&str]) -> String {
    let mut rows = vec![["KEY", "ROLE", "VERSION", "API", "STATE", "FILE"].map(str::to_owned)];
    let mut strangers = 0;
    let mut reasons = Vec::new();
    for file in discovery.files() {
        let name = escape(&file.name());
        let manifest = file.manifest();
        let refusal = match &file.judged.verdict {
            Verdict::NotAPlugin => {
                strangers += 1;
                continue;
            }
            Verdict::Plugin(_) => None,
            Verdict::Refused(problem, _) => Some(problem),
        };
        for plugin in manifest.iter().flat_map(|manifest| &manifest.plugins) {
            let state = match (refusal, discovery.find(&plugin.key)) {
                (Some(_), _) => "refused",
                (None, Err(_)) => "ambiguous",
                (None, Ok(Some((found, ..)))) if found.path != file.path => "linked",
                _ if enabled.contains(&plugin.key.as_str()) => "enabled",
                _ => "available",
            };
            let Plugin { key, role, .. } = plugin;
            let (version, api) = manifest
                .map(|manifest| (manifest.version.clone(), manifest.api.to_string()))
                .unwrap_or_default();
            rows.push([
                key.clone(),
                role.to_string(),
                escape(&version),
                api,
                state.to_owned(),
                name.clone(),
            ]);
        }
        if let Some(problem) = refusal {
            if manifest.is_none() {
                rows.push(["-", "-", "-", "-", "refused", &name].map(str::to_owned));
            }
            reasons.push(format!("{}: {}", problem.code(), escape(problem.summary())));
        }
    }
    for problem in discovery.clashes() {
        reasons.push(format!("{}: {}", problem.code(), escape(problem.summary())));
    }
    let mut out = if rows.len() == 1 {
        String::new()
    } else {
        table(&rows)
    };
    if rows.len() == 1 {
        let path = discovery.directory().path().display();
        out.push_str(&format!(
            "no plugins in {path} (chosen by {})\n",
            discovery.directory().chosen_by()
        ));
    }
    if !reasons.is_empty() {
        out.push('\n');
        reasons
            .iter()
            .for_each(|reason| out.push_str(&format!("{reason}\n")));
    }
    if strangers > 0 {
        let libraries = if strangers == 1 {
            "1 other library"
        } else {
            &format!("{strangers} other libraries")
        };
        out.push_str(&format!(
            "\n{libraries} in {} without plugins\n",
            discovery.directory().path().display()
        ));
    }
    out
}

/// Aligns the columns; the last one ends where it ends.
fn table(rows: &[[String; 6]]) -> String {
    let mut widths = [0; 6];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut out = String::new();
    for row in rows {
        let cells: Vec<_> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out
}
