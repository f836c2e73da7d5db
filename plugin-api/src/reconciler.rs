//! The role that knows what is really served.

mod reading;

use std::error::Error as StdError;
use std::future::Future;

use abi_stable::std_types::{ROption, RResult, RVec};

use crate::abi::channel::{Sink, Source};
use crate::abi::plugin::{RawReconciler, RawReconciler_TO, ReconcilerBox};
use crate::abi::values::{AbiAnswer, AbiError, AbiQuestion, AnswerStatus};
use crate::barrier::Tasks;
use crate::dns::{ActualZone, Changes, DesiredZone, LeftAlone, Name, NameRef, Zone};
use crate::error::{Closed, Error, hint_of, links};
use crate::export::Role;
use crate::ffi::{Receiver, Sender};
use crate::host::Host;
use crate::instance::Instance;
use crate::settings::Settings;

/// A reader of actual records; everything else of a reconciler is the SDK's.
///
/// This is what most reconcilers want to be: it reads a zone as it is served, and comparison, order,
/// counts and metrics are the same as everyone's. Implement [`Reconciler`] instead to compare in a
/// way of your own.
pub trait ActualReader: Sized + 'static {
    /// The plugin's table of the configuration: a struct with `#[janitor_plugin_api::settings]`.
    type Config: Settings;

    /// Creates the plugin. Should check what can be checked without asking the outside world.
    ///
    /// # Errors
    ///
    /// Anything that makes a run pointless; the run does not start.
    fn new(config: Self::Config, host: Host) -> Result<Self, Error>;

    /// Reads the zone at `apex` whole.
    ///
    /// Dropped at any of its awaits when the run is cancelled, or ended by an error.
    ///
    /// # Errors
    ///
    /// Why the zone cannot be read: it is left out and stays as it is. A zone that is not served is
    /// such an error too, never an empty zone. [`Error::config`] and [`Error::bug`] end the run.
    fn read(&self, apex: NameRef<'_>) -> impl Future<Output = Result<ActualZone, Error>>;

    /// How many zones are read at the same time, at least one; asked once, before the first.
    ///
    /// Their futures take turns on the plugin's one thread: reading several at once is worth while
    /// where reading waits for something. Each zone is compared and answered as soon as it is there.
    /// No more than this many zones, each with its desired side, are held by the plugin to read.
    fn at_once(&self) -> usize {
        1
    }

    /// What the comparison leaves alone; by default what belongs to the primary and its signer.
    fn left_alone(&self) -> LeftAlone {
        LeftAlone::default()
    }

    /// Called after the last zone however the run ended, panics excepted; has at most the grace.
    ///
    /// # Errors
    ///
    /// What could not be cleaned up; the run fails.
    fn cleanup(&mut self) -> impl Future<Output = Result<(), Error>> {
        async { Ok(()) }
    }
}

/// A reconciler: answers every desired zone with the changes that make the served one equal to it, and
/// reads a zone where nothing else is asked.
///
/// See [`Authority`](crate::Authority) for how instances live. Implement [`ActualReader`] where reading
/// the served zone is all there is to do.
pub trait Reconciler: Sized + 'static {
    /// The plugin's table of the configuration: a struct with `#[janitor_plugin_api::settings]`.
    type Config: Settings;

    /// Creates the plugin. Should check what can be checked without asking the outside world.
    ///
    /// # Errors
    ///
    /// Anything that makes a run pointless; the run does not start.
    fn new(config: Self::Config, host: Host) -> Result<Self, Error>;

    /// Answers every question of `rrsets` exactly once, in any order, and returns when they have ended:
    /// [`Question::Compare`] with [`ChangeSender::compared`], [`Question::Read`] with
    /// [`ChangeSender::read`], both also with [`ChangeSender::leave_out`]. A zone without an answer
    /// counts as left out.
    ///
    /// # Errors
    ///
    /// Whatever ends the whole reconciliation; nothing is published then.
    fn run(
        &mut self,
        rrsets: &mut RrsetReceiver,
        changes: &mut ChangeSender,
    ) -> impl Future<Output = Result<(), Error>>;

    /// Called after `run` however it ended, panics excepted; has at most the grace.
    ///
    /// # Errors
    ///
    /// What could not be cleaned up; the run fails.
    fn cleanup(&mut self) -> impl Future<Output = Result<(), Error>> {
        async { Ok(()) }
    }
}

impl<P: ActualReader> Reconciler for P {
    type Config = <P as ActualReader>::Config;

    fn new(config: Self::Config, host: Host) -> Result<Self, Error> {
        ActualReader::new(config, host)
    }

    async fn run(
        &mut self,
        rrsets: &mut RrsetReceiver,
        changes: &mut ChangeSender,
    ) -> Result<(), Error> {
        reading::answer_all(self, rrsets, changes).await
    }

    async fn cleanup(&mut self) -> Result<(), Error> {
        ActualReader::cleanup(self).await
    }
}

/// What a reconciler is asked about one zone.
#[derive(Debug)]
pub enum Question {
    /// Which changes make the served zone equal to this one?
    Compare(DesiredZone),
    /// What does the zone of this name hold? Asked before a stored plan is applied, and by commands
    /// that only look.
    Read(Name),
}

impl Question {
    /// The apex of the zone that is asked about.
    #[must_use]
    pub fn apex(&self) -> NameRef<'_> {
        match self {
            Self::Compare(desired) => desired.apex(),
            Self::Read(apex) => apex.as_ref(),
        }
    }
}

/// The questions of a run: in most runs all to compare, or all to read.
pub struct RrsetReceiver {
    receiver: Receiver<AbiQuestion>,
    host: Host,
}

impl RrsetReceiver {
    /// The next question, or none when there are no more or the run was cancelled. May be dropped
    /// and called again.
    ///
    /// # Panics
    ///
    /// If the host breaks its promise to hand on only what it has checked.
    pub async fn receive(&mut self) -> Option<Question> {
        let AbiQuestion { apex, desired } = self.receiver.receive().await?;
        if self.host.is_cancelled() {
            return None;
        }
        let apex = Name::from_wire(&apex).expect("the host hands on valid names");
        Some(match desired {
            // The host has checked it before it went on.
            ROption::RSome(octets) => {
                Question::Compare(DesiredZone::trusted(Zone::trusted(apex, octets)))
            }
            ROption::RNone => Question::Read(apex),
        })
    }
}

/// Where a reconciler's answers go.
pub struct ChangeSender(Sender<AbiAnswer>);

impl ChangeSender {
    /// Answers a zone with its changes and the actual zone they were computed from.
    ///
    /// Without the actual zone the host cannot check the changes: limits that are shares withhold
    /// them, and a stored plan is not applied.
    ///
    /// # Errors
    ///
    /// [`Closed`] if nobody receives any more.
    pub async fn compared(
        &mut self,
        changes: Changes,
        actual: Option<ActualZone>,
    ) -> Result<(), Closed> {
        self.0.send(answer_compared(changes, actual)).await
    }

    /// Answers the question to read a zone with what it holds.
    ///
    /// # Errors
    ///
    /// [`Closed`] if nobody receives any more.
    pub async fn read(&mut self, actual: ActualZone) -> Result<(), Closed> {
        self.0.send(answer_read(actual)).await
    }

    /// Answers a question with the reason why the zone is left out. It stays as it is.
    ///
    /// # Errors
    ///
    /// [`Closed`] if nobody receives any more.
    pub async fn leave_out(
        &mut self,
        apex: NameRef<'_>,
        reason: &(dyn StdError + 'static),
    ) -> Result<(), Closed> {
        self.0.send(answer_left_out(apex, reason)).await
    }
}

fn answer_compared(changes: Changes, actual: Option<ActualZone>) -> AbiAnswer {
    AbiAnswer {
        apex: changes.apex().as_wire().into(),
        status: AnswerStatus::COMPARED,
        changes: changes.into_octets(),
        actual: actual.map(ActualZone::into_octets).into(),
        reason: RVec::new(),
        hint: ROption::RNone,
    }
}

fn answer_read(actual: ActualZone) -> AbiAnswer {
    AbiAnswer {
        apex: actual.apex().as_wire().into(),
        status: AnswerStatus::READ,
        changes: RVec::new(),
        actual: ROption::RSome(actual.into_octets()),
        reason: RVec::new(),
        hint: ROption::RNone,
    }
}

fn answer_left_out(apex: NameRef<'_>, reason: &(dyn StdError + 'static)) -> AbiAnswer {
    AbiAnswer {
        apex: apex.as_wire().into(),
        status: AnswerStatus::LEFT_OUT,
        changes: RVec::new(),
        actual: ROption::RNone,
        reason: links(reason),
        hint: hint_of(reason),
    }
}

impl<P: Reconciler> Role<ReconcilerBox> for P {
    type Config = <P as Reconciler>::Config;

    fn create(config: Self::Config, host: Host) -> Result<ReconcilerBox, Error> {
        let instance = Instance::new(P::new(config, host.clone())?, host);
        Ok(RawReconciler_TO::from_value(
            instance,
            abi_stable::erased_types::TD_Opaque,
        ))
    }
}

impl<P: Reconciler> RawReconciler for Instance<P> {
    fn run(
        &mut self,
        questions: Source<AbiQuestion>,
        answers: Sink<AbiAnswer>,
    ) -> RResult<(), AbiError> {
        let mut rrsets = RrsetReceiver {
            receiver: Receiver::new(questions),
            host: self.host().clone(),
        };
        let mut changes = ChangeSender(Sender::new(answers));
        let run = async move |plugin: &mut P| {
            let tasks = Tasks::watch();
            plugin.run(&mut rrsets, &mut changes).await?;
            tasks.none_panicked()?;
            changes.0.finish();
            Ok(())
        };
        self.drive(run, async |plugin: &mut P| plugin.cleanup().await)
    }
}
