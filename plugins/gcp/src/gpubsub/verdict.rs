//! What an answer to a publishing means.

use bytes::Bytes;
use janitor_plugin_api::in_one_line;
use serde::Deserialize;

use super::topic::Topic;
use crate::http::Fault;

/// What became of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Pub/Sub has all of it, each message by this ID.
    Acknowledged(Vec<String>),
    /// Nothing of it was taken, because of something in it; others may be.
    Unfit(String),
    /// Nothing of it was taken, and nothing that follows would be.
    Refused(String),
    /// Nobody can tell what was taken.
    Unknown(String),
}

/// The answer to a publishing (`PublishResponse`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Acknowledgement {
    #[serde(default)]
    message_ids: Vec<String>,
}

impl Verdict {
    /// What the answer to so many messages for `topic` means.
    pub(super) fn of(answer: Result<Bytes, Fault>, messages: usize, topic: &Topic) -> Self {
        let cannot = |why: &str| format!("cannot publish to `{topic}`: {why}");
        let body = match answer {
            Ok(body) => body,
            Err(fault) => {
                let why = cannot(&with_hint(&fault));
                return match fault.answered() {
                    _ if fault.may_have_been_done() => Self::Unknown(why),
                    // The request is as Pub/Sub wants it but for what the messages themselves are: too
                    // large, or not as the schema of the topic has them.
                    Some(400 | 413) => Self::Unfit(why),
                    _ => Self::Refused(why),
                };
            }
        };
        match serde_json::from_slice(&body) {
            Ok(Acknowledgement { message_ids }) if message_ids.len() == messages => {
                Self::Acknowledged(message_ids)
            }
            Ok(Acknowledgement { message_ids }) => {
                let ids = message_ids.len();
                Self::Unknown(cannot(&format!(
                    "of {messages} messages in a request {ids} were acknowledged, and nobody can tell \
                     which"
                )))
            }
            Err(error) => Self::Unknown(cannot(&format!(
                "the answer is no acknowledgement: {error}"
            ))),
        }
    }
}

/// What went wrong, and what to do about it.
fn with_hint(fault: &Fault) -> String {
    let own = match (fault.answered(), fault.reason()) {
        (Some(403), None | Some("" | "forbidden" | "PERMISSION_DENIED")) => {
            "the account needs the permission pubsub.topics.publish there, as the role Pub/Sub Publisher \
             has it"
        }
        (Some(404), _) => "create the topic, or have it created with create_topic = true",
        _ => "",
    };
    let hint = match own {
        "" => fault.hint(),
        own => Some(own.to_owned()),
    };
    match hint {
        Some(hint) => format!("{} ({hint})", in_one_line(fault)),
        None => in_one_line(fault),
    }
}
