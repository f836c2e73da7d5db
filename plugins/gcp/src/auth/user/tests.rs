use crate::auth::tests::{Machine, fields, granted, refused, run, user};
use crate::http::tests::server::{Reply, Server};

#[test]
fn a_person_refreshes_what_they_were_given() {
    let server = Server::start(|_, _| granted("tok-1"));
    let mut machine = Machine::with_key_file(&user(&server));
    machine.settings.scopes = vec!["cloud-platform".to_owned(), "compute".to_owned()];

    assert_eq!(machine.token(), "tok-1");

    let [request] = server.received().try_into().unwrap();
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("POST", "/token")
    );
    let expected = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "1//0/refresh-hush"),
        ("client_id", "764086051850.apps.googleusercontent.com"),
        ("client_secret", "client-hush"),
        (
            "scope",
            "https://www.googleapis.com/auth/cloud-platform https://www.googleapis.com/auth/compute",
        ),
    ];
    assert_eq!(
        fields(&request),
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn requests_are_counted_for_the_project_that_the_file_names() {
    let server = Server::start(|_, _| granted("tok-1"));
    let tokens = Machine::with_key_file(&user(&server)).tokens().unwrap();

    assert_eq!(tokens.quota_project(), Some("billing-p"));
    run(async { tokens.current().await.unwrap() });
}

#[test]
fn a_refusal_says_who_said_it_to_whom_and_what_to_do() {
    let fault = |reply: Reply| {
        let server = Server::start(move |_, _| reply.clone());
        let machine = Machine::with_key_file(&user(&server));
        machine
            .fault()
            .replace(&server.address().to_string(), "HOST")
    };
    insta::assert_snapshot!(fault(refused(400, "invalid_grant", "Token has been expired or revoked.")), @r#"
cannot get an access token
cannot use the user login of `DIR/key.json`
`http://HOST/token` answers 400 (invalid_grant): Token has been expired or revoked.
hint: log in again: `gcloud auth application-default login`
"#);
    insta::assert_snapshot!(fault(refused(400, "invalid_grant", "reauth related error (invalid_rapt)")), @r#"
cannot get an access token
cannot use the user login of `DIR/key.json`
`http://HOST/token` answers 400 (invalid_grant): reauth related error (invalid_rapt)
hint: the organisation wants people to log in time and again: use a service account, or log in again with `gcloud auth application-default login`
"#);
    insta::assert_snapshot!(fault(refused(400, "invalid_scope", "Bad scope")), @r#"
cannot get an access token
cannot use the user login of `DIR/key.json`
`http://HOST/token` answers 400 (invalid_scope): Bad scope
hint: the person did not agree to all of `scopes`: log in with `gcloud auth application-default login --scopes=…`, or leave `scopes` as it is by default
"#);
    // Somebody who repeats what they were told.
    insta::assert_snapshot!(fault(refused(400, "1//0/refresh-hush", "1//0/refresh-hush of client-hush\nis\u{1b}[1m not known")), @r#"
cannot get an access token
cannot use the user login of `DIR/key.json`
`http://HOST/token` answers 400 (***): *** of *** is\u{1b}[1m not known
"#);
}
