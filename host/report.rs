//! What happened to each zone, and the exit code that follows.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use janitor_plugin_api::dns::{Changes, Name, NameRef};

use crate::problem::Problem;
use crate::stations::convergence::NotSticking;
use crate::stations::guard::{Reason, Unnamed, Verdict};
use crate::stations::planned::{PlannedZone, RuleKind};

/// Exit codes of the program.
pub mod exit {
    /// Done.
    pub const DONE: u8 = 0;
    /// Failed: a plugin failed, a change was refused or nobody knows what became of it, or the run
    /// was cancelled.
    pub const FAILED: u8 = 1;
    /// Usage or configuration; nothing ran.
    pub const CONFIGURATION: u8 = 2;
    /// Done, but a zone was left out or withheld or is named no more, a change does not stick and was
    /// not sent, a plugin had to be abandoned or was passed over, the metrics relay failed, or the
    /// history could not be written to the end.
    pub const INCOMPLETE: u8 = 3;
    /// Changes are pending; only of `plan --exit-code`.
    pub const PENDING: u8 = 4;
}

/// The report of a run. Plain data: it can be carried from one process to another.
#[derive(Debug, Default)]
pub struct Report {
    /// Every zone that was compared, in canonical order of its apex.
    pub zones: Vec<ZoneReport>,
    /// What took no part.
    pub left_out: Vec<LeftOut>,
    /// What else should be mended, and harms nothing.
    pub remarks: Vec<Problem>,
    /// Names that stay as they are because authorities contradict each other there.
    pub undecided: usize,
    /// Limits of the run as a whole that its changes break.
    pub run_limits: Vec<Reason>,
    /// Zones of earlier runs that no authority names any more.
    pub unnamed: Vec<Unnamed>,
    /// Plugins that failed, in the order they did.
    pub failures: Vec<Failure>,
    /// What nobody can run on, in the host's own view: a library that was written over.
    pub faults: Vec<Problem>,
    /// Keys of plugins that did not end when they were asked to.
    pub abandoned: Vec<Arc<str>>,
    /// Keys of plugins that are listed and took no part, which `core.debug` allows.
    pub passed_over: Vec<Arc<str>>,
    /// Whether changes were shown in the place of being published, because `core.debug` allows a
    /// run without publisher.
    pub only_shown: bool,
    /// How the metrics relay failed, if it did; what was done to the zones stands.
    pub relay_failure: Option<Failure>,
    /// Why the history does not know what came of the run, if it does not.
    pub unrecorded: Option<Problem>,
    /// Why the run was cancelled, if it was.
    pub cancelled: Option<Cancellation>,
    /// Whether the changes went to publishers.
    pub published: bool,
}

/// Why a run was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancellation {
    /// By SIGINT or SIGTERM.
    Signal,
    /// By `core.deadline`.
    Deadline,
    /// Because the reconciler failed, so that nothing could be planned any more.
    Failure,
}

/// One zone that was compared.
#[derive(Debug)]
pub struct ZoneReport {
    /// The zone.
    pub apex: Name,
    /// The authority that spoke for it.
    pub authority: Option<Arc<str>>,
    /// RRsets that it ought to hold.
    pub desired: usize,
    /// RRsets that it was found to hold, unless the reconciler cannot tell.
    pub actual: Option<usize>,
    /// What is to change.
    pub changes: ChangeCounts,
    /// Differences that are not changed, because the desired zone is incomplete or their owner held.
    pub held_back: usize,
    /// What the guard says of the changes.
    pub verdict: Verdict,
    /// Changes that were sent before and did not come about.
    pub not_sticking: NotSticking,
    /// Differences that rules of the host set aside, by kind of rule.
    pub set_aside: Vec<(RuleKind, usize)>,
    /// What became of the changes at each publisher.
    pub published: Vec<(Arc<str>, Tally)>,
}

impl ZoneReport {
    /// What is to be said of `zone` before anything is published.
    pub(crate) fn of(zone: &PlannedZone, authority: Option<Arc<str>>) -> Self {
        Self {
            apex: zone.apex().to_owned(),
            authority,
            desired: zone.desired,
            actual: zone.actual.as_ref().map(|actual| actual.rrsets),
            changes: zone.counts(),
            held_back: zone.held_back,
            set_aside: zone.aside_by_kind(),
            verdict: zone.verdict.clone(),
            not_sticking: zone.not_sticking.clone(),
            published: Vec::new(),
        }
    }
}

/// Numbers of changes of one zone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChangeCounts {
    /// RRsets to add where none of the type is served.
    pub additions: usize,
    /// RRsets to delete.
    pub deletions: usize,
    /// RRsets to replace.
    pub updates: usize,
}

impl ChangeCounts {
    /// Those of `changes`.
    #[must_use]
    pub fn of(changes: &Changes) -> Self {
        let counts = changes.counts();
        Self {
            additions: counts.additions as usize,
            deletions: counts.deletions as usize,
            updates: counts.updates as usize,
        }
    }

    /// Adds others.
    pub fn add(&mut self, other: Self) {
        self.additions += other.additions;
        self.updates += other.updates;
        self.deletions += other.deletions;
    }

    /// All changes.
    #[must_use]
    pub fn total(self) -> usize {
        self.additions + self.deletions + self.updates
    }
}

/// What became of the changes of one zone at one publisher.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Visible at the servers.
    pub applied: usize,
    /// Handed on, not yet visible.
    pub accepted: usize,
    /// Not done.
    pub refused: usize,
    /// Nobody can tell.
    pub unknown: usize,
    /// Why not, each reason once.
    pub reasons: Vec<String>,
}

impl Tally {
    /// What to call it when not every change is applied or on its way.
    pub(crate) fn verdict(&self) -> &'static str {
        if self.refused > 0 {
            "were not applied"
        } else {
            "may or may not have been applied"
        }
    }

    /// Why not every change is applied or on its way.
    #[must_use]
    pub fn reason(&self) -> String {
        if self.reasons.is_empty() {
            "the publisher did not report on them; look at the servers before the next run"
                .to_owned()
        } else {
            self.reasons.join("; ")
        }
    }

    /// Whether every change is applied or on its way.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.refused == 0 && self.unknown == 0
    }
}

/// Something that takes no part in a run and stays as it is.
#[derive(Debug, Clone)]
pub struct LeftOut {
    /// The zone, if it can be named.
    pub zone: Option<Name>,
    /// The same for people: a zone, a file, a message.
    pub what: String,
    /// The plugin that left it out or whose fault it is.
    pub plugin: Option<Arc<str>>,
    /// Why, in a word.
    pub kind: LeftOutKind,
    /// The error and its causes, outermost first.
    pub reason: Vec<String>,
    /// What the operator may do, if that is not obvious.
    pub hint: Option<String>,
}

/// Why something is left out, as measurements have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOutKind {
    /// A plugin left it out itself: it could not be read.
    Reported,
    /// It was spoken for twice.
    Contradiction,
    /// What a plugin said of it breaks the rules.
    Fault,
    /// The reconciler said nothing of it.
    Unanswered,
    /// Nothing at all is desired of it.
    NothingDesired,
    /// Nobody is there to compare it, or to publish its changes.
    NoRoute,
    /// Somebody has changed what was to be taken back.
    ChangedSince,
}

impl LeftOutKind {
    /// Every kind.
    const ALL: [Self; 7] = [
        Self::Reported,
        Self::Contradiction,
        Self::Fault,
        Self::Unanswered,
        Self::NothingDesired,
        Self::NoRoute,
        Self::ChangedSince,
    ];

    /// The kind with this label.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The label of measurements.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Contradiction => "contradiction",
            Self::Fault => "fault",
            Self::Unanswered => "unanswered",
            Self::NothingDesired => "nothing-desired",
            Self::NoRoute => "no-route",
            Self::ChangedSince => "changed-since",
        }
    }
}

impl LeftOut {
    /// A zone that the host leaves out by itself because of `plugin`.
    pub(crate) fn zone(
        zone: NameRef<'_>,
        plugin: &Arc<str>,
        kind: LeftOutKind,
        reason: impl fmt::Display,
    ) -> Self {
        Self {
            zone: Some(zone.to_owned()),
            what: zone.to_string(),
            plugin: Some(Arc::clone(plugin)),
            kind,
            reason: vec![reason.to_string()],
            hint: None,
        }
    }

    /// Logs it, once.
    pub(crate) fn log(&self) {
        tracing::warn!(
            zone = %self.what,
            plugin = self.plugin.as_deref(),
            reason = self.reason.join(": "),
            hint = self.hint,
            "zone left out"
        );
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.reason.join(": "))
    }
}

/// The texts of `error` and its causes, outermost first.
pub(crate) fn links(error: &dyn StdError) -> Vec<String> {
    std::iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect()
}

/// A plugin that failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Its key.
    pub plugin: Arc<str>,
    /// The error and its causes, outermost first.
    pub chain: Vec<String>,
    /// What the operator may do.
    pub hint: Option<String>,
    /// Whether it panicked.
    pub panicked: bool,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.panicked { "panicked" } else { "failed" };
        write!(
            f,
            "plugin `{}` {what}: {}",
            self.plugin,
            self.chain.join(": ")
        )
    }
}

impl Report {
    /// The exit code, the first of 1, 3 and 0 that applies.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.is_failed() {
            exit::FAILED
        } else if self.is_whole() {
            exit::DONE
        } else {
            exit::INCOMPLETE
        }
    }

    fn is_whole(&self) -> bool {
        let settled =
            |zone: &ZoneReport| !zone.verdict.is_withheld() && zone.not_sticking.set_aside == 0;
        self.left_out.is_empty()
            && self.unnamed.is_empty()
            && self.zones.iter().all(settled)
            && self.abandoned.is_empty()
            && self.passed_over.is_empty()
            && self.relay_failure.is_none()
            && self.undecided == 0
            && self.unrecorded.is_none()
            && !self.only_shown
    }

    /// The status of the metric `run-ended`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self.exit_code() {
            exit::DONE => "success",
            exit::INCOMPLETE => "incomplete",
            _ if self.cancelled == Some(Cancellation::Signal) => "cancelled",
            _ => "unexpected-error",
        }
    }

    fn is_failed(&self) -> bool {
        let published_well =
            |zone: &ZoneReport| zone.published.iter().all(|(_, tally)| tally.is_good());
        !self.failures.is_empty()
            || !self.faults.is_empty()
            || self.cancelled.is_some()
            || !self.zones.iter().all(published_well)
    }

    /// Everything that makes the run failed, each with what the operator may do about it.
    #[must_use]
    pub fn causes(&self) -> Vec<(String, Option<String>)> {
        let cancelled = self.cancelled.and_then(|cause| match cause {
            Cancellation::Signal => Some("the run was cancelled by a signal"),
            Cancellation::Deadline => Some("the run reached core.deadline and was cancelled"),
            // That failure is among the others.
            Cancellation::Failure => None,
        });
        let failures = self
            .failures
            .iter()
            .map(|failure| (failure.to_string(), failure.hint.clone()));
        let published = self.zones.iter().flat_map(|zone| {
            let bad = zone.published.iter().filter(|(_, tally)| !tally.is_good());
            bad.map(|(publisher, tally)| {
                let (refused, unknown) = (tally.refused, tally.unknown);
                let text = format!(
                    "changes of `{}` {} by `{publisher}` ({refused} refused, {unknown} unknown): {}",
                    zone.apex,
                    tally.verdict(),
                    tally.reason()
                );
                (text, None)
            })
        });
        let cancelled = cancelled.map(|text| (text.to_owned(), None));
        cancelled
            .into_iter()
            .chain(failures)
            .chain(published)
            .collect()
    }

    /// Adds a failure and logs it.
    pub(crate) fn fail(&mut self, failure: Failure) {
        tracing::error!("A fatal error occurred during the janitor run: {failure}");
        if let Some(hint) = &failure.hint {
            tracing::error!(plugin = %failure.plugin, "{hint}");
        }
        self.failures.push(failure);
    }

    /// Logs the sums, in one line.
    pub(crate) fn log(&self) {
        let total = self.changes();
        tracing::info!(
            zones = self.zones.len(),
            additions = total.additions,
            updates = total.updates,
            deletions = total.deletions,
            published = self.published,
            left_out = self.left_out.len(),
            failures = self.failures.len(),
            abandoned = self.abandoned.len(),
            passed_over = self.passed_over.len(),
            "run report"
        );
    }

    /// Changes of all zones by kind.
    #[must_use]
    pub fn changes(&self) -> ChangeCounts {
        let mut total = ChangeCounts::default();
        for zone in &self.zones {
            total.add(zone.changes);
        }
        total
    }

    /// The number of changes of all zones.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.changes().total()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_what_is_left_out_is_known_by_its_word() {
        // A kind that is added has to be added here, and to what this asks.
        let next = |kind| match kind {
            LeftOutKind::Reported => Some(LeftOutKind::Contradiction),
            LeftOutKind::Contradiction => Some(LeftOutKind::Fault),
            LeftOutKind::Fault => Some(LeftOutKind::Unanswered),
            LeftOutKind::Unanswered => Some(LeftOutKind::NothingDesired),
            LeftOutKind::NothingDesired => Some(LeftOutKind::NoRoute),
            LeftOutKind::NoRoute => Some(LeftOutKind::ChangedSince),
            LeftOutKind::ChangedSince => None,
        };
        let kinds = std::iter::successors(Some(LeftOutKind::Reported), |kind| next(*kind));
        for kind in kinds {
            assert_eq!(LeftOutKind::from_word(kind.word()), Some(kind));
        }
    }
}
