//! How its plugins for Google Cloud asked.

use janitor_test_google::{Fault, Google, Instance, World};

use crate::google::{deployment, google};
use crate::janitor::{Janitor, Run};

/// Instances of two projects, compared with a zone file in which all of them are missing.
fn asking(google: &Google, settings: &str) -> Janitor {
    deployment(google)
        .authorities(&["gcp.gce"])
        .served("example.com", "")
        .settings(&format!("[gcp.gce]\ndns_zone = 'example.com.'\n{settings}"))
}

fn world() -> World {
    World::new()
        .instance("p-1", Instance::new("web").external("192.0.2.1"))
        .instance("p-2", Instance::new("mail").external("192.0.2.2"))
}

fn is_corrected(janitor: &Janitor) -> bool {
    let served = janitor.served_file("example.com");
    served.contains("web.example.com.") && served.contains("mail.example.com.")
}

fn pauses(run: &Run) -> usize {
    run.log_with("WARNING: request is repeated after a pause")
        .len()
}

/// B28: with the level debug, the log had the access token of every request.
#[test]
fn no_token_is_in_any_log() {
    let google = google(world());
    google
        .fault("GET /compute/*/p-1", Fault::status(503, "backendError"))
        .once();
    google.fault("GET /compute/*/p-2", Fault::Revoked).once();
    let janitor = asking(&google, "").settings("[core.logging]\nlevel = 'debug'");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    // What was asked and answered is all there.
    let asked = run.log_with("DEBUG: request ");
    assert!(asked.len() >= google.requests().len(), "{asked:#?}");
    assert!(
        asked
            .iter()
            .any(|line| line.contains("/aggregated/instances?maxResults=100")),
        "{asked:#?}"
    );
    assert!(
        !run.log_with("DEBUG: token refused, another one is fetched")
            .is_empty()
    );
    let repeated = run.log_with("[gcp-repetitions] value: 1 ");
    assert_eq!(repeated.len(), 1, "{repeated:?}");
    let everything = format!("{}{}", run.stdout(), run.stderr());
    let secrets = google.secrets();
    assert!(
        secrets.iter().any(|secret| secret == "tok-2"),
        "{secrets:?}"
    );
    for secret in secrets {
        assert!(!everything.contains(&secret), "{secret}");
    }
}

/// B30: a token that was refused before its time was sent again and again, several hundred times.
#[test]
fn a_refused_token_is_replaced_at_most_twice() {
    let google = google(world());
    google.fault("GET /v1/projects", Fault::Revoked);
    let run = asking(&google, "").run();
    assert_eq!(run.exit_code(), 1);
    assert_eq!(google.requests_like("GET /v1/projects").len(), 2);
    assert_eq!(google.requests_like("POST /token").len(), 2);
    assert!(
        run.stderr().contains("the service answers 401"),
        "{}",
        run.stderr()
    );

    google.heal();
    google.fault("GET /compute/*/p-1", Fault::Revoked).once();
    let janitor = asking(&google, "");
    assert_eq!(janitor.run().exit_code(), 0);
    assert!(is_corrected(&janitor));
}

/// B31: nothing was asked twice, whatever became of it.
#[test]
fn what_may_pass_is_asked_again() {
    for fault in [
        Fault::status(429, "rateLimitExceeded").retry_after("0"),
        Fault::status(403, "rateLimitExceeded"),
        Fault::status(500, "backendError"),
        Fault::status(503, "backendError"),
        Fault::Reset,
        Fault::Unanswered,
        Fault::CutHead(30),
        Fault::CutBody(30),
    ] {
        let google = google(world());
        google.fault("GET /compute/*/p-1", fault.clone()).once();
        let janitor = asking(&google, "");
        let run = janitor.run();
        assert_eq!(run.exit_code(), 0, "{fault:?}: {}", run.errors());
        assert!(is_corrected(&janitor), "{fault:?}");
        assert_eq!(pauses(&run), 1, "{fault:?}");
        assert_eq!(
            google.requests_like("GET /compute/*/p-1").len(),
            2,
            "{fault:?}"
        );
    }
}

/// And whatever does not pass ends, with an error that says how often it was tried.
#[test]
fn what_does_not_pass_ends_with_the_deadline() {
    let google = google(world());
    google.fault("GET /compute/*/p-1", Fault::status(503, "backendError"));
    let janitor = asking(&google, "deadline = 1.5");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 1);
    assert!(!is_corrected(&janitor));
    assert!(pauses(&run) > 0);
    let failures = run.failures().join("\n");
    assert!(
        failures.contains("plugin `gcp.gce` failed: cannot list the instances of project `p-1`: "),
        "{failures}"
    );
    assert!(failures.contains("(`deadline = 1.5`)"), "{failures}");
    assert!(
        failures.contains("the service answers 503 (backendError): "),
        "{failures}"
    );
}
