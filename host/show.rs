//! The commands that only show something: `plugins list` and `config`.

use std::io::{self, Write};

use crate::args::{Args, ConfigCommand};
use crate::config::{Config, Secrets};
use crate::discovery::{self, Discovery, PluginDirectory};
use crate::error::Error;
use crate::resolve::plugin_table;

/// Shows what every library in the plugin directory offers.
///
/// # Errors
///
/// A plugin directory that cannot be read. A configuration is not needed; without one nothing is
/// enabled.
pub(crate) fn plugins(args: &Args) -> Result<u8, Error> {
    let config = Config::load(&args.config_root).ok();
    let directory = PluginDirectory::choose(args.plugin_dir.as_deref(), config.as_ref());
    let discovery = Discovery::scan(directory);
    if let Some(fault) = discovery.fault() {
        return Err(Error::Problems(fault.clone().into()));
    }
    let listed = config.iter().flat_map(|config| &config.core().plugins);
    let enabled = listed.map(|entry| entry.key.as_str()).collect::<Vec<_>>();
    write(&discovery::list(&discovery, &enabled))
}

/// Shows the merged configuration, or what one plugin of it receives.
///
/// # Errors
///
/// A configuration that cannot be read, or a key that has none.
pub(crate) fn config(args: &Args, what: &ConfigCommand) -> Result<u8, Error> {
    let config = Config::load(&args.config_root)?;
    let json = |value: serde_json::Value| format!("{value:#}\n");
    let text = match &what.key {
        None if what.json => json(config.json(Secrets::Masked)),
        None => config.shown(),
        Some(key) => {
            let directory = PluginDirectory::choose(args.plugin_dir.as_deref(), Some(&config));
            let table = plugin_table(&config, &Discovery::scan(directory), key)?;
            if what.json {
                json(table.json(Secrets::Masked))
            } else {
                table.shown().text().to_owned()
            }
        }
    };
    write(&text)
}

fn write(text: &str) -> Result<u8, Error> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::failed("cannot write to standard output", error))
        }
        _ => Ok(crate::report::exit::DONE),
    }
}
