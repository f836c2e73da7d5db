use janitor_plugin_api::dns::{Name, Rtype, Ttl, ZoneBuilder};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::super::Listing;
use super::*;

const APEX: &str = "example.com.";

fn apex() -> Name {
    APEX.parse().unwrap()
}

#[test]
fn an_rrset_is_written_as_cloud_dns_writes_it() {
    let mut zone = ZoneBuilder::new(apex());
    let ttl = Ttl::from_secs(60).unwrap();
    let long = format!("\"{}\"", "x".repeat(255));
    for (owner, rtype, rdata) in [
        ("*", "CNAME", "WWW"),
        ("t", "TXT", r#"unquoted "a \"b\" \\ \195\164" ; a comment"#),
        ("t", "TXT", &format!("{long} \"rest\"")),
        ("mail", "MX", "10 m.example.net."),
        ("c", "CAA", "0 issue ca.example"),
    ] {
        zone.push_text(owner, ttl, rtype, rdata).unwrap();
    }
    let zone = zone.build_actual().unwrap();
    let written: Vec<_> = zone.rrsets().map(to_json).collect();
    let written = serde_json::to_string_pretty(&written).unwrap();
    insta::assert_snapshot!(written.replace(&"x".repeat(255), "x…"), @r#"
    [
      {
        "kind": "dns#resourceRecordSet",
        "name": "*.example.com.",
        "type": "CNAME",
        "ttl": 60,
        "rrdatas": [
          "www.example.com."
        ]
      },
      {
        "kind": "dns#resourceRecordSet",
        "name": "c.example.com.",
        "type": "CAA",
        "ttl": 60,
        "rrdatas": [
          "0 issue \"ca.example\""
        ]
      },
      {
        "kind": "dns#resourceRecordSet",
        "name": "mail.example.com.",
        "type": "MX",
        "ttl": 60,
        "rrdatas": [
          "10 m.example.net."
        ]
      },
      {
        "kind": "dns#resourceRecordSet",
        "name": "t.example.com.",
        "type": "TXT",
        "ttl": 60,
        "rrdatas": [
          "\"unquoted\" \"a \\\"b\\\" \\\\ \\195\\164\"",
          "\"x…\" \"rest\""
        ]
      }
    ]
    "#);
}

/// TXT of any octets, and names of any labels.
fn rrs() -> impl Strategy<Value = Vec<(Vec<u8>, Rtype, Vec<u8>)>> {
    let text = vec(any::<u8>(), 0..40).prop_map(|text| {
        let length = u8::try_from(text.len()).unwrap();
        [vec![length], text].concat()
    });
    let name = vec(vec(any::<u8>(), 1..8), 0..3).prop_map(|labels| {
        let mut octets: Vec<u8> = labels
            .into_iter()
            .flat_map(|label| [vec![u8::try_from(label.len()).unwrap()], label].concat())
            .collect();
        octets.extend_from_slice(apex().as_wire());
        octets
    });
    let rr = (name.clone(), name, vec(text, 1..4), any::<bool>());
    let rr = rr.prop_map(|(owner, target, texts, is_text)| {
        if is_text {
            (owner, Rtype::TXT, texts.concat())
        } else {
            (owner, Rtype::PTR, target)
        }
    });
    vec(rr, 0..10)
}

proptest! {
    #[test]
    fn what_is_written_reads_as_the_same_zone(rrs in rrs(), seconds in 0..=0x7fff_ffff_u32) {
        let ttl = Ttl::from_secs(seconds).unwrap();
        let mut zone = ZoneBuilder::new(apex());
        zone.push_text("@", ttl, "SOA", "ns1 admin 1 2 3 4 5").unwrap();
        for (owner, rtype, rdata) in rrs {
            zone.push_wire(&owner, rtype, ttl, &rdata).unwrap();
        }
        let zone = zone.build_actual().unwrap();
        let record_sets: Vec<_> = zone.rrsets().map(to_json).collect();
        let page = json!({"rrsets": record_sets}).to_string();
        let mut listing = Listing::new(zone.apex());
        listing.read_page(page.as_bytes()).unwrap();
        let read = listing.finish().unwrap();
        prop_assert!(read.held.is_empty(), "{:?}", read.held);
        prop_assert_eq!(read.zone, zone);
    }
}
