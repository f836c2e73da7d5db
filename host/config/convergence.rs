//! The `[core.convergence]` table.

use super::fields::Fields;
use super::value::Value;
use crate::problem::Problem;
use crate::stations::convergence::Settings;

/// What is done about changes that do not stick.
pub(super) fn read(value: Option<&Value>, problems: &mut Vec<Problem>) -> Settings {
    let mut fields = Fields::new(value, "core.convergence", problems);
    let attempts = fields.integer("attempts");
    let attempts = attempts.and_then(|number| u32::try_from(number).ok());
    let settle = fields.seconds("settle");
    fields.finish();
    // Both have a default.
    Settings {
        attempts: attempts.unwrap_or(1),
        settle: settle.unwrap_or_default(),
    }
}
