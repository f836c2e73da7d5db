//! Settings: which addresses, which names, which zones.

use serde_json::json;

use super::*;

/// An instance with every kind of address, in a network.
fn whole(name: &str) -> Value {
    json!({
        "name": name,
        "id": "4711",
        "hostname": format!("{name}.hosts.example.com"),
        "labels": { "env": "test", "team": "Web_1" },
        "tags": { "items": ["http", "public"] },
        "networkInterfaces": [
            {
                "network": "https://www.googleapis.com/compute/v1/projects/host/global/networks/blue",
                "networkIP": "10.0.0.7",
                "ipv6Address": "fd20::7",
                "accessConfigs": [{ "natIP": "198.51.100.7" }, { "natIP": "198.51.100.8" }],
                "ipv6AccessConfigs": [{ "externalIpv6": "2001:db8::7", "externalIpv6PrefixLength": 96 }],
            },
            { "networkIP": "10.9.9.9", "accessConfigs": [{ "natIP": "198.51.100.9" }] },
        ],
    })
}

#[test]
fn the_choice_of_addresses_decides_which_an_instance_has() {
    let rdatas = |address: &str| {
        let settings = format!("dns_zone = 'example.com'\naddress = '{address}'");
        let said = said_of(&settings, json!([whole("a")]));
        assert_eq!(said.log, [""; 0]);
        let lines = said.zones.lines().skip(1);
        let rdatas = lines.map(|line| line.split_whitespace().last().unwrap().to_owned());
        rdatas.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(rdatas("external"), "198.51.100.7");
    assert_eq!(rdatas("internal"), "10.0.0.7");
    assert_eq!(rdatas("both"), "10.0.0.7 198.51.100.7");
    assert_eq!(rdatas("ipv6"), "2001:db8::7 fd20::7");
    assert_eq!(rdatas("external-ipv6"), "2001:db8::7");
    assert_eq!(rdatas("internal-ipv6"), "fd20::7");
    assert_eq!(rdatas("external-dual-stack"), "198.51.100.7 2001:db8::7");
    assert_eq!(rdatas("internal-dual-stack"), "10.0.0.7 fd20::7");
    assert_eq!(rdatas("all"), "10.0.0.7 198.51.100.7 2001:db8::7 fd20::7");
}

#[test]
fn of_several_kinds_an_instance_has_those_it_has_and_needs_one() {
    let none = json!({ "name": "c", "networkInterfaces": [{}] });
    let inside = json!({ "name": "b", "networkInterfaces": [{ "networkIP": "10.0.0.2" }] });
    let settings = "dns_zone = 'example.com'\naddress = 'both'";
    let said = said_of(
        settings,
        json!([instance("a", "192.0.2.1", "10.0.0.1"), inside, none]),
    );
    insta::assert_snapshot!(said.zones, @"
    example.com 2
    a.example.com. 300 IN A 10.0.0.1
    a.example.com. 300 IN A 192.0.2.1
    b.example.com. 300 IN A 10.0.0.2
    c.example.com. is held
    ");
    insta::assert_snapshot!(said.log.join("\n"), @"WARN Could not extract instance information for c because of missing key networkIP, skipping. (project=p-1)");
}

#[test]
fn a_template_names_an_instance_by_what_is_known_of_it() {
    let owner = |template: &str| {
        let settings = format!("dns_zone = 'example.com.'\nname_template = '{template}'\nttl = 60");
        let said = said_of(&settings, json!([whole("Web-1")]));
        assert_eq!(said.log, [""; 0]);
        said.zones.lines().nth(1).unwrap().to_owned()
    };
    let owners = [
        "{name}",
        "{name}.{project}.{zone}",
        "{name}-{region}",
        "vm{id}",
        "{hostname}",
        "{name}.{label:team}.{label:env}.int",
    ];
    insta::assert_snapshot!(owners.map(owner).join("\n"), @"
    web-1.example.com. 60 IN A 198.51.100.7
    web-1.p-1.us-east1-b.example.com. 60 IN A 198.51.100.7
    web-1-us-east1.example.com. 60 IN A 198.51.100.7
    vm4711.example.com. 60 IN A 198.51.100.7
    web-1.hosts.example.com. 60 IN A 198.51.100.7
    web-1.web_1.test.int.example.com. 60 IN A 198.51.100.7
    ");
}

#[test]
fn an_instance_without_what_its_name_is_made_of_has_none_there() {
    let mut elsewhere = whole("b");
    elsewhere["hostname"] = "b.example.net".into();
    elsewhere["labels"] = json!({ "team": "" });
    let mut apex = whole("c");
    apex["hostname"] = "Example.COM".into();
    apex["labels"] = Value::Null;
    let bare = instance("d", "192.0.2.4", "10.0.0.4");
    let instances = json!([whole("a"), elsewhere, apex, bare]);
    let by_host = said_of(
        "dns_zone = 'example.com'\nname_template = '{hostname}'",
        instances.clone(),
    );
    let by_label = said_of(
        "dns_zone = 'example.com'\nname_template = '{name}.{label:team}'",
        instances,
    );
    insta::assert_snapshot!(by_host.zones + &by_label.zones, @"
    example.com 1
    a.hosts.example.com. 300 IN A 198.51.100.7
    example.com 1
    a.web_1.example.com. 300 IN A 198.51.100.7
    ");
    insta::assert_snapshot!([by_host.log, by_label.log].concat().join("\n"), @"
    WARN instance has no name in the zone (project=p-1 instance=b zone=example.com. reason=its host name `b.example.net` is not in the zone)
    WARN instance has no name in the zone (project=p-1 instance=c zone=example.com. reason=its host name `Example.COM` is not in the zone)
    WARN instance has no name in the zone (project=p-1 instance=d zone=example.com. reason=it has no host name of its own)
    WARN instance has no name in the zone (project=p-1 instance=b zone=example.com. reason=it has no label `team`)
    WARN instance has no name in the zone (project=p-1 instance=c zone=example.com. reason=it has no label `team`)
    WARN instance has no name in the zone (project=p-1 instance=d zone=example.com. reason=it has no label `team`)
    ");
}

/// The zones, of those of one table each, in which `whole("a")` of project p-1 and zone us-east1-b is.
fn zones_with(conditions: &[&str]) -> Vec<usize> {
    let tables = conditions.iter().enumerate().map(|(number, condition)| {
        format!("[[zones]]\ndns_zone = '{number}.example'\n{condition}\n")
    });
    let toml = tables.collect::<String>();
    let said = said_of(&toml, json!([whole("a")]));
    let zones = said
        .zones
        .lines()
        .filter_map(|line| line.strip_prefix("a."));
    zones
        .map(|line| line.split('.').next().unwrap().parse().unwrap())
        .collect()
}

#[test]
fn an_instance_is_in_every_zone_whose_conditions_it_fits() {
    let fitting = [
        "",
        "projects = ['p-2', 'p-1']",
        "tags = ['public', 'x']",
        "labels = { env = 'test' }",
        "labels = { env = '*', team = 'Web_1' }",
        "networks = ['blue']",
        "networks = ['projects/host/global/networks/blue']",
        "regions = ['us-east1']",
        "instance_zones = ['us-east1-b']",
        "regions = ['us-east1']\ntags = ['http']\nprojects = ['p-1']",
    ];
    assert_eq!(zones_with(&fitting), (0..fitting.len()).collect::<Vec<_>>());
    let others = [
        "projects = ['p-2']",
        "tags = ['HTTP']",
        "labels = { env = 'test', owner = '*' }",
        "labels = { env = 'Test' }",
        "networks = ['red', 'projects/p-1/global/networks/blue']",
        "regions = ['us-east1-b']",
        "instance_zones = ['us-east1']",
        "regions = ['us-east1']\ntags = ['http']\nprojects = ['p-2']",
        "",
    ];
    assert_eq!(zones_with(&others), [8]);
}

#[test]
fn dns_zone_takes_what_fits_no_other_zone_and_each_zone_has_ways_of_its_own() {
    let settings = "
        dns_zone = 'rest.example'
        ttl = 120
        [[zones]]
        dns_zone = 'web.example'
        tags = ['http']
        address = 'internal'
        ttl = 30
        [[zones]]
        dns_zone = 'web.example'
        labels = { env = 'test' }
        name_template = '{name}.test'
    ";
    let said = said_of(
        settings,
        json!([
            whole("a"),
            with(
                instance("b", "192.0.2.2", "10.0.0.2"),
                json!({ "tags": { "items": ["http"] } })
            ),
            instance("c", "192.0.2.3", "10.0.0.3"),
        ]),
    );
    insta::assert_snapshot!(said.zones, @"
    web.example 3
    a.web.example. 30 IN A 10.0.0.7
    b.web.example. 30 IN A 10.0.0.2
    a.test.web.example. 120 IN A 198.51.100.7
    rest.example 1
    c.rest.example. 120 IN A 192.0.2.3
    ");
}

#[test]
fn an_address_has_a_name_in_the_closest_reverse_zone() {
    let settings = "
        dns_zone = 'example.com'
        address = 'all'
        reverse_zones = ['in-addr.arpa', '10.in-addr.arpa.', '8.b.d.0.1.0.0.2.ip6.arpa']
        ttl = 90
        [[zones]]
        dns_zone = 'first.example'
        tags = ['http']
    ";
    let others = with(
        instance("b", "192.0.2.2", "10.1.0.2"),
        json!({ "tags": { "items": [] }, "name": "b" }),
    );
    let said = said_of(settings, json!([whole("a"), others]));
    insta::assert_snapshot!(said.zones, @"
    first.example 2
    a.first.example. 90 IN A 10.0.0.7
    a.first.example. 90 IN A 198.51.100.7
    a.first.example. 90 IN AAAA 2001:db8::7
    a.first.example. 90 IN AAAA fd20::7
    example.com 1
    b.example.com. 90 IN A 10.1.0.2
    b.example.com. 90 IN A 192.0.2.2
    in-addr.arpa 2
    2.2.0.192.in-addr.arpa. 90 IN PTR b.example.com.
    7.100.51.198.in-addr.arpa. 90 IN PTR a.first.example.
    10.in-addr.arpa. 2
    7.0.0.10.in-addr.arpa. 90 IN PTR a.first.example.
    2.0.1.10.in-addr.arpa. 90 IN PTR b.example.com.
    8.b.d.0.1.0.0.2.ip6.arpa 1
    7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. 90 IN PTR a.first.example.
    ");
}

#[test]
fn an_instance_with_a_blacklisted_tag_or_pair_of_metadata_is_out() {
    let settings = "
        dns_zone = 'example.com'
        tag_blacklist = ['hidden']
        metadata_blacklist = [['dns', 'off']]
    ";
    let tagged = with(
        instance("b", "192.0.2.2", "10.0.0.2"),
        json!({ "tags": { "items": ["http", "hidden"] } }),
    );
    let off = json!({ "metadata": { "items": [{ "value": "off", "key": "dns", "x": [] }] } });
    let off = with(instance("c", "192.0.2.3", "10.0.0.3"), off);
    // B27: the original ends at an item without a value.
    let odd = json!({ "metadata": { "items": [{ "key": "dns" }, { "value": "off" }, 5, "dns"] } });
    let odd = with(instance("d", "192.0.2.4", "10.0.0.4"), odd);
    let nameless = json!({ "tags": { "items": ["hidden"] } });
    let said = said_of(
        settings,
        json!([instance("a", "192.0.2.1", ""), tagged, off, odd, nameless]),
    );
    insta::assert_snapshot!(said.zones, @"
    example.com 2
    a.example.com. 300 IN A 192.0.2.1
    d.example.com. 300 IN A 192.0.2.4
    ");
    insta::assert_snapshot!(said.log.join("\n"), @"
    DEBUG instance is blacklisted (project=p-1 instance=b reason=tag `hidden`)
    DEBUG instance is blacklisted (project=p-1 instance=c reason=metadata `dns` = `off`)
    DEBUG instance is blacklisted (project=p-1 instance=None reason=tag `hidden`)
    ");
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    let refusals = [
        "",
        "dns_zone = ''",
        "dns_zone = 'a..b'",
        "dns_zone = '.'",
        "[[zones]]\ndns_zone = 'a b'",
        "[[zones]]\ntags = ['a']",
        "dns_zone = 'a'\nmetadata_blacklist = [['a']]",
        "dns_zone = 'a'\nmetadata_blacklist = [['a', 'b', 'c']]",
        "dns_zone = 'a'\naddress = 'outside'",
        "dns_zone = 'a'\nname_template = '{nmae}'",
        "dns_zone = 'a'\nname_template = '{label:}'",
        "dns_zone = 'a'\nname_template = '{name'",
        "dns_zone = 'a'\nname_template = 'host'",
        "dns_zone = 'a'\nname_template = ''",
        "dns_zone = 'a'\nname_template = '{name}.'",
        "dns_zone = 'a'\nname_template = '{name}..b'",
        "dns_zone = 'a'\nname_template = '{name} b'",
        "dns_zone = 'a'\nname_template = '{name}ä'",
        "dns_zone = 'a'\nreverse_zones = ['example.com']",
        "dns_zone = 'a'\nreverse_zones = ['0/25.2.0.192.in-addr.arpa']",
        "dns_zone = 'a'\nreverse_zones = ['10.in-addr.arpa', '10.IN-ADDR.ARPA.']",
        "dns_zone = '10.in-addr.arpa'\nreverse_zones = ['10.in-addr.arpa']",
        "dns_zone = 'a'\nproject_whitelist = ['']",
        "dns_zone = 'a'\nproject_whitelist = ['p-1', '../p-1']",
    ];
    let told = refusals.map(|toml| format!("{toml:?}\n  {}", refused(toml)));
    insta::assert_snapshot!(told.join("\n"), @r#"
    ""
      cannot name instances: no zone is set
    "dns_zone = ''"
      cannot use `` as `dns_zone`: the name is empty; the root zone is written `.`
    "dns_zone = 'a..b'"
      cannot use `a..b` as `dns_zone`: a label of the name is empty
    "dns_zone = '.'"
      cannot use `.` as `dns_zone`: the root zone has no instances
    "[[zones]]\ndns_zone = 'a b'"
      cannot use `a b` as `dns_zone` of `zones`: the name contains ' ', which needs a backslash
    "[[zones]]\ntags = ['a']"
      missing field `dns_zone`
    "dns_zone = 'a'\nmetadata_blacklist = [['a']]"
      a list of 1 where a key and a value belong, as in ["dns", "off"]
    "dns_zone = 'a'\nmetadata_blacklist = [['a', 'b', 'c']]"
      a list of 3 where a key and a value belong, as in ["dns", "off"]
    "dns_zone = 'a'\naddress = 'outside'"
      unknown variant `outside`, expected one of `external`, `internal`, `both`, `ipv6`, `external-ipv6`, `internal-ipv6`, `external-dual-stack`, `internal-dual-stack`, `all`
    "dns_zone = 'a'\nname_template = '{nmae}'"
      `{nmae}` is no placeholder; there are {name}, {project}, {zone}, {region}, {id}, {hostname}, and {label:KEY} for the label KEY
    "dns_zone = 'a'\nname_template = '{label:}'"
      `{label:}` is no placeholder; there are {name}, {project}, {zone}, {region}, {id}, {hostname}, and {label:KEY} for the label KEY
    "dns_zone = 'a'\nname_template = '{name'"
      a placeholder has no `}`
    "dns_zone = 'a'\nname_template = 'host'"
      there is no placeholder in it, so that all instances would have one name
    "dns_zone = 'a'\nname_template = ''"
      there is no placeholder in it, so that all instances would have one name
    "dns_zone = 'a'\nname_template = '{name}.'"
      a label is empty; names are relative to the zone and have no final dot
    "dns_zone = 'a'\nname_template = '{name}..b'"
      a label is empty; names are relative to the zone and have no final dot
    "dns_zone = 'a'\nname_template = '{name} b'"
      ` ` cannot stand in a host name; there are letters, digits, `-`, `_` and `.`
    "dns_zone = 'a'\nname_template = '{name}ä'"
      `ä` cannot stand in a host name; there are letters, digits, `-`, `_` and `.`
    "dns_zone = 'a'\nreverse_zones = ['example.com']"
      cannot use `example.com` of `reverse_zones`: names of addresses are below `in-addr.arpa.` (RFC 1035, section 3.5) and `ip6.arpa.` (RFC 3596, section 2.5), a label for each octet or nibble
    "dns_zone = 'a'\nreverse_zones = ['0/25.2.0.192.in-addr.arpa']"
      cannot use `0/25.2.0.192.in-addr.arpa` of `reverse_zones`: names of addresses are below `in-addr.arpa.` (RFC 1035, section 3.5) and `ip6.arpa.` (RFC 3596, section 2.5), a label for each octet or nibble
    "dns_zone = 'a'\nreverse_zones = ['10.in-addr.arpa', '10.IN-ADDR.ARPA.']"
      cannot use `10.IN-ADDR.ARPA.` of `reverse_zones`: the zone is there twice
    "dns_zone = '10.in-addr.arpa'\nreverse_zones = ['10.in-addr.arpa']"
      cannot use `10.in-addr.arpa` of `reverse_zones`: the zone is there twice
    "dns_zone = 'a'\nproject_whitelist = ['']"
      cannot use `` of `project_whitelist`: an id is letters, digits and hyphens, such as `my-project-4711`
    "dns_zone = 'a'\nproject_whitelist = ['p-1', '../p-1']"
      cannot use `../p-1` of `project_whitelist`: an id is letters, digits and hyphens, such as `my-project-4711`
    "#);
}
