//! Makes the log events of libraries native ones.
//!
//! `tracing` wants a callsite with static metadata for every event. A library describes each of its
//! callsites once; the description is kept for the rest of the process, so what is leaked is bounded
//! by the callsites in the libraries' code.

use std::sync::RwLock;

use janitor_plugin_api::abi::abi_stable::prefix_type::PrefixTypeTrait;
use janitor_plugin_api::abi::abi_stable::std_types::{RSlice, RStr};
use janitor_plugin_api::abi::host::{
    HostFunctions, HostFunctionsRef, LogField, LogFieldKind, LogInterest, LogRegistration, LogSite,
};
use tracing::callsite::{Callsite, Identifier};
use tracing::field::{FieldSet, Value};
use tracing::level_filters::LevelFilter;
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata};

/// The functions that a library is given when it is opened.
#[must_use]
pub fn functions() -> HostFunctionsRef {
    HostFunctions {
        log_max_level: max_level,
        log_register: register,
        log_enabled: enabled,
        log_event: event,
    }
    .leak_into_prefix()
}

/// Every callsite that a library has described; its position is its name across the boundary.
static SITES: RwLock<Vec<&'static Site>> = RwLock::new(Vec::new());

/// A callsite in a library.
struct Site {
    metadata: std::sync::OnceLock<Metadata<'static>>,
}

impl Callsite for Site {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.metadata
            .get()
            .expect("metadata is set before the callsite is registered")
    }
}

fn site(index: usize) -> Option<&'static Site> {
    SITES.read().ok()?.get(index).copied()
}

extern "C" fn max_level() -> u8 {
    let level = LevelFilter::current().into_level();
    level.map_or(0, |level| match level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    })
}

extern "C" fn register(site: &LogSite<'_>) -> LogRegistration {
    let known = describe(site);
    tracing::callsite::register(known);
    let metadata = known.metadata();
    // A level may be set for one plugin alone, and a callsite belongs to all plugins of its library:
    // what is wanted at all has to be asked for each event.
    let interest = if LevelFilter::current() >= *metadata.level() {
        LogInterest::SOMETIMES
    } else {
        LogInterest::NEVER
    };
    match SITES.write() {
        Ok(mut sites) => {
            sites.push(known);
            LogRegistration {
                site: sites.len() - 1,
                interest,
            }
        }
        Err(_) => LogRegistration {
            site: usize::MAX,
            interest: LogInterest::NEVER,
        },
    }
}

/// Keeps the description of a callsite for ever.
fn describe(site: &LogSite<'_>) -> &'static Site {
    let known: &'static Site = Box::leak(Box::new(Site {
        metadata: std::sync::OnceLock::new(),
    }));
    let names = site
        .fields
        .iter()
        .map(|name| leak(*name))
        .collect::<Vec<_>>();
    let level = match site.level {
        0 | 1 => Level::ERROR,
        2 => Level::WARN,
        3 => Level::INFO,
        4 => Level::DEBUG,
        _ => Level::TRACE,
    };
    known.metadata.get_or_init(|| {
        Metadata::new(
            leak(site.name),
            leak(site.target),
            level,
            site.file.into_option().map(leak),
            (site.line > 0).then_some(site.line),
            None,
            FieldSet::new(Vec::leak(names), Identifier(known)),
            Kind::EVENT,
        )
    });
    known
}

fn leak(text: RStr<'_>) -> &'static str {
    String::leak(text.as_str().to_owned())
}

extern "C" fn enabled(index: usize) -> bool {
    site(index).is_some_and(|site| {
        tracing::dispatcher::get_default(|dispatch| dispatch.enabled(site.metadata()))
    })
}

extern "C" fn event(index: usize, values: RSlice<'_, LogField<'_>>) {
    let Some(site) = site(index) else {
        return;
    };
    let Some(metadata) = site.metadata.get() else {
        return;
    };
    let mut fields: Vec<Option<Field<'_>>> = Vec::new();
    fields.resize_with(metadata.fields().len(), || None);
    for value in values.as_slice() {
        if let Some(field) = fields.get_mut(value.index) {
            *field = Some(Field::from(value));
        }
    }
    let values = fields
        .iter()
        .map(|field| field.as_ref().map(Field::as_value))
        .collect::<Vec<_>>();
    crate::logging::from_library(|| {
        Event::dispatch(metadata, &metadata.fields().value_set_all(&values));
    });
}

/// A field's value as `tracing` takes it.
enum Field<'a> {
    Text(&'a str),
    Formatted(tracing::field::DisplayValue<&'a str>),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Boolean(bool),
}

impl<'a> From<&'a LogField<'a>> for Field<'a> {
    fn from(field: &'a LogField<'a>) -> Self {
        match field.kind {
            LogFieldKind::SIGNED => Self::Signed(field.bits.cast_signed()),
            LogFieldKind::UNSIGNED => Self::Unsigned(field.bits),
            LogFieldKind::FLOAT => Self::Float(f64::from_bits(field.bits)),
            LogFieldKind::BOOLEAN => Self::Boolean(field.bits != 0),
            LogFieldKind::FORMATTED => {
                Self::Formatted(tracing::field::display(field.text.as_str()))
            }
            _ => Self::Text(field.text.as_str()),
        }
    }
}

impl Field<'_> {
    fn as_value(&self) -> &dyn Value {
        match self {
            Self::Text(text) => text,
            Self::Formatted(text) => text,
            Self::Signed(number) => number,
            Self::Unsigned(number) => number,
            Self::Float(number) => number,
            Self::Boolean(truth) => truth,
        }
    }
}
