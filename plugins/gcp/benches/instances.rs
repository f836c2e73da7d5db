//! What reading pages of instances costs beside parsing them into values of `serde_json`.
//!
//! `cargo run --release -p janitor-plugin-gcp --example reading-instances [-- PAGES]`
//!
//! A page has 500 instances, each with what Compute Engine says of one: disks, licences, scopes, a
//! startup script. Measured is the CPU time of user and system of this process; both read the same
//! pages in turn, and what counts is the quicker of several rounds of each.
//!
//! It is an example because cargo builds benchmarks as tests.

#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and its counts are far below 2^53"
)]

use std::hint::black_box;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

#[path = "../src/http/page.rs"]
#[expect(dead_code, reason = "the library uses the rest")]
mod page;
/// What reading pages needs of the library's client.
mod http {
    pub(crate) use crate::page::{Next, PageFault};
}
#[path = "../src/instances"]
#[expect(dead_code, reason = "the library uses the rest")]
mod instances {
    mod shape;
    mod instance;
    mod page;

    pub(crate) use instance::Wanted;
    pub(crate) use page::read_page;
}

use instances::{Wanted, read_page};

const ROUNDS: usize = 7;
const INSTANCES: usize = 500;

fn main() {
    let pages = std::env::args().nth(1);
    let pages = pages.map_or(20, |text| text.parse().expect("a number of pages"));
    let page = page_of_instances().to_string().into_bytes();
    let octets = (page.len() * pages) as f64;
    println!(
        "{pages} pages of {} kB, {} kB an instance",
        page.len() / 1000,
        page.len() / INSTANCES / 1000
    );
    let everything = Wanted {
        tags: true,
        metadata: true,
        labels: true,
    };
    let read = |wanted| {
        let mut names = 0;
        let read = read_page(black_box(&page), wanted, |_, instance| {
            names += usize::from(instance.is_some_and(|instance| instance.name.found().is_some()));
        });
        assert!(read.is_ok() && names == INSTANCES, "the page is one");
    };
    let value = || {
        let value: Value = serde_json::from_slice(black_box(&page)).expect("the page is JSON");
        drop(black_box(value));
    };
    let mut best = [Duration::MAX; 3];
    for _ in 0..ROUNDS {
        let times = [
            cpu(|| (0..pages).for_each(|_| read(Wanted::default()))),
            cpu(|| (0..pages).for_each(|_| read(everything))),
            cpu(|| (0..pages).for_each(|_| value())),
        ];
        for (best, time) in best.iter_mut().zip(times) {
            *best = time.min(*best);
        }
    }
    let [plain, everything, value] = best.map(|time| time.as_secs_f64());
    for (what, seconds) in [
        ("names and addresses", plain),
        ("with tags, metadata and labels", everything),
        ("serde_json::Value", value),
    ] {
        let rate = octets / seconds / 1e6;
        println!(
            "{what:<32} {rate:>6.0} MB/s  {:.2} of the last",
            seconds / value
        );
    }
}

/// The CPU time that `act` takes.
fn cpu(act: impl FnOnce()) -> Duration {
    let now = || {
        let now = clock_gettime(ClockId::ProcessCPUTime);
        Duration::try_from(now).expect("time goes forward")
    };
    let start = now();
    act();
    now() - start
}

fn page_of_instances() -> Value {
    let instances = (0..INSTANCES).map(instance).collect::<Vec<_>>();
    json!({
        "kind": "compute#instanceAggregatedList",
        "id": "projects/web/aggregated/instances",
        "items": { "zones/europe-west1-b": { "instances": instances } },
        "nextPageToken": "CAEaBHdlYg==",
    })
}

fn instance(number: usize) -> Value {
    let base = "https://www.googleapis.com/compute/v1/projects/web";
    let name = format!("web-{number}");
    let script =
        "#!/bin/sh\nset -eu\napt-get update\napt-get install -y nginx \"curl\"\n".repeat(20);
    let licences = (0..4).map(|licence| format!("{base}/global/licenses/licence-{licence}"));
    let licences = licences.collect::<Vec<_>>();
    let disk = json!({
        "kind": "compute#attachedDisk", "type": "PERSISTENT", "mode": "READ_WRITE", "boot": true,
        "source": format!("{base}/zones/europe-west1-b/disks/{name}"), "deviceName": name,
        "licenses": licences, "interface": "SCSI", "diskSizeGb": "20", "index": 0, "autoDelete": true,
        "guestOsFeatures": [{ "type": "UEFI_COMPATIBLE" }, { "type": "GVNIC" }, { "type": "SEV_CAPABLE" }],
        "architecture": "X86_64",
    });
    let scopes = [
        "devstorage.read_only",
        "logging.write",
        "monitoring.write",
        "trace.append",
    ];
    let scopes = scopes.map(|scope| format!("https://www.googleapis.com/auth/{scope}"));
    json!({
        "kind": "compute#instance",
        "id": (1_000_000_000_000_u64 + number as u64).to_string(),
        "creationTimestamp": "2026-01-02T03:04:05.678-07:00",
        "name": name,
        "description": "",
        "tags": { "items": ["http", "https", "public"], "fingerprint": "42WmSpB8rSM=" },
        "machineType": format!("{base}/zones/europe-west1-b/machineTypes/n2-standard-4"),
        "status": "RUNNING",
        "zone": format!("{base}/zones/europe-west1-b"),
        "canIpForward": false,
        "networkInterfaces": [{
            "kind": "compute#networkInterface", "network": format!("{base}/global/networks/default"),
            "subnetwork": format!("{base}/regions/europe-west1/subnetworks/default"),
            "networkIP": format!("10.0.{}.{}", number / 256, number % 256), "name": "nic0",
            "accessConfigs": [{
                "kind": "compute#accessConfig", "type": "ONE_TO_ONE_NAT", "name": "External NAT",
                "natIP": format!("192.0.2.{}", number % 256), "networkTier": "PREMIUM",
            }],
            "fingerprint": "bmV0d29yaw==", "stackType": "IPV4_ONLY",
        }],
        "disks": [disk, disk],
        "metadata": {
            "kind": "compute#metadata", "fingerprint": "dGVzdHM=",
            "items": [
                { "key": "startup-script", "value": script },
                { "key": "enable-oslogin", "value": "TRUE" },
            ],
        },
        "serviceAccounts": [{ "email": "web@web.iam.gserviceaccount.com", "scopes": scopes }],
        "selfLink": format!("{base}/zones/europe-west1-b/instances/{name}"),
        "scheduling": {
            "onHostMaintenance": "MIGRATE", "automaticRestart": true, "preemptible": false,
            "provisioningModel": "STANDARD",
        },
        "cpuPlatform": "Intel Cascade Lake",
        "labels": { "env": "production", "team": "web", "cost-centre": "4711" },
        "labelFingerprint": "42WmSpB8rSM=",
        "startRestricted": false,
        "deletionProtection": false,
        "shieldedInstanceConfig": {
            "enableSecureBoot": false, "enableVtpm": true, "enableIntegrityMonitoring": true,
        },
        "lastStartTimestamp": "2026-01-02T03:04:12.345-07:00",
        "fingerprint": "q1w2e3r4t5Y=",
    })
}
