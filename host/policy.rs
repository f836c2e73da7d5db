//! What of the configuration decides about a plan: which changes are made, and where they go.
//!
//! A sealed plan is applied only under the policy that it was made under. The policy is kept as one digest
//! for each section, so that a difference can be named. Values of secrets are not part of it: nothing
//! can be guessed from a digest, and a password that was changed makes no other plan.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::config::{Config, InstalledKeys, Secrets};
use crate::discovery::Discovery;
use crate::manifest::Role;
use crate::plan::schema::{HeaderLine, PluginEntry, Policy, VERSION};
use crate::preflight::Digest;

/// The settings of `[core]` that decide only how a run goes, not what it does. What is not named here
/// counts, so that a new setting is part of the policy unless somebody decides otherwise.
const NOT_DECIDING: [&str; 9] = [
    "after_crash",
    "channel_capacity",
    "deadline",
    "grace",
    "history",
    "logging",
    "metrics",
    "plugin_dir",
    "state_dir",
];

/// The settings of `[core.plugin."key"]` that decide nothing about a plan.
const NOT_DECIDING_OF_PLUGIN: [&str; 1] = ["level"];

impl Policy {
    /// The policy of `config`, with the plugins of `discovery`.
    #[must_use]
    pub fn of(config: &Config, discovery: &Discovery) -> Self {
        let mut config = config.clone();
        config.hide(discovery.schemas());
        let core = config.core();
        let mut sections = BTreeMap::new();
        let mut add = |name: String, value: &Value| {
            sections.insert(name, digest(&canonical(value)));
        };
        // The host's own tables hold no secrets; a zone may have a name that looks like one.
        if let Value::Object(tables) = config.json(Secrets::Shown)
            && let Some(Value::Object(settings)) = tables.get("core")
        {
            for (name, value) in settings {
                if name == "plugin" {
                    for (key, value) in value.as_object().into_iter().flatten() {
                        let rest = without(value, &NOT_DECIDING_OF_PLUGIN);
                        if rest.as_object().is_none_or(|rest| !rest.is_empty()) {
                            add(format!("core.plugin.\"{key}\""), &rest);
                        }
                    }
                } else if !NOT_DECIDING.contains(&name.as_str()) {
                    add(format!("core.{name}"), value);
                }
            }
        }
        let installed: InstalledKeys = discovery.all_keys().chain(core.named()).collect();
        for entry in &core.plugins {
            if let Ok(Some(mut table)) = config.plugin(&entry.key, &installed) {
                if let Ok(Some((_, _, plugin))) = discovery.find(&entry.key) {
                    // What the plugin does not get decides nothing.
                    drop(table.restrict(&plugin.settings));
                }
                add(entry.key.clone(), &table.json(Secrets::Masked));
            }
        }
        Self {
            sha256: over(&sections),
            sections,
        }
    }

    /// The sections in which this policy and `other` differ, by name.
    #[must_use]
    pub fn differences<'a>(&'a self, other: &'a Self) -> Vec<&'a str> {
        let names = self.sections.keys().chain(other.sections.keys());
        let differs = |name: &&String| self.sections.get(*name) != other.sections.get(*name);
        let mut names = names.filter(differs).map(String::as_str);
        let mut found = names.by_ref().collect::<Vec<_>>();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether the digest over all is that of the sections.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        self.sha256 == over(&self.sections)
    }
}

/// The first line of a plan that is made at `made_at`.
#[must_use]
pub fn header(
    config: &Config,
    discovery: &Discovery,
    made_at: Timestamp,
    sealed: bool,
) -> HeaderLine {
    let plugins = config.core().plugins.iter().filter_map(|entry| {
        let (file, manifest, plugin) = discovery.find(&entry.key).ok().flatten()?;
        Some(PluginEntry {
            key: entry.key.clone(),
            role: plugin.role.to_string(),
            version: manifest.version.clone(),
            sha256: Digest::at(&file.judged.path)
                .ok()
                .map(|digest| digest.to_string()),
            conditional: (plugin.role == Role::Publisher).then_some(plugin.conditional),
        })
    });
    HeaderLine {
        plan: VERSION,
        sealed,
        // As precise as the history keeps it: whether it is this plan that was applied is told by it.
        made_at: Timestamp::from_millisecond(made_at.as_millisecond()).unwrap_or(made_at),
        host: env!("CARGO_PKG_VERSION").to_owned(),
        policy: Policy::of(config, discovery),
        undoes: None,
        plugins: plugins.collect(),
    }
}

fn over(sections: &BTreeMap<String, String>) -> String {
    let lines = sections
        .iter()
        .map(|(name, digest)| format!("{digest} {name}\n"));
    digest(&lines.collect::<String>())
}

fn digest(text: &str) -> String {
    Digest::new(Sha256::digest(text.as_bytes()).into()).to_string()
}

fn without(value: &Value, names: &[&str]) -> Value {
    let Value::Object(object) = value else {
        return value.clone();
    };
    let kept = object
        .iter()
        .filter(|(name, _)| !names.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// JSON with the keys of every object sorted, whatever order they were written in.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let sorted = object.iter().collect::<BTreeMap<_, _>>();
            let entries = sorted.into_iter().map(|(name, value)| {
                let name = Value::from(name.as_str());
                format!("{name}:{}", canonical(value))
            });
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        Value::Array(values) => {
            let values = values.iter().map(canonical).collect::<Vec<_>>();
            format!("[{}]", values.join(","))
        }
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::PluginDirectory;

    /// The policy of a configuration, without any library.
    fn policy(toml: &str) -> Policy {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("gordon-janitor.toml"), toml).unwrap();
        let config = Config::load(root.path()).unwrap();
        let directory = PluginDirectory::choose(Some(root.path()), Some(&config));
        Policy::of(&config, &Discovery::scan(directory))
    }

    const BASE: &str = "[core]\nplugins = ['a.b', 'c']\n[a.b]\nx = 1\n[c]\n[other]\ny = 1\n";

    #[test]
    fn what_decides_nothing_is_not_part_of_it() {
        let base = policy(BASE);
        for other in [
            "[core]\ngrace = 3\nplugins = ['a.b', 'c']\nmetrics = 'ffwd'\n[core.logging]\nlevel = 'debug'\n[a.b]\nx = 1\n[c]\n[other]\ny = 2\n",
            "[c]\n[a.b]\nx = 0x1\n[core]\nplugins = [ \"a.b\", \"c\" ]\n[core.plugin.c]\nlevel = 'debug'\n",
        ] {
            assert_eq!(policy(other), base, "{other}");
        }
        assert!(base.is_consistent());
    }

    #[test]
    fn what_differs_is_named() {
        let base = policy(BASE);
        let differences = |toml: &str| policy(toml).differences(&base).join(" ");
        assert_eq!(differences(BASE), "");
        assert_eq!(differences(&BASE.replace("x = 1", "x = 2")), "a.b");
        assert_eq!(differences(&BASE.replace("[c]", "[c]\nz = 1")), "c");
        assert_eq!(differences(&BASE.replace(", 'c'", "")), "c core.plugins");
        assert_eq!(
            differences(&BASE.replace("[a.b]", "[core.plugin.'a.b']\nzones = ['x']\n[a.b]")),
            "core.plugin.\"a.b\""
        );
        // One that nobody has thought of yet.
        assert_eq!(
            differences(&BASE.replace("[core]", "[core]\nnew = 1")),
            "core.new"
        );
    }

    #[test]
    fn a_secret_is_not_part_of_it() {
        let with =
            |password: &str| policy(&BASE.replace("[c]", &format!("[c]\npassword = '{password}'")));
        assert_eq!(with("one"), with("two"));
    }
}
