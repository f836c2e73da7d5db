//! The reconciler `gcp.gdns`: which managed zone is read, what is made of it, and what leaves a zone out.

use janitor_test_google::{Fault, Google, ManagedZone, Pages, World};
use serde_json::{Value, json};

use super::{deployment, google};
use crate::janitor::{Janitor, Run};

/// A janitor that takes the desired zones from files and compares them with Cloud DNS.
fn janitor(google: &Google, settings: &str) -> Janitor {
    deployment(google)
        .authorities(&["files.zones"])
        .reconcilers(&["gcp.gdns"])
        .publishers(&["files.changes"])
        .settings("[files]\ndirectory = 'desired'\n")
        .settings(&format!("[gcp.gdns]\nproject = 'dns'\n{settings}\n"))
}

/// What a plan finds, or why it leaves the zone out; and nothing that Google's documents do not know.
fn plan(google: &Google, janitor: &Janitor) -> String {
    let plan = janitor.plan(&[]);
    assert_eq!(google.take_violations(), [""; 0]);
    told(&plan)
}

fn told(run: &Run) -> String {
    format!("{}: {}", run.exit_code(), run.stdout())
}

const WWW: &str = "www A 192.0.2.1";

fn public() -> ManagedZone {
    ManagedZone::public("example.com.").with("www.example.com.", "A", 300, &["192.0.2.1"])
}

#[test]
fn a_zone_of_many_pages_is_compared_whole() {
    let zone = (0..25).fold(public(), |zone, number| {
        zone.with(&format!("h{number}.example.com."), "A", 300, &["192.0.2.9"])
    });
    let pages = Pages {
        record_sets: 3,
        ..Pages::default()
    };
    let google = google(World::new().managed_zone("dns", zone).pages(pages));
    let desired: String = (1..25).map(|n| format!("h{n} 300 A 192.0.2.9\n")).collect();
    let janitor =
        janitor(&google, "").desired("example.com", &format!("{desired}www 300 A 192.0.2.2"));
    insta::assert_snapshot!(plan(&google, &janitor), @r"
    0: example.com. 1 update, 1 deletion
      ~ www.example.com.  300  A  192.0.2.1 → 192.0.2.2
      - h0.example.com.   300  A  192.0.2.9
    desired by files.zones, compared by gcp.gdns, published by files.changes (not conditional)
    1 zone compared, 1 to change, 0 as desired, 0 left out: 1 update, 1 deletion
    ");
    assert_eq!(
        google
            .requests_like("GET /dns/v1/projects/dns/managedZones/example-com/rrsets*")
            .len(),
        10
    );
}

#[test]
fn of_a_split_horizon_the_one_that_is_meant_is_read() {
    let world = World::new()
        .managed_zone("dns", public().named("outside"))
        .managed_zone(
            "dns",
            ManagedZone::private("example.com.").named("inside").with(
                "www.example.com.",
                "A",
                300,
                &["10.0.0.1"],
            ),
        );
    let google = google(world);
    let mut answers = String::new();
    for settings in [
        "",
        "visibility = 'public'",
        "visibility = 'private'",
        "zones = { 'Example.COM' = { managed_zone = 'inside' } }",
        "managed_zones = 'by-name'",
        "managed_zones = 'by-name'\nvisibility = 'private'",
    ] {
        let janitor = janitor(&google, settings).desired("example.com", "www 300 A 192.0.2.1");
        let told = settings.replace('\n', ", ");
        answers += &format!("[{told}] {}\n", plan(&google, &janitor));
    }
    insta::assert_snapshot!(answers, @r#"
    [] 3: example.com. left out: cannot find the managed zone of `example.com.` in project `dns`: that DNS name is both that of public and of private managed zones: `inside` (private), `outside` (public)
      hint: set `visibility` to the kind of managed zone that is meant
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes

    [visibility = 'public'] 0: 1 zone compared, 0 to change, 1 as desired, 0 left out: no changes

    [visibility = 'private'] 0: example.com. 1 update
      ~ www.example.com.  300  A  10.0.0.1 → 192.0.2.1
    desired by files.zones, compared by gcp.gdns, published by files.changes (not conditional)
    1 zone compared, 1 to change, 0 as desired, 0 left out: 1 update

    [zones = { 'Example.COM' = { managed_zone = 'inside' } }] 0: example.com. 1 update
      ~ www.example.com.  300  A  10.0.0.1 → 192.0.2.1
    desired by files.zones, compared by gcp.gdns, published by files.changes (not conditional)
    1 zone compared, 1 to change, 0 as desired, 0 left out: 1 update

    [managed_zones = 'by-name'] 3: example.com. left out: cannot read `example.com.` from the managed zone `example-com` in project `dns`: the service answers 404 (notFound): The 'parameters.managedZone' resource named 'example-com' does not exist.
      hint: name it in the configuration: zones."example.com.".managed_zone = "…"
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes

    [managed_zones = 'by-name', visibility = 'private'] 3: example.com. left out: cannot find the managed zone of `example.com.` in project `dns`: there is no managed zone `example-com`
      hint: name it in the configuration: zones."example.com.".managed_zone = "…"
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes
    "#);
}

/// Without it, what is desired of the public zone would be compared with the private one.
#[test]
fn what_is_set_of_visibility_holds_also_where_managed_zones_may_not_be_listed() {
    let private =
        ManagedZone::private("example.com.").with("inside.example.com.", "A", 300, &["10.0.0.1"]);
    let google = google(World::new().managed_zone("dns", private));
    let list = "GET /dns/v1/projects/dns/managedZones?*";
    let one = "GET /dns/v1/projects/dns/managedZones/example-com";
    let mut answers = String::new();
    for (told, refused, reason, visibility) in [
        ("no list", &[list][..], "forbidden", "private"),
        ("no list", &[list], "forbidden", "public"),
        ("not to be seen", &[list, one], "forbidden", "public"),
        ("API off", &[list], "accessNotConfigured", "public"),
        ("by name", &[], "", "public"),
    ] {
        for pattern in refused {
            google.fault(pattern, Fault::status(403, reason));
        }
        let lookup = if refused.is_empty() {
            "by-name"
        } else {
            "by-dns-name"
        };
        let settings = format!("managed_zones = '{lookup}'\nvisibility = '{visibility}'");
        let janitor = janitor(&google, &settings).desired("example.com", "inside A 10.0.0.1");
        answers += &format!("{told}, {visibility}: {}\n", plan(&google, &janitor));
        google.heal();
    }
    insta::assert_snapshot!(answers, @r"
    no list, private: 0: 1 zone compared, 0 to change, 1 as desired, 0 left out: no changes

    no list, public: 3: example.com. left out: cannot find the managed zone of `example.com.` in project `dns`: the managed zone with that DNS name is another one than set by `visibility`: `example-com` (private)
      hint: set `visibility` to the kind of managed zone that is meant
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes

    not to be seen, public: 3: example.com. left out: cannot find the managed zone of `example.com.` in project `dns`: the service answers 403 (forbidden): Required permission is missing for the caller.
      hint: give the account a role that allows this; docs/plugins/gcp.md says which ones are needed
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes

    API off, public: 3: example.com. left out: cannot find the managed zone of `example.com.` in project `dns`: the service answers 403 (accessNotConfigured): Required permission is missing for the caller.
      hint: enable the service's API in the project (`gcloud services enable`), and wait for some minutes
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes

    by name, public: 3: example.com. left out: cannot find the managed zone of `example.com.` in project `dns`: the managed zone with that DNS name is another one than set by `visibility`: `example-com` (private)
      hint: set `visibility` to the kind of managed zone that is meant
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes
    ");
}

#[test]
fn managed_zones_that_cannot_be_told_apart_or_hold_nothing_leave_the_zone_out() {
    let private = |name: &str| ManagedZone::private("example.com.").named(name);
    let forwards =
        json!({"forwardingConfig": {"targetNameServers": [{"ipv4Address": "192.0.2.53"}]}});
    let mut answers = String::new();
    for (told, zones) in [
        ("two networks", vec![private("one"), private("two")]),
        ("forwarding", vec![private("one").with_fields(forwards)]),
        (
            "another one",
            vec![ManagedZone::public("example.net.").named("example-com")],
        ),
        ("none", vec![]),
    ] {
        let world = zones
            .into_iter()
            .fold(World::new(), |world, zone| world.managed_zone("dns", zone));
        let google = google(world.managed_zone("dns", ManagedZone::public("example.org.")));
        let janitor = janitor(&google, "").desired("example.com", WWW);
        answers += &format!("{told}: {}\n", plan(&google, &janitor));
    }
    insta::assert_snapshot!(answers, @r#"
    two networks: 3: example.com. left out: cannot find the managed zone of `example.com.` in project `dns`: several managed zones have that DNS name: `one` (private), `two` (private)
      hint: name it in the configuration: zones."example.com.".managed_zone = "…"
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes

    forwarding: 3: example.com. left out: cannot find the managed zone of `example.com.` in project `dns`: the managed zone `one` holds no records: it forwards queries
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes

    another one: 3: example.com. left out: cannot find the managed zone of `example.com.` in project `dns`: the managed zone `example-com` is that of `example.net.`
      hint: name it in the configuration: zones."example.com.".managed_zone = "…"
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes

    none: 3: example.com. left out: cannot find the managed zone of `example.com.` in project `dns`: no managed zone has that DNS name, and none is named `example-com`
      hint: name it in the configuration: zones."example.com.".managed_zone = "…"
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes
    "#);
}

#[test]
fn reverse_zones_share_a_managed_zone_and_keep_to_their_own() {
    let ptr = |zone: ManagedZone, owner: &str| zone.with(owner, "PTR", 300, &["www.example.com."]);
    let shared = ManagedZone::public("20.10.in-addr.arpa.").named("reverse-20-10");
    let shared = ptr(shared, "1.30.20.10.in-addr.arpa.");
    let shared = ptr(shared, "9.30.20.10.in-addr.arpa.");
    let shared = ptr(shared, "1.31.20.10.in-addr.arpa.");
    let shared = shared.with("32.20.10.in-addr.arpa.", "NS", 300, &["ns1.example.net."]);
    let google = google(World::new().managed_zone("dns", shared));
    let janitor = janitor(&google, "")
        .desired(
            "30.20.10.in-addr.arpa",
            "1 300 PTR www.example.com.\n2 300 PTR www.example.com.",
        )
        .desired("31.20.10.in-addr.arpa", "1 300 PTR www.example.com.")
        .desired("32.20.10.in-addr.arpa", "1 300 PTR www.example.com.");
    insta::assert_snapshot!(plan(&google, &janitor), @r"
    3: 30.20.10.in-addr.arpa. 1 addition, 1 deletion
      + 2.30.20.10.in-addr.arpa.  300  PTR  www.example.com.
      - 9.30.20.10.in-addr.arpa.  300  PTR  www.example.com.
    32.20.10.in-addr.arpa. left out: cannot read `32.20.10.in-addr.arpa.` from the managed zone `reverse-20-10` in project `dns`: it holds the zone `20.10.in-addr.arpa.`, which delegates `32.20.10.in-addr.arpa.` to other name servers
    desired by files.zones, compared by gcp.gdns, published by files.changes (not conditional)
    2 zones compared, 1 to change, 1 as desired, 1 left out: 1 addition, 1 deletion
    ");
}

#[test]
fn a_managed_zone_with_the_name_and_another_zone_is_not_taken() {
    let zone =
        ManagedZone::public("a-b.example.").with("www.a-b.example.", "A", 300, &["192.0.2.1"]);
    let google = google(World::new().managed_zone("dns", zone));
    let janitor = janitor(&google, "managed_zones = 'by-name'").desired("a.b.example", WWW);
    insta::assert_snapshot!(plan(&google, &janitor), @r"
    3: a.b.example. left out: cannot read `a.b.example.` from the managed zone `a-b-example` in project `dns`: it holds the zone `a-b.example.`, as its SOA says
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes
    ");
}

#[test]
fn where_a_routing_policy_or_an_alias_answers_nothing_is_changed() {
    let policy = json!({
        "kind": "dns#resourceRecordSet", "name": "geo.example.com.", "type": "A", "ttl": 300,
        "routingPolicy": {"wrr": {"items": [
            {"weight": 1.0, "rrdatas": ["192.0.2.1"]}, {"weight": 2.0, "rrdatas": ["192.0.2.2"]},
        ]}},
    });
    let zone = public()
        .with_json(policy)
        .with("geo.example.com.", "TXT", 300, &["\"old\""])
        .with("example.com.", "ALIAS", 300, &["www.example.net."])
        .with("gone.example.com.", "A", 300, &["192.0.2.7"]);
    let google = google(World::new().managed_zone("dns", zone));
    let janitor = janitor(&google, "").desired(
        "example.com",
        "@ 300 A 192.0.2.1\nwww 300 A 192.0.2.1\ngeo 300 A 192.0.2.1\ngeo 300 TXT new\nadded 300 A 192.0.2.8",
    );
    let run = janitor.plan(&[]);
    let held = run.log_with("nothing is changed at these names").join("\n");
    insta::assert_snapshot!(format!("{}\n{held}", told(&run)), @r#"
    0: example.com. 1 addition, 1 deletion
      ! some owners could not be read: 3 differences stay as they are
      + added.example.com.  300  A  192.0.2.8
      - gone.example.com.   300  A  192.0.2.7
    desired by files.zones, compared by gcp.gdns, published by files.changes (not conditional)
    1 zone compared, 1 to change, 0 as desired, 0 left out: 1 addition, 1 deletion
    3 differences in 1 zone left as they are: what is desired or served there is not fully known

    INFO: nothing is changed at these names zone=example.com. record_sets=2 named="`example.com.` ALIAS: DNS has no such type, `geo.example.com.` A: a routing policy answers for it" plugin=gcp.gdns
    "#);
    let why = janitor.command(&["why", "geo.example.com", "A"]);
    insta::assert_snapshot!(why.stdout(), @r"
    geo.example.com. belongs to example.com., the closest zone above it in this run
      desired by files.zones, compared by gcp.gdns, published by files.changes (not conditional)

    desired
      files.zones wants
        geo.example.com. 300 IN A 192.0.2.1

    served
      more than can be told as RRsets, so nothing is changed here
      nothing of this type; there is TXT

    decided
      A: the reconciler knows of the name and could not read all that is served there, so nothing at it is changed
    ");
}

#[test]
fn what_the_service_refuses_leaves_the_zone_out_with_what_to_do() {
    let google = google(World::new().managed_zone("dns", public()));
    let list = "GET /dns/v1/projects/dns/managedZones?*";
    let record_sets = "GET /dns/v1/projects/dns/managedZones/example-com/rrsets*";
    let without_soa = Fault::edited(|page| {
        if let Some(rrsets) = page["rrsets"].as_array_mut() {
            rrsets.retain(|rrset| rrset["type"] != "SOA");
        }
    });
    let nothing = Fault::edited(|page| *page = json!({}));
    let mut answers = String::new();
    for (told, pattern, fault) in [
        ("listing forbidden", list, Fault::status(403, "forbidden")),
        ("listing fails", list, Fault::status(400, "invalid")),
        (
            "no list",
            list,
            Fault::body("application/json", r#"{"managedZones": 1}"#),
        ),
        (
            "records forbidden",
            record_sets,
            Fault::status(403, "forbidden"),
        ),
        (
            "API off",
            record_sets,
            Fault::status(403, "accessNotConfigured"),
        ),
        (
            "gone meanwhile",
            record_sets,
            Fault::status(404, "notFound"),
        ),
        ("no SOA", record_sets, without_soa),
        ("empty", record_sets, nothing),
    ] {
        google.fault(pattern, fault);
        let janitor = janitor(&google, "").desired("example.com", "new 300 A 192.0.2.1");
        answers += &format!("{told}: {}\n", plan(&google, &janitor));
        google.heal();
    }
    insta::assert_snapshot!(answers, @r#"
    listing forbidden: 0: example.com. 1 addition, 1 deletion
      + new.example.com.  300  A  192.0.2.1
      - www.example.com.  300  A  192.0.2.1
    desired by files.zones, compared by gcp.gdns, published by files.changes (not conditional)
    1 zone compared, 1 to change, 0 as desired, 0 left out: 1 addition, 1 deletion

    listing fails: 3: example.com. left out: cannot find the managed zone of `example.com.` in project `dns`: the service answers 400 (invalid): Backend Error
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes

    no list: 3: example.com. left out: cannot find the managed zone of `example.com.` in project `dns`: cannot read the answer: the answer is not the JSON that was expected: invalid type: integer `1`, expected a sequence at line 1 column 18
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes

    records forbidden: 3: example.com. left out: cannot read `example.com.` from the managed zone `example-com` in project `dns`: the service answers 403 (forbidden): Required permission is missing for the caller.
      hint: the account needs the role `roles/dns.reader` in that project, or one that has it
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes

    API off: 3: example.com. left out: cannot read `example.com.` from the managed zone `example-com` in project `dns`: the service answers 403 (accessNotConfigured): Required permission is missing for the caller.
      hint: enable the service's API in the project (`gcloud services enable`), and wait for some minutes
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes

    gone meanwhile: 3: example.com. left out: cannot read `example.com.` from the managed zone `example-com` in project `dns`: the service answers 404 (notFound): The resource was not found
      hint: name it in the configuration: zones."example.com.".managed_zone = "…"
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes

    no SOA: 3: example.com. left out: cannot read `example.com.` from the managed zone `example-com` in project `dns`: it was listed without a SOA, which every managed zone has
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes

    empty: 3: example.com. left out: cannot read `example.com.` from the managed zone `example-com` in project `dns`: it was listed without a SOA, which every managed zone has
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes
    "#);
}

#[test]
fn a_zone_that_is_changed_while_it_is_listed_is_left_out() {
    let pages = Pages {
        record_sets: 2,
        ..Pages::default()
    };
    let zone = public().with("a.example.com.", "A", 300, &["192.0.2.1"]);
    let google = google(World::new().managed_zone("dns", zone).pages(pages));
    let twice = Fault::edited(|page: &mut Value| {
        if let Some(rrsets) = page["rrsets"].as_array_mut() {
            rrsets.insert(0, json!({
                "name": "example.com.", "type": "NS", "ttl": 60, "rrdatas": ["ns1.example.net."],
                "kind": "dns#resourceRecordSet",
            }));
        }
    });
    google
        .fault(
            "GET /dns/v1/projects/dns/managedZones/example-com/rrsets*",
            twice,
        )
        .nth(1);
    let janitor = janitor(&google, "").desired("example.com", WWW);
    insta::assert_snapshot!(plan(&google, &janitor), @r"
    3: example.com. left out: cannot read `example.com.` from the managed zone `example-com` in project `dns`: a record set was listed twice: the managed zone was changed meanwhile
    0 zones compared, 0 to change, 0 as desired, 1 left out: no changes
    ");
}

#[test]
fn settings_that_cannot_be_used_are_told_before_anything_is_asked() {
    let google = google(World::new().managed_zone("dns", public()));
    let mut answers = String::new();
    for settings in [
        "project = ''",
        "project = 'dns'\napi_version = ''",
        "project = 'dns'\nzones = { 'a..b' = { managed_zone = 'b' } }",
        "project = 'dns'\nzones = { 'a.b' = { managed_zone = 'A.b' } }",
        "project = 'dns'\nzones = { 'a.b' = { managed_zone = 'b' }, 'A.b.' = { managed_zone = 'c' } }",
    ] {
        let janitor = deployment(&google)
            .authorities(&["files.zones"])
            .reconcilers(&["gcp.gdns"])
            .publishers(&["files.changes"])
            .settings("[files]\ndirectory = 'desired'\n")
            .settings(&format!("[gcp.gdns]\n{settings}\n"))
            .desired("example.com", WWW);
        let plan = janitor.plan(&[]);
        answers += &format!("{}: {}\n", plan.exit_code(), plan.errors());
    }
    insta::assert_snapshot!(answers, @r#"
    2: error[GJ409]: plugin "gcp.gdns" does not accept its configuration: cannot use `project`
      where: <root>/gordon-janitor.toml:9:6, [gcp.gdns]
      9 | [gcp.gdns]
        |      ^^^^
      because: The GCP project where Cloud DNS is located is required.
    error: 1 error; nothing was run

    2: error[GJ409]: plugin "gcp.gdns" does not accept its configuration: cannot use `api_version`
      where: <root>/gordon-janitor.toml:9:6, [gcp.gdns]
      9 | [gcp.gdns]
        |      ^^^^
      because: it is empty
    error: 1 error; nothing was run

    2: error[GJ409]: plugin "gcp.gdns" does not accept its configuration: cannot use `zones."a..b"`
      where: <root>/gordon-janitor.toml:9:6, [gcp.gdns]
      9 | [gcp.gdns]
        |      ^^^^
      because: a label of the name is empty
    error: 1 error; nothing was run

    2: error[GJ409]: plugin "gcp.gdns" does not accept its configuration: cannot use `zones."a.b"`
      where: <root>/gordon-janitor.toml:9:6, [gcp.gdns]
      9 | [gcp.gdns]
        |      ^^^^
      because: `A.b` is not the name of a managed zone: those have 1 to 63 lower-case letters, digits and hyphens, a letter first and no hyphen last
    error: 1 error; nothing was run

    2: error[GJ409]: plugin "gcp.gdns" does not accept its configuration: cannot use `zones."a.b"`
      where: <root>/gordon-janitor.toml:9:6, [gcp.gdns]
      9 | [gcp.gdns]
        |      ^^^^
      because: `a.b.` stands there in another spelling, too
    error: 1 error; nothing was run
    "#);
    assert_eq!(google.requests().len(), 0);
}

#[test]
fn a_run_without_a_project_says_what_is_missing() {
    let google = google(World::new());
    let janitor = deployment(&google)
        .authorities(&["files.zones"])
        .reconcilers(&["gcp.gdns"])
        .publishers(&["files.changes"])
        .settings("[files]\ndirectory = 'desired'\n")
        .desired("example.com", WWW);
    let plan = janitor.plan(&[]);
    insta::assert_snapshot!(format!("{}: {}", plan.exit_code(), plan.errors()), @r#"
    2: error[GJ410]: [gcp.gdns] lacks the required setting "project" (text)
      where: <root>/gordon-janitor.toml:9:6, [gcp.gdns]
      9 | [gcp.gdns]
        |      ^^^^
      help: add:  project = "dns-project"   # The project of the managed zones.
    error: 1 error; nothing was run
    "#);
}
