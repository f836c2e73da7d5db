//! What the original published, from what it was given.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use janitor_plugin_api::dns::{Changes, ChangesBuilder, Ttl};
use serde_json::Value;

use super::*;

/// The changes that a vector has as messages, in the zone above their owner.
fn changes(messages: &[Value]) -> Changes {
    let mut changes = ChangesBuilder::new("b.com".parse().expect("a name"));
    for message in messages {
        let side = match message["action"].as_str() {
            Some("additions") => changes.additions(),
            _ => changes.deletions(),
        };
        let records = &message["resourceRecords"];
        let text = |key: &str| records[key].as_str().expect("a text");
        let ttl = records["ttl"]
            .as_u64()
            .and_then(|ttl| u32::try_from(ttl).ok());
        let ttl = Ttl::from_secs(ttl.expect("a TTL")).expect("in range");
        for rdata in records["rrdatas"].as_array().expect("a list") {
            let rdata = rdata.as_str().expect("a text");
            side.push_text(text("name"), ttl, text("type"), rdata)
                .expect("the record is good");
        }
    }
    changes.build().expect("the changes are good")
}

/// Where the messages for a vector go, and the data of each.
fn published(
    config: &Value,
    messages: &[Value],
    now: &str,
) -> Result<(String, Vec<String>), Error> {
    let text = |key: &str| config[key].as_str().unwrap_or_default();
    let topic = Topic::of(text("project"), text("topic"))?;
    let changes = changes(messages);
    let at_owner = (0..).zip(&changes).collect::<Vec<_>>();
    let now: jiff::Timestamp = now.parse().expect("a time");
    let sorted = Sorter::of(&changes, true).sort(&at_owner, now.into());
    assert_eq!(sorted.left_out, []);
    let json = sorted.parcel.map(|parcel| parcel.json).unwrap_or_default();
    let json = format!("[{}]", String::from_utf8(json).expect("text"));
    let messages: Vec<Value> = serde_json::from_str(&json).expect("JSON");
    let data = messages.iter().map(|message| {
        let data = message["data"].as_str().expect("a text");
        String::from_utf8(STANDARD.decode(data).expect("base64")).expect("text")
    });
    Ok((topic.to_string(), data.collect()))
}

/// A message with its values sorted: their order means nothing in DNS, and is ours.
fn sorted(text: &str) -> String {
    let value: Value = serde_json::from_str(text).expect("JSON");
    let values = value["resourceRecords"]["rrdatas"]
        .as_array()
        .expect("a list");
    let mut texts = values.iter().map(ToString::to_string).collect::<Vec<_>>();
    let list = texts.join(", ");
    texts.sort();
    let (before, after) = text.split_once(&list).expect("they stand there like that");
    format!("{before}{}{after}", texts.join(", "))
}

#[test]
fn topics_and_messages_are_those_of_the_original_to_the_octet() {
    // One answer of the original has a number that is no JSON.
    let text =
        include_str!("../../../../tests/vectors/event-messages.json").replace(": NaN", ": 0");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let mut checked = 0;
    for case in document["vectors"].as_array().expect("a list") {
        let (input, expected) = (&case["input"], &case["expect"]);
        if input["kind"] != "publish" {
            continue;
        }
        checked += 1;
        let changes = input["changes"].as_array().expect("a list");
        let now = input["now"].as_str().expect("a text");
        let got = published(&input["config"], changes, now);
        if expected["error"].is_string() {
            assert!(got.is_err(), "{}", case["id"]);
            continue;
        }
        let (topic, data) = got.unwrap_or_else(|error| panic!("{}: {error}", case["id"]));
        let published = expected["published"].as_array().expect("a list");
        assert_eq!(data.len(), published.len(), "{}", case["id"]);
        for (data, expected) in data.iter().zip(published) {
            assert_eq!(topic, expected["topic"], "{}", case["id"]);
            let expected = expected["data"].as_str().expect("a text");
            assert_eq!(sorted(data), sorted(expected), "{}", case["id"]);
        }
    }
    assert!(checked >= 5, "only {checked} cases were looked at");
}
