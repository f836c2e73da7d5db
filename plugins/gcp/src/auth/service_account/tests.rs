use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};

use super::{PrivateKeyFault, private_key};
use crate::auth::tests::{Machine, PRIVATE_KEY, fields, granted, refused, service_account};
use crate::http::tests::server::{Reply, Server};

const PUBLIC_KEY: &[u8] = include_bytes!("../../../testdata/keys/account.public.der");

/// Header and claims of an assertion whose signature is right.
fn verified(assertion: &str) -> [Value; 2] {
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, PUBLIC_KEY)
        .verify(signed.as_bytes(), &signature)
        .expect("the signature is that of the account");
    let parts = signed.split('.').map(|part| {
        let json = URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&json).unwrap()
    });
    parts.collect::<Vec<_>>().try_into().unwrap()
}

#[test]
fn a_service_account_signs_what_it_asks_for() {
    let server = Server::start(|_, _| granted("tok-1"));
    let mut machine = Machine::with_key_file(&service_account(&server));
    machine.settings.scopes = vec!["ndev.clouddns.readonly".to_owned(), "compute".to_owned()];

    let before = Timestamp::now().as_second();
    assert_eq!(machine.token(), "tok-1");
    let after = Timestamp::now().as_second();

    let [request] = server.received().try_into().unwrap();
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("POST", "/token")
    );
    assert_eq!(request.header("authorization"), "");
    let [grant, assertion] = fields(&request).try_into().unwrap();
    let kind = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    assert_eq!(grant, ("grant_type".to_owned(), kind.to_owned()));
    assert_eq!(assertion.0, "assertion");
    let [header, claims] = verified(&assertion.1);
    assert_eq!(
        header,
        json!({"typ": "JWT", "alg": "RS256", "kid": "key-1"})
    );
    let issued = claims["iat"].as_i64().unwrap();
    assert!((before..=after).contains(&issued), "{issued}");
    assert_eq!(
        claims,
        json!({
            "iss": "janitor@dns-p.iam.gserviceaccount.com",
            "aud": format!("{}token", server.url()),
            "scope": "https://www.googleapis.com/auth/ndev.clouddns.readonly \
                      https://www.googleapis.com/auth/compute",
            "iat": issued,
            "exp": issued + 3600,
        })
    );
}

#[test]
fn a_key_file_without_the_id_of_its_key_says_nothing_about_it() {
    let server = Server::start(|_, _| granted("tok-1"));
    let mut file = service_account(&server);
    file.as_object_mut().unwrap().remove("private_key_id");

    Machine::with_key_file(&file).token();

    let [_, assertion] = fields(&server.received()[0]).try_into().unwrap();
    let [header, _] = verified(&assertion.1);
    assert_eq!(header, json!({"typ": "JWT", "alg": "RS256"}));
}

#[test]
fn keys_of_both_forms_are_read() {
    let older = include_str!("../../../testdata/keys/account.pkcs1.pem");
    assert!(private_key(PRIVATE_KEY).is_ok());
    assert!(private_key(older).is_ok());
}

#[test]
fn what_is_no_rsa_key_is_refused_without_being_shown() {
    let curve = include_str!("../../../testdata/keys/curve.pem");
    // A key on a curve is PKCS #8 as well, and only its inside tells.
    let rejected = private_key(curve).err().unwrap();
    assert!(
        matches!(rejected, PrivateKeyFault::Rejected(_)),
        "{rejected}"
    );
    let short = include_str!("../../../testdata/keys/short.pem");
    insta::assert_snapshot!(private_key(short).err().unwrap(), @"it is rejected: TooSmall");
    for text in [
        "",
        "hush",
        "-----BEGIN CERTIFICATE-----\naHVzaA==\n-----END CERTIFICATE-----\n",
    ] {
        assert_eq!(
            private_key(text).err(),
            Some(PrivateKeyFault::NoPem),
            "{text}"
        );
    }
    let without_end = PRIVATE_KEY.split("-----END").next().unwrap();
    assert_eq!(
        private_key(without_end).err(),
        Some(PrivateKeyFault::BrokenPem)
    );
    let escaped = PRIVATE_KEY.replace('\n', "\\n");
    assert_ne!(private_key(&escaped).err(), None);
}

#[test]
fn a_refusal_says_who_said_it_to_whom_and_what_to_do() {
    let fault = |reply: Reply| {
        let server = Server::start(move |_, _| reply.clone());
        let machine = Machine::with_key_file(&service_account(&server));
        let fault = machine.fault();
        assert_eq!(server.count(), 1, "{fault}");
        fault.replace(&server.address().to_string(), "HOST")
    };
    let says = |description| fault(refused(400, "invalid_grant", description));

    insta::assert_snapshot!(says("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."), @r#"
cannot get an access token
cannot use the service account `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
`http://HOST/token` answers 400 (invalid_grant): Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.
hint: the clock of this machine is wrong: have it set by NTP
"#);
    insta::assert_snapshot!(says("Invalid JWT Signature."), @r#"
cannot get an access token
cannot use the service account `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
`http://HOST/token` answers 400 (invalid_grant): Invalid JWT Signature.
hint: Google does not know the key, or no longer: make a new one with `gcloud iam service-accounts keys create`, and replace the file
"#);
    insta::assert_snapshot!(says("Invalid grant: account not found"), @r#"
cannot get an access token
cannot use the service account `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
`http://HOST/token` answers 400 (invalid_grant): Invalid grant: account not found
hint: the service account does not exist any more: make one, and a key for it
"#);
    insta::assert_snapshot!(fault(refused(401, "invalid_client", "The OAuth client was disabled.")), @r#"
cannot get an access token
cannot use the service account `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
`http://HOST/token` answers 401 (invalid_client): The OAuth client was disabled.
hint: the service account is disabled: `gcloud iam service-accounts enable` changes that
"#);
    insta::assert_snapshot!(fault(refused(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")), @r#"
cannot get an access token
cannot use the service account `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
`http://HOST/token` answers 400 (invalid_scope): Invalid OAuth scope or ID token audience provided.
hint: look at `scopes`: one of them does not exist
"#);
    insta::assert_snapshot!(fault(Reply::with(403, &[("Content-Type", "text/html")], "<title>Error 403 (Forbidden)</title>")), @r#"
cannot get an access token
cannot use the service account `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
`http://HOST/token` answers 403: <title>Error 403 (Forbidden)</title>
"#);
    insta::assert_snapshot!(fault(Reply::status(404, "")), @r#"
cannot get an access token
cannot use the service account `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
`http://HOST/token` answers 404
"#);
}

#[test]
fn an_answer_that_is_no_token_is_a_fault_of_its_own() {
    let fault = |body: &str| {
        let body = body.to_owned();
        let server = Server::start(move |_, _| Reply::json(&body));
        let machine = Machine::with_key_file(&service_account(&server));
        machine
            .fault()
            .replace(&server.address().to_string(), "HOST")
    };
    insta::assert_snapshot!(fault("<html>log in</html>"), @r#"
cannot get an access token
cannot use the service account `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
cannot read the answer of `http://HOST/token`
it is not the JSON that was expected, at line 1, column 1
hint: something else than Google answers there, such as a proxy that wants a login
"#);
    insta::assert_snapshot!(fault(r#"{"id_token": "hush"}"#), @r#"
cannot get an access token
cannot use the service account `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
cannot read the answer of `http://HOST/token`
it has no access token
"#);
    insta::assert_snapshot!(fault(r#"{"access_token": "hush", "expires_in": 0}"#), @r#"
cannot get an access token
cannot use the service account `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
cannot read the answer of `http://HOST/token`
its token is over already
"#);
    insta::assert_snapshot!(fault(r#"{"access_token": ["hush"]}"#), @r#"
cannot get an access token
cannot use the service account `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
cannot read the answer of `http://HOST/token`
it is not the JSON that was expected, at line 1, column 17
hint: something else than Google answers there, such as a proxy that wants a login
"#);
}

#[test]
fn what_may_pass_is_asked_again() {
    let replies = [
        Reply::status(503, ""),
        Reply::status(429, ""),
        Reply::Last(Vec::new()),
        Reply::status(500, r#"{"error": "internal_failure"}"#),
        granted("tok-1"),
    ];
    let server = Server::in_turn(replies);

    assert_eq!(
        Machine::with_key_file(&service_account(&server)).token(),
        "tok-1"
    );

    assert_eq!(server.count(), 5);
}
