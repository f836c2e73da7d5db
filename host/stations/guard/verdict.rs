//! What the guard says of a zone, and why.

use std::fmt;

/// What the guard says of one zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// Its changes keep within every limit.
    #[default]
    Passed,
    /// Its changes break limits that were lifted for this run.
    Forced(Vec<Reason>),
    /// Nothing of it is published.
    Withheld(Vec<Reason>),
}

impl Verdict {
    /// Whether nothing of the zone may be published.
    #[must_use]
    pub fn is_withheld(&self) -> bool {
        matches!(self, Self::Withheld(_))
    }

    /// What spoke against the changes, whether it was lifted or not.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Self::Passed => &[],
            Self::Forced(reasons) | Self::Withheld(reasons) => reasons,
        }
    }

    /// One word, for programs.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Forced(_) => "forced",
            Self::Withheld(_) => "withheld",
        }
    }
}

/// A limit that changes break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Which limit it is.
    pub rule: GuardRule,
    /// What was found: `12 of 20 RRsets (60 %) would be deleted`.
    pub found: String,
    /// What is allowed: `6 are allowed`.
    pub allowed: String,
    /// The limit as it is written: `core.guard.deletions_percent = 30`.
    pub setting: String,
    /// Where that stands; nowhere if it is the default.
    pub place: Option<String>,
}

/// The sentence: what was found, what is allowed, and who says so.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, allowed, .. } = self;
        let place = self.place.as_deref().unwrap_or("default");
        write!(f, "{found}; {allowed} by {} ({place})", self.setting)
    }
}

/// The limits that the guard watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GuardRule {
    /// The number of deletions in a zone.
    Deletions,
    /// Their share of what the zone holds.
    DeletionsPercent,
    /// The number of updates in a zone.
    Updates,
    /// Their share of what the zone holds.
    UpdatesPercent,
    /// How much less is desired than in the last good run.
    ShrunkPercent,
    /// Whether anything is published for a desired zone that is incomplete.
    Incomplete,
    /// The number of deletions in all zones.
    RunDeletions,
    /// Their share of what all zones hold.
    RunDeletionsPercent,
    /// The number of updates in all zones.
    RunUpdates,
    /// Their share of what all zones hold.
    RunUpdatesPercent,
    /// The number of zones that lose or replace anything.
    RunZones,
    /// Their share of all zones.
    RunZonesPercent,
}

impl GuardRule {
    /// Every limit.
    const ALL: [Self; 12] = [
        Self::Deletions,
        Self::DeletionsPercent,
        Self::Updates,
        Self::UpdatesPercent,
        Self::ShrunkPercent,
        Self::Incomplete,
        Self::RunDeletions,
        Self::RunDeletionsPercent,
        Self::RunUpdates,
        Self::RunUpdatesPercent,
        Self::RunZones,
        Self::RunZonesPercent,
    ];

    /// The limit of this name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.word() == word)
    }

    /// One word, for programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Deletions => "deletions",
            Self::DeletionsPercent => "deletions-percent",
            Self::Updates => "updates",
            Self::UpdatesPercent => "updates-percent",
            Self::ShrunkPercent => "shrunk-percent",
            Self::Incomplete => "incomplete",
            Self::RunDeletions => "run-deletions",
            Self::RunDeletionsPercent => "run-deletions-percent",
            Self::RunUpdates => "run-updates",
            Self::RunUpdatesPercent => "run-updates-percent",
            Self::RunZones => "run-zones",
            Self::RunZonesPercent => "run-zones-percent",
        }
    }

    /// Whether it is a limit of the run, not of a zone.
    #[must_use]
    pub fn is_of_the_run(self) -> bool {
        matches!(
            self,
            Self::RunDeletions
                | Self::RunDeletionsPercent
                | Self::RunUpdates
                | Self::RunUpdatesPercent
                | Self::RunZones
                | Self::RunZonesPercent
        )
    }

    /// Whether `--force` lifts it: what is not known to be whole cannot be forced.
    #[must_use]
    pub fn can_be_forced(self) -> bool {
        self != Self::Incomplete
    }
}
