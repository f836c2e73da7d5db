//! `gcp.gce`: from instances to zones, by the whole program.

use janitor_test_google::{Fault, Google, Instance, Pages, World};
use serde_json::json;

use super::{deployment, google};
use crate::janitor::{Janitor, Run};

/// A deployment in which the instances are compared with zone files, and the files corrected.
fn corrected(google: &Google, settings: &str) -> Janitor {
    deployment(google)
        .authorities(&["gcp.gce"])
        .served("example.com", "gone A 192.0.2.99\nwww A 192.0.2.98")
        .settings(
            "[core.guard]\ndeletions_percent = 100\n[core.guard.run]\ndeletions_percent = 100",
        )
        .settings(settings)
}

/// The records of a zone file, without those at the apex.
fn records(janitor: &Janitor, zone: &str) -> String {
    let file = janitor.served_file(zone);
    let names = file
        .lines()
        .filter(|line| line.contains(" IN ") || line.contains('\t'));
    names
        .filter(|line| !line.contains("SOA") && !line.contains("NS"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn logged(run: &Run, about: &str) -> String {
    run.log_with(about).join("\n")
}

#[test]
fn instances_of_all_projects_become_the_names_of_a_zone() {
    let google = google(
        World::new()
            .instance("web", Instance::new("www").external("192.0.2.1"))
            .instance(
                "mail",
                Instance::new("mx")
                    .external("192.0.2.2")
                    .that_is("TERMINATED"),
            )
            .instance(
                "mail",
                Instance::new("hidden").external("192.0.2.3").tag("no-dns"),
            )
            .project("empty")
            .project_that_is("old", "DELETE_REQUESTED"),
    );
    let janitor = corrected(
        &google,
        "[gcp.gce]\ndns_zone = 'example.com.'\ntag_blacklist = ['no-dns']",
    );
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    insta::assert_snapshot!(records(&janitor, "example.com"), @"
    mx.example.com. 300 IN A 192.0.2.2
    www.example.com. 300 IN A 192.0.2.1
    ");
    insta::assert_snapshot!(logged(&run, "GCE"), @"
    INFO: [example.com.] Found 2 rrsets for zone in GCE. plugin=gcp.gce
    INFO: Finished processing GCE data. plugin=gcp.gce
    ");
    insta::assert_snapshot!(logged(&run, "gceauthority"), @"
    INFO: [projects] value: 3 context: {'plugin': 'gceauthority'} plugin=gcp.gce
    INFO: [rrsets] value: 2 context: {'plugin': 'gceauthority', 'zone': 'example.com.'} plugin=gcp.gce
    ");
    let asked = google.requests_like("GET *");
    let mut asked: Vec<_> = asked
        .iter()
        .map(janitor_test_google::Request::line)
        .collect();
    asked.sort_unstable();
    insta::assert_snapshot!(asked.join("\n"), @"
    GET /compute/v1/projects/empty/aggregated/instances?maxResults=100
    GET /compute/v1/projects/mail/aggregated/instances?maxResults=100
    GET /compute/v1/projects/web/aggregated/instances?maxResults=100
    GET /v1/projects?pageSize=1000
    ");
    let again = janitor.plan(&["--exit-code"]);
    assert_eq!(again.exit_code(), 0, "{}", again.stdout());
}

#[test]
fn every_page_of_projects_and_instances_counts() {
    let world = || {
        let pages = Pages {
            projects: 2,
            ..Pages::default()
        };
        (0..25).fold(World::new().pages(pages), |world, number| {
            let instance = Instance::new(&format!("host-{number}"))
                .external(&format!("192.0.2.{number}"))
                .in_zone(["a-b", "c-d"][number % 2]);
            world.instance(&format!("p-{}", number % 5), instance)
        })
    };
    // Five instances a project: the last page has one, is full, or is the only one.
    for (page_size, pages) in [(2, 3), (4, 2), (5, 1), (1, 5)] {
        let google = google(world());
        let settings = format!("[gcp.gce]\ndns_zone = 'example.com'\npage_size = {page_size}");
        let janitor = corrected(&google, &settings);
        let run = janitor.run();
        assert_eq!(run.exit_code(), 0, "{}", run.errors());
        assert_eq!(records(&janitor, "example.com").lines().count(), 25);
        assert_eq!(google.requests_like("GET /v1/projects").len(), 3);
        let listed =
            format!("GET /compute/v1/projects/p-0/aggregated/instances?maxResults={page_size}");
        let asked = google.requests_like(&listed);
        assert_eq!(asked.len(), pages, "{page_size}");
    }
}

#[test]
fn zones_by_rule_and_reverse_zones_are_sent_each_by_itself() {
    let google = google(
        World::new()
            .instance(
                "corp",
                Instance::new("db")
                    .internal("10.1.2.3")
                    .label("env", "test"),
            )
            .instance(
                "web",
                Instance::new("www")
                    .external("192.0.2.1")
                    .external_ipv6("2001:db8::1"),
            ),
    );
    let janitor = corrected(
        &google,
        "
        [gcp.gce]
        dns_zone = 'example.com'
        address = 'external-dual-stack'
        reverse_zones = ['10.in-addr.arpa', '8.b.d.0.1.0.0.2.ip6.arpa']
        [[gcp.gce.zones]]
        dns_zone = 'corp.test'
        projects = ['corp']
        labels = { env = '*' }
        address = 'internal'
        name_template = '{name}.{label:env}'
    ",
    );
    let janitor = ["corp.test", "10.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"]
        .into_iter()
        .fold(janitor, |janitor, zone| janitor.served(zone, ""));
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    let zones = [
        "example.com",
        "corp.test",
        "10.in-addr.arpa",
        "8.b.d.0.1.0.0.2.ip6.arpa",
    ];
    let zones = zones.map(|zone| records(&janitor, zone));
    insta::assert_snapshot!(zones.join("\n"), @"
    www.example.com. 300 IN A 192.0.2.1
    www.example.com. 300 IN AAAA 2001:db8::1
    db.test.corp.test. 300 IN A 10.1.2.3
    3.2.1.10.in-addr.arpa. 300 IN PTR db.test.corp.test.
    1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. 300 IN PTR www.example.com.
    ");
}

#[test]
fn a_zone_that_no_instance_is_in_stays_as_it_is() {
    let google = google(World::new().project("empty"));
    let janitor = corrected(&google, "[gcp.gce]\ndns_zone = 'example.com'");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 3);
    insta::assert_snapshot!(run.left_out().join("\n"), @r#"example.com. plugin=gcp.gce reason="cannot name instances in `example.com.`: no instance that was listed has a name in it""#);
    let served = janitor.served_file("example.com");
    assert!(
        served.contains("192.0.2.98") && served.contains("192.0.2.99"),
        "{served}"
    );
}

#[test]
fn a_listing_that_ends_too_early_sends_nothing() {
    let google = google(World::new().instance("web", Instance::new("www").external("192.0.2.1")));
    let faults = [
        Fault::status(400, "badRequest"),
        Fault::endless(),
        Fault::edited(|body| body["items"] = json!([])),
        Fault::edited(|body| body["nextPageToken"] = json!(5)),
        Fault::body("application/json", "{\"items\": {"),
        Fault::body("text/html", "<html>"),
    ];
    for fault in faults {
        google.heal();
        let shown = format!("{fault:?}");
        google.fault("GET /compute/", fault);
        let janitor = corrected(&google, "[gcp.gce]\ndns_zone = 'example.com'");
        let run = janitor.run();
        assert_eq!(run.exit_code(), 1, "{shown}");
        let kept = janitor.served_file("example.com");
        assert!(
            kept.contains("192.0.2.98") && kept.contains("192.0.2.99"),
            "{shown} {kept}"
        );
        let told = run.failures();
        assert_eq!(told.len(), 1, "{shown}");
        assert!(
            told[0].contains("cannot list the instances of project `web`"),
            "{shown} {told:?}"
        );
    }
    // What is spoilt on purpose fits no document of Google's.
    drop(google.take_violations());
}

#[test]
fn a_setting_that_cannot_be_used_is_told_with_its_place() {
    let google = google(World::new());
    let told = |line: &str| {
        let janitor = corrected(
            &google,
            &format!("[gcp.gce]\ndns_zone = 'example.com'\n{line}"),
        );
        let run = janitor.run();
        assert_eq!(run.exit_code(), 2, "{line}");
        run.errors()
            .replace(&*janitor.path("").to_string_lossy(), "")
    };
    insta::assert_snapshot!(told("metadata_blacklist = [['dns', 'off'], ['dns']]"), @r#"
    error[GJ409]: plugin "gcp.gce" does not accept its configuration: a list of 1 where a key and a value belong, as in ["dns", "off"]
      where: <root>/gordon-janitor-user.toml:17:22, [gcp.gce]
      17 | metadata_blacklist = [['dns', 'off'], ['dns']]
         |                      ^^^^^^^^^^^^^^^^^^^^^^^^^
    error: 1 error; nothing was run
    "#);
    insta::assert_snapshot!(told("name_template = '{nmae}'"), @r#"
    error[GJ409]: plugin "gcp.gce" does not accept its configuration: `{nmae}` is no placeholder; there are {name}, {project}, {zone}, {region}, {id}, {hostname}, and {label:KEY} for the label KEY
      where: <root>/gordon-janitor-user.toml:17:17, [gcp.gce]
      17 | name_template = '{nmae}'
         |                 ^^^^^^^^
    error: 1 error; nothing was run
    "#);
}

/// The answer of a project in which nobody has enabled Compute Engine.
fn not_enabled() -> Fault {
    Fault::status(403, "accessNotConfigured")
}

#[test]
fn a_project_without_compute_engine_has_no_instances_where_that_is_said() {
    let world = || {
        World::new()
            .instance("web", Instance::new("www").external("192.0.2.1"))
            .project("script")
    };
    let of = |setting: &str, fault: Fault| {
        let google = google(world());
        google.fault("GET /compute/v1/projects/script/", fault);
        let janitor = corrected(
            &google,
            &format!("[gcp.gce]\ndns_zone = 'example.com'\n{setting}"),
        );
        let run = janitor.run();
        assert_eq!(run.exit_code(), 0, "{}", run.errors());
        let is_kept = janitor.served_file("example.com").contains("192.0.2.99");
        (is_kept, logged(&run, "Could not fetch"))
    };
    let (is_kept, told) = of("", not_enabled());
    assert!(is_kept);
    insta::assert_snapshot!(told, @r#"WARNING: Could not fetch instance list for project, skipping: script: the service answers 403 (accessNotConfigured): Required permission is missing for the caller. project=script hint="say with `not_enabled` what a project without Compute Engine comes to" plugin=gcp.gce"#);
    let empty = "not_enabled = 'empty'";
    assert_eq!(of(empty, not_enabled()), (false, String::new()));
    for other in [
        Fault::status(403, "forbidden"),
        Fault::status(404, "accessNotConfigured"),
    ] {
        let shown = format!("{other:?}");
        let (is_kept, told) = of(empty, other);
        assert!(is_kept && !told.is_empty(), "{shown} {told}");
    }
}

#[test]
fn compute_engine_that_is_disabled_while_it_is_listed_hides_instances() {
    let world =
        ["www", "gone", "new"]
            .into_iter()
            .zip(1..)
            .fold(World::new(), |world, (name, at)| {
                let instance = Instance::new(name).external(&format!("192.0.2.{at}"));
                world.instance("web", instance)
            });
    let google = google(world);
    google.fault("GET /compute/*pageToken", not_enabled());
    let settings = "[gcp.gce]\ndns_zone = 'example.com'\npage_size = 1\nnot_enabled = 'empty'";
    let janitor = corrected(&google, settings);
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.errors());
    assert_eq!(run.log_with("Could not fetch instance list").len(), 1);
    assert!(janitor.served_file("example.com").contains("192.0.2.98"));
}

#[test]
fn beside_another_authority_nothing_is_deleted_that_was_not_seen() {
    let world = World::new()
        .instance("p-1", Instance::new("www").external("192.0.2.98"))
        .instance("p-2", Instance::new("new").external("192.0.2.97"));
    let google = google(world);
    let after = |exit: i32| {
        let janitor = corrected(&google, "[gcp.gce]\ndns_zone = 'example.com'")
            .authorities(&["files.zones", "gcp.gce"])
            .desired("example.com", "static A 192.0.2.50")
            .settings("[core.merge]\npolicy = 'union'");
        let run = janitor.run();
        assert_eq!(run.exit_code(), exit, "{}", run.errors());
        let file = janitor.served_file("example.com");
        let is_there = |name: &&str| file.lines().any(|line| line.starts_with(*name));
        let names = ["gone", "new", "static", "www"].into_iter();
        names.filter(is_there).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(after(0), "new static www");
    // A project is not seen: additions only.
    google.fault(
        "GET /compute/v1/projects/p-2/",
        Fault::status(404, "notFound"),
    );
    assert_eq!(after(0), "gone static www");
    // None is seen: the zone is left out, whatever the other says.
    google.fault(
        "GET /compute/v1/projects/p-1/",
        Fault::status(403, "forbidden"),
    );
    assert_eq!(after(3), "gone www");
    // The run of this authority fails: additions only.
    google.heal();
    google.fault(
        "GET /compute/v1/projects/p-2/",
        Fault::status(400, "badRequest"),
    );
    assert_eq!(after(1), "gone static www");
}
