//! The levels of the Python original, and those of `tracing`.

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
    /// The program cannot go on. No event has this level: chosen as the least
    /// one it silences all of them.
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
    #[must_use]
    pub fn filter(self) -> LevelFilter {
        match self {
            Self::NotSet => LevelFilter::TRACE,
            Self::Debug => LevelFilter::DEBUG,
            Self::Info => LevelFilter::INFO,
            Self::Warning => LevelFilter::WARN,
            Self::Error => LevelFilter::ERROR,
            Self::Critical => LevelFilter::OFF,
        }
    }
}

/// The name of a level as it stands in a line.
pub(super) fn printed(level: tracing::Level) -> &'static str {
    match level {
        tracing::Level::TRACE => "TRACE",
        tracing::Level::DEBUG => "DEBUG",
        tracing::Level::INFO => "INFO",
        tracing::Level::WARN => "WARNING",
        tracing::Level::ERROR => "ERROR",
    }
}

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
    }
}
