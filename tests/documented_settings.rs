//! The tables of settings in the documents say what the program and the built libraries say.
//!
//! A table whose head is `| option | type | default | meaning |` describes the plugins, or the tables
//! of the host, that the heading above it names between backticks. A default stands between backticks
//! as well; a setting without one has words there.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gordon_janitor::config::options;
use gordon_janitor::manifest::Plugin;
use gordon_janitor::preflight::{Verdict, judge};
use gordon_janitor::schema::{Accepts, Kind, Setting};

/// A row of a table: option, type, default.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    option: String,
    of_type: String,
    default: Option<toml::Value>,
}

#[test]
fn the_pages_of_libraries_have_the_settings_of_their_plugins() {
    for package in fs::read_dir(root().join("plugins")).unwrap() {
        let stem = package.unwrap().file_name().into_string().unwrap();
        let page = root().join(format!("docs/plugins/{stem}.md"));
        let documented = tables(&fs::read_to_string(&page).unwrap());
        let library = libraries().join(format!("libjanitor_plugin_{stem}.so"));
        let Verdict::Plugin(manifest) = judge(&library).verdict else {
            panic!("{} is no library of plugins", library.display());
        };
        for plugin in &manifest.plugins {
            let Accepts::Settings(table) = &plugin.settings else {
                panic!("{} does not say what it accepts", plugin.key);
            };
            let none = Vec::new();
            let shown = documented.get(&plugin.key).unwrap_or(&none);
            assert_eq!(*shown, rows(&table.settings), "{}", plugin.key);
            for setting in &table.settings {
                assert_ne!(
                    setting.schema.description, "",
                    "{}.{}",
                    plugin.key, setting.name
                );
            }
        }
        for key in documented.keys() {
            let known = manifest.plugins.iter().any(|plugin| plugin.key == *key);
            assert!(known, "{} describes {key}", page.display());
        }
    }
}

#[test]
fn the_page_of_the_configuration_has_every_option_of_the_host() {
    let documented = tables(&fs::read_to_string(root().join("docs/configuration.md")).unwrap());
    let mut expected = BTreeMap::new();
    for (name, table) in options::tables() {
        collect(&mut expected, name, &table.settings);
    }
    for (table, rows) in &expected {
        let none = Vec::new();
        let shown = documented.get(table).unwrap_or(&none);
        assert_eq!(shown.len(), rows.len(), "[{table}] {shown:?}");
        // What may be of several types is described in words.
        let shown = shown.iter().zip(rows).map(|(shown, row)| {
            if row.of_type == "any value" {
                Row {
                    option: shown.option.clone(),
                    ..row.clone()
                }
            } else {
                shown.clone()
            }
        });
        let shown: Vec<_> = shown.collect();
        assert_eq!(shown, *rows, "[{table}]");
    }
    assert_eq!(documented.len(), expected.len(), "{:?}", documented.keys());
}

#[test]
fn the_example_configuration_has_every_setting_of_the_plugins_at_its_default() {
    let example = fs::read_to_string(root().join("gordon-janitor.toml.example")).unwrap();
    let lines = example.lines().map(|line| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with('[') || is_assignment(rest) => rest,
        _ => line,
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let example: toml::Table = text.parse().unwrap();
    let mut found = 0;
    for plugin in plugins() {
        let (family, name) = plugin.key.split_once('.').unwrap();
        let table = |value: &toml::Value| value.as_table().unwrap().clone();
        let family = table(&example[family]);
        let own = table(&family[name]);
        for setting in plugin.settings.settings() {
            let path = format!("{}.{}", plugin.key, setting.name);
            let given = own.get(&setting.name).or(family.get(&setting.name));
            let given = given.unwrap_or_else(|| panic!("the example lacks {path}"));
            // Nobody needs to be shown an empty table, or an empty list.
            let default = setting.schema.default.as_ref();
            match default.filter(|default| !is_empty(default)) {
                Some(default) => assert_eq!(given, default, "{path}"),
                // What has to be there is shown where each plugin has its own.
                None if setting.required => {
                    assert_eq!(own.get(&setting.name), Some(given), "{path}");
                }
                None => {}
            }
            found += 1;
        }
        for name in own.keys() {
            assert!(plugin.settings.knows(name), "{}.{name}", plugin.key);
        }
    }
    assert!(found > 20, "{found} settings");
}

fn is_empty(value: &toml::Value) -> bool {
    match value {
        toml::Value::Table(table) => table.is_empty(),
        toml::Value::Array(array) => array.is_empty(),
        _ => false,
    }
}

fn is_assignment(line: &str) -> bool {
    line.split_once(" = ")
        .is_some_and(|(name, _)| !name.contains(' '))
}

/// Every plugin of the libraries that come with the program.
fn plugins() -> Vec<Plugin> {
    let packages = fs::read_dir(root().join("plugins")).unwrap();
    let plugins = packages.flat_map(|package| {
        let stem = package.unwrap().file_name().into_string().unwrap();
        let library = libraries().join(format!("libjanitor_plugin_{stem}.so"));
        match judge(&library).verdict {
            Verdict::Plugin(manifest) => manifest.plugins.clone(),
            _ => panic!("{} is no library of plugins", library.display()),
        }
    });
    plugins.collect()
}

/// The options of a table and of those inside it, which have a heading of their own.
fn collect(out: &mut BTreeMap<String, Vec<Row>>, path: &str, settings: &[Setting]) {
    let mut plain = Vec::new();
    for setting in settings {
        let inner = format!("{path}.{}", setting.name);
        match &setting.schema.kind {
            Kind::Table(table) => collect(out, &inner, &table.settings),
            Kind::Map(values) => match &values.kind {
                Kind::Table(table) => collect(out, &format!("{inner}.\"KEY\""), &table.settings),
                _ => plain.push(setting.clone()),
            },
            _ => plain.push(setting.clone()),
        }
    }
    // What is only there to say that nothing comes of it is not in the documents.
    plain.retain(|setting| !setting.schema.description.starts_with("Has no effect"));
    out.insert(path.to_owned(), rows(&plain));
}

fn rows(settings: &[Setting]) -> Vec<Row> {
    let row = |setting: &Setting| Row {
        option: setting.name.clone(),
        of_type: if setting.schema.secret {
            format!("{}, secret", setting.schema.type_name())
        } else {
            setting.schema.type_name()
        },
        default: setting.schema.default.clone(),
    };
    settings.iter().map(row).collect()
}

/// The tables of settings of a document, by what their headings name.
fn tables(text: &str) -> BTreeMap<String, Vec<Row>> {
    let mut tables = BTreeMap::new();
    let mut names = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("## ") {
            let named = heading.split('`').skip(1).step_by(2);
            names = named
                .map(|name| name.trim_matches(['[', ']']).to_owned())
                .collect();
        }
        if line != "| option | type | default | meaning |" {
            continue;
        }
        for name in &names {
            let rows = lines.clone().skip(1).map_while(row);
            let earlier = tables.insert(name.clone(), rows.collect());
            assert!(earlier.is_none(), "{name} is described twice");
        }
    }
    tables
}

fn row(line: &str) -> Option<Row> {
    let mut cells = line.strip_prefix("| ")?.split(" | ");
    let option = cells.next()?.trim_matches('`').to_owned();
    let of_type = cells.next()?.replace('`', "");
    let default = cells.next()?;
    let default = default
        .strip_prefix('`')
        .and_then(|rest| rest.strip_suffix('`'));
    // Several pieces of code are words about a default.
    let default = default.filter(|default| !default.contains('`'));
    let default = default.map(|default| {
        let document: toml::Table = format!("value = {default}").parse().unwrap();
        document["value"].clone()
    });
    Some(Row {
        option,
        of_type,
        default,
    })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where cargo leaves the plugin libraries of this build: beside the tests.
fn libraries() -> PathBuf {
    std::env::current_exe()
        .unwrap()
        .parent()
        .unwrap()
        .to_owned()
}
