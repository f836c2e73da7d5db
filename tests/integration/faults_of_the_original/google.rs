//! What its plugins for Google Cloud did.

use std::collections::BTreeSet;

use janitor_test_google::{Fault, Google, Instance, World};

use crate::google::{deployment, google};
use crate::janitor::Janitor;

/// Instances compared with a zone file, in which nothing that the tests have is to be changed but `old`.
fn instances(google: &Google, settings: &str) -> Janitor {
    let served = "web A 192.0.2.1\nmail A 192.0.2.2\nold A 192.0.2.3";
    deployment(google)
        .authorities(&["gcp.gce"])
        .served("example.com", served)
        .settings(
            "[core.guard]\ndeletions_percent = 100\n[core.guard.run]\ndeletions_percent = 100",
        )
        .settings(&format!("[gcp.gce]\ndns_zone = 'example.com.'\n{settings}"))
}

fn two_projects() -> World {
    World::new()
        .instance("p-1", Instance::new("web").external("192.0.2.1"))
        .instance("p-2", Instance::new("mail").external("192.0.2.2"))
        .instance("p-2", Instance::new("new").external("192.0.2.4"))
}

/// What is served of `web`, `mail`, `old` and `new`.
fn served(janitor: &Janitor) -> Vec<&'static str> {
    let file = janitor.served_file("example.com");
    let is_there = |name: &&str| file.lines().any(|line| line.starts_with(*name));
    ["web", "mail", "old", "new"]
        .into_iter()
        .filter(is_there)
        .collect()
}

/// B24: all projects were asked at the same time, however many there were.
#[test]
fn no_more_projects_are_asked_at_once_than_it_says() {
    let projects = (0..20).map(|number| format!("p-{number}"));
    let google = google(projects.fold(World::new(), |world, id| world.project(&id)));
    google.fault("GET /compute/", Fault::Silence);
    // Nobody gets an answer, so that nobody makes room for another one.
    let run = instances(&google, "at_once = 3\ntimeout = 1.0\ndeadline = 3.0").run();
    assert_eq!(run.exit_code(), 1);
    let asked = google.requests_like("GET /compute/");
    let asked: BTreeSet<_> = asked.iter().map(|request| request.path.clone()).collect();
    assert_eq!(asked.len(), 3, "{asked:?}");
}

/// B25: with a token that was refused, every project was skipped, and the run a success.
#[test]
fn a_refused_token_is_not_a_project_that_may_not_be_seen() {
    let google = google(two_projects());
    google.fault(
        "POST /token",
        Fault::grant(403, "access_denied", "Account is suspended"),
    );
    let janitor = instances(&google, "project_whitelist = ['p-1', 'p-2']");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 1);
    assert_eq!(served(&janitor), ["web", "mail", "old"]);
    assert_eq!(run.log_with("Could not fetch instance list"), [""; 0]);
    assert_eq!(google.requests_like("GET /compute/").len(), 0);
    let told = run.failures();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("cannot get an access token"), "{told:?}");
}

/// B26: the records of a project that was skipped were deleted.
#[test]
fn the_names_of_a_project_that_may_not_be_listed_stay() {
    for status in [403, 404, 410] {
        let google = google(two_projects());
        google.fault(
            "GET /compute/v1/projects/p-1/",
            Fault::status(status, "notToday"),
        );
        let janitor = instances(&google, "");
        let run = janitor.run();
        assert_eq!(run.exit_code(), 0, "{}", run.errors());
        assert_eq!(served(&janitor), ["web", "mail", "old", "new"], "{status}");
        let told = run.log_with("Could not fetch instance list for project, skipping: p-1: ");
        assert_eq!(told.len(), 1, "{told:?}");

        google.heal();
        assert_eq!(janitor.run().exit_code(), 0);
        assert_eq!(served(&janitor), ["web", "mail", "new"], "{status}");
    }
}

/// B27: an item of metadata without a value ended the run.
#[test]
fn metadata_without_a_value_is_no_reason_to_stop() {
    let odd = |instance: Instance| {
        instance.metadata("dns", "on").edited(|instance| {
            let items = instance["metadata"]["items"].as_array_mut();
            items
                .expect("there is one")
                .insert(0, serde_json::json!({ "key": "dns" }));
        })
    };
    let off = Instance::new("mail")
        .external("192.0.2.2")
        .metadata("dns", "off");
    let google = google(
        World::new()
            .instance("p-1", odd(Instance::new("web").external("192.0.2.1")))
            .instance("p-1", odd(off)),
    );
    let janitor = instances(&google, "metadata_blacklist = [['dns', 'off']]");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    assert_eq!(served(&janitor), ["web"]);
}

/// A zone to be published to Pub/Sub.
fn published(google: &Google, settings: &str) -> Janitor {
    deployment(google)
        .publishers(&["gcp.gpubsub"])
        .desired("example.com", "www A 192.0.2.1\nnew A 192.0.2.1")
        .served("example.com", "www A 192.0.2.2")
        .settings(&format!(
            "[gcp.gpubsub]\nproject = 'p-1'\ntopic = 'changes'\n{settings}\n\
             [core.guard]\nupdates_percent = 100"
        ))
}

/// B35: an account that may publish and not create topics could not be used.
#[test]
fn whoever_may_publish_need_not_be_allowed_to_create_topics() {
    let google = google(World::new().topic("p-1", "changes"));
    google.fault(
        "PUT /v1/projects/p-1/topics/*",
        Fault::status(403, "PERMISSION_DENIED"),
    );
    let run = published(&google, "").run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_eq!(
        google.world(|world| world.published("p-1", "changes").len()),
        3
    );
    assert_eq!(google.requests_like("PUT *").len(), 0);

    // Whoever asks for it is told.
    let run = published(&google, "create_topic = true").run();
    assert_eq!(run.exit_code(), 1);
    assert!(
        run.stderr()
            .contains("or give the account the permission pubsub.topics.create"),
        "{}",
        run.stderr()
    );
    assert_eq!(
        google.world(|world| world.published("p-1", "changes").len()),
        3
    );
}

/// B36: what failed after it was handed to a queue counted as published, and the run was a success.
#[test]
fn what_pub_sub_does_not_take_is_not_published() {
    for (world, fault) in [
        (World::new(), None),
        (
            World::new().topic("p-1", "changes"),
            Some(Fault::status(403, "PERMISSION_DENIED")),
        ),
        (World::new().topic("p-1", "changes"), Some(Fault::Reset)),
    ] {
        let google = google(world);
        if let Some(fault) = fault {
            google.fault("POST /v1/projects/p-1/*", fault);
        }
        let run = published(&google, "deadline = 0.7").run();
        assert_eq!(run.exit_code(), 1, "{}", run.stderr());
        assert_eq!(run.status(), "unexpected-error");
        let measured = run.log_with("[change-message]");
        assert_eq!(measured.len(), 2, "{measured:?}");
        assert!(
            measured
                .iter()
                .all(|line| line.contains("'result': 'error'")),
            "{measured:?}"
        );
        assert_eq!(run.log_with("ERROR: changes ").len(), 1);
    }
}

/// B37: a `cleanup_timeout` that was no multiple of half a second never came to its end.
#[test]
fn whatever_its_value_cleanup_timeout_ends_the_wait() {
    for seconds in ["0.7", "0", "0.001"] {
        let google = google(World::new().topic("p-1", "changes"));
        google.fault("POST /v1/projects/p-1/*", Fault::Silence);
        let run = published(&google, &format!("cleanup_timeout = {seconds}")).run();
        assert_eq!(run.exit_code(), 1, "{}", run.stderr());
        let told =
            run.log_with("The following tasks did not complete in time and are being cancelled");
        assert_eq!(told.len(), 1, "{}", run.stderr());
        assert!(told[0].contains("2 requests with 3 messages"), "{told:?}");
    }
}
