//! The host: finds plugin libraries, judges them, and runs them.
//!
//! The modules stand in the order in which a run needs them. Nothing here is meant for other crates;
//! it is a library so that benchmarks and fuzz targets reach it.

use std::io::{self, Write};
use std::process::ExitCode;

pub mod args;
pub mod problem;
pub mod json;
pub mod schema;
pub mod pattern;
pub mod config;
pub mod secrets;
pub mod terminal;
mod table;
pub mod logging;
pub mod manifest;
pub mod preflight;
pub mod discovery;
pub mod resolve;
pub mod metrics;
pub mod log_bridge;
pub mod library;
pub mod crash;
pub mod crashes;
pub mod worker;
pub mod control;
pub mod signal;
pub mod loaded;
pub mod audit;
pub mod activity;
pub mod progress;
pub mod report;
pub mod channel;
pub mod offer;
pub mod plugin;
pub mod crew;
pub mod stations;
pub mod guard;
pub mod record;
pub mod history;
pub mod undo;
pub mod pipeline;
pub mod plan;
pub mod policy;
pub mod recruiting;
pub mod run;
pub mod apply;
pub mod why;
pub mod show;
pub mod check;
pub mod install;
pub mod manual;
pub mod error;

use args::{Args, Check, Command, Install, Plugins};
use config::Config;
use discovery::{Discovery, PluginDirectory};
use error::Error;
use logging::Product;
use run::Setting;

/// The program: reads the command line, does what it says, and returns the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let args = args::parse();
    terminal::set_form(args.log_format);
    let code = match command(&args) {
        Ok(code) => code.into(),
        Err(error) => error::print(&error),
    };
    logging::finish();
    code
}

fn command(args: &Args) -> Result<u8, Error> {
    let plugin_dir = args.plugin_dir.as_deref();
    match &args.command {
        Command::Run(run) => worker::carry_out(args, |control| {
            let (config, discovery) = prepare(args)?;
            let setting = Setting::new(args, &config, &discovery, control);
            run::run(&setting.forcing(&run.force), run.dry_run)
        }),
        Command::Plan(plan) => worker::carry_out(args, |control| {
            let (config, discovery) = prepare(args)?;
            let setting = Setting::new(args, &config, &discovery, control);
            run::plan(&setting.forcing(&plan.force), plan)
        }),
        Command::Undo(what) => worker::carry_out(args, |control| {
            let (config, discovery) = prepare(args)?;
            let setting = Setting::new(args, &config, &discovery, control);
            undo::undo(&setting.forcing(&what.plan.force), what.run, &what.plan)
        }),
        Command::Apply(what) => worker::carry_out(args, |control| {
            let (config, discovery) = prepare(args)?;
            let config = config.strict();
            let setting = Setting::new(args, &config, &discovery, control);
            apply::apply(&setting, &what.file)
        }),
        Command::Guard(what) => {
            let config = Config::load(&args.config_root)?;
            let (text, code) = guard::command(&config, what)?;
            print(&text).map(|_| code)
        }
        Command::Why(asked) => worker::carry_out(args, |control| {
            let (config, discovery) = prepare(args)?;
            why::why(&Setting::new(args, &config, &discovery, control), asked)
        }),
        Command::Check(Check { user }) => print(&check::check(
            &args.config_root,
            plugin_dir,
            user.as_deref(),
        )?),
        Command::Plugins(what) => print(&plugins(args, what)?),
        Command::Config(what) => {
            let config = Config::load(&args.config_root)?;
            print(&show::config(config, what, plugin_dir)?)
        }
        Command::History(what) => {
            let config = show::configured(&args.config_root)?;
            print(&history::history(config.as_ref(), what)?)
        }
        Command::Completions(completions) => print(&manual::completions(completions.shell)),
        Command::Man(man) => match &man.out {
            None => print(&manual::page()?),
            Some(directory) => print(&manual::write_pages(directory)?),
        },
    }
}

fn plugins(args: &Args, command: &Plugins) -> Result<String, Error> {
    let root = &args.config_root;
    let plugin_dir = args.plugin_dir.as_deref();
    match command {
        Plugins::List(what) => show::plugins_list(root, plugin_dir, what),
        Plugins::Show(what) => show::plugin(root, plugin_dir, what),
        Plugins::Sample { key } => show::sample(root, plugin_dir, key),
        Plugins::Schema => show::schema(root, plugin_dir),
        Plugins::Check { files } => check::files(files),
        Plugins::Install(Install { file, name }) => {
            install::install(show::directory(root, plugin_dir)?, file, name.as_deref())
        }
        Plugins::Rollback { key } => install::rollback(show::directory(root, plugin_dir)?, key),
    }
}

/// Writes `text` to standard output. A reader that has seen enough, as `head`, is no failure.
fn print(text: &str) -> Result<u8, Error> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::failed("cannot write to standard output", error))
        }
        _ => Ok(report::exit::DONE),
    }
}

/// What a run starts from: the configuration, the log, and the libraries there are.
fn prepare(args: &Args) -> Result<(Config, Discovery), Error> {
    let config = Config::load(&args.config_root)?;
    logging::init(config.core(), Product::of(args))
        .map_err(|e| Error::failed("cannot start logging", e))?;
    let directory = PluginDirectory::choose(args.plugin_dir.as_deref(), Some(&config));
    Ok((config, Discovery::scan(directory)))
}
