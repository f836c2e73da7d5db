//! How servers are reached: keys in all their spellings, and TLS.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;

use super::deployment::{janitor, steady, unsigned};
use crate::janitor::{HEAD, Janitor};
use crate::peers::name_server::{Key, Kind, NameServer, Options};

const APEX: &str = "example.com";

fn zone() -> String {
    format!("{HEAD}www A 192.0.2.1\n")
}

/// What becomes of a plan that wants the zone and a name more: `read`, or why it is not.
fn planned(janitor: Janitor) -> String {
    let janitor = janitor.desired(APEX, "www A 192.0.2.1\nmore A 192.0.2.2");
    let plan = janitor.plan(&["--exit-code"]);
    match plan.left_out().as_slice() {
        [] if plan.stdout().contains("1 addition") => "read".to_owned(),
        [reason] if plan.exit_code() == 3 => steady(reason),
        _ => {
            let said = plan
                .stderr()
                .replace(&*janitor.path("").to_string_lossy(), "");
            steady(&said)
        }
    }
}

#[test]
fn keys_of_every_algorithm_and_spelling_open_a_zone() {
    for (algorithm, bits) in [("hmac-sha1", 20), ("hmac-sha384", 48), ("hmac-sha512", 64)] {
        let secret = ["MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="; 2];
        let options = Options {
            key: Key {
                name: "Janitor.Example".to_owned(),
                algorithm: algorithm.to_owned(),
                secret: secret[bits % 2].to_owned(),
            },
            ..Options::default()
        };
        for kind in [Kind::Bind, Kind::Knot] {
            let Some(server) = NameServer::start(kind, &[(APEX, zone())], &options) else {
                return;
            };
            let Key { name, secret, .. } = server.key();
            let of_knot =
                format!("key:\n- id: {name}\n  algorithm: {algorithm}\n  secret: {secret}\n");
            let parts = format!("name = '{name}.', algorithm = '{algorithm}'");
            let deployed = |key: &str| {
                unsigned(&[server.address()]).settings(&format!("tsig_key = {{ {key} }}"))
            };
            for janitor in [
                janitor(&[server.address()], server.key()),
                deployed("file = 'knot.key', name = 'janitor.example'").file("knot.key", of_knot),
                deployed(&format!("{parts}, secret_file = 'secret'")).file("secret", secret),
                deployed(&format!("{parts}, secret_env = 'JANITOR_TEST_SECRET'"))
                    .environment("JANITOR_TEST_SECRET", secret),
            ] {
                assert_eq!(planned(janitor), "read", "{kind:?} {algorithm}");
            }
        }
    }
}

/// A server that also answers over TLS.
fn with_tls(kind: Kind) -> Option<NameServer> {
    let options = Options {
        tls: true,
        ..Options::default()
    };
    NameServer::start(kind, &[(APEX, zone())], &options)
}

/// A deployment that reads `server` at `address` with its key, and by TLS with these settings.
fn by_tls(server: &NameServer, address: SocketAddr, tls: &str) -> Janitor {
    let authority = fs::read(server.certificate_authority()).expect("the authority is there");
    janitor(&[address], server.key())
        .file("authority.pem", authority)
        .settings(&format!("timeout = 2\ntls = {{ {tls} }}"))
}

#[test]
fn zones_are_read_over_tls_from_servers_that_are_who_they_ought_to_be() {
    for kind in [Kind::Bind, Kind::Nsd] {
        let Some(server) = with_tls(kind) else {
            return;
        };
        let tls = |settings: &str| planned(by_tls(&server, server.address_of_tls(), settings));
        for settings in [
            "ca_file = 'authority.pem'",
            "ca_file = 'authority.pem', server_name = 'ns.test'",
        ] {
            assert_eq!(tls(settings), "read", "{kind:?}: {settings}");
        }
        let reasons = [
            tls("ca_file = 'authority.pem', server_name = 'ns2.test'"),
            tls("pins = ['AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=']"),
            // Nobody that the system trusts signed it.
            tls("server_name = 'ns.test'"),
            planned(by_tls(
                &server,
                server.address(),
                "ca_file = 'authority.pem'",
            )),
        ];
        let reasons = reasons.map(|reason| without_pin(&reason)).join("\n");
        let told = format!("{kind:?}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(reasons, told.as_str(), @r#"
            example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n> (TLS): cannot connect to 127.0.0.1:<n>: its certificate is not for `ns2.test`" hint="set `server_name` in `tls` to a name in its certificate"
            example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n> (TLS): cannot connect to 127.0.0.1:<n>: its key has the pin `<pin>`, which is not among `pins`" hint="if the server has a new key, and you know that it is the server's, add its pin to `pins`"
            example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n> (TLS): cannot connect to 127.0.0.1:<n>: its certificate is signed by nobody who is trusted" hint="set `ca_file` in `tls` to the certificate of the authority, or of the server itself"
            example.com. plugin=dns.axfr reason="cannot transfer the zone: 127.0.0.1:<n> (TLS): cannot connect to 127.0.0.1:<n>: it is silent about TLS for 2 s (`timeout`)" hint="the port of DNS over TLS is usually 853, not 53"
            "#);
        }
    }
}

/// A text without the pin of a key, which is another one every time.
fn without_pin(text: &str) -> String {
    match text.split_once("has the pin `") {
        Some((before, after)) => {
            let (_, after) = after.split_once('`').expect("the pin ends");
            format!("{before}has the pin `<pin>`{after}")
        }
        None => text.to_owned(),
    }
}

#[test]
fn zones_are_corrected_over_tls() {
    let Some(server) = with_tls(Kind::Bind) else {
        return;
    };
    let janitor = by_tls(
        &server,
        server.address_of_tls(),
        "ca_file = 'authority.pem'",
    );
    let janitor = janitor.desired(APEX, "www A 192.0.2.1\nmore A 192.0.2.2");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_eq!(
        server.lines(APEX),
        [
            "more.example.com. 300 A 192.0.2.2",
            "www.example.com. 300 A 192.0.2.1"
        ]
    );
    assert_eq!(janitor.plan(&["--exit-code"]).exit_code(), 0);
}

#[test]
fn settings_that_cannot_be_used_end_the_run_before_it_starts() {
    let told = |settings: &str| {
        let janitor = unsigned(&["192.0.2.53:53".parse().expect("an address")])
            .file("two.key", two_keys())
            .settings(settings);
        let plan = janitor.plan(&[]);
        assert_eq!(plan.exit_code(), 2, "{}", plan.stderr());
        let root = format!("{}/", janitor.path("").display());
        let said = plan.stderr();
        assert!(!said.contains("c2VjcmV0"), "{said}");
        let error = said.find("error[").map_or("", |at| &said[at..]);
        format!("{}\n", error.replace(&root, ""))
    };
    let texts: String = [
        "tsig_key = { name = 'a', secret = 'c2VjcmV0' }",
        "tsig_key = { file = 'missing.key' }",
        "tsig_key = { file = 'two.key' }",
        "tsig_key = { name = 'a', secret_env = 'JANITOR_TEST_UNSET' }",
        "tls = { ca_file = 'two.key' }",
        "tls = { pins = ['AAAA'] }",
        "[dns.zones.'a..b']\nservers = ['192.0.2.1']",
        "[dns.zones.'example.com']\nservers = ['192.0.2.256']",
    ]
    .map(told)
    .concat();
    insta::assert_snapshot!(texts, @r#"
    error[GJ409]: plugin "dns.axfr" does not accept its configuration: cannot use `tsig_key`
      where: <root>/gordon-janitor.toml:5:6, [dns.axfr]
      5 | [dns.axfr]
        |      ^^^^
      because: the secret stands in the configuration itself, as `secret`
      help: write it to a file that only the janitor's user can read, name that file in `secret_file`, and make a new secret if the configuration was ever shared
    error: 1 error; nothing was run

    error[GJ409]: plugin "dns.axfr" does not accept its configuration: cannot use `tsig_key`
      where: <root>/gordon-janitor.toml:5:6, [dns.axfr]
      5 | [dns.axfr]
        |      ^^^^
      because: cannot read `<root>/missing.key`
      because: No such file or directory (os error 2)
    error: 1 error; nothing was run

    error[GJ409]: plugin "dns.axfr" does not accept its configuration: cannot use `tsig_key`
      where: <root>/gordon-janitor.toml:5:6, [dns.axfr]
      5 | [dns.axfr]
        |      ^^^^
      because: cannot take a key from `<root>/two.key`
      because: it holds 2 keys, and `name` does not say which
      help: set `name` beside `file`
    error: 1 error; nothing was run

    error[GJ409]: plugin "dns.axfr" does not accept its configuration: cannot use `tsig_key`
      where: <root>/gordon-janitor.toml:5:6, [dns.axfr]
      5 | [dns.axfr]
        |      ^^^^
      because: the environment variable that `secret_env` names is not set, or empty, or no text
    error: 1 error; nothing was run

    error[GJ409]: plugin "dns.axfr" does not accept its configuration: cannot use `tls`
      where: <root>/gordon-janitor.toml:5:6, [dns.axfr]
      5 | [dns.axfr]
        |      ^^^^
      because: `<root>/two.key` holds no certificate in PEM
    error: 1 error; nothing was run

    error[GJ409]: plugin "dns.axfr" does not accept its configuration: a pin is base64 of the 32 octets of a SHA-256, 44 characters
      where: <root>/gordon-janitor-user.toml:3:16, [dns.axfr]
      3 | tls = { pins = ['AAAA'] }
        |                ^^^^^^^^
    error: 1 error; nothing was run

    error[GJ409]: plugin "dns.axfr" does not accept its configuration: cannot use `zones."a..b"`
      where: <root>/gordon-janitor.toml:5:6, [dns.axfr]
      5 | [dns.axfr]
        |      ^^^^
      because: a label of the name is empty
    error: 1 error; nothing was run

    error[GJ409]: plugin "dns.axfr" does not accept its configuration: `192.0.2.256` is no server; one is written `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`, `ns1.example.com` or `ns1.example.com:5353`
      where: <root>/gordon-janitor-user.toml:4:11, [dns.axfr]
      4 | servers = ['192.0.2.256']
        |           ^^^^^^^^^^^^^^^
    error: 1 error; nothing was run
    "#);
}

fn two_keys() -> &'static str {
    "key one { algorithm hmac-sha256; secret c2VjcmV0; };\nkey two { algorithm hmac-md5; secret c2VjcmV0; };\n"
}

#[test]
fn a_key_that_everybody_can_read_is_warned_of() {
    for (mode, is_warned_of) in [(0o644, true), (0o640, false)] {
        let nobody = "127.0.0.1:9".parse().expect("an address");
        let janitor = janitor(&[nobody], &Key::default()).desired(APEX, "www A 192.0.2.1");
        let file = janitor.path("janitor.key");
        fs::set_permissions(&file, Permissions::from_mode(mode)).expect("it is ours");
        let said = janitor.plan(&[]).stderr();
        let warning =
            "a key can be read by every user of this machine file=<root>/janitor.key mode=0644";
        assert_eq!(said.contains(warning), is_warned_of, "{said}");
    }
}
