//! A managed zone and its record sets.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Whom a zone is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody.
    Public,
    /// The networks that it is bound to.
    Private,
}

/// Owner and type.
pub(crate) type Key = (String, String);

/// A managed zone, with the SOA and the NS that Cloud DNS gives every zone.
#[derive(Clone, Debug)]
pub struct ManagedZone {
    pub(crate) name: String,
    pub(crate) dns_name: String,
    visibility: Visibility,
    pub(crate) rrsets: BTreeMap<Key, Value>,
    /// Changes, and how often each has been asked for.
    pub(crate) log: Vec<(Value, usize)>,
    pub(crate) pending: Option<usize>,
    extra: Value,
}

/// The id of the `number`th zone of a project.
pub(crate) fn id(number: usize) -> String {
    (4_000_000_000_000_000_000 + number).to_string()
}

impl ManagedZone {
    /// A public zone, called as the original's rule has it: `example-com` for `example.com.`.
    #[must_use]
    pub fn public(dns_name: &str) -> Self {
        Self::new(dns_name, Visibility::Public)
    }

    /// A private zone of the same name as a public one would have.
    #[must_use]
    pub fn private(dns_name: &str) -> Self {
        Self::new(dns_name, Visibility::Private)
    }

    fn new(dns_name: &str, visibility: Visibility) -> Self {
        let name = dns_name.trim_end_matches('.').replace('.', "-");
        let mut zone = Self {
            name,
            dns_name: dns_name.to_owned(),
            visibility,
            rrsets: BTreeMap::new(),
            log: Vec::new(),
            pending: Some(0),
            extra: json!({}),
        };
        // What `gcloud dns record-sets list` shows of a zone that was just made.
        let soa = "ns-cloud-a1.googledomains.com. cloud-dns-hostmaster.google.com. 1 21600 3600 259200 300";
        let servers = zone.name_servers();
        zone.put(dns_name, "SOA", 21_600, &[soa]);
        zone.put(
            dns_name,
            "NS",
            21_600,
            &servers.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        // "Creating a zone" is the first change, which has the number 0.
        let additions = zone.rrsets.values().cloned().collect::<Vec<_>>();
        zone.log.push((
            json!({
                "kind": "dns#change",
                "additions": additions,
                "startTime": start_time(0),
                "id": "0",
                "status": "done",
            }),
            0,
        ));
        zone
    }

    /// With this name in its project.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// With a record set, written as it is given.
    #[must_use]
    pub fn with(mut self, owner: &str, rtype: &str, ttl: u32, rrdatas: &[&str]) -> Self {
        self.put(owner, rtype, ttl, rrdatas);
        self
    }

    /// With a record set in JSON, such as one with a routing policy.
    #[must_use]
    pub fn with_json(mut self, rrset: Value) -> Self {
        self.put_json(rrset);
        self
    }

    /// With fields of the managed zone itself: `{"forwardingConfig": …}`.
    #[must_use]
    pub fn with_fields(mut self, fields: Value) -> Self {
        self.extra = fields;
        self
    }

    /// As [`Self::with`], past all rules and without a change: somebody's hand at the zone.
    pub fn put(&mut self, owner: &str, rtype: &str, ttl: u32, rrdatas: &[&str]) {
        self.put_json(json!({
            "kind": "dns#resourceRecordSet",
            "name": owner,
            "type": rtype,
            "ttl": ttl,
            "rrdatas": rrdatas,
            "signatureRrdatas": [],
        }));
    }

    /// As [`Self::with_json`].
    pub fn put_json(&mut self, rrset: Value) {
        self.rrsets.insert(key(&rrset), rrset);
    }

    /// Takes a record set out.
    pub fn remove(&mut self, owner: &str, rtype: &str) {
        self.rrsets.remove(&(owner.to_owned(), rtype.to_owned()));
    }

    /// One record set, if there is one.
    #[must_use]
    pub fn rrset(&self, owner: &str, rtype: &str) -> Option<&Value> {
        self.rrsets.get(&(owner.to_owned(), rtype.to_owned()))
    }

    /// How many changes were made.
    #[must_use]
    pub const fn changes_made(&self) -> usize {
        self.log.len() - 1
    }

    /// The change of this number, as it was made: `change_made(1)` is the first.
    #[must_use]
    pub fn change_made(&self, number: usize) -> Option<&Value> {
        self.log.get(number).map(|(change, _)| change)
    }

    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        for rrset in self.rrsets.values() {
            let (owner, rtype) = key(rrset);
            let rrdatas = rrset["rrdatas"].as_array().cloned().unwrap_or_default();
            for rrdata in rrdatas.iter().filter_map(Value::as_str) {
                let ttl = &rrset["ttl"];
                let rrdata = match rtype.as_str() {
                    "SOA" => without_serial(rrdata),
                    _ => rrdata.to_owned(),
                };
                text.push_str(&format!("{owner} {ttl} {rtype} {rrdata}\n"));
            }
        }
        text
    }

    pub(crate) fn to_json(&self, number: usize) -> Value {
        let mut zone = json!({
            "kind": "dns#managedZone",
            "name": self.name,
            "dnsName": self.dns_name,
            "description": "",
            "id": id(number),
            "nameServers": self.name_servers(),
            "creationTime": "2026-01-02T03:04:05.678Z",
            "visibility": "public",
            "cloudLoggingConfig": {"kind": "dns#managedZoneCloudLoggingConfig"},
        });
        if self.visibility == Visibility::Private {
            zone["visibility"] = json!("private");
            zone["privateVisibilityConfig"] = json!({
                "kind": "dns#managedZonePrivateVisibilityConfig",
                "networks": [{
                    "kind": "dns#managedZonePrivateVisibilityConfigNetwork",
                    "networkUrl":
                        "https://www.googleapis.com/compute/v1/projects/tests/global/networks/default",
                }],
            });
        }
        if let (Value::Object(zone), Value::Object(extra)) = (&mut zone, &self.extra) {
            zone.extend(extra.clone());
        }
        zone
    }

    /// A change as it is now; asking brings it nearer to its end.
    pub(crate) fn change(&mut self, id: &str) -> Option<Value> {
        let number = id.parse::<usize>().ok()?;
        let pending = self.pending;
        let (change, asked) = self.log.get_mut(number)?;
        *asked += 1;
        if pending.is_some_and(|after| *asked >= after) {
            change["status"] = json!("done");
        }
        Some(change.clone())
    }

    pub(crate) fn changes(&self) -> Vec<Value> {
        self.log.iter().map(|(change, _)| change.clone()).collect()
    }

    pub(crate) fn raise_serial(&mut self) {
        let soa = self
            .rrsets
            .get_mut(&(self.dns_name.clone(), "SOA".to_owned()));
        let Some(soa) = soa else { return };
        let text = soa["rrdatas"][0].as_str().unwrap_or_default().to_owned();
        let mut words = text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        if let Some(serial) = words.get_mut(2) {
            let next = serial.parse::<u32>().unwrap_or_default().wrapping_add(1);
            *serial = next.to_string();
        }
        soa["rrdatas"][0] = json!(words.join(" "));
    }

    fn name_servers(&self) -> Vec<String> {
        match self.visibility {
            Visibility::Public => (1..=4)
                .map(|number| format!("ns-cloud-a{number}.googledomains.com."))
                .collect(),
            Visibility::Private => vec!["ns-gcp-private.googledomains.com.".to_owned()],
        }
    }
}

pub(crate) fn key(rrset: &Value) -> Key {
    let text = |field: &str| rrset[field].as_str().unwrap_or_default().to_owned();
    (text("name"), text("type"))
}

/// Later by a second for each change.
pub(crate) fn start_time(number: usize) -> String {
    format!(
        "2026-11-22T{:02}:{:02}:{:02}.000Z",
        number / 3600 % 24,
        number / 60 % 60,
        number % 60
    )
}

fn without_serial(rrdata: &str) -> String {
    let words = rrdata.split(' ').enumerate();
    let words = words.map(|(number, word)| if number == 2 { "SERIAL" } else { word });
    words.collect::<Vec<_>>().join(" ")
}
