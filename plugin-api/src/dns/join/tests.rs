use std::collections::{BTreeMap, BTreeSet};

use insta::{allow_duplicates, assert_snapshot};
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::samples::{builder, desired, name};
use super::super::{Ttl, Zone, ZoneBuilder};
use super::*;

/// What comes of joining zones: the zone, where each RRset comes from, what is held, what lost.
fn joined(zones: &[&str], policy: JoinPolicy) -> String {
    let zones = zones.iter().map(|lines| desired(lines)).collect::<Vec<_>>();
    told(&zones, policy)
}

fn told(zones: &[DesiredZone], policy: JoinPolicy) -> String {
    let zones = zones.iter().collect::<Vec<_>>();
    let joined = match join(&zones, policy) {
        Ok(joined) => joined,
        Err(error) => return format!("{error}\n"),
    };
    is_sound(&joined.zone);
    let mut text = String::new();
    for (rrset, set) in joined.zone.rrsets().zip(joined.origins.each()) {
        text.push_str(&format!("{rrset} {:?}\n", joined.origins.sets()[set]));
    }
    for owner in joined.zone.held() {
        text.push_str(&format!("held {owner}\n"));
    }
    for lost in &joined.lost {
        let winner = lost
            .winner
            .map_or("nobody".to_owned(), |winner| winner.to_string());
        text.push_str(&format!(
            "{} {} of {} lost to {winner}: {:?}\n",
            lost.rrset.owner(),
            lost.rrset.rtype(),
            lost.source,
            lost.reason
        ));
    }
    if !joined.zone.is_complete() {
        text.push_str("incomplete\n");
    }
    text
}

/// The check that the host makes of every zone.
fn is_sound(zone: &DesiredZone) {
    let octets = zone.octets().into();
    DesiredZone::check(zone.apex().to_owned(), octets).expect("a joined zone is as any other");
}

const ALL: [JoinPolicy; 3] = [
    JoinPolicy::Agreement,
    JoinPolicy::Priority,
    JoinPolicy::Union,
];

#[test]
fn what_nobody_contradicts_is_taken_from_all() {
    for policy in ALL {
        let text = joined(
            &[
                "a 1 A 192.0.2.1\n c 1 TXT x\n d 1 A 192.0.2.4",
                "b 1 A 192.0.2.2\n c 1 A 192.0.2.3\n d 1 A 192.0.2.4\n x.y 1 A 192.0.2.5",
            ],
            policy,
        );
        allow_duplicates!(assert_snapshot!(text, @r#"
        a.example.test. 1 IN A 192.0.2.1 [0]
        b.example.test. 1 IN A 192.0.2.2 [1]
        c.example.test. 1 IN A 192.0.2.3 [1]
        c.example.test. 1 IN TXT "x" [0]
        d.example.test. 1 IN A 192.0.2.4 [0, 1]
        x.y.example.test. 1 IN A 192.0.2.5 [1]
        "#));
    }
}

#[test]
fn by_priority_the_first_has_the_rrset_and_by_union_all_have_it() {
    let zones = [
        "a 300 A 192.0.2.1\n a 300 A 192.0.2.3",
        "a 60 A 192.0.2.2\n a 60 A 192.0.2.3",
        "a 300 A 192.0.2.1\n a 300 A 192.0.2.3",
    ];
    assert_snapshot!(joined(&zones, JoinPolicy::Priority), @"
    a.example.test. 300 IN A 192.0.2.1
    a.example.test. 300 IN A 192.0.2.3 [0, 2]
    a.example.test. A of 1 lost to 0: Order
    ");
    assert_snapshot!(joined(&zones, JoinPolicy::Union), @"
    a.example.test. 60 IN A 192.0.2.1
    a.example.test. 60 IN A 192.0.2.2
    a.example.test. 60 IN A 192.0.2.3 [0, 1, 2]
    a.example.test. A of 0 lost to 1: Ttl
    a.example.test. A of 2 lost to 1: Ttl
    ");
    assert_snapshot!(
        joined(&zones, JoinPolicy::Agreement),
        @"they contradict each other at `a.example.test.`: A and A"
    );
}

#[test]
fn a_cname_and_other_data_exclude_each_other() {
    let zones = [
        "a 1 A 192.0.2.1\n b 1 CNAME x",
        "a 1 CNAME x\n b 1 A 192.0.2.1\n b 1 TXT y",
    ];
    assert_snapshot!(joined(&zones, JoinPolicy::Priority), @"
    a.example.test. 1 IN A 192.0.2.1 [0]
    b.example.test. 1 IN CNAME x.example.test. [0]
    a.example.test. CNAME of 1 lost to 0: Alias
    b.example.test. A of 1 lost to 0: Alias
    b.example.test. TXT of 1 lost to 0: Alias
    ");
    assert_snapshot!(joined(&zones, JoinPolicy::Union), @"
    held a.example.test.
    held b.example.test.
    a.example.test. A of 0 lost to nobody: Alias
    a.example.test. CNAME of 1 lost to nobody: Alias
    b.example.test. CNAME of 0 lost to nobody: Alias
    b.example.test. A of 1 lost to nobody: Alias
    b.example.test. TXT of 1 lost to nobody: Alias
    ");
    assert_snapshot!(
        joined(&zones, JoinPolicy::Agreement),
        @"they contradict each other at `a.example.test.`: A and CNAME"
    );
}

#[test]
fn the_first_of_three_decides_whether_an_owner_is_an_alias() {
    let zones = [
        "a 1 A 192.0.2.1",
        "a 1 CNAME x",
        "a 1 A 192.0.2.9\n a 1 TXT z",
    ];
    assert_snapshot!(joined(&zones, JoinPolicy::Priority), @r#"
    a.example.test. 1 IN A 192.0.2.1 [0]
    a.example.test. 1 IN TXT "z" [2]
    a.example.test. CNAME of 1 lost to 0: Alias
    a.example.test. A of 2 lost to 0: Order
    "#);
}

#[test]
fn what_may_stand_beside_a_cname_contradicts_nothing() {
    for policy in ALL {
        let text = joined(&["a 1 CNAME x", "a 1 KEY 256 3 1 AQAB"], policy);
        assert!(!text.contains("lost"), "{text}");
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}

#[test]
fn two_values_of_what_may_have_one_are_held_in_a_union() {
    let zones = [
        "a 1 CNAME x\n b 1 DNAME x\n b 1 A 192.0.2.1\n c 1 CNAME x",
        "a 1 CNAME y\n b 1 DNAME y\n c 9 CNAME x",
    ];
    assert_snapshot!(joined(&zones, JoinPolicy::Union), @"
    c.example.test. 1 IN CNAME x.example.test. [0, 1]
    held a.example.test.
    held b.example.test.
    a.example.test. CNAME of 0 lost to nobody: Single
    a.example.test. CNAME of 1 lost to nobody: Single
    b.example.test. DNAME of 0 lost to nobody: Single
    b.example.test. DNAME of 1 lost to nobody: Single
    c.example.test. CNAME of 1 lost to 0: Ttl
    ");
    assert_snapshot!(joined(&zones, JoinPolicy::Priority), @"
    a.example.test. 1 IN CNAME x.example.test. [0]
    b.example.test. 1 IN A 192.0.2.1 [0]
    b.example.test. 1 IN DNAME x.example.test. [0]
    c.example.test. 1 IN CNAME x.example.test. [0]
    a.example.test. CNAME of 1 lost to 0: Order
    b.example.test. DNAME of 1 lost to 0: Order
    c.example.test. CNAME of 1 lost to 0: Order
    ");
}

#[test]
fn soa_and_ns_of_the_apex_are_the_first_ones_and_nobodys_loss() {
    let zones = [
        "@ 1 NS a\n @ 1 TXT x",
        "@ 1 SOA a b 1 2 3 4 5\n @ 1 NS b\n @ 1 TXT x",
        "@ 1 SOA a b 2 2 3 4 5\n @ 9 NS a\n @ 1 TXT x",
    ];
    for policy in ALL {
        allow_duplicates!(assert_snapshot!(joined(&zones, policy), @r#"
        example.test. 1 IN NS a.example.test. [0]
        example.test. 1 IN SOA a.example.test. b.example.test. 1 2 3 4 5 [1]
        example.test. 1 IN TXT "x" [0, 1, 2]
        "#));
    }
}

#[test]
fn what_one_zone_holds_is_held_and_what_one_lacks_makes_all_incomplete() {
    let mut first = builder("a 1 A 192.0.2.1");
    first.hold(name("h.example.test.")).unwrap();
    first.hold(name("b.example.test.")).unwrap();
    first.set_complete();
    let mut second = builder("h 1 A 192.0.2.2");
    second.hold(name("h.example.test.")).unwrap();
    let zones = [
        first.build_desired().unwrap(),
        second.build_desired().unwrap(),
    ];
    assert_snapshot!(told(&zones, JoinPolicy::Agreement), @"
    a.example.test. 1 IN A 192.0.2.1 [0]
    h.example.test. 1 IN A 192.0.2.2 [1]
    held b.example.test.
    held h.example.test.
    incomplete
    ");
}

#[test]
fn one_zone_is_itself_and_none_and_different_ones_are_refused() {
    let zone = desired("a 1 A 192.0.2.1");
    for policy in ALL {
        let joined = join(&[&zone], policy).unwrap();
        assert_eq!(joined.zone, zone);
        assert_eq!(join(&[], policy), Err(JoinError::NoZones));
    }
    let other = ZoneBuilder::new(name("other.test."))
        .build_desired()
        .unwrap();
    let error = join(&[&zone, &other], JoinPolicy::Union).unwrap_err();
    assert_snapshot!(error, @"zone `other.test.` is not zone `example.test.`");
}

/// What a zone is made of in these properties: few owners and values, so that they meet.
type Lines = Vec<(usize, usize, u32, usize)>;

const OWNERS: [&str; 6] = ["@", "a", "b.a", "*.a", "b", "a.b"];
const VALUES: [(&str, [&str; 3]); 5] = [
    ("A", ["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
    ("CNAME", ["a", "b", "c"]),
    ("DNAME", ["a", "b", "c"]),
    ("NS", ["a", "b", "c"]),
    ("TXT", ["a", "b", "c"]),
];

/// A zone of those lines that a server would accept, and whether it is complete; held owners.
fn zone_of(lines: &Lines, complete: bool, held: Option<usize>) -> DesiredZone {
    let mut kept = BTreeMap::<(usize, usize), BTreeSet<(u32, usize)>>::new();
    for &(owner, rtype, ttl, value) in lines {
        let is_alias = |rtype: usize| VALUES[rtype].0 == "CNAME";
        let clashes = kept.keys().any(|&(other, known)| {
            other == owner && known != rtype && (is_alias(known) || is_alias(rtype))
        });
        let single = matches!(VALUES[rtype].0, "CNAME" | "DNAME");
        let taken = single && kept.contains_key(&(owner, rtype));
        if clashes || taken || (is_alias(rtype) && OWNERS[owner] == "@") {
            continue;
        }
        kept.entry((owner, rtype)).or_default().insert((ttl, value));
    }
    let mut builder = ZoneBuilder::new(name("example.test."));
    for ((owner, rtype), values) in kept {
        for (ttl, value) in values {
            let (rtype, texts) = VALUES[rtype];
            let ttl = Ttl::from_secs(ttl).unwrap();
            builder
                .push_text(OWNERS[owner], ttl, rtype, texts[value])
                .unwrap();
        }
    }
    if let Some(owner) = held {
        let owner = Name::from_text(OWNERS[owner], name("example.test.").as_ref()).unwrap();
        builder.hold(owner).unwrap();
    }
    if complete {
        builder.set_complete();
    }
    builder.build_desired().unwrap()
}

type Content = BTreeMap<(Name, Rtype), (Ttl, BTreeSet<Vec<u8>>)>;

fn content(zone: &Zone) -> Content {
    let rrset = |rrset: RrsetRef<'_>| {
        let place = (rrset.owner().to_owned(), rrset.rtype());
        let rdatas = rrset.rdatas().map(<[u8]>::to_vec).collect();
        (place, (rrset.ttl(), rdatas))
    };
    zone.rrsets().map(rrset).collect()
}

/// The slow and obvious way: the joined content and the owners that are held, or none if zones
/// contradict each other and must not.
fn model(zones: &[DesiredZone], policy: JoinPolicy) -> Option<(Content, BTreeSet<Name>)> {
    let apex = name("example.test.");
    let contents = zones.iter().map(|zone| content(zone)).collect::<Vec<_>>();
    let mut held = BTreeSet::new();
    for zone in zones {
        held.extend(zone.held().map(NameRef::to_owned));
    }
    let owners = contents
        .iter()
        .flat_map(BTreeMap::keys)
        .map(|(owner, _)| owner.clone());
    let mut result = Content::new();
    for owner in owners.collect::<BTreeSet<_>>() {
        // What each zone has here, in order.
        let mut each = contents
            .iter()
            .map(|content| {
                let here = content.iter().filter(|((at, _), _)| *at == owner);
                here.map(|((_, rtype), rrset)| (*rtype, rrset.clone()))
                    .collect::<BTreeMap<_, _>>()
            })
            .collect::<Vec<_>>();
        let is_alias = |here: &BTreeMap<Rtype, _>| here.contains_key(&Rtype::CNAME);
        let speaking = each
            .iter()
            .filter(|here| !here.is_empty())
            .collect::<Vec<_>>();
        let mixed = speaking.iter().any(|here| is_alias(here))
            && !speaking.iter().all(|here| is_alias(here));
        let single_differs = [Rtype::CNAME, Rtype::DNAME].iter().any(|rtype| {
            let values = each
                .iter()
                .filter_map(|here| here.get(rtype))
                .map(|(_, rdatas)| rdatas);
            values.collect::<BTreeSet<_>>().len() > 1
        });
        match policy {
            JoinPolicy::Agreement if mixed => return None,
            JoinPolicy::Union if mixed || single_differs => {
                held.insert(owner);
                continue;
            }
            JoinPolicy::Priority if mixed => {
                let leads = is_alias(speaking[0]);
                each.retain(|here| is_alias(here) == leads || here.is_empty());
            }
            _ => {}
        }
        let rtypes = each
            .iter()
            .flat_map(BTreeMap::keys)
            .copied()
            .collect::<BTreeSet<_>>();
        for rtype in rtypes {
            let all = each
                .iter()
                .filter_map(|here| here.get(&rtype))
                .cloned()
                .collect::<Vec<_>>();
            let alike = all.iter().all(|rrset| *rrset == all[0]);
            let rrset =
                if alike || (owner == apex && rtype == Rtype::NS) || policy == JoinPolicy::Priority
                {
                    all[0].clone()
                } else if policy == JoinPolicy::Agreement {
                    return None;
                } else {
                    let ttl = all.iter().map(|(ttl, _)| *ttl).min().unwrap();
                    (
                        ttl,
                        all.into_iter().flat_map(|(_, rdatas)| rdatas).collect(),
                    )
                };
            result.insert((owner.clone(), rtype), rrset);
        }
    }
    Some((result, held))
}

fn zones() -> impl Strategy<Value = Vec<DesiredZone>> {
    let line = (0..OWNERS.len(), 0..VALUES.len(), 1..3_u32, 0..3_usize);
    let zone = (
        vec(line, 0..8),
        any::<bool>(),
        prop::option::weighted(0.2, 0..OWNERS.len()),
    );
    vec(
        zone.prop_map(|(lines, complete, held)| zone_of(&lines, complete, held)),
        1..5,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn joining_is_as_the_slow_and_obvious_way_has_it(zones in zones(), policy in prop::sample::select(&ALL)) {
        let refs = zones.iter().collect::<Vec<_>>();
        let expected = model(&zones, policy);
        let joined = join(&refs, policy);
        prop_assert_eq!(joined.is_ok(), expected.is_some());
        let (Ok(joined), Some((expected, held))) = (joined, expected) else {
            return Ok(());
        };
        is_sound(&joined.zone);
        prop_assert_eq!(content(&joined.zone), expected);
        prop_assert_eq!(joined.zone.held().map(NameRef::to_owned).collect::<BTreeSet<_>>(), held);
        prop_assert_eq!(joined.zone.is_complete(), zones.iter().all(|zone| zone.is_complete()));
        prop_assert_eq!(joined.origins.each().count(), joined.zone.rrset_count());
        // Whatever a zone has is in the result as it stands there, or a part of it, or lost.
        for (at, zone) in zones.iter().enumerate() {
            for rrset in zone.rrsets() {
                let place = joined.zone.rrsets().position(|other| {
                    other.owner() == rrset.owner() && other.rtype() == rrset.rtype()
                });
                let set = place.and_then(|place| joined.origins.each().nth(place));
                let is_origin = set.is_some_and(|set| joined.origins.sets()[set].contains(&at));
                let is_lost = joined.lost.iter().any(|lost| lost.source == at && lost.rrset == rrset);
                let is_held = joined.zone.held().any(|held| held == rrset.owner());
                let is_primarys = rrset.owner() == zone.apex() && rrset.rtype() == Rtype::NS;
                prop_assert!(is_origin || is_lost || is_held || is_primarys, "{} of {}", rrset, at);
            }
        }
    }
}
