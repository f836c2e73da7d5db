use std::fmt::Write as _;

use crate::apply::verdict::Refusal;
use crate::http::Part;

fn refusal(status: u16, parts: &[(&str, &str)]) -> Refusal {
    let parts = parts.iter().map(|(reason, message)| Part {
        reason: (*reason).to_owned(),
        message: (*message).to_owned(),
    });
    Refusal {
        status,
        parts: parts.collect(),
        hint: None,
    }
}

#[test]
fn every_answer_has_a_verdict_and_a_text() {
    let answers: &[(u16, &[(&str, &str)])] = &[
        (
            400,
            &[(
                "invalid",
                "Invalid value for 'entity.change.additions[17].name': 'a..b'",
            )],
        ),
        (
            400,
            &[(
                "invalid",
                "Invalid value for 'entity.change.deletions[a.example.][TXT]': 'x'",
            )],
        ),
        (
            400,
            &[(
                "cnameResourceRecordSetConflict",
                "The resource record set 'entity.change.additions[0]' is invalid",
            )],
        ),
        (
            400,
            &[
                (
                    "invalid",
                    "Invalid value for 'entity.change.additions[3].rrdata[0]': 'x'",
                ),
                (
                    "conditionNotMet",
                    "Precondition not met for 'entity.change.deletions[5]'",
                ),
            ],
        ),
        (
            400,
            &[(
                "conditionNotMet",
                "Precondition not met for 'entity.change.deletions[5]'",
            )],
        ),
        (
            400,
            &[(
                "required",
                "The 'entity.change' parameter is required but was missing.",
            )],
        ),
        (401, &[("authError", "Invalid Credentials")]),
        (403, &[("forbidden", "Forbidden")]),
        (403, &[("accessNotConfigured", "")]),
        (
            403,
            &[
                (
                    "quotaExceeded",
                    "The change would exceed quota for additions per change.",
                ),
                (
                    "quotaExceeded",
                    "The change would exceed quota for total rrdata size per change.",
                ),
            ],
        ),
        (
            403,
            &[(
                "quotaExceeded",
                "The change would exceed quota for resource record sets per managed zone.",
            )],
        ),
        (
            404,
            &[(
                "notFound",
                "The 'parameters.managedZone' resource named 'example-com' does not exist.",
            )],
        ),
        (
            404,
            &[(
                "notFound",
                "The 'entity.change.deletions[0]' resource named 'a.example. (A)' does not exist.",
            )],
        ),
        (
            409,
            &[(
                "alreadyExists",
                "The resource 'entity.change.additions[0]' named 'a.example. (A)' already exists",
            )],
        ),
        (
            412,
            &[
                (
                    "conditionNotMet",
                    "Precondition not met for 'entity.change.deletions[76]'",
                ),
                ("notFound", "2"),
                ("", "3"),
                ("x", ""),
                ("y", "5"),
            ],
        ),
        (413, &[("", "Request Entity Too Large")]),
        (429, &[("rateLimitExceeded", "Quota exceeded")]),
        (503, &[("backendError", "Backend Error")]),
    ];
    let mut table = String::new();
    for (status, parts) in answers {
        let refusal = refusal(*status, parts);
        writeln!(table, "{}\n    {:?}", refusal.told(), refusal.verdict()).unwrap();
    }

    insta::assert_snapshot!(table, @r#"
    Cloud DNS answers 400: Invalid value for 'entity.change.additions[17].name': 'a..b' (invalid)
        Content([(Element { side: Additions, at: Number(17) }, "Invalid value for 'entity.change.additions[17].name': 'a..b' (invalid)")])
    Cloud DNS answers 400: Invalid value for 'entity.change.deletions[a.example.][TXT]': 'x' (invalid)
        Content([(Element { side: Deletions, at: Place((a.example., TXT)) }, "Invalid value for 'entity.change.deletions[a.example.][TXT]': 'x' (invalid)")])
    Cloud DNS answers 400: The resource record set 'entity.change.additions[0]' is invalid (cnameResourceRecordSetConflict)
        Moved
    Cloud DNS answers 400: Invalid value for 'entity.change.additions[3].rrdata[0]': 'x' (invalid); Precondition not met for 'entity.change.deletions[5]' (conditionNotMet)
        Content([(Element { side: Additions, at: Number(3) }, "Invalid value for 'entity.change.additions[3].rrdata[0]': 'x' (invalid)")])
    Cloud DNS answers 400: Precondition not met for 'entity.change.deletions[5]' (conditionNotMet)
        Condition
    Cloud DNS answers 400: The 'entity.change' parameter is required but was missing. (required)
        This
    Cloud DNS answers 401: Invalid Credentials (authError)
        Everything
    Cloud DNS answers 403: Forbidden (forbidden)
        Everything
    Cloud DNS answers 403: accessNotConfigured
        Everything
    Cloud DNS answers 403: The change would exceed quota for additions per change. (quotaExceeded); The change would exceed quota for total rrdata size per change. (quotaExceeded)
        TooMuch
    Cloud DNS answers 403: The change would exceed quota for resource record sets per managed zone. (quotaExceeded)
        This
    Cloud DNS answers 404: The 'parameters.managedZone' resource named 'example-com' does not exist. (notFound)
        Everything
    Cloud DNS answers 404: The 'entity.change.deletions[0]' resource named 'a.example. (A)' does not exist. (notFound)
        Condition
    Cloud DNS answers 409: The resource 'entity.change.additions[0]' named 'a.example. (A)' already exists (alreadyExists)
        Condition
    Cloud DNS answers 412: Precondition not met for 'entity.change.deletions[76]' (conditionNotMet); 2 (notFound); 3 and 2 more
        Condition
    Cloud DNS answers 413: Request Entity Too Large
        TooMuch
    Cloud DNS answers 429: Quota exceeded (rateLimitExceeded)
        Everything
    Cloud DNS answers 503: Backend Error (backendError)
        Everything
    "#);
}

#[test]
fn what_no_one_can_find_in_a_message_is_no_part() {
    for message in [
        "entity.change.",
        "entity.change.additions[",
        "entity.change.additions[x",
        "entity.change.additions[a.example.]",
        "entity.change.additions[a.example.][",
        "entity.change.additions[a.example.][NOTYPE]",
        "entity.change.additions[99999999999999999999999]",
        "entity.change.modifications[0]",
        "\u{1f980}entity.change.additions[\u{1f980}][A]",
    ] {
        let verdict = refusal(400, &[("invalid", message)]).verdict();
        assert_eq!(format!("{verdict:?}"), "This", "{message}");
    }
}
