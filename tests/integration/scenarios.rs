//! Scenarios as data: every directory in `tests/scenarios` is one.
//!
//! - `desired.zone` and `actual.zone`: the two sides; without `desired.zone` nobody speaks for the
//!   zone, without `actual.zone` it is not served;
//! - `changes`: what makes the one into the other, in the order of application, a line per RR: `-` or
//!   `+`, then the RR in presentation format. Empty if the zone is in sync or left out;
//! - `expect.toml`, where it is not all of that: `zone` (else `example.com`), `exit_code` (else 0),
//!   `left_out`, the lines that say so, and `some_stay = true` where differences belong to others;
//! - `settings.toml`: added to the configuration.
//!
//! Each runs next to a zone with one change of its own, which has to come through in any case. After
//! a run a second one finds nothing to do, the two sides are the same from either end, the serial has
//! advanced if and only if something changed, and a name server reads the same records from both.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use janitor_plugin_api::dns::Serial;
use serde::Deserialize;
use serde_json::Value;

use crate::janitor::{Janitor, Run};
use crate::peers;

/// Environment variable: run only scenarios whose names hold it.
const ONLY: &str = "JANITOR_TESTS_SCENARIO";

/// Scenarios there are at least: none gets lost on the way.
const AT_LEAST: usize = 30;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Expected {
    zone: String,
    exit_code: i32,
    left_out: Vec<String>,
    some_stay: bool,
}

impl Default for Expected {
    fn default() -> Self {
        Self {
            zone: "example.com".to_owned(),
            exit_code: 0,
            left_out: Vec::new(),
            some_stay: false,
        }
    }
}

/// One scenario, read.
struct Scenario {
    desired: Option<String>,
    actual: Option<String>,
    changes: Vec<String>,
    settings: String,
    expected: Expected,
}

impl Scenario {
    fn read(directory: &Path) -> Self {
        let read = |name: &str| fs::read_to_string(directory.join(name)).ok();
        let expected = read("expect.toml").unwrap_or_default();
        for entry in fs::read_dir(directory).expect("a scenario is a directory") {
            let name = entry.expect("a scenario can be listed").file_name();
            let known = [
                "desired.zone",
                "actual.zone",
                "changes",
                "expect.toml",
                "settings.toml",
            ];
            assert!(
                known.iter().any(|known| name == *known),
                "{name:?} means nothing"
            );
        }
        Self {
            desired: read("desired.zone"),
            actual: read("actual.zone"),
            changes: read("changes")
                .expect("a scenario has `changes`")
                .lines()
                .map(str::to_owned)
                .collect(),
            settings: read("settings.toml").unwrap_or_default(),
            expected: toml::from_str(&expected).expect("`expect.toml` can be read"),
        }
    }

    /// A deployment with this zone and another one.
    fn deployment(&self, desired: &str, served: &str) -> Janitor {
        let zone = &self.expected.zone;
        let sides = [(desired, &self.desired), (served, &self.actual)];
        let janitor = Janitor::new()
            .settings(&self.settings)
            .settings("[files.zones]\ndirectory = 'desired'");
        let janitor = sides
            .into_iter()
            .fold(janitor, |janitor, (side, text)| match text {
                Some(text) => janitor.file(&format!("{side}/{zone}.zone"), text),
                None => janitor,
            });
        janitor
            .desired("control.test", "added A 192.0.2.1")
            .served("control.test", "")
    }

    fn check(&self) {
        let janitor = self.deployment("desired", "served");
        let (zone, expected) = (&self.expected.zone, &self.expected);
        let before = self.actual.as_ref().map(|_| janitor.served_file(zone));

        let plan = janitor.plan(&["--format", "json"]);
        assert_eq!(
            plan.exit_code(),
            expected.exit_code,
            "{}",
            plan.log().join("\n")
        );
        assert_eq!(changes(&plan, zone), self.changes, "changes of the plan");
        assert_eq!(
            left_out(&plan),
            expected.left_out,
            "what the plan leaves out"
        );

        let run = janitor.run();
        assert_eq!(
            run.exit_code(),
            expected.exit_code,
            "{}",
            run.log().join("\n")
        );
        assert!(
            janitor
                .served_file("control.test")
                .contains("added.control.test. ")
        );
        let Some(before) = before else {
            assert!(
                !janitor.path(&format!("served/{zone}.zone")).exists(),
                "a zone was made"
            );
            return;
        };
        let after = janitor.served_file(zone);
        if self.changes.is_empty() {
            assert_eq!(after, before, "a zone that is not changed is not touched");
        } else {
            let (old, new) = (serial(&before), serial(&after));
            assert!(new.is_after(old), "serial {old} became {new}");
        }

        let again = janitor.plan(&["--format", "json"]);
        assert_eq!(again.exit_code(), expected.exit_code);
        assert_eq!(
            changes(&again, zone),
            [""; 0],
            "a second run has something to do"
        );
        assert_eq!(changes(&again, "control.test"), [""; 0]);
        let Some(desired) = self
            .desired
            .as_ref()
            .filter(|_| expected.left_out.is_empty() && !expected.some_stay)
        else {
            return;
        };
        let (desired, after) = (peers::records(zone, desired), peers::records(zone, &after));
        if let Some((desired, after)) = desired.zip(after)
            && !self.keeps_what_is_not_desired()
        {
            assert_eq!(
                managed(zone, after),
                managed(zone, desired),
                "in the eyes of a name server"
            );
        }
        if !self.keeps_what_is_not_desired() {
            let reverse = janitor
                .settings(
                    "[files.zones]\ndirectory = 'served'\n[files.served]\ndirectory = 'desired'",
                )
                .plan(&["--format", "json"]);
            assert_eq!(
                changes(&reverse, zone),
                [""; 0],
                "the sides differ from the other end"
            );
        }
    }

    /// Whether there is nothing that could be desired: then nothing is deleted.
    fn keeps_what_is_not_desired(&self) -> bool {
        let desired = self.desired.as_deref().unwrap_or_default();
        let is_left_alone = |line: &str| {
            ["SOA", "NS"]
                .iter()
                .any(|rtype| line.split_whitespace().any(|word| word == *rtype))
        };
        desired
            .lines()
            .filter(|line| !line.starts_with(['$', ';']))
            .all(is_left_alone)
    }
}

/// The changes of a zone in a plan, as `changes` has them.
fn changes(plan: &Run, zone: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for object in objects(plan) {
        if object["zone"] != format!("{zone}.") {
            continue;
        }
        for change in object["changes"].as_array().into_iter().flatten() {
            let text = |name: &str| change[name].as_str().expect("a text").to_owned();
            for (sign, side) in [("-", "deletion"), ("+", "addition")] {
                let rrset = &change[side];
                for rdata in rrset["rdata"].as_array().into_iter().flatten() {
                    let rdata = rdata.as_str().expect("rdata is a text");
                    let (owner, rtype, ttl) = (text("owner"), text("type"), &rrset["ttl"]);
                    lines.push(format!("{sign} {owner} {ttl} IN {rtype} {rdata}"));
                }
            }
        }
    }
    lines
}

/// What a plan leaves out, as `expect.toml` has it.
fn left_out(plan: &Run) -> Vec<String> {
    let objects = objects(plan);
    let left_out = objects.iter().filter_map(|object| {
        let links = object["left_out"].as_array()?;
        let links = links.iter().filter_map(Value::as_str).collect::<Vec<_>>();
        Some(format!(
            "{}: {}",
            object["what"].as_str()?,
            links.join(": ")
        ))
    });
    left_out.collect()
}

fn objects(plan: &Run) -> Vec<Value> {
    let stdout = plan.stdout();
    let objects = stdout.lines().map(serde_json::from_str);
    objects
        .map(|object| object.expect("a plan is JSON Lines"))
        .collect()
}

/// The serial in a zone file: the first of five numbers in a row.
fn serial(file: &str) -> Serial {
    let words = file.split(|c: char| c.is_whitespace() || c == '(' || c == ')');
    let mut words = words
        .filter(|word| !word.is_empty())
        .skip_while(|word| *word != "SOA");
    let serial = words.nth(3).expect("the file has a SOA");
    Serial(serial.parse().expect("a serial is a number"))
}

/// Those of `records`, as a name server writes them, that a janitor looks after; sorted. Names keep
/// their letter case there, which means nothing.
fn managed(zone: &str, records: Vec<String>) -> Vec<String> {
    let apex = format!("{zone}.");
    let mut records = records
        .iter()
        .map(|record| record.to_ascii_lowercase())
        .collect::<Vec<_>>();
    records.retain(|record| {
        let words = record.split(' ').collect::<Vec<_>>();
        let at_apex = words[0] == apex;
        match words[3] {
            "soa" | "rrsig" | "nsec" | "nsec3" | "nsec3param" => false,
            "ns" | "dnskey" | "cds" | "cdnskey" | "zonemd" => !at_apex,
            _ => true,
        }
    });
    records.sort();
    records
}

fn directories() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = fs::read_dir(root).expect("there are scenarios");
    let mut directories = entries
        .map(|entry| entry.expect("scenarios can be listed").path())
        .collect::<Vec<_>>();
    directories.sort();
    directories
}

#[test]
fn every_scenario_comes_out_as_it_says() {
    let directories = directories();
    assert!(
        directories.len() >= AT_LEAST,
        "only {} scenarios",
        directories.len()
    );
    let only = std::env::var(ONLY).unwrap_or_default();
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(directory) = directories.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let name = directory.file_name().unwrap_or_default().to_string_lossy();
                    if !name.contains(&only) {
                        continue;
                    }
                    let checked = std::panic::catch_unwind(|| Scenario::read(directory).check());
                    if let Err(payload) = checked {
                        let text = payload
                            .downcast_ref::<String>()
                            .cloned()
                            .unwrap_or_default();
                        failed
                            .lock()
                            .expect("no thread panics")
                            .insert(name.into_owned(), text);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no thread panics");
    let told = failed
        .iter()
        .map(|(name, text)| format!("\n{name}: {text}"));
    assert!(
        failed.is_empty(),
        "{} failed:{}",
        failed.len(),
        told.collect::<String>()
    );
}
