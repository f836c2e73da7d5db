//! What the host's stations cost beside the work of a run that they stand between.
//!
//! `cargo bench --bench stations [-- RRSETS]`
//!
//! The floor is what any run does without them: both sides read from zone files, compared, and checked
//! where they cross the boundary. Above it stand the stations that every zone passes: its place in the
//! merge, ownership markers, scope, the survey of what is served. The bar is 15 % on top of the floor.
//! Joining two authorities' words is beside it: only zones that several name pay for that.

#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and its counts are far below 2^53"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gordon_janitor::config::Guard;
use gordon_janitor::report::ChangeCounts;
use gordon_janitor::stations::answers::Answers;
use gordon_janitor::stations::guard::{self, Subject};
use gordon_janitor::stations::merge::Merged;
use gordon_janitor::stations::route::Route;
use janitor_plugin_api::abi::abi_stable::std_types::{ROption, RVec};
use janitor_plugin_api::abi::values::{AbiAnswer, AnswerStatus};
use janitor_plugin_api::dns::{
    ActualZone, Changes, DesiredZone, JoinPolicy, LeftAlone, Name, ZoneBuilder, diff, join,
};
use janitor_plugin_api::zonefile;

const ROUNDS: usize = 5;
const ZONES: usize = 10_000;

fn main() {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    // `cargo test --benches` only wants to see that this runs.
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let rrsets = arguments
        .iter()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(if is_bench { 1_000_000 } else { 2_000 });
    let apex: Name = "example.com".parse().expect("it is a name");
    let wanted = zone_file(rrsets, 1, |_| true);
    let served = zone_file(rrsets, 0, |_| true);
    let halves = [0, 1].map(|half| zone_file(rrsets, 1, |number| number % 2 == half));
    let halves = halves.map(|text| desired(&apex, &text));

    let (mut floor, mut stations, mut joining) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let desired = desired(&apex, &wanted);
        let actual = actual(&apex, &served);
        let changes = diff(&desired, &actual, &LeftAlone::default()).expect("both are one zone");
        let compared = start.elapsed();
        assert_eq!(changes.len(), rrsets.div_ceil(100));
        let answer = AbiAnswer {
            apex: apex.as_wire().into(),
            status: AnswerStatus::COMPARED,
            changes: changes.into_octets(),
            actual: ROption::RSome(actual.into_octets()),
            reason: RVec::new(),
            hint: ROption::RNone,
        };
        let checks = checked(&apex, answer.clone());
        floor.push(compared + checks);
        stations.push(judged(desired, answer).saturating_sub(checks));
        let start = Instant::now();
        let joined = join(&[&halves[0], &halves[1]], JoinPolicy::Union);
        assert_eq!(
            joined.expect("they are one zone").zone.rrset_count(),
            rrsets
        );
        joining.push(start.elapsed());
    }
    let [floor, stations, joining] = [floor, stations, joining].map(|mut times| {
        times.sort();
        times[ROUNDS / 2]
    });
    let each = |time: Duration, of: usize| time.as_nanos() as f64 / of as f64;
    println!(
        "{rrsets} RRsets: read and compared {:.0} ns an RRset, stations {:.1} ns: {:.3} on top (bar 0.15); joining two {:.1} ns",
        each(floor, rrsets),
        each(stations, rrsets),
        stations.as_secs_f64() / floor.as_secs_f64(),
        each(joining, rrsets),
    );
    println!(
        "limits of {ZONES} zones: {:.0} ns a zone",
        each(limits(), ZONES)
    );
}

/// What crossing the boundary costs with and without stations: the checks of an answer.
fn checked(apex: &Name, answer: AbiAnswer) -> Duration {
    let start = Instant::now();
    let changes = Changes::check(apex.clone(), answer.changes).expect("the changes are good");
    let actual = answer.actual.into_option().expect("the zone is there");
    let actual = ActualZone::check(apex.clone(), actual).expect("the zone is good");
    let fits = changes.verify(&actual, &LeftAlone::default());
    let elapsed = start.elapsed();
    assert_eq!(fits, Ok(()));
    elapsed
}

/// The way of one zone from its answer to its place in the plan, and the limits of all.
fn judged(desired: DesiredZone, answer: AbiAnswer) -> Duration {
    let reconciler: Arc<str> = Arc::from("reconciler");
    let route = Arc::new(Route::to_all(Arc::clone(&reconciler)));
    let start = Instant::now();
    let mut answers = Answers::new(reconciler, Arc::default());
    let merged = Merged::from_one(desired, Arc::from("authority"));
    black_box(answers.asked(merged, &route));
    let planned = answers.take(answer).expect("the answer is good");
    black_box(planned.expect("the zone is not left out"));
    start.elapsed()
}

fn limits() -> Duration {
    let names = (0..ZONES).map(|number| format!("z{number}.example").parse());
    let names = names.collect::<Result<Vec<Name>, _>>().expect("names");
    let subjects = names.iter().map(|apex| Subject {
        apex: apex.as_ref(),
        changes: ChangeCounts {
            additions: 1,
            deletions: 1,
            updates: 1,
        },
        existing: Some(20),
        desired: 20,
        complete: true,
        desired_before: Some(20),
        left_undone: false,
        forced: false,
    });
    let subjects = subjects.collect::<Vec<_>>();
    let given = Guard::default();
    let start = Instant::now();
    black_box(guard::judge(
        &subjects,
        |zone| given.limits_of(zone),
        given.run(),
    ));
    start.elapsed()
}

/// A zone file of addresses, in which one of a hundred differs by `drift`.
fn zone_file(rrsets: usize, drift: u8, wanted: impl Fn(usize) -> bool) -> String {
    let mut text = String::from("$TTL 300\n");
    for number in (0..rrsets).filter(|number| wanted(*number)) {
        let changed = if number % 100 == 0 { drift } else { 0 };
        writeln!(text, "host-{number:07}.site A 192.0.2.{changed}").expect("a text takes all");
    }
    text
}

fn desired(apex: &Name, text: &str) -> DesiredZone {
    let mut builder = read(apex, text);
    builder.set_complete();
    builder.build_desired().expect("the zone can be served")
}

fn actual(apex: &Name, text: &str) -> ActualZone {
    read(apex, text).build_actual().expect("the zone is served")
}

fn read(apex: &Name, text: &str) -> ZoneBuilder {
    let mut builder = ZoneBuilder::new(apex.clone());
    let text = text.to_owned();
    zonefile::read(
        apex.as_ref(),
        "zone",
        io::Cursor::new(text),
        &mut |_| Err(io::Error::other("no file may be included")),
        |record| builder.push_wire(record.owner, record.rtype, record.ttl, record.rdata),
    )
    .expect("the zone file can be read");
    builder
}
