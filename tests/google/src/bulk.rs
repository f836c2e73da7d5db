//! Listings as large as somebody's company, made of a template.
//!
//! What the rest of the world is made of, values of JSON, would need ten times their size in memory, and
//! take longer to answer than any client to ask. Here a page is text, made once and kept as it is sent.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use bytes::Bytes;
use serde_json::json;

use crate::instance::Instance;
use crate::server::{gzipped, lock, wants_gzip};
use crate::wire::{Request, Response};

/// The zone of a bulk.
const APEX: &str = "bulk.example.";

/// Of this many names one is not served yet, and one has another address.
const STRIDE: usize = 2000;

/// Names that are served and belong to no instance.
const OLD: usize = 100;

/// Projects `bulk-0`, `bulk-1` and so on, full of instances, and the record sets of most of them in the
/// managed zone `bulk-example` of the project `bulk`.
#[derive(Debug)]
pub struct Bulk {
    /// How many projects there are.
    pub projects: usize,
    /// How many instances each of them has.
    pub instances: usize,
    /// How many record sets a page of the zone has.
    pub page: usize,
    kept: Mutex<HashMap<String, (Bytes, bool)>>,
    template: String,
}

impl Bulk {
    /// So many projects, with so many instances each, and pages of so many record sets.
    #[must_use]
    pub fn new(projects: usize, instances: usize, page: usize) -> Self {
        Self {
            projects,
            instances,
            page,
            kept: Mutex::default(),
            template: template(),
        }
    }

    /// The octets of one instance.
    #[must_use]
    pub const fn octets_of_an_instance(&self) -> usize {
        self.template.len()
    }

    /// The additions, updates and deletions of a plan.
    #[must_use]
    pub fn changes(&self) -> (usize, usize, usize) {
        let all = 0..self.projects * self.instances;
        let missing = all.clone().filter(|number| is_missing(*number)).count();
        let other = all.filter(|number| is_other(*number)).count();
        (missing, other, OLD)
    }

    /// A page as it is sent, and whether it is compressed.
    pub(crate) fn page(&self, request: &Request) -> Option<(Response, bool)> {
        let is_compressed = wants_gzip(request);
        let key = format!("{is_compressed} {}", request.line());
        let kept = lock(&self.kept).get(&key).cloned();
        let (body, is_compressed) = match kept {
            Some(kept) => kept,
            None => {
                let body = self.body(request)?;
                let body = match is_compressed {
                    true => gzipped(body.as_bytes()).ok()?,
                    false => body.into_bytes(),
                };
                let made = (Bytes::from(body), is_compressed);
                lock(&self.kept).insert(key, made.clone());
                made
            }
        };
        let response = Response::new(200, "application/json; charset=UTF-8", body);
        Some((response, is_compressed))
    }

    fn body(&self, request: &Request) -> Option<String> {
        let segments = request.segments();
        let segments = segments.iter().map(String::as_str).collect::<Vec<_>>();
        let start = request
            .parameter("pageToken")
            .map_or(Some(0), |token| token.parse().ok())?;
        match segments.as_slice() {
            [
                "compute",
                "v1",
                "projects",
                project,
                "aggregated",
                "instances",
            ] => {
                let project = project.strip_prefix("bulk-")?.parse().ok()?;
                let most = request
                    .parameter("maxResults")
                    .map_or(Some(500), |most| most.parse().ok())?;
                Some(self.instances_from(project, start, most))
            }
            [
                "dns",
                "v1",
                "projects",
                "bulk",
                "managedZones",
                "bulk-example",
                "rrsets",
            ] => Some(self.record_sets_from(start)),
            _ => None,
        }
    }

    fn instances_from(&self, project: usize, start: usize, most: usize) -> String {
        let end = (start + most).min(self.instances);
        let mut body = String::with_capacity((end - start) * (self.template.len() + 1) + 1000);
        body.push_str(
            "{\"kind\":\"compute#instanceAggregatedList\",\"items\":{\"zones/europe-west1-b\":{\"warning\":\
             {\"code\":\"NO_RESULTS_ON_PAGE\"}},\"zones/us-east1-b\":{\"instances\":[",
        );
        for number in start..end {
            if number > start {
                body.push(',');
            }
            let number = project * self.instances + number;
            let instance = self.template.replace("NAME", &name(number));
            body.push_str(&instance.replace("192.0.2.1", &address(number)));
        }
        body.push_str("]}}");
        ended(body, end, self.instances)
    }

    /// In the order of their names: the apex, what is to go, and those of the instances.
    fn record_sets_from(&self, start: usize) -> String {
        let of_instances = self.projects * self.instances;
        let all = 2 + OLD + of_instances;
        let end = (start + self.page).min(all);
        let mut body = String::from("{\"rrsets\":[");
        let mut is_first = true;
        for number in start..end {
            let (owner, rtype, rrdata) = match number {
                0 => (
                    APEX.to_owned(),
                    "NS",
                    "ns-cloud-a1.googledomains.com.".to_owned(),
                ),
                1 => {
                    let soa = "ns-cloud-a1.googledomains.com. cloud-dns-hostmaster.google.com. 1 21600 3600 259200 300";
                    (APEX.to_owned(), "SOA", soa.to_owned())
                }
                number if number < 2 + OLD => {
                    (format!("old-{number:03}.{APEX}"), "A", address(number))
                }
                number => {
                    let instance = number - 2 - OLD;
                    if is_missing(instance) {
                        continue;
                    }
                    let moved = if is_other(instance) { of_instances } else { 0 };
                    (
                        format!("{}.{APEX}", name(instance)),
                        "A",
                        address(instance + moved),
                    )
                }
            };
            if !std::mem::take(&mut is_first) {
                body.push(',');
            }
            let _infallible = write!(
                body,
                "{{\"name\":\"{owner}\",\"type\":\"{rtype}\",\"ttl\":300,\"rrdatas\":[\"{rrdata}\"],\
                 \"kind\":\"dns#resourceRecordSet\"}}"
            );
        }
        body.push(']');
        ended(body, end, all)
    }
}

fn ended(mut body: String, end: usize, all: usize) -> String {
    if end < all {
        let _infallible = write!(body, ",\"nextPageToken\":\"{end}\"");
    }
    body.push('}');
    body
}

const fn is_missing(number: usize) -> bool {
    number % STRIDE == 7
}

const fn is_other(number: usize) -> bool {
    number % STRIDE == 8
}

fn name(number: usize) -> String {
    format!("vm-{number:07}")
}

fn address(number: usize) -> String {
    format!(
        "10.{}.{}.{}",
        number >> 16 & 255,
        number >> 8 & 255,
        number & 255
    )
}

/// An instance as a cluster or an instance group makes it: two disks, keys of a dozen people, a startup
/// script.
fn template() -> String {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    let keys = (0..12).map(|number| format!("user{number}:{key} user{number}@example.com\n"));
    let script = "#!/bin/bash\nset -euo pipefail\napt-get update\napt-get install -y nginx\n";
    let instance = Instance::new("NAME")
        .external("192.0.2.1")
        .tag("http-server")
        .tag("https-server")
        .label("team", "web")
        .label("environment", "production")
        .label("goog-gke-node", "")
        .metadata("ssh-keys", &keys.collect::<String>())
        .metadata("startup-script", &script.repeat(3))
        .metadata("enable-oslogin", "TRUE")
        .edited(|instance| {
            let mut second = instance["disks"][0].clone();
            second["index"] = json!(1);
            second["boot"] = json!(false);
            second["deviceName"] = json!("NAME-data");
            if let Some(disks) = instance["disks"].as_array_mut() {
                disks.push(second);
            }
        });
    instance.placed("bulk", 2).value().to_string()
}
