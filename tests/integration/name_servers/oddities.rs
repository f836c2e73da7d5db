//! Changes that RFC 2136 has rules of its own for, at servers that each keep them in their own way.

use std::fmt::Write as _;

use super::content::{REFUSED, TYPES, numbered};
use super::deployment::{janitor_for, steady};
use crate::janitor::{HEAD, WITHOUT_LIMITS};
use crate::peers::name_server::{Kind, NameServer};

const APEX: &str = "example.com";

/// Corrects a zone in one run; the next has nothing to do.
fn assert_corrected_at_once(kind: Kind, served: &str, desired: &str) {
    let Some(server) = NameServer::of(kind, APEX, &format!("{HEAD}{served}")) else {
        return;
    };
    let janitor = janitor_for(&server).settings(WITHOUT_LIMITS);
    let janitor = janitor.desired(APEX, desired);
    let run = janitor.run();
    assert_eq!(run.exit_code(), 0, "{kind:?}: {}", run.stderr());
    let clean = janitor.plan(&["--exit-code"]);
    assert_eq!(clean.exit_code(), 0, "{kind:?}: {}", clean.stdout());
}

#[test]
fn a_cname_takes_the_place_of_a_key_which_might_stand_beside_it() {
    for kind in Kind::UPDATED {
        assert_corrected_at_once(
            kind,
            "alias KEY 256 3 13 AAAA\nback CNAME www\n",
            "alias CNAME www.example.net.\nback KEY 256 3 13 AAAA\n",
        );
    }
}

#[test]
fn a_dname_at_a_wildcard_comes_and_goes() {
    for kind in [Kind::Knot, Kind::PowerDns] {
        assert_corrected_at_once(
            kind,
            "*.old DNAME example.net.\n",
            "*.new DNAME example.net.\n",
        );
    }
}

#[test]
fn what_a_server_passes_over_without_a_word_is_told() {
    let cases = [
        // Its log: "attempt to add wildcard DNAME record ignored".
        (Kind::Bind, "*.new DNAME example.net."),
        // Keys come from commands of its own.
        (Kind::PowerDns, "new DNSKEY 256 3 13 AAAA"),
    ];
    let mut all = String::new();
    for (kind, desired) in cases {
        let Some(server) = NameServer::of(kind, APEX, HEAD) else {
            return;
        };
        let janitor = janitor_for(&server).settings("[dns.update]\nsettle = 1");
        let run = janitor.desired(APEX, desired).run();
        assert_eq!(run.exit_code(), 1, "{kind:?}: {}", run.stderr());
        for line in run.log_with("ERROR") {
            writeln!(all, "{kind:?}: {}", steady(&line)).expect("a text grows");
        }
    }
    insta::assert_snapshot!(all, @r#"
    Bind: ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=1 reason="DNAME of `*.new.example.com.`: the server says that it was done, and serves something else (`127.0.0.1:<n>`: it does not serve the RRset): it passed over a part, or somebody else was there right after"
    PowerDns: ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=1 reason="DNSKEY of `new.example.com.`: the server says that it was done, and serves something else (`127.0.0.1:<n>`: it does not serve the RRset): it passed over a part, or somebody else was there right after"
    "#);
}

/// What holds of the types in [`REFUSED`], which round trips pass over.
#[test]
fn what_a_server_does_not_take_or_give_holds_up_nothing_else() {
    let mut all = String::new();
    for (kind, types, why) in REFUSED {
        let Some(server) = NameServer::of(kind, APEX, HEAD) else {
            return;
        };
        let mut records = "a A 192.0.2.1\n".to_owned();
        for rtype in types {
            let template = TYPES.iter().find(|(name, _)| name == rtype);
            let (_, rdata) = template.expect("the type is one of all");
            writeln!(records, "t-{rtype} {rtype} {}", numbered(rdata, "1")).expect("a text grows");
        }
        let janitor = janitor_for(&server).settings("[dns.update]\nsettle = 1");
        let run = janitor.desired(APEX, &records).run();
        writeln!(all, "{types:?}: {why}\nexit code {}", run.exit_code()).expect("a text grows");
        for line in run.log_with("ERROR") {
            let first = steady(&line);
            let first = first.split_once("; ").map_or(&*first, |(first, _)| first);
            writeln!(all, "{first}").expect("a text grows");
        }
        writeln!(all, "{}\n", server.lines(APEX).join("\n")).expect("a text grows");
    }
    insta::assert_snapshot!(all, @r#"
    ["AMTRELAY", "AVC", "GPOS", "HIP", "ISDN", "NINFO", "NULL", "PX", "RT", "SINK", "TA", "WKS", "X25", "TYPE65280", "TYPE1234"]: 4.7 answers FORMERR to an UPDATE with a type that it does not know
    exit code 1
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=15 unknown=0 reason="AMTRELAY of `t-amtrelay.example.com.`: the server cannot read the update, or does not accept what it adds (FORMERR)
    a.example.com. 300 A 192.0.2.1

    ["APL"]: 4.7 keeps of an address what stands before its first octet of zero
    exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=1 reason="APL of `t-apl.example.com.`: the server says that it was done, and serves something else (`127.0.0.1:<n>`: it serves another RRset): it passed over a part, or somebody else was there right after"
    a.example.com. 300 A 192.0.2.1
    t-apl.example.com. 300 APL \# 13 00 01 15 01 c0 00 02 20 84 20 01 0d b8

    ["CDNSKEY", "CDS"]: 4.7 takes them and answers queries for them, and leaves them out of transfers
    exit code 0
    a.example.com. 300 A 192.0.2.1

    ["DNSKEY"]: 4.7 passes over it in an UPDATE and answers NOERROR: keys come from its own commands
    exit code 1
    ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=1 reason="DNSKEY of `t-dnskey.example.com.`: the server says that it was done, and serves something else (`127.0.0.1:<n>`: it does not serve the RRset): it passed over a part, or somebody else was there right after"
    a.example.com. 300 A 192.0.2.1
    "#);
}

#[test]
fn power_dns_compares_texts_and_not_records() {
    // Its reader of zone files leaves texts as they are.
    let zone = format!("{HEAD}v6 AAAA 2001:DB8:0::1\nv4 A 192.0.2.1\n");
    let Some(server) = NameServer::of(Kind::PowerDns, APEX, &zone) else {
        return;
    };
    let janitor = janitor_for(&server).settings(WITHOUT_LIMITS);
    let janitor = janitor.desired(APEX, "v6 AAAA 2001:db8::2\nv4 A 192.0.2.2\n");
    let run = janitor.run();
    assert_eq!(run.exit_code(), 1, "{}", run.stderr());
    insta::assert_snapshot!(steady(&run.log_with("ERROR").join("\n")), @r#"
    ERROR: changes were not applied zone=example.com. publisher=dns.update refused=1 unknown=0 reason="AAAA of `v6.example.com.`: what the plan replaces is not served as it was planned from (NXRRSET)"
    "#);
    let v4 = server.lines(APEX).into_iter().next().unwrap_or_default();
    assert_eq!(v4, "v4.example.com. 300 A 192.0.2.2");
}
