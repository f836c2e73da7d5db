//! What an operator can do when there is no token.

use super::fault::{AnswerFault, Cause, Refused};
use super::source::{Key, Kind};

const LOG_IN: &str = "log in again: `gcloud auth application-default login`";

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

const NO_METADATA: &str = "look at GCE_METADATA_HOST, or set `keyfile` in `[gcp]`";
const NO_ACCOUNT: &str = "attach a service account to this machine, or set `keyfile` in `[gcp]`";

fn refusal(kind: &Kind, refused: &Refused) -> Option<&'static str> {
    let description = refused.description.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| description.contains(word));
    if refused.place.contains(":generateAccessToken") {
        return match refused.status {
            403 => Some(
                "whoever impersonates the account needs the role `roles/iam.serviceAccountTokenCreator` on \
                 it, an identity of a workload pool `roles/iam.workloadIdentityUser`, and the project the \
                 IAM Service Account Credentials API",
            ),
            404 => Some("the service account that is to be impersonated does not exist"),
            _ => None,
        };
    }
    match (kind, refused.reason.as_str()) {
        (_, "invalid_scope") => Some(match kind {
            Kind::Own(Key::User(_))
            | Kind::Impersonated {
                by: Key::User(_), ..
            } => {
                "the person did not agree to all of `scopes`: log in with \
                 `gcloud auth application-default login --scopes=…`, or leave `scopes` as it is by default"
            }
            _ => "look at `scopes`: one of them does not exist",
        }),
        (Kind::Metadata(_), _) if refused.status == 404 => Some(NO_ACCOUNT),
        (Kind::Own(key) | Kind::Impersonated { by: key, .. }, reason) => match key {
            Key::ServiceAccount(_) if says(&["short-lived", "timeframe"]) => {
                Some("the clock of this machine is wrong: have it set by NTP")
            }
            Key::ServiceAccount(_) if says(&["signature"]) => Some(
                "Google does not know the key, or no longer: make a new one with \
                 `gcloud iam service-accounts keys create`, and replace the file",
            ),
            Key::ServiceAccount(_) if says(&["not found", "email or user id"]) => {
                Some("the service account does not exist any more: make one, and a key for it")
            }
            Key::ServiceAccount(_) if says(&["disabled"]) => Some(
                "the service account is disabled: `gcloud iam service-accounts enable` changes that",
            ),
            Key::User(_) if says(&["rapt", "reauth"]) => Some(
                "the organisation wants people to log in time and again: use a service account, or log in \
                 again with `gcloud auth application-default login`",
            ),
            Key::User(_) if reason == "invalid_grant" => Some(LOG_IN),
            Key::User(_) if reason.ends_with("_client") => Some(LOG_IN),
            Key::Federation(_)
                if matches!(
                    reason,
                    "invalid_target" | "invalid_grant" | "invalid_request" | "unauthorized_client"
                ) =>
            {
                Some(
                    "look whether `audience` names the provider, whether that one is enabled, and whether it takes \
                 the token: its issuer, audience and age",
                )
            }
            _ => None,
        },
        _ => None,
    }
}
