//! The command `apply`: publishes exactly what a sealed plan says, or nothing.
//!
//! ```text
//! file whole? ─► same policy? ─► not superseded? ─► zones as they were? ─► publishers ─► outcomes
//! ```
//!
//! The first three are looked at before any plugin is created. Limits are none of its business: the plan
//! passed them when it was made, and what did not is not in it.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::config::Config;
use crate::discovery::Discovery;
use crate::error::Error;
use crate::pipeline::{Stored, Task};
use crate::plan::schema::Policy;
use crate::plan::{SealedPlan, SealedZone, read_sealed};
use crate::problem::{Code, Problem, Problems};
use crate::report::ZoneReport;
use crate::resolve::Purpose;
use crate::run::{Errand, Setting, carry_out};
use crate::stations::planned::PlannedZone;

/// Applies the sealed plan at `path` and returns the exit code.
///
/// # Errors
///
/// Why nothing was applied, as far as that is known before plugins run. What happened then is in the
/// report.
pub fn apply(setting: &Setting<'_>, path: &Path) -> Result<u8, Error> {
    let plan = read_sealed(path).map_err(refused)?;
    if let Some(problem) = other_policy(&plan, path, setting.config(), setting.discovery()) {
        return Err(refused(problem));
    }
    let made_at = plan.header.made_at;
    if let Some(problem) = from_the_future(made_at, Timestamp::now(), path) {
        return Err(refused(problem));
    }
    let SealedPlan {
        header,
        zones: sealed,
        left_out,
        run_limits,
        unnamed,
        undecided,
    } = plan;
    let zones = zones(sealed);
    tracing::info!(
        plan = %path.display(), %made_at, zones = zones.len(),
        "applying a plan"
    );
    let errand = Errand {
        purpose: Purpose::Apply,
        task: Task::Apply(Stored {
            made_at,
            undoes: header.undoes,
            zones,
            run_limits,
            unnamed,
            undecided,
        }),
        left_out,
    };
    let outcome = carry_out(setting, errand)?;
    Ok(outcome.report.exit_code())
}

fn refused(problem: Problem) -> Error {
    Error::Plan(Problems::from(problem))
}

/// Why the plan is not for this configuration, if it is not.
fn other_policy(
    plan: &SealedPlan,
    path: &Path,
    config: &Config,
    discovery: &Discovery,
) -> Option<Problem> {
    let policy = Policy::of(config, discovery);
    let differences = policy.differences(&plan.header.policy);
    if differences.is_empty() {
        return None;
    }
    let tables = differences.iter().map(|name| format!("[{name}]"));
    let tables = tables.collect::<Vec<_>>().join(", ");
    let made_at = whole_seconds(plan.header.made_at);
    Some(
        Problem::error(
            Code::OtherPolicy,
            format!("the plan `{}` was made with another configuration", path.display()),
        )
        .place(config.root().display())
        .found(format!("made at {made_at}; since then or elsewhere, there are differences in {tables}"))
        .because("they decide which changes are made and where they go")
        .help("plan again with this configuration, or apply it with the one that it was made with (--config-root)"),
    )
}

/// How far the clocks of two machines may be apart.
const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(5);

/// Why a plan that was made at `made_at` comes too early, if it does. The history would take every later
/// plan for an older one.
fn from_the_future(made_at: Timestamp, now: Timestamp, path: &Path) -> Option<Problem> {
    if made_at.duration_since(now) <= CLOCKS_APART {
        return None;
    }
    let (made_at, now) = (whole_seconds(made_at), whole_seconds(now));
    Some(
        Problem::error(
            Code::Superseded,
            format!("the plan `{}` was made in the future", path.display()),
        )
        .found(format!("made at {made_at}; now it is {now}"))
        .because("which of two plans is the newer one is told by the time; none of it was applied")
        .help("set the clock, here or where it was made, and plan again"),
    )
}

/// A time as people read it.
fn whole_seconds(time: Timestamp) -> String {
    format!("{time:.0}")
}

/// What is to be done about each zone, as a run has it.
fn zones(sealed: Vec<SealedZone>) -> Vec<(PlannedZone, ZoneReport)> {
    // Of a zone as desired nothing is said: nobody looks at it now.
    let matters = |zone: &SealedZone| {
        let zone = &zone.planned;
        zone.counts().total() > 0 || zone.not_sticking.set_aside > 0
    };
    let zones = sealed.into_iter().filter(matters).map(|zone| {
        let SealedZone { planned, authority } = zone;
        let report = ZoneReport::of(&planned, authority);
        (planned, report)
    });
    zones.collect()
}
