//! Opens a shared library and calls into it.
//!
//! A library is opened once its file has been judged, by its absolute path, with all symbols bound,
//! kept apart from the others, and never closed: code and data of it stay valid until the process
//! ends. Its types are compared with ours before any function of it is called.

#![expect(
    unsafe_code,
    reason = "opening a library, taking its entry point and mapping a file are unsafe by nature"
)]

mod difference;

use std::error::Error as StdError;
use std::fs::File;
use std::io;
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
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use crate::preflight::{self, Identity};

pub use self::difference::Difference;

/// glibc and musl: the library stays even if something closes it.
const RTLD_NODELETE: i32 = 0x1000;

/// An open library.
#[derive(Clone, Copy)]
pub struct Library {
    module: PluginModuleRef,
}

impl Library {
    /// Opens the library at `path`, which must be absolute, and gives it the host's functions. If it
    /// was `judged`, it has to be that file, unchanged.
    ///
    /// Constructors of the library run in here; everything that can be said without running it has
    /// to be said before.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the system cannot load it, it is another file than the one that was judged,
    /// or its types are not ours.
    pub fn open(
        path: &Path,
        judged: Option<Identity>,
        functions: HostFunctionsRef,
    ) -> Result<Self, OpenError> {
        let failed = |fault| OpenError {
            path: path.to_owned(),
            fault,
        };
        let watch = judged.map(|judged| Watch::begin(path, judged)).transpose();
        let watch = watch.map_err(failed)?;
        // SAFETY: the library's initialisers run now. The operator listed one of its plugins, and
        // that is the decision to trust it; its file has been judged.
        let opened = unsafe { Handle::open(Some(path), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) };
        let handle = opened.map_err(|e| failed(Fault::Load(loader_text(&e))))?;
        // Never closed: function pointers, vtables and thread-local destructors live in it.
        let handle: &'static Handle = Box::leak(Box::new(handle));
        if let Some(watch) = watch {
            watch.end(entry_address(handle)).map_err(failed)?;
        }
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

/// Where the entry point of an open library lies, if it has one.
fn entry_address(handle: &Handle) -> Option<usize> {
    // SAFETY: only the address is taken; nothing is read through it.
    let symbol = unsafe { handle.get::<*const ()>(ROOT_MODULE_LOADER_NAME_WITH_NUL.as_bytes()) };
    Some(symbol.ok()?.into_raw().addr())
}

/// Makes sure that what is loaded is the file that was judged.
///
/// A file can be replaced between being judged and being opened, so that its name says nothing. The
/// judged file is held open, mapped here for a moment, and compared with what the loader has mapped.
/// Both are looked up in the list of mappings, because some file systems (btrfs, overlayfs) show
/// other numbers there than `stat` does.
struct Watch {
    path: PathBuf,
    file: File,
    judged: Identity,
    /// The file as the list of mappings has it; `None` where there is no such list.
    mapping: Option<String>,
}

impl Watch {
    fn begin(path: &Path, judged: Identity) -> Result<Self, Fault> {
        let (file, found) = preflight::reopen(path).map_err(Fault::Gone)?;
        if found.file != judged.file {
            return Err(Fault::Replaced);
        }
        if found != judged {
            return Err(Fault::WrittenOver {
                before: judged.octets,
                now: found.octets,
            });
        }
        let mapping = mapping_of(&file);
        Ok(Self {
            path: path.to_owned(),
            file,
            judged,
            mapping,
        })
    }

    /// Compares, now that the library is open, and has its entry point at `address`.
    fn end(self, address: Option<usize>) -> Result<(), Fault> {
        let loaded = address.and_then(mapping_at);
        let is_another = match (&self.mapping, &loaded) {
            (Some(judged), Some(loaded)) => judged != loaded,
            // Without an entry point, or such a list, what has the name now has to do.
            _ => {
                let (_, now) = preflight::reopen(&self.path).map_err(Fault::Gone)?;
                now.file != self.judged.file
            }
        };
        if is_another {
            return Err(Fault::Replaced);
        }
        let now = self.file.metadata().map_err(Fault::Gone)?;
        let now = Identity::of(&now);
        if now != self.judged {
            return Err(Fault::WrittenOver {
                before: self.judged.octets,
                now: now.octets,
            });
        }
        Ok(())
    }
}

/// How the list of mappings names `file`.
fn mapping_of(file: &File) -> Option<String> {
    let (protection, flags) = (ProtFlags::READ, MapFlags::PRIVATE);
    // SAFETY: a new mapping at a place of the system's choice, which nothing is read from.
    let address = unsafe { mmap(std::ptr::null_mut(), 1, protection, flags, file, 0) }.ok()?;
    let found = mapping_at(address.addr());
    // SAFETY: the mapping made above, which nobody else knows of.
    let unmapped = unsafe { munmap(address, 1) };
    // It could only fail for an address that is none; then one page stays mapped.
    unmapped.ok().and(found)
}

/// Device and inode of what is mapped at `address`.
fn mapping_at(address: usize) -> Option<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    // `7f0c1a000000-7f0c1a028000 r--p 00000000 fe:00 247030    /usr/lib/libc.so.6`
    maps.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (from, to) = fields.next()?.split_once('-')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        let (device, inode) = (fields.nth(2)?, fields.next()?);
        (number(from)?..number(to)?)
            .contains(&address)
            .then(|| format!("{device} {inode}"))
    })
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
    /// What was judged is not there any more.
    #[error("it cannot be read any more: {0}")]
    Gone(#[source] io::Error),
    /// Another file is in its place.
    #[error("it was replaced by another file while it was being opened")]
    Replaced,
    /// The same file has other content.
    #[error("it was written over after it had been judged ({before} octets before, {now} now)")]
    WrittenOver {
        /// Its length when it was judged.
        before: u64,
        /// Its length now.
        now: u64,
    },
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_replaced_is_noticed_where_no_mapping_tells_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("liba.so");
        std::fs::write(&path, "judged").unwrap();
        let (_, judged) = preflight::reopen(&path).unwrap();
        let watch = || Watch::begin(&path, judged).unwrap();
        assert!(watch().end(None).is_ok());

        let watch = watch();
        let other = directory.path().join("other");
        std::fs::write(&other, "no entry point").unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert!(matches!(watch.end(None), Err(Fault::Replaced)));
    }

    #[test]
    fn a_mapping_is_known_by_its_file_whatever_its_name() {
        let executable = File::open("/proc/self/exe").unwrap();
        let code = mapping_at(entry_address as fn(&Handle) -> Option<usize> as usize);
        assert!(code.is_some());
        assert_eq!(mapping_of(&executable), code);

        let directory = tempfile::tempdir().unwrap();
        let copy = directory.path().join("copy");
        std::fs::write(&copy, "of something").unwrap();
        let link = directory.path().join("link");
        std::fs::hard_link(&copy, &link).unwrap();
        let named = |path| mapping_of(&File::open(path).unwrap());
        assert_eq!(named(&copy), named(&link));
        assert_ne!(named(&copy), code);
        assert_eq!(mapping_at(1), None);
    }
}
