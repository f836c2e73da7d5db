//! Pub/Sub, as far as publishers see it: <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics>.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::answer::{canonical, json as answer};
use crate::tokens::authorised;
use crate::wire::{Request, Response};
use crate::world::World;

/// "Publish request": <https://cloud.google.com/pubsub/quotas#resource_limits>.
const MOST_MESSAGES: usize = 1000;
const MOST_OCTETS: usize = 10_000_000;
const MOST_KEY_OCTETS: usize = 1024;

/// A message as a subscriber would get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Decoded.
    pub data: Vec<u8>,
    /// Empty where there is none.
    pub ordering_key: String,
    /// As given by the server.
    pub id: String,
    /// Names and values.
    pub attributes: Vec<(String, String)>,
}

/// Whatever is asked of a topic; `verb` is what stands behind its name and a colon.
pub(crate) fn answered(world: &mut World, request: &Request, topic: &str, verb: &str) -> Response {
    if let Err(refused) = authorised(world, request, &["pubsub"]) {
        return refused;
    }
    match (request.method.as_str(), verb) {
        ("GET", "") if world.topics.contains_key(topic) => answer(200, &json!({"name": topic})),
        ("GET", "") => not_found(topic),
        ("PUT", "") if !is_topic(topic) => {
            canonical(400, &format!("Invalid [topics] name: (name={topic})"))
        }
        ("PUT", "") if world.topics.contains_key(topic) => canonical(
            409,
            &format!(
                "Resource already exists in the project (resource={}).",
                last(topic)
            ),
        ),
        ("PUT", "") => {
            world.topics.insert(topic.to_owned(), Vec::new());
            answer(200, &json!({"name": topic}))
        }
        ("POST", "publish") => publish(world, request, topic),
        _ => canonical(404, "Not Found"),
    }
}

fn not_found(topic: &str) -> Response {
    canonical(
        404,
        &format!("Resource not found (resource={}).", last(topic)),
    )
}

fn publish(world: &mut World, request: &Request, topic: &str) -> Response {
    let Some(published) = world.topics.get_mut(topic) else {
        return not_found(topic);
    };
    let body = request.json();
    let messages = body["messages"].as_array().cloned().unwrap_or_default();
    if let Some(wrong) = wrong(&messages, request.body.len()) {
        return canonical(400, &wrong);
    }
    let mut ids = Vec::new();
    for message in &messages {
        let id = (10_000_000_000_000_000 + published.len()).to_string();
        let text = |field: &str| message[field].as_str().unwrap_or_default();
        let attributes = message["attributes"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        let attributes = attributes.into_iter();
        published.push(Message {
            data: BASE64_STANDARD.decode(text("data")).unwrap_or_default(),
            ordering_key: text("orderingKey").to_owned(),
            id: id.clone(),
            attributes: attributes
                .map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned()))
                .collect(),
        });
        ids.push(id);
    }
    answer(200, &json!({"messageIds": ids}))
}

/// Why nothing of a request can be published.
fn wrong(messages: &[Value], octets: usize) -> Option<String> {
    let text =
        |message: &Value, field: &str| message[field].as_str().unwrap_or_default().to_owned();
    if messages.is_empty() {
        return Some(
            "The value for message_count is too small. You passed 0 in the request, but the \
            minimum value is 1."
                .to_owned(),
        );
    }
    if messages.len() > MOST_MESSAGES {
        return Some(format!(
            "The value for message_count is too large. You passed {} in the request, but the maximum value \
             is {MOST_MESSAGES}.",
            messages.len()
        ));
    }
    if octets > MOST_OCTETS {
        return Some(format!(
            "The value for request_size is too large. You passed {octets} in the request, but the maximum \
             value is {MOST_OCTETS}."
        ));
    }
    // PubsubMessage: "If this field is empty, the message must contain at least one attribute."
    let is_empty = |message: &Value| {
        text(message, "data").is_empty()
            && message["attributes"]
                .as_object()
                .is_none_or(serde_json::Map::is_empty)
    };
    if messages.iter().any(is_empty) {
        return Some(
            "Some messages in the request are empty: must have either non-empty data or at least \
            one attribute."
                .to_owned(),
        );
    }
    if messages
        .iter()
        .any(|message| text(message, "orderingKey").len() > MOST_KEY_OCTETS)
    {
        return Some("Ordering key is too large.".to_owned());
    }
    // PubsubMessage: "All `PubsubMessage`s published in a given `PublishRequest` must specify the same
    // `ordering_key` value."
    let first = messages.first().map(|message| text(message, "orderingKey"));
    if messages
        .iter()
        .any(|message| Some(text(message, "orderingKey")) != first)
    {
        return Some(
            "In a single publish request, all messages must have no ordering key or they must all \
            have the same ordering key."
                .to_owned(),
        );
    }
    None
}

/// Topic: "`{topic}` must start with a letter, and contain only letters, numbers, dashes, underscores,
/// periods, tildes, plus or percent signs. It must be between 3 and 255 characters in length, and it must
/// not start with "goog"."
fn is_topic(topic: &str) -> bool {
    let name = last(topic);
    (3..=255).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && !name.starts_with("goog")
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.~+%".contains(c))
}

fn last(topic: &str) -> &str {
    topic.rsplit('/').next().unwrap_or_default()
}
