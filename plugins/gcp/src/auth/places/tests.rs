use std::fs;

use serde_json::json;

use crate::auth::tests::{Machine, granted, service_account, user};
use crate::http::tests::server::{Reply, Server};

/// A token endpoint that tells by its token who asked.
fn endpoint() -> Server {
    Server::start(|_, request| {
        let body = String::from_utf8(request.body.clone()).unwrap();
        match body.contains("refresh_token") {
            true => granted("tok-user"),
            false => granted("tok-account"),
        }
    })
}

#[test]
fn the_setting_comes_before_the_variable_before_the_file_of_gcloud() {
    let server = endpoint();
    let mut machine = Machine::new();
    let path = machine.write(
        "home/.config/gcloud/application_default_credentials.json",
        user(&server).to_string(),
    );
    machine.set_path("HOME", "home");
    assert_eq!(machine.token(), "tok-user");

    let account = machine.write("account.json", service_account(&server).to_string());
    machine.set("GOOGLE_APPLICATION_CREDENTIALS", account.to_str().unwrap());
    assert_eq!(machine.token(), "tok-account");

    machine.settings.keyfile = Some(path);
    assert_eq!(machine.token(), "tok-user");
}

#[test]
fn the_directory_of_gcloud_may_be_elsewhere() {
    let server = endpoint();
    let mut machine = Machine::new();
    machine.write(
        "home/.config/gcloud/application_default_credentials.json",
        "not this one",
    );
    machine.write(
        "gcloud/application_default_credentials.json",
        user(&server).to_string(),
    );
    machine.set_path("HOME", "home");
    machine.set_path("CLOUDSDK_CONFIG", "gcloud");

    assert_eq!(machine.token(), "tok-user");
}

#[test]
fn whoever_is_named_and_cannot_be_used_is_an_error_and_not_passed_over() {
    let server = endpoint();
    let mut machine = Machine::new();
    let path = machine.write(
        "home/.config/gcloud/application_default_credentials.json",
        user(&server).to_string(),
    );
    machine.set_path("HOME", "home");

    machine.set_path("GOOGLE_APPLICATION_CREDENTIALS", "absent.json");
    insta::assert_snapshot!(machine.refusal(), @r#"
cannot use `DIR/absent.json`, which GOOGLE_APPLICATION_CREDENTIALS names
No such file or directory (os error 2)
"#);

    machine.settings.keyfile = Some("absent.json".into());
    insta::assert_snapshot!(machine.refusal(), @r#"
cannot use the key file `DIR/absent.json`
No such file or directory (os error 2)
"#);

    // A variable that is empty names nothing.
    machine.settings.keyfile = None;
    machine.set("GOOGLE_APPLICATION_CREDENTIALS", "");
    assert_eq!(machine.token(), "tok-user");

    fs::write(path, "{").unwrap();
    insta::assert_snapshot!(machine.refusal(), @r#"
cannot use gcloud's `DIR/home/.config/gcloud/application_default_credentials.json`
line 1, column 1 is no JSON
"#);
}

#[test]
fn requests_of_default_credentials_are_counted_for_whom_the_variable_names() {
    let server = endpoint();
    let mut machine = Machine::with_key_file(&user(&server));
    machine.set("GOOGLE_CLOUD_QUOTA_PROJECT", "other-p");
    let project = |machine: &Machine| machine.tokens().unwrap().quota_project().map(str::to_owned);
    assert_eq!(project(&machine).as_deref(), Some("billing-p"));

    let path = machine.path().join("key.json");
    machine.settings.keyfile = None;
    machine.set("GOOGLE_APPLICATION_CREDENTIALS", path.to_str().unwrap());

    assert_eq!(project(&machine).as_deref(), Some("other-p"));
}

#[test]
fn the_metadata_server_comes_last_by_either_name() {
    let server = Server::start(|_, request| {
        let body = match request.path().ends_with("/token") {
            true => json!({"access_token": "tok-machine", "expires_in": 300}),
            false => json!({"email": "machine@dns-p.iam.gserviceaccount.com"}),
        };
        Reply::with(200, &[("Metadata-Flavor", "Google")], body.to_string())
    });
    for variable in ["GCE_METADATA_HOST", "GCE_METADATA_ROOT"] {
        let mut machine = Machine::new();
        machine.set_path("HOME", "");
        machine.set(variable, server.address().to_string());
        assert_eq!(machine.token(), "tok-machine");
    }
    let mut machine = Machine::new();
    machine.set("GCE_METADATA_HOST", server.address().to_string());
    machine.set("GCE_METADATA_ROOT", "nobody.invalid");
    assert_eq!(machine.token(), "tok-machine");
}

#[test]
fn a_metadata_server_is_named_by_its_host_alone() {
    for host in [
        "http://127.0.0.1/",
        "127.0.0.1/path",
        "127.0.0.1?x",
        "a b",
        ":80",
    ] {
        let mut machine = Machine::new();
        machine.set("GCE_METADATA_HOST", host);
        let refusal = machine.refusal();
        let expected = format!(
            "cannot use `GCE_METADATA_HOST={host}`\na host is written `name` or `name:port`"
        );
        assert_eq!(refusal, expected);
    }
}

#[test]
fn where_nothing_is_found_all_places_are_named() {
    let mut machine = Machine::new();
    let kind = |machine: &Machine| machine.without_paths(&format!("{:?}", machine.found().kind));
    insta::assert_snapshot!(kind(&machine), @r#"Metadata(Metadata { root: "http://metadata.google.internal/", search: Some(Search { limit: 5s, looked_at: "GOOGLE_APPLICATION_CREDENTIALS is not set, neither CLOUDSDK_CONFIG nor HOME is" }), .. })"#);

    machine.set_path("HOME", "home");
    insta::assert_snapshot!(kind(&machine), @r#"Metadata(Metadata { root: "http://metadata.google.internal/", search: Some(Search { limit: 5s, looked_at: "GOOGLE_APPLICATION_CREDENTIALS is not set, there is no `DIR/home/.config/gcloud/application_default_credentials.json`" }), .. })"#);

    // As for a user without a home.
    machine.set("HOME", "/dev/null");
    insta::assert_snapshot!(kind(&machine), @r#"Metadata(Metadata { root: "http://metadata.google.internal/", search: Some(Search { limit: 5s, looked_at: "GOOGLE_APPLICATION_CREDENTIALS is not set, there is no `/dev/null/.config/gcloud/application_default_credentials.json`" }), .. })"#);
}
