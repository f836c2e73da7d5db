//! Changes: <https://cloud.google.com/dns/docs/reference/rest/v1/changes/create>.
//!
//! "A Change represents a set of ResourceRecordSet additions and deletions applied atomically": everything
//! is judged first, then everything is done. What is wrong is told for all record sets at once, as the
//! service does (its answers as users quote them: `Reason: conditionNotMet …, Reason: notFound …`).
//! The order of the judgements, their statuses and texts are those of `LocalDnsHelper`, Google's own local
//! Cloud DNS for tests in google-cloud-java, and of <https://cloud.google.com/dns/docs/error-messages>.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::rrset::{as_served, wrong};
use super::zone::{Key, ManagedZone, key, start_time};
use crate::answer::Wrong;
use crate::world::Quota;

/// Makes a change, and tells it.
pub(crate) fn create(
    zone: &mut ManagedZone,
    change: &Value,
    quota: Quota,
    pending: Option<usize>,
) -> Result<Value, Vec<Wrong>> {
    let list = |field: &str| change[field].as_array().cloned().unwrap_or_default();
    let (additions, deletions) = (list("additions"), list("deletions"));
    if additions.is_empty() && deletions.is_empty() {
        let message = "The 'entity.change' parameter is required but was missing.";
        return Err(vec![Wrong::new(400, "required", message)]);
    }
    within_quota(&additions, &deletions, quota)?;
    all(malformed(&additions, "additions", zone).chain(malformed(&deletions, "deletions", zone)))?;
    all(repeated(&additions, "additions").chain(repeated(&deletions, "deletions")))?;
    all(not_there(&deletions, zone)
        .into_iter()
        .chain(there(&additions, &deletions, zone)))?;

    let mut after = zone.rrsets.clone();
    for deletion in &deletions {
        after.remove(&key(deletion));
    }
    for addition in &additions {
        after.insert(key(addition), as_served(addition));
    }
    all(apex(&after, &additions, &deletions, zone)
        .into_iter()
        .chain(beside_cname(&after, &additions)))?;
    if after.len() > quota.record_sets {
        return Err(vec![exceeded("rrsetsPerManagedZone")]);
    }

    zone.rrsets = after;
    // Cloud DNS counts by itself, unless the client does, as gcloud's transactions do.
    if !additions.iter().any(|addition| addition["type"] == "SOA") {
        zone.raise_serial();
    }
    let number = zone.log.len();
    let mut made = json!({
        "kind": "dns#change",
        "startTime": start_time(number),
        "id": number.to_string(),
        "status": if pending == Some(0) { "done" } else { "pending" },
    });
    for (field, rrsets) in [("additions", additions), ("deletions", deletions)] {
        if !rrsets.is_empty() {
            made[field] = rrsets.iter().map(as_served).collect();
        }
    }
    zone.pending = pending;
    zone.log.push((made.clone(), 0));
    Ok(made)
}

fn all(wrongs: impl Iterator<Item = Wrong>) -> Result<(), Vec<Wrong>> {
    let wrongs = wrongs.collect::<Vec<_>>();
    if wrongs.is_empty() {
        Ok(())
    } else {
        Err(wrongs)
    }
}

/// "quotaExceeded: You get this error when an impending change would exceed your current quota."
fn exceeded(quota: &str) -> Wrong {
    let message = format!("Quota '{quota}' exceeded for the request.");
    Wrong::new(403, "quotaExceeded", message)
}

fn within_quota(additions: &[Value], deletions: &[Value], quota: Quota) -> Result<(), Vec<Wrong>> {
    let rrdatas = |rrset: &Value| rrset["rrdatas"].as_array().cloned().unwrap_or_default();
    let size = additions.iter().chain(deletions).flat_map(rrdatas);
    let size = size
        .filter_map(|rrdata| Some(rrdata.as_str()?.len()))
        .sum::<usize>();
    let most = additions
        .iter()
        .map(|rrset| rrdatas(rrset).len())
        .max()
        .unwrap_or_default();
    let limits = [
        ("rrsetAdditionsPerChange", additions.len(), quota.additions),
        ("rrsetDeletionsPerChange", deletions.len(), quota.deletions),
        ("totalRrdataSizePerChange", size, quota.rrdata_size),
        ("resourceRecordsPerRrset", most, quota.records),
    ];
    all(limits
        .into_iter()
        .filter(|(_, size, limit)| size > limit)
        .map(|(name, ..)| exceeded(name)))
}

fn malformed<'a>(
    rrsets: &'a [Value],
    field: &'a str,
    zone: &'a ManagedZone,
) -> impl Iterator<Item = Wrong> + 'a {
    let places = rrsets.iter().enumerate();
    places.filter_map(move |(number, rrset)| {
        wrong(rrset, &format!("entity.change.{field}[{number}]"), zone)
    })
}

/// One record set cannot be added or deleted twice by one change.
fn repeated<'a>(rrsets: &'a [Value], field: &'a str) -> impl Iterator<Item = Wrong> + 'a {
    let mut seen = BTreeSet::new();
    let places = rrsets.iter().enumerate();
    places.filter_map(move |(number, rrset)| {
        let (name, rtype) = key(rrset);
        let is_new = seen.insert((name.clone(), rtype.clone()));
        let place = format!("entity.change.{field}[{number}]");
        let message = format!("The resource '{place}' named '{name} ({rtype})' already exists");
        (!is_new).then(|| Wrong::new(409, "alreadyExists", message))
    })
}

/// "Which ResourceRecordSets to remove? Must match existing data exactly."
fn not_there(deletions: &[Value], zone: &ManagedZone) -> Vec<Wrong> {
    let wrongs = deletions
        .iter()
        .enumerate()
        .filter_map(|(number, deletion)| {
            let place = format!("entity.change.deletions[{number}]");
            let (name, rtype) = key(deletion);
            let Some(served) = zone.rrsets.get(&key(deletion)) else {
                return Some(Wrong::not_found(format!(
                    "The '{place}' resource named '{name} ({rtype})' does not exist."
                )));
            };
            let message = format!("Precondition not met for '{place}'");
            (!is_same(deletion, served)).then(|| Wrong::new(412, "conditionNotMet", message))
        });
    wrongs.collect()
}

/// TTL, the texts of the records in any order, and what has a routing policy has it in both.
fn is_same(one: &Value, other: &Value) -> bool {
    let rrdatas = |rrset: &Value| {
        let rrdatas = rrset["rrdatas"].as_array().cloned().unwrap_or_default();
        rrdatas
            .iter()
            .map(Value::to_string)
            .collect::<BTreeSet<_>>()
    };
    one["ttl"] == other["ttl"]
        && rrdatas(one) == rrdatas(other)
        && one["routingPolicy"] == other["routingPolicy"]
}

/// What is there already can only be added if it is deleted, too.
fn there(additions: &[Value], deletions: &[Value], zone: &ManagedZone) -> Vec<Wrong> {
    let deleted = deletions.iter().map(key).collect::<BTreeSet<_>>();
    let wrongs = additions.iter().enumerate().filter_map(|(number, addition)| {
        let (name, rtype) = key(addition);
        let is_there = zone.rrsets.contains_key(&key(addition)) && !deleted.contains(&key(addition));
        let message = format!(
            "The resource 'entity.change.additions[{number}]' named '{name} ({rtype})' already exists"
        );
        is_there.then(|| Wrong::new(409, "alreadyExists", message))
    });
    wrongs.collect()
}

/// "A zone must contain exactly one resource record set of a certain type at the apex."
fn apex(
    after: &BTreeMap<Key, Value>,
    additions: &[Value],
    deletions: &[Value],
    zone: &ManagedZone,
) -> Vec<Wrong> {
    let mut wrongs = Vec::new();
    let mut say = |place: String, rtype: &str| {
        let message = format!(
            "The resource record set '{place}' is invalid because a zone must contain exactly one resource \
             record set of type '{rtype}' at the apex."
        );
        wrongs.push(Wrong::new(400, "invalidZoneApex", message));
    };
    for (number, deletion) in deletions.iter().enumerate() {
        let (name, rtype) = key(deletion);
        let is_needed = name == zone.dns_name && matches!(rtype.as_str(), "SOA" | "NS");
        if is_needed && !after.contains_key(&key(deletion)) {
            say(format!("entity.change.deletions[{number}]"), &rtype);
        }
    }
    for (number, addition) in additions.iter().enumerate() {
        let (name, rtype) = key(addition);
        if rtype == "SOA" && name != zone.dns_name {
            say(format!("entity.change.additions[{number}]"), &rtype);
        }
    }
    wrongs
}

/// RFC 1034, section 3.6.2.
fn beside_cname(after: &BTreeMap<Key, Value>, additions: &[Value]) -> Vec<Wrong> {
    let types = |name: &str| {
        let from = (name.to_owned(), String::new());
        after
            .range(from..)
            .take_while(|((owner, _), _)| owner == name)
            .count()
    };
    let wrongs = additions.iter().enumerate().filter_map(|(number, addition)| {
        let (name, _) = key(addition);
        let has_cname = after.contains_key(&(name.clone(), "CNAME".to_owned()));
        let message = format!(
            "The resource record set 'entity.change.additions[{number}]' is invalid because the DNS name \
             '{name}' may have either one CNAME resource record set or resource record sets of other types, \
             but not both."
        );
        (has_cname && types(&name) > 1)
            .then(|| Wrong::new(400, "cnameResourceRecordSetConflict", message))
    });
    wrongs.collect()
}
