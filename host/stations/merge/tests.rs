use janitor_plugin_api::dns::ZoneBuilder;

use super::*;

fn name(text: &str) -> Name {
    text.parse().expect("the text is a name")
}

/// A complete zone with one address.
fn message(apex: &str) -> AbiZone {
    let mut builder = ZoneBuilder::new(name(apex));
    builder
        .push_text("www", ttl(300), "A", "192.0.2.1")
        .expect("the record is good");
    builder.set_complete();
    let zone = builder.build_desired().expect("the zone is good");
    AbiZone {
        apex: zone.apex().as_wire().into(),
        octets: zone.into_octets(),
    }
}

fn ttl(seconds: u32) -> janitor_plugin_api::dns::Ttl {
    janitor_plugin_api::dns::Ttl::from_secs(seconds).expect("the TTL is in range")
}

fn merge(authorities: &[&str]) -> Merge {
    Merge::new(authorities.iter().map(|&key| key.into()).collect())
}

fn left_out(verdict: &Verdict) -> String {
    match verdict {
        Verdict::LeaveOut(left_out) => left_out.to_string(),
        other => panic!("expected a zone left out, got {other:?}"),
    }
}

fn rest(merge: &mut Merge, left_out: &[LeftOut]) -> Vec<(String, bool)> {
    merge
        .rest(left_out)
        .iter()
        .map(|zone| (zone.apex().to_string(), zone.is_complete()))
        .collect()
}

fn left_out_by_authority(zone: Option<&str>) -> LeftOut {
    LeftOut {
        kind: LeftOutKind::Reported,
        zone: zone.map(name),
        what: "something".to_owned(),
        plugin: Some("a".into()),
        reason: vec!["it cannot be read".to_owned()],
        hint: None,
    }
}

#[test]
fn the_zones_of_a_single_authority_go_on_at_once() {
    let mut merge = merge(&["a"]);
    let verdict = merge.take(0, message("example.com"));
    assert!(matches!(verdict, Verdict::Forward(zone) if zone.is_complete()));
    merge.ended(true);
    assert!(rest(&mut merge, &[]).is_empty());
}

#[test]
fn without_an_authority_that_should_be_there_zones_only_add() {
    let mut merge = merge(&["a"]);
    merge.ended(false);
    let verdict = merge.take(0, message("example.com"));
    assert!(matches!(verdict, Verdict::Forward(zone) if !zone.is_complete()));
}

#[test]
fn a_zone_that_one_authority_sends_twice_is_left_out() {
    let mut merge = merge(&["a"]);
    merge.take(0, message("example.com"));
    let verdict = merge.take(0, message("EXAMPLE.com"));
    assert_eq!(left_out(&verdict), "example.com.: `a` sent the zone twice");
    assert_eq!(merge.authority_of(name("example.com").as_ref()), None);
}

#[test]
fn zones_of_several_authorities_are_held_until_all_have_ended() {
    let mut merge = merge(&["a", "b"]);
    assert!(matches!(
        merge.take(0, message("example.org")),
        Verdict::Hold
    ));
    assert!(matches!(
        merge.take(1, message("example.com")),
        Verdict::Hold
    ));
    merge.ended(true);
    merge.ended(true);
    let expected = [
        ("example.com.".to_owned(), true),
        ("example.org.".to_owned(), true),
    ];
    assert_eq!(rest(&mut merge, &[]), expected);
}

#[test]
fn a_zone_that_two_authorities_speak_for_is_left_out() {
    let mut merge = merge(&["a", "b"]);
    merge.take(0, message("example.com"));
    let verdict = merge.take(1, message("example.com"));
    assert_eq!(
        left_out(&verdict),
        "example.com.: both `a` and `b` speak for the zone"
    );
    merge.ended(true);
    merge.ended(true);
    assert!(rest(&mut merge, &[]).is_empty());
}

#[test]
fn when_an_authority_fails_the_zones_of_the_others_only_add() {
    let mut merge = merge(&["a", "b"]);
    merge.take(0, message("example.com"));
    merge.ended(true);
    merge.ended(false);
    assert_eq!(rest(&mut merge, &[]), [("example.com.".to_owned(), false)]);
}

#[test]
fn a_zone_that_one_authority_left_out_does_not_go_on_in_the_words_of_another() {
    let mut merge = merge(&["a", "b"]);
    merge.take(1, message("example.com"));
    merge.take(1, message("example.org"));
    merge.ended(true);
    merge.ended(true);
    let left_out = [left_out_by_authority(Some("example.com"))];
    assert_eq!(
        rest(&mut merge, &left_out),
        [("example.org.".to_owned(), true)]
    );
}

#[test]
fn something_left_out_that_could_have_been_any_zone_makes_all_zones_only_add() {
    let mut merge = merge(&["a", "b"]);
    merge.take(1, message("example.com"));
    merge.ended(true);
    merge.ended(true);
    let left_out = [left_out_by_authority(None)];
    assert_eq!(
        rest(&mut merge, &left_out),
        [("example.com.".to_owned(), false)]
    );
}

#[test]
fn a_malformed_zone_is_left_out_also_when_a_good_one_follows() {
    let mut merge = merge(&["a", "b"]);
    let mut bad = message("example.com");
    bad.octets.truncate(21);
    let verdict = merge.take(0, bad);
    assert!(
        left_out(&verdict).starts_with("example.com.: the authority sent a malformed zone: "),
        "{}",
        left_out(&verdict)
    );
    merge.take(1, message("example.com"));
    merge.ended(true);
    merge.ended(true);
    assert!(rest(&mut merge, &[]).is_empty());
}

#[test]
fn a_message_without_a_name_makes_the_zones_of_others_only_add() {
    let mut merge = merge(&["a", "b"]);
    merge.take(1, message("example.com"));
    let mut nameless = message("example.org");
    nameless.apex = vec![200, 1].into();
    let verdict = merge.take(0, nameless);
    assert!(left_out(&verdict).starts_with("a zone without a valid name: "));
    merge.ended(true);
    merge.ended(true);
    assert_eq!(rest(&mut merge, &[]), [("example.com.".to_owned(), false)]);
}
