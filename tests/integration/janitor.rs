//! The harness: a configuration in, a [`Run`] out.
//!
//! Every [`Janitor`] has a directory of its own with everything in it, the plugin directory included;
//! tests run side by side. Nothing here sleeps: whoever waits, waits for a line of output.

pub(crate) mod c;
mod libraries;
mod mounted;
mod running;
mod system_log;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use tempfile::TempDir;

pub(crate) use self::libraries::{cargo, library, uncounted};
pub(crate) use self::mounted::with_mount;
pub(crate) use self::running::{Run, Running};
pub(crate) use self::system_log::SystemLog;

/// Settings for changes that are larger than any limit allows, as random ones are.
pub(crate) const WITHOUT_LIMITS: &str = "\
[core.guard]
deletions_percent = 'off'
updates_percent = 'off'
[core.guard.run]
deletions_percent = 'off'
updates_percent = 'off'
zones_percent = 'off'
";

/// The library of the plugins that people use.
pub(crate) const FILES: &str = "janitor_plugin_files";
/// The library of the plugins for name servers.
pub(crate) const DNS: &str = "janitor_plugin_dns";
/// The library of the plugins for Google Cloud.
pub(crate) const GCP: &str = "janitor_plugin_gcp";
/// The library of the metrics relays.
pub(crate) const METRICS: &str = "janitor_plugin_metrics";
/// The library whose plugins misbehave as an author might.
pub(crate) const VILLAIN: &str = "janitor_misbehaving_villain";
/// The library whose plugins break the rules of the boundary.
pub(crate) const LIAR: &str = "janitor_misbehaving_liar";

/// The library whose plugins crash, or change what belongs to the whole process.
pub(crate) const WRECKER: &str = "janitor_misbehaving_wrecker";
/// The library whose plugins do well until they are told to stop.
pub(crate) const FICKLE: &str = "janitor_misbehaving_fickle";
/// The library that does something while it is opened.
pub(crate) const EARLY: &str = "janitor_misbehaving_early";

/// What every zone here begins with, so that tests can leave it out.
pub(crate) const HEAD: &str = "\
$TTL 300
@ SOA ns.example.net. hostmaster.example.net. 1 3600 600 86400 60
@ NS ns.example.net.
";

/// A deployment: configuration, zones, libraries.
///
/// Unless told otherwise it takes what is desired from `desired/`, compares it with `served/`, and
/// applies the changes there.
pub(crate) struct Janitor {
    root: TempDir,
    authorities: Vec<String>,
    reconcilers: Vec<String>,
    publishers: Vec<String>,
    settings: String,
    config: Option<String>,
    environment: Vec<(String, String)>,
}

impl Janitor {
    pub(crate) fn new() -> Self {
        // What a test writes is as safe as what an operator installs, whatever the user's own umask.
        rustix::process::umask(0o022.into());
        let root = tempfile::tempdir().expect("a temporary directory can be made");
        for directory in ["desired", "served", "plugins", "state"] {
            fs::create_dir(root.path().join(directory)).expect("a directory can be made");
        }
        Self {
            root,
            authorities: vec!["files.zones".to_owned()],
            reconcilers: vec!["files.served".to_owned()],
            publishers: vec!["files.apply".to_owned()],
            settings: String::new(),
            config: None,
            environment: Vec::new(),
        }
        .libraries(&[FILES, VILLAIN, LIAR])
    }

    /// The authorities, in the place of `files.zones`.
    pub(crate) fn authorities(mut self, keys: &[&str]) -> Self {
        self.authorities = keys.iter().map(ToString::to_string).collect();
        self
    }

    /// The reconcilers, in the place of `files.served`.
    pub(crate) fn reconcilers(mut self, keys: &[&str]) -> Self {
        self.reconcilers = keys.iter().map(ToString::to_string).collect();
        self
    }

    /// The publishers, in the place of `files.apply`.
    pub(crate) fn publishers(mut self, keys: &[&str]) -> Self {
        self.publishers = keys.iter().map(ToString::to_string).collect();
        self
    }

    /// The zone file of a desired zone, with [`HEAD`] before `records`.
    pub(crate) fn desired(self, zone: &str, records: &str) -> Self {
        self.file(
            &format!("desired/{zone}.zone"),
            format!("{HEAD}{records}\n"),
        )
    }

    /// The zone file of a served zone, with [`HEAD`] before `records`.
    pub(crate) fn served(self, zone: &str, records: &str) -> Self {
        self.file(&format!("served/{zone}.zone"), format!("{HEAD}{records}\n"))
    }

    /// A file anywhere below the root.
    pub(crate) fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        fs::write(self.path(path), text).expect("a file can be written");
        self
    }

    /// A FIFO at which villains wait.
    pub(crate) fn gate(self) -> Self {
        let path = self.path("gate");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into()).expect("a FIFO can be made");
        self.settings("[villain]\ngate = 'gate'")
    }

    /// Lets the villain at the gate go on; waits until it has come there.
    pub(crate) fn open_gate(&self) {
        fs::OpenOptions::new()
            .write(true)
            .open(self.path("gate"))
            .expect("the gate can be opened");
    }

    /// Adds to the user's file, which is merged over the configuration.
    pub(crate) fn settings(mut self, toml: &str) -> Self {
        self.settings.push_str(toml);
        self.settings.push('\n');
        self
    }

    /// Writes the user's file anew, in the place of all that was added.
    pub(crate) fn rewrite_settings(&mut self, toml: &str) {
        toml.clone_into(&mut self.settings);
    }

    /// A variable in the environment of the program.
    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The whole configuration, in the place of the one that is made from all the rest.
    pub(crate) fn config(mut self, toml: &str) -> Self {
        self.config = Some(toml.to_owned());
        self
    }

    /// The libraries in the plugin directory, and no others.
    pub(crate) fn libraries(self, names: &[&str]) -> Self {
        let directory = self.path("plugins");
        fs::remove_dir_all(&directory).expect("a directory can be removed");
        fs::create_dir(&directory).expect("a directory can be made");
        for name in names {
            let link = directory.join(format!("lib{name}.so"));
            std::os::unix::fs::symlink(library(name), link).expect("a link can be made");
        }
        self
    }

    /// Puts a copy of a library into the plugin directory, in the place of a link.
    pub(crate) fn with_copy_of(self, name: &str) -> Self {
        let path = self.path(&format!("plugins/lib{name}.so"));
        fs::remove_file(&path).expect("a link can be removed");
        fs::copy(library(name), path).expect("a library can be copied");
        self
    }

    /// A path below the root.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// What is served now.
    pub(crate) fn served_file(&self, zone: &str) -> String {
        let path = self.path(&format!("served/{zone}.zone"));
        fs::read_to_string(path).expect("the served zone file can be read")
    }

    /// Carries out `gordon-janitor run`.
    pub(crate) fn run(&self) -> Run {
        self.command(&["run"])
    }

    /// Carries out `gordon-janitor plan` with further arguments.
    pub(crate) fn plan(&self, arguments: &[&str]) -> Run {
        self.command(&[&["plan"], arguments].concat())
    }

    /// Carries out the program with these arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Run {
        self.start(arguments).finish()
    }

    /// Starts the program with these arguments.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.start_into(arguments, Stdio::piped())
    }

    /// Starts the program with these arguments as the first of a process group of its own.
    pub(crate) fn start_group(&self, arguments: &[&str]) -> Running {
        self.write_configuration();
        let environment = &self.environment;
        Running::start_group(self.root.path(), arguments, environment)
    }

    /// Starts the program with these arguments as `nohup` does: with SIGHUP ignored.
    pub(crate) fn start_without_hangups(&self, arguments: &[&str]) -> Running {
        self.write_configuration();
        let environment = &self.environment;
        Running::start_without_hangups(self.root.path(), arguments, environment)
    }

    /// Starts the program with these arguments; nobody reads its standard error unless the caller does.
    pub(crate) fn start_unread(&self, arguments: &[&str]) -> Child {
        self.write_configuration();
        running::start_unread(self.root.path(), arguments)
    }

    /// Starts the program with these arguments and another standard output.
    pub(crate) fn start_into(&self, arguments: &[&str], stdout: impl Into<Stdio>) -> Running {
        self.write_configuration();
        let environment = &self.environment;
        Running::start(self.root.path(), arguments, environment, stdout.into())
    }

    fn write_configuration(&self) {
        let base = match &self.config {
            Some(config) => with_handlers(config),
            None => self.configuration(),
        };
        write_unless_empty(&self.path("gordon-janitor.toml"), &base);
        write_unless_empty(&self.path("gordon-janitor-user.toml"), &self.settings);
    }

    fn configuration(&self) -> String {
        let keys = [&self.publishers, &self.reconcilers, &self.authorities];
        let keys = keys.into_iter().flatten().collect::<Vec<_>>();
        let mut toml =
            format!("[core]\nplugins = {keys:?}\n[core.logging]\nhandlers = ['stream']\n");
        let tables = keys.iter().collect::<BTreeSet<_>>();
        for key in tables {
            let settings = match key.as_str() {
                "files.zones" => "directory = 'desired'",
                "files.served" | "files.apply" => "directory = 'served'",
                "files.changes" => "path = 'changes.jsonl'",
                _ => "",
            };
            toml.push_str(&format!("[{key}]\n{settings}\n"));
        }
        toml
    }
}

/// The configuration with log lines on standard error, unless it names handlers or cannot be read:
/// there may or may not be a system log on this machine.
fn with_handlers(config: &str) -> String {
    let names_them =
        |table: &toml::Table| table.get("core")?.get("logging")?.get("handlers").cloned();
    let longer = format!("{config}\n[core.logging]\nhandlers = ['stream']\n");
    match config.parse::<toml::Table>() {
        Ok(table) if !table.is_empty() && names_them(&table).is_none() => {
            let is_sound = longer.parse::<toml::Table>().is_ok();
            if is_sound { longer } else { config.to_owned() }
        }
        _ => config.to_owned(),
    }
}

fn write_unless_empty(path: &Path, text: &str) {
    if !text.is_empty() {
        fs::write(path, text).expect("the configuration can be written");
    }
}
