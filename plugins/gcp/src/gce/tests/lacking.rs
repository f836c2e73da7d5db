//! What cannot be seen is not taken for absent.

use serde_json::json;

use super::*;

const RULES: &str = "
    dns_zone = 'rest.example'
    reverse_zones = ['2.0.192.in-addr.arpa']
    [[zones]]
    dns_zone = 'one.example'
    projects = ['p-1']
    [[zones]]
    dns_zone = 'web.example'
    tags = ['http']
";

/// The zones that are incomplete once a project could not be listed.
fn incomplete(toml: &str, project: &str) -> String {
    let said = said(&settings(toml), &[(project, Value::Null)]);
    let zones = said
        .zones
        .lines()
        .filter_map(|line| line.strip_suffix(" 0, incomplete"));
    zones.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_project_that_is_not_seen_leaves_every_zone_incomplete_that_it_may_have_names_in() {
    let reverse = "2.0.192.in-addr.arpa";
    assert_eq!(
        incomplete(RULES, "p-1"),
        format!("one.example web.example {reverse}")
    );
    assert_eq!(
        incomplete(RULES, "p-2"),
        format!("web.example rest.example {reverse}")
    );
    assert_eq!(incomplete("dns_zone = 'example.com'", "p"), "example.com");
    let narrow = "dns_zone = 'rest.example'
        [[zones]]\ndns_zone = 'one.example'\nprojects = ['p']\nregions = ['us-east1']";
    assert_eq!(incomplete(narrow, "p"), "one.example rest.example");
}

/// What is said of a page with one good instance and these members.
fn with_page(members: Value) -> Said {
    let mut body = page(
        "us-east1-b",
        json!([instance("a", "192.0.2.1", "10.0.0.1")]),
    );
    let scopes = members["items"].as_object().cloned().unwrap_or_default();
    body["items"].as_object_mut().unwrap().extend(scopes);
    let mut members = members;
    members.as_object_mut().unwrap().remove("items");
    said(
        &settings("dns_zone = 'example.com'"),
        &[("p-1", with(body, members))],
    )
}

#[test]
fn a_page_that_says_that_it_is_not_whole_leaves_its_zones_incomplete() {
    let unreachable = json!({ "code": "UNREACHABLE", "message": "us-central1-a is down" });
    let lacks = [
        json!({ "items": { "zones/us-central1-a": { "warning": unreachable } } }),
        json!({ "warning": unreachable }),
        json!({ "warning": { "message": "x" } }),
        json!({ "warning": "x" }),
        json!({ "unreachables": ["projects/p-1/zones/us-central1-a"] }),
        json!({ "unreachables": "all" }),
        json!({ "partialSuccess": true }),
    ];
    let mut log = Vec::new();
    for lack in lacks {
        let said = with_page(lack.clone());
        let zone = "example.com 1, incomplete\na.example.com. 300 IN A 192.0.2.1\n";
        assert_eq!(said.zones, zone, "{lack}");
        log.extend(said.log);
    }
    insta::assert_snapshot!(log.join("\n"), @"
    WARN instances are missing from the list of the project (project=p-1 reason=us-central1-a: UNREACHABLE: us-central1-a is down)
    WARN instances are missing from the list of the project (project=p-1 reason=UNREACHABLE: us-central1-a is down)
    WARN instances are missing from the list of the project (project=p-1 reason=a warning without code: x)
    WARN instances are missing from the list of the project (project=p-1 reason=a warning that cannot be read)
    WARN instances are missing from the list of the project (project=p-1 reason=no answer from projects/p-1/zones/us-central1-a)
    WARN instances are missing from the list of the project (project=p-1 reason=`unreachables` cannot be read)
    WARN instances are missing from the list of the project (project=p-1 reason=the answer is partial)
    ");
}

#[test]
fn a_page_without_instances_is_one_and_says_nothing_more() {
    let empty =
        json!({ "code": "NO_RESULTS_ON_PAGE", "message": "none", "data": [{ "key": "scope" }] });
    let wholes = [
        json!({ "items": { "zones/us-central1-a": { "warning": empty }, "zones/x": {} } }),
        json!({ "items": { "zones/us-central1-a": { "instances": null } }, "warning": null }),
        json!({ "warning": empty, "unreachables": [], "partialSuccess": false, "new": [{}] }),
    ];
    for whole in wholes {
        let said = with_page(whole.clone());
        assert_eq!(
            said.zones, "example.com 1\na.example.com. 300 IN A 192.0.2.1\n",
            "{whole}"
        );
        assert_eq!(said.log, [""; 0]);
    }
    let rules = Rules::new(&settings("dns_zone = 'example.com'")).unwrap();
    let projects = ["p".to_owned()];
    let mut survey = Survey::new(&rules, &projects);
    for page in [
        "{}",
        r#"{"items": {}}"#,
        r#"{"items": null, "nextPageToken": ""}"#,
    ] {
        assert_eq!(
            survey.page(0, page.as_bytes()).unwrap(),
            crate::http::Next::End
        );
    }
    assert_eq!(text(&rules, &survey.settle()), "example.com 0\n");
}

#[test]
fn a_page_of_another_shape_is_a_fault_and_never_the_last_one() {
    let rules = Rules::new(&settings("dns_zone = 'example.com'")).unwrap();
    let projects = ["p".to_owned()];
    let mut survey = Survey::new(&rules, &projects);
    let whole = page("us-east1-b", json!([instance("a", "192.0.2.1", "")])).to_string();
    let cut = (0..whole.len()).map(|end| whole[..end].to_owned());
    let unfit = [
        "[]",
        "null",
        "5",
        "{} {}",
        r#"{"items": []}"#,
        r#"{"items": "none"}"#,
        r#"{"items": {"zones/a": []}}"#,
        r#"{"items": {"zones/a": null}}"#,
        r#"{"items": {"zones/a": {"instances": {}}}}"#,
        r#"{"items": {"zones/a": {"instances": "none"}}}"#,
        r#"{"nextPageToken": 5}"#,
        r#"{"nextPageToken": {"token": "x"}}"#,
        r#"{"partialSuccess": "no"}"#,
    ];
    for page in cut.chain(unfit.map(str::to_owned)) {
        let fault = survey.page(0, page.as_bytes()).unwrap_err();
        let told = fault.to_string();
        assert_eq!(
            told, "the answer is not the JSON that was expected",
            "{page}"
        );
    }
}

#[test]
fn an_instance_that_cannot_be_read_is_left_out_and_its_name_held() {
    let addresses = |interfaces: Value| json!({ "name": "b", "networkInterfaces": interfaces });
    let access = |access: Value| addresses(json!([{ "accessConfigs": access }]));
    let unread = [
        json!({ "name": "b" }),
        addresses(json!([])),
        addresses(json!({})),
        addresses(json!([5])),
        access(Value::Null),
        access(json!([])),
        access(json!("x")),
        access(json!([[]])),
        access(json!([{ "natIP": null }])),
        access(json!([{ "natIP": 5 }])),
        access(json!([{ "natIP": "" }])),
        access(json!([{ "natIP": "192.0.2.256" }])),
        access(json!([{ "natIP": "192.0.2.1/32" }])),
        access(json!([{ "natIP": "2001:db8::1" }])),
        access(json!([{ "natIP": "127.0.0.1" }])),
        access(json!([{ "natIP": "0.0.0.0" }])),
        access(json!([{ "natIP": "224.0.0.1" }])),
        access(json!([{ "natIP": "255.255.255.255" }])),
    ];
    let settings = "dns_zone = 'example.com'\nreverse_zones = ['2.0.192.in-addr.arpa']";
    let mut told = Vec::new();
    for instance in unread {
        let good = super::instance("a", "192.0.2.1", "");
        let said = said_of(settings, json!([good, instance]));
        assert!(said.zones.starts_with("example.com 1\n"), "{}", said.zones);
        assert!(
            said.zones.contains("\nb.example.com. is held\n"),
            "{}",
            said.zones
        );
        let reverse = if said.zones.contains("arpa 1, incomplete") {
            "which address it has is not known"
        } else {
            "it has no address"
        };
        assert_eq!(said.log.len(), 1);
        told.push(format!("{}\n  {reverse}", said.log[0]));
    }
    insta::assert_snapshot!(told.join("\n"), @"
    WARN Could not extract instance information for b because of missing key networkInterfaces, skipping. (project=p-1)
      which address it has is not known
    WARN Could not extract instance information for b because of missing key networkInterfaces, skipping. (project=p-1)
      which address it has is not known
    WARN Could not extract instance information for b because of unreadable key networkInterfaces, skipping. (project=p-1)
      which address it has is not known
    WARN Could not extract instance information for b because of unreadable key networkInterfaces, skipping. (project=p-1)
      which address it has is not known
    WARN Could not extract instance information for b because of missing key accessConfigs, skipping. (project=p-1)
      it has no address
    WARN Could not extract instance information for b because of missing key accessConfigs, skipping. (project=p-1)
      it has no address
    WARN Could not extract instance information for b because of unreadable key accessConfigs, skipping. (project=p-1)
      which address it has is not known
    WARN Could not extract instance information for b because of unreadable key accessConfigs, skipping. (project=p-1)
      which address it has is not known
    WARN Could not extract instance information for b because of missing key natIP, skipping. (project=p-1)
      it has no address
    WARN Could not extract instance information for b because of unreadable key natIP, skipping. (project=p-1)
      which address it has is not known
    WARN Could not extract instance information for b because of unreadable key natIP, skipping. (project=p-1)
      which address it has is not known
    WARN Could not extract instance information for b because of unreadable key natIP, skipping. (project=p-1)
      which address it has is not known
    WARN Could not extract instance information for b because of unreadable key natIP, skipping. (project=p-1)
      which address it has is not known
    WARN Could not extract instance information for b because of unreadable key natIP, skipping. (project=p-1)
      which address it has is not known
    WARN Could not extract instance information for b because of unreadable key natIP, skipping. (project=p-1)
      which address it has is not known
    WARN Could not extract instance information for b because of unreadable key natIP, skipping. (project=p-1)
      which address it has is not known
    WARN Could not extract instance information for b because of unreadable key natIP, skipping. (project=p-1)
      which address it has is not known
    WARN Could not extract instance information for b because of unreadable key natIP, skipping. (project=p-1)
      which address it has is not known
    ");
}

#[test]
fn an_instance_that_could_have_any_name_leaves_every_zone_of_its_project_incomplete() {
    let settings =
        "dns_zone = 'example.com'\ntag_blacklist = ['x']\nmetadata_blacklist = [['a', 'b']]
        [[zones]]\ndns_zone = 'web.example'\nlabels = { a = 'b' }";
    let base = instance("b", "192.0.2.2", "");
    let unread = [
        json!([base]),
        json!("b"),
        Value::Null,
        json!({}),
        with(base.clone(), json!({ "name": null })),
        with(base.clone(), json!({ "name": 5 })),
        with(base.clone(), json!({ "name": "" })),
        with(base.clone(), json!({ "tags": ["x"] })),
        with(base.clone(), json!({ "tags": { "items": "x" } })),
        with(base.clone(), json!({ "tags": { "items": [["x"]] } })),
        with(base.clone(), json!({ "metadata": [] })),
        with(base.clone(), json!({ "metadata": { "items": {} } })),
        with(base.clone(), json!({ "labels": [] })),
        with(base.clone(), json!({ "labels": { "a": ["b"] } })),
    ];
    let mut told = Vec::new();
    for instance in unread {
        let good = super::instance("a", "192.0.2.1", "");
        let said = said_of(settings, json!([good, instance]));
        assert_eq!(
            said.zones,
            "web.example 0, incomplete\nexample.com 1, incomplete\na.example.com. 300 IN A 192.0.2.1\n",
            "{instance}"
        );
        told.extend(said.log);
    }
    insta::assert_snapshot!(told.join("\n"), @"
    WARN Could not extract instance information for None because of missing key name, skipping. (project=p-1)
    WARN Could not extract instance information for None because of missing key name, skipping. (project=p-1)
    WARN Could not extract instance information for None because of missing key name, skipping. (project=p-1)
    WARN Could not extract instance information for None because of missing key name, skipping. (project=p-1)
    WARN Could not extract instance information for None because of missing key name, skipping. (project=p-1)
    WARN Could not extract instance information for None because of missing key name, skipping. (project=p-1)
    WARN Could not extract instance information for None because of missing key name, skipping. (project=p-1)
    WARN Could not extract instance information for b because of unreadable key tags, skipping. (project=p-1)
    WARN Could not extract instance information for b because of unreadable key tags, skipping. (project=p-1)
    WARN Could not extract instance information for b because of unreadable key tags, skipping. (project=p-1)
    WARN Could not extract instance information for b because of unreadable key metadata, skipping. (project=p-1)
    WARN Could not extract instance information for b because of unreadable key metadata, skipping. (project=p-1)
    WARN Could not extract instance information for b because of unreadable key labels, skipping. (project=p-1)
    WARN Could not extract instance information for b because of unreadable key labels, skipping. (project=p-1)
    ");
    let without_id = said_of(
        "dns_zone = 'example.com'\nname_template = '{name}-{id}'",
        json!([base]),
    );
    assert_eq!(without_id.zones, "example.com 0, incomplete\n");
    // What nobody asked for may be of any shape.
    let odd = json!({ "tags": 1, "metadata": [], "labels": "x", "id": 5, "status": {}, "scheduling": [] });
    let said = said_of("dns_zone = 'example.com'", json!([with(base, odd)]));
    assert_eq!(
        said.zones,
        "example.com 1\nb.example.com. 300 IN A 192.0.2.2\n"
    );
}

#[test]
fn an_instance_is_held_in_those_zones_only_whose_addresses_it_lacks() {
    let settings = "
        reverse_zones = ['10.in-addr.arpa']
        [[zones]]
        dns_zone = 'out.example'
        [[zones]]
        dns_zone = 'both.example'
        address = 'both'
        [[zones]]
        dns_zone = 'in.example'
        address = 'internal'
    ";
    let inside = json!({ "name": "a", "networkInterfaces": [{ "networkIP": "10.0.0.1" }] });
    let mut strange = instance("b", "none", "10.0.0.2");
    strange["status"] = "STOPPED".into();
    let said = said_of(settings, json!([inside, strange]));
    insta::assert_snapshot!(said.zones, @"
    out.example 0
    a.out.example. is held
    b.out.example. is held
    both.example 1
    a.both.example. 300 IN A 10.0.0.1
    b.both.example. is held
    in.example 2
    a.in.example. 300 IN A 10.0.0.1
    b.in.example. 300 IN A 10.0.0.2
    10.in-addr.arpa 2, incomplete
    1.0.0.10.in-addr.arpa. 300 IN PTR a.both.example.
    2.0.0.10.in-addr.arpa. 300 IN PTR b.in.example.
    ");
    insta::assert_snapshot!(said.log.join("\n"), @"
    WARN Could not extract instance information for a because of missing key accessConfigs, skipping. (project=p-1)
    WARN Could not extract instance information for b because of unreadable key natIP, skipping. (project=p-1)
    ");
}

#[test]
fn an_instance_without_the_internal_address_that_every_one_has_could_have_any() {
    let settings =
        "dns_zone = 'example.com'\naddress = 'both'\nreverse_zones = ['10.in-addr.arpa']";
    let mut lost = instance("a", "192.0.2.1", "");
    lost["networkInterfaces"][0]["networkIP"] = Value::Null;
    let mut only_ipv6 = lost.clone();
    only_ipv6["name"] = "b".into();
    only_ipv6["networkInterfaces"][0]["ipv6Address"] = "fd20::7".into();
    let said = said_of(settings, json!([lost, only_ipv6]));
    insta::assert_snapshot!(said.zones, @"
    example.com 1
    b.example.com. 300 IN A 192.0.2.1
    a.example.com. is held
    10.in-addr.arpa 0, incomplete
    ");
    insta::assert_snapshot!(said.log.join("\n"), @"
    WARN Could not extract instance information for a because of missing key networkIP, skipping. (project=p-1)
    DEBUG no reverse zone for the address (address=192.0.2.1)
    ");
}

#[test]
fn an_instance_of_unknown_network_could_be_in_any_zone_where_networks_decide() {
    let settings = "
        dns_zone = 'rest.example'
        tag_blacklist = ['hidden']
        [[zones]]
        dns_zone = 'blue.example'
        networks = ['blue']
    ";
    let mut known = instance("a", "192.0.2.1", "10.0.0.1");
    known["networkInterfaces"][0]["network"] = "projects/p/global/networks/blue".into();
    let unknown = [
        instance("b", "192.0.2.2", "10.0.0.2"),
        json!({ "name": "b" }),
        with(
            known.clone(),
            json!({ "networkInterfaces": [{ "network": 5 }] }),
        ),
    ];
    for instance in unknown {
        let said = said_of(settings, json!([known, instance]));
        insta::allow_duplicates! {
            insta::assert_snapshot!(said.zones, @"
            blue.example 1, incomplete
            a.blue.example. 300 IN A 192.0.2.1
            rest.example 0, incomplete
            ");
        }
        assert_eq!(said.log.len(), 1, "{:?}", said.log);
        let hidden = with(instance, json!({ "tags": { "items": ["hidden"] } }));
        let said = said_of(settings, json!([known, hidden]));
        assert!(!said.zones.contains("incomplete"), "{}", said.zones);
    }
}

#[test]
fn an_instance_whose_host_name_cannot_be_read_could_have_any_name() {
    let settings = "dns_zone = 'example.com'\nname_template = '{hostname}'";
    let base = instance("a", "192.0.2.1", "");
    for unread in [
        json!(5),
        json!(["a.example.com"]),
        json!("a..example.com"),
        json!(""),
    ] {
        let said = said_of(
            settings,
            json!([with(base.clone(), json!({ "hostname": unread }))]),
        );
        assert_eq!(said.zones, "example.com 0, incomplete\n", "{unread}");
        assert_eq!(said.log.len(), 1);
    }
    let without = said_of(settings, json!([with(base, json!({ "hostname": null }))]));
    assert_eq!(without.zones, "example.com 0\n");
}

#[test]
fn what_an_address_points_to_stays_while_nobody_can_tell_the_name() {
    let settings = "
        dns_zone = 'example.com'
        name_template = '{name}-{id}.{label:team}'
        reverse_zones = ['2.0.192.in-addr.arpa']
    ";
    let member = |name: &str, external: &str, id: Value, team: &str| {
        let labels = json!({ "team": team });
        with(
            instance(name, external, ""),
            json!({ "id": id, "labels": labels }),
        )
    };
    let good = member("a", "192.0.2.1", json!("1"), "web");
    let unfit = member("b", "192.0.2.2", json!("2"), "web-");
    let unknown = member("c", "192.0.2.3", Value::Null, "web");
    let not_meant = member("d", "192.0.2.4", json!("4"), "");
    let taken = member("e", "192.0.2.1", json!("5"), "-");
    let said = said_of(settings, json!([good, unfit, unknown, not_meant, taken]));
    insta::assert_snapshot!(said.zones, @"
    example.com 1, incomplete
    a-1.web.example.com. 300 IN A 192.0.2.1
    e-5.-.example.com. is held
    b-2.web-.example.com. is held
    2.0.192.in-addr.arpa 1
    1.2.0.192.in-addr.arpa. 300 IN PTR a-1.web.example.com.
    2.2.0.192.in-addr.arpa. is held
    3.2.0.192.in-addr.arpa. is held
    ");
    let lost = with(
        member("b", "", json!("2"), "web-"),
        json!({ "networkInterfaces": [] }),
    );
    let said = said_of(settings, json!([good, lost]));
    assert!(
        said.zones.contains("arpa 1, incomplete\n"),
        "{}",
        said.zones
    );
}

#[test]
fn the_name_of_an_instance_without_address_is_another_ones_that_has_one() {
    let settings = settings(
        "dns_zone = 'example.com'\n[[zones]]\ndns_zone = 'one.example'\nprojects = ['p-3']",
    );
    let named = |name: &str, members: Value| with(instance(name, "192.0.2.1", ""), members);
    let private = json!({ "networkInterfaces": [{ "networkIP": "10.0.0.2" }] });
    let pages = [
        (
            "p-1",
            page(
                "z",
                json!([named("web", private.clone()), named("db", private.clone())]),
            ),
        ),
        ("p-2", page("z", json!([instance("Web", "192.0.2.1", "")]))),
        ("p-3", page("z", json!([named("web", private)]))),
    ];
    let private = said(&settings, &pages);
    insta::assert_snapshot!(private.zones, @"
    one.example 0
    web.one.example. is held
    example.com 1
    web.example.com. 300 IN A 192.0.2.1
    db.example.com. is held
    ");
    // What cannot be read may be any address, so that nothing there is known to be wrong.
    let unread = json!({ "networkInterfaces": [{ "accessConfigs": [{ "natIP": "?" }] }] });
    let pages = [
        ("p-1", page("z", json!([named("web", unread)]))),
        ("p-2", page("z", json!([instance("web", "192.0.2.1", "")]))),
    ];
    let said = said(&settings, &pages);
    assert!(
        said.zones.contains("web.example.com. is held\n"),
        "{}",
        said.zones
    );
}
