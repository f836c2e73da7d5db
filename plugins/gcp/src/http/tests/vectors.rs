//! The original's requests, case by case: `tests/vectors/http-transcripts.json`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use janitor_plugin_api::Error;
use serde_json::{Value, json};

use super::server::{Received, Reply, Server};
use super::{once, run, text};
use crate::auth::{Secret, Token, Tokens};
use crate::http::{Exchange, Fault, Google};
use crate::instances::{self, Field, Wanted, read_page};
use crate::managed_zone::{Lookup, ManagedZoneSettings, ManagedZones};
use crate::projects::Projects;
use crate::record_sets;

/// Answers with the first response that fits and is not used up.
fn scripted(responses: &Value) -> Server {
    let left = Mutex::new(responses.as_array().unwrap().clone());
    Server::start(move |_, request| {
        let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |response: &Value| {
            let query = response
                .get("query")
                .is_none_or(|query| *query == json!(request.query()));
            response["path"] == request.path() && query
        };
        let Some(at) = left.iter().position(fits) else {
            return Reply::status(500, "nothing fits");
        };
        let response = match left[at]["always"] {
            Value::Bool(true) => left[at].clone(),
            _ => left.remove(at),
        };
        let status = response["status"]
            .as_u64()
            .unwrap_or(200)
            .try_into()
            .unwrap();
        match response["text"].as_str() {
            Some(text) => Reply::with(status, &[], text),
            None => Reply::status(status, response["json"].to_string()),
        }
    })
}

/// The tokens of a case, and how many were fetched.
fn tokens(input: &Value) -> (Tokens, Arc<AtomicU64>) {
    let token = |number: u64, lives: u64| {
        Token::new(
            Secret::new(format!("tok-{number}")),
            Duration::from_secs(lives),
        )
    };
    let held = input["token_at_start_lives_s"]
        .as_u64()
        .map(|lives| token(0, lives));
    let lives = input["token_lives_s"].as_u64().unwrap_or(3600);
    let fetched = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&fetched);
    let fetch = move || Ok(token(count.fetch_add(1, Ordering::Relaxed) + 1, lives));
    (Tokens::given(held, fetch), fetched)
}

/// Makes the call of a case as the plugins do.
async fn called(google: &Google, call: &Value) -> Result<Value, Error> {
    let text = |key: &str| call[key].as_str().unwrap_or_default().to_owned();
    match call["client"].as_str().unwrap() {
        "dns" => {
            let zones = ManagedZones::new(ManagedZoneSettings {
                project: text("project"),
                api_version: "v1".to_owned(),
                lookup: Lookup::ByName,
                prefix: text("prefix"),
                visibility: None,
                zones: BTreeMap::new(),
            })?;
            let apex: janitor_plugin_api::dns::Name = text("zone").parse().unwrap();
            let managed = zones.of(google, apex.as_ref()).await?;
            let mut url = zones.url(google, &managed.name, &["rrsets"])?;
            url.query_pairs_mut()
                .append_pair("fields", record_sets::FIELDS);
            let mut listed = Vec::new();
            let pages = google.pages(&url, |octets| {
                let page: record_sets::Page<'_> = serde_json::from_slice(octets)?;
                listed.extend(page.rrsets.iter().map(|record_set| {
                    let rrdatas = record_set.rrdatas.iter().map(record_sets::Text::as_str);
                    json!({
                        "name": record_set.name.as_str(),
                        "type": record_set.rtype.as_str(),
                        "rrdatas": rrdatas.collect::<Vec<_>>(),
                        "kind": "dns#resourceRecordSet",
                        "ttl": record_set.ttl.map(|ttl| ttl.0),
                    })
                }));
                Ok(crate::http::Next::from_token(
                    page.next_page_token.as_ref().map(record_sets::Text::as_str),
                ))
            });
            pages
                .await
                .map_err(|fault| fault.into_error("cannot read"))?;
            Ok(listed.into())
        }
        "projects" => Ok(json!(Projects::list(google).await?.active)),
        "instances" => {
            let url = instances::url(google, &text("project"), 100, &text("instance_filter"))?;
            let mut names = Vec::new();
            let pages = google.pages(&url, |octets| {
                let wanted = Wanted {
                    tags: false,
                    metadata: false,
                    labels: false,
                };
                let page = read_page(octets, wanted, |_, instance| {
                    if let Some(Field::Found(name)) = instance.map(|instance| instance.name) {
                        names.push(name.into_owned());
                    }
                })?;
                Ok(page.next)
            });
            pages
                .await
                .map_err(|fault| fault.into_error("cannot list"))?;
            Ok(json!(names))
        }
        other => panic!("{other}"),
    }
}

/// A fault in the words of the vectors.
fn in_their_words(error: &Error) -> Value {
    let links = std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |&link| {
        link.source()
    });
    let fault = links.filter_map(|link| link.downcast_ref::<Fault>()).next();
    match fault.and_then(Fault::answered) {
        Some(status) => json!({ "error": "http-status", "status": status }),
        None => json!({ "error": "http" }),
    }
}

fn shown(request: &Received) -> Value {
    json!({
        "method": request.method,
        "path": request.path(),
        "query": request.query(),
        "authorization": request.header("authorization"),
    })
}

/// With time for what the original did, and for no repetition that it did not know (B31).
#[test]
fn every_case_of_the_original_comes_out_as_it_says() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/http-transcripts.json"
    );
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 18);
    for vector in vectors {
        let input = &vector["input"];
        let server = scripted(&input["responses"]);
        let (tokens, fetched) = tokens(input);
        let exchange = Exchange::with(once(), Duration::from_secs(10));
        let google = Google::over(exchange, &server.url(), tokens);
        let mut outcome = match run(called(&google, &input["call"])) {
            Ok(result) => json!({ "result": result }),
            Err(error) => in_their_words(&error),
        };
        outcome["requests"] = server.received().iter().map(shown).collect();
        outcome["request_count"] = server.count().into();
        outcome["token_refreshes"] = fetched.load(Ordering::Relaxed).into();
        assert_eq!(outcome, vector["expect"], "{}", vector["id"]);
    }
}

/// The case `dns-second-page-fails` with time: the original gave up (B31).
#[test]
fn a_page_that_fails_is_asked_for_again_with_what_was_read_before() {
    let page = |name: &str, next: &str| {
        Reply::json(
            json!({
                "rrsets": [{ "name": name, "type": "A", "ttl": 300, "rrdatas": ["192.0.2.1"] }],
                "nextPageToken": next,
            })
            .to_string(),
        )
    };
    let server = Server::in_turn([
        page("a.example.com.", "t1"),
        Reply::with(503, &[], "x"),
        page("b.example.com.", ""),
    ]);
    let google = Google::testing(&server.url(), Tokens::none());
    let call = json!({ "client": "dns", "project": "p", "zone": "example.com." });
    let listed = run(called(&google, &call))
        .map_err(|error| text(&error))
        .unwrap();
    let names = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|record_set| &record_set["name"]);
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["a.example.com.", "b.example.com."]
    );
    let tokens = server.received();
    let tokens = tokens
        .iter()
        .map(|request| request.query().remove("pageToken"));
    let t1 = Some("t1".to_owned());
    assert_eq!(tokens.collect::<Vec<_>>(), [None, t1.clone(), t1]);
}
