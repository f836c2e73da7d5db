use janitor_plugin_api::Settings as _;
use serde::Deserialize as _;

use super::{ServerAddress, ServerAddressError};

with_network! {
    /// A plugin's table.
    #[derive(Debug)]
    struct Own {
        /// Its own.
        #[setting(default = 600, unit = "seconds")]
        deadline: u32,
    }
}

#[test]
fn a_plugin_has_the_shared_settings_beside_its_own() {
    let none = serde::de::value::MapDeserializer::<_, serde::de::value::Error>::new(
        std::iter::empty::<(&str, &str)>(),
    );
    let own = Own::deserialize(none).unwrap();
    assert_eq!(own.deadline, 600);
    let network = own.network();
    assert_eq!(network.timeout.as_secs(), 10);
    assert_eq!((network.per_server, network.servers.len()), (4, 0));
    let schema = format!("{:?}", Own::SCHEMA);
    for name in [
        "servers",
        "tsig_key",
        "timeout",
        "per_server",
        "zones",
        "deadline",
    ] {
        assert!(schema.contains(name), "{name} in {schema}");
    }
}

#[test]
fn a_server_is_written_as_an_address_or_a_name_with_or_without_a_port() {
    let shown = |text: &str| {
        let address: ServerAddress = text.parse().unwrap();
        (address.host.to_string(), address.port)
    };
    for (text, host, port) in [
        ("192.0.2.53", "192.0.2.53", None),
        ("192.0.2.53:5353", "192.0.2.53", Some(5353)),
        ("2001:db8::53", "[2001:db8::53]", None),
        ("[2001:db8::53]", "[2001:db8::53]", None),
        ("[2001:db8::53]:5353", "[2001:db8::53]", Some(5353)),
        ("NS1.example.com.", "ns1.example.com", None),
        ("ns1.example.com:5353", "ns1.example.com", Some(5353)),
        ("localhost", "localhost", None),
    ] {
        assert_eq!(shown(text), (host.to_owned(), port), "{text}");
    }
}

#[test]
fn what_is_no_server_is_refused() {
    let fault = |text: &str| text.parse::<ServerAddress>().unwrap_err();
    for text in [
        "",
        ".",
        "192.0.2.256",
        "192.0.2.1:53:53",
        "[192.0.2.1]",
        "[2001:db8::53",
        "2001:db8::53::53",
        "ns1 example",
        "tls://ns1.example.com",
        "ns1.example.com/53",
        "fe80::1%eth0",
        ":53",
        "ns1.example.com:",
        "ns1.example.com:domain",
        "xn--é",
    ] {
        assert_eq!(fault(text), ServerAddressError::Form(text.to_owned()));
    }
    for (text, said) in [
        (
            "192.0.2.1:0",
            "`192.0.2.1:0` has the port 0; ports are 1 to 65535",
        ),
        (
            "[2001:db8::53]:65536",
            "`[2001:db8::53]:65536` has the port 65536; ports are 1 to 65535",
        ),
        (
            "ns1 example",
            "`ns1 example` is no server; one is written `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, \
             `[2001:db8::53]:5353`, `ns1.example.com` or `ns1.example.com:5353`",
        ),
    ] {
        assert_eq!(fault(text).to_string(), said);
    }
}
