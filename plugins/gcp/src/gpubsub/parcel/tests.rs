use janitor_plugin_api::dns::{Changes, ChangesBuilder, Ttl};
use serde_json::Value;

use super::*;

/// 2018-01-01, half past eleven.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_514_806_200)
}

/// The changes from `- owner ttl type rdata` and `+ …`, a line each.
fn changes(apex: &str, lines: &str) -> Changes {
    let mut changes = ChangesBuilder::new(apex.parse().expect("a name"));
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.splitn(5, ' ');
        let mut word = || words.next().expect("sign, owner, TTL, type and rdata");
        let (sign, owner, ttl, rtype, rdata) = (word(), word(), word(), word(), word());
        let side = match sign {
            "-" => changes.deletions(),
            _ => changes.additions(),
        };
        let ttl = Ttl::from_secs(ttl.parse().expect("a TTL")).expect("in range");
        side.push_text(owner, ttl, rtype, rdata)
            .expect("the record is good");
    }
    changes.build().expect("the changes are good")
}

/// What is made of changes that are all at one owner.
fn sorted(changes: &Changes) -> Sorted {
    let at_owner = (0..).zip(changes).collect::<Vec<_>>();
    Sorter::of(changes, true).sort(&at_owner, now())
}

/// What is sent, as action, owner, type, TTL and values, and why the rest is not.
fn told(changes: &Changes) -> (Vec<String>, Vec<String>) {
    let sorted = sorted(changes);
    let mut sent = Vec::new();
    if let Some(parcel) = sorted.parcel {
        for (message, (number, direction)) in decoded(&parcel).into_iter().zip(&parcel.messages) {
            assert_eq!(message["action"], direction.action());
            let change = changes
                .iter()
                .nth(*number as usize)
                .expect("there is such a change");
            let records = &message["resourceRecords"];
            assert_eq!(records["name"], change.owner().to_string());
            sent.push(format!(
                "{} {} {} {}",
                direction.action(),
                records["type"].as_str().expect("a text"),
                records["ttl"],
                records["rrdatas"]
            ));
        }
    }
    let mut left_out = sorted.left_out;
    left_out.sort();
    let left_out = left_out
        .iter()
        .map(|(number, reason)| format!("{number}: {reason}"));
    (sent, left_out.collect())
}

/// The data of the messages of a parcel, decoded.
fn decoded(parcel: &Parcel) -> Vec<Value> {
    let messages = format!(
        "[{}]",
        String::from_utf8(parcel.json.clone()).expect("text")
    );
    let messages: Vec<Value> = serde_json::from_str(&messages).expect("JSON");
    let data = messages.iter().map(|message| {
        let data = message["data"].as_str().expect("a text");
        serde_json::from_slice(&STANDARD.decode(data).expect("base64")).expect("JSON")
    });
    data.collect()
}

#[test]
fn a_message_is_the_event_to_the_octet_and_has_its_key() {
    let changes = changes("b.com", "+ a 300 A 10.11.12.13");
    let parcel = sorted(&changes).parcel.expect("it is sent");
    let data = "{\"resourceRecords\": {\"name\": \"a.b.com.\", \"type\": \"A\", \
                \"rrdatas\": [\"10.11.12.13\"], \"kind\": \"dns#resourceRecordSet\", \"ttl\": 300}, \
                \"action\": \"additions\", \"timestamp\": \"2018-01-01T11:30:00\"}";
    let data = STANDARD.encode(data);
    let expected = format!(r#"{{"data":"{data}","orderingKey":"b.com. a"}}"#);
    assert_eq!(String::from_utf8(parcel.json), Ok(expected));
}

#[test]
fn without_a_key_a_message_has_nothing_but_its_data() {
    let changes = changes("b.com", "+ a 300 A 10.11.12.13");
    let at_owner = (0..).zip(&changes).collect::<Vec<_>>();
    let sorted = Sorter::of(&changes, false).sort(&at_owner, now());
    let json = String::from_utf8(sorted.parcel.expect("it is sent").json).expect("text");
    let message: Value = serde_json::from_str(&json).expect("JSON");
    let fields = message.as_object().expect("an object").keys();
    assert_eq!(fields.collect::<Vec<_>>(), ["data"]);
}

#[test]
fn an_update_is_a_deletion_and_behind_it_an_addition() {
    let changes = changes(
        "b.com",
        "- a 300 A 192.0.2.1\n+ a 600 A 192.0.2.2\n- a 300 MX 1 c.b.com.\n+ a 300 TXT x",
    );
    let (sent, left_out) = told(&changes);
    assert_eq!(
        sent,
        [
            r#"deletions MX 300 ["1 c.b.com."]"#,
            r#"deletions A 300 ["192.0.2.1"]"#,
            r#"additions A 600 ["192.0.2.2"]"#,
            r#"additions TXT 300 ["\"x\""]"#,
        ]
    );
    assert_eq!(left_out, [""; 0]);
    let parcel = sorted(&changes).parcel.expect("it is sent");
    assert_eq!(parcel.changes().collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn what_the_service_would_drop_is_left_out_and_the_rest_of_the_owner_is_sent() {
    let (sent, left_out) = told(&changes(
        "b.com",
        "- a 300 CAA 0 issue \"x\"\n+ a 300 A 192.0.2.1\n+ a 30 TXT x",
    ));
    assert_eq!(sent, [r#"additions A 300 ["192.0.2.1"]"#]);
    assert_eq!(
        left_out,
        [
            "0: the Gordon service takes no CAA",
            "2: the Gordon service takes no TTL of 30 seconds, only 60 to 86400",
        ]
    );
}

#[test]
fn nothing_is_sent_at_the_apex() {
    let (sent, left_out) = told(&changes("b.com", "+ @ 300 TXT x\n- @ 300 MX 1 c"));
    assert_eq!(sent, [""; 0]);
    assert_eq!(
        left_out,
        [
            "0: the Gordon service takes no changes at the apex",
            "1: the Gordon service takes no changes at the apex",
        ]
    );
}

#[test]
fn a_ttl_that_is_only_served_does_not_keep_its_correction_back() {
    let (sent, left_out) = told(&changes("b.com", "- a 30 A 192.0.2.1\n+ a 300 A 192.0.2.1"));
    assert_eq!(sent, [r#"additions A 300 ["192.0.2.1"]"#]);
    assert_eq!(left_out, [""; 0]);
}

#[test]
fn an_update_to_a_ttl_that_is_not_taken_deletes_nothing() {
    let (sent, left_out) = told(&changes("b.com", "- a 300 NS c\n+ a 172800 NS d"));
    assert_eq!(sent, [""; 0]);
    assert_eq!(
        left_out,
        ["0: the Gordon service takes no TTL of 172800 seconds, only 60 to 86400"]
    );
}

#[test]
fn an_owner_where_something_stays_in_the_way_of_what_is_added_loses_nothing() {
    let in_the_way =
        |stays: &str| format!("the Gordon service would not delete the {stays} that is in its way");
    let (sent, left_out) = told(&changes(
        "b.com",
        "- a 300 A 192.0.2.1\n- a 300 CAA 0 issue \"x\"\n+ a 300 CNAME c",
    ));
    assert_eq!(sent, [""; 0]);
    assert_eq!(
        left_out,
        [
            format!("0: {}", in_the_way("CAA")),
            "1: the Gordon service takes no CAA".to_owned(),
            format!("2: {}", in_the_way("CAA")),
        ]
    );
    let (sent, left_out) = told(&changes(
        "b.com",
        "- a 30 CNAME c\n+ a 300 A 192.0.2.1\n+ a 300 TXT x",
    ));
    assert_eq!(sent, [""; 0]);
    assert_eq!(left_out.len(), 3, "{left_out:?}");
    assert!(left_out[1].ends_with(&in_the_way("CNAME")), "{left_out:?}");
}

#[test]
fn what_a_cname_takes_the_place_of_or_gives_way_to_stays_until_that_can_be_added() {
    let (sent, left_out) = told(&changes(
        "b.com",
        "- a 300 CNAME c\n+ a 30 A 192.0.2.1\n+ a 300 TXT x",
    ));
    assert_eq!(sent, [""; 0]);
    assert_eq!(
        left_out,
        [
            "0: the Gordon service would not add the A that is to take its place",
            "1: the Gordon service takes no TTL of 30 seconds, only 60 to 86400",
            "2: the Gordon service would not add the A that is to take its place",
        ]
    );
    let (sent, left_out) = told(&changes("b.com", "- a 300 A 192.0.2.1\n+ a 30 CNAME c"));
    assert_eq!(sent, [""; 0]);
    assert_eq!(
        left_out[0],
        "0: the Gordon service would not add the CNAME that is to take its place"
    );
    // What may stand beside each other comes and goes by itself.
    let (sent, _) = told(&changes("b.com", "- a 300 A 192.0.2.1\n+ a 30 TXT x"));
    assert_eq!(sent, [r#"deletions A 300 ["192.0.2.1"]"#]);
}

/// What is sent of the changes of a zone, as action, owner and type, and why the rest is not.
fn told_of_zone(changes: &Changes) -> Vec<String> {
    let sorter = Sorter::of(changes, true);
    let mut told = Vec::new();
    for numbered in (0..).zip(changes) {
        let (_, change) = numbered;
        let what = format!(
            "{:?} {} {}",
            change.action(),
            change.owner(),
            change.rtype()
        );
        let sorted = sorter.sort(&[numbered], now());
        match sorted.left_out.first() {
            None => told.push(what),
            Some((_, reason)) => told.push(format!("{what}: {}", reason.word())),
        }
    }
    told
}

#[test]
fn nothing_is_deleted_at_or_below_a_delegation_that_is_not_changed() {
    let delegated = changes(
        "b.com",
        "- sub 300 A 192.0.2.1\n+ sub 172800 NS ns.sub\n+ ns.sub 300 A 192.0.2.1\n\
         - www.sub 300 A 192.0.2.1\n- xsub 300 A 192.0.2.1",
    );
    assert_eq!(
        told_of_zone(&delegated),
        [
            "Deletion sub.b.com. A: delegation",
            "Addition sub.b.com. NS: ttl",
            "Addition ns.sub.b.com. A",
            "Deletion www.sub.b.com. A: delegation",
            "Deletion xsub.b.com. A",
        ]
    );
    // Neither are the addresses of name servers that stay.
    let undelegated = changes(
        "b.com",
        "- sub 172800 NS ns.sub\n- ns.sub 300 A 192.0.2.1\n+ ns.sub 300 TXT x",
    );
    assert_eq!(
        told_of_zone(&undelegated),
        [
            "Deletion ns.sub.b.com. A: delegation",
            "Addition ns.sub.b.com. TXT",
            "Deletion sub.b.com. NS: ttl",
        ]
    );
    // A delegation that the service does change holds up nothing.
    let changed = changes("b.com", "- sub 300 NS ns.sub\n- ns.sub 300 A 192.0.2.1");
    assert_eq!(
        told_of_zone(&changed),
        ["Deletion sub.b.com. NS", "Deletion ns.sub.b.com. A"]
    );
}

#[test]
fn an_owner_with_more_than_a_request_holds_is_left_out() {
    // An RRset of 9.6 MB, which no message of DNS can carry.
    let value = format!("\"{}\"", r"\255".repeat(255));
    let mut lines = String::new();
    for number in 0..7_500 {
        lines.push_str(&format!("+ a 300 TXT \"{number:05}\" {value}\n"));
    }
    lines.push_str("+ a 300 A 192.0.2.1");
    let (sent, left_out) = told(&changes("b.com", &lines));
    assert_eq!(sent, [""; 0]);
    assert_eq!(
        left_out,
        [
            "0: Pub/Sub takes no more than 10000000 octets at once",
            "1: Pub/Sub takes no more than 10000000 octets at once",
        ]
    );
}

#[test]
fn ordering_keys_are_zone_and_owner_and_never_too_long() {
    let key = |apex: &str, owner: &str| {
        let apex: Name = apex.parse().expect("a name");
        let owner = Name::from_text(owner, apex.as_ref()).expect("a name");
        ordering_key(apex.as_ref(), owner.as_ref())
    };
    assert_eq!(key("example.com", "www"), "example.com. www");
    assert_eq!(key("example.com", "*.a"), "example.com. *.a");
    assert_eq!(key("example.com", r"a\.b"), r"example.com. a\.b");
    assert_eq!(key("example.com", r"a\ b"), r"example.com. a\032b");
    assert_eq!(key("example.com", r"a\."), r"example.com. a\.");
    assert_eq!(key(".", "com"), ". com");
    // The same owner in another zone is another key.
    assert_eq!(key("b.example.com", "www"), "b.example.com. www");
    assert_eq!(key("example.com", "www.b"), "example.com. www.b");

    // 255 octets of wire form, each of them written with four characters.
    let label = |octets: usize| r"\255".repeat(octets);
    let owner = format!("{}.{}.{}", label(63), label(63), label(63));
    let longest = key(&label(61), &owner);
    assert_eq!(longest.len(), 1_004);
}
