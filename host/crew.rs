//! The plugins of one run: all created before any runs, all ended before the run is over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use janitor_plugin_api::abi::entry::PluginEntryRef;
use janitor_plugin_api::abi::values::{AbiError, ErrorCode};
use jiff::Timestamp;

use crate::activity::{Activity, Direction, Provenance, State, seconds};
use crate::config::Rendered;
use crate::error::say;
use crate::manifest::Role;
use crate::metrics::Value;
use crate::offer::{self, Shared};
use crate::plugin::{Ended, Plugin};
use crate::problem::{Code, Problem};
use crate::report::{Failure, Report};
use crate::secrets;

/// A plugin that the configuration asks for, with everything known that is needed to create it.
pub struct Recruit {
    /// Its key.
    pub key: Arc<str>,
    /// Its role.
    pub role: Role,
    /// Its entry in the open library.
    pub entry: PluginEntryRef,
    /// Its configuration, and which line of it came from where.
    pub config: Rendered,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// Every role that a plugin of a run can have.
pub const ALL_ROLES: &[Role] = &[Role::Publisher, Role::Reconciler, Role::Authority];

/// A plugin that could not be created.
#[derive(Debug)]
pub struct NotCreated {
    /// Its key.
    pub key: Arc<str>,
    /// Its role.
    pub role: Role,
    /// Position in the list of recruits.
    pub index: usize,
    /// What the plugin answered.
    pub error: AbiError,
}

/// The plugins of a run, in the order they are started in: publishers, reconciler, authorities.
pub struct Crew {
    members: Vec<Member>,
    shared: Arc<Shared>,
}

struct Member {
    plugin: Plugin,
    /// Position in the list of recruits.
    index: usize,
    ended: bool,
}

impl Crew {
    /// Starts a thread for each recruit, where its instance begins to be created.
    ///
    /// Returns those that could not be started beside the crew of the others.
    pub fn start(recruits: &[Recruit], shared: &Arc<Shared>) -> (Self, Vec<NotCreated>) {
        let mut order = (0..recruits.len()).collect::<Vec<_>>();
        order.sort_by_key(|&index| match recruits[index].role {
            Role::Publisher => 0,
            Role::Reconciler => 1,
            _ => 2,
        });
        let mut members = Vec::new();
        let mut failed = Vec::new();
        for index in order {
            let recruit = &recruits[index];
            let host = offer::to(Arc::clone(&recruit.key), Arc::clone(shared));
            let text = recruit.config.text().to_owned();
            let activity = Arc::new(Activity::new(
                Arc::clone(&recruit.key),
                recruit.role,
                recruit.provenance.clone(),
            ));
            let started = Plugin::start(
                Arc::clone(&activity),
                shared.breadcrumbs,
                recruit.entry,
                text,
                host,
            );
            match started {
                Ok(plugin) => {
                    shared.roster.enlist(activity);
                    members.push(Member {
                        plugin,
                        index,
                        ended: false,
                    });
                }
                Err(error) => failed.push(not_created(recruit, index, thread_error(&error))),
            }
        }
        let shared = Arc::clone(shared);
        (Self { members, shared }, failed)
    }

    /// Waits until every instance is created or the run is cancelled, and takes out those that could
    /// not be; they are added to `failed`. False if the run is cancelled.
    pub async fn created(&mut self, recruits: &[Recruit], failed: &mut Vec<NotCreated>) -> bool {
        let mut kept = Vec::new();
        for mut member in std::mem::take(&mut self.members) {
            let answer = tokio::select! {
                biased;
                answer = member.plugin.created() => Some(answer),
                // What is known by now is told all the same.
                () = self.shared.stop.cancelled() => member.plugin.created_by_now(),
            };
            match answer {
                Some(Err(error)) => {
                    failed.push(not_created(&recruits[member.index], member.index, error));
                }
                Some(Ok(())) | None => kept.push(member),
            }
        }
        self.members = kept;
        failed.sort_by_key(|failed| failed.index);
        !self.shared.stop.is_cancelled()
    }

    /// Lets the created plugins go without a run.
    pub async fn dismiss(&mut self, report: &mut Report) {
        for member in &mut self.members {
            member.plugin.dismiss();
        }
        self.ended_soon(ALL_ROLES, report).await;
    }

    /// The plugins of one role, in the order of the configuration.
    pub fn of(&mut self, role: Role) -> impl Iterator<Item = &mut Plugin> {
        self.members
            .iter_mut()
            .map(|member| &mut member.plugin)
            .filter(move |plugin| plugin.role() == role)
    }

    /// Waits until every plugin of `roles` has ended, and reports how.
    pub async fn ended(&mut self, roles: &[Role], report: &mut Report) {
        for member in &mut self.members {
            if roles.contains(&member.plugin.role()) && !member.ended {
                let ended = member.plugin.ended().await;
                member.ended = true;
                settle(&member.plugin, ended, &self.shared, report);
            }
        }
    }

    /// Waits as [`Crew::ended`] does, but no longer than the grace: for plugins that have nothing
    /// left to do. False if some have not ended then.
    pub async fn ended_soon(&mut self, roles: &[Role], report: &mut Report) -> bool {
        let patience = self.shared.grace;
        tokio::time::timeout(patience, self.ended(roles, report))
            .await
            .is_ok()
    }

    /// Reports the plugins that have not ended by now as abandoned.
    pub fn abandon(mut self, report: &mut Report) {
        for member in &mut self.members {
            if member.ended {
                continue;
            }
            if let Some(ended) = member.plugin.ended_by_now() {
                settle(&member.plugin, ended, &self.shared, report);
                continue;
            }
            let asked = self.shared.asked.get().copied();
            tell_abandoned(member.plugin.activity(), asked, &self.shared);
            report.abandoned.push(Arc::clone(member.plugin.key()));
        }
    }
}

/// Tells of a plugin that goes on although it was asked to stop, at the moment `asked`.
pub(crate) fn tell_abandoned(
    activity: &Activity,
    asked: Option<(Instant, Timestamp)>,
    shared: &Shared,
) {
    tracing::error!(
        plugin = %activity.key,
        "plugin did not stop when it was asked to; ending without it"
    );
    let problem = did_not_stop(activity, asked, shared);
    say(&problem);
}

fn did_not_stop(
    activity: &Activity,
    asked: Option<(Instant, Timestamp)>,
    shared: &Shared,
) -> Problem {
    let key = &activity.key;
    let (after, time) = match asked {
        Some((asked, time)) => (seconds(asked.elapsed()), format!(", asked at {time:.3}")),
        None => (seconds(Duration::ZERO), String::new()),
    };
    let Provenance {
        library, version, ..
    } = &activity.provenance;
    let others = shared.roster.all();
    let going_on = others
        .iter()
        .filter(|other| other.key != *key && other.state() != State::Ended)
        .map(|other| &*other.key)
        .collect::<Vec<_>>();
    let problem = Problem::error(
        Code::DidNotStop,
        format!("plugin \"{key}\" did not stop within {after} of being asked; ending the process without it"),
    )
    .place(format!(
        "{} {version}, thread \"{key}\" (tid {}){time}",
        library.display(),
        activity.thread()
    ))
    .found(activity.describe_now())
    .found(if going_on.is_empty() {
        "every other plugin has stopped".to_owned()
    } else {
        format!("others that have not stopped: {}", going_on.join(", "))
    });
    if shared.hurry.is_cancelled() {
        return problem.because("a second signal ended the grace");
    }
    problem
        .because("a thread cannot be stopped from outside; a plugin has to wait for host.cancelled(), and limit how long it waits for servers")
        .help(format!(
            "raise core.grace (now {:?}) if it only needs longer; else report it to whoever made the plugin",
            shared.grace
        ))
}

fn not_created(recruit: &Recruit, index: usize, error: AbiError) -> NotCreated {
    NotCreated {
        key: Arc::clone(&recruit.key),
        role: recruit.role,
        index,
        error,
    }
}

fn thread_error(error: &std::io::Error) -> AbiError {
    AbiError {
        kind: ErrorCode::RETRY,
        chain: ["cannot start its thread".into(), error.to_string().into()]
            .into_iter()
            .collect(),
        hint: None.into(),
        place: janitor_plugin_api::abi::values::TextPlace::default(),
    }
}

/// Notes how a plugin ended.
fn settle(plugin: &Plugin, ended: Ended, shared: &Shared, report: &mut Report) {
    let Some(result) = ended.result else {
        return;
    };
    let key = plugin.key();
    let context = [("plugin", (&**key).into())];
    shared
        .metrics
        .timer("plugin-runtime", ended.runtime, &context);
    for direction in [Direction::Receive, Direction::Send] {
        let lane = plugin.activity().lane(direction);
        if lane.is_there() {
            let direction = Value::from(direction.text());
            let context = [("plugin", (&**key).into()), ("direction", direction)];
            shared
                .metrics
                .timer("channel-wait", lane.waited(), &context);
        }
    }
    let Err(error) = result else {
        return;
    };
    // A plugin that only gave up because the run was over is not the one that failed.
    if error.kind == ErrorCode::CANCELLED && (shared.is_cancelled() || !report.failures.is_empty())
    {
        let reason = secrets::covered(key, error.chain.join(": "));
        tracing::debug!(plugin = %key, reason, "plugin gave up its work");
        return;
    }
    report.fail(failure(key, error));
}

/// A plugin's error as the report has it.
pub(crate) fn failure(key: &Arc<str>, error: AbiError) -> Failure {
    let chain = error.chain.into_iter();
    let mut chain = chain
        .map(|link| secrets::covered(key, String::from(link)))
        .collect::<Vec<_>>();
    if chain.is_empty() {
        chain.push("it did not say why".to_owned());
    }
    Failure {
        plugin: Arc::clone(key),
        chain,
        hint: error
            .hint
            .into_option()
            .map(|hint| secrets::covered(key, String::from(hint))),
        panicked: error.kind == ErrorCode::PANIC,
    }
}
