use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::auth::tests::{Machine, PRIVATE_KEY};

fn refusal(content: impl AsRef<[u8]>) -> String {
    let mut machine = Machine::new();
    machine.write("key.json", content);
    machine.settings.keyfile = Some("key.json".into());
    let refusal = machine.refusal();
    assert!(!refusal.contains("hush"), "{refusal}");
    assert!(!refusal.contains(&PRIVATE_KEY[30..50]), "{refusal}");
    refusal
}

fn account(changes: Value) -> String {
    changed(
        json!({
            "type": "service_account",
            "client_email": "janitor@dns-p.iam.gserviceaccount.com",
            "private_key": PRIVATE_KEY,
        }),
        changes,
    )
}

fn federation(changes: Value) -> String {
    changed(
        json!({
            "type": "external_account",
            "audience": "//iam.googleapis.com/pool",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": "https://sts.googleapis.com/v1/token",
            "credential_source": {"file": "subject"},
        }),
        changes,
    )
}

/// `file` with other values, and without what becomes null.
fn changed(mut file: Value, changes: Value) -> String {
    let fields = file.as_object_mut().unwrap();
    for (field, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => fields.remove(field),
            value => fields.insert(field.clone(), value.clone()),
        };
    }
    file.to_string()
}

#[test]
fn a_file_that_is_no_credentials_says_what_it_is() {
    insta::assert_snapshot!(refusal(""), @r#"
cannot use the key file `DIR/key.json`
line 1, column 0 is no JSON
"#);
    insta::assert_snapshot!(refusal("{\"type\": \"service_account\",\n  \"private_key\": hush}"), @r#"
cannot use the key file `DIR/key.json`
line 2, column 18 is no JSON
"#);
    insta::assert_snapshot!(refusal("{}"), @r#"
cannot use the key file `DIR/key.json`
it has no `type`
"#);
    insta::assert_snapshot!(refusal(r#"{"type": "gdch_service_account"}"#), @r#"
cannot use the key file `DIR/key.json`
credentials of the type `gdch_service_account` are not known here
"#);
    insta::assert_snapshot!(refusal(r#"{"type": {"hush": 1}}"#), @r#"
cannot use the key file `DIR/key.json`
line 1, column 9 has a value of another type than it should
"#);
    insta::assert_snapshot!(refusal(r#"{"installed": {"client_secret": "hush"}}"#), @r#"
cannot use the key file `DIR/key.json`
it is the client ID of a program that people log in with, which is no credentials
"#);
    insta::assert_snapshot!(refusal(vec![b' '; 70_000]), @r#"
cannot use the key file `DIR/key.json`
it has more than 64 KiB, so it holds something else than credentials
"#);
}

#[test]
fn a_field_that_is_missing_or_wrong_is_named() {
    insta::assert_snapshot!(refusal(account(json!({"private_key": null}))), @r#"
cannot use the key file `DIR/key.json`
it has no `private_key`
"#);
    insta::assert_snapshot!(refusal(account(json!({"client_email": null}))), @r#"
cannot use the key file `DIR/key.json`
it has no `client_email`
"#);
    insta::assert_snapshot!(refusal(account(json!({"private_key": "hush"}))), @r#"
cannot use the key file `DIR/key.json`
its `private_key` cannot be used
it has no private key in PEM, which begins with `-----BEGIN PRIVATE KEY-----`
"#);
    insta::assert_snapshot!(refusal(account(json!({"token_uri": "http://oauth2.example.com/token"}))), @r#"
cannot use the key file `DIR/key.json`
its `token_uri` cannot be used
it leads elsewhere without TLS, where a secret could be read on the way
"#);
    insta::assert_snapshot!(refusal(account(json!({"universe_domain": "example.com"}))), @r#"
cannot use the service account `janitor@dns-p.iam.gserviceaccount.com` of `DIR/key.json`
its `universe_domain` is `example.com`, while one of `endpoints` is at googleapis.com
"#);
    insta::assert_snapshot!(refusal(r#"{"type": "authorized_user", "client_id": "1", "client_secret": "hush"}"#), @r#"
cannot use the key file `DIR/key.json`
it has no `refresh_token`
"#);
    insta::assert_snapshot!(refusal(r#"{"type": "impersonated_service_account", "source_credentials": {"type": "impersonated_service_account"}, "service_account_impersonation_url": "https://iam.example.com/"}"#), @r#"
cannot use the key file `DIR/key.json`
credentials of the type `impersonated_service_account` are not known here
"#);
    insta::assert_snapshot!(refusal(r#"{"type": "impersonated_service_account", "source_credentials": {"type": "authorized_user", "refresh_token": ["hush"]}, "service_account_impersonation_url": "https://iam.example.com/"}"#), @r#"
cannot use the key file `DIR/key.json`
line 1, column 45 has a value of another type than it should
"#);
}

#[test]
fn a_federation_that_cannot_be_used_says_why() {
    insta::assert_snapshot!(refusal(federation(json!({"token_url": null}))), @r#"
cannot use the key file `DIR/key.json`
it has no `token_url`
"#);
    insta::assert_snapshot!(refusal(federation(json!({"token_url": "http://sts.example.com/"}))), @r#"
cannot use the key file `DIR/key.json`
its `token_url` cannot be used
it leads elsewhere without TLS, where a secret could be read on the way
"#);
    insta::assert_snapshot!(refusal(federation(json!({"service_account_impersonation_url": "http://192.0.2.1/"}))), @r#"
cannot use the key file `DIR/key.json`
its `service_account_impersonation_url` cannot be used
it leads elsewhere without TLS, where a secret could be read on the way
"#);
    insta::assert_snapshot!(refusal(federation(json!({"credential_source": {}}))), @r#"
cannot use the key file `DIR/key.json`
it has no `credential_source.file`
"#);
    insta::assert_snapshot!(refusal(federation(json!({"credential_source": {"url": "http://192.0.2.1/token"}}))), @r#"
cannot use the key file `DIR/key.json`
its `credential_source.url` cannot be used
it leads elsewhere without TLS, where a secret could be read on the way
"#);
    insta::assert_snapshot!(refusal(federation(json!({"credential_source": {"environment_id": "aws1", "url": "http://169.254.169.254/latest"}}))), @r#"
cannot use the key file `DIR/key.json`
its `credential_source` is an identity of AWS (`environment_id`), which is not supported
"#);
    insta::assert_snapshot!(refusal(federation(json!({"credential_source": {"executable": {"command": "/bin/hush"}}}))), @r#"
cannot use the key file `DIR/key.json`
its `credential_source` is the output of a program (`executable`), which is not supported
"#);
    insta::assert_snapshot!(refusal(federation(json!({"credential_source": {"certificate": {"use_default_certificate_config": true}}}))), @r#"
cannot use the key file `DIR/key.json`
its `credential_source` is a certificate (`certificate`), which is not supported
"#);
    insta::assert_snapshot!(refusal(federation(json!({"credential_source": {"file": "subject", "format": {"type": "json"}}}))), @r#"
cannot use the key file `DIR/key.json`
its `credential_source.format` is neither `text`, nor `json` with a `subject_token_field_name`
"#);
    insta::assert_snapshot!(refusal(federation(json!({"credential_source": {"url": "http://[fe80::1]/", "headers": {"A b": "hush"}}}))), @r#"
cannot use the key file `DIR/key.json`
its `credential_source.headers` has `A b`, which is no header
"#);
    insta::assert_snapshot!(refusal(federation(json!({"service_account_impersonation": {"token_lifetime_seconds": 10}}))), @r#"
cannot use the key file `DIR/key.json`
its `token_lifetime_seconds` is not between 600 and 43200
"#);
}

#[test]
fn another_universe_needs_endpoints() {
    let mut machine = Machine::new();
    machine.write(
        "key.json",
        account(json!({"universe_domain": "example.com"})),
    );
    machine.settings.keyfile = Some("key.json".into());
    assert!(machine.tokens().is_err());

    // A token must not get to another universe, whichever service it is for.
    let elsewhere = || Some("https://service.example.com/".to_owned());
    let endpoints = &mut machine.settings.endpoints;
    endpoints.dns = elsewhere();
    endpoints.compute = elsewhere();
    endpoints.pubsub = elsewhere();
    assert!(machine.tokens().is_err());

    machine.settings.endpoints.resource_manager = elsewhere();
    assert!(machine.tokens().is_ok());
}

#[test]
fn every_value_of_every_type_is_refused_without_being_shown() {
    let strange = [
        json!(null),
        json!(1),
        json!([]),
        json!({"hush": "hush"}),
        json!("hush"),
    ];
    let files = [
        account(json!({"private_key_id": "1", "token_uri": "https://a.example/", "quota_project_id": "p"})),
        federation(json!({"client_id": "i", "client_secret": "hush", "service_account_impersonation": {}})),
        r#"{"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r"}"#.to_owned(),
    ];
    for file in &files {
        let fields: serde_json::Map<String, Value> = serde_json::from_str(file).unwrap();
        for field in fields.keys() {
            for value in &strange {
                let mut fields = fields.clone();
                fields.insert(field.clone(), value.clone());
                let mut machine = Machine::new();
                machine.write("key.json", Value::Object(fields).to_string());
                machine.settings.keyfile = Some("key.json".into());
                let Err(_) = machine.tokens() else { continue };
                let refusal = machine.refusal();
                // The type of a file is nothing secret, and shown so that it can be mended.
                assert!(
                    field == "type" || !refusal.contains("hush"),
                    "{field}: {refusal}"
                );
                assert!(
                    refusal.starts_with("cannot use the key file `DIR/key.json`\n"),
                    "{refusal}"
                );
            }
        }
    }
}

#[test]
fn a_file_that_everybody_can_read_is_used() {
    let mut machine = Machine::new();
    let path = machine.write("key.json", account(json!({})));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    machine.settings.keyfile = Some("key.json".into());

    assert!(machine.tokens().is_ok());
}
