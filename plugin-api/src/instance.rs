//! A plugin behind the boundary, whatever its role.

use abi_stable::std_types::RResult;

use crate::abi::values::AbiError;
use crate::barrier::{drive, guard, guarded_drop, retire};
use crate::error::Error;
use crate::host::Host;

/// An instance of the author's type `P`. The roles implement the ABI's traits for it.
pub(crate) struct Instance<P> {
    plugin: Option<P>,
    host: Host,
}

impl<P> Instance<P> {
    pub(crate) fn new(plugin: P, host: Host) -> Self {
        let plugin = Some(plugin);
        Self { plugin, host }
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    /// Runs the plugin to its end, cleans up, and drops it, all behind the barrier.
    pub(crate) fn drive(
        &mut self,
        run: impl AsyncFnOnce(&mut P) -> Result<(), Error>,
        cleanup: impl AsyncFnOnce(&mut P) -> Result<(), Error>,
    ) -> RResult<(), AbiError> {
        let ran = guard(|| {
            let plugin = self.plugin.as_mut().expect("the host calls `run` once");
            drive(&self.host, plugin, run, cleanup)
        });
        retire(ran, self.plugin.take())
    }
}

impl<P> Drop for Instance<P> {
    fn drop(&mut self) {
        guarded_drop(self.plugin.take());
    }
}
