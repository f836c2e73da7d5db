//! The forms of Google's answers.

use serde_json::{Value, json};

use crate::wire::Response;

/// An answer in JSON, as Google's front end labels it.
pub(crate) fn json(status: u16, body: &Value) -> Response {
    Response::new(status, "application/json; charset=UTF-8", body.to_string())
}

/// One thing that is wrong with a request.
#[derive(Clone, Debug)]
pub(crate) struct Wrong {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) message: String,
}

impl Wrong {
    pub(crate) fn new(status: u16, reason: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            reason: reason.to_owned(),
            message: message.into(),
        }
    }

    /// A parameter or field that cannot be what it is.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "notFound", message)
    }
}

/// The classic form, of Compute Engine and Cloud DNS: `error.errors[]` says what is wrong one by one,
/// `code` and `message` repeat the first (the page "Standard error responses" of Cloud Storage's JSON API
/// describes it for all of this generation; <https://cloud.google.com/dns/docs/error-messages> has the
/// reasons).
pub(crate) fn classic(wrongs: &[Wrong]) -> Response {
    let Some(first) = wrongs.first() else {
        return json(
            500,
            &json!({"error": {"code": 500, "message": "Internal error"}}),
        );
    };
    let errors = wrongs.iter().map(|wrong| {
        json!({"domain": domain(&wrong.reason), "reason": wrong.reason, "message": wrong.message})
    });
    let errors = errors.collect::<Vec<_>>();
    let error = json!({"code": first.status, "message": first.message, "errors": errors});
    json(first.status, &json!({"error": error}))
}

/// The form of Resource Manager and Pub/Sub, with a canonical code (<https://google.aip.dev/193>).
pub(crate) fn canonical(status: u16, message: &str) -> Response {
    let code = canonical_code(status);
    let error = json!({"code": status, "message": message, "status": code});
    json(status, &json!({"error": error}))
}

fn domain(reason: &str) -> &'static str {
    match reason {
        "rateLimitExceeded" | "userRateLimitExceeded" | "quotaExceeded" | "accessNotConfigured" => {
            "usageLimits"
        }
        _ => "global",
    }
}

/// The name of a code (google/rpc/code.proto).
pub(crate) fn canonical_code(status: u16) -> &'static str {
    match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ALREADY_EXISTS",
        412 => "FAILED_PRECONDITION",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        501 => "UNIMPLEMENTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "INTERNAL",
    }
}
