use super::*;
use crate::config::Guard;

/// The limits of a zone, or of a run, as they are without configuration.
fn defaults() -> (ZoneLimits, RunLimits) {
    let guard = Guard::default();
    (guard.all().clone(), guard.run().clone())
}

fn percent(number: u32) -> Limit<Percent> {
    Limit::AtMost(Percent::from_hundredths(number * 100).unwrap())
}

fn zone_names(number: usize) -> Vec<Name> {
    let names = (0..number).map(|at| format!("z{at}.test").parse().unwrap());
    names.collect()
}

/// A zone that holds so many RRsets and is to change like this: additions, updates, deletions.
fn zone(apex: &Name, existing: usize, changes: [usize; 3]) -> Subject<'_> {
    let [additions, updates, deletions] = changes;
    Subject {
        apex: apex.as_ref(),
        changes: ChangeCounts {
            additions,
            updates,
            deletions,
        },
        existing: Some(existing),
        desired: existing,
        complete: true,
        left_undone: false,
        desired_before: None,
        forced: false,
    }
}

fn rules(verdict: &Verdict) -> Vec<&'static str> {
    let reasons = verdict.reasons().iter();
    reasons.map(|reason| reason.rule.word()).collect()
}

/// What the guard says of one zone alone, without limits of the run.
fn alone(subject: Subject<'_>, limits: &ZoneLimits) -> Verdict {
    let judgement = judge(&[subject], |_| limits.clone(), &RunLimits::off());
    judgement.zones.into_iter().next().unwrap()
}

#[test]
fn every_limit_of_a_zone_trips_one_above_and_not_at_its_number() {
    let apex = Name::root();
    let (limits, _) = defaults();
    type Limits = fn(&mut ZoneLimits);
    let off = |limits: &mut ZoneLimits| {
        limits.deletions.value = Limit::Off;
        limits.deletions_percent.value = Limit::Off;
        limits.updates.value = Limit::Off;
        limits.updates_percent.value = Limit::Off;
    };
    let cases: [(Limits, usize, [usize; 3], &str); 7] = [
        // Limits, what is there, what is allowed, the rule that one more breaks.
        (
            |l| l.deletions.value = Limit::AtMost(4),
            100,
            [0, 0, 4],
            "deletions",
        ),
        (
            |l| l.deletions.value = Limit::AtMost(0),
            100,
            [9, 9, 0],
            "deletions",
        ),
        (
            |l| l.deletions_percent.value = percent(30),
            100,
            [0, 0, 30],
            "deletions-percent",
        ),
        (
            |l| l.deletions_percent.value = percent(30),
            5,
            [0, 0, 3],
            "deletions-percent",
        ),
        (
            |l| l.updates.value = Limit::AtMost(4),
            100,
            [0, 4, 0],
            "updates",
        ),
        (
            |l| l.updates_percent.value = percent(50),
            100,
            [0, 50, 0],
            "updates-percent",
        ),
        (
            |l| l.updates_percent.value = percent(50),
            6,
            [0, 5, 0],
            "updates-percent",
        ),
    ];
    for (set, existing, allowed, rule) in cases {
        let mut limits = limits.clone();
        off(&mut limits);
        set(&mut limits);
        let at = zone(&apex, existing, allowed);
        assert_eq!(alone(at, &limits), Verdict::Passed, "{rule} {allowed:?}");
        let mut above = at;
        match rule.starts_with("deletions") {
            true => above.changes.deletions += 1,
            false => above.changes.updates += 1,
        }
        let verdict = alone(above, &limits);
        assert!(verdict.is_withheld(), "{rule}");
        assert_eq!(rules(&verdict), [rule]);
    }
}

#[test]
fn all_that_a_zone_holds_never_goes_however_small_it_is_and_whatever_the_percentage() {
    let apex = Name::root();
    let (mut limits, _) = defaults();
    limits.deletions_percent.value = percent(100);
    for existing in 1..100 {
        let all = zone(&apex, existing, [existing - 1, 0, existing]);
        assert_eq!(
            rules(&alone(all, &limits)),
            ["deletions-percent"],
            "{existing}"
        );
        let but_one = zone(&apex, existing, [5, 0, existing - 1]);
        assert_eq!(alone(but_one, &limits), Verdict::Passed, "{existing}");
    }
}

#[test]
fn a_small_zone_may_be_written_anew_and_a_larger_one_may_not() {
    let apex = Name::root();
    let (limits, _) = defaults();
    for (existing, withheld) in [(1, false), (3, false), (4, true), (100, true)] {
        let renamed = zone(&apex, existing, [existing, 0, existing]);
        assert_eq!(
            alone(renamed, &limits).is_withheld(),
            withheld,
            "{existing}"
        );
    }
}

#[test]
fn a_share_of_what_nobody_knows_is_too_much() {
    let apex = Name::root();
    let (mut limits, _) = defaults();
    let unknown = |changes| Subject {
        existing: None,
        ..zone(&apex, 0, changes)
    };
    assert_eq!(
        rules(&alone(unknown([9, 0, 1]), &limits)),
        ["deletions-percent"]
    );
    assert_eq!(
        rules(&alone(unknown([9, 1, 0]), &limits)),
        ["updates-percent"]
    );
    assert_eq!(alone(unknown([9, 0, 0]), &limits), Verdict::Passed);
    limits.deletions_percent.value = Limit::Off;
    assert_eq!(alone(unknown([0, 0, 1_000]), &limits), Verdict::Passed);
    assert_eq!(
        rules(&alone(unknown([0, 0, 1_001]), &limits)),
        ["deletions"]
    );
}

#[test]
fn additions_have_no_limit() {
    let apex = Name::root();
    let (mut limits, mut run) = defaults();
    limits.deletions.value = Limit::AtMost(0);
    limits.deletions_percent.value = percent(0);
    limits.updates.value = Limit::AtMost(0);
    run.deletions.value = Limit::AtMost(0);
    run.zones.value = Limit::AtMost(0);
    let fill = zone(&apex, 0, [1_000_000, 0, 0]);
    let judgement = judge(&[fill], |_| limits.clone(), &run);
    assert_eq!(judgement.zones, [Verdict::Passed]);
}

#[test]
fn a_desired_zone_may_shrink_so_far_and_no_further() {
    let apex = Name::root();
    let (limits, _) = defaults();
    let shrunk = |before, desired| Subject {
        desired,
        desired_before: before,
        ..zone(&apex, 100, [1, 0, 0])
    };
    for (before, desired, withheld) in [
        (Some(100), 70, false),
        (Some(100), 69, true),
        // Of at least `min_existing`.
        (Some(5), 2, false),
        (Some(5), 1, true),
        (Some(100), 200, false),
        (None, 1, false),
    ] {
        let verdict = alone(shrunk(before, desired), &limits);
        assert_eq!(verdict.is_withheld(), withheld, "{before:?} {desired}");
    }
    let unchanged = Subject {
        changes: ChangeCounts::default(),
        ..shrunk(Some(100), 1)
    };
    assert_eq!(alone(unchanged, &limits), Verdict::Passed);
}

#[test]
fn an_incomplete_zone_is_withheld_only_where_that_is_wished_and_then_also_when_forced() {
    let apex = Name::root();
    let (mut limits, _) = defaults();
    let incomplete = Subject {
        complete: false,
        ..zone(&apex, 10, [1, 0, 0])
    };
    assert_eq!(alone(incomplete, &limits), Verdict::Passed);
    limits.incomplete.value = OnIncomplete::Withhold;
    for forced in [false, true] {
        let verdict = alone(
            Subject {
                forced,
                ..incomplete
            },
            &limits,
        );
        assert!(verdict.is_withheld());
        assert_eq!(rules(&verdict), ["incomplete"]);
    }
}

#[test]
fn every_limit_of_the_run_trips_one_above_and_not_at_its_number() {
    let (_, run) = defaults();
    let zone_limits = ZoneLimits::off();
    type Limits = fn(&mut RunLimits);
    // Limits; what each of four zones holds; how each is to change, at the limit; what the first has
    // more to be above it; the rule.
    type Case = (Limits, usize, [[usize; 3]; 4], [usize; 3], &'static str);
    let cases: [Case; 6] = [
        (
            |l| l.deletions.value = Limit::AtMost(8),
            100,
            [[0, 0, 2]; 4],
            [0, 0, 1],
            "run-deletions",
        ),
        (
            |l| l.deletions_percent.value = percent(30),
            100,
            [[0, 0, 30]; 4],
            [0, 0, 1],
            "run-deletions-percent",
        ),
        (
            |l| l.updates.value = Limit::AtMost(8),
            100,
            [[0, 2, 0]; 4],
            [0, 1, 0],
            "run-updates",
        ),
        (
            |l| l.updates_percent.value = percent(50),
            1,
            [[0, 2, 0], [0, 2, 0], [0, 1, 0], [0, 0, 0]],
            [0, 1, 0],
            "run-updates-percent",
        ),
        (
            |l| l.zones.value = Limit::AtMost(3),
            100,
            [[0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1]],
            [0, 1, 0],
            "run-zones",
        ),
        (
            |l| {
                l.zones_percent.value = percent(50);
                l.min_zones.value = 0;
            },
            100,
            [[0, 0, 0], [0, 1, 0], [0, 0, 1], [9, 0, 0]],
            [0, 1, 0],
            "run-zones-percent",
        ),
    ];
    let names = zone_names(4);
    for (set, existing, at, more, rule) in cases {
        let mut limits = RunLimits {
            min_existing: run.min_existing.clone(),
            ..RunLimits::off()
        };
        set(&mut limits);
        let judged = |changes: [[usize; 3]; 4]| {
            let zones = names.iter().zip(changes);
            let zones: Vec<_> = zones
                .map(|(name, changes)| zone(name, existing, changes))
                .collect();
            judge(&zones, |_| zone_limits.clone(), &limits)
        };
        assert_eq!(judged(at).run, [], "{rule}");
        let mut above = at;
        for (number, more) in above[0].iter_mut().zip(more) {
            *number += more;
        }
        let judgement = judged(above);
        let tripped: Vec<_> = judgement
            .run
            .iter()
            .map(|reason| reason.rule.word())
            .collect();
        assert_eq!(tripped, [rule]);
        for (verdict, changes) in judgement.zones.iter().zip(above) {
            // Also those that only add, and not those without changes.
            assert_eq!(verdict.is_withheld(), changes != [0, 0, 0], "{rule}");
        }
    }
}

#[test]
fn a_few_zones_may_all_change() {
    let (zone_limits, run) = defaults();
    for (number, withheld) in [(5, false), (6, true)] {
        let names = zone_names(number);
        let zones = names.iter().map(|name| zone(name, 100, [0, 1, 0]));
        let zones: Vec<_> = zones.collect();
        let judgement = judge(&zones, |_| zone_limits.clone(), &run);
        assert_eq!(!judgement.run.is_empty(), withheld, "{number}");
    }
}

#[test]
fn a_withheld_zone_holds_up_no_other_by_its_size_but_counts_among_those_that_go_wrong() {
    let (zone_limits, mut run) = defaults();
    let names = zone_names(3);
    let wiped = zone(&names[0], 10_000, [0, 0, 10_000]);
    let good = zone(&names[1], 100, [0, 1, 0]);
    let judgement = judge(&[wiped, good], |_| zone_limits.clone(), &run);
    assert!(judgement.zones[0].is_withheld());
    assert_eq!(judgement.zones[1], Verdict::Passed);

    run.zones.value = Limit::AtMost(1);
    let judgement = judge(&[wiped, good], |_| zone_limits.clone(), &run);
    assert!(judgement.zones[1].is_withheld());
    assert_eq!(rules(&judgement.zones[1]), ["run-zones"]);
}

#[test]
fn force_lifts_the_limits_of_its_zone_and_takes_it_out_of_those_of_the_run() {
    let (zone_limits, mut run) = defaults();
    run.deletions.value = Limit::AtMost(10);
    let names = zone_names(3);
    let forced = Subject {
        forced: true,
        ..zone(&names[0], 100, [0, 0, 100])
    };
    let wiped = zone(&names[1], 100, [0, 0, 100]);
    let good = zone(&names[2], 100, [0, 0, 10]);
    let judgement = judge(&[forced, wiped, good], |_| zone_limits.clone(), &run);
    assert_eq!(judgement.zones[0].word(), "forced");
    assert_eq!(rules(&judgement.zones[0]), ["deletions-percent"]);
    assert_eq!(judgement.zones[1].word(), "withheld");
    assert_eq!(judgement.zones[2], Verdict::Passed);

    // What is wrong with the others does not hold up the one that was forced.
    let more = zone(&names[2], 100, [0, 0, 11]);
    let judgement = judge(&[forced, more], |_| zone_limits.clone(), &run);
    assert_eq!(judgement.zones[0].word(), "forced");
    assert_eq!(
        rules(&judgement.zones[0]),
        ["deletions-percent", "run-deletions"]
    );
    assert_eq!(judgement.zones[1].word(), "withheld");

    let harmless = Subject {
        forced: true,
        ..zone(&names[0], 100, [0, 0, 1])
    };
    assert_eq!(alone(harmless, &zone_limits), Verdict::Passed);
}

#[test]
fn a_reason_says_number_limit_and_place() {
    let apex = Name::root();
    let (mut limits, _) = defaults();
    limits.deletions.value = Limit::AtMost(0);
    limits.deletions.place = Some("gordon-janitor.toml:12".into());
    limits.shrunk_percent.value = percent(0);
    let subject = Subject {
        desired: 4,
        desired_before: Some(6),
        ..zone(&apex, 3, [0, 9, 3])
    };
    let verdict = alone(subject, &limits);
    let reasons = verdict.reasons().iter().map(ToString::to_string);
    insta::assert_snapshot!(reasons.collect::<Vec<_>>().join("\n"), @r"
    3 deletions; none is allowed by core.guard.deletions = 0 (gordon-janitor.toml:12)
    3 deletions of 3 RRsets; all is never allowed by core.guard.deletions_percent = 30 (default)
    9 updates of 3 RRsets; 5 are allowed by core.guard.updates_percent = 50 (default)
    4 RRsets desired, 2 fewer than the 6 of the last good run; no fewer are allowed by core.guard.shrunk_percent = 0 (default)
    ");
    let unknown = Subject {
        existing: None,
        ..subject
    };
    insta::assert_snapshot!(
        alone(unknown, &limits).reasons()[1],
        @"3 deletions of nobody knows how many RRsets: the reconciler does not give what is served; none is allowed by core.guard.deletions_percent = 30 (default)"
    );
}

#[test]
fn a_zone_that_shrank_is_told_before_anything_can_be_deleted_for_it() {
    let apex = Name::root();
    let (limits, _) = defaults();
    let shrunk = Subject {
        desired: 10,
        desired_before: Some(100),
        ..zone(&apex, 100, [0, 0, 0])
    };
    let held = Subject {
        left_undone: true,
        ..shrunk
    };
    assert_eq!(rules(&alone(held, &limits)), ["shrunk-percent"]);
    let less = Subject {
        desired: 70,
        ..held
    };
    assert_eq!(alone(less, &limits), Verdict::Passed);
    // Nothing differs: somebody has deleted both.
    assert_eq!(alone(shrunk, &limits), Verdict::Passed);
}

/// Numbers that look random (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % limit).unwrap()
    }

    fn limit(&mut self) -> Limit<u64> {
        match self.below(3) {
            0 => Limit::Off,
            _ => Limit::AtMost(self.below(20) as u64),
        }
    }

    fn share(&mut self) -> Limit<Percent> {
        match self.below(3) {
            0 => Limit::Off,
            _ => percent(u32::try_from(self.below(101)).unwrap()),
        }
    }

    fn subject<'a>(&mut self, apex: &'a Name) -> Subject<'a> {
        let existing = self.below(40);
        let changes = [
            self.below(5),
            self.below(12),
            self.below(existing as u64 + 1),
        ];
        Subject {
            existing: (self.below(8) > 0).then_some(existing),
            forced: self.below(6) == 0,
            complete: self.below(6) > 0,
            desired_before: (self.below(2) > 0).then(|| self.below(60)),
            ..zone(apex, existing, changes)
        }
    }
}

/// Whether so much of `existing` is no more than a limit allows, told without the code under test.
fn keeps(
    found: usize,
    number: Limit<u64>,
    share: Limit<Percent>,
    existing: Option<usize>,
    least: u64,
) -> bool {
    let in_number = number.at_most().is_none_or(|most| found as u64 <= most);
    let in_share = share.at_most().is_none_or(|most| match existing {
        None => found == 0,
        Some(existing) => {
            found as f64 * 100.0 <= most.as_float() * (existing as f64).max(least as f64)
        }
    });
    in_number && in_share
}

#[test]
fn whatever_is_planned_nothing_beyond_a_limit_goes_out_and_force_lifts_nothing_for_others() {
    let mut random = Random(1);
    let (mut withheld, mut passed, mut tripped) = (0, 0, 0);
    for _ in 0..20_000 {
        let (mut limits, mut run) = defaults();
        limits.deletions.value = random.limit();
        limits.deletions_percent.value = random.share();
        limits.updates.value = random.limit();
        limits.updates_percent.value = random.share();
        limits.shrunk_percent.value = random.share();
        limits.min_existing.value = random.below(20) as u64;
        run.deletions.value = random.limit();
        run.deletions_percent.value = random.share();
        run.updates.value = random.limit();
        run.updates_percent.value = random.share();
        run.zones.value = random.limit();
        run.zones_percent.value = random.share();
        run.min_existing.value = random.below(20) as u64;
        run.min_zones.value = random.below(5) as u64;
        let names = zone_names(1 + random.below(5));
        let zones: Vec<_> = names.iter().map(|name| random.subject(name)).collect();
        let judgement = judge(&zones, |_| limits.clone(), &run);
        tripped += usize::from(!judgement.run.is_empty());

        let both = || zones.iter().zip(&judgement.zones);
        let out = both().filter(|(zone, verdict)| !zone.forced && !verdict.is_withheld());
        for (zone, _) in out.clone() {
            let ChangeCounts {
                updates, deletions, ..
            } = zone.changes;
            let least = limits.min_existing.value;
            assert!(
                keeps(
                    deletions,
                    limits.deletions.value,
                    limits.deletions_percent.value,
                    zone.existing,
                    least
                ) && keeps(
                    updates,
                    limits.updates.value,
                    limits.updates_percent.value,
                    zone.existing,
                    least
                ),
                "{zone:?}"
            );
            let all_goes = zone.existing == Some(deletions) && zone.changes.additions < deletions;
            assert!(!all_goes || limits.deletions_percent.value == Limit::Off);
            passed += usize::from(zone.has_changes());
        }
        let sum =
            |of: fn(&ChangeCounts) -> usize| out.clone().map(|(zone, _)| of(&zone.changes)).sum();
        let unforced = || zones.iter().filter(|zone| !zone.forced);
        let existing = unforced()
            .map(|zone| zone.existing.unwrap_or_default())
            .sum();
        let least = run.min_existing.value;
        let (deletions, updates) = (sum(|c| c.deletions), sum(|c| c.updates));
        assert!(keeps(
            deletions,
            run.deletions.value,
            run.deletions_percent.value,
            Some(existing),
            least
        ));
        assert!(keeps(
            updates,
            run.updates.value,
            run.updates_percent.value,
            Some(existing),
            least
        ));
        let losing = unforced().filter(|zone| zone.loses()).count();
        let goes_out = out.clone().any(|(zone, _)| zone.has_changes());
        let zones_keep = keeps(
            losing,
            run.zones.value,
            run.zones_percent.value,
            Some(unforced().count()),
            run.min_zones.value,
        );
        assert!(zones_keep || !goes_out);

        // One zone more is forced: what another zone's own limits say of it stays.
        let forced = random.below(zones.len() as u64);
        let mut others = zones.clone();
        others[forced].forced = true;
        let again = judge(&others, |_| limits.clone(), &run);
        for (at, (before, after)) in judgement.zones.iter().zip(&again.zones).enumerate() {
            let own = |verdict: &Verdict| {
                let reasons = verdict.reasons().iter();
                let own = reasons.filter(|reason| !reason.rule.is_of_the_run());
                own.cloned().collect::<Vec<_>>()
            };
            assert_eq!(own(before), own(after));
            let is_held = !own(after).is_empty() && !others[at].forced;
            assert!(!is_held || after.is_withheld());
            withheld += usize::from(is_held);
        }
    }
    assert!(
        withheld > 1_000 && passed > 1_000 && tripped > 1_000,
        "{withheld} {passed} {tripped}"
    );
}

#[test]
fn probes_find_that_every_limit_does_what_it_says() {
    let (limits, run) = defaults();
    let findings = [probe_zone(&limits), probe_run(&run)].concat();
    assert!(
        findings.iter().all(|finding| finding.is_right),
        "{findings:#?}"
    );
    assert_eq!(findings.len(), 25);
    let rules = [
        GuardRule::Deletions,
        GuardRule::DeletionsPercent,
        GuardRule::Updates,
        GuardRule::UpdatesPercent,
        GuardRule::ShrunkPercent,
        GuardRule::RunDeletions,
        GuardRule::RunDeletionsPercent,
        GuardRule::RunUpdates,
        GuardRule::RunUpdatesPercent,
        GuardRule::RunZones,
        GuardRule::RunZonesPercent,
    ];
    for rule in rules {
        let of_it = findings.iter().filter(
            |finding| matches!(finding.probe, Probe::Limit { rule: tried, .. } if tried == rule),
        );
        let caught = of_it.map(|finding| !finding.caught.is_empty());
        assert_eq!(caught.collect::<Vec<_>>(), [false, true], "{rule:?}");
    }
}

#[test]
fn probes_find_a_zone_that_can_lose_everything() {
    let (mut limits, _) = defaults();
    assert!(!probe_everything(&limits).loses_everything());
    limits.deletions_percent.value = Limit::Off;
    // Up to a thousand RRsets the limit in numbers says nothing.
    assert!(probe_everything(&limits).loses_everything());
    limits.deletions.value = Limit::AtMost(0);
    assert!(!probe_everything(&limits).loses_everything());
}
