//! What only a publisher can do.

use janitor_plugin_api::{ChangeReceiver, Error, Host, Outcome, Publisher as Role, ZoneChanges};

use crate::life::{Settings, wait_at_the_gate};

pub(crate) const BEHAVES: u8 = 0;
pub(crate) const IS_SILENT: u8 = 1;
pub(crate) const REFUSES: u8 = 2;
pub(crate) const REFUSES_ONE: u8 = 3;
pub(crate) const ACCEPTS: u8 = 4;
pub(crate) const LEAVES_EARLY: u8 = 5;
pub(crate) const WAITS_AFTER_THE_FIRST: u8 = 6;

/// A publisher that does what `TRICK` says.
pub(crate) struct Publisher<const TRICK: u8> {
    settings: Settings,
    host: Host,
}

impl<const TRICK: u8> Role for Publisher<TRICK> {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        tracing::info!("created");
        Ok(Self { settings, host })
    }

    async fn run(&mut self, changes: &mut ChangeReceiver) -> Result<(), Error> {
        tracing::info!("running");
        if TRICK == LEAVES_EARLY {
            return Ok(());
        }
        while let Some(zone) = changes.receive().await {
            tell(&zone);
            report::<TRICK>(&zone);
            if TRICK == WAITS_AFTER_THE_FIRST && !self.host.is_cancelled() {
                wait_at_the_gate(&self.settings, &self.host)?;
            }
        }
        Ok(())
    }

    async fn cleanup(&mut self) -> Result<(), Error> {
        tracing::info!("cleaned up");
        Ok(())
    }
}

impl<const TRICK: u8> Drop for Publisher<TRICK> {
    fn drop(&mut self) {
        tracing::info!("dropped");
    }
}

fn tell(zone: &ZoneChanges) {
    match zone.serial() {
        Some(serial) => tracing::info!(zone = %zone.apex(), "computed from serial {serial}"),
        None => tracing::info!(zone = %zone.apex(), "computed from no serial"),
    }
    for change in zone.changes() {
        let text = change.to_string();
        for line in text.lines() {
            tracing::info!(zone = %zone.apex(), "given: {line}");
        }
    }
}

fn report<const TRICK: u8>(zone: &ZoneChanges) {
    match TRICK {
        BEHAVES | WAITS_AFTER_THE_FIRST => zone.report_all(Outcome::Applied),
        ACCEPTS => zone.report_all(Outcome::Accepted),
        REFUSES => zone.report_all(Outcome::Refused("the servers are asleep".to_owned())),
        REFUSES_ONE => {
            zone.report_all(Outcome::Applied);
            zone.report(
                0,
                Outcome::Refused("the first is always refused".to_owned()),
            );
        }
        _ => {}
    }
}
