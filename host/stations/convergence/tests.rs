use std::sync::Arc;

use janitor_plugin_api::dns::{Changes, LeftAlone, Ttl, ZoneBuilder, diff};

use super::join::same;
use super::*;
use crate::stations::route::Route;

/// Owner, type, TTL, rdata.
type Record = (&'static str, &'static str, u32, &'static str);

fn zone(records: &[Record]) -> ZoneBuilder {
    let mut builder = ZoneBuilder::new("a.test".parse().unwrap());
    for (owner, rtype, ttl, rdata) in records {
        let ttl = Ttl::from_secs(*ttl).unwrap();
        builder.push_text(owner, ttl, rtype, rdata).unwrap();
    }
    builder
}

fn planned(desired: &[Record], served: &[Record], complete: bool) -> PlannedZone {
    let mut desired = zone(desired);
    if complete {
        desired.set_complete();
    }
    let desired = desired.build_desired().unwrap();
    let served = zone(served).build_actual().unwrap();
    let changes = diff(&desired, &served, &LeftAlone::default()).unwrap();
    let mut planned = PlannedZone::new(changes, Arc::new(Route::to_all("r".into())));
    planned.complete = complete;
    planned
}

/// A zone from run to run.
struct Runs {
    memory: Option<Unsettled>,
    settings: Settings,
}

/// What became of a run's changes.
#[derive(Clone, Copy)]
enum Fate {
    Applied,
    Accepted,
    Refused,
    /// It was only a plan.
    Planned,
    /// The guard withheld them.
    Withheld,
}
use Fate::{Accepted, Applied, Planned, Refused, Withheld};

impl Runs {
    fn new() -> Self {
        Self {
            memory: None,
            settings: Settings::default(),
        }
    }

    /// One run, so many minutes after the beginning. How many changes are sent again although they did
    /// not stick, and how many are not sent any more.
    fn run(&mut self, minute: i64, zone: PlannedZone, fate: Fate) -> (usize, usize, PlannedZone) {
        let now = Timestamp::from_second(1_000_000 + minute * 60).unwrap();
        let mut zone = zone;
        let found = judge(&mut zone, self.memory.as_ref(), now, &self.settings);
        let sent = match fate {
            Applied => Some(Sent::Applied),
            Accepted => Some(Sent::Accepted),
            _ => None,
        };
        let outcomes = match fate {
            Withheld => Vec::new(),
            _ => vec![sent; zone.changes().len()],
        };
        if !matches!(fate, Planned) {
            let memory = self.memory.as_ref();
            let next = Unsettled::next(memory, &zone, &outcomes, now, &self.settings);
            // What is kept is what was remembered.
            self.memory = next.map(|next| {
                let kept = Unsettled::from_octets(&next.to_octets()).unwrap();
                assert_eq!(kept, next);
                kept
            });
        }
        (found.sent_again, found.set_aside, zone)
    }
}

const ADDRESS: Record = ("www", "A", 300, "192.0.2.1");
const OTHER: Record = ("www", "A", 300, "192.0.2.2");
const THIRD: Record = ("www", "A", 300, "192.0.2.3");

#[test]
fn what_happens_from_run_to_run() {
    // Minute, desired, served, what becomes of the change; sent again, set aside.
    type Step = (
        i64,
        &'static [Record],
        &'static [Record],
        Fate,
        (usize, usize),
    );
    let stories: &[(&str, &[Step])] = &[
        (
            "what is applied and does not come about is sent three times",
            &[
                (0, &[ADDRESS], &[], Applied, (0, 0)),
                (1, &[ADDRESS], &[], Applied, (1, 0)),
                (2, &[ADDRESS], &[], Applied, (1, 0)),
                (3, &[ADDRESS], &[], Applied, (0, 1)),
                (4, &[ADDRESS], &[], Applied, (0, 1)),
            ],
        ),
        (
            "so is what is still there",
            &[
                (
                    0,
                    &[OTHER, ("b", "A", 1, "192.0.2.1")],
                    &[
                        OTHER,
                        ("b", "A", 1, "192.0.2.1"),
                        ("c", "A", 1, "192.0.2.1"),
                    ],
                    Applied,
                    (0, 0),
                ),
                (
                    1,
                    &[OTHER, ("b", "A", 1, "192.0.2.1")],
                    &[
                        OTHER,
                        ("b", "A", 1, "192.0.2.1"),
                        ("c", "A", 1, "192.0.2.1"),
                    ],
                    Applied,
                    (1, 0),
                ),
            ],
        ),
        (
            "what comes about is forgotten, and drift later is drift",
            &[
                (0, &[ADDRESS], &[OTHER], Applied, (0, 0)),
                (1, &[ADDRESS], &[ADDRESS], Applied, (0, 0)),
                (2, &[ADDRESS], &[OTHER], Applied, (0, 0)),
                (3, &[ADDRESS], &[OTHER], Applied, (1, 0)),
            ],
        ),
        (
            "what is accepted has time to settle, however often it is sent",
            &[
                (0, &[ADDRESS], &[], Accepted, (0, 0)),
                (7, &[ADDRESS], &[], Accepted, (0, 0)),
                (14, &[ADDRESS], &[], Accepted, (0, 0)),
                (15, &[ADDRESS], &[], Accepted, (1, 0)),
                (29, &[ADDRESS], &[], Accepted, (0, 0)),
                (30, &[ADDRESS], &[], Accepted, (1, 0)),
                (45, &[ADDRESS], &[], Accepted, (0, 1)),
                (46, &[ADDRESS], &[], Accepted, (0, 1)),
            ],
        ),
        (
            "it is over when something else is desired",
            &[
                (0, &[ADDRESS], &[OTHER], Applied, (0, 0)),
                (1, &[ADDRESS], &[OTHER], Applied, (1, 0)),
                (2, &[ADDRESS], &[OTHER], Applied, (1, 0)),
                (3, &[ADDRESS], &[OTHER], Applied, (0, 1)),
                (4, &[THIRD], &[OTHER], Applied, (0, 0)),
                (5, &[THIRD], &[OTHER], Applied, (1, 0)),
            ],
        ),
        (
            "it is over when something else is served",
            &[
                (0, &[ADDRESS], &[OTHER], Applied, (0, 0)),
                (1, &[ADDRESS], &[OTHER], Applied, (1, 0)),
                (2, &[ADDRESS], &[THIRD], Applied, (0, 0)),
                (3, &[ADDRESS], &[THIRD], Applied, (1, 0)),
            ],
        ),
        (
            "what was refused was not sent",
            &[
                (0, &[ADDRESS], &[], Refused, (0, 0)),
                (1, &[ADDRESS], &[], Refused, (0, 0)),
                (2, &[ADDRESS], &[], Applied, (0, 0)),
                (3, &[ADDRESS], &[], Refused, (1, 0)),
                (4, &[ADDRESS], &[], Applied, (1, 0)),
                (5, &[ADDRESS], &[], Applied, (1, 0)),
                (6, &[ADDRESS], &[], Applied, (0, 1)),
            ],
        ),
        (
            "what is only planned or withheld changes nothing",
            &[
                (0, &[ADDRESS], &[], Planned, (0, 0)),
                (1, &[ADDRESS], &[], Applied, (0, 0)),
                (2, &[ADDRESS], &[], Planned, (1, 0)),
                (3, &[ADDRESS], &[], Planned, (1, 0)),
                (4, &[ADDRESS], &[], Withheld, (1, 0)),
                (5, &[ADDRESS], &[], Withheld, (1, 0)),
                (6, &[ADDRESS], &[], Applied, (1, 0)),
                (7, &[ADDRESS], &[], Applied, (1, 0)),
                (8, &[ADDRESS], &[], Applied, (0, 1)),
            ],
        ),
    ];
    for (story, steps) in stories {
        let mut runs = Runs::new();
        for (minute, desired, served, fate, expected) in *steps {
            let zone = planned(desired, served, true);
            let (again, aside, _) = runs.run(*minute, zone, *fate);
            assert_eq!((again, aside), *expected, "{story}: minute {minute}");
        }
    }
}

#[test]
fn what_is_set_aside_is_not_sent_and_the_rest_is() {
    let mut runs = Runs::new();
    let desired = [ADDRESS, ("new", "A", 300, "192.0.2.9")];
    for minute in 0..3 {
        runs.run(minute, planned(&[ADDRESS], &[OTHER], true), Applied);
    }
    let (_, aside, zone) = runs.run(3, planned(&desired, &[OTHER], true), Applied);
    assert_eq!(aside, 1);
    let sent: Vec<_> = zone
        .changes()
        .iter()
        .map(|c| c.owner().to_string())
        .collect();
    assert_eq!(sent, ["new.a.test."]);
    let (change, rule) = zone.aside().next().unwrap();
    assert_eq!(change.owner().to_string(), "www.a.test.");
    assert_eq!(
        (rule.kind, &*rule.text),
        (
            RuleKind::DoesNotStick,
            "it was sent 3 times and is not served (core.convergence.attempts)"
        )
    );
    // What is remembered of both goes on.
    let (again, aside, _) = runs.run(4, planned(&desired, &[OTHER], true), Applied);
    assert_eq!((again, aside), (1, 1));
}

#[test]
fn an_incomplete_zone_forgets_nothing_that_it_does_not_tell() {
    let other = ("b", "A", 300, "192.0.2.1");
    let mut runs = Runs::new();
    let whole = || planned(&[ADDRESS, other], &[OTHER, other], true);
    runs.run(0, whole(), Applied);
    // The update at `www` is held back, the addition at `new` is sent.
    let new = ("new", "A", 300, "192.0.2.9");
    let part = planned(&[ADDRESS, new], &[OTHER, other], false);
    assert_eq!((part.changes().len(), part.held_back), (1, 2));
    runs.run(1, part, Applied);
    let (again, _, _) = runs.run(2, whole(), Applied);
    assert_eq!(again, 1);
    assert_eq!(runs.memory.unwrap().attempts()[0].times, 2);
}

#[test]
fn a_change_that_is_set_aside_by_another_rule_keeps_its_memory() {
    let mut runs = Runs::new();
    runs.run(0, planned(&[ADDRESS], &[OTHER], true), Applied);
    let mut zone = planned(&[ADDRESS], &[OTHER], true);
    let rule = Rule {
        kind: RuleKind::Protected,
        text: "www".into(),
    };
    zone.set_aside(|_| Some(rule.clone()));
    assert_eq!(runs.run(1, zone, Applied).0, 0);
    assert_eq!(
        runs.run(2, planned(&[ADDRESS], &[OTHER], true), Applied).0,
        1
    );
}

#[test]
fn a_stored_plan_forgets_nothing_that_it_does_not_hold() {
    let new = ("new", "A", 300, "192.0.2.9");
    let stuck = || planned(&[ADDRESS], &[OTHER], true);
    let mut runs = Runs::new();
    for minute in 0..3 {
        runs.run(minute, stuck(), Applied);
    }
    // Planned and stored, and applied from there: what was set aside is only a number by then.
    let mut stored = planned(&[new], &[], true);
    stored.not_sticking.set_aside = 1;
    let now = Timestamp::from_second(1_000_180).unwrap();
    let (memory, settings) = (runs.memory.take(), Settings::default());
    let sent = [Some(Sent::Applied)];
    let next = |zone: &_| Unsettled::next(memory.as_ref(), zone, &sent, now, &settings);
    runs.memory = next(&stored);
    let both = planned(&[ADDRESS, new], &[OTHER], true);
    let (again, aside, _) = runs.run(4, both, Planned);
    assert_eq!((again, aside), (1, 1));

    // A plan that set nothing aside has seen that it came about.
    stored.not_sticking.set_aside = 0;
    runs.memory = next(&stored);
    assert_eq!(runs.run(4, stuck(), Planned).1, 0);
}

#[test]
fn a_clock_that_was_set_back_does_not_keep_a_change_for_ever() {
    let mut runs = Runs::new();
    let zone = || planned(&[ADDRESS], &[], true);
    runs.run(100_000, zone(), Accepted);
    assert_eq!(runs.run(0, zone(), Accepted).0, 0);
    assert_eq!(runs.run(15, zone(), Accepted).0, 1);
}

#[test]
fn details_are_kept_of_a_few_and_all_are_counted() {
    let owners: Vec<String> = (0..MAX_SHOWN + 5).map(|at| format!("n{at}")).collect();
    let mut desired = ZoneBuilder::new("a.test".parse().unwrap());
    for owner in &owners {
        desired
            .push_text(owner, Ttl::default(), "A", "192.0.2.1")
            .unwrap();
    }
    desired.set_complete();
    let desired = desired.build_desired().unwrap();
    let served = zone(&[]).build_actual().unwrap();
    let changes = diff(&desired, &served, &LeftAlone::default()).unwrap();
    let planned = || PlannedZone::new(changes.clone(), Arc::new(Route::to_all("r".into())));
    let mut runs = Runs::new();
    runs.run(0, planned(), Applied);
    let now = Timestamp::from_second(2_000_000).unwrap();
    let found = judge(&mut planned(), runs.memory.as_ref(), now, &runs.settings);
    assert_eq!(
        (found.total(), found.shown.len()),
        (MAX_SHOWN + 5, MAX_SHOWN)
    );
}

#[test]
fn a_difference_is_told_by_its_kind() {
    let long = "\"0123456789\" \"abc\"";
    for (rtype, served, desired, expected) in [
        (
            "A",
            &[(300, "192.0.2.1")][..],
            &[(60, "192.0.2.1")][..],
            "ttl",
        ),
        ("TXT", &[(60, "\"Abc\"")], &[(60, "\"abc\"")], "letter-case"),
        (
            "TXT",
            &[(60, "\"0123456789abc\"")],
            &[(60, long)],
            "text-strings",
        ),
        (
            "TXT",
            &[(60, "\"abc \"")],
            &[(60, "\"abc\"")],
            "trailing-data",
        ),
        (
            "TXT",
            &[(60, "\"a\" \"bc\"")],
            &[(60, "\"abcd\"")],
            "trailing-data",
        ),
        (
            "CNAME",
            &[(60, "b.a.test.a.test.")],
            &[(60, "b.a.test.")],
            "zone-appended",
        ),
        (
            "MX",
            &[(60, "5 b.test.")],
            &[(60, "5 b.test.a.test.")],
            "zone-appended",
        ),
        (
            "A",
            &[(60, "192.0.2.1")],
            &[(60, "192.0.2.1"), (60, "192.0.2.2")],
            "values-missing",
        ),
        (
            "A",
            &[(60, "192.0.2.1"), (60, "192.0.2.2")],
            &[(60, "192.0.2.2")],
            "values-left",
        ),
        ("A", &[(60, "192.0.2.1")], &[(60, "192.0.2.2")], "values"),
        ("TXT", &[(60, "\"\"")], &[(60, "\"abc\"")], "values"),
        ("A", &[], &[(60, "192.0.2.2")], "missing"),
        ("A", &[(60, "192.0.2.2")], &[], "still-there"),
    ] {
        let build = |values: &[(u32, &str)]| {
            let mut builder = ZoneBuilder::new("a.test".parse().unwrap());
            for (ttl, rdata) in values {
                let ttl = Ttl::from_secs(*ttl).unwrap();
                builder.push_text("x", ttl, rtype, rdata).unwrap();
            }
            builder.build_actual().unwrap()
        };
        let (ours, theirs) = (build(desired), build(served));
        let rtype: Rtype = rtype.parse().unwrap();
        let difference = Difference::between(
            theirs.rrsets().next(),
            ours.rrsets().next(),
            rtype,
            ours.apex(),
        );
        assert_eq!(
            difference.word(),
            expected,
            "{rtype} {served:?} {desired:?}"
        );
    }
}

#[test]
fn both_forms_of_a_change_are_told() {
    let mut runs = Runs::new();
    let zone = || {
        planned(
            &[("www", "TXT", 60, "\"Az\"")],
            &[("www", "TXT", 60, "\"az\"")],
            true,
        )
    };
    runs.run(0, zone(), Applied);
    let now = Timestamp::from_second(1_000_060).unwrap();
    let found = judge(&mut zone(), runs.memory.as_ref(), now, &runs.settings);
    let stuck = &found.shown[0];
    assert_eq!(
        stuck.to_string(),
        "www.a.test. TXT: only letter case differs (served 60 \"az\", desired 60 \"Az\")"
    );
    let form = |text: &str, hex: &str| {
        Some(Form {
            text: text.to_owned(),
            hex: hex.to_owned(),
        })
    };
    assert_eq!(stuck.served, form("60 \"az\"", "0000003c 02617a"));
    assert_eq!(stuck.desired, form("60 \"Az\"", "0000003c 02417a"));
    assert_eq!((stuck.times, stuck.since.as_second()), (1, 1_000_000));
}

#[test]
fn octets_that_are_no_memory_are_refused_and_none_makes_a_panic() {
    let mut runs = Runs::new();
    runs.run(0, planned(&[ADDRESS], &[OTHER], true), Applied);
    let octets = runs.memory.unwrap().to_octets();
    for end in 0..octets.len() {
        assert!(Unsettled::from_octets(&octets[..end]).is_err(), "{end}");
    }
    for at in 0..octets.len() {
        for flip in [1, 0x80, 0xff] {
            let mut damaged = octets.clone();
            damaged[at] ^= flip;
            // Whatever it is then, it can be looked at.
            if let Ok(memory) = Unsettled::from_octets(&damaged) {
                assert_eq!(memory.attempts().len(), memory.changes().len());
            }
        }
    }
    let mut future = octets;
    future[1] = 2;
    let fault = Unsettled::from_octets(&future).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "the format 2 is not known; this program knows 1"
    );
}

/// Numbers that look random (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }

    fn changes(&mut self) -> Changes {
        const RECORDS: [Record; 8] = [
            ("a", "A", 1, "192.0.2.1"),
            ("a", "TXT", 1, "x"),
            ("b", "A", 1, "192.0.2.1"),
            ("b", "AAAA", 1, "2001:db8::1"),
            ("c", "CNAME", 1, "b"),
            ("d", "A", 1, "192.0.2.1"),
            ("e", "MX", 1, "1 b"),
            ("@", "TXT", 1, "y"),
        ];
        let mut side = |base: bool| {
            let mut records: Vec<Record> = Vec::new();
            records.extend(base.then_some(("always", "A", 1, "192.0.2.1")));
            for mut record in RECORDS {
                match self.below(4) {
                    0 => continue,
                    1 => record.2 = 2,
                    _ => {}
                }
                records.push(record);
            }
            records
        };
        let (desired, served) = (side(true), side(false));
        planned(&desired, &served, true).changes().clone()
    }
}

#[test]
fn the_same_changes_are_found_in_one_pass() {
    let mut random = Random(7);
    let mut total = 0;
    for _ in 0..2_000 {
        let (left, right) = (random.changes(), random.changes());
        let mut found: Vec<_> = same(&left, &right)
            .into_iter()
            .map(|(one, _, other)| (one, other))
            .collect();
        found.sort_unstable();
        let others = || right.iter().enumerate();
        let expected: Vec<_> = left
            .iter()
            .enumerate()
            .flat_map(|(at, change)| {
                let equal = others().filter(move |(_, other)| *other == change);
                equal.map(move |(other, _)| (at, other))
            })
            .collect();
        assert_eq!(found, expected);
        total += found.len();
    }
    assert!(total > 2_000, "{total}");
}
