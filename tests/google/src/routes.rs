//! Which service a request is for.
//!
//! All of them share one address here; their paths are as far apart as Google's.

use crate::answer::canonical;
use crate::wire::{Request, Response};
use crate::world::World;
use crate::{compute, dns, metadata, pubsub, resource_manager, tokens};

/// The answer to a request, from the service that it is for.
pub(crate) fn answered(world: &mut World, request: &Request) -> Response {
    let segments = request.segments();
    let segments = segments.iter().map(String::as_str).collect::<Vec<_>>();
    match (request.method.as_str(), segments.as_slice()) {
        // "curl metadata.google.internal": whether this is a metadata server at all.
        ("GET", [""]) => {
            metadata::flavoured(Response::new(200, "application/text", "computeMetadata/\n"))
        }
        ("GET", ["computeMetadata", ..]) => metadata::answered(world, request),
        ("POST", ["token"]) => tokens::grant(world, request),
        ("POST", ["v1", "token"]) => tokens::exchange(world, request),
        ("POST", ["v1", "projects", "-", "serviceAccounts", account])
            if account.ends_with(":generateAccessToken") =>
        {
            tokens::impersonate(world, request)
        }
        ("GET", ["v1", "projects"]) => resource_manager::projects(world, request),
        (_, ["v1", "projects", project, "topics", topic]) => {
            let (topic, verb) = topic.rsplit_once(':').unwrap_or((topic, ""));
            let name = format!("projects/{project}/topics/{topic}");
            pubsub::answered(world, request, &name, verb)
        }
        (
            "GET",
            [
                "compute",
                "v1",
                "projects",
                project,
                "aggregated",
                "instances",
            ],
        ) => compute::instances(world, request, project),
        (_, ["dns", "v1", "projects", rest @ ..]) => dns::answered(world, request, rest),
        _ => canonical(404, "Not Found"),
    }
}

/// Whether a request is one of those that no discovery document describes.
pub(crate) fn is_outside_of_apis(request: &Request) -> bool {
    let path = request.path.as_str();
    path == "/" || path == "/token" || path.starts_with("/computeMetadata/")
}
