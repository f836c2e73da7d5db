//! The commands that only look: `config` and `plugins list`, `show`, `sample`, `schema`.

mod plugin;
mod schema;

use std::path::Path;

pub use self::plugin::{plugin, sample};
pub use self::schema::schema;

use crate::args::{ConfigCommand, List};
use crate::config::{Config, Secrets};
use crate::discovery::{Discovery, PluginDirectory, json, list};
use crate::error::Error;
use crate::problem::{Code, Problems};
use crate::resolve;

/// Returns what `gordon-janitor config` prints: the merged configuration, or
/// exactly what one plugin receives. Secrets are masked.
///
/// # Errors
///
/// When there is no configuration for the plugin that was named.
pub fn config(
    mut config: Config,
    command: &ConfigCommand,
    plugin_dir: Option<&Path>,
) -> Result<String, Error> {
    // Whose table is whose, and what is a secret, depends on what is installed.
    let discovery = Discovery::scan(PluginDirectory::choose(plugin_dir, Some(&config)));
    config.hide(discovery.schemas());
    let Some(key) = &command.key else {
        return Ok(if command.json {
            pretty(&config.json(Secrets::Masked))
        } else {
            config.shown()
        });
    };
    let table = resolve::plugin_table(&config, &discovery, key)?;
    Ok(if command.json {
        pretty(&table.json(Secrets::Masked))
    } else {
        table.shown().text().to_owned()
    })
}

/// Returns what `gordon-janitor plugins list` prints. There need not be a
/// configuration: then no plugin is enabled.
///
/// # Errors
///
/// When the configuration or the plugin directory cannot be read.
pub fn plugins_list(root: &Path, plugin_dir: Option<&Path>, what: &List) -> Result<String, Error> {
    let config = configured(root)?;
    let discovery = Discovery::scan(PluginDirectory::choose(plugin_dir, config.as_ref()));
    let enabled = config.iter().flat_map(|config| config.core().named());
    let enabled: Vec<_> = enabled.collect();
    let text = if what.json {
        json(&discovery, &enabled, what.sha256)
    } else {
        list(&discovery, &enabled, what.sha256)
    };
    let Some(fault) = discovery.fault() else {
        return Ok(text);
    };
    // What is there is told all the same, if it could be read.
    if what.json || !discovery.files().is_empty() {
        crate::print(&text)?;
    }
    Err(Problems::from(fault.clone()).into())
}

/// The plugin directory that the configuration, if there is one, chooses.
///
/// # Errors
///
/// When the configuration cannot be read.
pub fn directory(root: &Path, plugin_dir: Option<&Path>) -> Result<PluginDirectory, Error> {
    let config = configured(root)?;
    Ok(PluginDirectory::choose(plugin_dir, config.as_ref()))
}

/// The configuration, if there is one.
///
/// # Errors
///
/// When it cannot be read.
pub fn configured(root: &Path) -> Result<Option<Config>, Error> {
    match Config::load(root) {
        Ok(config) => Ok(Some(config)),
        Err(problems) if is_absent(&problems) => Ok(None),
        Err(problems) => Err(problems.into()),
    }
}

fn is_absent(problems: &Problems) -> bool {
    problems
        .list()
        .iter()
        .any(|problem| problem.code() == Code::NoConfiguration)
}

pub(crate) fn pretty(json: &serde_json::Value) -> String {
    format!("{json:#}\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::args::Show;
    use crate::preflight::tests::Elf;

    fn root(config: Option<&str>) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        let library = Elf::plugin("acme", &[("acme.a", "authority"), ("acme.b", "publisher")]);
        fs::write(root.path().join("libacme.so"), library.octets()).unwrap();
        if let Some(config) = config {
            fs::write(root.path().join("gordon-janitor.toml"), config).unwrap();
        }
        root
    }

    fn shown(root: &TempDir, key: Option<&str>, json: bool) -> Result<String, Error> {
        let command = ConfigCommand {
            key: key.map(str::to_owned),
            json,
        };
        config(
            Config::load(root.path()).unwrap(),
            &command,
            Some(root.path()),
        )
    }

    const CONFIG: &str = "[core]\nplugins = ['acme.a']\n[acme]\nregion = 'north'\n[acme.a]\napi_key = 'hush'\n[acme.b]\nx = 1\n";

    #[test]
    fn the_whole_configuration_is_shown_without_secrets() {
        let root = root(Some(CONFIG));
        assert_eq!(
            shown(&root, None, false).unwrap(),
            "[acme]\nregion = \"north\"\n\n[acme.a]\napi_key = \"***\"\n\n[acme.b]\nx = 1\n\n[core]\nplugins = [\"acme.a\"]\n"
        );
        let json: serde_json::Value =
            serde_json::from_str(&shown(&root, None, true).unwrap()).unwrap();
        assert_eq!(json["acme"]["a"]["api_key"], "***");
    }

    #[test]
    fn a_plugin_is_shown_what_it_receives_and_nothing_else() {
        let root = root(Some(CONFIG));
        assert_eq!(
            shown(&root, Some("acme.a"), false).unwrap(),
            "api_key = \"***\"\nregion = \"north\"\n"
        );
        assert_eq!(
            shown(&root, Some("acme.b"), true).unwrap(),
            "{\n  \"region\": \"north\",\n  \"x\": 1\n}\n"
        );
        assert_eq!(
            shown(&root, Some("acme.c"), false).unwrap_err().exit_code(),
            2
        );
    }

    #[test]
    fn plugins_are_listed_with_and_without_a_configuration() {
        let listed = |config| {
            let root = root(config);
            plugins_list(root.path(), Some(root.path()), &List::default()).unwrap()
        };
        assert!(
            listed(Some(CONFIG))
                .contains("acme.a  authority  0.1.0    1.0.0  enabled    libacme.so")
        );
        assert!(listed(None).contains("acme.a  authority  0.1.0    1.0.0  available  libacme.so"));
    }

    #[test]
    fn a_metrics_relay_is_enabled_where_core_metrics_names_it() {
        let root = root(Some("[core]\nmetrics = 'acme.m'\n[acme.m]\n"));
        let library = Elf::plugin("acme", &[("acme.m", "metrics-relay")]);
        fs::write(root.path().join("libacme.so"), library.octets()).unwrap();
        let (key, json) = ("acme.m".to_owned(), false);
        let shown = plugin(root.path(), Some(root.path()), &Show { key, json }).unwrap();
        assert!(
            shown.starts_with("acme.m  metrics-relay  enabled\n"),
            "{shown}"
        );
        let listed = plugins_list(root.path(), Some(root.path()), &List::default()).unwrap();
        assert!(listed.contains("enabled"), "{listed}");
    }

    #[test]
    fn a_missing_directory_is_an_error_of_the_list() {
        let root = root(None);
        let error = plugins_list(
            root.path(),
            Some(&root.path().join("none")),
            &List::default(),
        )
        .unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("error[GJ206]: the plugin directory "),
            "{error}"
        );
    }
}
