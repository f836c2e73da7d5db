//! What any plugin can do wrong, whatever its role.
//!
//! Each does its duty first, as far as its role has one: an authority sends its zones, a reconciler
//! receives a zone, a publisher the changes of one, a metrics relay a measurement. Then it misbehaves.

use std::future::pending;
use std::io;
use std::panic::panic_any;
use std::thread;

use janitor_plugin_api::{
    Authority, ChangeReceiver, ChangeSender, Error, Host, MeasurementReceiver, MetricsRelay,
    Publisher, Reconciler, RrsetReceiver, RrsetSender,
};

use crate::life::{Settings, wait_at_the_gate, zone};

pub(crate) const PANICS_IN_NEW: u8 = 0;
pub(crate) const PANICS_IN_RUN: u8 = 1;
pub(crate) const PANICS_IN_A_TASK: u8 = 2;
pub(crate) const PANICS_WITH_A_BOMB: u8 = 3;
pub(crate) const PANICS_IN_DROP: u8 = 4;
pub(crate) const PANICS_IN_CLEANUP: u8 = 5;
pub(crate) const WAITS_IN_NEW: u8 = 6;
pub(crate) const WAITS: u8 = 7;
pub(crate) const HANGS: u8 = 8;
pub(crate) const BLOCKS: u8 = 9;
pub(crate) const HANGS_IN_CLEANUP: u8 = 10;
pub(crate) const FAILS: u8 = 11;
pub(crate) const REFUSES_TO_START: u8 = 12;
pub(crate) const TRIPS_IN_NEW: u8 = 20;

/// A plugin of any role that does what `TRICK` says.
pub(crate) struct Any<const TRICK: u8> {
    settings: Settings,
    host: Host,
}

impl<const TRICK: u8> Any<TRICK> {
    #[expect(clippy::panic, reason = "the misdeed")]
    fn create(settings: Settings, host: Host) -> Result<Self, Error> {
        match TRICK {
            PANICS_IN_NEW => panic!("on purpose, in new"),
            WAITS_IN_NEW => wait_at_the_gate(&settings, &host)?,
            REFUSES_TO_START => {
                let error = Error::config("cannot work by this light", "the moon is not full");
                return Err(error.hint("wait for the full moon"));
            }
            TRIPS_IN_NEW => {
                let error = Error::retry("cannot reach the moon", io::Error::other("no rocket"));
                return Err(error.hint("build a rocket"));
            }
            _ => {}
        }
        tracing::info!("created");
        Ok(Self { settings, host })
    }

    #[expect(clippy::panic, reason = "the misdeed")]
    async fn misbehave(&self) -> Result<(), Error> {
        match TRICK {
            PANICS_IN_RUN => panic!("on purpose, in run"),
            PANICS_WITH_A_BOMB => panic_any(Bomb),
            PANICS_IN_A_TASK => {
                drop(tokio::spawn(async { panic!("on purpose, in a task") }));
                tokio::task::yield_now().await;
            }
            WAITS => {
                tracing::info!("waiting");
                self.host.cancelled().await;
            }
            HANGS => {
                tracing::info!("hanging");
                pending::<()>().await;
            }
            BLOCKS => {
                tracing::info!("blocking");
                loop {
                    thread::park();
                }
            }
            FAILS => {
                let error = Error::retry("cannot reach the moon", io::Error::other("no rocket"));
                return Err(error.hint("build a rocket"));
            }
            _ => {}
        }
        Ok(())
    }

    #[expect(clippy::panic, reason = "the misdeed")]
    async fn tidy(&self) -> Result<(), Error> {
        match TRICK {
            PANICS_IN_CLEANUP => panic!("on purpose, in cleanup"),
            HANGS_IN_CLEANUP => {
                tracing::info!("cleaning up");
                pending::<()>().await;
            }
            _ => {}
        }
        tracing::info!("cleaned up");
        Ok(())
    }
}

impl<const TRICK: u8> Drop for Any<TRICK> {
    fn drop(&mut self) {
        assert!(TRICK != PANICS_IN_DROP, "on purpose, in drop");
        tracing::info!("dropped");
    }
}

/// What panics again when the barrier drops it.
struct Bomb;

impl Drop for Bomb {
    #[expect(clippy::panic, reason = "the misdeed")]
    fn drop(&mut self) {
        panic!("on purpose, in the drop of a payload");
    }
}

impl<const TRICK: u8> Authority for Any<TRICK> {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        Self::create(settings, host)
    }

    async fn run(&mut self, rrsets: &mut RrsetSender) -> Result<(), Error> {
        tracing::info!("running");
        for apex in &self.settings.zones {
            rrsets.send(zone(apex, true)?).await?;
        }
        self.misbehave().await
    }

    async fn cleanup(&mut self) -> Result<(), Error> {
        self.tidy().await
    }
}

impl<const TRICK: u8> Reconciler for Any<TRICK> {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        Self::create(settings, host)
    }

    async fn run(&mut self, rrsets: &mut RrsetReceiver, _: &mut ChangeSender) -> Result<(), Error> {
        tracing::info!("running");
        drop(rrsets.receive().await);
        self.misbehave().await
    }

    async fn cleanup(&mut self) -> Result<(), Error> {
        self.tidy().await
    }
}

impl<const TRICK: u8> Publisher for Any<TRICK> {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        Self::create(settings, host)
    }

    async fn run(&mut self, changes: &mut ChangeReceiver) -> Result<(), Error> {
        tracing::info!("running");
        drop(changes.receive().await);
        self.misbehave().await
    }

    async fn cleanup(&mut self) -> Result<(), Error> {
        self.tidy().await
    }
}

impl<const TRICK: u8> MetricsRelay for Any<TRICK> {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        Self::create(settings, host)
    }

    async fn run(&mut self, measurements: &mut MeasurementReceiver) -> Result<(), Error> {
        tracing::info!("running");
        drop(measurements.receive().await);
        self.misbehave().await
    }

    async fn cleanup(&mut self) -> Result<(), Error> {
        self.tidy().await
    }
}
