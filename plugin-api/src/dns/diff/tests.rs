use proptest::prelude::*;

use super::super::samples::{
    self, Rr, actual, actual_holding, actual_of, builder, builder_of, desired, name,
};
use super::super::{Changes, ChangesBuilder, DesiredZone, DiffCounts, Zone, ZoneBuilder};
use super::{ActualZone, DiffError, LeftAlone, Rtype, Served, diff};

/// The changes between zones of lines `owner TTL TYPE rdata`, as text, and the counts.
fn compare(desired: &DesiredZone, served: &str) -> (String, DiffCounts) {
    let changes = diff(desired, &actual(served), &LeftAlone::default()).unwrap();
    let lines = changes.to_string();
    let checked = Changes::check(name(samples::APEX), changes.octets().into()).unwrap();
    assert_eq!(checked, changes);
    (lines.replace(".example.test.", ""), changes.counts())
}

/// An incomplete desired zone in which the owners given are held.
fn partial(lines: &str, held: &[&str], complete: bool) -> DesiredZone {
    let mut builder = builder(lines);
    for owner in held {
        builder.hold(name(owner)).unwrap();
    }
    if complete {
        builder.set_complete();
    }
    builder.build_desired().unwrap()
}

#[test]
fn equal_zones_have_no_changes_however_they_are_written() {
    let served = "www 300 A 192.0.2.1\n WWW 300 A 192.0.2.2\n txt 60 TXT \"a\" \"b\"
        v6 60 AAAA 2001:db8:0:0::1\n mail 60 MX 10 Mail.Example.TEST.";
    let wanted = "v6 60 AAAA 2001:DB8::1\n www 300 A 192.0.2.2\n mail 60 MX 10 mail
        txt 60 TXT \\097 b\n www 300 A 192.0.2.1";
    let (lines, counts) = compare(&desired(wanted), served);
    assert_eq!(lines, "");
    let expected = DiffCounts {
        unchanged: 4,
        ..DiffCounts::default()
    };
    assert_eq!(counts, expected);
}

#[test]
fn ttl_or_rdata_that_differ_are_one_update() {
    let (lines, counts) = compare(
        &desired("a 60 A 192.0.2.1\n b 300 A 192.0.2.1\n b 300 A 192.0.2.3\n c 1 TXT x"),
        "a 300 A 192.0.2.1\n b 300 A 192.0.2.1\n b 300 A 192.0.2.2\n c 1 TXT x",
    );
    let expected = "- a 300 IN A 192.0.2.1
+ a 60 IN A 192.0.2.1
- b 300 IN A 192.0.2.1
- b 300 IN A 192.0.2.2
+ b 300 IN A 192.0.2.1
+ b 300 IN A 192.0.2.3
";
    assert_eq!(lines, expected);
    assert_eq!((counts.updates, counts.unchanged), (2, 1));
}

#[test]
fn owners_that_only_lose_come_last_and_deletions_first_at_an_owner() {
    let (lines, _) = compare(
        &desired("b 1 CNAME x\n c 1 A 192.0.2.2\n c 1 TXT x\n c 1 AAAA ::1\n d 1 A 192.0.2.1"),
        "a 1 A 192.0.2.1\n b 1 A 192.0.2.1\n b 1 TXT x\n c 1 A 192.0.2.1\n c 1 MX 1 a
         d 1 A 192.0.2.1\n d 1 TXT x\n e 1 A 192.0.2.1",
    );
    let expected = "- b 1 IN A 192.0.2.1
- b 1 IN TXT \"x\"
+ b 1 IN CNAME x
- c 1 IN MX 1 a
- c 1 IN A 192.0.2.1
+ c 1 IN A 192.0.2.2
+ c 1 IN TXT \"x\"
+ c 1 IN AAAA ::1
- a 1 IN A 192.0.2.1
- d 1 IN TXT \"x\"
- e 1 IN A 192.0.2.1
";
    assert_eq!(lines, expected);
}

#[test]
fn apex_soa_and_ns_and_what_a_signer_makes_are_left_alone_and_counted() {
    let digest = "x".repeat(40);
    let served = format!(
        "@ 1 SOA a b 1 2 3 4 5\n @ 1 NS a\n @ 1 DNSKEY 257 3 13 aaaa\n @ 1 CDS 1 13 253 AB
         @ 1 CDNSKEY 257 3 13 aaaa\n @ 1 NSEC a A\n @ 1 NSEC3PARAM 1 0 0 -
         @ 1 TYPE65534 \\# 5 0D8F7E0001\n a 1 TYPE65534 \\# 1 00
         a 1 NSEC b A\n a 1 A 192.0.2.1\n a 1 DNSKEY 257 3 13 aaaa\n a 1 NS a
         {}.a 1 A 192.0.2.1",
        &digest[..4]
    );
    let wanted = "@ 1 SOA a b 9 2 3 4 5\n @ 1 NS b\n @ 1 DS 1 13 253 ab\n xxxx.a 1 A 192.0.2.1";
    let (lines, counts) = compare(&desired(wanted), &served);
    let expected = "+ example.test. 1 IN DS 1 13 253 AB
- a 1 IN A 192.0.2.1
- a 1 IN NS a
- a 1 IN DNSKEY 257 3 13 aaaa
- a 1 IN TYPE65534 \\# 1 00
";
    assert_eq!(lines, expected);
    let expected = DiffCounts {
        additions: 1,
        deletions: 4,
        unchanged: 1,
        left_alone_at_apex: 2,
        left_alone_signer_made: 7,
        ..DiffCounts::default()
    };
    assert_eq!(counts, expected);
}

#[test]
fn nothing_desired_changes_nothing() {
    for wanted in ["", "@ 1 SOA a b 9 2 3 4 5\n @ 1 NS b\n a 1 NSEC b A"] {
        let (lines, counts) = compare(&desired(wanted), "@ 1 NS a\n a 1 A 192.0.2.1\n b 1 TXT x");
        assert_eq!(lines, "");
        assert_eq!((counts.nothing_desired, counts.deletions), (2, 0));
    }
}

#[test]
fn incomplete_zones_only_add_what_does_not_conflict() {
    let (lines, counts) = compare(
        &partial(
            "a 1 A 192.0.2.9\n b 1 A 192.0.2.1\n c 1 TXT x\n d 1 A 192.0.2.1\n e 1 CNAME x
             f 1 CNAME x\n h 1 MX 1 a\n h 1 A 192.0.2.1",
            &[],
            false,
        ),
        "a 1 A 192.0.2.1\n b 1 TXT served\n d 1 CNAME x\n e 1 A 192.0.2.1\n f 1 NSEC g A
         h 1 A 192.0.2.1\n z 1 A 192.0.2.1",
    );
    let expected = "+ b 1 IN A 192.0.2.1
+ c 1 IN TXT \"x\"
+ f 1 IN CNAME x
+ h 1 IN MX 1 a
";
    assert_eq!(lines, expected);
    let expected = DiffCounts {
        additions: 4,
        unchanged: 1,
        left_alone_signer_made: 1,
        // At d and e.
        incomplete_additions: 2,
        incomplete_updates: 1,
        // At b, d, e and z.
        incomplete_deletions: 4,
        ..DiffCounts::default()
    };
    assert_eq!(counts, expected);
}

#[test]
fn types_that_may_stand_beside_a_cname_conflict_with_nothing() {
    let served = |rtypes: &[Rtype]| {
        let mut served = Served::default();
        rtypes.iter().for_each(|rtype| served.note(*rtype, false));
        served
    };
    assert!(served(&[Rtype::CNAME]).conflicts_with(Rtype::A));
    assert!(served(&[Rtype::A]).conflicts_with(Rtype::CNAME));
    assert!(!served(&[Rtype::A]).conflicts_with(Rtype::TXT));
    for beside in [Rtype::RRSIG, Rtype::NSEC, Rtype::KEY] {
        assert!(!served(&[Rtype::CNAME]).conflicts_with(beside));
        assert!(!served(&[beside]).conflicts_with(Rtype::CNAME));
    }
}

#[test]
fn at_held_owners_nothing_is_deleted_or_updated() {
    let (lines, counts) = compare(
        &partial(
            "a 1 A 192.0.2.9\n a 1 TXT x\n b 1 A 192.0.2.9\n d 1 CNAME x\n z 1 A 192.0.2.1",
            &["a.example.test", "c.example.test", "d.example.test"],
            true,
        ),
        "a 1 A 192.0.2.1\n a 1 MX 1 a\n b 1 A 192.0.2.1\n c 1 A 192.0.2.1\n d 1 A 192.0.2.1
         e.c 1 A 192.0.2.1",
    );
    let expected = "+ a 1 IN TXT \"x\"
- b 1 IN A 192.0.2.1
+ b 1 IN A 192.0.2.9
+ z 1 IN A 192.0.2.1
- e.c 1 IN A 192.0.2.1
";
    assert_eq!(lines, expected);
    let expected = DiffCounts {
        additions: 2,
        updates: 1,
        deletions: 1,
        held_additions: 1,
        held_updates: 1,
        held_deletions: 3,
        ..DiffCounts::default()
    };
    assert_eq!(counts, expected);
}

#[test]
fn at_owners_that_the_actual_zone_holds_nothing_is_changed() {
    let wanted = partial(
        "a 1 A 192.0.2.9\n a 1 TXT x\n b 1 A 192.0.2.1\n d 1 A 192.0.2.1\n e.d 1 A 192.0.2.1",
        &["a.example.test"],
        true,
    );
    let served = "a 1 A 192.0.2.1\n a 1 MX 1 a\n b 1 A 192.0.2.1\n c 1 A 192.0.2.1\n z 1 TXT x";
    let served = actual_holding(served, &["a", "b", "c", "d"]);
    let changes = diff(&wanted, &served, &LeftAlone::default()).unwrap();
    let expected = "+ e.d.example.test. 1 IN A 192.0.2.1
- z.example.test. 1 IN TXT \"x\"
";
    assert_eq!(changes.to_string(), expected);
    let expected = DiffCounts {
        additions: 1,
        deletions: 1,
        unchanged: 1,
        // TXT at a, and d.
        held_additions: 2,
        held_updates: 1,
        // MX at a, and c.
        held_deletions: 2,
        ..DiffCounts::default()
    };
    assert_eq!(changes.counts(), expected);
    // Also where the desired zone only adds.
    let mut incomplete = wanted;
    incomplete.mark_incomplete();
    let changes = diff(&incomplete, &served, &LeftAlone::default()).unwrap();
    assert_eq!(
        changes.to_string(),
        "+ e.d.example.test. 1 IN A 192.0.2.1\n"
    );
    assert_eq!(changes.counts().held_additions, 2);
}

#[test]
fn zones_with_different_apexes_are_not_compared() {
    let other = ZoneBuilder::new(name("example.org"))
        .build_actual()
        .unwrap();
    let error = diff(&desired(""), &other, &LeftAlone::default()).unwrap_err();
    let expected = DiffError::Apex {
        desired: name(samples::APEX),
        actual: name("example.org"),
    };
    assert_eq!(error, expected);
}

/// RRs that a desired zone accepts.
fn servable_rrs() -> impl Strategy<Value = Vec<Rr>> {
    samples::rrs(40).prop_map(|mut rrs| {
        rrs.retain(|rr| rr.rtype != Rtype::CNAME);
        rrs
    })
}

/// Two zones with much in common.
fn two_zones() -> impl Strategy<Value = (Vec<Rr>, Vec<Rr>)> {
    (
        servable_rrs(),
        samples::rrs(8),
        servable_rrs(),
        any::<u64>(),
    )
        .prop_map(|(common, only_actual, mut wanted, mask)| {
            let picked = |salt: u32| {
                let bit = move |index: usize| mask.rotate_left(salt) >> (index % 64) & 1;
                common
                    .iter()
                    .enumerate()
                    .filter(move |(index, _)| bit(*index) == 1)
                    .map(|(_, rr)| rr.clone())
                    .collect::<Vec<_>>()
            };
            let served = [picked(0), only_actual].concat();
            wanted.truncate(8);
            wanted.extend(picked(7));
            (wanted, served)
        })
}

fn is_left_alone(zone: &Zone, rrset: super::RrsetRef<'_>) -> bool {
    LeftAlone::default().contains(rrset.owner(), rrset.rtype(), zone.apex())
}

/// What stays of each side when what is left alone is taken from where it belongs.
fn expected_result(wanted: &Zone, served: &ActualZone) -> ActualZone {
    let mut builder = ZoneBuilder::new(name(samples::APEX));
    let ours = wanted
        .rrsets()
        .filter(|rrset| !is_left_alone(wanted, *rrset));
    let theirs = served
        .rrsets()
        .filter(|rrset| is_left_alone(served, *rrset));
    for rrset in ours.chain(theirs) {
        builder.push_ref(rrset).unwrap();
    }
    builder.build_actual().unwrap()
}

proptest! {
    #[test]
    fn applying_the_changes_gives_what_is_desired((wanted, served) in two_zones()) {
        let mut builder = builder_of(&wanted);
        builder.set_complete();
        let (wanted, served) = (builder.build_desired().unwrap(), actual_of(&served));
        let changes = diff(&wanted, &served, &LeftAlone::default()).unwrap();
        prop_assert_eq!(changes.verify(&served, &LeftAlone::default()), Ok(()));
        let checked = Changes::check(name(samples::APEX), changes.octets().into());
        prop_assert_eq!(checked.as_ref(), Ok(&changes));
        let result = changes.apply(&served).unwrap();
        let octets = result.octets().into();
        let checked = ActualZone::check(name(samples::APEX), octets);
        prop_assert_eq!(checked.as_ref(), Ok(&result));
        if changes.counts().nothing_desired == 0 {
            prop_assert_eq!(&result, &expected_result(&wanted, &served));
            // A second run has nothing to do.
            let again = diff(&wanted, &result, &LeftAlone::default()).unwrap();
            prop_assert!(again.is_empty());
        } else {
            prop_assert_eq!(result, served);
        }
    }

    #[test]
    fn owners_that_the_actual_zone_holds_are_as_if_they_were_in_neither(
        (wanted, served) in two_zones(),
        mask in any::<u64>(),
        complete in any::<bool>(),
    ) {
        let (wanted, served) = (builder_of(&wanted).build_desired().unwrap(), actual_of(&served));
        let owners = wanted.rrsets().chain(served.rrsets()).map(super::RrsetRef::owner);
        let owners: std::collections::BTreeSet<_> = owners.collect();
        let is_held = |owner: super::NameRef<'_>| {
            let index = owners.iter().position(|known| *known == owner);
            index.is_some_and(|index| mask >> (index % 64) & 1 == 1)
        };
        let without_held = |zone: &Zone| {
            let mut builder = ZoneBuilder::new(name(samples::APEX));
            for rrset in zone.rrsets().filter(|rrset| !is_held(rrset.owner())) {
                builder.push_ref(rrset).unwrap();
            }
            if complete {
                builder.set_complete();
            }
            builder
        };
        let mut holding = ZoneBuilder::new(name(samples::APEX));
        let mut desired = ZoneBuilder::new(name(samples::APEX));
        served.rrsets().for_each(|rrset| holding.push_ref(rrset).unwrap());
        wanted.rrsets().for_each(|rrset| desired.push_ref(rrset).unwrap());
        for owner in owners.iter().filter(|owner| is_held(**owner)) {
            holding.hold((*owner).to_owned()).unwrap();
        }
        if complete {
            desired.set_complete();
        }
        let (holding, desired) = (holding.build_actual().unwrap(), desired.build_desired().unwrap());
        let changes = diff(&desired, &holding, &LeftAlone::default()).unwrap();
        prop_assert_eq!(changes.verify(&holding, &LeftAlone::default()), Ok(()));
        let kept = changes.apply(&holding).unwrap();
        prop_assert!(kept.held().eq(holding.held()));
        let checked = ActualZone::check(name(samples::APEX), kept.octets().into());
        prop_assert_eq!(checked.as_ref(), Ok(&kept));
        // Unless nothing else is desired: then nothing would be deleted.
        let rest = without_held(&wanted).build_desired().unwrap();
        prop_assume!(rest.rrsets().any(|rrset| !is_left_alone(&rest, rrset)));
        let expected = diff(
            &rest,
            &without_held(&served).build_actual().unwrap(),
            &LeftAlone::default(),
        );
        prop_assert_eq!(changes.to_string(), expected.unwrap().to_string());
    }

    #[test]
    fn a_zone_does_not_differ_from_itself(rrs in servable_rrs()) {
        let mut builder = builder_of(&rrs);
        builder.set_complete();
        let wanted = builder.build_desired().unwrap();
        let changes = diff(&wanted, &actual_of(&rrs), &LeftAlone::NOTHING).unwrap();
        prop_assert!(changes.is_empty());
        prop_assert_eq!(changes.counts().unchanged as usize, wanted.rrset_count());
    }

    #[test]
    fn incomplete_zones_take_nothing_away((wanted, served) in two_zones()) {
        let wanted = builder_of(&wanted).build_desired().unwrap();
        let served = actual_of(&served);
        let changes = diff(&wanted, &served, &LeftAlone::default()).unwrap();
        prop_assert!(changes.iter().all(|change| change.deletion().is_none()));
        let result = changes.apply(&served).unwrap();
        for rrset in served.rrsets() {
            prop_assert_eq!(result.find(rrset.owner(), rrset.rtype()), Some(rrset));
        }
    }

    #[test]
    fn what_is_left_of_a_complete_comparison_only_adds((wanted, served) in two_zones()) {
        let mut builder = builder_of(&wanted);
        builder.set_complete();
        let wanted = builder.build_desired().unwrap();
        let served = actual_of(&served);
        let changes = diff(&wanted, &served, &LeftAlone::default()).unwrap();
        let additions = changes.additions_only();
        let octets = additions.octets().into();
        let checked = Changes::check(name(samples::APEX), octets);
        prop_assert_eq!(checked.as_ref(), Ok(&additions));

        let mut incomplete = wanted;
        incomplete.mark_incomplete();
        let expected = diff(&incomplete, &served, &LeftAlone::default()).unwrap();
        // A comparison knows what stays served and can conflict with it; then the
        // desired zone itself would have had the conflict.
        prop_assert_eq!(additions.to_string(), expected.to_string());
        prop_assert_eq!(additions.counts(), expected.counts());
    }

    #[test]
    fn pushed_changes_are_paired_and_ordered((wanted, served) in two_zones()) {
        let mut builder = builder_of(&wanted);
        builder.set_complete();
        let wanted = builder.build_desired().unwrap();
        let served = actual_of(&served);
        let changes = diff(&wanted, &served, &LeftAlone::default()).unwrap();
        let mut builder = ChangesBuilder::new(name(samples::APEX));
        let reversed: Vec<_> = changes.iter().collect();
        for change in reversed.into_iter().rev() {
            if let Some(rrset) = change.addition() {
                builder.additions().push_ref(rrset).unwrap();
            }
            if let Some(rrset) = change.deletion() {
                builder.deletions().push_ref(rrset).unwrap();
            }
        }
        let built = builder.build().unwrap();
        prop_assert!(built.iter().eq(changes.iter()));
    }
}
