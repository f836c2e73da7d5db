//! What follows from remembered crashes for the plugins of a run.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Crash, Crashes, MANY};
use crate::config::AfterCrash;
use crate::manifest::Role;
use crate::problem::{Code, Problem, Problems};
use crate::resolve::{Deployment, Resolved};
use crate::worker::Doing;

/// Warns of the crash of the previous run, and takes out of `deployment` what crashes again and again,
/// if `after_crash` wants it so. Returns the warnings.
///
/// A library that was replaced since is another one, and starts with a clean sheet.
///
/// # Errors
///
/// If nothing may run any more, or nothing can for want of what was taken out.
pub(crate) fn heed(
    crashes: &Crashes,
    after_crash: AfterCrash,
    deployment: &mut Deployment,
) -> Result<Vec<Problem>, Problems> {
    let now = Timestamp::now();
    let mut problems = Vec::new();
    let mut skip = BTreeSet::new();
    let mut taken = Vec::new();
    for plugin in &deployment.plugins {
        let identity = plugin
            .identity
            .map(|judged| judged.to_string())
            .unwrap_or_default();
        let is_about = |crash: &&Crash| {
            crash.identity.as_deref() == Some(&*identity) && crash.plugins.contains(&plugin.key)
        };
        let recent = crashes.recent(&identity, now).filter(is_about).count();
        match after_crash {
            AfterCrash::Stop if recent >= MANY => problems.push(stopped(plugin, recent)),
            AfterCrash::Skip if recent >= MANY => {
                problems.push(skipped(plugin, recent));
                taken.push(plugin.role);
                skip.insert(plugin.key.clone());
            }
            _ => {
                let last = crashes.last().filter(is_about);
                problems.extend(last.map(|crash| again(plugin, crash, after_crash)));
            }
        }
    }
    deployment.pass_over(|plugin| skip.contains(&plugin.key));
    taken.sort();
    taken.dedup();
    taken.retain(|role| {
        let is_left = |plugin: &Resolved| plugin.role == *role;
        // Without a relay, measurements go to the log.
        *role != Role::MetricsRelay && !deployment.plugins.iter().any(is_left)
    });
    problems.extend(taken.into_iter().map(without));
    Problems::check(problems)
}

fn again(plugin: &Resolved, crash: &Crash, after_crash: AfterCrash) -> Problem {
    let Crash {
        package_version,
        cause,
        time,
        ..
    } = crash;
    let doing = crash.doing.text();
    let key = &plugin.key;
    let who = match crash.doing {
        Doing::Opening => format!("while the library of plugin \"{key}\" {package_version}"),
        _ => format!("inside plugin \"{key}\" {package_version}"),
    };
    let problem = Problem::warning(
        Code::CrashedBefore,
        format!("the previous run ended by {cause} {who} ({doing}, {time:.0})"),
    )
    .place(plugin.library.display());
    match after_crash {
        AfterCrash::Run => problem.note(format!(
            "it is loaded again; with core.after_crash = \"skip\" it would be left out after {MANY} crashes in an hour"
        )),
        AfterCrash::Skip => problem.note(format!(
            "it is loaded again; after {MANY} crashes in an hour it is left out (core.after_crash = \"skip\")"
        )),
        AfterCrash::Stop => problem.note(format!(
            "it is loaded again; after {MANY} crashes in an hour nothing runs (core.after_crash = \"stop\")"
        )),
    }
}

fn skipped(plugin: &Resolved, recent: usize) -> Problem {
    let problem = Problem::warning(
        Code::CrashedBefore,
        format!(
            "plugin \"{}\" has crashed {recent} times in an hour; going on without it",
            plugin.key
        ),
    )
    .place(plugin.library.display())
    .because("core.after_crash = \"skip\"")
    .help("install another build of it; or wait until an hour has passed since the first of them");
    plugin.is_missed().into_iter().fold(problem, Problem::note)
}

fn stopped(plugin: &Resolved, recent: usize) -> Problem {
    Problem::error(
        Code::CrashedBefore,
        format!(
            "plugin \"{}\" has crashed {recent} times in an hour; nothing is run",
            plugin.key
        ),
    )
    .place(plugin.library.display())
    .because("core.after_crash = \"stop\"")
    .help("install another build of it, or take it out of core.plugins; or wait until an hour has passed since the first of them")
}

fn without(role: Role) -> Problem {
    Problem::error(
        Code::MissingRole,
        format!("no {role} is left without the plugins that crash"),
    )
    .because("core.after_crash = \"skip\" leaves them out")
    .help("install another build of them, or list another plugin in their place")
}
