//! Nothing secret is in any text, whatever happens: not in the log at any level, in no error, in no `Debug`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Machine, PRIVATE_KEY, run, service_account, text, user};
use crate::http::tests::log::logged;
use crate::http::tests::server::{Received, Reply, Server};

/// What is secret in the credentials of these tests, and in what is answered to them. An assertion is
/// found by how all of them begin.
const SECRETS: [&str; 9] = [
    "client-hush",
    // client:client-hush
    "Y2xpZW50OmNsaWVudC1odXNo",
    "refresh-hush",
    "subject-hush",
    "header-hush",
    "token-hush",
    "federated-hush",
    "impersonated-hush",
    "eyJ0eXAiOiJKV1Qi",
];

/// How servers answer in one of the tests.
type Mood = fn(usize, &Received, Reply) -> Reply;

/// A server that is everybody who is asked for a token, in `mood`.
fn everybody(mood: Mood) -> Server {
    Server::start(move |number, request| {
        let path = request.path();
        let good = if path.ends_with(":generateAccessToken") {
            json!({"accessToken": "impersonated-hush", "expireTime": "2999-01-01T00:00:00Z"})
        } else if path.ends_with("/sts") {
            json!({"access_token": "federated-hush", "expires_in": 10})
        } else if path.ends_with("/identity") {
            json!({"id_token": "subject-hush"})
        } else if path.ends_with("/default/") {
            json!({"email": "machine@dns-p.iam.gserviceaccount.com"})
        } else {
            json!({"access_token": "token-hush", "expires_in": 10})
        };
        let good = Reply::with(200, &[("Metadata-Flavor", "Google")], good.to_string());
        mood(number, request, good)
    })
}

/// A machine for each kind of credentials.
fn machines(server: &Server) -> Vec<Machine> {
    let url = server.url();
    let account = format!("{url}v1/projects/-/serviceAccounts/a@b:generateAccessToken");
    let federation = |source: Value| {
        json!({
            "type": "external_account", "audience": "pool", "subject_token_type": "jwt",
            "token_url": format!("{url}sts"), "service_account_impersonation_url": account,
            "client_id": "client", "client_secret": "client-hush", "credential_source": source,
        })
    };
    let by_file = federation(json!({"file": "subject"}));
    let by_url = federation(json!({
        "url": format!("{url}identity?code=header-hush"), "headers": {"Secret": "header-hush"},
        "format": {"type": "json", "subject_token_field_name": "id_token"},
    }));
    let impersonated = json!({
        "type": "impersonated_service_account", "service_account_impersonation_url": account,
        "source_credentials": user(server),
    });
    let files = [
        service_account(server),
        user(server),
        by_file,
        by_url,
        impersonated,
    ];
    let mut machines = files.iter().map(Machine::with_key_file).collect::<Vec<_>>();
    machines[2].write("subject", "subject-hush");
    let mut bare = Machine::new();
    bare.set("GCE_METADATA_HOST", server.address().to_string());
    machines.push(bare);
    machines
}

/// All that can be read of `machine` while its credentials are found and used, twice.
fn told(machine: &Machine) -> String {
    let (texts, log) = logged(|| {
        let mut texts = vec![format!("{:?}", machine.found())];
        let tokens = machine.tokens().unwrap();
        for _ in 0..2 {
            match run(tokens.current()) {
                Ok(access) => texts.push(format!("{access:?}")),
                Err(fault) => texts.extend([text(&fault), format!("{fault:?}")]),
            }
        }
        texts.push(format!("{tokens:?}"));
        texts
    });
    assert!(!log.is_empty());
    format!("{}\n{}", texts.join("\n"), log.join("\n"))
}

fn assert_silent(told: &str) {
    let key = PRIVATE_KEY.lines().filter(|line| !line.starts_with('-'));
    for secret in SECRETS.into_iter().chain(key) {
        assert!(!told.contains(secret), "{secret} is in: {told}");
    }
}

#[test]
fn nothing_secret_is_told_while_all_goes_well() {
    let server = everybody(|_, _, good| good);
    for machine in machines(&server) {
        assert_silent(&told(&machine));
    }
    // All of it was there to be told.
    let mut sent = BTreeSet::new();
    for request in server.received() {
        let body = String::from_utf8(request.body.clone()).unwrap();
        let all = format!("{} {:?} {body}", request.target, request.headers);
        sent.extend(SECRETS.into_iter().filter(|secret| all.contains(secret)));
    }
    // But for the token that it is all about, which goes to the services.
    let unsent = SECRETS.iter().filter(|secret| !sent.contains(*secret));
    assert_eq!(unsent.collect::<Vec<_>>(), [&"impersonated-hush"]);
}

#[test]
fn nothing_secret_is_told_when_those_who_refuse_repeat_what_they_were_told() {
    let moods: [Mood; 4] = [
        |_, request, _| Reply::status(400, echo(request)),
        |_, request, _| Reply::with(403, &[("Content-Type", "text/html")], everything(request)),
        |_, request, _| Reply::json(everything(request)),
        // Once it is the middle of a chain that fails.
        |number, request, good| match number % 2 {
            0 => good,
            _ => Reply::status(401, echo(request)),
        },
    ];
    for mood in moods {
        let server = everybody(mood);
        for machine in machines(&server) {
            assert_silent(&told(&machine));
        }
    }
}

#[test]
fn nothing_secret_is_told_of_answers_that_are_asked_for_again() {
    let server = everybody(|number, request, good| match number % 3 {
        0 => Reply::status(503, echo(request)),
        1 => Reply::Last(b"HTTP/1.1 200 Said\r\nContent-Length: 99\r\n\r\ntoken-hush".to_vec()),
        _ => good,
    });
    for machine in machines(&server) {
        assert_silent(&told(&machine));
    }
}

/// A refusal in the form of OAuth 2.0 that repeats the request.
fn echo(request: &Received) -> String {
    let everything = everything(request);
    json!({"error": everything, "error_description": everything}).to_string()
}

/// The request, as it came and as a form is read.
fn everything(request: &Received) -> String {
    let form = form_urlencoded::parse(&request.body).map(|(name, value)| format!("{name} {value}"));
    let form = form.collect::<Vec<_>>().join(" ");
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let authorization = request.header("authorization");
    let secret = request.header("secret");
    // Only the beginning of what somebody says is shown.
    format!("{authorization} {secret} {form} {body}")
}

#[test]
fn which_credentials_were_found_is_in_the_log() {
    let server = everybody(|_, _, good| good);
    let lines = machines(&server).into_iter().map(|machine| {
        let ((), log) = logged(|| {
            run(machine.tokens().unwrap().current()).unwrap();
        });
        let found = log.into_iter().filter(|line| line.starts_with("INFO"));
        machine.without_paths(&found.collect::<Vec<_>>().join("\n"))
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
INFO: credentials found kind="service account" file=DIR/key.json account="janitor@dns-p.iam.gserviceaccount.com"
INFO: credentials found kind="user login" file=DIR/key.json
INFO: credentials found kind="federated identity" file=DIR/key.json account="a@b"
INFO: credentials found kind="federated identity" file=DIR/key.json account="a@b"
INFO: credentials found kind="impersonated service account" file=DIR/key.json account="a@b"
INFO: credentials found kind="service account of this machine" account="machine@dns-p.iam.gserviceaccount.com" scopes=""
"#);
}

#[test]
fn a_key_that_everybody_can_read_is_a_warning() {
    let server = everybody(|_, _, good| good);
    let warnings = machines(&server).into_iter().map(|machine| {
        let Some(path) = machine.settings.keyfile.clone() else {
            return String::new();
        };
        let path = machine.path().join(path);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        std::fs::set_permissions(path, mode).unwrap();
        let (_, log) = logged(|| machine.found());
        machine.without_paths(&log.join("\n"))
    });
    let warnings = warnings.collect::<Vec<_>>();
    insta::assert_snapshot!(warnings[0], @r#"WARN: a key can be read by every user of this machine file=DIR/key.json mode=0644 hint="take the right to read it from others, as with `chmod o-r`""#);
    // All but those of the metadata server.
    assert_eq!(
        warnings.iter().filter(|warning| warning.is_empty()).count(),
        1
    );

    let without_secret = json!({
        "type": "external_account", "audience": "pool", "subject_token_type": "jwt",
        "token_url": "https://sts.googleapis.com/v1/token", "credential_source": {"file": "subject"},
    });
    let machine = Machine::new();
    let path = machine.write("key.json", without_secret.to_string());
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&path, mode).unwrap();
    let mut machine = machine;
    machine.settings.keyfile = Some(path);
    assert_eq!(logged(|| machine.found()).1, [""; 0]);
}
