//! Reads the settings of one table of the host's own, and says all that is
//! wrong with them.

use std::time::Duration;

use super::nearest::nearest;
use super::options;
use super::value::{Kind, Table, Value};
use crate::problem::{Code, Problem};
use crate::schema::{Kind as Type, Table as Options};

/// The settings of one table. Which there are, and what a number may be, is said in
/// [`options`](super::options).
pub(super) struct Fields<'a, 'p> {
    table: Option<&'a Table>,
    path: String,
    options: &'static Options,
    known: Vec<&'static str>,
    problems: &'p mut Vec<Problem>,
}

impl<'a, 'p> Fields<'a, 'p> {
    /// The settings of the table `path`; none if there is no such table.
    pub(super) fn new(
        value: Option<&'a Value>,
        path: &str,
        problems: &'p mut Vec<Problem>,
    ) -> Self {
        Self::described(value, path, path, problems)
    }

    /// As [`Self::new`], for a table whose options are described as `description`.
    pub(super) fn described(
        value: Option<&'a Value>,
        path: &str,
        description: &str,
        problems: &'p mut Vec<Problem>,
    ) -> Self {
        static NONE: Options = Options {
            settings: Vec::new(),
        };
        let table = value.and_then(|value| {
            if value.as_table().is_none() {
                problems.push(wrong_type(value, path, "a table"));
            }
            value.as_table()
        });
        Self {
            table,
            path: path.to_owned(),
            options: options::of(description).unwrap_or(&NONE),
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

    /// A whole number within the bounds of the option; its default if there is none.
    pub(super) fn integer(&mut self, name: &'static str) -> Option<i64> {
        let default = self.default(name).and_then(toml::Value::as_integer);
        self.given_integer(name).or(default)
    }

    fn given_integer(&mut self, name: &'static str) -> Option<i64> {
        let number = self.read(name, "a whole number", |kind| match kind {
            Kind::Integer(number) => Some(*number),
            _ => None,
        })?;
        match self.option(name) {
            Some(&Type::Integer(least, most)) if !(least..=most).contains(&number) => {
                self.refuse(name, &format!("a whole number from {least} to {most}"));
                None
            }
            _ => Some(number),
        }
    }

    /// A number, whole or not, within the bounds of the option; its default if there is none.
    pub(super) fn number(&mut self, name: &'static str, expected: &str) -> Option<f64> {
        let default = self.default(name).and_then(as_float);
        self.given_number(name, expected).or(default)
    }

    fn given_number(&mut self, name: &'static str, expected: &str) -> Option<f64> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "beyond 2^53 the bounds refuse it, or it may be inexact"
        )]
        let number = self.read(name, expected, |kind| match kind {
            Kind::Integer(number) => Some(*number as f64),
            Kind::Float(number) => Some(*number),
            _ => None,
        })?;
        match self.option(name) {
            // Written so that NaN is out of bounds.
            Some(&Type::Number(least, most)) if !(number >= least && number <= most) => {
                self.refuse(name, &format!("{expected} from {least} to {most}"));
                None
            }
            _ => Some(number),
        }
    }

    /// A number of seconds, whole or not.
    pub(super) fn seconds(&mut self, name: &'static str) -> Option<Duration> {
        let seconds = self.number(name, "a number of seconds")?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// What stands in the place of `name` where it is not set.
    pub(super) fn default(&self, name: &str) -> Option<&'static toml::Value> {
        self.options.find(name)?.schema.default.as_ref()
    }

    fn option(&self, name: &str) -> Option<&'static Type> {
        self.options.find(name).map(|option| &option.schema.kind)
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
        debug_assert!(
            self.known
                .iter()
                .all(|name| self.options.find(name).is_some()),
            "host/config/options.rs has to describe every option of [{}] that is read: {:?}",
            self.path,
            self.known
        );
        debug_assert!(
            self.options
                .settings
                .iter()
                .all(|option| option.names().any(|name| self.known.contains(&name))),
            "host/config/options.rs describes an option of [{}] that is not read: {:?}",
            self.path,
            self.options
        );
        for (name, origin, _) in self.table.into_iter().flat_map(Table::iter) {
            if self.known.contains(&name) {
                continue;
            }
            // Not the names that are only understood.
            let names = || self.options.settings.iter().map(|option| &*option.name);
            let suggestion = nearest(name, names())
                .map(|near| format!("; did you mean \"{near}\"?"))
                .unwrap_or_default();
            let mut known: Vec<_> = names().collect();
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

#[expect(
    clippy::cast_precision_loss,
    reason = "our own defaults are far below 2^53"
)]
fn as_float(value: &toml::Value) -> Option<f64> {
    value
        .as_float()
        .or_else(|| value.as_integer().map(|number| number as f64))
}

/// A value that is not what `path` needs.
pub(super) fn wrong_type(value: &Value, path: &str, expected: &str) -> Problem {
    Problem::error(
        Code::WrongType,
        format!("{path} must be {expected}, not {}", value.describe()),
    )
    .at(&value.origin, path)
}
