use insta::assert_snapshot;
use janitor_plugin_api::dns::{Ttl, ZoneBuilder};

use super::*;
use crate::config::Config;

pub(super) fn name(text: &str) -> Name {
    text.parse().expect("the text is a name")
}

/// A complete zone of lines `owner type rdata`.
pub(super) fn zone(apex: &str, lines: &[&str]) -> DesiredZone {
    let mut builder = ZoneBuilder::new(name(apex));
    let ttl = Ttl::from_secs(300).expect("the TTL is in range");
    for line in lines {
        let mut fields = line.splitn(3, ' ');
        let mut field = || fields.next().expect("owner type rdata");
        let (owner, rtype, rdata) = (field(), field(), field());
        builder
            .push_text(owner, ttl, rtype, rdata)
            .expect("the record is good");
    }
    builder.set_complete();
    builder.build_desired().expect("the zone is good")
}

pub(super) fn message_of(zone: DesiredZone) -> AbiZone {
    AbiZone {
        apex: zone.apex().as_wire().into(),
        octets: zone.into_octets(),
    }
}

/// A complete zone with one address.
pub(super) fn message(apex: &str) -> AbiZone {
    message_of(zone(apex, &["www A 192.0.2.1"]))
}

/// The authorities `a`, `b` and so on with the settings `core`.
pub(super) fn merge(authorities: &[&str], missing: &[&str], core: &str) -> Merge {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let path = directory.path().join("gordon-janitor.toml");
    std::fs::write(path, format!("[core]\n{core}\n")).expect("a file can be written");
    let config = Config::load(directory.path()).expect("the configuration is one");
    assert!(config.problems().is_empty(), "{:?}", config.problems());
    let speaker = |key: &&str| Speaker {
        key: (*key).into(),
        zones: config
            .core()
            .plugin
            .get(*key)
            .and_then(|settings| settings.zones.clone()),
    };
    Merge::new(
        config.core().merge.clone(),
        authorities.iter().map(speaker).collect(),
        missing.iter().map(speaker).collect(),
    )
}

impl Merge {
    fn say(&mut self, authority: usize, message: AbiZone) -> String {
        let verdict = match self.open(authority, message) {
            Ok(zone) => self.take(authority, zone),
            Err(verdict) => verdict,
        };
        told(&verdict)
    }

    fn end(&mut self, authority: usize, complete: bool, left_out: &[LeftOut]) -> Vec<String> {
        self.ended(authority, complete, left_out);
        std::iter::from_fn(|| self.next_ready())
            .map(|verdict| told(&verdict))
            .collect()
    }
}

/// A verdict in a line.
pub(super) fn told(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Forward(merged) => {
            let zone = &merged.zone;
            let octets = zone.octets().into();
            DesiredZone::check(zone.apex().to_owned(), octets).expect("it is as any other");
            let sources = zone.rrsets().map(|rrset| {
                let sources = merged.provenance.of(rrset.owner(), rrset.rtype());
                format!(
                    "{} {} of {}",
                    rrset.owner(),
                    rrset.rtype(),
                    sources.join("+")
                )
            });
            let lost = merged.losers.iter().map(|loser| {
                let (owner, rtype, authority) = (loser.owner, loser.rtype, loser.authority);
                format!("{owner} {rtype} of {authority}: {}", loser.why())
            });
            let lines = sources.chain(lost).collect::<Vec<_>>();
            let only_adds = if zone.is_complete() { "" } else { " only adds" };
            format!("{}{only_adds}: {}", zone.apex(), lines.join("; "))
        }
        Verdict::Hold => "held".to_owned(),
        Verdict::PassOver => "passed over".to_owned(),
        Verdict::LeaveOut(left_out) => left_out.to_string(),
    }
}

pub(super) fn left_out_by(authority: &str, zone: Option<&str>) -> LeftOut {
    LeftOut {
        kind: LeftOutKind::Reported,
        zone: zone.map(name),
        what: "something".to_owned(),
        plugin: Some(authority.into()),
        reason: vec!["it cannot be read".to_owned()],
        hint: None,
    }
}

const WWW: &str = "example.com.: www.example.com. A of a";

#[test]
fn the_zones_of_a_single_authority_go_on_at_once() {
    let mut merge = merge(&["a"], &[], "");
    assert_eq!(merge.say(0, message("example.com")), WWW);
    assert_eq!(merge.end(0, true, &[]), [""; 0]);
    assert_eq!(
        merge
            .authority_of(name("example.com").as_ref())
            .map(|key| &**key),
        Some("a")
    );
}

#[test]
fn without_an_authority_that_should_be_there_zones_only_add() {
    let mut merge = merge(&["a"], &["gone"], "");
    let verdict = merge.say(0, message("example.com"));
    assert_eq!(verdict, "example.com. only adds: www.example.com. A of a");
}

#[test]
fn only_the_zones_of_an_authority_that_is_not_there_only_add() {
    let core = "[core.plugin.gone]\nzones = ['*.com', 'example.net']";
    let mut merge = merge(&["a"], &["gone"], core);
    for (apex, only_adds) in [
        ("example.com", true),
        ("example.net", true),
        ("example.org", false),
        ("com", false),
    ] {
        let verdict = merge.say(0, message(apex));
        assert_eq!(verdict.contains("only adds"), only_adds, "{verdict}");
    }
}

#[test]
fn a_zone_that_one_authority_sends_twice_is_left_out() {
    let mut merge = merge(&["a"], &[], "");
    merge.say(0, message("example.com"));
    let verdict = merge.say(0, message("EXAMPLE.com"));
    assert_eq!(verdict, "example.com.: `a` sent the zone twice");
    assert_eq!(merge.authority_of(name("example.com").as_ref()), None);
    assert_eq!(merge.say(0, message("example.com")), "passed over");
}

#[test]
fn a_zone_that_one_of_several_sends_twice_is_left_out_whenever_that_is() {
    // While it is held.
    let mut held = merge(&["a", "b"], &[], "");
    assert_eq!(held.say(0, message("example.com")), "held");
    let twice = "example.com.: `a` sent the zone twice";
    assert_eq!(held.say(0, message("example.com")), twice);
    assert_eq!(held.say(1, message("example.com")), "passed over");
    assert_eq!(held.end(0, true, &[]), [""; 0]);
    assert_eq!(held.end(1, true, &[]), [""; 0]);
    // After it went on.
    let mut gone = merge(&["a", "b"], &[], "");
    assert_eq!(gone.end(1, true, &[]), [""; 0]);
    assert_eq!(gone.say(0, message("example.com")), WWW);
    assert_eq!(gone.say(0, message("example.com")), twice);
}

#[test]
fn a_zone_goes_on_when_nobody_else_can_name_it_any_more() {
    let mut merge = merge(&["a", "b", "c"], &[], "");
    for apex in ["example.org", "example.com"] {
        assert_eq!(merge.say(0, message(apex)), "held");
    }
    assert_eq!(merge.end(1, true, &[]), [""; 0]);
    assert_eq!(
        merge.end(2, true, &[]),
        [WWW, "example.org.: www.example.org. A of a"]
    );
    assert_eq!(
        merge.say(0, message("example.net")),
        "example.net.: www.example.net. A of a"
    );
}

#[test]
fn a_zone_that_one_authority_alone_may_name_is_not_held() {
    let core = "[core.plugin.b]\nzones = ['*.org']\n[core.plugin.c]\nzones = ['example.net']";
    let mut merge = merge(&["a", "b", "c"], &[], core);
    assert_eq!(merge.say(0, message("example.com")), WWW);
    assert_eq!(merge.say(0, message("example.org")), "held");
    assert_eq!(merge.say(0, message("example.net")), "held");
    assert_eq!(
        merge.end(2, true, &[]),
        ["example.net.: www.example.net. A of a"]
    );
}

#[test]
fn what_an_authority_does_not_speak_for_is_passed_over_and_counted() {
    let core = "[core.plugin.b]\nzones = ['*.org', 'EXAMPLE.net.', '*.example.net', '*.test']";
    let mut merge = merge(&["a", "b"], &[], core);
    let mut bad = message("example.com");
    bad.octets.clear();
    assert_eq!(merge.say(1, bad), "passed over");
    assert_eq!(merge.say(1, message("example.com")), "passed over");
    assert_eq!(merge.say(1, message("example.net")), "held");
    assert_eq!(
        merge.end(1, true, &[left_out_by("b", Some("b.test"))]),
        [""; 0]
    );
    // The word of the other one is not contradicted.
    assert_eq!(merge.say(0, message("example.com")), WWW);

    let passed_over = merge.passed_over();
    let passed_over = passed_over.map(|(key, told)| (&**key, told.zones, told.first.clone()));
    assert_eq!(
        passed_over.collect::<Vec<_>>(),
        [("b", 2, Some(name("example.com")))]
    );
    let idle = merge.idle_patterns().map(|(_, (pattern, _))| pattern);
    assert_eq!(idle.collect::<Vec<_>>(), ["*.org", "*.example.net"]);
}

#[test]
fn of_an_authority_that_breaks_off_nobody_knows_which_patterns_are_idle() {
    let core = "[core.plugin.a]\nzones = ['*.org']";
    let mut merge = merge(&["a"], &[], core);
    merge.end(0, false, &[]);
    assert_eq!(merge.idle_patterns().count(), 0);
}

#[test]
fn a_zone_that_several_authorities_speak_for_is_left_out_unless_a_policy_says_how_they_are_joined()
{
    for order in [[0, 1], [1, 0]] {
        let mut merge = merge(&["a", "b"], &[], "");
        assert_eq!(merge.say(order[0], message("example.com")), "held");
        assert_eq!(
            merge.say(order[1], message("example.com")),
            "example.com.: both `a` and `b` speak for the zone"
        );
    }
    let mut merge = merge(&["a", "b", "c"], &[], "[core.merge]\norder = ['c', 'b']");
    for authority in [1, 0] {
        assert_eq!(merge.say(authority, message("example.com")), "held");
    }
    assert_eq!(
        merge.say(2, message("example.com")),
        "example.com.: `c`, `b` and `a` all speak for the zone"
    );
}

/// What becomes of `example.com` when two say different things of it, with `[core.merge]`.
fn joined(settings: &str) -> String {
    let core = format!("[core.merge]\n{settings}");
    let mut merge = merge(&["a", "b"], &[], &core);
    let one = ["only-a A 192.0.2.1", "both A 192.0.2.1", "www A 192.0.2.1"];
    let other = ["only-b A 192.0.2.1", "both A 192.0.2.1", "www A 192.0.2.2"];
    merge.say(1, message_of(zone("example.com", &other)));
    let verdict = merge.say(0, message_of(zone("example.com", &one)));
    assert_eq!(merge.authority_of(name("example.com").as_ref()), None);
    verdict.replace(".example.com.", "").replace("; ", "\n")
}

#[test]
fn each_policy_joins_in_its_own_way() {
    assert_snapshot!(
        joined("policy = 'agree'"),
        @"example.com.: `a` and `b` contradict each other: the A of `www` differs"
    );
    assert_snapshot!(joined("policy = 'priority'"), @"
    example.com.: both A of a+b
    only-a A of a
    only-b A of b
    www A of a
    www A of b: `a` comes first and has another
    ");
    assert_snapshot!(joined("policy = 'priority'\norder = ['b']"), @"
    example.com.: both A of b+a
    only-a A of a
    only-b A of b
    www A of b
    www A of a: `b` comes first and has another
    ");
    assert_snapshot!(joined("policy = 'union'"), @"
    example.com.: both A of a+b
    only-a A of a
    only-b A of b
    www A of a+b
    ");
}

#[test]
fn a_zone_may_have_a_rule_of_its_own() {
    let own = "policy = 'union'\n[core.merge.zones.'example.com']\npolicy = 'priority'";
    assert!(joined(own).contains("`a` comes first"));
    let order = "policy = 'priority'\n[core.merge.zones.'*.com']\norder = ['b']";
    assert!(joined(order).contains("`b` comes first"));
    let closest = "[core.merge.zones.'*.com']\npolicy = 'union'\n[core.merge.zones.'example.com']\npolicy = 'agree'";
    assert!(joined(closest).contains("contradict"));
    let other = "policy = 'union'\n[core.merge.zones.'example.net']\npolicy = 'agree'";
    assert!(joined(other).contains("www A of a+b"));
}

#[test]
fn a_name_that_cannot_be_both_is_nobodys_in_a_union() {
    let mut merge = merge(&["a", "b"], &[], "[core.merge]\npolicy = 'union'");
    merge.say(
        0,
        message_of(zone("example.com", &["www A 192.0.2.1", "x CNAME y"])),
    );
    let other = zone("example.com", &["www CNAME web", "x CNAME z"]);
    let Ok(Verdict::Forward(merged)) = merge
        .open(1, message_of(other))
        .map(|zone| merge.take(1, zone))
    else {
        panic!("the zone goes on");
    };
    assert_eq!(merged.zone.rrset_count(), 0);
    let held = merged.zone.held().map(|owner| owner.to_string());
    assert_eq!(
        held.collect::<Vec<_>>(),
        ["www.example.com.", "x.example.com."]
    );
    assert_eq!((merged.losers.len(), merged.losers.undecided()), (4, 2));
    let why = merged
        .losers
        .iter()
        .map(|loser| loser.why())
        .collect::<Vec<_>>();
    assert_eq!(why[0], why[1]);
    assert_snapshot!(why[0], @"a CNAME and other data exclude each other; the name stays as it is");
    assert_snapshot!(why[2], @"there may be one CNAME only, and they differ; the name stays as it is");
}

#[test]
fn when_an_authority_fails_the_zones_of_the_others_only_add() {
    let mut merge = merge(&["a", "b"], &[], "[core.merge]\npolicy = 'union'");
    merge.say(0, message("example.com"));
    merge.say(1, message("example.org"));
    assert_eq!(
        merge.end(1, false, &[]),
        ["example.com. only adds: www.example.com. A of a"]
    );
    // What it sent stands.
    assert_eq!(
        merge.end(0, true, &[]),
        ["example.org.: www.example.org. A of b"]
    );
    assert_eq!(
        merge.say(0, message("example.net")),
        "example.net. only adds: www.example.net. A of a"
    );
}

#[test]
fn when_an_authority_fails_zones_that_it_does_not_speak_for_are_whole() {
    let mut merge = merge(&["a", "b"], &[], "[core.plugin.b]\nzones = ['*.org']");
    merge.say(0, message("example.org"));
    assert_eq!(
        merge.end(1, false, &[]),
        ["example.org. only adds: www.example.org. A of a"]
    );
    assert_eq!(merge.say(0, message("example.com")), WWW);
}

#[test]
fn a_joined_zone_is_complete_only_if_all_of_it_is() {
    let settings = "[core.merge]\npolicy = 'union'";
    for (incomplete, expected) in [(false, false), (true, true)] {
        let mut merge = merge(&["a", "b"], &[], settings);
        merge.say(0, message("example.com"));
        let mut other = zone("example.com", &["x A 192.0.2.1"]);
        if incomplete {
            other.mark_incomplete();
        }
        let verdict = merge.say(1, message_of(other));
        assert_eq!(verdict.contains("only adds"), expected, "{verdict}");
    }
}

#[test]
fn a_zone_that_one_authority_left_out_does_not_go_on_in_the_words_of_another() {
    let mut merge = merge(&["a", "b"], &[], "");
    merge.say(1, message("example.com"));
    merge.say(1, message("example.org"));
    let left_out = [left_out_by("a", Some("example.com"))];
    assert_eq!(
        merge.end(0, true, &left_out),
        ["example.org.: www.example.org. A of b"]
    );
    assert_eq!(merge.end(1, true, &left_out), [""; 0]);
}

#[test]
fn something_left_out_that_could_have_been_any_zone_makes_all_zones_only_add() {
    let mut merge = merge(&["a", "b"], &[], "");
    merge.say(1, message("example.com"));
    assert_eq!(
        merge.end(0, true, &[left_out_by("a", None)]),
        ["example.com. only adds: www.example.com. A of b"]
    );
}

#[test]
fn a_malformed_zone_is_left_out_also_when_a_good_one_follows() {
    let mut merge = merge(&["a", "b"], &[], "");
    let mut bad = message("example.com");
    bad.octets.truncate(21);
    let verdict = merge.say(0, bad);
    assert!(
        verdict.starts_with("example.com.: the authority sent a malformed zone: "),
        "{verdict}"
    );
    assert_eq!(merge.say(1, message("example.com")), "passed over");
    assert_eq!(merge.end(0, true, &[]), [""; 0]);
    assert_eq!(merge.end(1, true, &[]), [""; 0]);
}

#[test]
fn a_message_without_a_name_makes_all_zones_that_it_could_be_only_add() {
    let mut merge = merge(
        &["a", "b"],
        &[],
        "[core.plugin.a]\nzones = ['*.com', 'com']",
    );
    merge.say(1, message("example.com"));
    let mut nameless = message("example.org");
    nameless.apex = vec![200, 1].into();
    let verdict = merge.say(0, nameless);
    assert!(
        verdict.starts_with("a zone without a valid name: "),
        "{verdict}"
    );
    assert_eq!(
        merge.say(1, message("example.org")),
        "example.org.: www.example.org. A of b"
    );
    assert_eq!(merge.end(1, true, &[]), [""; 0]);
    assert_eq!(
        merge.end(0, true, &[]),
        ["example.com. only adds: www.example.com. A of b"]
    );
}
