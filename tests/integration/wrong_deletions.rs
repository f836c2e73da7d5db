//! Random zones, several authorities that stop at random points, random rules, and processes that are
//! killed: nothing is ever deleted that a complete, merged, in-scope, in-limit comparison would not
//! have deleted; and what should be deleted is, when nothing goes wrong.
//!
//! `JANITOR_TESTS_RANDOM_RUNS` says how many worlds, `JANITOR_TESTS_SEED` which ones. The model is maps
//! of texts, and knows nothing of the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::janitor::{FICKLE, FILES, HEAD, Janitor};
use crate::random::{Random, from_environment};

/// Worlds, unless the environment says otherwise.
const WORLDS: u64 = 40;

/// In the order in which an authority sends them.
const ZONES: [&str; 4] = ["a.test", "b.test", "c.test", "sub.a.test"];
const OWNERS: [&str; 9] = [
    "www", "mail", "x.sub", "y.x.sub", "one.dyn", "two.dyn", "keep", "p", "q",
];
const TYPES: [&str; 3] = ["A", "TXT", "AAAA"];
const AUTHORITIES: [&str; 3] = ["fickle.first", "fickle.second", "fickle.third"];

/// The rdata of each RRset, by absolute owner and type.
type Content = BTreeMap<(String, &'static str), BTreeSet<String>>;

/// One authority: what it knows, and how it ends.
#[derive(Debug)]
struct Source {
    zones: BTreeMap<&'static str, Content>,
    incomplete: BTreeSet<&'static str>,
    /// The zones that it may name; any if there are none.
    speaks_for: Vec<&'static str>,
    stops_after: Option<usize>,
}

impl Source {
    fn may_name(&self, zone: &str) -> bool {
        self.speaks_for.is_empty() || self.speaks_for.contains(&zone)
    }

    /// What it says of a zone, if it is told to speak for it.
    fn knows(&self, zone: &str) -> Option<&Content> {
        self.zones.get(zone).filter(|_| self.may_name(zone))
    }

    fn fails(&self) -> bool {
        self.stops_after
            .is_some_and(|zones| zones <= self.zones.len())
    }

    /// Whether it has sent the zone before it stops.
    fn sends(&self, zone: &str) -> bool {
        let place = self.zones.keys().position(|known| *known == zone);
        place.is_some_and(|place| self.stops_after.is_none_or(|zones| place < zones))
    }
}

/// Everything there is, and the rules.
#[derive(Debug)]
struct World {
    sources: Vec<Source>,
    served: BTreeMap<&'static str, Content>,
    policy: &'static str,
    excluded_types: bool,
    excluded_owners: bool,
    protects: bool,
    /// Deletions that a zone may have.
    limit: usize,
    by: &'static str,
    /// Zones after which the publisher stops.
    publishes: Option<u64>,
}

fn random_content(random: &mut Random, zone: &str, most: u64) -> Content {
    let mut content = Content::new();
    for _ in 0..random.below(most) {
        let (owner, rtype) = (random.one_of(&OWNERS), random.one_of(&TYPES));
        let mut rdata = BTreeSet::new();
        for _ in 0..=random.below(2) {
            let number = random.below(4);
            rdata.insert(match rtype {
                "A" => format!("192.0.2.{number}"),
                "AAAA" => format!("2001:db8::{}", number + 1),
                _ => format!("\"text {number}\""),
            });
        }
        content.insert((format!("{owner}.{zone}."), rtype), rdata);
    }
    content
}

fn zone_file(content: &Content) -> String {
    let records = content.iter().flat_map(|((owner, rtype), rdata)| {
        rdata
            .iter()
            .map(move |rdata| format!("{owner} 300 IN {rtype} {rdata}\n"))
    });
    format!("{HEAD}{}", records.collect::<String>())
}

/// What a served file holds; SOA and NS at the apex belong to nobody here.
fn read_zone_file(text: &str) -> Content {
    let mut content = Content::new();
    for line in text.lines() {
        let mut words = line.splitn(5, ' ');
        let fields = [
            words.next(),
            words.next(),
            words.next(),
            words.next(),
            words.next(),
        ];
        let [Some(owner), Some(_), Some("IN"), Some(rtype), Some(rdata)] = fields else {
            continue;
        };
        if let Some(rtype) = TYPES.iter().find(|known| **known == rtype) {
            let rdatas: &mut BTreeSet<String> =
                content.entry((owner.to_owned(), *rtype)).or_default();
            rdatas.insert(rdata.to_owned());
        }
    }
    content
}

impl World {
    fn random(random: &mut Random) -> Self {
        let truth = ZONES.map(|zone| (zone, random_content(random, zone, 16)));
        let mut sources = Vec::new();
        for _ in 0..=random.below(3) {
            let mut source = Source {
                zones: BTreeMap::new(),
                incomplete: BTreeSet::new(),
                speaks_for: Vec::new(),
                stops_after: None,
            };
            for (zone, truth) in &truth {
                if random.below(4) > 0 {
                    let mut content = truth.clone();
                    content.retain(|_, _| random.below(6) > 0);
                    content.append(&mut random_content(random, zone, 4));
                    if !content.is_empty() {
                        source.zones.insert(zone, content);
                    }
                }
                if random.below(12) == 0 {
                    source.incomplete.insert(zone);
                }
            }
            if random.below(2) == 0 {
                source.speaks_for = ZONES.into_iter().filter(|_| random.below(3) > 0).collect();
            }
            if random.below(3) == 0 {
                source.stops_after = usize::try_from(random.below(6)).ok();
            }
            sources.push(source);
        }
        let served = truth.map(|(zone, truth)| {
            let mut served = truth;
            served.retain(|_, _| random.below(6) > 0);
            served.append(&mut random_content(random, zone, 8));
            (zone, served)
        });
        Self {
            sources,
            served: served.into_iter().collect(),
            policy: random.one_of(&["error", "agree", "priority", "union"]),
            excluded_types: random.below(3) == 0,
            excluded_owners: random.below(2) == 0,
            protects: random.below(2) == 0,
            limit: usize::try_from(random.below(12)).expect("it is small"),
            by: random.one_of(&["fail", "panic", "kill"]),
            publishes: (random.below(3) == 0).then(|| random.below(5)),
        }
    }

    fn janitor(&self) -> Janitor {
        let keys = &AUTHORITIES[..self.sources.len()];
        let mut janitor = Janitor::new()
            .libraries(&[FILES, FICKLE])
            .authorities(keys)
            .publishers(&["fickle.apply"]);
        for (zone, content) in &self.served {
            janitor = janitor.file(&format!("served/{zone}.zone"), zone_file(content));
        }
        for (key, source) in keys.iter().zip(&self.sources) {
            let directory = key.replace('.', "-");
            fs::create_dir(janitor.path(&directory)).expect("a directory can be made");
            for (zone, content) in &source.zones {
                janitor = janitor.file(&format!("{directory}/{zone}.zone"), zone_file(content));
            }
        }
        janitor.settings(&self.settings(true))
    }

    /// The settings, with the points at which plugins stop or without.
    fn settings(&self, stopping: bool) -> String {
        let mut toml = format!("[core.merge]\npolicy = '{}'\n", self.policy);
        let mut exclude = Vec::new();
        if self.excluded_types {
            exclude.push("* AAAA".to_owned());
        }
        if self.excluded_owners {
            exclude.extend(ZONES.map(|zone| format!("*.dyn.{zone}")));
        }
        let protect = if self.protects {
            vec!["keep.*"]
        } else {
            vec![]
        };
        toml.push_str(&format!(
            "[core.scope]\nexclude = {exclude:?}\nprotect = {protect:?}\n{}",
            limits(self.limit)
        ));
        let by = self.by;
        for (key, source) in AUTHORITIES.iter().zip(&self.sources) {
            let directory = key.replace('.', "-");
            let incomplete = source.incomplete.iter().collect::<Vec<_>>();
            toml.push_str(&format!(
                "[{key}]\ndirectory = '{directory}'\nincomplete = {incomplete:?}\nby = '{by}'\n"
            ));
            if let Some(zones) = source.stops_after.filter(|_| stopping) {
                toml.push_str(&format!("stops_after = {zones}\n"));
            }
            if !source.speaks_for.is_empty() {
                let zones = &source.speaks_for;
                toml.push_str(&format!("[core.plugin.'{key}']\nzones = {zones:?}\n"));
            }
        }
        toml.push_str(&format!(
            "[fickle.apply]\ndirectory = 'served'\nby = '{by}'\n"
        ));
        if let Some(zones) = self.publishes.filter(|_| stopping) {
            toml.push_str(&format!("stops_after = {zones}\n"));
        }
        toml
    }

    /// What the zone ought to hold when every authority does well; none if nobody can tell.
    fn merged(&self, zone: &str) -> Option<Content> {
        let known = self.sources.iter().filter_map(|source| source.knows(zone));
        let known = known.collect::<Vec<_>>();
        let (first, others) = known.split_first()?;
        if others.is_empty() {
            return Some((*first).clone());
        }
        let mut merged = Content::new();
        match self.policy {
            "error" => return None,
            "agree" => {
                for (key, rdata) in known.into_iter().flatten() {
                    let first = merged.entry(key.clone()).or_insert_with(|| rdata.clone());
                    if first != rdata {
                        return None;
                    }
                }
            }
            "priority" => {
                for content in known.iter().rev() {
                    merged.extend((*content).clone());
                }
            }
            _ => {
                for (key, rdata) in known.into_iter().flatten() {
                    merged.entry(key.clone()).or_default().extend(rdata.clone());
                }
            }
        }
        Some(merged)
    }

    fn is_complete(&self, zone: &str) -> bool {
        let mut known = self
            .sources
            .iter()
            .filter(|source| source.knows(zone).is_some());
        known.all(|source| !source.incomplete.contains(zone))
    }

    fn takes_in(&self, zone: &str, (owner, rtype): &(String, &str)) -> bool {
        let elsewhere = self.sources.iter().any(|source| {
            source.zones.keys().any(|other| {
                other.ends_with(zone)
                    && *other != zone
                    && is_below(owner, other)
                    && source.may_name(other)
            })
        });
        let excluded = (self.excluded_types && *rtype == "AAAA")
            || (self.excluded_owners && owner.contains(".dyn."));
        !(elsewhere || excluded || self.protects && owner.starts_with("keep."))
    }

    /// The RRsets that a run in which all goes well deletes, and those that it keeps or makes.
    fn right_deletions(&self, zone: &str) -> BTreeSet<(String, &'static str)> {
        let Some(merged) = self.merged(zone) else {
            return BTreeSet::new();
        };
        if !self.is_complete(zone) || merged.is_empty() {
            return BTreeSet::new();
        }
        let served = &self.served[zone];
        let deleted = served.keys().filter(|key| !merged.contains_key(*key));
        let deleted = deleted.filter(|key| self.takes_in(zone, key));
        let deleted = deleted.cloned().collect::<BTreeSet<_>>();
        if deleted.len() > self.limit {
            return BTreeSet::new();
        }
        deleted
    }
}

fn is_below(owner: &str, zone: &str) -> bool {
    owner.ends_with(&format!(".{zone}."))
}

/// At most so many deletions in a zone, and nothing else is limited.
fn limits(deletions: usize) -> String {
    format!(
        "[core.guard]\ndeletions = {deletions}\ndeletions_percent = 'off'\nupdates = 'off'\n\
         updates_percent = 'off'\nshrunk_percent = 'off'\n[core.guard.run]\ndeletions = 'off'\n\
         deletions_percent = 'off'\nupdates = 'off'\nupdates_percent = 'off'\nzones = 'off'\n\
         zones_percent = 'off'\n"
    )
}

#[test]
fn nothing_is_deleted_that_a_run_without_faults_would_not_delete() {
    let seed = from_environment("JANITOR_TESTS_SEED", 1);
    let worlds = from_environment("JANITOR_TESTS_RANDOM_RUNS", WORLDS);
    let (mut deletions, mut withheld) = (0, 0);
    for number in 0..worlds {
        let mut random = Random::new(seed.wrapping_add(number << 32));
        let world = World::random(&mut random);
        let mut janitor = world.janitor();
        let run = janitor.run();
        assert_ne!(run.exit_code(), 2, "{}", run.stderr());
        let fails = world.sources.iter().any(Source::fails);
        for zone in ZONES {
            let served = &world.served[zone];
            let now = read_zone_file(&janitor.served_file(zone));
            let right = world.right_deletions(zone);
            let told = || {
                let log = run.log().join("\n");
                format!("{zone} of world {number}, seed {seed}: {world:#?}\n{now:#?}\n{log}")
            };
            let merged = world.merged(zone);
            for (key, rdata) in served {
                match (
                    now.get(key),
                    merged.as_ref().and_then(|merged| merged.get(key)),
                ) {
                    (None, _) => assert!(right.contains(key), "{key:?} is gone\n{}", told()),
                    (Some(now), _) if now == rdata => {}
                    (Some(now), wanted) => assert!(
                        Some(now) == wanted || fails,
                        "{key:?} is {now:?}, wanted {wanted:?}\n{}",
                        told()
                    ),
                }
            }
            let known =
                |source: &Source| !source.may_name(zone) || source.sends(zone) || !source.fails();
            let gone = served.keys().filter(|key| !now.contains_key(*key)).count();
            if !world.sources.iter().all(known) {
                assert_eq!(gone, 0, "an authority did not come to it\n{}", told());
            }
            if !fails && world.publishes.is_none() {
                assert_eq!(gone, right.len(), "something should be gone\n{}", told());
            }
            deletions += gone;
            withheld += usize::from(right.is_empty());
        }
        // What was left undone is done by a run without faults, whatever state the last has left.
        janitor.rewrite_settings(&world.settings(false));
        let again = janitor.run();
        for zone in ZONES {
            let now = read_zone_file(&janitor.served_file(zone));
            for key in world.right_deletions(zone) {
                assert!(
                    !now.contains_key(&key),
                    "{key:?} is still there: world {number}, seed {seed}\n{world:#?}\n{}\n{}",
                    again.log().join("\n"),
                    again.errors()
                );
            }
        }
    }
    // Neither kind of test is empty.
    assert!(deletions > 0 && withheld > 0, "{deletions} {withheld}");
}
