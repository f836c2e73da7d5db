//! The behaviour of the Python original as data.

use super::{Number, Value};

/// The vectors of one relay.
pub(super) fn of(relay: &str) -> Vec<serde_json::Value> {
    let text = include_str!("../../tests/vectors/metrics-relays.json");
    let document: serde_json::Value = serde_json::from_str(text).unwrap();
    let vectors = document["vectors"].as_array().unwrap();
    let own = vectors
        .iter()
        .filter(|case| case["input"]["relay"] == relay);
    own.cloned().collect()
}

/// A number; one is what `incr` adds if nothing is said.
pub(super) fn number(json: Option<&serde_json::Value>) -> Number {
    match json {
        None => Number::Integer(1),
        Some(json) => json
            .as_i64()
            .map_or_else(|| Number::Float(json.as_f64().unwrap()), Number::from),
    }
}

fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::None,
        serde_json::Value::Bool(boolean) => Value::Boolean(*boolean),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        other => Value::Number(number(Some(other))),
    }
}

/// A context in the order of the file, which `serde_json`'s map does not keep: `position` finds where
/// a name stands in what is expected.
pub(super) fn context(
    json: &serde_json::Value,
    position: impl Fn(&str) -> Option<usize>,
) -> Vec<(&str, Value)> {
    let mut context: Vec<_> = json
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, json)| (name.as_str(), value(json)))
        .collect();
    context.sort_by_key(|(name, _)| position(name));
    context
}
