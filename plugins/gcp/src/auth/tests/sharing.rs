//! One token for all, fetched once.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::join_all;

use super::token;
use crate::auth::fault::{Cause, Refused};
use crate::auth::{TokenFault, Tokens};
use crate::http::Fault;

/// Tokens `tok-1`, `tok-2` … that live `seconds`, with `held` from the start; and how many were fetched.
fn tokens(held: Option<(&str, u64)>, seconds: u64) -> (Tokens, Arc<AtomicU32>) {
    let fetched = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&fetched);
    let held = held.map(|(text, seconds)| token(text, seconds));
    let tokens = Tokens::given(held, move || {
        let number = count.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(token(&format!("tok-{number}"), seconds))
    });
    (tokens, fetched)
}

fn refused() -> TokenFault {
    let cause = Cause::Refused(Refused {
        place: "https://oauth2.googleapis.com/token".to_owned(),
        status: 400,
        reason: "invalid_grant".to_owned(),
        description: String::new(),
    });
    TokenFault::new("a test".into(), cause, None)
}

async fn current(tokens: &Tokens) -> String {
    let access = tokens.current().await.unwrap().unwrap();
    access.as_str().to_owned()
}

async fn renewed(tokens: &Tokens, refused: &str) -> String {
    let access = tokens.renew(refused).await.unwrap().unwrap();
    access.as_str().to_owned()
}

#[tokio::test]
async fn twenty_requests_at_once_fetch_one_token() {
    for seconds in [3600, 10] {
        let (tokens, fetched) = tokens(None, seconds);

        let got = join_all((0..20).map(|_| current(&tokens))).await;

        assert_eq!(got, vec!["tok-1"; 20]);
        assert_eq!(fetched.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn a_token_is_kept_while_it_has_a_minute_left() {
    let (tokens, fetched) = tokens(Some(("tok-0", 61)), 3600);
    assert_eq!(current(&tokens).await, "tok-0");
    assert_eq!(fetched.load(Ordering::Relaxed), 0);

    let (tokens, _) = self::tokens(Some(("tok-0", 59)), 3600);
    assert_eq!(current(&tokens).await, "tok-1");
    assert_eq!(current(&tokens).await, "tok-1");
}

#[tokio::test]
async fn a_token_that_lives_for_seconds_serves_one_request() {
    let (tokens, _) = tokens(None, 10);

    assert_eq!(current(&tokens).await, "tok-1");
    assert_eq!(current(&tokens).await, "tok-2");
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_for_all_who_had_it() {
    let (tokens, fetched) = tokens(Some(("tok-0", 3600)), 3600);

    let got = join_all((0..20).map(|_| renewed(&tokens, "tok-0"))).await;

    assert_eq!(got, vec!["tok-1"; 20]);
    // One who learns late that the old one is refused.
    assert_eq!(renewed(&tokens, "tok-0").await, "tok-1");
    assert_eq!(fetched.load(Ordering::Relaxed), 1);
    assert_eq!(renewed(&tokens, "tok-1").await, "tok-2");
}

#[tokio::test]
async fn a_request_knows_whether_its_token_was_fetched_for_it() {
    let (tokens, _) = tokens(None, 3600);

    let first = tokens.current().await.unwrap().unwrap();
    let second = tokens.current().await.unwrap().unwrap();

    assert!(first.was_fetched());
    assert!(!second.was_fetched());
}

#[tokio::test]
async fn a_fault_reaches_all_who_wait_and_the_next_one_tries_again() {
    let fetched = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&fetched);
    let tokens = Tokens::given(None, move || match count.fetch_add(1, Ordering::Relaxed) {
        0 => Err(refused()),
        _ => Ok(token("tok-1", 3600)),
    });

    let faults = join_all((0..20).map(|_| tokens.current())).await;

    assert_eq!(fetched.load(Ordering::Relaxed), 1);
    for fault in faults {
        let fault = fault.unwrap_err();
        assert!(matches!(fault, Fault::Token(_)), "{fault}");
        assert_eq!(fault.answered(), None);
    }
    assert_eq!(current(&tokens).await, "tok-1");
}

#[tokio::test]
async fn one_who_gives_up_waiting_leaves_the_fetching_to_the_next() {
    let (tokens, fetched) = tokens(None, 3600);
    let started = Cell::new(false);
    let given_up = async {
        tokio::select! {
            biased;
            _ = tokens.current() => panic!("it was to be given up"),
            () = async { started.set(true) } => {}
        }
    };
    given_up.await;
    assert!(started.get());

    assert_eq!(current(&tokens).await, "tok-1");
    assert_eq!(fetched.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn without_credentials_there_is_no_token() {
    assert!(Tokens::none().current().await.unwrap().is_none());
    assert!(Tokens::none().renew("tok-0").await.unwrap().is_none());
}

#[tokio::test]
async fn no_token_is_in_what_debug_shows() {
    let (tokens, _) = tokens(Some(("tok-0", 3600)), 3600);
    let access = tokens.current().await.unwrap().unwrap();

    let shown = format!("{tokens:?} {access:?}");

    assert!(!shown.contains("tok-0"), "{shown}");
}
