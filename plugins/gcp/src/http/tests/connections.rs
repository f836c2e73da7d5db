//! Connections, and proxies on the way.

use std::env;
use std::time::Duration;

use super::child::in_a_process_with;
use super::server::{Reply, Server};
use super::tls::{TlsServer, patient, trusting};
use super::{address, client, once, run, text};
use crate::auth::Tokens;
use crate::http::{Exchange, Google, Next, Policy};

#[test]
fn all_pages_come_by_one_connection() {
    let server = Server::start(|number, _| {
        // Refusals leave it as it is.
        let status = if number % 3 == 1 { 503 } else { 200 };
        Reply::status(status, "{}")
    });
    let google = client(&server);
    let first = address(&google);
    let mut pages = 0;
    let listing = google.pages(&first, |_| {
        pages += 1;
        Ok(if pages < 50 {
            Next::Page(pages.to_string())
        } else {
            Next::End
        })
    });
    run(listing).unwrap();
    let received = server.received();
    assert_eq!(received.len(), 50 + 25);
    assert!(received.iter().all(|request| request.connection == 0));
}

/// The server closes its end between two requests: that is noticed before the second is sent, or it is
/// sent again.
#[test]
fn a_connection_that_was_closed_meanwhile_is_replaced() {
    let closing = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec();
    let server = Server::in_turn([Reply::Last(closing)]);
    let google = client(&server);
    run(async {
        for _ in 0..10 {
            google.get(&address(&google)).await.unwrap();
        }
    });
    let connections = server
        .received()
        .iter()
        .map(|request| request.connection)
        .max();
    assert_eq!(connections, Some(9));
}

/// What the test outside gave to its child.
fn given(name: &str) -> String {
    env::var(name).unwrap()
}

#[test]
fn https_goes_through_a_tunnel_of_the_proxy() {
    let service = TlsServer::start();
    let tunnel = service.address;
    let proxy = Server::start(move |_, _| Reply::Tunnel(tunnel));
    let with_login = proxy.url().replace("//", "//user:p%40ss@");
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        if !in_a_process_with(
            module_path!(),
            "https_goes_through_a_tunnel_of_the_proxy",
            &[(name, &with_login)],
        ) {
            let google = trusting("https://dns.googleapis.test/", patient());
            run(google.get(&address(&google))).unwrap();
            return;
        }
    }
    let received = proxy.received();
    assert_eq!(received.len(), 3);
    for request in received {
        assert_eq!(
            (request.method.as_str(), request.target.as_str()),
            ("CONNECT", "dns.googleapis.test:443")
        );
        assert_eq!(request.header("proxy-authorization"), "Basic dXNlcjpwQHNz");
        assert_eq!(
            request.header("user-agent"),
            concat!("gordon-janitor/", env!("CARGO_PKG_VERSION"), " (gzip)")
        );
    }
    let received = service.received();
    assert_eq!(received.len(), 3);
    assert!(
        received
            .iter()
            .all(|request| request.header("proxy-authorization").is_empty())
    );
}

#[test]
fn whom_no_proxy_names_is_asked_without_one() {
    let proxy = Server::in_turn([Reply::with(502, &[], "")]);
    let environment = [
        ("HTTPS_PROXY", &*proxy.url()),
        ("NO_PROXY", "192.0.2.0/24,.example.com"),
    ];
    if !in_a_process_with(
        module_path!(),
        "whom_no_proxy_names_is_asked_without_one",
        &environment,
    ) {
        // An address for documentation: nobody is there (RFC 5737).
        let google = trusting(
            "https://192.0.2.1/",
            Policy::hurried(Duration::from_millis(500)),
        );
        run(google.get(&address(&google))).unwrap_err();
        return;
    }
    assert_eq!(proxy.count(), 0);
}

#[test]
fn a_proxy_that_refuses_is_told_from_the_service() {
    let proxy = Server::start(|_, request| match request.header("proxy-authorization") {
        "" => Reply::with(407, &[("Proxy-Authenticate", "Basic")], ""),
        _ => Reply::with(502, &[], ""),
    });
    let with_login = proxy.url().replace("//", "//user:hunter2@");
    for (login, proxy) in [
        ("without a login", &proxy.url()),
        ("with a login", &with_login),
    ] {
        let environment = [("HTTPS_PROXY", proxy.as_str()), ("LOGIN", login)];
        if !in_a_process_with(
            module_path!(),
            "a_proxy_that_refuses_is_told_from_the_service",
            &environment,
        ) {
            let google = trusting("https://dns.googleapis.test/", once());
            let fault = run(google.get(&address(&google))).unwrap_err();
            let shown = format!("{}\n{fault:?}", text(&fault));
            assert!(!shown.contains("hunter2"), "{shown}");
            assert_eq!(fault.answered(), None);
            assert!(!fault.may_have_been_done());
            assert!(
                fault
                    .hint()
                    .unwrap()
                    .starts_with("HTTPS_PROXY names the proxy")
            );
            let expected = match &*given("LOGIN") {
                // Nobody will log in meanwhile.
                "without a login" => {
                    "cannot get past the proxy to `dns.googleapis.test`: tunnel error: proxy authorization \
                     required"
                }
                _ => {
                    "cannot get past the proxy to `dns.googleapis.test`: tunnel error: unsuccessful"
                }
            };
            assert!(text(&fault).ends_with(expected), "{}", text(&fault));
            assert_eq!(
                text(&fault) == expected,
                given("LOGIN") == "without a login"
            );
            return;
        }
    }
    assert_eq!(proxy.count(), 2);
}

/// A proxy elsewhere would see the token, and could not reach this machine.
#[test]
fn this_machine_is_asked_without_a_proxy() {
    let proxy = Server::in_turn([Reply::json("{}")]);
    let service = Server::in_turn([Reply::json("{}")]);
    let (proxied, url) = (proxy.url(), service.url());
    let environment = [
        ("HTTP_PROXY", &*proxied),
        ("ALL_PROXY", &proxied),
        ("SERVICE", &url),
    ];
    if !in_a_process_with(
        module_path!(),
        "this_machine_is_asked_without_a_proxy",
        &environment,
    ) {
        let url = given("SERVICE");
        for url in [url.replace("127.0.0.1", "localhost"), url] {
            let google = Google::testing(&url, Tokens::none());
            run(google.get(&address(&google))).unwrap();
        }
        return;
    }
    assert_eq!((proxy.count(), service.count()), (0, 2));
}

/// As an emulator may be, which gets no token.
#[test]
fn what_is_in_the_clear_elsewhere_goes_through_the_proxy_as_it_is() {
    let proxy = Server::in_turn([Reply::json("{}")]);
    let environment = [("http_proxy", &*proxy.url())];
    if !in_a_process_with(
        module_path!(),
        "what_is_in_the_clear_elsewhere_goes_through_the_proxy_as_it_is",
        &environment,
    ) {
        let exchange = Exchange::with(
            Policy::hurried(Duration::from_secs(5)),
            Duration::from_secs(5),
        );
        let google = Google::over_emulator(exchange, "emulator.test:8085");
        run(google.get(&google.url(crate::http::Service::PubSub, &["v1"]).unwrap())).unwrap();
        return;
    }
    let received = proxy.received();
    assert_eq!(received[0].target, "http://emulator.test:8085/v1");
    assert_eq!(received[0].header("authorization"), "");
}
