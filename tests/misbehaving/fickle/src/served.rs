//! A reconciler that reads several zones at once, and tells how many there were.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;

use janitor_plugin_api::dns::{ActualZone, NameRef};
use janitor_plugin_api::{ActualReader, Error, Host};
use tokio::sync::Semaphore;

use crate::end::{End, Left};
use crate::{read, unexpected};

/// The table of `fickle.served`.
#[janitor_plugin_api::settings]
#[derive(Debug)]
pub(crate) struct Settings {
    /// Zone files, each named after its zone with `.zone` behind it.
    directory: PathBuf,
    /// How many zones the SDK is asked to read at once.
    #[setting(default = 1)]
    at_once: usize,
    /// How many have to be read at the same time before any of them is.
    #[setting(default = 1)]
    together: usize,
    /// How many zones it reads; all of them without it.
    stops_after: Option<u32>,
    /// How it stops.
    #[setting(default = "fail")]
    by: End,
}

pub(crate) struct Served {
    settings: Settings,
    host: Host,
    left: RefCell<Left>,
    reading: Cell<usize>,
    most: Cell<usize>,
    enough: Semaphore,
}

impl ActualReader for Served {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        Ok(Self {
            left: Left::of(settings.stops_after).into(),
            settings,
            host,
            reading: Cell::default(),
            most: Cell::default(),
            enough: Semaphore::new(0),
        })
    }

    fn at_once(&self) -> usize {
        self.settings.at_once
    }

    async fn read(&self, apex: NameRef<'_>) -> Result<ActualZone, Error> {
        tracing::info!(zone = %apex, "begins to read");
        let _reading = Reading::begin(self, apex);
        if self.reading.get() >= self.settings.together {
            // From now on nobody waits.
            self.enough.close();
        }
        // Closed is what it waits for; there never is a permit.
        let _closed = self.enough.acquire().await.is_err();
        self.left.borrow_mut().one_more(&self.settings.by)?;
        let directory = self.host.resolve(&self.settings.directory);
        let read =
            read(&directory, apex).and_then(|mut zone| zone.build_actual().map_err(unexpected));
        read.map_err(|e| Error::zone("cannot read the served zone", e))
    }

    async fn cleanup(&mut self) -> Result<(), Error> {
        tracing::info!(most = self.most.get(), "zones were read at once");
        Ok(())
    }
}

/// One zone that is being read, until it is dropped.
struct Reading<'a> {
    served: &'a Served,
    apex: NameRef<'a>,
}

impl<'a> Reading<'a> {
    fn begin(served: &'a Served, apex: NameRef<'a>) -> Self {
        served.reading.update(|reading| reading + 1);
        served.most.update(|most| most.max(served.reading.get()));
        Self { served, apex }
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.served.reading.update(|reading| reading - 1);
        tracing::info!(zone = %self.apex, "ends reading");
    }
}
