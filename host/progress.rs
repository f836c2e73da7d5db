//! Shows on a terminal how far a run is: zones and records done, and the rate.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::terminal;

/// How often the line is drawn anew, and how long a run goes on before there is one.
const INTERVAL: Duration = Duration::from_millis(250);

/// What has been done so far. Cheap to update.
#[derive(Debug, Default)]
pub struct Progress {
    desired: AtomicUsize,
    records: AtomicUsize,
    planned: AtomicUsize,
    published: AtomicUsize,
}

impl Progress {
    /// A desired zone of `rrsets` RRsets went to the reconciler.
    pub(crate) fn desired(&self, rrsets: usize) {
        self.desired.fetch_add(1, Ordering::Relaxed);
        self.records.fetch_add(rrsets, Ordering::Relaxed);
    }

    /// A zone was compared or left out.
    pub(crate) fn planned(&self) {
        self.planned.fetch_add(1, Ordering::Relaxed);
    }

    /// The changes of a zone went to a publisher.
    pub(crate) fn published(&self) {
        self.published.fetch_add(1, Ordering::Relaxed);
    }

    /// The sums so far, for a report.
    pub(crate) fn sums(&self) -> String {
        let count = |number: &AtomicUsize| number.load(Ordering::Relaxed);
        format!(
            "zones desired: {}, of {} RRsets; compared or left out: {}; sets of changes sent: {}",
            count(&self.desired),
            count(&self.records),
            count(&self.planned),
            count(&self.published)
        )
    }

    /// Draws the progress line until it is dropped. Draws nothing when standard error is not a
    /// terminal, or when the run is over before there is anything to show.
    pub(crate) async fn show(&self) {
        let _line = Line;
        let start = Instant::now();
        loop {
            tokio::time::sleep(INTERVAL).await;
            terminal::progress(Some(&self.line(start.elapsed())));
        }
    }

    fn line(&self, elapsed: Duration) -> String {
        let count = |number: &AtomicUsize| number.load(Ordering::Relaxed);
        let (planned, published) = (count(&self.planned), count(&self.published));
        let (desired, records) = (count(&self.desired), count(&self.records));
        if desired == 0 {
            return "reading the first zone".to_owned();
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate for people to read"
        )]
        let rate = (records as f64 / elapsed.as_secs_f64().max(0.001)) as u64;
        let mut line =
            format!("{planned} of {desired} zones compared, {records} RRsets, {rate} a second");
        if published > 0 {
            line.push_str(&format!("; {published} sets of changes sent"));
        }
        line
    }
}

/// The progress line, which goes when this is dropped.
struct Line;

impl Drop for Line {
    fn drop(&mut self) {
        terminal::progress(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_was_done_and_how_fast() {
        let progress = Progress::default();
        assert_eq!(
            progress.line(Duration::from_secs(1)),
            "reading the first zone"
        );
        progress.desired(100);
        progress.desired(200);
        progress.planned();
        assert_eq!(
            progress.line(Duration::from_secs(2)),
            "1 of 2 zones compared, 300 RRsets, 150 a second"
        );
        progress.published();
        assert_eq!(
            progress.line(Duration::from_secs(3)),
            "1 of 2 zones compared, 300 RRsets, 100 a second; 1 sets of changes sent"
        );
    }
}
