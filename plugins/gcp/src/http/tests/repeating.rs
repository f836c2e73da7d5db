//! What is asked again, when, and for how long.

use std::time::Duration;

use super::server::{Reply, Server};
use super::{address, client, run, text};
use crate::auth::Tokens;
use crate::http::{Exchange, Google, Policy};

#[test]
fn what_may_pass_is_asked_again_until_it_has() {
    for status in [408, 429, 500, 502, 503, 504] {
        let failing = || Reply::status(status, "{}");
        let server = Server::in_turn([failing(), failing(), Reply::json("{}")]);
        let google = client(&server);
        let answer = run(google.get(&address(&google)));
        assert_eq!(answer.unwrap(), "{}", "{status}");
        assert_eq!(server.count(), 3, "{status}");
    }
}

#[test]
fn what_does_not_pass_is_asked_once() {
    for status in [400, 401, 403, 404, 405, 409, 410, 412, 413, 501, 505] {
        let server = Server::in_turn([Reply::status(status, "{}")]);
        let google = client(&server);
        let fault = run(google.get(&address(&google))).unwrap_err();
        assert_eq!(fault.answered(), Some(status));
        assert_eq!(server.count(), 1, "{status}");
    }
}

#[test]
fn no_attempt_is_made_that_would_begin_after_the_deadline() {
    let server = Server::in_turn([Reply::status(503, r#"{"error": {"message": "later"}}"#)]);
    let policy = Policy::longest_pauses(Duration::from_secs(60), Duration::from_secs(30));
    let exchange = Exchange::with(policy, Duration::from_secs(10));
    let google = Google::over(exchange, &server.url(), Tokens::none());
    let fault = run(google.get(&address(&google))).unwrap_err();
    assert_eq!(
        text(&fault),
        "not tried again: no time is left for another (`deadline = 30`): the service answers 503: later"
    );
    assert_eq!(fault.answered(), Some(503));
    assert_eq!(server.count(), 1);
}
