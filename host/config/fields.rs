//! Reads the settings of one table of the host's own, and says all that is
//! wrong with them.

use std::time::Duration;

use super::nearest::nearest;
use super::value::{Kind, Table, Value};
use crate::problem::{Code, Problem};

/// The settings of one table. What is not asked for before [`Self::finish`] is unknown.
pub(super) struct Fields<'a, 'p> {
    table: Option<&'a Table>,
    path: String,
    known: Vec<&'static str>,
    problems: &'p mut Vec<Problem>,
}

impl<'a, 'p> Fields<'a, 'p> {
    /// The settings of the table `path` in `parent`; none if there is no such table.
    pub(super) fn new(
        value: Option<&'a Value>,
        path: &str,
        problems: &'p mut Vec<Problem>,
    ) -> Self {
        let table = value.and_then(|value| {
            if value.as_table().is_none() {
                problems.push(wrong_type(value, path, "a table"));
            }
            value.as_table()
        });
        Self {
            table,
            path: path.to_owned(),
            known: Vec::new(),
            problems,
        }
    }

    /// The value of `name`, whatever it is.
    pub(super) fn any(&mut self, name: &'static str) -> Option<&'a Value> {
        if !self.known.contains(&name) {
            self.known.push(name);
        }
        self.table?.get(name)
    }

    /// The value of `name`, as `read` understands it; `expected` says what it may be.
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&'a Kind) -> Option<T>,
    ) -> Option<T> {
        let value = self.any(name)?;
        let result = read(&value.kind);
        if result.is_none() {
            let path = self.full(name);
            self.problems.push(wrong_type(value, &path, expected));
        }
        result
    }

    pub(super) fn text(&mut self, name: &'static str) -> Option<&'a str> {
        self.read(name, "a text", |kind| match kind {
            Kind::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    pub(super) fn boolean(&mut self, name: &'static str) -> Option<bool> {
        self.read(name, "true or false", |kind| match kind {
            Kind::Boolean(boolean) => Some(*boolean),
            _ => None,
        })
    }

    /// A whole number from `least` to `most`.
    pub(super) fn integer(&mut self, name: &'static str, least: i64, most: i64) -> Option<i64> {
        let number = self.read(name, "a whole number", |kind| match kind {
            Kind::Integer(number) => Some(*number),
            _ => None,
        })?;
        if (least..=most).contains(&number) {
            return Some(number);
        }
        self.refuse(name, &format!("a whole number from {least} to {most}"));
        None
    }

    /// A number of seconds, whole or not, up to a year.
    pub(super) fn seconds(&mut self, name: &'static str) -> Option<Duration> {
        const YEAR: f64 = 366.0 * 86_400.0;
        #[expect(
            clippy::cast_precision_loss,
            reason = "beyond 2^53 seconds the range below refuses it"
        )]
        let seconds = self.read(name, "a number of seconds", |kind| match kind {
            Kind::Integer(number) => Some(*number as f64),
            Kind::Float(number) => Some(*number),
            _ => None,
        })?;
        if (0.0..=YEAR).contains(&seconds) {
            return Some(Duration::from_secs_f64(seconds));
        }
        self.refuse(name, &format!("a number of seconds from 0 to {YEAR}"));
        None
    }

    /// A list of texts, each with its place.
    pub(super) fn texts(&mut self, name: &'static str) -> Option<Vec<(&'a str, &'a Value)>> {
        let list = self.read(name, "a list of texts, in brackets", |kind| match kind {
            Kind::Array(values) => Some(values),
            _ => None,
        })?;
        let path = self.full(name);
        let mut texts = Vec::with_capacity(list.len());
        for value in list {
            match &value.kind {
                Kind::Text(text) => texts.push((text.as_str(), value)),
                _ => self
                    .problems
                    .push(wrong_type(value, &path, "a list of texts, in brackets")),
            }
        }
        Some(texts)
    }

    /// Complains that the value of `name` is not `expected`.
    pub(super) fn refuse(&mut self, name: &'static str, expected: &str) {
        let path = self.full(name);
        if let Some(value) = self.table.and_then(|table| table.get(name)) {
            self.problems.push(
                Problem::error(Code::WrongValue, format!("{path} must be {expected}"))
                    .at(&value.origin, path),
            );
        }
    }

    /// Adds a problem of its own kind.
    pub(super) fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Complains about every key that was not asked for.
    pub(super) fn finish(self) {
        for (name, origin, _) in self.table.into_iter().flat_map(Table::iter) {
            if self.known.contains(&name) {
                continue;
            }
            let suggestion = nearest(name, self.known.iter().copied())
                .map(|near| format!("; did you mean \"{near}\"?"))
                .unwrap_or_default();
            let mut known = self.known.clone();
            known.sort_unstable();
            self.problems.push(
                Problem::error(
                    Code::UnknownSetting,
                    format!("[{}] has no setting \"{name}\"{suggestion}", self.path),
                )
                .at(origin, format!("[{}]", self.path))
                .found(format!(
                    "settings of [{}]: {}",
                    self.path,
                    known.join(", ")
                )),
            );
        }
    }

    fn full(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }
}

/// A value that is not what `path` needs.
pub(super) fn wrong_type(value: &Value, path: &str, expected: &str) -> Problem {
    Problem::error(
        Code::WrongType,
        format!("{path} must be {expected}, not {}", value.describe()),
    )
    .at(&value.origin, path)
}
