//! Where requests go.

use crate::auth::Tokens;
use crate::http::endpoints::Addresses;
use crate::http::{Exchange, Google, Service};
use crate::settings::Endpoints;

use super::text;

fn dns_at(address: &str) -> Result<Addresses, janitor_plugin_api::Error> {
    Addresses::new(&Endpoints {
        dns: Some(address.to_owned()),
        ..Endpoints::default()
    })
}

#[test]
fn services_are_where_google_has_them_unless_set() {
    let addresses = dns_at("https://dns.example.com/private/").unwrap();
    let shown = [
        Service::Dns,
        Service::Compute,
        Service::ResourceManager,
        Service::PubSub,
    ]
    .map(|service| addresses.of(service).to_string());
    assert_eq!(
        shown,
        [
            "https://dns.example.com/private/",
            "https://compute.googleapis.com/",
            "https://cloudresourcemanager.googleapis.com/",
            "https://pubsub.googleapis.com/",
        ]
    );
}

/// What would come from there is not what was meant, or somebody would read the token.
#[test]
fn an_endpoint_is_an_address_that_a_token_may_go_to() {
    for address in [
        "https://dns.googleapis.com",
        "https://dns.p.example.com:8443/",
        "https://[2001:db8::1]/",
        "http://127.0.0.1:1234/",
        "http://127.9.9.9",
        "http://[::1]:1234/",
        "http://[::ffff:127.0.0.1]/",
        "http://localhost:1234/",
        "http://dns.localhost/",
    ] {
        dns_at(address).unwrap();
    }
    let form = "an endpoint is written `https://host/` or `https://host/path/`";
    let clear =
        "access tokens would go there in the clear; outside this machine it has to be `https://`";
    for (address, reason) in [
        ("", form),
        ("dns.googleapis.com", form),
        ("ftp://dns.googleapis.com/", form),
        ("https://dns.googleapis.com/?key=x", form),
        ("https://dns.googleapis.com/#x", form),
        ("mailto:dns", form),
        ("http://dns.googleapis.com/", clear),
        ("http://192.0.2.1/", clear),
        ("http://169.254.169.254/", clear),
        ("http://localhost.example.com/", clear),
        ("http://127.0.0.1.example.com/", clear),
        ("http://0.0.0.0/", clear),
    ] {
        let error = dns_at(address).unwrap_err();
        let shown = text(&error);
        assert_eq!(
            shown,
            format!("cannot use `endpoints.dns = \"{address}\"`: {reason}")
        );
    }
}

#[test]
fn an_endpoint_with_a_password_is_refused_without_it() {
    for address in [
        "https://user:hunter2@dns.example.com/",
        "https://user:hunter2@exa mple/",
    ] {
        let error = dns_at(address).unwrap_err();
        let shown = format!("{}{error:?}", text(&error));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    assert_eq!(
        text(&dns_at("https://user@dns.example.com/").unwrap_err()),
        "cannot use `endpoints.dns`: an endpoint has no user and no password; the credentials are those of \
         `keyfile`"
    );
}

#[test]
fn a_path_consists_of_segments_whatever_stands_in_them() {
    let google = Google::testing("http://127.0.0.1:1/base", Tokens::none());
    let url = google
        .url(
            Service::Dns,
            &["v1", "projects", "example.com:p", "a/b?c#d%e ä"],
        )
        .unwrap();
    assert_eq!(
        url.as_str(),
        "http://127.0.0.1:1/base/v1/projects/example.com:p/a%2Fb%3Fc%23d%25e%20%C3%A4"
    );
    for segment in ["", ".", "..", "%2e%2E"] {
        let outcome = google.url(Service::Dns, &["v1", "projects", segment, "rrsets"]);
        match outcome {
            Ok(url) => assert_eq!(url.path(), "/base/v1/projects/%252e%252E/rrsets"),
            Err(error) => assert_eq!(
                text(&error),
                format!(
                    "cannot ask for `v1/projects/{segment}/rrsets`: a resource cannot be called `{segment}`"
                )
            ),
        }
    }
}

#[test]
fn an_emulator_is_a_host_and_a_port() {
    for address in [
        "localhost:8085",
        "[::1]:8085",
        "emulator.example.com:80",
        "emulator",
    ] {
        Google::over_emulator(Exchange::testing(), address);
    }
    for address in [
        "",
        "http://localhost:8085",
        "localhost:8085/x",
        "user@localhost:1",
        "a b",
        "localhost:port",
    ] {
        let addresses = Addresses::new(&Endpoints::default()).unwrap();
        let error = addresses.with_emulator(address).unwrap_err();
        assert_eq!(
            text(&error),
            format!(
                "cannot use `PUBSUB_EMULATOR_HOST={address}`: an emulator is written `host:port`"
            )
        );
    }
}
