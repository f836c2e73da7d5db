//! The host's own options, described once: for the reader of `[core]`, for editors, for documents.
//!
//! They are described as those of plugins are. What a doc comment says here, an editor shows.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::LazyLock;

use janitor_plugin_api::manifest::text;
use janitor_plugin_api::settings::{Part, SettingType, Settings};
use toml::Value;

use crate::schema::{Accepts, Kind, Table};

/// The tables of the host, by name.
static TABLES: LazyLock<Vec<(&str, Table)>> = LazyLock::new(|| {
    vec![
        ("core", table::<Core>()),
        ("metrics-logger", table::<MetricsLogger>()),
        ("ffwd", table::<Ffwd>()),
    ]
});

/// The tables on the top level that belong to the host, in the order of documents.
pub fn tables() -> impl Iterator<Item = (&'static str, &'static Table)> {
    TABLES.iter().map(|(name, table)| (*name, table))
}

/// The options of the table `path`, such as `core.logging`; of `core.plugin.*` for that of a plugin.
#[must_use]
pub fn of(path: &str) -> Option<&'static Table> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let mut table = tables().find(|(name, _)| *name == first)?.1;
    for part in rest.split('.').filter(|part| !part.is_empty()) {
        let kind = match part {
            "*" => continue,
            name => &table.find(name)?.schema.kind,
        };
        table = match kind {
            Kind::Table(inner) => inner,
            Kind::Map(values) => match &values.kind {
                Kind::Table(inner) => inner,
                _ => return None,
            },
            _ => return None,
        };
    }
    Some(table)
}

fn table<T: Settings>() -> Table {
    let text = format!("settings = {{ {} }}", text(T::SCHEMA));
    let document: Option<toml::Table> = text.parse().ok();
    let settings = document.and_then(|mut document| document.remove("settings"));
    match settings.as_ref().map(Accepts::read) {
        Some(Accepts::Settings(table)) => table,
        _ => Table::default(),
    }
}

/// The `[core]` table.
#[janitor_plugin_api::settings]
#[expect(
    dead_code,
    reason = "only described here; `Core` reads each option by itself"
)]
struct Core {
    /// The plugins to run, by key: one or more authorities, one reconciler or with `core.routes`
    /// several, one or more publishers.
    #[setting(default, example = ["files.zones", "files.served", "files.apply"])]
    plugins: Vec<String>,
    /// The directory of the plugin libraries.
    plugin_dir: Option<PathBuf>,
    /// The directory of the history, and of everything else that outlives a run. Without it that of the
    /// service manager (`STATE_DIRECTORY`), else `/var/lib/gordon-janitor`.
    state_dir: Option<PathBuf>,
    /// Go on without plugins that cannot be used, with a warning each.
    #[setting(default = false)]
    debug: bool,
    /// Zones that a channel between two plugins holds before its sender has to wait.
    #[setting(default = 64, min = 1, max = 65_536)]
    channel_capacity: u32,
    /// How long a plugin may go on after it was asked to stop.
    #[setting(default = 10, unit = "seconds", min = 0, max = 31_622_400)]
    grace: f64,
    /// How long a run may take before it is cancelled; no limit without it.
    #[setting(unit = "seconds", min = 0, max = 31_622_400)]
    deadline: Option<f64>,
    /// What to do with a plugin whose library crashed three times within an hour: go on as if nothing
    /// had happened, leave it out, or run nothing.
    #[setting(default = "run")]
    after_crash: AfterCrash,
    /// The relay that measurements go to.
    #[setting(default = "metrics-logger")]
    metrics: String,
    /// How much may change before a zone is withheld.
    #[setting(default)]
    guard: Guard,
    /// What is done about changes that do not stick.
    #[setting(default)]
    convergence: Convergence,
    /// Which names and types are managed.
    #[setting(default)]
    scope: Scope,
    /// Where log lines go.
    #[setting(default)]
    logging: Logging,
    /// Who compares which zones, and who publishes their changes, by patterns of zones.
    #[setting(default)]
    routes: BTreeMap<String, Route>,
    /// What counts where several authorities speak of one zone.
    #[setting(default)]
    merge: Merge,
    /// What is kept of past runs.
    #[setting(default)]
    history: History,
    /// What the host needs to know of single plugins, by key.
    #[setting(default)]
    plugin: BTreeMap<String, Plugin>,
}

/// The `[core.history]` table.
#[janitor_plugin_api::settings]
#[derive(Default)]
#[expect(dead_code, reason = "only described here")]
struct History {
    /// Record every run, and remember of each zone what limits compare with.
    #[setting(default = true)]
    enabled: bool,
    /// How long a run is kept.
    #[setting(default = 90, unit = "days", min = 1, max = 36_500)]
    keep_days: u32,
    /// How many runs are kept however old they are.
    #[setting(default = 100, min = 1, max = 1_000_000)]
    keep_runs: u32,
    /// How long a run waits for another one of the same state directory before it refuses.
    #[setting(default = 60, unit = "seconds", min = 0, max = 31_622_400)]
    wait: f64,
}

/// The `[core.scope]` table.
#[janitor_plugin_api::settings]
#[derive(Default)]
#[expect(dead_code, reason = "only described here")]
struct Scope {
    /// What is managed: owners, with types behind them if need be. Everything if the list is empty.
    #[setting(default, example = ["*.example.com", "example.com MX TXT"])]
    include: Vec<String>,
    /// What is not managed: differences there stay as they are.
    #[setting(default, example = ["_acme-challenge.* TXT", "*.k8s.example.com"])]
    exclude: Vec<String>,
    /// What is never updated or deleted; additions are made.
    #[setting(default, example = ["example.com MX", "vpn.example.com"])]
    protect: Vec<String>,
    /// Whose markers are honoured: the names that they mark are left alone.
    #[setting(default = ["external-dns", "octodns"])]
    honour: Vec<Registry>,
    /// Whether the last address of a name server of the zone stays.
    #[setting(default = true)]
    name_servers: bool,
    /// How external-dns was told to name its markers.
    #[setting(default)]
    external_dns: ExternalDns,
    /// How octoDNS was told to name its markers.
    #[setting(default)]
    octodns: Octodns,
    /// The same for some zones, by patterns of their names; the closest counts.
    #[setting(default)]
    zones: BTreeMap<String, ScopeOfZones>,
}

/// A `[core.scope.zones."pattern"]` table.
#[janitor_plugin_api::settings]
#[expect(dead_code, reason = "only described here")]
struct ScopeOfZones {
    /// What is managed there, in the place of `core.scope.include`.
    include: Option<Vec<String>>,
    /// What is not managed there, beside `core.scope.exclude`.
    #[setting(default)]
    exclude: Vec<String>,
    /// What is never updated or deleted there, beside `core.scope.protect`.
    #[setting(default)]
    protect: Vec<String>,
    /// Whose markers are honoured there, in the place of `core.scope.honour`.
    honour: Option<Vec<Registry>>,
    /// Whether the last address of a name server stays there, in the place of
    /// `core.scope.name_servers`.
    name_servers: Option<bool>,
}

/// Somebody else who marks the names that are theirs.
#[janitor_plugin_api::settings]
enum Registry {
    /// The TXT registry of external-dns.
    #[setting(rename = "external-dns")]
    ExternalDns,
    /// The OwnershipProcessor of octoDNS.
    Octodns,
}

/// The `[core.scope.external_dns]` table.
#[janitor_plugin_api::settings]
#[derive(Default)]
#[expect(dead_code, reason = "only described here")]
struct ExternalDns {
    /// Its `--txt-prefix`, of every installation that has one.
    #[setting(default, example = ["%{record_type}-txt."])]
    prefix: Vec<String>,
    /// Its `--txt-suffix`, of every installation that has one.
    #[setting(default, example = ["-txt"])]
    suffix: Vec<String>,
    /// Its `--txt-wildcard-replacement`, of every installation that has one.
    #[setting(default, example = ["any"])]
    wildcard_replacement: Vec<String>,
}

/// The `[core.scope.octodns]` table.
#[janitor_plugin_api::settings]
#[derive(Default)]
#[expect(dead_code, reason = "only described here")]
struct Octodns {
    /// The `txt_name` of its processor, of every installation.
    #[setting(default = ["_owner"])]
    name: Vec<String>,
}

/// The `[core.logging]` table.
#[janitor_plugin_api::settings]
#[derive(Default)]
#[expect(dead_code, reason = "only described here")]
struct Logging {
    /// The least level that is written, in any letter case.
    #[setting(default = "info")]
    level: Level,
    /// Where log lines go: several at once if need be.
    #[setting(default = ["syslog"])]
    handlers: Vec<Handler>,
    /// How a line looks: a pattern of Python's logging. Without it each handler has its own form.
    #[setting(
        example = "%(asctime)s %(levelname)s: %(message)s",
        deprecated_alias = "format"
    )]
    fmt: Option<String>,
    /// How the time looks in it: a format of strftime.
    #[setting(
        default = "%Y-%m-%dT%H:%M:%S",
        deprecated_alias = "date_format",
        deprecated_alias = "date_fmt"
    )]
    datefmt: String,
    /// syslog: the path of a socket, or a host and perhaps its port in brackets.
    address: Option<Several>,
    /// syslog: how messages travel to a host: 1 or "tcp", 2 or "udp".
    #[setting(example = 2)]
    proto: Option<Several>,
    /// syslog: the facility, 0 to 23, or its name.
    #[setting(example = 16)]
    facility: Option<Several>,
    /// syslog: how messages are built.
    #[setting(default = "rfc3164")]
    syslog_format: SyslogForm,
    /// stackdriver: the project that entries are labelled with.
    project_id: Option<String>,
    /// stackdriver: the stream that entries are written to.
    #[setting(default = "stdout")]
    stackdriver_output: Output,
    /// Has no effect: the collector of the machine has credentials of its own.
    credentials: Option<Several>,
    /// Has no effect: no thread sends entries.
    debug_thread_worker: Option<bool>,
}

/// A level, by the names of the Python original.
#[janitor_plugin_api::settings]
#[derive(Default)]
enum Level {
    Notset,
    Debug,
    #[default]
    Info,
    Warning,
    Warn,
    Error,
    Critical,
    Fatal,
}

#[janitor_plugin_api::settings]
#[derive(Default)]
enum AfterCrash {
    #[default]
    Run,
    Skip,
    Stop,
}

#[janitor_plugin_api::settings]
enum Handler {
    /// Standard error.
    Stream,
    /// The system log.
    Syslog,
    /// Google Cloud Logging.
    Stackdriver,
}

/// How messages are built.
#[janitor_plugin_api::settings]
#[derive(Default)]
enum SyslogForm {
    /// A header and the line.
    #[default]
    Rfc3164,
    /// A header, and the fields as structured data.
    Rfc5424,
}

/// A stream of this process.
#[janitor_plugin_api::settings]
#[derive(Default)]
enum Output {
    /// Standard output.
    #[default]
    Stdout,
    /// Standard error.
    Stderr,
}

/// The `[core.guard]` table.
#[janitor_plugin_api::settings]
#[derive(Default)]
#[expect(dead_code, reason = "only described here")]
struct Guard {
    /// Deletions in one zone, at most, or "off".
    #[setting(default = 1000)]
    deletions: Limit,
    /// Deletions in one zone, in percent of the RRsets it holds, at most, and never all unless as many
    /// take their place; or "off".
    #[setting(default = 30)]
    deletions_percent: Limit,
    /// Updates in one zone, at most, or "off".
    #[setting(default = 10_000)]
    updates: Limit,
    /// Updates in one zone, in percent of the RRsets it holds, at most, or "off".
    #[setting(default = 50)]
    updates_percent: Limit,
    /// RRsets that a zone is taken to hold at least, where a share is counted.
    #[setting(default = 10, min = 0, max = 1_000_000)]
    min_existing: u32,
    /// RRsets that are desired less than in the last good run, in percent of those, at most, or "off".
    #[setting(default = 30)]
    shrunk_percent: Limit,
    /// What is published for a desired zone that is incomplete: additions, or nothing.
    #[setting(default = "add")]
    incomplete: OnIncomplete,
    /// The limits of all zones together.
    #[setting(default)]
    run: GuardRun,
    /// Limits of single zones, by pattern of their names: the closest that sets one counts.
    #[setting(default)]
    zones: BTreeMap<String, GuardZone>,
}

/// What is published for a desired zone that is incomplete.
#[janitor_plugin_api::settings]
#[derive(Default)]
enum OnIncomplete {
    /// What is missing at the servers; nothing is deleted or updated.
    #[default]
    Add,
    /// Nothing.
    Withhold,
}

/// The `[core.guard.run]` table.
#[janitor_plugin_api::settings]
#[derive(Default)]
#[expect(dead_code, reason = "only described here")]
struct GuardRun {
    /// Deletions in all zones together, at most, or "off".
    #[setting(default = 5000)]
    deletions: Limit,
    /// The same in percent of the RRsets that all zones hold.
    #[setting(default = 30)]
    deletions_percent: Limit,
    /// Updates in all zones together, at most, or "off".
    #[setting(default = 50_000)]
    updates: Limit,
    /// The same in percent of the RRsets that all zones hold.
    #[setting(default = 50)]
    updates_percent: Limit,
    /// RRsets that all zones together are taken to hold at least, where a share is counted.
    #[setting(default = 10, min = 0, max = 1_000_000)]
    min_existing: u32,
    /// Zones with deletions or updates, at most, or "off".
    #[setting(default = 1000)]
    zones: Limit,
    /// The same in percent of the zones that were compared.
    #[setting(default = 50)]
    zones_percent: Limit,
    /// Zones that a run is taken to have at least, where their share is counted.
    #[setting(default = 10, min = 0, max = 1_000_000)]
    min_zones: u32,
}

/// A `[core.guard.zones."pattern"]` table.
#[janitor_plugin_api::settings]
#[expect(dead_code, reason = "only described here")]
struct GuardZone {
    /// As `core.guard.deletions`, for these zones.
    deletions: Option<Limit>,
    /// As `core.guard.deletions_percent`, for these zones.
    deletions_percent: Option<Limit>,
    /// As `core.guard.updates`, for these zones.
    updates: Option<Limit>,
    /// As `core.guard.updates_percent`, for these zones.
    updates_percent: Option<Limit>,
    /// As `core.guard.min_existing`, for these zones.
    #[setting(min = 0, max = 1_000_000)]
    min_existing: Option<u32>,
    /// As `core.guard.shrunk_percent`, for these zones.
    shrunk_percent: Option<Limit>,
    /// As `core.guard.incomplete`, for these zones.
    incomplete: Option<OnIncomplete>,
}

/// The `[core.convergence]` table.
#[janitor_plugin_api::settings]
#[derive(Default)]
#[expect(dead_code, reason = "only described here")]
struct Convergence {
    /// How often a change is sent that does not stick.
    #[setting(default = 3, min = 1, max = 1_000_000)]
    attempts: u32,
    /// How long a change that was only accepted has time to come about.
    #[setting(default = 900, unit = "seconds", min = 0, max = 31_622_400)]
    settle: f64,
}

/// What may be written in several ways: no type says which.
#[derive(serde::Deserialize)]
#[serde(transparent)]
#[expect(dead_code, reason = "only described here")]
struct Several(Value);

impl SettingType for Several {
    const SCHEMA: &'static [Part] = &[Part::Plain("title = \"several ways\"")];
}

/// A number, or that there is no limit.
#[derive(serde::Deserialize)]
#[serde(transparent)]
#[expect(dead_code, reason = "only described here")]
struct Limit(Value);

impl Default for Limit {
    fn default() -> Self {
        Self(Value::Boolean(false))
    }
}

impl SettingType for Limit {
    const SCHEMA: &'static [Part] = &[Part::Plain("title = \"number or off\"")];
}

/// A `[core.plugin."key"]` table.
#[janitor_plugin_api::settings]
#[expect(dead_code, reason = "only described here")]
struct Plugin {
    /// The least level of this plugin's own log lines, in the place of `core.logging.level`.
    level: Option<Level>,
    /// The zones that an authority speaks for, as patterns; all that it names without them.
    #[setting(example = ["example.com", "*.example.com"])]
    zones: Option<Vec<String>>,
}

/// A `[core.routes."PATTERN"]` table.
#[janitor_plugin_api::settings]
#[expect(dead_code, reason = "only described here")]
struct Route {
    /// The reconciler that compares these zones, by key.
    reconciler: String,
    /// The publishers that their changes go to, by key; all of them without it.
    publishers: Option<Vec<String>>,
}

/// The `[core.merge]` table.
#[janitor_plugin_api::settings]
#[derive(Default)]
#[expect(dead_code, reason = "only described here")]
struct Merge {
    /// What becomes of a zone that several authorities speak of.
    #[setting(default = "error")]
    policy: Policy,
    /// The authorities, the one that counts most first, by key. Those that are not named follow in
    /// the order of `core.plugins`.
    #[setting(default = [])]
    order: Vec<String>,
    /// The same for single zones, by pattern; what is missing there is as for all zones.
    #[setting(default)]
    zones: BTreeMap<String, MergeZone>,
}

/// A `[core.merge.zones."PATTERN"]` table.
#[janitor_plugin_api::settings]
#[expect(dead_code, reason = "only described here")]
struct MergeZone {
    /// What becomes of such a zone when several authorities speak of it.
    policy: Option<Policy>,
    /// The authorities, the one that counts most first, by key.
    order: Option<Vec<String>>,
}

/// What becomes of a zone that several authorities speak of.
#[janitor_plugin_api::settings]
#[derive(Default)]
enum Policy {
    /// It is left out.
    #[default]
    Error,
    /// It is joined, and left out if they contradict each other.
    Agree,
    /// It is joined; of RRsets that differ the first authority's counts.
    Priority,
    /// It is joined; of RRsets that differ all values count.
    Union,
}

/// The `[metrics-logger]` table.
#[janitor_plugin_api::settings]
#[expect(dead_code, reason = "only described here")]
struct MetricsLogger {
    /// The level of the lines.
    #[setting(default = "info")]
    log_level: Level,
    /// What times in seconds are multiplied with: 1000.0 gives milliseconds.
    #[setting(default = 1.0)]
    time_unit: f64,
}

/// The `[ffwd]` table.
#[janitor_plugin_api::settings]
#[expect(dead_code, reason = "only described here")]
struct Ffwd {
    /// What every metric is filed under.
    #[setting(default = "gordon-service")]
    key: String,
    /// The address of the ffwd daemon.
    #[setting(default = "127.0.0.1", deprecated_alias = "ip")]
    ffwd_ip: IpAddr,
    /// The port of the ffwd daemon; a text will do as well.
    #[setting(default = 19_000, min = 1, deprecated_alias = "port")]
    ffwd_port: u16,
    /// What times in seconds are multiplied with.
    #[setting(default = 1.0)]
    time_unit: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logging::Level as Known;

    fn choices(path: &str, name: &str) -> Vec<&'static str> {
        let setting = of(path).unwrap().find(name).unwrap();
        let kind = match &setting.schema.kind {
            Kind::List(item) => &item.kind,
            kind => kind,
        };
        match kind {
            Kind::Choice(choices) => choices.iter().map(|choice| choice.text.as_str()).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_levels_that_are_described_are_those_that_are_read() {
        for (path, name) in [
            ("core.logging", "level"),
            ("core.plugin.*", "level"),
            ("metrics-logger", "log_level"),
        ] {
            assert_eq!(choices(path, name), Known::NAMES, "{path}");
        }
    }

    #[test]
    fn no_plugin_can_have_a_table_of_the_host() {
        let names: Vec<_> = tables().map(|(name, _)| name).collect();
        assert_eq!(names, janitor_plugin_api::manifest::HOST_TABLES);
    }

    #[test]
    fn every_option_says_what_it_means() {
        fn check(table: &Table) -> usize {
            let mut count = 0;
            for setting in &table.settings {
                assert!(!setting.schema.description.is_empty(), "{}", setting.name);
                count += 1;
                match &setting.schema.kind {
                    Kind::Table(inner) => count += check(inner),
                    Kind::Map(values) => {
                        if let Kind::Table(inner) = &values.kind {
                            count += check(inner);
                        }
                    }
                    _ => {}
                }
            }
            count
        }
        let count: usize = tables().map(|(_, table)| check(table)).sum();
        assert!(count >= 14, "{count} options");
    }
}
