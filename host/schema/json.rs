//! Schemas as JSON Schema, for editors.

use serde_json::{Map, Value, json};

use super::{Accepts, Format, Kind, Schema, Table};

/// Whether the names of a table are all there are, and all that have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// No other names, and none of those that are required may be missing.
    Whole,
    /// Some names may be in another table: that of a parent, or of a child.
    Part,
}

/// The table that a plugin accepts.
#[must_use]
pub fn json(accepts: &Accepts) -> Value {
    match accepts {
        Accepts::Anything => json!({ "type": "object" }),
        Accepts::Map(values) => json!({
            "type": "object",
            "additionalProperties": values.json(),
        }),
        // What is required may stand in the table of a parent, which an editor does not look at.
        Accepts::Settings(table) => table.json(Shape::Part),
    }
}

impl Table {
    /// The table as JSON Schema.
    #[must_use]
    pub fn json(&self, shape: Shape) -> Value {
        let mut properties = Map::new();
        for setting in &self.settings {
            let schema = setting.schema.json();
            for alias in &setting.aliases {
                properties.insert(alias.clone(), schema.clone());
            }
            for alias in &setting.deprecated_aliases {
                let mut old = schema.clone();
                old["deprecated"] = true.into();
                old["description"] = format!("Old name of {}.", setting.name).into();
                properties.insert(alias.clone(), old);
            }
            properties.insert(setting.name.clone(), schema);
        }
        let mut out = json!({
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        });
        // A required setting may be there under another name.
        let required = self
            .settings
            .iter()
            .filter(|s| s.required && s.names().count() == 1);
        let required: Vec<_> = required.map(|setting| setting.name.as_str()).collect();
        if shape == Shape::Whole && !required.is_empty() {
            out["required"] = required.into();
        }
        out
    }
}

impl Schema {
    /// The setting as JSON Schema.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut out = self.kind.json();
        let mut description = self.description.clone();
        if let Some(unit) = &self.unit {
            description.push_str(if description.is_empty() { "" } else { " " });
            description.push_str(&format!("Unit: {unit}."));
        }
        if !description.is_empty() {
            out["description"] = description.into();
        }
        if let Some(default) = &self.default {
            out["default"] = json_value(default);
        }
        if let Some(example) = &self.example {
            out["examples"] = vec![json_value(example)].into();
        }
        if self.secret {
            out["writeOnly"] = true.into();
        }
        out
    }
}

impl Kind {
    fn json(&self) -> Value {
        match self {
            Self::Any => json!({}),
            Self::Text(format) => match format {
                Format::Any | Format::Path | Format::Socket => json!({ "type": "string" }),
                Format::Ipv4 => json!({ "type": "string", "format": "ipv4" }),
                Format::Ipv6 => json!({ "type": "string", "format": "ipv6" }),
                Format::Ip => json!({
                    "type": "string",
                    "anyOf": [{ "format": "ipv4" }, { "format": "ipv6" }],
                }),
            },
            Self::Choice(choices) => {
                let texts: Vec<_> = choices.iter().map(|c| c.text.as_str()).collect();
                let meanings: Vec<_> = choices.iter().map(|c| c.description.as_str()).collect();
                let mut out = json!({ "type": "string", "enum": texts });
                if meanings.iter().any(|meaning| !meaning.is_empty()) {
                    // Understood by editors, not by the standard, which allows it.
                    out["enumDescriptions"] = meanings.into();
                }
                out
            }
            Self::Boolean => json!({ "type": "boolean" }),
            Self::Integer(least, most) => {
                let mut out = json!({ "type": "integer" });
                if *least > i64::MIN {
                    out["minimum"] = (*least).into();
                }
                if *most < i64::MAX {
                    out["maximum"] = (*most).into();
                }
                out
            }
            Self::Number(least, most) => {
                let mut out = json!({ "type": "number" });
                if least.is_finite() {
                    out["minimum"] = (*least).into();
                }
                if most.is_finite() {
                    out["maximum"] = (*most).into();
                }
                out
            }
            Self::List(item) => json!({ "type": "array", "items": item.json() }),
            Self::Table(table) => table.json(Shape::Whole),
            Self::Map(values) => json!({
                "type": "object",
                "additionalProperties": values.json(),
            }),
        }
    }
}

/// A value as JSON. Dates become texts, as do infinity and NaN, which JSON does not have.
#[must_use]
pub(crate) fn json_value(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) if number.is_finite() => (*number).into(),
        toml::Value::Float(number) => number.to_string().into(),
        toml::Value::Boolean(boolean) => (*boolean).into(),
        toml::Value::Datetime(datetime) => datetime.to_string().into(),
        toml::Value::Array(values) => values.iter().map(json_value).collect(),
        toml::Value::Table(table) => table
            .iter()
            .map(|(name, value)| (name.clone(), json_value(value)))
            .collect(),
    }
}
