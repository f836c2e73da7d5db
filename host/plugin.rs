//! One configured plugin: create, run, drop, on a thread of its own.
//!
//! ```text
//! host    start ──────────► created ──► run(work) ─────────────► ended
//!           │                  ▲            │                       ▲
//! thread    └─ create instance ┘            └─ run, drop instance ──┘
//! ```
//!
//! The host's side only waits for messages of the thread, so a plugin that hangs in any of its steps
//! holds up nobody but the one who chooses to wait for it.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use janitor_plugin_api::abi::abi_stable::std_types::{RResult, RStr};
use janitor_plugin_api::abi::channel::{Reports, Sink, Source};
use janitor_plugin_api::abi::entry::PluginEntryRef;
use janitor_plugin_api::abi::host::HostBox;
use janitor_plugin_api::abi::plugin::{AuthorityBox, MetricsRelayBox, PublisherBox, ReconcilerBox};
use janitor_plugin_api::abi::values::{
    AbiAnswer, AbiError, AbiMeasurement, AbiQuestion, AbiZone, AbiZoneChanges, ErrorCode, TextPlace,
};
use tokio::sync::oneshot::{self, error::TryRecvError};

use crate::activity::{Activity, State};
use crate::logging;
use crate::manifest::Role;
use crate::worker::{Breadcrumbs, Doing};

/// The ends of the channels that a plugin runs on.
pub enum Work {
    /// For an authority.
    Authority(Sink<AbiZone>),
    /// For a reconciler.
    Reconciler(Source<AbiQuestion>, Sink<AbiAnswer>),
    /// For a publisher.
    Publisher(Source<AbiZoneChanges>, Reports),
    /// For a metrics relay.
    MetricsRelay(Source<AbiMeasurement>),
}

/// A plugin on its thread.
pub struct Plugin {
    activity: Arc<Activity>,
    created: Option<oneshot::Receiver<Result<(), AbiError>>>,
    work: Option<mpsc::Sender<Work>>,
    ended: oneshot::Receiver<Ended>,
}

/// How a plugin's run ended, and how long it took.
#[derive(Debug)]
pub struct Ended {
    /// What `run` answered; none if the plugin was dropped without a run.
    pub result: Option<Result<(), AbiError>>,
    /// From the call of `run` to its return.
    pub runtime: Duration,
}

impl Ended {
    /// The thread is gone and said nothing.
    fn without_an_answer() -> Self {
        Self {
            result: Some(Err(thread_ended())),
            runtime: Duration::ZERO,
        }
    }
}

enum Instance {
    Authority(AuthorityBox),
    Reconciler(ReconcilerBox),
    Publisher(PublisherBox),
    MetricsRelay(MetricsRelayBox),
}

impl Plugin {
    /// Starts the thread and begins to create the instance on it.
    ///
    /// # Errors
    ///
    /// The system's error if it has no more threads.
    pub fn start(
        activity: Arc<Activity>,
        breadcrumbs: Breadcrumbs,
        entry: PluginEntryRef,
        config: String,
        host: HostBox,
    ) -> std::io::Result<Self> {
        let (created_tx, created) = oneshot::channel();
        let (work, work_rx) = mpsc::channel();
        let (ended_tx, ended) = oneshot::channel();
        let span = logging::plugin_span(&activity.key);
        let seen = Arc::clone(&activity);
        thread::Builder::new()
            .name(activity.key.to_string())
            .spawn(move || {
                let _entered = span.entered();
                seen.on_thread(rustix::thread::gettid().as_raw_nonzero().get());
                let begin = |state, doing| {
                    seen.enter(state);
                    breadcrumbs.begin(|| seen.operation(doing))
                };
                let creating = begin(State::Creating, Doing::Creating);
                let created = Instance::create(seen.role, entry, &config, host);
                drop(creating);
                let instance = match created {
                    Ok(instance) => instance,
                    Err(error) => {
                        seen.enter(State::Ended);
                        return answer(created_tx, Err(error));
                    }
                };
                // The configuration may hold secrets; the instance has what it needs of it.
                drop(config);
                seen.enter(State::Created);
                answer(created_tx, Ok(()));
                // No work: another plugin could not be created, or the run is cancelled.
                let work = work_rx.recv().ok();
                let start = Instant::now();
                let result = if let Some(work) = work {
                    let _running = begin(State::Running, Doing::Running);
                    Some(instance.run(work))
                } else {
                    let _dropping = begin(State::Running, Doing::Dropping);
                    drop(instance);
                    None
                };
                seen.enter(State::Ended);
                answer(
                    ended_tx,
                    Ended {
                        result,
                        runtime: start.elapsed(),
                    },
                );
            })?;
        Ok(Self {
            activity,
            created: Some(created),
            work: Some(work),
            ended,
        })
    }

    /// The plugin's key.
    #[must_use]
    pub fn key(&self) -> &Arc<str> {
        &self.activity.key
    }

    /// What it is doing.
    #[must_use]
    pub fn activity(&self) -> &Activity {
        &self.activity
    }

    /// The plugin's role.
    #[must_use]
    pub fn role(&self) -> Role {
        self.activity.role
    }

    /// Waits until the instance is created.
    ///
    /// # Errors
    ///
    /// What the plugin answered.
    ///
    /// # Panics
    ///
    /// When called twice.
    pub async fn created(&mut self) -> Result<(), AbiError> {
        let created = self.created.as_mut().expect("a plugin is created once");
        let answer = created.await.unwrap_or_else(|_gone| Err(thread_ended()));
        self.created = None;
        answer
    }

    /// The answer to the creation if it is there already and was not taken yet.
    pub fn created_by_now(&mut self) -> Option<Result<(), AbiError>> {
        let answer = self.created.as_mut()?.try_recv().ok()?;
        self.created = None;
        Some(answer)
    }

    /// Lets the created instance run.
    pub fn run(&mut self, work: Work) {
        if let Some(sender) = self.work.take() {
            tracing::debug!(plugin = %self.activity.key, "plugin starts to run");
            // A thread that has ended says so where its end is awaited.
            let _sent = sender.send(work).is_ok();
        }
    }

    /// Lets the created instance go without a run.
    pub fn dismiss(&mut self) {
        self.work = None;
    }

    /// How the plugin ended, if it has ended and nobody was told yet.
    pub fn ended_by_now(&mut self) -> Option<Ended> {
        match self.ended.try_recv() {
            Ok(ended) => Some(ended),
            Err(TryRecvError::Closed) => Some(Ended::without_an_answer()),
            Err(TryRecvError::Empty) => None,
        }
    }

    /// Waits until the plugin has ended and is dropped. May be dropped and called again.
    pub async fn ended(&mut self) -> Ended {
        (&mut self.ended)
            .await
            .unwrap_or_else(|_gone| Ended::without_an_answer())
    }
}

/// Tells the host, if it still listens.
fn answer<T>(to: oneshot::Sender<T>, message: T) {
    let _heard = to.send(message).is_ok();
}

fn thread_ended() -> AbiError {
    fault(ErrorCode::BUG, "its thread ended without an answer")
}

/// An error of the host in the form of a plugin's.
fn fault(kind: ErrorCode, text: &str) -> AbiError {
    AbiError {
        kind,
        chain: std::iter::once(text.into()).collect(),
        hint: None.into(),
        place: TextPlace::default(),
    }
}

impl Instance {
    fn create(
        role: Role,
        entry: PluginEntryRef,
        config: &str,
        host: HostBox,
    ) -> Result<Self, AbiError> {
        let config = RStr::from_str(config);
        let constructors = entry.create();
        let missing = || {
            fault(
                ErrorCode::BUG,
                "its library has no constructor for the role it declares",
            )
        };
        let made = match role {
            Role::Authority => constructors
                .authority
                .into_option()
                .map(|make| (make.create)(config, host).map(Self::Authority)),
            Role::Reconciler => constructors
                .reconciler
                .into_option()
                .map(|make| (make.create)(config, host).map(Self::Reconciler)),
            Role::Publisher => constructors
                .publisher
                .into_option()
                .map(|make| (make.create)(config, host).map(Self::Publisher)),
            Role::MetricsRelay => constructors
                .metrics_relay
                .into_option()
                .map(|make| (make.create)(config, host).map(Self::MetricsRelay)),
        };
        made.unwrap_or_else(|| RResult::RErr(missing()))
            .into_result()
    }

    /// Runs the instance to its end and drops it.
    fn run(self, work: Work) -> Result<(), AbiError> {
        let result = match (self, work) {
            (Self::Authority(mut plugin), Work::Authority(zones)) => plugin.run(zones),
            (Self::Reconciler(mut plugin), Work::Reconciler(zones, answers)) => {
                plugin.run(zones, answers)
            }
            (Self::Publisher(mut plugin), Work::Publisher(changes, reports)) => {
                plugin.run(changes, reports)
            }
            (Self::MetricsRelay(mut plugin), Work::MetricsRelay(measurements)) => {
                plugin.run(measurements)
            }
            _ => RResult::RErr(fault(
                ErrorCode::BUG,
                "it was given the work of another role",
            )),
        };
        result.into_result()
    }
}
