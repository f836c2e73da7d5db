use serde_json::{Value, json};

use crate::auth::tests::{Machine, fields, granted, refused};
use crate::http::tests::server::{Received, Reply, Server};

const AUDIENCE: &str = "//iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/pool-1/providers/oidc-1";

/// What `gcloud iam workload-identity-pools create-cred-config` writes.
fn file(server: &Server, source: Value) -> Value {
    json!({
        "type": "external_account",
        "audience": AUDIENCE,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": format!("{}v1/token", server.url()),
        "credential_source": source,
    })
}

/// The same, with a service account behind it.
fn impersonating(server: &Server, source: Value) -> Value {
    let mut file = file(server, source);
    let account = "janitor@dns-p.iam.gserviceaccount.com";
    file["service_account_impersonation_url"] = Value::String(format!(
        "{}v1/projects/-/serviceAccounts/{account}:generateAccessToken",
        server.url()
    ));
    file
}

fn exchanged(request: &Received, scope: &str) -> Vec<(String, String)> {
    let expected = [
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        ("audience", AUDIENCE),
        ("scope", scope),
        (
            "requested_token_type",
            "urn:ietf:params:oauth:token-type:access_token",
        ),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("subject_token", "subject-hush"),
    ];
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("POST", "/v1/token")
    );
    expected
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

#[test]
fn the_token_in_a_file_is_exchanged() {
    let server = Server::start(|_, _| granted("tok-1"));
    let mut machine = Machine::with_key_file(&file(
        &server,
        json!({
            // AIP-4117: the file comes first.
            "file": "subject", "url": "https://nobody.invalid/",
        }),
    ));
    machine.settings.scopes = vec!["compute".to_owned(), "ndev.clouddns.readonly".to_owned()];
    machine.write("subject", "subject-hush\n");

    assert_eq!(machine.token(), "tok-1");

    let [request] = server.received().try_into().unwrap();
    let scope = "https://www.googleapis.com/auth/compute \
                 https://www.googleapis.com/auth/ndev.clouddns.readonly";
    assert_eq!(fields(&request), exchanged(&request, scope));
    assert_eq!(request.header("authorization"), "");
}

#[test]
fn the_token_of_a_url_is_exchanged_and_an_account_impersonated_by_it() {
    let server = Server::start(|_, request| match request.path() {
        "/identity" => Reply::json(r#"{"access_token": "subject-hush"}"#),
        "/v1/token" => granted("tok-1"),
        _ => Reply::json(r#"{"accessToken": "tok-2", "expireTime": "2999-01-01T00:00:00Z"}"#),
    });
    let source = json!({
        "url": format!("{}identity?api-version=2018-02-01", server.url()),
        "headers": {"Metadata": "True"},
        "format": {"type": "json", "subject_token_field_name": "access_token"},
    });
    let mut file = impersonating(&server, source);
    file["service_account_impersonation"] = json!({"token_lifetime_seconds": 2800});
    let mut machine = Machine::with_key_file(&file);
    machine.settings.scopes = vec!["ndev.clouddns.readonly".to_owned()];

    assert_eq!(machine.token(), "tok-2");

    let [identity, exchange, impersonation] = server.received().try_into().unwrap();
    assert_eq!(identity.method, "GET");
    assert_eq!(identity.target, "/identity?api-version=2018-02-01");
    assert_eq!(identity.header("metadata"), "True");
    let scope = "https://www.googleapis.com/auth/cloud-platform";
    assert_eq!(fields(&exchange), exchanged(&exchange, scope));
    assert_eq!(impersonation.header("authorization"), "Bearer tok-1");
    let body: Value = serde_json::from_slice(&impersonation.body).unwrap();
    assert_eq!(
        body,
        json!({
            "scope": ["https://www.googleapis.com/auth/ndev.clouddns.readonly"],
            "lifetime": "2800s",
        })
    );
}

#[test]
fn a_client_says_who_it_is_and_people_name_their_project() {
    let exchange = |more: Value| {
        let server = Server::start(|_, _| granted("tok-1"));
        let mut file = file(&server, json!({"file": "subject"}));
        for (field, value) in more.as_object().unwrap() {
            file[field] = value.clone();
        }
        let machine = Machine::with_key_file(&file);
        machine.write("subject", "subject-hush");
        machine.token();
        server.received().remove(0)
    };
    let options = |request: &Received| {
        let fields = fields(request).into_iter();
        fields
            .filter(|(name, _)| name == "options")
            .collect::<Vec<_>>()
    };

    let people = exchange(json!({"workforce_pool_user_project": "people-p"}));
    let expected = (
        "options".to_owned(),
        r#"{"userProject":"people-p"}"#.to_owned(),
    );
    assert_eq!(options(&people), [expected]);

    let client = exchange(json!({
        "workforce_pool_user_project": "people-p", "client_id": "id:1", "client_secret": "hush hush",
    }));
    assert_eq!(options(&client), []);
    // `id%3A1:hush+hush`
    assert_eq!(
        client.header("authorization"),
        "Basic aWQlM0ExOmh1c2graHVzaA=="
    );
}

#[test]
fn the_token_is_looked_for_again_each_time() {
    let server = Server::start(
        |_, request| match fields(request).pop().unwrap().1.as_str() {
            "subject-1" => Reply::json(r#"{"access_token": "tok-1", "expires_in": 10}"#),
            _ => granted("tok-2"),
        },
    );
    let machine = Machine::with_key_file(&file(&server, json!({"file": "subject"})));
    let tokens = machine.tokens().unwrap();
    let token = || {
        crate::auth::tests::run(async {
            let access = tokens.current().await.unwrap().unwrap();
            access.as_str().to_owned()
        })
    };

    machine.write("subject", "subject-1");
    assert_eq!(token(), "tok-1");
    machine.write("subject", "subject-2");
    assert_eq!(token(), "tok-2");
}

#[test]
fn a_fault_says_where_it_was_and_what_to_do() {
    let fault = |subject: Option<&str>, reply: Reply| {
        let server = Server::start(move |_, _| reply.clone());
        let machine = Machine::with_key_file(&impersonating(&server, json!({"file": "subject"})));
        if let Some(subject) = subject {
            machine.write("subject", subject);
        }
        machine
            .fault()
            .replace(&server.address().to_string(), "HOST")
    };
    insta::assert_snapshot!(fault(None, granted("tok-1")), @r#"
cannot get an access token
cannot use the federated identity `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
cannot read the token in `DIR/subject`
No such file or directory (os error 2)
hint: look at `credential_source` in that file, and at whoever is to write the token there
"#);
    insta::assert_snapshot!(fault(Some(""), granted("tok-1")), @r#"
cannot get an access token
cannot use the federated identity `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
cannot take a token from `DIR/subject`
it is empty
hint: look at `credential_source` in that file, and at whoever is to write the token there
"#);
    insta::assert_snapshot!(fault(Some("subject-hush"), refused(400, "invalid_grant", "The token subject-hush expired at 1763900000.")), @r#"
cannot get an access token
cannot use the federated identity `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
`http://HOST/v1/token` answers 400 (invalid_grant): The token *** expired at 1763900000.
hint: look whether `audience` names the provider, whether that one is enabled, and whether it takes the token: its issuer, audience and age
"#);
    insta::assert_snapshot!(fault(Some("subject-hush"), refused(403, "unauthorized_client", "The given credential is rejected by the attribute condition.")), @r#"
cannot get an access token
cannot use the federated identity `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
`http://HOST/v1/token` answers 403 (unauthorized_client): The given credential is rejected by the attribute condition.
hint: look whether `audience` names the provider, whether that one is enabled, and whether it takes the token: its issuer, audience and age
"#);

    let server = Server::start(|_, _| Reply::status(404, "no such identity"));
    let source = json!({"url": format!("{}identity?code=hush", server.url())});
    let fault = Machine::with_key_file(&file(&server, source)).fault();
    insta::assert_snapshot!(fault.replace(&server.address().to_string(), "HOST"), @r#"
cannot get an access token
cannot use the federated identity of `DIR/key.json`
`http://HOST/identity` answers 404: no such identity
"#);
}
