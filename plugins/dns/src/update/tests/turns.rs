//! What is said in turn, and what an operator reads of it.

use domain::base::iana::Rcode;

use super::*;

const SERVED: &str = "a 60 A 192.0.2.1
    b 60 A 192.0.2.2
    c 60 TXT served
    d 60 CNAME b";
/// An update, a deletion, an addition, a CNAME that comes, one that goes.
const WANTED: &str = "a 60 A 192.0.2.9
    c 60 CNAME a
    d 60 A 192.0.2.4
    e 60 A 192.0.2.5";

/// What becomes of the changes from [`SERVED`] to [`WANTED`] when `prepare` has been at the server.
fn told(rules: Rules, prepare: impl FnOnce(&mut Model)) -> String {
    let changes = changes(SERVED, WANTED);
    let zone = actual(SERVED);
    let mut server = Model::serving(&zone);
    prepare(&mut server);
    let outcome = drive(&changes, zone.serial(), rules, &mut server);
    outcome.text(&changes)
}

fn with(mishaps: &[Mishap]) -> impl FnOnce(&mut Model) + use<'_> {
    move |server| server.mishaps = mishaps.iter().copied().collect()
}

const COMPARE: Rules = Rules {
    serial_decides: false,
    ..RULES
};

#[test]
fn what_goes_well_takes_one_question_and_one_message() {
    insta::assert_snapshot!(told(RULES, |_| ()), @r"
    soa write
    all taken
    ");
}

#[test]
fn without_changes_nobody_is_asked() {
    let changes = changes(SERVED, SERVED);
    let mut server = Model::serving(&actual(SERVED));
    assert!(drive(&changes, None, RULES, &mut server).turns.is_empty());
}

#[test]
fn a_zone_that_has_moved_stays_as_it_is() {
    insta::assert_snapshot!(told(RULES, |server| {
        server.mishaps = [Mishap::Overtaken].into();
    }), @r#"
    soa write soa
    all refused: the zone has serial 8 by now, and the changes were planned from serial 7; run again, or set `if_moved = "compare"` to let each RRset decide for itself
    "#);
}

#[test]
fn where_rrsets_decide_a_moved_serial_does_not_matter() {
    insta::assert_snapshot!(told(COMPARE, with(&[Mishap::Overtaken])), @r"
    soa write
    all taken
    ");
}

#[test]
fn a_serial_that_only_the_signed_copy_has_is_no_condition() {
    let changes = changes(SERVED, WANTED);
    let zone = actual(SERVED);
    let mut server = Model::serving(&zone);
    server.serial_offset = 4;

    let outcome = drive(&changes, Some(Serial(11)), RULES, &mut server);

    insta::assert_snapshot!(outcome.text(&changes), @r"
    soa write soa write
    all taken
    ");
}

#[test]
fn what_somebody_else_changed_is_refused_alone() {
    insta::assert_snapshot!(told(COMPARE, |server| {
        let now = SERVED.replace("192.0.2.2", "192.0.2.77") + "\n c 60 MX 1 a";
        *server = Model::serving(&actual(&now));
    }), @r"
    soa write write write write signatures signatures write write write write write write
    a.example.com. A taken
    c.example.com. TXT refused: TXT, CNAME of `c.example.com.`: something is served where the plan adds (YXRRSET)
    c.example.com. CNAME refused: TXT, CNAME of `c.example.com.`: something is served where the plan adds (YXRRSET)
    d.example.com. CNAME taken
    d.example.com. A taken
    e.example.com. A taken
    b.example.com. A refused: A of `b.example.com.`: what the plan replaces is not served as it was planned from (NXRRSET)
    ");
}

#[test]
fn a_cname_does_not_take_the_place_of_what_the_plan_does_not_know() {
    let changes = changes("", "c 60 CNAME a");
    let mut server = Model::serving(&actual("c 60 TXT somebody-else"));
    let outcome = drive(&changes, None, RULES, &mut server);
    insta::assert_snapshot!(outcome.text(&changes), @r"
    soa write
    all refused: CNAME of `c.example.com.`: the name is in use, and the plan adds a CNAME to it (YXDOMAIN)
    ");
}

#[test]
fn a_key_that_goes_makes_way_for_a_cname_in_the_same_message() {
    // Beside a KEY alone a CNAME could stand.
    let changes = changes("c 60 KEY 256 3 13 AAAA", "c 60 CNAME a");
    let mut server = Model::serving(&actual("c 60 KEY 256 3 13 AAAA"));
    let outcome = drive(&changes, None, RULES, &mut server);
    assert_eq!(server.passed_over, 0);
    insta::assert_snapshot!(outcome.text(&changes), @r"
    soa write
    all taken
    ");
}

#[test]
fn an_addition_is_not_lost_beside_a_cname() {
    let changes = changes("", "c 60 A 192.0.2.1");
    let mut server = Model::serving(&actual("c 60 CNAME somebody-else"));
    let outcome = drive(&changes, None, RULES, &mut server);
    assert_eq!(server.passed_over, 0);
    insta::assert_snapshot!(outcome.text(&changes), @r"
    soa write
    all refused: A of `c.example.com.`: something is served where the plan adds (YXRRSET)
    ");
}

#[test]
fn one_name_that_the_key_may_not_change_holds_up_no_other() {
    insta::assert_snapshot!(told(RULES, |server| {
        server.denied.insert(name("c.example.com."));
    }), @r"
    soa write write write write write write
    a.example.com. A taken
    c.example.com. TXT refused: TXT, CNAME of `c.example.com.`: the server does not allow it, and its log says why; BIND needs `allow-update` or `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE` (REFUSED)
    c.example.com. CNAME refused: TXT, CNAME of `c.example.com.`: the server does not allow it, and its log says why; BIND needs `allow-update` or `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE` (REFUSED)
    d.example.com. CNAME taken
    d.example.com. A taken
    e.example.com. A taken
    b.example.com. A taken
    ");
}

#[test]
fn where_nothing_may_be_changed_not_every_name_is_tried() {
    let wanted: String = (0..500)
        .map(|at| format!("n{at} 60 A 192.0.2.1\n"))
        .collect();
    let changes = changes("", &wanted);
    let zone = actual("");
    let mut server = Model::serving(&zone);
    server.denied = changes
        .iter()
        .map(|change| change.owner().to_owned())
        .collect();

    let outcome = drive(&changes, zone.serial(), RULES, &mut server);

    assert!(outcome.turns.len() < 30, "{} turns", outcome.turns.len());
    let mut texts: Vec<_> = outcome.fates.into_iter().flatten().collect();
    texts.dedup();
    let texts: Vec<_> = texts
        .iter()
        .map(|fate| format!("{fate:?}"))
        .take(6)
        .collect();
    insta::assert_snapshot!(texts.join("\n"), @r#"
    Refused("A of `n0.example.com.`: the server does not allow it, and its log says why; BIND needs `allow-update` or `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE` (REFUSED)")
    Refused("A of `n1.example.com.`: the server does not allow it, and its log says why; BIND needs `allow-update` or `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE` (REFUSED)")
    Refused("A of `n10.example.com.`: the server does not allow it, and its log says why; BIND needs `allow-update` or `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE` (REFUSED)")
    Refused("A of `n100.example.com.`: the server does not allow it, and its log says why; BIND needs `allow-update` or `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE` (REFUSED)")
    Refused("A of `n101.example.com.`: the server does not allow it, and its log says why; BIND needs `allow-update` or `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE` (REFUSED)")
    Refused("among others, `n102.example.com.`: the server does not allow it, and its log says why; BIND needs `allow-update` or `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE` (REFUSED)")
    "#);
}

#[test]
fn a_server_that_takes_no_updates_is_not_asked_again() {
    insta::assert_snapshot!(told(RULES, with(&[Mishap::Says(Rcode::NOTIMP)])), @r"
    soa write
    all refused: the server takes no updates; name the zone's primary first in `servers` (NOTIMP)
    ");
}

#[test]
fn a_server_that_fails_is_asked_again_and_then_for_less() {
    let fails = Mishap::Says(Rcode::SERVFAIL);
    insta::assert_snapshot!(told(RULES, with(&[fails, fails])), @r"
    soa write write write
    all taken
    ");
    insta::assert_snapshot!(told(RULES, with(&[fails; 6])), @r"
    soa write write write write write write write write write
    all taken
    ");
}

#[test]
fn a_server_that_cannot_be_reached_is_tried_as_often_as_set() {
    let away = Mishap::Unreachable;
    insta::assert_snapshot!(told(RULES, with(&[away, away])), @r"
    soa write write write
    all taken
    ");
    insta::assert_snapshot!(told(RULES, with(&[away; 3])), @r"
    soa write write write
    all refused: cannot connect
    ");
}

#[test]
fn an_answer_lost_after_it_was_done_is_not_repeated() {
    insta::assert_snapshot!(told(RULES, with(&[Mishap::LostAfter])), @r"
    soa write look
    all taken
    ");
}

#[test]
fn an_update_lost_on_its_way_is_repeated_when_it_is_sure_that_it_was_not_done() {
    insta::assert_snapshot!(told(RULES, with(&[Mishap::LostBefore])), @r"
    soa write look look write
    all taken
    ");
}

#[test]
fn an_update_that_is_lost_every_time_is_given_up() {
    let (lost, none) = (Mishap::LostBefore, Mishap::None);
    let mishaps = [lost, none, none, lost, none, none, lost, none, none];
    insta::assert_snapshot!(told(RULES, with(&mishaps)), @r"
    soa write look look write look look write look look
    all refused: no answer, 3 times; it was not done
    ");
}

#[test]
fn a_server_that_is_gone_after_an_update_leaves_it_unknown() {
    insta::assert_snapshot!(told(RULES, with(&[Mishap::LostAfter; 4])), @r"
    soa write look look look
    all unknown: no answer; cannot ask whether it was done: no answer
    ");
}

#[test]
fn an_answer_that_cannot_be_trusted_counts_as_none() {
    insta::assert_snapshot!(told(RULES, with(&[Mishap::Forged])), @r"
    soa write look look write
    all taken
    ");
    // Nothing but the serial tells then.
    insta::assert_snapshot!(told(RULES, with(&[Mishap::Forged; 2])), @r"
    soa write look soa
    all refused: the answer is not signed; the serial is still 7, so it was not done
    ");
}

#[test]
fn a_lost_change_of_a_ttl_is_asked_for_by_its_ttl() {
    let changes = changes("a 60 A 192.0.2.1", "a 300 A 192.0.2.1");
    let zone = actual("a 60 A 192.0.2.1");
    for mishap in [Mishap::LostAfter, Mishap::LostBefore] {
        let mut server = Model::serving(&zone);
        server.mishaps = [mishap].into();
        let outcome = drive(&changes, zone.serial(), RULES, &mut server);
        assert!(outcome.all_taken());
        assert_eq!(server.zone(Serial(7)), changes.apply(&zone).unwrap());
        let turns = outcome.turns.join(" ");
        match mishap {
            Mishap::LostAfter => assert_eq!(turns, "soa write look ttl"),
            _ => assert_eq!(turns, "soa write look ttl write"),
        }
    }
}

#[test]
fn what_is_neither_as_before_nor_as_after_a_lost_answer_is_unknown() {
    let changes = changes(SERVED, WANTED);
    let mut server = Model::serving(&actual(&SERVED.replace("192.0.2.1", "192.0.2.77")));
    server.mishaps = [Mishap::LostBefore].into();
    let outcome = drive(&changes, None, COMPARE, &mut server);
    insta::assert_snapshot!(outcome.text(&changes), @r"
    soa write look look look look look look look look write look look write
    a.example.com. A unknown: A of `a.example.com.`: no answer; what is served now is neither what was planned from nor what was planned
    c.example.com. TXT taken
    c.example.com. CNAME taken
    d.example.com. CNAME taken
    d.example.com. A taken
    e.example.com. A taken
    b.example.com. A taken
    ");
}

#[test]
fn what_needs_something_that_comes_later_is_tried_once_more() {
    let wanted = "a 60 MX 1 z
        b 60 A 192.0.2.2
        c 60 MX 1 nobody
        z 60 A 192.0.2.1";
    let changes = changes("", wanted);
    let zone = actual("");
    let mut server = Model::serving(&zone);
    server.checks_mx = true;
    let outcome = drive(&changes, zone.serial(), RULES, &mut server);
    insta::assert_snapshot!(outcome.text(&changes), @r"
    soa write write write write write write write write write
    a.example.com. MX taken
    b.example.com. A taken
    c.example.com. MX refused: MX of `c.example.com.`: the server does not allow it, and its log says why; BIND needs `allow-update` or `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE` (REFUSED)
    z.example.com. A taken
    ");
}

#[test]
fn a_cname_takes_the_place_of_data_that_the_server_has_signed() {
    insta::assert_snapshot!(told(COMPARE, |server| server.signs = true), @r"
    soa write write write write signatures signatures write write
    all taken
    ");
    // Where it was so once it is expected: nothing is taken apart for the next names.
    let served: String = (0..200)
        .map(|at| format!("n{at} 60 A 192.0.2.1\n"))
        .collect();
    let wanted: String = (0..200).map(|at| format!("n{at} 60 CNAME a\n")).collect();
    let changes = changes(&served, &wanted);
    let zone = actual(&served);
    let mut server = Model::serving(&zone);
    server.signs = true;
    let outcome = drive(&changes, zone.serial(), RULES, &mut server);
    assert!(outcome.all_taken(), "{}", outcome.text(&changes));
    assert_eq!(server.zone(Serial(7)), changes.apply(&zone).unwrap());
    assert!(server.updates < 30, "{} messages", server.updates);
}

#[test]
fn what_another_writer_adds_beside_what_a_cname_replaces_is_never_deleted() {
    let changes = changes("c 60 TXT served", "c 60 CNAME a");
    let other = Rtype(65_280);
    // Whenever the other writer comes: before the first message, or between the signatures and the second.
    for mishaps in [&[Mishap::Joined][..], &[Mishap::None, Mishap::Joined]] {
        let mut server = Model::serving(&actual("c 60 TXT served"));
        server.signs = true;
        server.mishaps = mishaps.iter().copied().collect();
        let outcome = drive(&changes, None, COMPARE, &mut server);
        let owner = name("c.example.com.");
        assert!(server.ttl(owner.as_ref(), other).is_some());
        assert!(server.ttl(owner.as_ref(), Rtype::TXT).is_some());
        let text = "all refused: TXT, CNAME of `c.example.com.`";
        assert!(
            outcome.text(&changes).contains(text),
            "{}",
            outcome.text(&changes)
        );
    }
    // A server that does not sign deletes what is planned, and no more.
    let mut server = Model::serving(&actual("c 60 TXT served"));
    server.mishaps = [Mishap::Joined].into();
    drive(&changes, None, COMPARE, &mut server);
    assert!(server.ttl(name("c.example.com.").as_ref(), other).is_some());
}
