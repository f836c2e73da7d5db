//! When nothing moves, and who is to blame.
//!
//! A run stalls when for a while no plugin sends or receives a message, and none begins or ends,
//! although at least one is at work. A single plugin that is slow while others move is no stall: what
//! it holds up will stand still in the end, and then it is one. Those that wait at a channel are held
//! up; those that are at work and do not wait hold them up.

use std::time::Duration;

use super::report::seconds;
use super::{Activity, Direction, Moment, Roster};
use crate::problem::{Code, Problem};

/// Tells of every stall once.
#[derive(Debug)]
pub(crate) struct StallWatch {
    limit: Duration,
    /// The last sign of life before the stall that was told.
    told: Option<u64>,
}

impl StallWatch {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, told: None }
    }

    /// The problem, if there is one now that was not told yet, and how long nothing needs to be asked
    /// again.
    pub(crate) fn look(&mut self, roster: &Roster) -> (Option<Problem>, Duration) {
        let now = Moment::now();
        let all = roster.all();
        let at_work = all.iter().any(|activity| activity.is_at_work());
        let last = all.iter().map(|activity| activity.last_sign()).max();
        let Some(last) = last.filter(|_| at_work) else {
            return (None, self.limit);
        };
        let still = Duration::from_nanos(now.saturating_sub(last));
        let Some(rest) = self.limit.checked_sub(still).filter(|rest| !rest.is_zero()) else {
            let is_news = self.told != Some(last);
            self.told = Some(last);
            return (is_news.then(|| stall(roster, still)), self.limit);
        };
        (None, rest)
    }
}

fn stall(roster: &Roster, still: Duration) -> Problem {
    let all = roster.all();
    let at_work = || all.iter().filter(|activity| activity.is_at_work());
    let busy = at_work().filter(|activity| activity.waits().is_none());
    let names = busy
        .map(|activity| format!("\"{}\"", activity.key))
        .collect::<Vec<_>>();
    let still = seconds(still);
    let summary = match names.as_slice() {
        // All wait for each other, or for the host.
        [] => format!("nothing has moved for {still}, and every plugin waits for another"),
        [name] => format!(
            "plugin {name} stalls: nothing has moved for {still}, and it neither sends nor waits"
        ),
        names => format!(
            "nothing has moved for {still}: plugins {} neither send nor wait",
            names.join(", ")
        ),
    };
    let mut problem = Problem::warning(Code::Stalled, summary);
    let waiting = at_work().filter_map(|activity| Some((activity, activity.waits()?.0)));
    for (activity, direction) in waiting {
        problem = problem.found(held_up(roster, activity, direction));
    }
    problem
        .because("it may work on something large, or wait for a server that does not answer")
        .help("kill -USR1 shows what every plugin is doing; core.deadline limits how long a run may take")
}

fn held_up(roster: &Roster, activity: &Activity, direction: Direction) -> String {
    format!(
        "\"{}\" waits to {}, for {}",
        activity.key,
        direction.text(),
        roster.waits_for(activity, direction)
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::activity::{Provenance, State};
    use crate::manifest::Role;

    fn roster() -> (Roster, Arc<Activity>, Arc<Activity>) {
        let roster = Roster::default();
        let of = |key: &str, role| Arc::new(Activity::new(key.into(), role, Provenance::default()));
        let authority = of("a", Role::Authority);
        let reconciler = of("r", Role::Reconciler);
        for activity in [&authority, &reconciler] {
            activity.enter(State::Running);
            roster.enlist(Arc::clone(activity));
        }
        (roster, authority, reconciler)
    }

    #[test]
    fn a_stall_is_told_once_and_again_after_something_has_moved() {
        let (roster, authority, reconciler) = roster();
        reconciler.receiving.blocked();
        let mut watch = StallWatch::new(Duration::ZERO);
        let (problem, _) = watch.look(&roster);
        let text = problem.expect("nothing moves").to_string();
        assert!(
            text.starts_with("warning[GJ602]: plugin \"a\" stalls: "),
            "{text}"
        );
        assert!(
            text.contains("\n  found: \"r\" waits to receive, for a\n"),
            "{text}"
        );
        assert!(watch.look(&roster).0.is_none());
        authority.sending.moved(1);
        assert!(watch.look(&roster).0.is_some());
    }

    #[test]
    fn what_moves_does_not_stall_and_is_asked_when_it_could() {
        let (roster, ..) = roster();
        let mut watch = StallWatch::new(Duration::from_secs(3600));
        let (problem, again) = watch.look(&roster);
        assert!(problem.is_none());
        assert!(again <= Duration::from_secs(3600) && again > Duration::from_secs(3500));
    }

    #[test]
    fn a_run_in_which_nobody_is_at_work_does_not_stall() {
        let (roster, authority, reconciler) = roster();
        authority.enter(State::Ended);
        reconciler.enter(State::Ended);
        assert!(StallWatch::new(Duration::ZERO).look(&roster).0.is_none());
    }

    #[test]
    fn when_all_wait_nobody_is_blamed() {
        let (roster, authority, reconciler) = roster();
        authority.sending.blocked();
        reconciler.receiving.blocked();
        let (problem, _) = StallWatch::new(Duration::ZERO).look(&roster);
        let text = problem.expect("nothing moves").to_string();
        assert!(text.contains("every plugin waits for another"), "{text}");
    }
}
