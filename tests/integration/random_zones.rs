//! Random zones through the whole program, held against a model that knows nothing of wire formats:
//! maps of texts.
//!
//! `JANITOR_TESTS_RANDOM_ZONES` says how many zones, `JANITOR_TESTS_SEED` which ones.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use crate::janitor::{HEAD, Janitor, WITHOUT_LIMITS};
use crate::peers;
use crate::random::{Random, from_environment};

/// Zones, unless the environment says otherwise.
const ZONES: u64 = 60;

/// RRsets by owner, relative to the apex, and type: TTL and rdata in presentation format.
type Content = BTreeMap<(&'static str, &'static str), (u32, BTreeSet<String>)>;

const OWNERS: [&str; 12] = [
    "@",
    "www",
    "mail",
    "a.b.c",
    "b.c",
    "*.wild",
    "_sip._tcp",
    "x-1",
    "0",
    "cut",
    "long-label-with-many-letters",
    "zz",
];
const TYPES: [&str; 9] = [
    "A",
    "AAAA",
    "TXT",
    "MX",
    "CNAME",
    "SRV",
    "CAA",
    "TYPE65280",
    "PTR",
];

impl Random {
    fn rdata(&mut self, rtype: &str) -> String {
        let small = self.below(6);
        let octet = u8::try_from(small).expect("less than 6") + 1;
        let name = self.one_of(&["one.example.", "two.example.", "three.example."]);
        match rtype {
            "A" => Ipv4Addr::new(192, 0, 2, octet).to_string(),
            "AAAA" => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, octet.into()).to_string(),
            "TXT" => format!(
                "\"text {small}\" \"{}\"",
                "x".repeat(40 * usize::from(octet))
            ),
            "MX" => format!("{small} {name}"),
            "SRV" => format!("{small} 0 53 {name}"),
            "CAA" => format!("0 issue \"{name}\""),
            "TYPE65280" => format!("\\# 2 0A0{small}"),
            _ => name.to_owned(),
        }
    }

    fn rrset(&mut self, rtype: &str) -> (u32, BTreeSet<String>) {
        let ttl = self.one_of(&[0, 60, 300, 3600, 86400]);
        let most = if rtype == "CNAME" {
            1
        } else {
            1 + self.below(4)
        };
        let rdata = (0..most).map(|_| self.rdata(rtype)).collect();
        (ttl, rdata)
    }

    /// Puts RRsets in, where a zone may have them.
    fn fill(&mut self, content: &mut Content, most: u64) {
        for _ in 0..self.below(most) {
            let (owner, rtype) = (self.one_of(&OWNERS), self.one_of(&TYPES));
            let is_cname = |of: &str| of == "CNAME";
            let conflicts = content
                .keys()
                .any(|(at, other)| *at == owner && is_cname(rtype) != is_cname(other));
            if conflicts || (owner == "@" && is_cname(rtype)) {
                continue;
            }
            let rrset = self.rrset(rtype);
            content.insert((owner, rtype), rrset);
        }
    }

    /// What might be served while `desired` should be.
    fn drift(&mut self, desired: &Content) -> Content {
        let mut actual = Content::new();
        for ((owner, rtype), (ttl, rdata)) in desired {
            let rrset = match self.below(5) {
                0 => continue,
                1 => (ttl + 1, rdata.clone()),
                2 => self.rrset(rtype),
                _ => (*ttl, rdata.clone()),
            };
            actual.insert((owner, rtype), rrset);
        }
        self.fill(&mut actual, 10);
        actual
    }

    /// A zone file of it, in any order and in one of its many spellings.
    fn zone_file(&mut self, content: &Content) -> String {
        let mut lines = Vec::new();
        for ((owner, rtype), (ttl, rdata)) in content {
            for rdata in rdata {
                let owner = match self.below(3) {
                    0 => owner.to_ascii_uppercase(),
                    1 => (*owner).replace('w', "\\119"),
                    _ => (*owner).to_owned(),
                };
                let ttl = match (self.below(2), ttl % 60) {
                    (0, 0) => format!("{}m", ttl / 60),
                    _ => ttl.to_string(),
                };
                let class = self.one_of(&["IN ", "in ", ""]);
                lines.push(format!("{owner} {ttl} {class}{rtype} {rdata}\n"));
            }
        }
        self.shuffle(&mut lines);
        format!("{HEAD}{}", lines.concat())
    }
}

/// What has to happen to each owner and type.
fn expected<'a>(
    desired: &'a Content,
    actual: &'a Content,
) -> BTreeMap<(&'a str, &'a str), &'static str> {
    let mut expected = BTreeMap::new();
    if desired.is_empty() {
        return expected;
    }
    for (key, rrset) in desired {
        match actual.get(key) {
            None => drop(expected.insert(*key, "addition")),
            Some(served) if served != rrset => drop(expected.insert(*key, "update")),
            Some(_) => {}
        }
    }
    for key in actual.keys().filter(|key| !desired.contains_key(*key)) {
        expected.insert(*key, "deletion");
    }
    expected
}

/// The changes of each zone in a plan.
fn planned(stdout: &str) -> BTreeMap<String, Vec<(String, String, String)>> {
    let zones = stdout.lines().filter_map(|line| {
        let zone: Value = serde_json::from_str(line).expect("a plan is JSON Lines");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        // One that was left out has none.
        let changes = zone["changes"].as_array()?;
        let changes = changes
            .iter()
            .map(|change| {
                (
                    text(&change["owner"]),
                    text(&change["type"]),
                    text(&change["action"]),
                )
            })
            .collect();
        Some((text(&zone["zone"]), changes))
    });
    zones.collect()
}

fn absolute(owner: &str, zone: &str) -> String {
    match owner {
        "@" => format!("{zone}."),
        owner => format!("{owner}.{zone}."),
    }
}

#[test]
fn random_zones_become_what_is_desired_by_a_sealed_plan() {
    let seed = from_environment("JANITOR_TESTS_SEED", 1);
    let count = from_environment("JANITOR_TESTS_RANDOM_ZONES", ZONES);
    let mut janitor = Janitor::new().settings(WITHOUT_LIMITS);
    let mut left_out = false;
    for index in 0..count {
        let mut random = Random::new(seed.wrapping_add(index << 32) ^ 1);
        let zone = format!("z{index}.test");
        let mut desired = Content::new();
        random.fill(&mut desired, 30);
        let actual = random.drift(&desired);
        left_out |= desired.is_empty() && !actual.is_empty();
        janitor = janitor
            .file(&format!("desired/{zone}.zone"), random.zone_file(&desired))
            .file(&format!("served/{zone}.zone"), random.zone_file(&actual));
    }
    let exit_code = if left_out { 3 } else { 0 };
    let plan = janitor.path("plan").display().to_string();
    let sealed = janitor.plan(&["--format", "json", "--out", &plan]);
    assert_eq!(sealed.exit_code(), exit_code, "seed {seed}");

    // What is sealed is what is shown.
    let shown = sealed.stdout();
    let planned_here = planned(&std::fs::read_to_string(&plan).expect("the plan can be read"));
    assert_eq!(planned_here, planned(&shown));

    let applied = janitor.command(&["apply", &plan]);
    assert_eq!(
        applied.exit_code(),
        exit_code,
        "seed {seed}: {}",
        applied.stderr()
    );
    let again = janitor.plan(&["--exit-code"]);
    assert_eq!(
        again.exit_code(),
        exit_code,
        "seed {seed}: {}",
        again.stdout()
    );
}

#[test]
fn random_zones_become_what_is_desired_in_one_run() {
    let seed = from_environment("JANITOR_TESTS_SEED", 1);
    let count = from_environment("JANITOR_TESTS_RANDOM_ZONES", ZONES);
    let mut janitor = Janitor::new().settings(WITHOUT_LIMITS);
    let mut model = BTreeMap::new();
    for index in 0..count {
        let mut random = Random::new(seed.wrapping_add(index << 32));
        let zone = format!("z{index}.test");
        let mut desired = Content::new();
        random.fill(&mut desired, 30);
        let actual = random.drift(&desired);
        janitor = janitor
            .file(&format!("desired/{zone}.zone"), random.zone_file(&desired))
            .file(&format!("served/{zone}.zone"), random.zone_file(&actual));
        model.insert(zone, (desired, actual));
    }

    let plan = janitor.plan(&["--format", "json"]);
    // A zone for which nothing is desired is left out.
    let left_out =
        |(desired, actual): &(Content, Content)| desired.is_empty() && !actual.is_empty();
    let (exit_code, status) = match model.values().any(left_out) {
        true => (3, "incomplete"),
        false => (0, "success"),
    };
    assert_eq!(plan.exit_code(), exit_code, "{}", plan.log().join("\n"));
    let plan = planned(&plan.stdout());
    for (zone, (desired, actual)) in &model {
        let found = plan.get(&format!("{zone}.")).cloned();
        let mut found = found.unwrap_or_default();
        found.sort();
        let mut wanted = expected(desired, actual)
            .into_iter()
            .map(|((owner, rtype), action)| {
                (absolute(owner, zone), rtype.to_owned(), action.to_owned())
            })
            .collect::<Vec<_>>();
        wanted.sort();
        assert_eq!(
            found, wanted,
            "{zone} of seed {seed}: {desired:#?}\n{actual:#?}"
        );
    }

    let run = janitor.run();
    assert_eq!(
        (run.exit_code(), run.status().as_str()),
        (exit_code, status)
    );

    let again = janitor.plan(&["--format", "json", "--exit-code"]);
    assert_eq!(
        again.exit_code(),
        exit_code,
        "a second run of seed {seed} has something to do"
    );
    for (zone, (desired, actual)) in &model {
        let served = if desired.is_empty() { actual } else { desired };
        let Some(records) = peers::records(zone, &janitor.served_file(zone)) else {
            break;
        };
        let mut wanted = Vec::new();
        for ((owner, rtype), (ttl, rdata)) in served {
            let owner = absolute(owner, zone);
            wanted.extend(
                rdata
                    .iter()
                    .map(|rdata| format!("{owner} {ttl} IN {rtype} {rdata}")),
            );
        }
        // A zone that is as desired keeps its file, and the letter case in it.
        let case = |line: &String| line.to_ascii_lowercase();
        let wanted = wanted.iter().map(case).collect::<BTreeSet<_>>();
        let mut found = records.iter().map(case).collect::<BTreeSet<_>>();
        let apex = format!("{zone}. ");
        found.retain(|line| {
            !(line.starts_with(&apex) && (line.contains(" soa ") || line.contains(" ns ")))
        });
        assert_eq!(
            found, wanted,
            "{zone} of seed {seed}, as a name server reads it"
        );
    }
}
