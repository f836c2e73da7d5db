//! Which settings each plugin is given.
//!
//! A plugin gets everything of its own table, and of its parents' tables what it knows. A key of its
//! own table that it does not know is an error; an inherited one only if no plugin below that parent
//! knows it, for it may be meant for a sibling.

use std::collections::BTreeSet;

use crate::config::{PluginTable, Rendered, nearest};
use crate::problem::{Code, Problem};

/// A plugin, its table, and the settings it knows; none if it takes any.
pub struct Wanted<'a> {
    /// What the configuration has for it.
    pub table: &'a PluginTable,
    /// Names of the settings it knows.
    pub known: Option<Vec<String>>,
}

/// What is wrong with the settings of plugins.
pub struct Unknown {
    /// Position of the plugin whose own table it is; none where a whole family inherits the setting.
    pub plugin: Option<usize>,
    /// The setting that nothing knows.
    pub problem: Problem,
}

/// What each plugin is given, in the same order, and what nothing knows.
///
/// `installed` are the keys of all plugins that there are or ought to be. Settings of a family that has more
/// plugins than those that run are not complained about: an idle sibling may know them.
#[must_use]
pub fn distribute(wanted: &[Wanted<'_>], installed: &[&str]) -> (Vec<Rendered>, Vec<Unknown>) {
    let mut problems = Vec::new();
    let given = wanted
        .iter()
        .enumerate()
        .map(|(index, plugin)| {
            own_unknown(index, plugin, &mut problems);
            plugin.table.given(plugin.known.as_deref())
        })
        .collect();
    inherited_unknown(wanted, installed, &mut problems);
    (given, problems)
}

fn knows(known: Option<&[String]>, name: &str) -> bool {
    known.is_none_or(|known| known.iter().any(|known| known == name))
}

fn own_unknown(index: usize, plugin: &Wanted<'_>, problems: &mut Vec<Unknown>) {
    for (key, _) in &plugin.table.own {
        if !knows(plugin.known.as_deref(), &key.name) {
            let known = plugin.known.as_deref().unwrap_or_default();
            problems.push(Unknown {
                plugin: Some(index),
                problem: plugin.table.unknown_setting(&key.name, known, &key.origin),
            });
        }
    }
}

fn inherited_unknown(wanted: &[Wanted<'_>], installed: &[&str], problems: &mut Vec<Unknown>) {
    let mut judged = BTreeSet::new();
    for plugin in wanted {
        let family = family(&plugin.table.key);
        let idle_sibling = installed.iter().any(|key| {
            self::family(key) == family && !wanted.iter().any(|wanted| wanted.table.key == **key)
        });
        for (key, _) in &plugin.table.inherited {
            let mut names = Vec::new();
            let mut known = idle_sibling;
            for other in wanted
                .iter()
                .filter(|other| self::family(&other.table.key) == family)
            {
                known |= knows(other.known.as_deref(), &key.name);
                names.extend(other.known.iter().flatten().map(String::as_str));
            }
            if known || !judged.insert(key.origin.to_string()) {
                continue;
            }
            let meant = nearest(&key.name, names.iter().copied())
                .map(|name| format!("; did you mean \"{name}\"?"))
                .unwrap_or_default();
            let summary = format!(
                "no plugin below [{family}] has a setting \"{}\"{meant}",
                key.name
            );
            let problem = Problem::error(Code::UnknownSetting, summary)
                .at(&key.origin, format!("inherited by [{}]", plugin.table.key))
                .help("correct its name, or remove it");
            problems.push(Unknown {
                plugin: None,
                problem,
            });
        }
    }
}

/// The first part of a key: the table that all plugins of the family inherit from.
fn family(key: &str) -> &str {
    key.split('.').next().unwrap_or(key)
}
