//! How much goes into one message, to the octet.

use super::*;

/// TXT values of `octets` octets of rdata in all, their lengths not counted, numbered from `first`.
fn txt(owner: &str, first: usize, count: usize) -> String {
    let values = (first..first + count).map(|at| format!("{owner} 60 TXT {at:0>200}\n"));
    values.collect()
}

#[test]
fn ten_thousand_changes_go_into_as_few_messages_as_there_is_room_in() {
    let wanted: String = (0..10_000)
        .map(|at| format!("n{at} 60 A 192.0.2.1\n"))
        .collect();
    let changes = changes("", &wanted);
    let zone = actual("");
    let mut server = Model::serving(&zone);

    let outcome = drive(&changes, zone.serial(), RULES, &mut server);

    assert!(outcome.all_taken());
    // Two conditions and an RR of 12, 12 and 16 octets and a name: 47 to 54 octets a change.
    assert_eq!(
        (outcome.tally.batches, outcome.tally.extra, server.updates),
        (9, 0, 9)
    );
}

#[test]
fn a_message_may_be_full_to_the_last_octet() {
    let changes = changes("", "a 60 TXT 0123456789");
    let mut server = Model::serving(&actual(""));
    let needed = (12..200)
        .find(|&limit| {
            let rules = Rules {
                limit,
                serial_decides: false,
                ..RULES
            };
            drive(&changes, None, rules, &mut Model::serving(&actual(""))).all_taken()
        })
        .unwrap();
    // Header, zone; no CNAME; no TXT; the TXT.
    assert_eq!(needed, 12 + 17 + (2 + 2 + 10) + (2 + 10) + (2 + 10 + 11));

    let rules = Rules {
        limit: needed - 1,
        serial_decides: false,
        ..RULES
    };
    let outcome = drive(&changes, None, rules, &mut server);
    insta::assert_snapshot!(outcome.text(&changes), @r"
    soa
    all refused: TXT of `a.example.com.`: the change and what it is conditional on have 78 octets, more than the 77 there is room for in a message
    ");
}

#[test]
fn an_rrset_too_large_to_be_sent_twice_is_changed_rr_by_rr() {
    let served = txt("big", 0, 200);
    let changes = changes(&served, &txt("big", 30, 200));
    let zone = actual(&served);
    let mut server = Model::serving(&zone);

    let outcome = drive(&changes, zone.serial(), RULES, &mut server);

    assert!(outcome.all_taken(), "{}", outcome.text(&changes));
    assert_eq!(server.zone(Serial(7)), changes.apply(&zone).unwrap());
    assert_eq!((outcome.tally.batches, outcome.tally.rr_by_rr), (1, 1));
}

#[test]
fn an_rrset_whose_ttl_changes_is_never_changed_rr_by_rr() {
    let served = txt("big", 0, 200);
    let changes = changes(&served, &served.replace(" 60 ", " 300 "));
    let zone = actual(&served);
    let mut server = Model::serving(&zone);

    let outcome = drive(&changes, zone.serial(), RULES, &mut server);

    insta::assert_snapshot!(outcome.text(&changes), @r"
    soa
    all refused: TXT of `big.example.com.`: the change and what it is conditional on have 85318 octets, more than the 65535 there is room for in a message
    ");
    assert_eq!(server.zone(Serial(7)), zone);
}

#[test]
fn an_rrset_without_room_for_its_condition_is_refused_with_its_size() {
    let served = txt("big", 0, 250);
    let changes = changes(
        &served,
        &format!("{}\n small 60 A 192.0.2.1", txt("big", 500, 250)),
    );
    let zone = actual(&served);
    let mut server = Model::serving(&zone);

    let outcome = drive(&changes, zone.serial(), RULES, &mut server);

    insta::assert_snapshot!(outcome.text(&changes), @r"
    soa write
    big.example.com. TXT refused: TXT of `big.example.com.`: the change and what it is conditional on have 159856 octets, more than the 65535 there is room for in a message
    small.example.com. A taken
    ");
}

#[test]
fn the_changes_of_an_owner_stay_in_one_message_as_long_as_they_have_room() {
    let (a, b) = (txt("a", 0, 200), txt("b", 0, 150));
    let wanted = format!("{a}{b}b 60 A 192.0.2.1\nb 60 AAAA 2001:db8::1\n");
    let changes = changes("", &wanted);
    let zone = actual("");
    let mut server = Model::serving(&zone);

    let outcome = drive(&changes, zone.serial(), RULES, &mut server);

    assert!(outcome.all_taken());
    assert_eq!((outcome.tally.batches, outcome.tally.split_owners), (2, 0));
}

#[test]
fn an_owner_that_has_no_room_in_one_message_is_split_and_counted() {
    let types = ["TYPE65280", "TYPE65281", "TYPE65282"];
    let values = |rtype: &str| -> String {
        let value = |at: usize| format!("a 60 {rtype} \\# 200 {at:0>400}\n");
        (0..150).map(value).collect()
    };
    let wanted: String = types.iter().map(|rtype| values(rtype)).collect();
    let changes = changes("", &wanted);
    let zone = actual("");
    let mut server = Model::serving(&zone);

    let outcome = drive(&changes, zone.serial(), RULES, &mut server);

    assert!(outcome.all_taken());
    assert_eq!((outcome.tally.batches, outcome.tally.split_owners), (2, 1));
}
