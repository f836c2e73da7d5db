//! `plugins schema`: the whole configuration as a JSON Schema, for editors.
//!
//! An editor looks at one file and one table at a time. It cannot know what the other file has, nor
//! what a table inherits; so no setting is demanded here, only names and values are judged.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{configured, pretty};
use crate::config::options;
use crate::discovery::{Discovery, PluginDirectory};
use crate::error::Error;
use crate::manifest::Plugin;
use crate::problem::Problems;
use crate::schema::{self, Accepts, Shape};

/// Returns what `gordon-janitor plugins schema` prints.
///
/// # Errors
///
/// When the configuration or the plugin directory cannot be read.
pub fn schema(root: &Path, plugin_dir: Option<&Path>) -> Result<String, Error> {
    let config = configured(root)?;
    let discovery = Discovery::scan(PluginDirectory::choose(plugin_dir, config.as_ref()));
    if let Some(fault) = discovery.fault() {
        return Err(Problems::from(fault.clone()).into());
    }
    let manifests = discovery.files().iter().filter_map(|file| file.manifest());
    let plugins = manifests.flat_map(|manifest| &manifest.plugins);
    Ok(pretty(&document(plugins)))
}

fn document<'a>(plugins: impl Iterator<Item = &'a Plugin>) -> Value {
    let mut properties = Map::new();
    for (name, table) in options::tables() {
        properties.insert(name.to_owned(), table.json(Shape::Part));
    }
    let mut root = Node::default();
    for plugin in plugins {
        root.add(plugin);
    }
    for (name, node) in &root.children {
        properties.insert((*name).to_owned(), node.json());
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of gordon-janitor",
        "description": "gordon-janitor.toml and gordon-janitor-user.toml, with the plugins that were installed when this was printed.",
        "type": "object",
        "properties": properties,
    })
}

/// A table on the way to plugins, by the parts of their keys.
#[derive(Default)]
struct Node<'a> {
    /// The plugin whose own table it is.
    plugin: Option<&'a Plugin>,
    children: BTreeMap<&'a str, Self>,
}

impl<'a> Node<'a> {
    fn add(&mut self, plugin: &'a Plugin) {
        let mut node = self;
        for part in plugin.key.split('.') {
            node = node.children.entry(part).or_default();
        }
        node.plugin = Some(plugin);
    }

    fn json(&self) -> Value {
        let mut settings: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let mut is_open = false;
        self.collect(&mut settings, &mut is_open);
        let mut properties: Map<String, Value> = settings
            .into_iter()
            .map(|(name, schemas)| (name, any_of(schemas)))
            .collect();
        for (name, child) in &self.children {
            properties.insert((*name).to_owned(), child.json());
        }
        let mut out = json!({
            "type": "object",
            "properties": properties,
            "additionalProperties": is_open,
        });
        if let Some(plugin) = self.plugin
            && !plugin.summary.is_empty()
        {
            out["description"] = plugin.summary.as_str().into();
        }
        out
    }

    /// The settings of the plugin here and of those below, which inherit.
    fn collect(&self, settings: &mut BTreeMap<String, Vec<Value>>, is_open: &mut bool) {
        match self.plugin.map(|plugin| &plugin.settings) {
            None => {}
            Some(Accepts::Anything | Accepts::Map(_)) => *is_open = true,
            Some(accepts @ Accepts::Settings(_)) => {
                let mut table = schema::json(accepts);
                let Some(Value::Object(properties)) = table.get_mut("properties").map(Value::take)
                else {
                    return;
                };
                for (name, schema) in properties {
                    let known = settings.entry(name).or_default();
                    if !known.contains(&schema) {
                        known.push(schema);
                    }
                }
            }
        }
        for child in self.children.values() {
            child.collect(settings, is_open);
        }
    }
}

/// What plugins that share a setting make of it; they may differ.
fn any_of(mut schemas: Vec<Value>) -> Value {
    if schemas.len() == 1 {
        schemas.remove(0)
    } else {
        json!({ "anyOf": schemas })
    }
}
