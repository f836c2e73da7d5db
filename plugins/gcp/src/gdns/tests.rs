use std::collections::{BTreeMap, BTreeSet};

use janitor_plugin_api::dns::text::parse_rdata;
use janitor_plugin_api::dns::{
    Change, DesiredZone, LeftAlone, Name, Rrset, Rtype, Ttl, ZoneBuilder, diff,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::Next;
use crate::record_sets::{Listing, to_json};

/// A record set as the vectors have it, which is as the original janitor took it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    name: String,
    #[serde(rename = "type")]
    rtype: String,
    rrdatas: Vec<String>,
    #[serde(default)]
    ttl: Option<f64>,
    #[serde(default, rename = "kind")]
    _kind: String,
}

/// Reads a record set; none if there is nothing in it, or it is none.
fn rrset(wanted: &Value) -> Option<Rrset> {
    let wanted: Wanted = serde_json::from_value(wanted.clone()).ok()?;
    let rtype: Rtype = wanted.rtype.parse().unwrap();
    let ttl: u32 = wanted.ttl.unwrap_or(300.0).to_string().parse().unwrap();
    let owner = wanted.name.parse().unwrap();
    let mut rrset = Rrset::new(owner, rtype, Ttl::from_secs(ttl).unwrap());
    for rdata in &wanted.rrdatas {
        let octets = parse_rdata(rtype, rdata, Name::root().as_ref()).unwrap();
        rrset.push_rdata(&octets).unwrap();
    }
    Some(rrset)
}

/// What a message desires; none if the original would have dropped the message, or stumbled over it.
fn desired(message: &Value) -> Option<DesiredZone> {
    let mut zone = ZoneBuilder::new(message["zone"].as_str()?.parse().unwrap());
    for wanted in message["rrsets"].as_array()? {
        // What cannot be part of the zone is left out, and its name held (decision D6).
        let rrset = rrset(wanted)?;
        if zone.push(&rrset).is_err() {
            let _outside = zone.hold(rrset.owner().to_owned());
        }
    }
    zone.set_complete();
    Some(zone.build_desired().unwrap())
}

/// Reads the zone that Cloud DNS serves with these record sets, through the code that reads it there.
///
/// The vectors leave out what every managed zone has: the SOA.
fn served(apex: &str, record_sets: &Value) -> janitor_plugin_api::dns::ActualZone {
    let mut record_sets = record_sets.as_array().cloned().unwrap_or_default();
    record_sets.push(json!({
        "kind": "dns#resourceRecordSet", "name": apex, "type": "SOA", "ttl": 21600,
        "rrdatas": ["ns1.dns.example. admin.dns.example. 7 21600 3600 259200 300"],
    }));
    let mut listing = Listing::new(apex.parse::<Name>().unwrap().as_ref());
    let page = json!({"rrsets": record_sets}).to_string();
    assert_eq!(listing.read_page(page.as_bytes()).unwrap(), Next::End);
    listing.finish().unwrap().zone
}

/// A bag of record sets in one spelling.
fn bag(record_sets: &Value) -> BTreeSet<String> {
    let mut zone = ZoneBuilder::new(Name::root());
    for record_set in record_sets.as_array().unwrap() {
        zone.push(&rrset(record_set).unwrap()).unwrap();
    }
    let zone = zone.build_actual().unwrap();
    zone.rrsets().map(|rrset| rrset.to_string()).collect()
}

/// What a bag of metrics says: action and number.
fn measured(metrics: &Value) -> Vec<(String, u64)> {
    let told = |metric: &Value| {
        assert_eq!([&metric[0], &metric[1]], ["set", "rrsets-handled"]);
        let action = metric[3]["action"].as_str().unwrap();
        (action.to_owned(), metric[2].as_u64().unwrap())
    };
    let mut told: Vec<_> = metrics.as_array().unwrap().iter().map(told).collect();
    told.sort_unstable();
    told
}

/// What is done of a vector: its answer in the vectors' form.
///
/// The host measures `rrsets-handled`, and names the plugins by their keys. Two parts of the vectors are
/// not there: the end marker is the end of the channel, and `deletions_first` is superseded by the order
/// of the design (decision D15).
fn answer(input: &Value) -> Value {
    let (mut additions, mut deletions) = (Vec::new(), Vec::new());
    let (mut asked, mut dropped, mut metrics) = (Vec::new(), 0, Vec::new());
    for message in input["messages"].as_array().unwrap() {
        let Some(desired) = desired(message) else {
            dropped += 1;
            continue;
        };
        let apex = desired.apex().to_string();
        let served = served(&apex, &input["actual"][&apex]);
        let changes = diff(&desired, &served, &LeftAlone::default()).unwrap();
        changes
            .verify(&served, &LeftAlone::default())
            .expect("the host takes them");
        let written = |rrset| serde_json::to_value(to_json(rrset)).unwrap();
        let added = changes.iter().filter_map(Change::addition).map(written);
        let deleted = changes.iter().filter_map(Change::deletion).map(written);
        for (action, all, these) in [
            ("additions", &mut additions, added.collect::<Vec<_>>()),
            ("deletions", &mut deletions, deleted.collect()),
        ] {
            if !these.is_empty() {
                let context = json!({"action": action});
                metrics.push(json!(["set", "rrsets-handled", these.len(), context]));
            }
            all.extend(these);
        }
        asked.push(apex);
    }
    json!({
        "additions": additions, "deletions": deletions,
        "zones_asked": asked, "dropped_messages": dropped, "metrics": metrics,
    })
}

/// Vectors whose answer is another one, and the decision of the design that has it so: what is the same
/// in DNS is the same here.
const SUPERSEDED: [(&str, &str); 5] = [
    (
        "kind-differs",
        "D4: the canonical form in which record sets are compared has no kind",
    ),
    (
        "aaaa-spelling",
        "D4: an address has one value, however it is written",
    ),
    (
        "apex-ns-name-without-dot",
        "D7: the final dot may be missing, so it is the NS at the apex",
    ),
    ("name-outside-zone", "D6: it is left out and reported"),
    ("empty-values", "D6: it is left out and reported"),
];

#[test]
fn zones_are_compared_as_in_the_vectors() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/gdns-diff.json")).unwrap();
    let mut answers = BTreeMap::new();
    for vector in vectors["vectors"].as_array().unwrap() {
        let id = vector["id"]
            .as_str()
            .unwrap()
            .trim_start_matches("gdns-diff/");
        let (expect, answer) = (&vector["expect"], answer(&vector["input"]));
        if expect["dropped"] == true {
            assert_eq!(answer["dropped_messages"], 1, "{id}");
            continue;
        }
        if let Some((_, why)) = SUPERSEDED.iter().find(|(superseded, _)| *superseded == id) {
            assert_eq!(vector["decision"], true, "{id}: {why}");
            let told = [bag(&answer["additions"]), bag(&answer["deletions"])];
            answers.insert(format!("{id} ({why})"), told);
            continue;
        }
        for part in ["additions", "deletions"] {
            assert_eq!(bag(&answer[part]), bag(&expect[part]), "{id}: {part}");
        }
        for part in ["zones_asked", "dropped_messages"] {
            assert_eq!(answer[part], expect[part], "{id}: {part}");
        }
        assert_eq!(
            measured(&answer["metrics"]),
            measured(&expect["metrics"]),
            "{id}"
        );
    }
    insta::assert_debug_snapshot!(answers, @r#"
    {
        "aaaa-spelling (D4: an address has one value, however it is written)": [
            {},
            {},
        ],
        "apex-ns-name-without-dot (D7: the final dot may be missing, so it is the NS at the apex)": [
            {},
            {},
        ],
        "empty-values (D6: it is left out and reported)": [
            {},
            {},
        ],
        "kind-differs (D4: the canonical form in which record sets are compared has no kind)": [
            {},
            {},
        ],
        "name-outside-zone (D6: it is left out and reported)": [
            {},
            {},
        ],
    }
    "#);
}
