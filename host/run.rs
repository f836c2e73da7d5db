//! The commands `run` and `plan`: from the configuration to the report.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use janitor_plugin_api::dns::Name;
use jiff::Timestamp;

use crate::activity::Roster;
use crate::args::{self, Args, Shown};
use crate::audit::Audit;
use crate::config::Config;
use crate::control::Control;
use crate::crashes::{self, Crashes};
use crate::crew::Recruit;
use crate::discovery::Discovery;
use crate::error::{Error, print_causes, print_warnings};
use crate::guard;
use crate::loaded::Loaded;
use crate::logging;
use crate::manifest::Role;
use crate::metrics::{Farewell, Metrics, Number, Relay, Value, measure_libraries, measure_report};
use crate::offer::{self, Shared};
use crate::pipeline::{self, Judging, Orders, Outcome, Task, note_unrecorded};
use crate::plan;
use crate::policy;
use crate::problem::{Code, Problem, Problems};
use crate::progress::Progress;
use crate::record::{self, Ending, Kept, Recorder};
use crate::recruiting::{employ_relay, judge_creation, recruit, warn_of_not_created};
use crate::report::{Cancellation, LeftOut, Report, exit};
use crate::resolve::{Deployment, Purpose, missing_roles, resolve};
use crate::stations::route::ListedPublisher;
use crate::why::Inquiry;

/// What a run is carried out for.
pub(crate) struct Errand {
    /// Which plugins take part.
    pub(crate) purpose: Purpose,
    /// What they do.
    pub(crate) task: Task,
    /// What takes no part from the beginning.
    pub(crate) left_out: Vec<LeftOut>,
}

impl Errand {
    /// To compare, and to publish or not.
    pub(crate) fn plan(purpose: Purpose, sealed: bool) -> Self {
        Self {
            purpose,
            task: Task::Plan { sealed },
            left_out: Vec::new(),
        }
    }
}

/// All that a run starts from.
pub struct Setting<'a> {
    config: &'a Config,
    discovery: &'a Discovery,
    control: &'a Control,
    stall_limit: Duration,
    forced: &'a [Name],
    inquiry: Option<&'a Inquiry>,
}

impl<'a> Setting<'a> {
    /// A run of `config` with the libraries of `discovery`, that `control` may cancel.
    #[must_use]
    pub fn new(
        args: &Args,
        config: &'a Config,
        discovery: &'a Discovery,
        control: &'a Control,
    ) -> Self {
        Self {
            config,
            discovery,
            control,
            stall_limit: args.worker.stall_limit,
            forced: &[],
            inquiry: None,
        }
    }

    /// Where things are remembered.
    pub(crate) fn state_root(&self) -> PathBuf {
        offer::state_root(Some(self.config.core()))
    }

    /// With a look at what is there at one name.
    #[must_use]
    pub(crate) fn asking(&self, inquiry: &'a Inquiry) -> Self {
        Self {
            inquiry: Some(inquiry),
            ..*self
        }
    }

    /// With the limits of `zones` lifted.
    #[must_use]
    pub fn forcing(self, zones: &'a [Name]) -> Self {
        Self {
            forced: zones,
            ..self
        }
    }

    pub(crate) fn config(&self) -> &'a Config {
        self.config
    }

    pub(crate) fn discovery(&self) -> &'a Discovery {
        self.discovery
    }
}

/// Runs once and returns the exit code.
///
/// # Errors
///
/// Whatever kept the run from starting. What happened in a run is in its report.
pub fn run(setting: &Setting<'_>, dry_run: bool) -> Result<u8, Error> {
    let purpose = if dry_run {
        Purpose::Show
    } else {
        Purpose::Publish
    };
    let outcome = carry_out(setting, Errand::plan(purpose, false))?;
    if dry_run || outcome.report.only_shown {
        let header = || policy::header(setting.config, setting.discovery, Timestamp::now(), false);
        plan::show(header, &outcome, Shown::default())?;
    }
    Ok(outcome.report.exit_code())
}

/// Plans once, shows the plan on standard output and returns the exit code.
///
/// # Errors
///
/// As for [`run`], and if standard output cannot be written to.
pub fn plan(setting: &Setting<'_>, args: &args::Plan) -> Result<u8, Error> {
    let made_at = Timestamp::now();
    let refused = |problem| Error::Plan(Problems::from(problem));
    if let Some(path) = &args.out {
        // Before anybody waits for a plan that has no place to go to.
        plan::may_write(path).map_err(refused)?;
    }
    let outcome = carry_out(setting, Errand::plan(Purpose::Show, args.out.is_some()))?;
    let code = outcome.report.exit_code();
    let header = |sealed| policy::header(setting.config, setting.discovery, made_at, sealed);
    plan::show(|| header(false), &outcome, args.shown)?;
    if let Some(path) = &args.out {
        if code == exit::FAILED {
            return Err(refused(
                Problem::error(
                    Code::PlanNotWritten,
                    format!(
                        "the plan is not written to `{}`: it is not whole",
                        path.display()
                    ),
                )
                .because("the run failed or was cancelled")
                .help("plan again once the cause is gone"),
            ));
        }
        plan::write_sealed(&header(true), &outcome, path).map_err(refused)?;
        tracing::info!(plan = %path.display(), "the plan is written; apply takes it");
    }
    if code == exit::DONE && args.exit_code && outcome.report.pending() > 0 {
        return Ok(exit::PENDING);
    }
    Ok(code)
}

/// One run, whole: everything between the configuration and the report.
///
/// # Errors
///
/// Whatever kept the run from starting.
pub(crate) fn carry_out(setting: &Setting<'_>, errand: Errand) -> Result<Outcome, Error> {
    let Errand {
        purpose,
        task,
        left_out,
    } = errand;
    let begin = Instant::now();
    let core = setting.config.core();
    let metrics = Metrics::new(core, purpose.publishes());
    let shared = Arc::new(share(setting, metrics));
    setting.control.prepare(&shared);
    shared.breadcrumbs.limits(core.grace, core.deadline);
    let mut relay = None;
    for left_out in left_out {
        shared.leave_out(left_out);
    }
    let mut kept = Kept::default();
    let mut ended = start(setting, purpose, task, &shared, &mut relay, &mut kept);
    let status = match &ended {
        Ok(outcome) => outcome.report.status(),
        Err(Error::NoPlugins { .. }) => {
            tracing::error!("No plugins to run, exiting.");
            "no-plugin-error"
        }
        Err(_) => "unexpected-error",
    };
    if let Ok(outcome) = &ended {
        if outcome.report.cancelled == Some(Cancellation::Signal) {
            tracing::error!("the run was cancelled by a signal");
        }
        outcome.report.log();
        // Whatever the log leaves out, the error that ends the program is told.
        if !logging::shows_errors() {
            print_causes(&outcome.report.causes());
        }
        if outcome.report.exit_code() != exit::FAILED {
            tracing::info!("Gordon-janitor run complete.");
        }
    }
    let metrics = &shared.metrics;
    metrics.be_patient(Instant::now() + shared.grace);
    if let Ok(outcome) = &ended {
        measure_report(metrics, &outcome.report);
    }
    metrics.timer("run-duration", begin.elapsed(), &[]);
    let context = [("status", Value::from(status))];
    metrics.incr("run-ended", Number::from(1), &context);
    let farewell = relay.map_or(Farewell::Well, |relay: Relay| relay.dismiss(&shared));
    if let Ok(outcome) = &mut ended {
        match farewell {
            Farewell::Well => {}
            Farewell::Failed(failure) => outcome.report.relay_failure = Some(failure),
            Farewell::Abandoned(key) => outcome.report.abandoned.push(key),
        }
    }
    if let Some(recorder) = &kept.recorder {
        end_record(recorder, &mut ended, &shared);
    }
    setting.control.over();
    ended
}

/// Writes into the history how the run ended.
fn end_record(recorder: &Recorder, ended: &mut Result<Outcome, Error>, shared: &Shared) {
    let written = match ended {
        Ok(Outcome { plan, report, .. }) => {
            let ending = Ending {
                exit_code: report.exit_code(),
                status: report.status(),
                causes: report.causes().into_iter().map(|(text, _)| text).collect(),
            };
            recorder.end(&ending, plan, report)
        }
        Err(error) => {
            let ending = Ending {
                exit_code: error.exit_code(),
                status: "unexpected-error",
                causes: vec![error.to_string()],
            };
            recorder.end(&ending, &[], &Report::default())
        }
    };
    match (written, ended) {
        (Ok(()), _) => {}
        (Err(problem), Ok(outcome)) => note_unrecorded(problem, shared, &mut outcome.report),
        (Err(problem), Err(_)) => shared.tell(&problem),
    }
}

fn share(setting: &Setting<'_>, metrics: Metrics) -> Shared {
    let core = setting.config.core();
    Shared {
        stop: setting.control.stop.clone(),
        hurry: setting.control.hurry.clone(),
        asked: OnceLock::new(),
        cancelled: OnceLock::new(),
        grace: core.grace,
        deadline: core.deadline.map(|limit| Instant::now() + limit),
        config_root: setting.config.root().to_owned(),
        state_root: offer::state_root(Some(core)),
        metrics,
        left_out: Mutex::default(),
        progress: Progress::default(),
        roster: Roster::default(),
        stall_limit: setting.stall_limit,
        loaded: Loaded::default(),
        audit: Mutex::new(Audit::begin()),
        breadcrumbs: setting.control.breadcrumbs,
        spoken_for: core.spoken_for(),
    }
}

fn start(
    setting: &Setting<'_>,
    purpose: Purpose,
    task: Task,
    shared: &Arc<Shared>,
    relay: &mut Option<Relay>,
    kept: &mut Kept,
) -> Result<Outcome, Error> {
    let Setting {
        config, discovery, ..
    } = setting;
    let core = config.core();
    let mut deployment = resolve(config, discovery, purpose)?;
    print_warnings(&deployment.warnings);
    guard::prove(&core.guard)?;
    if let Some(warning) = guard::limits_off(&core.guard) {
        shared.tell(&warning);
    }
    let now = Timestamp::now();
    let beginning = record::Start {
        kind: record::Kind::Run,
        made_at: now,
        deployment: &deployment,
        policy: None,
        undoes: None,
    };
    let mut settings = core.history.clone();
    // Whoever waits is at work for those who wait for the run.
    settings.wait = core.deadline.unwrap_or(settings.wait).min(settings.wait);
    let state_root = &shared.state_root;
    *kept = record::begin(state_root, &settings, purpose, &beginning, &|problem| {
        shared.tell(problem);
    })?;
    let crashes = remembered(&shared.state_root);
    for warning in crashes::heed(&crashes, core.after_crash, &mut deployment)? {
        shared.tell(&warning);
    }
    let mut recruits = recruit(config, &mut deployment, discovery, shared)?;
    setting.control.begin();
    // The relay comes first and goes last, so that there is something to measure with.
    *relay = employ_relay(&deployment, &mut recruits, core.debug, shared)?;
    if relay.is_none() {
        deployment.pass_over(|plugin| plugin.role == Role::MetricsRelay);
    }
    let (loaded, refused) = (deployment.libraries(), discovery.refusals());
    measure_libraries(&shared.metrics, loaded, refused);
    announce(&recruits);
    let orders = Orders {
        inquiry: setting.inquiry,
        recruits: &recruits,
        tolerant: core.debug,
        core,
        missing_authorities: &deployment.missing_authorities,
        scope: Arc::clone(&core.scope),
        capacity: core.channel_capacity,
        judging: Judging {
            guard: &core.guard,
            convergence: &core.convergence,
            forced: setting.forced,
            memories: &kept.memories,
            now,
        },
        kept,
        going_on_without: &|failed| warn_of_not_created(failed, &deployment, &recruits),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|e| Error::failed("cannot start the host's runtime", e))?;
    let mut outcome = runtime.block_on(pipeline::run(&orders, task, shared));
    outcome.publishers = publishers(config, discovery);
    inspect(&mut outcome, &recruits, shared);
    judge_creation(&outcome, &deployment, &recruits)?;
    note_losses(&mut outcome, &deployment, &recruits, purpose);
    if outcome.report.only_shown {
        tracing::warn!("no publisher can be used: the changes are shown, and nothing is published");
        // Those that were missing before have their warning already.
        if recruits.iter().any(|r| r.role == Role::Publisher) {
            let passed_over = &outcome.report.passed_over;
            let left = recruits.iter().filter(|r| !passed_over.contains(&r.key));
            let left = left.map(|r| (r.role, &*r.key)).collect::<Vec<_>>();
            let missing = missing_roles(config, discovery, &left, &[Role::Publisher]);
            print_warnings(&missing);
        }
    }
    Ok(outcome)
}

/// The publishers that are listed, those that a plan does without included.
fn publishers(config: &Config, discovery: &Discovery) -> Vec<ListedPublisher> {
    let listed = config.core().plugins.iter();
    let found = listed.filter_map(|listed| discovery.find(&listed.key).ok().flatten());
    found
        .filter(|(_, _, plugin)| plugin.role == Role::Publisher)
        .map(|(_, _, plugin)| ListedPublisher {
            key: plugin.key.as_str().into(),
            conditional: plugin.conditional,
        })
        .collect()
}

/// Puts into the report what `core.debug` let the run go on without.
fn note_losses(
    outcome: &mut Outcome,
    deployment: &Deployment,
    recruits: &[Recruit],
    purpose: Purpose,
) {
    let report = &mut outcome.report;
    let before = deployment.passed_over.iter().map(|key| key.as_str().into());
    report.passed_over.extend(before);
    let created = outcome
        .not_created
        .iter()
        .map(|plugin| Arc::clone(&plugin.key));
    report.passed_over.extend(created);
    let passed_over = &report.passed_over;
    let publishes =
        |recruit: &Recruit| recruit.role == Role::Publisher && !passed_over.contains(&recruit.key);
    report.only_shown = purpose == Purpose::Publish && !recruits.iter().any(publishes);
}

/// Looks at what the plugins have left behind, and at what became of their libraries.
fn inspect(outcome: &mut Outcome, recruits: &[Recruit], shared: &Shared) {
    let report = &mut outcome.report;
    // One that still runs may be changing what is looked at.
    if report.abandoned.is_empty() {
        let keys = recruits.iter().map(|recruit| &*recruit.key);
        let keys = keys.collect::<Vec<_>>();
        let mut audit = shared.audit.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(problem) = audit.end(&keys) {
            shared.tell(&problem);
        }
    }
    if report.faults.is_empty() {
        for fault in shared.loaded.written_over() {
            shared.tell(&fault);
            report.faults.push(fault);
        }
    }
    if let Err(error) = Crashes::survived(&shared.state_root) {
        tracing::debug!(%error, "what is remembered of crashes cannot be brought up to date");
    }
}

/// The crashes that are remembered; none where that cannot be told.
fn remembered(state_root: &Path) -> Crashes {
    Crashes::load(state_root).unwrap_or_else(|error| {
        let file = Crashes::path(state_root);
        tracing::warn!(
            file = %file.display(), reason = %error,
            "cannot read what is remembered of crashes; going on without it"
        );
        Crashes::default()
    })
}

/// The lines that the original logs when its plugins are there.
fn announce(recruits: &[Recruit]) {
    let keys = recruits
        .iter()
        .map(|recruit| format!("'{}'", recruit.key))
        .collect::<Vec<_>>()
        .join(", ");
    tracing::info!("Loaded {} plugins: [{keys}]", recruits.len());
    tracing::info!("Starting gordon janitor v{}...", env!("CARGO_PKG_VERSION"));
}
