//! What the documents say is true. What they show is carried out in `shown_commands.rs`.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "support/trees.rs"]
mod trees;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gordon_janitor::config::{Config, options};
use gordon_janitor::logging::DateFormat;
use gordon_janitor::metrics::{CATALOGUE, Described, Kind};
use gordon_janitor::problem::Code;

use trees::copy_tree;

#[test]
fn the_served_zones_of_the_example_are_as_files_apply_writes_them() {
    // Otherwise `git diff` after the first run would show more than what changed.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
    let copy = tempfile::tempdir().unwrap();
    copy_tree(&root, copy.path());
    // What somebody's own runs have left there.
    fs::remove_dir_all(copy.path().join("state")).ok();
    let status = Command::new(env!("CARGO_BIN_EXE_gordon-janitor"))
        .args(["run", "-c"])
        .arg(copy.path())
        .env("GORDON_JANITOR_PLUGIN_DIR", libraries())
        .env("STATE_DIRECTORY", copy.path())
        .output()
        .unwrap()
        .status;
    assert!(status.success());
    let lines = |root: &Path| {
        let text = fs::read_to_string(root.join("served/example.com.zone")).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (before, after) = (lines(&root), lines(copy.path()));
    let kept = after.iter().filter(|line| before.contains(line)).count();
    let unchanged_rrs = 10;
    assert_eq!(kept, unchanged_rrs, "{after:#?}");
    let order = after.iter().filter(|line| before.contains(line));
    let order_before = before.iter().filter(|line| after.contains(line));
    assert!(order.eq(order_before), "the order of lines changed");
}

#[test]
fn the_example_configuration_has_every_option_at_its_default() {
    let example = document("gordon-janitor.toml.example");
    let known = core(&example);
    let default = core("[core]\nplugins = ['files.zones', 'files.served', 'files.apply']\n");
    assert_eq!(known.channel_capacity, default.channel_capacity);
    assert_eq!(known.grace, default.grace);
    assert_eq!(known.deadline, default.deadline);
    assert_eq!(known.debug, default.debug);
    assert_eq!(known.history, default.history);
    assert_eq!(known.state_dir, default.state_dir);
    assert_eq!(known.after_crash, default.after_crash);
    assert_eq!(known.logging.level, default.logging.level);
    assert_eq!(known.logging.handlers, default.logging.handlers);
    let (syslog, syslog_default) = (&known.logging.syslog, &default.logging.syslog);
    assert_eq!(syslog.receiver, syslog_default.receiver);
    assert_eq!(syslog.protocol, syslog_default.protocol);
    assert_eq!(syslog.facility, syslog_default.facility);
    assert_eq!(syslog.form, syslog_default.form);
    let (stackdriver, stackdriver_default) =
        (&known.logging.stackdriver, &default.logging.stackdriver);
    assert_eq!(stackdriver.output, stackdriver_default.output);
    assert_eq!(stackdriver.project_id, stackdriver_default.project_id);
    assert!(known.logging.fmt.is_none());
    assert_eq!(known.logging.datefmt, Some(DateFormat::default()));
    assert_eq!(known.metrics_logger.level, default.metrics_logger.level);
    assert_eq!(
        known.metrics_logger.time_unit,
        default.metrics_logger.time_unit
    );
    assert_eq!(known.ffwd, default.ffwd);
    let names = |core: &gordon_janitor::config::Core| {
        let keys = core.plugins.iter().map(|listed| listed.key.clone());
        keys.collect::<Vec<_>>()
    };
    assert_eq!(names(&known), names(&default));

    // Options without a default stand in comments.
    let text = example.replace("# ", "");
    for (table, settings) in options::tables() {
        for setting in &settings.settings {
            let name = &setting.name;
            let is_there = text.lines().any(|line| {
                line.starts_with(&format!("{name} = "))
                    || line.starts_with(&format!("[{table}.{name}"))
            });
            assert!(is_there, "[{table}] {name}");
        }
    }
}

#[test]
fn the_example_configuration_runs() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("desired")).unwrap();
    fs::create_dir(root.path().join("served")).unwrap();
    let example = document("gordon-janitor.toml.example");
    fs::write(root.path().join("gordon-janitor.toml"), example).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_gordon-janitor"))
        .current_dir(root.path())
        .env("GORDON_JANITOR_PLUGIN_DIR", libraries())
        .env("STATE_DIRECTORY", root.path())
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(
        told.contains("[run-ended] value: 1 context: {'status': 'success'}"),
        "{told}"
    );
}

#[test]
fn every_error_code_is_documented_once() {
    let documented = first_cells("docs/error-codes.md");
    let documented = documented.iter().filter(|cell| cell.starts_with("GJ"));
    let codes = Code::ALL.iter().map(|code| code.as_str());
    assert!(
        documented.clone().eq(codes.clone()),
        "{documented:?} are not {codes:?}"
    );
}

#[test]
fn every_measurement_of_the_host_is_documented() {
    let text = document("docs/metrics.md");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let rows = rows.collect::<Vec<_>>();
    assert_eq!(rows.len(), CATALOGUE.len(), "{rows:#?}");
    for (row, known) in rows.into_iter().zip(CATALOGUE) {
        let kind = match known.kind {
            Kind::Increment => "counter",
            Kind::Value => "value",
            Kind::Timer => "time",
        };
        let context = known.context.iter().map(|name| format!("`{name}`"));
        let context = match context.collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "none".to_owned(),
            names => names,
        };
        let Described {
            name, unit, help, ..
        } = known;
        let start = format!("| `{name}` | {kind} | {unit} | {context} | {help}");
        assert!(row.starts_with(&start), "{row}\n{start}");
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut documents = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
    ]
    .map(|name| root.join(name))
    .to_vec();
    let mut directories = vec![root.join("docs")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                documents.push(path);
            }
        }
    }
    let mut links = 0;
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for (_, rest) in text
            .match_indices("](")
            .map(|(at, _)| text.split_at(at + 2))
        {
            let target = rest.split([')', '#']).next().unwrap();
            if target.starts_with("https://") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = match file {
                "" => document.clone(),
                file => document.parent().unwrap().join(file),
            };
            assert!(path.exists(), "{} links to {target}", document.display());
            let is_there = heading.is_empty() || headings(&path).any(|name| name == heading);
            assert!(is_there, "{} links to {target}", document.display());
            links += 1;
        }
    }
    assert!(links > 20, "{links} links");
}

/// The headings of a document, as links name them.
fn headings(document: &Path) -> impl Iterator<Item = String> {
    let text = fs::read_to_string(document).unwrap();
    let names = text.lines().filter(|line| line.starts_with('#'));
    let names = names.map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title
            .chars()
            .filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-');
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    });
    names.collect::<Vec<_>>().into_iter()
}

#[test]
fn the_files_that_the_architecture_names_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rooms = [
        "",
        "host",
        "plugin-api",
        "plugin-api/src",
        "plugins/dns/src",
        "plugins/gcp/src",
        "tests",
    ];
    let text = document("ARCHITECTURE.md");
    let mut files = 0;
    for name in text.split('`').skip(1).step_by(2) {
        if name.contains(char::is_whitespace) || !(name.ends_with('/') || name.ends_with(".rs")) {
            continue;
        }
        let is_there = rooms.iter().any(|room| root.join(room).join(name).exists());
        assert!(is_there, "there is no {name}");
        files += 1;
    }
    assert!(files > 60, "{files} files");
}

#[test]
fn decisions_are_numbered_without_gaps() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/decisions");
    let mut names = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect::<Vec<_>>();
    names.sort();
    for (name, number) in names.iter().zip(1..) {
        assert!(
            name.starts_with(&format!("{number:04}-")),
            "{name} is number {number}"
        );
        let text = document(&format!("docs/decisions/{name}"));
        assert!(text.starts_with(&format!("# {number}. ")), "{name}");
    }
}

#[test]
fn every_hazard_has_a_test_that_there_is() {
    assert!(tests_named_in("docs/hazards.md") > 80);
}

#[test]
fn every_accident_has_a_test_that_there_is() {
    assert!(tests_named_in("docs/safety.md") > 30);
}

/// How many tests the last cells of a document's tables name; each of them has to be there.
fn tests_named_in(name: &str) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = document(name);
    let mut tests = 0;
    for row in text.lines().filter(|line| line.starts_with("| ")) {
        let shown_by = row.trim_end_matches(" |").rsplit("| ").next().unwrap();
        if ["shown by", "---"].contains(&shown_by) {
            continue;
        }
        for name in shown_by.split(", ") {
            let named = name
                .strip_prefix('`')
                .and_then(|name| name.strip_suffix('`'));
            let (file, test) = named.and_then(|name| name.split_once("::")).expect(row);
            let source = fs::read_to_string(root.join(file)).expect(name);
            let start = format!("fn {test}(");
            let lines = source.lines().map(str::trim).collect::<Vec<_>>();
            let at = lines
                .iter()
                .position(|line| line.starts_with(&start))
                .expect(name);
            assert_eq!(lines[at - 1], "#[test]", "{name}");
            tests += 1;
        }
    }
    tests
}

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The first cell of each row of the tables of a document.
fn first_cells(name: &str) -> Vec<String> {
    let text = document(name);
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    rows.map(|row| row.split(" |").next().unwrap().to_owned())
        .collect()
}

fn core(configuration: &str) -> gordon_janitor::config::Core {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("gordon-janitor.toml"), configuration).unwrap();
    let config = Config::load(root.path()).unwrap();
    assert!(config.problems().is_empty(), "{:?}", config.problems());
    config.core().clone()
}

/// Where cargo leaves the plugin libraries of this build: beside the tests.
fn libraries() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().to_owned()
}
