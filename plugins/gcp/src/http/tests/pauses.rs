//! How long requests wait before they are sent again.

use std::time::Duration;

use crate::http::retry::{Attempts, Policy};

const HALF: Duration = Duration::from_millis(500);
const DAY: Duration = Duration::from_hours(24);

fn after(made: u32, policy: Policy) -> Attempts {
    let mut attempts = policy.attempts(policy.deadline());
    (0..made).for_each(|_| attempts.begin());
    attempts
}

#[test]
fn pauses_grow_twofold_to_half_a_minute() {
    let policy = Policy::longest_pauses(HALF, DAY);
    let pauses = [1, 2, 3, 6, 7, 8, 40, u32::MAX].map(|made| {
        let mut attempts = policy.attempts(policy.deadline());
        // What a test cannot wait for.
        attempts.set_made(made);
        attempts.pause(None).unwrap().as_secs_f64()
    });
    assert_eq!(pauses, [0.5, 1.0, 2.0, 16.0, 32.0, 32.0, 32.0, 32.0]);
}

#[test]
fn pauses_are_drawn_from_the_whole_range() {
    let attempts = after(3, Policy::new(DAY));
    let longest = Duration::from_secs(2);
    let mut tenths = [0; 10];
    for _ in 0..2000 {
        let pause = attempts.pause(None).unwrap();
        assert!(pause <= longest);
        let tenth = (1..10).find(|&tenth| pause < longest * tenth / 10);
        tenths[tenth.unwrap_or(10) as usize - 1] += 1;
    }
    // Each has 200 of 2000; one with less than 100 comes about once in 10¹³ runs.
    assert!(tenths.iter().all(|&count| count > 100), "{tenths:?}");
}

#[test]
fn a_pause_that_the_service_asks_for_is_the_least() {
    let asked = Duration::from_secs(60);
    let attempts = after(1, Policy::new(DAY));
    for _ in 0..100 {
        let pause = attempts.pause(Some(asked)).unwrap();
        assert!((asked..=asked + HALF).contains(&pause), "{pause:?}");
    }
}

#[test]
fn there_is_no_pause_that_the_deadline_leaves_no_time_for() {
    let policy = Policy::longest_pauses(HALF, Duration::from_secs(60));
    let attempts = after(1, policy);
    assert!(attempts.pause(None).is_some());
    assert!(attempts.pause(Some(Duration::from_secs(59))).is_some());
    assert!(attempts.pause(Some(Duration::from_secs(60))).is_none());
    assert!(attempts.pause(Some(Duration::MAX)).is_none());
}

/// By the clock of tokio, which stands still but for those who wait.
#[test]
fn pauses_end_with_the_deadline() {
    let policy = Policy::new(Duration::from_secs(300));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.unwrap().block_on(async {
        let began = tokio::time::Instant::now();
        let mut attempts = policy.attempts(policy.deadline());
        loop {
            attempts.begin();
            let Some(pause) = attempts.pause(None) else {
                break;
            };
            tokio::time::sleep(pause).await;
        }
        assert!(began.elapsed() <= Duration::from_secs(300));
        // Sixteen seconds on average, once they have grown.
        assert!((12..100).contains(&attempts.made()), "{}", attempts.made());
    });
}
