//! `plugins show` and `plugins sample`: what a library says of one plugin.

use std::path::Path;

use serde_json::{Value, json};

use super::{configured, pretty};
use crate::args::Show;
use crate::config::{Config, nearest};
use crate::discovery::{Discovered, Discovery, PluginDirectory};
use crate::error::Error;
use crate::manifest::{ApiVersion, Manifest, Plugin, Role};
use crate::preflight::Verdict;
use crate::problem::{Code, Problem, Problems, escape};
use crate::schema::{Accepts, Choice, Kind, Setting, Table, json_value, toml_text};

/// Returns what `gordon-janitor plugins show` prints. Libraries that were refused are shown as well,
/// as far as they say anything.
///
/// # Errors
///
/// When there is no such plugin, or the configuration or the plugin directory cannot be read.
pub fn plugin(root: &Path, plugin_dir: Option<&Path>, what: &Show) -> Result<String, Error> {
    let config = configured(root)?;
    let discovery = scan(plugin_dir, config.as_ref())?;
    let is_listed = config
        .as_ref()
        .is_some_and(|config| config.core().named().any(|key| key == what.key));
    let found: Vec<_> = holders(&discovery, &what.key)?;
    let shown = found.iter().map(|found| Shown {
        file: found.0,
        manifest: found.1,
        plugin: found.2,
        state: state(found.0, found.2, &discovery, is_listed),
    });
    if what.json {
        let shown: Vec<_> = shown.map(|shown| shown.json()).collect();
        // One plugin is one object; more than one library with it is a fault.
        return Ok(pretty(&match <[Value; 1]>::try_from(shown) {
            Ok([one]) => one,
            Err(several) => Value::from(several),
        }));
    }
    let shown: Vec<_> = shown.map(|shown| shown.text()).collect();
    Ok(shown.join("\n"))
}

/// Returns what `gordon-janitor plugins sample` prints: a table to begin with.
///
/// # Errors
///
/// As for [`plugin`].
pub fn sample(root: &Path, plugin_dir: Option<&Path>, key: &str) -> Result<String, Error> {
    let config = configured(root)?;
    let discovery = scan(plugin_dir, config.as_ref())?;
    let found = holders(&discovery, key)?;
    let samples = found
        .iter()
        .map(|(_, _, plugin)| crate::schema::sample(key, &plugin.summary, &plugin.settings));
    // Which of several libraries is meant is for a run to complain about.
    Ok(samples.take(1).collect())
}

fn scan(plugin_dir: Option<&Path>, config: Option<&Config>) -> Result<Discovery, Error> {
    let discovery = Discovery::scan(PluginDirectory::choose(plugin_dir, config));
    match discovery.fault() {
        Some(fault) => Err(Problems::from(fault.clone()).into()),
        None => Ok(discovery),
    }
}

type Found<'a> = (&'a Discovered, &'a Manifest, &'a Plugin);

/// The libraries that hold the plugin: at least one.
fn holders<'a>(discovery: &'a Discovery, key: &str) -> Result<Vec<Found<'a>>, Error> {
    let found: Vec<_> = discovery.holders(key).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let path = discovery.directory().path().display();
    let problem = match nearest(key, discovery.all_keys()) {
        Some(near) => Problem::error(Code::NearMiss, format!("Plugin \"{key}\" not installed"))
            .found(format!("the nearest in {path} is \"{near}\""))
            .help(format!("gordon-janitor plugins show {near}")),
        None => Problem::error(
            Code::NotInstalled,
            format!("Plugin \"{key}\" not installed"),
        )
        .found(format!("nothing in {path} resembles \"{key}\""))
        .help("gordon-janitor plugins list shows what is installed"),
    };
    Err(Problems::from(problem).into())
}

/// Whether a plugin runs, could run, or cannot.
fn state(
    file: &Discovered,
    plugin: &Plugin,
    discovery: &Discovery,
    is_listed: bool,
) -> (&'static str, Option<Problem>) {
    if let Verdict::Refused(problem, _) = &file.judged.verdict {
        return ("refused", Some(problem.clone()));
    }
    match discovery.find(&plugin.key) {
        Err(clash) => ("ambiguous", Some(clash)),
        Ok(_) if is_listed => ("enabled", None),
        Ok(_) => ("available", None),
    }
}

/// A plugin in one library.
struct Shown<'a> {
    file: &'a Discovered,
    manifest: &'a Manifest,
    plugin: &'a Plugin,
    state: (&'static str, Option<Problem>),
}

impl Shown<'_> {
    fn text(&self) -> String {
        let Plugin {
            key, role, summary, ..
        } = self.plugin;
        let manifest = self.manifest;
        let mut out = format!("{key}  {role}  {}\n", self.state.0);
        if !summary.is_empty() {
            out.push_str(&format!("{}\n", escape(summary)));
        }
        if let Some(problem) = &self.state.1 {
            let summary = escape(problem.summary());
            out.push_str(&format!("{}: {summary}\n", problem.code()));
        }
        let library = self.file.path.display().to_string();
        out.push_str(&format!("\nlibrary  {}\n", escape(&library)));
        let (package, version) = (escape(&manifest.package), escape(&manifest.version));
        out.push_str(&format!("package  {package} {version}\n"));
        out.push_str(&format!(
            "built    with plugin API {} (this host offers {}), {}\n",
            manifest.api,
            ApiVersion::of_host(),
            escape(&manifest.rustc)
        ));
        if *role == Role::Publisher {
            let conditional = match self.plugin.conditional {
                true => "only where it finds what was planned for (conditional)",
                false => "without looking at what is there (not conditional)",
            };
            out.push_str(&format!("writes   {conditional}\n"));
        }
        out.push('\n');
        match &self.plugin.settings {
            Accepts::Anything => out.push_str("The library does not say which settings it has.\n"),
            Accepts::Map(values) => out.push_str(&format!(
                "Settings of [{key}]: any names, each with: {}.\n",
                escape(&values.type_name())
            )),
            Accepts::Settings(table) if table.settings.is_empty() => {
                out.push_str("It has no settings; the table has to be there all the same.\n");
                out.push_str(&format!("\n  [{key}]\n"));
            }
            Accepts::Settings(table) => {
                let parents = key
                    .match_indices('.')
                    .map(|(dot, _)| format!("[{}]", &key[..dot]));
                let parents: Vec<_> = parents.collect();
                out.push_str(&format!("Settings of [{key}]"));
                if !parents.is_empty() {
                    let parents = parents.join(" and ");
                    out.push_str(&format!(
                        "; what several plugins share may stand in {parents}"
                    ));
                }
                out.push_str(":\n");
                settings(&mut out, table, "  ");
                out.push_str(&format!(
                    "\ngordon-janitor plugins sample {key} prints a table to begin with.\n"
                ));
            }
        }
        out
    }

    fn json(&self) -> Value {
        let manifest = self.manifest;
        let refusal = self.state.1.as_ref();
        let is_publisher = self.plugin.role == Role::Publisher;
        json!({
            "key": self.plugin.key,
            "role": self.plugin.role.to_string(),
            "summary": self.plugin.summary,
            "conditional": is_publisher.then_some(self.plugin.conditional),
            "state": self.state.0,
            "reason": refusal.map(|problem| json!({
                "code": problem.code().as_str(),
                "summary": problem.summary(),
            })),
            "library": self.file.path.display().to_string(),
            "package": manifest.package,
            "version": manifest.version,
            "api": manifest.api.to_string(),
            "rustc": manifest.rustc,
            "settings": match &self.plugin.settings {
                Accepts::Settings(table) => table.settings.iter().map(setting_json).collect(),
                Accepts::Anything | Accepts::Map(_) => Value::Null,
            },
        })
    }
}

fn settings(out: &mut String, table: &Table, indent: &str) {
    for setting in &table.settings {
        let schema = &setting.schema;
        let mut facts = vec![schema.type_name()];
        match (&schema.default, setting.required) {
            (_, true) => facts.push("required".to_owned()),
            (Some(default), false) => facts.push(format!("default {}", toml_text(default))),
            (None, false) => facts.push("optional".to_owned()),
        }
        if schema.secret {
            facts.push("secret".to_owned());
        }
        out.push_str(&format!(
            "\n{indent}{}  {}\n",
            escape(&setting.name),
            escape(&facts.join("; "))
        ));
        let mut line = |text: &str| out.push_str(&format!("{indent}    {}\n", escape(text)));
        schema.description.lines().for_each(&mut line);
        for Choice { text, description } in choices(&schema.kind) {
            if !description.is_empty() {
                line(&format!("{text:?}: {description}"));
            }
        }
        if let Some(example) = &schema.example {
            line(&format!("For example: {}", toml_text(example)));
        }
        for alias in &setting.aliases {
            line(&format!("Also called {alias}."));
        }
        for alias in &setting.deprecated_aliases {
            line(&format!("Once called {alias}."));
        }
        if let Some(table) = schema.table() {
            settings(out, table, &format!("{indent}    "));
        }
    }
}

fn setting_json(setting: &Setting) -> Value {
    let schema = &setting.schema;
    let choices: Vec<_> = choices(&schema.kind)
        .iter()
        .map(|choice| json!({ "text": choice.text, "description": choice.description }))
        .collect();
    let mut out = json!({
        "name": setting.name,
        "type": schema.type_name(),
        "required": setting.required,
        "secret": schema.secret,
        "unit": schema.unit,
        "default": schema.default.as_ref().map(json_value),
        "example": schema.example.as_ref().map(json_value),
        "description": schema.description,
        "aliases": setting.aliases,
        "deprecated_aliases": setting.deprecated_aliases,
    });
    if !choices.is_empty() {
        out["choices"] = choices.into();
    }
    if let Some(table) = schema.table() {
        out["settings"] = table.settings.iter().map(setting_json).collect();
    }
    out
}

fn choices(kind: &Kind) -> &[Choice] {
    match kind {
        Kind::Choice(choices) => choices,
        Kind::List(item) | Kind::Map(item) => choices(&item.kind),
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::is_hidden;
    use crate::schema::Schema;

    #[test]
    fn nothing_that_a_library_says_of_a_setting_reaches_the_terminal_as_it_is() {
        let evil = "x\u{1b}[31m\u{202e}";
        let schema = format!(
            "type = 'object'\nadditionalProperties = false\n[properties.n]\ntype = 'integer'\nunit = {evil:?}\n\
             [properties.t]\ntype = 'string'\ndefault = {evil:?}\nexamples = [{evil:?}]\naliases = [{evil:?}]\n\
             [properties.c]\ntype = 'string'\nenum = [{evil:?}]\nenumDescriptions = [{evil:?}]\ndescription = {evil:?}\n"
        );
        let schema = schema
            .replace("\\u{1b}", "\\u001B")
            .replace("\\u{202e}", "\\u202E");
        let schema: toml::Table = schema.parse().unwrap();
        let accepts = Accepts::read(&toml::Value::Table(schema.clone()));
        let mut out = String::new();
        settings(&mut out, Schema::read(&schema.into()).table().unwrap(), "");
        out.push_str(&crate::schema::sample("a.b", evil, &accepts));
        let shown = out.chars().find(|c| *c != '\n' && is_hidden(*c));
        assert_eq!(shown, None, "{out:?}");
        assert!(out.contains("whole number of x"), "{out}");
    }
}
