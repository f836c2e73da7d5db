use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

use super::*;
use crate::apply::plan::{Plan, Weight};
use crate::apply::split;

/// What is at one owner: a type with its TTL and values, a few times.
type Content = Vec<(usize, u32, BTreeSet<u8>)>;

const OWNERS: [&str; 13] = [
    "example.com.",
    "a",
    "a.b",
    "b",
    "c",
    "d",
    "e",
    "*.w",
    "w",
    "x.y.z",
    "y.z",
    "long-label-here.e",
    "z",
];
const TYPES: [&str; 6] = ["A", "TXT", "MX", "SRV", "NS", "DS"];

fn owner(at: usize) -> Name {
    Name::from_text(OWNERS[at], name(APEX).as_ref()).unwrap()
}

fn content() -> impl Strategy<Value = Content> {
    let rrset = (
        0..TYPES.len(),
        prop_oneof![Just(60_u32), Just(300)],
        btree_set(0..6_u8, 1..4),
    );
    prop_oneof![
        1 => Just(Content::new()),
        // A type beyond the others stands for a CNAME.
        2 => (60..62_u32, 0..3_u8).prop_map(|(ttl, value)| {
            vec![(TYPES.len(), ttl, BTreeSet::from([value]))]
        }),
        4 => vec(rrset, 1..4),
    ]
}

fn contents(owners: std::ops::Range<usize>) -> impl Strategy<Value = BTreeMap<usize, Content>> {
    btree_map(0..OWNERS.len(), content(), owners)
}

/// Few enough for many splits, enough for any one owner.
fn quotas() -> impl Strategy<Value = Quota> {
    (4..12_usize, 4..12_usize, 700..2000_usize).prop_map(|(additions, deletions, rdata_octets)| {
        Quota {
            additions,
            deletions,
            rdata_octets,
            ..Quota::DOCUMENTED
        }
    })
}

/// A zone as lines.
fn lines(contents: &BTreeMap<usize, Content>) -> String {
    let mut lines = String::new();
    for (&at, content) in contents {
        let mut seen = BTreeSet::new();
        for (rtype, ttl, values) in content {
            let owner = OWNERS[at];
            let is_first = seen.insert(rtype);
            // Neither at the apex nor at a wildcard is there a delegation.
            if !is_first || (at == 0 || owner.starts_with('*')) && *rtype >= 4 {
                continue;
            }
            for value in values {
                let rdata = match rtype {
                    0 => format!("A 192.0.2.{value}"),
                    1 => format!("TXT \"{}\"", "x".repeat(usize::from(*value) * 9)),
                    2 => format!("MX {value} mail"),
                    3 => format!("SRV 0 {value} 53 a"),
                    4 => format!("NS ns{value}.example.net."),
                    5 => format!("DS {value} 13 2 {}", "ab".repeat(32)),
                    _ => format!("CNAME target{value}"),
                };
                writeln!(lines, "{owner} {ttl} {rdata}").unwrap();
            }
        }
    }
    lines
}

fn added(weights: impl IntoIterator<Item = Weight>) -> Weight {
    let mut all = Weight::default();
    weights.into_iter().for_each(|weight| all += weight);
    all
}

proptest! {
    #[test]
    fn splits_keep_owners_together_and_order_and_limits_and_lose_nothing(
        served in contents(0..13),
        wanted in contents(1..13),
        additions in 1..6_usize,
        deletions in 1..6_usize,
        rdata_octets in 1..500_usize,
    ) {
        let changes = changes(&lines(&served), &lines(&wanted));
        let quota = Quota { additions, deletions, rdata_octets, ..Quota::DOCUMENTED };
        let plan = Plan::new(&changes);
        let fits = |weight: Weight| {
            weight.additions <= additions && weight.deletions <= deletions && weight.octets <= rdata_octets
        };
        let owner = |at: usize| plan.item(at).change.owner();

        let mut start = 0;
        while start < plan.len() {
            let (range, is_sent) = match split::next(&plan, start, &quota) {
                Ok(range) => (range, true),
                Err(too_large) => (too_large.owner, false),
            };
            // Nothing is passed over and nothing comes twice.
            prop_assert_eq!(range.start, start);
            prop_assert!(range.end > start);
            let weight = added(plan.items(range.clone()).iter().map(super::super::plan::Item::weight));
            prop_assert_eq!(fits(weight), is_sent);
            if !is_sent {
                prop_assert!(plan.items(range.clone()).iter().all(|item| item.change.owner() == owner(start)));
            }
            prop_assert!(range.end == plan.len() || owner(range.end) != owner(range.end - 1));
            start = range.end;
        }
        let indices = plan.items(0..plan.len()).iter().map(|item| item.index);
        prop_assert!(indices.eq(0..u32::try_from(changes.len()).unwrap()));
    }

    #[test]
    fn what_is_sent_makes_of_the_planned_zone_what_was_planned(
        served in contents(0..13),
        wanted in contents(1..13),
        known in quotas(),
        real in quotas(),
        is_spelled_otherwise in any::<bool>(),
        names_places in any::<bool>(),
        tells_first_only in any::<bool>(),
    ) {
        let (served, wanted) = (lines(&served), lines(&wanted));
        let changes = changes(&served, &wanted);
        let zone = actual(&served);
        let mut model = Model::serving(&zone);
        model.quota = real;
        model.names_places = names_places;
        model.tells_first_only = tells_first_only;
        if is_spelled_otherwise {
            model.spell_otherwise();
        }

        let outcome = drive(&changes, known, &mut model);

        prop_assert!(outcome.all_made(), "{}", outcome.text(&changes));
        prop_assert_eq!(model.zone(), changes.apply(&zone).unwrap());
        if known == real && !is_spelled_otherwise {
            prop_assert_eq!((outcome.tally.extra, outcome.tally.looks), (0, 0));
        }
    }

    #[test]
    fn whatever_others_do_and_whatever_is_lost_nothing_of_theirs_is_taken_away_and_no_fate_is_wrong(
        served in contents(0..13),
        wanted in contents(1..13),
        others in contents(0..4),
        quota in quotas(),
        lost in vec(prop_oneof![
            6 => Just(Mishap::None),
            1 => Just(Mishap::LostBefore),
            1 => Just(Mishap::LostAfter),
            1 => Just(Mishap::NotSent),
        ], 0..8),
        is_spelled_otherwise in any::<bool>(),
        tells_first_only in any::<bool>(),
    ) {
        let mut now = served.clone();
        now.extend(others.clone());
        let (served, now, wanted) = (lines(&served), lines(&now), lines(&wanted));
        let changes = changes(&served, &wanted);
        let now = actual(&now);
        let mut model = Model::serving(&now);
        model.tells_first_only = tells_first_only;
        model.mishaps = lost.into();
        if is_spelled_otherwise {
            model.spell_otherwise();
        }

        let outcome = drive(&changes, quota, &mut model);

        let zone = model.zone();
        let context = || format!("{}\n{changes}", outcome.text(&changes));
        let mut expected = now.rrsets().map(|it| ((it.owner(), it.rtype()), it)).collect::<BTreeMap<_, _>>();
        for (change, fate) in changes.iter().zip(&outcome.fates) {
            let at = (change.owner(), change.rtype());
            let was = expected.get(&at).copied();
            let is_made = match fate {
                Some(Fate::Made) => true,
                Some(Fate::Refused(_)) => false,
                // Whichever it was, it was the whole of it.
                Some(Fate::Unknown(_)) => zone.find(at.0, at.1) != was,
                fate => return Err(TestCaseError::fail(format!("{fate:?}\n{}", context()))),
            };
            if is_made {
                // It was as planned, or somebody had made it so before.
                prop_assert!(was == change.deletion() || was == change.addition(), "{}", context());
                match change.addition() {
                    Some(addition) => expected.insert(at, addition),
                    None => expected.remove(&at),
                };
            }
        }
        let found = zone.rrsets().map(|it| ((it.owner(), it.rtype()), it)).collect::<BTreeMap<_, _>>();
        prop_assert_eq!(&found, &expected, "{}", context());
    }

    #[test]
    fn what_is_wrong_by_itself_is_found_and_only_what_goes_with_it_is_refused_too(
        served in contents(0..13),
        wanted in contents(1..13),
        denied in btree_set((1..OWNERS.len(), 0..TYPES.len()), 0..4),
        quota in quotas(),
        names_places in any::<bool>(),
    ) {
        let (served, wanted) = (lines(&served), lines(&wanted));
        let changes = changes(&served, &wanted);
        let zone = actual(&served);
        let mut model = Model::serving(&zone);
        model.names_places = names_places;
        model.denied = denied.into_iter().map(|(at, rtype)| (owner(at), TYPES[rtype].parse().unwrap())).collect();

        let outcome = drive(&changes, quota, &mut model);

        let mut fates = outcome.fates.iter();
        let made = changes.keep(|_| fates.next() == Some(&Some(Fate::Made)), |_| ());
        prop_assert_eq!(model.zone(), made.apply(&zone).unwrap());
        let is_denied = |change: janitor_plugin_api::dns::Change<'_>| {
            change.addition().is_some() && model.denied.contains(&(change.owner().to_owned(), change.rtype()))
        };
        let cuts: Vec<_> = changes.iter().filter(|it| it.rtype().to_string() == "NS").map(janitor_plugin_api::dns::Change::owner).collect();
        for (change, fate) in changes.iter().zip(&outcome.fates) {
            // Another one at the owner, or below a delegation, has to be wrong for this one to be refused.
            let is_near = |other: janitor_plugin_api::dns::Change<'_>| {
                other.owner() == change.owner()
                    || cuts.iter().any(|&cut| other.owner().is_at_or_below(cut) && change.owner().is_at_or_below(cut))
            };
            let may_be_refused = changes.iter().any(|other| is_denied(other) && is_near(other));
            let text = || outcome.text(&changes);
            match fate {
                Some(Fate::Made) => prop_assert!(!is_denied(change), "{}", text()),
                Some(Fate::Refused(_)) => prop_assert!(may_be_refused, "{}", text()),
                _ => prop_assert!(false, "{}", text()),
            }
        }
    }
}
