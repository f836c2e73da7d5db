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

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;

use domain::base::iana::Rcode;
use janitor_plugin_api::dns::{Change, Changes, NameRef, RrsetRef, Rtype, Serial, Ttl};

use super::batch::{self, Batch, TooLarge};
use super::condition;
use super::message::{Purpose, Update, compose};
use super::plan::{Item, Plan};

mod following;
mod signatures;

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
    /// Ask for the signatures of an RRset.
    AskSignatures(NameRef<'a>, Rtype),
    Done,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Reply {
    /// The SOA that is served, if one is: its rdata and its serial.
    Soa(Option<(Vec<u8>, Serial)>),
    /// The answer to an UPDATE, or why a question was not answered.
    Rcode(Rcode),
    /// The TTL of the RRset, if it is served.
    Ttl(Option<Ttl>),
    /// The rdata of the RRSIG of the RRset, if there are any.
    Signatures(Vec<Vec<u8>>),
    /// It was not sent; the same may succeed later.
    NotSent(String),
    /// It was sent, and there is no answer.
    Lost(String),
    /// It was sent, and there is an answer that cannot be trusted.
    Doubtful(String),
    /// The server looked at nothing, and will not the next time.
    Rejected(String),
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Soa(Some((_, serial))) => write!(f, "serial {serial}"),
            Self::Soa(None) => f.write_str("no SOA"),
            Self::Rcode(rcode) => rcode.fmt(f),
            Self::Ttl(Some(ttl)) => write!(f, "TTL {ttl}"),
            Self::Ttl(None) => f.write_str("no such RRset"),
            Self::Signatures(rdatas) => write!(f, "{} RRSIG", rdatas.len()),
            Self::NotSent(text)
            | Self::Lost(text)
            | Self::Doubtful(text)
            | Self::Rejected(text) => f.write_str(text),
        }
    }
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

/// Messages sent beyond those of the plan before the rest is given up.
const MOST_EXTRA_MESSAGES: u32 = 2000;

/// The work on one zone.
pub(super) struct Work<'a> {
    plan: Plan<'a>,
    rules: Rules,
    planned: Option<Serial>,
    /// The serial before anything was changed, once it is known.
    served: Option<Serial>,
    opening: Opening,
    /// The first bundle that is in no task yet.
    next: usize,
    /// What to do next is last.
    tasks: Vec<Task>,
    /// What was refused alone, and will be tried once more when all the rest is done: what it needs may
    /// have come meanwhile.
    again: VecDeque<Again>,
    /// What is waited for.
    current: Option<Task>,
    /// Whether signatures have stood in the way of a CNAME: they will in the way of the next one.
    is_signed: bool,
    /// Those of the name that is asked about.
    signatures: Vec<Vec<u8>>,
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
    /// RRsets that were changed RR by RR because they had no room twice.
    pub(super) rr_by_rr: u32,
    /// Messages that the primary has taken.
    pub(super) taken: u32,
    /// Owners at which a change was refused alone.
    pub(super) refused_owners: u32,
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
    /// Whether it was asked for once more because a write, after a lost one, found the zone changed.
    was_late: bool,
    /// Whether it has been refused alone before.
    is_last_try: bool,
    /// Whether signatures were asked for.
    has_signatures: bool,
    /// Whether the SOA is a condition.
    with_soa: bool,
    /// Written when it was put together.
    message: Option<Update>,
}

impl Task {
    /// What is to be written, and has not been tried.
    fn writing(bundles: Range<usize>) -> Self {
        Self {
            bundles,
            stage: Stage::Write,
            writes: 0,
            looks: 0,
            lost: None,
            was_late: false,
            is_last_try: false,
            has_signatures: false,
            with_soa: false,
            message: None,
        }
    }
}

/// A bundle that was refused alone.
#[derive(Clone, Debug)]
struct Again {
    bundle: usize,
    reason: String,
    /// How many messages the primary had taken by then.
    taken: u32,
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
    /// What signs the RRsets at a name that a CNAME is to have: the bundle, and which of them.
    AskSignatures(usize, usize),
}

impl<'a> Work<'a> {
    /// Starts with changes that were planned from a zone with the serial `planned`.
    pub(super) fn new(changes: &'a Changes, planned: Option<Serial>, rules: Rules) -> Self {
        let mut plan = Plan::new(changes);
        let mut news = Vec::new();
        let apex = plan.apex;
        plan.retain(|bundle| {
            let Some(reason) = impossible(apex, bundle) else {
                return true;
            };
            let fate = Fate::Refused(reason);
            news.extend(bundle.iter().map(|item| (item.index, fate.clone())));
            false
        });
        Self {
            opening: match plan.len() {
                0 => Opening::Over,
                _ => Opening::Ask(0),
            },
            plan,
            rules,
            planned,
            served: None,
            next: 0,
            tasks: Vec::new(),
            again: VecDeque::new(),
            current: None,
            is_signed: false,
            signatures: Vec::new(),
            news,
            tally: Tally::default(),
        }
    }

    /// What became of which change, by its index, since this was asked last.
    pub(super) fn news(&mut self) -> Vec<(u32, Fate)> {
        std::mem::take(&mut self.news)
    }

    /// The serial of before the changes, if the primary told it.
    pub(super) const fn served(&self) -> Option<Serial> {
        self.served
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
            let task = self.tasks.pop().or_else(|| self.begin_batch());
            let Some(mut task) = task.or_else(|| self.try_again()) else {
                let (failures, step) = (0, Step::Done);
                return Turn { failures, step };
            };
            let failures = match task.stage {
                Stage::Write => task.writes,
                _ => task.looks,
            };
            let purpose = match task.stage {
                Stage::AskSoa | Stage::LookSerial | Stage::LookTtl | Stage::AskSignatures(..) => {
                    None
                }
                Stage::Write => Some(Purpose::Write),
                Stage::LookAfter => Some(Purpose::LookAfter),
                Stage::LookBefore => Some(Purpose::LookBefore),
            };
            let step = match (purpose, task.stage) {
                (Some(purpose), _) => match self.message(&mut task, purpose) {
                    Some(message) => Step::Send(message),
                    None => continue,
                },
                (None, Stage::LookTtl) => match self.ttl_only(&task.bundles) {
                    Some(change) => Step::AskTtl(change.owner(), change.rtype()),
                    None => Step::AskSoa,
                },
                (None, Stage::AskSignatures(bundle, nth)) => {
                    match signatures::signed(self.plan.items(self.plan.bundle_at(bundle))).nth(nth)
                    {
                        Some((owner, rtype)) => Step::AskSignatures(owner, rtype),
                        None => Step::AskSoa,
                    }
                }
                (None, _) => Step::AskSoa,
            };
            if task.stage == Stage::Write {
                self.settle(&task.bundles, &Fate::Sent);
            }
            self.current = Some(task);
            return Turn { failures, step };
        }
    }

    /// The next of the messages that the plan is split into.
    fn begin_batch(&mut self) -> Option<Task> {
        while self.next < self.plan.len() {
            let soa = match &self.opening {
                // Only the first message: the serial moves with it.
                Opening::Known(soa, _) if self.rules.serial_decides && self.tally.batches == 0 => {
                    self.planned.map(|_| soa.as_slice())
                }
                _ => None,
            };
            let with_soa = soa.is_some();
            match batch::next(&mut self.plan, self.next, soa, self.rules.limit) {
                Ok(batch) => return Some(self.begin(batch, with_soa)),
                Err(too_large) => {
                    let bundle = self.next..self.next + 1;
                    let reason = self.named(&bundle, &too_large.to_string());
                    self.settle(&bundle, &Fate::Refused(reason));
                    self.next += 1;
                }
            }
        }
        None
    }

    fn begin(&mut self, batch: Batch, with_soa: bool) -> Task {
        let Batch {
            bundles,
            message,
            splits_owner,
        } = batch;
        self.next = bundles.end;
        self.tally.batches += 1;
        self.tally.split_owners += u32::from(splits_owner);
        let bundled = self.plan.iter(bundles.clone());
        self.tally.rr_by_rr += bundled
            .map(|(bundle, _)| u32::from(bundle.rr_by_rr))
            .sum::<u32>();
        Task {
            with_soa,
            message: Some(message),
            ..Task::writing(bundles)
        }
    }

    /// What was refused alone, if anything has been taken since.
    fn try_again(&mut self) -> Option<Task> {
        while let Some(again) = self.again.pop_front() {
            let bundles = again.bundle..again.bundle + 1;
            if self.tally.taken > again.taken {
                return Some(Task {
                    is_last_try: true,
                    ..Task::writing(bundles)
                });
            }
            self.settle(&bundles, &Fate::Refused(again.reason));
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
                "{MOST_EXTRA_MESSAGES} messages were not enough to find which of the zone's changes are \
                 refused"
            );
            self.abandon(task, &reason);
            return None;
        }
        let soa = match &self.opening {
            Opening::Known(soa, _) if task.with_soa => Some(soa.as_slice()),
            _ => None,
        };
        let limit = self.rules.limit;
        let message = compose(&self.plan, task.bundles.clone(), purpose, soa, limit);
        if message.is_err() && purpose == Purpose::Write {
            // Signatures have come to it.
            let reason = TooLarge::of(&self.plan, &task.bundles, soa, limit).to_string();
            self.take_apart(task.clone(), &reason, true);
        } else if message.is_err() {
            // What was written had room, and neither parts of it nor what it leaves behind have more.
            self.abandon(
                task,
                "there is no room for the question whether it was done",
            );
        }
        message.ok()
    }

    /// A change of nothing but a TTL. One stands for all that were sent together.
    fn ttl_only(&self, bundles: &Range<usize>) -> Option<Change<'a>> {
        let mut items = self.plan.changes(bundles.clone());
        let item = items.find(|item| condition::is_ttl_only(item.change));
        item.map(|item| item.change)
    }

    /// The reason, behind what it is about.
    fn named(&self, bundles: &Range<usize>, reason: &str) -> String {
        let mut changes = self.plan.changes(bundles.clone());
        let Some(Item { change, .. }) = changes.next() else {
            return reason.to_owned();
        };
        let (owner, mut rtypes) = (change.owner(), change.rtype().to_string());
        for Item { change, .. } in changes {
            if change.owner() != owner {
                return format!("among others, `{owner}`: {reason}");
            }
            rtypes = format!("{rtypes}, {}", change.rtype());
        }
        format!("{rtypes} of `{owner}`: {reason}")
    }

    fn settle(&mut self, bundles: &Range<usize>, fate: &Fate) {
        let items = self.plan.changes(bundles.clone());
        self.news
            .extend(items.map(|item| (item.index, fate.clone())));
    }
}

/// Why a bundle can never be sent.
///
/// A server passes over deletions of the SOA and of all NS at the apex without a word, and over a SOA with
/// a serial that is not after the one it has (RFC 2136, sections 3.4.2.2 to 3.4.2.4).
fn impossible(apex: NameRef<'_>, bundle: &[Item<'_>]) -> Option<String> {
    let mut at_apex = bundle.iter().filter(|item| item.change.owner() == apex);
    at_apex.find_map(|item| match (item.change, item.change.rtype()) {
        (Change::Addition(_) | Change::Deletion(_), rtype @ (Rtype::SOA | Rtype::NS)) => Some(
            format!("{rtype} of `{apex}`: a zone always has it, so it can only be replaced"),
        ),
        (Change::Update { deletion, addition }, Rtype::SOA) => {
            let serial = |soa: RrsetRef<'_>| Serial::of_soa(soa.rdatas().next()?);
            let (before, after) = (serial(deletion)?, serial(addition)?);
            (!after.is_after(before)).then(|| {
                format!(
                    "SOA of `{apex}`: its serial {after} is not after {before}, so the server would pass \
                     over it (RFC 1982)"
                )
            })
        }
        _ => None,
    })
}
