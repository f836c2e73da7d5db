//! Reading zone files: the time of our reader beside that of `domain`'s, both
//! of one run over the same octets, which lie in memory.
//!
//! `cargo bench -p janitor-plugin-api --bench zonefile [-- FILE]`; without a
//! file, a zone of 1,000,000 RRsets is made up.

#![expect(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "a program for people who measure: it prints, and its numbers are small"
)]

use std::convert::Infallible;
use std::hint::black_box;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use domain::base::iana::Class;
use domain::zonefile::inplace::{Entry, Zonefile};
use janitor_plugin_api::dns::NameRef;
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
    let apex = NameRef::from_canonical_wire(APEX).expect("the apex is a name");
    let summary = zonefile::read(
        apex,
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
    reader.set_origin(domain::base::Name::from_octets(APEX.into()).expect("the apex is a name"));
    let mut records = 0;
    while let Some(entry) = reader.next_entry().expect("the zone can be read") {
        if let Entry::Record(record) = entry {
            black_box(record);
            records += 1;
        }
    }
    records
}

/// A zone with the mix of types of an infrastructure zone, one line an RR:
/// 70 % A, 10 % AAAA, 8 % CNAME, 5 % TXT, 3 % MX, 2 % SRV, 2 % PTR; 15 % of the
/// A RRsets have three addresses, 40 % of the TXT two long strings.
fn made_up(rrsets: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(rrsets * 84);
    let mut random = Random(1);
    text.extend_from_slice(
        b"$ORIGIN recon.example.\n$TTL 3600\n@ 3600 IN SOA ns1 hostmaster 1 3600 600 604800 300\n\
          @ 3600 IN NS ns1.dns.example.\n@ 3600 IN NS ns2.dns.example.\n",
    );
    for number in 0..rrsets {
        rrset(number, &mut random, &mut text).expect("a Vec takes all octets");
    }
    text
}

fn rrset(number: usize, random: &mut Random, text: &mut Vec<u8>) -> io::Result<()> {
    const ROLES: [&str; 8] = [
        "web",
        "api",
        "accesspoint",
        "mhs-logger",
        "cassandra",
        "bigtable-proxy",
        "playlist",
        "user-profile",
    ];
    const SITES: [&str; 7] = ["gae2", "gew1", "guc3", "sto3", "lon6", "ash2", "sjc1"];
    let ttl = [60, 300, 300, 300, 3600, 3600][random.below(6)];
    let (role, site) = (ROLES[random.below(8)], SITES[random.below(7)]);
    let target = format!(
        "{}-{}-x{:x}.{}.prod.recon.example.",
        SITES[random.below(7)],
        ROLES[random.below(8)],
        random.below(NAMES),
        SITES[random.below(7)]
    );
    let host = format!("{site}-{role}-x{number:x}.{site}.prod");
    match random.below(100) {
        0..70 => {
            let addresses = if random.below(100) < 15 { 3 } else { 1 };
            for _ in 0..addresses {
                let [a, b, c] = [(); 3].map(|()| random.below(254) + 1);
                writeln!(text, "{host} {ttl} IN A 10.{a}.{b}.{c}")?;
            }
            Ok(())
        }
        70..80 => {
            let [a, b, c] = [(); 3].map(|()| random.below(65_535) + 1);
            writeln!(text, "{host} {ttl} IN AAAA 2001:db8:{a:x}:{b:x}::{c:x}")
        }
        80..88 => writeln!(text, "{role}-{number:x}.svc {ttl} IN CNAME {target}"),
        88..90 => {
            let key = "0123456789abcdefghijABCDEFGHIJ+/".repeat(12);
            let (head, tail) = key.split_at(232);
            writeln!(
                text,
                "s{number:x}._domainkey.team-7 {ttl} IN TXT \"v=DKIM1; k=rsa; p={head}\" \"{tail}\""
            )
        }
        90..93 => writeln!(
            text,
            "s{number:x}.team-7 {ttl} IN TXT \"heritage=recon,owner=team-7,resource=instance/{number:x}\""
        ),
        93..96 => writeln!(text, "m{number:x}.mail {ttl} IN MX 10 {target}"),
        96..98 => writeln!(
            text,
            "_{role}._tcp.c{number:x} {ttl} IN SRV 10 5 443 {target}"
        ),
        _ => writeln!(
            text,
            "{}.{}.10.rev {ttl} IN PTR {target}",
            number & 255,
            number >> 8
        ),
    }
}

/// How many names the targets are taken from.
const NAMES: usize = 1 << 20;

/// A linear congruential generator (Knuth's MMIX), the same numbers every time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}
