//! The role of a source of truth.

use std::future::Future;

use abi_stable::std_types::RResult;

use crate::abi::channel::Sink;
use crate::abi::plugin::{AuthorityBox, RawAuthority, RawAuthority_TO};
use crate::abi::values::{AbiError, AbiZone};
use crate::barrier::Tasks;
use crate::dns::DesiredZone;
use crate::error::{Closed, Error};
use crate::export::Role;
use crate::ffi::Sender;
use crate::host::Host;
use crate::instance::Instance;
use crate::settings::Settings;

/// A source of truth: says what zones ought to hold.
///
/// An instance is created, run once, cleaned up and dropped, all on one thread of its own with a
/// current-thread tokio runtime. It may block: it holds up no other plugin, only its own timers and
/// its own cancellation.
pub trait Authority: Sized + 'static {
    /// The plugin's table of the configuration: a struct with `#[janitor_plugin_api::settings]`.
    type Config: Settings;

    /// Creates the plugin. Should check what can be checked without asking the outside world.
    ///
    /// # Errors
    ///
    /// Anything that makes a run pointless; the run does not start.
    fn new(config: Self::Config, host: Host) -> Result<Self, Error>;

    /// Sends every zone that the source speaks for, each once, and returns.
    ///
    /// A zone that cannot be read is reported with [`Host::leave_out`], never sent half. Returning
    /// without an error says that the stream is complete.
    ///
    /// # Errors
    ///
    /// Whatever ends the whole source. What was sent before still counts; the run fails.
    fn run(&mut self, rrsets: &mut RrsetSender) -> impl Future<Output = Result<(), Error>>;

    /// Called after `run` however it ended, panics excepted; has at most the grace.
    ///
    /// # Errors
    ///
    /// What could not be cleaned up; the run fails.
    fn cleanup(&mut self) -> impl Future<Output = Result<(), Error>> {
        async { Ok(()) }
    }
}

/// Where an authority sends the zones it speaks for.
pub struct RrsetSender {
    sender: Sender<AbiZone>,
    host: Host,
}

impl RrsetSender {
    /// Sends one zone; waits while the reconciler is behind.
    ///
    /// # Errors
    ///
    /// [`Closed`] if nobody receives any more, or the run was cancelled.
    pub async fn send(&mut self, zone: DesiredZone) -> Result<(), Closed> {
        if self.host.is_cancelled() {
            return Err(Closed);
        }
        let apex = zone.apex().as_wire().into();
        let octets = zone.into_octets();
        self.sender.send(AbiZone { apex, octets }).await
    }
}

impl<P: Authority> Role<AuthorityBox> for P {
    type Config = <P as Authority>::Config;

    fn create(config: Self::Config, host: Host) -> Result<AuthorityBox, Error> {
        let instance = Instance::new(P::new(config, host.clone())?, host);
        Ok(RawAuthority_TO::from_value(
            instance,
            abi_stable::erased_types::TD_Opaque,
        ))
    }
}

impl<P: Authority> RawAuthority for Instance<P> {
    fn run(&mut self, zones: Sink<AbiZone>) -> RResult<(), AbiError> {
        let mut rrsets = RrsetSender {
            sender: Sender::new(zones),
            host: self.host().clone(),
        };
        let run = async move |plugin: &mut P| {
            let tasks = Tasks::watch();
            plugin.run(&mut rrsets).await?;
            tasks.none_panicked()?;
            rrsets.sender.finish();
            Ok(())
        };
        self.drive(run, async |plugin: &mut P| plugin.cleanup().await)
    }
}
