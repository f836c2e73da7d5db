//! What it costs that a zone crosses the plugin boundary, in both directions and with every check.
//!
//! `cargo bench --bench boundary [-- RRSETS]`
//!
//! - `in`: an authority sends a desired zone through its handle; the host checks the buffer and sends
//!   it to the reconciler, which receives it.
//! - `out`: the reconciler answers with the changes and the actual zone; the host checks both buffers
//!   and each change against the zone.
//!
//! Once as one large zone, once as many of 1,000 RRsets; on one thread. The bar is 50 ns an RRset for
//! each way. Copying the octets once, which crossing does not do, is the floor to compare with.

#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and its counts are far below 2^53"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gordon_janitor::channel::{self, Inlet, Outlet};
use gordon_janitor::config::MergeSettings;
use gordon_janitor::stations::answers::Answers;
use gordon_janitor::stations::merge::{Merge, Speaker, Verdict};
use gordon_janitor::stations::route::Route;
use janitor_plugin_api::abi::abi_stable::std_types::{ROption, RVec};
use janitor_plugin_api::abi::values::{AbiAnswer, AbiQuestion, AbiZone, AnswerStatus};
use janitor_plugin_api::dns::{LeftAlone, Name, Rtype, Ttl, ZoneBuilder, diff};
use janitor_plugin_api::ffi::{Receiver, Sender};

const ROUNDS: usize = 7;
const SMALL: usize = 1_000;

fn main() {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    // `cargo test --benches` only wants to see that this runs.
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let rrsets = arguments
        .iter()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(if is_bench { 1_000_000 } else { 2_000 });
    measure("one zone", 1, rrsets);
    measure("zones of 1,000", rrsets.div_ceil(SMALL), SMALL);
}

/// What the two plugins send about one zone.
struct Sent {
    desired: AbiZone,
    answer: AbiAnswer,
}

fn measure(what: &str, zones: usize, rrsets: usize) {
    let sent = (0..zones)
        .map(|zone| sent(zone, rrsets))
        .collect::<Vec<_>>();
    let rounds: [[Duration; 3]; ROUNDS] = std::array::from_fn(|_| {
        let copies = sent.iter().map(Sent::copy).collect();
        let [inward, outward] = crossing(copies);
        [inward, outward, copying(&sent)]
    });
    let nanos = |column: usize| {
        let mut times = rounds.map(|times| times[column]);
        times.sort();
        times[ROUNDS / 2].as_nanos() as f64 / (zones * rrsets) as f64
    };
    let octets = sent.iter().map(Sent::octets).sum::<usize>();
    println!(
        "{what:14} {} RRsets, {octets} octets: in {:.1} ns an RRset, out {:.1} ns (bar 50); copying both once {:.1} ns",
        zones * rrsets,
        nanos(0),
        nanos(1),
        nanos(2),
    );
}

/// Sends every zone in, then every answer out; each is checked as in a run.
fn crossing(sent: Vec<Sent>) -> [Duration; 2] {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime starts");
    let (sink, mut inlet) = channel::inlet(64, Arc::default());
    let mut authority = Sender::new(sink);
    let (outlet, source) = channel::outlet(64, Arc::default());
    let mut reconciler = Receiver::new(source);
    let speaker = Speaker {
        key: Arc::from("authority"),
        zones: None,
    };
    let mut merge = Merge::new(MergeSettings::default(), vec![speaker], Vec::new());
    let mut answers = Answers::new(Arc::from("reconciler"), Arc::default());
    let route = Arc::new(Route::to_all(Arc::from("reconciler")));
    let (desired, answered) = sent
        .into_iter()
        .map(|sent| (sent.desired, sent.answer))
        .unzip::<_, _, Vec<_>, Vec<_>>();

    let start = Instant::now();
    let mut kept = Vec::with_capacity(desired.len());
    for zone in desired {
        runtime.block_on(async {
            authority.send(zone).await.expect("the host receives");
            forward(&mut inlet, &mut merge, &mut answers, &route, &outlet).await;
            kept.push(reconciler.receive().await.expect("the host sends"));
        });
    }
    let inward = start.elapsed();
    // Freeing a zone is not part of crossing.
    drop(kept);

    let (sink, mut inlet) = channel::inlet(64, Arc::default());
    let mut reconciler = Sender::new(sink);
    let start = Instant::now();
    for answer in answered {
        runtime.block_on(async {
            reconciler.send(answer).await.expect("the host receives");
            let answer = inlet.receive().await.expect("the reconciler sends");
            let planned = answers.take(answer).expect("the answer is good");
            black_box(planned.expect("the zone is not left out"));
        });
    }
    [inward, start.elapsed()]
}

/// What the host does between an authority and the reconciler.
async fn forward(
    inlet: &mut Inlet<AbiZone>,
    merge: &mut Merge,
    answers: &mut Answers,
    route: &Arc<Route>,
    outlet: &Outlet<AbiQuestion>,
) {
    let message = inlet.receive().await.expect("the authority sends");
    let zone = merge.open(0, message).expect("the zone is good");
    let Verdict::Forward(merged) = merge.take(0, zone) else {
        unreachable!("a zone of the only authority goes on");
    };
    let zone = answers.asked(*merged, route);
    let apex = RVec::from(zone.apex().as_wire());
    let desired = ROption::RSome(zone.into_octets());
    assert!(outlet.send(AbiQuestion { apex, desired }).await);
}

fn copying(sent: &[Sent]) -> Duration {
    let start = Instant::now();
    for sent in sent {
        black_box(sent.copy());
    }
    start.elapsed()
}

impl Sent {
    fn copy(&self) -> Self {
        Self {
            desired: self.desired.clone(),
            answer: self.answer.clone(),
        }
    }

    fn octets(&self) -> usize {
        let actual = self.answer.actual.as_ref().map_or(0, RVec::len);
        self.desired.octets.len() + self.answer.changes.len() + actual
    }
}

/// A zone of addresses, in which one of a hundred differs.
fn sent(zone: usize, rrsets: usize) -> Sent {
    let apex: Name = format!("z{zone}.example.").parse().expect("it is a name");
    let build = |drift: u8| {
        let mut builder = ZoneBuilder::new(apex.clone());
        let ttl = Ttl::from_secs(300).expect("it is a TTL");
        for number in 0..rrsets {
            let owner = Name::from_text(&format!("host-{number:07}.site"), apex.as_ref());
            let owner = owner.expect("it is a name");
            let changed = if number % 100 == 0 { drift } else { 0 };
            let address = [192, 0, 2, changed];
            let pushed = builder.push_wire(owner.as_wire(), Rtype::A, ttl, &address);
            pushed.expect("the RR belongs to the zone");
        }
        builder.set_complete();
        builder
    };
    let desired = build(1).build_desired().expect("the zone can be served");
    let actual = build(0).build_actual().expect("the zone is served");
    let changes = diff(&desired, &actual, &LeftAlone::default()).expect("both are one zone");
    assert_eq!(changes.len(), rrsets.div_ceil(100));
    let wire = RVec::from(apex.as_wire());
    Sent {
        answer: AbiAnswer {
            apex: wire.clone(),
            status: AnswerStatus::COMPARED,
            changes: changes.into_octets(),
            actual: ROption::RSome(actual.into_octets()),
            reason: RVec::new(),
            hint: ROption::RNone,
        },
        desired: AbiZone {
            apex: wire,
            octets: desired.into_octets(),
        },
    }
}
