//! What the plugins are doing, as people read it.

use std::time::Duration;

use super::{Activity, Direction, Lane, Moment, Roster, State};
use crate::manifest::Role;

impl Roster {
    /// One line for each plugin, in the order of a run.
    pub(crate) fn lines(&self) -> Vec<String> {
        let now = Moment::now();
        let all = self.all();
        all.iter()
            .map(|activity| {
                let Activity { key, role, .. } = &**activity;
                let mut line = format!("{key} ({role}): {}", activity.describe(now));
                if let Some((direction, _)) = activity.waits() {
                    line.push_str(&format!(", for {}", self.waits_for(activity, direction)));
                }
                line
            })
            .collect()
    }

    /// Who has to do something before `activity` can go on.
    pub(super) fn waits_for(&self, activity: &Activity, direction: Direction) -> String {
        let all = self.all();
        let at_work = |role: Role| {
            let keys = all
                .iter()
                .filter(|other| other.role == role && other.is_at_work())
                .map(|other| &*other.key);
            keys.collect::<Vec<_>>()
        };
        let (roles, otherwise): (&[Role], _) = match (activity.role, direction) {
            (Role::Authority, Direction::Send) => (&[Role::Reconciler], "the host"),
            (Role::Reconciler, Direction::Receive) => (&[Role::Authority], "the host"),
            // What is published is what has been planned to its end.
            (Role::Publisher, Direction::Receive) => {
                (&[Role::Authority, Role::Reconciler], "the host")
            }
            _ => (&[], "the host"),
        };
        let keys = roles
            .iter()
            .flat_map(|role| at_work(*role))
            .collect::<Vec<_>>();
        if keys.is_empty() {
            otherwise.to_owned()
        } else {
            keys.join(", ")
        }
    }
}

impl Activity {
    /// Its state, and what it has received and sent: `running for 41.0s; received 3, the last 40.9s
    /// ago; …`
    pub(crate) fn describe_now(&self) -> String {
        self.describe(Moment::now())
    }

    fn describe(&self, now: u64) -> String {
        let since = seconds(self.since.age(now).unwrap_or_default());
        let mut parts = vec![match self.state() {
            State::New => format!("starting for {since}"),
            State::Creating => format!("being created for {since}"),
            State::Created => format!("created {since} ago, waiting for the others"),
            State::Running => format!("running for {since}"),
            State::Ended => format!("ended {since} ago"),
        }];
        for (lane, done) in [(&self.receiving, "received"), (&self.sending, "sent")] {
            if lane.is_there() {
                parts.push(lane.describe(done, now));
            }
        }
        if self.state() == State::Running {
            parts.push(match self.waits() {
                Some((direction, moment)) => {
                    let since = Duration::from_nanos(now.saturating_sub(moment));
                    format!("waiting to {} for {}", direction.text(), seconds(since))
                }
                None => "waiting at no channel".to_owned(),
            });
        }
        parts.join("; ")
    }

    /// The kernel's number of its thread.
    pub(crate) fn thread(&self) -> i32 {
        self.thread.load(super::Relaxed)
    }
}

impl Lane {
    fn describe(&self, done: &str, now: u64) -> String {
        let messages = self.messages.load(super::Relaxed);
        match self.last.age(now) {
            None => format!("{done} nothing"),
            Some(age) => format!("{done} {messages}, the last {} ago", seconds(age)),
        }
    }
}

/// A duration as people compare it: `41.0s`.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1}s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::activity::Provenance;

    /// `line` with every number of seconds as `_s`.
    fn timeless(line: &str) -> String {
        let words = line.split(' ').map(|word| {
            let bare = word.trim_end_matches([';', ',']);
            let is_time = bare.ends_with('s') && bare.starts_with(|c: char| c.is_ascii_digit());
            if is_time {
                word.replace(bare, "_s")
            } else {
                word.to_owned()
            }
        });
        words.collect::<Vec<_>>().join(" ")
    }

    fn enlist(roster: &Roster, key: &str, role: Role, state: State) -> Arc<Activity> {
        let activity = Arc::new(Activity::new(key.into(), role, Provenance::default()));
        activity.enter(state);
        roster.enlist(Arc::clone(&activity));
        activity
    }

    #[test]
    fn every_plugin_has_a_line_that_says_for_whom_it_waits() {
        let roster = Roster::default();
        let publisher = enlist(&roster, "p", Role::Publisher, State::Running);
        let reconciler = enlist(&roster, "r", Role::Reconciler, State::Running);
        let authority = enlist(&roster, "a", Role::Authority, State::Running);
        enlist(&roster, "done", Role::Authority, State::Ended);
        authority.sending.open();
        authority.sending.moved(2);
        reconciler.receiving.open();
        reconciler.receiving.moved(2);
        reconciler.receiving.blocked();
        reconciler.sending.open();
        publisher.receiving.open();
        publisher.receiving.blocked();
        let lines = roster.lines();
        let lines = lines.iter().map(|line| timeless(line)).collect::<Vec<_>>();
        assert_eq!(
            lines,
            [
                "a (authority): running for _s; sent 2, the last _s ago; waiting at no channel",
                "done (authority): ended _s ago",
                "r (reconciler): running for _s; received 2, the last _s ago; sent nothing; \
                 waiting to receive for _s, for a",
                "p (publisher): running for _s; received nothing; waiting to receive for _s, \
                 for a, r",
            ]
        );
    }
}
