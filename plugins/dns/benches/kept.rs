//! What the kept copy of a zone costs beside reading and copying as many octets.
//!
//! `cargo run --release -p janitor-plugin-dns --example kept-copies [-- RRSETS]`
//!
//! Measured is the CPU time of user and system of this process: a zone that has not moved, and one of which an
//! increment of 1,000 changes all over the zone is decoded, made and kept; and what has not moved behind the longest journal. For a million RRsets the bar is 50 ms for
//! each. The file was read before, so it comes from memory.
//!
//! It is an example because cargo builds benchmarks as tests, and tests have smaller pieces.

#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and its counts are far below 2^53"
)]

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;

use janitor_plugin_api::dns::{ActualZone, Name, Rtype, Serial, Ttl, ZoneBuilder};
use rustix::time::{ClockId, clock_gettime};

#[path = "../src/kept/mod.rs"]
#[expect(dead_code, reason = "the library uses the rest")]
mod kept;
#[path = "../src/transfer/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the library uses the rest")]
mod transfer;

use kept::Store;
use transfer::{Differences, Increment, Ixfr, Transferred};

const ROUNDS: usize = 9;
const CHANGES: usize = 1000;
const ZONES: usize = 10_000;
const IDENTITY: &str = "192.0.2.1:53";
const DAY: Duration = Duration::from_secs(86_400);
const BAR: f64 = 50.0;

fn main() {
    let rrsets = std::env::args().nth(1);
    let rrsets = rrsets.map_or(1_000_000, |text| text.parse().expect("a number of RRsets"));
    assert!(
        rrsets >= 100 * CHANGES,
        "changes are to be far from each other: {} RRsets at least",
        100 * CHANGES
    );
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let store = Store::new(directory.path().to_owned(), DAY);
    let apex = apex();
    let zone = transferred(apex.clone(), rrsets);
    let octets = zone.zone.octets().len();
    let keep = cpu(|| {
        store
            .keep(IDENTITY, &zone)
            .expect("there is room for a copy");
    });
    let open = || store.open(apex.as_ref(), IDENTITY).expect("a copy is kept");
    let file = file(directory.path());
    let messages = increment(rrsets, 1);

    let names = [
        "read",
        "read and copied",
        "read and checked as a zone",
        "not moved",
        "1,000 changes",
        "not moved, behind a journal",
    ];
    let mut times = names.map(|name| (name, Vec::new()));
    for _ in 0..ROUNDS {
        let mut round = Vec::new();
        round.push(cpu(|| fs::read(&file).expect("the copy can be read")));
        round.push(cpu(|| {
            fs::read(&file).expect("the copy can be read").clone()
        }));
        round.push(cpu(|| {
            // The zone is what the file ends with.
            let mut file = File::open(&file).expect("the copy can be read");
            let back = i64::try_from(octets).expect("the zone fits into memory");
            file.seek(SeekFrom::End(-back)).expect("there is a zone");
            let mut zone = Vec::with_capacity(octets);
            file.read_to_end(&mut zone).expect("the copy can be read");
            ActualZone::check(apex.clone(), zone.into()).expect("it is a zone")
        }));
        round.push(cpu(|| open().read().expect("the copy is good")));
        let copy = fs::read(&file).expect("the copy can be read");
        round.push(cpu(|| {
            let differences = differences(1, &messages);
            open().advance(&differences).expect("the differences fit")
        }));
        let after = open();
        assert_eq!(after.serial(), Serial(2), "the differences were kept");
        round.push(cpu(|| after.read().expect("the copy is good")));
        fs::write(&file, copy).expect("there is room for a copy");
        for ((_, times), time) in times.iter_mut().zip(round) {
            times.push(time);
        }
    }
    println!("{rrsets} RRsets, {octets} octets; kept in {keep:.1} ms of CPU time");
    let floor = median(&mut times[1].1);
    for (name, times) in &mut times {
        let time = median(times);
        println!(
            "{name:<28} {time:6.1} ms, {:4.2} of read and copied",
            time / floor
        );
    }
    longest_journal(&store, &file, rrsets);
    println!("bar for 1000000 RRsets: {BAR} ms");
    small_zones();
}

/// What a zone that has not moved costs before its journal is worked into it, and what that costs.
fn longest_journal(store: &Store, file: &Path, rrsets: usize) {
    let apex = apex();
    let open = || store.open(apex.as_ref(), IDENTITY).expect("a copy is kept");
    let octets = || fs::metadata(file).expect("the copy is there").len();
    let base = octets();
    let mut before = Vec::new();
    for serial in 1.. {
        let differences = differences(serial, &increment(rrsets, serial));
        let kept = octets();
        let time = cpu(|| open().advance(&differences).expect("the differences fit"));
        if octets() < kept || base == octets() {
            println!(
                "behind {serial} increments          {:6.1} ms, {} octets of journal; {time:.1} ms when they are worked in",
                median(&mut before),
                kept - base
            );
            return;
        }
        let read = |_| cpu(|| open().read().expect("the copy is good"));
        before = (0..ROUNDS).map(read).collect();
    }
}

fn differences(from: u32, messages: &[Vec<u8>]) -> Differences {
    let mut ixfr = Ixfr::new(apex(), Serial(from), usize::MAX);
    for message in messages {
        ixfr.take(message).expect("the message is good");
    }
    match ixfr.finish().expect("it is whole") {
        Increment::Differences(differences) => differences,
        _ => unreachable!("these are differences"),
    }
}

/// What keeping and reading cost where zones are many and small.
fn small_zones() {
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let store = Store::new(directory.path().to_owned(), DAY);
    let zones = (0..ZONES).map(|number| {
        let apex = format!("z{number}.example.com");
        transferred(apex.parse().expect("it is a name"), 20)
    });
    let zones: Vec<_> = zones.collect();
    let keep = cpu(|| {
        for zone in &zones {
            store
                .keep(IDENTITY, zone)
                .expect("there is room for a copy");
        }
    });
    let read = cpu(|| {
        for zone in &zones {
            let kept = store.open(zone.zone.apex(), IDENTITY);
            let read = kept.expect("a copy is kept").read();
            assert_eq!(read.expect("the copy is good"), zone.zone);
        }
    });
    let each = |time: f64| time * 1e3 / ZONES as f64;
    println!(
        "{ZONES} zones of 20 RRsets: kept in {:.0} µs each, read in {:.0} µs",
        each(keep),
        each(read)
    );
}

fn apex() -> Name {
    "example.com".parse().expect("it is a name")
}

/// The CPU time that `work` takes, in milliseconds, and what it returns is dropped after.
fn cpu<T>(work: impl FnOnce() -> T) -> f64 {
    let now = || {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
    };
    let start = now();
    let made = work();
    let time = now() - start;
    drop(made);
    time
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn file(directory: &Path) -> std::path::PathBuf {
    let mut entries = fs::read_dir(directory).expect("the directory can be read");
    let entry = entries.next().expect("a copy is kept");
    entry.expect("the directory can be read").path()
}

/// The owner with that number, as wire form.
fn owner(number: usize, apex: &Name) -> Vec<u8> {
    let mut wire = Vec::new();
    // Neighbours in number are not neighbours in the zone.
    let mixed = number.wrapping_mul(2_654_435_761) % (1 << 32);
    for label in [
        format!("host-{number:07}"),
        format!("rack{:03}", mixed % 500),
    ] {
        wire.push(u8::try_from(label.len()).expect("labels are short"));
        wire.extend_from_slice(label.as_bytes());
    }
    wire.extend_from_slice(apex.as_wire());
    wire
}

fn address(number: usize) -> [u8; 4] {
    u32::try_from(number)
        .expect("there are fewer RRsets")
        .to_be_bytes()
}

fn soa(serial: u32) -> Vec<u8> {
    let mut rdata = b"\x02ns\0\x04host\0".to_vec();
    for number in [serial, 7200, 3600, 1_209_600, 300] {
        rdata.extend_from_slice(&number.to_be_bytes());
    }
    rdata
}

fn transferred(apex: Name, rrsets: usize) -> Transferred {
    let mut builder = ZoneBuilder::new(apex.clone());
    let ttl = Ttl::from_secs(300).expect("it is short");
    let mut push = |owner: &[u8], rtype, rdata: &[u8]| {
        builder
            .push_wire(owner, rtype, ttl, rdata)
            .expect("it is an RR of the zone");
    };
    push(apex.as_wire(), Rtype::SOA, &soa(1));
    for number in 1..rrsets {
        push(&owner(number, &apex), Rtype::A, &address(number));
    }
    let zone = builder.build_actual().expect("it fits into a buffer");
    Transferred {
        serial: Serial(1),
        records: zone.rr_count() as u64,
        zone,
        ttl_conflicts: 0,
        tells_ttls: builder.tells_ttls(),
        messages: 1,
        octets: 0,
    }
}

/// An increment that changes an address each at owners all over the zone, others for each serial.
fn increment(rrsets: usize, from: u32) -> Vec<Vec<u8>> {
    let apex = apex();
    let before = from as usize - 1;
    let changed: Vec<_> = (1..=CHANGES)
        .map(|change| change * (rrsets - 1) / CHANGES - before)
        .collect();
    let soa_rr = |serial| rr(apex.as_wire(), Rtype::SOA, &soa(serial));
    let mut rrs = vec![soa_rr(from + 1), soa_rr(from)];
    rrs.extend(
        changed
            .iter()
            .map(|&number| rr(&owner(number, &apex), Rtype::A, &address(number))),
    );
    rrs.push(soa_rr(from + 1));
    rrs.extend(changed.iter().map(|&number| {
        rr(
            &owner(number, &apex),
            Rtype::A,
            &address(!number & 0xff_ffff),
        )
    }));
    rrs.push(soa_rr(from + 1));
    rrs.chunks(500)
        .map(|rrs| {
            let count = u16::try_from(rrs.len())
                .expect("a chunk is short")
                .to_be_bytes();
            let mut message = [&[0, 0, 0x84, 0, 0, 0][..], &count, &[0; 4]].concat();
            rrs.iter().for_each(|rr| message.extend_from_slice(rr));
            message
        })
        .collect()
}

fn rr(owner: &[u8], rtype: Rtype, rdata: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rdata.len()).expect("the rdata is short");
    let fields = [
        &rtype.0.to_be_bytes()[..],
        &[0, 1, 0, 0, 1, 44],
        &length.to_be_bytes(),
    ];
    [owner, &fields.concat(), rdata].concat()
}
