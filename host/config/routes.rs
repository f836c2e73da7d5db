//! The `[core.routes]` table: who compares which zones, and who publishes their changes.

use super::core::Listed;
use super::fields::Fields;
use super::patterns;
use super::source::Origin;
use super::value::Value;
use crate::pattern::Patterns;
use crate::problem::{Code, Problem};

/// The `[core.routes]` table.
#[derive(Clone, Debug)]
pub struct RouteSettings {
    /// By zone; the closest counts.
    pub routes: Patterns<RouteSetting>,
    /// Whether there is nothing wrong with it: else some may be missing.
    pub is_whole: bool,
    /// Where the table stands.
    pub origin: Origin,
}

/// One route.
#[derive(Clone, Debug)]
pub struct RouteSetting {
    /// Its setting, for people.
    pub path: String,
    /// Who compares its zones.
    pub reconciler: Listed,
    /// Who publishes their changes; every publisher if nobody is named.
    pub publishers: Option<Vec<Listed>>,
}

impl RouteSettings {
    pub(super) fn read(value: Option<&Value>, problems: &mut Vec<Problem>) -> Option<Self> {
        let value = value?;
        let before = problems.len();
        let routes = patterns::read_tables(value, "core.routes", problems, read_route);
        Some(Self {
            routes,
            is_whole: problems.len() == before,
            origin: value.origin.clone(),
        })
    }
}

fn read_route(path: &str, value: &Value, problems: &mut Vec<Problem>) -> Option<RouteSetting> {
    let is_table = value.as_table().is_some();
    let mut fields = Fields::described(Some(value), path, "core.routes.*", problems);
    let listed = |(key, value): (&str, &Value)| Listed {
        key: key.to_owned(),
        origin: value.origin.clone(),
    };
    let given = fields.any("reconciler");
    let reconciler = fields.text("reconciler").zip(given).map(listed);
    let publishers = fields
        .texts("publishers")
        .map(|keys| keys.into_iter().map(listed).collect::<Vec<_>>());
    if given.is_none() && is_table {
        fields.report(
            Problem::error(Code::MissingSetting, format!("[{path}] has no reconciler"))
                .at(&value.origin, path)
                .because("every zone is compared by one reconciler")
                .help("write reconciler = \"…\", the key of one in core.plugins"),
        );
    }
    if publishers.as_ref().is_some_and(Vec::is_empty) {
        fields.refuse(
            "publishers",
            "a list with at least one key; without it every publisher gets the changes",
        );
    }
    fields.finish();
    Some(RouteSetting {
        path: path.to_owned(),
        reconciler: reconciler?,
        publishers,
    })
}
