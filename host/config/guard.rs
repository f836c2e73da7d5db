//! The `[core.guard]` table: limits, and where each of them was set.

use std::sync::Arc;

use janitor_plugin_api::dns::{Name, NameRef};

use super::fields::Fields;
use super::patterns;
use super::source::Origin;
use super::value::{Kind, Value};
use crate::pattern::{Pattern, Patterns};
use crate::problem::Problem;
use crate::stations::guard::{
    Given, GivenLimit, Limit, OnIncomplete, Percent, RunLimits, ZoneLimits,
};

const PATH: &str = "core.guard";

/// The `[core.guard]` table.
#[derive(Clone, Debug)]
pub struct Guard {
    all: ZoneLimits,
    zones: Patterns<ZoneOptions>,
    run: RunLimits,
}

/// What a `[core.guard.zones."pattern"]` table sets.
#[derive(Clone, Debug)]
struct ZoneOptions {
    deletions: Option<GivenLimit<u64>>,
    deletions_percent: Option<GivenLimit<Percent>>,
    updates: Option<GivenLimit<u64>>,
    updates_percent: Option<GivenLimit<Percent>>,
    min_existing: Option<Given<u64>>,
    shrunk_percent: Option<GivenLimit<Percent>>,
    incomplete: Option<Given<OnIncomplete>>,
}

/// Every limit at its default.
impl Default for Guard {
    fn default() -> Self {
        Self::read(None, &mut Vec::new())
    }
}

impl Guard {
    pub(super) fn read(value: Option<&Value>, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::new(value, PATH, problems);
        let all = ZoneOptions::read(&mut fields, PATH);
        let run = fields.any("run");
        let zones = fields.any("zones");
        fields.finish();
        Self {
            all: all.or_default(),
            run: read_run(run, problems),
            zones: read_zones(zones, problems),
        }
    }

    /// The limits of a zone: each from the closest pattern that sets it.
    #[must_use]
    pub fn limits_of(&self, zone: NameRef<'_>) -> ZoneLimits {
        let mut limits = None;
        for (_, options) in self.zones.matching(zone) {
            let limits: &mut ZoneOptions = limits.get_or_insert_with(ZoneOptions::unset);
            limits.fill(options);
        }
        match limits {
            Some(limits) => limits.over(&self.all),
            None => self.all.clone(),
        }
    }

    /// The limits of zones that no pattern stands for.
    #[must_use]
    pub fn all(&self) -> &ZoneLimits {
        &self.all
    }

    /// The limits of all zones together.
    #[must_use]
    pub fn run(&self) -> &RunLimits {
        &self.run
    }

    /// The patterns that have limits of their own, the closest first, and the limits of what they stand
    /// for: of a zone all that hold there, of several those that hold for all of them.
    pub fn patterns(&self) -> impl Iterator<Item = (&Pattern, ZoneLimits)> {
        self.zones.iter().map(|(pattern, options)| {
            let limits = match pattern.any_name() {
                Some(name) => self.limits_of(name.as_ref()),
                None => options.clone().over(&self.all),
            };
            (pattern, limits)
        })
    }

    /// Every set of limits: that of zones that no pattern stands for, then those of the patterns, with
    /// the name of the table.
    pub fn sets(&self) -> impl Iterator<Item = (String, ZoneLimits)> {
        let all = ("[core.guard]".to_owned(), self.all.clone());
        let zones = self.patterns();
        let zones =
            zones.map(|(pattern, limits)| (format!("[core.guard.zones.\"{pattern}\"]"), limits));
        std::iter::once(all).chain(zones)
    }

    /// The zones that have a table of their own, by name.
    pub fn names(&self) -> impl Iterator<Item = Name> {
        self.zones.iter().filter_map(|(pattern, _)| pattern.name())
    }

    /// The limits that are off, and where that is written.
    #[must_use]
    pub fn off(&self) -> Vec<(&str, &str)> {
        let run = &self.run;
        let run = [&run.deletions, &run.updates, &run.zones]
            .into_iter()
            .filter_map(off_at)
            .chain(
                [
                    &run.deletions_percent,
                    &run.updates_percent,
                    &run.zones_percent,
                ]
                .into_iter()
                .filter_map(off_at),
            );
        let all = &self.all;
        let all = [&all.deletions, &all.updates]
            .into_iter()
            .filter_map(off_at)
            .chain(
                [
                    &all.deletions_percent,
                    &all.updates_percent,
                    &all.shrunk_percent,
                ]
                .into_iter()
                .filter_map(off_at),
            );
        let zones = self.zones.iter().flat_map(|(_, options)| {
            let numbers = [&options.deletions, &options.updates];
            let shares = [
                &options.deletions_percent,
                &options.updates_percent,
                &options.shrunk_percent,
            ];
            let numbers = numbers.into_iter().flatten().filter_map(off_at);
            numbers.chain(shares.into_iter().flatten().filter_map(off_at))
        });
        all.chain(zones).chain(run).collect()
    }
}

impl ZoneOptions {
    fn unset() -> Self {
        Self {
            deletions: None,
            deletions_percent: None,
            updates: None,
            updates_percent: None,
            min_existing: None,
            shrunk_percent: None,
            incomplete: None,
        }
    }

    fn read(fields: &mut Fields<'_, '_>, path: &str) -> Self {
        Self {
            deletions: number(fields, path, "deletions"),
            deletions_percent: percent(fields, path, "deletions_percent"),
            updates: number(fields, path, "updates"),
            updates_percent: percent(fields, path, "updates_percent"),
            min_existing: least(fields, path, "min_existing"),
            shrunk_percent: percent(fields, path, "shrunk_percent"),
            incomplete: on_incomplete(fields, path),
        }
    }

    /// Takes from `other` what is not set here.
    fn fill(&mut self, other: &Self) {
        fn fill<T: Clone>(own: &mut Option<T>, other: &Option<T>) {
            if own.is_none() {
                own.clone_from(other);
            }
        }
        fill(&mut self.deletions, &other.deletions);
        fill(&mut self.deletions_percent, &other.deletions_percent);
        fill(&mut self.updates, &other.updates);
        fill(&mut self.updates_percent, &other.updates_percent);
        fill(&mut self.min_existing, &other.min_existing);
        fill(&mut self.shrunk_percent, &other.shrunk_percent);
        fill(&mut self.incomplete, &other.incomplete);
    }

    /// The limits that these settings make of `all`.
    fn over(self, all: &ZoneLimits) -> ZoneLimits {
        fn or<T: Clone>(own: Option<T>, all: &T) -> T {
            own.unwrap_or_else(|| all.clone())
        }
        ZoneLimits {
            deletions: or(self.deletions, &all.deletions),
            deletions_percent: or(self.deletions_percent, &all.deletions_percent),
            updates: or(self.updates, &all.updates),
            updates_percent: or(self.updates_percent, &all.updates_percent),
            min_existing: or(self.min_existing, &all.min_existing),
            shrunk_percent: or(self.shrunk_percent, &all.shrunk_percent),
            incomplete: or(self.incomplete, &all.incomplete),
        }
    }

    /// The limits of `[core.guard]` itself, where every setting has a default. What was refused, and
    /// stops the run, allows nothing.
    fn or_default(self) -> ZoneLimits {
        ZoneLimits {
            deletions: self.deletions.unwrap_or_else(|| nothing("deletions")),
            deletions_percent: self
                .deletions_percent
                .unwrap_or_else(|| none_of("deletions_percent")),
            updates: self.updates.unwrap_or_else(|| nothing("updates")),
            updates_percent: self
                .updates_percent
                .unwrap_or_else(|| none_of("updates_percent")),
            min_existing: self
                .min_existing
                .unwrap_or_else(|| unsaid("min_existing", 0)),
            shrunk_percent: self
                .shrunk_percent
                .unwrap_or_else(|| none_of("shrunk_percent")),
            incomplete: self
                .incomplete
                .unwrap_or_else(|| unsaid("incomplete", OnIncomplete::Withhold)),
        }
    }
}

fn nothing(name: &str) -> GivenLimit<u64> {
    unsaid(name, Limit::AtMost(0))
}

fn none_of(name: &str) -> GivenLimit<Percent> {
    unsaid(name, Limit::AtMost(Percent::NONE))
}

fn unsaid<T>(name: &str, value: T) -> Given<T> {
    Given {
        value,
        name: format!("{PATH}.{name}").into(),
        place: None,
    }
}

fn read_run(value: Option<&Value>, problems: &mut Vec<Problem>) -> RunLimits {
    let path = "core.guard.run";
    let mut own = Fields::new(value, path, problems);
    let fields = &mut own;
    let limits = RunLimits {
        deletions: number(fields, path, "deletions").unwrap_or_else(|| nothing("run.deletions")),
        deletions_percent: percent(fields, path, "deletions_percent")
            .unwrap_or_else(|| none_of("run.deletions_percent")),
        updates: number(fields, path, "updates").unwrap_or_else(|| nothing("run.updates")),
        updates_percent: percent(fields, path, "updates_percent")
            .unwrap_or_else(|| none_of("run.updates_percent")),
        min_existing: least(fields, path, "min_existing")
            .unwrap_or_else(|| unsaid("run.min_existing", 0)),
        zones: number(fields, path, "zones").unwrap_or_else(|| nothing("run.zones")),
        zones_percent: percent(fields, path, "zones_percent")
            .unwrap_or_else(|| none_of("run.zones_percent")),
        min_zones: least(fields, path, "min_zones").unwrap_or_else(|| unsaid("run.min_zones", 0)),
    };
    own.finish();
    limits
}

fn read_zones(value: Option<&Value>, problems: &mut Vec<Problem>) -> Patterns<ZoneOptions> {
    let Some(value) = value else {
        return Patterns::default();
    };
    patterns::read_tables(
        value,
        "core.guard.zones",
        problems,
        |path, value, problems| {
            let mut fields = Fields::described(Some(value), path, "core.guard.zones.*", problems);
            let options = ZoneOptions::read(&mut fields, path);
            fields.finish();
            Some(options)
        },
    )
}

/// What is wrong with a value, or what it says.
type Read<T> = fn(&Kind) -> Option<T>;

fn number(fields: &mut Fields<'_, '_>, path: &str, name: &'static str) -> Option<GivenLimit<u64>> {
    let read: Read<Limit<u64>> = |kind| match kind {
        Kind::Integer(number) => u64::try_from(*number).ok().map(Limit::AtMost),
        kind => off(kind),
    };
    let expected = "a whole number from 0 on, or \"off\"";
    given(fields, path, name, expected, read)
}

fn percent(
    fields: &mut Fields<'_, '_>,
    path: &str,
    name: &'static str,
) -> Option<GivenLimit<Percent>> {
    let read: Read<Limit<Percent>> = |kind| match kind {
        Kind::Integer(number) => {
            let hundredths = u32::try_from(*number).ok()?.checked_mul(100)?;
            Percent::from_hundredths(hundredths).map(Limit::AtMost)
        }
        Kind::Float(number) => Percent::from_float(*number).map(Limit::AtMost),
        kind => off(kind),
    };
    let expected = "a percentage from 0 to 100 with at most two decimals, or \"off\"";
    given(fields, path, name, expected, read)
}

fn least(fields: &mut Fields<'_, '_>, path: &str, name: &'static str) -> Option<Given<u64>> {
    let read: Read<u64> = |kind| match kind {
        Kind::Integer(number @ 0..=1_000_000) => u64::try_from(*number).ok(),
        _ => None,
    };
    given(fields, path, name, "a whole number from 0 to 1000000", read)
}

fn on_incomplete(fields: &mut Fields<'_, '_>, path: &str) -> Option<Given<OnIncomplete>> {
    let read: Read<OnIncomplete> = |kind| match kind {
        Kind::Text(text) if text == "add" => Some(OnIncomplete::Add),
        Kind::Text(text) if text == "withhold" => Some(OnIncomplete::Withhold),
        _ => None,
    };
    let expected = "one of \"add\", \"withhold\"";
    given(fields, path, "incomplete", expected, read)
}

fn off<T>(kind: &Kind) -> Option<Limit<T>> {
    let is_off = match kind {
        Kind::Text(text) => text == "off",
        Kind::Boolean(boolean) => !boolean,
        _ => false,
    };
    is_off.then_some(Limit::Off)
}

/// A setting with its place; its default, if it has one, if it is not set.
fn given<T>(
    fields: &mut Fields<'_, '_>,
    path: &str,
    name: &'static str,
    expected: &str,
    read: Read<T>,
) -> Option<Given<T>> {
    let (value, place) = match fields.any(name) {
        Some(value) => match read(&value.kind) {
            Some(read) => (read, Some(place(&value.origin))),
            None => {
                fields.refuse(name, expected);
                return None;
            }
        },
        None => (read(&default(fields.default(name)?)?)?, None),
    };
    Some(Given {
        value,
        name: format!("{path}.{name}").into(),
        place,
    })
}

fn default(value: &toml::Value) -> Option<Kind> {
    Some(match value {
        toml::Value::Integer(number) => Kind::Integer(*number),
        toml::Value::String(text) => Kind::Text(text.clone()),
        _ => return None,
    })
}

/// Name and place of a limit that is off.
fn off_at<T>(limit: &GivenLimit<T>) -> Option<(&str, &str)> {
    matches!(limit.value, Limit::Off).then(|| (&*limit.name, limit.place()))
}

/// File and line.
fn place(origin: &Origin) -> Arc<str> {
    format!("{}:{}", origin.path().display(), origin.line()).into()
}

#[cfg(test)]
mod tests;
