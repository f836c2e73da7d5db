//! What is made of answers: good ones, refusals, and what is none at all.

use std::io::Write as _;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::server::{Reply, Server};
use super::{address, client, once, run, text};
use crate::auth::Tokens;
use crate::http::{Exchange, Fault, Google, Policy, Repeat, Request};

/// What a GET comes to that is answered so and not repeated.
fn asked(reply: Reply) -> Result<String, Fault> {
    asked_with(Exchange::with(once(), Duration::from_secs(10)), reply)
}

fn asked_with(exchange: Exchange, reply: Reply) -> Result<String, Fault> {
    let server = Server::in_turn([reply]);
    let google = Google::over(exchange, &server.url(), Tokens::none());
    let answer = run(google.get(&address(&google)))?;
    Ok(String::from_utf8(answer.to_vec()).unwrap())
}

fn told(reply: Reply) -> String {
    let fault = asked(reply).unwrap_err();
    let hint = fault.hint().unwrap_or_else(|| "(none)".to_owned());
    format!("{}\nhint: {hint}", text(&fault))
}

fn raw(octets: &str) -> Reply {
    Reply::Last(octets.as_bytes().to_vec())
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn answers_come_whole_however_they_are_sent() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{\"\r\n3\r\n\":1\r\n1\r\n}\r\n0\r\n\r\n";
    let trickled = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n{\"\":1}".to_vec();
    for reply in [
        Reply::json(r#"{"":1}"#),
        raw(chunked),
        raw("HTTP/1.1 200 OK\r\n\r\n{\"\":1}"),
        Reply::Trickle(trickled),
        Reply::with(200, &[("Content-Encoding", "gzip")], gzip(br#"{"":1}"#)),
        Reply::with(200, &[("Content-Type", "text/plain")], r#"{"":1}"#),
        Reply::with(201, &[], r#"{"":1}"#),
    ] {
        assert_eq!(asked(reply).unwrap(), r#"{"":1}"#);
    }
}

#[test]
fn what_is_cut_off_is_no_answer() {
    let zipped = gzip(&[b' '; 100_000]);
    let cut = &zipped[..zipped.len() / 2];
    for reply in [
        raw(""),
        raw("HTTP/1.1 200 O"),
        raw("HTTP/1.1 200 OK\r\nContent-Le"),
        raw("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"\":1}"),
        raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{\"\":1}\r\n"),
        raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{\"\":"),
        raw("HTTP/1.1 200 OK\r\nContent-Length: nine\r\n\r\n{\"\":1}"),
        raw("no HTTP at all\r\n\r\n"),
        Reply::with(200, &[("Content-Encoding", "gzip")], cut),
        Reply::with(200, &[("Content-Encoding", "gzip")], br#"{"":1}"#),
    ] {
        let fault = asked(reply.clone()).unwrap_err();
        assert!(
            text(&fault).contains("the exchange with `127.0.0.1` broke off: "),
            "{reply:?}: {}",
            text(&fault)
        );
        assert!(fault.may_have_been_done() && fault.answered().is_none());
    }
}

#[test]
fn what_lies_behind_the_end_of_an_answer_is_not_part_of_it() {
    let long = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n{\"\":1}{\"\":2}";
    assert_eq!(asked(raw(long)).unwrap(), r#"{"":1}"#);
}

#[test]
fn silence_is_told_from_an_end_of_time() {
    let silent = || {
        [
            Reply::Silence(Vec::new()),
            Reply::Silence(b"HTTP/1.1 200 OK\r\n".to_vec()),
            Reply::Silence(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{".to_vec()),
        ]
    };
    for reply in silent() {
        let exchange = Exchange::with(once(), Duration::from_millis(50));
        let fault = asked_with(exchange, reply).unwrap_err();
        assert_eq!(
            text(&fault),
            "not tried again: no time is left for another (`deadline = 30`): `127.0.0.1` is silent for \
             0.05 s (`timeout`)"
        );
    }
    for reply in silent() {
        let policy = Policy::hurried(Duration::from_millis(50));
        let exchange = Exchange::with(policy, Duration::from_secs(10));
        let fault = asked_with(exchange, reply).unwrap_err();
        assert_eq!(
            text(&fault),
            "`127.0.0.1` did not answer to the end within 0.05 s (`deadline`)"
        );
    }
}

#[test]
fn an_answer_is_as_large_as_memory_is_meant_to_be() {
    let body = format!("{{{:1$}}}", "", 98);
    let zipped = gzip(body.as_bytes());
    let replies = || {
        [
            Reply::json(&body),
            Reply::with(200, &[("Content-Encoding", "gzip")], &zipped),
            raw(&format!("HTTP/1.1 200 OK\r\n\r\n{body}")),
        ]
    };
    for reply in replies() {
        asked_with(Exchange::testing().with_largest(100), reply).unwrap();
    }
    for reply in replies() {
        let fault = asked_with(Exchange::testing().with_largest(99), reply).unwrap_err();
        assert_eq!(
            text(&fault),
            "the answer of `127.0.0.1` has more than 99 octets"
        );
    }
}

/// Eighty megabytes in less than one.
#[test]
fn a_gzip_bomb_is_noticed_while_it_goes_off() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let zeros = vec![b' '; 1 << 20];
    (0..80).for_each(|_| encoder.write_all(&zeros).unwrap());
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    let fault = asked(Reply::with(200, &[("Content-Encoding", "gzip")], bomb)).unwrap_err();
    assert_eq!(
        text(&fault),
        "the answer of `127.0.0.1` has more than 67108864 octets"
    );
}

#[test]
fn a_refusal_is_told_with_its_reason_and_what_to_do() {
    let classic = |code: u16, reason: &str, message: &str| {
        let error =
            format!(r#"{{"domain": "global", "reason": "{reason}", "message": "{message}"}}"#);
        let body = format!(
            r#"{{"error": {{"code": {code}, "message": "{message}", "errors": [{error}], "status": "X"}}}}"#
        );
        told(Reply::status(code, body))
    };
    insta::assert_snapshot!(classic(403, "accessNotConfigured", "Cloud DNS API has not been used"), @"
    the service answers 403 (accessNotConfigured): Cloud DNS API has not been used
    hint: enable the service's API in the project (`gcloud services enable`), and wait for some minutes
    ");
    insta::assert_snapshot!(classic(403, "forbidden", "Forbidden"), @"
    the service answers 403 (forbidden): Forbidden
    hint: give the account a role that allows this; docs/plugins/gcp.md says which ones are needed
    ");
    insta::assert_snapshot!(classic(403, "insufficientPermissions", "Insufficient Permission"), @"
    the service answers 403 (insufficientPermissions): Insufficient Permission
    hint: the token allows less than this: look at `scopes`, and on a machine of Google's at its access scopes
    ");
    insta::assert_snapshot!(classic(404, "notFound", "The 'parameters.managedZone' resource named 'x' does not exist."), @"
    the service answers 404 (notFound): The 'parameters.managedZone' resource named 'x' does not exist.
    hint: look at the names, and whether the account may see the project
    ");
    insta::assert_snapshot!(classic(401, "authError", "Invalid Credentials"), @"
    the service answers 401 (authError): Invalid Credentials
    hint: the token is refused: look whether the credentials are still those of an active account
    ");
    insta::assert_snapshot!(classic(403, "dailyLimitExceeded", "Daily Limit Exceeded"), @"
    the service answers 403 (dailyLimitExceeded): Daily Limit Exceeded
    hint: a quota of the project is used up: the console's page `Quotas` shows and raises it
    ");

    // As the newer services have it (google.rpc.Status).
    let newer = r#"{"error": {"code": 403, "message": "Cloud Pub/Sub API has not been used in project 1",
        "status": "PERMISSION_DENIED", "details": [
        {"@type": "type.googleapis.com/google.rpc.Help", "links": []},
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}]}}"#;
    insta::assert_snapshot!(told(Reply::status(403, newer)), @"
    the service answers 403 (SERVICE_DISABLED): Cloud Pub/Sub API has not been used in project 1
    hint: enable the service's API in the project (`gcloud services enable`), and wait for some minutes
    ");
    let plain = r#"{"error": {"code": 404, "message": "Topic not found", "status": "NOT_FOUND"}}"#;
    insta::assert_snapshot!(told(Reply::status(404, plain)), @"
    the service answers 404 (NOT_FOUND): Topic not found
    hint: look at the names, and whether the account may see the project
    ");
    insta::assert_snapshot!(told(Reply::status(400, r#"{"error": "invalid_scope", "error_description": "no"}"#)), @"
    the service answers 400 (invalid_scope): no
    hint: (none)
    ");
    insta::assert_snapshot!(told(Reply::with(407, &[], "")), @"
    the service answers 407
    hint: the proxy wants to know who is there: HTTPS_PROXY takes `http://user:password@host:port`
    ");
}

/// Whatever is of another type than it should be is as if it were not there.
#[test]
fn a_refusal_of_any_form_has_a_text() {
    for (body, expected) in [
        ("", "the service answers 400"),
        ("no zone", "the service answers 400: no zone"),
        ("{}", "the service answers 400: {}"),
        ("[1, 2]", "the service answers 400: [1, 2]"),
        (
            r#"{"error": null}"#,
            r#"the service answers 400: {"error": null}"#,
        ),
        (
            r#"{"error": {"message": 7}}"#,
            r#"the service answers 400: {"error": {"message": 7}}"#,
        ),
        (
            r#"{"error": {"message": "m", "errors": {}}}"#,
            "the service answers 400: m",
        ),
        (
            r#"{"error": {"errors": [{}, {"reason": "r", "message": "m"}]}}"#,
            "the service answers 400 (r): m",
        ),
        (
            r#"{"error": {"errors": [7], "status": "S"}}"#,
            "the service answers 400 (S)",
        ),
        (
            r#"{"error": {"status": "S", "details": [{"reason": "D"}]}}"#,
            "the service answers 400 (D)",
        ),
        (
            r#"{"error": {"message": "cut"#,
            r#"the service answers 400: {"error": {"message": "cut"#,
        ),
        (
            "<html>\n  <head>\n\n\t<title>Bad",
            "the service answers 400: <html> <head> <title>Bad",
        ),
        (
            "\u{1b}[31mred\u{7}\u{202e}\u{2028}.",
            r"the service answers 400: \u{1b}[31mred\u{7}\u{202e}\u{2028}.",
        ),
    ] {
        assert_eq!(
            text(&asked(Reply::status(400, body)).unwrap_err()),
            expected,
            "{body}"
        );
    }
    let long = "ä".repeat(501);
    let fault = asked(Reply::status(400, &long)).unwrap_err();
    assert_eq!(
        text(&fault),
        format!("the service answers 400: {}…", "ä".repeat(500))
    );
    // Not all of it is read, and what there is of it counts although the rest is missing.
    let endless = format!("HTTP/1.1 400 Bad\r\n\r\n{}", "a".repeat(2 << 20));
    assert!(text(&asked(raw(&endless)).unwrap_err()).starts_with("the service answers 400: aaa"));
    let cut = "HTTP/1.1 404 No\r\nContent-Length: 900\r\n\r\nno such";
    assert_eq!(
        text(&asked(raw(cut)).unwrap_err()),
        "the service answers 404: no such"
    );
}

/// A change of Cloud DNS may be refused for each of its record sets.
#[test]
fn all_that_is_wrong_is_told_however_much_it_is() {
    let part = |number| {
        let message = format!(
            "The resource 'entity.change.additions[{}]' named '{number}.{}.example.com. (A)' already exists",
            number,
            "label.".repeat(30)
        );
        json!({"domain": "global", "reason": "alreadyExists", "message": message})
    };
    let parts = (0..2000).map(part).collect::<Vec<_>>();
    let refusal = json!({"error": {"code": 409, "message": "m", "errors": parts}});
    let fault = asked(Reply::status(409, refusal.to_string())).unwrap_err();
    assert_eq!(fault.parts().len(), 2000);
}

#[test]
fn what_is_no_answer_of_google_is_told_by_what_it_is() {
    let page = "<!DOCTYPE html>\n<html>\n  <title>Please log in</title>";
    insta::assert_snapshot!(told(Reply::with(200, &[("Content-Type", "text/html; charset=utf-8")], page)), @"
    the answer is no JSON object but `text/html; charset=utf-8`, which begins: <!DOCTYPE html> <html> <title>Please log in</title>
    hint: something else than Google answers, such as a proxy that wants a login: look at `endpoints` and at HTTPS_PROXY
    ");
    insta::assert_snapshot!(told(Reply::with(200, &[], "<html>")), @"
    the answer is no JSON object; it begins: <html>
    hint: something else than Google answers, such as a proxy that wants a login: look at `endpoints` and at HTTPS_PROXY
    ");
    insta::assert_snapshot!(told(Reply::with(204, &[], "")), @"
    the answer is empty, and ought to be a JSON object
    hint: something else than Google answers, such as a proxy that wants a login: look at `endpoints` and at HTTPS_PROXY
    ");
    insta::assert_snapshot!(told(Reply::json("[]")), @"
    the answer is no JSON object but `application/json`, which begins: []
    hint: something else than Google answers, such as a proxy that wants a login: look at `endpoints` and at HTTPS_PROXY
    ");
}

/// The token is for the service that was asked, and for nobody else.
#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Server::in_turn([Reply::json("{}")]);
    for status in [301, 302, 303, 307, 308] {
        let reply = Reply::with(status, &[("Location", &elsewhere.url())], "");
        let fault = asked(reply).unwrap_err();
        let expected = format!("the answer is a redirect ({status}) to `127.0.0.1`");
        assert_eq!(text(&fault), expected);
        assert_eq!(fault.answered(), None);
    }
    assert_eq!(elsewhere.count(), 0);
    let login = [(
        "Location",
        "https://user:password@login.example.com/?then=x",
    )];
    insta::assert_snapshot!(told(Reply::with(302, &login, "")), @"
    the answer is a redirect (302) to `login.example.com`
    hint: Google's services do not redirect: look at `endpoints`, and at what lies between here and there
    ");
    insta::assert_snapshot!(told(Reply::with(304, &[], "")), @"
    the answer is a redirect (304) to nowhere
    hint: Google's services do not redirect: look at `endpoints`, and at what lies between here and there
    ");
}

#[test]
fn a_pause_is_asked_for_in_seconds_or_until_a_date_or_among_the_details() {
    let date = "Sun, 06 Nov 1994 08:49:07 GMT";
    let details = r#"{"error": {"details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2.5s"}]}}"#;
    for (headers, body, expected) in [
        (&[("Retry-After", "120")][..], "", Some(120.0)),
        (&[("Retry-After", " 0 ")], "", Some(0.0)),
        (&[("Retry-After", "-1")], "", None),
        (&[("Retry-After", "1.5")], "", None),
        (&[("Retry-After", "soon")], "", None),
        (&[("Retry-After", "99999999999999999999999")], "", None),
        // The three forms of a date, each half a minute after the answer.
        (
            &[
                ("Date", date),
                ("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ],
            "",
            Some(30.0),
        ),
        (
            &[
                ("Date", date),
                ("Retry-After", "Sunday, 06-Nov-94 08:49:37 GMT"),
            ],
            "",
            Some(30.0),
        ),
        (
            &[("Date", date), ("Retry-After", "Sun Nov  6 08:49:37 1994")],
            "",
            Some(30.0),
        ),
        (
            &[
                ("Date", date),
                ("Retry-After", "Sun, 06 Nov 1994 08:48:37 GMT"),
            ],
            "",
            Some(0.0),
        ),
        (
            &[("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT")],
            "",
            Some(0.0),
        ),
        (&[], details, Some(2.5)),
        (&[("Retry-After", "7")], details, Some(7.0)),
        (
            &[],
            r#"{"error": {"details": [{"retryDelay": "-3s"}, {"retryDelay": "x"}, {"retryDelay": 4}]}}"#,
            None,
        ),
        (&[], "{}", None),
    ] {
        let server = Server::in_turn([Reply::with(200, headers, body)]);
        let exchange = Exchange::testing();
        let url = server.url().parse().unwrap();
        let request = Request::new(Method::GET, url, Repeat::Always);
        let answer = run(exchange.send(&request, exchange.deadline())).unwrap();
        let asked = answer.asks_for().map(|pause| pause.as_secs_f64());
        assert_eq!(asked, expected, "{headers:?} {body}");
    }
}

#[test]
fn a_client_says_who_it_is_and_what_it_takes() {
    let server = Server::in_turn([Reply::json("{}")]);
    let google = client(&server);
    run(google.get(&address(&google))).unwrap();
    let received = server.received().remove(0);
    let shown = received
        .headers
        .iter()
        .filter(|(name, _)| *name != "host")
        .map(|(name, value)| {
            format!("{name}: {value}\n").replace(env!("CARGO_PKG_VERSION"), "VERSION")
        });
    insta::assert_snapshot!(shown.collect::<String>(), @"
    accept: application/json
    accept-encoding: gzip
    user-agent: gordon-janitor/VERSION (gzip)
    x-goog-api-client: gl-rust/1.95 gordon-janitor/VERSION
    ");
}
