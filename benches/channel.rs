//! What a message costs on its way through a channel handle of the plugin boundary, beside a plain
//! `tokio::sync::mpsc`, both on one thread and in one run.
//!
//! `cargo bench --bench channel`
//!
//! - `alone`: send one, receive one; nobody ever waits.
//! - `waiting`: a channel with room for one message, so that both ends wait for each other all the time.
//! - `batches`: send 256, receive them at once.
//!
//! `to host` is a plugin's sending end and a station's receiving end, `to plugin` the other way. The
//! bars are 1.7 times a plain channel alone, and 1.1 times in batches.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::hint::black_box;
use std::time::{Duration, Instant};

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
    println!("{messages} messages, medians of {ROUNDS}: ns a message, ratio to plain tokio mpsc");
    compare(
        "alone",
        None,
        Some(1.7),
        || {
            [
                alone(plain(1), messages),
                alone(to_host(1), messages),
                alone(to_plugin(1), messages),
            ]
        },
        messages,
    );
    compare(
        "waiting",
        None,
        None,
        || {
            [
                waiting(plain(1), messages),
                waiting(to_host(1), messages),
                waiting(to_plugin(1), messages),
            ]
        },
        messages,
    );
    compare(
        "batches",
        Some(BATCH),
        Some(1.1),
        || {
            [
                batches(plain(BATCH), messages),
                batches(to_host(BATCH), messages),
                batches(to_plugin(BATCH), messages),
            ]
        },
        messages,
    );
}

fn compare(
    what: &str,
    batch: Option<usize>,
    bar: Option<f64>,
    mut round: impl FnMut() -> [Duration; 3],
    messages: u64,
) {
    let rounds: [[Duration; 3]; ROUNDS] = std::array::from_fn(|_| round());
    let ratio = |column: usize| {
        median(rounds.map(|times| times[column].as_secs_f64() / times[0].as_secs_f64()))
    };
    let nanos = |column: usize| {
        median(rounds.map(|times| times[column].as_secs_f64() * 1e9 / messages as f64))
    };
    let batch = batch.map(|size| format!(" of {size}")).unwrap_or_default();
    let bar = bar.map(|bar| format!("  (bar {bar})")).unwrap_or_default();
    println!(
        "{:16} plain {:6.1} ns | to host {:6.1} ns, {:.2} | to plugin {:6.1} ns, {:.2}{bar}",
        format!("{what}{batch}"),
        nanos(0),
        nanos(1),
        ratio(1),
        nanos(2),
        ratio(2),
    );
}

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

/// Receives as many as there are, up to a batch.
struct Plain {
    receiver: mpsc::Receiver<Message>,
    received: Vec<Message>,
}

fn plain(capacity: usize) -> (mpsc::Sender<Message>, Plain) {
    let (sender, receiver) = mpsc::channel(capacity);
    let received = Vec::with_capacity(BATCH);
    (sender, Plain { receiver, received })
}

fn to_host(capacity: usize) -> (Sender<Message>, Inlet<Message>) {
    let (sink, inlet) = channel::inlet(capacity);
    (Sender::new(sink), inlet)
}

fn to_plugin(capacity: usize) -> (Outlet<Message>, Receiver<Message>) {
    let (outlet, source) = channel::outlet(capacity);
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
        if self.received.is_empty() {
            self.receiver.recv_many(&mut self.received, BATCH).await;
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

fn alone((mut sender, mut receiver): (impl Send, impl Receive), messages: u64) -> Duration {
    time(async move {
        for number in 0..messages {
            assert!(sender.send(Message(number)).await);
            expect(receiver.receive().await, number);
        }
    })
}

fn waiting((mut sender, mut receiver): (impl Send, impl Receive), messages: u64) -> Duration {
    time(async move {
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

fn batches((mut sender, mut receiver): (impl Send, impl Receive), messages: u64) -> Duration {
    time(async move {
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

fn time(work: impl Future<Output = ()>) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime starts");
    let start = Instant::now();
    runtime.block_on(work);
    start.elapsed()
}
