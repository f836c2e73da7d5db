//! What is remembered of changes that were sent, until they are seen to have come about.

use std::time::Duration;

use janitor_plugin_api::abi::abi_stable::std_types::RVec;
use janitor_plugin_api::dns::{
    BufferFault, Change, Changes, ChangesBuilder, Name, NameError, RrsetRef,
};
use jiff::Timestamp;

use super::Settings;
use super::join::same;
use crate::stations::planned::{PlannedZone, RuleKind};

/// The changes of one zone that were sent, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsettled {
    changes: Changes,
    /// How many changes, one behind the other, have the same attempt.
    runs: Vec<(u32, Attempt)>,
}

/// How often a change was sent, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What the publishers said.
    pub sent: Sent,
    /// How often it was sent and had time to come about.
    pub times: u32,
    /// When it was sent first.
    pub first: Timestamp,
    /// When the time began that it has to come about.
    pub last: Timestamp,
}

/// What all publishers of a change said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sent {
    /// It is visible at the servers.
    Applied,
    /// It is handed on, at least by one of them, and will be visible.
    Accepted,
}

impl Attempt {
    /// Whether the change ought to be visible by now.
    pub(super) fn is_over(self, now: Timestamp, settle: Duration) -> bool {
        match self.sent {
            Sent::Applied => true,
            Sent::Accepted => {
                let waited = now.duration_since(self.last);
                Duration::try_from(waited).is_ok_and(|waited| waited >= settle)
            }
        }
    }

    fn new(sent: Sent, now: Timestamp) -> Self {
        Self {
            sent,
            times: 1,
            first: now,
            last: now,
        }
    }

    /// After it was sent once more.
    fn again(self, sent: Sent, now: Timestamp, settle: Duration) -> Self {
        if self.is_over(now, settle) {
            return Self {
                sent,
                times: self.times.saturating_add(1),
                last: now,
                ..self
            };
        }
        Self {
            sent,
            // Sent again and again it would never have had its time. A clock that was set back has
            // nothing to say.
            last: match sent {
                Sent::Applied => now,
                Sent::Accepted => self.last.min(now),
            },
            ..self
        }
    }
}

impl Unsettled {
    /// What is to be remembered after a run that published: `outcomes` are those of the changes of
    /// `zone` in their order, with nothing where one was refused or nobody knows. They are empty if
    /// none was sent.
    #[must_use]
    pub fn next(
        before: Option<&Self>,
        zone: &PlannedZone,
        outcomes: &[Option<Sent>],
        now: Timestamp,
        settings: &Settings,
    ) -> Option<Self> {
        // In seconds, as it is kept.
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let (all, each) = zone.found_changes();
        let mut attempts: Vec<Option<Attempt>> = vec![None; all.len()];
        let mut not_planned = Vec::new();
        if let Some(before) = before {
            let earlier = before.attempts();
            let mut is_planned = vec![false; earlier.len()];
            for (then, _, at) in same(&before.changes, all) {
                attempts[at] = Some(earlier[then]);
                is_planned[then] = true;
            }
            // Nothing is known of what an incomplete comparison does not tell; and a plan that was stored
            // does not hold what was sent often enough when it was made.
            let is_partial = !zone.complete || zone.held_back > 0;
            let is_stored = is_stored(zone);
            let was_set_aside = |attempt: &Attempt| attempt.times >= settings.attempts;
            let each = is_planned.into_iter().zip(&earlier);
            let is_kept = each.map(|(planned, attempt)| {
                !planned && (is_partial || is_stored && was_set_aside(attempt))
            });
            not_planned = is_kept.collect();
        }
        let mut outcomes = outcomes.iter().copied();
        for (attempt, (_, rule)) in attempts.iter_mut().zip(each) {
            // What a rule set aside was not sent.
            let sent = match rule {
                None => outcomes.next().flatten(),
                Some(_) => None,
            };
            if let Some(sent) = sent {
                *attempt = Some(match *attempt {
                    None => Attempt::new(sent, now),
                    Some(before) => before.again(sent, now, settings.settle),
                });
            }
        }
        let kept = Self::of(all, &attempts);
        match before {
            Some(before) if not_planned.contains(&true) => {
                before.beside(&not_planned, kept.as_ref())
            }
            _ => kept,
        }
    }

    /// The changes of `all` that have an attempt.
    fn of(all: &Changes, attempts: &[Option<Attempt>]) -> Option<Self> {
        let mut each = attempts.iter();
        let wanted = |_: Change<'_>| each.next().is_some_and(Option::is_some);
        let changes = all.keep(wanted, |_| {});
        if changes.is_empty() {
            return None;
        }
        let mut runs = Runs::default();
        if changes.len() == all.len() {
            attempts.iter().flatten().for_each(|one| runs.push(*one));
        } else {
            // Owners may have changed their places.
            let mut placed = same(&changes, all);
            placed.sort_by_key(|(at, _, _)| *at);
            let placed = placed.iter().filter_map(|(_, _, at)| attempts[*at]);
            placed.for_each(|one| runs.push(one));
        }
        Some(Self {
            changes,
            runs: runs.0,
        })
    }

    /// The changes of `kept`, and those of this memory that are marked and not replaced by one of them.
    fn beside(&self, marked: &[bool], kept: Option<&Self>) -> Option<Self> {
        let mut both = ChangesBuilder::new(self.changes.apex().to_owned());
        let mut places = std::collections::BTreeSet::new();
        let kept_changes = kept.into_iter().flat_map(|kept| &kept.changes);
        let marked = self.changes.iter().zip(marked);
        let marked = marked.filter_map(|(change, marked)| marked.then_some(change));
        for change in kept_changes.chain(marked) {
            if !places.insert((change.owner().to_owned(), change.rtype())) {
                continue;
            }
            let push = |builder: &mut janitor_plugin_api::dns::ZoneBuilder, rrset: RrsetRef<'_>| {
                builder.push(&rrset.to_owned())
            };
            let additions = change.addition().map(|rrset| push(both.additions(), rrset));
            let deletions = change.deletion().map(|rrset| push(both.deletions(), rrset));
            additions
                .into_iter()
                .chain(deletions)
                .collect::<Result<(), _>>()
                .ok()?;
        }
        let changes = both.build().ok()?;
        let mut attempts = vec![None; changes.len()];
        for memory in [Some(self), kept].into_iter().flatten() {
            let each = memory.attempts();
            for (then, _, at) in same(&memory.changes, &changes) {
                attempts[at] = Some(each[then]);
            }
        }
        Self::of(&changes, &attempts)
    }

    /// The changes of `planned` that are remembered, each with its place and its attempt.
    pub(super) fn planned_again<'a>(
        &'a self,
        planned: &'a Changes,
    ) -> impl Iterator<Item = (usize, Change<'a>, Attempt)> {
        let attempts = self.attempts();
        let same = same(&self.changes, planned).into_iter();
        same.map(move |(then, change, at)| (at, change, attempts[then]))
    }

    /// The changes that were sent and were not seen to have come about.
    #[must_use]
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// The attempt of each of [`Self::changes`].
    #[must_use]
    pub fn attempts(&self) -> Vec<Attempt> {
        let each = |(count, attempt): &(u32, Attempt)| {
            std::iter::repeat_n(*attempt, usize::try_from(*count).unwrap_or_default())
        };
        self.runs.iter().flat_map(each).collect()
    }

    /// The memory as octets, to be kept.
    ///
    /// ```text
    /// u16 format = 1 | u64 octets of the apex | apex | u64 runs
    /// run    u32 changes | u8 sent: 1 applied, 2 accepted | u32 times | i64 first | i64 last, in seconds
    /// then   the changes, as plugins have them
    /// ```
    #[must_use]
    pub fn to_octets(&self) -> Vec<u8> {
        let apex = self.changes.apex().as_wire();
        let mut octets = Vec::with_capacity(self.changes.octets().len() + 64);
        octets.extend_from_slice(&FORMAT.to_be_bytes());
        octets.extend_from_slice(&(apex.len() as u64).to_be_bytes());
        octets.extend_from_slice(apex);
        octets.extend_from_slice(&(self.runs.len() as u64).to_be_bytes());
        for (count, attempt) in &self.runs {
            octets.extend_from_slice(&count.to_be_bytes());
            octets.push(match attempt.sent {
                Sent::Applied => 1,
                Sent::Accepted => 2,
            });
            octets.extend_from_slice(&attempt.times.to_be_bytes());
            octets.extend_from_slice(&attempt.first.as_second().to_be_bytes());
            octets.extend_from_slice(&attempt.last.as_second().to_be_bytes());
        }
        octets.extend_from_slice(self.changes.octets());
        octets
    }

    /// Reads what [`Self::to_octets`] wrote.
    ///
    /// # Errors
    ///
    /// [`UnsettledFault`] if it did not.
    pub fn from_octets(octets: &[u8]) -> Result<Self, UnsettledFault> {
        let mut rest = octets;
        match u16::from_be_bytes(take(&mut rest)?) {
            FORMAT => {}
            other => return Err(UnsettledFault::Format(other)),
        }
        let length = usize::try_from(u64::from_be_bytes(take(&mut rest)?));
        let apex = length.ok().and_then(|length| rest.split_off(..length));
        let apex = apex.ok_or(UnsettledFault::Short)?;
        let apex = Name::from_wire(apex)?;
        let count = u64::from_be_bytes(take(&mut rest)?);
        let mut runs = Vec::new();
        let mut total = 0_u64;
        for _ in 0..count {
            let changes = u32::from_be_bytes(take(&mut rest)?);
            let sent = match take::<1>(&mut rest)? {
                [1] => Sent::Applied,
                [2] => Sent::Accepted,
                [other] => return Err(UnsettledFault::Sent(other)),
            };
            let times = u32::from_be_bytes(take(&mut rest)?);
            let first = time(i64::from_be_bytes(take(&mut rest)?))?;
            let last = time(i64::from_be_bytes(take(&mut rest)?))?;
            total += u64::from(changes);
            let attempt = Attempt {
                sent,
                times,
                first,
                last,
            };
            runs.push((changes, attempt));
        }
        let changes = Changes::check(apex, RVec::from(rest))?;
        if total != changes.len() as u64 {
            return Err(UnsettledFault::Count {
                attempts: total,
                changes: changes.len(),
            });
        }
        Ok(Self { changes, runs })
    }
}

/// Whether more was set aside than the plan holds: it was stored, with the changes to make and no others.
fn is_stored(zone: &PlannedZone) -> bool {
    let mut aside = zone.aside();
    zone.not_sticking.set_aside > 0 && !aside.any(|(_, rule)| rule.kind == RuleKind::DoesNotStick)
}

/// The only format there is.
const FORMAT: u16 = 1;

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], UnsettledFault> {
    let (octets, after) = rest.split_first_chunk().ok_or(UnsettledFault::Short)?;
    *rest = after;
    Ok(*octets)
}

fn time(seconds: i64) -> Result<Timestamp, UnsettledFault> {
    Timestamp::from_second(seconds).map_err(UnsettledFault::Time)
}

/// Attempts, of which equal ones stand together.
#[derive(Default)]
struct Runs(Vec<(u32, Attempt)>);

impl Runs {
    fn push(&mut self, attempt: Attempt) {
        match self.0.last_mut() {
            Some((count, last)) if *last == attempt => *count += 1,
            _ => self.0.push((1, attempt)),
        }
    }
}

/// Why octets are no memory of changes.
#[derive(Debug, thiserror::Error)]
pub enum UnsettledFault {
    /// They end too early.
    #[error("the octets end too early")]
    Short,
    /// They were written by another version of the program.
    #[error("the format {0} is not known; this program knows {FORMAT}")]
    Format(u16),
    /// The zone has no name.
    #[error("the zone has no valid name")]
    Apex(#[from] NameError),
    /// Something else than applied and accepted.
    #[error("{0} is no outcome")]
    Sent(u8),
    /// There is no such time.
    #[error("a time is out of range")]
    Time(#[source] jiff::Error),
    /// The changes are damaged.
    #[error("the changes are damaged")]
    Changes(#[from] BufferFault),
    /// Attempts and changes do not fit together.
    #[error("there are {attempts} attempts for {changes} changes")]
    Count {
        /// Attempts.
        attempts: u64,
        /// Changes.
        changes: usize,
    },
}
