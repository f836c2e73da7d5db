//! The servers do what the tests about them rely on.

use std::collections::BTreeSet;
use std::process::Command;

use crate::janitor::HEAD;
use crate::peers::name_server::{Access, Kind, NameServer, Options, Signing};
use crate::peers::output;

const APEX: &str = "example.com";

fn zone(records: &str) -> String {
    format!("$ORIGIN {APEX}.\n{HEAD}{records}\n")
}

/// What `dig` prints of a transfer; None without it, which is said loudly.
fn dig(server: &NameServer, more: &[&str]) -> Option<String> {
    let port = server.address().port().to_string();
    let mut dig = Command::new("dig");
    dig.args(["@127.0.0.1", "-p", &port, APEX, "AXFR"]);
    dig.args(["+noall", "+answer", "+onesoa"]).args(more);
    let output = output(&mut dig, "bind9-dnsutils")?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn key_of(server: &NameServer) -> String {
    let key = server.key();
    format!("{}:{}:{}", key.algorithm, key.name, key.secret)
}

#[test]
fn each_server_serves_its_zones_and_takes_updates() {
    for kind in Kind::UPDATED {
        let text = zone("www A 192.0.2.1\n*.wild TXT \"a b\"");
        let Some(server) = NameServer::of(kind, APEX, &text) else {
            continue;
        };
        assert_eq!(
            server.lines(APEX),
            [
                "*.wild.example.com. 300 TXT \"a b\"",
                "www.example.com. 300 A 192.0.2.1"
            ],
            "{kind:?}"
        );
        assert_eq!(server.serial(APEX), 1);
        server.update(
            APEX,
            "update delete www.example.com. A\nupdate add api.example.com. 60 A 192.0.2.2",
        );
        assert_eq!(
            server.lines(APEX),
            [
                "api.example.com. 60 A 192.0.2.2",
                "*.wild.example.com. 300 TXT \"a b\""
            ],
            "{kind:?}"
        );
        assert_eq!(server.serial(APEX), 2, "{kind:?}");
    }
}

#[test]
fn only_the_key_opens_a_zone() {
    for kind in Kind::ALL {
        let Some(server) = NameServer::of(kind, APEX, &zone("www A 192.0.2.1")) else {
            continue;
        };
        let key = key_of(&server);
        let Some(with_key) = dig(&server, &["-y", &key]) else {
            return;
        };
        assert!(with_key.contains("192.0.2.1"), "{kind:?}: {with_key}");
        let without = dig(&server, &[]).unwrap_or_default();
        assert_eq!(without, "; Transfer failed.\n", "{kind:?}");
        let wrong = dig(&server, &["-y", &key.replace("MDEy", "MDEx")]);
        let wrong = wrong.unwrap_or_default();
        assert!(!wrong.contains("192.0.2.1"), "{kind:?}: {wrong}");
        if server.address_of_ipv6().is_some() {
            let over_ipv6 = dig(&server, &["@::1", "-y", &key]).unwrap_or_default();
            assert!(over_ipv6.contains("192.0.2.1"), "{kind:?}: {over_ipv6}");
        }
    }
}

#[test]
fn anyone_means_with_the_key_and_without() {
    let options = Options {
        transfer: Access::Anyone,
        ..Options::default()
    };
    for kind in Kind::ALL {
        let zones = [(APEX, zone("www A 192.0.2.1"))];
        let Some(server) = NameServer::start(kind, &zones, &options) else {
            continue;
        };
        let key = key_of(&server);
        for more in [&[][..], &["-y", &key]] {
            let Some(said) = dig(&server, more) else {
                return;
            };
            assert!(said.contains("192.0.2.1"), "{kind:?}: {said}");
        }
    }
}

#[test]
fn signing_servers_serve_signed_zones() {
    for sign in [Signing::Nsec, Signing::Nsec3] {
        for kind in Kind::UPDATED {
            let options = Options {
                sign,
                ..Options::default()
            };
            let zones = [(APEX, zone("www A 192.0.2.1"))];
            let Some(server) = NameServer::start(kind, &zones, &options) else {
                continue;
            };
            let records = server.transfer(APEX);
            let types = records.iter().map(|record| record.rtype.to_string());
            let types = types.collect::<BTreeSet<_>>();
            let denial = if sign == Signing::Nsec {
                "NSEC"
            } else {
                "NSEC3"
            };
            // BIND publishes CDS and CDNSKEY once caches have forgotten that there was no key.
            let for_parent = if kind == Kind::Bind {
                &[][..]
            } else {
                &["CDS", "CDNSKEY"]
            };
            let of_knot = if kind == Kind::Knot {
                &["ZONEMD"][..]
            } else {
                &[]
            };
            for rtype in [&["RRSIG", "DNSKEY", denial], for_parent, of_knot].concat() {
                assert!(
                    types.contains(rtype),
                    "{kind:?}, {sign:?}: no {rtype} in {types:?}"
                );
            }
        }
    }
}

#[test]
fn servers_with_tls_show_a_certificate_of_the_authority() {
    let options = Options {
        tls: true,
        ..Options::default()
    };
    for kind in [Kind::Bind, Kind::Nsd] {
        let zones = [(APEX, zone("www A 192.0.2.1"))];
        let Some(server) = NameServer::start(kind, &zones, &options) else {
            continue;
        };
        let mut kdig = Command::new("kdig");
        let authority = server.certificate_authority();
        kdig.args(["@127.0.0.1", APEX, "AXFR", "+tls-hostname=ns.test"])
            .arg(format!("+tls-ca={}", authority.display()))
            .args(["-p", &server.address_of_tls().port().to_string()])
            .args(["-y", &key_of(&server)]);
        let Some(output) = output(&mut kdig, "knot-dnsutils") else {
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("192.0.2.1"), "{kind:?}: {said}");
    }
}

#[test]
fn secondaries_follow_when_they_are_told() {
    let Some(primary) = NameServer::of(Kind::Knot, APEX, &zone("www A 192.0.2.1")) else {
        return;
    };
    let options = Options {
        primary: Some(primary.address()),
        ..Options::default()
    };
    for kind in Kind::ALL {
        let Some(mut secondary) = NameServer::start(kind, &[(APEX, "")], &options) else {
            continue;
        };
        let before = primary.serial(APEX);
        assert_eq!(secondary.serial(APEX), before, "{kind:?}");
        primary.update(APEX, "update add more.example.com. 60 A 192.0.2.2");
        assert_eq!(secondary.serial(APEX), before, "{kind:?}: nobody told it");
        secondary.notify(APEX);
        secondary.wait_for_serial(APEX, before + 1);
        let lines = [
            "more.example.com. 60 A 192.0.2.2",
            "www.example.com. 300 A 192.0.2.1",
        ];
        assert_eq!(secondary.lines(APEX), lines, "{kind:?}");
        primary.update(APEX, "update delete more.example.com. A");
    }
}

#[test]
fn servers_read_a_zone_file_again_and_come_back_where_they_were() {
    for kind in [Kind::Knot, Kind::Bind, Kind::Nsd] {
        let options = Options {
            update: Access::Nobody,
            ..Options::default()
        };
        let zones = [(APEX, zone("www A 192.0.2.1"))];
        let Some(mut server) = NameServer::start(kind, &zones, &options) else {
            continue;
        };
        let text = zone("www A 192.0.2.2").replace(" 1 3600", " 2 3600");
        server.reload(APEX, &text);
        server.wait_for_serial(APEX, 2);
        assert_eq!(server.lines(APEX), ["www.example.com. 300 A 192.0.2.2"]);
        let address = server.address();
        server.stop();
        server.start_again();
        assert_eq!(server.address(), address);
        assert_eq!(server.lines(APEX), ["www.example.com. 300 A 192.0.2.2"]);
    }
}
