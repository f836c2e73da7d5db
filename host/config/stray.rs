//! What stands on the top level of a configuration and is read by nobody, because of how it is spelled.

use super::nearest::nearest;
use super::options;
use super::plugins::InstalledKeys;
use super::value::Table;
use crate::problem::{Code, Problem};

/// Settings outside of any table, and tables whose names are nearly those of the host or of a plugin.
/// A table that resembles nothing may be that of a plugin that is not installed any more.
pub(super) fn stray(config: &Table, installed: &InstalledKeys) -> Vec<Problem> {
    let hosts = || options::tables().map(|(name, _)| name);
    let mut problems = Vec::new();
    for (name, origin, value) in config.iter() {
        let family = name.split('.').next().unwrap_or(name);
        if hosts().any(|table| table == name) || installed.owns(name) || installed.owns(family) {
            continue;
        }
        if value.as_table().is_some() {
            let Some(near) = nearest(name, hosts().chain(installed.iter())) else {
                continue;
            };
            problems.push(
                Problem::warning(
                    Code::UnknownSetting,
                    format!("[{name}] has no effect; did you mean [{near}]?"),
                )
                .at(origin, format!("[{name}]"))
                .help(format!("write [{near}], or remove it")),
            );
        } else {
            let problem = Problem::warning(
                Code::UnknownSetting,
                format!("\"{name}\" has no effect: it stands outside of any table"),
            )
            .at(origin, name);
            let is_core = options::of("core").is_some_and(|core| core.find(name).is_some());
            problems.push(if is_core {
                problem.help("write it below a line [core]")
            } else {
                problem.help("write it below the line with the name of its table, or remove it")
            });
        }
    }
    problems
}
