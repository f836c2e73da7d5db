//! The plugin that `core.metrics` names, or what is in its way.

use super::Resolved;
use crate::config::{Config, FFWD, FILES, InstalledKeys, Listed, METRICS_LOGGER, nearest};
use crate::discovery::Discovery;
use crate::manifest::Role;
use crate::problem::{Code, Problem};

/// The metrics relay; none if it is built in.
pub(super) fn find(
    config: &Config,
    discovery: &Discovery,
    owned: &InstalledKeys,
) -> Result<Option<Resolved>, Problem> {
    let Some(entry) = &config.core().metrics else {
        return Ok(None);
    };
    let key = entry.key.as_str();
    if [METRICS_LOGGER, FFWD].contains(&key) {
        return Ok(None);
    }
    let Some((file, manifest, plugin)) = discovery.find(key)? else {
        return Err(unknown(discovery, entry));
    };
    if plugin.role != Role::MetricsRelay {
        let summary = format!(
            "core.metrics names \"{key}\", which is no metrics relay but has the role {}",
            plugin.role
        );
        return Err(Problem::error(Code::MetricsRelay, summary)
            .at(&entry.origin, "core.metrics")
            .found(relays(discovery))
            .help("name one of them, or remove the setting"));
    }
    let Some(table) = config.plugin(key, owned)? else {
        return Err(missing_table(config, entry));
    };
    Ok(Some(Resolved {
        key: key.to_owned(),
        role: plugin.role,
        library: file.judged.path.clone(),
        identity: file.judged.identity,
        manifest: manifest.clone(),
        table,
    }))
}

fn unknown(discovery: &Discovery, entry: &Listed) -> Problem {
    let key = entry.key.as_str();
    if let Some(fault) = discovery.fault() {
        return fault.clone();
    }
    // A library that holds the plugin and was refused: that is what is wrong.
    if let Some((file, refusal, _)) = discovery.refused(key).find(|(_, _, says_so)| *says_so) {
        return refusal
            .clone()
            .at(&entry.origin, "core.metrics")
            .note(format!("metrics relay \"{key}\" is in {}", file.name()));
    }
    let summary = format!("core.metrics names a metrics relay that there is not: \"{key}\"");
    let problem = Problem::error(Code::MetricsRelay, summary)
        .at(&entry.origin, "core.metrics")
        .found(relays(discovery));
    let names = installed(discovery).chain([METRICS_LOGGER, FFWD]);
    let problem = match nearest(key, names) {
        Some(near) => problem.help(format!("write metrics = \"{near}\"")),
        None => problem.help("name one of them, or remove the setting"),
    };
    let silent = discovery.refused(key).take(5);
    silent.fold(problem, |problem, (file, refusal, _)| {
        problem.note(format!(
            "{} was refused and may hold it: {} {}",
            file.name(),
            refusal.code(),
            refusal.summary()
        ))
    })
}

/// What there is to choose from.
fn relays(discovery: &Discovery) -> String {
    let installed = installed(discovery).map(|key| format!(", {key}"));
    let installed = installed.collect::<String>();
    format!("metrics relays: {METRICS_LOGGER}, {FFWD} (both built in){installed}")
}

/// The keys of the relays that are plugins.
fn installed(discovery: &Discovery) -> impl Iterator<Item = &str> {
    discovery.keys().filter(|key| {
        let found = discovery.find(key).ok().flatten();
        found.is_some_and(|(_, _, plugin)| plugin.role == Role::MetricsRelay)
    })
}

fn missing_table(config: &Config, entry: &Listed) -> Problem {
    let key = entry.key.as_str();
    let problem = Problem::error(
        Code::MissingTable,
        format!("core.metrics names \"{key}\" but no configuration was found for it"),
    )
    .at(&entry.origin, "core.metrics")
    .found(format!("no table [{key}] in {} or {}", FILES[0], FILES[1]));
    match config.similar_table(key) {
        Some((near, origin)) => problem.help(format!(
            "is the table [{near}] at {origin} meant for it? then write [{key}] there"
        )),
        None => problem.help(format!(
            "add a table [{key}]; an empty one is enough for a plugin that needs no settings"
        )),
    }
}
