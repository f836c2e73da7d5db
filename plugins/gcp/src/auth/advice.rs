//! What an operator can do when there is no token.

use super::fault::{AnswerFault, Cause, Refused};
use super::source::{Key, Kind};

const NO_METADATA: &str = "look at GCE_METADATA_HOST, or set `keyfile` in `[gcp]`";
const NO_ACCOUNT: &str = "attach a service account to this machine, or set `keyfile` in `[gcp]`";

/// What to do about `cause`, if one can know.
pub(super) fn on(kind: &Kind, cause: &Cause) -> Option<String> {
    match cause {
        Cause::Refused(refused) => refusal(kind, refused).map(str::to_owned),
        Cause::Asking { .. } if matches!(kind, Kind::Metadata(_)) => Some(NO_METADATA.to_owned()),
        Cause::Asking { source, .. } => source.hint(),
        Cause::Nowhere { .. } => Some(
            "set `keyfile` in `[gcp]` to the key file of a service account, or log in with \
             `gcloud auth application-default login`"
                .to_owned(),
        ),
        Cause::Answer {
            source: AnswerFault::NoAccount,
            ..
        } => Some(NO_ACCOUNT.to_owned()),
        Cause::Answer {
            source: AnswerFault::Flavor,
            ..
        } => Some(NO_METADATA.to_owned()),
        Cause::SubjectFile { .. } | Cause::Subject { .. } => Some(
            "look at `credential_source` in that file, and at whoever is to write the token there"
                .to_owned(),
        ),
        Cause::Answer {
            source: AnswerFault::Json { .. },
            ..
        } => Some(
            "something else than Google answers there, such as a proxy that wants a login"
                .to_owned(),
        ),
        Cause::Answer { .. } | Cause::Sign => None,
    }
}

/// What to do about somebody who gives no token.
fn refusal(kind: &Kind, refused: &Refused) -> Option<&'static str> {
    if refused.place.contains(":generateAccessToken") {
        return impersonation(refused.status);
    }
    let key = match kind {
        Kind::Own(key) | Kind::Impersonated { by: key, .. } => key,
        Kind::Metadata(_) => return (refused.status == 404).then_some(NO_ACCOUNT),
    };
    let description = refused.description.to_ascii_lowercase();
    match (key, refused.reason.as_str()) {
        (Key::User(_), reason) => login(reason, &description),
        (_, "invalid_scope") => Some("look at `scopes`: one of them does not exist"),
        (Key::ServiceAccount(_), _) => service_account(&description),
        (Key::Federation(_), reason) => federation(reason),
    }
}

/// What Google's endpoint says of assertions it says in words: the code is `invalid_grant` for all of it.
fn service_account(description: &str) -> Option<&'static str> {
    let says = |words: &[&str]| words.iter().any(|word| description.contains(word));
    if says(&["short-lived", "timeframe"]) {
        return Some("the clock of this machine is wrong: have it set by NTP");
    }
    if says(&["signature"]) {
        return Some(
            "Google does not know the key, or no longer: make a new one with \
             `gcloud iam service-accounts keys create`, and replace the file",
        );
    }
    if says(&["not found", "email or user id"]) {
        return Some("the service account does not exist any more: make one, and a key for it");
    }
    says(&["disabled"]).then_some(
        "the service account is disabled: `gcloud iam service-accounts enable` changes that",
    )
}

fn login(reason: &str, description: &str) -> Option<&'static str> {
    match reason {
        "invalid_scope" => Some(
            "the person did not agree to all of `scopes`: log in with \
             `gcloud auth application-default login --scopes=…`, or leave `scopes` as it is by default",
        ),
        _ if description.contains("rapt") || description.contains("reauth") => Some(
            "the organisation wants people to log in time and again: use a service account, or log in \
             again with `gcloud auth application-default login`",
        ),
        "invalid_grant" | "invalid_client" | "unauthorized_client" | "deleted_client" => {
            Some("log in again: `gcloud auth application-default login`")
        }
        _ => None,
    }
}

fn federation(reason: &str) -> Option<&'static str> {
    match reason {
        "invalid_target" | "invalid_grant" | "invalid_request" | "unauthorized_client" => Some(
            "look whether `audience` names the provider, whether that one is enabled, and whether it takes \
             the token: its issuer, audience and age",
        ),
        _ => None,
    }
}

const fn impersonation(status: u16) -> Option<&'static str> {
    match status {
        403 => Some(
            "whoever impersonates the account needs the role `roles/iam.serviceAccountTokenCreator` on \
             it, an identity of a workload pool `roles/iam.workloadIdentityUser`, and the project the \
             IAM Service Account Credentials API",
        ),
        404 => Some("the service account that is to be impersonated does not exist"),
        _ => None,
    }
}
