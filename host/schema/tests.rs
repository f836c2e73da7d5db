//! Schemas as libraries might carry them, also such that this host cannot understand.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_oneof, proptest};

use super::*;
use crate::config::Config;

fn accepts(text: &str) -> Accepts {
    Accepts::read(&Value::Table(text.parse().unwrap()))
}

/// What is wrong with the table `[p]` of a configuration.
fn problems(table: &str, accepts: &Accepts) -> Vec<String> {
    let root = tempfile::tempdir().unwrap();
    let text = format!("[p]\n{table}\n");
    std::fs::write(root.path().join("gordon-janitor.toml"), text).unwrap();
    let config = Config::load(root.path()).unwrap();
    let table = config
        .plugin("p", &["p"].into_iter().collect())
        .unwrap()
        .unwrap();
    let place = Place {
        path: "p".to_owned(),
        origin: Some(&table.origin),
        owner: "p 1.0.0".to_owned(),
        help: None,
    };
    let problems = check(&table.located(), accepts, &place);
    problems
        .iter()
        .map(|problem| problem.summary().to_owned())
        .collect()
}

#[test]
fn what_is_not_understood_accepts_anything() {
    for schema in [
        "",
        "type = 'object'",
        "type = 3\nproperties = 'x'",
        "type = ['object', 'null']\nproperties = { a = { type = 'string' } }",
        // It may take more than it says.
        "type = 'object'\nproperties = { a = { type = 'string' } }",
        "type = 'object'\nadditionalProperties = { type = 'tuple' }",
    ] {
        assert!(
            problems("a = 1\nb = [2]", &accepts(schema)).is_empty(),
            "{schema}"
        );
    }
}

#[test]
fn keywords_that_are_not_understood_say_nothing() {
    let schema = accepts(
        "type = 'object'\nadditionalProperties = false\nrequired = ['b', 3]\nanyOf = []\n[properties]\n\
         a = { type = 'integer', minimum = 'one', maximum = 5, multipleOf = 2, default = 'x' }\n\
         b = { type = 'quantity' }\nc = 'string'\nd = { enum = ['x'] }\ne = { type = 'string', enum = [1] }",
    );
    assert_eq!(
        problems("a = 1\nb = 2\nc = 3\nd = 4\ne = 'z'", &schema),
        [""; 0]
    );
    assert_eq!(
        problems("a = 7", &schema),
        [
            "p.a must be a whole number, 5 or less, not 7",
            "[p] lacks the required setting \"b\" (any value)"
        ]
    );
}

#[test]
fn settings_stay_in_the_order_of_their_author() {
    let schema = accepts(
        "type = 'object'\nadditionalProperties = false\n[properties]\nz = {}\nb = {}\na = {}",
    );
    let names: Vec<_> = schema
        .settings()
        .iter()
        .map(|setting| &*setting.name)
        .collect();
    assert_eq!(names, ["z", "b", "a"]);
}

#[test]
fn a_map_checks_the_values_of_any_name() {
    let schema =
        accepts("type = 'object'\nadditionalProperties = { type = 'string', format = 'ip' }");
    assert_eq!(
        problems("a = '192.0.2.1'\nb = 'localhost'\n'odd key' = 3", &schema),
        [
            "p.b must be an IP address, not \"localhost\"",
            "p.\"odd key\" must be an IP address, not a whole number"
        ]
    );
}

#[test]
fn formats_of_addresses_are_checked() {
    for (format, good, bad) in [
        ("ip", "2001:db8::1", "192.0.2.256"),
        ("ipv4", "192.0.2.1", "2001:db8::1"),
        ("ipv6", "2001:db8::1", "192.0.2.1"),
        ("socket", "[2001:db8::1]:53", "192.0.2.1"),
        ("path", "", "\0"),
    ] {
        let schema = accepts(&format!(
            "type = 'object'\nadditionalProperties = {{ type = 'string', format = '{format}' }}"
        ));
        let found = problems(&format!("a = {good:?}"), &schema);
        assert!(found.is_empty(), "{format}: {found:?}");
        if format != "path" {
            let found = problems(&format!("a = {bad:?}"), &schema);
            assert_eq!(found.len(), 1, "{format}");
        }
    }
}

/// Anything that a manifest could hold as a schema, with the words of schemas in it.
fn any_schema() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("object"),
        Just("array"),
        Just("string"),
        Just("integer"),
        Just("number"),
        Just("boolean"),
        Just("path"),
        Just("uint8"),
        Just("socket"),
    ];
    let keyword = prop_oneof![
        Just("type"),
        Just("format"),
        Just("properties"),
        Just("required"),
        Just("items"),
        Just("additionalProperties"),
        Just("enum"),
        Just("minimum"),
        Just("maximum"),
        Just("default"),
        Just("examples"),
        Just("description"),
        Just("writeOnly"),
        Just("unit"),
        Just("aliases"),
        Just("deprecatedAliases"),
        Just("enumDescriptions"),
    ];
    let name = prop_oneof![keyword.prop_map(str::to_owned), any::<String>()];
    let scalar = prop_oneof![
        word.prop_map(Value::from),
        any::<String>().prop_map(Value::String),
        any::<i64>().prop_map(Value::Integer),
        any::<f64>().prop_map(Value::Float),
        any::<bool>().prop_map(Value::Boolean),
    ];
    scalar.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec((name.clone(), inner), 0..6)
                .prop_map(|entries| Value::Table(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_schema_makes_the_host_panic_and_every_sample_is_toml(inner in any_schema(), table in any_schema()) {
        let mut schema = toml::Table::new();
        schema.insert("type".to_owned(), "object".into());
        schema.insert("additionalProperties".to_owned(), false.into());
        let properties = Value::Table([("a".to_owned(), inner.clone()), ("é ".to_owned(), table.clone())].into_iter().collect());
        schema.insert("properties".to_owned(), properties);
        schema.insert("required".to_owned(), vec!["a", "é "].into());
        for accepts in [Accepts::read(&inner), Accepts::read(&Value::Table(schema))] {
            let text = sample("p", "One\nline", &accepts);
            prop_assert!(text.parse::<toml::Table>().is_ok(), "{}", text);
            prop_assert!(json(&accepts).is_object());
            for setting in accepts.settings() {
                let line = assignment(setting);
                prop_assert!(line.parse::<toml::Table>().is_ok(), "{}", line);
                prop_assert!(!setting.summary().is_empty() && !setting.schema.demand().is_empty());
            }
            if let Value::Table(table) = &table {
                problems(&table.to_string(), &accepts);
            }
        }
    }
}
