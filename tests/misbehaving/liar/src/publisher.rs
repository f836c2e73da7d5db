//! What a publisher can lie about.

use janitor_plugin_api::abi::abi_stable::erased_types::TD_Opaque;
use janitor_plugin_api::abi::abi_stable::std_types::RResult;
use janitor_plugin_api::abi::channel::{Reports, Source};
use janitor_plugin_api::abi::plugin::{PublisherBox, RawPublisher, RawPublisher_TO};
use janitor_plugin_api::abi::values::{AbiError, AbiZoneChanges, OutcomeCode};
use janitor_plugin_api::export::Role;
use janitor_plugin_api::ffi::Receiver;
use janitor_plugin_api::{Error, Host, NoSettings};

use crate::tell::{block_on, silence};

/// A publisher that reports on what there is not, and says nothing true of what there is.
pub(crate) struct Boasting;

impl Role<PublisherBox> for Boasting {
    type Config = NoSettings;

    fn create(_: NoSettings, _: Host) -> Result<PublisherBox, Error> {
        Ok(RawPublisher_TO::from_value(Self, TD_Opaque))
    }
}

impl RawPublisher for Boasting {
    fn run(&mut self, changes: Source<AbiZoneChanges>, reports: Reports) -> RResult<(), AbiError> {
        let mut changes = Receiver::new(changes);
        let done = block_on(async {
            while let Some(zone) = changes.receive().await {
                let applied = OutcomeCode::APPLIED;
                reports.report(zone.ticket + 1000, 0, 1, applied, "".into());
                reports.report(u64::MAX, 0, 1, applied, "".into());
                reports.report(zone.ticket, 1000, 1, applied, "".into());
                reports.report(zone.ticket, 0, u32::MAX, applied, "".into());
                reports.report(zone.ticket, u32::MAX, u32::MAX, applied, "".into());
                reports.report(zone.ticket, 0, 1, OutcomeCode(200), "beyond words".into());
            }
        });
        done.map_or_else(silence, RResult::ROk)
    }
}
