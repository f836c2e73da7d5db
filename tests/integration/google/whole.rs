//! Whole runs: what instances there are is compared with what Cloud DNS serves, and corrected.

use insta::assert_snapshot;
use janitor_test_google::{Fault, Google, Instance, ManagedZone, Message, Pages, World};
use serde_json::Value;

use super::{LARGE_CHANGES, corrected, corrected_with, google, told};
use crate::janitor::{FILES, GCP, Janitor};

/// Two projects with an instance each, a zone that has one of them, an old name, and one with another
/// address.
fn world() -> World {
    let zone = ManagedZone::public("example.com.")
        .with("www.example.com.", "A", 300, &["192.0.2.1"])
        .with("db.example.com.", "A", 300, &["192.0.2.99"])
        .with("old.example.com.", "A", 300, &["192.0.2.9"]);
    World::new()
        .instance("web", Instance::new("www").external("192.0.2.1"))
        .instance("web", Instance::new("new").external("192.0.2.2"))
        .instance(
            "data",
            Instance::new("db")
                .external("192.0.2.3")
                .in_zone("europe-west1-b"),
        )
        .managed_zone("dns", zone)
}

#[test]
fn what_instances_there_are_is_what_cloud_dns_serves() {
    let google = google(world());
    let janitor = corrected(&google);

    let run = janitor.run();

    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_snapshot!(google.world(|world| world.served("dns", "example-com")), @"
    db.example.com. 300 A 192.0.2.3
    example.com. 21600 NS ns-cloud-a1.googledomains.com.
    example.com. 21600 NS ns-cloud-a2.googledomains.com.
    example.com. 21600 NS ns-cloud-a3.googledomains.com.
    example.com. 21600 NS ns-cloud-a4.googledomains.com.
    example.com. 21600 SOA ns-cloud-a1.googledomains.com. cloud-dns-hostmaster.google.com. SERIAL 21600 3600 259200 300
    new.example.com. 300 A 192.0.2.2
    www.example.com. 300 A 192.0.2.1
    ");
    // One change of the zone for all of it.
    assert_eq!(
        google.world(|world| world.zone("dns", "example-com").changes_made()),
        1
    );
}

#[test]
fn a_second_run_has_nothing_to_do() {
    let google = google(world());
    let janitor = corrected(&google);
    assert_eq!(janitor.run().exit_code(), 0);
    google.forget_requests();

    let run = janitor.run();

    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_eq!(google.requests_like("POST /dns/").len(), 0);
    assert_eq!(janitor.plan(&["--exit-code"]).exit_code(), 0);
}

#[test]
fn listings_are_followed_to_their_last_page() {
    let pages = Pages {
        projects: 1,
        instances: 1,
        record_sets: 2,
        managed_zones: 1,
        changes: 1,
    };
    let google = google(world().pages(pages));
    let janitor = corrected(&google);

    assert_eq!(janitor.run().exit_code(), 0);

    assert_eq!(google.requests_like("GET /v1/projects").len(), 2);
    assert_eq!(
        google
            .requests_like("GET /compute/*/web/aggregated/instances")
            .len(),
        2
    );
    assert_eq!(google.requests_like("GET /dns/*/rrsets?").len(), 3);
    google.forget_requests();
    assert_eq!(janitor.plan(&["--exit-code"]).exit_code(), 0);
}

#[test]
fn each_plugin_has_one_token_and_takes_compressed_answers() {
    let google = google(world());

    assert_eq!(corrected(&google).run().exit_code(), 0);

    assert_eq!(
        google.world(|world| world.tokens()),
        ["tok-1", "tok-2", "tok-3"]
    );
    for request in google.requests() {
        let has = |header: &str, text: &str| {
            request
                .header(header)
                .is_some_and(|value| value.contains(text))
        };
        assert!(has("accept-encoding", "gzip"), "{}", request.line());
        assert!(has("user-agent", "gzip"), "{}", request.line());
    }
}

#[test]
fn the_gordon_service_is_told_what_is_to_be_done() {
    let google = google(world().topic("dns", "corrections"));

    let run = told(&google).run();

    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_snapshot!(published(&google), @r#"
    example.com. db {"action":"deletions","resourceRecords":{"kind":"dns#resourceRecordSet","name":"db.example.com.","rrdatas":["192.0.2.99"],"ttl":300,"type":"A"},"timestamp":"TIME"}
    example.com. db {"action":"additions","resourceRecords":{"kind":"dns#resourceRecordSet","name":"db.example.com.","rrdatas":["192.0.2.3"],"ttl":300,"type":"A"},"timestamp":"TIME"}
    example.com. new {"action":"additions","resourceRecords":{"kind":"dns#resourceRecordSet","name":"new.example.com.","rrdatas":["192.0.2.2"],"ttl":300,"type":"A"},"timestamp":"TIME"}
    example.com. old {"action":"deletions","resourceRecords":{"kind":"dns#resourceRecordSet","name":"old.example.com.","rrdatas":["192.0.2.9"],"ttl":300,"type":"A"},"timestamp":"TIME"}
    "#);
    // Nothing was done to the zone.
    assert_eq!(
        google.world(|world| world.zone("dns", "example-com").changes_made()),
        0
    );
}

/// The messages for the Gordon service, one a line, sorted by names: those of one name in their order.
fn published(google: &Google) -> String {
    let mut messages = google.world(|world| world.published("dns", "corrections").to_vec());
    messages.sort_by_key(|message| message.ordering_key.clone());
    let line = |message: Message| {
        let mut event = serde_json::from_slice::<Value>(&message.data).expect("a message is JSON");
        event["timestamp"] = "TIME".into();
        format!("{} {event}\n", message.ordering_key)
    };
    messages.into_iter().map(line).collect()
}

#[test]
fn names_and_addresses_go_into_zones_of_their_own() {
    let reverse = ManagedZone::public("2.0.192.in-addr.arpa.");
    let data = ManagedZone::private("data.example.net.").named("corp");
    let google = google(
        world()
            .managed_zone("dns", reverse)
            .managed_zone("dns", data),
    );
    let janitor = corrected_with(
        &google,
        "reverse_zones = ['2.0.192.in-addr.arpa.']\n\
         [[gcp.gce.zones]]\ndns_zone = 'data.example.net.'\nprojects = ['data']",
    );

    let run = janitor.run();

    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    let served = |zone: &str| google.world(|world| world.served("dns", zone));
    let without_apex = |text: String| {
        let lines = text
            .lines()
            .filter(|line| !line.contains(" NS ") && !line.contains(" SOA "));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(without_apex(served("example-com")), @"
    new.example.com. 300 A 192.0.2.2
    www.example.com. 300 A 192.0.2.1
    ");
    assert_snapshot!(without_apex(served("corp")), @"db.data.example.net. 300 A 192.0.2.3");
    assert_snapshot!(without_apex(served("2-0-192-in-addr-arpa")), @"
    1.2.0.192.in-addr.arpa. 300 PTR www.example.com.
    2.2.0.192.in-addr.arpa. 300 PTR new.example.com.
    3.2.0.192.in-addr.arpa. 300 PTR db.data.example.net.
    ");
    assert_eq!(janitor.plan(&["--exit-code"]).exit_code(), 0);
}

#[test]
fn a_project_that_cannot_be_listed_takes_nothing_away() {
    let google = google(world());
    google.fault(
        "GET /compute/v1/projects/data/",
        Fault::status(403, "forbidden"),
    );
    let janitor = corrected(&google);

    let run = janitor.run();

    assert_snapshot!(run.log_with("WARNING").join("\n"), @r#"
    WARNING: Could not fetch instance list for project, skipping: data: the service answers 403 (forbidden): Required permission is missing for the caller. project=data hint="a project without instances belongs into `project_blacklist`" plugin=gcp.gce
    WARNING: differences are left as they are: the desired zone is incomplete, or their owners are held zone=example.com. held_back=2 complete=false
    "#);
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    let served = google.world(|world| world.served("dns", "example-com"));
    // What is missing is added, what is there stays as it is.
    assert!(
        served.contains("new.example.com. 300 A 192.0.2.2\n"),
        "{served}"
    );
    assert!(
        served.contains("db.example.com. 300 A 192.0.2.99\n"),
        "{served}"
    );
    assert!(
        served.contains("old.example.com. 300 A 192.0.2.9\n"),
        "{served}"
    );
}

/// The keys of the original, each where its documentation has it.
#[test]
fn a_configuration_of_the_original_runs() {
    let world = world().topic("dns", "corrections");
    let tagged = Instance::new("private").external("192.0.2.7").tag("no-dns");
    let marked = Instance::new("marked")
        .external("192.0.2.8")
        .metadata("dns", "off");
    let google = google(
        world
            .instance("web", tagged)
            .instance("web", marked)
            .instance("scratch", Instance::new("gone").external("192.0.2.6")),
    );
    let janitor = Janitor::new().libraries(&[GCP, FILES]);
    let key_file = google.key_file(&janitor.path(""));
    let config = format!(
        "[core]
plugins = ['gcp.gce', 'gcp.gdns', 'gcp.gpubsub']
debug = false

[core.logging]
level = 'info'
handlers = ['stream']

[gcp]
keyfile = '{}'
project = 'dns'
cleanup_timeout = 60

[gcp.gce]
dns_zone = 'example.com.'
project_blacklist = ['scratch']
tag_blacklist = ['no-dns']
metadata_blacklist = [['dns', 'off']]
instance_filter = 'status = RUNNING'
scopes = ['cloud-platform']

[gcp.gdns]
scopes = ['ndev.clouddns.readonly']
api_version = 'v1'
default_zone_prefix = ''

[gcp.gpubsub]
topic = 'corrections'
scopes = ['pubsub']
",
        key_file.display()
    );
    let janitor = janitor
        .config(&config)
        .settings(&google.endpoints())
        .settings(LARGE_CHANGES);

    let run = janitor.run();

    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_eq!(
        published(&google).lines().count(),
        4,
        "{}",
        published(&google)
    );
    assert!(google.requests_like("GET /compute/*/scratch/").is_empty());
}

#[test]
fn no_secret_is_told_however_much_is_told() {
    let google = google(world().topic("dns", "corrections"));
    google
        .fault("POST /token", Fault::status(503, "backendError"))
        .once();
    google.fault("GET /dns/*", Fault::Revoked).once();
    let janitor = told(&google).settings("[core.logging]\nlevel = 'debug'");

    let run = janitor.run();

    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    let told = format!("{}{}", run.stdout(), run.stderr());
    assert!(told.contains("DEBUG: "), "{told}");
    let secrets = google.secrets();
    assert!(secrets.len() > 30, "keys, tokens and assertions are known");
    for secret in secrets {
        assert!(!told.contains(&secret), "{secret} is told:\n{told}");
    }
}
