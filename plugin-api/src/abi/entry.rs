//! What a library exports.
//!
//! A library exports one symbol, `abi_stable`'s root module loader, which leads to a
//! [`PluginModule`]. What it provides can be read without running it in the manifest note
//! ([`crate::manifest`]); after opening, the host compares the two.

use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::package_version_strings;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{ROption, RResult, RSlice, RStr};

use super::host::{HostBox, HostFunctionsRef};
use super::plugin::{AuthorityBox, MetricsRelayBox, PublisherBox, ReconcilerBox};
use super::values::AbiError;

/// The root of a library.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginModuleRef)))]
pub struct PluginModule {
    /// Gives the library the host's functions. Called once, before anything else.
    pub attach: extern "C" fn(HostFunctionsRef),
    /// What the library provides; no key twice.
    #[sabi(last_prefix_field)]
    pub entries: extern "C" fn() -> RSlice<'static, PluginEntryRef>,
}

impl RootModule for PluginModuleRef {
    abi_stable::declare_root_module_statics! {PluginModuleRef}

    const BASE_NAME: &'static str = "gordon_janitor_plugin";
    const NAME: &'static str = "gordon_janitor_plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

/// One plugin of a library.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginEntryRef)))]
pub struct PluginEntry {
    /// The configuration key, such as `files.zones`.
    pub key: RStr<'static>,
    /// How to create it; exactly one is set.
    #[sabi(last_prefix_field)]
    pub create: Constructors,
}

/// One constructor per role. Frozen: a role that comes later has a field of its own in
/// [`PluginEntry`].
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct Constructors {
    /// Of an authority.
    pub authority: ROption<Constructor<AuthorityBox>>,
    /// Of a reconciler.
    pub reconciler: ROption<Constructor<ReconcilerBox>>,
    /// Of a publisher.
    pub publisher: ROption<Constructor<PublisherBox>>,
    /// Of a metrics relay.
    pub metrics_relay: ROption<Constructor<MetricsRelayBox>>,
}

/// Creates an instance from its configuration, a TOML text.
#[repr(C)]
#[derive(StableAbi)]
pub struct Constructor<T> {
    /// The function; catches every panic of the plugin.
    pub create: extern "C" fn(config: RStr<'_>, host: HostBox) -> RResult<T, AbiError>,
}

impl<T> Clone for Constructor<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Constructor<T> {}
