//! Compute Engine: <https://cloud.google.com/compute/docs/reference/rest/v1/instances/aggregatedList>.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::answer::{Wrong, classic, json as answer};
use crate::instance::Instance;
use crate::paging;
use crate::tokens::authorised;
use crate::wire::{Request, Response};
use crate::world::World;

/// "Acceptable values are 0 to 500, inclusive. (Default: 500)"
const MOST: usize = 500;

/// `GET /compute/v1/projects/PROJECT/aggregated/instances`.
pub(crate) fn instances(world: &mut World, request: &Request, project: &str) -> Response {
    if let Err(refused) = authorised(world, request, &["compute", "compute.readonly"]) {
        return refused;
    }
    let Some(instances) = world.instances.get(project) else {
        let message = format!("The resource 'projects/{project}' was not found");
        return classic(&[Wrong::not_found(message)]);
    };
    let asked = request.parameter("maxResults").map_or(Ok(MOST), str::parse);
    let limit = match asked {
        Ok(0) => MOST,
        Ok(limit) if limit <= MOST => limit,
        _ => {
            let message =
                "Invalid value for field 'maxResults': must be between 0 and 500, inclusive.";
            return classic(&[Wrong::invalid(message)]);
        }
    };
    let filter = request.parameter("filter").unwrap_or_default();
    let Some(conditions) = conditions(filter) else {
        world
            .offences
            .push(format!("the fake cannot filter instances by {filter}"));
        return classic(&[Wrong::invalid(
            "Invalid value for field 'filter': not known here.",
        )]);
    };
    // "By default, results are returned in alphanumerical order based on the resource name", scope by scope.
    let mut kept = instances.iter().filter(|instance| {
        let value = instance.value();
        conditions.iter().all(|condition| condition.holds(value))
    });
    let mut kept = kept.by_ref().collect::<Vec<_>>();
    kept.sort_by_key(|instance| (instance.zone().to_owned(), instance.name().to_owned()));
    let limit = limit.min(world.pages.instances);
    let listing = format!("instances {project} {filter}");
    let Some(page) = paging::page(&kept, &listing, request.parameter("pageToken"), limit) else {
        return classic(&[Wrong::invalid("Invalid value for field 'pageToken': ''.")]);
    };
    let mut body = json!({
        "kind": "compute#instanceAggregatedList",
        "id": format!("projects/{project}/aggregated/instances"),
        "items": scopes(&world.scopes, page.items),
        "selfLink": format!(
            "https://www.googleapis.com/compute/v1/projects/{project}/aggregated/instances"
        ),
    });
    if let Some(next) = page.next {
        body["nextPageToken"] = json!(next);
    }
    answer(200, &body)
}

/// Every scope is there; one without instances has a warning that says so.
fn scopes(scopes: &[String], instances: &[&Instance]) -> Value {
    let mut items = BTreeMap::<&str, Value>::new();
    for scope in scopes {
        let its = instances
            .iter()
            .filter(|instance| scope.strip_prefix("zones/") == Some(instance.zone()));
        let its = its
            .map(|instance| instance.value().clone())
            .collect::<Vec<_>>();
        let item = if its.is_empty() {
            json!({"warning": {
                "code": "NO_RESULTS_ON_PAGE",
                "message": format!("There are no results for scope '{scope}' on this page."),
                "data": [{"key": "scope", "value": scope}],
            }})
        } else {
            json!({"instances": its})
        };
        items.insert(scope, item);
    }
    json!(items)
}

/// `status = RUNNING`, `labels.team != web`: the simplest of the filters that the page describes.
struct Condition {
    field: String,
    is_wanted: bool,
    value: String,
}

impl Condition {
    fn holds(&self, instance: &Value) -> bool {
        let pointer = format!("/{}", self.field.replace('.', "/"));
        let value = instance.pointer(&pointer).and_then(Value::as_str);
        (value == Some(&self.value)) == self.is_wanted
    }
}

/// None for a filter that is not understood here.
fn conditions(filter: &str) -> Option<Vec<Condition>> {
    let trimmed = filter.trim();
    if trimmed.is_empty() {
        return Some(Vec::new());
    }
    let parts = trimmed.trim_matches(['(', ')']).split(") (");
    let conditions = parts.map(|part| {
        let (field, is_wanted, value) = match part.split_once("!=") {
            Some((field, value)) => (field, false, value),
            None => {
                let (field, value) = part.split_once('=')?;
                (field, true, value)
            }
        };
        Some(Condition {
            field: field.trim().to_owned(),
            is_wanted,
            value: value.trim().trim_matches('"').to_owned(),
        })
    });
    conditions.collect()
}
