//! `gcp.gpubsub` and a Pub/Sub that refuses, fails, and says too little.

use janitor_test_google::{Fault, Google, World};

use crate::google::{deployment, google};
use crate::janitor::{Janitor, Run};

const PROJECT: &str = "dns-project";
const TOPIC: &str = "gordon-changes";
const PUBLISH: &str = "POST /v1/projects/dns-project/topics/gordon-changes:publish";

fn world() -> World {
    World::new().topic(PROJECT, TOPIC)
}

/// Three hosts that are to be added, published one after the other.
fn hosts(google: &Google, more: &str) -> Janitor {
    deployment(google)
        .publishers(&["gcp.gpubsub"])
        .desired("example.com", "a A 192.0.2.1\nb A 192.0.2.1\nc A 192.0.2.1")
        .served("example.com", "")
        .settings(&format!(
            "[gcp.gpubsub]\nproject = '{PROJECT}'\ntopic = '{TOPIC}'\nat_once = 1\n{more}"
        ))
}

/// Owners whose messages have arrived, in order.
fn arrived(google: &Google) -> Vec<String> {
    google.world(|world| {
        let messages = world.published(PROJECT, TOPIC).iter();
        let owners = messages.map(|message| {
            let event: serde_json::Value = serde_json::from_slice(&message.data).expect("JSON");
            let name = event["resourceRecords"]["name"].as_str();
            name.expect("a text").replace(".example.com.", "")
        });
        owners.collect()
    })
}

/// What was told of changes that were not accepted.
fn told(run: &Run) -> String {
    let lines = run.log_with("ERROR: changes ").join("\n");
    lines
        .replace("ERROR: changes ", "")
        .replace("zone=example.com. publisher=gcp.gpubsub ", "")
}

#[test]
fn what_pub_sub_acknowledges_is_published() {
    let google = google(world());
    let run = hosts(&google, "").run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_eq!(arrived(&google), ["a", "b", "c"]);
    let keys = google.world(|world| {
        let messages = world.published(PROJECT, TOPIC).iter();
        messages
            .map(|message| message.ordering_key.clone())
            .collect::<Vec<_>>()
    });
    assert_eq!(keys, ["example.com. a", "example.com. b", "example.com. c"]);
    assert!(google.world(|world| {
        let messages = world.published(PROJECT, TOPIC).iter();
        messages
            .clone()
            .all(|message| message.attributes.is_empty())
    }));
    // One token for all of it.
    assert_eq!(google.requests_like("POST /token").len(), 1);
}

#[test]
fn what_passes_is_waited_for_and_told() {
    for fault in [
        Fault::status(429, "RESOURCE_EXHAUSTED"),
        Fault::status(503, "UNAVAILABLE"),
        Fault::status(503, "UNAVAILABLE").retry_after("0"),
    ] {
        let google = google(world());
        google.fault(PUBLISH, fault).times(2);
        let run = hosts(&google, "").run();
        assert_eq!(run.exit_code(), 0, "{}", run.stderr());
        assert_eq!(arrived(&google), ["a", "b", "c"]);
        assert_eq!(run.log_with("request is repeated after a pause").len(), 2);
    }
}

#[test]
fn an_answer_that_is_cut_off_is_asked_for_again_and_a_message_may_come_twice() {
    let google = google(world());
    google.fault(PUBLISH, Fault::CutBody(10)).once();
    let run = hosts(&google, "").run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_eq!(arrived(&google), ["a", "a", "b", "c"]);
}

#[test]
fn an_account_that_may_not_publish_is_told_what_it_lacks_and_nothing_more_is_tried() {
    let google = google(world());
    let fault = Fault::status(403, "PERMISSION_DENIED")
        .saying("User not authorized to perform this action.");
    google.fault(PUBLISH, fault);
    let run = hosts(&google, "").run();
    assert_eq!(run.exit_code(), 1);
    assert_eq!(google.requests_like(PUBLISH).len(), 1);
    insta::assert_snapshot!(told(&run), @r#"were not applied refused=3 unknown=0 reason="cannot publish to `projects/dns-project/topics/gordon-changes`: the service answers 403 (PERMISSION_DENIED): User not authorized to perform this action. (the account needs the permission pubsub.topics.publish there, as the role Pub/Sub Publisher has it)""#);
}

#[test]
fn silence_is_unknown_and_nothing_follows_it() {
    let google = google(world());
    google.fault(PUBLISH, Fault::Silence).after(1);
    let run = hosts(&google, "timeout = 1.0\ndeadline = 2.5").run();
    assert_eq!(run.exit_code(), 1);
    assert_eq!(arrived(&google)[0], "a");
    let told = told(&run);
    assert!(
        told.starts_with("were not applied refused=1 unknown=1"),
        "{told}"
    );
    assert!(
        told.contains("cannot publish to `projects/dns-project/topics/gordon-changes`: "),
        "{told}"
    );
    assert!(
        told.contains("not sent, as publishing had failed"),
        "{told}"
    );
}

#[test]
fn fewer_or_more_acknowledgements_than_messages_leave_everything_in_doubt() {
    for (number, ids) in [(0, "[]"), (2, "[\"1\", \"2\"]")] {
        let google = google(world());
        let ids: serde_json::Value = serde_json::from_str(ids).expect("JSON");
        let fault = Fault::edited(move |answer| answer["messageIds"] = ids.clone());
        google.fault(PUBLISH, fault).nth(2);
        let run = hosts(&google, "").run();
        assert_eq!(run.exit_code(), 1);
        let told = told(&run);
        assert!(
            told.starts_with("were not applied refused=1 unknown=1"),
            "{told}"
        );
        let why = format!("of 1 messages in a request {number} were acknowledged");
        assert!(told.contains(&why), "{told}");
    }
}

#[test]
fn a_message_that_the_topic_does_not_take_fails_for_its_owner_alone() {
    let google = google(world());
    let fault =
        Fault::status(400, "INVALID_ARGUMENT").saying("Request contains an invalid argument.");
    google.fault(PUBLISH, fault).nth(2);
    let run = hosts(&google, "").run();
    assert_eq!(run.exit_code(), 1);
    assert_eq!(arrived(&google), ["a", "c"]);
    insta::assert_snapshot!(told(&run), @r#"were not applied refused=1 unknown=0 reason="cannot publish to `projects/dns-project/topics/gordon-changes`: the service answers 400 (INVALID_ARGUMENT): Request contains an invalid argument.""#);
}

#[test]
fn a_batch_that_the_topic_does_not_take_is_sent_in_halves() {
    let google = google(world());
    let fault = || Fault::status(400, "INVALID_ARGUMENT");
    google.fault(PUBLISH, fault()).nth(1);
    let run = hosts(&google, "ordering_key = false").run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    let counts = google.requests_like(PUBLISH);
    let counts = counts
        .iter()
        .map(|request| request.json()["messages"].as_array().map(Vec::len));
    assert_eq!(counts.collect::<Vec<_>>(), [Some(3), Some(1), Some(2)]);
    assert_eq!(arrived(&google), ["a", "b", "c"]);
}

#[test]
fn a_login_page_in_the_place_of_an_answer_is_no_acknowledgement() {
    let google = google(world());
    google.fault(
        PUBLISH,
        Fault::body("text/html", "<html>Please log in</html>"),
    );
    let run = hosts(&google, "").run();
    assert_eq!(run.exit_code(), 1);
    insta::assert_snapshot!(told(&run), @r#"were not applied refused=2 unknown=1 reason="cannot publish to `projects/dns-project/topics/gordon-changes`: the answer is no JSON object but `text/html`, which begins: <html>Please log in</html> (something else than Google answers, such as a proxy that wants a login: look at `endpoints` and at HTTPS_PROXY); not sent, as publishing had failed before it was their turn""#);
}

#[test]
fn a_cancelled_run_waits_for_what_is_under_way_and_sends_nothing_more() {
    let google = google(world());
    google.fault(PUBLISH, Fault::Silence).nth(1);
    let janitor = hosts(
        &google,
        "cleanup_timeout = 0.2\n[core.logging]\nlevel = 'debug'",
    );
    let mut running = janitor.start(&["run"]);
    running.wait_for(":publish");
    running.signal(rustix::process::Signal::INT);
    let run = running.finish();
    assert_eq!(run.exit_code(), 1);
    assert_eq!(run.status(), "cancelled");
    assert_eq!(google.requests_like(PUBLISH).len(), 1);
    insta::assert_snapshot!(told(&run), @r#"were not applied refused=2 unknown=1 reason="the run was cancelled before their turn; Pub/Sub has not acknowledged them, and the run was cancelled and could not wait for it any longer""#);
}

#[test]
fn settings_that_name_no_topic_are_refused_before_anything_runs() {
    let google = google(world());
    let mut texts = Vec::new();
    for settings in [
        "topic = 'gordon-changes'",
        "project = ''\ntopic = 'gordon-changes'",
        "project = 'dns-project'\ntopic = ''",
        "project = 'dns-project'\ntopic = 'gordon changes'",
    ] {
        let run = deployment(&google)
            .publishers(&["gcp.gpubsub"])
            .settings(&format!("[gcp.gpubsub]\n{settings}"))
            .run();
        assert_eq!(run.exit_code(), 2, "{}", run.stderr());
        let errors = run.errors();
        let is_reason = |line: &&str| line.starts_with("error[") || line.contains("because: ");
        texts.extend(errors.lines().filter(is_reason).map(str::to_owned));
    }
    assert_eq!(google.requests().len(), 0);
    insta::assert_snapshot!(texts.join("\n"), @r#"
    error[GJ410]: [gcp.gpubsub] lacks the required setting "project" (text)
    error[GJ409]: plugin "gcp.gpubsub" does not accept its configuration: cannot use `project`
      because: it is empty
    error[GJ409]: plugin "gcp.gpubsub" does not accept its configuration: cannot use `topic`
      because: it is empty
    error[GJ409]: plugin "gcp.gpubsub" does not accept its configuration: cannot use `topic`
      because: the name of a topic has letters of ASCII, digits, and the characters `-_.~+%` in it, and no ' '
    "#);
}

#[test]
fn a_name_that_pub_sub_would_not_create_is_doubted_and_asked_for() {
    let google = google(World::new().topic(PROJECT, "t"));
    let run = deployment(&google)
        .publishers(&["gcp.gpubsub"])
        .desired("example.com", "a A 192.0.2.1")
        .served("example.com", "")
        .settings(&format!(
            "[gcp.gpubsub]\nproject = '{PROJECT}'\ntopic = 't'"
        ))
        .run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_eq!(
        run.log_with("WARNING: Pub/Sub creates topics only with")
            .len(),
        1
    );
    assert_eq!(google.world(|world| world.published(PROJECT, "t").len()), 1);
}
