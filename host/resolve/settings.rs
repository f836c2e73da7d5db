//! The settings of plugins, judged by what their libraries say before any of them is opened.

use std::collections::BTreeSet;

use super::search::Named;
use crate::config::{Config, FILES, Inherited, PluginTable, nearest};
use crate::discovery::{Discovered, Discovery};
use crate::manifest::{Manifest, Plugin};
use crate::preflight::Verdict;
use crate::problem::{Code, Problem};
use crate::schema::{Accepts, Place, Setting, assignment, check, missing};

/// A setting that a plugin would inherit and does not know.
pub(super) struct LeftBehind {
    /// The plugin.
    pub(super) heir: String,
    /// The setting.
    pub(super) inherited: Inherited,
}

/// Everything wrong with what `plugin` is given.
pub(super) fn judge(table: &PluginTable, manifest: &Manifest, plugin: &Plugin) -> Vec<Problem> {
    let place = Place {
        path: table.key.clone(),
        origin: Some(&table.origin),
        owner: format!("{} {}", table.key, manifest.version),
        help: Some(format!("gordon-janitor plugins show {}", table.key)),
    };
    check(&table.located(), &plugin.settings, &place)
}

/// The problem that a listed plugin has no table.
pub(super) fn missing_table(
    config: &Config,
    discovery: &Discovery,
    named: &Named<'_>,
    plugin: &Plugin,
    inherited: &[Inherited],
) -> Problem {
    let (key, by) = (plugin.key.as_str(), named.by);
    let summary = if config.core().debug {
        format!("Skipped loading plugin \"{key}\" because no configuration was found.")
    } else {
        format!("plugin \"{key}\" is listed in {by} but no configuration was found for it")
    };
    let problem = Problem::error(Code::MissingTable, summary)
        .at(&named.entry.origin, by)
        .found(format!("no table [{key}] in {} or {}", FILES[0], FILES[1]));
    // The table of another plugin is not meant for this one.
    let known = |name: &str| {
        config.core().plugins.iter().any(|other| other.key == name)
            || discovery.keys().any(|other| other == name)
    };
    if let Some((near, origin)) = config.similar_table(key).filter(|(name, _)| !known(name)) {
        return problem.help(format!(
            "is the table [{near}] at {origin} meant for it? then write [{key}] there"
        ));
    }
    let Accepts::Settings(table) = &plugin.settings else {
        return problem.help(format!("add a table [{key}]"));
    };
    let given: Vec<_> = inherited
        .iter()
        .map(|inherited| inherited.key.name.as_str())
        .collect();
    let missing: Vec<&Setting> = missing(table, &given).collect();
    if missing.is_empty() {
        let inherits = table.settings.iter().any(|setting| setting.required);
        return problem
            .because(if inherits {
                "it inherits what it requires, but runs only if it has a table of its own"
            } else {
                "it requires nothing, but runs only if it has a table"
            })
            .help(format!("add:  [{key}]"));
    }
    let names: Vec<_> = missing
        .iter()
        .map(|setting| format!("\"{}\" ({})", setting.name, setting.schema.type_name()))
        .collect();
    let problem = problem
        .because(format!("it requires {}", names.join(", ")))
        .help(format!("add:  [{key}]"));
    missing.iter().fold(problem, |problem, setting| {
        problem.help(format!("add:  {}", assignment(setting)))
    })
}

/// The inherited settings that no installed plugin below their table knows, whether it runs or not.
pub(super) fn unknown_to_all(
    discovery: &Discovery,
    left: &[LeftBehind],
    found: &[Problem],
) -> Vec<Problem> {
    let installed: Vec<_> = discovery.schemas().collect();
    let silent: Vec<_> = silent(discovery).collect();
    // A table that is meant for a plugin which lacks one is told of there.
    let lacks_table = found
        .iter()
        .any(|problem| problem.code() == Code::MissingTable);
    let mut judged = BTreeSet::new();
    let mut problems = Vec::new();
    for LeftBehind { heir, inherited } in left {
        let Inherited { from, key, value } = inherited;
        let below = |other: &&(&str, &Accepts)| {
            other
                .0
                .strip_prefix(from.as_str())
                .is_some_and(|rest| rest.starts_with('.'))
        };
        let family: Vec<_> = installed.iter().filter(below).collect();
        let is_known = family.iter().any(|(_, accepts)| accepts.knows(&key.name));
        if is_known || !judged.insert((from, &key.name)) {
            continue;
        }
        let is_table = value.as_table().is_some();
        let settings = family.iter().flat_map(|(_, accepts)| accepts.settings());
        let possible = settings.filter(|setting| !is_table || setting.schema.is_table());
        let near = nearest(&key.name, possible.flat_map(Setting::names));
        // A table without such a name may be that of a plugin which is not installed. One with it is a
        // setting, and to go on without it could mean without a key, or without TLS.
        if is_table && near.is_none() {
            if !lacks_table {
                problems.push(stray_table(from, inherited, discovery));
            }
            continue;
        }
        let meant = near.map(|name| format!("; did you mean \"{name}\"?"));
        let summary = format!(
            "no plugin below [{from}] has a setting \"{}\"{}",
            key.name,
            meant.unwrap_or_default()
        );
        // A library that cannot be read may hold a plugin that knows it.
        let problem = if silent.is_empty() {
            Problem::error(Code::UnknownSetting, summary)
        } else {
            Problem::warning(Code::UnknownSetting, summary)
        };
        let problem = problem.at(&key.origin, format!("[{from}], inherited by {heir}"));
        let problem = silent.iter().take(5).fold(problem, |problem, name| {
            problem.note(format!("{name} was refused and may hold one that does"))
        });
        problems.push(problem.help("correct its name, or remove it"));
    }
    problems
}

/// A table below a family that belongs to no plugin.
fn stray_table(from: &str, inherited: &Inherited, discovery: &Discovery) -> Problem {
    let path = format!("{from}.{}", inherited.key.name);
    let problem = Problem::warning(
        Code::UnknownSetting,
        format!("[{path}] has no effect: no plugin of this key is installed, and no plugin below [{from}] has such a setting"),
    )
    .at(&inherited.key.origin, format!("[{path}]"));
    match nearest(&path, discovery.keys()) {
        Some(near) => problem.help(format!("write [{near}], or remove it")),
        None => problem.help("remove it, or install the plugin"),
    }
}

/// Names of the libraries that were refused and say nothing.
fn silent(discovery: &Discovery) -> impl Iterator<Item = String> {
    let refused = |verdict: &Verdict| matches!(verdict, Verdict::Refused(_, None));
    let files = discovery.files().iter();
    files
        .filter(move |file| refused(&file.judged.verdict))
        .map(Discovered::name)
}
