use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Impersonation, LIFETIME};
use crate::auth::asking::Asking;
use crate::auth::scopes::Scopes;
use crate::auth::tests::{Machine, fields, granted, run, service_account, token, user};
use crate::http::Exchange;
use crate::http::tests::server::{Received, Reply, Server};

const PATH: &str =
    "/v1/projects/-/serviceAccounts/janitor@dns-p.iam.gserviceaccount.com:generateAccessToken";

/// What `gcloud auth application-default login --impersonate-service-account` writes.
fn file(source: Value, server: &Server) -> Value {
    json!({
        "type": "impersonated_service_account",
        "service_account_impersonation_url": format!("{}{}", server.url(), &PATH[1..]),
        "delegates": ["projects/-/serviceAccounts/between@dns-p.iam.gserviceaccount.com"],
        "source_credentials": source,
    })
}

/// An answer of IAM whose token ends so many seconds from now.
fn generated(seconds: i64) -> Reply {
    Reply::json(generated_at(Timestamp::now(), seconds))
}

fn generated_at(now: Timestamp, seconds: i64) -> String {
    let ends = now + SignedDuration::from_secs(seconds);
    json!({"accessToken": "tok-2", "expireTime": ends.to_string()}).to_string()
}

fn body(request: &Received) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

#[test]
fn an_account_is_impersonated_by_a_token_of_those_who_may() {
    let server = Server::in_turn([granted("tok-1"), generated(3600)]);
    let mut machine = Machine::with_key_file(&file(user(&server), &server));
    machine.settings.scopes = vec!["ndev.clouddns.readwrite".to_owned()];

    assert_eq!(machine.token(), "tok-2");

    let [source, impersonation] = server.received().try_into().unwrap();
    assert_eq!(source.target, "/token");
    // Whatever the token is for: IAM wants this one.
    let scope = "https://www.googleapis.com/auth/cloud-platform";
    let scope = ("scope".to_owned(), scope.to_owned());
    assert!(fields(&source).contains(&scope));
    assert_eq!(impersonation.method, "POST");
    assert_eq!(impersonation.target, PATH);
    assert_eq!(impersonation.header("authorization"), "Bearer tok-1");
    assert_eq!(impersonation.header("content-type"), "application/json");
    assert_eq!(
        body(&impersonation),
        json!({
            "delegates": ["projects/-/serviceAccounts/between@dns-p.iam.gserviceaccount.com"],
            "scope": ["https://www.googleapis.com/auth/ndev.clouddns.readwrite"],
            "lifetime": "3600s",
        })
    );
}

#[test]
fn a_service_account_may_impersonate_another_without_anyone_between() {
    let server = Server::in_turn([granted("tok-1"), generated(3600)]);
    let mut file = file(service_account(&server), &server);
    file["delegates"] = json!([]);

    assert_eq!(Machine::with_key_file(&file).token(), "tok-2");

    assert_eq!(body(&server.received()[1]).get("delegates"), None);
}

#[test]
fn a_token_lives_until_iam_says_but_no_longer_than_was_asked_for() {
    let lives_of = |reply: Reply| {
        let server = Server::in_turn([reply]);
        let account = Impersonation {
            url: server.url().parse().unwrap(),
            delegates: Vec::new(),
            lifetime: LIFETIME,
        };
        let exchange = Exchange::testing();
        let (by, scopes) = (token("tok-1", 3600), Scopes::for_impersonation());
        let fetched = run(account.fetch(&Asking::new(&exchange), &by, &scopes));
        fetched.unwrap().left().as_secs() / 60
    };
    let lives = |seconds| lives_of(generated(seconds));
    assert_eq!(lives(3600), 59);
    assert_eq!(lives(630), 10);
    // By a clock that is three hours behind.
    assert_eq!(lives(3 * 3600 + 3600), 59);
    // By one that is years ahead, if the answer says what time it is.
    let then = Timestamp::from_second(1_600_000_000).unwrap();
    let date = [("Date", "Sun, 13 Sep 2020 12:26:40 GMT")];
    let reply = Reply::with(200, &date, generated_at(then, 630));
    assert_eq!(lives_of(reply), 10);
}

#[test]
fn a_refusal_says_who_said_it_to_whom_and_what_to_do() {
    let fault = |replies: [Reply; 2]| {
        let server = Server::in_turn(replies);
        let machine = Machine::with_key_file(&file(user(&server), &server));
        let fault = machine.fault();
        fault.replace(&server.address().to_string(), "HOST")
    };
    let error = |status: u16, code: &str, message: &str| {
        let error = json!({"error": {"code": status, "message": message, "status": code}});
        Reply::status(status, error.to_string())
    };
    let denied =
        "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).";
    insta::assert_snapshot!(fault([granted("tok-1"), error(403, "PERMISSION_DENIED", denied)]), @r#"
cannot get an access token
cannot use the impersonated service account `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
`http://HOST/v1/projects/-/serviceAccounts/janitor@dns-p.iam.gserviceaccount.com:generateAccessToken` answers 403 (PERMISSION_DENIED): Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).
hint: whoever impersonates the account needs the role `roles/iam.serviceAccountTokenCreator` on it, an identity of a workload pool `roles/iam.workloadIdentityUser`, and the project the IAM Service Account Credentials API
"#);
    insta::assert_snapshot!(fault([granted("tok-1"), error(404, "NOT_FOUND", "Not found; Gaia id not found for email")]), @r#"
cannot get an access token
cannot use the impersonated service account `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
`http://HOST/v1/projects/-/serviceAccounts/janitor@dns-p.iam.gserviceaccount.com:generateAccessToken` answers 404 (NOT_FOUND): Not found; Gaia id not found for email
hint: the service account that is to be impersonated does not exist
"#);
    insta::assert_snapshot!(fault([granted("tok-1"), error(401, "UNAUTHENTICATED", "not so: tok-1")]), @r#"
cannot get an access token
cannot use the impersonated service account `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
`http://HOST/v1/projects/-/serviceAccounts/janitor@dns-p.iam.gserviceaccount.com:generateAccessToken` answers 401 (UNAUTHENTICATED): not so: ***
"#);
    insta::assert_snapshot!(fault([granted("tok-1"), Reply::json(r#"{"accessToken": "hush"}"#)]), @r#"
cannot get an access token
cannot use the impersonated service account `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
cannot read the answer of `http://HOST/v1/projects/-/serviceAccounts/janitor@dns-p.iam.gserviceaccount.com:generateAccessToken`
it does not say when its token ends
"#);
    insta::assert_snapshot!(fault([granted("tok-1"), Reply::json(r#"{"expireTime": "2026-11-23T12:00:00Z"}"#)]), @r#"
cannot get an access token
cannot use the impersonated service account `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
cannot read the answer of `http://HOST/v1/projects/-/serviceAccounts/janitor@dns-p.iam.gserviceaccount.com:generateAccessToken`
it has no access token
"#);
    insta::assert_snapshot!(fault([granted("tok-1"), Reply::json(r#"{"accessToken": "hush", "expireTime": "2014-10-02T15:01:23Z"}"#)]), @r#"
cannot get an access token
cannot use the impersonated service account `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
cannot read the answer of `http://HOST/v1/projects/-/serviceAccounts/janitor@dns-p.iam.gserviceaccount.com:generateAccessToken`
its token is over already
"#);
}
