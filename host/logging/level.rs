//! The levels of the Python original, and those of `tracing`.

use tracing::Metadata;
use tracing_core::LevelFilter;

/// A level by its Python name, from the most to the least talkative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everything there is.
    NotSet,
    /// Why.
    Debug,
    /// What a run did.
    Info,
    /// Something was left out; the next run may mend it.
    Warning,
    /// An operator must act.
    Error,
    /// The program cannot go on. Chosen as the least one it silences nearly all events; errors that
    /// end the program are on standard error all the same.
    Critical,
}

impl Level {
    /// Every name accepted, in lower case.
    pub const NAMES: [&str; 8] = [
        "notset", "debug", "info", "warning", "warn", "error", "critical", "fatal",
    ];

    /// Returns the level of this name, in any letter case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "notset" => Self::NotSet,
            "debug" => Self::Debug,
            "info" => Self::Info,
            "warning" | "warn" => Self::Warning,
            "error" => Self::Error,
            "critical" | "fatal" => Self::Critical,
            _ => return None,
        })
    }

    /// What `tracing` has to let through when this is the least level written.
    ///
    /// It has no level above error, so that what is critical is among the errors; `admits`
    /// tells them apart.
    #[must_use]
    pub fn filter(self) -> LevelFilter {
        match self {
            Self::NotSet => LevelFilter::TRACE,
            Self::Debug => LevelFilter::DEBUG,
            Self::Info => LevelFilter::INFO,
            Self::Warning => LevelFilter::WARN,
            Self::Error | Self::Critical => LevelFilter::ERROR,
        }
    }

    /// Whether an event of this severity is written when this is the least level.
    pub(super) fn admits(self, severity: Severity) -> bool {
        let least = match self {
            Self::NotSet => Severity::Trace,
            Self::Debug => Severity::Debug,
            Self::Info => Severity::Info,
            Self::Warning => Severity::Warning,
            Self::Error => Severity::Error,
            Self::Critical => Severity::Critical,
        };
        severity >= least
    }
}

/// How bad an event is, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    Trace,
    Debug,
    Info,
    Warning,
    Error,
    Critical,
}

impl Severity {
    /// The severity of an event: its level, or critical for an error with a field of that name.
    pub(super) fn of(metadata: &Metadata<'_>) -> Self {
        match *metadata.level() {
            tracing::Level::TRACE => Self::Trace,
            tracing::Level::DEBUG => Self::Debug,
            tracing::Level::INFO => Self::Info,
            tracing::Level::WARN => Self::Warning,
            tracing::Level::ERROR if metadata.fields().field(CRITICAL).is_some() => Self::Critical,
            tracing::Level::ERROR => Self::Error,
        }
    }

    /// The name of the level as it stands in a line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }

    /// The number that Python has for the level.
    pub(super) fn python(self) -> u8 {
        match self {
            Self::Trace => 5,
            Self::Debug => 10,
            Self::Info => 20,
            Self::Warning => 30,
            Self::Error => 40,
            Self::Critical => 50,
        }
    }

    /// The severity of syslog (RFC 5424, section 6.2.1), as Python maps it.
    pub(super) fn syslog(self) -> u8 {
        match self {
            Self::Trace | Self::Debug => 7,
            Self::Info => 6,
            Self::Warning => 4,
            Self::Error => 3,
            Self::Critical => 2,
        }
    }
}

/// The field that makes an error critical; it is not written.
pub(super) const CRITICAL: &str = "critical";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_level_in_any_letter_case() {
        for name in Level::NAMES {
            assert_eq!(
                Level::from_name(name),
                Level::from_name(&name.to_uppercase()),
                "{name}"
            );
            assert!(Level::from_name(name).is_some(), "{name}");
        }
        assert_eq!(Level::from_name("verbose"), None);
    }

    #[test]
    fn filters_are_in_the_order_of_the_levels() {
        let levels = [
            Level::NotSet,
            Level::Debug,
            Level::Info,
            Level::Warning,
            Level::Error,
            Level::Critical,
        ];
        assert!(levels.is_sorted());
        assert!(levels.map(Level::filter).iter().rev().is_sorted());
        assert!(Level::Error.admits(Severity::Critical));
        assert!(!Level::Critical.admits(Severity::Error));
        assert!(Level::NotSet.admits(Severity::Trace));
    }
}
