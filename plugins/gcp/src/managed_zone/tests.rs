use janitor_plugin_api::dns::Name;
use serde_json::{Value, json};

use super::choice::{Candidate, Unusable, choose, read_page};
use super::naming::{self, NamingFault};
use super::{ManagedZone, Visibility};
use crate::http::{Next, PageFault};

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

#[test]
fn managed_zones_are_named_as_in_the_vectors() {
    let vectors: Value = serde_json::from_str(include_str!(
        "../../../../tests/vectors/managed-zone-names.json"
    ))
    .unwrap();
    let vectors = vectors["vectors"].as_array().unwrap();
    for vector in vectors {
        let (id, input, expect) = (&vector["id"], &vector["input"], &vector["expect"]);
        let text = input["zone"].as_str().unwrap();
        let prefix = input["prefix"].as_str().unwrap_or_default();
        let zone = name(text);
        let named = naming::rule(zone.as_ref(), prefix);
        match expect["error"].as_str() {
            None => assert_eq!(named, expect["name"].as_str().unwrap(), "{id}"),
            // Superseded: a missing final dot is accepted (decision D7).
            Some("not-absolute") => {
                let absolute = naming::rule(name(&format!("{text}.")).as_ref(), prefix);
                assert_eq!(named, absolute, "{id}");
            }
            Some("no-managed-zone") => {
                let refused = naming::by_rule(zone.as_ref(), prefix);
                assert_eq!(refused, Err(NamingFault::Root), "{id}");
            }
            Some(other) => panic!("{id}: {other}"),
        }
    }
    assert!(vectors.len() >= 20);
}

#[test]
fn a_name_that_google_does_not_take_is_none() {
    let long = "a".repeat(63);
    for good in ["a", "a-b", "reverse-20-10", "x1", &long] {
        assert_eq!(naming::check(good), Ok(()), "{good}");
    }
    let too_long = "a".repeat(64);
    for bad in ["", "1and1", "a-", "-a", "A", "a.b", "a_b", "ä", &too_long] {
        assert!(naming::check(bad).is_err(), "{bad}");
    }
    let fault = naming::by_rule(name("1and1.example.").as_ref(), "").unwrap_err();
    insta::assert_snapshot!(fault, @"`1and1-example` is not the name of a managed zone: those have 1 to 63 lower-case letters, digits and hyphens, a letter first and no hyphen last");
}

#[test]
fn labels_that_are_not_letters_make_no_name() {
    for zone in [r"a\.b.example.", "_tcp.example.", r"\200.example."] {
        let refused = naming::by_rule(name(zone).as_ref(), "p");
        assert!(refused.is_err(), "{zone}: {refused:?}");
    }
}

/// Managed zones of `example.com.`: name, visibility, kind.
fn candidates(zones: &[(&str, &str, &str)]) -> Vec<Candidate> {
    let listed = zones.iter().map(|(name, visibility, kind)| {
        let mut zone = json!({"name": name, "dnsName": "example.com.", "visibility": visibility});
        if !kind.is_empty() {
            zone[*kind] = json!({});
        }
        zone
    });
    let page = json!({"managedZones": listed.collect::<Vec<_>>()}).to_string();
    let mut candidates = Vec::new();
    let next = read_page(
        page.as_bytes(),
        name("example.com").as_ref(),
        &mut candidates,
    );
    assert_eq!(next.unwrap(), Next::End);
    candidates
}

fn chosen(
    zones: &[(&str, &str, &str)],
    visibility: Option<Visibility>,
) -> Result<Option<String>, Unusable> {
    let chosen = choose(candidates(zones), visibility, Some("example-com"))?;
    Ok(chosen.map(|zone| zone.name))
}

#[test]
fn the_only_managed_zone_is_taken_whoever_sees_it() {
    for visibility in ["public", "private"] {
        let found = chosen(&[("a", visibility, "")], None).unwrap();
        assert_eq!(found.as_deref(), Some("a"), "{visibility}");
    }
    assert_eq!(chosen(&[], None).unwrap(), None);
}

#[test]
fn of_several_the_one_that_the_rule_names_is_taken_and_else_none() {
    let named = [("example-com", "private", ""), ("outside", "public", "")];
    assert_eq!(chosen(&named, None).unwrap().unwrap(), "example-com");
    // Whichever came first: the one that is added later must not take its place.
    let both = [("inside", "private", ""), ("outside", "public", "")];
    let fault = chosen(&both, None).unwrap_err();
    insta::assert_snapshot!(fault, @"that DNS name is both that of public and of private managed zones: `inside` (private), `outside` (public)");
    let private = [("one", "private", ""), ("other", "private", "")];
    let fault = chosen(&private, None).unwrap_err();
    insta::assert_snapshot!(fault, @"several managed zones have that DNS name: `one` (private), `other` (private)");
    let public = [("one", "public", ""), ("other", "public", "")];
    let fault = chosen(&public, Some(Visibility::Public)).unwrap_err();
    assert!(matches!(fault, Unusable::Several { .. }), "{fault}");
}

#[test]
fn a_managed_zone_whose_name_leads_elsewhere_is_no_page() {
    for name in ["", ".", ".."] {
        let page = json!({"managedZones": [{"name": name, "dnsName": "example.com."}]}).to_string();
        let read = read_page(
            page.as_bytes(),
            self::name("example.com").as_ref(),
            &mut Vec::new(),
        );
        assert!(matches!(read, Err(PageFault::Unfit(_))), "{name}: {read:?}");
    }
}

#[test]
fn what_is_set_of_visibility_stands_above_the_rule() {
    let zones = [("example-com", "private", ""), ("outside", "public", "")];
    let found = chosen(&zones, Some(Visibility::Public)).unwrap();
    assert_eq!(found.unwrap(), "outside");
    let found = chosen(&zones, Some(Visibility::Private)).unwrap();
    assert_eq!(found.unwrap(), "example-com");
    let fault = chosen(&zones[1..], Some(Visibility::Private)).unwrap_err();
    insta::assert_snapshot!(fault, @"the managed zone with that DNS name is another one than set by `visibility`: `outside` (public)");
}

#[test]
fn a_managed_zone_without_records_of_its_own_is_none_to_write_to() {
    for kind in [
        "forwardingConfig",
        "peeringConfig",
        "reverseLookupConfig",
        "serviceDirectoryConfig",
    ] {
        let fault = chosen(&[("a", "private", kind)], None).unwrap_err();
        assert!(matches!(fault, Unusable::NoRecords { .. }), "{kind}");
        let beside = [("example-com", "private", kind), ("b", "public", "")];
        assert_eq!(chosen(&beside, None).unwrap().unwrap(), "b", "{kind}");
        let fault = chosen(&beside, Some(Visibility::Private)).unwrap_err();
        assert!(matches!(fault, Unusable::NoRecords { .. }), "{kind}");
    }
    let fault = chosen(&[("a", "private", "forwardingConfig")], None).unwrap_err();
    insta::assert_snapshot!(fault, @"the managed zone `a` holds no records: it forwards queries");
}

#[test]
fn managed_zones_of_other_names_are_passed_over() {
    let page = br#"{"managedZones": [
        {"name": "a", "dnsName": "a.example.com."},
        {"name": "b", "dnsName": "EXAMPLE.com."}
    ], "nextPageToken": "more"}"#;
    let mut candidates = Vec::new();
    let next = read_page(page, name("example.com").as_ref(), &mut candidates).unwrap();
    assert_eq!(next, Next::Page("more".to_owned()));
    assert_eq!(
        choose(candidates, Some(Visibility::Public), None).unwrap(),
        Some(ManagedZone {
            name: "b".to_owned(),
        })
    );
}

#[test]
fn a_managed_zone_found_by_name_has_to_be_above_the_zone() {
    let above = |dns_name: &str, visibility| {
        let body = json!({"name": "reverse-20-10", "dnsName": dns_name}).to_string();
        let candidate = Candidate::read(body.as_bytes()).unwrap();
        candidate.above(name("30.20.10.in-addr.arpa.").as_ref(), visibility)
    };
    let found = above("20.10.in-addr.arpa.", None).unwrap();
    assert_eq!(found.name, "reverse-20-10");
    assert!(above("30.20.10.in-addr.arpa.", Some(Visibility::Public)).is_ok());
    let fault = above("20.11.in-addr.arpa.", None).unwrap_err();
    insta::assert_snapshot!(fault, @"the managed zone `reverse-20-10` is that of `20.11.in-addr.arpa.`");
    let fault = above("20.10.in-addr.arpa.", Some(Visibility::Private)).unwrap_err();
    assert!(matches!(fault, Unusable::OtherVisibility { .. }));
    let fault = above("a..b", None).unwrap_err();
    assert!(matches!(fault, Unusable::DnsName { .. }));
}
