use serde_json::{Value, json};

use super::*;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn record_set(name: &str, rtype: &str, rrdatas: &[&str]) -> Value {
    json!({
        "kind": "dns#resourceRecordSet", "name": name, "type": rtype, "ttl": 300, "rrdatas": rrdatas,
    })
}

fn soa(name: &str) -> Value {
    let rdata =
        "ns-cloud-a1.googledomains.com. cloud-dns-hostmaster.google.com. 1 21600 3600 259200 300";
    record_set(name, "SOA", &[rdata])
}

/// Reads the zone at `apex` from one page with these record sets.
fn read(apex: &str, record_sets: &[Value]) -> Result<Read, ListingFault> {
    let mut listing = Listing::new(name(apex).as_ref());
    let page = json!({"rrsets": record_sets}).to_string();
    assert_eq!(listing.read_page(page.as_bytes()).unwrap(), Next::End);
    listing.finish()
}

fn zone(record_sets: &[Value]) -> Read {
    let mut all = vec![soa("example.com.")];
    all.extend_from_slice(record_sets);
    read("example.com.", &all).unwrap()
}

/// What is in the zone beside its SOA, and what is held.
fn told(read: &Read) -> String {
    let rrsets = read
        .zone
        .rrsets()
        .filter(|rrset| rrset.rtype() != Rtype::SOA);
    let mut lines: Vec<_> = rrsets.map(|rrset| rrset.to_string()).collect();
    lines.extend(read.zone.held().map(|owner| format!("held: {owner}")));
    lines.extend(read.held.iter().map(Held::told));
    lines.join("\n")
}

#[test]
fn record_sets_of_all_types_become_rrsets() {
    let read = zone(&[
        record_set("www.example.com.", "A", &["192.0.2.2", "192.0.2.1"]),
        record_set("v6.example.com.", "AAAA", &["2001:DB8:0::1"]),
        record_set(
            "t.example.com.",
            "TXT",
            &[r#""a b""#, "unquoted", r#""v=1" "\"q\" \\ \195\164""#],
        ),
        record_set("s.example.com.", "SPF", &[r#""v=spf1 -all""#]),
        record_set("c.example.com.", "CAA", &[r#"0 issue "ca.example""#]),
        // Escapes are decimal (RFC 1035, section 5.1): this is no asterisk.
        record_set(r"\052.example.com.", "CNAME", &["WWW.Example.COM."]),
        record_set("*.example.com.", "CNAME", &["WWW.Example.COM."]),
        record_set("Mail.Example.com.", "MX", &["10 m.example.net"]),
        record_set("h.example.com.", "HTTPS", &["1 . alpn=h2,h3"]),
    ]);
    insta::assert_snapshot!(told(&read), @r#"
    *.example.com. 300 IN CNAME www.example.com.
    4.example.com. 300 IN CNAME www.example.com.
    c.example.com. 300 IN CAA 0 issue "ca.example"
    h.example.com. 300 IN HTTPS 1 . alpn="h2,h3"
    mail.example.com. 300 IN MX 10 m.example.net.
    s.example.com. 300 IN SPF "v=spf1 -all"
    t.example.com. 300 IN TXT "a b"
    t.example.com. 300 IN TXT "v=1" "\"q\" \\ \195\164"
    t.example.com. 300 IN TXT "unquoted"
    v6.example.com. 300 IN AAAA 2001:db8::1
    www.example.com. 300 IN A 192.0.2.1
    www.example.com. 300 IN A 192.0.2.2
    "#);
    assert_eq!(read.listed, 10);
}

#[test]
fn a_ttl_may_be_a_float_and_may_be_missing() {
    let mut record_sets = ["a", "b", "c"]
        .map(|owner| record_set(&format!("{owner}.example.com."), "A", &["192.0.2.1"]));
    record_sets[0]["ttl"] = json!(60.0);
    record_sets[1].as_object_mut().unwrap().remove("ttl");
    record_sets[2]["ttl"] = json!(0);
    insta::assert_snapshot!(told(&zone(&record_sets)), @r"
    a.example.com. 60 IN A 192.0.2.1
    b.example.com. 300 IN A 192.0.2.1
    c.example.com. 0 IN A 192.0.2.1
    ");
    for ttl in [
        json!(1.5),
        json!(-1),
        json!("300"),
        json!(4_294_967_296_u64),
    ] {
        record_sets[0]["ttl"] = ttl.clone();
        let page = json!({"rrsets": record_sets}).to_string();
        let read = Listing::new(name("example.com.").as_ref()).read_page(page.as_bytes());
        assert!(matches!(read, Err(PageFault::Json(_))), "{ttl}");
    }
}

#[test]
fn what_dns_cannot_hold_is_held_and_nothing_else_at_that_owner_is_lost() {
    let mut policy = record_set("geo.example.com.", "A", &[]);
    policy.as_object_mut().unwrap().remove("rrdatas");
    let mut late = record_set("late.example.com.", "A", &["192.0.2.1"]);
    late["ttl"] = json!(2_147_483_648_u32);
    let read = zone(&[
        policy,
        record_set("geo.example.com.", "TXT", &[r#""stays""#]),
        record_set("example.com.", "ALIAS", &["www.example.net."]),
        record_set("next.example.com.", "A7", &["192.0.2.1"]),
        record_set("empty.example.com.", "AAAA", &[]),
        record_set("half.example.com.", "A", &["192.0.2.1", "192.0.2.256"]),
        record_set("any.example.com.", "ANY", &[r"\# 0"]),
        late,
    ]);
    insta::assert_snapshot!(told(&read), @r#"
    geo.example.com. 300 IN TXT "stays"
    held: example.com.
    held: any.example.com.
    held: empty.example.com.
    held: geo.example.com.
    held: half.example.com.
    held: late.example.com.
    held: next.example.com.
    `geo.example.com.` A: a routing policy answers for it
    `example.com.` ALIAS: DNS has no such type
    `next.example.com.` A7: its type is not known
    `empty.example.com.` AAAA: a routing policy answers for it
    `half.example.com.` A: its rdata cannot be read: cannot read the rdata of A at column 1: expected an IPv4 address, found `192.0.2.256`
    `any.example.com.` ANY: its rdata cannot be taken: cannot take ANY of `any.example.com.`: the type is never zone data
    `late.example.com.` A: its TTL cannot be read: the TTL 2147483648 is above 2147483647 seconds
    "#);
    let intended = read.held.iter().map(Held::is_intended);
    let intended: Vec<_> = intended.collect();
    assert_eq!(intended, [true, true, false, true, false, false, false]);
}

#[test]
fn an_owner_that_cannot_be_read_leaves_no_page() {
    let mut listing = Listing::new(name("example.com.").as_ref());
    let page = json!({"rrsets": [record_set("a..example.com.", "A", &["192.0.2.1"])]}).to_string();
    let fault = listing.read_page(page.as_bytes()).unwrap_err();
    insta::assert_snapshot!(fault, @"the name of the record set `a..example.com.` cannot be read: a label of the name is empty");
}

#[test]
fn an_empty_page_is_a_page_and_a_listing_without_a_soa_is_none() {
    for page in ["{}", r#"{"rrsets": []}"#, r#"{"nextPageToken": ""}"#] {
        let mut listing = Listing::new(name("example.com.").as_ref());
        assert_eq!(listing.read_page(page.as_bytes()).unwrap(), Next::End);
        let fault = listing.finish().unwrap_err();
        assert!(matches!(fault, ListingFault::NoSoa), "{page}: {fault}");
    }
    for page in [
        "",
        "7",
        "<html>",
        r#"{"rrsets": {}}"#,
        r#"{"rrsets": [{"name": "a."}]}"#,
    ] {
        let mut listing = Listing::new(name("example.com.").as_ref());
        let read = listing.read_page(page.as_bytes());
        assert!(matches!(read, Err(PageFault::Json(_))), "{page}");
    }
}

#[test]
fn a_zone_that_shares_a_managed_zone_is_what_is_below_its_apex() {
    let ptr = |owner: &str| record_set(owner, "PTR", &["www.example.com."]);
    let shared = [
        soa("20.10.in-addr.arpa."),
        record_set(
            "20.10.in-addr.arpa.",
            "NS",
            &["ns-cloud-a1.googledomains.com."],
        ),
        ptr("1.30.20.10.in-addr.arpa."),
        ptr("1.31.20.10.in-addr.arpa."),
        record_set("31.20.10.in-addr.arpa.", "NS", &["ns1.example.net."]),
    ];
    let of_30 = read("30.20.10.in-addr.arpa.", &shared).unwrap();
    assert_eq!(
        told(&of_30),
        "1.30.20.10.in-addr.arpa. 300 IN PTR www.example.com."
    );
    assert_eq!(of_30.zone.serial(), None);
    // That one is served elsewhere: what stands below the delegation is nothing but glue.
    let fault = read("31.20.10.in-addr.arpa.", &shared).unwrap_err();
    insta::assert_snapshot!(fault, @"it holds the zone `20.10.in-addr.arpa.`, which delegates `31.20.10.in-addr.arpa.` to other name servers");
    let fault = read("5.31.20.10.in-addr.arpa.", &shared).unwrap_err();
    assert!(matches!(fault, ListingFault::Delegated { .. }), "{fault}");
    let whole = read("20.10.in-addr.arpa.", &shared).unwrap();
    assert_eq!(whole.zone.rrset_count(), 5);
}

#[test]
fn a_managed_zone_of_another_zone_is_not_taken_for_this_one() {
    // Both zones have the name `a-b-c` by the rule.
    let fault = read("a.b.c.", &[soa("a-b.c.")]).unwrap_err();
    insta::assert_snapshot!(fault, @"it holds the zone `a-b.c.`, as its SOA says");
    let fault = read("b.c.", &[soa("a.b.c.")]).unwrap_err();
    assert!(matches!(fault, ListingFault::OtherZone { .. }), "{fault}");
    let fault = read("c.", &[soa("c."), soa("b.c.")]).unwrap_err();
    insta::assert_snapshot!(fault, @"it was listed with several SOA, at `c.` and at `b.c.`");
}

#[test]
fn a_record_set_that_cannot_be_in_the_managed_zone_is_doubted_wherever_it_is_listed() {
    let stray = record_set("www.example.net.", "A", &["192.0.2.1"]);
    let listed = [
        [stray.clone(), soa("example.com.")],
        [soa("example.com."), stray],
    ];
    for listed in listed {
        let fault = read("example.com.", &listed).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "it holds the zone `example.com.`, and `www.example.net.` was listed, which is not in it"
        );
        let fault = read("a.example.com.", &listed).unwrap_err();
        assert!(matches!(fault, ListingFault::Elsewhere { .. }), "{fault}");
    }
}

#[test]
fn what_is_listed_twice_was_changed_meanwhile() {
    for second in ["192.0.2.1", "192.0.2.2"] {
        let fault = read(
            "example.com.",
            &[
                soa("example.com."),
                record_set("a.example.com.", "A", &["192.0.2.1"]),
                record_set("A.example.com.", "A", &[second]),
            ],
        );
        assert!(matches!(fault, Err(ListingFault::Twice)), "{second}");
    }
}

#[test]
fn a_zone_comes_in_any_number_of_pages() {
    let mut listing = Listing::new(name("example.com.").as_ref());
    let pages = [
        json!({"rrsets": [record_set("a.example.com.", "A", &["192.0.2.1"])], "nextPageToken": "1"}),
        json!({"nextPageToken": "2"}),
        json!({"rrsets": [soa("example.com.")]}),
    ];
    let next = pages.map(|page| listing.read_page(page.to_string().as_bytes()).unwrap());
    assert_eq!(
        next,
        [
            Next::Page("1".to_owned()),
            Next::Page("2".to_owned()),
            Next::End
        ]
    );
    assert_eq!(listing.finish().unwrap().zone.rrset_count(), 2);
}
