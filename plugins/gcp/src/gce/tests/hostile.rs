//! Instances that Google would not have created.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn a_name_that_is_no_host_name_is_not_served_and_not_deleted_either() {
    let long = "a".repeat(300);
    let names = [
        "a.b",
        "-a",
        "a-",
        "a b",
        "ä",
        "@",
        "*",
        "a\\.b",
        "x.example.com.",
        "x.example.net.",
        "A",
        &long,
    ];
    let instances = names.map(|name| instance(name, "192.0.2.1", ""));
    let said = said_of("dns_zone = 'example.com'", json!(instances));
    let log = said.log.iter().map(|line| line.replace(&long, "aaa…"));
    insta::assert_snapshot!(said.zones, @r"
    example.com 1, incomplete
    a.example.com. 300 IN A 192.0.2.1
    example.com. is held
    *.example.com. is held
    -a.example.com. is held
    a-.example.com. is held
    a\.b.example.com. is held
    a.b.example.com. is held
    x.example.com. is held
    ");
    insta::assert_snapshot!(log.collect::<Vec<_>>().join("\n"), @r#"
    WARN instance has no name in the zone (project=p-1 instance=a.b zone=example.com. reason=`a.b` is no host name)
    WARN instance has no name in the zone (project=p-1 instance=-a zone=example.com. reason=`-a` is no host name)
    WARN instance has no name in the zone (project=p-1 instance=a- zone=example.com. reason=`a-` is no host name)
    WARN instance has no name in the zone (project=p-1 instance=a b zone=example.com. reason=`a b` is no host name)
    WARN instance has no name in the zone (project=p-1 instance=ä zone=example.com. reason=`ä` is no host name)
    WARN instance has no name in the zone (project=p-1 instance=@ zone=example.com. reason=`@` is no host name)
    WARN instance has no name in the zone (project=p-1 instance=* zone=example.com. reason=`*` is no host name)
    WARN instance has no name in the zone (project=p-1 instance=a\.b zone=example.com. reason=`a\.b` is no host name)
    WARN instance has no name in the zone (project=p-1 instance=x.example.com. zone=example.com. reason=`x.example.com.` is no host name)
    WARN instance has no name in the zone (project=p-1 instance=x.example.net. zone=example.com. reason=`x.example.net.` is no host name)
    WARN instance has no name in the zone (project=p-1 instance=aaa… zone=example.com. reason=`aaa…` is no host name)
    "#);
}

#[test]
fn names_are_as_long_as_they_may_be_and_no_longer() {
    let label = "a".repeat(63);
    let zone = format!("{label}.{label}.{label}");
    // 193 octets of the zone, and a label of 62 with its length, are 256.
    let settings = format!("dns_zone = '{zone}'");
    let names = [60, 61, 62, 63, 64].map(|length| instance(&"b".repeat(length), "192.0.2.1", ""));
    let said = said_of(&settings, json!(names));
    let mut lengths = said
        .zones
        .lines()
        .skip(1)
        .map(|line| line.split('.').next().unwrap().len());
    assert_eq!(lengths.next(), Some(60));
    assert_eq!(lengths.next(), Some(61));
    assert_eq!(lengths.next(), None, "{}", said.zones);
    assert_eq!(said.log.len(), 3);
}

#[test]
fn letter_case_makes_no_second_name() {
    let instances = json!([
        instance("Web", "192.0.2.1", ""),
        instance("WEB", "192.0.2.2", "")
    ]);
    let said = said_of("dns_zone = 'Example.COM'", instances);
    insta::assert_snapshot!(said.zones, @"
    Example.COM 2
    web.example.com. 300 IN A 192.0.2.1
    web.example.com. 300 IN A 192.0.2.2
    ");
}

/// JSON of any shape, with members that are looked at.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec!["a", "192.0.2.1", "RUNNING", "", "a.b", "\u{1F980}\n"])
            .prop_map(Value::from),
    ];
    let keys = vec![
        "name",
        "status",
        "networkInterfaces",
        "accessConfigs",
        "natIP",
        "networkIP",
        "network",
        "tags",
        "items",
        "metadata",
        "key",
        "value",
        "labels",
        "creationTimestamp",
        "hostname",
        "id",
        "x",
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        let key = prop::sample::select(keys.clone());
        let members = prop::collection::vec((key, inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            members.prop_map(|members| Value::Object(
                members
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn no_shape_of_an_instance_spoils_the_others(instance in any_json()) {
        let settings = "
            dns_zone = 'example.com'
            tag_blacklist = ['a']
            metadata_blacklist = [['a', 'a']]
            address = 'all'
            name_template = '{name}.{label:key}'
            [[zones]]
            dns_zone = 'all.example'
            tags = ['keep']
        ";
        let mut good = super::instance("good", "192.0.2.77", "10.0.0.77");
        good["tags"] = json!({ "items": ["keep"] });
        good["labels"] = json!({ "key": "k" });
        let said = said_of(settings, json!([good, instance, good]));
        prop_assert!(said.zones.contains("good.k.all.example. 300 IN A 192.0.2.77"), "{}", said.zones);
    }
}
