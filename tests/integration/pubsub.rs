//! `gcp.gpubsub` with Google's emulator of Pub/Sub: what a subscriber really gets.
//!
//! What the real service does and the emulator does not (quotas, refusals for what an account may not do,
//! answers that go wrong) is tested with the fake.

mod events;
mod relay;

use std::collections::BTreeMap;

use serde_json::Value;

use self::events::judge;
use self::relay::Relay;
use crate::janitor::{GCP, Janitor, Run, WITHOUT_LIMITS};
use crate::peers::pubsub::{Emulator, Message};

const PROJECT: &str = "example-project";

/// A deployment that publishes to `topic` of the emulator at `host`, with `more` settings.
fn deployment(host: &str, topic: &str, more: &str) -> Janitor {
    Janitor::new()
        .libraries(&["janitor_plugin_files", GCP])
        .publishers(&["gcp.gpubsub"])
        .environment("PUBSUB_EMULATOR_HOST", host)
        .settings(&format!(
            "[gcp.gpubsub]\nproject = '{PROJECT}'\ntopic = '{topic}'\n{more}"
        ))
        .settings(WITHOUT_LIMITS)
}

/// The messages of a topic, all of which the Gordon service takes.
fn pull(emulator: &Emulator, topic: &str, count: usize) -> Vec<Message> {
    let messages = emulator.pull(PROJECT, topic, count);
    judge(&messages);
    messages
}

/// A message in short: action, owner, type, TTL and values.
fn in_short(message: &Message) -> String {
    let event = message.json();
    let records = &event["resourceRecords"];
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    format!(
        "{} {} {} {} {}",
        text(&event["action"]),
        text(&records["name"]),
        records["ttl"],
        text(&records["type"]),
        records["rrdatas"]
    )
}

/// The lines of the log that hold `text`, without saying each time whose they are.
fn lines(run: &Run, text: &str) -> Vec<String> {
    let log = run.log_with(text).into_iter();
    log.map(|line| line.replace(" plugin=gcp.gpubsub", ""))
        .collect()
}

/// What was told of changes that were not published.
fn not_published(run: &Run) -> Vec<String> {
    let mut lines = run.log_with("ERROR: changes ");
    lines.sort();
    lines
}

#[test]
fn a_correction_arrives_as_the_gordon_service_reads_it() {
    let Some(emulator) = Emulator::shared() else {
        return;
    };
    let topic = emulator.new_topic();
    emulator.create_topic(PROJECT, &topic);
    let run = deployment(&emulator.host(), &topic, "")
        .desired(
            "example.com",
            "new A 192.0.2.1\nwww 600 A 192.0.2.3\nwww A 192.0.2.2",
        )
        .served("example.com", "old TXT \"a b\"\nwww A 192.0.2.1")
        .run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());

    let messages = pull(emulator, &topic, 4);
    // Nothing is said of the order of different owners.
    let mut of_www = messages.clone();
    of_www.retain(|message| message.key == "example.com. www");
    assert_eq!(
        of_www.iter().map(in_short).collect::<Vec<_>>(),
        [
            r#"deletions www.example.com. 300 A ["192.0.2.1"]"#,
            r#"additions www.example.com. 600 A ["192.0.2.2","192.0.2.3"]"#,
        ]
    );
    let mut all = messages.iter().map(in_short).collect::<Vec<_>>();
    all.sort();
    assert_eq!(all[0], r#"additions new.example.com. 300 A ["192.0.2.1"]"#);
    assert_eq!(all[2], r#"deletions old.example.com. 300 TXT ["\"a b\""]"#);

    // To the octet, but for the time; and nothing else.
    let message = messages
        .iter()
        .find(|message| message.key == "example.com. old");
    let message = message.expect("it is there");
    let (text, timestamp) = message
        .data
        .split_once("\"timestamp\": ")
        .expect("the time comes last");
    assert_eq!(
        text,
        "{\"resourceRecords\": {\"name\": \"old.example.com.\", \"type\": \"TXT\", \
         \"rrdatas\": [\"\\\"a b\\\"\"], \"kind\": \"dns#resourceRecordSet\", \"ttl\": 300}, \
         \"action\": \"deletions\", "
    );
    assert_eq!(timestamp.len(), "\"2026-11-22T14:00:39.328493\"}".len());
    assert_eq!(message.more, serde_json::json!({}));

    assert_eq!(
        lines(&run, "Google Pub/Sub"),
        ["INFO: Finished sending reconciliation messages to Google Pub/Sub."]
    );
    let told = run.log_with("emulator");
    assert_eq!(told.len(), 1, "{told:?}");
    let measured = lines(&run, "'result': ");
    assert_eq!(
        measured,
        [
            "INFO: [pubsub-messages] value: 4 context: {'result': 'acknowledged'}",
            "INFO: [change-message] value: 2 context: {'plugin': 'gcp.gpubsub', 'action': 'deletions', 'result': 'published'}",
            "INFO: [change-message] value: 4 context: {'plugin': 'gcp.gpubsub', 'action': 'additions', 'result': 'published'}",
        ]
    );
}

/// Addresses for thousands of hosts.
fn hosts(address: &str) -> String {
    let hosts = (0..1500).map(|number| format!("h{number} A {address}\n"));
    hosts.collect()
}

/// The actions that were published for each owner of a topic, in order. There are 3,000 of them.
fn actions_by_owner(emulator: &Emulator, topic: &str) -> BTreeMap<String, Vec<String>> {
    let mut by_owner = BTreeMap::<_, Vec<_>>::new();
    for message in pull(emulator, topic, 3000) {
        let event = message.json();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let actions = by_owner.entry(text(&event["resourceRecords"]["name"]));
        actions.or_default().push(text(&event["action"]));
    }
    by_owner
}

#[test]
fn thousands_of_changes_arrive_once_each_and_in_order() {
    let Some(emulator) = Emulator::shared() else {
        return;
    };
    let topic = emulator.new_topic();
    emulator.create_topic(PROJECT, &topic);
    let run = deployment(&emulator.host(), &topic, "timeout = 60")
        .desired("example.com", &hosts("192.0.2.2"))
        .served("example.com", &hosts("192.0.2.1"))
        .run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    let by_owner = actions_by_owner(emulator, &topic);
    assert_eq!(by_owner.len(), 1500);
    for (owner, actions) in by_owner {
        assert_eq!(actions, ["deletions", "additions"], "{owner}");
    }
    // A request has one ordering key.
    let requests = lines(&run, "[gcp-requests]");
    assert!(requests[0].contains("value: 1500 "), "{requests:?}");
}

#[test]
fn without_ordering_keys_messages_have_none_and_share_requests() {
    let Some(emulator) = Emulator::shared() else {
        return;
    };
    let topic = emulator.new_topic();
    emulator.create_topic(PROJECT, &topic);
    let more = "timeout = 60\nordering_key = false";
    let run = deployment(&emulator.host(), &topic, more)
        .desired("example.com", &hosts("192.0.2.2"))
        .served("example.com", &hosts("192.0.2.1"))
        .run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    let messages = pull(emulator, &topic, 3000);
    assert!(messages.iter().all(|message| message.key.is_empty()));
    let requests = lines(&run, "[gcp-requests]");
    assert!(requests[0].contains("value: 3 "), "{requests:?}");
}

#[test]
fn owners_of_the_same_name_in_several_zones_have_keys_of_their_own() {
    let Some(emulator) = Emulator::shared() else {
        return;
    };
    let topic = emulator.new_topic();
    emulator.create_topic(PROJECT, &topic);
    let run = deployment(&emulator.host(), &topic, "")
        .desired("example.com", "www A 192.0.2.1")
        .served("example.com", "")
        .desired("example.net", "www A 192.0.2.1\n*.a A 192.0.2.1")
        .served("example.net", "")
        .run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    let mut keys = pull(emulator, &topic, 3);
    keys.sort_by(|one, other| one.key.cmp(&other.key));
    let keys = keys.iter().map(|message| message.key.as_str());
    assert_eq!(
        keys.collect::<Vec<_>>(),
        ["example.com. www", "example.net. *.a", "example.net. www"]
    );
}

#[test]
fn a_topic_of_another_project_is_taken_as_it_is_written() {
    let Some(emulator) = Emulator::shared() else {
        return;
    };
    let topic = emulator.new_topic();
    emulator.create_topic("other-project", &topic);
    let whole = format!("projects/other-project/topics/{topic}");
    let run = deployment(&emulator.host(), &whole, "")
        .desired("example.com", "www A 192.0.2.1")
        .served("example.com", "")
        .run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    let messages = emulator.pull("other-project", &topic, 1);
    assert_eq!(
        in_short(&messages[0]),
        r#"additions www.example.com. 300 A ["192.0.2.1"]"#
    );
}

#[test]
fn a_topic_that_is_not_there_refuses_everything_and_says_what_to_do() {
    let Some(emulator) = Emulator::shared() else {
        return;
    };
    let topic = emulator.new_topic();
    let run = deployment(&emulator.host(), &topic, "")
        .desired("example.com", "www A 192.0.2.1\nnew A 192.0.2.1")
        .served("example.com", "")
        .run();
    assert_eq!(run.exit_code(), 1, "{}", run.stderr());
    assert!(!emulator.has_topic(PROJECT, &topic));
    let told = not_published(&run).join("\n").replace(&topic, "TOPIC");
    insta::assert_snapshot!(told, @r#"ERROR: changes were not applied zone=example.com. publisher=gcp.gpubsub refused=2 unknown=0 reason="cannot publish to `projects/example-project/topics/TOPIC`: the service answers 404 (NOT_FOUND): Topic not found (create the topic, or have it created with create_topic = true)""#);
}

#[test]
fn a_topic_is_created_if_that_is_asked_for_and_used_if_it_is_there() {
    let Some(emulator) = Emulator::shared() else {
        return;
    };
    let topic = emulator.new_topic();
    let janitor = deployment(&emulator.host(), &topic, "create_topic = true")
        .desired("example.com", "www A 192.0.2.1")
        .served("example.com", "");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert!(emulator.has_topic(PROJECT, &topic));
    assert_eq!(run.log_with("INFO: created the topic").len(), 1);

    emulator.subscribe(PROJECT, &topic);
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_eq!(run.log_with("created the topic"), [""; 0]);
    assert_eq!(pull(emulator, &topic, 1)[0].key, "example.com. www");
}

#[test]
fn a_run_without_changes_creates_nothing_and_asks_for_nothing() {
    let Some(emulator) = Emulator::shared() else {
        return;
    };
    let topic = emulator.new_topic();
    let run = deployment(&emulator.host(), &topic, "create_topic = true")
        .desired("example.com", "www A 192.0.2.1")
        .served("example.com", "www A 192.0.2.1")
        .run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert!(!emulator.has_topic(PROJECT, &topic));
}

#[test]
fn what_the_gordon_service_would_drop_is_left_out_told_and_fails_the_run() {
    let Some(emulator) = Emulator::shared() else {
        return;
    };
    let topic = emulator.new_topic();
    emulator.create_topic(PROJECT, &topic);
    let run = deployment(&emulator.host(), &topic, "")
        .desired(
            "example.com",
            "www A 192.0.2.1\n@ MX 10 mail\nmail A 192.0.2.1\nmail CAA 0 issue \"x\"\n\
             short 30 A 192.0.2.1\nsub 172800 NS ns.example.net.",
        )
        .served("example.com", "")
        .run();
    assert_eq!(run.exit_code(), 1, "{}", run.stderr());
    let mut sent = pull(emulator, &topic, 2)
        .iter()
        .map(in_short)
        .collect::<Vec<_>>();
    sent.sort();
    assert_eq!(
        sent,
        [
            r#"additions mail.example.com. 300 A ["192.0.2.1"]"#,
            r#"additions www.example.com. 300 A ["192.0.2.1"]"#,
        ]
    );
    let told = [
        lines(&run, "WARNING: changes were left out"),
        not_published(&run),
        lines(&run, "[pubsub-"),
    ];
    insta::assert_snapshot!(told.concat().join("\n"), @r#"
    WARNING: changes were left out, as nothing would come of publishing them; [core.scope] takes them out of what is managed zone=example.com. changes=4 reasons="1 because the Gordon service takes no CAA; 1 because the Gordon service takes no changes at the apex; 1 because the Gordon service takes no TTL of 30 seconds, only 60 to 86400; 1 because the Gordon service takes no TTL of 172800 seconds, only 60 to 86400" first="example.com. MX, mail.example.com. CAA, short.example.com. A"
    ERROR: changes were not applied zone=example.com. publisher=gcp.gpubsub refused=4 unknown=0 reason="the Gordon service takes no changes at the apex; the Gordon service takes no CAA; the Gordon service takes no TTL of 30 seconds, only 60 to 86400; the Gordon service takes no TTL of 172800 seconds, only 60 to 86400"
    INFO: [pubsub-changes-left-out] value: 1 context: {'reason': 'apex'}
    INFO: [pubsub-changes-left-out] value: 3 context: {'reason': 'ttl'}
    INFO: [pubsub-changes-left-out] value: 4 context: {'reason': 'type'}
    INFO: [pubsub-messages] value: 2 context: {'result': 'acknowledged'}
    "#);
}

#[test]
fn of_an_emulator_that_dies_in_mid_run_the_outcome_is_told_change_by_change() {
    let Some(emulator) = Emulator::start() else {
        return;
    };
    let topic = emulator.new_topic();
    emulator.create_topic(PROJECT, &topic);
    // The second request gets as far as to the emulator's door.
    let relay = Relay::before(&emulator.host(), b"POST /v1/", 2, emulator.killer());
    let run = deployment(&relay.host(), &topic, "at_once = 1\ndeadline = 5")
        .desired("example.com", "a A 192.0.2.1\nb A 192.0.2.1\nc A 192.0.2.1")
        .served("example.com", "")
        .run();
    assert_eq!(run.exit_code(), 1, "{}", run.stderr());
    let told = not_published(&run);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("refused=1 unknown=1"), "{told:?}");
    assert_eq!(
        lines(&run, "[pubsub-messages]"),
        [
            "INFO: [pubsub-messages] value: 1 context: {'result': 'acknowledged'}",
            "INFO: [pubsub-messages] value: 2 context: {'result': 'refused'}",
            "INFO: [pubsub-messages] value: 3 context: {'result': 'unknown'}",
        ]
    );
}
