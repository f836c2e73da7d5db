//! Listings of several pages.

use super::server::{Reply, Server};
use super::{address, client, run, text};
use crate::http::{Fault, Google, Next, PageFault};

/// All that a listing has, one octet of each page.
fn list(google: &Google, query: &str) -> Result<Vec<String>, Fault> {
    let mut first = address(google);
    first.set_query(Some(query));
    let mut items = Vec::new();
    let listing = google.pages(&first, |octets| {
        let page: serde_json::Value = serde_json::from_slice(octets)?;
        let item = page["item"]
            .as_str()
            .ok_or_else(|| PageFault::Unfit("no item".to_owned()))?;
        items.push(item.to_owned());
        Ok(Next::from_token(page["next"].as_str()))
    });
    run(listing)?;
    Ok(items)
}

#[test]
fn every_page_is_asked_for_with_the_whole_query_and_its_token() {
    let odd = "a+b/c=&pageToken=x ä%20";
    let second = serde_json::json!({"item": "2", "next": odd}).to_string();
    let server = Server::in_turn([
        Reply::json(r#"{"item": "1", "next": "t"}"#),
        Reply::json(second),
        Reply::json(r#"{"item": "3", "next": ""}"#),
    ]);
    let items = list(&client(&server), "filter=a%20b&fields=items%2Fname").unwrap();
    assert_eq!(items, ["1", "2", "3"]);
    let queries = server.received();
    let queries = queries.iter().map(|request| {
        let query = request.query();
        assert_eq!(
            (&*query["filter"], &*query["fields"]),
            ("a b", "items/name")
        );
        query.get("pageToken").cloned().unwrap_or_default()
    });
    assert_eq!(queries.collect::<Vec<_>>(), ["", "t", odd]);
}

#[test]
fn a_listing_that_leads_back_is_a_fault_and_no_listing_without_end() {
    for tokens in [&["a", "a"][..], &["a", "b", "a"], &["a", "b", "b"]] {
        let tokens = tokens.iter().map(ToString::to_string).collect::<Vec<_>>();
        let count = tokens.len();
        let server = Server::start(move |number, _| {
            let token = &tokens[number % tokens.len()];
            Reply::json(format!(r#"{{"item": "1", "next": "{token}"}}"#))
        });
        let fault = list(&client(&server), "").unwrap_err();
        assert_eq!(
            text(&fault),
            "cannot read the answer: the listing leads back to a page that it already had"
        );
        assert_eq!(server.count(), count);
    }
}

/// Nothing of a listing counts that was not read to its end.
#[test]
fn a_page_that_is_not_understood_ends_the_listing() {
    for (page, expected) in [
        (
            r#"{"item": "2", "#,
            "cannot read the answer: the answer is not the JSON that was expected: EOF while parsing a value at line 1 column 14",
        ),
        (r#"{"other": 1}"#, "cannot read the answer: no item"),
        (
            "<html>",
            "the answer is no JSON object but `application/json`, which begins: <html>",
        ),
    ] {
        let server = Server::in_turn([
            Reply::json(r#"{"item": "1", "next": "t"}"#),
            Reply::json(page),
        ]);
        let fault = list(&client(&server), "").unwrap_err();
        assert_eq!(text(&fault), expected);
        assert_eq!(server.count(), 2);
    }
}
