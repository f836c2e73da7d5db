//! How long it takes to build, check, compare and change zones in memory.
//!
//! `cargo bench -p janitor-plugin-api --bench zone [-- RRSETS…]`
//!
//! The zones have the mix of types, owners and drift of a large company's zone.
//! Times are the shortest of several rounds and are given for one RRset, beside
//! floors of the same run: copying the finished buffer, copying its entries in
//! random order, and sorting as many keys of 16 octets. Judge by ratios; times
//! depend on the machine and on who else is on it.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and may stop at the first surprise"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use janitor_plugin_api::dns::{
    ActualZone, Changes, DesiredZone, LeftAlone, Name, RrsetRef, Rtype, Ttl, Zone, ZoneBuilder,
    diff,
};

const APEX: &str = "recon.example.";

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let mut sizes: Vec<usize> = arguments
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    if sizes.is_empty() {
        // `cargo test --benches` only wants to see that this runs.
        let is_bench = arguments.iter().any(|argument| argument == "--bench");
        sizes = if is_bench {
            vec![100_000, 1_000_000]
        } else {
            vec![1_000]
        };
    }
    for size in sizes {
        measure(size);
    }
}

fn measure(size: usize) {
    let mut random = Random(size as u64);
    let actual_rrs = generate(size, &mut random);
    let desired_rrs = drift(&actual_rrs, &mut random);
    let mut shuffled = desired_rrs.clone();
    random.shuffle(&mut shuffled);

    let actual = build(&actual_rrs).build_actual().unwrap();
    let sorted = |zone: &Zone| {
        let order = zone.rrsets().flat_map(|rrset| {
            rrset.rdatas().map(move |rdata| Rr {
                owner: rrset.owner().as_wire().into(),
                rtype: rrset.rtype(),
                ttl: rrset.ttl(),
                rdata: rdata.into(),
            })
        });
        Input::new(order)
    };
    let input_sorted = sorted(&actual);
    let input_shuffled = Input::new(shuffled.iter().flatten().cloned());
    let desired = input_shuffled.build().build_desired().unwrap();
    let octets = actual.octets();
    let rrsets = actual.rrset_count();
    println!(
        "\n{rrsets} RRsets, {} RRs, {} octets",
        actual.rr_count(),
        octets.len(),
    );

    let table = Table {
        rrsets,
        floor: time(|| black_box(octets).to_vec()),
    };
    table.row("floor: copy the buffer", table.floor);
    let mut entries: Vec<&[u8]> = actual.rrsets().map(RrsetRef::octets).collect();
    random.shuffle(&mut entries);
    let gather = || {
        let mut copy = Vec::with_capacity(octets.len());
        entries
            .iter()
            .for_each(|entry| copy.extend_from_slice(entry));
        copy
    };
    table.row("floor: copy the entries in random order", time(gather));
    let keys: Vec<(u64, u64)> = (0..rrsets)
        .map(|_| (random.next(), random.next()))
        .collect();
    let sort = || {
        let mut keys = keys.clone();
        keys.sort_unstable();
        keys
    };
    table.row("floor: sort 16-octet keys", time(sort));

    table.row(
        "build, sorted",
        time(|| input_sorted.build().build_actual().unwrap()),
    );
    table.row(
        "build, shuffled",
        time(|| input_shuffled.build().build_desired().unwrap()),
    );
    let check = || ActualZone::check(name(), black_box(octets).into()).unwrap();
    table.row("check, copy included", time(check));
    let read = || {
        actual
            .rrsets()
            .map(|rrset| rrset.octets().len())
            .sum::<usize>()
    };
    table.row("iterate", time(read));
    let compare = |desired: &DesiredZone| diff(desired, &actual, &LeftAlone::default()).unwrap();
    let same = input_sorted.build().build_desired().map(complete).unwrap();
    table.row("compare, equal", time(|| compare(&same)));
    let desired = complete(desired);
    table.row("compare, 1 % drift", time(|| compare(&desired)));
    let changes = compare(&desired);
    let verify = || changes.verify(&actual, &LeftAlone::default()).unwrap();
    table.row("verify changes, 1 % drift", time(verify));
    table.row(
        "apply changes, 1 % drift",
        time(|| changes.apply(&actual).unwrap()),
    );
    let empty = ZoneBuilder::new(name()).build_actual().unwrap();
    let all = diff(&same, &empty, &LeftAlone::default()).unwrap();
    table.row(
        "compare, everything added",
        time(|| diff(&same, &empty, &LeftAlone::default()).unwrap()),
    );
    let check = || Changes::check(name(), black_box(all.octets()).into()).unwrap();
    table.row(
        "check changes, everything added, copy included",
        time(check),
    );
    let counts = changes.counts();
    assert_eq!(changes.apply(&actual).unwrap().octets(), desired.octets());
    println!("  {counts:?}");
}

struct Table {
    rrsets: usize,
    floor: Duration,
}

impl Table {
    fn row(&self, what: &str, time: Duration) {
        println!(
            "  {what:<48} {:8.1} ms {:8.1} ns an RRset {:8.2} × copy",
            time.as_secs_f64() * 1e3,
            time.as_secs_f64() * 1e9 / self.rrsets as f64,
            time.as_secs_f64() / self.floor.as_secs_f64(),
        );
    }
}

/// The shortest of several rounds.
fn time<T>(mut work: impl FnMut() -> T) -> Duration {
    let round = |_| {
        let start = Instant::now();
        let result = black_box(work());
        let elapsed = start.elapsed();
        drop(result);
        elapsed
    };
    (0..5).map(round).min().unwrap()
}

fn name() -> Name {
    APEX.parse().unwrap()
}

fn complete(zone: DesiredZone) -> DesiredZone {
    let mut builder = ZoneBuilder::new(name());
    for rrset in zone.rrsets() {
        builder.push_ref(rrset).unwrap();
    }
    builder.set_complete();
    builder.build_desired().unwrap()
}

#[derive(Clone)]
struct Rr {
    owner: Box<[u8]>,
    rtype: Rtype,
    ttl: Ttl,
    rdata: Box<[u8]>,
}

/// RRs one after the other in one buffer, as a parser would hand them over.
struct Input {
    octets: Vec<u8>,
    rrs: Vec<(u8, Rtype, Ttl, u16)>,
}

impl Input {
    fn new(rrs: impl Iterator<Item = Rr>) -> Self {
        let mut input = Self {
            octets: Vec::new(),
            rrs: Vec::new(),
        };
        for rr in rrs {
            input.octets.extend_from_slice(&rr.owner);
            input.octets.extend_from_slice(&rr.rdata);
            let lengths = (rr.owner.len().try_into(), rr.rdata.len().try_into());
            let (owner, rdata) = (lengths.0.unwrap(), lengths.1.unwrap());
            input.rrs.push((owner, rr.rtype, rr.ttl, rdata));
        }
        input
    }

    fn build(&self) -> ZoneBuilder {
        let mut builder = ZoneBuilder::new(name());
        let mut rest = &self.octets[..];
        for &(owner, rtype, ttl, rdata) in &self.rrs {
            let (owner, tail) = rest.split_at(owner.into());
            let (rdata, tail) = tail.split_at(rdata.into());
            builder.push_wire(owner, rtype, ttl, rdata).unwrap();
            rest = tail;
        }
        builder
    }
}

fn build(rrsets: &[Vec<Rr>]) -> ZoneBuilder {
    Input::new(rrsets.iter().flatten().cloned()).build()
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64).try_into().unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn octet(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            items.swap(index, self.below(index + 1));
        }
    }
}

const ROLES: &[&str] = &[
    "web",
    "api",
    "accesspoint",
    "mhs-logger",
    "cassandra",
    "kafka",
    "memcached",
    "bigtable-proxy",
    "playlist",
    "search",
    "metadata",
    "user-profile",
    "ads",
    "gw",
];
const SITES: &[&str] = &["gae2", "gew1", "guc3", "sto3", "lon6", "ash2", "sjc1"];
const ENVIRONMENTS: &[&str] = &["prod", "prod", "prod", "staging", "dev"];

/// 70 % A, 10 % AAAA, 8 % CNAME, 5 % TXT, 3 % MX, 2 % SRV, 2 % PTR.
fn generate(size: usize, random: &mut Random) -> Vec<Vec<Rr>> {
    let hosts: Vec<Name> = (0..size * 7 / 10)
        .map(|index| host(index, random))
        .collect();
    let share = |percent| 0..size * percent / 100;
    let mut rrsets: Vec<Vec<Rr>> = Vec::with_capacity(size);
    let mut push = |owner: &Name, rtype, rdatas: Vec<Vec<u8>>, random: &mut Random| {
        let seconds = [60, 300, 300, 300, 3600, 3600][random.below(6)];
        let rr = |rdata: Vec<u8>| Rr {
            owner: owner.as_wire().into(),
            rtype,
            ttl: Ttl::from_secs(seconds).unwrap(),
            rdata: rdata.into(),
        };
        rrsets.push(rdatas.into_iter().map(rr).collect());
    };
    for owner in &hosts {
        let count = if random.below(100) < 85 {
            1
        } else {
            2 + random.below(3)
        };
        let rdatas = (0..count).map(|_| address(random)).collect();
        push(owner, Rtype::A, rdatas, random);
    }
    for index in share(10) {
        let rdata = (0..16).map(|_| random.octet()).collect();
        push(
            &hosts[index * 7 % hosts.len()],
            Rtype::AAAA,
            vec![rdata],
            random,
        );
    }
    let target = |random: &mut Random| hosts[random.below(hosts.len())].as_wire().to_vec();
    for index in share(8) {
        let owner = relative(&format!("{}-{index:x}.svc", random.pick(ROLES)));
        push(&owner, Rtype::CNAME, vec![target(random)], random);
    }
    for index in share(5) {
        let owner = relative(&format!("s{index:x}._domainkey.team-{}", index % 400));
        let length = [250, 100, 60][random.below(3)];
        let mut text = vec![u8::try_from(length).unwrap()];
        text.extend((0..length).map(|_| b'a' + random.octet() % 26));
        push(&owner, Rtype::TXT, vec![text], random);
    }
    for index in share(3) {
        let owner = relative(&format!("m{index:x}.mail"));
        let rdatas = [10, 20].map(|preference| [vec![0, preference], target(random)].concat());
        push(&owner, Rtype::MX, rdatas.to_vec(), random);
    }
    for index in share(2) {
        let owner = relative(&format!(
            "_{}._tcp.c{index:x}",
            random.pick(&["api", "kafka", "ads"])
        ));
        let mut rdatas: Vec<_> = (0..3_u8)
            .map(|port| [vec![0, 10, 0, random.octet(), 1, port], target(random)].concat())
            .collect();
        rdatas.sort_unstable();
        push(&owner, Rtype::SRV, rdatas, random);
    }
    for index in share(2) {
        let [.., c, b, a] = index.to_be_bytes();
        let owner = relative(&format!("{a}.{b}.{c}.10.rev"));
        push(&owner, Rtype::PTR, vec![target(random)], random);
    }
    rrsets
}

fn relative(text: &str) -> Name {
    Name::from_text(text, name().as_ref()).unwrap()
}

fn host(index: usize, random: &mut Random) -> Name {
    let site = random.pick(SITES);
    let (role, environment) = (random.pick(ROLES), random.pick(ENVIRONMENTS));
    // Digits that look random, then the number itself, so that no two are equal.
    let scattered = index.wrapping_mul(7919) % 0xffff;
    relative(&format!(
        "{site}-{role}-{scattered:04x}{index:x}.{site}.{environment}"
    ))
}

fn address(random: &mut Random) -> Vec<u8> {
    vec![10, random.octet(), random.octet(), random.octet()]
}

/// A quarter of a percent each added, deleted, with other rdata, with another TTL.
fn drift(rrsets: &[Vec<Rr>], random: &mut Random) -> Vec<Vec<Rr>> {
    let quarter = (rrsets.len() / 400).max(1);
    let mut order: Vec<usize> = (0..rrsets.len()).collect();
    random.shuffle(&mut order);
    let mut desired = rrsets.to_vec();
    for &index in &order[..quarter] {
        for rr in &mut desired[index] {
            rr.ttl = Ttl::from_secs(7200).unwrap();
        }
    }
    // Only addresses: whatever four octets they become, they are rdata.
    let mut addresses = order[quarter..]
        .iter()
        .filter(|&&index| rrsets[index][0].rtype == Rtype::A);
    for &index in addresses.by_ref().take(quarter) {
        desired[index][0].rdata = address(random).into();
    }
    let mut deleted: Vec<usize> = addresses.take(quarter).copied().collect();
    deleted.sort_unstable();
    for index in deleted.into_iter().rev() {
        desired.swap_remove(index);
    }
    for index in 0..quarter {
        desired.push(vec![Rr {
            owner: host(rrsets.len() + index, random).as_wire().into(),
            rtype: Rtype::A,
            ttl: Ttl::from_secs(300).unwrap(),
            rdata: address(random).into(),
        }]);
    }
    desired
}
