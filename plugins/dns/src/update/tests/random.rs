use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

use super::*;

/// What is at one owner: a type with its TTL and values, a few times.
type Content = Vec<(usize, u32, BTreeSet<u8>)>;

const OWNERS: [&str; 12] = [
    "example.com.",
    "a",
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

/// A zone as lines.
fn lines(contents: &BTreeMap<usize, Content>) -> String {
    let mut lines = String::new();
    for (&at, content) in contents {
        let mut seen = BTreeSet::new();
        for (rtype, ttl, values) in content {
            let is_at_apex = at == 0;
            let is_first = seen.insert(rtype);
            if !is_first || is_at_apex && *rtype >= 4 {
                continue;
            }
            for value in values {
                let owner = OWNERS[at];
                let rdata = match rtype {
                    0 => format!("A 192.0.2.{value}"),
                    1 => format!("TXT \"{}\"", "x".repeat(usize::from(*value) * 9)),
                    2 => format!("MX {value} mail"),
                    3 => format!("SRV 0 {value} 53 a"),
                    4 => format!("NS ns{value}.example.net."),
                    5 => format!(
                        "DS {value} 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
                    ),
                    _ => format!("CNAME target{value}"),
                };
                writeln!(lines, "{owner} {ttl} {rdata}").unwrap();
            }
        }
    }
    lines
}

proptest! {
    #[test]
    fn what_is_sent_makes_of_the_planned_zone_what_was_planned(
        served in contents(0..12),
        wanted in contents(1..12),
        limit in prop_oneof![Just(65_535_usize), 1000..3000_usize],
    ) {
        let (served, wanted) = (lines(&served), lines(&wanted));
        let changes = changes(&served, &wanted);
        let zone = actual(&served);
        let mut server = Model::serving(&zone);
        let rules = Rules { limit, ..RULES };

        let outcome = drive(&changes, zone.serial(), rules, &mut server);

        prop_assert!(outcome.all_taken(), "{}", outcome.text(&changes));
        prop_assert_eq!(server.zone(Serial(7)), changes.apply(&zone).unwrap());
        prop_assert_eq!(server.passed_over, 0);
        prop_assert_eq!(outcome.tally.extra, 0);
    }

    #[test]
    fn where_somebody_else_changed_something_it_stays_and_the_rest_goes_through(
        served in contents(0..12),
        wanted in contents(1..12),
        others in contents(1..4),
        limit in prop_oneof![Just(65_535_usize), 1000..3000_usize],
        lost in vec(prop_oneof![
            6 => Just(Mishap::None), 1 => Just(Mishap::LostBefore), 1 => Just(Mishap::LostAfter),
        ], 0..8),
        signs in any::<bool>(),
    ) {
        let mut now = served.clone();
        now.extend(others.clone());
        let (served, now, wanted) = (lines(&served), lines(&now), lines(&wanted));
        let changes = changes(&served, &wanted);
        let (served, now) = (actual(&served), actual(&now));
        let mut server = Model::serving(&now);
        server.mishaps = lost.into();
        server.signs = signs;
        let rules = Rules { limit, serial_decides: false, attempts: 9 };

        let outcome = drive(&changes, served.serial(), rules, &mut server);

        let zone = server.zone(Serial(7));
        let context = || format!("{}\n{changes}", outcome.text(&changes));
        let mut expected = now.rrsets().map(|it| ((it.owner(), it.rtype()), it)).collect::<BTreeMap<_, _>>();
        for (change, fate) in changes.iter().zip(&outcome.fates) {
            let at = (change.owner(), change.rtype());
            let touched = others.keys().any(|&at| owner(at).as_ref() == change.owner());
            match fate {
                Some(Fate::Taken) => match change.addition() {
                    // Somebody else may have come first with the same but for its TTL, which conditions
                    // do not see; reading back does.
                    Some(addition) if touched => {
                        let found = zone.find(at.0, at.1).unwrap();
                        prop_assert!(found.rdatas().eq(addition.rdatas()), "{}", context());
                        expected.insert(at, found);
                    }
                    Some(addition) => {
                        expected.insert(at, addition);
                    }
                    None => {
                        expected.remove(&at);
                    }
                },
                // Lost, and then neither as before nor as after: nobody can tell.
                fate => prop_assert!(touched, "{fate:?}\n{}", context()),
            }
        }
        let found = zone.rrsets().map(|it| ((it.owner(), it.rtype()), it)).collect::<BTreeMap<_, _>>();
        prop_assert_eq!(&found, &expected, "{}", context());
    }

    #[test]
    fn what_is_not_allowed_is_found_and_the_rest_goes_through(
        served in contents(0..12),
        wanted in contents(1..12),
        denied in btree_set(1..OWNERS.len(), 0..4),
        denial in prop_oneof![
            Just(domain::base::iana::Rcode::REFUSED),
            Just(domain::base::iana::Rcode::NOTAUTH),
            Just(domain::base::iana::Rcode::FORMERR),
        ],
    ) {
        let (served, wanted) = (lines(&served), lines(&wanted));
        let changes = changes(&served, &wanted);
        let zone = actual(&served);
        let mut server = Model::serving(&zone);
        server.denied = denied.into_iter().map(owner).collect();
        server.denial = denial;

        let outcome = drive(&changes, zone.serial(), RULES, &mut server);

        let is_denied = |owner: janitor_plugin_api::dns::NameRef<'_>| server.denied.contains(&owner.to_owned());
        let mut fates = outcome.fates.iter();
        let taken = changes.keep(|_| fates.next() == Some(&Some(Fate::Taken)), |_| ());
        prop_assert_eq!(server.zone(Serial(7)), taken.apply(&zone).unwrap());
        // Three owners are too few to take it for something about the whole zone.
        for (change, fate) in changes.iter().zip(&outcome.fates) {
            let is_taken = *fate == Some(Fate::Taken);
            prop_assert_eq!(is_taken, !is_denied(change.owner()), "{}", outcome.text(&changes));
        }
        let refused = changes.iter().filter(|change| is_denied(change.owner())).count();
        let depth = usize::BITS - changes.len().leading_zeros();
        prop_assert!(outcome.tally.extra as usize <= refused * (2 * depth as usize + 3));
    }
}
