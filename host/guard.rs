//! The commands `guard explain` and `guard test`, and what is told of limits.
//!
//! - `telling`: what people, the log and the metrics are told in a run;
//! - `explain`: every limit, and where it comes from;
//! - `trial`: synthetic accidents, sent through the limits.

mod explain;
pub(crate) mod telling;
mod trial;

use std::collections::BTreeSet;

use janitor_plugin_api::dns::Name;

use crate::args;
use crate::config::{Config, Guard};
use crate::error::Error;
use crate::offer;
use crate::problem::{Code, Problem, Problems};
use crate::record::{Access, Record};
use crate::report::exit;
use crate::stations::guard::{Finding, Limit, ZoneLimits, probe_everything};

/// Carries a command out: its text and the exit code.
///
/// # Errors
///
/// When the configuration has faults: limits that are not what was meant explain nothing; and when the
/// history cannot be read.
pub fn command(config: &Config, command: &args::Guard) -> Result<(String, u8), Error> {
    Problems::check(config.problems().to_vec())?;
    let guard = &config.core().guard;
    match command {
        args::Guard::Explain(what) => {
            let zones = zones(config, what.zone.as_ref())?;
            let text = match what.json {
                true => explain::json(guard, &zones),
                false => explain::text(guard, &zones, what.zone.is_some()),
            };
            Ok((text, exit::DONE))
        }
        args::Guard::Test(what) => {
            let trial = trial::Trial::of(guard, what.zone.as_ref());
            let text = match what.json {
                true => trial.json(),
                false => trial.text(),
            };
            let code = match trial.is_safe() {
                true => exit::DONE,
                false => exit::FAILED,
            };
            Ok((text, code))
        }
    }
}

/// The zones to speak of: the one that was asked for, else those that have limits of their own and those
/// that earlier runs left well.
fn zones(config: &Config, asked: Option<&Name>) -> Result<Vec<Name>, Error> {
    if let Some(zone) = asked {
        return Ok(vec![zone.clone()]);
    }
    let core = config.core();
    let mut zones: BTreeSet<_> = core.guard.names().collect();
    if core.history.enabled {
        let root = offer::state_root(Some(core));
        let record = Record::open(&root, Access::Read).map_err(Problems::from)?;
        if let Some(record) = record {
            zones.extend(record.memories().map_err(Problems::from)?.into_keys());
        }
    }
    Ok(zones.into_iter().collect())
}

/// Makes sure that no zone can lose everything unless somebody wrote that it may.
///
/// # Errors
///
/// If one can. Nothing is run then.
pub(crate) fn prove(guard: &Guard) -> Result<(), Error> {
    let refused = guard.sets().filter_map(|(name, limits)| {
        let finding = probe_everything(&limits);
        refusal(&name, &limits, &finding)
    });
    let refused: Vec<_> = refused.collect();
    Ok(Problems::check(refused).map(|_| ())?)
}

/// Why limits under which a zone can lose everything are refused, if nobody wrote that it may.
fn refusal(name: &str, limits: &ZoneLimits, finding: &Finding) -> Option<Problem> {
    let is_allowed = matches!(limits.deletions_percent.value, Limit::Off);
    (finding.loses_everything() && !is_allowed).then(|| {
        Problem::error(
            Code::Unguarded,
            format!("the limits of {name} let a zone lose everything"),
        )
        .found(format!("{}, and no limit catches it", finding.probe))
        .because("nobody wrote that this is meant")
        .help("set core.guard.deletions_percent; gordon-janitor guard test shows what is caught")
    })
}

/// What is told in every run of limits that are off.
pub(crate) fn limits_off(guard: &Guard) -> Option<Problem> {
    let off = guard.off();
    if off.is_empty() {
        return None;
    }
    let names: Vec<_> = off.iter().map(|(name, _)| *name).collect();
    let mut problem = Problem::warning(
        Code::LimitOff,
        match names.as_slice() {
            [name] => format!("a limit on changes is off: {name}"),
            names => format!(
                "{} limits on changes are off: {}",
                names.len(),
                names.join(", ")
            ),
        },
    );
    let mut places: Vec<_> = off.iter().map(|(_, place)| *place).collect();
    places.dedup();
    for place in places {
        problem = problem.place(place);
    }
    Some(problem.help("gordon-janitor guard test shows what passes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stations::guard::Probe;

    #[test]
    fn limits_under_which_a_zone_can_lose_everything_are_refused() {
        let guard = Guard::default();
        prove(&guard).unwrap();
        let mut limits = guard.all().clone();
        // The limits that can be configured catch it; this is about those that one day may not.
        let passes = Finding {
            probe: Probe::Everything(3),
            caught: Vec::new(),
            is_right: false,
        };
        let refused = refusal("[core.guard]", &limits, &passes).unwrap();
        insta::assert_snapshot!(refused, @r"
        error[GJ825]: the limits of [core.guard] let a zone lose everything
          found: all 3 RRsets are deleted, and no limit catches it
          because: nobody wrote that this is meant
          help: set core.guard.deletions_percent; gordon-janitor guard test shows what is caught
        ");

        assert!(refusal("[core.guard]", &limits, &probe_everything(&limits)).is_none());
        limits.deletions_percent.value = Limit::Off;
        assert!(refusal("[core.guard]", &limits, &passes).is_none());
    }
}
