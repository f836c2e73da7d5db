use janitor_plugin_api::dns::{ActualZone, Name, Ttl, ZoneBuilder};

use super::*;

fn zone(lines: &str) -> ActualZone {
    let mut builder = ZoneBuilder::new("example.com.".parse::<Name>().unwrap());
    for line in lines.lines() {
        let fields: Vec<_> = line.trim().splitn(3, ' ').collect();
        let ttl = Ttl::from_secs(300).unwrap();
        builder
            .push_text(fields[0], ttl, fields[1], fields[2])
            .unwrap();
    }
    builder.build_actual().unwrap()
}

/// Why each RRset of a zone is not taken.
fn told(lines: &str) -> Vec<String> {
    let zone = zone(lines);
    let told = zone
        .rrsets()
        .map(|rrset| match unfit(rrset, &Quota::DOCUMENTED) {
            Some(unfit) => format!("{} {}: {unfit}", rrset.owner(), rrset.rtype()),
            None => format!("{} {}: taken", rrset.owner(), rrset.rtype()),
        });
    told.collect()
}

#[test]
fn what_cloud_dns_cannot_have_is_known_with_the_reason() {
    let name_servers: String = (0..9)
        .map(|at| format!("sub NS ns{at}.example.net.\n"))
        .collect();
    let addresses: String = (0..101)
        .map(|at| format!("many A 192.0.2.{at}\n"))
        .collect();
    let lines = format!(
        "a A 192.0.2.1
        a LOC 52 22 23 N 4 53 32 E 0m
        a TYPE65280 \\# 1 00
        key CDS 1 13 2 {digest}
        key DS 1 13 2 {digest}
        *.w NS ns.example.net.
        *.w TXT x
        {name_servers}{addresses}",
        digest = "ab".repeat(32)
    );

    insta::assert_snapshot!(told(lines.trim_end()).join("\n"), @r"
    a.example.com. A: taken
    a.example.com. LOC: Cloud DNS has no record sets of type LOC
    a.example.com. TYPE65280: Cloud DNS has no record sets of type TYPE65280
    key.example.com. DS: taken
    key.example.com. CDS: Cloud DNS has no record sets of type CDS
    many.example.com. A: the record set has 101 records, and the quota of the project is 100 (resourceRecordsPerRrset)
    sub.example.com. NS: the delegation has 9 name servers, and the quota of the project is 8 (nameserversPerDelegation)
    *.w.example.com. NS: Cloud DNS has no NS record sets at wildcards
    *.w.example.com. TXT: taken
    ");
}

#[test]
fn every_type_that_google_lists_is_taken() {
    let rdatas = [
        "A 192.0.2.1",
        "AAAA 2001:db8::1",
        "CAA 0 issue \"ca.example.net\"",
        "DNSKEY 256 3 13 qxyz",
        "HTTPS 1 . alpn=h2",
        "IPSECKEY 10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==",
        "MX 10 mail",
        "NAPTR 1 1 \"u\" \"x\" \"!a!b!\" .",
        "NS ns",
        "PTR a",
        "SPF \"v=spf1 -all\"",
        "SRV 0 0 53 ns",
        "SSHFP 4 1 0123456789abcdef0123456789abcdef01234567",
        "SVCB 1 . alpn=h2",
        "TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "TXT \"a b\"",
    ];
    let lines: String = rdatas.iter().map(|rdata| format!("x {rdata}\n")).collect();

    let told = told(&lines);

    assert_eq!(told.len(), rdatas.len());
    assert!(told.iter().all(|it| it.ends_with(": taken")), "{told:#?}");
}

#[test]
fn the_quota_of_a_project_is_read_and_the_rest_is_as_documented() {
    let body = br#"{"kind":"dns#project","number":"7","id":"p","quota":{"kind":"dns#quota",
        "rrsetAdditionsPerChange":50,"totalRrdataSizePerChange":0,"resourceRecordsPerRrset":-1,
        "whitelistedKeySpecs":[{"keyType":"keySigning"}]}}"#;

    let quota = Quota::of_project(body).unwrap();

    let additions = 50;
    assert_eq!(
        quota,
        Quota {
            additions,
            ..Quota::DOCUMENTED
        }
    );
    assert_eq!(Quota::of_project(b"{}").unwrap(), Quota::DOCUMENTED);
    assert!(Quota::of_project(b"[1]").is_err());
    assert!(Quota::of_project(b"<html>").is_err());
}
