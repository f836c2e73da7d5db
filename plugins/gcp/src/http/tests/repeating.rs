//! What is asked again, when, and for how long.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;

use super::log::logged;
use super::server::{Reply, Server};
use super::{address, client, once, run, text};
use crate::auth::{Secret, Token, Tokens};
use crate::http::{Exchange, Fault, Google, Policy};

const LATER: &str = r#"{"error": {"code": 503, "message": "later"}}"#;

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

/// Compute Engine and Cloud DNS answer 403 where others answer 429.
#[test]
fn a_refusal_for_the_rate_of_requests_may_pass_and_no_other_does() {
    let per_minute = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute'";
    for (reason, message, passes) in [
        ("rateLimitExceeded", "Rate Limit Exceeded", true),
        ("userRateLimitExceeded", "User Rate Limit Exceeded", true),
        ("quotaExceeded", per_minute, true),
        (
            "quotaExceeded",
            "Quota 'RRSETS' exceeded. Limit: 10000",
            false,
        ),
        ("dailyLimitExceeded", "Daily Limit Exceeded", false),
        ("forbidden", "Forbidden", false),
    ] {
        let refusal = format!(
            r#"{{"error": {{"code": 403, "message": "{message}", "errors": [{{"reason": "{reason}"}}]}}}}"#
        );
        let server = Server::in_turn([Reply::status(403, &refusal), Reply::json("{}")]);
        let google = client(&server);
        let outcome = run(google.get(&address(&google)));
        assert_eq!(outcome.is_ok(), passes, "{reason}: {message}");

        // Nor is it ever taken for a missing permission.
        let server = Server::in_turn([Reply::status(403, &refusal)]);
        let google = impatient(&server);
        let fault = run(google.get(&address(&google))).unwrap_err();
        let status = if passes { 429 } else { 403 };
        assert_eq!(fault.answered(), Some(status), "{reason}: {message}");
    }
}

/// What a POST may have set off is not set off twice.
#[test]
fn a_post_is_repeated_only_where_nothing_was_done() {
    let retry_after = [("Retry-After", "0")];
    let cut = || Reply::Last(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{".to_vec());
    for (name, reply, is_repeated, may_have_been_done) in [
        ("429", Reply::status(429, "{}"), true, false),
        (
            "503, come again",
            Reply::with(503, &retry_after, "{}"),
            true,
            true,
        ),
        ("503", Reply::status(503, "{}"), false, true),
        ("408", Reply::status(408, "{}"), false, true),
        ("500", Reply::status(500, "{}"), false, true),
        ("502", Reply::status(502, "{}"), false, true),
        ("504", Reply::status(504, "{}"), false, true),
        ("400", Reply::status(400, "{}"), false, false),
        ("409", Reply::status(409, "{}"), false, false),
        ("no answer", Reply::Last(Vec::new()), false, true),
        ("half an answer", cut(), false, true),
        ("no JSON", Reply::json("<html>"), false, true),
        (
            "redirect",
            Reply::with(307, &[("Location", "https://example.com/")], ""),
            false,
            false,
        ),
    ] {
        let server = Server::in_turn([reply.clone(), Reply::json(r#"{"done": true}"#)]);
        let google = client(&server);
        let outcome = run(google.post(&address(&google), body(), false));
        assert_eq!(outcome.is_ok(), is_repeated, "{name}");
        assert_eq!(server.count(), 1 + usize::from(is_repeated), "{name}");

        let google = impatient(&Server::in_turn([reply]));
        let fault = run(google.post(&address(&google), body(), false)).unwrap_err();
        assert_eq!(
            fault.may_have_been_done(),
            may_have_been_done,
            "{name}: {fault}"
        );
    }
}

/// That the last attempt did nothing says nothing of those before it.
#[test]
fn what_may_have_been_done_once_is_never_said_to_be_undone() {
    let refused = || Reply::status(403, r#"{"error": {"code": 403, "message": "no"}}"#);
    for (name, first, is_repeatable, may_have_been_done) in [
        ("500", Reply::status(500, "{}"), true, true),
        ("no answer", Reply::Last(Vec::new()), true, true),
        (
            "503, come again",
            Reply::with(503, &[("Retry-After", "0")], "{}"),
            false,
            true,
        ),
        ("429", Reply::status(429, "{}"), true, false),
    ] {
        let server = Server::in_turn([first, refused()]);
        let google = client(&server);
        let fault = run(google.post(&address(&google), body(), is_repeatable)).unwrap_err();
        assert_eq!(server.count(), 2, "{name}");
        assert_eq!(fault.answered(), Some(403), "{name}");
        assert_eq!(fault.may_have_been_done(), may_have_been_done, "{name}");
    }
    // Nor if the token had to be replaced meanwhile.
    let server = Server::in_turn([Reply::Last(Vec::new()), Reply::status(401, "{}"), refused()]);
    let token = || Token::new(Secret::new("tok".to_owned()), Duration::from_hours(1));
    let tokens = Tokens::given(Some(token()), move || Ok(token()));
    let google = Google::testing(&server.url(), tokens);
    let fault = run(google.put(&address(&google), body())).unwrap_err();
    assert_eq!(server.count(), 3);
    assert!(fault.may_have_been_done(), "{fault:?}");
    assert_eq!(
        text(&fault),
        "it may have been done by an attempt that got no clear answer: the service answers 403: no"
    );
    // Nor if the run is cancelled before the next attempt.
    let lost = Reply::with(503, &[("Retry-After", "10")], LATER);
    let server = Server::in_turn([lost]);
    let cancelled = Arc::new(Notify::new());
    let google = cancellable(&server, &cancelled);
    let fault = run(async {
        let url = address(&google);
        let (outcome, ()) = tokio::join!(google.put(&url, body()), until(&server, &cancelled));
        outcome.unwrap_err()
    });
    assert!(fault.may_have_been_done(), "{fault:?}");
    // What only reads does nothing.
    let server = Server::in_turn([Reply::status(500, "{}"), refused()]);
    let google = client(&server);
    let fault = run(google.get(&address(&google))).unwrap_err();
    assert!(matches!(fault, Fault::Status { .. }), "{fault:?}");
}

#[test]
fn a_post_that_may_be_done_twice_is_repeated_like_a_get() {
    for reply in [Reply::status(500, "{}"), Reply::Last(Vec::new())] {
        let server = Server::in_turn([reply, Reply::json("{}")]);
        let google = client(&server);
        run(google.post(&address(&google), body(), true)).unwrap();
        assert_eq!(server.count(), 2);
    }
    let server = Server::in_turn([Reply::status(500, "{}"), Reply::json("{}")]);
    let google = client(&server);
    run(google.put(&address(&google), body())).unwrap();
    for received in server.received() {
        assert_eq!(
            (received.method.as_str(), &*received.body),
            ("PUT", &b"{}"[..])
        );
    }
    assert_eq!(server.count(), 2);
}

/// Nobody is there: nothing can have been done.
#[test]
fn a_post_that_did_not_get_there_is_repeated() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address_of_nobody = format!("http://{}/", nobody.local_addr().unwrap());
    drop(nobody);
    let exchange = Exchange::with(once(), Duration::from_secs(10));
    let google = Google::over(exchange, &address_of_nobody, Tokens::none());
    let fault = run(google.post(&address(&google), body(), false)).unwrap_err();
    assert_eq!(
        text(&fault),
        "not tried again: no time is left for another (`deadline = 30`): cannot connect to `127.0.0.1`: \
         Connection refused (os error 111)"
    );
    assert!(!fault.may_have_been_done());
}

/// The end of time does not hide what took it.
#[test]
fn what_had_gone_wrong_until_the_deadline_is_told() {
    let server = Server::in_turn([Reply::status(503, LATER), Reply::Silence(Vec::new())]);
    let exchange = Exchange::with(
        Policy::hurried(Duration::from_secs(1)),
        Duration::from_secs(10),
    );
    let google = Google::over(exchange, &server.url(), Tokens::none());
    let fault = run(google.get(&address(&google))).unwrap_err();
    assert_eq!(
        text(&fault),
        "given up after 2 attempts: no time is left for another (`deadline = 1`): the service answers 503: \
         later"
    );
    assert_eq!(fault.answered(), Some(503));
}

/// B31 was that nothing was repeated. What cannot be mended ends all the same.
#[test]
fn everything_ends_with_the_deadline() {
    for reply in [
        Reply::status(503, LATER),
        Reply::Last(Vec::new()),
        Reply::Silence(Vec::new()),
        Reply::Trickle([b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b' '; 10_000_000]].concat()),
    ] {
        let server = Server::in_turn([reply]);
        let exchange = Exchange::with(
            Policy::hurried(Duration::from_millis(200)),
            Duration::from_secs(10),
        );
        let google = Google::over(exchange, &server.url(), Tokens::none());
        let fault = run(google.get(&address(&google))).unwrap_err();
        assert!(text(&fault).contains("(`deadline"), "{}", text(&fault));
    }
}

#[test]
fn no_attempt_is_made_that_would_begin_after_the_deadline() {
    let server = Server::in_turn([Reply::status(503, LATER)]);
    let google = impatient(&server);
    let fault = run(google.get(&address(&google))).unwrap_err();
    assert_eq!(
        text(&fault),
        "not tried again: no time is left for another (`deadline = 30`): the service answers 503: later"
    );
    assert_eq!(fault.answered(), Some(503));
    assert_eq!(server.count(), 1);
}

#[test]
fn a_service_that_wants_a_longer_pause_than_there_is_time_is_not_asked_again() {
    let server = Server::in_turn([Reply::with(429, &[("Retry-After", "3600")], LATER)]);
    let google = client(&server);
    let fault = run(google.get(&address(&google))).unwrap_err();
    assert_eq!(
        text(&fault),
        "not tried again: the service asks for a pause of 3600 s, too long for `deadline = 20`: the service \
         answers 429: later"
    );
    assert_eq!(server.count(), 1);
}

#[test]
fn every_pause_is_told_with_its_reason() {
    let server = Server::in_turn([
        Reply::status(503, LATER),
        Reply::Last(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{".to_vec()),
        Reply::json("{}"),
    ]);
    let google = client(&server);
    let (answer, lines) = logged(|| run(google.get(&address(&google))));
    answer.unwrap();
    let pauses = lines.iter().filter(|line| line.starts_with("WARN"));
    let pauses = pauses.map(|line| line.split(" pause_milliseconds").next().unwrap());
    assert_eq!(
        pauses.collect::<Vec<_>>(),
        [
            "WARN: request is repeated after a pause method=GET host=\"127.0.0.1\" reason=\"the service \
             answers 503: later\" attempts=1",
            "WARN: request is repeated after a pause method=GET host=\"127.0.0.1\" reason=\"the exchange \
             with `127.0.0.1` broke off: end of file before message length reached\" attempts=2",
        ]
    );
}

#[test]
fn a_run_that_is_cancelled_waits_for_nothing_but_what_it_may_have_set_off() {
    // In a pause, for whatever request.
    let server = Server::in_turn([Reply::with(429, &[("Retry-After", "10")], LATER)]);
    let cancelled = Arc::new(Notify::new());
    let google = cancellable(&server, &cancelled);
    let fault = run(async {
        let url = address(&google);
        let (outcome, ()) =
            tokio::join!(google.post(&url, body(), false), until(&server, &cancelled));
        outcome.unwrap_err()
    });
    assert!(matches!(fault, Fault::Cancelled), "{fault}");
    assert!(!fault.may_have_been_done());

    // During a GET.
    let server = Server::in_turn([Reply::Silence(Vec::new())]);
    let google = cancellable(&server, &cancelled);
    let fault = run(async {
        let url = address(&google);
        let (outcome, ()) = tokio::join!(google.get(&url), until(&server, &cancelled));
        outcome.unwrap_err()
    });
    assert!(matches!(fault, Fault::Cancelled), "{fault}");

    // During a POST, which is seen to its end.
    let (begin, began) = std::sync::mpsc::channel();
    let began = std::sync::Mutex::new(began);
    let server = Server::start(move |_, _| {
        began.lock().unwrap().recv().unwrap();
        Reply::json("{}")
    });
    let google = cancellable(&server, &cancelled);
    run(async {
        let url = address(&google);
        let (outcome, ()) = tokio::join!(google.post(&url, body(), false), async {
            until(&server, &cancelled).await;
            tokio::task::yield_now().await;
            begin.send(()).unwrap();
        });
        outcome.unwrap();
    });
}

/// Cancels once the server has something to answer.
async fn until(server: &Server, cancelled: &Notify) {
    while server.count() == 0 {
        tokio::task::yield_now().await;
    }
    cancelled.notify_waiters();
    cancelled.notify_one();
}

fn cancellable(server: &Server, cancelled: &Arc<Notify>) -> Google {
    let exchange = Exchange::testing().cancelled_by(Arc::clone(cancelled));
    Google::over(exchange, &server.url(), Tokens::none())
}

/// A client with time for one attempt.
fn impatient(server: &Server) -> Google {
    let exchange = Exchange::with(once(), Duration::from_secs(10));
    Google::over(exchange, &server.url(), Tokens::none())
}

fn body() -> Bytes {
    Bytes::from_static(b"{}")
}
