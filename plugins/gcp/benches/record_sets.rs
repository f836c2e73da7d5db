//! What making a zone of pages of record sets costs beside parsing them into values of `serde_json`.
//!
//! `cargo run --release -p janitor-plugin-gcp --example reading-record-sets [-- RECORD SETS]`
//!
//! Nine in ten are an address, the others a text; they come in the order in which Cloud DNS lists them,
//! a thousand on a page. Measured is the CPU time of user and system of this process; both read the same
//! pages in turn, and what counts is the quicker of several rounds of each. The zone is made whole, and
//! compared with one that is equal.
//!
//! It is an example because cargo builds benchmarks as tests.

#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and its counts are far below 2^53"
)]

use std::hint::black_box;
use std::time::Duration;

use janitor_plugin_api::dns::{ActualZone, DesiredZone, LeftAlone, Name, ZoneBuilder, diff};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

#[path = "../src/http/page.rs"]
#[expect(dead_code, reason = "the library uses the rest")]
mod page;
/// What reading pages needs of the library's client.
mod http {
    pub(crate) use crate::page::{Next, PageFault};
}
#[path = "../src/record_sets/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the library uses the rest")]
mod record_sets;

use record_sets::Listing;

const ROUNDS: usize = 7;
const A_PAGE: usize = 1000;

fn main() {
    let number = std::env::args().nth(1);
    let number = number.map_or(200_000, |text| {
        text.parse().expect("a number of record sets")
    });
    let apex: Name = "example.com.".parse().expect("it is a name");
    let pages = pages(number);
    let octets: usize = pages.iter().map(Vec::len).sum();
    println!(
        "{number} record sets on {} pages, {} kB",
        pages.len(),
        octets / 1000
    );

    let zone = read(&apex, &pages);
    let desired = desired(&zone);
    let plan = || {
        let zone = read(&apex, black_box(&pages));
        let changes = diff(&desired, &zone, &LeftAlone::default()).expect("one zone");
        assert!(changes.is_empty(), "the zones are equal");
    };
    let value = || {
        for page in black_box(&pages) {
            let value: Value = serde_json::from_slice(page).expect("the page is JSON");
            drop(black_box(value));
        }
    };
    let mut best = [Duration::MAX; 2];
    for _ in 0..ROUNDS {
        for (best, time) in best.iter_mut().zip([cpu(plan), cpu(value)]) {
            *best = time.min(*best);
        }
    }
    let [plan, value] = best.map(|time| time.as_secs_f64());
    for (what, seconds) in [("read and compared", plan), ("serde_json::Value", value)] {
        let rate = octets as f64 / seconds / 1e6;
        println!(
            "{what:<20} {:>5.0} ms  {rate:>5.0} MB/s  {:.2} of the last",
            seconds * 1e3,
            seconds / value
        );
    }
}

fn read(apex: &Name, pages: &[Vec<u8>]) -> ActualZone {
    let mut listing = Listing::new(apex.as_ref());
    for page in pages {
        listing.read_page(page).expect("the page is one");
    }
    listing.finish().expect("the zone is whole").zone
}

fn desired(zone: &ActualZone) -> DesiredZone {
    let mut desired = ZoneBuilder::new(zone.apex().to_owned());
    for rrset in zone.rrsets() {
        desired.push_ref(rrset).expect("it was in a zone");
    }
    desired.set_complete();
    desired.build_desired().expect("the zone is one")
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

/// As Cloud DNS answers: by name, the apex first.
fn pages(number: usize) -> Vec<Vec<u8>> {
    let record_set = |name: String, rtype: &str, ttl: u32, rrdata: String| {
        json!({
            "kind": "dns#resourceRecordSet",
            "name": name, "type": rtype, "ttl": ttl, "rrdatas": [rrdata],
        })
    };
    let soa =
        "ns-cloud-a1.googledomains.com. cloud-dns-hostmaster.google.com. 1 21600 3600 259200 300";
    let mut names: Vec<_> = (0..number)
        .map(|number| (format!("host-{number}.example.com."), number))
        .collect();
    names.sort_unstable();
    let mut record_sets = vec![record_set(
        "example.com.".to_owned(),
        "SOA",
        21_600,
        soa.to_owned(),
    )];
    record_sets.extend(names.into_iter().map(|(name, number)| {
        if number % 10 == 0 {
            let text = format!("\"v=1; a text of the usual length, for number {number}\"");
            return record_set(name, "TXT", 300, text);
        }
        let octets = [number >> 16, number >> 8, number].map(|part| part & 0xff);
        let [a, b, c] = octets;
        record_set(name, "A", 300, format!("10.{a}.{b}.{c}"))
    }));
    let last = record_sets.len().div_ceil(A_PAGE) - 1;
    let pages = record_sets.chunks(A_PAGE).enumerate().map(|(at, rrsets)| {
        let mut page = json!({"rrsets": rrsets});
        if at < last {
            page["nextPageToken"] = json!(format!("CAEaBGRucw{at}"));
        }
        page.to_string().into_bytes()
    });
    pages.collect()
}
