//! What is said to a primary about the changes of one zone, and what follows from its answers.
//!
//! ```text
//!                        ┌── SERVFAIL, not sent: after a pause, at most `attempts` times ──┐
//!                        ▼                                                                 │
//!  SOA ─ as planned ─► write ── NOERROR ─► taken                                           │
//!                        ├── a condition does not hold, or refused ─► halves, each written ┘
//!                        │                                            one change alone: refused
//!                        └── no answer ─► is it as after? ── yes ─► taken
//!                                                └── no ─► is it as before? ── yes ─► write
//!                                                                └── no ─► halves, each asked again
//!                                                                          one change alone: unknown
//! ```
//!
//! No I/O and no clock: whoever drives it sends what [`Work::next`] says and hands back what came of it.

use std::ops::Range;

use domain::base::iana::Rcode;
use janitor_plugin_api::dns::{Change, Changes, NameRef, Rtype, Serial, Ttl};

use super::batch::{self, Batch};
use super::condition;
use super::message::{Purpose, Update, compose};
use super::plan::{Item, Plan};
use super::verdict::{Verdict, text, verdict};

/// How far the work on a zone goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Most octets of a message, without its signature.
    pub(super) limit: usize,
    /// How often the same is sent, at least once.
    pub(super) attempts: u32,
    /// Whether nothing is changed if the serial is not the one that was planned from.
    pub(super) serial_decides: bool,
}

/// What to do next.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    /// How many times the same failed before: the longer the pause.
    pub(super) failures: u32,
    pub(super) step: Step<'a>,
}

#[derive(Debug)]
pub(super) enum Step<'a> {
    /// Ask for the SOA of the zone.
    AskSoa,
    /// Send an UPDATE.
    Send(Update),
    /// Ask for the TTL of an RRset.
    AskTtl(NameRef<'a>, Rtype),
    Done,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Reply {
    /// The SOA that is served: its rdata and its serial.
    Soa(Vec<u8>, Serial),
    /// The answer to an UPDATE, or why a question was not answered.
    Rcode(Rcode),
    /// The TTL of the RRset, if it is served.
    Ttl(Option<Ttl>),
    /// It was not sent; the same may succeed later.
    NotSent(String),
    /// It was sent, and there is no answer.
    Lost(String),
    /// It was sent, and there is an answer that cannot be trusted.
    Doubtful(String),
    /// The server looked at nothing, and will not the next time.
    Rejected(String),
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is on its way, and nobody can tell before the answer is there.
    Sent,
    /// The primary says that it has been made.
    Taken,
    Refused(String),
    Unknown(String),
}

/// Changes refused alone, and none taken, before the others are no longer taken apart.
const ENOUGH_REFUSED: u32 = 4;
/// Messages sent beyond those of the plan before the rest is given up.
const MOST_EXTRA_MESSAGES: u32 = 2000;

/// The work on one zone.
pub(super) struct Work<'a> {
    plan: Plan<'a>,
    rules: Rules,
    planned: Option<Serial>,
    opening: Opening,
    /// The first bundle that is in no task yet.
    next: usize,
    /// What to do next is last.
    tasks: Vec<Task>,
    /// What is waited for.
    current: Option<Task>,
    news: Vec<(u32, Fate)>,
    tally: Tally,
}

/// What is told of the work as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Messages that the plan was split into.
    pub(super) batches: u32,
    /// Messages sent beyond those: to find what is refused, after a lost answer, and once more.
    pub(super) extra: u32,
    /// Owners whose changes did not go into one message.
    pub(super) split_owners: u32,
    taken: u32,
    /// Changes refused alone while none has been taken.
    refused_alone: u32,
}

/// Where the serial stands.
#[derive(Debug, PartialEq, Eq)]
enum Opening {
    /// It has not been asked for, or so many times in vain.
    Ask(u32),
    /// It is the planned one, with this SOA; no update has been taken since.
    Known(Vec<u8>, Serial),
    Over,
}

/// Bundles that are in the same state.
#[derive(Clone, Debug)]
struct Task {
    bundles: Range<usize>,
    stage: Stage,
    /// How often it was written in vain.
    writes: u32,
    /// How often it was asked for in vain.
    looks: u32,
    /// Why an answer to a write is missing, if one is.
    lost: Option<String>,
    /// Whether the SOA is a condition.
    with_soa: bool,
    /// Written when it was put together.
    message: Option<Update>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Write,
    /// Whether the serial is still the planned one although the SOA is said to be another.
    AskSoa,
    LookAfter,
    LookBefore,
    LookTtl,
    /// Whether the serial tells that nothing was done, where the server says nothing of conditions.
    LookSerial,
}

impl<'a> Work<'a> {
    /// Starts with changes that were planned from a zone with the serial `planned`.
    pub(super) fn new(changes: &'a Changes, planned: Option<Serial>, rules: Rules) -> Self {
        let mut work = Self {
            plan: Plan::new(changes),
            rules,
            planned,
            opening: Opening::Ask(0),
            next: 0,
            tasks: Vec::new(),
            current: None,
            news: Vec::new(),
            tally: Tally::default(),
        };
        if changes.is_empty() {
            work.opening = Opening::Over;
        }
        work
    }

    /// What became of which change, by its index, since this was asked last.
    pub(super) fn news(&mut self) -> Vec<(u32, Fate)> {
        std::mem::take(&mut self.news)
    }

    pub(super) const fn tally(&self) -> Tally {
        self.tally
    }

    /// Returns what to do next. [`Self::answer`] has to follow, unless it is done.
    pub(super) fn next(&mut self) -> Turn<'a> {
        if let Opening::Ask(failures) = self.opening {
            let step = Step::AskSoa;
            return Turn { failures, step };
        }
        loop {
            let Some(mut task) = self.tasks.pop().or_else(|| self.begin_batch()) else {
                let (failures, step) = (0, Step::Done);
                return Turn { failures, step };
            };
            let (failures, step) = match task.stage {
                Stage::AskSoa | Stage::LookSerial => (task.looks, Step::AskSoa),
                Stage::LookTtl => match self.ttl_only(&task.bundles) {
                    Some(change) => (task.looks, Step::AskTtl(change.owner(), change.rtype())),
                    None => {
                        self.settle(&task, &Fate::Taken);
                        continue;
                    }
                },
                Stage::Write => match self.message(&mut task, Purpose::Write) {
                    Some(message) => {
                        self.tell(&task, &Fate::Sent);
                        (task.writes, Step::Send(message))
                    }
                    None => continue,
                },
                Stage::LookAfter => match self.message(&mut task, Purpose::LookAfter) {
                    Some(message) => (task.looks + 1, Step::Send(message)),
                    None => continue,
                },
                Stage::LookBefore => match self.message(&mut task, Purpose::LookBefore) {
                    Some(message) => (task.looks, Step::Send(message)),
                    None => continue,
                },
            };
            self.current = Some(task);
            return Turn { failures, step };
        }
    }

    /// Takes what came of the last step.
    pub(super) fn answer(&mut self, reply: Reply) {
        let Some(task) = self.current.take() else {
            if let Opening::Ask(failures) = self.opening {
                self.open(reply, failures);
            }
            return;
        };
        match task.stage {
            Stage::Write => self.written(task, reply),
            Stage::AskSoa => self.asked_again(task, reply),
            Stage::LookAfter | Stage::LookBefore => self.looked(task, reply),
            Stage::LookTtl => self.looked_for_ttl(task, reply),
            Stage::LookSerial => self.looked_for_serial(&task, reply),
        }
    }

    /// The first answer: whether there is anything to begin with.
    fn open(&mut self, reply: Reply, failures: u32) {
        let reason = match reply {
            Reply::Soa(_, serial) if self.has_moved(serial) => moved(self.planned, serial),
            Reply::Soa(rdata, serial) => {
                self.opening = Opening::Known(rdata, serial);
                return;
            }
            Reply::NotSent(_) | Reply::Lost(_) if failures + 1 < self.rules.attempts => {
                self.opening = Opening::Ask(failures + 1);
                return;
            }
            Reply::NotSent(reason)
            | Reply::Lost(reason)
            | Reply::Doubtful(reason)
            | Reply::Rejected(reason) => format!("cannot ask for the serial: {reason}"),
            Reply::Rcode(rcode) => format!("cannot ask for the serial: the server answers {rcode}"),
            Reply::Ttl(_) => "cannot ask for the serial: the server has no SOA for the zone".into(),
        };
        self.give_up(&reason);
    }

    fn has_moved(&self, serial: Serial) -> bool {
        self.rules.serial_decides && self.planned.is_some_and(|planned| planned != serial)
    }

    /// The next of the messages that the plan is split into.
    fn begin_batch(&mut self) -> Option<Task> {
        while self.next < self.plan.len() {
            if let Some(reason) =
                impossible(self.plan.apex, self.plan.changes(self.next..self.next + 1))
            {
                self.settle_range(self.next..self.next + 1, &Fate::Refused(reason));
                self.next += 1;
                continue;
            }
            let soa = match &self.opening {
                Opening::Known(soa, _) if self.rules.serial_decides && self.planned.is_some() => {
                    Some(soa.as_slice())
                }
                _ => None,
            };
            // Only the first message: the serial moves with it.
            let soa = soa.filter(|_| self.tally.batches == 0);
            let with_soa = soa.is_some();
            match batch::next(&mut self.plan, self.next, soa, self.rules.limit) {
                Ok(Batch {
                    bundles,
                    message,
                    splits_owner,
                }) => {
                    self.next = bundles.end;
                    self.tally.batches += 1;
                    self.tally.split_owners += u32::from(splits_owner);
                    return Some(Task {
                        bundles,
                        stage: Stage::Write,
                        writes: 0,
                        looks: 0,
                        lost: None,
                        with_soa,
                        message: Some(message),
                    });
                }
                Err(too_large) => {
                    let reason = too_large.to_string();
                    self.settle_range(self.next..self.next + 1, &Fate::Refused(reason));
                    self.next += 1;
                }
            }
        }
        None
    }

    /// The message of a task; none if it was given up instead.
    fn message(&mut self, task: &mut Task, purpose: Purpose) -> Option<Update> {
        if let Some(message) = task.message.take() {
            return Some(message);
        }
        self.tally.extra += 1;
        if self.tally.extra > MOST_EXTRA_MESSAGES {
            let reason = format!(
                "not tried: {MOST_EXTRA_MESSAGES} messages were not enough to find which of the zone's \
                 changes are refused"
            );
            self.fail(task, reason);
            return None;
        }
        let soa = match &self.opening {
            Opening::Known(soa, _) if task.with_soa => Some(soa.as_slice()),
            _ => None,
        };
        let limit = self.rules.limit;
        let message = compose(&self.plan, task.bundles.clone(), purpose, soa, limit);
        if message.is_err() {
            // What was written had room, and neither parts of it nor what it leaves behind have more.
            self.fail(task, "cannot put together a message about it".into());
        }
        message.ok()
    }

    fn written(&mut self, mut task: Task, reply: Reply) {
        match reply {
            Reply::Rcode(rcode) => match verdict(rcode) {
                Verdict::Done => {
                    self.opening = Opening::Over;
                    self.settle(&task, &Fate::Taken);
                }
                Verdict::Moved if task.with_soa && rcode == Rcode::NXRRSET => {
                    task.stage = Stage::AskSoa;
                    self.tasks.push(task);
                }
                // The write before it may have come through late.
                Verdict::Moved if task.lost.is_some() => self.look(task),
                Verdict::Moved => self.take_apart(task, text(rcode), true),
                Verdict::Later if task.writes + 1 < self.rules.attempts => {
                    task.writes += 1;
                    self.tasks.push(task);
                }
                Verdict::Later | Verdict::Refused => self.take_apart(task, text(rcode), false),
                Verdict::Never => {
                    self.fail(&task, text(rcode));
                    self.give_up(&text(rcode));
                }
            },
            Reply::NotSent(_) if task.writes + 1 < self.rules.attempts => {
                task.writes += 1;
                self.tasks.push(task);
            }
            Reply::NotSent(reason) | Reply::Rejected(reason) => {
                self.fail(&task, reason.clone());
                self.give_up(&reason);
            }
            Reply::Lost(reason) | Reply::Doubtful(reason) => {
                task.lost = Some(reason);
                task.with_soa = false;
                task.writes += 1;
                self.look(task);
            }
            Reply::Soa(..) | Reply::Ttl(_) => {
                self.fail(&task, "the answer is to another question".into());
            }
        }
    }

    /// Asks whether it has been done.
    fn look(&mut self, mut task: Task) {
        task.stage = Stage::LookAfter;
        task.looks = 0;
        self.tasks.push(task);
    }

    /// The SOA is not what it was. Where a server signs a copy of the zone, the zone that is updated has
    /// another serial than the one that is served (BIND, `inline-signing`), so it is asked for again.
    fn asked_again(&mut self, mut task: Task, reply: Reply) {
        task.with_soa = false;
        task.stage = Stage::Write;
        task.looks += 1;
        match reply {
            Reply::Soa(_, serial) if self.has_moved(serial) => {
                let reason = moved(self.planned, serial);
                self.fail(&task, reason.clone());
                self.give_up(&reason);
            }
            Reply::Soa(..) => {
                task.looks = 0;
                self.tasks.push(task);
            }
            Reply::NotSent(_) | Reply::Lost(_) if task.looks < self.rules.attempts => {
                task.stage = Stage::AskSoa;
                task.with_soa = true;
                self.tasks.push(task);
            }
            _ => {
                let reason =
                    "the zone's SOA is not the planned one, and its serial cannot be asked for";
                self.fail(&task, reason.into());
                self.give_up(reason);
            }
        }
    }

    fn looked(&mut self, mut task: Task, reply: Reply) {
        let after = task.stage == Stage::LookAfter;
        match reply {
            Reply::Rcode(rcode) => match (verdict(rcode), after) {
                // The same before and after but for TTLs, of which conditions say nothing.
                (Verdict::Done, true) if self.is_all_ttl(&task.bundles) => {
                    task.stage = Stage::LookTtl;
                    self.tasks.push(task);
                }
                (Verdict::Done, true) => {
                    self.opening = Opening::Over;
                    self.settle(&task, &Fate::Taken);
                }
                (Verdict::Done, false) => self.not_done(task),
                (Verdict::Moved, true) => {
                    task.stage = Stage::LookBefore;
                    self.tasks.push(task);
                }
                (Verdict::Moved, false) => self.take_apart(
                    task,
                    "what is served now is neither what was planned from nor what was planned"
                        .into(),
                    true,
                ),
                (Verdict::Later, _) if task.looks + 1 < self.rules.attempts => {
                    task.looks += 1;
                    self.tasks.push(task);
                }
                _ => self.look_at_serial(task),
            },
            Reply::NotSent(_) | Reply::Lost(_) if task.looks + 1 < self.rules.attempts => {
                task.looks += 1;
                self.tasks.push(task);
            }
            Reply::Doubtful(_) => self.look_at_serial(task),
            Reply::NotSent(reason) | Reply::Lost(reason) | Reply::Rejected(reason) => {
                self.cannot_tell(&task, &reason);
            }
            Reply::Soa(..) | Reply::Ttl(_) => self.cannot_tell(&task, "a wrong answer"),
        }
    }

    fn looked_for_ttl(&mut self, mut task: Task, reply: Reply) {
        let wanted = self.ttl_only(&task.bundles).and_then(Change::addition);
        match reply {
            Reply::Ttl(Some(ttl)) if wanted.is_some_and(|rrset| rrset.ttl() == ttl) => {
                self.opening = Opening::Over;
                self.settle(&task, &Fate::Taken);
            }
            Reply::Ttl(Some(_)) => self.not_done(task),
            Reply::NotSent(_) | Reply::Lost(_) if task.looks + 1 < self.rules.attempts => {
                task.looks += 1;
                self.tasks.push(task);
            }
            _ => self.cannot_tell(&task, "the server does not say with which TTL it is served"),
        }
    }

    /// A server that cannot be asked about conditions can be asked for its serial.
    fn look_at_serial(&mut self, mut task: Task) {
        task.stage = Stage::LookSerial;
        self.tasks.push(task);
    }

    fn looked_for_serial(&mut self, task: &Task, reply: Reply) {
        match (reply, &self.opening) {
            (Reply::Soa(_, now), Opening::Known(_, before)) if now == *before => {
                let lost = task.lost.as_deref().unwrap_or_default();
                let reason =
                    format!("{lost}; the zone still has serial {now}, so nothing was done");
                self.fail(task, reason.clone());
                self.give_up(&reason);
            }
            _ => self.cannot_tell(task, "the server does not say what it serves now"),
        }
    }

    /// It is certain that the write without an answer has not been done.
    fn not_done(&mut self, mut task: Task) {
        if task.writes < self.rules.attempts {
            task.stage = Stage::Write;
            self.tasks.push(task);
            return;
        }
        let lost = task.lost.as_deref().unwrap_or_default();
        let reason = format!("{lost}, {} times; it was not done", task.writes);
        self.fail(&task, reason.clone());
        self.give_up(&reason);
    }

    /// Nobody can tell, and nobody answers.
    fn cannot_tell(&mut self, task: &Task, reason: &str) {
        let lost = task.lost.as_deref().unwrap_or_default();
        let unknown = format!("{lost}; cannot ask whether it was done: {reason}");
        self.settle(task, &Fate::Unknown(unknown));
        self.give_up(&format!(
            "not sent, because of what was sent before: {lost}"
        ));
    }

    /// Goes on with the halves of what cannot be done as a whole.
    fn take_apart(&mut self, task: Task, reason: String, moved: bool) {
        let Range { start, end } = task.bundles;
        if end - start <= 1 || (!moved && self.is_hopeless()) {
            if !moved && self.tally.taken == 0 {
                self.tally.refused_alone += 1;
            }
            self.fail(&task, reason);
            return;
        }
        let cut = self.middle(start..end);
        for bundles in [cut..end, start..cut] {
            self.tasks.push(Task {
                bundles,
                writes: 0,
                looks: 0,
                ..task.clone()
            });
        }
    }

    /// Whether so much was refused alone, and nothing taken, that it seems to be about the whole zone.
    const fn is_hopeless(&self) -> bool {
        self.tally.taken == 0 && self.tally.refused_alone >= ENOUGH_REFUSED
    }

    /// Where to cut: between two owners, as near to the middle as can be; else within one.
    fn middle(&self, Range { start, end }: Range<usize>) -> usize {
        let middle = start.midpoint(end);
        let cuts = (start + 1..end).filter(|&at| self.plan.bundle_at(at).begins_owner);
        cuts.min_by_key(|&at| at.abs_diff(middle)).unwrap_or(middle)
    }

    fn is_all_ttl(&self, bundles: &Range<usize>) -> bool {
        let items = self.plan.changes(bundles.clone());
        items.iter().all(|item| condition::is_ttl_only(item.change))
    }

    fn ttl_only(&self, bundles: &Range<usize>) -> Option<Change<'a>> {
        self.plan
            .changes(bundles.clone())
            .first()
            .map(|item| item.change)
    }

    /// Refuses what a task is about; where it is one change, by its name. What may have been done is unknown.
    fn fail(&mut self, task: &Task, reason: String) {
        let items = self.plan.changes(task.bundles.clone());
        let reason = match items {
            [Item { change, .. }] => {
                format!("{} of `{}`: {reason}", change.rtype(), change.owner())
            }
            _ => reason,
        };
        self.settle(task, &Fate::Refused(reason));
    }

    /// Refuses everything that has not been sent.
    fn give_up(&mut self, reason: &str) {
        let fate = Fate::Refused(reason.to_owned());
        for task in std::mem::take(&mut self.tasks) {
            self.settle(&task, &fate);
        }
        self.settle_range(self.next..self.plan.len(), &fate);
        self.next = self.plan.len();
        self.opening = Opening::Over;
    }

    fn settle(&mut self, task: &Task, fate: &Fate) {
        self.settle_range(task.bundles.clone(), fate);
    }

    fn settle_range(&mut self, bundles: Range<usize>, fate: &Fate) {
        if *fate == Fate::Taken {
            self.tally.taken = self.tally.taken.saturating_add(1);
        }
        let items = self.plan.changes(bundles).iter();
        self.news
            .extend(items.map(|item| (item.index, fate.clone())));
    }

    fn tell(&mut self, task: &Task, fate: &Fate) {
        let items = self.plan.changes(task.bundles.clone()).iter();
        self.news
            .extend(items.map(|item| (item.index, fate.clone())));
    }
}

/// The zone is another one by now.
fn moved(planned: Option<Serial>, now: Serial) -> String {
    let planned = planned.map_or_else(|| "none".to_owned(), |serial| serial.to_string());
    format!(
        "the zone has serial {now} by now, and the changes were planned from serial {planned}; run again, \
         or set `if_moved = \"compare\"` to let each RRset decide for itself"
    )
}

/// Why a bundle can never be sent.
///
/// A server passes over deletions of the SOA and of all NS at the apex without a word, and over a SOA with
/// a serial that is not after the one it has (RFC 2136, sections 3.4.2.2 to 3.4.2.4).
fn impossible(apex: NameRef<'_>, bundle: &[Item<'_>]) -> Option<String> {
    bundle.iter().find_map(|item| {
        let change = item.change;
        if change.owner() != apex {
            return None;
        }
        let rtype = change.rtype();
        match change {
            Change::Addition(_) | Change::Deletion(_)
                if matches!(rtype, Rtype::SOA | Rtype::NS) =>
            {
                Some(format!("{rtype} of `{apex}`: a zone always has it, so it can only be replaced"))
            }
            Change::Update { deletion, addition } if rtype == Rtype::SOA => {
                let serial = |rrset: janitor_plugin_api::dns::RrsetRef<'_>| {
                    let rdata = rrset.rdatas().next()?;
                    let numbers = rdata.last_chunk::<20>()?;
                    let [a, b, c, d, ..] = *numbers;
                    Some(Serial(u32::from_be_bytes([a, b, c, d])))
                };
                let (before, after) = (serial(deletion)?, serial(addition)?);
                let advances = matches!(after.0.wrapping_sub(before.0), 1..=0x7fff_ffff);
                (!advances).then(|| {
                    format!(
                        "SOA of `{apex}`: its serial {after} is not after {before}, so the server would \
                         pass over it (RFC 1982)"
                    )
                })
            }
            _ => None,
        }
    })
}
