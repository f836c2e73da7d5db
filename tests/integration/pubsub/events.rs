//! Messages, as the Gordon service judges them.

use std::path::Path;

use serde_json::Value;

use crate::peers::fit_schema;
use crate::peers::pubsub::Message;

/// What the service takes, as JSON Schema.
fn schema() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/event.schema.json")
}

/// Judges messages that were published.
///
/// # Panics
///
/// If the service would drop one.
pub(super) fn judge(messages: &[Message]) {
    let room = tempfile::tempdir().expect("a temporary directory can be made");
    // Of thousands that are alike it is enough to look at some.
    let instances = messages.iter().step_by(messages.len().div_ceil(50).max(1));
    let instances = instances
        .map(|message| message.data.clone())
        .collect::<Vec<_>>();
    let Some(verdicts) = fit_schema(&schema(), room.path(), &instances) else {
        return;
    };
    for (instance, fits) in instances.iter().zip(verdicts) {
        assert!(fits, "the Gordon service would drop {instance}");
    }
}

#[test]
fn the_schema_takes_what_the_service_was_seen_to_take_and_nothing_else() {
    // One answer of the original has a number that is no JSON.
    let text = include_str!("../../vectors/event-messages.json").replace(": NaN\n", ": 0\n");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let cases = document["vectors"].as_array().expect("a list").iter();
    let mut names = Vec::new();
    let mut messages = Vec::new();
    let mut expected = Vec::new();
    for case in cases.filter(|case| case["input"]["kind"] == "validate") {
        let input = &case["input"];
        let message = match input["text"].as_str() {
            Some(text) => text.to_owned(),
            None => input["message"].to_string(),
        };
        // What is no JSON is no matter of a schema.
        if serde_json::from_str::<Value>(&message).is_err() {
            assert_eq!(case["expect"]["reason"], "not-json", "{}", case["id"]);
            continue;
        }
        names.push(case["id"].clone());
        messages.push(message);
        expected.push(case["expect"]["accepted"].as_bool().expect("a verdict"));
    }
    assert!(expected.len() > 30, "only {} cases", expected.len());
    assert!(expected.contains(&true) && expected.contains(&false));
    let room = tempfile::tempdir().expect("a temporary directory can be made");
    let Some(verdicts) = fit_schema(&schema(), room.path(), &messages) else {
        return;
    };
    for ((name, verdict), expected) in names.iter().zip(verdicts).zip(expected) {
        assert_eq!(verdict, expected, "{name}");
    }
}
