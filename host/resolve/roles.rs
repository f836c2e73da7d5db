//! Whether every role of a run has its plugin.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::discovery::Discovery;
use crate::manifest::Role;
use crate::problem::{Code, Problem};

/// The roles of `needed` that no plugin of `given` has; with `core.debug = true` a missing publisher is
/// a warning.
pub(crate) fn missing_roles(
    config: &Config,
    discovery: &Discovery,
    given: &[(Role, &str)],
    needed: &[Role],
) -> Vec<Problem> {
    let Some(origin) = config.core().plugins_origin.as_ref() else {
        return Vec::new();
    };
    let missing = needed
        .iter()
        .filter(|role| !given.iter().any(|(given, _)| given == *role));
    missing
        .map(|&role| {
            let problem = missing_role(config, discovery, role, given).at(origin, "core.plugins");
            if config.core().debug && role == Role::Publisher {
                problem
                    .tolerated()
                    .note("the changes are shown as with --dry-run; nothing is published")
            } else {
                problem
            }
        })
        .collect()
}

fn missing_role(
    config: &Config,
    discovery: &Discovery,
    role: Role,
    given: &[(Role, &str)],
) -> Problem {
    let problem = Problem::error(
        Code::MissingRole,
        format!(
            "A provider for \"{role}\" interface is not configured for the Janitor service or is not implemented."
        ),
    );
    let debug = config.core().debug;
    let problem = match role {
        Role::Authority if debug => {
            problem.because("without an authority nothing is desired, with core.debug or without")
        }
        Role::Reconciler if debug => problem
            .because("without a reconciler nothing can be compared, with core.debug or without"),
        _ => problem,
    };
    let is_role = |key: &str| match discovery.find(key) {
        Ok(Some((_, _, plugin))) => plugin.role == role,
        // It may be what is missing.
        Ok(None) | Err(_) => true,
    };
    let listed = config.core().plugins.iter().map(|entry| entry.key.as_str());
    let passed_over = listed
        .filter(|key| !given.iter().any(|(_, given)| given == key) && is_role(key))
        .collect::<BTreeSet<_>>();
    if !passed_over.is_empty() {
        let keys = passed_over.into_iter().collect::<Vec<_>>().join(", ");
        return problem
            .found(format!("listed, but of no use: {keys}"))
            .help("mend what the warnings say, or add another to core.plugins");
    }
    let given = given.iter().map(|(role, key)| format!("{role} ({key})"));
    let given = given.collect::<Vec<_>>().join(", ");
    let problem = problem.found(format!("core.plugins gives {given}"));
    let unlisted: Vec<_> = discovery
        .keys()
        .filter(|key| is_role(key))
        .filter_map(|key| discovery.find(key).ok().flatten())
        .map(|(file, _, plugin)| format!("{} ({})", plugin.key, file.name()))
        .collect();
    if unlisted.is_empty() {
        problem
            .found(format!(
                "no {role} is installed in {}",
                discovery.directory().path().display()
            ))
            .help("install one, and add it to core.plugins")
    } else {
        problem
            .found(format!(
                "installed, but not listed: {}",
                unlisted.join(", ")
            ))
            .help("add one of them to core.plugins")
    }
}

/// More than one reconciler where no routes say which compares what.
pub(super) fn crowded_role(config: &Config, given: &[(Role, &str)]) -> Option<Problem> {
    if config.core().routes.is_some() {
        return None;
    }
    let origin = config.core().plugins_origin.as_ref()?;
    let reconcilers = given.iter().filter(|(role, _)| *role == Role::Reconciler);
    let reconcilers = reconcilers.map(|(_, key)| *key).collect::<Vec<_>>();
    let [rest @ .., last] = reconcilers.as_slice() else {
        return None;
    };
    let (count, all) = match rest.len() {
        0 => return None,
        1 => ("two".to_owned(), "both"),
        more => ((more + 1).to_string(), "all"),
    };
    let problem = Problem::error(
        Code::CrowdedRole,
        format!("{count} plugins for the one place of \"reconciler\": {} and {last}, {all} in core.plugins", rest.join(", ")),
    )
    .at(origin, "core.plugins")
    .because("every zone is compared once, with what one reconciler reads")
    .help("keep one of them")
    .help("or say which of them compares which zones: [core.routes] \"*.example.com\" = { reconciler = \"…\" }");
    Some(problem)
}
