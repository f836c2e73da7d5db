//! What to say of a plugin that is listed and not installed.

use crate::config::{Config, Listed, nearest};
use crate::discovery::Discovery;
use crate::manifest::is_key;
use crate::problem::{Code, Problem};

pub(super) fn not_installed(config: &Config, discovery: &Discovery, entry: &Listed) -> Problem {
    let key = entry.key.as_str();
    let directory = discovery.directory();
    let path = directory.path().display();
    // A library that holds the plugin and was refused: that is what is wrong.
    if let Some((file, refusal, _)) = discovery.refused(key).find(|(_, _, says_so)| *says_so) {
        return refusal
            .clone()
            .at(&entry.origin, "core.plugins")
            .note(format!("plugin \"{key}\" is in {}", file.name()));
    }
    let missing = |code| {
        let summary = format!("Plugin \"{key}\" not installed");
        let problem = Problem::error(code, summary).at(&entry.origin, "core.plugins");
        if is_key(key) {
            problem
        } else {
            problem.because("a key is 1 to 64 of a-z, 0-9, `.`, `_` and `-`")
        }
    };
    let keys = discovery.keys();
    let problem = if let Some(near) = nearest(key, keys.clone()) {
        let described = discovery
            .find(near)
            .ok()
            .flatten()
            .map(|(file, _, plugin)| format!(" ({}, {})", plugin.role, file.name()))
            .unwrap_or_default();
        let table = config.similar_table(near).filter(|(name, _)| name == near);
        let present = table
            .map(|(_, origin)| format!("; a table [{near}] is already there, at {origin}"))
            .unwrap_or_default();
        missing(Code::NearMiss)
            .found(format!(
                "{} in {path}; the nearest is \"{near}\"{described}",
                count(keys.count(), "key")
            ))
            .help(format!("write \"{near}\"{present}"))
    } else {
        let offered = match keys.clone().count() {
            0 => format!("no plugins in {path} (chosen by {})", directory.chosen_by()),
            1..=12 => format!(
                "plugins in {path}: {}; nothing resembles \"{key}\"",
                keys.collect::<Vec<_>>().join(", ")
            ),
            many => format!("{many} plugins in {path}; nothing resembles \"{key}\""),
        };
        missing(Code::NotInstalled).found(offered).help(format!(
            "gordon-janitor plugins list; another directory: --plugin-dir, {} or core.plugin_dir",
            crate::discovery::ENVIRONMENT
        ))
    };
    let silent = discovery.refused(key).take(5);
    let problem = silent.fold(problem, |problem, (file, refusal, _)| {
        problem.note(format!(
            "{} was refused and may hold it: {} {}",
            file.name(),
            refusal.code(),
            refusal.summary()
        ))
    });
    let (strangers, count) = discovery.strangers(NAMED_STRANGERS);
    let named = strangers.iter().fold(problem, |problem, stranger| {
        problem.note(format!("{} {}", stranger.code(), stranger.summary()))
    });
    match count.checked_sub(NAMED_STRANGERS) {
        None | Some(0) => named,
        Some(more) => named.note(format!(
            "and {more} more libraries that are no plugins; gordon-janitor plugins list"
        )),
    }
}

/// Libraries without plugins that are described where a plugin is missing.
const NAMED_STRANGERS: usize = 3;

fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}
