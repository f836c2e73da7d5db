//! Resource Manager: <https://cloud.google.com/resource-manager/reference/rest/v1/projects/list>.

use serde_json::json;

use crate::answer::{canonical, json as answer};
use crate::paging;
use crate::tokens::authorised;
use crate::wire::{Request, Response};
use crate::world::World;

/// `GET /v1/projects`.
pub(crate) fn projects(world: &mut World, request: &Request) -> Response {
    if let Err(refused) = authorised(world, request, &["cloud-platform.read-only"]) {
        return refused;
    }
    let filter = request.parameter("filter").unwrap_or_default();
    // Of the filters that the page describes, those that somebody here sends.
    let state = match filter.to_ascii_lowercase().strip_prefix("lifecyclestate:") {
        Some(state) => Some(state.to_owned()),
        None => {
            if !filter.is_empty() {
                world
                    .offences
                    .push(format!("the fake cannot filter projects by {filter}"));
            }
            None
        }
    };
    let kept = world.projects.iter().enumerate().filter(|(_, project)| {
        state
            .as_ref()
            .is_none_or(|state| project.state.eq_ignore_ascii_case(state))
    });
    let kept = kept.collect::<Vec<_>>();
    let asked = request
        .parameter("pageSize")
        .and_then(|size| size.parse::<usize>().ok());
    // "The server can return fewer Projects than requested."
    let limit = asked
        .filter(|size| *size > 0)
        .unwrap_or(usize::MAX)
        .min(world.pages.projects);
    let listing = format!("projects {filter}");
    let Some(page) = paging::page(&kept, &listing, request.parameter("pageToken"), limit) else {
        return canonical(400, "Request contains an invalid argument.");
    };
    let projects = page.items.iter().map(|(number, project)| {
        json!({
            "projectNumber": (100_000_000_000 + number).to_string(),
            "projectId": project.id,
            "lifecycleState": project.state,
            "name": project.id,
            "createTime": "2025-06-07T08:09:10.111Z",
            "parent": {"type": "organization", "id": "987654321098"},
        })
    });
    let projects = projects.collect::<Vec<_>>();
    let mut body = json!({});
    // Empty lists are left out, as everywhere where JSON is made of protocol buffers.
    if !projects.is_empty() {
        body["projects"] = json!(projects);
    }
    if let Some(next) = page.next {
        body["nextPageToken"] = json!(next);
    }
    answer(200, &body)
}
