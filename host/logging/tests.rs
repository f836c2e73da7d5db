use tracing::subscriber::with_default;

use super::*;
use crate::config::{Handler, Logging};

fn lines(
    general: Level,
    plugins: &[(&str, Level)],
    handlers: &[Handler],
    act: impl FnOnce(),
) -> Vec<String> {
    let written = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&written);
    let levels = Levels {
        general,
        plugins: plugins
            .iter()
            .map(|(key, level)| ((*key).to_owned(), *level))
            .collect(),
    };
    let write = move |line: &str| {
        let (_, said) = line.split_once(") ").unwrap();
        sink.lock().unwrap().push(said.to_owned());
    };
    let logging = Logging {
        handlers: handlers.to_vec(),
        ..Logging::default()
    };
    let log = Arc::new(Log::new(Handlers::stream(&logging, write)));
    with_default(
        Registry::default().with(Lines {
            levels,
            log: Arc::clone(&log),
        }),
        act,
    );
    log.finish();
    let lines = written.lock().unwrap();
    lines.clone()
}

#[test]
fn fields_follow_the_message() {
    let written = lines(Level::Info, &[], &[Handler::Stream], || {
        tracing::warn!(zone = "example.com.", reason = %"no answer", count = 3, "zone left out");
        tracing::debug!("not written");
    });
    assert_eq!(
        written,
        ["WARNING: zone left out zone=example.com. reason=\"no answer\" count=3\n"]
    );
}

#[test]
fn a_message_cannot_forge_a_line() {
    let written = lines(Level::Info, &[], &[Handler::Stream], || {
        tracing::info!(owner = "a\nb", "one\n2026-01-01T00:00:00.000Z two\u{1b}[2J");
    });
    assert_eq!(
        written,
        ["INFO: one\\n2026-01-01T00:00:00.000Z two\\x1b[2J owner=\"a\\nb\"\n"]
    );
}

#[test]
fn a_plugin_has_its_own_level_and_is_named() {
    let settings = [("loud.one", Level::Debug), ("quiet.one", Level::Error)];
    let written = lines(Level::Info, &settings, &[Handler::Stream], || {
        let say = |text: &str| {
            tracing::debug!("{text}");
            tracing::info!("{text}");
        };
        plugin_span("loud.one").in_scope(|| say("l"));
        plugin_span("quiet.one").in_scope(|| say("q"));
        plugin_span("other.one").in_scope(|| say("o"));
        say("host");
    });
    assert_eq!(
        written,
        [
            "DEBUG: l plugin=loud.one\n",
            "INFO: l plugin=loud.one\n",
            "INFO: o plugin=other.one\n",
            "INFO: host\n"
        ]
    );
}

#[test]
fn critical_silences_errors_and_notset_nothing() {
    let say = || {
        tracing::error!(critical = true, "c");
        tracing::error!("e");
        tracing::trace!("t");
    };
    assert_eq!(
        lines(Level::Critical, &[], &[Handler::Stream], say),
        ["CRITICAL: c\n"]
    );
    assert_eq!(
        lines(Level::NotSet, &[], &[Handler::Stream], say),
        ["CRITICAL: c\n", "ERROR: e\n", "TRACE: t\n"]
    );
}

#[test]
fn a_handler_named_twice_writes_twice() {
    let say = || tracing::error!("e");
    assert_eq!(
        lines(Level::Info, &[], &[Handler::Stream, Handler::Stream], say).len(),
        2
    );
}

#[test]
fn a_plugin_repeats_no_secret_that_it_was_given() {
    secrets::protect("secretive.one", Secrets::new(["hunter2"]));
    let written = lines(Level::Info, &[], &[Handler::Stream], || {
        plugin_span("secretive.one").in_scope(|| {
            tracing::info!(url = "https://u:hunter2@h/", list = ?["hunter2"], "it is hunter2");
        });
        from_library(|| tracing::info!("a thread of its own says hunter2"));
    });
    assert_eq!(
        written,
        [
            "INFO: it is *** url=https://u:***@h/ list=[\"***\"] plugin=secretive.one\n",
            "INFO: a thread of its own says ***\n",
        ]
    );
}

#[test]
fn a_plugin_cannot_speak_in_the_name_of_another() {
    let written = lines(Level::Info, &[], &[Handler::Stream], || {
        plugin_span("sly.one").in_scope(|| {
            from_library(|| tracing::info!(plugin = "other.one", "l"));
            tracing::info!(plugin = "other.one", "the host speaks of another");
        });
        from_library(|| tracing::info!(plugin = "other.one", "t"));
    });
    assert_eq!(
        written,
        [
            "INFO: l plugin_=other.one plugin=sly.one\n",
            "INFO: the host speaks of another plugin=other.one\n",
            "INFO: t plugin_=other.one\n",
        ]
    );
}

#[test]
fn what_a_plugin_says_beyond_its_allowance_is_counted() {
    let written = lines(Level::Info, &[], &[Handler::Stream], || {
        plugin_span("chatty.one").in_scope(|| {
            for _ in 0..limit::LINES + 7 {
                from_library(|| tracing::info!("bla"));
            }
            from_library(|| tracing::warn!("but this"));
            tracing::info!("and what the host says");
        });
    });
    let told = written.iter().filter(|line| !line.contains("bla"));
    // More than one sum if the machine takes longer for it than an allowance is for.
    let sums = told.clone().filter_map(|line| {
        let (lines, _) = line.strip_prefix("WARNING: ")?.split_once(
            " log lines of plugin chatty.one left out: more than 10000 in 10 seconds\n",
        )?;
        lines.parse::<u64>().ok()
    });
    let chatter = written.iter().filter(|line| line.contains("bla")).count();
    assert_eq!(sums.sum::<u64>() + chatter as u64, limit::LINES + 7);
    for line in [
        "WARNING: but this plugin=chatty.one\n",
        "INFO: and what the host says plugin=chatty.one\n",
    ] {
        assert!(told.clone().any(|told| told == line), "{line}");
    }
}
