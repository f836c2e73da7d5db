//! The `[core.history]` table.

use std::time::Duration;

use super::fields::Fields;
use super::value::Value;
use crate::problem::Problem;

/// What is kept of past runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Whether runs are recorded.
    pub enabled: bool,
    /// How many days a run is kept.
    pub keep_days: u32,
    /// How many runs are kept however old they are.
    pub keep_runs: u32,
    /// How long a run waits for another one of the same state directory.
    pub wait: Duration,
}

impl History {
    /// Reads the table; everything wrong with it is added to `problems`.
    pub(super) fn read(value: Option<&Value>, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::new(value, "core.history", problems);
        let number = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok());
        // All of them have a default.
        let history = Self {
            enabled: fields.boolean("enabled").unwrap_or(true),
            keep_days: number(fields.integer("keep_days")).unwrap_or_default(),
            keep_runs: number(fields.integer("keep_runs")).unwrap_or_default(),
            wait: fields.seconds("wait").unwrap_or_default(),
        };
        fields.finish();
        history
    }
}
