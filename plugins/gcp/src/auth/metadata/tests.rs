use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;

use super::{Metadata, Search};
use crate::auth::asking::Asking;
use crate::auth::scopes::Scopes;
use crate::auth::tests::{Machine, granted, run, text};
use crate::http::tests::server::{Received, Reply, Server};
use crate::http::{Exchange, Policy};

const EMAIL: &str = "machine@dns-p.iam.gserviceaccount.com";
const HEADERS: [(&str, &str); 2] = [
    ("Metadata-Flavor", "Google"),
    ("Content-Type", "application/json"),
];

/// Answers as the metadata server of a machine with a service account does.
fn metadata(request: &Received) -> Reply {
    let body = match request.path().rsplit_once('/').unwrap().1 {
        "" => json!({
            "aliases": ["default"],
            "email": EMAIL,
            "scopes": ["https://www.googleapis.com/auth/cloud-platform"],
        }),
        _ => json!({"access_token": "tok-1", "expires_in": 10, "token_type": "Bearer"}),
    };
    Reply::with(200, &HEADERS, body.to_string())
}

/// A machine whose metadata server is `server`.
fn machine(server: &Server) -> Machine {
    let mut machine = Machine::new();
    machine.set("GCE_METADATA_HOST", server.address().to_string());
    machine
}

#[test]
fn the_account_is_asked_for_once_and_its_token_each_time() {
    let server = Server::start(|_, request| metadata(request));
    let mut machine = machine(&server);
    machine.settings.scopes = vec!["compute".to_owned(), "ndev.clouddns.readonly".to_owned()];
    let tokens = machine.tokens().unwrap();

    run(async {
        tokens.current().await.unwrap();
        tokens.current().await.unwrap();
    });

    let [account, first, second] = server.received().try_into().unwrap();
    let accounts = "/computeMetadata/v1/instance/service-accounts";
    assert_eq!(
        account.target,
        format!("{accounts}/default/?recursive=true")
    );
    for token in [&first, &second] {
        assert_eq!(token.path(), format!("{accounts}/{EMAIL}/token"));
        let scopes = "https://www.googleapis.com/auth/compute,\
                      https://www.googleapis.com/auth/ndev.clouddns.readonly";
        assert_eq!(
            token.query(),
            [("scopes".to_owned(), scopes.to_owned())].into()
        );
    }
    for request in [&account, &first, &second] {
        assert_eq!(request.method, "GET");
        assert_eq!(request.header("metadata-flavor"), "Google");
        assert_eq!(request.header("authorization"), "");
    }
}

#[test]
fn nobody_is_asked_before_a_token_is_needed() {
    let server = Server::start(|_, request| metadata(request));

    machine(&server).tokens().unwrap();

    assert_eq!(server.count(), 0);
}

#[test]
fn a_server_that_is_busy_is_asked_again() {
    let server = Server::start(|number, request| match number {
        0 | 2 => Reply::with(503, &HEADERS, ""),
        _ => metadata(request),
    });

    assert_eq!(machine(&server).token(), "tok-1");

    assert_eq!(server.count(), 4);
}

#[test]
fn whoever_else_answers_in_its_place_is_not_believed() {
    let fault = |reply: fn(&Received) -> Reply| {
        let server = Server::start(move |_, request| reply(request));
        let fault = machine(&server).fault();
        fault.replace(&server.address().to_string(), "HOST")
    };
    insta::assert_snapshot!(fault(|_| granted("hush")), @r#"
cannot get an access token
cannot use Application Default Credentials
cannot read the answer of `http://HOST/computeMetadata/v1/instance/service-accounts/default/`
it lacks `Metadata-Flavor: Google`: something else than the metadata server answers
hint: look at GCE_METADATA_HOST, or set `keyfile` in `[gcp]`
"#);
    insta::assert_snapshot!(fault(|request| match request.path().ends_with("/token") {
        true => granted("hush"),
        false => metadata(request),
    }), @r#"
cannot get an access token
cannot use Application Default Credentials
cannot read the answer of `http://HOST/computeMetadata/v1/instance/service-accounts/machine@dns-p.iam.gserviceaccount.com/token`
it lacks `Metadata-Flavor: Google`: something else than the metadata server answers
hint: look at GCE_METADATA_HOST, or set `keyfile` in `[gcp]`
"#);
    insta::assert_snapshot!(fault(|_| Reply::with(404, &HEADERS, "Not Found")), @r#"
cannot get an access token
cannot use Application Default Credentials
`http://HOST/computeMetadata/v1/instance/service-accounts/default/` answers 404: Not Found
hint: attach a service account to this machine, or set `keyfile` in `[gcp]`
"#);
    insta::assert_snapshot!(fault(|_| Reply::with(200, &HEADERS, "{}")), @r#"
cannot get an access token
cannot use Application Default Credentials
cannot read the answer of `http://HOST/computeMetadata/v1/instance/service-accounts/default/`
it names no service account
hint: attach a service account to this machine, or set `keyfile` in `[gcp]`
"#);
    insta::assert_snapshot!(fault(|_| Reply::with(200, &HEADERS, r#"{"email": ".."}"#)), @r#"
cannot get an access token
cannot use Application Default Credentials
cannot read the answer of `http://HOST/computeMetadata/v1/instance/service-accounts/default/`
it names no service account
hint: attach a service account to this machine, or set `keyfile` in `[gcp]`
"#);
    insta::assert_snapshot!(fault(|request| match request.path().ends_with("/token") {
        true => Reply::with(403, &HEADERS, "Forbidden"),
        false => metadata(request),
    }), @r#"
cannot get an access token
cannot use Application Default Credentials
`http://HOST/computeMetadata/v1/instance/service-accounts/machine@dns-p.iam.gserviceaccount.com/token` answers 403: Forbidden
"#);
}

/// The address of nobody: a port that was just given back.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn a_server_that_is_said_to_be_there_and_is_not_is_a_fault_of_its_own() {
    let nobody = nobody();
    let mut machine = Machine::new();
    machine.set("GCE_METADATA_ROOT", &nobody);
    machine.exchange = impatient();

    let fault = machine.fault();

    insta::assert_snapshot!(fault.replace(&nobody, "NOBODY"), @r#"
cannot get an access token
cannot use Application Default Credentials
cannot ask `http://NOBODY/computeMetadata/v1/instance/service-accounts/default/`
not tried again: no time is left for another (`deadline = 20`)
cannot connect to `127.0.0.1`
Connection refused (os error 111)
hint: look at GCE_METADATA_HOST, or set `keyfile` in `[gcp]`
"#);
}

#[test]
fn where_nobody_says_that_there_is_one_it_is_not_waited_for() {
    let search = |server: &str, exchange: Exchange, limit| {
        let root = format!("http://{server}/").parse().unwrap();
        let looked_at = "nothing is set".to_owned();
        let metadata = Metadata::new(root, Some(Search { limit, looked_at }));
        let scopes = Scopes::for_impersonation();
        let found = run(metadata.fetch(&Asking::new(&exchange), &scopes));
        found
            .map(|_| ())
            .map_err(|fault| text(&fault).replace(server, "SERVER"))
    };
    // With time for one answer, whatever else the machine does.
    let long = Duration::from_secs(20);
    insta::assert_snapshot!(search(&nobody(), impatient(), long).unwrap_err(), @r#"
none were found: nothing is set, and no metadata server answers within 20 s
cannot ask `http://SERVER/computeMetadata/v1/instance/service-accounts/default/`
cannot connect to `127.0.0.1`
Connection refused (os error 111)
"#);
    let silent = Server::start(|_, _| Reply::Silence(Vec::new()));
    let fault = search(
        &silent.address().to_string(),
        Exchange::testing(),
        Duration::from_millis(50),
    );
    insta::assert_snapshot!(fault.unwrap_err(), @"none were found: nothing is set, and no metadata server answers within 0.05 s");
    let other = Server::start(|_, _| granted("hush"));
    insta::assert_snapshot!(search(&other.address().to_string(), Exchange::testing(), long).unwrap_err(), @r#"
none were found: nothing is set, and no metadata server answers within 20 s
cannot read the answer of `http://SERVER/computeMetadata/v1/instance/service-accounts/default/`
it lacks `Metadata-Flavor: Google`: something else than the metadata server answers
"#);
    // One that is there, but has no account.
    let bare = Server::start(|_, _| Reply::with(404, &HEADERS, ""));
    let fault = search(&bare.address().to_string(), Exchange::testing(), long);
    insta::assert_snapshot!(fault.unwrap_err(), @"`http://SERVER/computeMetadata/v1/instance/service-accounts/default/` answers 404");

    let server = Server::start(|_, request| metadata(request));
    assert_eq!(
        search(&server.address().to_string(), Exchange::testing(), long),
        Ok(())
    );
}

/// Asks once: there would be no time for the pause.
fn impatient() -> Exchange {
    let (pause, deadline) = (Duration::from_secs(60), Duration::from_secs(20));
    let policy = Policy::longest_pauses(pause, deadline);
    Exchange::with(policy, Duration::from_secs(10))
}
