//! Log entries as JSON, for `--log-format json` and for Google Cloud Logging.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde_json::{Map, Value};

use super::entry::Entry;
use super::format::{PROGRAM, process, started};
use super::level::Severity;
use crate::config;
use crate::json;

/// A log line of `--log-format json`.
#[derive(Serialize)]
struct Line<'a> {
    kind: &'static str,
    time: String,
    level: &'static str,
    message: &'a str,
    target: &'a str,
    process: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<&'a str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    fields: Map<String, Value>,
}

/// The line of `entry`, without its end.
pub(super) fn line(entry: &Entry<'_>) -> String {
    json::text(&Line {
        kind: "log",
        time: json::time(entry.time),
        level: entry.severity.name(),
        message: &entry.message,
        target: &entry.target,
        process: process(),
        plugin: entry.plugin.as_deref(),
        fields: entry.other_fields(),
    })
}

/// The name of the log that the original's client library wrote to, which filters and sinks name.
const LOG_NAME: &str = "python";

/// An entry of Google Cloud Logging, as its collectors take it from a stream.
#[derive(Serialize)]
struct Structured<'a> {
    severity: &'static str,
    time: String,
    message: Cow<'a, str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    fields: Map<String, Value>,
    #[serde(rename = "logging.googleapis.com/labels")]
    labels: BTreeMap<&'static str, Cow<'a, str>>,
    #[serde(rename = "logging.googleapis.com/insertId")]
    insert_id: String,
    #[serde(
        rename = "logging.googleapis.com/sourceLocation",
        skip_serializing_if = "Option::is_none"
    )]
    location: Option<Location<'a>>,
    #[serde(
        rename = "logging.googleapis.com/projectId",
        skip_serializing_if = "Option::is_none"
    )]
    project: Option<&'a str>,
    #[serde(
        rename = "logging.googleapis.com/logName",
        skip_serializing_if = "Option::is_none"
    )]
    log: Option<&'static str>,
}

#[derive(Serialize)]
struct Location<'a> {
    file: &'a str,
    /// A text: the API has 64 bits here, which JSON's numbers do not.
    line: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<&'a str>,
}

/// The entry for Google Cloud Logging, without the end of its line; `message` is what `fmt` makes
/// of it, if that is configured.
pub(super) fn structured(
    entry: &Entry<'_>,
    message: Option<String>,
    settings: &config::Stackdriver,
    host: &str,
) -> String {
    let mut labels = BTreeMap::from([
        ("program", Cow::Borrowed(PROGRAM)),
        ("process", process().to_string().into()),
        ("python_logger", entry.target.as_ref().into()),
        ("resource_host", host.into()),
    ]);
    let project = settings.project_id.as_deref();
    labels.extend(project.map(|project| ("resource_project", project.into())));
    labels.extend(entry.plugin.as_deref().map(|key| ("plugin", key.into())));
    json::text(&Structured {
        severity: match entry.severity {
            Severity::Trace => Severity::Debug.name(),
            severity => severity.name(),
        },
        time: json::time(entry.time),
        message: message.map_or(entry.message.as_ref().into(), Cow::Owned),
        fields: entry.other_fields(),
        labels,
        insert_id: insert_id(),
        location: entry.file.map(|file| Location {
            file,
            line: entry.line.unwrap_or(0).to_string(),
            function: entry.module,
        }),
        project,
        log: project.map(|_| LOG_NAME),
    })
}

/// A name that no other entry has, later ones after earlier ones: entries of one instant are kept
/// apart and in order by it.
fn insert_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let start = started().as_nanosecond();
    format!("{start:016x}-{:08x}-{number:012x}", process())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry<'static> {
        Entry {
            time: "2017-11-06T20:26:40.968Z".parse().unwrap(),
            fields: vec![
                ("zone".into(), "example.com.".into()),
                ("count".into(), 3.into()),
            ],
            plugin: Some("files.zones".into()),
            file: Some("host/report.rs"),
            line: Some(7),
            module: Some("gordon_janitor::report"),
            ..Entry::new(Severity::Warning, "zone\nleft out")
        }
    }

    #[test]
    fn a_line_has_its_fields_as_values() {
        let line = line(&entry());
        assert_eq!(
            line,
            format!(
                r#"{{"kind":"log","time":"2017-11-06T20:26:40.968000Z","level":"WARNING","message":"zone\nleft out","target":"gordon_janitor","process":{},"plugin":"files.zones","fields":{{"count":3,"zone":"example.com."}}}}"#,
                process()
            )
        );
    }

    #[test]
    fn an_entry_has_what_the_collectors_look_for() {
        let settings = config::Stackdriver {
            project_id: Some("dns-prod".to_owned()),
            ..config::Stackdriver::default()
        };
        let text = structured(&entry(), None, &settings, "ns1.example.net");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["severity"], "WARNING");
        assert_eq!(value["time"], "2017-11-06T20:26:40.968000Z");
        assert_eq!(value["message"], "zone\nleft out");
        assert_eq!(value["fields"]["count"], 3);
        assert_eq!(
            value["logging.googleapis.com/labels"],
            serde_json::json!({
                "plugin": "files.zones",
                "process": process().to_string(),
                "program": "gordon-janitor",
                "python_logger": "gordon_janitor",
                "resource_host": "ns1.example.net",
                "resource_project": "dns-prod",
            })
        );
        assert_eq!(
            value["logging.googleapis.com/sourceLocation"],
            serde_json::json!({
                "file": "host/report.rs", "line": "7", "function": "gordon_janitor::report",
            })
        );
        assert_eq!(value["logging.googleapis.com/projectId"], "dns-prod");
        assert_eq!(value["logging.googleapis.com/logName"], "python");
        assert!(!text.contains('\n'));
    }

    #[test]
    fn insert_ids_ascend() {
        let ids = (0..300).map(|_| insert_id()).collect::<Vec<_>>();
        assert!(ids.is_sorted_by(|a, b| a < b));
    }
}
