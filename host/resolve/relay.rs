//! The plugin that `core.metrics` names, or what is in its way.

use super::search::{Equipped, Named, equip};
use crate::config::{Config, FFWD, InstalledKeys, Listed, METRICS_LOGGER, nearest};
use crate::discovery::Discovery;
use crate::manifest::Role;
use crate::problem::{Code, Problem};

/// The metrics relay; none if it is built in.
pub(super) fn find(config: &Config, discovery: &Discovery, owned: &InstalledKeys) -> Equipped {
    let named = config.core().metrics.as_ref();
    let is_a_plugin = |entry: &&Listed| ![METRICS_LOGGER, FFWD].contains(&entry.key.as_str());
    let Some(entry) = named.filter(is_a_plugin) else {
        return Equipped::default();
    };
    let key = entry.key.as_str();
    let offer = match discovery.find(key) {
        Ok(Some(offer)) => offer,
        Ok(None) => return unknown(discovery, entry).into(),
        Err(clash) => return clash.into(),
    };
    let (_, _, plugin) = offer;
    if plugin.role != Role::MetricsRelay {
        let summary = format!(
            "core.metrics names \"{key}\", which is no metrics relay but has the role {}",
            plugin.role
        );
        return Problem::error(Code::MetricsRelay, summary)
            .at(&entry.origin, "core.metrics")
            .found(relays(discovery))
            .help("name one of them, or remove the setting")
            .into();
    }
    equip(config, discovery, owned, &Named::relay(entry), offer)
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
