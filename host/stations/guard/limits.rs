//! The limits of the guard as values: how much, and who says so.

use std::fmt;
use std::sync::Arc;

/// A setting, and where it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<T> {
    /// What it is set to.
    pub value: T,
    /// Its name: `core.guard.deletions`.
    pub name: Arc<str>,
    /// The file and line that say so; none if it is the default.
    pub place: Option<Arc<str>>,
}

impl<T> Given<T> {
    /// Where the setting was made, for people.
    #[must_use]
    pub fn place(&self) -> &str {
        self.place.as_deref().unwrap_or("default")
    }
}

/// A limit. One that is off lets everything pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit<T> {
    /// There is none, because somebody wrote so.
    Off,
    /// As much as this is allowed, and no more.
    AtMost(T),
}

impl<T: Copy> Limit<T> {
    /// How much is allowed; none if everything is.
    #[must_use]
    pub fn at_most(self) -> Option<T> {
        match self {
            Self::Off => None,
            Self::AtMost(most) => Some(most),
        }
    }
}

/// As it is written in a configuration.
impl<T: fmt::Display> fmt::Display for Limit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("\"off\""),
            Self::AtMost(most) => most.fmt(f),
        }
    }
}

/// A share in hundredths of a percent, at most all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u32);

impl Percent {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Everything.
    pub const ALL: Self = Self(10_000);

    /// So many hundredths of a percent; none above 100 %.
    #[must_use]
    pub fn from_hundredths(hundredths: u32) -> Option<Self> {
        Some(Self(hundredths)).filter(|percent| *percent <= Self::ALL)
    }

    /// So many percent; none below 0, above 100, or with more than two decimals.
    #[must_use]
    pub fn from_float(percent: f64) -> Option<Self> {
        let hundredths = (percent * 100.0).round();
        let is_exact = (hundredths / 100.0).to_bits() == percent.to_bits();
        let is_share = (0.0..=10_000.0).contains(&hundredths);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number from 0 to 10,000"
        )]
        let hundredths = (is_exact && is_share).then_some(hundredths as u32)?;
        Self::from_hundredths(hundredths)
    }

    /// As a number: 30.0 for 30 %.
    #[must_use]
    pub fn as_float(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    /// The largest whole number that is no more than this share of `base`.
    #[must_use]
    pub fn of(self, base: u64) -> u64 {
        let share = u128::from(base) * u128::from(self.0) / u128::from(Self::ALL.0);
        u64::try_from(share).unwrap_or(u64::MAX)
    }
}

/// Without sign: `30`, `0.25`.
impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match rest {
            0 => write!(f, "{whole}"),
            rest if rest % 10 == 0 => write!(f, "{whole}.{}", rest / 10),
            rest => write!(f, "{whole}.{rest:02}"),
        }
    }
}

/// What is done about a desired zone that is not complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnIncomplete {
    /// What is missing is added; nothing is deleted or updated.
    Add,
    /// Nothing is published.
    Withhold,
}

/// As it is written in a configuration.
impl fmt::Display for OnIncomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "\"add\"",
            Self::Withhold => "\"withhold\"",
        })
    }
}

/// A limit, and who set it.
pub type GivenLimit<T> = Given<Limit<T>>;

/// The limits of one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneLimits {
    /// Deletions.
    pub deletions: GivenLimit<u64>,
    /// Deletions, of what the zone holds. Unless it is off, never all.
    pub deletions_percent: GivenLimit<Percent>,
    /// Updates.
    pub updates: GivenLimit<u64>,
    /// Updates, of what the zone holds.
    pub updates_percent: GivenLimit<Percent>,
    /// RRsets that a zone is taken to hold at least, where shares are counted.
    pub min_existing: Given<u64>,
    /// How much less may be desired than in the last good run.
    pub shrunk_percent: GivenLimit<Percent>,
    /// What is done when the desired zone is incomplete.
    pub incomplete: Given<OnIncomplete>,
}

/// The limits of all zones together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLimits {
    /// Deletions.
    pub deletions: GivenLimit<u64>,
    /// Deletions, of what all zones hold.
    pub deletions_percent: GivenLimit<Percent>,
    /// Updates.
    pub updates: GivenLimit<u64>,
    /// Updates, of what all zones hold.
    pub updates_percent: GivenLimit<Percent>,
    /// RRsets that all zones are taken to hold at least, where shares are counted.
    pub min_existing: Given<u64>,
    /// Zones that lose or replace anything.
    pub zones: GivenLimit<u64>,
    /// Zones that lose or replace anything, of those that were compared.
    pub zones_percent: GivenLimit<Percent>,
    /// Zones that a run is taken to have at least, where their share is counted.
    pub min_zones: Given<u64>,
}

impl ZoneLimits {
    /// None at all: what is tried alone is tried without them.
    pub(super) fn off() -> Self {
        Self {
            deletions: off(),
            deletions_percent: off(),
            updates: off(),
            updates_percent: off(),
            min_existing: unsaid(0),
            shrunk_percent: off(),
            incomplete: unsaid(OnIncomplete::Add),
        }
    }
}

impl RunLimits {
    /// None at all.
    pub(super) fn off() -> Self {
        Self {
            deletions: off(),
            deletions_percent: off(),
            updates: off(),
            updates_percent: off(),
            min_existing: unsaid(0),
            zones: off(),
            zones_percent: off(),
            min_zones: unsaid(0),
        }
    }
}

fn off<T>() -> GivenLimit<T> {
    unsaid(Limit::Off)
}

fn unsaid<T>(value: T) -> Given<T> {
    Given {
        value,
        name: "".into(),
        place: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_down() {
        for (hundredths, base, expected) in [
            (3_000, 10, 3),
            (3_000, 9, 2),
            (0, 1_000, 0),
            (1, 9_999, 0),
            (1, 10_000, 1),
            (10_000, u64::MAX, u64::MAX),
        ] {
            let percent = Percent::from_hundredths(hundredths).unwrap();
            assert_eq!(percent.of(base), expected, "{percent} % of {base}");
        }
        assert_eq!(Percent::from_hundredths(10_001), None);
    }

    #[test]
    fn limits_are_shown_as_they_are_written() {
        let percent = |hundredths| Limit::AtMost(Percent::from_hundredths(hundredths).unwrap());
        let shown = [3_000, 50, 25, 5, 10_000].map(|hundredths| percent(hundredths).to_string());
        assert_eq!(shown, ["30", "0.5", "0.25", "0.05", "100"]);
        assert_eq!(Limit::<u64>::Off.to_string(), "\"off\"");
    }
}
