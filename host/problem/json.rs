//! Problems and errors as JSON: what is printed for people, as fields.

use jiff::Timestamp;
use serde::Serialize;

use super::{Problem, Severity};
use crate::json;

/// Something that is wrong, with its place and the next step.
#[derive(Debug, Serialize)]
struct Line<'a> {
    kind: &'static str,
    time: String,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    summary: &'a str,
    #[serde(rename = "where", skip_serializing_if = "Vec::is_empty")]
    places: Vec<Place<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    found: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    also: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    because: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    note: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    help: Vec<&'a str>,
}

/// A place: in a configuration file, or any other in words.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Place<'a> {
    Configured {
        file: String,
        line: usize,
        column: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        setting: Option<&'a str>,
        excerpt: String,
    },
    Text {
        text: &'a str,
    },
}

/// The line of a problem, with its end.
pub(crate) fn problem(problem: &Problem) -> String {
    let labelled = |wanted: &'static str| {
        let details = problem.details.iter();
        details
            .filter(move |(label, _)| *label == wanted)
            .map(|(_, text)| text.as_str())
    };
    let configured = problem.place.as_ref().map(|origin| Place::Configured {
        file: origin.path().display().to_string(),
        line: origin.line(),
        column: origin.column(),
        setting: problem.setting.as_deref().filter(|name| !name.is_empty()),
        excerpt: origin.line_text(),
    });
    let others = labelled("where").map(|text| Place::Text { text });
    line(&Line {
        kind: "problem",
        time: json::time(Timestamp::now()),
        severity: match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        code: Some(problem.code.as_str()),
        summary: &problem.summary,
        places: configured.into_iter().chain(others).collect(),
        found: labelled("found").collect(),
        also: labelled("also").collect(),
        because: labelled("because").collect(),
        note: labelled("note").collect(),
        help: labelled("help").collect(),
    })
}

/// The line of what ends the program, with its end: a sentence, its causes from the outermost on, and
/// what to do.
pub(crate) fn error(summary: &str, because: &[String], help: Option<&str>) -> String {
    line(&Line {
        kind: "error",
        time: json::time(Timestamp::now()),
        severity: "error",
        code: None,
        summary,
        places: Vec::new(),
        found: Vec::new(),
        also: Vec::new(),
        because: because.iter().map(String::as_str).collect(),
        note: Vec::new(),
        help: help.into_iter().collect(),
    })
}

fn line(line: &Line<'_>) -> String {
    let mut text = json::text(line);
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Code;
    use super::*;

    fn read(line: &str) -> serde_json::Value {
        let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line.ends_with('\n') && line.lines().count() == 1, "{line}");
        let time = value.as_object_mut().unwrap().remove("time").unwrap();
        assert!(time.as_str().unwrap().parse::<Timestamp>().is_ok());
        value
    }

    #[test]
    fn a_problem_has_all_its_lines_as_fields() {
        let given = Problem::error(
            Code::DuplicateKey,
            "key \"a.b\" is exported by two libraries",
        )
        .place("/p")
        .found("/p/one.so")
        .found("/p/two.so")
        .also("a")
        .because("order")
        .note("n")
        .help("move one away");
        assert_eq!(
            read(&problem(&given)),
            json!({
                "kind": "problem",
                "severity": "error",
                "code": "GJ203",
                "summary": "key \"a.b\" is exported by two libraries",
                "where": [{ "text": "/p" }],
                "found": ["/p/one.so", "/p/two.so"],
                "also": ["a"],
                "because": ["order"],
                "note": ["n"],
                "help": ["move one away"],
            })
        );
    }

    #[test]
    fn an_error_has_its_causes_in_order() {
        let causes = ["one".to_owned(), "two".to_owned()];
        assert_eq!(
            read(&error("cannot do it", &causes, Some("do this"))),
            json!({
                "kind": "error",
                "severity": "error",
                "summary": "cannot do it",
                "because": ["one", "two"],
                "help": ["do this"],
            })
        );
    }
}
