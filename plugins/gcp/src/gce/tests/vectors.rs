//! The cases of the Python original: `tests/vectors/gce-instances.json`, over HTTP.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::{Rules, Settings, survey};
use super::log::Log;
use crate::auth::Tokens;
use crate::http::Google;
use crate::http::tests::server::{Received, Reply, Server};

/// The page that a request is for: with a token to the next one, if there is one.
fn page_of(pages: &[Value], request: &Received) -> Reply {
    let query = request.query();
    let number: usize = query
        .get("pageToken")
        .map_or(0, |token| token.parse().unwrap());
    let mut page = pages[number].clone();
    if number + 1 < pages.len() {
        page["nextPageToken"] = (number + 1).to_string().into();
    }
    Reply::json(page.to_string())
}

fn answer(input: &Value, request: &Received) -> Reply {
    let refusal = |status: &Value| {
        let status = u16::try_from(status.as_u64().unwrap()).unwrap();
        // So long a pause is no use within any deadline: nothing is repeated.
        let headers = [
            ("Content-Type", "application/json"),
            ("Retry-After", "86400"),
        ];
        Reply::with(status, &headers, r#"{"error": {"message": "no"}}"#)
    };
    let query = request.query();
    let path: Vec<_> = request.path().split('/').skip(1).collect();
    match *path {
        ["v1", "projects"] => {
            assert_eq!(query["pageSize"], "1000");
            match &input["projects_status"] {
                Value::Null => page_of(input["project_pages"].as_array().unwrap(), request),
                status => refusal(status),
            }
        }
        [
            "compute",
            "v1",
            "projects",
            project,
            "aggregated",
            "instances",
        ] => {
            assert_eq!(query["maxResults"], "100");
            match &input["instances"][project] {
                listed if listed.get("status").is_some() => refusal(&listed["status"]),
                listed => page_of(listed["pages"].as_array().unwrap(), request),
            }
        }
        _ => panic!("{}", request.target),
    }
}

/// What the plugin says to the case, in the words of the vectors.
fn outcome(input: &Value) -> Value {
    let Ok(settings) = serde_json::from_value::<Settings>(input["config"].clone()) else {
        return json!({ "error": "config", "messages_before": 0 });
    };
    let Ok(rules) = Rules::new(&settings) else {
        return json!({ "error": "config", "messages_before": 0 });
    };
    let server = Server::start({
        let input = input.clone();
        move |_, request| answer(&input, request)
    });
    let google = Google::testing(&server.url(), Tokens::none());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (done, log) = Log::of(|| runtime.block_on(survey(&google, &rules, &settings)));
    let (projects, findings) = match done {
        Ok(done) => done,
        Err(error) => {
            let told = super::links(&error);
            let status = ["400", "403", "500", "502"]
                .into_iter()
                .find(|status| told.contains(&format!("the service answers {status}")));
            let status = status.unwrap().parse::<u16>().unwrap();
            return json!({ "error": "http-status", "status": status, "messages_before": 0 });
        }
    };
    let mut metrics = Vec::new();
    let context = json!({ "plugin": "gceauthority" });
    metrics.extend(projects.map(|count| json!(["set", "projects", count, context])));
    let mut messages = Vec::new();
    for (zone, finding) in rules.zones.iter().zip(&findings.zones) {
        if finding.rrsets > 0 {
            let context = json!({ "plugin": "gceauthority", "zone": zone.text });
            metrics.push(json!(["set", "rrsets", finding.rrsets, context]));
            messages.push(finding.zone.as_ref().unwrap().to_string());
        }
    }
    let asked: BTreeSet<_> = server
        .received()
        .iter()
        .filter(|request| request.path().starts_with("/compute"))
        .map(|request| request.path().split('/').nth(4).unwrap().to_owned())
        .collect();
    let list_asked = server
        .received()
        .iter()
        .any(|request| request.path() == "/v1/projects");
    let after = |line: &String, before: &str, end: &str| {
        let (_, rest) = line.split_once(before)?;
        Some(rest.split_once(end)?.0.to_owned())
    };
    let left_out = log
        .iter()
        .filter_map(|line| after(line, "instance information for ", " because"));
    let skipped: BTreeSet<_> = log
        .iter()
        .filter_map(|line| after(line, "for project, skipping: ", ": "))
        .collect();
    json!({
        "messages": messages,
        "end_marker": true,
        "instances_left_out": left_out.collect::<Vec<_>>(),
        "projects_skipped": skipped,
        "projects_asked": asked,
        "project_list_asked": list_asked,
        "metrics": metrics,
    })
}

/// What is expected, with the messages as the zones that they make: records of one name and type are
/// one RRset, in which each address is once (decision D3), and names are absolute (D7).
fn expected(case: &Value) -> Value {
    let mut expected = case["expect"].clone();
    let Some(messages) = expected.get_mut("messages") else {
        return expected;
    };
    let zones = messages.as_array().unwrap().iter().map(|message| {
        let apex = message["zone"].as_str().unwrap().parse().unwrap();
        let mut zone = janitor_plugin_api::dns::ZoneBuilder::new(apex);
        for rrset in message["rrsets"].as_array().unwrap() {
            let text = |member: &str| rrset[member].as_str().unwrap();
            let owner = format!("{}.", text("name").trim_end_matches('.'));
            for rdata in rrset["rrdatas"].as_array().unwrap() {
                let ttl = janitor_plugin_api::dns::Ttl::from_secs(300).unwrap();
                let rdata = rdata.as_str().unwrap();
                zone.push_text(&owner, ttl, text("type"), rdata).unwrap();
            }
        }
        Value::from(zone.build_desired().unwrap().to_string())
    });
    let zones = zones.collect::<Vec<_>>();
    *messages = zones.into();
    let asked = expected["projects_asked"].as_array().unwrap();
    let asked: BTreeSet<_> = asked
        .iter()
        .map(|id| id.as_str().unwrap().to_owned())
        .collect();
    expected["projects_asked"] = json!(asked);
    expected
}

#[test]
fn every_case_of_the_original_comes_out_as_it_says() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/gce-instances.json"
    );
    let vectors: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let vectors = vectors["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 31);
    for case in vectors {
        let (is, expected) = (outcome(&case["input"]), expected(case));
        assert_eq!(is, expected, "{}", case["id"]);
    }
}
