//! The entry point of a library.

use abi_stable::std_types::{ROption, RResult, RStr};

use crate::abi::entry::{Constructor, Constructors};
use crate::abi::host::{HostBox, HostFunctionsRef};
use crate::abi::values::{AbiError, TextPlace};
use crate::barrier::{guard, install_hook};
use crate::bridge;
use crate::error::Error;
use crate::host::Host;
use crate::settings::Settings;

/// A type that can be created in the role whose instances are boxed as `T`.
///
/// Implemented for every [`Authority`](crate::Authority), [`Reconciler`](crate::Reconciler),
/// [`Publisher`](crate::Publisher) and [`MetricsRelay`](crate::MetricsRelay).
pub trait Role<T>: Sized {
    /// The plugin's table of the configuration.
    type Config: Settings;

    /// Whether it is a publisher whose writes are conditional; the manifest says so.
    const CONDITIONAL: bool = false;

    /// Creates an instance.
    ///
    /// # Errors
    ///
    /// What the plugin's `new` answers.
    fn create(config: Self::Config, host: Host) -> Result<T, Error>;
}

/// Exports the plugins of a library.
///
/// ```text
/// janitor_plugin_api::export! {
///     /// Takes the desired state of zones from zone files in a directory.
///     authority "files.zones" => ZoneFiles;
///     /// Reads the served zones from zone files.
///     reconciler "files.served" => ServedFiles;
/// }
/// ```
///
/// The words for the roles are `authority`, `reconciler`, `publisher` and `metrics_relay`.
/// A key is made of `a-z` and `0-9`, with single `.`, `_` or `-` between them, and names the plugin's
/// table: plugins whose keys begin alike, such as `acme.dns` and `acme.ipam`, share the table `[acme]`.
/// The doc comment becomes the summary that `gordon-janitor plugins list` shows. A library is built
/// as `crate-type = ["cdylib"]` and has one `export!`; two in one binary do not link.
#[macro_export]
macro_rules! export {
    ($(#[doc = $summary:literal] $role:ident $key:literal => $plugin:ty;)+) => {
        const _: () = {
            use $crate::__private::{self as private, manifest::Part};

            const PARTS: &[Part] = &[
                Part::Plain("format = 1\napi = \""),
                Part::Quoted(private::manifest::API_VERSION),
                Part::Plain("\"\nrustc = \""),
                Part::Quoted(private::manifest::RUSTC),
                Part::Plain("\"\npanic = \""),
                Part::Quoted(private::manifest::PANIC),
                Part::Plain("\"\npackage = \""),
                Part::Quoted(::std::env!("CARGO_PKG_NAME")),
                Part::Plain("\"\nversion = \""),
                Part::Quoted(::std::env!("CARGO_PKG_VERSION")),
                Part::Plain("\"\n"),
                $(
                    Part::Plain("\n[[plugin]]\nkey = \""),
                    Part::Quoted(private::manifest::checked_key($key)),
                    Part::Plain("\"\nrole = \""),
                    Part::Quoted(::std::stringify!($role)),
                    Part::Plain("\"\nsummary = \""),
                    Part::Quoted(private::manifest::summary($summary)),
                    Part::Plain("\"\n"),
                    Part::When(
                        $crate::__private_conditional!($role, $plugin),
                        &[Part::Plain("conditional = true\n")],
                    ),
                    Part::Plain("settings = { "),
                    Part::Nested($crate::__private_schema!($role, $plugin)),
                    Part::Plain(" }\n"),
                )+
            ];
            const PACKAGE: &[Part] = &[
                Part::Plain("{\"type\":\"gordon-janitor-plugin\",\"name\":\""),
                Part::Quoted(::std::env!("CARGO_PKG_NAME")),
                Part::Plain("\",\"version\":\""),
                Part::Quoted(::std::env!("CARGO_PKG_VERSION")),
                Part::Plain("\"}\0"),
            ];

            #[used]
            #[unsafe(link_section = ".note.gordon-janitor")]
            static MANIFEST: private::manifest::Note<{ private::manifest::octets(PARTS) }> =
                private::manifest::Note::new(PARTS);

            #[used]
            #[unsafe(link_section = ".note.package")]
            static OF_PACKAGE: private::manifest::PackageNote<
                { private::manifest::octets(PACKAGE) },
            > = private::manifest::PackageNote::package(PACKAGE);

            extern "C" fn entries() -> private::RSlice<'static, private::PluginEntryRef> {
                static ENTRIES: private::LazyLock<::std::vec::Vec<private::PluginEntryRef>> =
                    private::LazyLock::new(|| {
                        ::std::vec![$(private::entry(
                            $key,
                            $crate::__private_constructors!($role, $plugin),
                        ),)+]
                    });
                private::RSlice::from_slice(&ENTRIES)
            }

            fn root_module() -> private::PluginModuleRef {
                private::module(entries)
            }

            extern "C" fn erased() -> private::RootModuleResult {
                private::__call_root_module_loader(root_module)
            }

            // The name is `abi_stable`'s ROOT_MODULE_LOADER_NAME; a test of the SDK compares them.
            #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
            static ROOT: private::LibHeader =
                // SAFETY: `erased` gives the module that `root_module` makes, a `PluginModuleRef`.
                unsafe {
                    private::LibHeader::from_constructor::<private::PluginModuleRef>(
                        erased,
                        private::CheckTypeLayout::Yes,
                    )
                };
        };
    };
}

/// The constructors of one plugin, by the word for its role.
#[doc(hidden)]
#[macro_export]
macro_rules! __private_constructors {
    (authority, $plugin:ty) => {
        $crate::__private::authority::<$plugin>()
    };
    (reconciler, $plugin:ty) => {
        $crate::__private::reconciler::<$plugin>()
    };
    (publisher, $plugin:ty) => {
        $crate::__private::publisher::<$plugin>()
    };
    (metrics_relay, $plugin:ty) => {
        $crate::__private::metrics_relay::<$plugin>()
    };
}

/// The schema of one plugin's settings, by the word for its role.
#[doc(hidden)]
#[macro_export]
macro_rules! __private_schema {
    (authority, $plugin:ty) => {
        $crate::__private::schema::<$crate::__private::AuthorityBox, $plugin>()
    };
    (reconciler, $plugin:ty) => {
        $crate::__private::schema::<$crate::__private::ReconcilerBox, $plugin>()
    };
    (publisher, $plugin:ty) => {
        $crate::__private::schema::<$crate::__private::PublisherBox, $plugin>()
    };
    (metrics_relay, $plugin:ty) => {
        $crate::__private::schema::<$crate::__private::MetricsRelayBox, $plugin>()
    };
}

/// Whether the writes of one plugin are conditional, by the word for its role.
#[doc(hidden)]
#[macro_export]
macro_rules! __private_conditional {
    (publisher, $plugin:ty) => {
        $crate::__private::conditional::<$crate::__private::PublisherBox, $plugin>()
    };
    ($role:ident, $plugin:ty) => {
        false
    };
}

extern "C" fn create<T, P: Role<T>>(config: RStr<'_>, host: HostBox) -> RResult<T, AbiError> {
    guard(|| {
        let config = parse::<P::Config>(config.as_str())?;
        P::create(config, Host::new(host))
    })
}

/// Reads a plugin's configuration. The place of a fault is one of `text`; the host knows which line
/// of which file that was.
fn parse<C: Settings>(text: &str) -> Result<C, Error> {
    toml::from_str(text).map_err(|e| {
        let place = e.span().map_or_else(TextPlace::default, |span| {
            let before = &text[..span.start.min(text.len())];
            let line_start = before.rfind('\n').map_or(0, |at| at + 1);
            let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            TextPlace {
                line: count(before.matches('\n').count() + 1),
                column: count(before[line_start..].chars().count() + 1),
            }
        });
        Error::config("cannot read the plugin's configuration", e.message()).at(place)
    })
}

const NO_CONSTRUCTOR: Constructors = Constructors {
    authority: ROption::RNone,
    reconciler: ROption::RNone,
    publisher: ROption::RNone,
    metrics_relay: ROption::RNone,
};

/// For `export!`.
#[doc(hidden)]
pub mod private {
    use abi_stable::prefix_type::PrefixTypeTrait;

    use super::*;

    use crate::abi::entry::{PluginEntry, PluginModule};

    pub use std::sync::LazyLock;

    pub use abi_stable::library::{
        __call_root_module_loader, CheckTypeLayout, LibHeader, RootModuleResult,
    };
    pub use abi_stable::std_types::RSlice;

    pub use serde;

    pub use crate::abi::entry::{PluginEntryRef, PluginModuleRef};
    pub use crate::abi::plugin::{AuthorityBox, MetricsRelayBox, PublisherBox, ReconcilerBox};
    pub use crate::manifest::{self, Part};
    pub use crate::settings::{Literal, SettingType, Settings, default_of, fits, is_nought};

    pub const fn schema<T, P: Role<T>>() -> &'static [Part] {
        <P::Config as Settings>::SCHEMA
    }

    pub const fn conditional<T, P: Role<T>>() -> bool {
        P::CONDITIONAL
    }

    pub fn authority<P: Role<AuthorityBox>>() -> Constructors {
        Constructors {
            authority: ROption::RSome(Constructor {
                create: create::<AuthorityBox, P>,
            }),
            ..NO_CONSTRUCTOR
        }
    }

    pub fn reconciler<P: Role<ReconcilerBox>>() -> Constructors {
        Constructors {
            reconciler: ROption::RSome(Constructor {
                create: create::<ReconcilerBox, P>,
            }),
            ..NO_CONSTRUCTOR
        }
    }

    pub fn publisher<P: Role<PublisherBox>>() -> Constructors {
        Constructors {
            publisher: ROption::RSome(Constructor {
                create: create::<PublisherBox, P>,
            }),
            ..NO_CONSTRUCTOR
        }
    }

    pub fn metrics_relay<P: Role<MetricsRelayBox>>() -> Constructors {
        Constructors {
            metrics_relay: ROption::RSome(Constructor {
                create: create::<MetricsRelayBox, P>,
            }),
            ..NO_CONSTRUCTOR
        }
    }

    pub fn entry(key: &'static str, create: Constructors) -> PluginEntryRef {
        PluginEntry {
            key: RStr::from_str(key),
            create,
        }
        .leak_into_prefix()
    }

    pub fn module(entries: extern "C" fn() -> RSlice<'static, PluginEntryRef>) -> PluginModuleRef {
        PluginModule { attach, entries }.leak_into_prefix()
    }
}

/// Called once by the host before anything else of the library.
extern "C" fn attach(host: HostFunctionsRef) {
    // Nothing of an author's code runs here, but a panic would end the process all the same.
    let _attached: RResult<(), AbiError> = guard(|| {
        install_hook();
        bridge::install(host);
        Ok(())
    });
}

#[cfg(test)]
mod tests {
    use abi_stable::library::ROOT_MODULE_LOADER_NAME;

    use super::parse;
    use crate::abi::values::{ErrorCode, TextPlace};

    #[test]
    fn the_entry_point_has_the_name_that_abi_stable_looks_for() {
        assert_eq!(
            ROOT_MODULE_LOADER_NAME,
            "_1as_0lib_1header_0root_bmodule_bloader"
        );
    }

    #[crate::settings]
    #[derive(Debug)]
    struct Config {
        #[setting(rename = "count")]
        _count: u8,
        #[setting(default, rename = "other")]
        _other: u8,
    }

    #[test]
    fn a_fault_of_the_configuration_has_its_place_in_the_text() {
        let error = parse::<Config>("other = 1\ncount = \"many\"\n").expect_err("not a number");
        let error = error.into_abi();
        assert_eq!(error.kind, ErrorCode::CONFIG);
        assert_eq!(error.place, TextPlace { line: 2, column: 9 });
        assert_eq!(
            error
                .chain
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
            [
                "cannot read the plugin's configuration",
                "invalid type: string \"many\", expected u8"
            ]
        );
    }

    #[test]
    fn a_setting_that_is_missing_has_no_place() {
        let error = parse::<Config>("")
            .expect_err("nothing is there")
            .into_abi();
        assert_eq!(error.chain[1].as_str(), "missing field `count`");
    }
}
