//! A run that sends to a script, with a clock that jumps to wherever something happens.

use std::cell::{Cell, RefCell};

use janitor_plugin_api::dns::Name;
use serde_json::Value;
use tokio::sync::watch;

use super::*;

/// What is asked for, and what is said to that.
type Answer = dyn Fn(&[String]) -> (Duration, Verdict);

/// A world that notes what happens, and when, in seconds.
struct Stage {
    start: Instant,
    answer: Box<Answer>,
    requests: RefCell<Vec<(f64, Vec<String>)>>,
    under_way: Cell<usize>,
    most_under_way: Cell<usize>,
    reports: RefCell<Vec<String>>,
    cancel: watch::Sender<bool>,
}

impl Stage {
    fn new(answer: impl Fn(&[String]) -> (Duration, Verdict) + 'static) -> Self {
        Self {
            start: Instant::now(),
            answer: Box::new(answer),
            requests: RefCell::default(),
            under_way: Cell::new(0),
            most_under_way: Cell::new(0),
            reports: RefCell::default(),
            cancel: watch::Sender::new(false),
        }
    }

    /// One that acknowledges everything after a second.
    fn willing() -> Self {
        Self::new(|messages| (SECOND, acknowledged(messages)))
    }

    fn world(&self) -> World<'_, u32> {
        let mut cancel = self.cancel.subscribe();
        World {
            publish: Box::new(move |body, count| {
                let messages = messages(&body);
                assert_eq!(messages.len(), count);
                let (pause, verdict) = (self.answer)(&messages);
                let now = self.start.elapsed().as_secs_f64();
                self.requests.borrow_mut().push((now, messages));
                self.under_way.set(self.under_way.get() + 1);
                let most = self.most_under_way.get().max(self.under_way.get());
                self.most_under_way.set(most);
                Box::pin(async move {
                    tokio::time::sleep(pause).await;
                    self.under_way.set(self.under_way.get() - 1);
                    verdict
                })
            }),
            report: Box::new(|zone, change, outcome| {
                let outcome = match outcome {
                    Outcome::Applied => "applied".to_owned(),
                    Outcome::Accepted => "accepted".to_owned(),
                    Outcome::Refused(reason) => format!("refused: {reason}"),
                    Outcome::Unknown(reason) => format!("unknown: {reason}"),
                };
                let report = format!("{zone}/{change} {outcome}");
                self.reports.borrow_mut().push(report);
            }),
            cancelled: Box::pin(async move {
                // It lives as long as the stage.
                let _cancelled = cancel.wait_for(|is| *is).await.is_ok();
            }),
        }
    }

    /// Sends the parcels 0 to `parcels`, of `messages` each.
    async fn send(&self, manner: Manner, parcels: u32, messages: u32) -> Counts {
        let mut sending = Sending::new(manner, self.world());
        for number in 0..parcels {
            sending.push(number, parcel(number, messages)).await;
        }
        sending.finish().await
    }

    /// What was asked for, one request a line: when, and with which messages.
    fn requests(&self) -> Vec<String> {
        let requests = self.requests.borrow();
        let lines = requests
            .iter()
            .map(|(when, messages)| format!("{when} {}", messages.join(" ")));
        lines.collect()
    }

    /// What was reported, in the order of the changes.
    fn reports(&self) -> Vec<String> {
        let mut reports = self.reports.borrow().clone();
        reports.sort();
        reports
    }
}

const SECOND: Duration = Duration::from_secs(1);

fn manner(batch: usize, at_once: usize) -> Manner {
    Manner {
        batch,
        at_once,
        messages_per_second: None,
        patience: Duration::from_secs(60),
        patience_cancelled: Duration::from_secs(10),
    }
}

fn parcel(number: u32, messages: u32) -> Parcel {
    let json = (0..messages).map(|message| format!(r#"{{"data":"{number}.{message}"}}"#));
    Parcel {
        owner: Name::root(),
        key: None,
        messages: (0..messages)
            .map(|message| (message, Direction::Addition))
            .collect(),
        json: json.collect::<Vec<_>>().join(",").into(),
    }
}

fn messages(body: &[u8]) -> Vec<String> {
    let body: Value = serde_json::from_slice(body).expect("JSON");
    let messages = body["messages"].as_array().expect("a list");
    let data = messages
        .iter()
        .map(|message| message["data"].as_str().expect("a text").to_owned());
    data.collect()
}

fn acknowledged(messages: &[String]) -> Verdict {
    Verdict::Acknowledged(
        messages
            .iter()
            .map(|message| format!("id-{message}"))
            .collect(),
    )
}

fn counts(acknowledged: usize, refused: usize, unknown: usize) -> Counts {
    Counts {
        acknowledged,
        refused,
        unknown,
    }
}

fn accepted(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| format!("{number}/0 accepted")).collect()
}

#[tokio::test(start_paused = true)]
async fn batches_are_filled_and_only_so_many_are_under_way() {
    let stage = Stage::willing();
    assert_eq!(stage.send(manner(2, 3), 9, 1).await, counts(9, 0, 0));
    assert_eq!(
        stage.requests(),
        ["0 0.0 1.0", "0 2.0 3.0", "0 4.0 5.0", "1 6.0 7.0", "1 8.0"]
    );
    assert_eq!(stage.most_under_way.get(), 3);
    assert_eq!(stage.reports(), accepted(0..9));
}

#[tokio::test(start_paused = true)]
async fn the_messages_of_an_owner_stay_in_one_batch() {
    let stage = Stage::willing();
    assert_eq!(stage.send(manner(4, 1), 3, 3).await, counts(9, 0, 0));
    assert_eq!(
        stage.requests(),
        ["0 0.0 0.1 0.2", "1 1.0 1.1 1.2", "2 2.0 2.1 2.2"]
    );
    // Also where they are more than a batch is to have.
    let stage = Stage::willing();
    assert_eq!(stage.send(manner(1, 1), 2, 2).await, counts(4, 0, 0));
    assert_eq!(stage.requests(), ["0 0.0 0.1", "1 1.0 1.1"]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_full_at_a_megabyte() {
    let stage = Stage::willing();
    let mut sending = Sending::new(manner(1000, 1), stage.world());
    for number in 0..3 {
        let mut large = parcel(number, 1);
        let data = "x".repeat(400_000);
        large.json = format!(r#"{{"data":"{number}","attributes":{{"x":"{data}"}}}}"#).into();
        sending.push(number, large).await;
    }
    assert_eq!(sending.finish().await, counts(3, 0, 0));
    assert_eq!(stage.requests(), ["0 0 1", "1 2"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_gathered_goes_off_when_nothing_comes_and_waits_while_something_does() {
    let stage = Stage::willing();
    let mut sending = Sending::new(manner(1000, 1), stage.world());
    for number in 0..6 {
        sending.push(number, parcel(number, 1)).await;
        // The third zone comes late, the others at once.
        let pause = if number == 2 {
            2 * SECOND
        } else {
            Duration::ZERO
        };
        let zone = async {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        };
        sending.meanwhile(zone).await;
    }
    assert_eq!(sending.finish().await, counts(6, 0, 0));
    assert_eq!(stage.requests(), ["0 0.0 1.0 2.0", "2 3.0 4.0 5.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_refused_for_itself_does_not_fail_the_others() {
    let stage = Stage::new(|messages| {
        let verdict = if messages.contains(&"5.1".to_owned()) {
            Verdict::Unfit("no".to_owned())
        } else {
            acknowledged(messages)
        };
        (SECOND, verdict)
    });
    assert_eq!(stage.send(manner(1000, 1), 8, 2).await, counts(14, 2, 0));
    let mut expected = Vec::new();
    for number in 0..8 {
        let outcome = if number == 5 {
            "refused: no"
        } else {
            "accepted"
        };
        expected.extend([0, 1].map(|change| format!("{number}/{change} {outcome}")));
    }
    assert_eq!(stage.reports(), expected);
    // Halves, quarters, eighths: each of them once.
    assert_eq!(stage.requests.borrow().len(), 1 + 2 + 2 + 2);
}

#[tokio::test(start_paused = true)]
async fn where_everything_is_refused_for_itself_that_is_found_out_in_bounds() {
    let stage = Stage::new(|_| (SECOND, Verdict::Unfit("no".to_owned())));
    assert_eq!(
        stage.send(manner(100, 4), 1000, 1).await,
        counts(0, 1000, 0)
    );
    // Those that were under way when the last one was refused are waited for.
    assert_eq!(stage.requests.borrow().len(), 64 + 3);
    let reports = stage.reports();
    assert_eq!(reports.len(), 1000);
    let unsent = reports.iter().filter(|report| report.contains("not sent"));
    assert!(unsent.count() > 900);
}

#[tokio::test(start_paused = true)]
async fn so_many_batches_are_halved_and_no_more() {
    // Every other message is wrong.
    let is_odd = |message: &String| {
        let number = message.trim_end_matches(".0").parse::<u32>();
        number.expect("a number") % 2 == 1
    };
    let stage = Stage::new(move |messages| {
        let verdict = if messages.iter().any(is_odd) {
            Verdict::Unfit("no".to_owned())
        } else {
            acknowledged(messages)
        };
        (SECOND, verdict)
    });
    let counted = stage.send(manner(1000, 1), 1000, 1).await;
    assert!(counted.acknowledged > 0, "{counted:?}");
    assert_eq!(counted.acknowledged + counted.refused, 1000);
    assert!(stage.requests.borrow().len() <= 1 + 2 * 64);
    assert_eq!(stage.reports().len(), 1000);
}

#[tokio::test(start_paused = true)]
async fn parcels_with_keys_of_their_own_go_alone() {
    let stage = Stage::willing();
    let mut sending = Sending::new(manner(1000, 2), stage.world());
    for (number, key) in [Some("a"), Some("b"), None, None, Some("c")]
        .into_iter()
        .enumerate()
    {
        let number = u32::try_from(number).expect("few");
        let mut parcel = parcel(number, 2);
        parcel.key = key.map(str::to_owned);
        sending.push(number, parcel).await;
    }
    assert_eq!(sending.finish().await, counts(10, 0, 0));
    assert_eq!(
        stage.requests(),
        ["0 0.0 0.1", "0 1.0 1.1", "1 2.0 2.1 3.0 3.1", "1 4.0 4.1"]
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_more_is_sent_once_pub_sub_has_refused_and_what_is_under_way_is_waited_for() {
    let stage = Stage::new(|messages| match messages[0].as_str() {
        "1.0" => (SECOND, Verdict::Refused("forbidden".to_owned())),
        _ => (3 * SECOND, acknowledged(messages)),
    });
    assert_eq!(stage.send(manner(1, 2), 6, 1).await, counts(1, 5, 0));
    assert_eq!(stage.requests(), ["0 0.0", "0 1.0"]);
    let mut expected = accepted(0..1);
    expected.extend((1..6).map(|number| format!("{number}/0 refused: forbidden")));
    assert_eq!(stage.reports(), expected);
}

#[tokio::test(start_paused = true)]
async fn what_had_no_answer_is_unknown_and_what_follows_is_not_sent() {
    let stage = Stage::new(|messages| match messages[0].as_str() {
        "0.0" => (SECOND, acknowledged(messages)),
        _ => (SECOND, Verdict::Unknown("silence".to_owned())),
    });
    assert_eq!(stage.send(manner(2, 1), 6, 1).await, counts(2, 2, 2));
    assert_eq!(
        stage.reports(),
        [
            "0/0 accepted",
            "1/0 accepted",
            "2/0 unknown: silence",
            "3/0 unknown: silence",
            "4/0 refused: not sent, as publishing had failed before it was their turn",
            "5/0 refused: not sent, as publishing had failed before it was their turn",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn halves_of_a_batch_are_not_sent_once_nothing_is_sent_any_more() {
    let stage = Stage::new(|messages| match messages[0].as_str() {
        "0.0" => (SECOND, Verdict::Refused("forbidden".to_owned())),
        _ => (2 * SECOND, Verdict::Unfit("no".to_owned())),
    });
    assert_eq!(stage.send(manner(2, 2), 4, 1).await, counts(0, 4, 0));
    assert_eq!(stage.requests().len(), 2);
    assert_eq!(
        stage.reports(),
        [
            "0/0 refused: forbidden",
            "1/0 refused: forbidden",
            "2/0 refused: no",
            "3/0 refused: no",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_sends_nothing_more_and_waits_for_what_is_under_way() {
    let stage = Stage::new(|messages| match messages[0].as_str() {
        "1.0" => (30 * SECOND, acknowledged(messages)),
        _ => (5 * SECOND, acknowledged(messages)),
    });
    let cancel = async {
        tokio::time::sleep(SECOND).await;
        stage.cancel.send_replace(true);
    };
    let (counted, ()) = tokio::join!(stage.send(manner(1, 2), 4, 1), cancel);
    assert_eq!(counted, counts(1, 2, 1));
    assert_eq!(
        stage.reports(),
        [
            "0/0 accepted",
            "1/0 unknown: Pub/Sub has not acknowledged them, and the run was cancelled and could not \
             wait for it any longer",
            "2/0 refused: the run was cancelled before their turn",
            "3/0 refused: the run was cancelled before their turn",
        ]
    );
    // Cancelled after a second, then ten of patience.
    assert_eq!(stage.start.elapsed().as_secs(), 11);
}

#[tokio::test(start_paused = true)]
async fn cleanup_timeout_ends_the_wait_whatever_its_value() {
    for (patience, waited) in [(0.7, 0), (0.0, 0), (61.0, 61)] {
        let stage = Stage::new(|messages| (1000 * SECOND, acknowledged(messages)));
        let manner = Manner {
            patience: Duration::from_secs_f64(patience),
            ..manner(1, 2)
        };
        assert_eq!(stage.send(manner, 2, 1).await, counts(0, 0, 2));
        assert_eq!(stage.start.elapsed().as_secs(), waited);
        let why = "unknown: Pub/Sub has not acknowledged them, and that was not waited for any longer \
                   than cleanup_timeout";
        assert_eq!(
            stage.reports(),
            [format!("0/0 {why}"), format!("1/0 {why}")]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn cleanup_timeout_does_not_count_while_something_is_left_to_be_sent() {
    let stage = Stage::new(|messages| (50 * SECOND, acknowledged(messages)));
    assert_eq!(stage.send(manner(1, 1), 4, 1).await, counts(4, 0, 0));
    assert_eq!(stage.start.elapsed().as_secs(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_pace_spreads_messages_evenly() {
    let stage = Stage::willing();
    let slow = Manner {
        messages_per_second: Some(2.0),
        ..manner(1000, 4)
    };
    assert_eq!(stage.send(slow, 6, 1).await, counts(6, 0, 0));
    assert_eq!(stage.requests(), ["0 0.0 1.0", "1 2.0 3.0", "2 4.0 5.0"]);

    // Owners stay together, and cost as much later.
    let stage = Stage::willing();
    let slower = Manner {
        messages_per_second: Some(0.5),
        ..manner(1000, 4)
    };
    assert_eq!(stage.send(slower, 3, 2).await, counts(6, 0, 0));
    assert_eq!(stage.requests(), ["0 0.0 0.1", "4 1.0 1.1", "8 2.0 2.1"]);
}
