//! What is said to Cloud DNS about the changes of one zone, and what follows from its answers.
//!
//! ```text
//!            ┌──────────── as before: once more, as it is listed ───────────────┐
//!            ▼                                                                  │
//!  split ─► send ── 412, 404, 409 ─► look at what is served ────────────────────┤
//!            │                                                                  ├─ as after ─► made
//!            ├── no answer ─► look at what is served ───────────────────────────┤
//!            │                                                                  └─ neither ─► plan again
//!            ├── 200 ─► made
//!            ├── 400 ─► without what it names, and what goes with that
//!            ├── more than the quota ─► halves
//!            └── 401, 403, … ─► all of the zone is refused
//! ```
//!
//! Cloud DNS makes all of a change or nothing, and only if what it deletes is there exactly so and what it
//! adds is not. So to send the same twice is safe: what was made is not made again, but refused, and found
//! as it should be by the look that follows.
//!
//! No I/O and no clock: whoever drives it does what [`Work::next`] says and hands back what came of it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use janitor_plugin_api::dns::Changes;
use serde::Serialize;

use super::plan::{Plan, named};
use super::served::{Place, Served, place};
use super::split::{self, TooLarge};
use super::verdict::Refusal;
use crate::limits::{self, Quota};
use crate::record_sets::{RecordSet, to_json};

mod following;

/// What to do next.
#[derive(Debug)]
pub(super) struct Turn {
    /// How many times the same was lost before: the longer the pause.
    pub(super) failures: u32,
    pub(super) step: Step,
}

#[derive(Debug)]
pub(super) enum Step {
    /// Send a change, in JSON.
    Send(Vec<u8>),
    /// Look at what is served at these places.
    Look(BTreeSet<Place>),
    Done,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Reply {
    /// The change is made, and has this id.
    Made { id: String, is_done: bool },
    /// It is not.
    Refused(Refusal),
    /// It was sent, and there is no answer that can be used.
    Lost(String),
    /// It was not sent, or cannot be looked at.
    NotSent(String),
    /// What is served.
    Served(Served),
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made { id, is_done } => write!(f, "change {id}, done: {is_done}"),
            Self::Refused(refusal) => f.write_str(&refusal.told()),
            Self::Lost(text) | Self::NotSent(text) => f.write_str(text),
            Self::Served(_) => f.write_str("what is served"),
        }
    }
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is on its way, and nobody can tell before the answer is there.
    Sent,
    /// It was not made, and is going to be sent again.
    Waiting,
    /// It is made; whether it is visible at the servers has to be asked.
    Made,
    Refused(String),
    Unknown(String),
}

/// Changes that were made at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    /// The change of Cloud DNS; none where they were found to be made, by whichever.
    pub(super) id: Option<String>,
    /// Whether it was done when it was answered.
    pub(super) is_done: bool,
    /// The changes, by their indices.
    pub(super) changes: Vec<u32>,
}

/// What is told of the work as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Changes of Cloud DNS that the plan was split into.
    pub(super) splits: u32,
    /// Changes sent beyond those.
    pub(super) extra: u32,
    /// Looks at what is served.
    pub(super) looks: u32,
}

/// A change of Cloud DNS.
#[derive(Serialize)]
struct Body<'a> {
    additions: Vec<RecordSet>,
    deletions: Vec<Cow<'a, RecordSet>>,
}

/// The work on one zone.
pub(super) struct Work<'a> {
    plan: Plan<'a>,
    quota: Quota,
    /// The first place of the plan that is in no task yet.
    next: usize,
    /// What to do next is last.
    tasks: Vec<Task>,
    /// What is waited for.
    current: Option<Task>,
    /// What is deleted, as it is listed, where that was asked.
    texts: BTreeMap<usize, RecordSet>,
    /// What was refused, by its bond, and what that means for others.
    broken: BTreeMap<u32, String>,
    /// Where a change was refused, or may have been made.
    over: BTreeSet<usize>,
    news: Vec<(u32, Fate)>,
    made: Vec<Made>,
    tally: Tally,
}

/// Changes that are sent together.
#[derive(Clone, Debug, Default)]
struct Task {
    /// Where they are in the plan, in its order.
    places: Vec<usize>,
    stage: Stage,
    /// How often it was sent without an answer.
    losses: u32,
    /// Why the last answer is missing, if one is.
    lost: Option<String>,
    /// How often a condition did not hold.
    conditions: u32,
    /// How often a part was left out.
    contents: u32,
    /// Whether it was sent before.
    is_extra: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Send,
    /// After an answer that is missing.
    LookAfterLoss,
    /// After this answer, by which nothing was made.
    LookAfterRefusal(String),
}

impl Task {
    /// What is to be sent, and was not.
    fn of(places: Vec<usize>) -> Self {
        Self {
            places,
            ..Self::default()
        }
    }
}

impl<'a> Work<'a> {
    pub(super) fn new(changes: &'a Changes, quota: Quota) -> Self {
        let mut work = Self {
            plan: Plan::new(changes),
            quota,
            next: 0,
            tasks: Vec::new(),
            current: None,
            texts: BTreeMap::new(),
            broken: BTreeMap::new(),
            over: BTreeSet::new(),
            news: Vec::new(),
            made: Vec::new(),
            tally: Tally::default(),
        };
        work.refuse_unfit();
        work
    }

    /// Refuses what Cloud DNS cannot have, and what goes with it.
    fn refuse_unfit(&mut self) {
        for at in 0..self.plan.len() {
            let addition = self.plan.item(at).change.addition();
            if let Some(unfit) = addition.and_then(|it| limits::unfit(it, &self.quota)) {
                self.refuse(&Task::of(vec![at]), &unfit.to_string());
            }
        }
        let mut all = Task::of((0..self.plan.len()).collect());
        if !self.broken.is_empty() {
            self.drop_broken(&mut all);
            self.plan.retain(|at| all.places.binary_search(&at).is_ok());
            self.over.clear();
        }
    }

    /// What became of which change, by its index, since this was asked last.
    pub(super) fn news(&mut self) -> Vec<(u32, Fate)> {
        std::mem::take(&mut self.news)
    }

    /// What was made.
    pub(super) fn into_made(self) -> Vec<Made> {
        self.made
    }

    pub(super) const fn tally(&self) -> Tally {
        self.tally
    }

    /// Returns what to do next. [`Self::answer`] has to follow, unless it is done.
    pub(super) fn next(&mut self) -> Turn {
        let task = loop {
            let Some(mut task) = self.tasks.pop().or_else(|| self.begin_split()) else {
                let (failures, step) = (0, Step::Done);
                return Turn { failures, step };
            };
            self.drop_broken(&mut task);
            if !task.places.is_empty() {
                break task;
            }
        };
        let step = match &task.stage {
            Stage::Send => {
                match task.is_extra {
                    true => self.tally.extra += 1,
                    false => self.tally.splits += 1,
                }
                let body = self.body(&task);
                self.tell(&task.places, &Fate::Sent);
                Step::Send(body)
            }
            Stage::LookAfterLoss | Stage::LookAfterRefusal(_) => {
                self.tally.looks += 1;
                let places = task.places.iter();
                Step::Look(places.map(|&at| place(self.plan.item(at).change)).collect())
            }
        };
        let failures = match task.stage {
            Stage::Send => task.losses,
            _ => 0,
        };
        self.current = Some(task);
        Turn { failures, step }
    }

    /// Takes what came of the step before.
    pub(super) fn answer(&mut self, reply: Reply) {
        let Some(mut task) = self.current.take() else {
            return;
        };
        match (reply, task.stage.clone()) {
            (Reply::Made { id, is_done }, _) => self.settle(&task.places, Some(id), is_done),
            (Reply::Refused(refusal), Stage::Send) => self.judge(task, &refusal),
            (Reply::Lost(reason), Stage::Send) => {
                task.losses += 1;
                task.lost = Some(reason);
                task.is_extra = true;
                task.stage = Stage::LookAfterLoss;
                self.tasks.push(task);
            }
            (Reply::NotSent(reason), Stage::Send) => self.abandon(&task, &reason),
            (Reply::Served(served), stage) => self.compare(task, &stage, &served),
            (reply, Stage::LookAfterRefusal(refusal)) => {
                let reason = format!("{refusal}; and what is served cannot be read: {reply}");
                self.abandon(&task, &reason);
            }
            (reply, _) => {
                let reason = format!("what is served cannot be read: {reply}");
                self.abandon(&task, &reason);
            }
        }
    }

    /// The next part of the plan. What cannot be sent in any way is refused on the way there.
    fn begin_split(&mut self) -> Option<Task> {
        while self.next < self.plan.len() {
            let places = match split::next(&self.plan, self.next, &self.quota) {
                Ok(places) => places,
                Err(too_large) => {
                    self.refuse_owner(&too_large);
                    continue;
                }
            };
            self.next = places.end;
            return Some(Task::of(places.collect()));
        }
        None
    }

    fn refuse_owner(&mut self, too_large: &TooLarge) {
        let task = Task::of(too_large.owner.clone().collect());
        self.refuse(&task, &too_large.to_string());
        self.next = too_large.owner.end;
    }

    fn body(&self, task: &Task) -> Vec<u8> {
        let mut body = Body {
            additions: Vec::new(),
            deletions: Vec::new(),
        };
        for &at in &task.places {
            let change = self.plan.item(at).change;
            body.additions.extend(change.addition().map(to_json));
            body.deletions
                .extend(change.deletion().map(|rrset| match self.texts.get(&at) {
                    Some(listed) => Cow::Borrowed(listed),
                    None => Cow::Owned(to_json(rrset)),
                }));
        }
        serde_json::to_vec(&body).expect("texts and numbers are JSON")
    }

    /// Refuses what goes with something that was refused.
    fn drop_broken(&mut self, task: &mut Task) {
        if self.broken.is_empty() {
            return;
        }
        for at in std::mem::take(&mut task.places) {
            if self.over.contains(&at) {
                continue;
            }
            match self.broken.get(&self.plan.bond(at)).cloned() {
                None => task.places.push(at),
                Some(reason) => {
                    let places = vec![at];
                    let alone = Task {
                        places,
                        ..task.clone()
                    };
                    self.refuse(&alone, &reason);
                }
            }
        }
    }

    /// Notes that changes are made.
    fn settle(&mut self, places: &[usize], id: Option<String>, is_done: bool) {
        self.tell(places, &Fate::Made);
        let changes = places.iter().map(|&at| self.plan.item(at).index);
        self.made.push(Made {
            id,
            is_done,
            changes: changes.collect(),
        });
    }

    /// Refuses what a task is about; what goes with it must not be made then. If it was ever sent without
    /// an answer, nobody can tell.
    fn refuse(&mut self, task: &Task, reason: &str) {
        let fate = match &task.lost {
            Some(lost) => Fate::Unknown(format!(
                "it was sent, and there is no answer ({lost}); {reason}"
            )),
            None => Fate::Refused(reason.to_owned()),
        };
        for &at in &task.places {
            let what = || format!("not without {}: {reason}", named(self.plan.item(at).change));
            self.broken.entry(self.plan.bond(at)).or_insert_with(what);
            self.over.insert(at);
        }
        self.tell(&task.places, &fate);
    }

    /// Refuses what a task is about, and everything that comes after it.
    fn abandon(&mut self, task: &Task, reason: &str) {
        self.refuse(task, reason);
        let after = format!("not sent, because of what comes before it in the zone: {reason}");
        for task in std::mem::take(&mut self.tasks).into_iter().rev() {
            self.refuse(&task, &after);
        }
        let rest: Vec<_> = (self.next..self.plan.len()).collect();
        self.tell(&rest, &Fate::Refused(after));
        self.next = self.plan.len();
    }

    /// Notes that an answer has come by which nothing was made. That says nothing of a request before it
    /// that had none: of its changes nobody can tell until something is made, or looked at.
    fn await_turn(&mut self, task: &Task) {
        if task.lost.is_none() {
            self.tell(&task.places, &Fate::Waiting);
        }
    }

    fn tell(&mut self, places: &[usize], fate: &Fate) {
        let news = places
            .iter()
            .map(|&at| (self.plan.item(at).index, fate.clone()));
        self.news.extend(news);
    }
}
