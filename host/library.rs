//! Opens a shared library and calls into it.
//!
//! A library is opened once its file has been judged, by its absolute path, with all symbols bound,
//! kept apart from the others, and never closed: code and data of it stay valid until the process
//! ends. Its types are compared with ours before any function of it is called.

#![expect(
    unsafe_code,
    reason = "opening a library and taking its entry point are unsafe by nature"
)]

mod difference;

use std::error::Error as StdError;
use std::path::{Path, PathBuf};

use janitor_plugin_api::abi::abi_stable::StableAbi;
use janitor_plugin_api::abi::abi_stable::abi_stability::abi_checking::check_layout_compatibility;
use janitor_plugin_api::abi::abi_stable::library::{
    AbiHeaderRef, LibraryError, ROOT_MODULE_LOADER_NAME_WITH_NUL,
};
use janitor_plugin_api::abi::abi_stable::type_layout::TypeLayout;
use janitor_plugin_api::abi::entry::{PluginEntryRef, PluginModuleRef};
use janitor_plugin_api::abi::host::HostFunctionsRef;
use libloading::os::unix::{Library as Handle, RTLD_LOCAL, RTLD_NOW};

pub use self::difference::Difference;

/// glibc and musl: the library stays even if something closes it.
const RTLD_NODELETE: i32 = 0x1000;

/// An open library.
#[derive(Clone, Copy)]
pub struct Library {
    module: PluginModuleRef,
}

impl Library {
    /// Opens the library at `path`, which must be absolute, and gives it the host's functions.
    ///
    /// Constructors of the library run in here; everything that can be said without running it has
    /// to be said before.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the system cannot load it or its types are not ours.
    pub fn open(path: &Path, functions: HostFunctionsRef) -> Result<Self, OpenError> {
        let failed = |fault| OpenError {
            path: path.to_owned(),
            fault,
        };
        // SAFETY: the library's initialisers run now. The operator listed one of its plugins, and
        // that is the decision to trust it; its file has been judged.
        let opened = unsafe { Handle::open(Some(path), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) };
        let handle = opened.map_err(|e| failed(Fault::Load(loader_text(&e))))?;
        // Never closed: function pointers, vtables and thread-local destructors live in it.
        let handle: &'static Handle = Box::leak(Box::new(handle));
        let module = Self::module(handle).map_err(failed)?;
        module.attach()(functions);
        Ok(Self { module })
    }

    fn module(handle: &'static Handle) -> Result<PluginModuleRef, Fault> {
        // SAFETY: the symbol is abi_stable's, and the header behind it begins with a magic that
        // `upgrade` checks before anything else of it is read.
        let header =
            unsafe { handle.get::<AbiHeaderRef>(ROOT_MODULE_LOADER_NAME_WITH_NUL.as_bytes()) };
        let header: AbiHeaderRef = *header.map_err(|e| Fault::NoEntry(loader_text(&e)))?;
        let header = header
            .upgrade()
            .map_err(|e| Fault::Header(first_line(&e)))?;
        let theirs = header.layout().ok_or(Fault::NoLayout)?;
        let ours = <PluginModuleRef as StableAbi>::LAYOUT;
        compatible(ours, theirs)?;
        // SAFETY: the layouts were compared just now. A library with fewer fields than ours is
        // sound too: every access to a field of a prefix type asks whether it is there.
        let module = unsafe { header.init_root_module_with_unchecked_layout::<PluginModuleRef>() };
        module.map_err(|e| Fault::Header(first_line(&e)))
    }

    /// What the library provides.
    #[must_use]
    pub fn entries(self) -> &'static [PluginEntryRef] {
        self.module.entries()().as_slice()
    }
}

/// Whether one side's types are a prefix of the other's.
///
/// `abi_stable` accepts only a library that is as new as the host. Asked the other way round as well,
/// an older library loads too.
fn compatible(ours: &'static TypeLayout, theirs: &'static TypeLayout) -> Result<(), Fault> {
    let Err(newer) = check_layout_compatibility(ours, theirs) else {
        return Ok(());
    };
    if check_layout_compatibility(theirs, ours).is_ok() {
        return Ok(());
    }
    tracing::debug!(difference = %newer, "the types of a library are not ours");
    Err(Fault::Layout(Difference::first(&newer)))
}

/// What the dynamic loader said. `libloading` shows it only as the source of its error.
fn loader_text(error: &libloading::Error) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

fn first_line(error: &LibraryError) -> String {
    let text = error.to_string();
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    line.unwrap_or("its header is not ours").to_owned()
}

/// Why a library cannot be used although its file looked right.
#[derive(Debug, thiserror::Error)]
#[error("cannot open library `{}`", path.display())]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub fault: Fault,
}

/// What is wrong with a library.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The dynamic loader refused it.
    #[error("the system's loader says: {0}")]
    Load(String),
    /// It has no entry point.
    #[error("it exports no entry point of a plugin: {0}")]
    NoEntry(String),
    /// Its header is that of another version of `abi_stable`.
    #[error("its entry point is not one of this plugin API: {0}")]
    Header(String),
    /// It was built without the description of its types.
    #[error("it does not describe its types")]
    NoLayout,
    /// Its types are neither a prefix of ours nor the reverse.
    #[error("its types differ from this host's {0}")]
    Layout(Difference),
}
