use std::sync::Arc;
use std::task::Waker;

use janitor_plugin_api::ffi::{Receiver, Sender};

use super::{Inlet, MAX_OCTETS, Weigh, inlet, outlet};

impl Weigh for usize {
    /// Numbers pretend to be messages of that size.
    fn octets(&self) -> usize {
        *self
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts")
}

async fn all(mut inlet: Inlet<usize>) -> (Vec<usize>, bool) {
    let mut got = Vec::new();
    while let Some(message) = inlet.receive().await {
        got.push(message);
    }
    (got, inlet.is_complete())
}

#[test]
fn messages_arrive_in_order_through_a_channel_smaller_than_they_are_many() {
    runtime().block_on(async {
        let (sink, inlet) = inlet(3, Arc::default());
        let sending = tokio::spawn(async move {
            let mut sender = Sender::new(sink);
            for n in 0..1000 {
                sender.send(n).await.expect("the inlet is open");
            }
            sender.finish();
        });
        assert_eq!(all(inlet).await, ((0..1000).collect(), true));
        sending.await.expect("sending ends");
    });
}

#[test]
fn a_sender_that_is_dropped_without_finish_leaves_an_incomplete_stream() {
    runtime().block_on(async {
        let (sink, inlet) = inlet(3, Arc::default());
        let mut sender = Sender::new(sink);
        sender.send(1).await.expect("the inlet is open");
        drop(sender);
        assert_eq!(all(inlet).await, (vec![1], false));
    });
}

#[test]
fn a_finished_stream_ends_although_its_sender_is_still_there() {
    runtime().block_on(async {
        let (sink, inlet) = inlet(3, Arc::default());
        let mut sender = Sender::new(sink);
        sender.send(1).await.expect("the inlet is open");
        sender.finish();
        assert_eq!(all(inlet).await, (vec![1], true));
        drop(sender);
    });
}

#[test]
fn sending_after_finish_is_refused() {
    runtime().block_on(async {
        let (sink, inlet) = inlet(3, Arc::default());
        let mut sender = Sender::new(sink);
        sender.finish();
        assert!(sender.send(1).await.is_err());
        drop(sender);
        assert_eq!(all(inlet).await, (vec![], true));
    });
}

#[test]
fn a_blocked_sender_learns_that_nobody_receives_any_more() {
    runtime().block_on(async {
        for size in [1, MAX_OCTETS] {
            let (sink, inlet) = inlet(1, Arc::default());
            let mut sender = Sender::new(sink);
            sender.send(size).await.expect("the inlet is open");
            let blocked = tokio::spawn(async move { sender.send(size).await });
            tokio::task::yield_now().await;
            drop(inlet);
            assert!(blocked.await.expect("no panic").is_err(), "size {size}");
        }
    });
}

#[test]
fn a_channel_is_full_by_octets_long_before_it_is_by_messages() {
    runtime().block_on(async {
        let (sink, mut inlet) = inlet(1000, Arc::default());
        let mut sender = Sender::new(sink);
        sender
            .send(MAX_OCTETS * 2)
            .await
            .expect("one message always fits");
        let blocked = tokio::spawn(async move { sender.send(MAX_OCTETS).await });
        tokio::task::yield_now().await;
        assert!(!blocked.is_finished());
        assert_eq!(inlet.receive().await, Some(MAX_OCTETS * 2));
        assert!(blocked.await.expect("no panic").is_ok());
    });
}

#[test]
fn a_plugin_receives_in_order_and_sees_the_end() {
    runtime().block_on(async {
        let (outlet, source) = outlet(600, Arc::default());
        let sending = tokio::spawn(async move {
            for n in 0..1000_usize {
                assert!(outlet.send(n).await);
            }
        });
        let mut receiver = Receiver::new(source);
        let mut got = Vec::new();
        while let Some(n) = receiver.receive().await {
            got.push(n);
        }
        assert_eq!(got, (0..1000).collect::<Vec<_>>());
        sending.await.expect("sending ends");
    });
}

#[test]
fn a_busy_channel_lets_the_timers_of_the_plugins_runtime_run() {
    runtime().block_on(async {
        let (sink, mut inlet) = inlet(1024, Arc::default());
        let mut sender = Sender::new(sink);
        let ticks = tokio::spawn(async {
            let mut ticks = 0;
            loop {
                tokio::task::yield_now().await;
                ticks += 1;
                if ticks == 10 {
                    break;
                }
            }
        });
        // Everything is ready at once; only the task budget makes this loop yield.
        while !ticks.is_finished() {
            sender.send(0).await.expect("the inlet is open");
            let mut cx = std::task::Context::from_waker(Waker::noop());
            assert!(inlet.poll_receive(&mut cx).is_ready());
        }
    });
}
