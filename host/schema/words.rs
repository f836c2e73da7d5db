//! Schemas in words.

use toml::Value;

use super::{Choice, Format, Kind, Schema, Setting};

impl Schema {
    /// Its type as documents name it: `whole number of seconds, 1 to 600`.
    #[must_use]
    pub fn type_name(&self) -> String {
        let unit = self.unit.as_ref().map(|unit| format!(" of {unit}"));
        let unit = unit.unwrap_or_default();
        match &self.kind {
            Kind::Any => "any value".to_owned(),
            Kind::Text(format) => format.name().to_owned(),
            Kind::Choice(choices) => format!("one of {}", quoted(choices)),
            Kind::Boolean => "boolean".to_owned(),
            Kind::Integer(least, most) => {
                let least = (*least > i64::MIN).then(|| least.to_string());
                let most = (*most < i64::MAX).then(|| most.to_string());
                format!("whole number{unit}{}", range(least, most, ", ", " to "))
            }
            Kind::Number(least, most) => {
                let least = least.is_finite().then(|| least.to_string());
                let most = most.is_finite().then(|| most.to_string());
                format!("number{unit}{}", range(least, most, ", ", " to "))
            }
            Kind::List(item) => format!("list of {}", item.plural()),
            Kind::Table(_) => "table".to_owned(),
            Kind::Map(values) => format!("table of {}", values.plural()),
        }
    }

    /// Its type where there are several: `whole numbers, 1 to 600`.
    fn plural(&self) -> String {
        let name = self.type_name();
        let noun = match &self.kind {
            Kind::Any => return "any values".to_owned(),
            Kind::Choice(_) => return format!("texts, each {name}"),
            Kind::Text(Format::Ip | Format::Ipv4 | Format::Ipv6) => return format!("{name}es"),
            Kind::Text(Format::Socket) => return "addresses with ports".to_owned(),
            Kind::Text(_) => return format!("{name}s"),
            Kind::Boolean => "boolean",
            Kind::Integer(..) => "whole number",
            Kind::Number(..) => "number",
            Kind::List(_) => "list",
            Kind::Table(_) | Kind::Map(_) => "table",
        };
        let rest = name.strip_prefix(noun).unwrap_or_default();
        format!("{noun}s{rest}")
    }

    /// What a value has to be, for "must be …": `a whole number of seconds from 1 to 600`.
    #[must_use]
    pub fn demand(&self) -> String {
        let unit = self.unit.as_ref().map(|unit| format!(" of {unit}"));
        let unit = unit.unwrap_or_default();
        match &self.kind {
            Kind::Any => "a value".to_owned(),
            Kind::Text(Format::Any) => "a text".to_owned(),
            Kind::Text(Format::Path) => "a path".to_owned(),
            Kind::Text(Format::Socket) => {
                "an address with a port, such as \"192.0.2.1:53\" or \"[2001:db8::1]:53\""
                    .to_owned()
            }
            Kind::Text(format) => format!("an {}", format.name()),
            Kind::Choice(choices) => format!("one of {}", quoted(choices)),
            Kind::Boolean => "true or false".to_owned(),
            Kind::Integer(least, most) => {
                let least = (*least > i64::MIN).then(|| least.to_string());
                let most = (*most < i64::MAX).then(|| most.to_string());
                format!(
                    "a whole number{unit}{}",
                    range(least, most, " from ", " to ")
                )
            }
            Kind::Number(least, most) => {
                let least = least.is_finite().then(|| least.to_string());
                let most = most.is_finite().then(|| most.to_string());
                format!("a number{unit}{}", range(least, most, " from ", " to "))
            }
            Kind::List(item) => format!("a list of {}, in brackets", item.plural()),
            Kind::Table(_) | Kind::Map(_) => "a table".to_owned(),
        }
    }
}

impl Setting {
    /// Name and type, in one short piece: `directory (path, required)`.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut said = vec![self.schema.type_name()];
        if self.required {
            said.push("required".to_owned());
        }
        if self.schema.secret {
            said.push("secret".to_owned());
        }
        format!("{} ({})", self.name, said.join(", "))
    }
}

impl Format {
    /// Its name in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "text",
            Self::Path => "path",
            Self::Ip => "IP address",
            Self::Ipv4 => "IPv4 address",
            Self::Ipv6 => "IPv6 address",
            Self::Socket => "address with port",
        }
    }
}

/// A range; one without an end says so.
fn range(least: Option<String>, most: Option<String>, before: &str, between: &str) -> String {
    match (least, most) {
        (None, None) => String::new(),
        (Some(least), Some(most)) => format!("{before}{least}{between}{most}"),
        (Some(least), None) => format!(", {least} or more"),
        (None, Some(most)) => format!(", {most} or less"),
    }
}

fn quoted(choices: &[Choice]) -> String {
    let texts = choices.iter().map(|choice| format!("{:?}", choice.text));
    texts.collect::<Vec<_>>().join(", ")
}

/// A value as TOML on one line.
#[must_use]
pub fn toml_text(value: &Value) -> String {
    match value {
        // The crate writes texts with line breaks over several lines.
        Value::String(text) => one_line(text),
        Value::Array(values) => {
            let values: Vec<_> = values.iter().map(toml_text).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Table(table) if table.is_empty() => "{}".to_owned(),
        Value::Table(table) => {
            let entries: Vec<_> = table
                .iter()
                .map(|(name, value)| format!("{} = {}", key(name), toml_text(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        scalar => scalar.to_string(),
    }
}

/// A name as it stands before ` = `.
pub(super) fn key(name: &str) -> String {
    let mut out = String::new();
    crate::config::push_key(&mut out, name);
    out
}

fn one_line(text: &str) -> String {
    let mut out = String::new();
    crate::config::push_text(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(text: &str) -> Schema {
        Schema::read(&Value::Table(text.parse().unwrap()))
    }

    #[test]
    fn types_read_as_words() {
        for (text, name, demand) in [
            ("", "any value", "a value"),
            ("type = 'string'", "text", "a text"),
            ("type = 'string'\nformat = 'path'", "path", "a path"),
            (
                "type = 'string'\nformat = 'ip'",
                "IP address",
                "an IP address",
            ),
            ("type = 'string'\nformat = 'hostname'", "text", "a text"),
            (
                "type = 'string'\nenum = ['a', 'b c']",
                "one of \"a\", \"b c\"",
                "one of \"a\", \"b c\"",
            ),
            ("type = 'boolean'", "boolean", "true or false"),
            ("type = 'integer'", "whole number", "a whole number"),
            (
                "type = 'integer'\nformat = 'uint16'\nmaximum = 70000\nunit = 'seconds'",
                "whole number of seconds, 0 to 65535",
                "a whole number of seconds from 0 to 65535",
            ),
            (
                "type = 'integer'\nmaximum = -1",
                "whole number, -1 or less",
                "a whole number, -1 or less",
            ),
            (
                "type = 'number'\nminimum = 0.5\nmaximum = 2",
                "number, 0.5 to 2",
                "a number from 0.5 to 2",
            ),
            (
                "type = 'array'\nitems = { type = 'string', format = 'ipv6' }",
                "list of IPv6 addresses",
                "a list of IPv6 addresses, in brackets",
            ),
            (
                "type = 'array'\nitems = { type = 'array', items = { type = 'integer', format = 'uint8' } }",
                "list of lists of whole numbers, 0 to 255",
                "a list of lists of whole numbers, 0 to 255, in brackets",
            ),
            (
                "type = 'object'\nadditionalProperties = { type = 'string', enum = ['a'] }",
                "table of texts, each one of \"a\"",
                "a table",
            ),
            ("type = ['string', 'null']", "any value", "a value"),
        ] {
            let schema = schema(text);
            assert_eq!(
                (schema.type_name(), schema.demand()),
                (name.into(), demand.into()),
                "{text}"
            );
        }
    }

    #[test]
    fn values_are_written_on_one_line_and_read_back() {
        let text = "a = \"x\\ny\\u0007\\\"\"\nb = [1, 2.5, true, { 'odd key' = 'é' }]\nc = {}\nd = 2026-01-02\n";
        let table: toml::Table = text.parse().unwrap();
        for (name, value) in table {
            let written = format!("{name} = {}", toml_text(&value));
            assert_eq!(written.lines().count(), 1, "{written}");
            let read: toml::Table = written.parse().unwrap();
            assert_eq!(read[&name], value, "{written}");
        }
    }
}
