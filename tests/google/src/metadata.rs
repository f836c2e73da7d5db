//! The metadata server of an instance: <https://cloud.google.com/compute/docs/metadata/querying-metadata>.

use serde_json::json;

use crate::answer::json as answer;
use crate::tokens::EMAIL;
use crate::wire::{Request, Response};
use crate::world::World;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Whatever is asked of the metadata server.
pub(crate) fn answered(world: &mut World, request: &Request) -> Response {
    flavoured(if request.header("metadata-flavor") == Some("Google") {
        found(world, request)
    } else {
        // "Required header": a request without it is denied.
        Response::new(
            403,
            "text/html; charset=UTF-8",
            "Missing Metadata-Flavor:Google header.",
        )
    })
}

/// Every answer says who gave it ("Verify the response").
pub(crate) fn flavoured(response: Response) -> Response {
    response
        .with("Metadata-Flavor", "Google")
        .with("Server", "Metadata Server for VM")
}

fn found(world: &mut World, request: &Request) -> Response {
    let accounts = "/computeMetadata/v1/instance/service-accounts/";
    let text = |text: &str| Response::new(200, "application/text", text.to_owned());
    let Some(rest) = request.path.strip_prefix(accounts) else {
        return match request.path.as_str() {
            "/computeMetadata/v1/project/project-id" => text("tests"),
            _ => not_found(),
        };
    };
    let email = percent_encoding::percent_decode_str(rest).decode_utf8_lossy();
    match email.split_once('/') {
        Some(("default" | EMAIL, "")) => answer(
            200,
            &json!({"aliases": ["default"], "email": EMAIL, "scopes": [SCOPE]}),
        ),
        Some(("default" | EMAIL, "email")) => text(EMAIL),
        Some(("default" | EMAIL, "token")) => {
            // The page "Authenticate workloads using service accounts": `?scopes=`, separated by commas.
            let scopes = request.parameter("scopes").unwrap_or(SCOPE);
            let scopes = scopes.split(',').map(str::to_owned).collect();
            let token = world.tokens.give(scopes);
            let lives = world.tokens.lives;
            answer(
                200,
                &json!({"access_token": token, "expires_in": lives, "token_type": "Bearer"}),
            )
        }
        _ => not_found(),
    }
}

fn not_found() -> Response {
    Response::new(
        404,
        "text/html; charset=UTF-8",
        "<!DOCTYPE html><title>Error 404 (Not Found)</title>",
    )
}
