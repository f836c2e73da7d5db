//! A table as an operator would begin to write it.

use toml::Value;

use super::words::key;
use super::{Accepts, Format, Kind, Schema, Setting, toml_text};

/// A commented TOML table for the plugin `name`: required settings with something in their place, the
/// others in comments, at their defaults.
#[must_use]
pub fn sample(name: &str, summary: &str, accepts: &Accepts) -> String {
    let mut out = String::new();
    comment(&mut out, summary, "# ");
    out.push_str(&format!("[{name}]\n"));
    match accepts {
        Accepts::Anything => {
            out.push_str("# The library does not say which settings the plugin has.\n");
        }
        Accepts::Map(values) => {
            let kind = values.type_name();
            out.push_str(&format!("# Any names, each with: {kind}.\n"));
        }
        Accepts::Settings(table) => {
            for setting in &table.settings {
                out.push('\n');
                add(&mut out, setting);
            }
        }
    }
    out
}

fn add(out: &mut String, setting: &Setting) {
    let schema = &setting.schema;
    comment(out, &schema.description, "# ");
    let mut facts = schema.type_name();
    if schema.secret {
        facts.push_str("; secret");
    }
    facts.push_str(if setting.required { "; required" } else { "" });
    comment(out, &facts, "# ");
    if let Kind::Choice(choices) = &schema.kind {
        for choice in choices
            .iter()
            .filter(|choice| !choice.description.is_empty())
        {
            comment(
                out,
                &format!("{:?}: {}", choice.text, choice.description),
                "#   ",
            );
        }
    }
    let table = schema.table();
    let names = table.iter().flat_map(|table| &table.settings);
    let names: Vec<_> = names.map(Setting::summary).collect();
    if !names.is_empty() {
        let place = match schema.kind {
            Kind::Table(_) => "in it",
            _ => "in each",
        };
        comment(out, &format!("{place}: {}", names.join(", ")), "# ");
    }
    // Without a default the example itself stands there.
    let has_default = !setting.required && schema.default.is_some();
    if let (true, Some(example)) = (has_default, &schema.example) {
        comment(out, &format!("for example: {}", toml_text(example)), "# ");
    }
    let value = match &schema.default {
        Some(default) if !setting.required => toml_text(default),
        _ => toml_text(&placeholder(schema)),
    };
    let mark = if setting.required { "" } else { "# " };
    out.push_str(&format!("{mark}{} = {value}\n", key(&setting.name)));
}

fn comment(out: &mut String, text: &str, mark: &str) {
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        out.push_str(&format!("{mark}{}\n", crate::problem::escape(line)));
    }
}

/// Something to stand in the place of a value: its example, else what its type allows.
#[must_use]
pub fn placeholder(schema: &Schema) -> Value {
    if let Some(example) = &schema.example {
        return example.clone();
    }
    match &schema.kind {
        Kind::Any | Kind::Text(Format::Any | Format::Path) => Value::from("…"),
        Kind::Text(Format::Ip | Format::Ipv4) => Value::from("192.0.2.1"),
        Kind::Text(Format::Ipv6) => Value::from("2001:db8::1"),
        Kind::Text(Format::Socket) => Value::from("192.0.2.1:53"),
        Kind::Choice(choices) => {
            let first = choices.first().map_or("…", |choice| choice.text.as_str());
            Value::from(first)
        }
        Kind::Boolean => Value::from(false),
        Kind::Integer(least, most) => Value::from(0.clamp(*least, (*most).max(*least))),
        Kind::Number(least, most) => Value::from(0_f64.max(*least).min(*most)),
        Kind::List(item) => Value::Array(vec![placeholder(item)]),
        Kind::Table(table) => {
            let required = table.settings.iter().filter(|setting| setting.required);
            let entries = required.map(|s| (s.name.clone(), placeholder(&s.schema)));
            Value::Table(entries.collect())
        }
        Kind::Map(values) => Value::Table(
            [("…".to_owned(), placeholder(values))]
                .into_iter()
                .collect(),
        ),
    }
}
