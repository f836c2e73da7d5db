//! How its plugins for Google Cloud came by their tokens. That one which was refused passed for a refused
//! project (B25) is tested with those.

use janitor_test_google::{Google, Instance, World};

use crate::google::google;
use crate::janitor::{FILES, GCP, Janitor};

/// A project with one instance, `web`.
fn one_project() -> World {
    World::new().instance("p-1", Instance::new("web").external("192.0.2.1"))
}

/// Instances compared with an empty zone file, on a machine that has no credentials yet, with `settings` of
/// all plugins for Google.
fn deployment(google: &Google, settings: &str) -> Janitor {
    let janitor = Janitor::new().libraries(&[GCP, FILES]);
    let home = janitor.path("");
    janitor
        .authorities(&["gcp.gce"])
        .served("example.com", "")
        .environment("HOME", &home.to_string_lossy())
        .settings("[core.logging]\nlevel = 'debug'")
        .settings(&format!("[gcp]\ntimeout = 5.0\n{settings}"))
        .settings(&google.endpoints())
        .settings("[gcp.gce]\ndns_zone = 'example.com.'")
}

/// Runs, and makes sure that `web` is served then, and nothing secret was said.
fn corrected(janitor: &Janitor, google: &Google) {
    let run = janitor.run();
    let told = format!("{}{}", run.stdout(), run.stderr());
    assert_eq!(run.exit_code(), 0, "{told}");
    let served = janitor.served_file("example.com");
    assert!(served.contains("web"), "{served}");
    for secret in google.secrets() {
        assert!(!told.contains(&secret), "{secret} is in: {told}");
    }
    assert_eq!(google.take_violations(), [""; 0]);
}

/// The scopes that tokens were asked for with, where a form or a query has them.
fn scopes(google: &Google) -> Vec<String> {
    let asked = google.requests().into_iter().flat_map(|request| {
        let query = request.parameter("scopes").map(str::to_owned);
        let form = request.form().into_iter();
        let form = form.filter(|(name, _)| name == "scope");
        query.into_iter().chain(form.map(|(_, value)| value))
    });
    asked.collect()
}

/// B29: every one of the requests that were made at once fetched a token of its own.
#[test]
fn many_projects_that_are_listed_at_once_share_one_token() {
    let projects = (1..=10)
        .map(|number| format!("p-{number}"))
        .collect::<Vec<_>>();
    let world = projects
        .iter()
        .fold(one_project(), |world, id| world.project(id));
    let google = google(world);
    let settings = format!("keyfile = 'service-account.json'\nproject_whitelist = {projects:?}");
    let janitor = deployment(&google, &settings);
    let _file = google.key_file(&janitor.path(""));

    corrected(&janitor, &google);

    assert_eq!(google.requests_like("GET /compute/").len(), 10);
    assert_eq!(google.requests_like("POST /token").len(), 1);
}

/// B32: scopes were ignored where the credentials were not those of a key file.
#[test]
fn scopes_hold_for_credentials_of_every_kind() {
    let wanted = [
        "https://www.googleapis.com/auth/compute.readonly",
        "https://www.googleapis.com/auth/cloud-platform.read-only",
    ];
    let setting = "scopes = ['compute.readonly', 'cloud-platform.read-only']";

    let google_of_user = google(one_project());
    let janitor = deployment(&google_of_user, setting);
    let directory = janitor.path(".config/gcloud");
    std::fs::create_dir_all(&directory).expect("a directory can be made");
    let _file = google_of_user.user_file(&directory);
    corrected(&janitor, &google_of_user);
    assert_eq!(scopes(&google_of_user), [wanted.join(" ")]);

    let google_of_machine = google(one_project());
    let janitor = deployment(&google_of_machine, setting)
        .environment("GCE_METADATA_HOST", &google_of_machine.host());
    corrected(&janitor, &google_of_machine);
    assert_eq!(scopes(&google_of_machine), [wanted.join(",")]);
}

/// B33: the key file of a service account crashed it, if the environment named it.
#[test]
fn the_environment_may_name_the_key_of_a_service_account() {
    let google = google(one_project());
    let janitor = deployment(&google, "");
    let file = google.key_file(&janitor.path(""));
    let janitor = janitor.environment("GOOGLE_APPLICATION_CREDENTIALS", &file.to_string_lossy());

    corrected(&janitor, &google);
}

/// B34: a scope that was a whole URL already got another beginning.
#[test]
fn a_scope_may_be_a_whole_url() {
    let google = google(one_project());
    let settings = "keyfile = 'service-account.json'\n\
                    scopes = ['https://www.googleapis.com/auth/cloud-platform']";
    let janitor = deployment(&google, settings);
    let _file = google.key_file(&janitor.path(""));

    corrected(&janitor, &google);
}

/// It knew nothing of tokens of other identity providers, which is beyond its faults.
#[test]
fn another_identity_provider_may_vouch_for_the_janitor() {
    for impersonates in [false, true] {
        let google = google(one_project());
        let janitor = deployment(&google, "");
        let file = google.federation_file(&janitor.path(""), impersonates);
        let janitor =
            janitor.environment("GOOGLE_APPLICATION_CREDENTIALS", &file.to_string_lossy());

        corrected(&janitor, &google);
    }
}

/// It ended with an error from inside of a library.
#[test]
fn without_credentials_the_run_fails_and_says_where_they_were_looked_for() {
    let google = google(one_project());
    // A metadata server that is said to be there, so that none of Google's own is asked.
    let janitor = deployment(&google, "deadline = 3.0");
    let janitor = janitor.environment("GCE_METADATA_HOST", "127.0.0.1:1");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 1);
    let told = run.stderr();
    assert!(
        told.contains("cannot use Application Default Credentials"),
        "{told}"
    );
    assert!(told.contains("GCE_METADATA_HOST"), "{told}");
}

/// The metadata server gives tokens to whoever asks from this machine, and a proxy asks from its own.
#[test]
fn the_metadata_server_is_not_asked_by_a_proxy() {
    let google = google(one_project());
    // An address that is kept for documentation (RFC 5737): nobody answers there.
    let janitor = deployment(&google, "deadline = 0.2")
        .environment("GCE_METADATA_HOST", "192.0.2.1")
        .environment("HTTP_PROXY", &google.url())
        .environment("http_proxy", &google.url());
    let run = janitor.run();
    assert_eq!(run.exit_code(), 1);
    assert_eq!(google.requests().len(), 0, "{}", run.stderr());
}
