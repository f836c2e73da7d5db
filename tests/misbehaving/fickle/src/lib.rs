//! Plugins that do well, with zone files like those of `plugins/files`, until they have done as many
//! zones as their settings say; then they fail, panic, or kill the process.
//!
//! There are three authorities, so that several can speak of the same zones, a reconciler that reads
//! several zones at once, and a publisher that stops with some zones written and others not.

mod end;
mod served;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use janitor_plugin_api::dns::{ActualZone, Changes, DesiredZone, Name, NameRef, ZoneBuilder};
use janitor_plugin_api::zonefile::{self, Include};
use janitor_plugin_api::{Authority, ChangeReceiver, Error, Host, Outcome, Publisher, RrsetSender};

use end::{End, Left};

janitor_plugin_api::export! {
    /// Reads zone files, as many as it is told to.
    authority "fickle.first" => Reader;
    /// The same.
    authority "fickle.second" => Reader;
    /// The same.
    authority "fickle.third" => Reader;
    /// Reads zone files, several at once, and as many as it is told to.
    reconciler "fickle.served" => served::Served;
    /// Writes zone files, as many as it is told to.
    publisher "fickle.apply" => Writer;
}

/// The table of every plugin here.
#[janitor_plugin_api::settings]
#[derive(Debug)]
struct Settings {
    /// Zone files, each named after its zone with `.zone` behind it.
    directory: PathBuf,
    /// Zones that an authority does not call complete.
    #[setting(default)]
    incomplete: Vec<String>,
    /// How many zones it does; all of them without it.
    stops_after: Option<u32>,
    /// How it stops.
    #[setting(default = "fail")]
    by: End,
}

/// What every plugin here is made of.
struct Files {
    settings: Settings,
    directory: PathBuf,
}

impl Files {
    fn new(settings: Settings, host: &Host) -> Self {
        let directory = host.resolve(&settings.directory);
        Self {
            settings,
            directory,
        }
    }
}

struct Reader(Files);

impl Authority for Reader {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        Ok(Self(Files::new(settings, &host)))
    }

    async fn run(&mut self, rrsets: &mut RrsetSender) -> Result<(), Error> {
        let Files {
            settings,
            directory,
        } = &self.0;
        let mut left = Left::of(settings.stops_after);
        for apex in zones(directory).map_err(unexpected)? {
            left.one_more(&settings.by)?;
            let complete = !settings.incomplete.contains(&apex);
            let apex: Name = apex.parse().map_err(unexpected)?;
            let zone = desired(directory, apex.as_ref(), complete)?;
            rrsets.send(zone).await?;
        }
        left.one_more(&settings.by)
    }
}

struct Writer(Files);

impl Publisher for Writer {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        Ok(Self(Files::new(settings, &host)))
    }

    async fn run(&mut self, changes: &mut ChangeReceiver) -> Result<(), Error> {
        let Files {
            settings,
            directory,
        } = &self.0;
        let mut left = Left::of(settings.stops_after);
        while let Some(zone) = changes.receive().await {
            left.one_more(&settings.by)?;
            let outcome = match apply(directory, zone.changes()) {
                Ok(()) => Outcome::Applied,
                Err(error) => Outcome::Refused(error.to_string()),
            };
            zone.report_all(outcome);
        }
        Ok(())
    }
}

/// The zones that the directory has a file of, by name.
fn zones(directory: &Path) -> io::Result<Vec<String>> {
    let mut zones = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let zone = name.to_str().and_then(|name| name.strip_suffix(".zone"));
        zones.extend(zone.map(str::to_owned));
    }
    zones.sort();
    Ok(zones)
}

fn file(directory: &Path, apex: NameRef<'_>) -> PathBuf {
    let name = apex.to_string();
    directory.join(format!("{}.zone", name.trim_end_matches('.')))
}

fn read(directory: &Path, apex: NameRef<'_>) -> Result<ZoneBuilder, Error> {
    let path = file(directory, apex);
    let text = fs::File::open(&path).map_err(unexpected)?;
    let mut builder = ZoneBuilder::new(apex.to_owned());
    let mut include =
        |_: &Path| -> io::Result<Include<'static>> { Err(io::Error::other("nothing is included")) };
    zonefile::read(
        apex,
        &path.to_string_lossy(),
        text,
        &mut include,
        |record| builder.push_wire(record.owner, record.rtype, record.ttl, record.rdata),
    )
    .map_err(unexpected)?;
    Ok(builder)
}

fn desired(directory: &Path, apex: NameRef<'_>, complete: bool) -> Result<DesiredZone, Error> {
    let mut builder = read(directory, apex)?;
    if complete {
        builder.set_complete();
    }
    builder.build_desired().map_err(unexpected)
}

fn apply(directory: &Path, changes: &Changes) -> Result<(), Error> {
    let mut builder = read(directory, changes.apex())?;
    let actual = builder.build_actual().map_err(unexpected)?;
    let applied: ActualZone = changes.apply(&actual).map_err(unexpected)?;
    let path = file(directory, changes.apex());
    let new = path.with_extension("new");
    fs::write(&new, applied.to_string()).map_err(unexpected)?;
    fs::rename(&new, &path).map_err(unexpected)
}

/// What would be the fault of the tests.
fn unexpected(error: impl std::error::Error) -> Error {
    Error::bug(format!("it stopped too early: {error}"))
}
