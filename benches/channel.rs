//! What a message costs on its way through a channel handle of the plugin boundary, beside a plain
//! `tokio::sync::mpsc`, both on one thread and in one run, in processor time.
//!
//! `cargo bench --bench channel`
//!
//! - `alone`: send one, receive one; nobody ever waits.
//! - `waiting`: a channel with room for one message, so that both ends wait for each other all the time.
//! - `256 at once`: send 256, receive them; the plain channel with one call.
//!
//! `to host` is a plugin's sending end and a station's receiving end, `to plugin` the other way. The
//! bars are 1.7 times a plain channel alone, and 1.1 times in batches.

#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and its counts are far below 2^53"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use gordon_janitor::channel::{self, Inlet, Outlet, Weigh};
use janitor_plugin_api::ffi::{Receiver, Sender};
use tokio::sync::mpsc;

const ROUNDS: usize = 7;
const BATCH: usize = 256;

/// As small as a message can be, so that the channel is what is measured.
struct Message(u64);

impl Weigh for Message {
    fn octets(&self) -> usize {
        0
    }
}

fn main() {
    // `cargo test --benches` only wants to see that this runs.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let messages = if is_bench { 1_000_000 } else { 1_024 };
    println!("{messages} messages, medians of {ROUNDS}: processor time a message");
    let (single, batch) = (1, BATCH);
    compare(
        "alone, to host",
        Some(1.7),
        || alone(plain(1, single), messages),
        || alone(to_host(1), messages),
    );
    compare(
        "alone, to plugin",
        Some(1.7),
        || alone(plain(1, single), messages),
        || alone(to_plugin(1), messages),
    );
    compare(
        "waiting, to host",
        None,
        || waiting(plain(1, single), messages),
        || waiting(to_host(1), messages),
    );
    compare(
        "waiting, to plugin",
        None,
        || waiting(plain(1, single), messages),
        || waiting(to_plugin(1), messages),
    );
    compare(
        "256 at once, to host",
        Some(1.1),
        || batches(plain(BATCH, batch), messages),
        || batches(to_host(BATCH), messages),
    );
    compare(
        "256 at once, to plugin",
        Some(1.1),
        || batches(plain(BATCH, batch), messages),
        || batches(to_plugin(BATCH), messages),
    );
}

/// Runs both in turn and prints the medians.
fn compare(
    what: &str,
    bar: Option<f64>,
    plain: impl Fn() -> PerMessage,
    handle: impl Fn() -> PerMessage,
) {
    let rounds: [_; ROUNDS] = std::array::from_fn(|_| [plain(), handle()]);
    let [theirs, ours] = [0, 1].map(|column| median(rounds.map(|times| times[column])));
    let ratio = median(rounds.map(|[plain, handle]| handle / plain));
    let bar = bar.map(|bar| format!("  (bar {bar})")).unwrap_or_default();
    println!("{what:24} {ours:6.1} ns, plain {theirs:6.1} ns, ratio {ratio:.2}{bar}");
}

/// Nanoseconds a message.
type PerMessage = f64;

fn median(mut values: [f64; ROUNDS]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[ROUNDS / 2]
}

/// The sending end of any of the channels.
trait Send {
    async fn send(&mut self, message: Message) -> bool;
}

/// The receiving end of any of the channels.
trait Receive {
    async fn receive(&mut self) -> Option<Message>;
}

/// Receives as many at once as there are, up to a limit.
struct Plain {
    receiver: mpsc::Receiver<Message>,
    received: Vec<Message>,
    limit: usize,
}

fn plain(capacity: usize, limit: usize) -> (mpsc::Sender<Message>, Plain) {
    let (sender, receiver) = mpsc::channel(capacity);
    let received = Vec::with_capacity(limit);
    let plain = Plain {
        receiver,
        received,
        limit,
    };
    (sender, plain)
}

fn to_host(capacity: usize) -> (Sender<Message>, Inlet<Message>) {
    let (sink, inlet) = channel::inlet(capacity, Arc::default());
    (Sender::new(sink), inlet)
}

fn to_plugin(capacity: usize) -> (Outlet<Message>, Receiver<Message>) {
    let (outlet, source) = channel::outlet(capacity, Arc::default());
    (outlet, Receiver::new(source))
}

impl Send for mpsc::Sender<Message> {
    async fn send(&mut self, message: Message) -> bool {
        Self::send(self, message).await.is_ok()
    }
}

impl Send for Sender<Message> {
    async fn send(&mut self, message: Message) -> bool {
        Self::send(self, message).await.is_ok()
    }
}

impl Send for Outlet<Message> {
    async fn send(&mut self, message: Message) -> bool {
        Self::send(self, message).await
    }
}

impl Receive for Plain {
    async fn receive(&mut self) -> Option<Message> {
        if self.limit == 1 {
            return self.receiver.recv().await;
        }
        if self.received.is_empty() {
            let Self {
                receiver,
                received,
                limit,
            } = self;
            receiver.recv_many(received, *limit).await;
            self.received.reverse();
        }
        self.received.pop()
    }
}

impl Receive for Inlet<Message> {
    async fn receive(&mut self) -> Option<Message> {
        Self::receive(self).await
    }
}

impl Receive for Receiver<Message> {
    async fn receive(&mut self) -> Option<Message> {
        Self::receive(self).await
    }
}

fn alone((mut sender, mut receiver): (impl Send, impl Receive), messages: u64) -> PerMessage {
    time(messages, async move {
        for number in 0..messages {
            assert!(sender.send(Message(number)).await);
            expect(receiver.receive().await, number);
        }
    })
}

fn waiting((mut sender, mut receiver): (impl Send, impl Receive), messages: u64) -> PerMessage {
    time(messages, async move {
        let sending = async {
            for number in 0..messages {
                assert!(sender.send(Message(number)).await);
            }
        };
        let receiving = async {
            for number in 0..messages {
                expect(receiver.receive().await, number);
            }
        };
        tokio::join!(sending, receiving);
    })
}

fn batches((mut sender, mut receiver): (impl Send, impl Receive), messages: u64) -> PerMessage {
    time(messages, async move {
        for first in (0..messages).step_by(BATCH) {
            let batch = first..messages.min(first + BATCH as u64);
            for number in batch.clone() {
                assert!(sender.send(Message(number)).await);
            }
            for number in batch {
                expect(receiver.receive().await, number);
            }
        }
    })
}

fn expect(message: Option<Message>, number: u64) {
    let Message(received) = black_box(message).expect("the channel is open");
    assert_eq!(received, number, "messages arrive in order");
}

fn time(messages: u64, work: impl Future<Output = ()>) -> PerMessage {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime starts");
    let start = processor_time();
    runtime.block_on(work);
    (processor_time() - start).as_secs_f64() * 1e9 / messages as f64
}

/// What this thread has used: unlike the clock on the wall, the same on a machine that is busy.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("it does not run backwards from zero")
}
