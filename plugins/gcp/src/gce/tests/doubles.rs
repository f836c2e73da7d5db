//! Two instances of one name, or of one address.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const SETTINGS: &str = "dns_zone = 'example.com'\nreverse_zones = ['2.0.192.in-addr.arpa']";

/// An instance of this status and age; the smaller the day, the older.
fn aged(name: &str, external: &str, status: &str, day: u32) -> Value {
    with(
        instance(name, external, "10.0.0.1"),
        json!({
            "status": status,
            "creationTimestamp": format!("2026-11-{day:02}T01:02:03.456-08:00"),
        }),
    )
}

/// What becomes of two instances, whoever of them is seen first.
fn both_ways(one: &Value, other: &Value) -> Said {
    let settings = settings(SETTINGS);
    let first = ("p-1", page("us-east1-b", json!([one])));
    let second = ("p-2", page("us-east1-c", json!([other])));
    let said = said(&settings, &[first.clone(), second.clone()]);
    assert_eq!(said, super::said(&settings, &[second, first]));
    said
}

#[test]
fn of_one_name_the_instance_that_runs_counts_and_then_the_newer_one() {
    let running_is_older = both_ways(
        &aged("a", "192.0.2.1", "RUNNING", 1),
        &aged("a", "192.0.2.2", "STOPPING", 2),
    );
    let newer = both_ways(
        &aged("a", "192.0.2.1", "RUNNING", 1),
        &aged("a", "192.0.2.2", "STAGING", 2),
    );
    let both_stopped = both_ways(
        &aged("a", "192.0.2.1", "TERMINATED", 2),
        &aged("a", "192.0.2.2", "SUSPENDED", 1),
    );
    insta::assert_snapshot!(running_is_older.zones, @"
    example.com 1
    a.example.com. 300 IN A 192.0.2.1
    2.0.192.in-addr.arpa 1
    1.2.0.192.in-addr.arpa. 300 IN PTR a.example.com.
    ");
    assert_eq!(running_is_older.zones, both_stopped.zones);
    assert_eq!(running_is_older.left_to_others, 1);
    insta::assert_snapshot!(newer.zones, @"
    example.com 1
    a.example.com. 300 IN A 192.0.2.2
    2.0.192.in-addr.arpa 1
    2.2.0.192.in-addr.arpa. 300 IN PTR a.example.com.
    ");
    insta::assert_snapshot!([running_is_older.log, newer.log, both_stopped.log].concat().join("\n"), @"
    WARN two instances have one name (owner=a.example.com. counts=p-1/us-east1-b/a left_out=p-2/us-east1-c/a)
    WARN two instances have one name (owner=a.example.com. counts=p-2/us-east1-c/a left_out=p-1/us-east1-b/a)
    WARN two instances have one name (owner=a.example.com. counts=p-1/us-east1-b/a left_out=p-2/us-east1-c/a)
    ");
}

#[test]
fn every_status_of_a_machine_that_does_not_run_any_more_comes_behind_one_that_does() {
    let up = ["PENDING", "PROVISIONING", "STAGING", "RUNNING", "REPAIRING"];
    let down = [
        "PENDING_STOP",
        "STOPPING",
        "STOPPED",
        "SUSPENDING",
        "SUSPENDED",
        "TERMINATED",
        "DEPROVISIONING",
    ];
    for (one, other) in up.iter().flat_map(|up| down.map(|down| (up, down))) {
        let said = both_ways(
            &aged("a", "192.0.2.1", one, 1),
            &aged("a", "192.0.2.2", other, 2),
        );
        assert!(
            said.zones.contains("A 192.0.2.1\n"),
            "{one} {other} {}",
            said.zones
        );
        assert!(
            !said.zones.contains("192.0.2.2"),
            "{one} {other} {}",
            said.zones
        );
    }
}

#[test]
fn of_equals_all_count_and_their_addresses_are_joined() {
    let equal = both_ways(
        &aged("a", "192.0.2.1", "RUNNING", 3),
        &aged("a", "192.0.2.2", "REPAIRING", 3),
    );
    insta::assert_snapshot!(equal.zones, @"
    example.com 2
    a.example.com. 300 IN A 192.0.2.1
    a.example.com. 300 IN A 192.0.2.2
    2.0.192.in-addr.arpa 2
    1.2.0.192.in-addr.arpa. 300 IN PTR a.example.com.
    2.2.0.192.in-addr.arpa. 300 IN PTR a.example.com.
    ");
    insta::assert_snapshot!(equal.log.join("\n"), @"WARN two instances have one name, and neither is newer (owner=a.example.com. counts=p-1/us-east1-b/a counts_too=p-2/us-east1-c/a)");
    assert_eq!(equal.left_to_others, 0);

    let ageless = both_ways(
        &instance("a", "192.0.2.1", "10.0.0.1"),
        &with(
            instance("a", "192.0.2.2", "10.0.0.1"),
            json!({ "creationTimestamp": "yesterday" }),
        ),
    );
    assert_eq!(ageless.zones, equal.zones);
}

#[test]
fn what_the_list_does_not_tell_decides_nothing() {
    let day = |status, day| aged("a", "192.0.2.2", status, day);
    let ageless = instance("a", "192.0.2.1", "10.0.0.1");
    let strange = aged("a", "192.0.2.1", "UNHEARD_OF", 1);
    for (one, other) in [
        (&ageless, day("RUNNING", 2)),
        (&strange, day("RUNNING", 2)),
        (&strange, day("TERMINATED", 2)),
    ] {
        let said = both_ways(one, &other);
        insta::allow_duplicates! {
            insta::assert_snapshot!(said.zones, @"
            example.com 2
            a.example.com. 300 IN A 192.0.2.1
            a.example.com. 300 IN A 192.0.2.2
            2.0.192.in-addr.arpa 2
            1.2.0.192.in-addr.arpa. 300 IN PTR a.example.com.
            2.2.0.192.in-addr.arpa. 300 IN PTR a.example.com.
            ");
        }
    }
    let stopped = both_ways(&ageless, &day("TERMINATED", 2));
    assert!(!stopped.zones.contains("192.0.2.2"), "{}", stopped.zones);
    let one_address = both_ways(&ageless, &aged("b", "192.0.2.1", "RUNNING", 2));
    assert_eq!(one_address.left_to_others, 0, "{}", one_address.zones);
}

#[test]
fn an_address_is_that_of_the_instance_that_runs_and_a_stopped_one_has_it_no_more() {
    let replaced = both_ways(
        &aged("old", "192.0.2.1", "STOPPING", 1),
        &aged("new", "192.0.2.1", "RUNNING", 2),
    );
    insta::assert_snapshot!(replaced.zones, @"
    example.com 1
    new.example.com. 300 IN A 192.0.2.1
    2.0.192.in-addr.arpa 1
    1.2.0.192.in-addr.arpa. 300 IN PTR new.example.com.
    ");
    insta::assert_snapshot!(replaced.log.join("\n"), @"WARN two instances have one address (address=192.0.2.1 counts=p-2/us-east1-c/new left_out=p-1/us-east1-b/old)");
    let stopped = both_ways(
        &aged("old", "192.0.2.1", "TERMINATED", 1),
        &aged("new", "192.0.2.2", "RUNNING", 2),
    );
    assert!(
        stopped
            .zones
            .contains("old.example.com. 300 IN A 192.0.2.1\n")
    );
    assert_eq!(stopped.log, [""; 0], "stopped machines keep their names");
}

#[test]
fn the_name_of_a_running_instance_is_held_while_a_newer_one_has_its_address() {
    let said = both_ways(
        &aged("old", "192.0.2.1", "RUNNING", 1),
        &aged("new", "192.0.2.1", "RUNNING", 2),
    );
    insta::assert_snapshot!(said.zones, @"
    example.com 1
    new.example.com. 300 IN A 192.0.2.1
    old.example.com. is held
    2.0.192.in-addr.arpa 1
    1.2.0.192.in-addr.arpa. 300 IN PTR new.example.com.
    ");
    let one_name = both_ways(
        &aged("a", "192.0.2.1", "RUNNING", 1),
        &aged("a", "192.0.2.1", "RUNNING", 2),
    );
    insta::assert_snapshot!(one_name.zones, @"
    example.com 1
    a.example.com. 300 IN A 192.0.2.1
    2.0.192.in-addr.arpa 1
    1.2.0.192.in-addr.arpa. 300 IN PTR a.example.com.
    ");
    assert_eq!(one_name.left_to_others, 2, "the name and the address");
}

#[test]
fn of_several_addresses_only_the_one_that_is_lost_goes() {
    let mut settings = settings(SETTINGS);
    settings.address = super::super::Addresses::Both;
    let old = aged("old", "192.0.2.1", "STOPPED", 1);
    let mut new = aged("new", "192.0.2.1", "RUNNING", 2);
    new["networkInterfaces"][0]["networkIP"] = "10.0.0.2".into();
    let said = said(&settings, &[("p-1", page("us-east1-b", json!([old, new])))]);
    insta::assert_snapshot!(said.zones, @"
    example.com 2
    new.example.com. 300 IN A 10.0.0.2
    new.example.com. 300 IN A 192.0.2.1
    old.example.com. 300 IN A 10.0.0.1
    2.0.192.in-addr.arpa 1
    1.2.0.192.in-addr.arpa. 300 IN PTR new.example.com.
    ");
}

#[test]
fn an_internal_address_is_another_one_in_another_network() {
    let in_network = |name: &str, network: &str, day| {
        let mut instance = aged(name, "192.0.2.1", "RUNNING", day);
        instance["networkInterfaces"][0]["network"] = network.into();
        instance
    };
    let settings = settings(
        "dns_zone = 'example.com'\naddress = 'internal'\nreverse_zones = ['10.in-addr.arpa']",
    );
    let said_with = |networks: [&str; 2]| {
        let [one, other] = [("a", networks[0], 1), ("b", networks[1], 2)]
            .map(|(name, network, day)| in_network(name, network, day));
        said(
            &settings,
            &[("p-1", page("us-east1-b", json!([one, other])))],
        )
    };
    let base = "https://www.googleapis.com/compute/v1/projects/p-1/global/networks/";
    let other_host = "https://compute.googleapis.com/compute/v1/projects/p-1/global/networks/";
    let apart = said_with([&format!("{base}blue"), &format!("{base}red")]);
    let together = said_with([&format!("{base}blue"), &format!("{other_host}blue")]);
    insta::assert_snapshot!(apart.zones, @"
    example.com 2
    a.example.com. 300 IN A 10.0.0.1
    b.example.com. 300 IN A 10.0.0.1
    10.in-addr.arpa 1
    1.0.0.10.in-addr.arpa. 300 IN PTR b.example.com.
    ");
    assert_eq!(apart.log, [""; 0]);
    insta::assert_snapshot!(together.zones, @"
    example.com 1
    b.example.com. 300 IN A 10.0.0.1
    a.example.com. is held
    10.in-addr.arpa 1
    1.0.0.10.in-addr.arpa. 300 IN PTR b.example.com.
    ");
    // Of networks that are not known, each project has its own.
    let unknown = aged("a", "192.0.2.1", "RUNNING", 1);
    let pages = [
        ("p-1", page("z", json!([unknown]))),
        (
            "p-2",
            page("z", json!([with(unknown.clone(), json!({ "name": "b" }))])),
        ),
    ];
    assert_eq!(said(&settings, &pages).left_to_others, 0);
}

#[test]
fn an_instance_that_is_listed_twice_is_one() {
    let settings = settings(SETTINGS);
    let moments = |one: Value, other: Value| {
        let pages = [one, other].map(|instance| ("p-1", page("us-east1-b", json!([instance]))));
        let said = said(&settings, &pages);
        assert_eq!(
            (said.log.len(), said.left_to_others),
            (0, 0),
            "{:?}",
            said.log
        );
        said.zones
    };
    let running = aged("a", "192.0.2.1", "RUNNING", 1);
    let once = said(&settings, &[("p-1", page("us-east1-b", json!([running])))]);
    let stopping = aged("a", "192.0.2.1", "STOPPING", 1);
    assert_eq!(moments(running.clone(), stopping), once.zones);
    let made_again = aged("a", "192.0.2.2", "PROVISIONING", 2);
    insta::assert_snapshot!(moments(running, made_again), @"
    example.com 1
    a.example.com. 300 IN A 192.0.2.2
    2.0.192.in-addr.arpa 1
    2.2.0.192.in-addr.arpa. 300 IN PTR a.example.com.
    ");
}

/// An instance of few names, addresses, statuses and ages, so that many are alike.
fn any_instance() -> impl Strategy<Value = (usize, Value)> {
    let statuses = prop::sample::select(vec!["RUNNING", "STAGING", "STOPPING", "TERMINATED"]);
    let networks = prop::sample::select(vec!["projects/p/global/networks/a", "b"]);
    (
        0..3_usize,
        0..6_u8,
        0..4_u8,
        0..3_u8,
        statuses,
        1..4_u32,
        networks,
    )
        .prop_map(
            |(project, name, external, internal, status, day, network)| {
                let mut instance = aged(
                    &format!("h{name}"),
                    &format!("192.0.2.{external}"),
                    status,
                    day,
                );
                let interface = &mut instance["networkInterfaces"][0];
                interface["networkIP"] = format!("10.0.0.{internal}").into();
                interface["network"] = network.into();
                if external == 3 {
                    interface["accessConfigs"] = json!([]);
                }
                if day == 3 {
                    instance["creationTimestamp"] = Value::Null;
                }
                (project, instance)
            },
        )
}

/// Pages, each with one instance, and the same in another order.
fn shuffled() -> impl Strategy<Value = [Vec<(usize, Value)>; 2]> {
    let pages = prop::collection::vec(any_instance(), 0..12);
    pages.prop_flat_map(|pages| {
        (Just(pages.clone()), Just(pages).prop_shuffle()).prop_map(|(one, other)| [one, other])
    })
}

proptest! {
    #[test]
    fn the_order_of_arrival_changes_nothing(orders in shuffled()) {
        let settings = settings("
            dns_zone = 'example.com'
            address = 'both'
            reverse_zones = ['2.0.192.in-addr.arpa', '10.in-addr.arpa']
            [[zones]]
            dns_zone = 'one.example'
            projects = ['p-1']
            name_template = '{name}.{project}'
            [[zones]]
            dns_zone = 'one.example'
            projects = ['p-1', 'p-2']
            address = 'internal'
            [[zones]]
            dns_zone = 'out.example'
            address = 'external'
        ");
        let [one, other] = orders.map(|pages| {
            let pages = pages.into_iter().map(|(project, instance)| {
                (["p-0", "p-1", "p-2"][project], page("us-east1-b", json!([instance])))
            });
            let mut said = said(&settings, &pages.collect::<Vec<_>>());
            said.log.sort_unstable();
            said
        });
        prop_assert_eq!(one, other);
    }
}
