use std::fs;
use std::path::Path;
use std::sync::Arc;

use janitor_plugin_api::dns::Name;
use janitor_plugin_api::in_one_line;

use super::Network;
use crate::key::Key;
use crate::settings::with_network;

with_network! {
    struct Own {}
}

/// The network that `text` describes, with keys `a.key` and `b.key` and an authority.
fn network(text: &str) -> Result<Network, String> {
    let directory = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        let key = format!("key {name} {{ algorithm hmac-sha256; secret YQ==; }};");
        fs::write(directory.path().join(format!("{name}.key")), key).unwrap();
    }
    let authority = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/tls/authority.pem");
    fs::copy(authority, directory.path().join("authority.pem")).unwrap();
    let own: Own = toml::from_str(text).unwrap();
    let resolve = |path: &Path| directory.path().join(path);
    Network::build(&own.network(), resolve).map_err(|error| {
        in_one_line(&error).replace(&format!("{}/", directory.path().display()), "")
    })
}

/// The servers of a zone, each with its key.
fn servers(network: &Network, apex: &str) -> Vec<String> {
    let apex: Name = apex.parse().unwrap();
    let servers = network.servers(apex.as_ref()).unwrap();
    let shown = servers.iter().map(|server| {
        let key = server.key().map(Key::name);
        format!("{} {}", server.shown(), key.as_deref().unwrap_or("-"))
    });
    shown.collect()
}

#[test]
fn what_a_zone_does_not_say_the_closest_zone_above_it_says() {
    let network = network(
        "servers = ['192.0.2.1', 'ns.example.net:5353']\ntsig_key.file = 'a.key'\n\
         [zones.'example.com']\nservers = ['192.0.2.2']\n\
         [zones.'Sub.example.com.']\ntsig_key.file = 'b.key'\n\
         [zones.'deep.sub.example.com']\ntls.ca_file = 'authority.pem'\nservers = ['2001:db8::1', '192.0.2.2:53']\n",
    )
    .unwrap();
    let all = ["192.0.2.1:53 a", "ns.example.net:5353 a"];
    for (apex, expected) in [
        ("example.org", &all[..]),
        (".", &all),
        ("com", &all),
        ("example.com", &["192.0.2.2:53 a"]),
        ("other.example.com", &["192.0.2.2:53 a"]),
        ("sub.example.com", &["192.0.2.2:53 b"]),
        ("x.y.sub.example.com", &["192.0.2.2:53 b"]),
        (
            "deep.sub.example.com",
            &["[2001:db8::1]:853 (TLS) b", "192.0.2.2:53 (TLS) b"],
        ),
    ] {
        assert_eq!(servers(&network, apex), expected, "{apex}");
    }
}

#[test]
fn zones_share_servers_and_keys_share_the_permits_of_an_address() {
    let network = network(
        "servers = ['192.0.2.1']\nper_server = 2\n\
         [zones.'a.test']\ntsig_key.file = 'a.key'\n[zones.'b.test']\nservers = ['192.0.2.1:53']\n",
    )
    .unwrap();
    let server = |apex: &str| {
        let apex: Name = apex.parse().unwrap();
        Arc::clone(&network.servers(apex.as_ref()).unwrap()[0])
    };
    assert!(Arc::ptr_eq(&server("x.test"), &server("b.test")));
    assert!(!Arc::ptr_eq(&server("x.test"), &server("a.test")));
    assert!(Arc::ptr_eq(
        &server("x.test").permits,
        &server("a.test").permits
    ));
    assert_eq!(server("a.test").permits.available_permits(), 2);
}

#[test]
fn settings_of_zones_that_cannot_be_used_are_told_with_the_zone() {
    for (text, fault) in [
        (
            "[zones.'a..b']",
            "cannot use `zones.\"a..b\"`: a label of the name is empty",
        ),
        (
            "[zones.'*.a.test']",
            "cannot use `zones.\"*.a.test\"`: it is a pattern, not a zone",
        ),
        (
            "[zones.'a.test']\n[zones.'A.test.']",
            "cannot use `zones.\"a.test\"`: another entry of `zones` names the same zone in another spelling",
        ),
        (
            "[zones.'a.test']\ntsig_key.name = 'a'",
            "cannot use `zones.\"a.test\".tsig_key`: its secret is missing",
        ),
        (
            "[zones.'a.test']\ntls.ca_file = 'a.key'",
            "cannot use `zones.\"a.test\".tls`: `a.key` holds no certificate in PEM",
        ),
    ] {
        assert_eq!(network(text).unwrap_err(), fault, "{text}");
    }
    let nowhere = network("").unwrap();
    let apex: Name = "example.com".parse().unwrap();
    let error = nowhere.servers(apex.as_ref()).unwrap_err();
    assert_eq!(
        in_one_line(&error),
        "cannot ask anybody about `example.com.`: no name server is configured for it"
    );
}
