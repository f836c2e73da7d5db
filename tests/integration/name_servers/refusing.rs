//! What of a zone's changes goes through where a server does not take all of them.

use std::fmt::Write as _;

use super::deployment::{janitor_for, steady};
use crate::janitor::{HEAD, Run, WITHOUT_LIMITS};
use crate::peers::name_server::{Access, Key, Kind, NameServer, Options, Signing};

const APEX: &str = "example.com";

/// What a run says of changes that were not made.
fn told(run: &Run) -> String {
    let log = run.log();
    let lines = log.iter().filter(|line| line.starts_with("ERROR"));
    let mut told = format!("exit code {}", run.exit_code());
    for line in lines {
        let _written = write!(told, "\n{}", steady(line));
    }
    told
}

/// What becomes of a zone with `served` when `desired` is wanted: what is told, and what is served.
fn corrected(server: &NameServer, desired: &str) -> (String, Vec<String>) {
    let janitor = janitor_for(server).settings(WITHOUT_LIMITS);
    let run = janitor.desired(APEX, desired).run();
    (told(&run), server.lines(APEX))
}

#[test]
fn a_name_that_the_policy_keeps_from_the_key_holds_up_no_other() {
    let options = Options {
        update: Access::Nobody,
        per_zone: "update-policy { deny janitor-test name kept.example.com. A; \
                   grant janitor-test zonesub ANY; };",
        ..Options::default()
    };
    let zone = [(APEX, format!("{HEAD}kept A 192.0.2.1\ngone A 192.0.2.2\n"))];
    let Some(server) = NameServer::start(Kind::Bind, &zone, &options) else {
        return;
    };
    let (told, served) = corrected(
        &server,
        "kept A 192.0.2.9\na A 192.0.2.3\nz TXT \"z\"\nother CNAME a\n",
    );
    insta::assert_snapshot!(told, @r#"
    exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=1 unknown=0 reason="A of `kept.example.com.`: the server does not allow it, and its log says why; BIND needs `allow-update` or `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE` (REFUSED)"
    "#);
    insta::assert_snapshot!(served.join("\n"), @r#"
    a.example.com. 300 A 192.0.2.3
    kept.example.com. 300 A 192.0.2.1
    other.example.com. 300 CNAME a.example.com.
    z.example.com. 300 TXT "z"
    "#);
}

#[test]
fn what_is_served_in_capital_letters_is_replaced_and_deleted() {
    for kind in Kind::UPDATED {
        let served = "Mixed MX 10 Mail.Example.NET.\nGone CNAME WWW.Example.ORG.\n";
        let Some(server) = NameServer::of(kind, APEX, &format!("{HEAD}{served}")) else {
            continue;
        };
        let (told, served) = corrected(&server, "mixed MX 20 mail.example.net.\n");
        assert_eq!(told, "exit code 0", "{kind:?}");
        assert_eq!(
            served,
            ["mixed.example.com. 300 MX 20 mail.example.net."],
            "{kind:?}"
        );
    }
}

/// An RRset of `count` RRs of 250 octets and more, numbered from `first`.
fn crowd(first: usize, count: usize) -> String {
    let values = (first..first + count).map(|at| format!("big TXT \"{at:0>250}\"\n"));
    values.collect()
}

#[test]
fn an_rrset_is_replaced_as_long_as_its_condition_and_what_is_new_have_room() {
    let mut all = String::new();
    for kind in Kind::UPDATED {
        let zone = format!("{HEAD}{}", crowd(0, 200));
        let Some(server) = NameServer::of(kind, APEX, &zone) else {
            return;
        };
        let (fits, served) = corrected(&server, &crowd(20, 200));
        assert_eq!(fits, "exit code 0", "{kind:?}");
        assert!(served[0].contains("00020\""), "{kind:?}: {}", served[0]);
        assert_eq!(served.len(), 200, "{kind:?}");
        let (does_not, served) = corrected(&server, &crowd(300, 200));
        assert!(served[0].contains("00020\""), "{kind:?}: {}", served[0]);
        let _written = writeln!(all, "{kind:?}: {does_not}");
    }
    insta::assert_snapshot!(all, @r#"
    Knot: exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=1 unknown=0 reason="TXT of `big.example.com.`: the change and what it is conditional on have 157905 octets, more than the 65450 there is room for in a message"
    Bind: exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=1 unknown=0 reason="TXT of `big.example.com.`: the change and what it is conditional on have 157905 octets, more than the 65450 there is room for in a message"
    PowerDns: exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=1 unknown=0 reason="TXT of `big.example.com.`: the change and what it is conditional on have 157905 octets, more than the 65450 there is room for in a message"
    "#);
}

#[test]
fn a_zone_that_the_server_signs_apart_from_the_one_it_updates_is_changed() {
    let options = Options {
        sign: Signing::Nsec,
        per_zone: "inline-signing yes;",
        ..Options::default()
    };
    let zone = [(APEX, format!("{HEAD}www A 192.0.2.1\nalias CNAME www\n"))];
    let Some(server) = NameServer::start(Kind::Bind, &zone, &options) else {
        return;
    };
    let (told, served) = corrected(&server, "www A 192.0.2.2\nalias A 192.0.2.3\n");
    assert_eq!(told, "exit code 0");
    // Signatures and their like are the server's.
    let is_address = |line: &&String| line.split(' ').nth(2) == Some("A");
    let served: Vec<_> = served.iter().filter(is_address).collect();
    assert_eq!(
        served,
        [
            "alias.example.com. 300 A 192.0.2.3",
            "www.example.com. 300 A 192.0.2.2"
        ]
    );
}

#[test]
fn a_key_that_may_read_and_is_wrong_for_updates_changes_nothing() {
    let mut all = String::new();
    for kind in Kind::UPDATED {
        let zone = format!("{HEAD}a A 192.0.2.1\nb A 192.0.2.1\n");
        let Some(server) = NameServer::of(kind, APEX, &zone) else {
            continue;
        };
        let secret = server.key().secret.replace("MDEy", "MDEx");
        let key = |name: &str, secret: &str| Key {
            name: name.to_owned(),
            algorithm: server.key().algorithm.clone(),
            secret: secret.to_owned(),
        };
        let keys = [
            ("another secret", key(&server.key().name, &secret)),
            ("another name", key("nobody", &server.key().secret)),
        ];
        for (what, key) in keys {
            let janitor = janitor_for(&server)
                .file("wrong.key", key.file())
                .settings("[dns.update]\ntsig_key = { file = 'wrong.key' }")
                .settings(WITHOUT_LIMITS)
                .desired(APEX, "a A 192.0.2.2\nb A 192.0.2.2\n");
            let run = janitor.run();
            let _written = writeln!(all, "{kind:?}, {what}: {}", told(&run));
            let served = ["a", "b"].map(|name| format!("{name}.example.com. 300 A 192.0.2.1"));
            assert_eq!(server.lines(APEX), served, "{kind:?}, {what}");
            assert!(!run.stderr().contains(&key.secret), "{kind:?}, {what}");
        }
    }
    insta::assert_snapshot!(all, @r#"
    Knot, another secret: exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=2 unknown=0 reason="`127.0.0.1:<n>`: the server finds our signature with the key `janitor-test` wrong; the secret of `tsig_key` has to be that of the key at the server"
    Knot, another name: exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=2 unknown=0 reason="`127.0.0.1:<n>`: the server does not know the key `nobody`; name and algorithm in `tsig_key` have to be those of the key at the server; Knot also says so where no `acl` allows this to the key"
    Bind, another secret: exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=2 unknown=0 reason="`127.0.0.1:<n>`: the server finds our signature with the key `janitor-test` wrong; the secret of `tsig_key` has to be that of the key at the server"
    Bind, another name: exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=2 unknown=0 reason="`127.0.0.1:<n>`: the server does not know the key `nobody`; name and algorithm in `tsig_key` have to be those of the key at the server; Knot also says so where no `acl` allows this to the key"
    PowerDns, another secret: exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=2 unknown=0 reason="`127.0.0.1:<n>`: the answer is not signed (NOTAUTH), the request was; the server has to serve the zone, to know the key of `tsig_key`, and to allow this to it"
    PowerDns, another name: exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=2 unknown=0 reason="`127.0.0.1:<n>`: the answer is not signed (NOTAUTH), the request was; the server has to serve the zone, to know the key of `tsig_key`, and to allow this to it"
    "#);
}
