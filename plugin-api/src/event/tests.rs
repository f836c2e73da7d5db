use serde_json::Value;

use super::*;
use crate::dns::{Ttl, Zone, ZoneBuilder};

/// The zone of one RRset that a vector has as JSON.
fn zone(records: &Value) -> Zone {
    let text = |key: &str| records[key].as_str().expect("a text");
    let ttl = records["ttl"]
        .as_u64()
        .and_then(|ttl| u32::try_from(ttl).ok());
    let ttl = Ttl::from_secs(ttl.expect("a TTL")).expect("in range");
    let mut builder = ZoneBuilder::new("b.com".parse().expect("a name"));
    for rdata in records["rrdatas"].as_array().expect("a list") {
        let rdata = rdata.as_str().expect("a text");
        builder
            .push_text(text("name"), ttl, text("type"), rdata)
            .expect("the record is good");
    }
    let zone = builder.build_actual().expect("the zone is good");
    Zone::clone(&zone)
}

fn line(action: &str, records: &Value, now: &str) -> String {
    let direction = match action {
        "additions" => Direction::Addition,
        _ => Direction::Deletion,
    };
    let zone = zone(records);
    let rrset = zone.rrsets().next().expect("one RRset");
    let mut out = Vec::new();
    let now: Timestamp = now.parse().expect("a time");
    write(&mut out, direction, rrset, now.into()).expect("memory takes all");
    String::from_utf8(out).expect("JSON is UTF-8")
}

#[test]
fn lines_are_those_that_the_original_published() {
    // One answer of the original has a number that is no JSON.
    let text = include_str!("../../../tests/vectors/event-messages.json").replace(": NaN", ": 0");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let mut checked = 0;
    for case in document["vectors"].as_array().expect("a list") {
        let input = &case["input"];
        let changes = input["changes"].as_array();
        let published = case["expect"]["published"].as_array();
        let (Some(changes), Some(published)) = (changes, published) else {
            continue;
        };
        for (change, expected) in changes.iter().zip(published) {
            let line = line(
                change["action"].as_str().expect("a text"),
                &change["resourceRecords"],
                input["now"].as_str().expect("a text"),
            );
            let (got, expected) = (reordered(&line), expected["data"].as_str().expect("a text"));
            assert_eq!(got, reordered(expected), "{}", case["id"]);
            checked += 1;
        }
    }
    assert!(checked >= 4, "only {checked} lines were compared");
}

/// The line as a JSON value with its values sorted: their order means nothing in DNS.
fn reordered(line: &str) -> Value {
    let mut value: Value = serde_json::from_str(line).expect("JSON");
    if let Some(values) = value["resourceRecords"]["rrdatas"].as_array_mut() {
        values.sort_by_key(ToString::to_string);
    }
    value
}

#[test]
fn fields_order_spacing_and_time_are_the_originals() {
    let records = serde_json::json!({
        "name": "a.b.com.", "type": "TXT", "rrdatas": ["\"x y\""], "ttl": 300
    });
    assert_eq!(
        line("deletions", &records, "2026-11-22T14:00:39.328493Z"),
        "{\"resourceRecords\": {\"name\": \"a.b.com.\", \"type\": \"TXT\", \
         \"rrdatas\": [\"\\\"x y\\\"\"], \"kind\": \"dns#resourceRecordSet\", \"ttl\": 300}, \
         \"action\": \"deletions\", \"timestamp\": \"2026-11-22T14:00:39.328493\"}"
    );
    let whole = line("deletions", &records, "2018-01-01T11:30:00Z");
    assert!(
        whole.ends_with("\"timestamp\": \"2018-01-01T11:30:00\"}"),
        "{whole}"
    );
}

#[test]
fn the_service_takes_what_its_schema_has_and_nothing_at_the_apex() {
    let judged = |owner: &str, ttl: u32, rtype: &str, rdata: &str| {
        let mut builder = ZoneBuilder::new("b.com".parse().expect("a name"));
        let ttl = Ttl::from_secs(ttl).expect("in range");
        builder
            .push_text(owner, ttl, rtype, rdata)
            .expect("the record is good");
        let zone = builder.build_actual().expect("the zone is good");
        let rrset = zone.rrsets().next().expect("one RRset");
        fitness(zone.apex(), rrset).map_err(|unfit| unfit.to_string())
    };
    for (rtype, rdata) in [
        ("A", "192.0.2.1"),
        ("AAAA", "2001:db8::1"),
        ("CNAME", "c"),
        ("MX", "1 c"),
        ("NS", "c"),
        ("PTR", "c"),
        ("SOA", "c c 1 2 3 4 5"),
        ("SRV", "1 2 3 c"),
        ("TXT", "c"),
    ] {
        assert_eq!(judged("a", 300, rtype, rdata), Ok(()), "{rtype}");
    }
    let refused = |text: &str| Err(format!("the Gordon service takes no {text}"));
    for (rtype, rdata) in [("CAA", "0 issue c"), ("SPF", "c"), ("TYPE65280", "\\# 0")] {
        assert_eq!(judged("a", 300, rtype, rdata), refused(rtype));
    }
    assert_eq!(judged("@", 300, "TXT", "c"), refused("changes at the apex"));
    assert_eq!(judged("a", 60, "TXT", "c"), Ok(()));
    assert_eq!(judged("a", 86400, "TXT", "c"), Ok(()));
    for ttl in [0, 59, 86401] {
        let text = format!("TTL of {ttl} seconds, only 60 to 86400");
        assert_eq!(judged("a", ttl, "TXT", "c"), refused(&text));
    }
}
