//! Carries `tracing` events of this library to the host's log.
//!
//! Each callsite crosses the boundary once, when it is first reached; `tracing` caches the answer in
//! the callsite, so a level that nobody wants costs no call. Spans stay on this side: the host enters
//! one for the plugin on its thread, and that is the parent of every event.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::sync::RwLock;

use abi_stable::std_types::{RSlice, RStr};
use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

use crate::abi::host::{
    HostFunctionsRef, LogField, LogFieldKind, LogInterest, LogRegistration, LogSite,
};

/// Sends this library's events to the host. A library that has a subscriber already keeps it.
pub(crate) fn install(host: HostFunctionsRef) {
    let bridge = Bridge {
        host,
        sites: RwLock::default(),
    };
    if tracing::subscriber::set_global_default(bridge).is_err() {
        tracing::debug!("this library has a log subscriber of its own");
    }
}

struct Bridge {
    host: HostFunctionsRef,
    sites: RwLock<HashMap<Identifier, LogRegistration>>,
}

impl Bridge {
    /// What the host has said about a callsite; tells the host of it if need be.
    ///
    /// While one thread registers a callsite, `tracing` lets others ask whether it is enabled: whoever
    /// comes first tells the host, and the others wait.
    fn registration(&self, metadata: &Metadata<'_>) -> Option<LogRegistration> {
        let callsite = metadata.callsite();
        let known = self.sites.read().ok()?.get(&callsite).copied();
        if known.is_some() {
            return known;
        }
        let mut sites = self.sites.write().ok()?;
        let registration = sites
            .entry(callsite)
            .or_insert_with(|| self.register(metadata));
        Some(*registration)
    }

    fn register(&self, metadata: &Metadata<'_>) -> LogRegistration {
        let fields = metadata
            .fields()
            .iter()
            .map(|field| RStr::from_str(field.name()))
            .collect::<Vec<_>>();
        let site = LogSite {
            name: RStr::from_str(metadata.name()),
            target: RStr::from_str(metadata.target()),
            level: level_number(metadata.level()),
            file: metadata.file().map(RStr::from_str).into(),
            line: metadata.line().unwrap_or(0),
            fields: RSlice::from_slice(&fields),
        };
        self.host.log_register()(&site)
    }
}

impl Subscriber for Bridge {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        // Spans stay on this side.
        let events = metadata.is_event().then(|| self.registration(metadata));
        match events.flatten().map(|registration| registration.interest) {
            None | Some(LogInterest::NEVER) => Interest::never(),
            Some(LogInterest::ALWAYS) => Interest::always(),
            Some(_) => Interest::sometimes(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
            && self
                .registration(metadata)
                .is_some_and(|registration| self.host.log_enabled()(registration.site))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match self.host.log_max_level()() {
            0 => LevelFilter::OFF,
            1 => LevelFilter::ERROR,
            2 => LevelFilter::WARN,
            3 => LevelFilter::INFO,
            4 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        })
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let Some(registration) = self.registration(event.metadata()) else {
            return;
        };
        let mut values = Values::default();
        event.record(&mut values);
        let fields = values
            .fields
            .iter()
            .map(|value| value.as_field(&values.texts))
            .collect::<Vec<_>>();
        self.host.log_event()(registration.site, RSlice::from_slice(&fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn level_number(level: &Level) -> u8 {
    match *level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

/// The values of one event. Texts stand one behind the other in one buffer.
#[derive(Default)]
struct Values {
    texts: String,
    fields: Vec<Value>,
}

struct Value {
    index: usize,
    kind: LogFieldKind,
    bits: u64,
    text: std::ops::Range<usize>,
}

impl Value {
    fn as_field<'a>(&self, texts: &'a str) -> LogField<'a> {
        LogField {
            index: self.index,
            kind: self.kind,
            text: RStr::from_str(&texts[self.text.clone()]),
            bits: self.bits,
        }
    }
}

impl Values {
    fn number(&mut self, field: &Field, kind: LogFieldKind, bits: u64) {
        self.fields.push(Value {
            index: field.index(),
            kind,
            bits,
            text: 0..0,
        });
    }

    fn text(&mut self, field: &Field, kind: LogFieldKind, value: fmt::Arguments<'_>) {
        let start = self.texts.len();
        // A `Debug` that fails leaves its text as far as it came.
        let _written = self.texts.write_fmt(value).is_ok();
        self.fields.push(Value {
            index: field.index(),
            kind,
            bits: 0,
            text: start..self.texts.len(),
        });
    }
}

impl Visit for Values {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, LogFieldKind::SIGNED, value.cast_unsigned());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field, LogFieldKind::UNSIGNED, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.number(field, LogFieldKind::FLOAT, value.to_bits());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.number(field, LogFieldKind::BOOLEAN, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, LogFieldKind::TEXT, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, LogFieldKind::FORMATTED, format_args!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use abi_stable::prefix_type::PrefixTypeTrait;
    use tracing::callsite::Callsite;
    use tracing::metadata::Kind;

    use super::*;
    use crate::abi::host::HostFunctions;

    static REGISTERED: AtomicUsize = AtomicUsize::new(0);

    extern "C" fn max_level() -> u8 {
        5
    }

    extern "C" fn register(_: &LogSite<'_>) -> LogRegistration {
        LogRegistration {
            site: REGISTERED.fetch_add(1, Ordering::Relaxed),
            interest: LogInterest::SOMETIMES,
        }
    }

    extern "C" fn enabled(site: usize) -> bool {
        site == 0
    }

    extern "C" fn event(_: usize, _: RSlice<'_, LogField<'_>>) {}

    struct Site;

    static SITE: Site = Site;
    static METADATA: Metadata<'static> = tracing::metadata! {
        name: "site",
        target: "tests",
        level: Level::INFO,
        fields: &[],
        callsite: &SITE,
        kind: Kind::EVENT,
    };

    impl Callsite for Site {
        fn set_interest(&self, _: Interest) {}

        fn metadata(&self) -> &Metadata<'_> {
            &METADATA
        }
    }

    #[test]
    fn a_callsite_that_another_thread_is_about_to_register_loses_no_event() {
        let functions = HostFunctions {
            log_max_level: max_level,
            log_register: register,
            log_enabled: enabled,
            log_event: event,
        };
        let bridge = Bridge {
            host: functions.leak_into_prefix(),
            sites: RwLock::default(),
        };
        assert!(bridge.enabled(&METADATA));
        assert!(bridge.register_callsite(&METADATA).is_sometimes());
        assert_eq!(
            REGISTERED.load(Ordering::Relaxed),
            1,
            "the host is told once"
        );
    }
}
