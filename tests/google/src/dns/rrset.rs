//! What a record set may be: "Supported DNS record types" of
//! <https://cloud.google.com/dns/docs/records-overview>, RFC 1035 for the text of its records.
//!
//! Written without any library that the janitor reads text with, so that both are wrong in different ways.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use super::zone::ManagedZone;
use crate::answer::Wrong;

const TYPES: &[&str] = &[
    "A", "AAAA", "ALIAS", "CAA", "CNAME", "DNSKEY", "DS", "HTTPS", "IPSECKEY", "MX", "NAPTR", "NS",
    "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT",
];

/// What is wrong with the record set at `place`, such as `entity.change.additions[3]`, by itself.
pub(crate) fn wrong(rrset: &Value, place: &str, zone: &ManagedZone) -> Option<Wrong> {
    let text = |field: &str| rrset[field].as_str().unwrap_or_default();
    let (name, rtype) = (text("name"), text("type"));
    let invalid = |field: &str, value: &str| {
        Some(Wrong::invalid(format!(
            "Invalid value for '{place}.{field}': '{value}'"
        )))
    };
    if name.is_empty() || rtype.is_empty() {
        let message = format!("The '{place}.name' parameter is required but was missing.");
        return Some(Wrong::new(400, "required", message));
    }
    if !is_name(name) || !is_within(name, &zone.dns_name) {
        return invalid("name", name);
    }
    if !TYPES.contains(&rtype) {
        return invalid("type", rtype);
    }
    // "The TTL must be a non-negative integer", of 32 bits in the discovery document.
    let ttl = rrset["ttl"]
        .as_i64()
        .filter(|ttl| i32::try_from(*ttl).is_ok_and(|ttl| ttl >= 0));
    if ttl.is_none() {
        return invalid("ttl", &rrset["ttl"].to_string());
    }
    if rrset.get("routingPolicy").is_some() {
        return None;
    }
    let none = Vec::new();
    let rrdatas = rrset["rrdatas"].as_array().unwrap_or(&none);
    if rrdatas.is_empty() {
        let message = format!("The '{place}.rrdata' parameter is required but was missing.");
        return Some(Wrong::new(400, "required", message));
    }
    for (number, rrdata) in rrdatas.iter().enumerate() {
        let rrdata = rrdata.as_str().unwrap_or_default();
        if !is_rdata(rtype, rrdata) || rrdatas[..number].iter().any(|other| other == rrdata) {
            return invalid(&format!("rrdata[{number}]"), rrdata);
        }
    }
    if matches!(rtype, "SOA" | "CNAME") && rrdatas.len() != 1 {
        let message = format!(
            "The resource record set '{place}' is only permitted to have one record because it is of type \
             '{rtype}'."
        );
        return Some(Wrong::new(400, "invalidRecordCount", message));
    }
    if rtype == "NS" && name.starts_with("*.") {
        let message =
            format!("The resource record set '{place}' has the wrong type to be a wildcard.");
        return Some(Wrong::new(400, "wildcardNotAllowed", message));
    }
    if rtype == "CNAME" && name == zone.dns_name {
        let message = format!(
            "The resource record set '{place}' cannot exist alongside any other record type, including the \
             SOA record that is required at the zone apex."
        );
        return Some(Wrong::new(400, "recordTypeDisallowedAtZoneApex", message));
    }
    None
}

/// How a record set is served that was given like this: addresses in their shortest form (RFC 5952), texts
/// in quotes.
pub(crate) fn as_served(rrset: &Value) -> Value {
    let mut served = rrset.clone();
    served["kind"] = json!("dns#resourceRecordSet");
    served["signatureRrdatas"] = json!([]);
    let rtype = rrset["type"].as_str().unwrap_or_default();
    if let Some(rrdatas) = served["rrdatas"].as_array_mut() {
        for rrdata in rrdatas {
            let text = rrdata.as_str().unwrap_or_default().to_owned();
            *rrdata = json!(match rtype {
                "AAAA" => text
                    .parse::<Ipv6Addr>()
                    .map_or(text, |address| address.to_string()),
                "TXT" | "SPF" if !text.starts_with('"') => {
                    let words = text.split_whitespace().map(|word| format!("\"{word}\""));
                    words.collect::<Vec<_>>().join(" ")
                }
                _ => text,
            });
        }
    }
    served
}

/// Whether `name` is at or below `apex`.
pub(crate) fn is_within(name: &str, apex: &str) -> bool {
    let rest = name.to_ascii_lowercase();
    let rest = rest
        .strip_suffix(&apex.to_ascii_lowercase())
        .map(str::to_owned);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// An absolute name: labels of 1 to 63 octets, 255 with their lengths in all (RFC 1035, section 2.3.4).
fn is_name(name: &str) -> bool {
    let Some(rest) = name.strip_suffix('.') else {
        return false;
    };
    if rest.is_empty() {
        return true;
    }
    let mut octets = 1;
    let labels = rest.replace("\\.", "\\046");
    labels.split('.').all(|label| {
        let length = label_octets(label);
        octets += 1 + length.unwrap_or(256);
        length.is_some_and(|length| (1..=63).contains(&length)) && octets <= 255
    })
}

/// The octets of a label in presentation format (RFC 1035, section 5.1).
fn label_octets(label: &str) -> Option<usize> {
    let mut octets = 0;
    let mut rest = label.bytes();
    while let Some(octet) = rest.next() {
        octets += 1;
        if octet == b'\\' {
            let first = rest.next()?;
            if first.is_ascii_digit() {
                rest.next().filter(u8::is_ascii_digit)?;
                rest.next().filter(u8::is_ascii_digit)?;
            }
        } else if octet <= b' ' || octet == b'"' {
            return None;
        }
    }
    Some(octets)
}

fn is_rdata(rtype: &str, text: &str) -> bool {
    let words = text.split(' ').collect::<Vec<_>>();
    let is_number = |word: &str| word.parse::<u16>().is_ok();
    match rtype {
        "A" => text.parse::<Ipv4Addr>().is_ok(),
        "AAAA" => text.parse::<Ipv6Addr>().is_ok(),
        "CNAME" | "NS" | "PTR" | "ALIAS" => is_name(text),
        "MX" => matches!(words[..], [preference, name] if is_number(preference) && is_name(name)),
        "SRV" => matches!(words[..], [priority, weight, port, name]
            if is_number(priority) && is_number(weight) && is_number(port) && is_name(name)),
        "SOA" => words.len() == 7 && is_name(words[0]) && is_name(words[1]),
        "TXT" | "SPF" => is_text(text),
        _ => !text.trim().is_empty(),
    }
}

/// Words, in quotes or not, each of at most 255 octets ("TXT records" of the page on records).
fn is_text(text: &str) -> bool {
    let mut rest = text.trim();
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let (word, behind) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let Some(end) = closing_quote(quoted) else {
                    return false;
                };
                (&quoted[..end], &quoted[end + 1..])
            }
            None => rest.split_at(rest.find(' ').unwrap_or(rest.len())),
        };
        if text_octets(word).is_none_or(|octets| octets > 255) {
            return false;
        }
        rest = behind.trim_start();
    }
    true
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|octet| {
        let ends = octet == b'"' && !is_escaped;
        is_escaped = octet == b'\\' && !is_escaped;
        ends
    })
}

fn text_octets(word: &str) -> Option<usize> {
    let plain = word
        .replace(' ', "x")
        .replace("\\\"", "x")
        .replace('"', "x");
    label_octets(&plain)
}
