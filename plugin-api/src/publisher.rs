//! The role that sends corrections on.

use std::future::Future;
use std::sync::Arc;

use abi_stable::std_types::{RResult, RStr};

use crate::abi::channel::{Reports, Source};
use crate::abi::plugin::{PublisherBox, RawPublisher, RawPublisher_TO};
use crate::abi::values::{AbiError, AbiZoneChanges, OutcomeCode};
use crate::dns::{Changes, Name, NameRef, Serial};
use crate::error::Error;
use crate::export::Role;
use crate::ffi::Receiver;
use crate::host::Host;
use crate::instance::Instance;
use crate::settings::Settings;

/// A place to send corrections.
///
/// See [`Authority`](crate::Authority) for how instances live.
pub trait Publisher: Sized + 'static {
    /// The plugin's table of the configuration: a struct with `#[janitor_plugin_api::settings]`.
    type Config: Settings;

    /// Whether each change is written only if the RRsets that it deletes or replaces are served exactly
    /// as it has them, and none where it adds: checked and written in one step, by the server or under
    /// a lock. A plan names a publisher without it as *not conditional*: what others write between plan
    /// and change may be lost.
    const CONDITIONAL: bool = false;

    /// Creates the plugin. Should check what can be checked without asking the outside world.
    ///
    /// # Errors
    ///
    /// Anything that makes a run pointless; the run does not start.
    fn new(config: Self::Config, host: Host) -> Result<Self, Error>;

    /// Publishes the changes of every zone it receives, reports what became of each, and returns
    /// when they have ended. A change without a report counts as [`Outcome::Unknown`].
    ///
    /// One zone that cannot be published is reported as refused; the others go on.
    ///
    /// # Errors
    ///
    /// Whatever ends the whole publishing.
    fn run(&mut self, changes: &mut ChangeReceiver) -> impl Future<Output = Result<(), Error>>;

    /// Called after `run` however it ended, panics excepted; has at most the grace.
    ///
    /// # Errors
    ///
    /// What could not be cleaned up; the run fails.
    fn cleanup(&mut self) -> impl Future<Output = Result<(), Error>> {
        async { Ok(()) }
    }
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Visible at the servers.
    Applied,
    /// Handed on, not yet visible.
    Accepted,
    /// Not done, for this reason.
    Refused(String),
    /// Nobody can tell, for this reason.
    Unknown(String),
}

impl Outcome {
    fn into_abi(self) -> (OutcomeCode, String) {
        match self {
            Self::Applied => (OutcomeCode::APPLIED, String::new()),
            Self::Accepted => (OutcomeCode::ACCEPTED, String::new()),
            Self::Refused(reason) => (OutcomeCode::REFUSED, reason),
            Self::Unknown(reason) => (OutcomeCode::UNKNOWN, reason),
        }
    }
}

/// The corrections of a run. They begin to come when every zone has been planned.
///
/// Once the run is cancelled no more of them are handed out: they are reported as refused instead.
pub struct ChangeReceiver {
    host: Host,
    changes: Receiver<AbiZoneChanges>,
    reports: Arc<Reports>,
}

impl ChangeReceiver {
    /// The changes of the next zone, or none when there are no more. May be dropped and called again.
    ///
    /// # Panics
    ///
    /// If the host breaks its promise to hand on only what it has checked.
    pub async fn receive(&mut self) -> Option<ZoneChanges> {
        loop {
            let message = self.changes.receive().await?;
            let apex = Name::from_wire(&message.apex).expect("the host hands on valid names");
            let zone = ZoneChanges {
                ticket: message.ticket,
                // The host has checked them before they went on.
                changes: Changes::trusted(apex, message.octets),
                serial: message.serial.into_option().map(Serial),
                reports: Arc::clone(&self.reports),
            };
            if !self.host.is_cancelled() {
                return Some(zone);
            }
            let reason = "the run was cancelled before their turn";
            zone.report_all(Outcome::Refused(reason.to_owned()));
        }
    }
}

/// The changes of one zone, and where to report what became of them.
pub struct ZoneChanges {
    ticket: u64,
    changes: Changes,
    serial: Option<Serial>,
    reports: Arc<Reports>,
}

impl ZoneChanges {
    /// The changes, in the order to apply them in.
    #[must_use]
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// The apex of the zone.
    #[must_use]
    pub fn apex(&self) -> NameRef<'_> {
        self.changes.apex()
    }

    /// The serial of the actual zone that the changes were computed from; where a stored plan is
    /// applied, of the zone that was read again and found to be as it was. None if the reconciler does
    /// not give the actual zone, or it has no SOA.
    ///
    /// A zone that is served with another one was changed since, by somebody or by its signer.
    #[must_use]
    pub fn serial(&self) -> Option<Serial> {
        self.serial
    }

    /// Reports what became of the change at `index`, counted from 0 in the order of
    /// [`changes`](Self::changes). A later report replaces an earlier one.
    pub fn report(&self, index: u32, outcome: Outcome) {
        self.report_range(index, 1, outcome);
    }

    /// Reports one outcome for all changes of the zone.
    pub fn report_all(&self, outcome: Outcome) {
        // A buffer counts in 32 bits, so there are never more.
        let count = u32::try_from(self.changes.len()).unwrap_or(u32::MAX);
        self.report_range(0, count, outcome);
    }

    fn report_range(&self, first: u32, count: u32, outcome: Outcome) {
        let (code, reason) = outcome.into_abi();
        self.reports
            .report(self.ticket, first, count, code, RStr::from_str(&reason));
    }
}

impl<P: Publisher> Role<PublisherBox> for P {
    type Config = <P as Publisher>::Config;

    const CONDITIONAL: bool = <P as Publisher>::CONDITIONAL;

    fn create(config: Self::Config, host: Host) -> Result<PublisherBox, Error> {
        let instance = Instance::new(P::new(config, host.clone())?, host);
        Ok(RawPublisher_TO::from_value(
            instance,
            abi_stable::erased_types::TD_Opaque,
        ))
    }
}

impl<P: Publisher> RawPublisher for Instance<P> {
    fn run(&mut self, changes: Source<AbiZoneChanges>, reports: Reports) -> RResult<(), AbiError> {
        let mut changes = ChangeReceiver {
            host: self.host().clone(),
            changes: Receiver::new(changes),
            reports: Arc::new(reports),
        };
        let run = async move |plugin: &mut P| plugin.run(&mut changes).await;
        self.drive(run, async |plugin: &mut P| plugin.cleanup().await)
    }
}
