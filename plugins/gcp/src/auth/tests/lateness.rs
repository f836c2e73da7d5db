//! Who gives tokens, but not in time.

use std::time::Duration;

use super::{Machine, service_account, text};
use crate::http::tests::server::{Reply, Server};
use crate::http::{Exchange, Google, Policy, Service};

/// Whoever fetches a token gives up before the request that waits for it, and tells why.
#[tokio::test(start_paused = true)]
async fn who_was_asked_in_vain_for_a_token_is_told() {
    let silent = Server::start(|_, _| Reply::Silence(Vec::new()));
    let service = Server::in_turn([Reply::json("{}")]);
    let mut machine = Machine::with_key_file(&service_account(&silent));
    let policy = Policy::hurried(Duration::from_secs(20));
    machine.exchange = Exchange::with(policy, Duration::from_secs(60));
    let tokens = machine.tokens().unwrap();
    let google = Google::over(machine.exchange.clone(), &service.url(), tokens);
    let url = google.url(Service::Dns, &["dns"]).unwrap();

    // The first one to fetch goes away, and leaves it to one that has waited for a while.
    let given_up = tokio::time::timeout(Duration::from_secs(1), google.get(&url));
    let (given_up, outcome) = tokio::join!(given_up, google.get(&url));

    assert!(given_up.is_err());
    let fault = outcome.unwrap_err();
    assert_eq!(service.count(), 0);
    assert_eq!(fault.answered(), None);
    let fault = machine.without_paths(&text(&fault));
    insta::assert_snapshot!(fault.replace(&silent.url(), "URL/"), @r#"
cannot get an access token
cannot use the service account `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
cannot ask `URL/token`
`127.0.0.1` did not answer to the end within 20 s (`deadline`)
"#);
}
