//! One run: desired zones in, changes out.
//!
//! ```text
//! create all ─► desired ─► merge ─► reconciler ─► answers ─┐   (zones overlap)
//!                                                          ▼
//!                      the whole plan ─► publishers ─► outcomes ─► all ended
//! ```
//!
//! Nothing is published before every zone is planned. Whatever a plugin does, the run comes to an end
//! once it is cancelled: what has not stopped after twice the grace is abandoned by name.

mod routing;
mod planning;
mod merging;
mod measuring;
mod judging;
mod reading;
mod confirming;
mod undoing;
mod publishing;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use janitor_plugin_api::dns::Name;
use jiff::Timestamp;

use self::confirming::confirm;
pub use self::judging::Judging;
use self::planning::plan;
use self::publishing::{employ_publishers, publish, tell_outcomes};
use self::undoing::undo;
use crate::activity::StallWatch;
use crate::config::Core;
use crate::config::scope::Scope;
use crate::crew::{ALL_ROLES, Crew, NotCreated, Recruit};
use crate::manifest::Role;
use crate::offer::Shared;
use crate::problem::Problem;
use crate::record::Kept;
use crate::report::{Cancellation, Report, ZoneReport};
use crate::stations::guard::Reason;
use crate::stations::outcomes::Outcomes;
use crate::stations::planned::PlannedZone;
use crate::stations::route::ListedPublisher;
use crate::stations::undo::Done;
use crate::why::Inquiry;

/// What a run is for.
pub enum Task {
    /// Compare every zone that authorities name.
    Plan {
        /// Whether the plan is to be sealed, for which digests are taken.
        sealed: bool,
    },
    /// Publish a plan that was made before, if the zones are still as they were then.
    Apply(Stored),
    /// Take back what the run of this number did to these zones, in a plan that is shown.
    Undo(u64, Vec<(Name, Done)>),
}

/// A plan that was made before.
pub struct Stored {
    /// When it was made.
    pub made_at: Timestamp,
    /// The run that it takes back, if it does.
    pub undoes: Option<u64>,
    /// What is to be done about each zone, in canonical order.
    pub zones: Vec<(PlannedZone, ZoneReport)>,
    /// Limits of the run as a whole that its changes broke.
    pub run_limits: Vec<Reason>,
    /// Zones of earlier runs that no authority named.
    pub unnamed: Vec<Name>,
    /// Names that stayed as they were because authorities contradicted each other there.
    pub undecided: usize,
}

impl Task {
    /// The roles without which there is nothing to do.
    fn needed(&self) -> [Role; 2] {
        match self {
            // Without a publisher the plan can still be shown.
            Self::Plan { .. } => [Role::Authority, Role::Reconciler],
            Self::Apply(_) => [Role::Reconciler, Role::Publisher],
            Self::Undo(..) => [Role::Reconciler, Role::Reconciler],
        }
    }
}

/// How a run is carried out.
pub struct Orders<'a> {
    /// The plugins, each role as often as it may be. Without publishers the run ends with the plan.
    pub recruits: &'a [Recruit],
    /// Whether a plugin that cannot be created is left behind (`core.debug`).
    pub tolerant: bool,
    /// The host's own settings.
    pub core: &'a Core,
    /// Keys of what is missing already and is, or may be, an authority: what it would have said is
    /// unknown.
    pub missing_authorities: &'a [String],
    /// Which names and types are managed.
    pub scope: Arc<Scope>,
    /// Messages that a channel holds.
    pub capacity: usize,
    /// What the plan is judged by.
    pub judging: Judging<'a>,
    /// Looks at what is there at one name.
    pub inquiry: Option<&'a Inquiry>,
    /// What is remembered of earlier runs, and where this one is recorded.
    pub kept: &'a Kept,
    /// Tells of plugins that could not be created, before the others run.
    pub going_on_without: &'a dyn Fn(&[NotCreated]),
}

/// What came of a run.
#[derive(Default)]
pub struct Outcome {
    /// What happened to each zone.
    pub report: Report,
    /// What was to be done about each zone, in canonical order.
    pub plan: Vec<PlannedZone>,
    /// Those who publish changes, or would: a plan that is only shown names them, too.
    pub publishers: Vec<ListedPublisher>,
    /// Plugins that could not be created.
    pub not_created: Vec<NotCreated>,
    /// Whether the others ran. They do where that is tolerated and something can still be compared.
    pub started: bool,
}

/// How long the host waits beyond what plugins were promised.
const MARGIN: Duration = Duration::from_secs(1);

/// How long plugins may take at most to end once they were asked to: their grace to stop, the same to
/// clean up.
pub(crate) fn patience(grace: Duration) -> Duration {
    grace.saturating_mul(2).saturating_add(MARGIN)
}

/// Carries out one run.
pub async fn run(orders: &Orders<'_>, task: Task, shared: &Arc<Shared>) -> Outcome {
    let mut outcome = Outcome::default();
    let mut crew = None;
    let mut publishers = Vec::new();
    let abandon = async {
        let deadline = async {
            match shared.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = shared.stop.cancelled() => {}
            () = deadline => {
                tracing::error!("the run reached core.deadline and is cancelled");
                shared.cancel(Cancellation::Deadline);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(patience(shared.grace)) => {}
            () = shared.hurry.cancelled() => {}
        }
    };
    tokio::select! {
        biased;
        () = flow(orders, task, shared, &mut crew, &mut publishers, &mut outcome) => {}
        () = abandon => {}
        () = shared.progress.show() => {}
        () = watch_for_stalls(shared) => {}
    }
    let report = &mut outcome.report;
    report.cancelled = shared.cancelled.get().copied();
    if let Some(crew) = crew {
        crew.abandon(report);
    }
    if report.published {
        tell_outcomes(&outcome.plan, &publishers, shared, report);
    }
    if let Some(recorder) = &orders.kept.recorder {
        if let Err(problem) = recorder.note(&publishers) {
            note_unrecorded(problem, shared, report);
        }
        let settings = orders.judging.convergence;
        recorder.settle(&outcome.plan, &publishers, &orders.kept.memories, settings);
    }
    report.left_out.append(&mut shared.left_out());
    outcome
}

/// Notes that the history does not know what becomes of changes. It is told once.
pub(crate) fn note_unrecorded(problem: Problem, shared: &Shared, report: &mut Report) {
    if report.unrecorded.is_none() {
        shared.tell(&problem);
        report.unrecorded = Some(problem);
    }
}

/// Tells when nothing moves. Sleeps until that is possible, and never ends.
async fn watch_for_stalls(shared: &Shared) {
    let mut watch = StallWatch::new(shared.stall_limit);
    loop {
        let (stall, again) = watch.look(&shared.roster);
        if let Some(problem) = stall {
            shared.tell(&problem);
        }
        tokio::time::sleep(again).await;
    }
}

async fn flow(
    orders: &Orders<'_>,
    task: Task,
    shared: &Arc<Shared>,
    crew: &mut Option<Crew>,
    outcomes: &mut Vec<Outcomes>,
    outcome: &mut Outcome,
) {
    let (started, not_started) = Crew::start(orders.recruits, shared);
    let crew = crew.insert(started);
    outcome.not_created = not_started;
    let created = crew.created(orders.recruits, &mut outcome.not_created);
    if !created.await {
        crew.dismiss(&mut outcome.report).await;
        return;
    }
    let role_lost = task
        .needed()
        .into_iter()
        .any(|role| crew.of(role).next().is_none());
    if role_lost || !(outcome.not_created.is_empty() || orders.tolerant) {
        crew.dismiss(&mut outcome.report).await;
        return;
    }
    let keys = orders.recruits.iter().map(|recruit| &*recruit.key);
    shared.look_at_the_process(&keys.collect::<Vec<_>>(), "being created");
    (orders.going_on_without)(&outcome.not_created);
    outcome.started = true;
    let report = &mut outcome.report;
    let publishers = employ_publishers(crew, orders);
    let planned = match task {
        Task::Plan { sealed } => {
            plan(orders, sealed, shared, crew, &outcome.not_created, report).await
        }
        Task::Apply(stored) => confirm(orders, stored, shared, crew, report).await,
        Task::Undo(_, zones) => undo(orders, zones, shared, crew, report).await,
    };
    let Some(planned) = planned else {
        drop(publishers);
        shared.cancel(Cancellation::Failure);
        crew.ended(ALL_ROLES, report).await;
        return;
    };
    outcome.plan = planned;
    report.faults.extend(shared.loaded.written_over());
    for fault in &report.faults {
        // The plan may be wrong in any way, or it is not the one that was meant.
        shared.tell(fault);
        shared.cancel(Cancellation::Failure);
    }
    if shared.is_cancelled() || publishers.is_empty() {
        drop(publishers);
        crew.ended(&[Role::Publisher], report).await;
    } else if let Some(Err(problem)) = orders.kept.recorder.as_ref().map(|recorder| {
        let keys = publishers
            .iter()
            .map(|publisher| publisher.outcomes.publisher());
        let keys = keys.collect::<Vec<_>>();
        recorder.intend(&outcome.plan, report, &shared.left_out(), |zone| {
            let takes = |key: &&&Arc<str>| zone.goes_out() && zone.route.publishers.contain(key);
            keys.iter().filter(takes).copied().collect()
        })
    }) {
        drop(publishers);
        shared.tell(&problem);
        report.faults.push(problem);
        shared.cancel(Cancellation::Failure);
        crew.ended(&[Role::Publisher], report).await;
    } else {
        report.published = true;
        outcomes.extend(
            publishers
                .iter()
                .map(|publisher| publisher.outcomes.clone()),
        );
        shared.breadcrumbs.publishing();
        let mut unrecorded = None;
        {
            let publishing = async {
                publish(&outcome.plan, publishers, shared).await;
                crew.ended(&[Role::Publisher], report).await;
            };
            let mut publishing = pin!(publishing);
            let recording = async {
                match &orders.kept.recorder {
                    Some(recorder) => recorder.follow(outcomes).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = &mut publishing => {}
                problem = recording => {
                    shared.tell(&problem);
                    unrecorded = Some(problem);
                    publishing.await;
                }
            }
        }
        report.unrecorded = unrecorded;
    }
    if !crew.ended_soon(ALL_ROLES, report).await {
        shared.ask_to_stop();
        crew.ended(ALL_ROLES, report).await;
    }
}
