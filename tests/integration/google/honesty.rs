//! Whether what stands for Google in the tests is honest: what it says of itself, what its judge says of
//! it, and what Google's own command line makes of it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use janitor_test_google::{Google, Instance, ManagedZone, Response, World};
use serde_json::{Value, json};

use super::{deployment, google, judge};

/// The answer to `request`, as it came, over a connection of its own.
fn asked(google: &Google, request: &str) -> String {
    let mut stream = TcpStream::connect(google.host()).expect("the fake listens");
    let request = format!(
        "{request}\r\nHost: {}\r\nConnection: close\r\n\r\n",
        google.host()
    );
    stream
        .write_all(request.as_bytes())
        .expect("a request can be sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer comes");
    answer
}

#[test]
fn everything_it_answers_fits_googles_documents() {
    let world = World::new()
        .without_tokens()
        .project_that_is("gone", "DELETE_REQUESTED")
        .instance(
            "web",
            Instance::new("www")
                .external("192.0.2.1")
                .tag("a")
                .label("b", "c")
                .metadata("d", "e"),
        )
        .instance("web", Instance::new("six").external_ipv6("2001:db8::1"))
        .managed_zone(
            "dns",
            ManagedZone::public("example.com.").with("www.example.com.", "A", 300, &["192.0.2.1"]),
        )
        .managed_zone("dns", ManagedZone::private("example.net."))
        .topic("tests", "corrections");
    let google = google(world);
    for path in [
        "/v1/projects?pageSize=1",
        "/compute/v1/projects/web/aggregated/instances?maxResults=1",
        "/compute/v1/projects/none/aggregated/instances",
        "/dns/v1/projects/dns",
        "/dns/v1/projects/dns/managedZones?dnsName=example.net.",
        "/dns/v1/projects/dns/managedZones/example-com",
        "/dns/v1/projects/dns/managedZones/example-com/rrsets?maxResults=2",
        "/dns/v1/projects/dns/managedZones/example-com/changes?sortOrder=descending",
        "/dns/v1/projects/dns/managedZones/example-com/changes/0",
        "/v1/projects/tests/topics/corrections",
    ] {
        let answer = asked(&google, &format!("GET {path} HTTP/1.1"));
        assert!(answer.contains("\r\n\r\n{"), "{path}: {answer}");
    }
    assert_eq!(google.take_violations(), [""; 0]);
}

#[test]
fn what_no_document_of_googles_knows_is_told() {
    let world = World::new().without_tokens();
    let google = google(world.instance("web", Instance::new("www")));
    let list = "/compute/v1/projects/web/aggregated/instances";
    for target in [
        format!("{list}?maxResult=1"),
        format!("{list}?maxResults=many"),
        "/compute/v1/projects/web/instances".to_owned(),
    ] {
        asked(&google, &format!("GET {target} HTTP/1.1"));
    }
    let violations = google.take_violations();
    if judge().is_some() {
        insta::assert_snapshot!(violations.join("\n"), @r#"
        GET /compute/v1/projects/web/aggregated/instances?maxResult=1: compute.instances.aggregatedList knows no maxResult
        GET /compute/v1/projects/web/aggregated/instances?maxResults=many: maxResults must be {"minimum":"0","type":"integer"}
        GET /compute/v1/projects/web/instances: no method of Google's
        "#);
    }
}

#[test]
fn an_answer_that_no_document_of_googles_knows_is_told() {
    let Some(judge) = judge() else { return };
    let google = google(
        World::new()
            .without_tokens()
            .instance("web", Instance::new("www")),
    );
    asked(
        &google,
        "GET /compute/v1/projects/web/aggregated/instances HTTP/1.1",
    );
    let request = &google.requests()[0];
    let verdict = |body: Value| {
        let response = Response::new(200, "application/json", body.to_string());
        judge.answer(request, &response).err().unwrap_or_default()
    };

    assert_eq!(
        verdict(json!({"kind": "compute#instanceAggregatedList"})),
        ""
    );
    assert!(
        verdict(json!({"item": {}})).ends_with("('item' was unexpected) at "),
        "{}",
        verdict(json!({"item": {}}))
    );
    let wrong = json!({"items": {"zones/a": {"instances": [{"id": 1}]}}});
    assert!(
        verdict(wrong.clone()).ends_with("at /items/zones~1a/instances/0/id"),
        "{}",
        verdict(wrong)
    );
}

#[test]
fn a_check_of_a_deployment_asks_nobody() {
    let google = google(World::new());
    let run = deployment(&google)
        .authorities(&["gcp.gce"])
        .reconcilers(&["gcp.gdns"])
        .publishers(&["gcp.apply"])
        .settings("[gcp.gce]\ndns_zone = 'example.com.'\n[gcp.gdns]\nproject = 'dns'\n[gcp.apply]\nproject = 'dns'")
        .command(&["check"]);

    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    assert_eq!(google.requests().len(), 0);
}
